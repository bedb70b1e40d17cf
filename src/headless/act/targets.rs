//! From what was typed to exactly one thing each: an id that is listed, or a name that exactly one thing has.

use std::sync::Arc;
use std::time::Duration;

use crate::backend::Backend;
use crate::cli::Do;
use crate::exec::call::within;
use crate::exec::read;
use crate::headless::ask::sources;
use crate::headless::io::Failure;
use crate::model::id::{EntityId, Identity, KindId};
use crate::model::op::{OpSpec, Target, Targets};

/// How long a whole list may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Every target of the call; none twice.
pub async fn resolve(op: &OpSpec, backends: &[Arc<dyn Backend>], args: &Do) -> Result<Vec<Target>, Failure> {
    if args.targets.is_empty() {
        return Err(Failure::Usage(format!("on what? `vigie do {} --help` says", op.name)));
    }
    let mut targets: Vec<Target> = Vec::new();
    for word in &args.targets {
        let target = match &op.targets {
            Targets::New { kind, what } => new(kind, what, word, backends)?,
            Targets::Rows(kinds) => existing(kinds, word, backends).await?,
            Targets::Any => return Err(Failure::Usage(format!("{} takes no target", op.name))),
        };
        if targets.iter().any(|known| known.id == target.id) {
            return Err(Failure::Usage(format!("`{word}` is named twice")));
        }
        targets.push(target);
    }
    Ok(targets)
}

/// Whether words of the call mean a target by its id or its name.
pub fn meant(op: &OpSpec, target: &Target, words: &[String]) -> bool {
    let here = matches!(&op.targets, Targets::Rows(kinds) if kinds.contains(&target.id.kind));
    here && words.iter().any(|word| *word == *target.name || *word == target.id.to_string())
}

/// Something that does not exist yet, under the name that it will have.
fn new(kind: &KindId, what: &str, word: &str, backends: &[Arc<dyn Backend>]) -> Result<Target, Failure> {
    if word.trim().is_empty() || word.chars().any(char::is_control) {
        return Err(Failure::Usage(format!("`{}` is no {what}", word.escape_default())));
    }
    let [backend] = backends else {
        let names: Vec<&str> = backends.iter().map(|backend| &**backend.instance()).collect();
        return Err(Failure::Usage(format!("on which instance? --instance {}", names.join(" | "))));
    };
    let domain = backend.sources().first().map(|source| source.domain).unwrap_or_default();
    let id = EntityId::new(kind.clone(), backend.instance().clone(), word);
    Ok(Target { id, name: word.into(), identity: Identity::new(), domain })
}

async fn existing(kinds: &[KindId], word: &str, backends: &[Arc<dyn Backend>]) -> Result<Target, Failure> {
    match EntityId::parse(word).filter(|id| kinds.contains(&id.kind)) {
        Some(id) => listed(&id, backends).await,
        None => named(kinds, word, backends).await,
    }
}

/// An id is only believed where its own server lists it.
async fn listed(id: &EntityId, backends: &[Arc<dyn Backend>]) -> Result<Target, Failure> {
    let mut blind = Vec::new();
    let carrying = sources(backends, &id.kind);
    for (backend, source) in carrying.into_iter().filter(|(backend, _)| *backend.instance() == id.instance) {
        match read::once(&*backend, &source, PATIENCE).await {
            Ok(list) => {
                if let Some(row) = list.rows.into_iter().find(|row| row.id == *id) {
                    return Ok(row.into());
                }
                if !list.complete {
                    blind.push(format!("{}: the list is incomplete", source.id));
                }
            }
            Err(fault) => blind.push(format!("{}: {fault}", source.id)),
        }
    }
    // What nobody lists (the snapshots of thousands of guests) may still be known by its full key.
    if !blind.is_empty()
        && let Some(found) = by_key(id, backends).await
    {
        return Ok(found);
    }
    Err(Failure::Refused(match blind.as_slice() {
        [] => format!("{id} does not exist"),
        blind => format!("{id} cannot be looked up: {}", blind.join("; ")),
    }))
}

/// The one thing that its own server finds under a full key; nothing where it is none, or not the only one.
async fn by_key(id: &EntityId, backends: &[Arc<dyn Backend>]) -> Option<Target> {
    let backend = backends.iter().find(|backend| *backend.instance() == id.instance)?;
    let found = within(PATIENCE, backend.resolve(&id.kind, &id.key)).await.ok()?;
    <[Target; 1]>::try_from(found).ok().map(|[only]| only).filter(|only| only.id == *id)
}

/// Over all instances, exactly one thing must have the name; one silent instance could hide a second.
async fn named(kinds: &[KindId], word: &str, backends: &[Arc<dyn Backend>]) -> Result<Target, Failure> {
    let mut hits: Vec<Target> = Vec::new();
    for backend in backends {
        for kind in kinds {
            let found = within(PATIENCE, backend.resolve(kind, word)).await.map_err(|fault| {
                let instance = backend.instance();
                Failure::Refused(format!(
                    "`{word}` cannot be resolved, {instance} does not answer for {kind}: {fault}"
                ))
            })?;
            let new: Vec<Target> =
                found.into_iter().filter(|hit| !hits.iter().any(|known| is_same(known, hit))).collect();
            hits.extend(new);
        }
    }
    if hits.len() > 1 {
        let ids: Vec<String> = hits.iter().map(|hit| hit.id.to_string()).collect();
        return Err(Failure::Refused(format!("`{word}` is not clear: {}", ids.join(", "))));
    }
    hits.pop().ok_or_else(|| {
        let kinds: Vec<&str> = kinds.iter().map(KindId::as_str).collect();
        Failure::Refused(format!("nothing in {} is called exactly `{word}`", kinds.join(", ")))
    })
}

/// Whether two rows stand for one thing: a list and a board of the same server show it by the same facts.
fn is_same(a: &Target, b: &Target) -> bool {
    let place = a.id.instance == b.id.instance && a.id.kind.backend() == b.id.kind.backend();
    place && a.id.kind != b.id.kind && !a.identity.is_empty() && a.identity == b.identity
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(kind: &str, instance: &str, key: &str, uuid: &str) -> Target {
        let identity = if uuid.is_empty() { Identity::new() } else { Identity::new().with("uuid", uuid) };
        let id = EntityId::new(kind, instance, key);
        Target { id, name: "aunt".into(), identity, domain: crate::model::row::Domain::Unknown }
    }

    #[test]
    fn a_list_and_a_board_show_one_thing_where_all_that_is_known_of_it_is_equal() {
        let user = target("authentik.users", "auth", "9", "u-9");
        let cases = [
            (target("authentik.onboarding", "auth", "user-9", "u-9"), true),
            (target("authentik.onboarding", "auth", "user-10", "u-10"), false),
            (target("authentik.onboarding", "other", "user-9", "u-9"), false),
            (target("authentik.users", "auth", "10", "u-9"), false),
            (target("omni.users", "auth", "9", "u-9"), false),
        ];
        for (other, same) in cases {
            assert_eq!(is_same(&user, &other), same, "{}", other.id);
        }
        let bare = |kind: &str| target(kind, "auth", "9", "");
        assert!(!is_same(&bare("authentik.users"), &bare("authentik.onboarding")));
    }
}

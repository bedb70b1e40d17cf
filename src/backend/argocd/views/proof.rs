//! One application in one screen: four levels of proof that are never one green dot, and everything behind them.
//!
//! STATIC: Git renders. RECONCILED: the cluster holds what Git says, seen a moment ago. RUNTIME: what runs is ready.
//! USER: somebody has looked as a user does.

use jiff::Timestamp;

use crate::backend::error::first_line;
use crate::backend::probe::Tried;
use crate::model::kind::Text;
use crate::model::row::{Cell, Health, Tone};
use crate::model::time::{seconds_between, short as span};
use crate::model::view::{Doc, DocLine, Fact};

use super::super::wire::Application;
use super::super::{Argo, rows};
use super::describe;
use super::history::Commits;
use super::runtime::{self, Runtime};
use super::users::{Users, hosts};

/// How a level of proof stands, and on what that rests.
#[derive(Debug, PartialEq, Eq)]
struct Level {
    name: &'static str,
    tone: Tone,
    word: &'static str,
    says: String,
}

impl Level {
    fn new(name: &'static str, tone: Tone, word: &'static str, says: impl Into<String>) -> Self {
        Self { name, tone, word, says: says.into() }
    }

    fn fact(&self) -> Fact {
        Fact::new(self.name, format!("{}: {}", self.word, self.says).as_str()).tone(self.tone)
    }
}

/// The whole screen.
pub async fn screen(argo: &Argo, app: &Application, commits: &mut Commits, users: &mut Users) -> Doc {
    let now = argo.clock.now();
    let runtime = match argo.destination(&app.spec.destination) {
        Some(cluster) => Some(runtime::look(&cluster, app, now).await),
        None => None,
    };
    let revision = app.status.sync.revision.some().or_else(|| app.status.sync.revisions.iter().next());
    let commit = commits.get(argo, app, revision.unwrap_or_default()).await;
    let wrote =
        commit.map_or(String::new(), |c| format!(" · {} ({})", first_line(&c.message), c.author.as_str()));
    let routed = runtime.iter().flat_map(|runtime| &runtime.hosts).cloned();
    let tried = users.look(&argo.probes, hosts(app).chain(routed).collect(), now).await;
    let levels = [
        rendered(app, &wrote),
        reconciled(app, argo.stale(), now),
        running(app, runtime.as_ref()),
        used(app, runtime.as_ref(), tried),
    ];
    let doc = Doc::default()
        .facts("", describe::head(app, now))
        .facts("proof", levels.iter().map(Level::fact).collect());
    let doc = describe::middle(doc, app);
    let doc = match runtime {
        Some(runtime) => parts(doc, runtime),
        None => doc.lines("runtime", vec![DocLine::toned(nowhere(app), Tone::Unknown)]),
    };
    describe::tail(doc, app)
}

fn nowhere(app: &Application) -> String {
    let cluster = app.spec.destination.cluster();
    format!("no `[[kubernetes]]` is named {cluster}: pods, claims and events cannot be looked at")
}

fn rendered(app: &Application, wrote: &str) -> Level {
    let name = "STATIC";
    match app.error() {
        Some(error) => Level::new(
            name,
            Tone::Error,
            "broken",
            format!("{}: {}", error.about.as_str(), first_line(&error.message)),
        ),
        None if app.status.sync.status.is_empty() || &*app.status.sync.status == "Unknown" => {
            Level::new(name, Tone::Unknown, "unknown", "nothing was compared with Git")
        }
        None => Level::new(name, Tone::Ok, "renders", format!("{}{wrote}", app.status.sync.short())),
    }
}

fn reconciled(app: &Application, stale: Option<jiff::SignedDuration>, now: Timestamp) -> Level {
    let name = "RECONCILED";
    let Some(compared) = app.status.reconciled_at.time() else {
        return Level::new(name, Tone::Unknown, "unknown", "never compared with Git");
    };
    let age = seconds_between(compared, now);
    let when = format!("compared {} ago", span(age));
    if stale.is_some_and(|limit| age > limit.as_secs()) {
        return Level::new(name, Tone::Unknown, "stale", format!("{when}: the controller may be stuck"));
    }
    let failed = app.status.operation_state.0.as_ref().filter(|op| matches!(&*op.phase, "Failed" | "Error"));
    match (&*app.status.sync.status, failed) {
        ("Synced", None) => Level::new(name, Tone::Ok, "holds", when),
        ("Synced", Some(op)) => Level::new(
            name,
            Tone::Warn,
            "holds",
            format!("{when}, but the last operation {}: {}", op.phase.as_str(), first_line(&op.message)),
        ),
        ("OutOfSync", _) => {
            Level::new(name, Tone::Warn, "differs", format!("{when}: {}", rows::differing(app)))
        }
        _ => Level::new(name, Tone::Unknown, "unknown", when),
    }
}

fn running(app: &Application, runtime: Option<&Runtime>) -> Level {
    let name = "RUNTIME";
    let health = app.status.health.status.as_str();
    let Some(runtime) = runtime else {
        return Level::new(name, Tone::Unknown, "unseen", format!("Argo CD says {health}; {}", nowhere(app)));
    };
    if let [first, ..] = runtime.blind.as_slice() {
        return Level::new(name, Tone::Unknown, "blind", format!("Argo CD says {health}; {first}"));
    }
    let parts = runtime.pods.iter().chain(&runtime.claims).chain(&runtime.secrets);
    let worst = parts.map(|(health, _)| *health).min().unwrap_or(Health::Ok);
    let ready = runtime.pods.iter().filter(|(health, _)| *health == Health::Ok).count();
    let says = format!(
        "{ready} of {} pods, {} claims, {} secrets; Argo CD says {health}",
        runtime.pods.len(),
        runtime.claims.len(),
        runtime.secrets.len()
    );
    match (worst, health) {
        (Health::Ok | Health::Off, "Healthy") => Level::new(name, Tone::Ok, "ready", says),
        (Health::Critical, _) | (_, "Degraded") => Level::new(name, Tone::Error, "broken", says),
        (Health::Unknown, _) => Level::new(name, Tone::Unknown, "unknown", says),
        _ => Level::new(name, Tone::Warn, "not ready", says),
    }
}

/// Only a look from outside proves this; a route that is taken on is not one.
fn used(app: &Application, runtime: Option<&Runtime>, tried: &[Tried]) -> Level {
    let name = "USER";
    let urls: Vec<&str> = app.status.summary.external_urls.iter().collect();
    let refused = runtime.and_then(|r| r.routes.iter().find(|(health, _)| *health == Health::Critical));
    if let Some((_, cells)) = refused {
        let why = cells.last().and_then(|cell| cell.value.as_text()).unwrap_or_default();
        return Level::new(name, Tone::Error, "cut off", format!("a route is refused: {why}"));
    }
    if let Some(worst) = tried.iter().map(|tried| tried.health).min() {
        let word = if worst == Health::Ok { "answers" } else { "fails" };
        let mut met: Vec<&Tried> = tried.iter().collect();
        met.sort_by_key(|tried| tried.health);
        let says: Vec<String> = met.iter().map(|tried| format!("{}: {}", tried.name, tried.says)).collect();
        return Level::new(name, worst.into(), word, says.join("; "));
    }
    let says = match urls.as_slice() {
        [] => "it has no address for users".to_owned(),
        urls => format!("nobody looks at {} from outside: no `[[probe]]` is of this host", urls.join(", ")),
    };
    Level::new(name, Tone::Unknown, "not seen", says)
}

fn parts(doc: Doc, runtime: Runtime) -> Doc {
    let columns = |names: &[&'static str]| names.iter().map(|name| Text::Borrowed(*name)).collect();
    let rows = |mut found: Vec<(Health, Vec<Cell>)>| -> Vec<Vec<Cell>> {
        found.sort_by_key(|(health, _)| *health);
        found.into_iter().map(|(_, cells)| cells).collect()
    };
    let blind = runtime.blind.iter().map(|why| DocLine::toned(why.as_str(), Tone::Unknown)).collect();
    let doc = doc
        .lines("not seen", blind)
        .table("pods", columns(&["state", "name", "restarts", "node", "why"]), rows(runtime.pods))
        .table("claims", columns(&["phase", "name", "size"]), rows(runtime.claims))
        .table("routes", columns(&["state", "hosts", "why"]), rows(runtime.routes))
        .table("secrets", columns(&["state", "name", "why"]), rows(runtime.secrets))
        .table("warnings", columns(&["reason", "object", "n", "last", "message"]), runtime.warnings);
    match runtime.log {
        Some((pod, lines)) => doc.lines(format!("last lines of {pod}"), lines),
        None => doc,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn app(status: &Value) -> Application {
        serde_json::from_value(json!({"metadata": {"name": "immich"}, "spec": {}, "status": status})).unwrap()
    }

    fn now() -> Timestamp {
        "2026-11-20T03:00:00Z".parse().unwrap()
    }

    #[test]
    fn the_levels_of_proof_are_never_one_green_dot() {
        let good = json!({"sync": {"status": "Synced", "revision": "v1"}, "health": {"status": "Healthy"},
            "reconciledAt": "2026-11-20T02:59:00Z", "summary": {"externalURLs": ["https://immich.example/"]}});
        let app = app(&good);
        let stale = Some(jiff::SignedDuration::from_secs(600));
        let runtime = Runtime { pods: vec![(Health::Ok, Vec::new())], ..Runtime::default() };
        let words = [
            rendered(&app, "").word,
            reconciled(&app, stale, now()).word,
            running(&app, Some(&runtime)).word,
            used(&app, Some(&runtime), &[]).word,
        ];
        assert_eq!(words, ["renders", "holds", "ready", "not seen"]);
        assert_eq!(running(&app, None).tone, Tone::Unknown);
        let blind = Runtime { blind: vec!["pods: denied".into()], ..Runtime::default() };
        assert_eq!(running(&app, Some(&blind)).word, "blind");
        let crash = Runtime { pods: vec![(Health::Critical, Vec::new())], ..Runtime::default() };
        assert_eq!(running(&app, Some(&crash)).word, "broken");
    }

    #[test]
    fn what_a_stranger_met_decides_whether_users_get_in() {
        let app = app(&json!({"summary": {"externalURLs": ["https://immich.example/"]}}));
        let met = |health, says: &str| Tried { name: "immich".into(), health, says: says.into() };
        let good = met(Health::Ok, "200 the application answers");
        let level = used(&app, None, std::slice::from_ref(&good));
        assert_eq!((level.word, level.tone), ("answers", Tone::Ok));
        let level = used(&app, None, &[good, met(Health::Critical, "502 the origin is down")]);
        assert_eq!((level.word, level.tone), ("fails", Tone::Error));
        assert!(level.says.starts_with("immich: 502 the origin is down; "), "{}", level.says);
        assert!(used(&app, None, &[]).says.contains("no `[[probe]]` is of this host"));
    }

    #[test]
    fn old_comparisons_and_errors_prove_nothing() {
        let old = app(&json!({"sync": {"status": "Synced"}, "reconciledAt": "2026-11-20T02:00:00Z"}));
        let limit = Some(jiff::SignedDuration::from_secs(600));
        assert_eq!(reconciled(&old, limit, now()).word, "stale");
        assert_eq!(reconciled(&old, None, now()).word, "holds");
        let error = app(
            &json!({"sync": {"status": "Unknown"}, "conditions": [{"type": "ComparisonError", "message": "boom"}]}),
        );
        assert_eq!(rendered(&error, "").word, "broken");
    }
}

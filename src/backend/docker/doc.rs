//! A container, an image or an event described: why it is as it is on top.

use crate::backend::error::ApiError;
use crate::model::id::EntityId;
use crate::model::kind::Format;
use crate::model::row::{Cell, Row, Tone, Value};
use crate::model::view::{Doc, DocLine, Fact};

use super::host::{Observed, Seen, image_of};
use super::rows::{Place, started, state};
use super::version::Reference;
use super::{Docker, kinds};

/// The description of one thing.
pub(super) async fn describe(backend: &Docker, id: &EntityId) -> Result<Doc, ApiError> {
    let seen = backend.observe().await?;
    let place = backend.place();
    let gone = || ApiError::unsupported("it is gone");
    match id.kind.as_str() {
        kinds::CONTAINERS => {
            let one = seen.containers.iter().find(|one| *one.listed.id == *id.key).ok_or_else(gone)?;
            Ok(container(one, &seen, &place))
        }
        kinds::IMAGES | kinds::EVENTS => {
            let rows = match id.kind.as_str() {
                kinds::EVENTS => super::watch::events(backend).await?.rows,
                _ => super::rows::all(&seen, &place),
            };
            let row = rows.into_iter().find(|row| row.id == *id).ok_or_else(gone)?;
            Ok(of_row(&row))
        }
        other => Err(ApiError::unsupported(format!("there is no description of {other}"))),
    }
}

/// What its cells say, with the words of their columns.
fn of_row(row: &Row) -> Doc {
    let kind = kinds::all().into_iter().find(|kind| kind.id == row.id.kind);
    let columns = kind.map(|kind| kind.columns).unwrap_or_default();
    let facts = columns.into_iter().zip(&row.cells).filter(|(_, cell)| cell.value != Value::Empty);
    let facts = facts.map(|(column, cell)| Fact {
        tone: cell.tone,
        format: column.format,
        ..Fact::new(column.title, cell.value.clone())
    });
    Doc::default().facts("", facts.collect())
}

fn container(one: &Seen, seen: &Observed, place: &Place) -> Doc {
    let (word, health, note) = state(one, place.now);
    let mut facts = vec![Fact::new("state", word).tone(Tone::from(health))];
    facts.extend(note.map(|note| Fact::new("because", note.as_str()).tone(Tone::Warn)));
    if let Some(fell) = &one.fell {
        let says = format!("{} before, {} now", fell.from, one.version.as_deref().unwrap_or("unknown"));
        facts.push(Fact::new("version WENT DOWN", says.as_str()).tone(Tone::Error));
    }
    if let Some(inspected) = &one.inspected {
        facts.extend(started(inspected).map(|at| Fact::new("started", at).format(Format::Age)));
        facts.push(Fact::new("restarts", inspected.restart_count.or_zero()));
        facts.push(Fact::new("policy", Value::text(&*inspected.host_config.restart_policy.name)));
        let shm = inspected.host_config.shm_size.0;
        facts.extend(shm.map(|bytes| Fact::new("/dev/shm", bytes).format(Format::Bytes)));
    }
    if let Some(stats) = &one.stats {
        facts.extend(stats.cpu().map(|cpu| Fact::new("cpu", cpu).format(Format::Percent)));
        facts.extend(stats.memory().map(|bytes| Fact::new("memory", bytes).format(Format::Bytes)));
        let limit = stats.memory_stats.limit.0;
        facts.extend(limit.map(|bytes| Fact::new("memory limit", bytes).format(Format::Bytes)));
    }
    let doc = Doc::default().facts("", facts);
    let doc = probes(doc, one);
    images(doc, one, seen).facts("labels", labels(one))
}

fn probes(doc: Doc, one: &Seen) -> Doc {
    let health = one.inspected.as_ref().and_then(|inspected| inspected.state.health.0.as_ref());
    let rows = health.into_iter().flat_map(|health| health.log.iter()).map(|probe| {
        let tone = if probe.exit_code.or_zero() == 0 { Tone::Text } else { Tone::Warn };
        let line = crate::backend::error::first_line(&probe.output);
        vec![Cell::new(probe.end.time()), Cell::new(probe.exit_code.0), Cell::toned(Value::text(line), tone)]
    });
    doc.table("health checks", ["ended", "code", "said"].map(Into::into).to_vec(), rows.collect())
}

/// Its image, whether a pull may change it, and the other images of that name that are here.
fn images(doc: Doc, one: &Seen, seen: &Observed) -> Doc {
    let image = image_of(one);
    let reference = Reference::read(image);
    let mut facts = vec![Fact::new("image", image)];
    facts.extend(one.version.as_deref().map(|version| Fact::new("version", version)));
    match reference.moves() {
        Some(why) => facts.push(Fact::new("unpinned", why.as_str()).tone(Tone::Warn)),
        None => facts.push(
            Fact::new("pinned", if reference.digest { "by digest" } else { "by version" }).tone(Tone::Ok),
        ),
    }
    facts.push(Fact::new("digest", Value::text(&*one.listed.image_id)).tone(Tone::Dim));
    let here = seen.images.iter().filter(|other| {
        let names = other.repo_tags.iter().chain(other.repo_digests.iter());
        names.map(|name| Reference::read(name).name).any(|name| name == reference.name)
    });
    let rows = here.map(|other| {
        let version = super::version::version(&other.labels, "").unwrap_or_default();
        let word = if *other.id == *one.listed.image_id { "this" } else { "" };
        let digest = other.repo_digests.iter().next().unwrap_or_default();
        vec![Cell::new(Value::text(word)), Cell::new(Value::text(version)), Cell::new(Value::text(digest))]
    });
    doc.facts("image", facts).table(
        "images of this name",
        ["", "version", "digest"].map(Into::into).to_vec(),
        rows.collect(),
    )
}

fn labels(one: &Seen) -> Vec<Fact> {
    let pair = |(name, value): (&String, &crate::backend::lenient::Text)| {
        Fact::new(name.clone(), Value::text(value.as_str()))
    };
    one.listed.labels.iter().map(pair).collect()
}

/// What to say where a description cannot be read anew.
pub(super) fn stale(error: &ApiError) -> Doc {
    Doc::default().lines("", vec![DocLine::toned(format!("cannot be read now: {error}"), Tone::Unknown)])
}

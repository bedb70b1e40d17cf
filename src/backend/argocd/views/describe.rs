//! What an Application says of itself: the verdict and why, conditions, the last operation, objects, history.

use jiff::Timestamp;

use crate::backend::error::first_line;
use crate::model::kind::{Format, Text};
use crate::model::row::{Cell, Tone};
use crate::model::view::{Doc, DocLine, Fact};

use super::super::rows::{self, health_tone, phase_tone};
use super::super::wire::{Application, OperationState, Resource, short};

/// What is wrong with it, what was done last, and its objects.
pub fn middle(doc: Doc, app: &Application) -> Doc {
    let objects = ["object", "sync", "health", "wave", "message"].map(Text::Borrowed).to_vec();
    doc.lines("conditions", conditions(app))
        .facts("last operation", app.status.operation_state.0.as_ref().map(operation).unwrap_or_default())
        .table("failed", ["object", "status", "message"].map(Text::Borrowed).to_vec(), failed(app))
        .table("objects", objects, resources(app))
}

/// What was deployed, and from where to where.
pub fn tail(doc: Doc, app: &Application) -> Doc {
    let history = ["id", "revision", "deployed", "by"].map(Text::Borrowed).to_vec();
    doc.table("history", history, past(app)).facts("delivery", delivery(app))
}

/// The verdict and the facts behind it.
pub fn head(app: &Application, now: Timestamp) -> Vec<Fact> {
    let state = rows::verdict(app, now);
    let status = &app.status;
    let mut facts = vec![Fact::new("state", state.word.as_str()).tone(state.health.into())];
    if !state.why.is_empty() {
        facts.push(Fact::new("why", state.why.as_str()));
    }
    if let Some(since) = rows::since(app, &state.word) {
        facts.push(Fact::new("since", since).format(Format::Age));
    }
    facts.push(Fact::new(
        "sync",
        format!("{} at {}", status.sync.status.as_str(), status.sync.short()).as_str(),
    ));
    facts.push(Fact::new("health", status.health.status.as_str()).tone(health_tone(&status.health.status)));
    facts.push(Fact::new("wave", app.wave()));
    facts.push(Fact::new("compared", status.reconciled_at.time()).format(Format::Age));
    facts.push(Fact::new("auto-sync", auto(app).as_str()));
    if let Some(manager) = app.manager() {
        facts.push(Fact::new("managed by", manager.as_str()));
    }
    facts
}

/// Whether and how Argo CD acts by itself.
pub fn auto(app: &Application) -> String {
    let Some(automated) = app.spec.sync_policy.automated.0.as_ref().filter(|_| app.auto_sync()) else {
        return "off".to_owned();
    };
    let extras = [(automated.prune, "prune"), (automated.self_heal, "self-heal")];
    let extras = extras.iter().filter(|(flag, _)| flag.is_true()).map(|(_, name)| *name);
    std::iter::once("on").chain(extras).collect::<Vec<_>>().join(", ")
}

fn conditions(app: &Application) -> Vec<DocLine> {
    let lines = app.status.conditions.iter().flat_map(|condition| {
        let tone = if condition.is_error() { Tone::Error } else { Tone::Warn };
        let mut lines = condition.message.lines();
        let first = format!("{}: {}", condition.about.as_str(), lines.next().unwrap_or_default());
        let rest: Vec<DocLine> = lines.map(|line| DocLine::toned(format!("  {line}"), Tone::Dim)).collect();
        std::iter::once(DocLine::toned(first, tone)).chain(rest)
    });
    lines.collect()
}

fn operation(state: &OperationState) -> Vec<Fact> {
    let asked = &state.operation;
    let mut facts = vec![
        Fact::new("phase", state.phase.as_str()).tone(phase_tone(&state.phase)),
        Fact::new("message", state.message.as_str()),
        Fact::new("by", asked.initiated_by.name()),
        Fact::new("began", state.began()).format(Format::Age),
    ];
    if state.finished_at.time().is_some() {
        facts.push(Fact::new("ended", state.finished_at.time()).format(Format::Age));
    }
    if asked.sync.dry_run.is_true() {
        facts.push(Fact::new("dry run", "yes, nothing was changed"));
    }
    facts
}

fn failed(app: &Application) -> Vec<Vec<Cell>> {
    let Some(state) = &app.status.operation_state.0 else { return Vec::new() };
    let failed = state.sync_result.resources.iter().filter(|result| {
        &*result.status == "SyncFailed" || matches!(&*result.hook_phase, "Failed" | "Error")
    });
    let row = |result: &super::super::wire::ResourceResult| {
        vec![
            Cell::new(format!("{} {}", result.kind.as_str(), result.name.as_str()).as_str()),
            Cell::toned(result.status.some().unwrap_or(&result.hook_phase), Tone::Error),
            Cell::new(first_line(&result.message).as_str()),
        ]
    };
    failed.map(row).collect()
}

/// The objects, those that are not good first, then by wave.
fn resources(app: &Application) -> Vec<Vec<Cell>> {
    let mut resources: Vec<&Resource> = app.status.resources.iter().collect();
    let good = |resource: &Resource| {
        &*resource.status != "OutOfSync" && matches!(&*resource.health.status, "" | "Healthy")
    };
    resources.sort_by_key(|resource| (good(resource), resource.sync_wave.or_zero()));
    let row = |resource: &&Resource| {
        let sync = if &*resource.status == "OutOfSync" { Tone::Warn } else { Tone::Dim };
        vec![
            Cell::new(resource.label().as_str()),
            Cell::toned(resource.status.as_str(), sync),
            Cell::toned(resource.health.status.as_str(), health_tone(&resource.health.status)),
            Cell::new(resource.sync_wave.0),
            Cell::new(first_line(&resource.health.message).as_str()),
        ]
    };
    resources.iter().map(row).collect()
}

/// What was deployed, the latest first.
fn past(app: &Application) -> Vec<Vec<Cell>> {
    let row = |entry: &super::super::wire::History| {
        vec![
            Cell::new(entry.id.0),
            Cell::new(short(&entry.revision).as_str()),
            Cell::new(entry.deployed_at.time()),
            Cell::new(entry.initiated_by.name()),
        ]
    };
    app.status.history.iter().rev().map(row).collect()
}

fn delivery(app: &Application) -> Vec<Fact> {
    let destination = &app.spec.destination;
    let mut facts = vec![
        Fact::new("project", app.spec.project.as_str()),
        Fact::new("to", format!("{}/{}", destination.cluster(), destination.namespace.as_str()).as_str()),
    ];
    for source in app.spec.source.0.iter().chain(app.spec.sources.iter()) {
        let place = source.path.some().or_else(|| source.chart.some()).unwrap_or_default();
        let text = format!("{} {place} at {}", source.repo_url.as_str(), source.target_revision.as_str());
        facts.push(Fact::new("from", text.as_str()));
    }
    facts.extend(app.status.summary.external_urls.iter().map(|url| Fact::new("url", url)));
    facts.extend(app.status.summary.images.iter().map(|image| Fact::new("image", image).tone(Tone::Dim)));
    facts
}

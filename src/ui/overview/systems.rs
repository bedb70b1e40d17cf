//! Every configured instance: its domain, how fresh it is, and how many things it has.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::theme::Role;
use crate::model::id::KindId;
use crate::model::kind::is_own;
use crate::model::row::{Domain, Health, Tone};
use crate::model::snapshot::SourceHealth;
use crate::model::store::Source;
use crate::ui::component::Ctx;
use crate::ui::format::{Writer, glyph};
use crate::ui::lines::Line;
use crate::ui::table::domain_word;

use super::{Entry, Goal};

/// Where each part of a line begins.
const NAME: u16 = 8;
const STATE: u16 = 28;
const COUNTS: u16 = 46;

/// The sources of each instance, by domain, backend and name.
type Instances<'s> = BTreeMap<(Domain, &'s Arc<str>, &'s Arc<str>), Vec<&'s Source>>;

/// One line for each instance, under their domains.
pub(super) fn entries(ctx: &Ctx<'_>, room: u16) -> Vec<Entry> {
    let mut instances: Instances<'_> = BTreeMap::new();
    let told = |source: &&Source| !source.spec.is_on_demand() && !is_own(&source.spec.id.backend);
    for source in ctx.store.sources().filter(told) {
        let key = (source.spec.domain, &source.spec.id.backend, &source.spec.id.instance);
        instances.entry(key).or_default().push(source);
    }
    let mut last = None;
    let mut entries = Vec::new();
    for ((domain, backend, instance), sources) in instances {
        let label = if last == Some(domain) { "" } else { domain_word(domain) };
        last = Some(domain);
        entries.push(entry(label, backend, instance, &sources, ctx, room));
    }
    entries
}

fn entry(label: &str, backend: &str, instance: &str, sources: &[&Source], ctx: &Ctx<'_>, room: u16) -> Entry {
    let name = if backend == instance { backend.to_owned() } else { format!("{backend} {instance}") };
    let worst = sources.iter().max_by_key(|source| rank(&source.health));
    let mut line = Line::new().at(2, label.to_owned(), Role::Title).at(NAME, name.clone(), Role::Text);
    if let Some(source) = worst {
        let (words, tone) = state(source, &Writer::from(ctx));
        line = line.at(STATE, format!("{} {words}", glyph(tone, ctx.ascii)), tone);
    }
    let counts = if room > COUNTS + 10 { counts(sources, ctx) } else { String::new() };
    line = line.at(COUNTS, counts, Role::Dim);
    let kind = sources.iter().flat_map(|source| &source.spec.kinds).find(|kind| pane(kind, ctx));
    let kind = kind.or_else(|| sources.first().and_then(|source| source.spec.kinds.first()));
    Entry { line, goal: kind.map_or(Goal::None, |kind| Goal::Kind(kind.clone())), name }
}

fn pane(kind: &KindId, ctx: &Ctx<'_>) -> bool {
    ctx.kinds.get(kind).is_some_and(|kind| kind.pane.is_some())
}

fn rank(health: &SourceHealth) -> u8 {
    match health {
        SourceHealth::Fresh => 0,
        SourceHealth::Loading => 2,
        SourceHealth::Denied(_) => 3,
        SourceHealth::Stale(_) => 4,
    }
}

fn state(source: &Source, writer: &Writer<'_>) -> (String, Tone) {
    let age = source.good_at.map(|at| writer.age(at)).unwrap_or_default();
    if let Some(absence) = source.absence {
        let words = format!("{} {age}", absence.word());
        return (words.trim_end().to_owned(), absence.tone(writer.now));
    }
    match &source.health {
        SourceHealth::Loading if source.is_remembered() => (format!("remembered {age}"), Tone::Unknown),
        SourceHealth::Loading => ("loading".to_owned(), Tone::Pending),
        SourceHealth::Fresh if source.complete => (format!("fresh {age}"), Tone::Ok),
        SourceHealth::Fresh => (format!("partial {age}"), Tone::Warn),
        SourceHealth::Stale(fault) if age.is_empty() => (format!("blind: {}", fault.layer), Tone::Unknown),
        SourceHealth::Stale(fault) => (format!("stale {age}: {}", fault.layer), Tone::Warn),
        SourceHealth::Denied(fault) => {
            let missing = fault.missing.as_deref().unwrap_or("a right");
            (format!("denied: {missing}"), Tone::Warn)
        }
    }
}

/// How many of each kind, and how many of those are not well: kinds with such rows first, then in the order of the
/// registry. Nothing of kinds that have no rows.
fn counts(sources: &[&Source], ctx: &Ctx<'_>) -> String {
    let Some(source) = sources.first() else { return String::new() };
    let instance = &source.spec.id.instance;
    let answered =
        |kind| sources.iter().any(|source| source.good_at.is_some() && source.spec.kinds.contains(kind));
    let absent = sources.iter().any(|source| source.absence.is_some());
    let (mut unwell, mut well) = (Vec::new(), Vec::new());
    for kind in ctx.kinds.iter().filter(|kind| answered(&kind.id)) {
        let rows = || ctx.store.rows(&kind.id).filter(|row| row.id.instance == *instance);
        let bad = rows().filter(|row| matches!(row.health, Health::Critical | Health::Warning)).count();
        match (rows().count(), if absent { 0 } else { bad }) {
            (0, _) => {}
            (1, 0) => well.push(format!("1 {}", kind.singular)),
            (1, bad) => unwell.push(format!("1 {} ({bad}!)", kind.singular)),
            (all, 0) => well.push(format!("{all} {}", kind.id.name())),
            (all, bad) => unwell.push(format!("{all} {} ({bad}!)", kind.id.name())),
        }
    }
    unwell.append(&mut well);
    unwell.join(" · ")
}

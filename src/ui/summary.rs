//! The state of the whole platform in a few words, counted once per change of the facts.
//!
//! Nothing here is good without a fresh, complete, successful answer: a source that cannot be reached makes its
//! domain blind, whatever its last rows said.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::id::{EntityId, KindId};
use crate::model::row::{Domain, Health, Row, Tone, Value};
use crate::model::snapshot::{Absence, SourceHealth};
use crate::model::store::{Source, Store};

use crate::insight::trust::{self, ALERTS, Trust};

use super::component::Ctx;
use super::format::Writer;

/// The kind whose rows are the verdicts of the exposure audit.
const EXPOSURE: &str = "authentik.exposure";

/// A word about something, in a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word.
    pub text: String,
    /// Its role.
    pub tone: Tone,
}

impl Word {
    fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }
}

/// How many rows are how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// All of them.
    pub total: usize,
    /// Broken.
    pub critical: usize,
    /// Wanting attention.
    pub warning: usize,
    /// On their way.
    pub pending: usize,
    /// Unknown for a reason that was given.
    pub unknown: usize,
    /// Switched off.
    pub off: usize,
}

impl Counts {
    fn add(&mut self, row: &Row) {
        self.total += 1;
        match row.health {
            Health::Critical => self.critical += 1,
            Health::Warning => self.warning += 1,
            Health::Pending => self.pending += 1,
            Health::Unknown if row.note.is_some() => self.unknown += 1,
            Health::Off => self.off += 1,
            Health::Unknown | Health::Ok => {}
        }
    }

    /// The worst of it in a word; `ok` where nothing is wrong.
    pub fn word(&self) -> Word {
        match self {
            Self { critical: n @ 1.., .. } => Word::new(format!("{n} crt"), Tone::Error),
            Self { warning: n @ 1.., .. } => Word::new(format!("{n} wrn"), Tone::Warn),
            Self { unknown: n @ 1.., .. } => Word::new(format!("{n} ?"), Tone::Unknown),
            _ => Word::new("ok", Tone::Ok),
        }
    }
}

/// Something whose time is counted down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// What it is.
    pub id: EntityId,
    /// Its name.
    pub name: Arc<str>,
    /// When its time is over.
    pub at: Timestamp,
    /// How many more there are.
    pub more: usize,
}

/// The whole platform in words and counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Home, cloud, edge.
    pub domains: Vec<(Domain, Word)>,
    /// Whether alerts can be seen, and how many there are.
    pub alerts: Option<Word>,
    /// How much stands open to people who should be kept out: red and amber verdicts of the audit.
    pub exposure: Option<Word>,
    /// Rows by kind.
    pub kinds: BTreeMap<KindId, Counts>,
    /// What ends next, where something is counted down.
    pub ends: Option<Ending>,
    revisions: u64,
    minute: i64,
    #[allow(clippy::type_complexity, reason = "what a source was, to be compared alone")]
    sources: Vec<(SourceHealth, bool, Option<(Absence, Tone)>)>,
}

impl Summary {
    /// Counts again where the facts changed; true where a word or a count differs.
    pub fn refresh(&mut self, ctx: &Ctx<'_>) -> bool {
        let store = ctx.store;
        let revisions = ctx.kinds.iter().map(|kind| store.revision(&kind.id)).sum();
        let absent = |source: &Source| source.absence.map(|absence| (absence, absence.tone(ctx.now)));
        let sources: Vec<_> =
            store.sources().map(|source| (source.health.clone(), source.complete, absent(source))).collect();
        let minute = ctx.now.as_second() / 60;
        let same = (revisions, minute) == (self.revisions, self.minute) && sources == self.sources;
        if !self.domains.is_empty() && same {
            return false;
        }
        let counts = count(store);
        let domain = |domain| (domain, domain_word(ctx, domain, counts.domain(domain)));
        let domains = [Domain::Home, Domain::Cloud, Domain::Edge].map(domain).to_vec();
        let trust = trust::judge(store, ctx.now);
        let alerts = alerts_word(store, counts.kinds.get(&KindId::from(ALERTS)), trust.as_ref());
        let ends = next_end(ctx);
        let exposure = exposure_word(store, counts.kinds.get(&KindId::from(EXPOSURE)));
        let changed = (&domains, &alerts, &exposure, &counts.kinds, &ends)
            != (&self.domains, &self.alerts, &self.exposure, &self.kinds, &self.ends);
        *self = Self { domains, alerts, exposure, kinds: counts.kinds, ends, revisions, minute, sources };
        changed
    }
}

/// Of all that is counted down, what ends first; what is over already is still there and comes before the rest.
fn next_end(ctx: &Ctx<'_>) -> Option<Ending> {
    let mut first: Option<(&Row, Timestamp)> = None;
    let mut all = 0;
    for kind in ctx.kinds.iter() {
        let Some(index) = kind.columns.iter().position(|column| column.counts_down) else { continue };
        for row in ctx.store.rows(&kind.id) {
            let Value::Time(at) = row.cell(index).value else { continue };
            all += 1;
            if first.is_none_or(|(known, sooner)| (at, &row.id) < (sooner, &known.id)) {
                first = Some((row, at));
            }
        }
    }
    let (row, at) = first?;
    Some(Ending { id: row.id.clone(), name: row.name.clone(), at, more: all - 1 })
}

/// Red and amber in two figures; blind where the audit has not been able to see everything.
fn exposure_word(store: &Store, counts: Option<&Counts>) -> Option<Word> {
    let kind = KindId::from(EXPOSURE);
    let sources: Vec<&Source> = store.of_kind(&kind).collect();
    let answered = sources.iter().any(|source| source.health != SourceHealth::Loading);
    let blind = sources.iter().any(|source| source.health.fault().is_some() || !source.complete);
    let (red, amber) = counts.map_or((0, 0), |counts| (counts.critical, counts.warning));
    let text = format!("{red}R {amber}A");
    match (red, amber) {
        _ if !answered => None,
        (1.., _) => Some(Word::new(text, Tone::Error)),
        _ if blind => Some(Word::new("blind", Tone::Unknown)),
        (_, 1..) => Some(Word::new(text, Tone::Warn)),
        _ => Some(Word::new(text, Tone::Ok)),
    }
}

#[derive(Default)]
struct Tally {
    home: Counts,
    cloud: Counts,
    edge: Counts,
    kinds: BTreeMap<KindId, Counts>,
}

impl Tally {
    fn domain(&self, domain: Domain) -> &Counts {
        match domain {
            Domain::Cloud => &self.cloud,
            Domain::Edge => &self.edge,
            Domain::Home | Domain::Unknown => &self.home,
        }
    }
}

fn count(store: &Store) -> Tally {
    let mut tally = Tally::default();
    for row in store.all_rows() {
        match row.domain {
            Domain::Home => tally.home.add(row),
            Domain::Cloud => tally.cloud.add(row),
            Domain::Edge => tally.edge.add(row),
            Domain::Unknown => {}
        }
        match tally.kinds.get_mut(&row.id.kind) {
            Some(counts) => counts.add(row),
            None => tally.kinds.entry(row.id.kind.clone()).or_default().add(row),
        }
    }
    tally
}

/// A domain in a word: whether it can be seen at all, then how it is.
fn domain_word(ctx: &Ctx<'_>, domain: Domain, counts: &Counts) -> Word {
    let store = ctx.store;
    let counts_here = |source: &&Source| source.spec.domain == domain && !source.spec.is_on_demand();
    let sources: Vec<&Source> = store.sources().filter(counts_here).collect();
    let all = |test: fn(&SourceHealth) -> bool| sources.iter().all(|source| test(&source.health));
    let any = |test: fn(&SourceHealth) -> bool| sources.iter().any(|source| test(&source.health));
    let unseen = |health: &SourceHealth| matches!(health, SourceHealth::Stale(_) | SourceHealth::Denied(_));
    if sources.is_empty() {
        return Word::new("?", Tone::Unknown);
    }
    if let Some(absence) = sources.iter().find_map(|source| source.absence) {
        return absent_word(absence, ctx);
    }
    if all(unseen) {
        return Word::new("blind", Tone::Unknown);
    }
    if counts.critical > 0 {
        return counts.word();
    }
    match sources.iter().filter(|source| unseen(&source.health)).count() {
        0 if any(|health| *health == SourceHealth::Loading) => Word::new("loading", Tone::Pending),
        0 if sources.iter().any(|source| !source.complete) => Word::new("partial", Tone::Warn),
        0 => counts.word(),
        blind => Word::new(format!("{blind} of {} blind", sources.len()), Tone::Unknown),
    }
}

/// A domain that does not answer: off and until when, or gone and for how long.
fn absent_word(absence: Absence, ctx: &Ctx<'_>) -> Word {
    let writer = Writer::from(ctx);
    let arrow = if ctx.ascii { "->" } else { "→" };
    let text = match absence {
        Absence::Declared(until) => format!("off{arrow}{}", writer.clock(until)),
        Absence::Clean => absence.word().to_owned(),
        Absence::Lost(heard) => format!("lost {}", writer.age(heard)),
    };
    Word::new(text, absence.tone(ctx.now))
}

/// Whether alerts can be seen: no alert from a source that cannot be reached means nothing.
fn alerts_word(store: &Store, counts: Option<&Counts>, trust: Option<&Trust>) -> Option<Word> {
    let kind = KindId::from(ALERTS);
    let sources: Vec<&Source> = store.of_kind(&kind).collect();
    if sources.is_empty() {
        return None;
    }
    let loading = sources.iter().any(|source| source.health == SourceHealth::Loading);
    let mut blind: Vec<&str> = sources
        .iter()
        .filter(|source| !source.proves_absence())
        .map(|source| if source.absence.is_some() { "home" } else { &*source.spec.id.instance })
        .collect();
    blind.dedup();
    let word = counts.copied().unwrap_or_default().word();
    let doubt = trust.and_then(|trust| trust.doubts.first());
    Some(match (blind.is_empty(), loading) {
        // Nothing fires, and that proves nothing: the check that fails is the word.
        (true, _) if word.tone == Tone::Ok && doubt.is_some() => {
            let check = doubt.and_then(|doubt| doubt.split(':').next()).unwrap_or_default();
            Word::new(format!("blind ({check})"), Tone::Unknown)
        }
        (true, _) => word,
        (false, _) if word.tone == Tone::Error => word,
        (false, true) => Word::new("loading", Tone::Pending),
        (false, false) => Word::new(format!("blind ({})", blind.join(", ")), Tone::Unknown),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::EntityId;
    use crate::model::snapshot::{Delta, Fault, Layer, Snapshot};
    use crate::ui::testing::World;

    fn words(world: &World) -> Vec<String> {
        let mut summary = Summary::default();
        summary.refresh(&world.ctx());
        let alerts = summary.alerts.map_or_else(|| "none".to_owned(), |word| word.text);
        summary.domains.into_iter().map(|(_, word)| word.text).chain([alerts]).collect()
    }

    fn fault() -> Result<Delta, Fault> {
        Err(Fault::new(Layer::Tcp, "no connection"))
    }

    #[test]
    fn every_domain_has_its_word_and_the_worst_counts() {
        assert_eq!(words(&World::lab()), ["ok", "1 wrn", "1 crt", "1 crt"]);
        assert_eq!(words(&World::empty()), ["?", "?", "?", "none"]);
    }

    #[test]
    fn nothing_is_good_without_a_fresh_and_complete_answer() {
        let mut world = World::lab();
        let partial = Snapshot { complete: false, ..Snapshot::complete(world.guest_rows(), world.now) };
        world.answer("proxmox", "pve", Ok(Delta::Reset(partial)));
        assert_eq!(words(&world)[0], "partial");
        world.answer("proxmox", "pve", fault());
        assert_eq!(words(&world)[0], "blind");
        world.source("proxmox", "attic", &["proxmox.guests"], Domain::Home);
        assert_eq!(words(&world)[0], "1 of 2 blind");
    }

    #[test]
    fn no_alerts_from_a_source_that_cannot_be_reached_is_blind() {
        let mut world = World::lab();
        world.rows("alerts", "main", vec![]);
        assert_eq!(words(&world)[3], "blind (watchdog)", "nothing proves that alerts arrive");
        world.source("alerts", "main", &[trust::ALERTS, trust::CHECKS], Domain::Home);
        let id = EntityId::new(trust::CHECKS, "main", "watchdog lab");
        let mut watchdog = Row::new(id, "watchdog lab", vec![]);
        watchdog.health = Health::Ok;
        world.rows("alerts", "main", vec![watchdog]);
        assert_eq!(words(&world)[3], "ok");
        world.answer("alerts", "main", fault());
        assert_eq!(words(&world)[3], "blind (main)");
    }

    #[test]
    fn it_counts_again_only_when_the_facts_changed() {
        let mut world = World::lab();
        let mut summary = Summary::default();
        assert!(summary.refresh(&world.ctx()));
        assert!(!summary.refresh(&world.ctx()));
        world.rows("proxmox", "pve", vec![]);
        assert!(summary.refresh(&world.ctx()));
        assert!(!summary.kinds.contains_key(&KindId::from("proxmox.guests")));
    }
}

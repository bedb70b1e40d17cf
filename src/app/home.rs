//! The house: whether it is there, what was declared of it, and what differs after it came back.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::insight::home::{self, Difference};
use crate::model::id::{EntityId, SourceId};
use crate::model::journal::{Declaration, Line, declarations};
use crate::model::kind::{Format, KindSpec};
use crate::model::row::{Cell, Domain, Row, Tone};
use crate::model::snapshot::{Absence, SourceHealth, Update};
use crate::model::store::Source;
use crate::model::view::{Doc, DocLine, Fact};

use super::App;
use super::desk::{DOMAINS, HOME_OFF, HOME_ON};
use super::effect::Effect;
use super::pane::Pane;
use super::places::PlaceKey;

/// So long after a return what is there is compared with what was.
const COMPARED: SignedDuration = SignedDuration::from_secs(1_800);
/// Guests that start with their host get so long before it is told that they do not run.
const STARTING: SignedDuration = SignedDuration::from_secs(60);

/// What the console knows of the house besides the rows.
#[derive(Debug, Default)]
pub(super) struct House {
    declarations: Vec<Declaration>,
    absence: Option<Absence>,
    /// When it was first seen to be silent.
    noticed: Option<Timestamp>,
    before: Option<Before>,
    differences: Vec<Difference>,
}

/// The rows of a source as they were before it was silent.
#[derive(Debug)]
struct Before {
    source: SourceId,
    rows: Vec<Arc<Row>>,
    /// When they were seen last.
    seen: Timestamp,
    back: Timestamp,
    /// Whether its host has started since; the first lists after a start do not tell.
    restarted: bool,
    told: bool,
}

/// The row behind the page.
pub(super) fn row_id() -> EntityId {
    EntityId::new(DOMAINS, "vigie", "home")
}

impl App {
    /// The journal was read anew: what is declared may differ.
    pub(super) fn hear_declarations(&mut self, lines: &[Line]) {
        self.house.declarations = declarations(lines);
        self.look_home();
    }

    /// Judges the house anew; tells where that is news.
    pub(super) fn look_home(&mut self) {
        let now = self.look.now;
        let noticed = self.house.noticed.unwrap_or(now);
        let absence = home::absence(&self.facts.store, &self.house.declarations, noticed, now);
        self.house.noticed = absence.map(|_| noticed);
        self.dirty |= self.facts.store.set_absence(Domain::Home, absence);
        let before = std::mem::replace(&mut self.house.absence, absence);
        let word = |absence: Option<Absence>| absence.map(Absence::word);
        if word(before) != word(absence) {
            self.tell_home(absence);
        }
    }

    fn tell_home(&mut self, absence: Option<Absence>) {
        let declared = home::declared(&self.house.declarations, self.look.now).is_some();
        match absence {
            Some(Absence::Declared(_)) => self.tell(Tone::Info, "home is off, as declared"),
            Some(Absence::Clean) => self.tell(Tone::Warn, "home was shut down in order: H declares it off"),
            Some(Absence::Lost(_)) => {
                self.tell(Tone::Warn, "home does not answer, and no shutdown was seen: H tells more");
            }
            None if declared => {
                self.tell(Tone::Warn, "home answers, though it is declared off: H ends that");
            }
            None => self.tell(Tone::Info, "home answers again"),
        }
    }

    /// A source answers after a silence: what was known before is kept for comparison.
    pub(super) fn keep_before(&mut self, update: &Update) {
        if update.body.is_err() {
            return;
        }
        let Some(source) = self.facts.store.source(&update.source) else { return };
        let (Some(seen), false) = (source.good_at, source.health == SourceHealth::Fresh) else { return };
        if source.spec.domain != Domain::Home || !home::lists_hosts(source) {
            return;
        }
        let rows: Vec<Arc<Row>> = source.rows().cloned().collect();
        let (source, back) = (update.source.clone(), self.look.now);
        self.house.before = Some(Before { source, rows, seen, back, restarted: false, told: false });
    }

    /// Compares what is there with what was, for a while after a return.
    pub(super) fn compare_home(&mut self, changed: &SourceId) {
        let now = self.look.now;
        let Some(before) = self.house.before.as_mut().filter(|before| before.source == *changed) else {
            return;
        };
        let age = now.duration_since(before.back);
        let Some(source) = self.facts.store.source(changed).filter(|_| age <= COMPARED) else {
            self.house.before = None;
            return;
        };
        let kinds: Vec<&KindSpec> = self.facts.kinds.iter().map(|kind| &**kind).collect();
        let rows: Vec<Arc<Row>> = source.rows().cloned().collect();
        match home::has_restarted(&rows, &kinds, before.seen) {
            Some(false) if !before.restarted => return self.house.before = None,
            Some(true) => before.restarted = true,
            _ if !before.restarted => return,
            _ => {}
        }
        self.house.differences = home::differences(&before.rows, &rows, &kinds);
        let count = self.house.differences.len();
        if count > 0 && age >= STARTING && !before.told {
            before.told = true;
            let things = if count == 1 { "1 thing is" } else { &format!("{count} things are") };
            self.tell(Tone::Warn, format!("home came back, and {things} not as expected: H lists them"));
        }
    }

    /// `H`: the page of the house; on it, what is to be declared.
    pub(super) fn home_state(&mut self) -> Vec<Effect> {
        if *self.places.key() != PlaceKey::Home {
            return self.go(PlaceKey::Home);
        }
        let declared = home::declared(&self.house.declarations, self.look.now).is_some();
        self.start_named(if declared { HOME_ON } else { HOME_OFF }, None)
    }

    /// Hands the page what is known now.
    pub(super) fn write_home(&mut self) {
        if *self.places.key() != PlaceKey::Home {
            return;
        }
        let doc = self.home_doc();
        if let Pane::Home(page) = self.places.pane_mut() {
            page.set(doc);
        }
    }

    fn home_doc(&self) -> Doc {
        let doc = Doc::default().facts("", self.home_facts());
        let doc = match (&self.house.before, self.house.differences.as_slice()) {
            (Some(before), []) if before.restarted => {
                doc.lines("after its return", vec![DocLine::toned("everything is as expected", Tone::Ok)])
            }
            (_, []) => doc,
            (_, found) => doc.table(
                "after its return",
                vec!["thing".into(), "is".into(), "expected".into()],
                found.iter().map(differing).collect(),
            ),
        };
        doc.table(
            "systems",
            vec!["system".into(), "state".into(), "last heard of".into()],
            self.home_systems(),
        )
    }

    fn home_facts(&self) -> Vec<Fact> {
        let now = self.look.now;
        let mut facts = match self.house.absence {
            Some(absence) => vec![Fact::new("state", absence.word()).tone(absence.tone(now))],
            None if self.home_is_seen() => vec![Fact::new("state", "it answers").tone(Tone::Ok)],
            None => vec![Fact::new("state", "not known yet").tone(Tone::Unknown)],
        };
        if let Some(Absence::Lost(heard)) = self.house.absence {
            facts.push(Fact::new("last heard of", heard).format(Format::Age));
        }
        match home::declared(&self.house.declarations, now) {
            Some(said) => facts.extend([
                Fact::new("declared", "off").tone(Tone::Off),
                Fact::new("until", said.until).format(Format::Clock),
                Fact::new("why", said.text.as_str()),
                Fact::new("by", &*said.by),
            ]),
            None => facts.push(Fact::new("declared", "nothing: it is expected to answer")),
        }
        facts
    }

    fn home_is_seen(&self) -> bool {
        let mut sources = self.facts.store.sources().filter(|source| source.spec.domain == Domain::Home);
        sources.any(|source| source.health == SourceHealth::Fresh)
    }

    /// One line for each system: how its worst source is, and when any was last heard of.
    fn home_systems(&self) -> Vec<Vec<Cell>> {
        let mut systems: BTreeMap<String, Vec<&Source>> = BTreeMap::new();
        let here = |source: &&Source| source.spec.domain == Domain::Home && !source.spec.is_on_demand();
        for source in self.facts.store.sources().filter(here) {
            let name = format!("{} {}", source.spec.id.backend, source.spec.id.instance);
            systems.entry(name).or_default().push(source);
        }
        let line = |(name, sources): (String, Vec<&Source>)| {
            let worst = sources.iter().max_by_key(|source| severity(source));
            let (word, tone) = worst.map_or(("", Tone::Unknown), |source| self.standing(source));
            let heard = sources.iter().filter_map(|source| source.good_at).max();
            vec![Cell::new(name.as_str()), Cell::toned(word, tone), Cell::new(heard)]
        };
        systems.into_iter().map(line).collect()
    }

    fn standing(&self, source: &Source) -> (&'static str, Tone) {
        match source.absence {
            Some(absence) => (absence.word(), absence.tone(self.look.now)),
            None if source.health == SourceHealth::Fresh => ("fresh", Tone::Ok),
            None => (source.health.word(), Tone::Unknown),
        }
    }
}

fn severity(source: &Source) -> u8 {
    match source.health {
        _ if source.absence.is_some() => 3,
        SourceHealth::Stale(_) | SourceHealth::Denied(_) => 2,
        SourceHealth::Loading => 1,
        SourceHealth::Fresh => 0,
    }
}

fn differing(difference: &Difference) -> Vec<Cell> {
    vec![
        Cell::new(&*difference.name),
        Cell::toned(difference.is.as_str(), difference.tone),
        Cell::new(difference.expected),
    ]
}

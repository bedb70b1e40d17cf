//! The look-out: takes every change of the facts in, and keeps links, problems, time line and digest up to date.
//!
//! What it finds goes back into the store as rows of its own source, so that tables, filters, the palette and the
//! command line have them like everything else.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use crate::config::Config;
use crate::model::id::{EntityId, SourceId};
use crate::model::journal::{Declaration, Line, standing};
use crate::model::kind::Kinds;
use crate::model::ledger::Ledger;
use crate::model::row::{Domain, Grade, Row};
use crate::model::snapshot::{Absence, Delta, Epoch, Mode, Snapshot, SourceHealth, SourceSpec, Update};
use crate::model::store::{Changes, Source, Store};
use crate::model::view::Doc;

use super::diagnose::{Look, Looks};
use super::digest::{Digest, digest};
use super::kinds::{CONSOLE, JOURNAL, PROBLEMS, TIMELINE, VIGIE};
use super::link::{Aliases, Index, Related, related};
use super::problem::{self, Problem, Sight, Signs};
use super::recovery::{Over, Recoveries};
use super::timeline::{self, Chronicle, Event, Focus};

/// Changes are looked for so far back.
const LATELY: SignedDuration = SignedDuration::from_hours(26);
/// The whole time line reaches so far back.
const REACH: SignedDuration = SignedDuration::from_hours(72);
/// So many events are shown at most.
const SHOWN: usize = 2000;
/// So many sources are named where something cannot be seen.
const NAMED: usize = 3;

/// What the look-out works with besides its own memory.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The facts.
    pub store: &'a Store,
    /// All kinds.
    pub kinds: &'a Kinds,
    /// Operations of this console.
    pub runs: &'a Ledger,
    /// The instant.
    pub now: Timestamp,
}

/// What the operator has set for it.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// What is the same, whatever servers say.
    pub aliases: Aliases,
    /// What to look at first.
    pub looks: Looks,
    /// Whether the bell stays silent.
    pub quiet: bool,
}

impl From<&Config> for Settings {
    /// Ids that cannot be read are left out: an alias of nothing changes nothing.
    fn from(config: &Config) -> Self {
        let mut aliases = Aliases::default();
        for (one, other) in &config.oncall.same {
            if let (Some(one), Some(other)) = (EntityId::parse(one), EntityId::parse(other)) {
                aliases.same(one, other);
            }
        }
        for (name, is) in &config.oncall.clusters {
            aliases.cluster(name, is);
        }
        let looks = config.oncall.looks.iter().map(Look::from).collect();
        Self { aliases, looks: Looks::new(looks, config.oncall.runbooks.clone()), quiet: config.ui.quiet }
    }
}

/// The look-out.
#[derive(Debug)]
pub struct Lookout {
    index: Index,
    signs: Signs,
    chronicle: Chronicle,
    lines: Vec<Line>,
    declared: Vec<Declaration>,
    problems: Vec<Problem>,
    recoveries: Recoveries,
    news: Vec<Over>,
    changes: Vec<Event>,
    digest: Digest,
    focus: Option<Focus>,
    remembered: Vec<Row>,
    answered: HashSet<SourceId>,
    looked_at: Option<Timestamp>,
    absence: Option<Absence>,
    pending: bool,
    epoch: u64,
}

impl Lookout {
    /// A look-out that begins now.
    pub fn new(settings: Settings, now: Timestamp) -> Self {
        Self {
            index: Index::new(settings.aliases),
            signs: Signs::default(),
            chronicle: Chronicle::new(now),
            lines: Vec::new(),
            declared: Vec::new(),
            problems: Vec::new(),
            recoveries: Recoveries::default(),
            news: Vec::new(),
            changes: Vec::new(),
            digest: Digest::default(),
            focus: None,
            remembered: Vec::new(),
            answered: HashSet::new(),
            looked_at: None,
            absence: None,
            pending: true,
            epoch: 0,
        }
    }

    /// The sources through which its rows come.
    pub fn sources() -> Vec<SourceSpec> {
        let source = |kind: &str| SourceSpec {
            id: source_of(kind),
            kinds: vec![kind.into()],
            mode: Mode::Watch,
            domain: Domain::Unknown,
        };
        [PROBLEMS, TIMELINE, JOURNAL].map(source).to_vec()
    }

    /// Takes the answer of a source in, after the store has.
    pub fn take(&mut self, source: &SourceId, changes: &Changes, facts: Facts<'_>) {
        let Some(known) = facts.store.source(source) else { return };
        let watched = self.answered.contains(source);
        if known.good_at.is_some() {
            self.answered.insert(source.clone());
        }
        if changes.health {
            self.chronicle.source(known, facts.now);
            self.pending = true;
        }
        for id in &changes.ids {
            let new = known.get(id);
            if watched && let Some(kind) = facts.kinds.get(&id.kind) {
                let old = self.index.row(id).cloned();
                self.chronicle.row(old.as_deref(), new.map(AsRef::as_ref), kind, facts.now);
            }
            self.index.update(id, new);
            self.pending |= self.signs.take(id, new.map(AsRef::as_ref), watched, facts.now);
        }
    }

    /// Takes the journal's lines in.
    pub fn journal(&mut self, lines: Vec<Line>) {
        self.lines = lines;
        self.pending = true;
    }

    /// Problems that an earlier process saw: they stand, faded, until every source has been asked.
    pub fn remember(&mut self, store: &Store) {
        self.remembered = store.rows(&PROBLEMS.into()).map(|row| Row::clone(row)).collect();
    }

    /// Something else that problems depend on has changed: runs, links, the time of a declaration.
    pub fn look_again(&mut self) {
        self.pending = true;
    }

    /// Whether what it finds may differ from what it found last: something changed, a minute passed, a domain went.
    pub fn is_due(&self, facts: Facts<'_>) -> bool {
        let minute = |at: Timestamp| at.as_second() / 60;
        self.pending
            || self.looked_at.is_none_or(|at| minute(at) != minute(facts.now))
            || self.absence != absence(facts.store)
    }

    /// Looks at everything again where something may differ; the rows for the store, and nothing where nothing may.
    pub fn evaluate(&mut self, facts: Facts<'_>) -> Option<Update> {
        if !self.is_due(facts) {
            return None;
        }
        self.absence = absence(facts.store);
        self.pending = false;
        self.looked_at = Some(facts.now);
        self.declared = standing(&self.lines, facts.now);
        self.changes = self.happened(facts, facts.now - LATELY, facts.now);
        self.changes.retain(|event| event.change);
        let problems = problem::evaluate(&self.signs, &self.sight(facts));
        let over = self.recoveries.take(&self.problems, &problems, facts.store, facts.now);
        for over in over {
            self.chronicle.over(over);
        }
        self.news.extend_from_slice(over);
        for over in self.recoveries.prove() {
            self.chronicle.proven(over);
        }
        self.problems = problems;
        self.digest = digest(facts.store, facts.kinds, &self.changes, &self.declared, facts.now);
        let mut rows: Vec<Row> = self.problems.iter().map(problem::row).collect();
        rows.extend(self.recoveries.rows());
        if facts.store.sources().any(|source| is_awaited(source) && source.health == SourceHealth::Loading) {
            self.remembered.retain(|old| !rows.iter().any(|row| row.id == old.id));
            rows.extend(self.remembered.iter().cloned());
        } else {
            self.remembered.clear();
        }
        Some(self.update(PROBLEMS, rows, Vec::new(), facts))
    }

    /// The rows of the time line, around the focus where there is one.
    pub fn timeline(&mut self, facts: Facts<'_>) -> Update {
        let everything = (facts.now - REACH, facts.now + SignedDuration::from_mins(5));
        let (from, to) = self.focus.as_ref().map_or(everything, |focus| focus.window(facts.now));
        let mut events = self.happened(facts, from, to);
        events.truncate(SHOWN);
        let rows = events.iter().map(|event| timeline::row(event, self.focus.as_ref())).collect();
        let note = match &self.focus {
            Some(focus) => format!("around {}; t again shows everything", focus.name),
            None => "everything; t on a row shows what happened around it".to_owned(),
        };
        self.update(TIMELINE, rows, vec![note], facts)
    }

    /// The rows of the journal.
    pub fn journal_rows(&mut self, facts: Facts<'_>) -> Update {
        let lines = &self.lines;
        let rows = lines.iter().enumerate().map(|(n, line)| timeline::journal_row(line, n, lines)).collect();
        self.update(JOURNAL, rows, Vec::new(), facts)
    }

    /// Everything that happened in a time, newest first.
    pub fn happened(&self, facts: Facts<'_>, from: Timestamp, to: Timestamp) -> Vec<Event> {
        let within = |event: &Event| event.at <= to && event.until.unwrap_or(event.at) >= from;
        let mut events = timeline::read(facts.store, facts.kinds, &self.index, from, to);
        events.extend(self.chronicle.events().filter(within));
        events.extend(timeline::of_journal(&self.lines).into_iter().filter(within));
        events.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.text.cmp(&b.text)));
        events
    }

    /// Since when this console has been watching.
    pub fn began(&self) -> Timestamp {
        self.chronicle.began()
    }

    /// Whether every source has answered once, or failed to.
    pub fn has_seen(&self, store: &Store) -> bool {
        store
            .sources()
            .filter(|source| is_awaited(source))
            .all(|source| source.health != SourceHealth::Loading)
    }

    /// All problems, the worst first.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Problems that are over, oldest first.
    pub fn over(&self) -> &[Over] {
        self.recoveries.all()
    }

    /// Problems that are newly over, each told once.
    pub fn newly_over(&mut self) -> Vec<Over> {
        std::mem::take(&mut self.news)
    }

    /// The problem behind a row of its kind.
    pub fn problem(&self, id: &EntityId) -> Option<&Problem> {
        self.problems.iter().find(|problem| problem.id() == *id)
    }

    /// The problems that a thing is a sign of.
    pub fn problems_of<'s>(&'s self, id: &'s EntityId) -> impl Iterator<Item = &'s Problem> {
        self.problems.iter().filter(move |problem| problem.members.contains(id))
    }

    /// What the overview says besides problems.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The journal's lines.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// What was declared and still holds.
    pub fn declared(&self) -> &[Declaration] {
        &self.declared
    }

    /// The links.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Everything linked to a row; of a problem, its signs and what they stand on.
    pub fn related(&self, row: &Row) -> Vec<Related> {
        let Some(problem) = self.problem(&row.id) else { return related(row, &self.index) };
        let mut found: Vec<Related> = Vec::new();
        for member in problem.members.iter().filter_map(|id| self.index.row(id)).take(12) {
            found.push(Related::sign(member));
            found.extend(related(member, &self.index));
        }
        let mut seen = HashSet::new();
        found.retain(|one| seen.insert(one.id.clone()));
        found
    }

    /// What the problems' rules look at.
    pub fn sight<'a>(&'a self, facts: Facts<'a>) -> Sight<'a> {
        Sight {
            store: facts.store,
            kinds: facts.kinds,
            index: &self.index,
            runs: facts.runs,
            changes: &self.changes,
            declared: &self.declared,
            now: facts.now,
        }
    }

    /// The page of one of its own rows.
    pub fn page(&self, id: &EntityId, facts: Facts<'_>) -> Option<Doc> {
        self.problem(id).map(|problem| problem::doc(problem, &self.sight(facts)))
    }

    /// Lets the time line look at a row, a problem, or everything.
    pub fn look_at(&mut self, row: Option<&Row>, facts: Facts<'_>) {
        self.focus = row.map(|row| self.focus_on(row, facts));
    }

    /// What the time line looks at.
    pub fn focus(&self) -> Option<&Focus> {
        self.focus.as_ref()
    }

    /// The focus on a row: when it began, what it is, and what is linked to it.
    pub fn focus_on(&self, row: &Row, facts: Facts<'_>) -> Focus {
        let problem = self.problem(&row.id).or_else(|| self.problems_of(&row.id).next());
        let at = problem.and_then(|problem| problem.since).or_else(|| {
            let kind = facts.kinds.get(&row.id.kind)?;
            match row.cell(kind.column("since")?).value {
                crate::model::row::Value::Time(at) => Some(at),
                _ => None,
            }
        });
        let mut things: HashSet<EntityId> = [row.id.clone()].into();
        things.extend(problem.into_iter().flat_map(|problem| problem.members.iter().cloned()));
        let mut near = HashSet::new();
        for thing in things.iter().take(50) {
            if let Some(row) = self.index.row(thing) {
                near.extend(self.index.links(row, Grade::Likely).into_iter().map(|link| link.row.id.clone()));
            }
        }
        let name = problem.map_or_else(|| row.name.to_string(), |problem| problem.name.clone());
        Focus { name, at, things, near }
    }

    fn update(&mut self, kind: &str, rows: Vec<Row>, mut notes: Vec<String>, facts: Facts<'_>) -> Update {
        self.epoch += 1;
        let seen =
            |source: &Source| !is_awaited(source) || source.health == SourceHealth::Fresh && source.complete;
        // The journal is a file of its own; what is made of other lists is only as whole as they are.
        let made = kind != JOURNAL;
        let unseen: Vec<&Source> = facts.store.sources().filter(|source| made && !seen(source)).collect();
        let complete = unseen.is_empty();
        if !complete {
            notes.push(partial(&unseen));
        }
        let snapshot = Snapshot { rows, complete, observed_at: facts.now, notes };
        Update { source: source_of(kind), epoch: Epoch(self.epoch), body: Ok(Delta::Reset(snapshot)) }
    }
}

/// What the signs cannot come from, by name as far as a line has room.
fn partial(unseen: &[&Source]) -> String {
    let name = |source: &&Source| format!("{} {}", source.spec.id.instance, source.spec.id.feed);
    let names: Vec<String> = unseen.iter().take(NAMED).map(name).collect();
    let more = unseen.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("missing, or not whole: {}{more}", names.join(", "))
}

/// Why a domain does not answer, where one does not.
fn absence(store: &Store) -> Option<Absence> {
    store.sources().find_map(|source| source.absence)
}

/// Whether a source is the look-out's own.
pub fn is_own(source: &Source) -> bool {
    crate::model::kind::is_own(&source.spec.id.backend)
}

/// Whether a source of a server is asked by itself.
fn is_awaited(source: &Source) -> bool {
    !is_own(source) && !source.spec.is_on_demand()
}

fn source_of(kind: &str) -> SourceId {
    SourceId::new(VIGIE, CONSOLE, kind.rsplit('.').next().unwrap_or(kind))
}

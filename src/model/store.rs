//! The one store of facts from servers: rows by source, read-only to everyone but [`Store::apply`].

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::id::{EntityId, KindId, SourceId};
use super::remembered::Remembered;
use super::row::{ById, Domain, Row};
use super::snapshot::{Absence, Delta, Epoch, Fault, Layer, Snapshot, SourceHealth, SourceSpec, Update};

/// Where a source's rows come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// From the server.
    Seen,
    /// From an earlier process; a backend has declared the source since.
    Remembered,
    /// From an earlier process, and no backend has declared the source yet.
    Unclaimed,
}

/// What is known from one source.
#[derive(Debug)]
pub struct Source {
    /// What its backend said of it.
    pub spec: SourceSpec,
    /// How its last answer was.
    pub health: SourceHealth,
    /// When its last good answer was given.
    pub good_at: Option<Timestamp>,
    /// Whether the rows are everything there is.
    pub complete: bool,
    /// What the reader must know of the rows.
    pub notes: Vec<String>,
    /// Whether it announced that it would go, before it was last heard of.
    pub farewell: bool,
    /// Why it does not answer, where its whole domain does not.
    pub absence: Option<Absence>,
    origin: Origin,
    epoch: Epoch,
    rows: HashSet<ById>,
}

impl Source {
    fn new(spec: SourceSpec) -> Self {
        Self {
            spec,
            health: SourceHealth::Loading,
            good_at: None,
            complete: false,
            notes: Vec::new(),
            farewell: false,
            absence: None,
            origin: Origin::Seen,
            epoch: Epoch::default(),
            rows: HashSet::new(),
        }
    }

    /// Its rows, in no order.
    pub fn rows(&self) -> impl Iterator<Item = &Arc<Row>> {
        self.rows.iter().map(ById::row)
    }

    /// How many rows of a kind it holds.
    pub fn count(&self, kind: &KindId) -> usize {
        self.rows().filter(|row| row.id.kind == *kind).count()
    }

    /// One of its rows.
    pub fn get(&self, id: &EntityId) -> Option<&Arc<Row>> {
        self.rows.get(id).map(ById::row)
    }

    /// Whether its rows are those of an earlier process.
    pub fn is_remembered(&self) -> bool {
        self.origin != Origin::Seen
    }

    /// Its backend has declared it.
    fn claim(&mut self) {
        if self.origin == Origin::Unclaimed {
            self.origin = Origin::Remembered;
        }
    }

    /// Whether it announced that it would go, and is gone.
    pub fn has_left(&self) -> bool {
        self.farewell || self.health.fault().is_some_and(|fault| fault.farewell)
    }

    /// True where absence of a row proves absence of the thing.
    pub fn proves_absence(&self) -> bool {
        self.complete && self.health == SourceHealth::Fresh
    }
}

/// What an update changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Rows that came, changed or went.
    pub ids: Vec<EntityId>,
    /// Whether the source's health, completeness or notes changed.
    pub health: bool,
}

impl Changes {
    /// True where nobody can see a difference.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && !self.health
    }
}

/// Rows by source.
#[derive(Debug, Default)]
pub struct Store {
    sources: BTreeMap<SourceId, Source>,
    revisions: HashMap<KindId, u64>,
}

impl Store {
    /// A store that waits for the given sources.
    pub fn new(specs: impl IntoIterator<Item = SourceSpec>) -> Self {
        let mut store = Self::default();
        for spec in specs {
            store.declare(spec);
        }
        store
    }

    /// Adds a source, or replaces what is said of it and keeps its rows.
    pub fn declare(&mut self, spec: SourceSpec) {
        match self.sources.get_mut(&spec.id) {
            Some(known) => {
                known.spec = spec;
                known.claim();
            }
            None => {
                self.sources.insert(spec.id.clone(), Source::new(spec));
            }
        }
    }

    /// Shows what an earlier process saw of a source that has not answered yet.
    pub fn remember(&mut self, memory: Remembered) {
        let Remembered { spec, at, farewell, rows } = memory;
        let id = spec.id.clone();
        let source = self
            .sources
            .entry(id)
            .or_insert_with(|| Source { origin: Origin::Unclaimed, ..Source::new(spec.clone()) });
        if source.good_at.is_some() {
            return;
        }
        source.good_at = Some(at);
        source.farewell = farewell;
        if source.origin == Origin::Seen {
            source.origin = Origin::Remembered;
        }
        source.rows = rows.into_iter().map(ById::from).collect();
        for kind in spec.kinds {
            *self.revisions.entry(kind).or_default() += 1;
        }
    }

    /// Forgets remembered sources that no backend has declared: they are not configured any more.
    pub fn forget_unclaimed(&mut self) {
        let gone = self.sources.values().filter(|source| source.origin == Origin::Unclaimed);
        for kind in gone.flat_map(|source| &source.spec.kinds) {
            *self.revisions.entry(kind.clone()).or_default() += 1;
        }
        self.sources.retain(|_, source| source.origin != Origin::Unclaimed);
    }

    /// Says why a domain does not answer, of every source of it that does not; true where that is news.
    pub fn set_absence(&mut self, domain: Domain, absence: Option<Absence>) -> bool {
        let mut news = false;
        for source in self.sources.values_mut().filter(|source| source.spec.domain == domain) {
            let stale = matches!(source.health, SourceHealth::Stale(_));
            let own = absence.filter(|_| stale);
            news |= source.absence != own;
            source.absence = own;
        }
        news
    }

    /// What is worth remembering: the last good list of every source that gave one.
    pub fn memories(&self) -> Vec<Remembered> {
        let memory = |source: &Source| {
            Some(Remembered {
                spec: source.spec.clone(),
                at: source.good_at?,
                farewell: source.has_left(),
                rows: source.rows().cloned().collect(),
            })
        };
        self.sources.values().filter_map(memory).collect()
    }

    /// Takes an answer in; an older epoch than the last, or an unknown source, changes nothing.
    pub fn apply(&mut self, update: Update) -> Changes {
        let Some(source) = self.sources.get_mut(&update.source) else { return Changes::default() };
        if update.epoch < source.epoch {
            return Changes::default();
        }
        source.epoch = update.epoch;
        let changes = match update.body {
            Ok(delta) => source.take(delta),
            Err(fault) => source.fail(fault),
        };
        let kinds: HashSet<&KindId> = changes.ids.iter().map(|id| &id.kind).collect();
        for kind in kinds {
            *self.revisions.entry(kind.clone()).or_default() += 1;
        }
        changes
    }

    /// Counts the changes of a kind's rows, so that a view knows when to look again.
    pub fn revision(&self, kind: &KindId) -> u64 {
        self.revisions.get(kind).copied().unwrap_or(0)
    }

    /// All rows of a kind, in no order.
    pub fn rows<'a>(&'a self, kind: &'a KindId) -> impl Iterator<Item = &'a Arc<Row>> {
        self.of_kind(kind).flat_map(Source::rows).filter(move |row| row.id.kind == *kind)
    }

    /// Every row of every kind, in no order.
    pub fn all_rows(&self) -> impl Iterator<Item = &Arc<Row>> {
        self.sources.values().flat_map(Source::rows)
    }

    /// One row by its id.
    pub fn get(&self, id: &EntityId) -> Option<&Arc<Row>> {
        self.sources
            .values()
            .filter(|source| source.spec.kinds.contains(&id.kind))
            .find_map(|source| source.get(id))
    }

    /// The sources that carry rows of a kind.
    pub fn of_kind<'a>(&'a self, kind: &'a KindId) -> impl Iterator<Item = &'a Source> {
        self.sources.values().filter(move |source| source.spec.kinds.contains(kind))
    }

    /// All sources in the order of their ids.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.sources.values()
    }

    /// One source.
    pub fn source(&self, id: &SourceId) -> Option<&Source> {
        self.sources.get(id)
    }

    /// True where every source of a kind is fresh and complete, and there is at least one.
    pub fn proves_absence(&self, kind: &KindId) -> bool {
        let mut any = false;
        self.of_kind(kind).all(|source| {
            any = true;
            source.proves_absence()
        }) && any
    }
}

impl Source {
    fn take(&mut self, delta: Delta) -> Changes {
        let before = (self.health.clone(), self.complete, self.notes.len());
        let ids = match delta {
            Delta::Reset(snapshot) => self.reset(snapshot),
            Delta::Change { upserts, removes, observed_at, complete } => {
                self.good_at = Some(observed_at);
                self.complete = complete;
                self.change(upserts, removes)
            }
            Delta::Same(at) => {
                self.good_at = Some(at);
                Vec::new()
            }
        };
        self.health = SourceHealth::Fresh;
        (self.origin, self.farewell, self.absence) = (Origin::Seen, false, None);
        let health = before != (self.health.clone(), self.complete, self.notes.len());
        Changes { ids, health }
    }

    fn reset(&mut self, snapshot: Snapshot) -> Vec<EntityId> {
        self.good_at = Some(snapshot.observed_at);
        self.complete = snapshot.complete;
        self.notes = snapshot.notes;
        let mut before = std::mem::take(&mut self.rows);
        self.rows.reserve(snapshot.rows.len());
        let mut changed = Vec::new();
        for row in snapshot.rows {
            let held = match before.take(&row.id).or_else(|| self.rows.take(&row.id)) {
                Some(held) if **held.row() == row => held,
                _ => {
                    changed.push(row.id.clone());
                    Arc::new(row).into()
                }
            };
            self.rows.insert(held);
        }
        changed.extend(before.iter().map(|gone| gone.row().id.clone()));
        changed
    }

    fn change(&mut self, upserts: Vec<Row>, removes: Vec<EntityId>) -> Vec<EntityId> {
        let mut changed = Vec::new();
        for row in upserts {
            if self.get(&row.id).is_none_or(|held| **held != row) {
                changed.push(row.id.clone());
                self.rows.replace(Arc::new(row).into());
            }
        }
        changed.extend(removes.into_iter().filter(|id| self.rows.remove(id)));
        changed
    }

    /// The rows stay: blindness never empties a pane.
    fn fail(&mut self, fault: Fault) -> Changes {
        let denied = fault.layer == Layer::Auth && fault.missing.is_some();
        let fault = Arc::new(fault);
        let health = if denied { SourceHealth::Denied(fault) } else { SourceHealth::Stale(fault) };
        let changed = self.health != health;
        self.health = health;
        Changes { ids: Vec::new(), health: changed }
    }
}

#[cfg(test)]
mod tests {
    use super::super::row::{Cell, Domain};
    use super::super::snapshot::{Cadence, Mode};
    use super::*;

    fn spec() -> SourceSpec {
        SourceSpec {
            id: SourceId::new("proxmox", "pve", "resources"),
            kinds: vec!["proxmox.guests".into()],
            mode: Mode::Poll(Cadence { focused: 5, visible: 10, hidden: 30 }),
            domain: Domain::Home,
        }
    }

    fn row(key: &str, state: &str) -> Row {
        Row::new(EntityId::new("proxmox.guests", "pve", key), key, vec![Cell::new(state)])
    }

    fn update(epoch: u64, body: Result<Delta, Fault>) -> Update {
        Update { source: spec().id, epoch: Epoch(epoch), body }
    }

    fn list(rows: Vec<Row>) -> Delta {
        Delta::Reset(Snapshot::complete(rows, Timestamp::UNIX_EPOCH))
    }

    #[test]
    fn only_what_differs_is_reported() {
        let mut store = Store::new([spec()]);
        store.apply(update(1, Ok(list(vec![row("1", "running"), row("2", "running"), row("3", "off")]))));
        let kept = store.get(&row("1", "").id).cloned().unwrap();
        let changes = store.apply(update(2, Ok(list(vec![row("1", "running"), row("2", "off")]))));
        let mut keys: Vec<_> = changes.ids.iter().map(|id| id.key.to_string()).collect();
        keys.sort();
        assert_eq!(keys, ["2", "3"]);
        assert!(Arc::ptr_eq(&kept, store.get(&kept.id).unwrap()));
        assert!(store.apply(update(3, Ok(list(vec![row("1", "running"), row("2", "off")])))).is_empty());
    }

    #[test]
    fn a_late_answer_is_dropped() {
        let mut store = Store::new([spec()]);
        store.apply(update(5, Ok(list(vec![row("1", "running")]))));
        assert!(store.apply(update(4, Ok(list(vec![])))).is_empty());
        assert_eq!(store.rows(&"proxmox.guests".into()).count(), 1);
    }

    #[test]
    fn a_fault_keeps_the_rows_and_proves_nothing() {
        let mut store = Store::new([spec()]);
        let kind = KindId::from("proxmox.guests");
        assert!(!store.proves_absence(&kind));
        store.apply(update(1, Ok(list(vec![row("1", "running")]))));
        assert!(store.proves_absence(&kind));
        let changes = store.apply(update(2, Err(Fault::new(Layer::Tcp, "refused"))));
        assert!(changes.health && changes.ids.is_empty());
        assert_eq!(store.rows(&kind).count(), 1);
        assert!(!store.proves_absence(&kind));
    }

    fn memory() -> Remembered {
        let rows = vec![Arc::new(row("1", "running"))];
        Remembered { spec: spec(), at: Timestamp::UNIX_EPOCH, farewell: true, rows }
    }

    #[test]
    fn what_is_remembered_stands_until_the_source_answers() {
        let mut store = Store::default();
        store.remember(memory());
        let source = store.source(&spec().id).unwrap();
        assert!(source.is_remembered() && source.has_left() && !source.proves_absence());
        assert_eq!(source.health, SourceHealth::Loading);
        store.declare(spec());
        store.forget_unclaimed();
        assert_eq!(store.rows(&"proxmox.guests".into()).count(), 1);
        store.apply(update(1, Ok(list(vec![row("2", "off")]))));
        assert!(!store.source(&spec().id).unwrap().is_remembered());
        store.remember(memory());
        assert!(store.get(&row("1", "").id).is_none(), "memory does not overwrite what was seen");
        assert!(!store.memories()[0].farewell);
    }

    #[test]
    fn what_is_no_longer_configured_is_forgotten() {
        let mut store = Store::default();
        store.remember(memory());
        let before = store.revision(&"proxmox.guests".into());
        store.forget_unclaimed();
        assert_eq!(store.sources().count(), 0);
        assert_ne!(store.revision(&"proxmox.guests".into()), before);
    }

    #[test]
    fn a_watch_changes_some_rows_and_keeps_the_rest() {
        let mut store = Store::new([spec()]);
        store.apply(update(1, Ok(list(vec![row("1", "running"), row("2", "off")]))));
        let delta = Delta::Change {
            upserts: vec![row("2", "running")],
            removes: vec![row("9", "").id],
            observed_at: Timestamp::UNIX_EPOCH,
            complete: true,
        };
        let changes = store.apply(update(1, Ok(delta)));
        assert_eq!(changes.ids, [row("2", "").id]);
    }
}

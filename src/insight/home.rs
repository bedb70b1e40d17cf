//! Whether the house answers, what its silence means, and whether it came back as it should.
//!
//! It is often switched off on purpose. Said beforehand, that is an ordinary state; shut down in order but unsaid, it
//! asks to be declared; gone without a word, it is a loss that turns red once it has lasted.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::id::EntityId;
use crate::model::journal::Declaration;
use crate::model::kind::KindSpec;
use crate::model::row::{Domain, Row, Tone, Value};
use crate::model::snapshot::{Absence, Fault, Layer, SourceHealth};
use crate::model::store::{Source, Store};

/// The topic under which it is declared off.
pub const TOPIC: &str = "home";
/// The kind whose rows are the machines of the house itself.
const HOSTS: &str = "proxmox.nodes";
/// The kind whose rows run on them.
const GUESTS: &str = "proxmox.guests";

/// What was declared of the house and holds.
pub fn declared(declarations: &[Declaration], now: Timestamp) -> Option<&Declaration> {
    declarations.iter().find(|known| &*known.topic == TOPIC && known.until > now)
}

/// The sources by which the house is judged: those of its own machines, or all of it where none are configured.
fn anchors(store: &Store) -> Vec<&Source> {
    let (hosts, others): (Vec<&Source>, Vec<&Source>) = store
        .sources()
        .filter(|source| source.spec.domain == Domain::Home && !source.spec.is_on_demand())
        .partition(|source| lists_hosts(source));
    if hosts.is_empty() { others } else { hosts }
}

/// Why the house does not answer; `None` while it does, or while nobody has asked. `noticed` is when that began to be
/// seen, and counts where nothing was ever heard.
pub fn absence(
    store: &Store,
    declarations: &[Declaration],
    noticed: Timestamp,
    now: Timestamp,
) -> Option<Absence> {
    let anchors = anchors(store);
    let silent =
        |source: &&Source| matches!(&source.health, SourceHealth::Stale(fault) if unreachable(fault));
    if anchors.is_empty() || !anchors.iter().all(silent) {
        return None;
    }
    if let Some(declared) = declared(declarations, now) {
        return Some(Absence::Declared(declared.until));
    }
    if anchors.iter().any(|source| source.has_left()) {
        return Some(Absence::Clean);
    }
    let heard = anchors.iter().filter_map(|source| source.good_at).max();
    Some(Absence::Lost(heard.unwrap_or(noticed)))
}

/// Nobody there: neither a refusal nor a wrong answer.
fn unreachable(fault: &Fault) -> bool {
    matches!(fault.layer, Layer::Dns | Layer::Tcp) || (fault.layer == Layer::Http && fault.status.is_none())
}

/// Something that is not as it was expected after the house came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The thing.
    pub id: EntityId,
    /// Its name.
    pub name: Arc<str>,
    /// How it is.
    pub is: String,
    /// How it was expected.
    pub expected: &'static str,
    /// How much it matters.
    pub tone: Tone,
}

/// Whether a source lists the machines of a house.
pub fn lists_hosts(source: &Source) -> bool {
    source.spec.kinds.iter().any(|kind| kind.as_str() == HOSTS)
}

/// Whether a host among rows has started since `seen`; nothing while none tells when it started.
pub fn has_restarted(rows: &[Arc<Row>], kinds: &[&KindSpec], seen: Timestamp) -> Option<bool> {
    let hosts = rows.iter().filter(|row| row.id.kind.as_str() == HOSTS);
    hosts.filter_map(|row| time(row, kinds, "age")).map(|booted| booted > seen).reduce(|a, b| a || b)
}

/// What differs from what was expected: guests that start with their host run, those that do not are off.
pub fn differences(before: &[Arc<Row>], now: &[Arc<Row>], kinds: &[&KindSpec]) -> Vec<Difference> {
    let guests = |rows: &[Arc<Row>]| -> BTreeMap<EntityId, Arc<Row>> {
        let guests = rows.iter().filter(|row| row.id.kind.as_str() == GUESTS);
        guests.map(|row| (row.id.clone(), row.clone())).collect()
    };
    let (before, now) = (guests(before), guests(now));
    let mut found: Vec<Difference> = Vec::new();
    for (id, row) in &now {
        let was = before.get(id).and_then(|row| state(row, kinds));
        found.extend(difference(row, was, kinds));
    }
    for (id, row) in before.iter().filter(|(id, _)| !now.contains_key(*id)) {
        let (is, expected) = ("not listed any more".to_owned(), "it was there before");
        found.push(Difference { id: id.clone(), name: row.name.clone(), is, expected, tone: Tone::Warn });
    }
    found
}

fn difference(row: &Row, was: Option<&str>, kinds: &[&KindSpec]) -> Option<Difference> {
    let is = state(row, kinds)?;
    // Where a configuration could not be read, nothing was expected.
    let onboot = flag(row, kinds, "onboot");
    let (expected, tone) = match (is, onboot, was) {
        ("running", Some(false), Some("running")) => ("off: it does not start with its host", Tone::Info),
        ("running", Some(false), _) => {
            ("off: it was off before and does not start with its host", Tone::Warn)
        }
        ("stopped", Some(true), _) => ("running: it starts with its host", Tone::Warn),
        ("stopped", _, Some("running")) => ("it ran before", Tone::Info),
        _ => return None,
    };
    Some(Difference { id: row.id.clone(), name: row.name.clone(), is: is.to_owned(), expected, tone })
}

fn value<'r>(row: &'r Row, kinds: &[&KindSpec], column: &str) -> Option<&'r Value> {
    let kind = kinds.iter().find(|kind| kind.id == row.id.kind)?;
    let index = kind.columns.iter().position(|known| known.name == column)?;
    Some(&row.cell(index).value)
}

fn state<'r>(row: &'r Row, kinds: &[&KindSpec]) -> Option<&'r str> {
    value(row, kinds, "state")?.as_text()
}

fn flag(row: &Row, kinds: &[&KindSpec], column: &str) -> Option<bool> {
    if let Value::Bool(flag) = value(row, kinds, column)? { Some(*flag) } else { None }
}

fn time(row: &Row, kinds: &[&KindSpec], column: &str) -> Option<Timestamp> {
    if let Value::Time(at) = value(row, kinds, column)? { Some(*at) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::SourceId;
    use crate::model::kind::{Column, Width};
    use crate::model::row::Cell;
    use crate::model::snapshot::{Cadence, Delta, Epoch, Mode, Snapshot, SourceSpec, Update};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn spec(backend: &str, kinds: &[&str]) -> SourceSpec {
        SourceSpec {
            id: SourceId::new(backend, "pve", "x"),
            kinds: kinds.iter().map(|kind| (*kind).into()).collect(),
            mode: Mode::Poll(Cadence { focused: 5, visible: 5, hidden: 5 }),
            domain: Domain::Home,
        }
    }

    struct House(Store, u64);

    impl House {
        fn new() -> Self {
            let specs = [spec("proxmox", &[HOSTS, GUESTS]), spec("alerts", &["alerts.alerts"])];
            Self(Store::new(specs), 0)
        }

        fn tell(&mut self, backend: &str, body: Result<Delta, Fault>) {
            self.1 += 1;
            let source = SourceId::new(backend, "pve", "x");
            self.0.apply(Update { source, epoch: Epoch(self.1), body });
        }

        fn answers(&mut self, backend: &str) {
            self.tell(backend, Ok(Delta::Reset(Snapshot::complete(vec![], at(100)))));
        }

        fn absence(&self, declared: &[Declaration]) -> Option<Absence> {
            absence(&self.0, declared, at(50), at(200))
        }
    }

    fn off(until: i64) -> Declaration {
        Declaration {
            topic: TOPIC.into(),
            about: None,
            since: at(1),
            until: at(until),
            text: "asleep".into(),
            by: "ada".into(),
        }
    }

    #[test]
    fn declared_clean_and_lost_are_three_answers() {
        let mut house = House::new();
        assert_eq!(house.absence(&[]), None, "nobody has asked yet");
        let gone = || Fault::new(Layer::Tcp, "no connection");
        house.tell("proxmox", Err(gone()));
        assert_eq!(house.absence(&[]), Some(Absence::Lost(at(50))), "never heard of");
        house.answers("proxmox");
        assert_eq!(house.absence(&[]), None);
        house.tell("proxmox", Err(gone()));
        assert_eq!(house.absence(&[]), Some(Absence::Lost(at(100))));
        assert_eq!(house.absence(&[off(150)]), Some(Absence::Lost(at(100))), "that time is over");
        assert_eq!(house.absence(&[off(900)]), Some(Absence::Declared(at(900))));
        house.tell("proxmox", Err(Fault { farewell: true, ..gone() }));
        assert_eq!(house.absence(&[]), Some(Absence::Clean));
        assert_eq!(house.absence(&[off(900)]), Some(Absence::Declared(at(900))));
    }

    #[test]
    fn a_house_whose_machines_answer_is_there_whatever_else_is_silent() {
        let mut house = House::new();
        house.answers("proxmox");
        house.tell("alerts", Err(Fault::new(Layer::Tcp, "no connection")));
        assert_eq!(house.absence(&[off(900)]), None);
        house.tell("proxmox", Err(Fault::new(Layer::Auth, "refused")));
        assert_eq!(house.absence(&[]), None, "a refusal comes from somebody who is there");
        house.tell("proxmox", Err(Fault { status: Some(500), ..Fault::new(Layer::Http, "odd") }));
        assert_eq!(house.absence(&[]), None);
    }

    fn kind() -> KindSpec {
        let column = |name| Column::new(name, name, Width::Flex(4), "");
        KindSpec {
            id: GUESTS.into(),
            singular: "guest".into(),
            aliases: vec![],
            doc: "".into(),
            columns: vec![column("state"), column("onboot")],
            sort: (0, false),
            views: vec![],
            drill: None,
            pane: None,
        }
    }

    fn guest(key: &str, state: &str, onboot: Option<bool>) -> Arc<Row> {
        let cells = vec![Cell::new(state), Cell::new(onboot)];
        Arc::new(Row::new(EntityId::new(GUESTS, "pve", key), key, cells))
    }

    #[test]
    fn a_start_since_the_last_look_is_told_by_the_hosts_alone() {
        let host = |booted: Option<Timestamp>| {
            Arc::new(Row::new(EntityId::new(HOSTS, "pve", "pve"), "pve", vec![Cell::new(booted)]))
        };
        let hosts = KindSpec {
            id: HOSTS.into(),
            columns: vec![Column::new("age", "up", Width::Flex(4), "")],
            ..kind()
        };
        let told = |rows: &[Arc<Row>]| has_restarted(rows, &[&hosts], at(100));
        assert_eq!(told(&[]), None);
        assert_eq!(told(&[host(None)]), None, "the first lists after a start do not say");
        assert_eq!(told(&[host(Some(at(50)))]), Some(false));
        assert_eq!(told(&[host(Some(at(50))), host(Some(at(150)))]), Some(true));
    }

    #[test]
    fn after_a_return_what_should_run_and_what_should_not_are_told() {
        let kind = kind();
        let before = [
            guest("prod", "running", Some(true)),
            guest("gaming", "stopped", Some(false)),
            guest("dev", "running", Some(false)),
            guest("zombie", "stopped", Some(false)),
            guest("gone", "stopped", Some(false)),
            guest("unread", "running", None),
        ];
        let now = [
            guest("prod", "stopped", Some(true)),
            guest("gaming", "stopped", Some(false)),
            guest("dev", "stopped", Some(false)),
            guest("zombie", "running", Some(false)),
            guest("unread", "running", None),
        ];
        let found = differences(&before, &now, &[&kind]);
        let words: Vec<_> =
            found.iter().map(|d| (&*d.name, d.expected.split(':').next().unwrap(), d.tone)).collect();
        assert_eq!(
            words,
            [
                ("dev", "it ran before", Tone::Info),
                ("prod", "running", Tone::Warn),
                ("zombie", "off", Tone::Warn),
                ("gone", "it was there before", Tone::Warn)
            ]
        );
    }
}

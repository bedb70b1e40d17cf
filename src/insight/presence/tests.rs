use crate::insight::lookout::Settings;
use crate::model::id::{KindId, SourceId};
use crate::model::kind::{Column, Format, KindSpec, Kinds, Width};
use crate::model::ledger::Ledger;
use crate::model::row::{Cell, Domain, Facet, FacetKey, Grade};
use crate::model::snapshot::{Delta, Epoch, Mode, Snapshot, SourceSpec, Update};
use crate::model::store::Store;

use super::*;

fn now() -> Timestamp {
    "2026-03-01T03:00:00Z".parse().unwrap()
}

fn ago(minutes: i64) -> Cell {
    Cell::new(now() - SignedDuration::from_mins(minutes))
}

fn kind(id: &str, columns: &[&'static str]) -> KindSpec {
    let column = |name: &&'static str| {
        let format = if ["age", "began", "ended"].contains(name) { Format::Age } else { Format::Plain };
        Column::new(name, name, Width::Fit(4, 20), "x").format(format)
    };
    KindSpec {
        id: KindId::new(id),
        singular: "thing".into(),
        aliases: vec![],
        doc: "x".into(),
        columns: columns.iter().map(column).collect(),
        sort: (0, false),
        views: vec![],
        drill: None,
        pane: None,
    }
}

/// What `me` is told of a thing, where these rows are all that is seen.
fn told(rows: Vec<Row>, target: &EntityId) -> Vec<String> {
    let kinds = Kinds::new([
        kind("proxmox.guests", &["state", "name"]),
        kind("proxmox.tasks", &["age", "task", "on", "state", "result", "user"]),
        kind("alerts.silences", &["state", "by"]),
        kind("argocd.applications", &["name", "op", "revision", "by", "began", "ended"]),
    ]);
    let (mut store, runs) = (Store::default(), Ledger::default());
    let mut lookout = Lookout::new(Settings::default(), now());
    for row in rows {
        let kind = row.id.kind.clone();
        let id = SourceId::new(kind.backend().to_owned(), "main", kind.name().to_owned());
        store.declare(SourceSpec {
            id: id.clone(),
            kinds: vec![kind],
            mode: Mode::Watch,
            domain: Domain::Home,
        });
        let list = Delta::Reset(Snapshot::complete(vec![row], now()));
        let changes = store.apply(Update { source: id.clone(), epoch: Epoch(1), body: Ok(list) });
        lookout.take(&id, &changes, Facts { store: &store, kinds: &kinds, runs: &runs, now: now() });
    }
    let facts = Facts { store: &store, kinds: &kinds, runs: &runs, now: now() };
    others(target, "ada", &lookout, facts).into_iter().map(|fact| fact.says).collect()
}

fn guest() -> EntityId {
    EntityId::new("proxmox.guests", "main", "qemu/110")
}

fn task(user: &str, minutes: i64) -> Vec<Row> {
    let id = EntityId::new("proxmox.tasks", "main", "UPID:pve:1:1:1:qmshutdown:110:x:");
    let text = |text: &str| Cell::new(text);
    let cells =
        vec![ago(minutes), text("shutdown"), text("windows-gaming"), text("OK"), text(""), text(user)];
    // Only what other systems could know is a thing that events are about.
    let facets = Box::new([Facet::new(FacetKey::Name, "windows-gaming", Grade::Hint)]);
    let cells_of_guest = vec![Cell::new("running"), Cell::new("windows-gaming")];
    vec![
        Row { facets, ..Row::new(guest(), "windows-gaming", cells_of_guest) },
        Row::new(id, "shutdown windows-gaming", cells),
    ]
}

#[test]
fn who_has_just_acted_on_a_thing_is_named_and_oneself_and_the_long_gone_are_not() {
    let cases = [
        ("bob@pam", 3, vec!["bob@pam 3m ago: shutdown windows-gaming OK"]),
        ("bob@pam", 40, vec![]),
        ("ada@pve", 3, vec![]),
        ("ops@pve!vigie", 3, vec![]),
    ];
    for (user, minutes, expected) in cases {
        assert_eq!(told(task(user, minutes), &guest()), expected, "{user} {minutes}");
    }
    let other = EntityId::new("proxmox.guests", "main", "qemu/100");
    assert!(told(task("bob@pam", 3), &other).is_empty(), "it was another guest");
}

#[test]
fn whoever_asked_for_a_sync_is_named_while_it_is_fresh() {
    let id = EntityId::new("argocd.applications", "main", "argocd/nextcloud");
    let app = |by: &str, began: i64| {
        let text = |text: &str| Cell::new(text);
        let cells =
            vec![text("nextcloud"), text("Succeeded"), text("8f2c1a"), text(by), ago(began), ago(began - 1)];
        vec![Row::new(id.clone(), "nextcloud", cells)]
    };
    assert_eq!(told(app("bob", 5), &id), ["bob 5m ago: nextcloud sync began"]);
    assert!(told(app("bob", 20), &id).is_empty());
    assert!(told(app("ada", 5), &id).is_empty());
}

#[test]
fn the_author_of_a_silence_is_named_unless_it_is_oneself() {
    let id = EntityId::new("alerts.silences", "main", "s1");
    let silence = |by: &str| vec![Row::new(id.clone(), "s1", vec![Cell::new("active"), Cell::new(by)])];
    assert_eq!(told(silence("bob"), &id), ["bob made this silence"]);
    assert!(told(silence("Ada"), &id).is_empty());
}

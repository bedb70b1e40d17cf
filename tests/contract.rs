//! What every backend owes the rest of the house, held against each line of the registry on the lab over real sockets.
#![cfg(feature = "demo")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test's helpers may fail the test")]

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use vigie::backend::sim::{Fault, FaultKind};
use vigie::backend::{self, Backend, REGISTRY};
use vigie::config::env::Env;
use vigie::config::load;
use vigie::demo::{Lab, Options};
use vigie::model::id::{EntityId, KindId};
use vigie::model::kind::{KindSpec, Kinds};
use vigie::model::op::{FieldKind, Targets, Tier};
use vigie::model::row::Row;
use vigie::model::snapshot::{Delta, Mode, Snapshot, SourceSpec};
use vigie::model::time::Clock;

/// So long a simulator may take for one answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// So long a source is listened to that is answered nonsense.
const MOMENT: Duration = Duration::from_secs(4);

#[test]
fn names_are_full_unique_and_explained() {
    let mut names = HashSet::new();
    for definition in REGISTRY {
        for kind in (definition.kinds)() {
            assert_eq!(kind.id.backend(), definition.id, "{} belongs to another backend", kind.id);
            assert!(names.insert(kind.id.to_string()), "{} is defined twice", kind.id);
            assert!(!kind.doc.is_empty() && !kind.singular.is_empty(), "{} is not explained", kind.id);
            let columns: HashSet<_> = kind.columns.iter().map(|column| &column.name).collect();
            assert_eq!(columns.len(), kind.columns.len(), "{} has two columns of one name", kind.id);
            assert!(
                kind.columns.iter().all(|column| !column.doc.is_empty()),
                "{} has a column without a word",
                kind.id
            );
            assert!(
                kind.columns.iter().any(|column| column.priority == 0),
                "{} keeps no column when narrow",
                kind.id
            );
            assert!(kind.sort.0 < kind.columns.len(), "{} sorts by no column", kind.id);
        }
    }
}

#[test]
fn panes_have_a_digit_of_their_own() {
    let mut digits = HashSet::new();
    for kind in backend::kinds() {
        if let Some(digit) = kind.pane {
            assert!(digit.is_ascii_digit() && digit != '0', "{} wants pane {digit}", kind.id);
            assert!(digits.insert(digit), "two kinds want pane {digit}");
        }
    }
    for digit in '1'..='5' {
        assert!(digits.contains(&digit), "pane {digit} is empty");
    }
}

#[test]
fn drills_lead_to_a_column_that_exists() {
    let kinds = Kinds::new(backend::kinds());
    for kind in kinds.iter() {
        if let Some(drill) = &kind.drill {
            let goal = kinds.get(&drill.kind).unwrap_or_else(|| panic!("{} leads to no kind", kind.id));
            assert!(goal.column(&drill.column).is_some(), "{} has no column {}", goal.id, drill.column);
        }
    }
}

#[test]
fn operations_act_on_known_kinds_and_name_their_right() {
    let kinds = Kinds::new(backend::kinds());
    let mut verbs = HashSet::new();
    for op in backend::operations() {
        let (targets, any) = match &op.targets {
            Targets::Rows(kinds) => (kinds.clone(), false),
            Targets::New { kind, .. } => (vec![kind.clone()], false),
            Targets::Any => (Vec::new(), true),
        };
        assert!(any || !targets.is_empty(), "{} acts on nothing", op.name);
        for kind in &targets {
            assert!(kinds.get(kind).is_some(), "{} acts on {kind}, which is no kind", op.name);
            if let Some(verb) = op.verb {
                assert!(verbs.insert((kind.clone(), verb)), "{kind} has two operations on {verb:?}");
            }
        }
        assert!(!op.doc.is_empty(), "{} is not explained", op.name);
        assert!(op.tier == Tier::T0 || !op.right.is_empty(), "{} names no right", op.name);
        for field in &op.form {
            assert!(!field.doc.is_empty(), "{}: field {} is not explained", op.name, field.name);
            let checked = field.default.is_empty()
                || field.kind == FieldKind::Offered
                || field.check(&field.default).is_ok();
            assert!(checked, "{}: the default of {} is refused by its own check", op.name, field.name);
        }
    }
}

/// The rows of a source: of one poll, or of a watch until it has caught up.
async fn rows(backend: &Arc<dyn Backend>, source: &SourceSpec) -> Vec<Row> {
    if let Mode::Poll(cadence) = source.mode {
        // 0 is not at all, which is the slowest of all.
        let [focused, visible, hidden] = [cadence.focused, cadence.visible, cadence.hidden]
            .map(|seconds| if seconds == 0 { u32::MAX } else { seconds });
        assert!(focused <= visible && visible <= hidden, "{}", source.id);
        let snapshot = tokio::time::timeout(PATIENCE, backend.poll(&source.id)).await;
        let snapshot = snapshot.unwrap_or_else(|_| panic!("{} does not answer", source.id));
        return snapshot.unwrap_or_else(|error| panic!("{}: {error}", source.id)).rows;
    }
    let (sink, mut deltas) = mpsc::channel(64);
    let (watched, id) = (backend.clone(), source.id.clone());
    let task = tokio::spawn(async move { watched.watch(&id, sink).await });
    let mut rows: Vec<Row> = Vec::new();
    loop {
        let delta = tokio::time::timeout(PATIENCE, deltas.recv()).await;
        let complete = match delta.unwrap_or_else(|_| panic!("{} does not catch up", source.id)) {
            Some(Delta::Reset(snapshot)) => {
                rows = snapshot.rows;
                snapshot.complete
            }
            Some(Delta::Change { upserts, complete, .. }) => {
                rows.extend(upserts);
                complete
            }
            Some(Delta::Same(_)) => false,
            None => panic!("{} ended: {:?}", source.id, task.await),
        };
        if complete {
            task.abort();
            return rows;
        }
    }
}

/// One row of each kind that the source carries.
fn samples<'r>(rows: &'r [Row], kinds: &[KindId]) -> Vec<&'r Row> {
    kinds.iter().filter_map(|kind| rows.iter().find(|row| row.id.kind == *kind)).collect()
}

fn check_row(row: &Row, backend: &Arc<dyn Backend>, source: &SourceSpec, kinds: &Kinds) {
    let kind = kinds.get(&row.id.kind).unwrap_or_else(|| panic!("{} is of no kind", row.id));
    assert!(
        source.kinds.contains(&row.id.kind),
        "{} does not say that it carries {}",
        source.id,
        row.id.kind
    );
    assert_eq!(row.cells.len(), kind.columns.len(), "{} has other cells than its kind has columns", row.id);
    assert_eq!(row.id.instance, *backend.instance(), "{} lives elsewhere", row.id);
    assert_eq!(EntityId::parse(&row.id.to_string()).as_ref(), Some(&row.id), "{} has no text form", row.id);
    assert!(!row.name.is_empty(), "{} has no name", row.id);
}

/// A table shows the name by itself where no column is called so: another that says the same is the column `name`.
fn check_names(kind: &KindSpec, rows: &[Row]) {
    let own: Vec<&Row> = rows.iter().filter(|row| row.id.kind == kind.id).collect();
    if own.is_empty() || kind.column("name").is_some() {
        return;
    }
    for (index, column) in kind.columns.iter().enumerate() {
        let repeats = own.iter().all(|row| row.cell(index).value.as_text() == Some(&*row.name));
        assert!(!repeats, "{}.{} is the name of every row: call it `name`", kind.id, column.name);
    }
}

async fn check_views(row: &Row, backend: &Arc<dyn Backend>) {
    let (sink, mut views) = mpsc::channel(4);
    let (opened, id) = (backend.clone(), row.id.clone());
    let task = tokio::spawn(async move { opened.open(&id, "describe", sink).await });
    let view = tokio::time::timeout(PATIENCE, views.recv()).await;
    let view = view.unwrap_or_else(|_| panic!("{} is not described", row.id));
    assert!(view.is_some(), "{} is not described: {:?}", row.id, task.await);
    task.abort();
}

/// The calm lab, and everything that is connected to it.
async fn calm() -> (Lab, Vec<Arc<dyn Backend>>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let options = Options {
        scenario: "calm".to_owned(),
        seed: 3,
        faults: Vec::new(),
        clock: Clock::System,
        config_out: None,
    };
    let lab = Lab::start(&options).await.unwrap();
    let config = load::read(&lab.config, &Env::default()).unwrap();
    (lab, backend::connect(&config, &Clock::System))
}

/// What a source says within a moment: of a watch its first list; nothing where it says nothing, or that it cannot.
async fn said(backend: &Arc<dyn Backend>, source: &SourceSpec) -> Option<Snapshot> {
    if let Mode::Poll(_) = source.mode {
        let poll = tokio::time::timeout(MOMENT, backend.poll(&source.id)).await;
        return poll.ok().and_then(Result::ok);
    }
    let (sink, mut deltas) = mpsc::channel(64);
    let (watched, id) = (backend.clone(), source.id.clone());
    let task = tokio::spawn(async move { watched.watch(&id, sink).await });
    let first = tokio::time::timeout(MOMENT, deltas.recv()).await;
    drop(deltas);
    task.abort();
    assert!(!task.await.is_err_and(|error| error.is_panic()), "{} panics", source.id);
    match first {
        Ok(Some(Delta::Reset(snapshot))) => Some(snapshot),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_are_wrong_in_every_field_or_break_off_never_read_as_an_empty_list() {
    let (lab, backends) = calm().await;
    let mut sources = Vec::new();
    for backend in &backends {
        for source in backend.sources() {
            if !rows(backend, &source).await.is_empty() {
                sources.push((backend, source));
            }
        }
    }
    assert!(sources.len() > 40, "{} sources have rows", sources.len());
    let mut lies = Vec::new();
    for kind in [FaultKind::WrongTypes, FaultKind::Truncated] {
        lab.world.clear_faults();
        lab.world.inject(Fault::on("", kind.clone()));
        for (backend, source) in &sources {
            if said(backend, source).await.is_some_and(|list| list.complete && list.rows.is_empty()) {
                lies.push(format!("{} under {kind:?}", source.id));
            }
        }
    }
    assert!(lies.is_empty(), "an empty list is believed: {lies:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_source_brings_rows_that_fit_their_kinds_and_can_be_described() {
    let (_lab, backends) = calm().await;
    let kinds = Kinds::new(backend::kinds());
    let mut connected = HashSet::new();
    for backend in backends {
        connected.insert(backend.id());
        for source in backend.sources() {
            assert_eq!((&*source.id.backend, &source.id.instance), (backend.id(), backend.instance()));
            let rows = rows(&backend, &source).await;
            let ids: HashSet<_> = rows.iter().map(|row| &row.id).collect();
            assert_eq!(ids.len(), rows.len(), "{} brings a row twice", source.id);
            for row in &rows {
                check_row(row, &backend, &source, &kinds);
            }
            for kind in source.kinds.iter().filter_map(|kind| kinds.get(kind)) {
                check_names(kind, &rows);
            }
            for row in samples(&rows, &source.kinds) {
                check_views(row, &backend).await;
            }
        }
        let diagnosis = backend.doctor().await;
        assert!(diagnosis.healthy(), "{} {}: {:?}", backend.id(), backend.instance(), diagnosis.findings);
        backend
            .rights()
            .await
            .unwrap_or_else(|error| panic!("{} {}: {error}", backend.id(), backend.instance()));
    }
    let all: HashSet<_> = REGISTRY.iter().map(|definition| definition.id).collect();
    assert_eq!(connected, all, "the lab has every backend");
}

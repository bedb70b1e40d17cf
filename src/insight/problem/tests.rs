use jiff::{SignedDuration, Timestamp};

use crate::insight::lookout::{Facts, Lookout, Settings};
use crate::insight::{home, kinds};
use crate::model::id::{EntityId, KindId, SourceId};
use crate::model::journal::{Entry, Line, standing};
use crate::model::kind::{Column, Format, KindSpec, Kinds, Width};
use crate::model::ledger::Ledger;
use crate::model::op::RunId;
use crate::model::row::{Cell, Domain, Facet, FacetKey, Grade, Health, Row};
use crate::model::snapshot::{Delta, Epoch, Fault, Layer, Mode, Snapshot, SourceSpec, Update};
use crate::model::store::Store;

use super::Problem;

/// A platform on which rows are put, as their sources would bring them.
struct Bench {
    store: Store,
    kinds: Kinds,
    lookout: Lookout,
    runs: Ledger,
    now: Timestamp,
    epoch: u64,
}

fn kind(id: &str) -> KindSpec {
    let column = |name, format| Column::new(name, name, Width::Fit(4, 20), "x").format(format);
    KindSpec {
        id: KindId::new(id),
        singular: id.rsplit('.').next().unwrap_or(id).trim_end_matches('s').to_owned().into(),
        aliases: vec![],
        doc: "x".into(),
        columns: vec![
            column("state", Format::State),
            column("severity", Format::Plain),
            column("name", Format::Plain),
            column("on", Format::Plain),
            column("access", Format::Plain),
            column("since", Format::Age),
            column("version", Format::Plain),
        ],
        sort: (0, false),
        views: vec![],
        drill: None,
        pane: None,
    }
}

const KINDS: [&str; 10] = [
    "proxmox.guests",
    "proxmox.nodes",
    "omni.machines",
    "kubernetes.nodes",
    "kubernetes.pods",
    "kubernetes.deployments",
    "argocd.applications",
    "authentik.applications",
    "authentik.outposts",
    "alerts.alerts",
];

impl Bench {
    fn new() -> Self {
        let now = "2026-03-01T03:00:00Z".parse().unwrap();
        let mut store = Store::default();
        for spec in Lookout::sources() {
            store.declare(spec);
        }
        let kinds = Kinds::new(KINDS.iter().map(|id| kind(id)).chain(kinds::kinds()));
        Self {
            store,
            kinds,
            lookout: Lookout::new(Settings::default(), now),
            runs: Ledger::default(),
            now,
            epoch: 0,
        }
    }

    fn source(&mut self, backend: &str, domain: Domain) -> SourceId {
        let id = SourceId::new(backend, "x", "all");
        let kinds =
            KINDS.iter().filter(|kind| kind.starts_with(backend)).map(|kind| KindId::from(*kind)).collect();
        self.store.declare(SourceSpec { id: id.clone(), kinds, mode: Mode::Watch, domain });
        id
    }

    fn answer(&mut self, source: &SourceId, body: Result<Vec<Row>, Fault>) {
        self.epoch += 1;
        let body = body.map(|rows| Delta::Reset(Snapshot::complete(rows, self.now)));
        let changes = self.store.apply(Update { source: source.clone(), epoch: Epoch(self.epoch), body });
        let facts = Facts { store: &self.store, kinds: &self.kinds, runs: &self.runs, now: self.now };
        self.lookout.take(source, &changes, facts);
    }

    fn rows(&mut self, backend: &str, rows: Vec<Row>) {
        let source = self.source(backend, Domain::Cloud);
        self.answer(&source, Ok(rows));
    }

    fn problems(&mut self) -> Vec<Problem> {
        let declared = standing(self.lookout.lines(), self.now);
        let absence = home::absence(&self.store, &declared, self.now, self.now);
        self.store.set_absence(Domain::Home, absence);
        let facts = Facts { store: &self.store, kinds: &self.kinds, runs: &self.runs, now: self.now };
        self.lookout.look_again();
        self.lookout.evaluate(facts);
        self.lookout.problems().to_vec()
    }

    fn names(&mut self) -> Vec<String> {
        self.problems().into_iter().map(|problem| problem.name).collect()
    }
}

fn row(kind: &str, name: &str, health: Health, facets: &[(FacetKey, &str, Grade)]) -> Row {
    let cells = vec![Cell::new("state"), Cell::empty(), Cell::new(name), Cell::empty(), Cell::new("family")];
    let mut row = Row::new(EntityId::new(kind, "x", name), name, cells);
    row.health = health;
    row.note = (health != Health::Ok).then(|| "it fails".into());
    row.domain = Domain::Cloud;
    row.facets = facets.iter().map(|(key, value, grade)| Facet::new(*key, *value, *grade)).collect();
    row
}

fn since(mut row: Row, minutes: i64, now: Timestamp) -> Row {
    let mut cells = row.cells.into_vec();
    cells.resize(6, Cell::empty());
    cells[5] = Cell::new(now - SignedDuration::from_mins(minutes));
    row.cells = cells.into_boxed_slice();
    row
}

fn alert(name: &str, number: usize, health: Health, facets: &[(FacetKey, &str, Grade)]) -> Row {
    let mut row = row("alerts.alerts", &format!("{name}-{number}"), health, facets);
    row.name = name.into();
    row
}

use FacetKey::{App, Gate, Host, MachineUuid, Node, Object, Workload};
use Grade::{Certain, Likely};
use Health::{Critical, Ok as Good, Warning};

#[test]
fn nine_alerts_of_one_outpost_are_one_problem_named_after_the_gate() {
    for outpost in [Critical, Good] {
        let mut bench = Bench::new();
        let host = |n: usize| format!("app-{n}.lab.example");
        let tile = |n| {
            row(
                "authentik.applications",
                &format!("app-{n}"),
                Good,
                &[(Host, &host(n), Likely), (Gate, "proxy", Certain)],
            )
        };
        let mut rows: Vec<Row> = (0..9).map(tile).collect();
        rows.push(row("authentik.outposts", "proxy", outpost, &[(Gate, "proxy", Certain)]));
        bench.rows("authentik", rows);
        let now = bench.now;
        let alerts =
            (0..9).map(|n| since(alert("ServiceDown", n, Critical, &[(Host, &host(n), Likely)]), 26, now));
        bench.rows("alerts", alerts.collect());
        let problems = bench.problems();
        assert_eq!(problems.len(), 1, "{problems:#?}");
        let problem = &problems[0];
        assert_eq!((problem.name.as_str(), problem.health), ("gate proxy", Critical));
        assert_eq!(problem.felt.hosts, Some((9, 9)));
        assert_eq!(problem.felt.words(), "9/9 gates · 9 apps · family");
        assert_eq!(problem.members.len(), 10);
        assert_eq!(problem.since, Some(now - SignedDuration::from_mins(26)));
    }
}

#[test]
fn what_stands_on_a_node_is_folded_into_the_node() {
    let mut bench = Bench::new();
    let node = [(Node, "cloud/n1", Certain), (MachineUuid, "4c4c", Certain)];
    let pod = |n: usize| {
        row(
            "kubernetes.pods",
            &format!("pod-{n}"),
            Warning,
            &[
                (Object, &format!("cloud/a/pod-{n}"), Certain),
                (Node, "cloud/n1", Certain),
                (App, "nextcloud", Likely),
            ],
        )
    };
    bench.rows("kubernetes", vec![row("kubernetes.nodes", "n1", Critical, &node), pod(1), pod(2), pod(3)]);
    bench.rows("omni", vec![row("omni.machines", "m1", Critical, &[(MachineUuid, "4c4c", Certain)])]);
    bench.rows(
        "argocd",
        vec![row("argocd.applications", "nextcloud", Warning, &[(App, "nextcloud", Certain)])],
    );
    bench.rows(
        "alerts",
        vec![
            alert("KubeNodeNotReady", 1, Critical, &[(Node, "cloud/n1", Likely)]),
            alert("KubePodNotReady", 1, Warning, &[(Object, "cloud/a/pod-1", Likely)]),
            alert("SomethingElse", 1, Warning, &[]),
        ],
    );
    let problems = bench.problems();
    let names: Vec<_> = problems.iter().map(|p| p.name.as_str()).collect();
    assert!(names.contains(&"node n1"), "{names:?}");
    let node = problems.iter().find(|p| p.name == "node n1").unwrap();
    assert!(node.members.len() >= 7, "{:?}", node.members);
    assert!(names.contains(&"SomethingElse"), "{names:?}");
    assert!(node.cause.iter().all(|cause| !cause.points.is_empty()));
}

#[test]
fn a_pod_what_runs_it_and_the_alerts_about_either_are_one_problem() {
    let mut bench = Bench::new();
    let runs = ("cloud/media/lidarr", Likely);
    let pod = [(Object, "cloud/media/lidarr-1", Certain), (Workload, runs.0, runs.1)];
    let deployment = [(Object, "cloud/media/lidarr", Certain), (Workload, runs.0, runs.1)];
    bench.rows(
        "kubernetes",
        vec![
            row("kubernetes.pods", "lidarr-1", Critical, &pod),
            row("kubernetes.deployments", "lidarr", Critical, &deployment),
            row("kubernetes.pods", "other-1", Warning, &[(Workload, "cloud/media/other", Likely)]),
        ],
    );
    bench.rows(
        "alerts",
        vec![
            alert("PodCrashLooping", 1, Warning, &[(Object, "cloud/media/lidarr-1", Likely)]),
            alert("DeploymentDown", 1, Warning, &[(Workload, runs.0, runs.1)]),
        ],
    );
    let problems = bench.problems();
    let found: Vec<(&str, usize)> = problems.iter().map(|p| (p.name.as_str(), p.members.len())).collect();
    assert_eq!(found, [("pod lidarr-1", 4), ("pod other-1", 1)]);
}

#[test]
fn many_alerts_of_one_sort_are_one_line_and_few_are_not() {
    let mut bench = Bench::new();
    bench.rows("alerts", (0..2000).map(|n| alert("KubePodNotReady", n, Warning, &[])).collect());
    assert_eq!(bench.names(), ["2000 KubePodNotReady"]);
    let mut bench = Bench::new();
    bench.rows("alerts", (0..3).map(|n| alert("KubePodNotReady", n, Warning, &[])).collect());
    assert_eq!(bench.problems().len(), 3);
}

#[test]
fn alerts_about_one_well_thing_are_one_problem_of_that_thing() {
    let mut bench = Bench::new();
    bench.rows("kubernetes", vec![row("kubernetes.nodes", "n1", Good, &[(Node, "cloud/n1", Certain)])]);
    let about = [(Node, "cloud/n1", Likely)];
    bench.rows(
        "alerts",
        vec![alert("HighMemory", 1, Warning, &about), alert("HighLoad", 1, Critical, &about)],
    );
    let problems = bench.problems();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!((problems[0].name.as_str(), problems[0].health), ("node n1", Critical));
}

#[test]
fn an_instance_that_cannot_be_seen_is_a_problem_and_says_why() {
    let mut bench = Bench::new();
    let source = bench.source("omni", Domain::Cloud);
    bench.answer(&source, Err(Fault::new(Layer::Tcp, "connection refused")));
    let problems = bench.problems();
    assert_eq!(problems[0].name, "omni x");
    assert!(problems[0].what.contains("tcp: connection refused"), "{}", problems[0].what);
}

/// The house in the dark: its hypervisor and its alerts do not answer, a home guest was bad before.
fn dark(bench: &mut Bench) {
    for (backend, domain) in
        [("proxmox", Domain::Home), ("alerts", Domain::Home), ("authentik", Domain::Cloud)]
    {
        let source = bench.source(backend, domain);
        let mut guest = row("proxmox.guests", "vm", Critical, &[]);
        guest.domain = Domain::Home;
        bench.answer(&source, Ok(if backend == "proxmox" { vec![guest] } else { vec![] }));
        if domain == Domain::Home {
            bench.answer(&source, Err(Fault::new(Layer::Tcp, "no route to host")));
        }
    }
}

#[test]
fn a_lost_house_is_one_problem_amber_at_first_and_red_after_five_minutes() {
    let mut bench = Bench::new();
    dark(&mut bench);
    let problems = bench.problems();
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert_eq!((problems[0].name.as_str(), problems[0].health), ("home", Warning));
    assert!(problems[0].what.starts_with("lost"), "{}", problems[0].what);
    bench.now += SignedDuration::from_mins(6);
    assert_eq!(bench.problems()[0].health, Critical);
}

#[test]
fn what_was_declared_is_known_until_its_time_is_over() {
    let line = |bench: &Bench, topic: &str, about: Option<EntityId>| Line {
        at: bench.now,
        run: RunId("d".into()),
        operator: "ada".into(),
        entry: Entry::Declared {
            topic: topic.into(),
            about,
            until: Some(bench.now + SignedDuration::from_hours(8)),
            text: "planned".into(),
        },
    };
    let mut bench = Bench::new();
    dark(&mut bench);
    let declared = line(&bench, super::HOME, None);
    bench.lookout.journal(vec![declared]);
    let problem = bench.problems().remove(0);
    assert_eq!(problem.known.as_ref().map(|known| known.reason.as_str()), Some("planned"));
    let mut bench = Bench::new();
    bench.rows("alerts", vec![alert("Old", 1, Warning, &[])]);
    let id = bench.problems()[0].id();
    let declared = line(&bench, super::SUPPRESS, Some(id));
    bench.lookout.journal(vec![declared]);
    assert!(!bench.problems()[0].is_open());
    bench.now += SignedDuration::from_hours(9);
    assert!(bench.problems()[0].is_open());
}

#[test]
fn a_change_just_before_is_suspected_and_says_its_points() {
    let mut bench = Bench::new();
    let guest = |health| row("proxmox.guests", "vm", health, &[(MachineUuid, "4c4c", Certain)]);
    bench.rows("proxmox", vec![guest(Good)]);
    let mut changed = guest(Good);
    changed.cells =
        [changed.cells.into_vec(), vec![Cell::empty(), Cell::new("2026.2.4")]].concat().into_boxed_slice();
    bench.rows("proxmox", vec![changed.clone()]);
    let mut lower = changed;
    lower.cells[6] = Cell::new("2026.2.2");
    bench.now += SignedDuration::from_mins(1);
    bench.rows("proxmox", vec![lower.clone()]);
    lower.health = Critical;
    lower.note = Some("it fails".into());
    bench.now += SignedDuration::from_mins(1);
    bench.rows("proxmox", vec![lower]);
    let problem = bench.problems().remove(0);
    let cause = problem.cause.unwrap();
    assert!(cause.text.contains("version WENT DOWN 2026.2.4 > 2026.2.2"), "{}", cause.text);
    assert!(cause.points.iter().any(|point| point.why.starts_with("changed just before")), "{cause:?}");
}

#[test]
fn a_problem_that_was_taken_on_stands_lower_and_says_so() {
    let mut bench = Bench::new();
    let mut acked = alert("A", 1, Health::Off, &[]);
    acked.cells[0] = Cell::new("acked");
    acked.cells[1] = Cell::new("critical");
    bench.rows("alerts", vec![acked, alert("B", 1, Critical, &[])]);
    let problems = bench.problems();
    assert_eq!(
        problems.iter().map(|p| (p.name.as_str(), p.acked)).collect::<Vec<_>>(),
        [("B", false), ("A", true)]
    );
    assert_eq!(super::row(&problems[1]).cell(0).value.as_text(), Some("ACK"));
}

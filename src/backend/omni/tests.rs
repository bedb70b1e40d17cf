//! The backend against its simulator, over real HTTP.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use jiff::SignedDuration;
use secrecy::SecretString;
use tokio::sync::mpsc;

use super::*;
use crate::backend::sim::{Running, Setting, World, serve};
use crate::config::{Connection, Secret, SecretSource, Trust};
use crate::model::op::{Decision, RunId};
use crate::model::row::Health;
use crate::model::snapshot::{Delta, Layer};
use crate::model::view::{Body, View};

mod ephemeral;
mod large;
mod ops;
mod templates;

fn secret(text: &str) -> Secret {
    Secret::new(SecretSource::Memory(SecretString::from(text.to_owned())))
}

/// A lab with its clock held still, and the configuration that leads to it.
async fn lab() -> (Arc<World>, Running, config::Omni) {
    sized(0).await
}

/// The same with so many machines more.
async fn sized(machines: usize) -> (Arc<World>, Running, config::Omni) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let start = Timestamp::from_second(1_770_000_000).unwrap();
    let size = crate::backend::sim::Size { machines, ..crate::backend::sim::Size::default() };
    let world = World::new(Clock::manual(start), 7, "calm", size);
    let simulator = sim::simulators(&world).remove(0);
    let (running, simulator) = serve(simulator, world.clone()).await.unwrap();
    let settings = (simulator.tables[0].1)(&running.address);
    let text = |name: &str| {
        let found = settings.iter().find(|(key, _)| *key == name).map(|(_, setting)| setting);
        match found {
            Some(Setting::Text(text) | Setting::Secret(text)) => text.clone(),
            _ => panic!("{name}"),
        }
    };
    let print = text("fingerprint");
    let byte = |at: usize| u8::from_str_radix(&print[2 * at..2 * at + 2], 16).unwrap();
    let connection = Connection {
        trust: Trust::Fingerprint(std::array::from_fn(byte)),
        domain: Domain::Cloud,
        timeout: Duration::from_secs(20),
        ..Connection::to(text("name"), text("url"))
    };
    let ephemeral = Ephemeral {
        prefix: "dev-ephemeral-".into(),
        classes: vec!["oci-kubevirt".into()],
        template: None,
        host: Some("cloud".into()),
        protect: Some("stremio/comet".into()),
    };
    let (key, operator_key) = (secret(&text("key")), Some(secret(&text("operator_key"))));
    let omni =
        config::Omni { connection, key, operator_key, templates: Vec::new(), ephemeral: Some(ephemeral) };
    (world, running, omni)
}

/// The next news of a source, within a time that no healthy machine needs.
async fn news(deltas: &mut mpsc::Receiver<Delta>) -> Delta {
    tokio::time::timeout(Duration::from_secs(20), deltas.recv()).await.unwrap().unwrap()
}

fn source(feed: &str) -> SourceId {
    SourceId::new(ID, "omni", feed)
}

async fn job(omni: &Omni, op: &str, kind: &str, name: &str, args: &[(&str, &str)]) -> Job {
    let target = omni.resolve(&kind.into(), name).await.unwrap().remove(0);
    let spec = kinds::operations().into_iter().find(|spec| spec.name == op).unwrap();
    let mut all: BTreeMap<String, String> =
        spec.form.iter().map(|field| (field.name.to_string(), field.default.to_string())).collect();
    all.extend(args.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    Job {
        run: RunId("run".into()),
        op: op.into(),
        target,
        args: all,
        reason: None,
        operator: "admin1".into(),
    }
}

/// A description's words, line by line.
async fn describe(omni: &Omni, id: &EntityId) -> String {
    let (sink, mut views) = mpsc::channel(1);
    let open = omni.open(id, "describe", sink);
    let view = tokio::select! { view = views.recv() => view.unwrap(), done = open => panic!("{done:?}") };
    let View::Doc(doc) = view else { panic!("no document") };
    format!("{doc:?}")
}

#[tokio::test]
async fn the_homelab_is_listed() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    let snapshot = omni.poll(&source("clusters")).await.unwrap();
    assert!(snapshot.complete && snapshot.notes.is_empty(), "{:?}", snapshot.notes);
    let spoken: Vec<_> = snapshot.rows.iter().map(|row| (&*row.name, row.health, row.domain)).collect();
    assert_eq!(
        spoken,
        [
            ("cloud", Health::Ok, Domain::Cloud),
            ("dev-ephemeral-8841", Health::Warning, Domain::Cloud),
            ("prod", Health::Ok, Domain::Home)
        ]
    );
    assert_eq!(snapshot.rows[1].note.as_deref(), Some("expired 7h ago"));
    let machines = omni.poll(&source("machines")).await.unwrap();
    assert_eq!(machines.rows.len(), 6);
    assert!(machines.rows.iter().all(|row| row.health == Health::Ok), "{machines:?}");
    for (snapshot, kind) in [(snapshot, 0), (machines, 1)] {
        let columns = kinds::kinds()[kind].columns.len();
        assert!(snapshot.rows.iter().all(|row| row.cells.len() == columns));
    }
}

#[tokio::test]
async fn with_the_house_off_its_cluster_is_critical_and_the_others_are_not() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    world.set("home", "off");
    let snapshot = omni.poll(&source("clusters")).await.unwrap();
    let prod = snapshot.rows.iter().find(|row| &*row.name == "prod").unwrap();
    assert_eq!(
        (prod.health, prod.note.as_deref()),
        (Health::Critical, Some("all 2 machines are disconnected"))
    );
    assert!(snapshot.rows.iter().filter(|row| &*row.name != "prod").all(|row| row.health >= Health::Warning));
}

#[tokio::test]
async fn a_bare_invalid_signature_is_explained() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    world.inject("omni:skew=10m".parse().unwrap());
    let error = omni.poll(&source("clusters")).await.unwrap_err();
    assert_eq!((error.fault.layer, error.fault.status), (Layer::Auth, Some(401)));
    assert!(
        error.fault.what.contains("clock is 10m ahead of the server's") || error.fault.what.contains("clock"),
        "{error}"
    );
    assert_eq!(error.fault.raw, "invalid signature");
    world.clear_faults();
    world.clock.advance(SignedDuration::from_hours(24 * 66));
    let error = omni.poll(&source("clusters")).await.unwrap_err();
    assert!(error.fault.what.contains("the key of vigie expired"), "{error}");
    assert!(error.fault.hint.contains("omnictl serviceaccount renew vigie"), "{error:?}");
}

#[tokio::test]
async fn a_strangers_key_is_told_apart_from_a_wrong_clock() {
    let (world, _running, mut config) = lab().await;
    config.key = secret(include_str!("fixtures/service-account-key.txt"));
    let omni = Omni::new(&config, &world.clock);
    let error = omni.poll(&source("clusters")).await.unwrap_err();
    assert!(error.fault.what.contains("does not accept the key of tui-test"), "{error}");
    assert!(error.fault.hint.contains("2e635cfe8642f856"), "{error:?}");
}

#[tokio::test]
async fn a_key_that_cannot_be_read_breaks_only_its_instance_and_says_why() {
    let (world, _running, mut config) = lab().await;
    config.key = secret("no base64 at all!");
    let omni = Omni::new(&config, &world.clock);
    let error = omni.poll(&source("clusters")).await.unwrap_err();
    assert_eq!(error.fault.layer, Layer::Config);
    assert!(error.fault.what.contains("key: ") && error.fault.what.contains("not base64"), "{error}");
    assert!(!omni.doctor().await.healthy());
}

#[tokio::test]
async fn twisted_truncated_and_foreign_answers_are_never_an_empty_list() {
    let (world, _running, mut config) = lab().await;
    config.connection.timeout = Duration::from_secs(2);
    let omni = Omni::new(&config, &world.clock);
    for fault in ["omni:wrong-types", "omni:truncated", "omni:502", "omni:login", "omni:timeout"] {
        world.clear_faults();
        world.inject(fault.parse().unwrap());
        let answer = omni.poll(&source("clusters")).await;
        assert!(!answer.is_ok_and(|snapshot| snapshot.complete), "{fault}");
    }
}

#[tokio::test]
async fn a_kubeconfig_is_written_for_its_owner_only_and_read_back() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prod.yaml");
    let path = path.to_str().unwrap();
    let job = job(&omni, "omni.kubeconfig", CLUSTERS, "prod", &[("path", path), ("ttl", "1h")]).await;
    let since = Timestamp::now();
    let verdict = omni.preflight(&job).await.unwrap();
    assert_eq!(verdict.decision, Decision::Allow, "{verdict:?}");
    assert!(job.target.identity.conflicts(&verdict.identity).is_empty());
    let (progress, _rx) = mpsc::channel(8);
    let receipt = omni.operate(&job, progress).await.unwrap();
    assert_eq!(receipt.remote.as_deref(), Some(path));
    assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(std::fs::read_to_string(path).unwrap().contains("sim-token-prod"));
    assert!(matches!(omni.verify(&job, Some(path), since).await.unwrap(), Proof::Seen(_)));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    // A second time the file is in the way, unless it may be replaced.
    assert_eq!(omni.preflight(&job).await.unwrap().decision, Decision::Refuse);
    let (progress, _rx) = mpsc::channel(8);
    assert!(matches!(omni.operate(&job, progress).await, Err(SendError::NotSent(_))));
    let mut again = job;
    again.args.insert("replace".into(), "true".into());
    let (progress, _rx) = mpsc::channel(8);
    omni.operate(&again, progress).await.unwrap();
}

#[tokio::test]
async fn a_reader_may_not_have_a_token_and_is_told_which_role_it_takes() {
    let (world, _running, mut config) = lab().await;
    config.operator_key = None;
    let omni = Omni::new(&config, &world.clock);
    assert_eq!(
        omni.rights().await.unwrap().missing.get("omni.kubeconfig").map(String::as_str),
        Some("Operator")
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("k");
    let job = job(&omni, "omni.kubeconfig", CLUSTERS, "prod", &[("path", path.to_str().unwrap())]).await;
    let verdict = omni.preflight(&job).await.unwrap();
    assert_eq!(verdict.decision, Decision::Refuse);
    assert!(verdict.evidence.iter().any(|fact| fact.says.contains("vigie is Reader")), "{verdict:?}");
    let (progress, _rx) = mpsc::channel(8);
    let error = omni.operate(&job, progress).await.unwrap_err();
    assert!(matches!(&error, SendError::Refused(fault) if fault.layer == Layer::Auth), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
}

#[tokio::test]
async fn where_omni_does_not_tell_of_permissions_they_are_unclear_and_not_denied() {
    let (world, _running, mut config) = lab().await;
    config.operator_key = None;
    let omni = Omni::new(&config, &world.clock);
    world.set("omni-permissions", "none");
    let rights = omni.doctor().await.rights.unwrap();
    for op in ["omni.upgrade-talos", "omni.ephemeral-create", "omni.reboot"] {
        assert!(rights.unknown.iter().any(|unclear| unclear == op), "{op}: {rights:?}");
        assert!(!rights.missing.contains_key(op), "{op}: {rights:?}");
    }
    // What no policy raises takes the role, and that is told.
    let plain =
        crate::backend::omni::ops::all().filter(|op| op.permission().is_none() && op.everywhere().is_none());
    for op in plain.filter(|op| op.role() > Role::Reader) {
        assert_eq!(rights.missing.get(op.name()).map(String::as_str), Some("Operator"), "{}", op.name());
    }
}

#[tokio::test]
async fn a_lost_answer_leaves_the_outcome_unknown_and_no_file() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("k");
    let job = job(&omni, "omni.kubeconfig", CLUSTERS, "prod", &[("path", path.to_str().unwrap())]).await;
    world.inject("omni:lost-answer@/api/management".parse().unwrap());
    let (progress, _rx) = mpsc::channel(8);
    assert!(matches!(omni.operate(&job, progress).await, Err(SendError::Unknown(_))));
    assert!(matches!(omni.verify(&job, None, Timestamp::now()).await.unwrap(), Proof::Absent(_)));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn names_resolve_exactly_and_only_over_a_complete_list() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    assert_eq!(omni.resolve(&CLUSTERS.into(), "pro").await.unwrap(), []);
    let machine = omni.resolve(&MACHINES.into(), "oci-node-1").await.unwrap();
    assert_eq!(machine.len(), 1);
    let identity = omni.identify(&machine[0].id).await.unwrap();
    assert_eq!(identity, machine[0].identity);
    world.inject("omni:wrong-types".parse().unwrap());
    assert!(omni.resolve(&CLUSTERS.into(), "prod").await.is_err());
}

#[tokio::test]
async fn descriptions_say_the_state_first() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    world.set("home", "off");
    for (kind, name) in [(CLUSTERS, "prod"), (MACHINES, "talos-prod-cp")] {
        let id = omni.resolve(&kind.into(), name).await.unwrap().remove(0).id;
        let (sink, mut views) = mpsc::channel(1);
        let open = omni.open(&id, "describe", sink);
        let view = tokio::select! { view = views.recv() => view.unwrap(), done = open => panic!("{done:?}") };
        let View::Doc(doc) = view else { panic!("no document") };
        let Body::Facts(facts) = &doc.sections[0].body else { panic!("no facts") };
        assert_eq!((&*facts[0].label, &*facts[1].label), ("state", "why"), "{doc:?}");
    }
}

#[tokio::test]
async fn the_doctor_names_account_version_and_what_is_left_of_the_keys() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    let diagnosis = omni.doctor().await;
    assert!(diagnosis.healthy(), "{diagnosis:?}");
    let says: Vec<&str> = diagnosis.findings.iter().map(|finding| finding.says.as_str()).collect();
    for part in
        ["key: vigie is Reader", "operator_key: vigie-operator is Operator", "Omni v1.10.4", "ends in 65d"]
    {
        assert!(says.iter().any(|line| line.contains(part)), "{part}: {says:?}");
    }
    assert_eq!(diagnosis.rights, Some(Rights::default()));
}

#[tokio::test]
async fn streams_bring_everything_at_first_and_then_only_what_changes() {
    let (world, _running, config) = lab().await;
    let omni = Arc::new(Omni::new(&config, &world.clock));
    let (sink, mut deltas) = mpsc::channel(8);
    let watching = tokio::spawn({
        let omni = omni.clone();
        async move { omni.watch(&source("clusters"), sink).await }
    });
    for _ in 0..2 {
        let Delta::Reset(snapshot) = news(&mut deltas).await else { panic!("no list") };
        assert!(snapshot.complete && snapshot.rows.len() == 3 && snapshot.notes.is_empty(), "{snapshot:?}");
    }
    world.set("home", "off");
    let Delta::Change { upserts, removes, complete, .. } = news(&mut deltas).await else {
        panic!("no change")
    };
    assert!(complete && removes.is_empty());
    let names: Vec<&str> = upserts.iter().map(|row| &*row.name).collect();
    assert_eq!(names, ["prod"]);
    assert_eq!(upserts[0].health, Health::Critical);
    drop(deltas);
    world.set("home", "on");
    assert_eq!(watching.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn streams_that_are_held_back_are_replaced_by_polling_and_it_is_said() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    world.set("omni-streams", "buffered");
    let (sink, mut deltas) = mpsc::channel(8);
    let clusters = source("clusters");
    let told = async {
        let Delta::Reset(first) = news(&mut deltas).await else { panic!("no list") };
        let Delta::Reset(polled) = news(&mut deltas).await else { panic!("no list") };
        (first, polled)
    };
    let (first, polled) = tokio::select! {
        told = told => told,
        end = omni.watch(&clusters, sink) => panic!("{end:?}"),
    };
    assert_eq!((first.rows.len(), first.notes.len()), (3, 0));
    assert_eq!(polled.rows.len(), 3);
    assert!(polled.notes[0].contains("holds its streams back"), "{:?}", polled.notes);
}

#[tokio::test]
async fn a_stream_that_breaks_is_opened_again_without_an_error() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    world.set("omni-streams", "cut");
    let (sink, mut deltas) = mpsc::channel(8);
    let machines = source("machines");
    let resets = async {
        for _ in 0..4 {
            assert!(matches!(news(&mut deltas).await, Delta::Reset(snapshot) if snapshot.rows.len() == 6));
        }
    };
    tokio::select! {
        () = resets => {}
        end = omni.watch(&machines, sink) => panic!("{end:?}"),
    }
}

#[tokio::test]
async fn every_kind_is_listed_for_an_administrator_with_a_cell_for_each_column() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    world.set("omni-role", "Admin");
    for kind in kinds::kinds() {
        let snapshot = omni.poll(&source(kind.id.name())).await.unwrap();
        assert!(snapshot.complete, "{}: {:?}", kind.id, snapshot.notes);
        // Nothing is being made while the lab is calm.
        assert_eq!(snapshot.rows.is_empty(), kind.id.as_str() == "omni.requests", "{}", kind.id);
        for row in &snapshot.rows {
            assert_eq!(row.cells.len(), kind.columns.len(), "{}", row.id);
            assert!(!format!("{row:?}").contains("9f0c-demo"), "a join token is shown: {row:?}");
        }
        let mut ids: Vec<_> = snapshot.rows.iter().map(|row| &row.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), snapshot.rows.len(), "{}", kind.id);
    }
}

#[tokio::test]
async fn lists_above_the_role_are_empty_but_not_complete_and_say_the_role() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    for (feed, role) in [("accounts", "Admin"), ("audit", "Auditor or Admin")] {
        let snapshot = omni.poll(&source(feed)).await.unwrap();
        assert!(snapshot.rows.is_empty() && !snapshot.complete);
        assert!(snapshot.notes[0].ends_with(role), "{:?}", snapshot.notes);
        let resolved = omni.resolve(&KindId::from(&*format!("omni.{feed}")), "x").await;
        assert_eq!(resolved.unwrap_err().fault.missing.as_deref(), Some(role));
    }
}

#[tokio::test]
async fn a_class_that_nothing_fits_and_a_lost_provider_are_said() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    world.set("home", "off");
    let noted = |snapshot: Snapshot| -> Vec<String> {
        snapshot
            .rows
            .iter()
            .filter_map(|row| row.note.as_deref().map(|note| format!("{}: {note}", row.name)))
            .collect()
    };
    let classes = noted(omni.poll(&source("machineclasses")).await.unwrap());
    assert_eq!(classes, ["control-plane: neither selector nor autoprovision: it never gets a machine"]);
    let providers = noted(omni.poll(&source("providers")).await.unwrap());
    assert_eq!(providers, ["proxmox: no heartbeat: home off"]);
}

#[tokio::test]
async fn a_machines_log_arrives_line_by_line() {
    let (world, _running, config) = lab().await;
    let omni = Omni::new(&config, &world.clock);
    let id = omni.resolve(&MACHINES.into(), "oci-node-1").await.unwrap().remove(0).id;
    let line = async |views: &mut mpsc::Receiver<View>| match views.recv().await.unwrap() {
        View::Log(mut lines) => lines.remove(0),
        other => panic!("{other:?}"),
    };
    for (streams, why) in [("", "no answer within"), ("cut", "its stream ended")] {
        world.set("omni-logs", streams);
        let (sink, mut views) = mpsc::channel(16);
        let told = async {
            let first = line(&mut views).await;
            assert!(first.text.starts_with("[talos] service") && first.at.is_some(), "{first:?}");
            for _ in 0..3 {
                line(&mut views).await;
            }
            // A stream that stalls or is cut is opened anew, and nobody takes the gap for silence.
            for _ in 0..2 {
                let gap = line(&mut views).await;
                assert!(gap.text.contains(why) && gap.text.contains("lines may be missing"), "{gap:?}");
            }
        };
        tokio::select! {
            () = told => {}
            end = omni.open(&id, "log", sink) => panic!("{end:?}"),
        }
    }
}

#[tokio::test]
async fn a_log_that_cannot_be_had_says_why_and_is_not_asked_for_again() {
    let (world, _running, mut config) = lab().await;
    config.connection.timeout = Duration::from_secs(2);
    let omni = Omni::new(&config, &world.clock);
    let id = omni.resolve(&MACHINES.into(), "oci-node-1").await.unwrap().remove(0).id;
    for (fault, part) in
        [("omni:403@/api/management", "403"), ("omni:endless@/api/management", "a line longer")]
    {
        world.clear_faults();
        world.inject(fault.parse().unwrap());
        let (sink, _views) = mpsc::channel(16);
        let error = omni.open(&id, "log", sink).await.unwrap_err();
        assert!(error.to_string().contains(part), "{fault}: {error}");
    }
}

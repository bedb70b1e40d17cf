//! The backend against a simulated cluster with Argo CD in it, over real HTTP and TLS.

mod answers;
mod rest;
mod waves;

use tokio::sync::mpsc;

use crate::backend::Progress;
use crate::backend::kubernetes::sim::lab::Lab;
use crate::backend::kubernetes::tests::served::{self, Served};
use crate::backend::sim::{Running, Setting, Size, World, serve};
use crate::config::{Connection, Secret, SecretSource, Trust};
use crate::model::op::{Args, Decision, RunId};
use crate::model::row::{Domain, Health};
use crate::model::snapshot::Delta;

use super::*;

struct Bench {
    world: Arc<World>,
    lab: Arc<Lab>,
    argo: Arc<Argo>,
    _served: Served,
    _rest: Running,
}

/// A lab whose clock runs fast, so that operations end soon.
async fn bench() -> Bench {
    bench_at(served::quick()).await
}

async fn bench_at(clock: Clock) -> Bench {
    let world = World::new(clock.clone(), 1, "calm", Size::default());
    let lab = sim::install(&world).unwrap();
    let served = served::serve_cluster(&world, "cloud").await;
    let (rest, simulator) = serve(sim::simulators(&world).remove(0), world.clone()).await.unwrap();
    let token = (simulator.tables[0].1)(&rest.address).into_iter().find_map(|(_, setting)| match setting {
        Setting::Secret(token) => Some(token),
        _ => None,
    });
    let way = Connection {
        trust: Trust::Fingerprint(fingerprint(rest.address.fingerprint.as_deref().unwrap())),
        domain: Domain::Cloud,
        timeout: Duration::from_millis(800),
        ..Connection::to("argo", rest.address.url.clone())
    };
    let token = Secret::new(SecretSource::Memory(token.unwrap().into()));
    let settings = ArgoCd {
        name: "argo".into(),
        kubernetes: "cloud".into(),
        namespace: "argocd".to_owned(),
        rest: Some((way, token)),
        domain: Domain::Cloud,
        public_url: None,
        promote: None,
    };
    let domains = vec![("prod".into(), Domain::Home), ("cloud".into(), Domain::Cloud)];
    let mut argo = Argo::new(settings, served.cluster.clone(), domains, clock);
    argo.pace = Duration::from_millis(5);
    let argo = Arc::new(argo);
    Bench { world, lab, argo, _served: served, _rest: rest }
}

fn fingerprint(hex: &str) -> [u8; 32] {
    let digits: Vec<char> = hex.chars().filter(char::is_ascii_hexdigit).collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
    digits.chunks(2).map(byte).collect::<Vec<u8>>().try_into().unwrap()
}

impl Bench {
    async fn job(&self, op: &str, name: &str, args: &[(&str, &str)]) -> Job {
        let kind = KindId::from(kinds::APPLICATIONS);
        let target = self.argo.resolve(&kind, name).await.unwrap().remove(0);
        Job {
            run: RunId("run-1".into()),
            op: op.into(),
            target,
            args: args.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<Args>(),
            reason: Some("the demo".to_owned()),
            operator: "admin1".into(),
        }
    }

    async fn operate(&self, job: &Job) -> (Result<Receipt, SendError>, Vec<String>) {
        let (sink, mut progress) = mpsc::channel(64);
        let outcome = self.argo.operate(job, sink).await;
        let mut notes = Vec::new();
        while let Ok(step) = progress.try_recv() {
            notes.push(match step {
                Progress::Accepted(remote) => format!("accepted {remote}"),
                Progress::Step { note, .. } => note,
            });
        }
        (outcome, notes)
    }

    fn app(&self, name: &str) -> serde_json::Value {
        self.lab.store.get("applications", &format!("argocd/{name}")).unwrap()
    }

    fn inject(&self, fault: &str) {
        self.world.inject(fault.parse().unwrap());
    }
}

fn says(verdict: &Verdict) -> String {
    let facts = verdict.evidence.iter().map(|fact| format!("{}: {}", fact.what, fact.says));
    facts.collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn the_homelab_is_delivered_but_for_two() {
    let bench = bench().await;
    let snapshot = bench.argo.poll(&sources(&bench.argo.settings)[0].id).await.unwrap();
    assert_eq!(snapshot.rows.len(), 46);
    let mut bad: Vec<(&str, Health)> = snapshot
        .rows
        .iter()
        .filter(|row| row.health != Health::Ok)
        .map(|row| (&*row.name, row.health))
        .collect();
    bad.sort_unstable();
    assert_eq!(bad, [("loki", Health::Warning), ("nextcloud", Health::Warning)]);
    let prometheus = snapshot.rows.iter().find(|row| &*row.name == "prometheus").unwrap();
    assert_eq!(prometheus.domain, Domain::Home);
}

#[tokio::test]
async fn a_refresh_is_done_when_the_annotation_is_gone_and_is_proven_by_the_comparison() {
    let bench = bench().await;
    let job = bench.job(kinds::REFRESH, "nextcloud", &[]).await;
    let since = bench.world.clock.now();
    assert!(matches!(bench.argo.verify(&job, None, since).await.unwrap(), Proof::Absent(_)));
    let verdict = bench.argo.preflight(&job).await.unwrap();
    assert_eq!(verdict.decision, Decision::Allow);
    let (outcome, notes) = bench.operate(&job).await;
    assert_eq!(outcome.unwrap().said, "compared: OutOfSync at 8f2c1a4, Healthy");
    assert_eq!(notes, ["waiting for the controller to compare"]);
    assert!(matches!(bench.argo.verify(&job, None, since).await.unwrap(), Proof::Seen(_)));
    assert_eq!(bench.lab.writes(), 1);
}

#[tokio::test]
async fn a_sync_goes_through_its_waves_and_is_known_again_by_its_run() {
    let bench = bench().await;
    let job = bench.job(kinds::SYNC, "nextcloud", &[("dry-run", "no")]).await;
    let verdict = bench.argo.preflight(&job).await.unwrap();
    assert_eq!(verdict.decision, Decision::Allow);
    assert_eq!(verdict.effect, "applies 2 differing of 3 objects to in-cluster/nextcloud, without pruning");
    let since = bench.world.clock.now();
    let (outcome, notes) = bench.operate(&job).await;
    let receipt = outcome.unwrap();
    assert_eq!(
        (receipt.said.as_str(), receipt.remote.as_deref()),
        ("successfully synced (all tasks run)", Some("run-1"))
    );
    assert_eq!(notes[0], "accepted run-1");
    assert!(notes.iter().any(|note| note.starts_with("waiting for healthy state of")), "{notes:?}");
    let proof = bench.argo.verify(&job, None, since).await.unwrap();
    assert!(matches!(&proof, Proof::Seen(text) if text.starts_with("Synced at 8f2c1a4, ")), "{proof:?}");
    let state = &bench.app("nextcloud")["status"]["operationState"];
    assert_eq!(state["operation"]["sync"]["prune"], false);
    assert_eq!(state["operation"]["retry"]["limit"], 5);
    assert_eq!(state["operation"]["initiatedBy"]["username"], "admin1");
    assert_eq!(bench.lab.writes(), 1);
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let bench = bench().await;
    let job = bench.job(kinds::SYNC, "nextcloud", &[("dry-run", "only")]).await;
    let (outcome, _) = bench.operate(&job).await;
    assert_eq!(outcome.unwrap().said, "successfully synced (dry run)");
    assert_eq!(bench.app("nextcloud")["status"]["sync"]["status"], "OutOfSync");
}

#[tokio::test]
async fn a_sync_rehearses_first_and_applies_only_what_was_not_refused() {
    let bench = bench().await;
    let args = [("dry-run", "first"), ("options", "Replace=true"), ("retry", "1")];
    let job = bench.job(kinds::SYNC, "nextcloud", &args).await;
    let (outcome, notes) = bench.operate(&job).await;
    assert_eq!(outcome.unwrap().said, "successfully synced (all tasks run)");
    assert_eq!(notes[0], "dry run first");
    let asked: Vec<_> =
        bench.lab.patches().into_iter().map(|(_, patch)| patch["operation"].clone()).collect();
    assert_eq!(
        (asked.len(), &asked[0]["sync"]["dryRun"], &asked[1]["sync"]["dryRun"]),
        (2, &true.into(), &serde_json::Value::Null)
    );
    assert_eq!(asked[1]["sync"]["syncOptions"][2], "Replace=true");
    assert_eq!(
        (&asked[1]["retry"]["limit"], &asked[1]["retry"]["backoff"]["factor"]),
        (&1.into(), &2.into())
    );
    assert!(matches!(bench.argo.verify(&job, None, Timestamp::UNIX_EPOCH).await.unwrap(), Proof::Seen(_)));
    let wrong = bench.job(kinds::SYNC, "comet", &[("options", "--force"), ("retry", "99")]).await;
    let verdict = bench.argo.preflight(&wrong).await.unwrap();
    assert!(says(&verdict).contains("`--force` is not NAME=VALUE") && says(&verdict).contains("0 to 10"));
}

#[tokio::test]
async fn a_rehearsal_that_is_refused_applies_nothing() {
    let bench = bench().await;
    bench.world.set("argocd.fails", "nextcloud");
    let job = bench.job(kinds::SYNC, "nextcloud", &[("dry-run", "first")]).await;
    let Err(SendError::Failed(fault)) = bench.operate(&job).await.0 else { panic!("it was applied") };
    assert!(fault.what.starts_with("dry run, nothing was applied: "), "{fault}");
    assert_eq!(
        (bench.lab.patches().len(), &bench.app("nextcloud")["status"]["sync"]["status"]),
        (1, &"OutOfSync".into())
    );
    assert!(matches!(
        bench.argo.verify(&job, None, bench.world.clock.now()).await.unwrap(),
        Proof::Absent(_)
    ));
}

#[tokio::test]
async fn a_sync_that_fails_names_the_object_that_did() {
    let bench = bench().await;
    bench.world.set("argocd.fails", "nextcloud");
    let job = bench.job(kinds::SYNC, "nextcloud", &[]).await;
    let (outcome, _) = bench.operate(&job).await;
    let Err(SendError::Failed(fault)) = outcome else { panic!("{outcome:?}") };
    assert!(fault.what.starts_with("Deployment nextcloud: ") && fault.what.contains("immutable"), "{fault}");
    let proof = bench.argo.verify(&job, None, bench.world.clock.now()).await.unwrap();
    assert!(matches!(proof, Proof::Absent(_)), "{proof:?}");
}

#[tokio::test]
async fn an_application_under_operation_takes_no_other() {
    let bench = bench().await;
    let running = serde_json::json!({"phase": "Running", "message": "one or more tasks are running",
        "operation": {"initiatedBy": {"username": "someone"}, "sync": {}}, "startedAt": "2026-11-20T02:59:00Z"});
    bench.world.set("argocd.controller", "stuck");
    bench
        .lab
        .store
        .update("applications", "argocd/nextcloud", |app| app["status"]["operationState"] = running)
        .unwrap();
    let job = bench.job(kinds::SYNC, "nextcloud", &[]).await;
    let verdict = bench.argo.preflight(&job).await.unwrap();
    assert_eq!(verdict.decision, Decision::Refuse);
    assert!(says(&verdict).contains("another one is Running, by someone"), "{}", says(&verdict));
    assert!(matches!(bench.operate(&job).await.0, Err(SendError::NotSent(_))));
    assert_eq!(bench.lab.writes(), 0);
}

#[tokio::test]
async fn a_missing_right_refuses_before_anything_is_sent() {
    let bench = bench().await;
    bench.world.set("kubernetes-cloud.deny", "patch applications");
    let job = bench.job(kinds::SYNC, "nextcloud", &[]).await;
    let verdict = bench.argo.preflight(&job).await.unwrap();
    assert_eq!(verdict.decision, Decision::Refuse);
    assert!(says(&verdict).contains("lacks patch applications.argoproj.io"), "{}", says(&verdict));
    let rights = bench.argo.rights().await.unwrap();
    assert_eq!(rights.missing.get(kinds::SYNC).map(String::as_str), Some(kinds::PATCH));
    let Err(SendError::Refused(fault)) = bench.operate(&job).await.0 else { panic!("not refused") };
    assert_eq!(fault.missing.as_deref(), Some(kinds::PATCH));
}

#[tokio::test]
async fn another_application_of_the_same_name_is_not_the_one_that_was_chosen() {
    let bench = bench().await;
    let job = bench.job(kinds::SYNC, "nextcloud", &[]).await;
    let object = bench.app("nextcloud");
    bench.lab.store.delete("applications", "argocd/nextcloud", &serde_json::json!({})).unwrap();
    bench.lab.store.put("applications", object);
    let Err(SendError::NotSent(fault)) = bench.operate(&job).await.0 else { panic!("it was sent") };
    assert!(fault.what.contains("another application"), "{fault}");
    assert_eq!(bench.lab.writes(), 0);
}

#[tokio::test]
async fn a_patch_whose_answer_is_lost_is_sent_once_unknown_and_then_read_back() {
    let bench = bench().await;
    let job = bench.job(kinds::SYNC, "nextcloud", &[]).await;
    let since = bench.world.clock.now();
    for fault in ["kubernetes-cloud:lost-answer@PATCH /*1", "kubernetes-cloud:swallowed@PATCH /*1"] {
        let writes = bench.lab.writes();
        bench.inject(fault);
        let (outcome, notes) = bench.operate(&job).await;
        assert!(matches!(outcome, Err(SendError::Unknown(_))), "{fault}: {outcome:?}");
        assert_eq!((bench.lab.writes() - writes, notes.len()), (1, 0), "{fault}");
        let mut proof = Proof::Unclear(String::new(), String::new());
        while matches!(proof, Proof::Unclear(..)) {
            proof = bench.argo.verify(&job, None, since).await.unwrap();
        }
        assert!(matches!(&proof, Proof::Seen(text) if text.starts_with("Synced at 8f2c1a4")), "{proof:?}");
    }
    assert_eq!(bench.lab.writes(), 2);
}

#[tokio::test]
async fn good_news_is_taken_back_when_the_controller_falls_silent() {
    let clock = Clock::manual("2026-11-20T03:00:00Z".parse().unwrap());
    let bench = bench_at(clock.clone()).await;
    bench.world.set("argocd.controller", "stuck");
    clock.advance(jiff::SignedDuration::from_secs(800));
    let snapshot = bench.argo.poll(&sources(&bench.argo.settings)[0].id).await.unwrap();
    let comet = snapshot.rows.iter().find(|row| &*row.name == "comet").unwrap();
    assert_eq!((comet.health, comet.cell(0).value.as_text()), (Health::Unknown, Some("Stale")));
}

#[tokio::test]
async fn the_controllers_work_is_seen_as_it_happens() {
    let bench = bench().await;
    let (sink, mut deltas) = mpsc::channel(64);
    let argo = bench.argo.clone();
    tokio::spawn(async move { argo.watch(&sources(&argo.settings)[0].id, sink).await });
    assert!(matches!(deltas.recv().await.unwrap(), Delta::Reset(snapshot) if snapshot.complete));
    let job = bench.job(kinds::SYNC, "nextcloud", &[]).await;
    bench.operate(&job).await.0.unwrap();
    let mut states = Vec::new();
    while let Ok(Some(delta)) = tokio::time::timeout(Duration::from_secs(10), deltas.recv()).await {
        let Delta::Change { upserts, .. } = delta else { continue };
        let rows = upserts.iter().filter(|row| &*row.name == "nextcloud");
        states.extend(rows.map(|row| row.cell(0).value.as_text().unwrap_or_default().to_owned()));
        if states.last().is_some_and(|state| state == "Healthy") {
            break;
        }
    }
    states.dedup();
    assert_eq!(states, ["OutOfSync", "Syncing", "Progressing", "Healthy"]);
}

#[tokio::test]
async fn a_closed_window_is_explained_before_the_sync_hangs_in_it() {
    let bench = bench().await;
    let window = serde_json::json!([{"kind": "deny", "schedule": "0 0 * * *", "duration": "24h", "applications": ["*"]}]);
    bench
        .lab
        .store
        .update("appprojects", "argocd/apps", |project| project["spec"]["syncWindows"] = window)
        .unwrap();
    let job = bench.job(kinds::SYNC, "nextcloud", &[]).await;
    let verdict = bench.argo.preflight(&job).await.unwrap();
    assert_eq!(verdict.decision, Decision::Refuse);
    assert!(says(&verdict).contains("closed by deny window `0 0 * * *` for 24h"), "{}", says(&verdict));
}

#[tokio::test]
async fn a_rollback_is_refused_with_the_way_in_git_while_auto_sync_is_on() {
    let bench = bench().await;
    let job = bench.job(kinds::ROLLBACK, "comet", &[("id", "11")]).await;
    let verdict = bench.argo.preflight(&job).await.unwrap();
    assert_eq!(verdict.decision, Decision::Refuse);
    assert!(
        says(&verdict).contains("revert the commit in https://git.lab.example/lab/homelab.git apps/comet")
    );
    assert!(matches!(bench.operate(&job).await.0, Err(SendError::NotSent(_))));
    let job = bench.job(kinds::ROLLBACK, "nextcloud", &[("id", "99")]).await;
    assert!(says(&bench.argo.preflight(&job).await.unwrap()).contains("no entry `99`"));
    assert_eq!(bench.lab.writes(), 0);
}

#[tokio::test]
async fn a_rollback_applies_the_old_revision_with_its_own_source() {
    let bench = bench().await;
    let job = bench.job(kinds::ROLLBACK, "nextcloud", &[("id", "11")]).await;
    let op = kinds::operations().into_iter().find(|op| op.name == kinds::ROLLBACK).unwrap();
    let form = bench.argo.form(&op, std::slice::from_ref(&job.target)).await.unwrap();
    assert!(form[0].check("11").is_ok() && form[0].check("99").is_err());
    assert_eq!(bench.argo.preflight(&job).await.unwrap().decision, Decision::Warn);
    bench.operate(&job).await.0.unwrap();
    let sync = &bench.app("nextcloud")["status"]["operationState"]["operation"]["sync"];
    assert_eq!(
        (&sync["revision"], &sync["syncStrategy"]),
        (&sim::apps::BEFORE.into(), &serde_json::json!({"apply": {}}))
    );
    assert_eq!(sync["source"]["repoURL"], sim::apps::REPOSITORY);
    assert_eq!(bench.app("nextcloud")["status"]["sync"]["status"], "OutOfSync");
}

#[tokio::test]
async fn an_operation_is_ended_and_nothing_is_ended_where_none_runs() {
    let bench = bench().await;
    let job = bench.job(kinds::TERMINATE, "nextcloud", &[]).await;
    assert_eq!(bench.argo.preflight(&job).await.unwrap().decision, Decision::Refuse);
    let running = serde_json::json!({"phase": "Running", "message": "waiting", "operation": {"sync": {}}, "startedAt": "2026-11-20T02:59:00Z"});
    bench.world.set("argocd.controller", "stuck");
    bench
        .lab
        .store
        .update("applications", "argocd/nextcloud", |app| app["status"]["operationState"] = running)
        .unwrap();
    assert_eq!(bench.argo.preflight(&job).await.unwrap().decision, Decision::Warn);
    bench.world.set("argocd.controller", "");
    bench.operate(&job).await.0.unwrap();
    assert!(matches!(bench.argo.verify(&job, None, bench.world.clock.now()).await.unwrap(), Proof::Seen(_)));
}

#[tokio::test]
async fn auto_sync_is_switched_and_read_back() {
    let bench = bench().await;
    let job = bench.job(kinds::AUTO_SYNC, "comet", &[("state", "off")]).await;
    assert_eq!(bench.argo.preflight(&job).await.unwrap().decision, Decision::Allow);
    bench.operate(&job).await.0.unwrap();
    let proof = bench.argo.verify(&job, None, bench.world.clock.now()).await.unwrap();
    assert_eq!(proof, Proof::Seen("auto-sync is off".to_owned()));
    assert_eq!(bench.app("comet")["spec"]["syncPolicy"]["automated"]["selfHeal"], true);
    assert_eq!(bench.argo.preflight(&job).await.unwrap().decision, Decision::Refuse);
}

#[tokio::test]
async fn a_sync_of_one_object_leaves_the_others_and_a_wrong_name_is_refused() {
    let bench = bench().await;
    let job = bench.job(kinds::SYNC, "nextcloud", &[("only", "Deployment/nextcloud")]).await;
    bench.operate(&job).await.0.unwrap();
    let resources = &bench.app("nextcloud")["status"]["resources"];
    assert_eq!((&resources[0]["status"], &resources[2]["status"]), (&"OutOfSync".into(), &"Synced".into()));
    let job = bench.job(kinds::SYNC, "nextcloud", &[("only", "Deployment/other")]).await;
    assert_eq!(bench.argo.preflight(&job).await.unwrap().decision, Decision::Refuse);
    assert!(matches!(bench.operate(&job).await.0, Err(SendError::NotSent(_))));
}

#[tokio::test]
async fn the_waves_show_loki_as_passed_over() {
    let bench = bench().await;
    let rows = bench.argo.poll(&sources(&bench.argo.settings)[1].id).await.unwrap().rows;
    let loki = rows.iter().find(|row| &*row.id.key == "prod/3").unwrap();
    assert_eq!(loki.cell(0).value.as_text(), Some("Passed over"));
    assert!(loki.note.as_deref().unwrap().starts_with("loki: Progressing for "), "{:?}", loki.note);
    assert!(rows.iter().any(|row| &*row.id.key == "in-cluster/4" && row.health == Health::Warning));
    let projects = bench.argo.poll(&sources(&bench.argo.settings)[3].id).await.unwrap();
    assert_eq!(projects.rows.len(), 3);
}

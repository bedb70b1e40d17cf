//! The alerts backend against Debian's own Alertmanager: one alone, two as a cluster, one behind a password.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test's helpers may fail the test, and say why they were skipped"
)]

mod real;

use std::fs;
use std::path::Path;
use std::process::Command;

use real::{
    Server, alertmanager, amtool, client, config, connect, free_port, job, poll, post_alerts, programs, row,
    run, single, until, value, word,
};
use serde_json::Value;
use vigie::backend::error::SendError;
use vigie::backend::{Proof, Upkeep};
use vigie::model::op::Decision;
use vigie::model::row::Health;
use vigie::model::snapshot::Layer;

const ALERTS: &str = "alerts.alerts";
const SILENCES: &str = "alerts.silences";

/// Two members that have found each other.
async fn pair(program: &Path, folder: &Path) -> [Server; 2] {
    let gossip = [free_port(), free_port()];
    let listen = |index: usize| format!("--cluster.listen-address=127.0.0.1:{}", gossip[index]);
    let settle = || "--cluster.settle-timeout=1s".to_owned();
    let first = alertmanager(program, folder, free_port(), &[listen(0), settle()]).await;
    let peer = format!("--cluster.peer=127.0.0.1:{}", gossip[0]);
    let second = alertmanager(program, folder, free_port(), &[listen(1), settle(), peer]).await;
    let client = client();
    for server in [&first, &second] {
        until(async || {
            let answer = client.get(format!("{}/api/v2/status", server.url)).send().await.ok()?;
            let status: Value = answer.json().await.ok()?;
            let peers = status["cluster"]["peers"].as_array()?.len();
            (peers == 2 && status["cluster"]["status"] == "ready").then_some(())
        })
        .await;
    }
    [first, second]
}

fn of_pair(servers: &[Server; 2]) -> String {
    let member = |number: usize| {
        let url = &servers[number].url;
        format!(
            "[[alertmanager]]\nname = \"am-{number}\"\nurl = \"{url}\"\ncluster = \"lab\"\ndomain = \"home\"\n"
        )
    };
    format!("{}{}", member(0), member(1))
}

#[tokio::test]
async fn a_pair_is_one_instance_whose_alerts_are_united() {
    let Some([program]) = programs(["prometheus-alertmanager"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let servers = pair(&program, folder.path()).await;
    post_alerts(&servers[0].url, |_| true).await;
    post_alerts(&servers[1].url, |name| name != "ZfsOfflinePool").await;
    let backends = connect(&config(&of_pair(&servers), folder.path()));
    assert_eq!(backends.len(), 1);

    let list = poll(&backends[0], "alertmanager").await;
    assert!(list.complete, "{:?}", list.notes);
    let alerts = list.rows.iter().filter(|row| row.id.kind.as_str() == ALERTS).count();
    assert_eq!(alerts, 40, "41 were posted, one of them as resolved");
    assert_eq!(word(&row(&list, ALERTS, "ZfsOfflinePool"), "seen"), "1/2");
    assert_eq!(word(&row(&list, ALERTS, "KubeJobFailed"), "seen"), "2/2");
    let unreachable = row(&list, ALERTS, "KubeNodeUnreachable");
    assert_eq!(unreachable.note.as_deref(), Some("by KubeNodeNotReady oci-node-2"));
    assert_eq!((word(&unreachable, "state").as_str(), unreachable.health), ("inhibited", Health::Off));
    assert_eq!(row(&list, ALERTS, "EdgeNoSeverity").health, Health::Unknown);
    assert_eq!(row(&list, ALERTS, "PveVm/ctDown").health, Health::Warning);
    let well = backends[0].doctor().await;
    assert!(well.healthy(), "{:?}", well.findings);
}

#[tokio::test]
async fn a_silence_lives_under_one_id_on_every_member() {
    let Some([program, tool]) = programs(["prometheus-alertmanager", "amtool"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let servers = pair(&program, folder.path()).await;
    for server in &servers {
        post_alerts(&server.url, |_| true).await;
    }
    let backend = &connect(&config(&of_pair(&servers), folder.path()))[0];

    let alert = row(&poll(backend, "alertmanager").await, ALERTS, "KubeJobFailed");
    let args = [("duration", "1h"), ("comment", "known, fix is in review")];
    let (verdict, proof) = run(backend, job("alerts.silence", &alert, &args)).await;
    assert_eq!(verdict.decision, Decision::Allow, "{verdict:?}");
    assert!(matches!(proof, Ok(Proof::Seen(_))), "{proof:?}");
    let seen = until(async || {
        let seen = amtool(&tool, &servers[1].url, &["silence", "query", "-o", "json"]);
        (seen.as_array()?.len() == 1).then_some(seen)
    })
    .await;
    assert_eq!(
        (&seen[0]["createdBy"], &seen[0]["comment"]),
        (&"alice".into(), &"known, fix is in review".into())
    );
    let id = seen[0]["id"].as_str().unwrap().to_owned();

    let list = poll(backend, "alertmanager").await;
    assert_eq!(word(&row(&list, ALERTS, "KubeJobFailed"), "state"), "silenced");
    let silence = list.rows.iter().find(|row| *row.id.key == *id).unwrap().clone();
    assert_eq!(value(&silence, "hits").as_number(), Some(1.0));

    let (_, proof) = run(backend, job("alerts.extend-silence", &silence, &[("duration", "30m")])).await;
    assert!(matches!(proof, Ok(Proof::Seen(_))), "{proof:?}");
    let list = poll(backend, "alertmanager").await;
    let longer = list.rows.iter().find(|row| row.id == silence.id).unwrap().clone();
    let gained = value(&longer, "ends").as_number().unwrap() - value(&silence, "ends").as_number().unwrap();
    assert!((gained - 1800.0).abs() < 1.5, "{gained}");
    let all = amtool(&tool, &servers[0].url, &["silence", "query", "-o", "json"]);
    assert_eq!((all.as_array().unwrap().len(), all[0]["id"].as_str()), (1, Some(id.as_str())));

    let stale = backend.operate(&job("alerts.extend-silence", &silence, &[("duration", "1h")]), sink()).await;
    assert!(matches!(stale, Err(SendError::Refused(_))), "it was changed since: {stale:?}");

    let (verdict, proof) = run(backend, job("alerts.expire-silence", &longer, &[])).await;
    assert!(verdict.effect.contains("told again"), "{verdict:?}");
    assert!(matches!(proof, Ok(Proof::Seen(_))), "{proof:?}");
    until(async || {
        let left = amtool(&tool, &servers[1].url, &["silence", "query", "-o", "json"]);
        left.as_array()?.is_empty().then_some(())
    })
    .await;
}

/// The silences that are not expired, as another tool sees them on one member.
fn silences(tool: &Path, server: &Server) -> Vec<Value> {
    amtool(tool, &server.url, &["silence", "query", "-o", "json"]).as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn an_acknowledgement_is_renewed_under_its_id_and_given_back_on_both_members() {
    let Some([program, tool]) = programs(["prometheus-alertmanager", "amtool"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let servers = pair(&program, folder.path()).await;
    for server in &servers {
        post_alerts(&server.url, |_| true).await;
    }
    let backend = &connect(&config(&of_pair(&servers), folder.path()))[0];
    let alert = row(&poll(backend, "alertmanager").await, ALERTS, "KubeJobFailed");
    let ack = job("alerts.ack", &alert, &[("duration", "5s"), ("comment", "on it")]);
    let (verdict, proof) = run(backend, ack.clone()).await;
    assert!(verdict.evidence.iter().any(|fact| fact.what == "renewal"), "{verdict:?}");
    assert!(matches!(proof, Ok(Proof::Seen(_))), "{proof:?}");
    let made = until(async || silences(&tool, &servers[1]).pop()).await;
    let comment = made["comment"].as_str().unwrap();
    assert!(comment.starts_with("ACK! on it [by=alice until=resolved ref="), "{comment}");
    assert_eq!(word(&row(&poll(backend, "alertmanager").await, ALERTS, "KubeJobFailed"), "state"), "acked");

    let since = jiff::Timestamp::now();
    let renewal = until(async || match backend.upkeep(&ack, since).await {
        Ok(Upkeep::Due(renewal)) => Some(*renewal),
        _ => None,
    })
    .await;
    let (_, proof) = run(backend, renewal).await;
    assert!(matches!(proof, Ok(Proof::Seen(_))), "{proof:?}");
    let renewed = silences(&tool, &servers[0]);
    assert_eq!((renewed.len(), &renewed[0]["id"]), (1, &made["id"]), "the same silence goes on");
    assert_eq!(renewed[0]["matchers"], made["matchers"]);
    assert!(renewed[0]["endsAt"].as_str() > made["endsAt"].as_str(), "{renewed:?}");

    let alert = row(&poll(backend, "alertmanager").await, ALERTS, "KubeJobFailed");
    let (verdict, proof) = run(backend, job("alerts.unack", &alert, &[])).await;
    assert!(verdict.effect.contains("told again"), "{verdict:?}");
    assert!(matches!(proof, Ok(Proof::Seen(_))), "{proof:?}");
    until(async || silences(&tool, &servers[1]).is_empty().then_some(())).await;
    assert!(matches!(backend.upkeep(&ack, since).await, Ok(Upkeep::Over(_))), "nothing is left to renew");
}

#[tokio::test]
async fn the_routes_of_a_real_configuration_explain_what_no_api_tells() {
    let Some([program]) = programs(["prometheus-alertmanager"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let servers = pair(&program, folder.path()).await;
    for server in &servers {
        post_alerts(&server.url, |_| true).await;
    }
    let backend = &connect(&config(&of_pair(&servers), folder.path()))[0];
    let list = poll(backend, "alertmanager").await;
    // Muted by an interval: 0.25 calls it active and names no interval.
    let night = row(&list, ALERTS, "NavidromeHighLatency");
    assert_eq!((word(&night, "state"), word(&night, "told")), ("untold".to_owned(), "ntfy-night".to_owned()));
    let groups = poll(backend, "groups").await;
    let memberships: f64 = groups.rows.iter().filter_map(|row| value(row, "alerts").as_number()).sum();
    assert!(memberships > 40.0, "`continue` puts an alert into several groups: {memberships}");
    let checks: Vec<String> = list
        .rows
        .iter()
        .filter(|row| row.id.kind.as_str() == "alerts.trust" && row.health != Health::Ok)
        .map(|row| row.name.to_string())
        .collect();
    assert!(checks.is_empty(), "a real pair that is ready and has a watchdog is trusted: {checks:?}");
}

fn sink() -> vigie::backend::ProgressSink {
    tokio::sync::mpsc::channel(8).0
}

#[tokio::test]
async fn with_one_member_dead_the_other_is_read_and_written_to() {
    let Some([program, tool]) = programs(["prometheus-alertmanager", "amtool"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let [first, second] = pair(&program, folder.path()).await;
    post_alerts(&second.url, |_| true).await;
    let text = of_pair(&[first, second]);
    // Both are gone with the array: start the second one again where it was.
    let port =
        text.lines().rfind(|line| line.starts_with("url")).and_then(|line| line.rsplit(':').next()).unwrap();
    let port: u16 = port.trim_end_matches('"').parse().unwrap();
    let alone = alertmanager(&program, folder.path(), port, &["--cluster.listen-address=".to_owned()]).await;
    post_alerts(&alone.url, |_| true).await;
    let backend = &connect(&config(&text, folder.path()))[0];
    let list = poll(backend, "alertmanager").await;
    assert!(!list.complete && list.notes.iter().any(|note| note.starts_with("am-0 ")), "{:?}", list.notes);
    let alert = row(&list, ALERTS, "KubeJobFailed");
    let (verdict, proof) =
        run(backend, job("alerts.silence", &alert, &[("duration", "1h"), ("comment", "x")])).await;
    assert_eq!(verdict.decision, Decision::Warn);
    assert!(matches!(proof, Ok(Proof::Seen(_))), "{proof:?}");
    assert_eq!(amtool(&tool, &alone.url, &["silence", "query", "-o", "json"]).as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_silence_of_somebody_else_is_shown_with_its_pattern_and_author() {
    let Some([program, tool]) = programs(["prometheus-alertmanager", "amtool"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let server = single(&program, folder.path()).await;
    post_alerts(&server.url, |_| true).await;
    let silence = [
        "silence",
        "add",
        "--author=bob",
        "--comment=ACK! disks",
        "--duration=2h",
        "namespace=~longhorn-system|velero",
    ];
    amtool(&tool, &server.url, &silence);
    let settings = format!("[[alertmanager]]\nname = \"one\"\nurl = \"{}\"\n", server.url);
    let list = poll(&connect(&config(&settings, folder.path()))[0], "alertmanager").await;
    let silence = list.rows.iter().find(|row| row.id.kind.as_str() == SILENCES).unwrap();
    assert_eq!((word(silence, "by").as_str(), value(silence, "hits").as_number()), ("bob", Some(2.0)));
    assert_eq!(word(&row(&list, ALERTS, "VeleroUnsuccessfulBackup"), "state"), "acked");
}

#[tokio::test]
async fn a_password_is_sent_and_a_wrong_one_is_told_as_such() {
    let Some([program]) = programs(["prometheus-alertmanager"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let web = folder.path().join("web.yml");
    // The bcrypt hash of `s3cret`.
    let hash = "$2b$04$KPmLa.pQnlZDW4lnuF1UG.eRdXtlk.wJZ22EnotNfWU.biXMX4G0y";
    fs::write(&web, format!("basic_auth_users:\n  ops: {hash}\n")).unwrap();
    let extra = ["--cluster.listen-address=".to_owned(), format!("--web.config.file={}", web.display())];
    let server = alertmanager(&program, folder.path(), free_port(), &extra).await;
    for (password, layer) in [("s3cret", None), ("wrong", Some(Layer::Auth))] {
        let argv = format!("[\"printf\", \"%s\", \"{password}\"]");
        let toml = format!(
            "[[alertmanager]]\nname = \"one\"\nurl = \"{}\"\nuser = \"ops\"\npassword = {{ command = {argv} }}\n",
            server.url
        );
        let backend = &connect(&config(&toml, folder.path()))[0];
        // On a busy machine an answer may be late; what it says in the end is what counts.
        until(async || {
            let answer = backend.poll(&backend.sources()[0].id).await;
            let said = answer.err().map(|error| error.fault.layer);
            assert!(said == layer || said == Some(Layer::Http), "{password}: {said:?}");
            (said == layer).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn the_command_line_lists_silences_and_expires() {
    let Some([program, tool]) = programs(["prometheus-alertmanager", "amtool"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let server = single(&program, folder.path()).await;
    post_alerts(&server.url, |_| true).await;
    let config = folder.path().join("config.toml");
    fs::write(&config, format!("[[alertmanager]]\nname = \"one\"\nurl = \"{}\"\n", server.url)).unwrap();
    let vigie = async |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vigie"));
        command.arg("--config").arg(&config).args(arguments);
        command.env("XDG_STATE_HOME", folder.path()).env("XDG_CONFIG_HOME", folder.path());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, listed) = vigie(&["get", "alerts.alerts", "-o", "json"]).await;
    assert_eq!(code, Some(0));
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!((listed["rows"].as_array().unwrap().len(), &listed["complete"]), (40, &true.into()));
    let silence = [
        "do",
        "alerts.silence",
        "KubeJobFailed",
        "--set",
        "duration=1h",
        "--set",
        "comment=fix is in review",
    ];
    assert_eq!(vigie(&silence).await.0, Some(4), "not confirmed");
    assert_eq!(vigie(&[&silence[..], &["--yes"]].concat()).await.0, Some(0));
    let seen = amtool(&tool, &server.url, &["silence", "query", "-o", "json"]);
    assert_eq!(seen[0]["comment"], "fix is in review");
    let id = format!("alerts.silences/one/{}", seen[0]["id"].as_str().unwrap());
    assert_eq!(vigie(&["do", "alerts.expire-silence", &id, "--yes"]).await.0, Some(0));
    assert_eq!(amtool(&tool, &server.url, &["silence", "query", "-o", "json"]).as_array().unwrap().len(), 0);
}

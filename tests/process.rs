//! The program as a process, on a lab in another process: what a kill leaves behind, who may act at the same time,
//! and what must never be written anywhere.
#![cfg(feature = "demo")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test's helpers may fail the test")]

use std::path::Path;
use std::process::Stdio;

#[path = "support/lab.rs"]
mod lab;

use lab::{Lab, said, until};

/// How many tasks of a kind the simulated host has ever run on a guest.
fn tasks(lab: &Lab, kind: &str, guest: &str) -> usize {
    let output = lab.run(&["get", "proxmox.tasks", "-o", "jsonl"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().filter(|line| line.contains(&format!(":{kind}:{guest}:"))).count()
}

/// The start of talos-dev is carried out by the server, and its answer is lost.
const SWALLOWED: &str = "proxmox:swallowed@/api2/json/nodes/pve/qemu/120/status/start*1";

#[test]
fn a_run_that_was_killed_after_sending_is_read_back_and_never_sent_again() {
    let lab = Lab::start(&[SWALLOWED]);
    let mut killed =
        lab.vigie(&["do", "proxmox.start", "talos-dev", "--yes"]).stdout(Stdio::null()).spawn().unwrap();
    until("the decision is journalled", || lab.journal().contains("\"what\":\"sending\""));
    until("the server works on it", || tasks(&lab, "qmstart", "120") == 1);
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(!lab.journal().contains("\"what\":\"done\""), "{}", lab.journal());

    // Whatever comes next looks before it acts: it is refused, or finds the effect already there.
    let again = lab.run(&["do", "proxmox.start", "talos-dev", "--yes"]);
    assert_eq!(again.status.code(), Some(4), "{}", said(&again));
    assert_eq!(tasks(&lab, "qmstart", "120"), 1, "it was sent twice");
    until("the open line is closed by reading back", || {
        lab.run(&["do", "proxmox.start", "talos-dev", "--yes"]);
        lab.journal().contains("\"what\":\"done\"")
    });
    assert_eq!(tasks(&lab, "qmstart", "120"), 1, "it was sent twice");
}

#[test]
fn two_processes_on_one_target_are_not_both_let_through() {
    let lab = Lab::start(&[SWALLOWED]);
    let mut first =
        lab.vigie(&["do", "proxmox.start", "talos-dev", "--yes"]).stdout(Stdio::null()).spawn().unwrap();
    until("the first has sent", || lab.journal().contains("\"what\":\"sending\""));
    let second = lab.run(&["do", "proxmox.start", "talos-dev", "--yes"]);
    assert_eq!(second.status.code(), Some(4), "{}", said(&second));
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(tasks(&lab, "qmstart", "120"), 1);
}

/// Every secret of the lab: whole files, and the encoded parts that a careless print would show.
fn secrets(folder: &Path) -> Vec<String> {
    let mut secrets = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        if text.contains("apiVersion") {
            let token =
                |line: &str| line.split("token:").nth(1).map(|t| t.trim().trim_matches('"').to_owned());
            secrets.extend(text.lines().filter_map(token));
        } else {
            let token = text.trim().rsplit(['=', '.']).find(|part| part.len() > 8);
            secrets.extend(token.map(str::to_owned));
            secrets.push(text.trim().to_owned());
        }
    }
    secrets.retain(|secret| secret.len() > 8);
    secrets
}

#[test]
fn secrets_are_in_no_output_no_log_and_no_journal() {
    let lab = Lab::start(&["alertmanager:401", "omni:403"]);
    let secrets = secrets(&lab.dir.path().join("lab.toml.d"));
    assert!(secrets.len() >= 4, "the lab has secrets to look for: {}", secrets.len());
    let link = lab.dir.path().join("link");
    let mut seen = String::new();
    for args in [
        &["--log-level", "trace", "doctor"][..],
        &["--log-level", "trace", "get", "proxmox.guests", "-o", "json"],
        &["--log-level", "trace", "get", "omni.clusters"],
        &["--log-level", "trace", "get", "authentik.invitations", "-o", "json"],
        &["--log-level", "trace", "do", "proxmox.start", "talos-dev", "--yes"],
        &[
            "--log-level",
            "trace",
            "do",
            "authentik.invite",
            "grandma",
            "--set",
            "group=family-validated",
            "--yes",
            "--secret-out",
            link.to_str().unwrap(),
        ],
    ] {
        let output = lab.run(args);
        seen.push_str(&said(&output));
    }
    let revealed =
        std::fs::read_to_string(&link).unwrap_or_else(|error| panic!("no link was written: {error}\n{seen}"));
    seen.push_str(&lab.journal());
    seen.push_str(&std::fs::read_to_string(lab.state().join("vigie.log")).unwrap_or_default());
    for secret in &secrets {
        assert!(!seen.contains(secret.as_str()), "a secret of {} characters was written", secret.len());
    }
    let token =
        revealed.split("itoken=").nth(1).and_then(|rest| rest.split(['&', '\n', ' ']).next()).unwrap();
    assert!(!seen.contains(token), "the invitation's link was written:\n{seen}");
}

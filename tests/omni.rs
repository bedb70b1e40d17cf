//! Every operation on Omni by `vigie do`, on a lab in another process: what is done, what is refused, and what a lost
//! answer becomes.
#![cfg(feature = "demo")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test's helpers may fail the test")]

#[path = "support/lab.rs"]
mod lab;

use lab::{Lab, said, until};

/// One call: its line, the code that it ends with, and a part of what it says.
type Call<'a> = (&'a str, i32, &'a str);

/// Done, confirmed as its tier wants it.
const DONE: i32 = 0;
/// Refused, and nothing was sent.
const REFUSED: i32 = 4;

/// Runs calls one after the other; `{dir}` is a folder, words in quotes are one.
fn play(lab: &Lab, calls: &[Call<'_>]) {
    let dir = lab.dir.path().to_str().unwrap();
    for (line, code, part) in calls {
        let line = line.replace("{dir}", dir);
        let mut args = vec!["do"];
        for (number, piece) in line.split('"').enumerate() {
            if number % 2 == 1 { args.push(piece) } else { args.extend(piece.split_whitespace()) }
        }
        let output = lab.run(&args);
        let told = said(&output);
        assert_eq!(output.status.code(), Some(*code), "{line}: {told}");
        assert!(told.contains(&part.replace("{dir}", dir)), "{line}: {told}");
    }
}

#[test]
fn what_stays_is_changed_from_the_command_line() {
    let lab = Lab::with(&["--scenario", "leaks"]);
    play(
        &lab,
        &[
            ("omni.lock talos-prod-worker-1 --yes", DONE, "talos-prod-worker-1 is locked"),
            ("omni.lock talos-prod-worker-1 --yes", REFUSED, "locked already"),
            ("omni.unlock talos-prod-worker-1 --yes", DONE, "talos-prod-worker-1 is not locked"),
            ("omni.lock oci-node-1 --yes", REFUSED, "does not lock control planes"),
            ("omni.set-labels oci-node-2 --set \"labels=domain=cloud rack=r7\" --yes", DONE, "rack=r7"),
            ("omni.set-labels oci-node-2 --set labels=omni.sidero.dev/x=1 --yes", REFUSED, "Omni's own"),
            ("omni.reboot oci-node-2 --confirm oci-node-2 --reason tried", DONE, "oci-node-2 is r"),
            (
                "omni.reboot oci-node-2 --confirm oci-node-1 --reason tried",
                REFUSED,
                "to confirm, type: oci-node-2",
            ),
            ("omni.power-on oci-node-2 --yes", REFUSED, "it is on already"),
            ("omni.power-off oci-node-2 --confirm oci-node-2 --reason tried", DONE, "oci-node-2 is"),
        ],
    );
    until("the machine is off", || {
        said(&lab.run(&["get", "omni.machines", "oci-node-2"])).contains("powered off")
    });
    play(
        &lab,
        &[
            ("omni.power-on oci-node-2 --yes", DONE, "oci-node-2 is"),
            ("omni.etcd-backup prod --yes", DONE, "a backup was made after it was asked for"),
            (
                "omni.patch prod --set name=vlan --set \"patch=machine: {}\" --confirm prod --reason tried",
                DONE,
                "holds it",
            ),
            (
                "omni.patch prod --set name=vlan --set patch=words --confirm prod --reason tried",
                REFUSED,
                "no mapping",
            ),
            (
                "omni.scale dev-ephemeral-9001-workers --set count=2 --confirm dev-ephemeral-9001-workers --reason tried",
                DONE,
                "wants 2 machines",
            ),
            (
                "omni.scale prod-workers --set count=2 --confirm prod-workers --reason x",
                REFUSED,
                "no class fills this set",
            ),
        ],
    );
}

#[test]
fn files_are_written_and_merged_from_the_command_line() {
    let lab = Lab::start(&[]);
    play(
        &lab,
        &[
            ("omni.kubeconfig prod --set path={dir}/k --yes", DONE, "{dir}/k holds"),
            ("omni.kubeconfig cloud --set path={dir}/k --yes", REFUSED, "exists; set `replace`"),
            ("omni.kubeconfig cloud --set path={dir}/k --set merge=true --yes", DONE, "{dir}/k holds"),
            (
                "omni.kubeconfig cloud --set path={dir}/k --set merge=true --set replace=true --yes",
                REFUSED,
                "exclude",
            ),
            ("omni.talosconfig prod --set path={dir}/t --yes", DONE, "{dir}/t holds"),
            ("omni.support-bundle prod --set path={dir}/b.zip --yes", DONE, "{dir}/b.zip holds"),
            ("omni.support-bundle prod --set path={dir}/none/b.zip --yes", REFUSED, "does not exist"),
        ],
    );
    let merged = std::fs::read_to_string(lab.dir.path().join("k")).unwrap();
    assert!(merged.contains("omni-prod") && merged.contains("sim-token-cloud"), "{merged}");
}

#[test]
fn clusters_are_upgraded_from_the_command_line() {
    let lab = Lab::with(&["--scenario", "leaks"]);
    let sure = "--set soak=1s --confirm prod --reason tried";
    play(
        &lab,
        &[
            (
                "omni.upgrade-talos cloud --set version=1.9.5 --set soak=1s --confirm cloud --reason x",
                REFUSED,
                "would move comet",
            ),
            (&format!("omni.upgrade-talos prod --set version=2.0.0 {sure}"), 2, "is none of 1.9.5"),
            (
                &format!("omni.upgrade-talos prod --set version=1.9.5 {sure}"),
                DONE,
                "Omni reports 1.9.5 as done",
            ),
            (
                &format!("omni.upgrade-kubernetes prod --set version=1.32.3 {sure}"),
                DONE,
                "Omni reports 1.32.3 as done",
            ),
        ],
    );
}

#[test]
fn clusters_live_and_die_from_the_command_line() {
    let lab = Lab::with(&["--scenario", "leaks"]);
    let all =
        "dev-ephemeral-8841 dev-ephemeral-9001 dev-ephemeral-9002 dev-ephemeral-9003 dev-ephemeral-9004";
    play(
        &lab,
        &[
            ("omni.ephemeral-create 77 --confirm 77 --reason ci", REFUSED, "one at a time"),
            (
                "omni.ephemeral-destroy prod --confirm prod --reason x",
                REFUSED,
                "does not match dev-ephemeral-*",
            ),
            (&format!("omni.reap {all} --confirm 4 --reason ci"), REFUSED, "to confirm, type: 5"),
            (
                &format!("omni.reap {all} --confirm 5 --reason ci -o json"),
                DONE,
                "no machine or claim of it is left",
            ),
            (
                "omni.ephemeral-create 77 --set owner=ci-run-77 --confirm 77 --reason ci -o json",
                DONE,
                "dev-ephemeral-77 is running, 2 of 2 machines healthy",
            ),
            (
                "omni.reap dev-ephemeral-77 --confirm dev-ephemeral-77 --reason ci",
                REFUSED,
                "no leak: it lives",
            ),
        ],
    );
    let name =
        said(&lab.run(&["get", "omni.machines", "--filter", "cluster:dev-ephemeral-77", "-o", "jsonl"]));
    let name = name.split('"').find(|word| word.starts_with("dev-ephemeral-77-workers-")).unwrap().to_owned();
    play(
        &lab,
        &[
            (&format!("omni.free {name} --confirm {name} --reason x"), REFUSED, "Omni reaches it"),
            (
                "omni.reap dev-ephemeral-77 --set ended=ci-run-77 --confirm dev-ephemeral-77 --reason ci",
                DONE,
                "dev-ephemeral-77 is gone, and no machine or claim of it is left on cloud",
            ),
        ],
    );
    // Each of several has a line of its own, before and after.
    let journal = lab.journal();
    for name in all.split(' ') {
        let lines = journal.lines().filter(|line| line.contains(name)).count();
        assert!(lines >= 1, "{name}: {journal}");
    }
}

#[test]
fn a_lost_answer_is_read_back_and_a_role_that_does_not_suffice_is_named() {
    let lab = Lab::start(&["omni:lost-answer@/api/omni.resources.ResourceService/Update*1"]);
    play(
        &lab,
        &[
            ("omni.lock prod --yes", DONE, "prod is locked"),
            ("omni.lock prod --yes", REFUSED, "locked already"),
        ],
    );
    let lab = Lab::start(&["omni:403@/api/omni.resources.ResourceService/Update"]);
    play(&lab, &[("omni.lock prod --yes", 1, "refused by the server")]);
}

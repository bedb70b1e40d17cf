//! What was listed may be another thing, or elsewhere, when it is acted on: every operation on a guest or on one of its
//! snapshots notices. A task and a backup carry their time in their ids, and nothing else acts on a guest.

use super::operations::{CASES, Case, ELSEWHERE, MIGRATE};
use super::sim::{Guest, Node};
use super::*;
use crate::model::id::Conflict;

/// The operations that act on a guest itself, or on what belongs to it.
fn on_guests() -> impl Iterator<Item = &'static Case> {
    CASES.iter().chain([&MIGRATE]).filter(|case| case.kind != kinds::BACKUPS)
}

#[test]
fn no_operation_on_a_guest_is_left_out() {
    let own = |op: &&OpSpec| [kinds::GUESTS, kinds::SNAPSHOTS].iter().any(|kind| op.acts_on(&(*kind).into()));
    let all = ops::all();
    for op in all.iter().filter(own) {
        assert!(on_guests().any(|case| *case.op == *op.name), "{}", op.name);
    }
}

/// A job on a guest of the lab, and the identity that the confirmation froze.
async fn frozen(lab: &Lab, case: &Case) -> Job {
    let job = case.job(lab).await;
    let seen = lab.backend.preflight(&job).await.unwrap().identity;
    let target = Target { identity: job.target.identity.clone().joined(&seen), ..job.target.clone() };
    Job { target, ..job }
}

/// Changes the guest that a job is about.
fn change(lab: &Lab, job: &Job, change: impl FnOnce(&mut Guest)) {
    let number = job.target.id.key.split('/').nth(1).unwrap().parse().unwrap();
    change(lab.server.lab().guests.get_mut(&number).unwrap());
}

/// How the target differs now, looked at as the door looks just before sending, and as a new check sees it.
async fn conflicts(lab: &Lab, job: &Job) -> [Vec<Conflict>; 2] {
    let now = lab.backend.identify(&job.target.id).await.unwrap();
    let checked = lab.backend.preflight(job).await.unwrap().identity;
    [job.target.identity.conflicts(&now), job.target.identity.conflicts(&checked)]
}

#[tokio::test]
async fn a_number_that_another_guest_has_by_now_is_noticed_by_every_operation() {
    for case in on_guests() {
        let lab = lab("calm").await;
        let job = frozen(&lab, case).await;
        change(&lab, &job, |guest| {
            guest.name = "someone-else".into();
            guest.config.insert("smbios1".into(), "uuid=00000000-0000-4000-8000-00000000beef".into());
        });
        for found in conflicts(&lab, &job).await {
            let mut facts: Vec<&str> = found.iter().map(|conflict| &*conflict.fact).collect();
            facts.sort_unstable();
            assert_eq!(facts, ["name", "uuid"], "{}", case.op);
        }
        let number: u32 = job.target.id.key.split('/').nth(1).unwrap().parse().unwrap();
        lab.server.lab().guests.remove(&number);
        let error = lab.backend.identify(&job.target.id).await.unwrap_err();
        assert!(error.fault.what.contains("any more"), "{}: {error}", case.op);
    }
}

#[tokio::test]
async fn a_guest_that_moved_is_noticed_by_every_operation_and_its_old_host_does_nothing() {
    for case in on_guests() {
        let lab = lab("calm").await;
        let other = Node { name: ELSEWHERE.into(), ..lab.server.lab().nodes[0].clone() };
        lab.server.lab().nodes.push(other);
        let job = frozen(&lab, case).await;
        change(&lab, &job, |guest| guest.node = ELSEWHERE.into());
        for found in conflicts(&lab, &job).await {
            let [conflict] = &found[..] else { panic!("{}: {found:?}", case.op) };
            assert_eq!((&*conflict.fact, &*conflict.now), ("node", ELSEWHERE), "{}", case.op);
        }
        // Had it moved after the last look, the request would still go to the host that the operator saw.
        let (result, _) = lab.run(&job).await;
        assert!(!matches!(result, Ok(_) | Err(SendError::Unknown(_))), "{}: {result:?}", case.op);
    }
}

#[tokio::test]
async fn a_snapshot_that_was_made_anew_under_its_name_is_another_one() {
    let lab = lab("calm").await;
    for case in on_guests().filter(|case| case.kind == kinds::SNAPSHOTS) {
        let job = frozen(&lab, case).await;
        change(&lab, &job, |guest| guest.snapshots.iter_mut().for_each(|snapshot| snapshot.time += 60));
        for found in conflicts(&lab, &job).await {
            assert_eq!(found.first().map(|conflict| &*conflict.fact), Some("taken"), "{}", case.op);
        }
    }
}

#[tokio::test]
async fn among_thousands_of_guests_a_snapshot_is_found_by_its_full_key_alone() {
    let snapshots = lab("calm").await.server.lab().guests[&100].snapshots.clone();
    let lab = sized("load", 250).await;
    let newest = snapshots.last().unwrap().name.clone();
    {
        let mut server = lab.server.lab();
        let guest = server.guests.get_mut(&100).unwrap();
        (guest.snapshots, guest.at) = (snapshots, Some(newest.clone()));
    }
    let kind = kinds::SNAPSHOTS.into();
    let error = lab.backend.resolve(&kind, &newest).await.unwrap_err();
    assert!(error.fault.hint.contains("qemu/100/NAME"), "{error:?}");
    let key = format!("qemu/100/{newest}");
    let job = lab.on("proxmox.rollback", kinds::SNAPSHOTS, &key, &[]).await;
    assert_eq!(&*job.target.name, newest);
    let verdict = lab.backend.preflight(&job).await.unwrap();
    assert!(job.target.identity.conflicts(&verdict.identity).is_empty(), "{verdict:?}");
    let since = lab.now();
    let (receipt, _) = lab.run(&job).await;
    assert!(matches!(lab.proof(&job, receipt.unwrap().remote.as_deref(), since).await, Proof::Seen(_)));
    for nothing in ["qemu/100/never", "qemu/99999/a", "qemu/100", "qemu/100/../a"] {
        assert_eq!(lab.backend.resolve(&kind, nothing).await.unwrap(), [], "{nothing}");
    }
}

#[tokio::test]
async fn several_guests_come_up_in_their_order_and_go_down_in_reverse() {
    let lab = lab("calm").await;
    let set = |vmid: u32, state: &'static str, startup: &str| {
        let mut server = lab.server.lab();
        let guest = server.guests.get_mut(&vmid).unwrap();
        guest.state = state;
        if !startup.is_empty() {
            guest.config.insert("startup".into(), startup.into());
        }
    };
    let ranked = async |op: &str| {
        let mut ranks = Vec::new();
        for name in ["talos-dev", "talos-prod-worker-1", "talos-prod-cp"] {
            let job = lab.job(op, name).await;
            let verdict = lab.backend.preflight(&job).await.unwrap();
            ranks.push((verdict.rank, name, lab.backend.pause_after(&job).as_secs(), verdict.evidence));
        }
        ranks.sort_by_key(|(rank, ..)| *rank);
        ranks
    };
    for (vmid, startup) in [(100, "order=1,up=30,down=90"), (101, "order=2"), (120, "")] {
        set(vmid, "stopped", startup);
    }
    let up = ranked("proxmox.start").await;
    let names: Vec<(&str, u64)> = up.iter().map(|(_, name, pause, _)| (*name, *pause)).collect();
    assert_eq!(names, [("talos-prod-cp", 30), ("talos-prod-worker-1", 0), ("talos-dev", 0)]);
    assert!(
        up[0].3.iter().any(|fact| fact.says == "its order is 1, the next of several waits 30 s after it")
    );
    for vmid in [100, 101, 120] {
        set(vmid, "running", "");
    }
    let down = ranked("proxmox.shutdown").await;
    let names: Vec<&str> = down.iter().map(|(_, name, ..)| *name).collect();
    assert_eq!(names, ["talos-dev", "talos-prod-worker-1", "talos-prod-cp"]);
    assert!(
        down[2].3.iter().any(|fact| fact.says.contains("it may take 90 s to go down")),
        "{:?}",
        down[2].3
    );
}

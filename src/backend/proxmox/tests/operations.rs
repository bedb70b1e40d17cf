//! Every operation: done and read back, refused by the server, and with its answer lost.

use super::*;

/// An operation on something of the lab: its name, kind, target, form, and the task it makes (none: done at once).
pub(super) struct Case {
    pub(super) op: &'static str,
    pub(super) kind: &'static str,
    on: &'static str,
    args: &'static [(&'static str, &'static str)],
    task: &'static str,
    right: &'static str,
}

const fn guest(op: &'static str, on: &'static str, task: &'static str) -> Case {
    Case { op, kind: kinds::GUESTS, on, args: &[], task, right: "VM.PowerMgmt" }
}

const SNAPSHOT: &str = "pre_talos_1_9";
/// The volume is named after the time of the lab's clock.
const BACKUP: &str = "talos-prod-worker-1";

pub(super) const CASES: [Case; 17] = [
    guest("proxmox.start", "talos-dev", "qmstart"),
    guest("proxmox.shutdown", "talos-prod-cp", "qmshutdown"),
    guest("proxmox.stop", "talos-prod-cp", "qmstop"),
    guest("proxmox.reboot", "talos-prod-cp", "qmreboot"),
    guest("proxmox.reset", "talos-prod-cp", "qmreset"),
    guest("proxmox.suspend", "talos-prod-cp", "qmpause"),
    Case { args: &[("todisk", "true")], ..guest("proxmox.suspend", "talos-prod-cp", "qmsuspend") },
    guest("proxmox.resume", "talos-prod-worker-1", "qmresume"),
    Case {
        args: &[("name", "before_test"), ("description", "a test"), ("ram", "true")],
        right: "VM.Snapshot",
        ..guest("proxmox.snapshot", "talos-prod-cp", "qmsnapshot")
    },
    Case {
        kind: kinds::SNAPSHOTS,
        right: "VM.Snapshot|VM.Snapshot.Rollback",
        ..guest("proxmox.rollback", SNAPSHOT, "qmrollback")
    },
    Case {
        kind: kinds::SNAPSHOTS,
        right: "VM.Snapshot",
        ..guest("proxmox.delete-snapshot", SNAPSHOT, "qmdelsnapshot")
    },
    Case {
        args: &[("storage", "backup-hdd"), ("mode", "snapshot"), ("notes", "{{guestname}}")],
        right: "VM.Backup",
        ..guest("proxmox.backup", "talos-dev", "vzdump")
    },
    Case {
        kind: kinds::BACKUPS,
        args: &[("protected", "true")],
        right: "VM.Backup",
        ..guest("proxmox.protect-backup", BACKUP, "")
    },
    Case {
        kind: kinds::BACKUPS,
        args: &[("notes", "keep me")],
        right: "VM.Backup",
        ..guest("proxmox.note-backup", BACKUP, "")
    },
    Case {
        args: &[("newid", "500"), ("name", "dev-copy"), ("full", "true")],
        right: "VM.Clone",
        ..guest("proxmox.clone", "talos-dev", "qmclone")
    },
    Case {
        args: &[("tags", "dev new")],
        right: "VM.Config.Options",
        ..guest("proxmox.set-tags", "talos-dev", "")
    },
    Case {
        args: &[("description", "for tests\nand trials")],
        right: "VM.Config.Options",
        ..guest("proxmox.set-description", "talos-dev", "")
    },
];

/// A second host, which the small lab does not have.
pub(super) const ELSEWHERE: &str = "pve2";
/// What needs that host.
pub(super) const MIGRATE: Case = Case {
    args: &[("target", ELSEWHERE)],
    right: "VM.Migrate",
    ..guest("proxmox.migrate", "talos-dev", "qmigrate")
};

impl Case {
    pub(super) async fn job(&self, lab: &Lab) -> Job {
        if self.op == "proxmox.resume" {
            lab.server.lab().guests.get_mut(&101).unwrap().state = "paused";
        }
        let name = if self.kind == kinds::BACKUPS { newest(lab) } else { self.on.to_owned() };
        lab.on(self.op, self.kind, &name, self.args).await
    }
}

/// The key of the newest backup of production's worker.
fn newest(lab: &Lab) -> String {
    let lab = lab.server.lab();
    let own = lab.backups.iter().filter(|backup| backup.vmid == 101);
    format!("pve/{}", own.max_by_key(|backup| backup.time).unwrap().volid())
}

#[tokio::test]
async fn every_operation_is_done_and_read_back() {
    for case in &CASES {
        let lab = lab("calm").await;
        let job = case.job(&lab).await;
        let verdict = lab.backend.preflight(&job).await.unwrap();
        assert!(verdict.decision <= Decision::Warn, "{}: {:?}", case.op, verdict.evidence);
        assert!(!verdict.effect.is_empty(), "{}", case.op);
        let frozen = lab.backend.identify(&job.target.id).await.unwrap();
        assert!(job.target.identity.conflicts(&frozen).is_empty(), "{}: {frozen:?}", case.op);
        assert!(verdict.identity.conflicts(&frozen).is_empty(), "{}: {frozen:?}", case.op);
        let since = lab.now();
        let (receipt, told) = lab.run(&job).await;
        let receipt = receipt.unwrap_or_else(|error| panic!("{}: {error}", case.op));
        assert_eq!(told.is_empty(), case.task.is_empty(), "{}: {told:?}", case.op);
        let proof = lab.proof(&job, receipt.remote.as_deref(), since).await;
        assert!(matches!(proof, Proof::Seen(_)), "{}: {proof:?}", case.op);
    }
}

#[tokio::test]
async fn every_operation_is_refused_by_name_of_the_right() {
    for case in &CASES {
        let lab = lab("calm").await;
        let job = case.job(&lab).await;
        lab.world
            .set("proxmox.permissions", r#"{"/":{"VM.Audit":1,"Sys.Audit":1,"Datastore.AllocateSpace":1}}"#);
        if case.kind != kinds::BACKUPS {
            let verdict = lab.backend.preflight(&job).await.unwrap();
            let named =
                verdict.evidence.iter().any(|fact| fact.what == "right" && fact.says.contains(case.right));
            assert!(named && verdict.decision == Decision::Refuse, "{}: {:?}", case.op, verdict.evidence);
        }
        let (result, told) = lab.run(&job).await;
        let Err(SendError::Refused(fault)) = result else { panic!("{}: {result:?}", case.op) };
        // A backup that the token may not use does not even exist for it.
        let named = fault.missing.as_deref().is_some_and(|missing| missing.contains(case.right));
        assert!(named || case.kind == kinds::BACKUPS, "{}: {fault:?}", case.op);
        assert!(told.is_empty(), "{}", case.op);
        let missing = lab.backend.rights().await.unwrap().missing;
        assert!(missing[case.op].contains(case.right), "{}: {missing:?}", case.op);
    }
}

#[tokio::test]
async fn an_operation_whose_answer_is_lost_was_sent_once_and_is_found_again() {
    for case in &CASES {
        let lab = lab("calm").await;
        let job = case.job(&lab).await;
        let (before, since) = (lab.tasks(case.task), lab.now());
        lab.world.set("proxmox.lose", "writes");
        let (result, _) = lab.run(&job).await;
        assert!(matches!(result, Err(SendError::Unknown(_))), "{}: {result:?}", case.op);
        if !case.task.is_empty() {
            assert_eq!(lab.tasks(case.task), before + 1, "{}: sent exactly once", case.op);
        }
        let proof = lab.proof(&job, None, since).await;
        assert!(matches!(proof, Proof::Seen(_)), "{}: {proof:?}", case.op);
        if !case.task.is_empty() {
            assert_eq!(lab.tasks(case.task), before + 1, "{}: reading back sends nothing", case.op);
        }
    }
}

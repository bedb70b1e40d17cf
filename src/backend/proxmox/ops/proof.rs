//! What proves an operation: what became of its task, and what is to be seen of its effect.

use crate::backend::error::SendError;
use crate::backend::proxmox::follow::Ended;
use crate::backend::proxmox::upid::{End, Upid};
use crate::backend::{Proof, Receipt};
use crate::model::snapshot::{Fault, Layer};

/// After this many seconds a request that made no task has not arrived.
const LATE: i64 = 20;

/// What is to be seen of an operation's effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Effect {
    /// Whether things are as they should be.
    pub(super) there: bool,
    /// Whether that proves that it was done; a guest that runs proves no reboot.
    pub(super) proves: bool,
    /// How things are, in words.
    pub(super) words: String,
}

impl Effect {
    pub(super) fn new(there: bool, words: impl Into<String>) -> Self {
        Self { there, proves: true, words: words.into() }
    }
}

/// What became of the task that an operation made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// None of ours is listed, or it makes none.
    NoTask,
    /// It works.
    Running(Upid),
    /// It has ended.
    Ended(End),
}

/// Task and effect together.
pub(super) fn proven(fate: &Fate, effect: Effect, age: i64, no_task: &str) -> Proof {
    let Effect { there, proves, words } = effect;
    let look = || "look again in half a minute, and at proxmox.tasks".to_owned();
    match fate {
        Fate::Ended(End::Ok | End::Warnings(_) | End::Error(_)) if there => Proof::Seen(words),
        Fate::Ended(End::Ok | End::Warnings(_) | End::Error(_)) => {
            // The HA manager acts seconds after the task, and lists lag.
            Proof::Unclear(format!("the task ended OK, but {words}"), look())
        }
        Fate::Ended(End::Lost) if there && proves => Proof::Seen(words),
        Fate::Ended(End::Lost) => Proof::Absent(format!("its task was killed, and {words}")),
        _ if there && proves => Proof::Seen(words),
        _ if age < LATE => Proof::Unclear(format!("{words} so far"), look()),
        _ => Proof::Absent(format!("{words}{no_task}")),
    }
}

/// A failure in the server's words and ours.
pub(super) fn failed(text: &str) -> String {
    let cure = cure(text, &[]);
    if cure.is_empty() { text.to_owned() } else { format!("{text}: {cure}") }
}

/// What a finished task means where only success counts.
pub(super) fn settled(upid: &Upid, ended: Ended) -> Result<Receipt, SendError> {
    let remote = Some(upid.raw.clone());
    match ended.end {
        End::Ok => Ok(Receipt { remote, said: "OK".to_owned(), reveal: None }),
        End::Warnings(count) => {
            Ok(Receipt { remote, said: format!("done, with {count} warnings: see its log"), reveal: None })
        }
        End::Lost => {
            let fault = Fault::new(Layer::App, "the task was killed or its host went down")
                .hint("look at the guest: a lock may have stayed");
            Err(SendError::Unknown(fault))
        }
        End::Error(text) => {
            let hint = cure(&text, &ended.tail);
            Err(SendError::Failed(Fault::new(Layer::App, text.clone()).raw(text).hint(hint)))
        }
    }
}

/// Parts of a failure's text or log, and what to do about it.
const CURES: [(&str, &str); 10] = [
    ("Cannot allocate memory", "the host had no memory left for it: shut another guest down first"),
    ("already in use by VMID", "another guest holds the device: shut that one down first"),
    ("reserved for use by VMID", "another guest is about to take the device"),
    ("could not find a free device", "all devices of the mapping are taken"),
    (
        " is locked (",
        "wait for the task that locked it; a stale lock is removed on the host with `qm unlock` or `pct unlock`",
    ),
    ("can't lock file", "another task works on this guest: wait for its end"),
    (
        "powerdown failed",
        "the guest did not shut down in time and still runs; a hard stop is an operation of its own",
    ),
    ("not most recent snapshot", "ZFS rolls back to the newest snapshot only: delete the newer ones first"),
    ("already used", "choose another name"),
    ("job errors", "its log says which guest failed and why"),
];

/// What to do about the failures that Proxmox words in its own way.
fn cure(text: &str, tail: &[String]) -> &'static str {
    let anywhere = |part: &str| text.contains(part) || tail.iter().any(|line| line.contains(part));
    CURES.iter().find(|(part, _)| anywhere(part)).map_or("", |(_, cure)| cure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effect_and_a_task_prove_together_what_neither_proves_alone() {
        let there = || Effect::new(true, "it is stopped");
        let not = || Effect::new(false, "it is running");
        let weak = || Effect { proves: false, ..Effect::new(true, "it is running") };
        let upid = Upid::parse("UPID:pve:00000001:00000001:00000001:qmstop:1:a@pve:").unwrap();
        let cases = [
            (Fate::Ended(End::Ok), there(), 1, "seen"),
            (Fate::Ended(End::Ok), weak(), 1, "seen"),
            (Fate::Ended(End::Ok), not(), 1, "unclear"),
            (Fate::Ended(End::Lost), there(), 1, "seen"),
            (Fate::Ended(End::Lost), weak(), 1, "absent"),
            (Fate::NoTask, there(), 1, "seen"),
            (Fate::NoTask, weak(), 1, "unclear"),
            (Fate::NoTask, weak(), LATE, "absent"),
            (Fate::NoTask, not(), 1, "unclear"),
            (Fate::NoTask, not(), LATE, "absent"),
            (Fate::Running(upid), not(), 1, "unclear"),
        ];
        for (fate, effect, age, wanted) in cases {
            let word = match proven(&fate, effect.clone(), age, "") {
                Proof::Seen(_) => "seen",
                Proof::Absent(_) => "absent",
                Proof::Unclear(..) => "unclear",
            };
            assert_eq!(word, wanted, "{fate:?} {effect:?} {age}");
        }
    }

    #[test]
    fn failures_in_the_server_s_words_get_a_cure() {
        let tail = ["kvm: cannot set up guest memory 'pc.ram': Cannot allocate memory".to_owned()];
        assert!(cure("start failed: QEMU exited with code 1", &tail).contains("no memory left"));
        assert!(failed("VM is locked (backup)").contains("qm unlock"));
        assert_eq!(failed("something new"), "something new");
    }
}

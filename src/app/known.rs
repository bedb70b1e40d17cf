//! Operations that a line of the journal carries out: notes, and problems declared known.

use std::sync::Arc;

use jiff::Timestamp;

use crate::insight::kinds::PROBLEMS;
use crate::insight::problem;
use crate::model::id::EntityId;
use crate::model::journal::Entry;
use crate::model::op::{Args, Field, FieldKind, OpSpec, Tier};
use crate::model::time::parse_duration;

use super::desk::NOTE;

/// The operation that declares a problem known for a while.
pub const SUPPRESS: &str = "problem.suppress";
/// The operation that takes that back.
pub const TELL_AGAIN: &str = "problem.tell-again";

/// The longest time for which a problem may be known, in seconds.
const LONGEST: i64 = 30 * 24 * 3600;

/// The operations on problems.
pub fn operations() -> Vec<OpSpec> {
    vec![suppress(), tell_again()]
}

fn suppress() -> OpSpec {
    let kind = FieldKind::Duration { max: LONGEST };
    let until = Field::new("for", "for", kind, "How long it is not told, at most 30d.").default("24h");
    let reason =
        Field::new("reason", "why", FieldKind::Line, "Why it may wait; stands in the list until then.");
    let doc = "Declares a problem known: it stays in the list with its reason and is told again when the time is over.";
    OpSpec::on(PROBLEMS, SUPPRESS, "suppress", Tier::T1, doc).form(vec![until, reason]).bulk().warn_if_blind()
}

fn tell_again() -> OpSpec {
    let doc = "Ends the time for which a problem was declared known.";
    OpSpec::on(PROBLEMS, TELL_AGAIN, "tell again", Tier::T1, doc).bulk().warn_if_blind()
}

/// Whether an operation is one of these, which a line of the journal carries out.
pub fn is_line(op: &str) -> bool {
    matches!(op, NOTE | SUPPRESS | TELL_AGAIN)
}

/// The line that carries one of these out; `None` for any other operation.
pub fn entry(op: &str, about: Option<EntityId>, args: &Args, now: Timestamp) -> Option<Entry> {
    let arg = |name: &str| args.get(name).cloned().unwrap_or_default();
    let declared = |until, text| Entry::Declared {
        topic: Arc::from(problem::SUPPRESS),
        about: about.clone(),
        until,
        text,
    };
    Some(match op {
        NOTE => Entry::Note { about, text: arg("text") },
        SUPPRESS => declared(Some(now + parse_duration(&arg("for"))?), arg("reason")),
        TELL_AGAIN => declared(None, String::new()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_own_operation_is_a_line_of_the_journal() {
        let args: Args = [("for", "8h"), ("reason", "known"), ("text", "seen")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        for op in operations() {
            assert!(is_line(&op.name), "{}", op.name);
            assert!(entry(&op.name, None, &args, Timestamp::UNIX_EPOCH).is_some(), "{}", op.name);
        }
        assert_eq!(entry("proxmox.start", None, &args, Timestamp::UNIX_EPOCH), None);
    }
}

//! The rules between wanting and sending: armed, allowed, judged, confirmed.
//!
//! Console and command line ask the same four questions in this order: [`admit`] before anything is asked of a
//! server, [`judge`] for each target's verdict, [`confirmation`] for what the operator has to do, and
//! [`Confirm::check`] for whether it was done. All are pure, so that a table can hold them to their word.

use std::fmt;
use std::sync::Arc;

use crate::model::id::Conflict;
use crate::model::op::{Blind, Decision, Evidence, OpSpec, Rights, Target, Tier, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::Fault;

/// With more targets than this the count is typed instead of every name.
const MOST_NAMES: usize = 3;

/// Why an operation goes no further; nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Writes are not armed.
    ReadOnly,
    /// The credential lacks a right, named as the server names it.
    Right(String),
    /// Desired state or data: it is not done from here; the text says where.
    NotHere(String),
    /// Nothing was chosen.
    NoTarget,
    /// It takes one target at a time.
    NotBulk(usize),
    /// The check before sending speaks against it.
    Judged {
        /// The target's name.
        target: Arc<str>,
        /// Refuse or blind.
        decision: Decision,
        /// The facts behind it.
        evidence: Vec<Evidence>,
    },
    /// The name now belongs to another thing than the one that was chosen.
    Changed {
        /// The target's name.
        target: Arc<str>,
        /// Each fact that differs.
        conflicts: Vec<Conflict>,
    },
    /// The confirmation does not fit; the text says what is expected.
    Unconfirmed(String),
}

impl Refusal {
    /// The facts behind it, for a list.
    pub fn evidence(&self) -> Vec<Evidence> {
        match self {
            Self::Judged { evidence, .. } => evidence.clone(),
            other => vec![Evidence::new("refused", other.to_string(), Tone::Error)],
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReadOnly => f.write_str("read-only: arm writes first"),
            Self::Right(right) => write!(f, "the credential lacks {right}"),
            Self::NotHere(path) => write!(f, "not done from here: {path}"),
            Self::NoTarget => f.write_str("nothing is selected"),
            Self::NotBulk(count) => write!(f, "takes one target at a time, not {count}"),
            Self::Judged { target, decision, evidence } => {
                let word = if *decision == Decision::Blind { "cannot be judged" } else { "refused" };
                write!(f, "{target}: {word}: {}", facts(evidence))
            }
            Self::Changed { target, conflicts } => write!(f, "{target}: {}", differences(conflicts)),
            Self::Unconfirmed(expected) => f.write_str(expected),
        }
    }
}

/// The facts that speak against it; all of them where none is marked.
fn facts(evidence: &[Evidence]) -> String {
    let against = |fact: &&Evidence| matches!(fact.tone, Tone::Error | Tone::Danger | Tone::Unknown);
    let mut shown: Vec<&Evidence> = evidence.iter().filter(against).collect();
    if shown.is_empty() {
        shown = evidence.iter().collect();
    }
    let words: Vec<String> = shown.iter().map(|fact| format!("{}: {}", fact.what, fact.says)).collect();
    if words.is_empty() { "the server gave no reason".to_owned() } else { words.join("; ") }
}

/// Conflicts in words that name both values.
pub fn differences(conflicts: &[Conflict]) -> String {
    let words: Vec<String> =
        conflicts.iter().map(|c| format!("{} was {}, is {}", c.fact, c.frozen, c.now)).collect();
    format!("not the same thing any more: {}", words.join("; "))
}

/// What the operator has to do before an operation is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirm {
    /// Nothing.
    None,
    /// Say yes once.
    YesNo,
    /// Type each of these names, and give a reason.
    Names(Vec<Arc<str>>),
    /// Type how many targets there are, and give a reason.
    Count(usize),
    /// It cannot be confirmed at all.
    NotHere,
}

impl Confirm {
    /// Whether a reason is asked for.
    pub fn wants_reason(&self) -> bool {
        matches!(self, Self::Names(_) | Self::Count(_))
    }

    /// What has to be typed, in one line; empty where nothing has.
    pub fn expected(&self) -> String {
        match self {
            Self::Names(names) => names.join(" "),
            Self::Count(count) => count.to_string(),
            Self::None | Self::YesNo | Self::NotHere => String::new(),
        }
    }

    /// Whether what was typed is what is expected: each name in any order, or all of them in one line.
    pub fn accepts(&self, typed: &[&str]) -> bool {
        match self {
            Self::None | Self::YesNo => true,
            Self::NotHere => false,
            Self::Count(_) => matches!(typed, [one] if one.trim() == self.expected()),
            Self::Names(names) => {
                let whole = matches!(typed, [one] if one.trim() == self.expected());
                whole || same_names(names, typed)
            }
        }
    }

    /// Checks a whole answer; `yes` counts for [`Confirm::YesNo`] alone.
    pub fn check(&self, yes: bool, typed: &[&str], reason: Option<&str>) -> Result<(), Refusal> {
        let refuse = |expected: String| Err(Refusal::Unconfirmed(expected));
        match self {
            Self::YesNo if !yes => refuse("not confirmed".to_owned()),
            Self::NotHere => refuse("it cannot be confirmed here".to_owned()),
            Self::Names(_) | Self::Count(_) if !self.accepts(typed) => {
                refuse(format!("to confirm, type: {}", self.expected()))
            }
            Self::Names(_) | Self::Count(_) if reason.is_none_or(|text| text.trim().is_empty()) => {
                refuse("a reason is required".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// Equal as multisets: two targets of one name need it twice.
fn same_names(names: &[Arc<str>], typed: &[&str]) -> bool {
    let mut wanted: Vec<&str> = names.iter().map(|name| &**name).collect();
    let mut given: Vec<&str> = typed.iter().map(|text| text.trim()).collect();
    wanted.sort_unstable();
    given.sort_unstable();
    wanted == given
}

/// Whether an operation may be prepared at all.
///
/// Rights that are not known yet do not stop it: the backend's own check comes next.
pub fn admit(op: &OpSpec, armed: bool, rights: Option<&Rights>, targets: usize) -> Result<(), Refusal> {
    if op.tier == Tier::T3 {
        return Err(Refusal::NotHere(op.doc.to_string()));
    }
    if let Some(right) = rights.and_then(|rights| rights.missing.get(&*op.name)) {
        return Err(Refusal::Right(right.clone()));
    }
    if op.tier > Tier::T0 && !armed {
        return Err(Refusal::ReadOnly);
    }
    match targets {
        0 => Err(Refusal::NoTarget),
        1 => Ok(()),
        many if !op.bulk => Err(Refusal::NotBulk(many)),
        _ => Ok(()),
    }
}

/// Freezes a target that the check before sending allows; what it knows more of its identity is added.
pub fn judge(op: &OpSpec, target: &Target, verdict: &Verdict) -> Result<Target, Refusal> {
    let stops = match verdict.decision {
        Decision::Allow | Decision::Warn => false,
        Decision::Blind => op.blind == Blind::Refuse,
        Decision::Refuse => true,
    };
    if stops {
        return Err(Refusal::Judged {
            target: target.name.clone(),
            decision: verdict.decision,
            evidence: verdict.evidence.clone(),
        });
    }
    let conflicts = target.identity.conflicts(&verdict.identity);
    if !conflicts.is_empty() {
        return Err(Refusal::Changed { target: target.name.clone(), conflicts });
    }
    Ok(Target { identity: target.identity.clone().joined(&verdict.identity), ..target.clone() })
}

/// The verdict where the check itself brought no answer.
pub fn unanswered(fault: &Fault) -> Verdict {
    let evidence = Evidence::new("check", fault.to_string(), Tone::Unknown);
    Verdict::allow("could not be checked", crate::model::id::Identity::new()).and(Decision::Blind, evidence)
}

/// What the operator has to do before these targets are acted on.
pub fn confirmation(op: &OpSpec, targets: &[Target]) -> Confirm {
    match op.tier {
        Tier::T0 => Confirm::None,
        Tier::T1 => Confirm::YesNo,
        Tier::T2 if targets.len() > MOST_NAMES => Confirm::Count(targets.len()),
        Tier::T2 => Confirm::Names(targets.iter().map(typed_name).collect()),
        Tier::T3 => Confirm::NotHere,
    }
}

/// The name to type: never empty, or an empty line would confirm.
fn typed_name(target: &Target) -> Arc<str> {
    match target.name.trim() {
        "" => target.id.key.clone(),
        name => name.into(),
    }
}

#[cfg(test)]
mod tests;

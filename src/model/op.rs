//! Operations: what may be done to a thing, how dangerous it is, and what speaks for or against it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::id::{Identity, KindId};
use super::kind::Text;
use super::row::Tone;

pub use super::run::{Args, Job, Reveal, RunId, RunState, Target};

/// How much an operation can cost; decides what the operator has to do before it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Tier {
    /// Reads, notes: no confirmation.
    T0,
    /// Reversible: one yes.
    T1,
    /// Costly: the typed name and a reason.
    T2,
    /// Desired state or data: not done here, the way in Git or the command is shown.
    T3,
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// What an operation acts on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Targets {
    /// Existing rows of these kinds.
    Rows(Vec<KindId>),
    /// Any row of any kind.
    Any,
    /// Something that does not exist yet: the operator names it (`what` says what the name is).
    New {
        /// The kind that will hold it.
        kind: KindId,
        /// What the operator types (`label`).
        what: Text,
    },
}

/// A special key that an operation answers to on its kind, besides the list of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// The kind's own main operation, on `s` (silence, sync).
    Special,
    /// Changing the thing, on `e` (extend a silence).
    Edit,
    /// Ending the thing, on `D` (expire, revoke).
    End,
}

/// What a form field takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldKind {
    /// One line of text.
    Line,
    /// Several lines of text.
    Lines,
    /// A duration such as `1h30m`, at most so many seconds.
    Duration {
        /// The longest that is allowed, in seconds.
        max: i64,
    },
    /// Yes or no (`true`, `false`).
    Flag,
    /// One of these.
    Choice(Vec<Text>),
    /// One of the choices that the backend offers when the form is prepared.
    Offered,
}

/// One field of an operation's form; `vigie do … --set NAME=VALUE` uses the same names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The key.
    pub name: Text,
    /// The label on screen.
    pub title: Text,
    /// One sentence: meaning, unit, limits.
    pub doc: Text,
    /// What it takes.
    pub kind: FieldKind,
    /// The value it starts with.
    pub default: Text,
    /// Whether an empty value is refused.
    pub required: bool,
}

impl Field {
    /// A required field without a default.
    pub fn new(name: &'static str, title: &'static str, kind: FieldKind, doc: &'static str) -> Self {
        Self {
            name: name.into(),
            title: title.into(),
            doc: doc.into(),
            kind,
            default: "".into(),
            required: true,
        }
    }

    /// Gives it a starting value.
    #[must_use]
    pub fn default(mut self, value: impl Into<Text>) -> Self {
        self.default = value.into();
        self
    }

    /// Allows it to be empty.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.required = false;
        self
    }

    /// Checks a value; the error says what is wrong and what is expected.
    pub fn check(&self, value: &str) -> Result<(), String> {
        let wrong = |expected: String| Err(format!("{}: `{value}` {expected}", self.name));
        if value.trim().is_empty() {
            return if self.required { Err(format!("{}: a value is required", self.name)) } else { Ok(()) };
        }
        match &self.kind {
            FieldKind::Duration { max } => match super::time::parse_duration(value) {
                None if super::time::is_said(value) => Ok(()),
                None => wrong(
                    "is no duration; write it like 15m, 1h30m, 2 hours, until 08:00 or until monday".into(),
                ),
                Some(d) if d.as_secs() <= 0 => wrong("is no time at all".into()),
                Some(d) if d.as_secs() > *max => {
                    wrong(format!("is more than the limit of {}", super::time::short(*max)))
                }
                Some(_) => Ok(()),
            },
            FieldKind::Flag if !matches!(value, "true" | "false") => {
                wrong("is neither true nor false".into())
            }
            FieldKind::Choice(choices) if !choices.iter().any(|c| c == value) => {
                wrong(format!("is none of {}", choices.join(", ")))
            }
            _ => Ok(()),
        }
    }
}

/// What becomes of an operation whose check before sending could not see enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blind {
    /// It is not sent: it brings something up, moves it or replaces it.
    Refuse,
    /// It may be sent: it takes load away, or what it changes is a word about the thing.
    Warn,
}

/// What an operation minds beyond its own server: facts of other systems that are looked at before it is confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Minds {
    /// No alert may be critical, and whether one is must be known.
    CriticalAlerts,
    /// Applications that are not well are told.
    Applications,
    /// The backups that are made inside the cluster have to be fresh, where something makes them.
    Backups,
    /// The pools below it have to be whole: what restarts reads and writes all of its disks.
    Pools,
}

/// What may be done to a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpSpec {
    /// Its full name (`proxmox.start`).
    pub name: Text,
    /// What it acts on.
    pub targets: Targets,
    /// The verb on screen (`start`).
    pub title: Text,
    /// One sentence: what happens.
    pub doc: Text,
    /// How much it can cost.
    pub tier: Tier,
    /// The privilege it needs, in the server's own words.
    pub right: Text,
    /// What has to be filled in.
    pub form: Vec<Field>,
    /// Whether it may run on several marked rows.
    pub bulk: bool,
    /// The special key it answers to.
    pub verb: Option<Verb>,
    /// What becomes of it where the check before sending could not see enough.
    pub blind: Blind,
    /// The operation that is offered where this one failed: a decision of its own, never taken by itself.
    pub fallback: Option<Text>,
    /// Whether its success shows a secret once (an invitation link), which needs a place to be shown.
    pub reveals: bool,
    /// Whether the console keeps its effect alive while it runs, by runs of their own.
    pub kept: bool,
    /// What it minds of other systems.
    pub minds: Vec<Minds>,
    /// Whether its form shows what it would do while it is being filled in.
    pub previews: bool,
}

impl OpSpec {
    /// An operation on rows of one kind, without form, not in bulk; from T1 on, blindness refuses it.
    pub fn on(
        kind: &'static str,
        name: &'static str,
        title: &'static str,
        tier: Tier,
        doc: &'static str,
    ) -> Self {
        Self {
            name: name.into(),
            targets: Targets::Rows(vec![kind.into()]),
            title: title.into(),
            doc: doc.into(),
            tier,
            right: "".into(),
            form: Vec::new(),
            bulk: false,
            verb: None,
            blind: if tier == Tier::T0 { Blind::Warn } else { Blind::Refuse },
            fallback: None,
            reveals: false,
            kept: false,
            minds: Vec::new(),
            previews: false,
        }
    }

    /// Has facts of other systems looked at before it is confirmed.
    #[must_use]
    pub fn minds(mut self, facts: &[Minds]) -> Self {
        self.minds = facts.to_vec();
        self
    }

    /// Says that its success shows a secret once.
    #[must_use]
    pub fn reveals(mut self) -> Self {
        self.reveals = true;
        self
    }

    /// Says that its form shows what it would do while it is being filled in.
    #[must_use]
    pub fn previews(mut self) -> Self {
        self.previews = true;
        self
    }

    /// Says that the console keeps its effect alive while it runs.
    #[must_use]
    pub fn kept(mut self) -> Self {
        self.kept = true;
        self
    }

    /// Names the operation that is offered where this one failed.
    #[must_use]
    pub fn fallback(mut self, op: &'static str) -> Self {
        self.fallback = Some(op.into());
        self
    }

    /// Lets it through where the check before sending could not see enough.
    #[must_use]
    pub fn warn_if_blind(mut self) -> Self {
        self.blind = Blind::Warn;
        self
    }

    /// Names the privilege that it needs.
    #[must_use]
    pub fn right(mut self, right: &'static str) -> Self {
        self.right = right.into();
        self
    }

    /// Gives it a form.
    #[must_use]
    pub fn form(mut self, form: Vec<Field>) -> Self {
        self.form = form;
        self
    }

    /// Allows several targets.
    #[must_use]
    pub fn bulk(mut self) -> Self {
        self.bulk = true;
        self
    }

    /// Binds it to a special key.
    #[must_use]
    pub fn verb(mut self, verb: Verb) -> Self {
        self.verb = Some(verb);
        self
    }

    /// Whether rows of a kind can be its target.
    pub fn acts_on(&self, kind: &KindId) -> bool {
        match &self.targets {
            Targets::Rows(kinds) => kinds.contains(kind),
            Targets::Any => true,
            Targets::New { .. } => false,
        }
    }

    /// The backend that carries it out.
    pub fn backend(&self) -> &str {
        self.name.split_once('.').map_or("", |(backend, _)| backend)
    }
}

/// All operations of a process.
#[derive(Debug, Clone, Default)]
pub struct Operations(Vec<Arc<OpSpec>>);

impl Operations {
    /// Takes the operations of all backends.
    pub fn new(specs: impl IntoIterator<Item = OpSpec>) -> Self {
        Self(specs.into_iter().map(Arc::new).collect())
    }

    /// All of them in order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<OpSpec>> {
        self.0.iter()
    }

    /// One by its full name.
    pub fn get(&self, name: &str) -> Option<&Arc<OpSpec>> {
        self.0.iter().find(|op| op.name == name)
    }

    /// Those that act on rows of a kind, its backend's own before those for any row.
    pub fn on(&self, kind: &KindId) -> Vec<&Arc<OpSpec>> {
        let mut found: Vec<_> = self.0.iter().filter(|op| op.acts_on(kind)).collect();
        found.sort_by_key(|op| op.targets == Targets::Any);
        found
    }
}

/// What a check before sending found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decision {
    /// Nothing speaks against it.
    Allow,
    /// It may be done; the evidence says what to mind.
    Warn,
    /// The evidence needed to decide could not be had.
    Blind,
    /// It must not be done.
    Refuse,
}

/// One fact on which a decision rests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// What was looked at.
    pub what: String,
    /// What it says.
    pub says: String,
    /// How it bears on the decision.
    pub tone: Tone,
}

impl Evidence {
    /// A fact in a role.
    pub fn new(what: impl Into<String>, says: impl Into<String>, tone: Tone) -> Self {
        Self { what: what.into(), says: says.into(), tone }
    }
}

/// The backend's own answer before an operation is confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it may go on.
    pub decision: Decision,
    /// What will happen, in one sentence for the confirmation.
    pub effect: String,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// The target's identity as the server has it now; frozen into the target.
    pub identity: Identity,
    /// Its place among several targets, the lowest first; equal ones keep the order in which they were chosen.
    pub rank: i64,
}

impl Verdict {
    /// Nothing speaks against it.
    pub fn allow(effect: impl Into<String>, identity: Identity) -> Self {
        Self { decision: Decision::Allow, effect: effect.into(), evidence: Vec::new(), identity, rank: 0 }
    }

    /// It must not be done, for one reason.
    pub fn refuse(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            decision: Decision::Refuse,
            effect: String::new(),
            evidence: vec![Evidence::new(what, why, Tone::Error)],
            identity: Identity::new(),
            rank: 0,
        }
    }

    /// Gives it its place among several targets.
    #[must_use]
    pub fn ranked(mut self, rank: i64) -> Self {
        self.rank = rank;
        self
    }

    /// Adds a fact, and makes the decision at least as strict as it.
    #[must_use]
    pub fn and(mut self, decision: Decision, evidence: Evidence) -> Self {
        self.decision = self.decision.max(decision);
        self.evidence.push(evidence);
        self
    }
}

/// What the operator may do on one instance, learnt from the server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rights {
    /// Operations that the credential may not do, with the missing right's name.
    pub missing: BTreeMap<String, String>,
    /// Operations of which the server does not tell.
    pub unknown: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_names_what_is_wrong_and_what_is_expected() {
        let duration = Field::new("duration", "for", FieldKind::Duration { max: 28_800 }, "");
        assert_eq!(duration.check("1h30m"), Ok(()));
        for (value, part) in
            [("", "required"), ("soon", "no duration"), ("9h", "limit of 8h"), ("0s", "no time")]
        {
            let message = duration.check(value).unwrap_err();
            assert!(message.starts_with("duration") && message.contains(part), "{message}");
        }
        assert_eq!(Field::new("note", "note", FieldKind::Line, "").optional().check(""), Ok(()));
    }

    #[test]
    fn a_verdict_only_grows_stricter() {
        let verdict = Verdict::allow("starts it", Identity::new())
            .and(Decision::Refuse, Evidence::new("memory", "68 of 64 GiB", Tone::Error))
            .and(Decision::Warn, Evidence::new("backup", "2 days old", Tone::Warn));
        assert_eq!(verdict.decision, Decision::Refuse);
        assert_eq!(verdict.evidence.len(), 2);
    }
}

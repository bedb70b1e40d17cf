//! Problems: alerts, failed probes, bad health and blind sources merged by their cause, so that one cause is one line.
//!
//! A problem names its head (the thing whose failure explains the rest), who feels it, since when, and why it stands
//! where it stands: every point of its score is kept with its reason.

mod doc;
mod felt;
mod head;
mod home;
mod known;
mod leak;
mod merge;
mod rows;
mod symptom;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::id::EntityId;
use crate::model::journal::Declaration;
use crate::model::kind::Kinds;
use crate::model::ledger::Ledger;
use crate::model::row::{Domain, Health};
use crate::model::store::Store;

use super::link::Index;
use super::timeline::Event;

pub use doc::doc;
pub use felt::Felt;
pub use known::{HOME, SUPPRESS};
pub use rows::row;
pub use symptom::{Signs, counts};

/// What problems are found in.
#[derive(Clone, Copy)]
pub struct Sight<'a> {
    /// The facts.
    pub store: &'a Store,
    /// All kinds.
    pub kinds: &'a Kinds,
    /// What is linked to what.
    pub index: &'a Index,
    /// Operations of this console.
    pub runs: &'a Ledger,
    /// What was changed lately, newest first.
    pub changes: &'a [Event],
    /// What the operator has declared and what still holds.
    pub declared: &'a [Declaration],
    /// The instant.
    pub now: Timestamp,
}

/// One reason for a score or a suspicion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// How much it counts.
    pub points: i32,
    /// Why.
    pub why: String,
}

impl Point {
    fn new(points: i32, why: impl Into<String>) -> Self {
        Self { points, why: why.into() }
    }
}

/// What is thought to be behind a problem; never more than a suspicion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// In a few words.
    pub text: String,
    /// The thing, where there is one.
    pub id: Option<EntityId>,
    /// Why it is suspected.
    pub points: Vec<Point>,
}

/// Why a problem is not told as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Until when.
    pub until: Timestamp,
    /// Why, in the operator's words.
    pub reason: String,
    /// Who said so.
    pub by: Arc<str>,
}

/// One problem.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// What it is told apart by, stable as long as its head is.
    pub key: Arc<str>,
    /// How bad it is.
    pub health: Health,
    /// The thing that fails.
    pub name: String,
    /// What is wrong with it.
    pub what: String,
    /// Who feels it.
    pub felt: Felt,
    /// Since when, as far as anybody knows.
    pub since: Option<Timestamp>,
    /// What is thought to be behind it.
    pub cause: Option<Cause>,
    /// Why it stands where it stands.
    pub score: Vec<Point>,
    /// The thing itself, where it is a row.
    pub head: Option<EntityId>,
    /// Whether that thing shows a sign itself, and is not only what others tell of.
    pub fails: bool,
    /// The thing itself, then every sign that was merged.
    pub members: Vec<EntityId>,
    /// Signs that are no rows: sources that cannot be reached.
    pub blind: Vec<String>,
    /// Where it is.
    pub domain: Domain,
    /// Whether all its alerts have been taken on by somebody.
    pub acked: bool,
    /// Why it is not told, where it is known.
    pub known: Option<Known>,
}

impl Problem {
    /// The sum of its points.
    pub fn points(&self) -> i32 {
        self.score.iter().map(|point| point.points).sum()
    }

    /// The id of its row.
    pub fn id(&self) -> EntityId {
        EntityId::new(super::kinds::PROBLEMS, super::kinds::CONSOLE, self.key.clone())
    }

    /// True where it is told among what is wrong now.
    pub fn is_open(&self) -> bool {
        self.known.is_none()
    }
}

/// All problems, the worst first; known ones last.
pub fn evaluate(signs: &Signs, sight: &Sight<'_>) -> Vec<Problem> {
    let symptoms = symptom::collect(signs, sight);
    let groups = merge::groups(&symptoms, sight);
    let mut problems: Vec<Problem> = groups
        .into_iter()
        .filter_map(|group| head::problem(&group, &symptoms, sight))
        .map(|problem| known::mark(problem, sight))
        .collect();
    problems.sort_by(|a, b| {
        let rank = |p: &Problem| (p.known.is_some(), std::cmp::Reverse(p.points()));
        rank(a).cmp(&rank(b)).then_with(|| a.since.cmp(&b.since)).then_with(|| a.key.cmp(&b.key))
    });
    problems.dedup_by(|later, first| later.key == first.key);
    problems
}

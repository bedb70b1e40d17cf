//! "Changed just before": which events are suspicious of being behind a problem, and why.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use crate::model::id::EntityId;
use crate::model::time::seconds_between;

use super::Event;

/// What the time line looks at.
#[derive(Debug, Clone, PartialEq)]
pub struct Focus {
    /// What it is called.
    pub name: String,
    /// When it began, where that is known.
    pub at: Option<Timestamp>,
    /// The things themselves.
    pub things: HashSet<EntityId>,
    /// What is linked to them.
    pub near: HashSet<EntityId>,
}

/// How long before and after its start a problem's window reaches.
const BEFORE: SignedDuration = SignedDuration::from_mins(30);
const AFTER: SignedDuration = SignedDuration::from_mins(30);
/// A problem that began not longer ago than this is shown up to now.
const FRESH: SignedDuration = SignedDuration::from_hours(6);

impl Focus {
    /// The window around its start.
    pub fn window(&self, now: Timestamp) -> (Timestamp, Timestamp) {
        match self.at {
            Some(at) if now.duration_since(at) < FRESH => (at - BEFORE, now.max(at + AFTER)),
            Some(at) => (at - BEFORE, at + AFTER),
            None => (now - SignedDuration::from_hours(24), now + AFTER),
        }
    }

    /// How suspicious an event is, and why; nothing for what changed nothing or came later.
    pub fn points(&self, event: &Event) -> (i32, String) {
        let (mut points, mut why) = (0, Vec::new());
        let Some(at) = self.at.filter(|_| event.change) else { return (0, String::new()) };
        let before = seconds_between(event.at, at);
        if !(-120..=1800).contains(&before) {
            return (0, String::new());
        }
        match &event.about {
            Some(about) if self.things.contains(about) => {
                points += 3;
                why.push("on the thing itself");
            }
            Some(about) if self.near.contains(about) => {
                points += 2;
                why.push("on what it is linked to");
            }
            _ => {}
        }
        if before <= 300 {
            points += 2;
            why.push(if points > 2 {
                "within 5 minutes"
            } else {
                "within 5 minutes, but nothing links them"
            });
        } else {
            points += 1;
        }
        (points, why.join(", "))
    }
}

/// Changes near the start, the most suspicious first; what nothing links to it only where it was minutes before.
pub fn ranked<'e>(events: &'e [Event], focus: &Focus) -> Vec<(i32, String, &'e Event)> {
    let mut found: Vec<(i32, String, &Event)> = events
        .iter()
        .map(|event| {
            let (points, why) = focus.points(event);
            (points, why, event)
        })
        .filter(|(points, ..)| *points > 1)
        .collect();
    found.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| b.2.at.cmp(&a.2.at)));
    found
}

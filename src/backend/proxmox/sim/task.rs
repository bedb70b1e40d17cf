//! Tasks: what they log as time goes by, how they end, and what that changes.

use super::lab::{Backup, Guest, Snap};

/// What a task's end changes.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Something about a guest.
    On(u32, Change),
    /// A backup is there.
    Keep(Box<Backup>),
    /// A guest is there.
    Add(Box<Guest>),
}

/// What changes about a guest.
#[derive(Debug, Clone)]
pub enum Change {
    /// Its state.
    State(&'static str),
    /// It has begun anew.
    Restart,
    /// Its lock.
    Lock(Option<&'static str>),
    /// The host it is on.
    Node(String),
    /// A snapshot is there.
    Take(Snap),
    /// It stands on a snapshot.
    Rollback(String),
    /// A snapshot is gone.
    Drop(String),
}

/// A task.
#[derive(Debug, Clone)]
pub struct Task {
    /// Its id.
    pub upid: String,
    /// `user@realm` or `user@realm!token`.
    pub user: String,
    /// Epoch seconds.
    pub starts: i64,
    /// Epoch seconds; until it is begun, seconds from its start.
    pub ends: i64,
    /// Its lines, with the seconds from its start at which they are written.
    pub log: Vec<(i64, String)>,
    /// Its exit status.
    pub exit: String,
    /// What its end changes.
    pub effects: Vec<Effect>,
    /// Whether that has happened.
    pub applied: bool,
}

impl Task {
    /// A task that takes so many seconds and ends well.
    pub fn lasting(seconds: i64) -> Self {
        Self {
            upid: String::new(),
            user: "vigie@pve!console".to_owned(),
            starts: 0,
            ends: seconds,
            log: Vec::new(),
            exit: "OK".to_owned(),
            effects: Vec::new(),
            applied: false,
        }
    }

    /// A task that fails after a second.
    pub fn failing(error: &str) -> Self {
        Self { exit: error.to_owned(), ..Self::lasting(1) }
    }

    /// Adds an effect.
    pub fn then(mut self, effect: Effect) -> Self {
        self.effects.push(effect);
        self
    }

    /// Adds a line.
    pub fn line(mut self, at: i64, text: impl Into<String>) -> Self {
        self.log.push((at, text.into()));
        self
    }

    /// Whether it has ended.
    pub fn is_over(&self, now: i64) -> bool {
        now >= self.ends
    }

    /// Whether it has ended without having had its effect.
    pub fn is_due(&self, now: i64) -> bool {
        !self.applied && self.is_over(now)
    }

    /// Ends it now without its effect.
    pub fn break_off(&mut self, at: i64, why: &str) {
        self.ends = at;
        why.clone_into(&mut self.exit);
        self.effects.clear();
    }

    /// A field of its id.
    pub fn field(&self, at: usize) -> &str {
        self.upid.split(':').nth(at).unwrap_or_default()
    }

    /// What it has logged so far.
    pub fn lines(&self, now: i64) -> Vec<String> {
        let age = now - self.starts;
        let written = self.log.iter().filter(|(at, _)| *at <= age && self.starts + *at <= self.ends);
        let mut lines: Vec<String> = written.map(|(_, text)| text.clone()).collect();
        if self.is_over(now) && self.exit != "unexpected status" {
            lines.push(match self.exit.as_str() {
                "OK" => "TASK OK".to_owned(),
                exit if exit.starts_with("WARNINGS") => format!("TASK {exit}"),
                exit => format!("TASK ERROR: {exit}"),
            });
        }
        lines
    }
}

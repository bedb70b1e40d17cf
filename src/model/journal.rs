//! The lines of the journal: what was decided is on disk before anything is sent.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::EntityId;
use super::op::{Args, Job, RunId, Target};

/// What one line records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "lowercase")]
pub enum Entry {
    /// An operation is about to be sent; without a later outcome it is unknown.
    Sending {
        /// The operation's full name.
        op: Arc<str>,
        /// What it acts on, as it was frozen.
        target: Target,
        /// The form's values; secrets are never among them.
        #[serde(default)]
        args: Args,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// The caller's own key (`vigie do --id`), by which a repetition is refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
    /// The server took it on and gave the work an id.
    Accepted {
        /// The server's id (a UPID).
        remote: String,
    },
    /// Read back: the effect is there.
    Done {
        /// The proof in words.
        text: String,
    },
    /// The server refused it, or its work failed.
    Failed {
        /// Why.
        text: String,
    },
    /// Nobody can say what became of it.
    Unknown {
        /// What is known.
        text: String,
    },
    /// Decided, but not sent.
    Refused {
        /// Why.
        text: String,
    },
    /// Something that the operator says of the platform and that holds for a while: home is off, a problem is known.
    Declared {
        /// What sort of thing is said (`home`, `suppress`).
        topic: Arc<str>,
        /// What it is about, where it is about one thing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<EntityId>,
        /// Until when it holds; without it, an earlier declaration of the same topic and thing ends here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// Why.
        text: String,
    },
    /// A remark of the operator.
    Note {
        /// What it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<EntityId>,
        /// The remark.
        text: String,
    },
}

/// One line of the journal, one JSON object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// When, in UTC.
    pub at: Timestamp,
    /// The run that it belongs to.
    pub run: RunId,
    /// Who.
    pub operator: Arc<str>,
    /// What.
    #[serde(flatten)]
    pub entry: Entry,
}

/// A run that was sent and has no outcome yet.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenRun {
    /// Its sending line.
    pub line: Line,
    /// The server's id, where it came to be known.
    pub remote: Option<String>,
}

impl OpenRun {
    /// The job as it was decided; `None` for a line that is not a sending.
    pub fn job(&self) -> Option<Job> {
        let Entry::Sending { op, target, args, reason, .. } = &self.line.entry else { return None };
        Some(Job {
            run: self.line.run.clone(),
            op: op.clone(),
            target: target.clone(),
            args: args.clone(),
            reason: reason.clone(),
            operator: self.line.operator.clone(),
        })
    }
}

/// The runs without a final outcome, oldest first; an `Unknown` outcome keeps a run open.
pub fn open_runs(lines: &[Line]) -> Vec<OpenRun> {
    let mut open: Vec<OpenRun> = Vec::new();
    for line in lines {
        match &line.entry {
            Entry::Sending { .. } => open.push(OpenRun { line: line.clone(), remote: None }),
            Entry::Accepted { remote } => {
                if let Some(run) = open.iter_mut().find(|run| run.line.run == line.run) {
                    run.remote = Some(remote.clone());
                }
            }
            Entry::Done { .. } | Entry::Failed { .. } | Entry::Refused { .. } => {
                open.retain(|run| run.line.run != line.run);
            }
            Entry::Unknown { .. } | Entry::Declared { .. } | Entry::Note { .. } => {}
        }
    }
    open
}

/// Something that was declared and still holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// What sort of thing is said (`home`, `suppress`).
    pub topic: Arc<str>,
    /// What it is about, where it is about one thing.
    pub about: Option<EntityId>,
    /// Since when.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Why.
    pub text: String,
    /// Who said so.
    pub by: Arc<str>,
}

/// What was declared and holds at an instant; the last word on a topic and a thing counts.
pub fn standing(lines: &[Line], now: Timestamp) -> Vec<Declaration> {
    declarations(lines).into_iter().filter(|declaration| declaration.until > now).collect()
}

/// The last word on each topic and thing that was not taken back, also where its time is over.
pub fn declarations(lines: &[Line]) -> Vec<Declaration> {
    let mut standing: Vec<Declaration> = Vec::new();
    for line in lines {
        let Entry::Declared { topic, about, until, text } = &line.entry else { continue };
        standing.retain(|known| (&known.topic, &known.about) != (topic, about));
        if let Some(until) = *until {
            let (topic, about, text) = (topic.clone(), about.clone(), text.clone());
            standing.push(Declaration {
                topic,
                about,
                since: line.at,
                until,
                text,
                by: line.operator.clone(),
            });
        }
    }
    standing
}

#[cfg(test)]
mod tests {
    use super::super::id::Identity;
    use super::super::row::Domain;
    use super::*;

    fn line(run: &str, entry: Entry) -> Line {
        Line { at: Timestamp::UNIX_EPOCH, run: RunId(run.into()), operator: "ada".into(), entry }
    }

    fn sending() -> Entry {
        Entry::Sending {
            op: "proxmox.start".into(),
            target: Target {
                id: EntityId::new("proxmox.guests", "pve", "qemu/110"),
                name: "windows-gaming".into(),
                identity: Identity::new().with("vmid", "110"),
                domain: Domain::Home,
            },
            args: Args::new(),
            reason: None,
            key: None,
        }
    }

    #[test]
    fn a_line_survives_its_json_form() {
        let before = line("r1", sending());
        let json = serde_json::to_string(&before).unwrap();
        assert!(!json.contains('\n'));
        assert_eq!(serde_json::from_str::<Line>(&json).unwrap(), before);
    }

    #[test]
    fn a_run_stays_open_until_its_outcome_is_known() {
        let mut lines = vec![
            line("r1", sending()),
            line("r1", Entry::Accepted { remote: "UPID:1".into() }),
            line("r2", sending()),
            line("r2", Entry::Unknown { text: "timed out".into() }),
        ];
        let open = open_runs(&lines);
        assert_eq!(open.len(), 2);
        assert_eq!(open[0].remote.as_deref(), Some("UPID:1"));
        lines.push(line("r1", Entry::Done { text: "running".into() }));
        lines.push(line("r2", Entry::Failed { text: "no such task".into() }));
        assert!(open_runs(&lines).is_empty());
    }

    #[test]
    fn the_last_word_on_a_topic_holds_until_its_time_is_over_or_it_is_taken_back() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let declare = |topic: &str, until: Option<i64>| {
            line(
                "d",
                Entry::Declared {
                    topic: topic.into(),
                    about: None,
                    until: until.map(at),
                    text: "why".into(),
                },
            )
        };
        let lines = [declare("home", Some(100)), declare("suppress", Some(900)), declare("home", Some(500))];
        let topics = |lines: &[Line], now| {
            standing(lines, at(now)).iter().map(|d| d.topic.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(topics(&lines, 200), ["suppress", "home"]);
        assert_eq!(topics(&lines, 600), ["suppress"]);
        let ended = [lines.as_slice(), &[declare("suppress", None)]].concat();
        assert_eq!(topics(&ended, 200), ["home"]);
    }
}

//! Done means seen: the effect is looked for until it is there, proven absent, or our patience ends.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::backend::{Backend, Proof};
use crate::model::op::Job;

use super::super::call::within;
use super::Door;

/// What was found when our patience ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finding {
    /// The effect is there.
    Seen(String),
    /// It is not there and will not come any more.
    Absent(String),
    /// Nobody can say.
    Unclear {
        /// What is known.
        text: String,
        /// How to look by hand.
        look: String,
    },
}

/// What is read back: a run, under the server's own id of it and since when.
#[derive(Clone, Copy)]
pub(super) struct Sent<'a> {
    /// The run.
    pub job: &'a Job,
    /// The server's id of the work.
    pub remote: Option<&'a str>,
    /// When it was sent.
    pub since: Timestamp,
}

impl Door {
    /// Looks at least once, and again until `patience` is over.
    pub(super) async fn read_back(
        &self,
        backend: &dyn Backend,
        sent: Sent<'_>,
        patience: Duration,
    ) -> Finding {
        let started = Instant::now();
        loop {
            let proof = within(self.patience.check, backend.verify(sent.job, sent.remote, sent.since)).await;
            let (text, look) = match proof {
                Ok(Proof::Seen(proof)) => return Finding::Seen(proof),
                Ok(Proof::Absent(why)) => return Finding::Absent(why),
                Ok(Proof::Unclear(text, look)) => (text, look),
                Err(fault) => (format!("it could not be read back: {fault}"), look_by_hand(sent.job)),
            };
            if started.elapsed() >= patience {
                return Finding::Unclear { text, look };
            }
            tokio::time::sleep(self.patience.pause).await;
        }
    }
}

/// How to look where the backend itself has nothing to say.
pub(super) fn look_by_hand(job: &Job) -> String {
    let id = &job.target.id;
    format!("vigie get {} {}; settle it with vigie do run.settle {}", id.kind, job.target.name, job.run)
}

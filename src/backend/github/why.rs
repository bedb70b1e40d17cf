//! Why the last failed runs failed, in the runner's own words: asked once for each, as it never changes.
//!
//! A run that could not reach a host names it in its error, so that run and host can be told as one problem.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::backend::error::first_line;
use crate::model::row::{Facet, FacetKey, Grade, Health, Row};

use super::actions::{Actions, Annotation, Run};
use super::doc::is_bad;

/// So many failed runs are asked about at most, the newest first.
const ASKED: usize = 3;
/// So many answers are remembered.
const KEPT: usize = 16;

/// What was said of a failed run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Said {
    /// Its first line.
    line: String,
    /// The hosts that it names.
    hosts: Vec<String>,
}

/// What was asked already, by run and attempt.
#[derive(Debug, Default)]
pub(super) struct Reasons(Mutex<BTreeMap<(i64, i64), Arc<Said>>>);

impl Reasons {
    /// Puts on the rows of failed runs why they failed, where GitHub says it.
    pub(super) async fn explain(&self, actions: &Actions, runs: &[Run], rows: &mut [Row]) {
        let failed = runs.iter().filter(|run| is_bad(&run.conclusion)).take(ASKED);
        for run in failed {
            let key = run.id.or_zero().to_string();
            let row = rows.iter_mut().find(|row| *row.id.key == *key && row.health == Health::Warning);
            let (Some(row), Some(said)) = (row, self.said(actions, run).await) else { continue };
            if !said.line.is_empty() {
                row.note = Some(format!("failed: {}", said.line).into());
            }
            let hosts =
                said.hosts.iter().map(|host| Facet::new(FacetKey::Host, host.as_str(), Grade::Likely));
            row.facets = row.facets.iter().cloned().chain(hosts).collect();
        }
    }

    async fn said(&self, actions: &Actions, run: &Run) -> Option<Arc<Said>> {
        let key = (run.id.or_zero(), run.run_attempt.or_zero());
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if known.is_some() {
            return known;
        }
        let jobs = actions.jobs(key.0).await.ok()?;
        let mut notes = Vec::new();
        for job in jobs.iter().filter(|job| is_bad(&job.conclusion)).take(1) {
            notes.extend(actions.annotations(job.id.or_zero()).await.ok()?);
        }
        let said = Arc::new(read(&notes));
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(key, said.clone());
        while known.len() > KEPT {
            known.pop_first();
        }
        Some(said)
    }
}

fn read(notes: &[Annotation]) -> Said {
    let bad: Vec<&str> = notes
        .iter()
        .filter(|note| note.annotation_level.as_str() == "failure")
        .map(|note| note.message.as_str())
        .collect();
    let mut hosts: Vec<String> = bad.iter().flat_map(|text| hosts(text)).collect();
    hosts.sort_unstable();
    hosts.dedup();
    Said { line: bad.first().map(|text| first_line(text)).unwrap_or_default(), hosts }
}

/// The hosts of the addresses in a text.
fn hosts(text: &str) -> impl Iterator<Item = String> + '_ {
    let after = text.split("://").skip(1);
    let host = |rest: &str| -> String {
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || ".-".contains(*c)).collect()
    };
    after.map(host).filter(|host| host.contains('.')).map(|host| host.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_is_quoted_and_its_hosts_are_known() {
        let note = |level: &str, message: &str| -> Annotation {
            serde_json::from_value(serde_json::json!({"annotation_level": level, "message": message}))
                .unwrap()
        };
        let notes = [
            note("notice", "https://docs.example/x"),
            note("failure", "Error: <title>Just a moment...</title>\nsecond line"),
            note("failure", "HTTP 403 on https://auth.lab.example/api/v3/, https://AUTH.lab.example:443/"),
        ];
        let said = read(&notes);
        assert_eq!(said.line, "Error: <title>Just a moment...</title>");
        assert_eq!(said.hosts, ["auth.lab.example"]);
        assert_eq!(read(&[]), Said::default());
    }
}

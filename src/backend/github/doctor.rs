//! `vigie doctor`: reach, token, what is left of the hour's questions, and when the token ends.

use std::time::Instant;

use jiff::Timestamp;

use crate::backend::http::Call;
use crate::backend::{Diagnosis, Finding};
use crate::model::row::Tone;
use crate::model::time::{seconds_between, short};

use super::{Github, ops};

/// A token that ends sooner than this wants attention, in seconds.
const SOON: i64 = 14 * 86_400;

impl Github {
    pub(super) async fn diagnose(&self) -> Diagnosis {
        let mut diagnosis = Diagnosis::default();
        let start = Instant::now();
        let repo = self.actions.repo();
        let reply = match self
            .actions
            .ask(Call::get(format!("/repos/{repo}/actions/runs")).query("per_page", "1"))
            .await
        {
            Ok(reply) => reply,
            Err(error) => {
                let hint = if error.fault.hint.is_empty() {
                    String::new()
                } else {
                    format!("; {}", error.fault.hint)
                };
                diagnosis.findings.push(Finding::new("reach", format!("{error}{hint}"), Tone::Error));
                return diagnosis;
            }
        };
        let took = start.elapsed().as_millis();
        diagnosis.findings.push(Finding::new("reach", format!("{repo} answers in {took} ms"), Tone::Ok));
        diagnosis.certificate_ends = reply.certificate_ends;
        if let Some(left) = reply.header("x-ratelimit-remaining") {
            let low = left.parse::<u32>().is_ok_and(|left| left < 500);
            let tone = if low { Tone::Warn } else { Tone::Ok };
            diagnosis.findings.push(Finding::new("rate", format!("{left} questions left this hour"), tone));
        }
        // `2027-01-01 00:00:00 UTC`, or with an offset; a token without an end has no such header.
        let ends = reply.header("github-authentication-token-expiration").and_then(read_end);
        diagnosis.token_ends = ends;
        if let Some(ends) = ends {
            let left = seconds_between(self.clock.now(), ends);
            let tone = if left < SOON { Tone::Warn } else { Tone::Ok };
            diagnosis.findings.push(Finding::new("token", format!("ends in {}", short(left)), tone));
        }
        let says = "GitHub does not say what the token may do; it needs Actions: read and write";
        diagnosis.findings.push(Finding::new("rights", says, Tone::Ok));
        let unknown = ops::all().into_iter().map(|op| op.name.to_string()).collect();
        diagnosis.rights = Some(crate::model::op::Rights { unknown, ..Default::default() });
        diagnosis
    }
}

fn read_end(text: &str) -> Option<Timestamp> {
    let text = text.trim().replace(" UTC", "Z").replacen(' ', "T", 1).replace(" +", "+").replace(" -", "-");
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_token_is_read_in_both_spellings() {
        for text in ["2027-01-01 00:00:00 UTC", "2027-01-01 01:00:00 +0100"] {
            assert_eq!(read_end(text), "2027-01-01T00:00:00Z".parse().ok(), "{text}");
        }
        assert_eq!(read_end("soon"), None);
    }
}

//! `vigie doctor`: the configuration, then every server from the outside in.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use serde::Serialize;

use crate::app::words::clean;
use crate::backend::{Backend, Diagnosis, Finding};
use crate::cli::{Doctor, Report};
use crate::exec::call::within;
use crate::model::op::{OpSpec, Rights};
use crate::model::row::Tone;
use crate::model::time::{seconds_between, short};

use super::io::{Failure, Io};
use super::session::Session;

/// How long all questions to one server may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Exit code where a connector is not well.
const UNWELL: u8 = 3;

/// Runs `vigie doctor`.
pub async fn doctor(session: &Session, args: &Doctor, io: &mut Io<'_>) -> Result<u8, Failure> {
    let backends = session.connect(None).await?;
    let checks = join_all(backends.iter().map(|backend| examine(session, backend))).await;
    let failing: Vec<String> = checks.iter().filter(|check| !check.healthy).map(Check::name).collect();
    match args.output {
        Report::Json => {
            let config = session.file.display().to_string();
            let warnings = session.config.warnings.iter().map(crate::config::Report::line).collect();
            io.json(&Answer { config, warnings, connectors: &checks, failing: &failing })?;
        }
        Report::Text => print(session, &checks, io)?,
    }
    if failing.is_empty() {
        return Ok(0);
    }
    io.note(&format!("not well: {}", failing.join(", ")));
    Ok(UNWELL)
}

#[derive(Serialize)]
struct Answer<'a> {
    config: String,
    warnings: Vec<String>,
    connectors: &'a [Check],
    failing: &'a [String],
}

/// What was found of one instance.
#[derive(Serialize)]
struct Check {
    backend: &'static str,
    instance: Arc<str>,
    healthy: bool,
    findings: Vec<FindingJson>,
    /// Operations that the credential may do.
    can: Vec<String>,
    /// Operations that it may not do, with the missing right.
    cannot: std::collections::BTreeMap<String, String>,
    /// Operations of which the server does not tell.
    unclear: Vec<String>,
    certificate_ends: Option<Timestamp>,
    token_ends: Option<Timestamp>,
}

#[derive(Serialize)]
struct FindingJson {
    what: String,
    says: String,
    tone: Tone,
}

async fn examine(session: &Session, backend: &Arc<dyn Backend>) -> Check {
    let diagnosis = within(PATIENCE, async { Ok(backend.doctor().await) }).await;
    let diagnosis = diagnosis.unwrap_or_else(|fault| Diagnosis {
        findings: vec![Finding::new("check", fault.to_string(), Tone::Error)],
        ..Diagnosis::default()
    });
    let own = |op: &&Arc<OpSpec>| op.backend() == backend.id();
    let names: Vec<String> = session.operations.iter().filter(own).map(|op| op.name.to_string()).collect();
    let healthy = diagnosis.healthy();
    let Rights { missing, unknown } =
        diagnosis.rights.clone().unwrap_or_else(|| Rights { unknown: names.clone(), ..Rights::default() });
    Check {
        backend: backend.id(),
        instance: backend.instance().clone(),
        healthy,
        can: names
            .into_iter()
            .filter(|name| !missing.contains_key(name) && !unknown.contains(name))
            .collect(),
        cannot: missing,
        unclear: unknown,
        certificate_ends: diagnosis.certificate_ends,
        token_ends: diagnosis.token_ends,
        findings: diagnosis.findings.into_iter().map(FindingJson::from).collect(),
    }
}

impl From<Finding> for FindingJson {
    fn from(finding: Finding) -> Self {
        Self { what: finding.what.into_owned(), says: finding.says, tone: finding.tone }
    }
}

impl Check {
    fn name(&self) -> String {
        format!("{} {}", self.backend, self.instance)
    }

    fn lines(&self, now: Timestamp) -> Vec<(&'static str, String, String)> {
        let mut lines: Vec<_> = self
            .findings
            .iter()
            .map(|finding| (word(finding.tone), finding.what.clone(), finding.says.clone()))
            .collect();
        let list = |word, what: &str, names: &[String]| {
            (!names.is_empty()).then(|| (word, what.to_owned(), names.join(", ")))
        };
        let cannot: Vec<String> =
            self.cannot.iter().map(|(op, right)| format!("{op} (needs {right})")).collect();
        lines.extend(list("ok", "can", &self.can));
        lines.extend(list("warn", "cannot", &cannot));
        lines.extend(list("?", "unclear", &self.unclear));
        // Where the backend has a word of its own about it, that one stands.
        let end = |what: &str, at: Option<Timestamp>| {
            let at = at.filter(|_| self.findings.iter().all(|finding| finding.what != what))?;
            Some((if at < now { "FAIL" } else { "ok" }, what.to_owned(), remaining(at, now)))
        };
        lines.extend(end("certificate", self.certificate_ends));
        lines.extend(end("token", self.token_ends));
        lines
    }
}

fn remaining(at: Timestamp, now: Timestamp) -> String {
    let seconds = seconds_between(now, at);
    if seconds < 0 {
        format!("ended {} ago, {at}", short(seconds))
    } else {
        format!("ends in {}, {at}", short(seconds))
    }
}

fn word(tone: Tone) -> &'static str {
    match tone {
        Tone::Error | Tone::Danger => "FAIL",
        Tone::Unknown => "?",
        Tone::Warn => "warn",
        _ => "ok",
    }
}

fn print(session: &Session, checks: &[Check], io: &mut Io<'_>) -> Result<(), Failure> {
    io.line(format!("config  {}", session.file.display()))?;
    for warning in &session.config.warnings {
        io.line(format!("  warn  {}", clean(&warning.line())))?;
    }
    if checks.is_empty() {
        io.line("  no server is configured")?;
    }
    let now = session.clock.now();
    for check in checks {
        let verdict = if check.healthy { "" } else { "  FAIL" };
        io.line(format!("\n{}{verdict}", check.name()))?;
        for (word, what, says) in check.lines(now) {
            io.line(format!("  {word:4}  {what:11}  {}", clean(&says)))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::backend::error::ApiError;
    use crate::exec::fake::{self, Fake};
    use crate::headless::session::testing::{Bench, Printed};
    use crate::model::snapshot::Layer;

    use super::*;

    async fn run(fakes: Vec<Fake>, output: Report) -> Printed {
        let bench = Bench::with(fakes, fake::op());
        bench.run(async |session, io| doctor(session, &Doctor { output }, io).await).await
    }

    #[tokio::test]
    async fn what_is_well_is_said_with_what_it_may_do() {
        let fake = Fake::default();
        let missing = [("fake.start".into(), "Thing.Start".into())].into();
        fake.rights.set([Ok(Rights { missing, unknown: vec![] })]);
        let printed = run(vec![fake], Report::Text).await;
        assert_eq!(printed.code, 0);
        for part in
            ["config  config.toml", "fake one", "reach", "answers in 3 ms", "fake.start (needs Thing.Start)"]
        {
            assert!(printed.out.contains(part), "{part}: {}", printed.out);
        }
    }

    #[tokio::test]
    async fn the_failing_are_named() {
        let broken = Fake { instance: "two".into(), ..Fake::default() };
        broken.rights.set([Err(ApiError::new(Layer::Auth, "who are you"))]);
        let printed = run(vec![Fake::default(), broken], Report::Json).await;
        assert_eq!(printed.code, 3);
        let answer: serde_json::Value = serde_json::from_str(&printed.out).unwrap();
        assert_eq!(answer["failing"], serde_json::json!(["fake two"]));
        assert_eq!(answer["connectors"][0]["can"], serde_json::json!(["fake.start"]));
        assert_eq!(answer["connectors"][1]["unclear"], serde_json::json!(["fake.start"]));
    }

    #[test]
    fn an_end_is_told_with_what_remains() {
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(remaining(at(90_000), at(0)), "ends in 25h, 1970-01-02T01:00:00Z");
        assert_eq!(remaining(at(0), at(7_200)), "ended 2h ago, 1970-01-01T00:00:00Z");
    }
}

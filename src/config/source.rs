//! A file under examination: its text, and the findings about it with the line that each one means.

use std::cell::RefCell;
use std::ops::Range;

use toml::de::DeTable;

use super::quote::{Veil, printable, quote};
use super::report::{Place, Report, Severity};

/// Findings about syntax that are told at most: after the first few they are echoes.
const SYNTAX_ERRORS: usize = 5;

/// Keys whose values are never quoted, as they are where a secret gets pasted.
const SECRET_KEYS: [&str; 8] =
    ["token", "key", "operator_key", "password", "bearer", "headers", "env", "command"];

/// A file's text and what was found about it.
#[derive(Debug)]
pub(super) struct Source<'t> {
    name: &'t str,
    text: &'t str,
    severity: Severity,
    findings: RefCell<Vec<(usize, Report)>>,
}

/// What is wrong with a value, before it is known where the value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// What is wrong.
    pub what: String,
    /// What was expected, in a few words.
    pub expected: &'static str,
    /// What to do about it.
    pub cure: String,
    /// How much of its line may be shown.
    pub veil: Veil,
}

impl Fault {
    /// A value that may be quoted.
    pub fn new(what: impl Into<String>, expected: &'static str, cure: impl Into<String>) -> Self {
        Self { what: what.into(), expected, cure: cure.into(), veil: Veil::Rest }
    }

    /// The same, but the value is not shown.
    pub fn hidden(self) -> Self {
        Self { veil: Veil::Value, ..self }
    }
}

impl<'t> Source<'t> {
    /// Text to be read; `severity` says whether a finding stops the program or is replaced by a default.
    pub fn new(name: &'t str, text: &'t str, severity: Severity) -> Self {
        Self { name, text, severity, findings: RefCell::default() }
    }

    /// The text as TOML, or `None` with the syntax errors noted.
    pub fn parse(&self) -> Option<DeTable<'t>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors.iter().take(SYNTAX_ERRORS) {
            let span = error.span().unwrap_or(0..0);
            let fault = Fault::new(
                format!("this is not TOML: {}", error.message()),
                "",
                "text stands in quotes, tables in [[brackets]], and a key occurs once in its table",
            );
            self.note(span, Fault { veil: Veil::Words, ..fault });
        }
        errors.is_empty().then(|| table.into_inner())
    }

    /// Notes a finding about a part of the text.
    pub fn note(&self, span: Range<usize>, fault: Fault) {
        let Fault { what, expected, cure, veil } = fault;
        let report = Report {
            severity: self.severity,
            what: printable(&what),
            place: Some(self.place(&span, self.veil(&span, veil))),
            expected: expected.to_owned(),
            cure: printable(&cure),
        };
        self.findings.borrow_mut().push((span.start, report));
    }

    /// The findings in the order of the text.
    pub fn into_reports(self) -> Vec<Report> {
        let mut findings = self.findings.into_inner();
        findings.sort_by_key(|(start, _)| *start);
        findings.into_iter().map(|(_, report)| report).collect()
    }

    /// The number of the line in which a place of the text stands, from 1.
    pub fn line_of(&self, at: usize) -> usize {
        self.before(at).matches('\n').count() + 1
    }

    fn before(&self, at: usize) -> &'t str {
        let mut at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        &self.text[..at]
    }

    /// The line at a place, and where it begins.
    fn line_at(&self, at: usize) -> (usize, &'t str) {
        let begin = self.before(at).rfind('\n').map_or(0, |i| i + 1);
        (begin, self.text[begin..].lines().next().unwrap_or_default())
    }

    /// How much of the line at a place may be shown.
    fn veil(&self, span: &Range<usize>, veil: Veil) -> Veil {
        let (begin, line) = self.line_at(span.start);
        let is_about_secrets = |key: &str| SECRET_KEYS.contains(&key.trim().trim_matches(['"', '\'']));
        let key = line.split_once('=').map(|(key, _)| key).filter(|key| is_about_secrets(key));
        match (veil, key) {
            (Veil::Rest, Some(key)) if span.start > begin + key.len() => Veil::Value,
            (veil, _) => veil,
        }
    }

    fn place(&self, span: &Range<usize>, veil: Veil) -> Place {
        let (begin, line) = self.line_at(span.start);
        let start = (self.before(span.start).len() - begin).min(line.len());
        let end = self.before(span.end).len().saturating_sub(begin).clamp(start, line.len());
        let quotation = quote(line, start, end, veil);
        Place {
            file: self.name.to_owned(),
            line: self.line_of(span.start),
            column: line[..start].chars().count() + 1,
            source: quotation.text,
            indent: quotation.indent,
            width: quotation.width,
        }
    }
}

//! A file under examination: its text, and the findings about it with the line that each one means.
//!
//! A line is quoted without what it does not need to show: a secret pasted by mistake must not reach a terminal or a
//! log through the message that complains about it.

use std::cell::RefCell;
use std::ops::Range;

use toml::de::DeTable;
use unicode_width::UnicodeWidthStr;

use super::report::{Place, Report, Severity};

/// Cells of a quoted line that are shown at most.
const SHOWN: usize = 100;
/// Findings about syntax that are told at most: after the first few they are echoes.
const SYNTAX_ERRORS: usize = 5;

/// Keys whose values are never quoted, as they are where a secret gets pasted.
const SECRET_KEYS: [&str; 8] =
    ["token", "key", "operator_key", "password", "bearer", "headers", "secret", "env"];

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
    /// Whether the value must not be quoted.
    pub hidden: bool,
}

impl Fault {
    /// A value that may be quoted.
    pub fn new(what: impl Into<String>, expected: &'static str, cure: impl Into<String>) -> Self {
        Self { what: what.into(), expected, cure: cure.into(), hidden: false }
    }

    /// The same, but the value is not quoted.
    pub fn hidden(self) -> Self {
        Self { hidden: true, ..self }
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
            self.note(span, fault);
        }
        errors.is_empty().then(|| table.into_inner())
    }

    /// Notes a finding about a part of the text.
    pub fn note(&self, span: Range<usize>, fault: Fault) {
        let report = Report {
            severity: self.severity,
            what: fault.what,
            place: Some(self.place(span.clone(), fault.hidden || self.is_secret_value(&span))),
            expected: fault.expected.to_owned(),
            cure: fault.cure,
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

    /// Whether a place lies behind the `=` of a key that is about a secret.
    fn is_secret_value(&self, span: &Range<usize>) -> bool {
        let (begin, line) = self.line_at(span.start);
        let Some((key, _)) = line.split_once('=') else { return false };
        span.start > begin + key.len() && SECRET_KEYS.contains(&key.trim().trim_matches(['"', '\'']))
    }

    fn place(&self, span: Range<usize>, hidden: bool) -> Place {
        let (begin, line) = self.line_at(span.start);
        let start = (self.before(span.start).len() - begin).min(line.len());
        let end = self.before(span.end).len().saturating_sub(begin).clamp(start, line.len());
        let (left, meant, right) = if hidden {
            let equals = line[..start].find('=').map_or(start, |i| i + 1);
            (format!("{} ", conceal(&line[..equals])), "…".to_owned(), String::new())
        } else {
            (conceal(&line[..start]), line[start..end].to_owned(), conceal(&line[end..]))
        };
        let (left, meant, right) = (printable(&left), printable(&meant), printable(&right));
        Place {
            file: self.name.to_owned(),
            line: self.line_of(span.start),
            column: line[..start].chars().count() + 1,
            indent: left.width(),
            width: meant.width().min(SHOWN),
            source: shorten(&format!("{left}{meant}{right}")),
        }
    }
}

/// Replaces what stands between quotes, or after a quote that is not closed, by `…`.
fn conceal(text: &str) -> String {
    let mut shown = String::new();
    let mut quote = None;
    for c in text.chars() {
        match quote {
            None if c == '"' || c == '\'' => {
                quote = Some(c);
                shown.extend([c, '…']);
            }
            Some(open) if c == open => {
                quote = None;
                shown.push(c);
            }
            None => shown.push(c),
            Some(_) => {}
        }
    }
    shown
}

fn printable(text: &str) -> String {
    text.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| !c.is_control()).collect()
}

fn shorten(line: &str) -> String {
    if line.chars().count() <= SHOWN {
        return line.trim_end().to_owned();
    }
    line.chars().take(SHOWN).chain(['…']).collect()
}

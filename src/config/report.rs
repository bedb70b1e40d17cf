//! What is wrong with a setting, where it stands, and what cures it, told the way rustc tells it.

use std::fmt;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The console cannot start with it.
    Error,
    /// A default stands in for it.
    Warning,
}

/// Where a finding stands in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file as the user named it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The source line, shortened, without control characters, and with every quoted text hidden that is not meant.
    pub source: String,
    /// Terminal cells of `source` before the meant part.
    pub indent: usize,
    /// Terminal cells of the meant part.
    pub width: usize,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub what: String,
    /// Where, if it stands in a file.
    pub place: Option<Place>,
    /// What was expected at that place, in a few words.
    pub expected: String,
    /// What to do about it.
    pub cure: String,
}

impl Report {
    /// An error that stands nowhere in a file.
    pub fn error(what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            what: what.into(),
            place: None,
            expected: String::new(),
            cure: cure.into(),
        }
    }

    /// A warning that stands nowhere in a file.
    pub fn warning(what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(what, cure) }
    }

    /// The finding in one line, for the screen.
    pub fn line(&self) -> String {
        let place = self.place.as_ref().map(|p| format!(" ({}:{})", p.file, p.line)).unwrap_or_default();
        let cure = if self.cure.is_empty() { String::new() } else { format!(": {}", self.cure) };
        format!("{}{place}{cure}", self.what)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        writeln!(f, "{severity}: {}", self.what)?;
        if let Some(place) = &self.place {
            place.draw(&self.expected, f)?;
        }
        if self.cure.is_empty() { Ok(()) } else { writeln!(f, "  = help: {}", self.cure) }
    }
}

impl Place {
    fn draw(&self, expected: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        let indent = " ".repeat(self.indent);
        let carets = "^".repeat(self.width.max(1));
        writeln!(f, " {gutter}--> {}:{}:{}", self.file, self.line, self.column)?;
        writeln!(f, " {gutter} |")?;
        writeln!(f, " {number} | {}", self.source)?;
        let underline = format!(" {gutter} | {indent}{carets} {expected}");
        writeln!(f, "{}", underline.trim_end())
    }
}

/// Everything that is wrong, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reports(pub Vec<Report>);

impl fmt::Display for Reports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for report in &self.0 {
            writeln!(f, "{report}")?;
        }
        match self.0.len() {
            1 => f.write_str("1 thing to put right before vigie can start"),
            n => write!(f, "{n} things to put right before vigie can start"),
        }
    }
}

impl std::error::Error for Reports {}

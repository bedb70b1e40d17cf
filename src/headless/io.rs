//! Standard output and standard error as values, and the ways in which a command ends early.

use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal, Write};

use crate::app::words::clean;
use crate::config::Reports;

/// Where a command prints.
pub struct Io<'a> {
    /// What was asked for.
    pub out: &'a mut (dyn Write + Send),
    /// What else there is to say.
    pub err: &'a mut (dyn Write + Send),
    /// Whether a person reads `out` on a terminal.
    pub terminal: bool,
}

impl Io<'_> {
    /// Runs a command on the process's own streams and gives its exit code.
    pub fn standard(command: impl FnOnce(&mut Io<'_>) -> Result<u8, Failure>) -> u8 {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        let mut out = io::BufWriter::new(stdout);
        let mut err = io::stderr();
        let mut io = Io { out: &mut out, err: &mut err, terminal };
        let ended = command(&mut io).and_then(|code| io.flush().map(|()| code));
        ended.unwrap_or_else(|failure| {
            io.note(&failure.to_string());
            failure.code()
        })
    }

    /// Prints a line of what was asked for.
    pub fn line(&mut self, text: impl AsRef<str>) -> Result<(), Failure> {
        self.raw(text.as_ref().as_bytes())?;
        self.raw(b"\n")
    }

    /// Prints bytes of what was asked for.
    pub fn raw(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.out.write_all(bytes).map_err(Failure::Io)
    }

    /// Prints a value as one line of JSON.
    pub fn json(&mut self, value: &impl serde::Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(value).map_err(|error| Failure::Io(error.into()))?;
        self.line(harmless(&text))
    }

    /// Hands what was printed on to the reader.
    pub fn flush(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(Failure::Io)
    }

    /// Says something on the side; that nobody listens is no failure.
    pub fn note(&mut self, text: &str) {
        for line in text.lines() {
            let _ = writeln!(self.err, "{}", clean(line));
        }
    }
}

/// JSON without characters that a terminal could obey: what the format leaves bare is written as an escape.
fn harmless(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        let hides = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        if c.is_control() || hides {
            // Writing into a string cannot fail.
            let _ = write!(text, "\\u{:04x}", u32::from(c));
        } else {
            text.push(c);
        }
    }
    text
}

/// Why a command ended early.
#[derive(Debug)]
pub enum Failure {
    /// Typed or configured wrongly.
    Usage(String),
    /// What is wrong with the configuration.
    Config(Reports),
    /// Refused; nothing was sent.
    Refused(String),
    /// It did not work.
    Failed(String),
    /// Nothing can be printed; not even worth a word where the reader has gone.
    Io(io::Error),
}

impl Failure {
    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Config(_) => 2,
            Self::Refused(_) => 4,
            // Whoever closes a pipe has seen enough.
            Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Self::Failed(_) | Self::Io(_) => 1,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Failed(text) => write!(f, "vigie: {text}"),
            Self::Config(reports) => reports.fmt(f),
            Self::Refused(text) => write!(f, "refused, nothing was sent: {text}"),
            Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Self::Io(error) => write!(f, "vigie: cannot print: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_holds_nothing_that_a_terminal_obeys() {
        let mut out = Vec::new();
        let mut io = Io { out: &mut out, err: &mut io::sink(), terminal: false };
        io.json(&"a\u{1b}[2J\u{9b}\u{7f}\u{202e}é").unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "\"a\\u001b[2J\\u009b\\u007f\\u202eé\"\n");
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), "a\u{1b}[2J\u{9b}\u{7f}\u{202e}é");
    }

    #[test]
    fn a_reader_that_has_gone_is_no_failure() {
        assert_eq!(Failure::Io(io::ErrorKind::BrokenPipe.into()).code(), 0);
        assert_eq!(Failure::Io(io::ErrorKind::StorageFull.into()).code(), 1);
    }
}

//! The words that people use for severity, in one order.

use crate::model::row::{Health, Tone};

/// How bad an alert is said to be; the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Somebody is paged.
    Critical,
    /// Bad, but not yet for everybody.
    Major,
    /// Wants attention by day.
    Warning,
    /// For the record.
    Info,
    /// Plumbing, such as a watchdog that always fires.
    None,
    /// Nobody said, or in a word that nobody knows: never taken for harmless.
    Unknown,
}

impl Severity {
    /// Reads the label's word, in any case.
    pub fn read(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "critical" | "crit" | "page" | "error" | "fatal" | "disaster" | "emergency" => Self::Critical,
            "major" | "high" => Self::Major,
            "warning" | "warn" | "minor" | "medium" | "average" => Self::Warning,
            "info" | "information" | "notice" | "low" | "debug" => Self::Info,
            "none" => Self::None,
            _ => Self::Unknown,
        }
    }

    /// What it makes of the health of a firing alert's row.
    pub fn health(self) -> Health {
        match self {
            Self::Critical | Self::Major => Health::Critical,
            Self::Warning => Health::Warning,
            Self::Info | Self::None => Health::Ok,
            Self::Unknown => Health::Unknown,
        }
    }

    /// The role in which its word is drawn.
    pub fn tone(self) -> Tone {
        match self {
            Self::Critical | Self::Major => Tone::Error,
            Self::Warning => Tone::Warn,
            Self::Info => Tone::Info,
            Self::None => Tone::Dim,
            Self::Unknown => Tone::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_other_schools_keep_the_order() {
        use Severity::{Critical, Info, Major, None, Unknown, Warning};
        let words = ["page", "HIGH", "minor", "notice", "none", "sev9", ""];
        let read: Vec<_> = words.iter().map(|word| Severity::read(word)).collect();
        assert_eq!(read, [Critical, Major, Warning, Info, None, Unknown, Unknown]);
        assert!(read.is_sorted());
    }

    #[test]
    fn an_unknown_word_is_not_harmless() {
        assert_eq!(Severity::read("").health(), Health::Unknown);
    }
}

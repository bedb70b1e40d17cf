//! The words that people use for severity, in one order.

use std::collections::BTreeMap;

use crate::model::row::{Health, Tone};

/// The words of one platform: those that the configuration explains, before those that everybody uses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scale(BTreeMap<String, Severity>);

impl Scale {
    /// Words and what they mean, in one of the words that everybody uses.
    pub fn new<'a>(words: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let read = |(word, means): (&str, &str)| (word.to_ascii_lowercase(), Severity::read(means));
        Self(words.into_iter().map(read).collect())
    }

    /// Reads the label's word, in any case.
    pub fn read(&self, word: &str) -> Severity {
        if self.0.is_empty() {
            return Severity::read(word);
        }
        self.0.get(&word.to_ascii_lowercase()).copied().unwrap_or_else(|| Severity::read(word))
    }
}

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
    fn the_configuration_explains_words_before_everybody_does() {
        let scale = Scale::new([("SEV1", "critical"), ("error", "warning")]);
        assert_eq!(scale.read("sev1"), Severity::Critical);
        assert_eq!((scale.read("Error"), scale.read("page")), (Severity::Warning, Severity::Critical));
    }

    #[test]
    fn an_unknown_word_is_not_harmless() {
        assert_eq!(Severity::read("").health(), Health::Unknown);
    }
}

//! What the console has told its operator.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::row::Tone;

/// So many messages are kept.
const KEPT: usize = 500;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// When.
    pub at: Timestamp,
    /// In which role.
    pub tone: Tone,
    /// One line, not yet cleaned.
    pub text: String,
}

/// All messages, newest last.
#[derive(Debug, Clone, Default)]
pub struct Notices {
    kept: VecDeque<Notice>,
    revision: u64,
}

impl Notices {
    /// Keeps a message.
    pub fn add(&mut self, at: Timestamp, tone: Tone, text: String) {
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(Notice { at, tone, text });
        self.revision += 1;
    }

    /// All messages, newest last.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Notice> {
        self.kept.iter()
    }

    /// Counts the changes, so that a view knows when to look again.
    pub fn revision(&self) -> u64 {
        self.revision
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn messages_are_bounded() {
        let mut notices = Notices::default();
        for n in 0..600 {
            notices.add(at(n), Tone::Text, n.to_string());
        }
        assert_eq!(notices.iter().next().unwrap().text, "100");
    }
}

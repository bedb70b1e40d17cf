//! What the console has told its operator: the newest as a toast, all of it as messages.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use super::row::Tone;

/// So many messages are kept.
const KEPT: usize = 500;
/// So long a toast stays.
const SHOWN: SignedDuration = SignedDuration::from_secs(8);

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
    toast: bool,
    revision: u64,
}

impl Notices {
    /// Keeps a message without showing it now.
    pub fn add(&mut self, at: Timestamp, tone: Tone, text: String) {
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(Notice { at, tone, text });
        self.toast = false;
        self.revision += 1;
    }

    /// Keeps a message and shows it for a while.
    pub fn say(&mut self, at: Timestamp, tone: Tone, text: String) {
        self.add(at, tone, text);
        self.toast = true;
    }

    /// Takes the toast away.
    pub fn hush(&mut self) {
        self.toast = false;
    }

    /// The message that is shown now.
    pub fn toast(&self, now: Timestamp) -> Option<&Notice> {
        self.kept.back().filter(|notice| self.toast && now.duration_since(notice.at) < SHOWN)
    }

    /// When the toast goes, if there is one.
    pub fn toast_ends(&self, now: Timestamp) -> Option<Timestamp> {
        self.toast(now).map(|notice| notice.at + SHOWN)
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
    fn a_toast_goes_by_itself_and_its_message_stays() {
        let mut notices = Notices::default();
        notices.say(at(0), Tone::Warn, "refused".into());
        assert!(notices.toast(at(7)).is_some());
        assert_eq!(notices.toast_ends(at(7)), Some(at(8)));
        assert!(notices.toast(at(8)).is_none());
        assert_eq!(notices.iter().count(), 1);
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

//! A cursor over lines that can be chosen, with the viewport around it.

use std::ops::Range;

use crate::model::action::Action;

use super::lines::Scroll;

/// A cursor over so many lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pick {
    at: usize,
    scroll: Scroll,
}

impl Pick {
    /// The line it stands on.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Goes to a line.
    pub fn go(&mut self, at: usize) {
        self.at = at;
    }

    /// Takes a moving action among `count` lines; false where it is none.
    pub fn on(&mut self, action: &Action, count: usize) -> bool {
        let last = count.saturating_sub(1);
        let page = self.scroll.height().max(1);
        let half = (page / 2).max(1);
        self.at = match action {
            Action::Down | Action::NextMatch => self.at + 1,
            Action::Up | Action::PreviousMatch => self.at.saturating_sub(1),
            Action::PageDown => self.at + page,
            Action::PageUp => self.at.saturating_sub(page),
            Action::HalfPageDown => self.at + half,
            Action::HalfPageUp => self.at.saturating_sub(half),
            Action::Top => 0,
            Action::Bottom => last,
            _ => return false,
        };
        self.at = self.at.min(last);
        true
    }

    /// The lines that are visible in a viewport, the one under the cursor among them.
    pub fn view(&mut self, height: u16, count: usize) -> Range<usize> {
        self.at = self.at.min(count.saturating_sub(1));
        self.scroll.view(height, count);
        self.scroll.reveal(self.at);
        self.scroll.top()..count.min(self.scroll.top() + usize::from(height))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_among_its_lines_and_in_view() {
        let mut pick = Pick::default();
        assert_eq!(pick.view(3, 10), 0..3);
        for (action, at, view) in [
            (Action::PageDown, 3, 1..4),
            (Action::Bottom, 9, 7..10),
            (Action::Down, 9, 7..10),
            (Action::HalfPageUp, 8, 7..10),
            (Action::Top, 0, 0..3),
        ] {
            assert!(pick.on(&action, 10));
            assert_eq!((pick.at(), pick.view(3, 10)), (at, view), "{action}");
        }
        pick.go(9);
        assert_eq!(pick.view(3, 2), 0..2);
        assert_eq!(pick.at(), 1, "lines went");
        assert_eq!(pick.view(3, 0), 0..0);
    }
}

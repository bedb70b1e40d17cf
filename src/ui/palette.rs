//! The command line: one line of text, what it may become, and what was typed before.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::config::theme::Role;
use crate::model::action::{Action, Context};

use super::component::{Component, Ctx, Outcome, Request};
use super::input::Input;
use super::layout::sheet;
use super::text::{Strip, line, width};

/// How many candidates are shown at once.
const SHOWN: usize = 8;

/// What the typed line may become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The whole line once it is taken.
    pub text: String,
    /// What it does.
    pub doc: String,
}

/// A command that is being typed.
///
/// The application computes candidates after every change of [`Palette::text`] and hands them in with
/// [`Palette::set_candidates`]; Enter runs the line, or the candidate that was stepped to.
#[derive(Debug, Default)]
pub struct Palette {
    prompt: String,
    input: Input,
    candidates: Vec<Candidate>,
    /// The candidate that was stepped to.
    picked: Option<usize>,
    history: Vec<String>,
    /// How far back in history, and what had been typed before.
    back: Option<(usize, String)>,
    error: String,
}

impl Palette {
    /// An empty line after a prompt; history is oldest first.
    pub fn new(prompt: impl Into<String>, history: Vec<String>) -> Self {
        Self { prompt: prompt.into(), history, ..Self::default() }
    }

    /// A line that begins with a text.
    #[must_use]
    pub fn with(mut self, text: &str) -> Self {
        self.input.set(text);
        self
    }

    /// The line as typed.
    pub fn text(&self) -> &str {
        self.input.text()
    }

    /// Replaces what the line may become.
    pub fn set_candidates(&mut self, candidates: Vec<Candidate>) {
        (self.candidates, self.picked) = (candidates, None);
    }

    /// Says why the line was not run; it stays to be corrected.
    pub fn refuse(&mut self, why: impl Into<String>) {
        self.error = why.into();
    }

    /// Steps through the candidates and writes the one it comes to into the line.
    fn complete(&mut self, by: isize) {
        let count = isize::try_from(self.candidates.len()).unwrap_or(0);
        if count == 0 {
            return;
        }
        let at = self.picked.and_then(|at| isize::try_from(at).ok());
        let next = at.map_or(if by > 0 { 0 } else { -1 }, |at| at + by).rem_euclid(count);
        let next = usize::try_from(next).unwrap_or(0);
        self.picked = Some(next);
        self.input.set(&self.candidates[next].text);
    }

    fn recall(&mut self, older: bool) {
        let (depth, typed) = self.back.take().unwrap_or_else(|| (0, self.input.text().to_owned()));
        let depth = if older { (depth + 1).min(self.history.len()) } else { depth.saturating_sub(1) };
        if depth == 0 {
            self.input.set(&typed);
        } else {
            self.input.set(&self.history[self.history.len() - depth]);
            self.back = Some((depth, typed));
        }
        self.picked = None;
    }

    fn draw_candidates(&self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) {
        let first = self.picked.map_or(0, |at| (at + 1).saturating_sub(usize::from(area.height.max(1))));
        let widest = self.candidates.iter().take(200).map(|candidate| width(&candidate.text)).max();
        let name = u16::try_from(widest.unwrap_or(0)).unwrap_or(u16::MAX).min(area.width / 2);
        for (index, (at, candidate)) in (0..area.height).zip(self.candidates.iter().enumerate().skip(first)) {
            let role = if self.picked == Some(at) { Role::Selection } else { Role::Text };
            Strip::new(buf, line(area, index), ctx.ascii)
                .gap(2)
                .field(&candidate.text, name, false, ctx.theme.style(role))
                .gap(2)
                .put(&candidate.doc, ctx.theme.style(Role::Dim));
        }
    }
}

impl Component for Palette {
    fn context(&self) -> Context {
        Context::Palette
    }

    fn takes_text(&self) -> bool {
        true
    }

    fn on(&mut self, action: &Action, _ctx: &Ctx<'_>) -> Outcome {
        match action {
            Action::Enter => return Outcome::emit(Request::Run(self.input.text().trim().to_owned())),
            Action::Back => return Outcome::emit(Request::Cancel),
            Action::DeleteBack if self.input.is_empty() => return Outcome::emit(Request::Cancel),
            Action::Complete => self.complete(1),
            Action::CompleteBack => self.complete(-1),
            Action::Up => self.recall(true),
            Action::Down => self.recall(false),
            action if self.input.on(action) => {
                (self.picked, self.back) = (None, None);
                self.error.clear();
            }
            _ => return Outcome::Ignored,
        }
        Outcome::Consumed
    }

    fn draw(&mut self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<Position> {
        let lines = self.candidates.len().min(SHOWN);
        let error = usize::from(!self.error.is_empty());
        let inner = sheet(buf, area, lines + error + 1, "command", Role::Title, ctx);
        let last = inner.height.saturating_sub(1);
        self.draw_candidates(buf, Rect { height: u16::try_from(lines).unwrap_or(0).min(last), ..inner }, ctx);
        if error > 0 && last > 0 {
            Strip::at(buf, inner, last - 1, ctx.ascii).gap(2).put(&self.error, ctx.theme.style(Role::Warn));
        }
        let at = line(inner, last);
        let mut strip = Strip::new(buf, at, ctx.ascii);
        strip.put(&self.prompt, ctx.theme.style(Role::Key));
        let rest = Rect { x: strip.x(), width: strip.left(), ..at };
        let cursor = self.input.draw(buf, rest, ctx.theme.style(Role::Text), ctx.ascii);
        (!rest.is_empty()).then_some(cursor)
    }

    fn hints(&self, _ctx: &Ctx<'_>) -> Vec<Action> {
        vec![Action::Enter, Action::Complete, Action::Up, Action::Back]
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::proptest;

    use super::*;
    use crate::ui::testing::{Screen, World, act, typed};

    fn palette() -> Palette {
        let mut palette = Palette::new(":", vec!["nodes".into(), "pods".into()]);
        let candidate = |text: &str, doc: &str| Candidate { text: text.into(), doc: doc.into() };
        palette.set_candidates(vec![
            candidate("guests", "Virtual machines and containers"),
            candidate("groups", "Groups of Authentik"),
        ]);
        palette
    }

    #[test]
    fn it_shows_what_the_line_may_become() {
        let world = World::lab();
        let mut palette = palette();
        act(&mut palette, &world, &typed("g"));
        let screen = Screen::of(&mut palette, 80, 24, &world);
        assert_snapshot!(screen.text());
        assert_eq!(screen.cursor, Some(Position { x: 2, y: 23 }));
    }

    #[test]
    fn completion_goes_round_and_enter_runs_the_line() {
        let world = World::lab();
        let mut palette = palette();
        act(&mut palette, &world, &[Action::Complete, Action::Complete]);
        assert_eq!(palette.text(), "groups");
        act(&mut palette, &world, &[Action::Complete, Action::CompleteBack]);
        assert_eq!(palette.text(), "groups");
        assert_eq!(act(&mut palette, &world, &[Action::Enter]), Outcome::emit(Request::Run("groups".into())));
    }

    #[test]
    fn history_goes_back_and_returns_to_what_was_typed() {
        let world = World::lab();
        let mut palette = palette();
        act(&mut palette, &world, &typed("al"));
        for (action, text) in [
            (Action::Up, "pods"),
            (Action::Up, "nodes"),
            (Action::Up, "nodes"),
            (Action::Down, "pods"),
            (Action::Down, "al"),
            (Action::Down, "al"),
        ] {
            act(&mut palette, &world, &[action]);
            assert_eq!(palette.text(), text);
        }
    }

    #[test]
    fn a_refused_line_stays_with_its_reason() {
        let world = World::lab();
        let mut palette = palette().with("fly");
        palette.refuse("there is no command `fly`");
        assert!(Screen::of(&mut palette, 80, 24, &world).text().ends_with("there is no command `fly`\n:fly"));
        act(&mut palette, &world, &typed("!"));
        assert!(!Screen::of(&mut palette, 80, 24, &world).text().contains("no command"));
    }

    #[test]
    fn backspace_in_an_empty_line_closes_it() {
        let world = World::lab();
        assert_eq!(act(&mut palette(), &world, &[Action::DeleteBack]), Outcome::emit(Request::Cancel));
    }

    proptest! {
        #[test]
        fn any_size_can_be_drawn(width in 1_u16..50, height in 1_u16..12) {
            Screen::of(&mut palette().with("a 漢字 line"), width, height, &World::lab());
        }
    }
}

//! A list to choose from, narrowed as one types: operations of a row, what is related to it, the values of a field.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::config::theme::Role;
use crate::model::action::{Action, Context};
use crate::model::row::Tone;

use super::component::{Component, Ctx, Outcome, Request};
use super::input::Input;
use super::layout::sheet;
use super::pick::Pick;
use super::text::{Strip, line, width};

/// One thing to choose.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Item {
    /// What it is called.
    pub text: String,
    /// What it means, beside it.
    pub doc: String,
    /// A word at the right edge: a tier, an age.
    pub right: String,
    /// The role of its name.
    pub tone: Tone,
    /// Why it cannot be chosen; it is shown greyed out with this instead of what it means.
    pub off: Option<String>,
}

impl Item {
    /// A name and what it means.
    pub fn new(text: impl Into<String>, doc: impl Into<String>) -> Self {
        Self { text: text.into(), doc: doc.into(), ..Self::default() }
    }

    /// Adds a word at the right edge.
    #[must_use]
    pub fn right(mut self, right: impl Into<String>) -> Self {
        self.right = right.into();
        self
    }

    /// Makes it impossible to choose, and says why.
    #[must_use]
    pub fn off(mut self, why: impl Into<String>) -> Self {
        self.off = Some(why.into());
        self
    }
}

/// A list with a cursor and a filter.
#[derive(Debug)]
pub struct Picker {
    title: String,
    items: Vec<Item>,
    filter: Input,
    typing: bool,
    /// Whether letters narrow the list from the start, as they do in the command line.
    direct: bool,
    shown: Vec<usize>,
    pick: Pick,
}

impl Picker {
    /// A list under a title.
    pub fn new(title: impl Into<String>, items: Vec<Item>) -> Self {
        let shown = (0..items.len()).collect();
        let title = title.into();
        Self {
            title,
            items,
            filter: Input::default(),
            typing: false,
            direct: false,
            shown,
            pick: Pick::default(),
        }
    }

    /// Lets letters narrow the list at once, without a key before them.
    #[must_use]
    pub fn direct(mut self) -> Self {
        (self.typing, self.direct) = (true, true);
        self
    }

    /// Puts the cursor on an item.
    #[must_use]
    pub fn at(mut self, index: usize) -> Self {
        self.pick.go(self.shown.iter().position(|shown| *shown == index).unwrap_or(0));
        self
    }

    /// The items.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The item under the cursor.
    pub fn current(&self) -> Option<usize> {
        self.shown.get(self.pick.at()).copied()
    }

    fn narrow(&mut self) {
        self.shown = rank(self.filter.text(), self.items.iter().map(|item| item.text.as_str()));
        self.pick = Pick::default();
    }

    fn step(&mut self, action: &Action) {
        self.pick.on(action, self.shown.len());
    }

    fn choose(&self) -> Outcome {
        match self.current() {
            Some(index) if self.items[index].off.is_none() => Outcome::emit(Request::Chosen(index)),
            _ => Outcome::Consumed,
        }
    }

    fn draw_item(&self, buf: &mut Buffer, area: Rect, index: usize, name: u16, ctx: &Ctx<'_>) {
        let item = &self.items[index];
        let style = |role: Role| ctx.theme.style(role);
        let here = self.current() == Some(index);
        let role = if item.off.is_some() { Role::Off } else { item.tone.into() };
        let mut strip = Strip::new(buf, area, ctx.ascii);
        strip.right(&item.right, style(Role::Dim));
        strip
            .put(
                if !here {
                    " "
                } else if ctx.ascii {
                    ">"
                } else {
                    "▌"
                },
                style(Role::Selection),
            )
            .gap(1);
        let style_of_name = if here && item.off.is_none() { style(Role::Selection) } else { style(role) };
        strip.field(&item.text, name, false, style_of_name).gap(2);
        match &item.off {
            Some(why) => strip.put(why, style(Role::Off)),
            None => strip.put(&item.doc, style(Role::Dim)),
        };
    }

    fn draw_filter(&self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<Position> {
        let mut strip = Strip::new(buf, area, ctx.ascii);
        strip.gap(1).put("/", ctx.theme.style(Role::Key));
        let rest = Rect { x: strip.x(), width: strip.left(), ..area };
        let at = self.filter.draw(buf, rest, ctx.theme.style(Role::Match), ctx.ascii);
        (self.typing && !rest.is_empty()).then_some(at)
    }
}

/// The indices of the texts that a pattern fits, the best first; all of them in their order for an empty pattern.
pub fn rank<'t>(pattern: &str, texts: impl Iterator<Item = &'t str>) -> Vec<usize> {
    if pattern.trim().is_empty() {
        return (0..texts.count()).collect();
    }
    let pattern = Pattern::parse(pattern, CaseMatching::Ignore, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buffer = Vec::new();
    let mut scored: Vec<(u32, usize)> = texts
        .enumerate()
        .filter_map(|(index, text)| {
            Some((pattern.score(Utf32Str::new(text, &mut buffer), &mut matcher)?, index))
        })
        .collect();
    scored.sort_by_key(|(score, index)| (std::cmp::Reverse(*score), *index));
    scored.into_iter().map(|(_, index)| index).collect()
}

impl Component for Picker {
    fn context(&self) -> Context {
        if self.typing { Context::Filter } else { Context::Picker }
    }

    fn takes_text(&self) -> bool {
        self.typing
    }

    fn on(&mut self, action: &Action, _ctx: &Ctx<'_>) -> Outcome {
        match action {
            Action::Enter => return self.choose(),
            Action::Filter => self.typing = true,
            // The key that begins a filter elsewhere does no harm here.
            Action::Insert('/') if self.direct && self.filter.is_empty() => {}
            Action::Back | Action::Close if !self.filter.is_empty() => {
                self.filter.set("");
                self.typing = self.direct;
                self.narrow();
            }
            Action::Back | Action::Close if self.typing && !self.direct => self.typing = false,
            Action::Complete if self.typing => self.step(&Action::Down),
            Action::CompleteBack if self.typing => self.step(&Action::Up),
            Action::Back | Action::Close | Action::No => return Outcome::emit(Request::Cancel),
            action if self.pick.on(action, self.shown.len()) => {}
            action if self.typing && self.filter.on(action) => self.narrow(),
            _ => return Outcome::Ignored,
        }
        Outcome::Consumed
    }

    fn draw(&mut self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<Position> {
        let filtered = self.typing || !self.filter.is_empty();
        // The height stays while one types: only the list changes, not the place where it stands.
        let most = usize::from(area.height / 2).max(6);
        let lines = self.items.len().clamp(1, most) + usize::from(filtered);
        let inner = sheet(buf, area, lines, &self.title, Role::Title, ctx);
        let head = u16::from(filtered).min(inner.height);
        let cursor = if filtered { self.draw_filter(buf, line(inner, 0), ctx) } else { None };
        let list = Rect { y: inner.y + head, height: inner.height - head, ..inner };
        let visible = self.pick.view(list.height, self.shown.len());
        let widest = self.items.iter().map(|item| width(&item.text)).max().unwrap_or(0);
        let name = u16::try_from(widest).unwrap_or(u16::MAX).min(area.width / 2);
        let mut here = None;
        for (index, item) in (0..list.height).zip(&self.shown[visible]) {
            self.draw_item(buf, line(list, index), *item, name, ctx);
            if self.current() == Some(*item) {
                here = Some(line(list, index).as_position());
            }
        }
        if self.shown.is_empty() {
            Strip::new(buf, line(list, 0), ctx.ascii)
                .gap(2)
                .put("nothing matches", ctx.theme.style(Role::Dim));
        }
        cursor.or(here)
    }

    fn hints(&self, _ctx: &Ctx<'_>) -> Vec<Action> {
        let narrow = if self.direct { Action::Complete } else { Action::Filter };
        vec![Action::Enter, narrow, Action::Back]
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::proptest;

    use super::*;
    use crate::ui::testing::{Screen, World, act, typed};

    fn picker() -> Picker {
        let items = vec![
            Item::new("start", "Starts the guest.").right("T1"),
            Item::new("shut down", "Asks the guest to shut down.").right("T2").off("needs VM.PowerMgmt"),
            Item::new("note", "Writes a note into the journal.").right("T0"),
        ];
        Picker::new("windows-gaming", items)
    }

    #[test]
    fn what_may_not_be_done_is_shown_with_the_missing_right() {
        let world = World::lab();
        let screen = Screen::of(&mut picker(), 80, 24, &world);
        assert_snapshot!(screen.text());
        assert_eq!(screen.style_of("needs VM.PowerMgmt").fg, world.theme.style(Role::Off).fg);
    }

    #[test]
    fn only_what_is_possible_can_be_chosen() {
        let world = World::lab();
        let mut picker = picker();
        assert_eq!(act(&mut picker, &world, &[Action::Down, Action::Enter]), Outcome::Consumed);
        assert_eq!(
            act(&mut picker, &world, &[Action::Down, Action::Enter]),
            Outcome::emit(Request::Chosen(2))
        );
    }

    #[test]
    fn typing_narrows_the_list_and_escape_widens_it_before_it_closes() {
        let world = World::lab();
        let mut picker = picker();
        act(&mut picker, &world, &[Action::Filter]);
        act(&mut picker, &world, &typed("nt"));
        assert_snapshot!(Screen::of(&mut picker, 80, 24, &world).text());
        assert_eq!(picker.current(), Some(2));
        assert_eq!(act(&mut picker, &world, &[Action::Back]), Outcome::Consumed);
        assert_eq!(act(&mut picker, &world, &[Action::Back]), Outcome::emit(Request::Cancel));
    }

    #[test]
    fn a_direct_list_is_narrowed_by_the_first_letter_and_one_escape_closes_it() {
        let world = World::lab();
        let mut picker = picker().direct();
        assert!(picker.takes_text());
        act(&mut picker, &world, &typed("/note"));
        assert_eq!(picker.current(), Some(2));
        act(&mut picker, &world, &[Action::Back, Action::Complete, Action::CompleteBack]);
        assert_eq!((picker.current(), picker.takes_text()), (Some(0), true));
        assert_eq!(act(&mut picker, &world, &[Action::Back]), Outcome::emit(Request::Cancel));
    }

    #[test]
    fn an_empty_list_can_be_closed() {
        let world = World::lab();
        let mut picker = Picker::new("related", vec![]);
        Screen::of(&mut picker, 40, 8, &world);
        assert_eq!(act(&mut picker, &world, &[Action::Down, Action::Enter]), Outcome::Consumed);
    }

    proptest! {
        #[test]
        fn any_size_can_be_drawn(width in 1_u16..50, height in 1_u16..12) {
            Screen::of(&mut picker(), width, height, &World::lab());
        }
    }
}

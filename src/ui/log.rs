//! Logs: the last lines of something that keeps talking, followed or stood still in, searched.

use std::collections::VecDeque;
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::config::theme::Role;
use crate::model::action::{Action, Context};
use crate::model::view::LogLine;

use super::component::{Component, Ctx, Outcome, Request};
use super::input::Input;
use super::text::{Strip, clean, line, width, wrap};

/// So many lines are kept; older ones go.
const KEPT: usize = 10_000;
/// So many sources are told apart.
const SOURCES: usize = 64;

/// A log that may still grow.
#[derive(Debug, Default)]
pub struct LogPane {
    lines: VecDeque<LogLine>,
    /// The number of the first kept line, counted from the first that ever came.
    first: usize,
    /// The number of the line at the top while it does not follow.
    top: usize,
    still: bool,
    cut: bool,
    left: u16,
    /// Who spoke, in the order of their first words.
    sources: Vec<Arc<str>>,
    search: Input,
    typing: bool,
    height: usize,
}

impl LogPane {
    /// Adds lines at the end.
    pub fn append(&mut self, lines: Vec<LogLine>) {
        for source in lines.iter().filter_map(|line| line.source.as_ref()) {
            if self.sources.len() < SOURCES && !self.sources.contains(source) {
                self.sources.push(source.clone());
            }
        }
        self.lines.extend(lines);
        let old = self.lines.len().saturating_sub(KEPT);
        self.lines.drain(..old);
        self.first += old;
        self.top = self.top.max(self.first);
    }

    /// The role in which a source is written: one of its own, as far as there are some.
    fn colour(&self, source: &Arc<str>) -> Role {
        let number = self.sources.iter().position(|known| known == source);
        match number.and_then(|number| u8::try_from(number).ok()) {
            Some(number) if number > 0 => Role::Chart(number),
            _ => Role::Accent,
        }
    }

    /// True while the end is shown, whatever comes.
    pub fn follows(&self) -> bool {
        !self.still
    }

    fn end(&self) -> usize {
        self.first + self.lines.len()
    }

    /// The line at the top of a viewport that ends with the last line.
    fn last_top(&self) -> usize {
        self.end().saturating_sub(self.height.max(1)).max(self.first)
    }

    fn stand(&mut self, top: usize) {
        self.top = top.clamp(self.first, self.last_top());
        self.still = true;
    }

    fn scrolled(&mut self, action: &Action) -> bool {
        let top = if self.still { self.top } else { self.last_top() };
        let page = self.height.max(1);
        let half = (page / 2).max(1);
        match action {
            Action::Down => self.stand(top + 1),
            Action::Up => self.stand(top.saturating_sub(1)),
            Action::PageDown => self.stand(top + page),
            Action::PageUp => self.stand(top.saturating_sub(page)),
            Action::HalfPageDown => self.stand(top + half),
            Action::HalfPageUp => self.stand(top.saturating_sub(half)),
            Action::Top => self.stand(self.first),
            Action::Bottom => self.still = false,
            Action::Left => self.left = self.left.saturating_sub(8),
            Action::Right => self.left = self.left.saturating_add(8).min(2048),
            Action::NextMatch => self.find(top + 1, true),
            Action::PreviousMatch => self.find(top, false),
            _ => return false,
        }
        true
    }

    /// Goes to the next or previous line that holds the searched text.
    fn find(&mut self, from: usize, down: bool) {
        let wanted = self.search.text().to_lowercase();
        if wanted.is_empty() {
            return;
        }
        let fits = |number: &usize| {
            self.lines.get(number - self.first).is_some_and(|line| line.text.to_lowercase().contains(&wanted))
        };
        let found = if down {
            (from.max(self.first)..self.end()).find(fits)
        } else {
            (self.first..from.min(self.end())).rev().find(fits)
        };
        if let Some(number) = found {
            self.stand(number);
        }
    }

    fn typed(&mut self, action: &Action) -> Outcome {
        match action {
            Action::Enter => {
                self.typing = false;
                self.find(if self.still { self.top } else { self.first }, true);
            }
            Action::Back => {
                self.typing = false;
                self.search.set("");
            }
            action if self.search.on(action) => {}
            action if self.scrolled(action) => {}
            _ => return Outcome::Ignored,
        }
        Outcome::Consumed
    }

    /// The kept lines as text, cleaned.
    fn text(&self) -> String {
        let lines: Vec<String> = self.lines.iter().map(|line| clean(&line.text).into_owned()).collect();
        lines.join("\n")
    }

    /// How many screen lines a line takes.
    fn rows(&self, at: &LogLine, room: u16, ctx: &Ctx<'_>) -> usize {
        if self.cut { 1 } else { wrap(&at.text, usize::from(room - head(at, ctx).min(room - 1))).len() }
    }

    /// The first line to draw: the one at the top, or as many from the end as fit.
    fn start(&self, area: Rect, ctx: &Ctx<'_>) -> usize {
        if self.still {
            return self.top;
        }
        let (mut used, mut start) = (0, self.end());
        for at in self.lines.iter().rev() {
            used += self.rows(at, area.width.max(1), ctx);
            if used > usize::from(area.height) && start < self.end() {
                break;
            }
            start -= 1;
        }
        start
    }

    /// Draws one log line from a screen line on; returns how many it took.
    fn draw_line(&self, buf: &mut Buffer, area: Rect, y: u16, at: &LogLine, ctx: &Ctx<'_>) -> u16 {
        let mut strip = Strip::new(buf, line(area, y), ctx.ascii);
        if let Some(time) = at.at {
            let clock = time.to_zoned(ctx.zone.clone()).strftime("%H:%M:%S").to_string();
            strip.put(&clock, ctx.theme.style(Role::Dim)).gap(1);
        }
        if let Some(source) = &at.source {
            strip.put(source, ctx.theme.style(self.colour(source))).gap(1);
        }
        let x = strip.x();
        let rest = Rect { x, width: area.right().saturating_sub(x), ..area };
        let parts = if self.cut {
            let text = clean(&at.text);
            let skip = text.char_indices().nth(usize::from(self.left)).map_or(text.len(), |(start, _)| start);
            vec![text[skip..].to_owned()]
        } else {
            wrap(&at.text, usize::from(rest.width))
        };
        let mut used = 0;
        for part in &parts {
            let at_line = line(rest, y + used);
            Strip::new(buf, at_line, ctx.ascii).put(part, ctx.theme.style(at.tone));
            self.show_match(buf, at_line, part, ctx);
            used += 1;
        }
        used
    }

    fn show_match(&self, buf: &mut Buffer, area: Rect, text: &str, ctx: &Ctx<'_>) {
        let wanted = self.search.text();
        let found = text.to_ascii_lowercase().find(&wanted.to_ascii_lowercase());
        let Some(start) = found.filter(|_| !wanted.is_empty()) else { return };
        let cells = |text: &str| u16::try_from(width(text)).unwrap_or(u16::MAX);
        let x = area.x.saturating_add(cells(&text[..start]));
        let found = Rect { x, width: cells(&text[start..start + wanted.len()]), ..area };
        buf.set_style(found.intersection(area).intersection(buf.area), ctx.theme.style(Role::Match));
    }
}

/// The cells before the text of a line.
fn head(at: &LogLine, _ctx: &Ctx<'_>) -> u16 {
    let source = at.source.as_deref().map_or(0, |source| width(source) + 1);
    u16::try_from(source).unwrap_or(u16::MAX).saturating_add(if at.at.is_some() { 9 } else { 0 })
}

impl Component for LogPane {
    fn context(&self) -> Context {
        if self.typing { Context::Filter } else { Context::Log }
    }

    fn takes_text(&self) -> bool {
        self.typing
    }

    fn on(&mut self, action: &Action, _ctx: &Ctx<'_>) -> Outcome {
        if self.typing {
            return self.typed(action);
        }
        match action {
            Action::Filter => self.typing = true,
            Action::Follow if self.still => self.still = false,
            Action::Follow => self.stand(self.last_top()),
            Action::Wrap => (self.cut, self.left) = (!self.cut, 0),
            Action::Back if !self.search.is_empty() => self.search.set(""),
            Action::CopyRow | Action::CopyCell => {
                return Outcome::emit(Request::Copy { text: self.text(), what: "log".to_owned() });
            }
            action if self.scrolled(action) => {}
            _ => return Outcome::Ignored,
        }
        Outcome::Consumed
    }

    fn draw(&mut self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<Position> {
        let foot = u16::from(area.height > 2);
        let body = Rect { height: area.height - foot, ..area };
        self.height = usize::from(body.height);
        let mut y = 0;
        for number in self.start(body, ctx)..self.end() {
            if y >= body.height {
                break;
            }
            y += self.draw_line(buf, body, y, &self.lines[number - self.first], ctx);
        }
        self.draw_foot(buf, line(area, area.height.saturating_sub(1)), foot, ctx)
    }

    fn hints(&self, _ctx: &Ctx<'_>) -> Vec<Action> {
        if self.typing {
            return vec![Action::Enter, Action::Back];
        }
        vec![Action::Follow, Action::Wrap, Action::Filter, Action::NextMatch, Action::CopyRow, Action::Back]
    }
}

impl LogPane {
    /// Whether it follows, how many lines there are, and the search.
    fn draw_foot(&self, buf: &mut Buffer, area: Rect, lines: u16, ctx: &Ctx<'_>) -> Option<Position> {
        if lines == 0 {
            return None;
        }
        let mut strip = Strip::new(buf, area, ctx.ascii);
        let kept =
            if self.first > 0 { format!("last {}", self.lines.len()) } else { self.lines.len().to_string() };
        let (word, role) = if self.still { ("standing still", Role::Warn) } else { ("following", Role::Dim) };
        strip.right(&format!("{kept} lines"), ctx.theme.style(Role::Dim)).right_gap(1);
        strip.right(word, ctx.theme.style(role));
        if !self.typing && self.search.is_empty() {
            return None;
        }
        strip.put("/", ctx.theme.style(Role::Key));
        let rest = Rect { x: strip.x(), width: strip.left(), ..area };
        let at = self.search.draw(buf, rest, ctx.theme.style(Role::Match), ctx.ascii);
        (self.typing && !rest.is_empty()).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::proptest;

    use super::*;
    use crate::model::row::Tone;
    use crate::ui::testing::{Screen, World, act, typed};

    fn said(text: &str, tone: Tone) -> LogLine {
        let at = "2026-03-01T02:31:07Z".parse().ok();
        LogLine { at, source: Some("proxy".into()), text: text.into(), tone }
    }

    fn numbered(count: usize) -> Vec<LogLine> {
        let line = |n| LogLine { at: None, source: None, text: format!("line {n}").into(), tone: Tone::Text };
        (0..count).map(line).collect()
    }

    fn pane(lines: Vec<LogLine>) -> LogPane {
        let mut pane = LogPane::default();
        pane.append(lines);
        pane
    }

    #[test]
    fn lines_carry_their_time_and_source_and_are_wrapped() {
        let world = World::lab();
        let mut pane = pane(vec![
            said("starting", Tone::Text),
            said(
                "\u{1b}[31mlevel=error\u{1b}[0m msg=\"write /dev/shm/key: no space left on device\" host=gate.lab.example",
                Tone::Error,
            ),
        ]);
        let screen = Screen::of(&mut pane, 60, 6, &world);
        assert_snapshot!(screen.text());
        assert_eq!(screen.style_of("level=error").fg, world.theme.style(Role::Error).fg);
        act(&mut pane, &world, &[Action::Wrap]);
        assert_snapshot!(Screen::of(&mut pane, 60, 6, &world).text());
    }

    #[test]
    fn each_source_has_a_colour_of_its_own() {
        let world = World::lab();
        let from = |source: &str| LogLine { source: Some(source.into()), ..said("ready", Tone::Text) };
        let mut pane = pane(vec![from("one"), from("two"), from("three"), from("two")]);
        let screen = Screen::of(&mut pane, 60, 6, &world);
        let colours = ["one", "two", "three"].map(|source| screen.style_of(source).fg);
        assert!(
            colours[0] != colours[1] && colours[1] != colours[2] && colours[0] != colours[2],
            "{colours:?}"
        );
    }

    #[test]
    fn it_follows_the_end_until_one_scrolls_away() {
        let world = World::lab();
        let mut pane = pane(numbered(20));
        assert!(Screen::of(&mut pane, 40, 6, &world).text().contains("line 19"));
        act(&mut pane, &world, &[Action::Up]);
        assert!(!pane.follows());
        pane.append(numbered(20));
        let text = Screen::of(&mut pane, 40, 6, &world).text();
        assert!(text.starts_with("line 14\n") && text.contains("standing still"), "{text}");
        act(&mut pane, &world, &[Action::Follow]);
        assert!(Screen::of(&mut pane, 40, 6, &world).text().contains("line 19"));
    }

    #[test]
    fn old_lines_go_and_the_place_stays() {
        let world = World::lab();
        let mut pane = pane(numbered(KEPT));
        Screen::of(&mut pane, 40, 6, &world);
        act(&mut pane, &world, &[Action::Top]);
        pane.append(numbered(10));
        assert_eq!((pane.lines.len(), pane.top), (KEPT, 10));
        assert!(Screen::of(&mut pane, 40, 6, &world).text().contains("last 10000 lines"));
    }

    #[test]
    fn a_search_goes_from_match_to_match() {
        let world = World::lab();
        let mut pane = pane(numbered(100));
        Screen::of(&mut pane, 40, 6, &world);
        act(&mut pane, &world, &[Action::Top, Action::Filter]);
        act(&mut pane, &world, &typed("LINE 5"));
        act(&mut pane, &world, &[Action::Enter]);
        assert_eq!(pane.top, 5);
        act(&mut pane, &world, &[Action::NextMatch]);
        assert_eq!(pane.top, 50);
        let screen = Screen::of(&mut pane, 40, 6, &world);
        assert_eq!(screen.style_of("line 50").fg, world.theme.style(Role::Match).fg);
        act(&mut pane, &world, &[Action::PreviousMatch]);
        assert_eq!(pane.top, 5);
        assert_eq!(act(&mut pane, &world, &[Action::Back]), Outcome::Consumed);
        assert_eq!(act(&mut pane, &world, &[Action::Back]), Outcome::Ignored);
    }

    proptest! {
        #[test]
        fn any_size_can_be_drawn(
            width in 1_u16..40, height in 1_u16..8, picks in proptest::collection::vec(0_usize..60, 0..12),
        ) {
            let world = World::lab();
            let mut pane = pane(vec![said("漢字 and a long line that wraps more than once", Tone::Text); 9]);
            for pick in picks {
                act(&mut pane, &world, &[Action::SIMPLE[pick].clone()]);
                Screen::of(&mut pane, width, height, &world);
            }
        }
    }
}

//! Go to anything, anywhere: a fuzzy search over every row that only ever moves the cursor.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::config::theme::Role;
use crate::model::action::{Action, Context};
use crate::model::id::EntityId;

use super::component::{Component, Ctx, Outcome, Request};
use super::format::glyph;
use super::input::Input;
use super::layout::sheet;
use super::text::{Strip, line};

/// So many hits are kept.
const HITS: usize = 50;
/// So many of them are on screen at once.
const SHOWN: usize = 10;

/// The finder.
pub struct Find {
    input: Input,
    hits: Vec<EntityId>,
    at: usize,
    matcher: Matcher,
}

impl std::fmt::Debug for Find {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Find")
            .field("input", &self.input)
            .field("hits", &self.hits.len())
            .finish_non_exhaustive()
    }
}

impl Default for Find {
    fn default() -> Self {
        Self { input: Input::default(), hits: Vec::new(), at: 0, matcher: Matcher::new(Config::DEFAULT) }
    }
}

impl Find {
    fn search(&mut self, ctx: &Ctx<'_>) {
        let pattern = Pattern::parse(self.input.text(), CaseMatching::Smart, Normalization::Smart);
        let mut best: BinaryHeap<Reverse<(u32, Reverse<&EntityId>)>> = BinaryHeap::new();
        let mut chars = Vec::new();
        for row in ctx.store.all_rows() {
            let text = format!("{} {}", row.name, row.id.kind.name());
            let Some(score) = pattern.score(Utf32Str::new(&text, &mut chars), &mut self.matcher) else {
                continue;
            };
            best.push(Reverse((score, Reverse(&row.id))));
            if best.len() > HITS {
                best.pop();
            }
        }
        let sorted = best.into_sorted_vec();
        self.hits = sorted.into_iter().map(|Reverse((_, Reverse(id)))| id.clone()).collect();
        self.at = 0;
    }
}

impl Component for Find {
    fn context(&self) -> Context {
        Context::Palette
    }

    fn takes_text(&self) -> bool {
        true
    }

    fn on(&mut self, action: &Action, ctx: &Ctx<'_>) -> Outcome {
        let last = self.hits.len().saturating_sub(1);
        match action {
            Action::Back => return Outcome::emit(Request::Cancel),
            Action::Enter => {
                let goal = self.hits.get(self.at).cloned();
                return Outcome::emit(goal.map_or(Request::Cancel, |id| Request::Act(Action::Goto(id))));
            }
            Action::Down | Action::Complete => self.at = (self.at + 1).min(last),
            Action::Up | Action::CompleteBack => self.at = self.at.saturating_sub(1),
            action if self.input.on(action) => self.search(ctx),
            _ => return Outcome::Ignored,
        }
        Outcome::Consumed
    }

    fn draw(&mut self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<Position> {
        let inner = sheet(buf, area, SHOWN + 1, "go to", Role::Title, ctx);
        if inner.is_empty() {
            return None;
        }
        let style = |role: Role| ctx.theme.style(role);
        let rows = inner.height - 1;
        let first = self.at.saturating_sub(usize::from(rows.saturating_sub(1)));
        for (row, (index, id)) in (0..rows).zip(self.hits.iter().enumerate().skip(first)) {
            let role = if index == self.at { Role::Selection } else { Role::Text };
            let mut strip = Strip::at(buf, inner, row, ctx.ascii);
            strip.right(&format!("{} {}", id.kind, id.instance), style(Role::Dim));
            let found = ctx.store.get(id);
            let tone = found.map_or(crate::model::row::Tone::Unknown, |row| row.health.into());
            strip.gap(2).put(glyph(tone, ctx.ascii), ctx.theme.style(tone)).gap(1);
            strip.put(found.map_or(&*id.key, |row| &*row.name), style(role));
        }
        if self.hits.is_empty() && !self.input.is_empty() {
            Strip::at(buf, inner, 0, ctx.ascii).gap(2).put("nothing is called so", style(Role::Dim));
        }
        let last = line(inner, rows);
        let x = Strip::new(buf, last, ctx.ascii).put("> ", style(Role::Key)).x();
        let rest = Rect { x, width: last.right().saturating_sub(x), ..last };
        Some(self.input.draw(buf, rest, style(Role::Match), ctx.ascii))
    }

    fn hints(&self, _ctx: &Ctx<'_>) -> Vec<Action> {
        vec![Action::Enter, Action::Down, Action::Back]
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::ui::testing::{Screen, World, act, typed};

    #[test]
    fn it_finds_across_systems_and_only_moves_the_cursor_there() {
        let world = World::lab();
        let mut find = Find::default();
        act(&mut find, &world, &typed("talos"));
        assert_snapshot!(Screen::of(&mut find, 80, 24, &world).text());
        let Outcome::Emit(requests) = act(&mut find, &world, &[Action::Enter]) else { panic!("nothing") };
        assert!(matches!(&requests[..], [Request::Act(Action::Goto(id))] if &*id.key == "qemu/100"));
    }

    #[test]
    fn every_size_can_be_drawn() {
        let world = World::lab();
        let mut find = Find::default();
        act(&mut find, &world, &typed("o"));
        for (width, height) in [(1, 1), (20, 3), (40, 5), (140, 40)] {
            Screen::of(&mut find, width, height, &world);
        }
    }
}

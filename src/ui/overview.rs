//! Pane `0`: what is wrong, the worst first; then every system with its counts and how fresh they are.
//!
//! It is read at 3 am in thirty seconds, so it never shows green that was not seen: a system that cannot be reached
//! reads blind, and where nothing is wrong it says how much of the platform was looked at.

mod digest;
mod systems;
mod worst;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::config::theme::Role;
use crate::model::action::{Action, Context};
use crate::model::id::{EntityId, KindId};

use super::component::{Component, Ctx, Outcome, Request};
use super::lines::{Line, Scroll};

/// So many lines of what is wrong are shown at least, and at most.
const FEWEST: usize = 9;
const MOST: usize = 20;

/// Where Enter leads from a line.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Goal {
    /// To a thing.
    Row(EntityId),
    /// To the rows of a kind.
    Kind(KindId),
    /// To the state of the house.
    Home,
    /// Nowhere: a heading or a blank.
    None,
}

/// One line and where it leads.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    line: Line,
    goal: Goal,
    /// Where the part begins that is marked while the cursor rests on it.
    name: String,
}

impl Entry {
    fn text(line: Line) -> Self {
        Self { line, goal: Goal::None, name: String::new() }
    }
}

/// The overview.
#[derive(Debug, Clone, Default)]
pub struct Overview {
    entries: Vec<Entry>,
    at: usize,
    /// Until the cursor is moved it rests on the worst.
    moved: bool,
    scroll: Scroll,
    minute: i64,
    room: u16,
    height: u16,
    ascii: bool,
}

impl Overview {
    fn rebuild(&mut self, ctx: &Ctx<'_>) -> bool {
        let systems = systems::entries(ctx, self.room);
        let digest = digest::entries(ctx, self.room);
        let left = usize::from(self.height).saturating_sub(systems.len() + digest.len() + 2);
        let mut entries = worst::entries(ctx, self.room, left.clamp(FEWEST, MOST));
        entries.push(Entry::text(Line::new()));
        entries.extend(digest);
        entries.extend(systems);
        let changed = entries != self.entries;
        if changed {
            let goal = self.entries.get(self.at).map(|entry| entry.goal.clone());
            self.entries = entries;
            let same = |entry: &Entry| Some(&entry.goal) == goal.as_ref() && entry.goal != Goal::None;
            self.at = if self.moved { self.entries.iter().position(same).unwrap_or(self.at) } else { 0 };
            self.settle();
        }
        self.minute = ctx.now.as_second() / 60;
        self.ascii = ctx.ascii;
        changed
    }

    /// The cursor only rests on lines that lead somewhere.
    fn settle(&mut self) {
        let leads = |entry: &Entry| entry.goal != Goal::None;
        let at = self.at.min(self.entries.len().saturating_sub(1));
        let after = self.entries.iter().skip(at).position(leads).map(|n| at + n);
        self.at = after.or_else(|| self.entries.iter().rposition(leads)).unwrap_or(0);
    }

    fn step(&mut self, down: bool) {
        let leads = |at: &usize| self.entries.get(*at).is_some_and(|entry| entry.goal != Goal::None);
        let next =
            if down { (self.at + 1..self.entries.len()).find(leads) } else { (0..self.at).rev().find(leads) };
        self.at = next.unwrap_or(self.at);
    }
}

impl Component for Overview {
    fn context(&self) -> Context {
        Context::Table
    }

    fn on(&mut self, action: &Action, _ctx: &Ctx<'_>) -> Outcome {
        self.moved = true;
        match action {
            Action::Down => self.step(true),
            Action::Up => self.step(false),
            Action::Top => {
                self.at = 0;
                self.settle();
            }
            Action::Bottom => {
                self.at = self.entries.len();
                self.settle();
            }
            Action::PageDown | Action::HalfPageDown => (0..8).for_each(|_| self.step(true)),
            Action::PageUp | Action::HalfPageUp => (0..8).for_each(|_| self.step(false)),
            Action::Enter => {
                return match self.entries.get(self.at).map(|entry| &entry.goal) {
                    Some(Goal::Home) => Outcome::emit(Request::Act(Action::HomeState)),
                    Some(Goal::Row(id)) => Outcome::emit(Request::Act(Action::Goto(id.clone()))),
                    Some(Goal::Kind(kind)) => Outcome::emit(Request::Act(Action::Open(kind.clone()))),
                    Some(Goal::None) | None => Outcome::Consumed,
                };
            }
            _ => return Outcome::Ignored,
        }
        Outcome::Consumed
    }

    fn refresh(&mut self, ctx: &Ctx<'_>) -> bool {
        self.rebuild(ctx)
    }

    fn draw(&mut self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<Position> {
        let drawn = (self.minute, self.room, self.height, self.ascii);
        if drawn != (ctx.now.as_second() / 60, area.width, area.height, ctx.ascii) {
            (self.room, self.height) = (area.width, area.height);
            self.rebuild(ctx);
        }
        let mut lines: Vec<Line> = self.entries.iter().map(|entry| entry.line.clone()).collect();
        let entry = self.entries.get(self.at).filter(|entry| entry.goal != Goal::None);
        if let (Some(line), Some(entry)) = (lines.get_mut(self.at), entry) {
            let gutter = if ctx.ascii { ">" } else { "▌" };
            *line = std::mem::take(line).marked(gutter, &entry.name, Role::Selection);
        }
        self.scroll.view(area.height, lines.len());
        self.scroll.reveal(self.at);
        self.scroll.draw(&lines, buf, area, ctx);
        entry?;
        let y = u16::try_from(self.at - self.scroll.top()).ok()?;
        Some(Position::new(area.x, area.y.checked_add(y)?))
    }

    fn hints(&self, _ctx: &Ctx<'_>) -> Vec<Action> {
        vec![
            Action::Enter,
            Action::Describe,
            Action::Problems,
            Action::Timeline,
            Action::Find,
            Action::Palette,
            Action::Arm,
            Action::Messages,
            Action::Help,
        ]
    }

    fn selected(&self) -> Option<EntityId> {
        match &self.entries.get(self.at)?.goal {
            Goal::Row(id) => Some(id.clone()),
            Goal::Kind(_) | Goal::Home | Goal::None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::model::snapshot::{Fault, Layer};
    use crate::ui::testing::{Screen, World, act};

    #[test]
    fn the_worst_stands_first_and_enter_leads_there() {
        let mut world = World::lab();
        world.look_out();
        let mut pane = Overview::default();
        assert_snapshot!(Screen::of(&mut pane, 80, 21, &world).text());
        let worst = EntityId::new("vigie.problems", "console", "alerts.alerts/main/a1");
        assert_eq!(
            act(&mut pane, &world, &[Action::Enter]),
            Outcome::emit(Request::Act(Action::Goto(worst)))
        );
    }

    #[test]
    fn nothing_reads_good_that_was_not_seen() {
        let mut world = World::empty();
        world.source("proxmox", "pve", &["proxmox.guests"], crate::model::row::Domain::Home);
        world.answer("proxmox", "pve", Err(Fault::new(Layer::Tcp, "no connection")));
        let screen = Screen::of(&mut Overview::default(), 80, 21, &world);
        assert!(screen.text().contains("0 of 1 sources were seen"), "{}", screen.text());
        assert_eq!(screen.style_of("? blind").fg, world.theme.style(Role::Unknown).fg);
    }

    #[test]
    fn every_size_can_be_drawn() {
        let world = World::lab();
        for (width, height) in [(1, 1), (20, 3), (40, 5), (140, 40), (200, 60)] {
            Screen::of(&mut Overview::default(), width, height, &world);
        }
    }
}

//! The ledger on screen: every run of this console, newest first, and what became of it.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::config::theme::Role;
use crate::model::action::{Action, Context};
use crate::model::id::EntityId;
use crate::model::ledger::{Ledger, OpRun};
use crate::model::op::RunState;

use super::component::{Component, Ctx, Outcome, Request};
use super::format::{Writer, glyph};
use super::lines::{Line, Scroll, labelled, titled};

/// Cells of a progress bar.
const BAR: usize = 20;
/// The column of labels below a run.
const LABELS: u16 = 8;

/// The page of runs.
#[derive(Debug, Clone, Default)]
pub struct Jobs {
    runs: Vec<OpRun>,
    revision: Option<u64>,
    at: usize,
    scroll: Scroll,
}

impl Jobs {
    /// Takes the runs over, where something happened to them.
    pub fn set(&mut self, ledger: &Ledger) {
        if self.revision == Some(ledger.revision()) {
            return;
        }
        self.revision = Some(ledger.revision());
        let kept = self.runs.get(self.at).map(|run| run.job.run.clone());
        self.runs = ledger.runs().iter().rev().cloned().collect();
        self.at = self.runs.iter().position(|run| Some(&run.job.run) == kept.as_ref()).unwrap_or(0);
    }

    /// One line for each run, and what there is to say below the chosen one.
    fn lines(&self, room: u16, ctx: &Ctx<'_>) -> (Vec<Line>, usize) {
        let writer = Writer::from(ctx);
        let (mut lines, mut chosen) = (Vec::new(), 0);
        for (index, run) in self.runs.iter().enumerate() {
            let here = index == self.at;
            if here {
                chosen = lines.len();
            }
            lines.push(headline(run, here, &writer));
            if here {
                lines.extend(details(run, room, &writer));
            }
        }
        (lines, chosen)
    }

    fn step(&mut self, by: isize) {
        let last = self.runs.len().saturating_sub(1);
        self.at = self.at.saturating_add_signed(by).min(last);
    }
}

fn headline(run: &OpRun, here: bool, writer: &Writer<'_>) -> Line {
    let name = if here { Role::Selection } else { Role::Text };
    let tone = run.state.tone();
    let gutter = if writer.ascii { ">" } else { "▌" };
    Line::new()
        .at(0, if here { gutter } else { " " }, Role::Selection)
        .at(2, format!("{} {}", glyph(tone, writer.ascii), run.state.word()), tone)
        .at(14, run.job.target.name.to_string(), name)
        .at(38, run.job.op.to_string(), Role::Text)
        .at(62, bar(&run.state, writer.ascii), Role::Dim)
        .right(writer.age(run.started), Role::Dim)
}

fn bar(state: &RunState, ascii: bool) -> String {
    let RunState::Running { fraction: Some(fraction), .. } = state else { return String::new() };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let full = (fraction.clamp(0.0, 1.0) * BAR as f32).round() as usize;
    let (done, open) = if ascii { ("#", ".") } else { ("━", "╌") };
    format!("{}{} {:.0}%", done.repeat(full), open.repeat(BAR - full), fraction * 100.0)
}

fn details(run: &OpRun, room: u16, writer: &Writer<'_>) -> Vec<Line> {
    let mut facts = vec![("target", run.job.target.id.to_string())];
    match &run.state {
        RunState::Running { remote, note, .. } => {
            facts.extend(remote.iter().map(|remote| ("task", remote.clone())));
            facts.push(("now", note.clone()));
        }
        RunState::Unknown { text, look } => facts.extend([("known", text.clone()), ("look", look.clone())]),
        state => facts.push(("said", state.text().to_owned())),
    }
    facts.extend(run.job.reason.iter().map(|reason| ("reason", reason.clone())));
    facts.push(("by", format!("{} at {}", run.job.operator, writer.clock(run.started))));
    let shown = facts.into_iter().filter(|(_, value)| !value.is_empty());
    shown.flat_map(|(label, value)| labelled(label, &value, 4, LABELS, room, Role::Text)).collect()
}

impl Component for Jobs {
    fn context(&self) -> Context {
        Context::Table
    }

    fn on(&mut self, action: &Action, _ctx: &Ctx<'_>) -> Outcome {
        match action {
            Action::Down => self.step(1),
            Action::Up => self.step(-1),
            Action::PageDown | Action::HalfPageDown => self.step(10),
            Action::PageUp | Action::HalfPageUp => self.step(-10),
            Action::Top => self.at = 0,
            Action::Bottom => self.step(isize::MAX),
            Action::Enter => {
                let Some(id) = self.selected() else { return Outcome::Ignored };
                return Outcome::emit(Request::Act(Action::Goto(id)));
            }
            _ => return Outcome::Ignored,
        }
        Outcome::Consumed
    }

    fn draw(&mut self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<Position> {
        let area = titled("jobs", self.runs.len(), buf, area, ctx);
        if self.runs.is_empty() {
            let lines = [Line::of("no operation was started from this console", Role::Dim)];
            self.scroll.draw(&lines, buf, area, ctx);
            return None;
        }
        let (lines, chosen) = self.lines(area.width, ctx);
        self.scroll.view(area.height, lines.len());
        self.scroll.reveal(lines.len().min(chosen + 5));
        self.scroll.reveal(chosen);
        self.scroll.draw(&lines, buf, area, ctx);
        let y = u16::try_from(chosen - self.scroll.top()).ok()?;
        Some(Position::new(area.x, area.y.checked_add(y)?))
    }

    fn hints(&self, _ctx: &Ctx<'_>) -> Vec<Action> {
        vec![Action::Enter, Action::Back, Action::Help]
    }

    fn selected(&self) -> Option<EntityId> {
        self.runs.get(self.at).map(|run| run.job.target.id.clone())
    }
}

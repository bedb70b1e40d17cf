//! The question before anything is sent: what, to whom, with what effect and on what evidence.
//!
//! Asking and doing are two steps. The targets are frozen when this opens; nothing that is typed ahead, pasted or
//! repeated answers it, as it is deaf for a moment after it appeared and after its content last changed.

mod body;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::config::theme::Role;
use crate::model::action::{Action, Context};
use crate::model::id::EntityId;
use crate::model::op::{Args, Evidence, OpSpec, Target, Tier, Verdict};

use super::component::{Component, Ctx, Outcome, Request};
use super::input::Input;
use super::layout::sheet;
use super::lines::Scroll;
use super::text::{Strip, clean, line, width};

/// How long it takes no key.
const DEAF: SignedDuration = SignedDuration::from_millis(1500);

/// What the operator has to do to confirm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Say yes.
    Yes,
    /// Type each of these names, and a reason.
    Names(Vec<Arc<str>>),
    /// Type how many targets there are, and a reason.
    Count(usize),
    /// It is not done here: the text says where, and can be copied.
    NotHere(String),
}

/// One thing that has to be typed.
#[derive(Debug, Clone)]
struct Typed {
    label: String,
    /// The exact text; any text will do where there is none.
    wanted: Option<String>,
    input: Input,
}

impl Typed {
    fn fits(&self) -> bool {
        let text = self.input.text().trim();
        self.wanted.as_ref().map_or(!text.is_empty(), |wanted| text == wanted)
    }
}

/// A confirmation that is being asked for.
#[derive(Debug)]
pub struct Confirm {
    op: Arc<OpSpec>,
    args: Args,
    /// The frozen targets, each with the verdict that lets it pass once there is one.
    targets: Vec<(Target, Option<Verdict>)>,
    refusals: Vec<(String, Vec<Evidence>)>,
    not_here: Option<String>,
    typed: Vec<Typed>,
    field: usize,
    scroll: Scroll,
    since: Timestamp,
}

impl Confirm {
    /// Asks for an operation on frozen targets; it waits for a verdict on each unless it is not done here.
    pub fn new(op: Arc<OpSpec>, ask: Ask, targets: Vec<Target>, args: Args, now: Timestamp) -> Self {
        let name = |name: &Arc<str>| {
            let wanted = clean(name).trim().to_owned();
            Typed { label: format!("type {wanted}"), wanted: Some(wanted), input: Input::default() }
        };
        let reason = || Typed { label: "reason".to_owned(), wanted: None, input: Input::default() };
        let (not_here, typed) = match ask {
            Ask::Yes => (None, Vec::new()),
            Ask::Names(names) => (None, names.iter().map(name).chain([reason()]).collect()),
            Ask::Count(count) => {
                let label = format!("type {count}, the number of targets");
                let count = Typed { label, wanted: Some(count.to_string()), input: Input::default() };
                (None, vec![count, reason()])
            }
            Ask::NotHere(path) => (Some(path), Vec::new()),
        };
        let targets = targets.into_iter().map(|target| (target, None)).collect();
        let refusals = Vec::new();
        Self { op, args, targets, refusals, not_here, typed, field: 0, scroll: Scroll::default(), since: now }
    }

    /// Takes the verdict that lets a target pass; the dialog is deaf again, as its content changed.
    pub fn pass(&mut self, target: &EntityId, verdict: Verdict, now: Timestamp) {
        if let Some((_, check)) = self.targets.iter_mut().find(|(known, _)| known.id == *target) {
            *check = Some(verdict);
            self.since = now;
        }
        // Each in its turn, as they will be sent.
        self.targets.sort_by_key(|(_, check)| check.as_ref().map_or(0, |verdict| verdict.rank));
    }

    /// Whether the order is the server's and not that of the choosing.
    fn ordered(&self) -> bool {
        self.targets.len() > 1 && self.targets.iter().flat_map(|(_, check)| check).any(|v| v.rank != 0)
    }

    /// Takes the reasons for which something must not be touched; they alone are shown then, with Close.
    pub fn refuse(&mut self, name: impl Into<String>, why: Vec<Evidence>, now: Timestamp) {
        self.refusals.push((name.into(), why));
        self.since = now;
    }

    /// When it begins to take keys.
    pub fn listens_at(&self) -> Timestamp {
        self.since.checked_add(DEAF).unwrap_or(self.since)
    }

    /// True where nothing can be confirmed, only closed.
    fn closed(&self) -> bool {
        self.not_here.is_some() || !self.refusals.is_empty()
    }

    fn waits(&self) -> bool {
        !self.closed() && self.targets.iter().any(|(_, check)| check.is_none())
    }

    fn role(&self) -> Role {
        if self.op.tier >= Tier::T2 { Role::Danger } else { Role::Title }
    }

    fn confirmed(&self) -> Outcome {
        let reason = self.typed.last().map(|field| field.input.text().trim().to_owned());
        Outcome::emit(Request::Confirmed { reason })
    }

    fn copy(&self) -> Outcome {
        let text = clean(self.not_here.as_deref().unwrap_or_default()).into_owned();
        Outcome::Emit(vec![Request::Copy { text, what: "what to do".to_owned() }, Request::Cancel])
    }

    /// A plain question: only an explicit yes is one.
    fn answered(&mut self, action: &Action) -> Outcome {
        match action {
            Action::Yes if self.not_here.is_some() => self.copy(),
            Action::Yes if !self.closed() && !self.waits() => self.confirmed(),
            Action::No | Action::Back | Action::Close => Outcome::emit(Request::Cancel),
            action if self.scroll.on(action) => Outcome::Consumed,
            _ => Outcome::Consumed,
        }
    }

    /// Names and a reason: Enter goes on to the next field, and from the last one sends if all fit.
    fn filled(&mut self, action: &Action) -> Outcome {
        let last = self.typed.len() - 1;
        match action {
            Action::Back => return Outcome::emit(Request::Cancel),
            Action::Paste(_) => {}
            Action::NextField | Action::Down => self.field = (self.field + 1).min(last),
            Action::PreviousField | Action::Up => self.field = self.field.saturating_sub(1),
            Action::Enter if self.field < last => self.field += 1,
            Action::Enter if self.waits() => {}
            Action::Enter => match self.typed.iter().position(|field| !field.fits()) {
                Some(wrong) => self.field = wrong,
                None => return self.confirmed(),
            },
            Action::PageDown | Action::PageUp => {
                self.scroll.on(action);
            }
            action => {
                self.typed[self.field].input.on(action);
            }
        }
        Outcome::Consumed
    }

    fn types(&self) -> bool {
        !self.typed.is_empty() && !self.closed()
    }

    fn draw_fields(&self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<Position> {
        let style = |role: Role| ctx.theme.style(role);
        let widest = self.typed.iter().map(|field| width(&field.label)).max().unwrap_or(0);
        let column = u16::try_from(widest).unwrap_or(0).min(area.width / 2);
        let mut cursor = None;
        for (index, field) in self.typed.iter().enumerate() {
            let at = line(area, u16::try_from(index).unwrap_or(u16::MAX));
            let here = index == self.field;
            let label = style(if here { Role::Title } else { Role::Dim });
            let mut strip = Strip::new(buf, at, ctx.ascii);
            strip.gap(2).field(&field.label, column, false, label).gap(2);
            if !field.input.is_empty() {
                let (word, role) = if field.fits() { ("ok", Role::Ok) } else { ("differs", Role::Warn) };
                strip.right(word, style(role));
            }
            let rest = Rect { x: strip.x(), width: strip.left(), ..at };
            let place = field.input.draw(buf, rest, style(Role::Text), ctx.ascii);
            if here && !rest.is_empty() {
                cursor = Some(place);
            }
        }
        cursor
    }
}

impl Component for Confirm {
    fn context(&self) -> Context {
        if self.types() { Context::Form } else { Context::Confirm }
    }

    fn takes_text(&self) -> bool {
        self.types()
    }

    fn on(&mut self, action: &Action, ctx: &Ctx<'_>) -> Outcome {
        if ctx.now < self.listens_at() {
            return Outcome::Consumed;
        }
        if self.types() { self.filled(action) } else { self.answered(action) }
    }

    fn draw(&mut self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<Position> {
        let body = self.body(area.width, ctx);
        let fields = if self.types() { self.typed.len() } else { 0 };
        // One blank line, the fields and the answer line stand below the text.
        let title = self.title();
        let inner = sheet(buf, area, body.len() + fields + 2, &title, self.role(), ctx);
        let below = u16::try_from(fields + 1).unwrap_or(u16::MAX).min(inner.height);
        let text = Rect { height: inner.height - below, ..inner };
        self.scroll.draw(&body, buf, text, ctx);
        let rest = Rect { y: text.bottom(), height: below, ..inner };
        let cursor = self.draw_fields(buf, Rect { height: below.saturating_sub(1), ..rest }, ctx);
        self.answer(ctx).right(self.scroll.word(), Role::Dim).draw(
            buf,
            line(rest, below.saturating_sub(1)),
            0,
            ctx,
        );
        cursor
    }

    /// What can be answered stands in the sheet itself.
    fn hints(&self, _ctx: &Ctx<'_>) -> Vec<Action> {
        if self.types() { vec![Action::NextField] } else { Vec::new() }
    }
}

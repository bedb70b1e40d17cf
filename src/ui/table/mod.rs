//! The virtual table: the rows of one kind, of which only the visible ones are ever built.
//!
//! It holds on to ids, never to positions; and on a cursor move it changes nothing but a gutter mark and a name, so
//! that a key costs tens of bytes over a slow line.

mod columns;
mod copy;
mod cursor;
mod draw;
mod empty;
mod header;
mod order;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::model::action::{Action, Context};
use crate::model::id::EntityId;
use crate::model::kind::{KindSpec, Text};
use crate::model::query::Query;
use crate::model::row::Row;

use super::component::{Component, Ctx, Outcome, Request};
use super::format::Writer;
use super::input::Input;

use columns::{Columns, Source};
use cursor::Cursor;
use order::{Order, Sort, Wanted};

pub use columns::domain_word;
pub use header::{Chip, chip, chips, faults};

/// A standing condition of a table: what the operator drilled down from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The column that must hold the value.
    pub column: Text,
    /// The value.
    pub value: Arc<str>,
    /// The instance that rows must come from, where the value is a name within one.
    pub instance: Option<Arc<str>>,
}

impl Scope {
    /// Whether a row lies within.
    pub fn holds(&self, row: &Row, kind: &KindSpec) -> bool {
        let value = match kind.column(&self.column) {
            Some(index) => row.cell(index).value.as_text(),
            None if self.column == "instance" => Some(&*row.id.instance),
            None => None,
        };
        let here = self.instance.as_ref().is_none_or(|instance| *instance == row.id.instance);
        here && value == Some(&*self.value)
    }
}

/// The rows of one kind.
#[derive(Debug)]
pub struct Table {
    kind: Arc<KindSpec>,
    scope: Option<Scope>,
    sort: Sort,
    filter: Input,
    typing: bool,
    query: Query,
    seen: Option<u64>,
    order: Order,
    columns: Columns,
    cursor: Cursor,
    marks: HashSet<EntityId>,
    chips: Vec<Chip>,
    /// The cells that its columns had when it was last drawn.
    room: u16,
}

impl Table {
    /// The table of a kind, within a scope where there is one.
    pub fn new(kind: Arc<KindSpec>, scope: Option<Scope>) -> Self {
        let sort = Sort { by: Source::Cell(kind.sort.0), down: kind.sort.1 };
        Self {
            kind,
            scope,
            sort,
            filter: Input::default(),
            typing: false,
            query: Query::default(),
            seen: None,
            order: Order::default(),
            columns: Columns::default(),
            cursor: Cursor::default(),
            marks: HashSet::new(),
            chips: Vec::new(),
            room: u16::MAX,
        }
    }

    /// The kind of its rows.
    pub fn kind(&self) -> &Arc<KindSpec> {
        &self.kind
    }

    /// The place it was opened from.
    pub fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }

    /// The rows as they are shown.
    pub fn rows(&self) -> &[Arc<Row>] {
        &self.order.rows
    }

    /// The filter as it was typed.
    pub fn filter(&self) -> &str {
        self.filter.text()
    }

    /// Sets the filter.
    pub fn set_filter(&mut self, text: &str, ctx: &Ctx<'_>) {
        self.filter.set(text);
        self.requery(ctx);
    }

    /// Moves the cursor to a row, now or as soon as it appears; a filter that hides it goes.
    pub fn go_to(&mut self, id: &EntityId, ctx: &Ctx<'_>) {
        self.sync(ctx);
        if self.order.position(id).is_none() && !self.filter.is_empty() {
            self.set_filter("", ctx);
        }
        self.cursor.want(id.clone(), &self.order);
    }

    /// Sorts by the named column; false where there is none.
    pub fn sort_by(&mut self, name: &str, down: bool, ctx: &Ctx<'_>) -> bool {
        let Some(index) = self.kind.column(name) else { return false };
        self.resort(Sort { by: Source::Cell(index), down }, ctx);
        true
    }

    /// The row under the cursor, if it is there.
    pub fn current(&self) -> Option<&Arc<Row>> {
        let row = self.order.rows.get(self.cursor.at())?;
        (Some(&row.id) == self.cursor.id()).then_some(row)
    }

    /// Looks whether the store has news; true where the order was computed anew.
    fn sync(&mut self, ctx: &Ctx<'_>) -> bool {
        let revision = ctx.store.revision(&self.kind.id);
        if self.seen == Some(revision) {
            return false;
        }
        self.seen = Some(revision);
        self.reorder(ctx);
        true
    }

    fn reorder(&mut self, ctx: &Ctx<'_>) {
        let wanted = Wanted {
            kind: &self.kind,
            scope: self.scope.as_ref(),
            query: &self.query,
            sort: self.sort,
            now: ctx.now,
        };
        let old = std::mem::replace(&mut self.order, Order::new(ctx.store, &wanted));
        self.cursor.follow(&old.rows, &self.order);
        self.marks.retain(|id| ctx.store.get(id).is_some());
        let first = self.order.rows.first().map(|row| row.domain);
        let domains = self.order.rows.iter().any(|row| Some(row.domain) != first);
        let instances = self.instances(ctx);
        if !self.columns.fits(instances, domains) {
            self.columns = Columns::new(&self.kind, instances, domains);
        }
        self.columns.measure(&self.order.rows, &Writer::from(ctx));
    }

    fn instances(&self, ctx: &Ctx<'_>) -> bool {
        let mut of_kind = ctx.store.of_kind(&self.kind.id).map(|source| &source.spec.id.instance);
        let first = of_kind.next();
        of_kind.any(|instance| Some(instance) != first)
    }

    fn requery(&mut self, ctx: &Ctx<'_>) {
        self.query = Query::parse(self.filter.text());
        self.reorder(ctx);
    }

    fn resort(&mut self, sort: Sort, ctx: &Ctx<'_>) {
        self.sort = sort;
        self.reorder(ctx);
    }

    /// Sorts by the next column that is shown.
    fn next_sort(&mut self, ctx: &Ctx<'_>) {
        let choices = self.columns.choices();
        let shown = self.columns.place(self.room, ctx.wide);
        let shown: Vec<Source> = shown.iter().map(|column| choices[column.choice].source).collect();
        let at = shown.iter().position(|source| *source == self.sort.by).map_or(0, |at| at + 1);
        if let Some(by) = shown.get(at % shown.len().max(1)) {
            self.resort(Sort { by: *by, down: false }, ctx);
        }
    }

    fn moved(&mut self, action: &Action) -> bool {
        let rows = &self.order.rows;
        let page = isize::try_from(self.cursor.height()).unwrap_or(1);
        let half = (page / 2).max(1);
        match action {
            Action::Down => self.cursor.step(1, rows),
            Action::Up => self.cursor.step(-1, rows),
            Action::PageDown => self.cursor.page(page, rows),
            Action::PageUp => self.cursor.page(-page, rows),
            Action::HalfPageDown => self.cursor.page(half, rows),
            Action::HalfPageUp => self.cursor.page(-half, rows),
            Action::Top => self.cursor.go(0, rows),
            Action::Bottom => self.cursor.go(usize::MAX, rows),
            Action::NextMatch => self.cycle(1),
            Action::PreviousMatch => self.cycle(-1),
            _ => return false,
        }
        true
    }

    /// Goes round: after the last match comes the first.
    fn cycle(&mut self, by: isize) {
        let rows = isize::try_from(self.order.rows.len()).unwrap_or(0);
        if rows > 0 {
            let at = isize::try_from(self.cursor.at()).unwrap_or(0);
            let to = usize::try_from((at + by).rem_euclid(rows)).unwrap_or(0);
            self.cursor.go(to, &self.order.rows);
        }
    }

    fn mark(&mut self) {
        let Some(id) = self.current().map(|row| row.id.clone()) else { return };
        if !self.marks.remove(&id) {
            self.marks.insert(id);
        }
        self.cursor.step(1, &self.order.rows);
    }

    fn invert_marks(&mut self) {
        for row in &self.order.rows {
            if !self.marks.remove(&row.id) {
                self.marks.insert(row.id.clone());
            }
        }
    }

    /// Clears the filter first, then the marks.
    fn back(&mut self, ctx: &Ctx<'_>) -> Outcome {
        self.typing = false;
        self.cursor.pin();
        if !self.filter.is_empty() {
            self.set_filter("", ctx);
        } else if self.marks.is_empty() {
            return Outcome::Ignored;
        } else {
            self.marks.clear();
        }
        Outcome::Consumed
    }

    fn typed(&mut self, action: &Action, ctx: &Ctx<'_>) -> Outcome {
        match action {
            Action::Enter => {
                self.typing = false;
                self.cursor.pin();
            }
            Action::Back | Action::DeleteBack if self.filter.is_empty() => self.typing = false,
            Action::Back => return self.back(ctx),
            action if self.filter.on(action) => self.requery(ctx),
            action if self.moved(action) => {}
            _ => return Outcome::Ignored,
        }
        Outcome::Consumed
    }

    fn acted(&mut self, action: &Action, ctx: &Ctx<'_>) -> Outcome {
        match action {
            Action::Filter => self.typing = true,
            Action::Mark => self.mark(),
            Action::InvertMarks => self.invert_marks(),
            Action::ClearMarks => self.marks.clear(),
            Action::Sort => self.next_sort(ctx),
            Action::ReverseSort => self.resort(Sort { down: !self.sort.down, ..self.sort }, ctx),
            Action::Back => return self.back(ctx),
            Action::Enter => return self.on_row(|_, row| Request::Enter(row.id.clone())),
            Action::CopyCell => return self.on_row(|_, row| copy::name(row)),
            Action::CopyRow => return self.on_row(|kind, row| copy::text(kind, row, &Writer::from(ctx))),
            Action::CopyJson => return self.on_row(copy::json),
            action if self.moved(action) => {}
            _ => return Outcome::Ignored,
        }
        Outcome::Consumed
    }

    fn on_row(&self, request: impl FnOnce(&KindSpec, &Row) -> Request) -> Outcome {
        self.current().map_or(Outcome::Ignored, |row| Outcome::emit(request(&self.kind, row)))
    }
}

impl Component for Table {
    fn context(&self) -> Context {
        if self.typing { Context::Filter } else { Context::Table }
    }

    fn takes_text(&self) -> bool {
        self.typing
    }

    fn on(&mut self, action: &Action, ctx: &Ctx<'_>) -> Outcome {
        self.sync(ctx);
        let before = self.selected();
        let outcome = if self.typing { self.typed(action, ctx) } else { self.acted(action, ctx) };
        let after = self.selected();
        if outcome == Outcome::Consumed && before != after {
            return Outcome::emit(Request::Selected(after));
        }
        outcome
    }

    fn refresh(&mut self, ctx: &Ctx<'_>) -> bool {
        let chips = chips(ctx.store.of_kind(&self.kind.id), &Writer::from(ctx));
        if chips != self.chips {
            self.chips = chips;
            self.sync(ctx);
            return true;
        }
        let (total, shown) = (self.order.total, self.order.rows.len());
        let before = self.visible().to_vec();
        if !self.sync(ctx) {
            return false;
        }
        let same = |(a, b): (&Arc<Row>, &Arc<Row>)| Arc::ptr_eq(a, b);
        let now = self.visible();
        total != self.order.total
            || shown != self.order.rows.len()
            || before.len() != now.len()
            || !before.iter().zip(now).all(same)
    }

    fn draw(&mut self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<Position> {
        self.draw_in(buf, area, ctx, false)
    }

    fn hints(&self, _ctx: &Ctx<'_>) -> Vec<Action> {
        if self.typing {
            return vec![Action::Enter, Action::Back];
        }
        let all = [
            Action::Enter,
            Action::Describe,
            Action::Operations,
            Action::Filter,
            Action::Mark,
            Action::Sort,
            Action::Palette,
            Action::Help,
        ];
        all.to_vec()
    }

    fn selected(&self) -> Option<EntityId> {
        self.current().map(|row| row.id.clone())
    }

    fn marked(&self) -> Vec<EntityId> {
        self.order.rows.iter().map(|row| &row.id).filter(|id| self.marks.contains(id)).cloned().collect()
    }
}

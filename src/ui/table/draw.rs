//! Draws what is visible of a table.

use std::collections::HashMap;
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use crate::config::theme::Role;
use crate::model::kind::Format;
use crate::model::row::{Row, Tone};
use crate::model::snapshot::SourceHealth;
use crate::ui::component::Ctx;
use crate::ui::format::Writer;
use crate::ui::text::{Strip, line, width};

use super::columns::{Choice, Shown, Source};
use super::{Table, faults};

/// The gutter: the cursor's mark and the row's mark.
const GUTTER: u16 = 2;
/// How many cells of a name are highlighted at most; each costs two bytes per cursor move.
const HIGHLIGHT: u16 = 20;

impl Table {
    /// Draws header, headings and visible rows; `leaps` scrolls by half pages at the edge.
    pub(in crate::ui) fn draw_in(
        &mut self,
        buf: &mut Buffer,
        area: Rect,
        ctx: &Ctx<'_>,
        leaps: bool,
    ) -> Option<Position> {
        self.sync(ctx);
        let notes = faults(ctx.store.of_kind(&self.kind.id));
        let foot = if area.height > 8 { u16::try_from(notes.len().min(2)).unwrap_or(0) } else { 0 };
        let body = Rect {
            y: area.y.saturating_add(2).min(area.bottom()),
            height: area.height.saturating_sub(2 + foot),
            ..area
        };
        self.cursor.view(usize::from(body.height), leaps, self.order.rows.len());
        let cursor = self.draw_header(buf, line(area, 0), ctx);
        if self.order.rows.is_empty() {
            self.draw_empty(buf, Rect { height: area.height.saturating_sub(2), ..body }, ctx);
            return cursor;
        }
        draw_foot(buf, area, foot, &notes, ctx);
        self.room = body.width.saturating_sub(GUTTER + 1);
        let row = self.draw_body(buf, line(area, 1), body, ctx);
        cursor.or(row)
    }

    /// The rows of the viewport.
    pub(super) fn visible(&self) -> &[Arc<Row>] {
        let (top, rows) = (self.cursor.top(), &self.order.rows);
        rows.get(top..rows.len().min(top + self.cursor.height())).unwrap_or_default()
    }

    fn draw_body(&self, buf: &mut Buffer, head: Rect, body: Rect, ctx: &Ctx<'_>) -> Option<Position> {
        let shown = self.columns.place(self.room, ctx.wide);
        self.draw_headings(buf, head, &shown, ctx);
        let painter = Painter { table: self, shown: &shown, faded: self.faded(ctx), ctx };
        let mut cursor = None;
        for (index, row) in self.visible().iter().enumerate() {
            let at = line(body, u16::try_from(index).unwrap_or(u16::MAX));
            let here = self.cursor.top() + index == self.cursor.at();
            painter.row(buf, at, row, here);
            if here && !at.is_empty() {
                cursor = Some(Position { x: at.x, y: at.y });
            }
        }
        cursor
    }

    fn draw_headings(&self, buf: &mut Buffer, area: Rect, shown: &[Shown], ctx: &Ctx<'_>) {
        let style = ctx.theme.style(Role::Dim);
        for column in shown {
            let choice = &self.columns.choices()[column.choice];
            // What began later is younger.
            let down = self.sort.down != (choice.format == Format::Age);
            let mark = match (choice.source == self.sort.by, down, ctx.ascii) {
                (false, _, _) => "",
                (true, false, false) => "↑",
                (true, true, false) => "↓",
                (true, false, true) => "^",
                (true, true, true) => "v",
            };
            // The gap to the next column has room for the arrow, or for a last letter.
            let room = usize::from(column.width + 1).saturating_sub(width(mark));
            let title = format!("{}{mark}", super::super::text::fit(&choice.title, room, ctx.ascii));
            let mut strip = Strip::new(buf, area, ctx.ascii);
            let cells = column.width.max(u16::try_from(width(&title)).unwrap_or(column.width));
            strip.gap(GUTTER + column.x).field(&title, cells, choice.right, style);
        }
    }

    /// The instances whose rows are not fresh: what was good is unknown, and where the whole domain is gone all is grey.
    fn faded<'c>(&self, ctx: &Ctx<'c>) -> HashMap<&'c str, Faded> {
        let kind = &self.kind.id;
        let sources = ctx.store.sources().filter(|source| source.spec.kinds.contains(kind));
        let faded = sources.filter(|source| source.health != SourceHealth::Fresh);
        let how = |absent| if absent { Faded::Absent } else { Faded::Blind };
        faded.map(|source| (&*source.spec.id.instance, how(source.absence.is_some()))).collect()
    }
}

/// What must be known of the rows, at the bottom.
fn draw_foot(buf: &mut Buffer, area: Rect, foot: u16, notes: &[(String, Tone)], ctx: &Ctx<'_>) {
    for (index, (text, tone)) in (0..foot).zip(notes) {
        let at = line(area, area.height - foot + index);
        Strip::new(buf, at, ctx.ascii).gap(GUTTER).put(text, ctx.theme.style(*tone));
    }
}

/// Why rows are not drawn as they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Faded {
    /// Their source did not answer last.
    Blind,
    /// Their whole domain does not answer.
    Absent,
}

/// What the drawing of each row needs.
struct Painter<'a> {
    table: &'a Table,
    shown: &'a [Shown],
    faded: HashMap<&'a str, Faded>,
    ctx: &'a Ctx<'a>,
}

impl Painter<'_> {
    fn row(&self, buf: &mut Buffer, area: Rect, row: &Row, here: bool) {
        let style = |role: Role| self.ctx.theme.style(role);
        let mut gutter = Strip::new(buf, area, self.ctx.ascii);
        if here {
            gutter.put(if self.ctx.ascii { ">" } else { "▌" }, style(Role::Selection));
        } else {
            gutter.gap(1);
        }
        if self.table.marks.contains(&row.id) {
            gutter.put(if self.ctx.ascii { "*" } else { "✓" }, style(Role::Mark));
        }
        for column in self.shown {
            let choice = &self.table.columns.choices()[column.choice];
            self.cell(buf, area, row, choice, *column, here);
        }
    }

    fn cell(&self, buf: &mut Buffer, area: Rect, row: &Row, choice: &Choice, column: Shown, here: bool) {
        let faded = self.faded.get(&*row.id.instance);
        let tone = match choice.source {
            Source::Cell(index) => row.cell(index).tone,
            Source::Name => Tone::Text,
            Source::Instance | Source::Domain => Tone::Dim,
        };
        let tone = match (faded, tone) {
            (Some(Faded::Absent), _) => Tone::Dim,
            (Some(Faded::Blind), Tone::Ok) => Tone::Unknown,
            (_, tone) => tone,
        };
        let writer = Writer::from(self.ctx);
        let text = match choice.source {
            Source::Cell(index) if choice.format == Format::State => {
                let seen = crate::model::row::Cell { value: row.cell(index).value.clone(), tone };
                writer.cell(&seen, Format::State).into_owned()
            }
            _ => choice.text(row, &writer).into_owned(),
        };
        let at = Rect { x: area.x.saturating_add(GUTTER + column.x), width: column.width, ..area };
        let style = self.ctx.theme.style(tone);
        let mut strip = Strip::new(buf, at.intersection(area), self.ctx.ascii);
        strip.field(&text, column.width, choice.right, style);
        if !choice.is_name(&self.table.kind) {
            return;
        }
        self.matches(buf, at.intersection(area), &text);
        if here {
            let cells = u16::try_from(width(&text)).unwrap_or(u16::MAX).min(column.width).min(HIGHLIGHT);
            let name = Rect { width: cells, ..at }.intersection(area).intersection(buf.area);
            buf.set_style(name, self.ctx.theme.style(Role::Selection));
        }
    }

    /// Shows in a name what the filter found there.
    fn matches(&self, buf: &mut Buffer, area: Rect, name: &str) {
        let lower = name.to_ascii_lowercase();
        for needle in self.table.query.needles().filter(|needle| !needle.is_empty()) {
            let Some(at) = lower.find(needle) else { continue };
            let cells = |text: &str| u16::try_from(width(text)).unwrap_or(u16::MAX);
            let found = Rect {
                x: area.x.saturating_add(cells(&name[..at])),
                width: cells(&name[at..at + needle.len()]),
                ..area
            };
            let style: Style = self.ctx.theme.style(Role::Match);
            buf.set_style(found.intersection(area).intersection(buf.area), style);
        }
    }
}

//! The pane beside a list: the selected row in full, at once from what the list knows, then as its server describes it.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::config::theme::Role;
use crate::model::action::{Action, Context};
use crate::model::id::EntityId;
use crate::model::kind::KindSpec;
use crate::model::row::{Cell, Row, Tone};
use crate::model::snapshot::Fault;
use crate::model::view::{Doc, DocLine, Fact};

use super::component::{Component, Ctx, Outcome};
use super::doc::DocPane;
use super::format::glyph;
use super::table::domain_word;
use super::text::{Strip, line};

/// The selected row in full.
#[derive(Debug, Default)]
pub struct Detail {
    id: Option<EntityId>,
    described: Option<Result<Doc, Fault>>,
    pane: DocPane,
}

impl Detail {
    /// Turns to another row; what was described of the last one goes.
    pub fn show(&mut self, id: Option<EntityId>) {
        if self.id != id {
            (self.id, self.described) = (id, None);
            self.pane.home();
        }
    }

    /// Takes a description; one of another row than the shown one is dropped.
    pub fn describe(&mut self, id: &EntityId, body: Result<Doc, Fault>) {
        if self.id.as_ref() == Some(id) {
            self.described = Some(body);
        }
    }

    /// The row that is shown.
    pub fn id(&self) -> Option<&EntityId> {
        self.id.as_ref()
    }

    fn doc(&self, kind: &KindSpec, row: &Row) -> Doc {
        match &self.described {
            Some(Ok(doc)) => doc.clone(),
            Some(Err(fault)) => {
                let mut lines = vec![DocLine::toned(fault.to_string(), Tone::Warn)];
                lines.extend((!fault.hint.is_empty()).then(|| DocLine::toned(fault.hint.clone(), Tone::Dim)));
                cells(kind, row).lines("cannot describe it", lines)
            }
            None => cells(kind, row),
        }
    }

    fn draw_head(buf: &mut Buffer, area: Rect, kind: &KindSpec, row: &Row, ctx: &Ctx<'_>) {
        let style = |role: Role| ctx.theme.style(role);
        let place = format!("{} · {}", row.id.instance, domain_word(row.domain));
        Strip::new(buf, area, ctx.ascii)
            .right(&place, style(Role::Dim))
            .put(&row.name, style(Role::Title))
            .put("  ", style(Role::Text))
            .put(&kind.singular, style(Role::Dim));
    }
}

/// Everything that a list knows of a row, wide columns included.
pub fn cells(kind: &KindSpec, row: &Row) -> Doc {
    let facts = kind.columns.iter().enumerate().filter_map(|(index, column)| {
        let Cell { value, tone } = row.cell(index).clone();
        let known = value != crate::model::row::Value::Empty;
        known.then(|| Fact::new(column.title.clone(), value).format(column.format).tone(tone))
    });
    let key = Fact::new("key", &*row.id.key).tone(Tone::Dim);
    Doc::default().facts("", facts.chain([key]).collect())
}

impl Component for Detail {
    fn context(&self) -> Context {
        Context::Doc
    }

    fn on(&mut self, action: &Action, ctx: &Ctx<'_>) -> Outcome {
        self.pane.on(action, ctx)
    }

    fn draw(&mut self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<Position> {
        let row = ctx.store.get(self.id.as_ref()?)?;
        let kind = ctx.kinds.get(&row.id.kind)?;
        Self::draw_head(buf, line(area, 0), kind, row, ctx);
        let mut y = 1;
        if let Some(note) = &row.note {
            let tone = Tone::from(row.health);
            let text = format!("{} {}", glyph(tone, ctx.ascii), note);
            for part in super::text::wrap(&text, usize::from(area.width.max(1))).iter().take(3) {
                Strip::new(buf, line(area, y), ctx.ascii).put(part, ctx.theme.style(tone));
                y += 1;
            }
        }
        let top = y.saturating_add(1).min(area.height);
        let rest = Rect { y: area.y + top, height: area.height - top, ..area };
        self.pane.set(self.doc(kind, row));
        self.pane.draw(buf, rest, ctx)
    }

    fn hints(&self, ctx: &Ctx<'_>) -> Vec<Action> {
        let mut hints = self.pane.hints(ctx);
        hints.insert(1, Action::Focus);
        hints
    }

    fn selected(&self) -> Option<EntityId> {
        self.id.clone()
    }
}

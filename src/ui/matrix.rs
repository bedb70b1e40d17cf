//! Matrices: two axes and a cell for each pair, such as applications by groups.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::config::theme::Role;
use crate::model::action::{Action, Context};
use crate::model::kind::Format;
use crate::model::row::Tone;
use crate::model::view::Matrix;

use super::component::{Component, Ctx, Outcome, Request};
use super::format::{Writer, glyph};
use super::pick::Pick;
use super::text::{Strip, clean, line, width};

/// The widest column.
const WIDEST: usize = 16;

/// A matrix with a cursor.
#[derive(Debug, Clone, Default)]
pub struct MatrixPane {
    matrix: Matrix,
    pick: Pick,
    column: usize,
    first: usize,
}

impl MatrixPane {
    /// A pane of one.
    pub fn new(matrix: Matrix) -> Self {
        let mut pane = Self::default();
        pane.set(matrix);
        pane
    }

    /// Replaces the matrix; the cursor stays on its row and column where they are still there.
    pub fn set(&mut self, matrix: Matrix) {
        let row = self.matrix.rows.get(self.pick.at()).map(|(name, _)| name.clone());
        let column = self.matrix.columns.get(self.column).cloned();
        self.matrix = matrix;
        if let Some(at) = self.matrix.rows.iter().position(|(name, _)| Some(name) == row.as_ref()) {
            self.pick.go(at);
        }
        let at = self.matrix.columns.iter().position(|name| Some(name) == column.as_ref());
        self.column = at.unwrap_or(self.column).min(self.matrix.columns.len().saturating_sub(1));
    }

    fn text(&self, row: usize, column: usize, writer: &Writer<'_>) -> (String, Tone) {
        let cell = self.matrix.rows.get(row).and_then(|(_, cells)| cells.get(column));
        let Some(cell) = cell else { return (String::new(), Tone::Dim) };
        let words = writer.value(&cell.value, Format::Plain);
        let signed = cell.tone != Tone::Text && cell.tone != Tone::Dim && !words.is_empty();
        let text =
            if signed { format!("{} {words}", glyph(cell.tone, writer.ascii)) } else { words.into_owned() };
        (text, cell.tone)
    }

    /// The widths of heading and columns.
    fn widths(&self, writer: &Writer<'_>) -> (u16, Vec<u16>) {
        let heads = self.matrix.rows.iter().map(|(name, _)| width(name)).max().unwrap_or(0).min(28);
        let column = |at: usize| {
            let cells = (0..self.matrix.rows.len()).map(|row| width(&self.text(row, at, writer).0));
            let widest = cells.chain([width(&self.matrix.columns[at])]).max().unwrap_or(0).clamp(3, WIDEST);
            u16::try_from(widest).unwrap_or(16)
        };
        (u16::try_from(heads).unwrap_or(28), (0..self.matrix.columns.len()).map(column).collect())
    }

    /// The first column from which on the one under the cursor fits.
    fn scroll(&mut self, widths: &[u16], room: u16) {
        self.first = self.first.min(self.column);
        let used = |from: usize, to: usize| widths[from..=to].iter().map(|w| u32::from(w + 2)).sum::<u32>();
        while self.first < self.column && used(self.first, self.column) > u32::from(room) {
            self.first += 1;
        }
    }

    fn moved(&mut self, action: &Action) -> bool {
        let last = self.matrix.columns.len().saturating_sub(1);
        match action {
            Action::Left => self.column = self.column.saturating_sub(1),
            Action::Right => self.column = (self.column + 1).min(last),
            action => return self.pick.on(action, self.matrix.rows.len()),
        }
        true
    }

    fn copy(&self, ctx: &Ctx<'_>) -> Outcome {
        let Some((name, _)) = self.matrix.rows.get(self.pick.at()) else { return Outcome::Ignored };
        let column = self.matrix.columns.get(self.column).map_or("", String::as_str);
        let (cell, _) = self.text(self.pick.at(), self.column, &Writer::from(ctx));
        let text = clean(&format!("{name}\t{column}\t{cell}").replace('\t', " · ")).into_owned();
        Outcome::emit(Request::Copy { text, what: "cell".to_owned() })
    }
}

impl Component for MatrixPane {
    fn context(&self) -> Context {
        Context::Table
    }

    fn on(&mut self, action: &Action, ctx: &Ctx<'_>) -> Outcome {
        match action {
            Action::CopyCell => self.copy(ctx),
            action if self.moved(action) => Outcome::Consumed,
            _ => Outcome::Ignored,
        }
    }

    fn draw(&mut self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<Position> {
        let writer = Writer::from(ctx);
        let (head, widths) = self.widths(&writer);
        let head = head.min(area.width / 2);
        if !widths.is_empty() {
            self.scroll(&widths, area.width.saturating_sub(head + 4));
        }
        let style = |role: Role| ctx.theme.style(role);
        let mut titles = Strip::new(buf, line(area, 0), ctx.ascii);
        titles.gap(2 + head + 2);
        for (at, cells) in widths.iter().enumerate().skip(self.first) {
            let role = if at == self.column { Role::Title } else { Role::Dim };
            titles.field(&self.matrix.columns[at], *cells, false, style(role)).gap(2);
        }
        let body = Rect { y: area.y + area.height.min(1), height: area.height.saturating_sub(1), ..area };
        let visible = self.pick.view(body.height, self.matrix.rows.len());
        let mut cursor = None;
        for (index, row) in (0..body.height).zip(visible) {
            let here = row == self.pick.at();
            let at = line(body, index);
            let mut strip = Strip::new(buf, at, ctx.ascii);
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
            let name = style(if here { Role::Selection } else { Role::Text });
            strip.field(&self.matrix.rows[row].0, head, false, name).gap(2);
            for (column, cells) in widths.iter().enumerate().skip(self.first) {
                let (text, tone) = self.text(row, column, &writer);
                if here && column == self.column && strip.left() > 0 {
                    cursor = Some(Position { x: strip.x(), y: at.y });
                }
                strip.field(&text, *cells, false, ctx.theme.style(tone)).gap(2);
            }
        }
        cursor
    }

    fn hints(&self, _ctx: &Ctx<'_>) -> Vec<Action> {
        vec![Action::Left, Action::Right, Action::CopyCell, Action::Back]
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::proptest;

    use super::*;
    use crate::model::row::Cell;
    use crate::ui::testing::{Screen, World, act};

    fn matrix() -> Matrix {
        let columns = ["admin", "family-validated", "everyone"].map(str::to_owned).to_vec();
        let yes = || Cell::toned("may", Tone::Ok);
        let rows = vec![
            ("nextcloud".to_owned(), vec![yes(), yes(), Cell::empty()]),
            ("prometheus".to_owned(), vec![yes(), Cell::empty(), Cell::toned("exposed", Tone::Error)]),
        ];
        Matrix { columns, rows }
    }

    fn pane() -> MatrixPane {
        MatrixPane::new(matrix())
    }

    #[test]
    fn every_pair_has_its_cell() {
        let world = World::lab();
        let mut pane = pane();
        act(&mut pane, &world, &[Action::Down, Action::Right, Action::Right]);
        let screen = Screen::of(&mut pane, 80, 5, &world);
        assert_snapshot!(screen.text());
        assert_eq!(screen.style_of("✗ exposed").fg, world.theme.style(Role::Error).fg);
        assert_snapshot!(Screen::of(&mut pane, 40, 5, &world).text());
    }

    #[test]
    fn the_cursor_stays_on_its_names() {
        let world = World::lab();
        let mut pane = pane();
        act(&mut pane, &world, &[Action::Down, Action::Right]);
        let mut changed = matrix();
        changed.rows.insert(0, ("argocd".into(), vec![]));
        changed.columns.insert(0, "new".into());
        pane.set(changed);
        assert_eq!((pane.pick.at(), pane.column), (2, 2));
    }

    proptest! {
        #[test]
        fn any_size_can_be_drawn(
            width in 1_u16..80, height in 1_u16..6, picks in proptest::collection::vec(0_usize..14, 0..10),
        ) {
            let world = World::lab();
            let mut pane = pane();
            for pick in picks {
                act(&mut pane, &world, &[Action::SIMPLE[pick].clone()]);
                Screen::of(&mut pane, width, height, &world);
            }
        }
    }
}

//! Documents: headed sections of facts, lines and small tables.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::config::theme::Role;
use crate::model::action::{Action, Context};
use crate::model::kind::Format;
use crate::model::row::{Cell, Value};
use crate::model::view::{Body, Doc, Fact, Series};

use super::chart;
use super::component::{Component, Ctx, Outcome, Request};
use super::format::Writer;
use super::lines::{Line, Scroll, labelled, wrapped};
use super::text::{clean, fit, width};

/// The widest column of labels.
const LABELS: usize = 18;
/// The widest column of a small table.
const CELL: usize = 40;
/// The longest course of a series: one cell for each minute of an hour.
const SPARK: usize = 60;
/// A shorter one says nothing.
const LEAST: usize = 8;

/// A scrolled document.
#[derive(Debug, Clone, Default)]
pub struct DocPane {
    doc: Doc,
    scroll: Scroll,
    cut: bool,
    drawn: Option<(Key, Vec<Line>)>,
}

/// What the lines of a document depend on.
type Key = (u16, bool, bool, i64);

impl DocPane {
    /// A document, from its start.
    pub fn new(doc: Doc) -> Self {
        Self { doc, ..Self::default() }
    }

    /// Replaces the document; the place in it stays.
    pub fn set(&mut self, doc: Doc) {
        if self.doc != doc {
            self.doc = doc;
            self.drawn = None;
        }
    }

    /// Goes to its start.
    pub fn home(&mut self) {
        self.scroll.home();
    }

    /// Where it is scrolled to, in a word.
    pub fn place(&self) -> String {
        self.scroll.word()
    }

    /// Its text, cleaned.
    pub fn text(&self, writer: &Writer<'_>) -> String {
        let mut out = String::new();
        for section in &self.doc.sections {
            let lines: Vec<String> = match &section.body {
                Body::Facts(facts) => facts.iter().map(|fact| fact_text(fact, writer)).collect(),
                Body::Lines(lines) => lines.iter().map(|line| clean(&line.text).into_owned()).collect(),
                Body::Series(series) => series.iter().map(|one| series_text(one, writer)).collect(),
                Body::Table { columns, rows } => table_text(columns, rows, writer),
            };
            out.push_str(&clean(&section.heading));
            out.push('\n');
            out.push_str(&lines.join("\n"));
            out.push_str("\n\n");
        }
        out.truncate(out.trim_end().len());
        out
    }

    fn lines(&mut self, room: u16, ctx: &Ctx<'_>) -> &[Line] {
        let key = (room, self.cut, ctx.ascii, ctx.now.as_second() / 60);
        if self.drawn.as_ref().is_none_or(|(made, _)| *made != key) {
            let page = Page { room, cut: self.cut, writer: Writer::from(ctx) };
            self.drawn = Some((key, page.lines(&self.doc)));
        }
        self.drawn.as_ref().map_or(&[], |(_, lines)| lines)
    }
}

fn fact_text(fact: &Fact, writer: &Writer<'_>) -> String {
    format!("{}: {}", clean(&fact.label), clean(&writer.value(&fact.value, fact.format)))
}

/// The last value, and from which to which it went.
fn last_and_range(series: &Series, writer: &Writer<'_>) -> (String, String) {
    let words = |x: f64| writer.value(&Value::Float(x), series.format).into_owned();
    let (low, high) = chart::bounds(series);
    let last = series.points.iter().rev().find_map(|(_, y)| *y);
    let range =
        low.zip(high).map_or_else(String::new, |(low, high)| format!("{} to {}", words(low), words(high)));
    (last.map_or_else(|| "no values".to_owned(), words), range)
}

fn series_text(series: &Series, writer: &Writer<'_>) -> String {
    let (last, range) = last_and_range(series, writer);
    format!("{}: {last}, {range}", clean(&series.name)).trim_end_matches(", ").to_owned()
}

fn table_text(columns: &[crate::model::kind::Text], rows: &[Vec<Cell>], writer: &Writer<'_>) -> Vec<String> {
    let head = columns.iter().map(|title| clean(title).into_owned()).collect::<Vec<_>>().join("\t");
    let row = |cells: &Vec<Cell>| {
        let words = cells.iter().map(|cell| clean(&writer.value(&cell.value, Format::Plain)).into_owned());
        words.collect::<Vec<_>>().join("\t")
    };
    std::iter::once(head).chain(rows.iter().map(row)).collect()
}

/// Turns a document into lines.
struct Page<'a> {
    room: u16,
    cut: bool,
    writer: Writer<'a>,
}

impl Page<'_> {
    fn lines(&self, doc: &Doc) -> Vec<Line> {
        let mut lines = Vec::new();
        for section in &doc.sections {
            if !lines.is_empty() {
                lines.push(Line::new());
            }
            if !section.heading.is_empty() {
                lines.push(Line::new().put(section.heading.to_string(), Role::Title));
            }
            match &section.body {
                Body::Facts(facts) => self.facts(facts, &mut lines),
                Body::Lines(texts) => {
                    for text in texts {
                        self.text(&text.text, text.tone.into(), &mut lines);
                    }
                }
                Body::Series(series) => self.series(series, &mut lines),
                Body::Table { columns, rows } => self.table(columns, rows, &mut lines),
            }
        }
        lines
    }

    /// One line each: the name, its course with gaps where nothing was measured, the last value and the range.
    fn series(&self, series: &[Series], lines: &mut Vec<Line>) {
        let widest = series.iter().map(|one| width(&one.name)).max().unwrap_or(0).min(LABELS);
        let words: Vec<(String, String)> =
            series.iter().map(|one| last_and_range(one, &self.writer)).collect();
        let cells = words.iter().map(|(last, _)| width(last)).max().unwrap_or(0);
        let start = 2 + widest + 2;
        let rest = words.iter().map(|(_, range)| width(range)).max().unwrap_or(0) + 2;
        let room = usize::from(self.room);
        let spark = room.saturating_sub(start + cells + 2 + rest).min(SPARK);
        for (one, (last, range)) in series.iter().zip(words) {
            let at = |x: usize| u16::try_from(x).unwrap_or(u16::MAX);
            let mut line =
                Line::new().at(2, fit(&one.name, widest, self.writer.ascii).into_owned(), Role::Dim);
            if spark >= LEAST {
                line = line.at(at(start), chart::spark(one, spark, self.writer.ascii), Role::Chart(1));
            }
            let end = if spark >= LEAST { start + spark + 2 } else { start };
            let last_at = end + cells - width(&last);
            line = line.at(at(last_at), last, Role::Text);
            lines.push(line.at(at(end + cells + 2), range, Role::Dim));
        }
    }

    fn facts(&self, facts: &[Fact], lines: &mut Vec<Line>) {
        let widest = facts.iter().map(|fact| width(&fact.label)).max().unwrap_or(0).min(LABELS);
        let column = u16::try_from(widest).unwrap_or(0).min(self.room / 3);
        for fact in facts {
            let cell = Cell::toned(fact.value.clone(), fact.tone);
            let value = self.writer.cell(&cell, fact.format);
            let label = fit(&fact.label, usize::from(column), self.writer.ascii);
            if self.cut {
                let start = 2 + column + 2;
                let line = Line::new().at(2, label.into_owned(), Role::Dim);
                lines.push(line.at(start, value.into_owned(), fact.tone));
            } else {
                lines.extend(labelled(&label, &value, 2, column, self.room, fact.tone));
            }
        }
    }

    fn text(&self, text: &str, role: Role, lines: &mut Vec<Line>) {
        if self.cut {
            lines.push(Line::of(text.to_owned(), role));
        } else {
            lines.extend(wrapped(text, 2, self.room, role));
        }
    }

    fn table(&self, columns: &[crate::model::kind::Text], rows: &[Vec<Cell>], lines: &mut Vec<Line>) {
        let words = |cell: &Cell| self.writer.value(&cell.value, Format::Plain).into_owned();
        let measure = |index: usize| {
            let cells = rows.iter().filter_map(|row| row.get(index)).map(|cell| width(&words(cell)));
            cells.chain(columns.get(index).map(|title| width(title))).max().unwrap_or(0).min(CELL)
        };
        let widths: Vec<usize> = (0..columns.len()).map(measure).collect();
        let place = |texts: &mut dyn Iterator<Item = (String, bool, Role)>| {
            let (mut line, mut x) = (Line::new(), 2_usize);
            for ((text, right, role), cells) in texts.zip(&widths) {
                let text = fit(&text, *cells, self.writer.ascii).into_owned();
                let start = if right { x + cells - width(&text).min(*cells) } else { x };
                line = line.at(u16::try_from(start).unwrap_or(u16::MAX), text, role);
                x += cells + 2;
            }
            line
        };
        let number =
            |cell: Option<&Cell>| matches!(cell.map(|c| &c.value), Some(Value::Int(_) | Value::Float(_)));
        let first = rows.first();
        let head = columns.iter().enumerate();
        let mut head =
            head.map(|(i, t)| (t.to_string(), number(first.and_then(|row| row.get(i))), Role::Dim));
        lines.push(place(&mut head));
        for row in rows {
            let mut cells = row.iter().map(|cell| (words(cell), number(Some(cell)), cell.tone.into()));
            lines.push(place(&mut cells));
        }
    }
}

impl Component for DocPane {
    fn context(&self) -> Context {
        Context::Doc
    }

    fn on(&mut self, action: &Action, ctx: &Ctx<'_>) -> Outcome {
        match action {
            Action::Wrap => {
                self.cut = !self.cut;
                self.scroll.home();
            }
            Action::CopyRow | Action::CopyCell => {
                let text = self.text(&Writer::from(ctx));
                return Outcome::emit(Request::Copy { text, what: "document".to_owned() });
            }
            action if self.scroll.on(action) => {}
            _ => return Outcome::Ignored,
        }
        Outcome::Consumed
    }

    fn draw(&mut self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<Position> {
        let mut scroll = self.scroll;
        scroll.draw(self.lines(area.width, ctx), buf, area, ctx);
        self.scroll = scroll;
        None
    }

    fn hints(&self, _ctx: &Ctx<'_>) -> Vec<Action> {
        vec![Action::Back, Action::Operations, Action::Wrap, Action::CopyRow, Action::Help]
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::proptest;

    use super::*;
    use crate::model::row::Tone;
    use crate::model::view::DocLine;
    use crate::ui::testing::{Screen, World, act};

    fn doc(world: &World) -> Doc {
        let state = Fact::new("state", "running").format(Format::State).tone(Tone::Ok);
        let memory = Fact::new("memory", Value::Int(12 << 30)).format(Format::Bytes);
        let facts = vec![state, memory, Fact::new("started", world.ago(180)).format(Format::Age)];
        let lines = vec![
            DocLine::toned("start is refused: 68 of 64 GiB", Tone::Error),
            DocLine::new(
                "host 4 + ARC 8 + prod 16 + talos-dev 4 + this 32 + reserve 4 = 68, free it by shutting down talos-dev",
            ),
        ];
        let rows = vec![
            vec![Cell::new("net0"), Cell::new("bc:24:11:00:00:65"), Cell::new(1500_i64)],
            vec![Cell::new("net1"), Cell::toned("no address", Tone::Warn), Cell::new(9000_i64)],
        ];
        let columns = vec!["device".into(), "mac".into(), "mtu".into()];
        Doc::default().facts("guest", facts).lines("memory budget", lines).table("network", columns, rows)
    }

    #[test]
    fn facts_are_aligned_lines_wrapped_and_tables_set() {
        let world = World::lab();
        let mut pane = DocPane::new(doc(&world));
        let screen = Screen::of(&mut pane, 60, 16, &world);
        assert_snapshot!(screen.text());
        assert_eq!(screen.style_of("● running").fg, world.theme.style(Role::Ok).fg);
    }

    #[test]
    fn a_series_is_one_line_with_its_gaps_and_without_room_only_its_values() {
        let world = World::lab();
        let point = |n: i64| (world.ago(3600 - 60 * n), (n != 30).then_some(if n < 30 { 0.1 } else { 0.8 }));
        let cpu =
            Series { name: "cpu".into(), format: Format::Percent, points: (0..60).map(point).collect() };
        let off =
            Series { name: "memory".into(), format: Format::Bytes, points: vec![(world.ago(60), None)] };
        let doc = Doc::default().series("last hour", vec![cpu, off]);
        let mut pane = DocPane::new(doc);
        let text = Screen::of(&mut pane, 100, 4, &world).text();
        let line = text.lines().nth(1).unwrap();
        assert!(line.contains("cpu") && line.contains("80%") && line.contains("10% to 80%"), "{text}");
        let bars = line.chars().filter(|c| ('\u{2581}'..='\u{2588}').contains(c)).count();
        assert!((50..60).contains(&bars), "{text}");
        assert!(text.contains("no values"), "{text}");
        let narrow = Screen::of(&mut pane, 30, 4, &world).text();
        assert!(narrow.contains("80%") && !narrow.contains('\u{2588}'), "{narrow}");
        assert!(pane.text(&Writer::from(&world.ctx())).contains("cpu: 80%, 10% to 80%"));
    }

    #[test]
    fn long_lines_can_be_cut_and_scrolled() {
        let world = World::lab();
        let mut pane = DocPane::new(doc(&world));
        act(&mut pane, &world, &[Action::Wrap]);
        assert_snapshot!(Screen::of(&mut pane, 40, 10, &world).text());
        act(&mut pane, &world, &[Action::Bottom]);
        assert!(Screen::of(&mut pane, 40, 10, &world).text().contains("net1"));
    }

    #[test]
    fn its_text_is_copied_without_anything_hostile() {
        let world = World::lab();
        let evil = Doc::default().lines("head\u{1b}[2J", vec![DocLine::new("a\u{202e}b\nrm -rf")]);
        let outcome = act(&mut DocPane::new(evil), &world, &[Action::CopyRow]);
        let text = "head\nab rm -rf".to_owned();
        assert_eq!(outcome, Outcome::emit(Request::Copy { text, what: "document".to_owned() }));
    }

    proptest! {
        #[test]
        fn any_size_can_be_drawn(width in 1_u16..50, height in 1_u16..20) {
            let world = World::lab();
            Screen::of(&mut DocPane::new(doc(&world)), width, height, &world);
        }
    }
}

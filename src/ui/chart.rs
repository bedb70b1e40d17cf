//! Charts: series over time as bars of eighths, each on its own scale with its last, least and greatest value.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::config::theme::Role;
use crate::model::action::{Action, Context};
use crate::model::kind::Format;
use crate::model::row::Value;
use crate::model::view::{Chart, Series};

use super::component::{Component, Ctx, Outcome};
use super::format::Writer;
use super::text::{Strip, line};

/// The most lines a series is drawn with.
const TALLEST: u16 = 6;

/// Series drawn below each other.
#[derive(Debug, Clone, Default)]
pub struct ChartPane {
    chart: Chart,
    first: usize,
}

impl ChartPane {
    /// A pane of one.
    pub fn new(chart: Chart) -> Self {
        let mut pane = Self::default();
        pane.set(chart);
        pane
    }

    /// Replaces the series.
    pub fn set(&mut self, chart: Chart) {
        self.chart = chart;
    }

    fn draw_series(buf: &mut Buffer, area: Rect, index: usize, series: &Series, ctx: &Ctx<'_>) {
        let style = |role: Role| ctx.theme.style(role);
        let colour = Role::Chart(u8::try_from(index % 6).unwrap_or(0) + 1);
        let (low, high) = bounds(series);
        let words = |x: f64| Writer::from(ctx).value(&Value::Float(x), series.format).into_owned();
        let last = series.points.iter().rev().find_map(|(_, y)| *y);
        let mut head = Strip::new(buf, line(area, 0), ctx.ascii);
        if let (Some(low), Some(high)) = (low, high) {
            head.right(&format!("{} to {}", words(low), words(high)), style(Role::Dim));
        }
        head.put(&series.name, style(Role::Title)).gap(2);
        match last {
            Some(last) => head.put(&words(last), style(colour)),
            None => head.put("no values", style(Role::Unknown)),
        };
        let columns = resample(series, usize::from(area.width));
        // Percentages and counts begin at zero; a scale that does not would make a ripple look like a wave.
        let (low, high) = (low.unwrap_or(0.0).min(0.0), high.unwrap_or(1.0));
        let span = if high > low { high - low } else { 1.0 };
        let rows = area.height.saturating_sub(1);
        for row in 0..rows {
            let text: String = columns
                .iter()
                .map(|y| y.map_or(' ', |y| bar((y - low) / span, rows, rows - 1 - row, ctx.ascii)))
                .collect();
            Strip::new(buf, line(area, row + 1), ctx.ascii).put(&text, style(colour));
        }
    }
}

/// A series in one line of so many cells; a cell without a value is a gap. A share is drawn against the whole.
pub(super) fn spark(series: &Series, cells: usize, ascii: bool) -> String {
    let (low, high) = bounds(series);
    let whole = if series.format == Format::Percent { 1.0 } else { 0.0 };
    let (low, high) = (low.unwrap_or(0.0).min(0.0), high.unwrap_or(1.0).max(whole));
    let span = if high > low { high - low } else { 1.0 };
    let columns = resample(series, cells);
    columns.iter().map(|y| y.map_or(' ', |y| bar((y - low) / span, 1, 0, ascii))).collect()
}

/// The least and the greatest value.
pub(super) fn bounds(series: &Series) -> (Option<f64>, Option<f64>) {
    let values = || series.points.iter().filter_map(|(_, y)| *y).filter(|y| y.is_finite());
    (values().reduce(f64::min), values().reduce(f64::max))
}

/// The greatest value of each column's share of time: a peak must not vanish between two columns.
fn resample(series: &Series, columns: usize) -> Vec<Option<f64>> {
    let mut out = vec![None; columns];
    let (Some(first), Some(last)) = (series.points.first(), series.points.last()) else { return out };
    let span = seconds(first.0, last.0).max(1.0);
    for (at, y) in &series.points {
        let Some(y) = y.filter(|y| y.is_finite()) else { continue };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let column = (seconds(first.0, *at) / span * (columns.saturating_sub(1)) as f64).max(0.0) as usize;
        if let Some(slot) = out.get_mut(column) {
            *slot = Some(slot.map_or(y, |known: f64| known.max(y)));
        }
    }
    out
}

#[allow(clippy::cast_precision_loss)]
fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.as_second().saturating_sub(from.as_second()) as f64
}

/// The cell of a bar of `share` in line `row` of `rows`, counted from the bottom.
fn bar(share: f64, rows: u16, row: u16, ascii: bool) -> char {
    const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    const ASCII: [char; 9] = [' ', '.', '.', ':', ':', '+', '+', '#', '#'];
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let eighths = (share.clamp(0.0, 1.0) * f64::from(rows) * 8.0).round() as usize;
    // A value that is there is seen, even where it is nothing.
    let eighths = eighths.max(1).saturating_sub(usize::from(row) * 8).min(8);
    if ascii { ASCII[eighths] } else { EIGHTHS[eighths] }
}

impl Component for ChartPane {
    fn context(&self) -> Context {
        Context::Doc
    }

    fn on(&mut self, action: &Action, _ctx: &Ctx<'_>) -> Outcome {
        let last = self.chart.series.len().saturating_sub(1);
        self.first = match action {
            Action::Down => self.first + 1,
            Action::Up => self.first.saturating_sub(1),
            Action::Top => 0,
            Action::Bottom => last,
            _ => return Outcome::Ignored,
        };
        self.first = self.first.min(last);
        Outcome::Consumed
    }

    fn draw(&mut self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<Position> {
        let count = u16::try_from(self.chart.series.len()).unwrap_or(u16::MAX).max(1);
        let foot = u16::from(area.height > 3);
        let room = area.height - foot;
        // Each series has its heading and a blank line below it.
        let height = (room / count).clamp(2, TALLEST + 2).min(room);
        let mut y = 0;
        for (index, series) in self.chart.series.iter().enumerate().skip(self.first) {
            if y + 2 > room {
                break;
            }
            let tall = if height > 3 { height - 1 } else { height };
            let at = Rect { y: area.y + y, height: tall.min(room - y), ..area };
            Self::draw_series(buf, at, index, series, ctx);
            y += height;
        }
        self.draw_times(buf, line(area, y.min(room)), foot, ctx);
        None
    }

    fn hints(&self, _ctx: &Ctx<'_>) -> Vec<Action> {
        vec![Action::Back, Action::Down, Action::Up]
    }
}

impl ChartPane {
    /// From when to when.
    fn draw_times(&self, buf: &mut Buffer, area: Rect, lines: u16, ctx: &Ctx<'_>) {
        let points = self.chart.series.iter().flat_map(|series| &series.points);
        let (first, last) = (points.clone().map(|(at, _)| *at).min(), points.map(|(at, _)| *at).max());
        if let (1, Some(first), Some(last)) = (lines, first, last) {
            let writer = Writer::from(ctx);
            let style = ctx.theme.style(Role::Dim);
            let mut strip = Strip::new(buf, area, ctx.ascii);
            strip.right(&writer.clock(last), style).put(&writer.clock(first), style);
        }
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::proptest;

    use super::*;
    use crate::ui::testing::{Screen, World};

    fn series(world: &World, name: &'static str, format: Format, wave: fn(f64) -> f64) -> Series {
        let point = |n: i32| {
            let gap = (40..50).contains(&n);
            (world.ago(i64::from(60 - n)), (!gap).then(|| wave(f64::from(n))))
        };
        Series { name: name.into(), format, points: (0..60).map(point).collect() }
    }

    fn pane(world: &World) -> ChartPane {
        let cpu = series(world, "cpu", Format::Percent, |x| 0.5 + (x / 8.0).sin() * 0.4);
        let memory = series(world, "memory", Format::Bytes, |x| x * 200_000_000.0);
        ChartPane::new(Chart { series: vec![cpu, memory] })
    }

    #[test]
    fn each_series_has_its_own_scale_and_gaps_stay_empty() {
        let world = World::lab();
        let screen = Screen::of(&mut pane(&world), 60, 14, &world);
        assert_snapshot!(screen.text());
        assert_eq!(screen.style_of("11G").fg, world.theme.style(Role::Chart(2)).fg);
    }

    #[test]
    fn ascii_is_enough_and_nothing_is_nothing() {
        let mut world = World::lab();
        world.ascii = true;
        let text = Screen::of(&mut pane(&world), 60, 8, &world).text();
        assert!(text.is_ascii(), "{text}");
        let mut empty = ChartPane::default();
        empty.set(Chart {
            series: vec![Series { name: "cpu".into(), format: Format::Percent, points: vec![] }],
        });
        assert!(Screen::of(&mut empty, 40, 6, &world).text().contains("no values"));
    }

    proptest! {
        #[test]
        fn any_values_and_any_size_can_be_drawn(
            width in 1_u16..40, height in 1_u16..12, values in proptest::collection::vec(proptest::num::f64::ANY, 0..20),
        ) {
            let world = World::lab();
            let points = values.iter().enumerate().map(|(n, y)| (world.ago(i64::try_from(n).unwrap()), Some(*y)));
            let mut pane = ChartPane::default();
            let series = Series { name: "x".into(), format: Format::Plain, points: points.collect() };
            pane.set(Chart { series: vec![series.clone(), series] });
            Screen::of(&mut pane, width, height, &world);
        }
    }
}

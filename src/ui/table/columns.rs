//! Which columns fit and how wide they are.
//!
//! Widths come from a sample of the rows and only ever grow while a table is open, so that nothing moves while one
//! reads; columns are dropped by priority where the screen is narrow.

use std::borrow::Cow;
use std::sync::Arc;

use crate::model::kind::{Column, Format, KindSpec, Text, Width};
use crate::model::row::{Domain, Row};
use crate::ui::format::Writer;
use crate::ui::text::width;

/// Cells between two columns.
const GAP: u16 = 2;
/// A name of up to so many cells is kept whole at the cost of other columns.
const NAME: u16 = 28;
/// A word of up to so many cells is kept whole; a longer one is cut where a column that matters would have no room.
const WORD: u16 = 10;
/// Columns up to this priority matter: others are cut for them.
const MATTERS: u8 = 1;
/// How many rows are measured.
const SAMPLE: usize = 200;

/// Where a column's content comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A cell of the row.
    Cell(usize),
    /// The row's name, where the kind has no column for it.
    Name,
    /// The instance, where there are several.
    Instance,
    /// The failure domain.
    Domain,
}

/// A column that can be shown.
#[derive(Debug, Clone)]
pub struct Choice {
    /// Its content.
    pub source: Source,
    /// Its heading.
    pub title: Text,
    /// How its values are written.
    pub format: Format,
    /// Whether values stand at the right edge.
    pub right: bool,
    width: Width,
    priority: u8,
    wide: bool,
    natural: u16,
}

/// A column on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Which of the choices.
    pub choice: usize,
    /// How far from the left edge.
    pub x: u16,
    /// How wide.
    pub width: u16,
}

/// The columns of a table and what is known of their widths.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    choices: Vec<Choice>,
    instances: bool,
    domains: bool,
}

impl Choice {
    fn of(index: usize, column: &Column) -> Self {
        Self {
            source: Source::Cell(index),
            title: column.title.clone(),
            format: column.format,
            right: column.right_aligned(),
            width: column.width,
            priority: column.priority,
            wide: column.wide,
            natural: 0,
        }
    }

    fn own(source: Source, title: &'static str, width: Width, priority: u8) -> Self {
        let format = Format::Plain;
        let title = Cow::Borrowed(title);
        Self { source, title, format, right: false, width, priority, wide: false, natural: 0 }
    }

    /// What a row has to say in this column.
    pub fn text<'r>(&self, row: &'r Row, writer: &Writer<'_>) -> Cow<'r, str> {
        match self.source {
            Source::Cell(index) => writer.cell(row.cell(index), self.format),
            Source::Name => Cow::Borrowed(&row.name),
            Source::Instance => Cow::Borrowed(&row.id.instance),
            Source::Domain => Cow::Borrowed(domain_word(row.domain)),
        }
    }

    /// What it needs where nothing of it shall be cut but what may always be.
    fn uncut(&self) -> u16 {
        let (least, most) = self.wants();
        if matches!(self.width, Width::Flex(_)) { least } else { most }
    }

    /// The least it needs, and what it would like.
    fn wants(&self) -> (u16, u16) {
        let title = cells(&self.title);
        match self.width {
            Width::Fixed(cells) => (cells, cells),
            Width::Fit(least, most) => {
                let cells = self.natural.max(title).clamp(least.min(most), most);
                let may_be_cut = self.format == Format::Plain && self.priority > 0 && !self.right;
                (if may_be_cut { cells.min(WORD.max(least)) } else { cells }, cells)
            }
            Width::Flex(least) => {
                // Columns that matter less go before a name is cut.
                let whole = if self.priority == 0 { self.natural.min(NAME) } else { 0 };
                (least.max(title).max(whole), self.natural.max(title).max(least))
            }
        }
    }
}

/// The word for a domain.
pub fn domain_word(domain: Domain) -> &'static str {
    match domain {
        Domain::Home => "home",
        Domain::Cloud => "cloud",
        Domain::Edge => "edge",
        Domain::Unknown => "",
    }
}

impl Columns {
    /// The columns of a kind; `instances` and `domains` say whether rows come from several.
    pub fn new(kind: &KindSpec, instances: bool, domains: bool) -> Self {
        let mut choices: Vec<Choice> =
            kind.columns.iter().enumerate().map(|(i, c)| Choice::of(i, c)).collect();
        if kind.column("name").is_none() {
            let after_state = usize::from(kind.columns.first().is_some_and(|c| c.format == Format::State));
            choices.insert(after_state, Choice::own(Source::Name, "name", Width::Flex(12), 0));
        }
        let name = choices.iter().position(|choice| choice.is_name(kind)).unwrap_or(0);
        if domains {
            choices.insert(name + 1, Choice::own(Source::Domain, "domain", Width::Fit(4, 6), 8));
        }
        if instances && kind.column("instance").is_none() {
            choices.insert(name + 1, Choice::own(Source::Instance, "instance", Width::Fit(4, 14), 1));
        }
        Self { choices, instances, domains }
    }

    /// Whether they were made for the same question.
    pub fn fits(&self, instances: bool, domains: bool) -> bool {
        !self.choices.is_empty() && self.instances == instances && self.domains == domains
    }

    /// The columns that can be shown.
    pub fn choices(&self) -> &[Choice] {
        &self.choices
    }

    /// Widens the columns to what a sample of the rows needs.
    pub fn measure(&mut self, rows: &[Arc<Row>], writer: &Writer<'_>) {
        let step = (rows.len() / SAMPLE).max(1);
        for choice in &mut self.choices {
            let widest = rows.iter().step_by(step).map(|row| cells(&choice.text(row, writer))).max();
            let ages = matches!(choice.format, Format::Age | Format::Until);
            choice.natural = choice.natural.max(widest.unwrap_or(0)).max(if ages { 4 } else { 0 });
        }
    }

    /// Places the columns into so many cells: what matters most first, and of the rest whatever still fits without
    /// cutting those. Wide columns only get what the others leave.
    pub fn place(&self, room: u16, wide: bool) -> Vec<Shown> {
        let mut asked: Vec<usize> =
            (0..self.choices.len()).filter(|i| wide || !self.choices[*i].wide).collect();
        asked.sort_by_key(|i| (self.choices[*i].wide, self.choices[*i].priority, *i));
        let room_with_gap = u32::from(room) + u32::from(GAP);
        let (mut cut, mut whole) = (0, 0);
        let mut kept = Vec::with_capacity(asked.len());
        for i in asked {
            let choice = &self.choices[i];
            let (least, most) = (u32::from(choice.wants().0 + GAP), u32::from(choice.uncut() + GAP));
            let matters = choice.priority <= MATTERS && !choice.wide;
            let fits = if matters { cut + least } else { whole + most } <= room_with_gap;
            // What a row is and how it is stands there however narrow it is.
            if fits || choice.priority == 0 && !choice.wide || kept.is_empty() {
                (cut, whole) = (cut + least, whole + most);
                kept.push(i);
            }
        }
        kept.sort_unstable();
        self.spread(&kept, room)
    }

    /// Gives what is left first to what was cut, then to the flexible columns: what they need, then all of it to the last.
    fn spread(&self, kept: &[usize], room: u16) -> Vec<Shown> {
        let gaps = GAP * u16::try_from(kept.len().saturating_sub(1)).unwrap_or(u16::MAX);
        let mut widths: Vec<u16> = kept.iter().map(|i| self.choices[*i].wants().0).collect();
        let mut spare = room.saturating_sub(gaps).saturating_sub(widths.iter().sum());
        let (flexible, firm): (Vec<usize>, Vec<usize>) =
            (0..kept.len()).partition(|at| matches!(self.choices[kept[*at]].width, Width::Flex(_)));
        for at in firm.iter().chain(&flexible) {
            let more = self.choices[kept[*at]].wants().1.saturating_sub(widths[*at]).min(spare);
            widths[*at] += more;
            spare -= more;
        }
        if let Some(at) = flexible.last() {
            widths[*at] += spare;
        }
        let mut x = 0;
        let place = |(choice, width): (&usize, u16)| {
            let shown = Shown { choice: *choice, x, width: width.min(room.saturating_sub(x)) };
            x = x.saturating_add(width).saturating_add(GAP);
            shown
        };
        kept.iter().zip(widths).map(place).filter(|shown| shown.width > 0).collect()
    }
}

impl Choice {
    /// Whether it shows the name by which people know the row.
    pub fn is_name(&self, kind: &KindSpec) -> bool {
        match self.source {
            Source::Name => true,
            Source::Cell(index) => kind.column("name") == Some(index),
            Source::Instance | Source::Domain => false,
        }
    }
}

fn cells(text: &str) -> u16 {
    u16::try_from(width(text)).unwrap_or(u16::MAX).min(512)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(title: &'static str, width: Width, priority: u8, natural: u16) -> Choice {
        Choice { natural, ..Choice::own(Source::Cell(0), title, width, priority) }
    }

    #[test]
    fn what_matters_is_cut_before_it_goes_and_the_rest_only_gets_what_is_left() {
        let wide = Choice { wide: true, ..column("labels", Width::Fit(4, 20), 0, 8) };
        let choices = vec![
            column("state", Width::Fit(9, 19), 0, 18),
            column("name", Width::Flex(18), 0, 26),
            column("namespace", Width::Fit(6, 18), 1, 16),
            column("node", Width::Fit(6, 20), 3, 12),
            column("ready", Width::Fit(5, 6), 2, 5),
            wide,
            column("age", Width::Fit(3, 4), 1, 4),
        ];
        let columns = Columns { choices, ..Columns::default() };
        let shown = |room: u16, wide: bool| -> Vec<(&str, u16)> {
            let shown = columns.place(room, wide);
            shown.iter().map(|shown| (&*columns.choices[shown.choice].title, shown.width)).collect()
        };
        let firm = [("state", 18), ("name", 27), ("namespace", 16)];
        assert_eq!(shown(78, false), [&firm[..], &[("ready", 5), ("age", 4)]].concat());
        assert_eq!(shown(78, true), shown(78, false), "a wide column costs no other");
        assert_eq!(shown(66, false), [("state", 18), ("name", 26), ("namespace", 12), ("age", 4)]);
        assert_eq!(shown(40, false), [("state", 18), ("name", 20)]);
        assert_eq!(shown(120, true).len(), 7);
    }
}

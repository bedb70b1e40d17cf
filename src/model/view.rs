//! The data of the seven shapes: what a backend hands over when one thing is opened.

use std::sync::Arc;

use jiff::Timestamp;

use super::id::EntityId;
use super::kind::{Format, Text};
use super::row::{Cell, Tone, Value};

/// The content of an opened view; a stream of them replaces (or, for logs, extends) what is shown.
#[derive(Debug, Clone, PartialEq)]
pub enum View {
    /// Headed sections.
    Doc(Doc),
    /// Indented nodes.
    Tree(Tree),
    /// Lines to append.
    Log(Vec<LogLine>),
    /// Series over time.
    Chart(Chart),
    /// Columns of cards.
    Board(Board),
    /// Two axes.
    Matrix(Matrix),
}

/// Headed sections of facts, lines and small tables.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Doc {
    /// Its sections in order.
    pub sections: Vec<Section>,
}

impl Doc {
    /// Adds a section of facts, unless there are none.
    #[must_use]
    pub fn facts(mut self, heading: impl Into<Text>, facts: Vec<Fact>) -> Self {
        if !facts.is_empty() {
            self.sections.push(Section { heading: heading.into(), body: Body::Facts(facts) });
        }
        self
    }

    /// Adds a section of lines, unless there are none.
    #[must_use]
    pub fn lines(mut self, heading: impl Into<Text>, lines: Vec<DocLine>) -> Self {
        if !lines.is_empty() {
            self.sections.push(Section { heading: heading.into(), body: Body::Lines(lines) });
        }
        self
    }

    /// Adds a section of series, unless there are none.
    #[must_use]
    pub fn series(mut self, heading: impl Into<Text>, series: Vec<Series>) -> Self {
        if !series.is_empty() {
            self.sections.push(Section { heading: heading.into(), body: Body::Series(series) });
        }
        self
    }

    /// Adds a small table, unless it has no rows.
    #[must_use]
    pub fn table(mut self, heading: impl Into<Text>, columns: Vec<Text>, rows: Vec<Vec<Cell>>) -> Self {
        if !rows.is_empty() {
            self.sections.push(Section { heading: heading.into(), body: Body::Table { columns, rows } });
        }
        self
    }
}

/// One section of a [`Doc`].
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// Its heading; may be empty.
    pub heading: Text,
    /// What it holds.
    pub body: Body,
}

/// The body of a section.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Labelled values.
    Facts(Vec<Fact>),
    /// Lines of text.
    Lines(Vec<DocLine>),
    /// Series over time, each drawn in one line.
    Series(Vec<Series>),
    /// A small table.
    Table {
        /// The headings.
        columns: Vec<Text>,
        /// Rows of cells.
        rows: Vec<Vec<Cell>>,
    },
}

/// A labelled value.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// The label.
    pub label: Text,
    /// The value.
    pub value: Value,
    /// How it is written.
    pub format: Format,
    /// The role in which it is drawn.
    pub tone: Tone,
}

impl Fact {
    /// A plain fact.
    pub fn new(label: impl Into<Text>, value: impl Into<Value>) -> Self {
        Self { label: label.into(), value: value.into(), format: Format::Plain, tone: Tone::Text }
    }

    /// Sets how it is written.
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Sets its role.
    #[must_use]
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }
}

/// A line of text in a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocLine {
    /// The text.
    pub text: String,
    /// The role.
    pub tone: Tone,
}

impl DocLine {
    /// A line in the ordinary role.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Text }
    }

    /// A line in a role of its own.
    pub fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }
}

/// Indented nodes in drawing order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tree {
    /// The nodes, parents before their children.
    pub nodes: Vec<Node>,
}

/// One node of a [`Tree`].
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// How deep it stands; 0 is a root.
    pub depth: u16,
    /// Its label.
    pub label: String,
    /// Its state word.
    pub state: String,
    /// The role of the state.
    pub tone: Tone,
    /// What else there is to say.
    pub note: String,
    /// The row it stands for, where there is one.
    pub id: Option<EntityId>,
}

/// One line of a log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLine {
    /// When, where the source tells.
    pub at: Option<Timestamp>,
    /// Where from, where several sources are merged.
    pub source: Option<Arc<str>>,
    /// The text, not yet cleaned.
    pub text: Arc<str>,
    /// The role in which it is drawn.
    pub tone: Tone,
}

/// Series over time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Chart {
    /// The series.
    pub series: Vec<Series>,
}

/// One series; gaps are `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name.
    pub name: Text,
    /// How its values are written.
    pub format: Format,
    /// Its points in time order.
    pub points: Vec<(Timestamp, Option<f64>)>,
}

/// Columns of cards.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Board {
    /// The lanes from left to right.
    pub lanes: Vec<Lane>,
    /// The lane that is looked at first.
    pub start: usize,
}

/// One column of a [`Board`].
#[derive(Debug, Clone, PartialEq)]
pub struct Lane {
    /// The heading.
    pub title: String,
    /// What stands at the heading's other end: how many there are.
    pub count: String,
    /// The heading's role.
    pub tone: Tone,
    /// Its cards from top to bottom.
    pub cards: Vec<Card>,
}

/// One card.
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    /// The first line.
    pub title: String,
    /// The second line.
    pub note: String,
    /// The role.
    pub tone: Tone,
    /// The row it stands for, where there is one.
    pub id: Option<EntityId>,
}

/// Two axes and a cell for each pair.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matrix {
    /// The headings of the columns.
    pub columns: Vec<String>,
    /// The rows: a heading and its cells.
    pub rows: Vec<(String, Vec<Cell>)>,
}

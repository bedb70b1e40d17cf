//! What a backend says of a kind of thing, so that one generic browser can show them all.

use std::borrow::Cow;
use std::sync::Arc;

use super::id::KindId;

/// Static text, or text learnt at run time (custom resources).
pub type Text = Cow<'static, str>;

/// The backends that are vigie itself: what is said at its desk, and what it concludes.
const OWN: [&str; 2] = ["home", "vigie"];

/// Whether a backend is vigie itself and no server.
pub fn is_own(backend: &str) -> bool {
    OWN.contains(&backend)
}

/// How a cell's value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// As it is.
    #[default]
    Plain,
    /// A state word, drawn with its glyph.
    State,
    /// A number, or how many of how many (`4/6`), right-aligned.
    Count,
    /// An instant as its age, right-aligned.
    Age,
    /// An instant as the time that remains.
    Until,
    /// An instant as a local clock time.
    Clock,
    /// Bytes in binary units (`3.1G`).
    Bytes,
    /// A rate of bytes per second (`1.2M`).
    Rate,
    /// A fraction 0..1 as a percentage.
    Percent,
    /// Seconds as a duration.
    Seconds,
    /// `yes`, or nothing.
    Flag,
}

/// How wide a column wants to be, in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// Always so many.
    Fixed(u16),
    /// As its content needs, between two bounds.
    Fit(u16, u16),
    /// What is left, shared by weight, at least so many.
    Flex(u16),
}

/// One column of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The key in JSON and in filters (`mem`, `namespace`).
    pub name: Text,
    /// The heading.
    pub title: Text,
    /// How wide.
    pub width: Width,
    /// How its values are written.
    pub format: Format,
    /// 0 stays to the last; the highest number is dropped first where there is no room.
    pub priority: u8,
    /// Shown only with wide columns on.
    pub wide: bool,
    /// Whether its nearest instant stands in the header of every pane.
    pub counts_down: bool,
    /// One sentence for help: meaning and unit.
    pub doc: Text,
}

impl Column {
    /// A plain column of priority 1.
    pub fn new(name: &'static str, title: &'static str, width: Width, doc: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            title: Cow::Borrowed(title),
            width,
            format: Format::Plain,
            priority: 1,
            wide: false,
            counts_down: false,
            doc: Cow::Borrowed(doc),
        }
    }

    /// Sets how values are written.
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Sets when it is dropped on a narrow screen.
    #[must_use]
    pub fn priority(mut self, priority: u8) -> Self {
        self.priority = priority;
        self
    }

    /// Shown only with wide columns on.
    #[must_use]
    pub fn wide(mut self) -> Self {
        self.wide = true;
        self
    }

    /// Puts its nearest instant into the header of every pane: something ends then, and nobody else says so.
    #[must_use]
    pub fn counts_down(mut self) -> Self {
        self.counts_down = true;
        self
    }

    /// True where values stand at the right edge.
    pub fn right_aligned(&self) -> bool {
        !matches!(self.format, Format::Plain | Format::State | Format::Flag)
    }
}

/// One of the seven shapes that the screen can draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Shape {
    /// Rows and columns.
    Table,
    /// Columns of cards.
    Board,
    /// Two axes and a cell for each pair.
    Matrix,
    /// Indented nodes.
    Tree,
    /// Headed sections of text, facts and tables.
    Doc,
    /// Lines that keep coming.
    Log,
    /// Series over time.
    Chart,
}

/// A view that can be opened on one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewSpec {
    /// Its name (`describe`, `log`, `tree`, `yaml`).
    pub name: Text,
    /// The heading.
    pub title: Text,
    /// The shape it has.
    pub shape: Shape,
}

/// Enter on a row of this kind leads to rows of another kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drill {
    /// The kind that is opened.
    pub kind: KindId,
    /// The column of that kind that must equal this row's name (`namespace`, `cluster`, `node`).
    pub column: Text,
}

/// A kind: its name, columns, order, views and drill-downs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindSpec {
    /// Its full name.
    pub id: KindId,
    /// Singular for messages (`guest`).
    pub singular: Text,
    /// Other names it answers to (`vm`, `po`).
    pub aliases: Vec<Text>,
    /// One sentence for help.
    pub doc: Text,
    /// Its columns in order; the row's cells follow them.
    pub columns: Vec<Column>,
    /// The column it is sorted by at first, and whether downwards.
    pub sort: (usize, bool),
    /// What can be opened on a row besides its description.
    pub views: Vec<ViewSpec>,
    /// Where Enter leads instead of the description.
    pub drill: Option<Drill>,
    /// Its pane's digit, where it opens one of the panes `1`–`9`.
    pub pane: Option<char>,
}

impl KindSpec {
    /// The index of a column by its name.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

/// All kinds of a process, looked up by name or alias.
#[derive(Debug, Clone, Default)]
pub struct Kinds(Vec<Arc<KindSpec>>);

impl Kinds {
    /// Takes the kinds of all backends, in the order of the registry.
    pub fn new(specs: impl IntoIterator<Item = KindSpec>) -> Self {
        Self(specs.into_iter().map(Arc::new).collect())
    }

    /// Adds or replaces a kind that was learnt at run time.
    pub fn learn(&mut self, spec: KindSpec) {
        let spec = Arc::new(spec);
        match self.0.iter_mut().find(|known| known.id == spec.id) {
            Some(known) => *known = spec,
            None => self.0.push(spec),
        }
    }

    /// All kinds in order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<KindSpec>> {
        self.0.iter()
    }

    /// A kind by its full name.
    pub fn get(&self, id: &KindId) -> Option<&Arc<KindSpec>> {
        self.0.iter().find(|spec| spec.id == *id)
    }

    /// The kinds that a word may mean: a full name alone, else every short name or alias that equals it.
    pub fn named(&self, word: &str) -> Vec<&Arc<KindSpec>> {
        if let Some(exact) = self.0.iter().find(|spec| spec.id.as_str() == word) {
            return vec![exact];
        }
        let answers =
            |spec: &&Arc<KindSpec>| spec.id.name() == word || spec.aliases.iter().any(|alias| alias == word);
        self.0.iter().filter(answers).collect()
    }
}

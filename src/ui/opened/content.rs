//! The six shapes that a view can have, behind one face.

use crate::model::view::View;
use crate::ui::board::BoardPane;
use crate::ui::chart::ChartPane;
use crate::ui::component::Component;
use crate::ui::doc::DocPane;
use crate::ui::log::LogPane;
use crate::ui::matrix::MatrixPane;
use crate::ui::tree::TreePane;

/// Content in the pane of its shape.
#[derive(Debug)]
pub(super) enum Content {
    Doc(DocPane),
    Tree(TreePane),
    Log(LogPane),
    Chart(ChartPane),
    Board(BoardPane),
    Matrix(MatrixPane),
}

impl Content {
    /// The pane of a view's shape, with the view in it.
    pub fn of(view: View) -> Self {
        match view {
            View::Doc(doc) => Self::Doc(DocPane::new(doc)),
            View::Tree(tree) => Self::Tree(TreePane::new(tree)),
            View::Log(lines) => {
                let mut pane = LogPane::default();
                pane.append(lines);
                Self::Log(pane)
            }
            View::Chart(chart) => Self::Chart(ChartPane::new(chart)),
            View::Board(board) => Self::Board(BoardPane::new(board)),
            View::Matrix(matrix) => Self::Matrix(MatrixPane::new(matrix)),
        }
    }

    /// Takes a view in; the place in it stays where it has the shape of the one before.
    pub fn take(&mut self, view: View) {
        match (self, view) {
            (Self::Doc(pane), View::Doc(doc)) => pane.set(doc),
            (Self::Tree(pane), View::Tree(tree)) => pane.set(tree),
            (Self::Log(pane), View::Log(lines)) => pane.append(lines),
            (Self::Chart(pane), View::Chart(chart)) => pane.set(chart),
            (Self::Board(pane), View::Board(board)) => pane.set(board),
            (Self::Matrix(pane), View::Matrix(matrix)) => pane.set(matrix),
            (content, view) => *content = Self::of(view),
        }
    }

    /// The pane.
    pub fn component(&self) -> &dyn Component {
        match self {
            Self::Doc(pane) => pane,
            Self::Tree(pane) => pane,
            Self::Log(pane) => pane,
            Self::Chart(pane) => pane,
            Self::Board(pane) => pane,
            Self::Matrix(pane) => pane,
        }
    }

    /// The pane, to act and to draw.
    pub fn component_mut(&mut self) -> &mut dyn Component {
        match self {
            Self::Doc(pane) => pane,
            Self::Tree(pane) => pane,
            Self::Log(pane) => pane,
            Self::Chart(pane) => pane,
            Self::Board(pane) => pane,
            Self::Matrix(pane) => pane,
        }
    }
}

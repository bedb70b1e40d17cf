//! How things are written: the command line uses the same words, and the same door for remote text, as the screen.

pub use crate::ui::format::Writer;
pub use crate::ui::text::{clean, width};

//! Components: what is drawn, each with its own state, in a file of its own.

pub mod component;
pub mod doc;
pub mod format;
pub mod input;
pub mod layout;
pub mod lines;
pub mod table;
#[cfg(test)]
mod testing;
pub mod text;

//! Components: what is drawn, each with its own state, in a file of its own.

pub mod board;
pub mod browser;
pub mod chart;
pub mod chrome;
pub mod component;
pub mod confirm;
pub mod detail;
pub mod doc;
pub mod find;
pub mod form;
pub mod format;
pub mod help;
pub mod home;
pub mod input;
pub mod jobs;
pub mod layout;
pub mod lines;
pub mod log;
pub mod matrix;
pub mod messages;
pub mod opened;
pub mod overview;
pub mod palette;
pub mod pick;
pub mod picker;
pub mod reveal;
pub mod summary;
pub mod table;
#[cfg(test)]
mod testing;
pub mod text;
pub mod toast;
pub mod tree;
pub mod welcome;
pub mod which_key;

//! Components: what is drawn, each with its own state, in a file of its own.

pub mod component;
pub mod format;
pub mod input;
pub mod table;
pub mod text;

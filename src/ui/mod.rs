//! Components: what is drawn, each with its own state, in a file of its own.

pub mod component;

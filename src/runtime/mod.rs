//! The console's shell: everything that touches the terminal, so that nothing else has to.
//!
//! Each file is one piece that the main loop is built from; none of them knows the application. [`console::Console`]
//! holds what owns the terminal, [`screen::Screen`] draws on it through [`terminal::Output`].

pub mod child;
pub mod clipboard;
pub mod console;
pub mod input;
pub mod run;
pub mod screen;
pub mod signals;
pub mod terminal;
pub mod thrift;
mod tty;

//! The console's shell: everything that touches the terminal, so that nothing else has to.
//!
//! Each file is one piece that the main loop is built from; none of them knows the application.

pub mod screen;

//! Input: a plain thread that waits for the terminal, and a decoder of what it sends.
//!
//! crossterm's reader is not used: it spins when the terminal is gone, reads on while an editor has the
//! terminal, takes an escape sequence that arrives in two pieces for the Escape key and two letters, and may start
//! `tput` at a resize. A thread in poll(2) costs nothing while nothing happens, can be paused, and sees the hang-up.

mod decode;
mod key;
mod reader;

pub use reader::Reader;

use crate::config::key::Key;

/// Something the terminal sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A key was pressed; releases are never reported.
    Key {
        /// Which.
        key: Key,
        /// Whether the terminal says that it is held down; only few do.
        repeat: bool,
    },
    /// Text was pasted, at most 1 MiB of it; lines end with `\n`.
    Paste(String),
    /// The terminal window got or lost the focus.
    Focus(bool),
    /// The mouse wheel was turned, one notch.
    Scroll {
        /// Away from the operator.
        up: bool,
        /// Column under the pointer, from zero.
        column: u16,
        /// Row under the pointer, from zero.
        row: u16,
    },
    /// The terminal is gone; 300 ms are left to leave.
    Hangup,
}

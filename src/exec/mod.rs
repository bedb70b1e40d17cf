//! Carries effects out, for the console and the command line alike; no terminal, and it decides nothing.

pub mod clock;
pub mod inbox;
pub mod schedule;
mod slot;

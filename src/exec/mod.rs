//! Carries effects out, for the console and the command line alike; no terminal, and it decides nothing.

pub mod call;
pub mod clock;
pub mod connect;
mod effects;
pub mod executor;
#[cfg(test)]
mod fake;
mod feed;
pub mod inbox;
pub mod journal;
pub mod locks;
pub mod operate;
pub mod place;
pub mod schedule;
mod slot;
mod views;

pub use effects::new_run;

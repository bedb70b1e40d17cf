//! Diagnosis: what to look at first for an alert or a kind of thing, out of a table that the operator can extend.
//!
//! The table asks for facts that are already known, for logs, for a runbook, and for what may be done; nothing in it
//! is decided by code.

mod looks;
mod page;
mod pick;
#[cfg(test)]
mod tests;

pub use looks::{Look, Looks, Runbooks, shipped};
pub use page::{LogPart, looks_for, page};
pub use pick::{is_alert, logs, operable};

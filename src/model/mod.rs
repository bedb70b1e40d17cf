//! The vocabulary of vigie and the pure rules over it.
//!
//! Everything above this module speaks in these types, so that a backend can describe its world
//! without knowing the screen, and the screen can draw it without knowing the backend.

pub mod action;
pub mod argument;
pub mod id;
pub mod journal;
pub mod kind;
pub mod ledger;
pub mod notice;
pub mod op;
pub mod query;
pub mod remembered;
pub mod row;
pub mod run;
pub mod snapshot;
pub mod store;
pub mod time;
pub mod view;

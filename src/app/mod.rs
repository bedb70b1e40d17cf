//! The pure machine: what happened goes in, what to do comes out; no IO and no clock.

pub mod command;
pub mod desk;
pub mod draft;
pub mod effect;
pub mod gate;
pub mod msg;
pub mod route;

//! What integration tests share.
#![allow(dead_code, reason = "every test file uses its part")]

pub mod lab;
pub mod pty;

//! What integration tests share.

pub mod pty;

//! What no single server knows: pure functions over the store; changed ids in, changed facts out.

pub mod checklist;
pub mod diagnose;
pub mod digest;
pub mod guard;
pub mod handover;
pub mod home;
pub mod kinds;
pub mod link;
pub mod lookout;
pub mod minded;
pub mod presence;
pub mod problem;
pub mod recovery;
pub mod timeline;
pub mod trust;

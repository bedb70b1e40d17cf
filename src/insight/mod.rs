//! What no single server knows: pure functions over the store.

pub mod guard;
pub mod home;
pub mod link;
pub mod trust;

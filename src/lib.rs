//! vigie: one terminal console for a whole platform.
pub mod config;

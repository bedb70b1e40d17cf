//! Configuration: raw TOML in, validated settings out, and every way to be wrong explained.

pub mod key;

//! vigie: one terminal console for a whole platform.
//!
//! The folders, from the bottom up, and who may import whom (`tests/import_law.rs` enforces it):
//!
//! | folder | holds | may see |
//! |---|---|---|
//! | `model` | vocabulary and pure rules | std, jiff, serde |
//! | `config` | TOML to validated settings, themes, keymaps | `model` |
//! | `insight` | what no single server knows | `config`, `model` |
//! | `ui` | components: state, actions, drawing | `insight`, `config`, `model` |
//! | `app` | the pure machine: `update(Msg) -> Vec<Effect>` | `ui` and below |
//! | `backend` | one folder per system: client, rows, operations, simulator | `config`, `model` |
//! | `exec` | carries effects out; no terminal | `app`, `insight`, `backend` |
//! | `runtime` | the terminal and the loop | `exec` and below |
//! | `headless` | `get`, `do`, `doctor`, without a screen | `demo`, `exec` and below |
//! | `demo` | the embedded lab | `backend`, `config`, `model` |

pub mod app;
pub mod backend;
pub mod cli;
pub mod config;
#[cfg(feature = "demo")]
pub mod demo;
pub mod exec;
pub mod headless;
pub mod insight;
pub mod log;
pub mod model;
pub mod runtime;
pub mod ui;

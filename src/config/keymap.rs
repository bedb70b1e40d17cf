//! Keymaps: context to trie to action; help and hints are printed from what the router uses.

use crate::model::action::{Action, Context};

use super::key::Key;

/// What a sequence of keys means in a stack of contexts.
#[derive(Debug, Clone, PartialEq)]
pub enum Match {
    /// The sequence is complete.
    Action(Action),
    /// More keys are needed: each that may follow, with what it leads to.
    Pending(Vec<(Key, String)>),
    /// Nothing.
    None,
}

/// A loaded keymap.
#[derive(Debug, Clone, Default)]
pub struct Keymap {}

impl Keymap {
    /// Looks a sequence up in the contexts, the first that knows it wins.
    pub fn lookup(&self, _contexts: &[Context], _keys: &[Key]) -> Match {
        Match::None
    }

    /// All bindings of a context in the order of help.
    pub fn bindings(&self, _context: Context) -> Vec<(Vec<Key>, Action)> {
        Vec::new()
    }

    /// The shortest keys that lead to an action in a context, or globally.
    pub fn keys_for(&self, _context: Context, _action: &Action) -> Option<Vec<Key>> {
        None
    }
}

//! From keys to actions: the focused layer's context first, then the global one; text where nothing is bound.

use crate::config::key::{Key, KeyCode};
use crate::config::keymap::{Keymap, Match};
use crate::model::action::{Action, Context};

/// Remembers the keys of a sequence that has begun.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Router {
    pending: Vec<Key>,
    choices: Vec<(Key, String)>,
}

/// What a key came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Routed {
    /// An action.
    Action(Action),
    /// The sequence goes on; [`Router::choices`] tells how.
    Pending,
    /// Nothing is bound to it.
    Nothing,
}

impl Router {
    /// Takes a key in a context; `text` is true where unbound characters are typed.
    pub fn key(&mut self, key: Key, context: Context, text: bool, keymap: &Keymap) -> Routed {
        self.pending.push(key);
        let alone = [context];
        let both = [context, Context::Global];
        let contexts: &[Context] = if text || context == Context::Confirm { &alone } else { &both };
        match keymap.lookup(contexts, &self.pending) {
            Match::Action(action) => {
                self.reset();
                Routed::Action(action)
            }
            Match::Pending(choices) => {
                self.choices = choices;
                Routed::Pending
            }
            Match::None => {
                let first = self.pending.len() == 1;
                self.reset();
                typed(key).filter(|_| first && text).map_or(Routed::Nothing, Routed::Action)
            }
        }
    }

    /// The keys typed so far and what can follow them; both empty where no sequence has begun.
    pub fn choices(&self) -> (&[Key], &[(Key, String)]) {
        (&self.pending, &self.choices)
    }

    /// Forgets a sequence that has begun.
    pub fn reset(&mut self) {
        self.pending.clear();
        self.choices.clear();
    }
}

fn typed(key: Key) -> Option<Action> {
    match key {
        Key { code: KeyCode::Char(c), ctrl: false, alt: false, .. } => Some(Action::Insert(c)),
        _ => None,
    }
}

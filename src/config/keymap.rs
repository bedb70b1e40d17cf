//! Keymaps: which keys mean what in which context; help and hints are printed from what the router uses.
//!
//! A file names actions and lists their keys, the preferred one first. A file that inherits takes over the keys of each
//! action it names, and each key it binds away from whatever had it.

mod file;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::env::Env;
use super::key::Key;
use super::layered::Family;
use super::report::Report;
use crate::model::action::{Action, Context};

const FAMILY: Family = Family {
    kind: "keymap",
    folder: "keymaps",
    shipped: &[
        ("default", include_str!("../../keymaps/default.toml")),
        ("vim", include_str!("../../keymaps/vim.toml")),
        ("arrows", include_str!("../../keymaps/arrows.toml")),
    ],
};

/// Contexts in which the global keys do not apply: text is typed there, or an answer is given.
const CLOSED: [Context; 4] = [Context::Form, Context::Confirm, Context::Palette, Context::Filter];

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
#[derive(Debug, Clone, PartialEq)]
pub struct Keymap {
    /// No sequence of a context is the beginning of another one of it.
    contexts: BTreeMap<Context, Vec<(Vec<Key>, Action)>>,
}

impl Default for Keymap {
    /// The shipped default.
    fn default() -> Self {
        Self::of(FAMILY.root(), None).unwrap_or_else(|_| Self::empty())
    }
}

impl Keymap {
    /// The keymap of a name: the user's own file, or a shipped one. One that is broken or absent is replaced by the
    /// default, and the reports say why.
    pub fn load(name: &str, env: &Env) -> (Self, Vec<Report>) {
        match Self::of(name, env.config_dir().as_deref()) {
            Ok(keymap) => (keymap, Vec::new()),
            Err(mut reports) => {
                let what = format!("keymap `{name}` is not used; the default stands in for it");
                reports.insert(0, Report::warning(what, "see the following messages"));
                (Self::default(), reports)
            }
        }
    }

    /// The names of the shipped keymaps.
    pub fn shipped() -> impl Iterator<Item = &'static str> {
        FAMILY.shipped.iter().map(|(name, _)| *name)
    }

    fn of(name: &str, dir: Option<&std::path::Path>) -> Result<Self, Vec<Report>> {
        let mut keymap = Self::empty();
        for layer in FAMILY.chain(name, dir)? {
            for binding in file::read(&layer)? {
                keymap.rebind(binding);
            }
        }
        Ok(keymap)
    }

    fn empty() -> Self {
        Self { contexts: BTreeMap::new() }
    }

    /// Gives an action the keys of a file in place of those it had, and takes them from whatever had them.
    fn rebind(&mut self, binding: file::Binding) {
        let bound = self.contexts.entry(binding.context).or_default();
        bound.retain(|(_, action)| *action != binding.action);
        for keys in binding.keys {
            bound.retain(|(other, _)| !other.starts_with(&keys) && !keys.starts_with(other));
            bound.push((keys, binding.action.clone()));
        }
    }

    fn bound(&self, context: Context) -> &[(Vec<Key>, Action)] {
        self.contexts.get(&context).map_or(&[], Vec::as_slice)
    }

    /// Looks a sequence up in the contexts, the first that knows it wins.
    pub fn lookup(&self, contexts: &[Context], keys: &[Key]) -> Match {
        let mut pending: Vec<(Key, String)> = Vec::new();
        for (bound, action) in contexts.iter().flat_map(|context| self.bound(*context)) {
            let Some(rest) = bound.strip_prefix(keys) else { continue };
            match rest {
                [] if pending.is_empty() => return Match::Action(action.clone()),
                [next, ..] if pending.iter().all(|(key, _)| key != next) => {
                    let leads_to = if rest.len() == 1 { action.doc().into_owned() } else { "…".to_owned() };
                    pending.push((*next, leads_to));
                }
                _ => {}
            }
        }
        if pending.is_empty() { Match::None } else { Match::Pending(pending) }
    }

    /// All bindings of a context in the order of help.
    pub fn bindings(&self, context: Context) -> Vec<(Vec<Key>, Action)> {
        let mut bindings = self.bound(context).to_vec();
        let rank = |action: &Action| Action::SIMPLE.iter().position(|simple| simple == action);
        // Actions that carry something follow the simple ones, in the order of their files.
        bindings.sort_by_key(|(_, action)| rank(action).unwrap_or(usize::MAX));
        bindings
    }

    /// The shortest keys that lead to an action in a context, or globally; the first written among equals.
    pub fn keys_for(&self, context: Context, action: &Action) -> Option<Vec<Key>> {
        let below = Some(Context::Global).filter(|_| !CLOSED.contains(&context));
        [Some(context), below].into_iter().flatten().find_map(|context| {
            let keys = self.bound(context).iter().filter(|(_, bound)| bound == action).map(|(keys, _)| keys);
            keys.min_by_key(|keys| keys.len()).cloned()
        })
    }
}

//! People as the policy engine sees them: by their groups and everything above those.

use std::collections::{BTreeMap, BTreeSet};

use crate::backend::authentik::people::Groups;
use crate::backend::authentik::wire::{Binding, User};

/// People who are the same to the engine, and how many they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The groups it is a member of, by way of others too.
    pub groups: BTreeSet<String>,
    /// Its number, where some binding names it.
    pub pk: Option<i64>,
    /// Whether any of its groups is for administrators.
    pub admin: bool,
    /// How many they are.
    pub count: usize,
    /// One of them by name.
    pub example: String,
}

impl Person {
    /// Somebody who has an account and nothing else.
    pub fn stranger() -> Self {
        Self {
            groups: BTreeSet::new(),
            pk: None,
            admin: false,
            count: 1,
            example: "a new account".to_owned(),
        }
    }

    /// Whether a binding names this person.
    pub fn matches(&self, binding: &Binding) -> bool {
        let group = binding.group.some().is_some_and(|group| self.groups.contains(group));
        group || (binding.user.0.is_some() && binding.user.0 == self.pk)
    }
}

/// Everybody, folded into as few people as the engine can tell apart.
#[derive(Debug, Clone, Default)]
pub struct Crowd {
    /// One of each sort.
    pub people: Vec<Person>,
}

impl Crowd {
    /// Folds active people; `named` are those whom some binding names.
    pub fn new<'u>(
        users: impl IntoIterator<Item = &'u User>,
        groups: &Groups,
        named: &BTreeSet<i64>,
    ) -> Self {
        let mut sorts: BTreeMap<(Vec<String>, Option<i64>), Person> = BTreeMap::new();
        for user in users {
            let human = matches!(user.kind.as_str(), "internal" | "external");
            let (true, Some(true), Some(pk)) = (human, user.is_active.0, user.pk.0) else { continue };
            let mut direct: Vec<String> = user
                .groups
                .iter()
                .flat_map(crate::backend::lenient::Words::iter)
                .map(str::to_owned)
                .collect();
            direct.sort();
            let own = named.contains(&pk).then_some(pk);
            let person = sorts.entry((direct, own)).or_insert_with_key(|(direct, own)| Person {
                groups: direct.iter().flat_map(|pk| groups.with_ancestors(pk)).collect(),
                pk: *own,
                admin: direct.iter().any(|pk| groups.is_admin(pk)),
                count: 0,
                example: user.username.to_string(),
            });
            person.count += 1;
        }
        Self { people: sorts.into_values().collect() }
    }

    /// How many of those for whom `keeps` holds.
    pub fn count(&self, keeps: impl Fn(&Person) -> bool) -> usize {
        self.people.iter().filter(|person| keeps(person)).map(|person| person.count).sum()
    }
}

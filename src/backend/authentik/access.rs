//! Policy bindings by what they are bound to.

use std::collections::{BTreeSet, HashMap};

use super::wire::{Application, Binding};

/// Every binding of a server, which has no filter for whom they let in.
#[derive(Debug, Clone, Default)]
pub struct Bindings {
    by_target: HashMap<String, Vec<Binding>>,
}

impl Bindings {
    /// Takes a complete list.
    pub fn new(bindings: Vec<Binding>) -> Self {
        let mut by_target: HashMap<String, Vec<Binding>> = HashMap::new();
        for binding in bindings {
            by_target.entry(binding.target.as_str().to_owned()).or_default().push(binding);
        }
        for bound in by_target.values_mut() {
            bound.sort_by(|a, b| (a.order.0, &a.pk).cmp(&(b.order.0, &b.pk)));
        }
        Self { by_target }
    }

    /// Those of an application, in their order; the target is the application's key or that of its policy part.
    pub fn of(&self, application: &Application) -> Vec<&Binding> {
        let (pk, pbm) = (application.pk.as_str(), application.pbm_uuid.as_str());
        let keys = [pk, if pbm == pk { "" } else { pbm }];
        keys.into_iter().filter_map(|key| self.by_target.get(key)).flatten().collect()
    }

    /// The first enabled binding that asks for one of these groups.
    pub fn admits(&self, application: &Application, groups: &BTreeSet<String>) -> Option<&Binding> {
        let lets_in = |binding: &&Binding| {
            let group = binding.group.some().is_some_and(|group| groups.contains(group));
            binding.is_enabled() && !binding.negate.is_true() && group
        };
        self.of(application).into_iter().find(lets_in)
    }
}

impl Binding {
    /// Whether it counts; one whose switch cannot be read does not, since it would hide an open application.
    pub fn is_enabled(&self) -> bool {
        self.enabled.is_true()
    }

    /// Whom or what it asks for, in words.
    pub fn who(&self) -> String {
        let who = if self.group.some().is_some() {
            self.group_obj.name.some().unwrap_or("a group").to_owned()
        } else if self.user.0.is_some() {
            format!("user {}", self.user_obj.username.some().unwrap_or("unknown"))
        } else {
            format!("policy {}", self.policy_obj.name.some().unwrap_or("unknown"))
        };
        if self.negate.is_true() { format!("not {who}") } else { who }
    }
}

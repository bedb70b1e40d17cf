//! Who feels a problem: the hosts that fail, the applications behind them, and the people who may open those.

use std::collections::{BTreeSet, HashSet};

use crate::model::id::EntityId;
use crate::model::row::{FacetKey, Grade};

use super::Sight;
use super::symptom::Symptom;
use crate::insight::link::Relation;

/// So many steps a need is followed downwards.
const STEPS: usize = 4;

/// Who feels it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Felt {
    /// Hosts that fail, and how many there are of that sort.
    pub hosts: Option<(usize, usize)>,
    /// Applications that people open.
    pub apps: Vec<String>,
    /// Groups of people who may open them.
    pub people: Vec<String>,
}

impl Felt {
    /// In a few words; empty where nobody is known to feel it.
    pub fn words(&self) -> String {
        let mut words = Vec::new();
        if let Some((failing, all)) = self.hosts {
            words.push(format!("{failing}/{all} gates"));
        }
        match self.apps.as_slice() {
            [] => {}
            [one] => words.push(one.clone()),
            many => words.push(format!("{} apps", many.len())),
        }
        if !self.people.is_empty() {
            words.push(self.people.iter().take(2).cloned().collect::<Vec<_>>().join(", "));
        }
        words.join(" · ")
    }
}

/// Follows everything that needs the members' things.
pub(super) fn felt(members: &[&Symptom], head: Option<&EntityId>, sight: &Sight<'_>) -> Felt {
    let mut seen: HashSet<EntityId> = HashSet::new();
    let mut front: Vec<EntityId> = head.into_iter().cloned().collect();
    front.extend(members.iter().filter_map(|symptom| symptom.row()).map(|row| row.id.clone()));
    seen.extend(front.iter().cloned());
    for _ in 0..STEPS {
        let mut next = Vec::new();
        for id in &front {
            let Some(row) = sight.index.row(id) else { continue };
            for link in sight.index.links(row, Grade::Hint) {
                let down = match link.relation {
                    Relation::Below | Relation::Subject => link.grade <= Grade::Likely,
                    // An application and its tile resemble each other by name only, and are one thing to people.
                    Relation::Same => link.grade <= Grade::Likely || link.key == FacetKey::App,
                    _ => false,
                };
                if down && seen.insert(link.row.id.clone()) {
                    next.push(link.row.id.clone());
                }
            }
        }
        front = next;
    }
    let mut felt = Felt { hosts: hosts(members, head, sight), ..Felt::default() };
    let (mut apps, mut people) = (BTreeSet::new(), BTreeSet::new());
    for id in seen.iter().filter(|id| id.kind.as_str() == "authentik.applications") {
        let Some(row) = sight.index.row(id) else { continue };
        apps.insert(row.name.to_string());
        let access = sight.kinds.get(&id.kind).and_then(|kind| kind.column("access"));
        if let Some(groups) = access.and_then(|column| row.cell(column).value.as_text()) {
            people.extend(groups.split(", ").filter(|group| *group != "?").map(str::to_owned));
        }
    }
    // Without tiles, the applications that are delivered are what is felt.
    if apps.is_empty() {
        let delivered = seen.iter().filter(|id| id.kind.as_str() == "argocd.applications");
        apps.extend(delivered.filter_map(|id| sight.index.row(id)).map(|row| row.name.to_string()));
    }
    felt.apps = apps.into_iter().collect();
    felt.people = people.into_iter().collect();
    felt
}

/// How many protected hosts fail, of how many.
fn hosts(members: &[&Symptom], head: Option<&EntityId>, sight: &Sight<'_>) -> Option<(usize, usize)> {
    let gate =
        head.filter(|id| id.kind.as_str() == "authentik.outposts").and_then(|id| sight.index.row(id))?;
    let behind: HashSet<String> = sight
        .index
        .links(gate, Grade::Likely)
        .into_iter()
        .filter(|link| link.key == FacetKey::Gate && link.relation == Relation::Below)
        .flat_map(|link| {
            let hosts = link.row.facets.iter().filter(|facet| facet.key == FacetKey::Host);
            hosts.map(|facet| facet.value.to_string()).collect::<Vec<_>>()
        })
        .collect();
    let failing: HashSet<&str> = members
        .iter()
        .filter_map(|symptom| symptom.row())
        .flat_map(|row| row.facets.iter())
        .filter(|facet| facet.key == FacetKey::Host)
        .map(|facet| &*facet.value)
        .collect();
    let all = behind.len() + failing.iter().filter(|host| !behind.contains(**host)).count();
    (!failing.is_empty()).then_some((failing.len(), all))
}

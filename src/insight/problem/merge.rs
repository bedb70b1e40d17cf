//! Which symptoms have one cause: those of one thing, those of what stands on it, and many of one sort at once.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::SignedDuration;

use crate::model::id::EntityId;
use crate::model::row::{Domain, FacetKey, Grade, Health, Row};

use super::symptom::{Sign, Symptom};
use super::{Sight, home};
use crate::insight::link::Relation;

/// So many steps a need is followed upwards.
const STEPS: usize = 4;
/// More signs than this of one sort are one problem.
const ALONE: usize = 3;
/// What begins within this time of a gate's failure may be its doing.
const MOMENT: SignedDuration = SignedDuration::from_mins(15);
/// From so many failing hosts on a gate is suspected that says nothing itself.
const GATE: usize = 3;

/// Symptoms that belong together.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    /// Indices of symptoms.
    pub members: Vec<usize>,
    /// Which of them are needed by how many others.
    pub parents: BTreeMap<usize, usize>,
    /// The gate behind which everything fails, where it is no symptom itself.
    pub gate: Option<EntityId>,
    /// Whether this is the house as a whole.
    pub home: bool,
    /// The thing that an alert tells of, where that is no symptom itself.
    pub seat: Option<EntityId>,
}

/// A forest in which every symptom points to a representative.
struct Union(Vec<usize>);

impl Union {
    fn find(&mut self, mut at: usize) -> usize {
        while self.0[at] != at {
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        self.0[a.max(b)] = a.min(b);
    }
}

/// Everything that a symptom's thing is or needs.
struct Roots {
    /// Ids on the way up, the thing itself first.
    chain: Vec<EntityId>,
    /// The gates among them.
    gates: Vec<EntityId>,
}

/// All groups.
pub(super) fn groups(symptoms: &[Symptom], sight: &Sight<'_>) -> Vec<Group> {
    let roots: Vec<Roots> = symptoms.iter().map(|symptom| roots(symptom, sight)).collect();
    let mut union = Union((0..symptoms.len()).collect());
    let mut parents: BTreeMap<usize, HashSet<usize>> = BTreeMap::new();
    by_need(symptoms, &roots, &mut union, &mut parents);
    let mut gates = by_gate(symptoms, &roots, &mut union);
    by_moment(symptoms, &mut union, &mut gates);
    let house = home::members(symptoms, sight);
    for pair in house.windows(2) {
        union.join(pair[0], pair[1]);
    }
    by_sort(symptoms, &mut union);
    let mut groups: BTreeMap<usize, Group> = BTreeMap::new();
    for at in 0..symptoms.len() {
        let root = union.find(at);
        let group = groups.entry(root).or_default();
        group.members.push(at);
        group.home |= house.contains(&at);
        if let Some(children) = parents.get(&at) {
            group.parents.insert(at, children.len());
        }
        if let Some(gate) = gates.get(&at) {
            group.gate.get_or_insert_with(|| gate.clone());
        }
        if symptoms[at].is_alert() {
            let seat = roots[at].chain.get(1).cloned();
            group.seat = group.seat.take().or(seat);
        }
    }
    groups.into_values().collect()
}

/// What a symptom's thing is and needs, over likely links at least.
fn roots(symptom: &Symptom, sight: &Sight<'_>) -> Roots {
    let mut roots = Roots { chain: Vec::new(), gates: Vec::new() };
    let start = match &symptom.sign {
        Sign::Row(row) => row.clone(),
        Sign::Run { target, .. } => {
            roots.chain.push(target.clone());
            match sight.index.row(target) {
                Some(row) => row.clone(),
                None => return roots,
            }
        }
        Sign::Blind { .. } => return roots,
    };
    if roots.chain.is_empty() {
        roots.chain.push(start.id.clone());
    }
    let mut front = vec![start];
    for _ in 0..STEPS {
        let mut next = Vec::new();
        for row in &front {
            let mut links = sight.index.owners(row, Grade::Likely);
            if row.id.kind.backend() != "alerts" {
                links.extend(sight.index.links(row, Grade::Likely).into_iter().filter(|link| {
                    link.relation == Relation::Same
                        || link.relation == Relation::Above
                            && matches!(link.key, FacetKey::Gate | FacetKey::Workload)
                }));
            }
            links.sort_by(|a, b| rank(&a.row.id).cmp(&rank(&b.row.id)).then_with(|| a.row.id.cmp(&b.row.id)));
            for link in links {
                let up = matches!(link.relation, Relation::Above | Relation::Same | Relation::Subject);
                if up && !roots.chain.contains(&link.row.id) {
                    roots.chain.push(link.row.id.clone());
                    if link.key == FacetKey::Gate {
                        roots.gates.push(link.row.id.clone());
                    }
                    next.push(link.row);
                }
            }
        }
        front = next;
    }
    roots
}

/// What an alert is about most of all: the smallest thing that people have a word for.
fn rank(id: &EntityId) -> usize {
    const ORDER: [&str; 9] = [
        "vigie.pinned",
        "docker.containers",
        "kubernetes.pods",
        "argocd.applications",
        "authentik.applications",
        "probe.probes",
        "kubernetes.nodes",
        "omni.machines",
        "proxmox.guests",
    ];
    ORDER.iter().position(|kind| *kind == id.kind.as_str()).unwrap_or(ORDER.len())
}

/// A symptom joins every other one whose thing it needs.
fn by_need(
    symptoms: &[Symptom],
    roots: &[Roots],
    union: &mut Union,
    parents: &mut BTreeMap<usize, HashSet<usize>>,
) {
    let mut at_thing: HashMap<&EntityId, Vec<usize>> = HashMap::new();
    for (at, symptom) in symptoms.iter().enumerate() {
        let thing = match &symptom.sign {
            Sign::Row(row) => &row.id,
            Sign::Run { target, .. } => target,
            Sign::Blind { .. } => continue,
        };
        at_thing.entry(thing).or_default().push(at);
    }
    // Two alerts about one well thing belong together too.
    let mut told: HashMap<&EntityId, usize> = HashMap::new();
    for (at, roots) in roots.iter().enumerate() {
        for (step, id) in roots.chain.iter().enumerate() {
            for other in at_thing.get(id).into_iter().flatten().filter(|other| **other != at) {
                union.join(at, *other);
                if step > 0 {
                    parents.entry(*other).or_default().insert(at);
                }
            }
        }
        if symptoms[at].is_alert()
            && let Some(seat) = roots.chain.get(1)
        {
            let first = *told.entry(seat).or_insert(at);
            union.join(at, first);
        }
    }
}

/// Many hosts behind one gate fail at once: the gate is the problem, even where it says that it is well.
fn by_gate(symptoms: &[Symptom], roots: &[Roots], union: &mut Union) -> HashMap<usize, EntityId> {
    let mut behind: HashMap<&EntityId, Vec<usize>> = HashMap::new();
    for (at, roots) in roots.iter().enumerate() {
        if symptoms[at].health == Health::Critical {
            for gate in &roots.gates {
                behind.entry(gate).or_default().push(at);
            }
        }
    }
    let mut found = HashMap::new();
    for (gate, members) in behind.into_iter().filter(|(_, members)| members.len() >= GATE) {
        for pair in members.windows(2) {
            union.join(pair[0], pair[1]);
        }
        found.extend(members.into_iter().map(|at| (at, gate.clone())));
    }
    found
}

/// Hosts that fail at once while the one gate is down, even where nobody says that it stands in front of them.
fn by_moment(symptoms: &[Symptom], union: &mut Union, gates: &mut HashMap<usize, EntityId>) {
    let is_gate = |row: &&std::sync::Arc<Row>| row.id.kind.as_str() == "authentik.outposts";
    let down: Vec<(usize, &EntityId)> = symptoms
        .iter()
        .enumerate()
        .filter(|(_, symptom)| symptom.health == Health::Critical)
        .filter_map(|(at, symptom)| Some((at, &symptom.row().filter(is_gate)?.id)))
        .collect();
    let [(gate, id)] = down.as_slice() else { return };
    let since = symptoms[*gate].since;
    let meanwhile = |symptom: &Symptom| match (since, symptom.since) {
        (Some(gate), Some(host)) => host.duration_since(gate).abs() < MOMENT,
        _ => true,
    };
    let hosts: Vec<usize> = symptoms
        .iter()
        .enumerate()
        .filter(|(_, symptom)| symptom.health == Health::Critical && symptom.is_alert() && meanwhile(symptom))
        .filter(|(_, symptom)| {
            symptom.row().is_some_and(|row| row.facets.iter().any(|f| f.key == FacetKey::Host))
        })
        .map(|(at, _)| at)
        .collect();
    if hosts.len() < GATE {
        return;
    }
    for at in hosts {
        union.join(at, *gate);
        gates.insert(at, (*id).clone());
    }
}

/// Lonely signs of one sort, where there are many of them; two broken things that say the same are enough.
fn by_sort(symptoms: &[Symptom], union: &mut Union) {
    let mut size: HashMap<usize, usize> = HashMap::new();
    for at in 0..symptoms.len() {
        *size.entry(union.find(at)).or_default() += 1;
    }
    let mut sorts: HashMap<(&str, &str, Domain), Vec<usize>> = HashMap::new();
    for (at, symptom) in symptoms.iter().enumerate() {
        if size.get(&union.find(at)) != Some(&1) {
            continue;
        }
        let Some(row) = symptom.row() else { continue };
        let what = if symptom.is_alert() { &row.name } else { row.note.as_ref().unwrap_or(&row.name) };
        sorts.entry((row.id.kind.as_str(), what, symptom.domain)).or_default().push(at);
    }
    let alike = |members: &Vec<usize>| {
        let broken = |at: &usize| symptoms[*at].health == Health::Critical && !symptoms[*at].is_alert();
        members.len() > ALONE || members.len() > 1 && members.iter().all(broken)
    };
    for members in sorts.into_values().filter(alike) {
        for pair in members.windows(2) {
            union.join(pair[0], pair[1]);
        }
    }
}

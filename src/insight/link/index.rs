//! The index behind the links: who holds which facet, kept up to date by what changed and nothing else.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;

use crate::model::id::EntityId;
use crate::model::row::{ById, Domain, Facet, FacetKey, Grade, Row};

use super::alias::Aliases;
use super::bond::{Bond, Relation, bond};

/// More holders of one value than this say nothing about any of them.
const CROWD: usize = 400;

/// One end of a link: a facet as it counts for joining.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tie {
    pub key: FacetKey,
    pub value: Arc<str>,
    pub bond: Bond,
    pub grade: Grade,
    /// Where the value is unique: an address means nothing outside its network.
    scope: Scope,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Scope {
    Everywhere,
    Within(Domain),
}

/// A link to another row.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// The other row.
    pub row: Arc<Row>,
    /// What it is to this one.
    pub relation: Relation,
    /// What both name.
    pub key: FacetKey,
    /// The value that they share.
    pub value: Arc<str>,
    /// How much it proves: the weaker of both claims.
    pub grade: Grade,
}

/// Rows by their facets.
#[derive(Debug, Default)]
pub struct Index {
    slots: Vec<Option<Arc<Row>>>,
    free: Vec<u32>,
    places: HashMap<ById, u32>,
    /// Those who are the thing of a value.
    owners: HashMap<u64, Holders>,
    /// Those who stand on it, carry it or tell of it: they may be many.
    others: HashMap<u64, Holders>,
    aliases: Aliases,
}

/// Those who hold a value; nearly always one.
#[derive(Debug)]
enum Holders {
    One(u32),
    #[allow(clippy::box_collection, reason = "half the size for the many that hold one")]
    Many(Box<Vec<u32>>),
}

impl Holders {
    fn all(&self) -> &[u32] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }

    fn add(&mut self, slot: u32) {
        match self {
            Self::One(one) if *one == slot => {}
            Self::One(one) => *self = Self::Many(Box::new(vec![slot.min(*one), slot.max(*one)])),
            // In order, so that ten thousand holders of one value are a set without a second table.
            Self::Many(many) => {
                if let Err(place) = many.binary_search(&slot) {
                    many.insert(place, slot);
                }
            }
        }
    }

    /// True where nobody is left.
    fn remove(&mut self, slot: u32) -> bool {
        match self {
            Self::One(one) => *one == slot,
            Self::Many(many) => {
                if let Ok(place) = many.binary_search(&slot) {
                    many.remove(place);
                }
                many.is_empty()
            }
        }
    }
}

impl Index {
    /// An empty index with what the operator knows better.
    pub fn new(aliases: Aliases) -> Self {
        Self { aliases, ..Self::default() }
    }

    /// Takes one row's change in: `None` where it is gone. Rows without facets cost nothing.
    pub fn update(&mut self, id: &EntityId, row: Option<&Arc<Row>>) {
        if let Some(slot) = self.places.get(id).copied() {
            if let (Some(Some(old)), Some(new)) = (self.slots.get(slot as usize), row)
                && old.facets == new.facets
                && old.domain == new.domain
            {
                let new = new.clone();
                self.slots[slot as usize] = Some(new.clone());
                // A key that is equal stays, and with it the old row.
                self.places.remove(id);
                self.places.insert(new.into(), slot);
                return;
            }
            self.forget(id, slot);
        }
        if let Some(row) = row.filter(|row| !row.facets.is_empty() || !self.aliases.of(&row.id).is_empty()) {
            self.add(row);
        }
    }

    /// How many rows it knows.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// True where it knows none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    fn add(&mut self, row: &Arc<Row>) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        for tie in self.ties(row) {
            let held = self.side(&tie).entry(tie.hash());
            held.and_modify(|holders| holders.add(slot)).or_insert(Holders::One(slot));
        }
        self.slots[slot as usize] = Some(row.clone());
        self.places.insert(row.clone().into(), slot);
    }

    fn side(&mut self, tie: &Tie) -> &mut HashMap<u64, Holders> {
        if tie.bond == Bond::Is { &mut self.owners } else { &mut self.others }
    }

    /// The rows behind a value, on one side.
    fn held<'i>(&'i self, side: &'i HashMap<u64, Holders>, hash: u64) -> impl Iterator<Item = &'i Arc<Row>> {
        let slots = side.get(&hash).map_or(&[][..], Holders::all);
        slots.iter().filter_map(|slot| self.slots.get(*slot as usize)?.as_ref())
    }

    fn forget(&mut self, id: &EntityId, slot: u32) {
        self.places.remove(id);
        let Some(row) = self.slots.get_mut(slot as usize).and_then(Option::take) else { return };
        for tie in self.ties(&row) {
            let (hash, side) = (tie.hash(), self.side(&tie));
            if side.get_mut(&hash).is_some_and(|holders| holders.remove(slot)) {
                side.remove(&hash);
            }
        }
        self.free.push(slot);
    }

    /// What a row can be joined by; a node also tells its cluster.
    pub(super) fn ties(&self, row: &Row) -> Vec<Tie> {
        let mut ties = Vec::with_capacity(row.facets.len() + 1);
        for facet in &row.facets {
            let value: Arc<str> = match self.aliases.plain(facet.key, &facet.value) {
                std::borrow::Cow::Borrowed(_) => facet.value.clone(),
                std::borrow::Cow::Owned(plain) => plain.into(),
            };
            if facet.key == FacetKey::Ip && is_everywhere(&value) {
                continue;
            }
            let bond = bond(&row.id.kind, facet.key);
            if facet.key == FacetKey::Node
                && bond == Bond::Is
                && let Some((cluster, _)) = value.split_once('/')
            {
                let key = FacetKey::Cluster;
                ties.push(Tie {
                    key,
                    value: cluster.into(),
                    bond: Bond::Carries,
                    grade: facet.grade,
                    scope: Scope::Everywhere,
                });
            }
            let scope = if facet.key == FacetKey::Ip { Scope::Within(row.domain) } else { Scope::Everywhere };
            ties.push(Tie { key: facet.key, value, bond, grade: facet.grade, scope });
        }
        ties
    }

    /// Every link of a row that proves at least so much.
    pub fn links(&self, row: &Row, worst: Grade) -> Vec<Link> {
        let mut links = Vec::new();
        for tie in self.ties(row).iter().filter(|tie| tie.grade <= worst) {
            links.extend(self.along(row, tie, worst));
        }
        for id in self.aliases.of(&row.id) {
            if let Some(other) = self.row(id) {
                let (key, value) = (FacetKey::Name, Arc::from("configured alias"));
                links.push(Link {
                    row: other.clone(),
                    relation: Relation::Same,
                    key,
                    value,
                    grade: Grade::Certain,
                });
            }
        }
        links
    }

    fn along<'i>(&'i self, row: &'i Row, tie: &'i Tie, worst: Grade) -> Vec<Link> {
        let hash = tie.hash();
        let crowd = self.others.get(&hash).is_some_and(|others| others.all().len() > CROWD);
        let others = self.held(&self.others, hash).take(if crowd { 0 } else { CROWD });
        let mut links = Vec::new();
        for other in self.held(&self.owners, hash).chain(others) {
            if other.id == row.id {
                continue;
            }
            let theirs = self.ties(other);
            let theirs = theirs.iter().find(|t| t.key == tie.key && t.value == tie.value);
            let Some(theirs) = theirs.filter(|theirs| theirs.grade <= worst) else { continue };
            let Some(relation) = Relation::between(tie.bond, theirs.bond) else { continue };
            // An address in a cluster's own network is unique in that cluster alone.
            if tie.key == FacetKey::Ip && is_pod(row) && is_pod(other) {
                continue;
            }
            let grade = tie.grade.max(theirs.grade);
            links.push(Link { row: other.clone(), relation, key: tie.key, value: tie.value.clone(), grade });
        }
        links
    }

    /// The rows that *are* what a row tells of or stands on, for merging: cheap where many tell of one thing.
    pub fn owners(&self, row: &Row, worst: Grade) -> Vec<Link> {
        let mut found = Vec::new();
        for tie in self.ties(row).iter().filter(|tie| tie.grade <= worst && tie.bond != Bond::Is) {
            for other in self.held(&self.owners, tie.hash()) {
                if other.id == row.id {
                    continue;
                }
                let Some(relation) = Relation::between(tie.bond, Bond::Is) else { continue };
                let same = |facet: &&Facet| facet.key == tie.key && *facet.value == *tie.value;
                let theirs = other.facets.iter().find(same).map_or(tie.grade, |facet| facet.grade);
                let grade = theirs.max(tie.grade);
                if grade <= worst {
                    let (key, value) = (tie.key, tie.value.clone());
                    found.push(Link { row: other.clone(), relation, key, value, grade });
                }
            }
        }
        found
    }

    /// A row that the index knows.
    pub fn row(&self, id: &EntityId) -> Option<&Arc<Row>> {
        self.slots.get(*self.places.get(id)? as usize)?.as_ref()
    }

    /// Every row that is the thing of a name (`Gate` and an outpost's name).
    pub fn named(&self, key: FacetKey, value: &str) -> Vec<Arc<Row>> {
        let tie =
            Tie { key, value: value.into(), bond: Bond::About, grade: Grade::Hint, scope: Scope::Everywhere };
        self.held(&self.owners, tie.hash()).cloned().collect()
    }
}

impl Tie {
    fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.key, &*self.value, self.scope).hash(&mut hasher);
        hasher.finish()
    }
}

fn is_pod(row: &Row) -> bool {
    row.id.kind.as_str() == "kubernetes.pods"
}

/// Addresses that every machine has, and Omni's own tunnel network: they join nothing.
fn is_everywhere(value: &str) -> bool {
    match value.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_link_local() || ip.is_unspecified(),
        Ok(IpAddr::V6(ip)) => {
            let [a, b, c, d, ..] = ip.segments();
            ip.is_loopback() || a & 0xffc0 == 0xfe80 || [a, b, c, d] == [0xfdae, 0x41e4, 0x649b, 0x9303]
        }
        Err(_) => true,
    }
}

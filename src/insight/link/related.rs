//! Everything that has to do with one row, near and far: what it is elsewhere, what it needs, who needs it, what is
//! told of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::model::id::{EntityId, KindId};
use crate::model::row::{FacetKey, Grade, Row};

use super::bond::Relation;
use super::index::{Index, Link};

/// So many steps a chain of needs is followed.
const STEPS: u8 = 3;
/// No list gets longer than this.
const MOST: usize = 300;

/// Another row and why it is in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// The other row.
    pub id: EntityId,
    /// Its name.
    pub name: String,
    /// What it is to the first one.
    pub relation: Relation,
    /// What they share, or what the last step of the chain shares.
    pub key: FacetKey,
    /// The shared value.
    pub value: String,
    /// How much it proves: the weakest step of the chain.
    pub grade: Grade,
    /// How many steps away it is.
    pub steps: u8,
    /// The other claim, where two rows of one system both say that they are this thing.
    pub conflict: Option<String>,
}

impl Related {
    /// A sign of a problem, as the problem's page lists it.
    pub fn sign(row: &Row) -> Self {
        Self {
            id: row.id.clone(),
            name: row.name.to_string(),
            relation: Relation::Subject,
            key: FacetKey::Name,
            value: "a sign of it".to_owned(),
            grade: Grade::Certain,
            steps: 0,
            conflict: None,
        }
    }
}

/// Everything linked to a row, what is nearest and surest first, each row once.
pub fn related(row: &Row, index: &Index) -> Vec<Related> {
    let mut found: HashMap<EntityId, Related> = HashMap::new();
    let me = same(row, index, &mut found);
    for one in &me {
        for link in index.links(&one.row, Grade::Hint) {
            if !matches!(link.relation, Relation::Same | Relation::Above | Relation::Below) {
                take(&mut found, &link, link.relation, one.grade, 1);
            }
        }
    }
    for direction in [Relation::Above, Relation::Below] {
        follow(&me, direction, index, &mut found);
    }
    found.remove(&row.id);
    let mut list: Vec<Related> = found.into_values().collect();
    mark_conflicts(row, &mut list);
    list.sort_by(|a, b| {
        (a.relation, a.grade, a.steps).cmp(&(b.relation, b.grade, b.steps)).then_with(|| a.id.cmp(&b.id))
    });
    list.truncate(MOST);
    list
}

/// A row on the way, and how sure the way to it is.
struct Step {
    row: Arc<Row>,
    grade: Grade,
}

/// The row and everything that certain evidence unites with it; likely ones and hints are noted and not followed.
fn same(row: &Row, index: &Index, found: &mut HashMap<EntityId, Related>) -> Vec<Step> {
    let mut me = vec![Step { row: Arc::new(row.clone()), grade: Grade::Certain }];
    let mut at = 0;
    while let Some(step) = me.get(at) {
        let (here, so_far) = (step.row.clone(), step.grade);
        for link in index.links(&here, Grade::Hint) {
            if link.relation != Relation::Same || me.iter().any(|known| known.row.id == link.row.id) {
                continue;
            }
            take(found, &link, Relation::Same, so_far, u8::try_from(at).unwrap_or(u8::MAX).min(1));
            if link.grade.max(so_far) == Grade::Certain {
                me.push(Step { row: link.row, grade: Grade::Certain });
            }
        }
        at += 1;
    }
    me
}

/// Follows needs in one direction; hints end a chain.
fn follow(me: &[Step], direction: Relation, index: &Index, found: &mut HashMap<EntityId, Related>) {
    let mut front: Vec<Step> = me.iter().map(|s| Step { row: s.row.clone(), grade: s.grade }).collect();
    for steps in 1..=STEPS {
        let mut next: BTreeMap<EntityId, Step> = BTreeMap::new();
        for step in &front {
            for link in index.links(&step.row, Grade::Likely) {
                let onward = link.relation == direction || (steps > 1 && link.relation == Relation::Same);
                if !onward || me.iter().any(|known| known.row.id == link.row.id) {
                    continue;
                }
                let grade = link.grade.max(step.grade);
                if take(found, &link, direction, step.grade, steps) && found.len() <= MOST {
                    next.insert(link.row.id.clone(), Step { row: link.row, grade });
                }
            }
        }
        front = next.into_values().collect();
    }
}

/// Notes a row; true where it was not known before.
fn take(
    found: &mut HashMap<EntityId, Related>,
    link: &Link,
    relation: Relation,
    so_far: Grade,
    steps: u8,
) -> bool {
    let grade = link.grade.max(so_far);
    let better = |known: &Related| (relation, grade) < (known.relation, known.grade);
    let known = found.get(&link.row.id);
    if known.is_some_and(|known| !better(known)) {
        return false;
    }
    let new = known.is_none();
    let related = Related {
        id: link.row.id.clone(),
        name: link.row.name.to_string(),
        relation,
        key: link.key,
        value: link.value.to_string(),
        grade,
        steps,
        conflict: None,
    };
    found.insert(link.row.id.clone(), related);
    new
}

/// Two rows of one kind cannot both be the same thing.
fn mark_conflicts(row: &Row, list: &mut [Related]) {
    let certain = |one: &&Related| one.relation == Relation::Same && one.grade == Grade::Certain;
    let mut claims: HashMap<KindId, Vec<String>> = HashMap::new();
    claims.entry(row.id.kind.clone()).or_default().push(row.name.to_string());
    for one in list.iter().filter(certain) {
        claims.entry(one.id.kind.clone()).or_default().push(one.name.clone());
    }
    for one in list.iter_mut() {
        if one.relation != Relation::Same || one.grade != Grade::Certain {
            continue;
        }
        let others: Vec<&str> = claims
            .get(&one.id.kind)
            .into_iter()
            .flatten()
            .map(String::as_str)
            .filter(|name| *name != one.name)
            .collect();
        if let Some(other) = others.first() {
            one.conflict = Some((*other).to_owned());
        }
    }
}

//! A group of symptoms as one problem: which of them explains the rest, what is suspected behind it, and its score.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::model::id::EntityId;
use crate::model::kind::KindSpec;
use crate::model::row::{Domain, Grade, Health, Row};
use crate::model::time::{seconds_between, short};

use super::felt::felt;
use super::known::HOME;
use super::merge::Group;
use super::symptom::{Sign, Symptom};
use super::{Cause, Felt, Point, Problem, Sight, home, leak};
use crate::insight::link::Relation;
use crate::insight::timeline::Event;

/// A change counts as just before a problem within this time.
const BEFORE: SignedDuration = SignedDuration::from_mins(30);
/// And a little after its first sign, as probes and rules take their time.
const AFTER: SignedDuration = SignedDuration::from_mins(2);
/// Of so many signs at most each is weighed as a head.
const WEIGHED: usize = 40;
/// A problem that has stood longer than this is less urgent, in seconds.
const STANDING: i64 = 24 * 3600;
/// One that is younger is what somebody was called for, in seconds.
const NEW: i64 = 3600;
/// The kind whose rows are runs of a pipeline.
const RUNS: &str = "github.runs";

/// A symptom with what speaks for it as the cause of the others.
struct Candidate<'s> {
    symptom: &'s Symptom,
    points: Vec<Point>,
    /// How many other signs need it: among equals, what most stand on.
    children: usize,
}

impl Candidate<'_> {
    fn sum(&self) -> i32 {
        self.points.iter().map(|point| point.points).sum()
    }
}

/// The problem of a group; `None` for an empty one.
pub(super) fn problem(group: &Group, symptoms: &[Symptom], sight: &Sight<'_>) -> Option<Problem> {
    let members: Vec<&Symptom> = group.members.iter().filter_map(|at| symptoms.get(*at)).collect();
    let first = *members.first()?;
    let since = members.iter().filter_map(|symptom| symptom.since).min();
    let mut candidates: Vec<Candidate<'_>> = group
        .members
        .iter()
        .take(WEIGHED)
        .chain(group.parents.keys())
        .filter_map(|at| {
            Some(weigh(symptoms.get(*at)?, group.parents.get(at).copied(), since, &members, sight))
        })
        .collect();
    candidates.sort_by_key(|candidate| std::cmp::Reverse((candidate.sum(), candidate.children)));
    let best = candidates.into_iter().next();
    let leading = best.as_ref().map_or(first, |best| best.symptom);
    let told = tell(group, leading, &members, sight);
    let head = told.head.clone();
    let felt = felt(&members, head.as_ref(), sight);
    let health = worst(group, &members, sight);
    let leak = leak::suspect(told.head.as_ref(), symptoms, sight);
    let cause =
        if group.home { None } else { leak.or_else(|| cause(&told, best.as_ref(), since, &members, sight)) };
    let acked = members.iter().any(|m| m.acked) && members.iter().all(|m| m.acked || !m.is_alert());
    let weight = head.as_ref().and_then(weight).or_else(|| shut_out(&members, sight));
    let score = score(health, &felt, members.len(), since, acked, sight.now);
    let score = score.into_iter().chain(weight).collect();
    let domain = if group.home { Domain::Home } else { leading.domain };
    let rows = |symptom: &&Symptom| symptom.row().map(|row| row.id.clone());
    let own = |id: &EntityId| members.iter().any(|m| m.row().is_some_and(|row| row.id == *id));
    let mut ids: Vec<EntityId> = head.iter().cloned().chain(members.iter().filter_map(rows)).collect();
    let mut seen = HashSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    let blind = |symptom: &&Symptom| match &symptom.sign {
        Sign::Blind { instance, fault } => Some(format!("{instance}: {fault}")),
        Sign::Run { text, .. } => Some(text.clone()),
        Sign::Row(_) => None,
    };
    Some(Problem {
        key: told.key.into(),
        health,
        name: told.name,
        what: told.what,
        felt,
        since,
        cause,
        score,
        fails: head.as_ref().is_some_and(own),
        head,
        blind: members.iter().filter_map(blind).collect(),
        members: ids,
        domain,
        acked,
        known: None,
    })
}

/// What speaks for a symptom as the cause of the others.
fn weigh<'s>(
    symptom: &'s Symptom,
    children: Option<usize>,
    since: Option<Timestamp>,
    members: &[&Symptom],
    sight: &Sight<'_>,
) -> Candidate<'s> {
    let mut points = Vec::new();
    if let Some(children) = children.filter(|children| *children > 0) {
        points.push(Point::new(3, format!("{children} of the other signs need it")));
    }
    if members.len() > 1 && symptom.since.is_some() && symptom.since == since {
        points.push(Point::new(2, "its sign came first"));
    }
    if symptom.health == Health::Critical {
        points.push(Point::new(1, "it is critical"));
    }
    if !symptom.is_alert() {
        points.push(Point::new(1, "it is the thing itself, not an alert about it"));
    }
    if let Some(row) = symptom.row() {
        if symptom.is_alert() && members.len() <= WEIGHED && inhibits(row, sight) {
            points.push(Point::new(2, "it keeps other alerts quiet"));
        }
        if let Some(change) = before(&[row.id.clone()].into(), since, sight).first() {
            points.push(Point::new(2, format!("changed just before: {}", change.text)));
        }
    }
    Candidate { symptom, points, children: children.unwrap_or(0) }
}

/// Whether another alert is quiet because of this one.
fn inhibits(alert: &Row, sight: &Sight<'_>) -> bool {
    let quiet = |row: &Row| {
        row.cell(0).value.as_text() == Some("inhibited")
            && row.note.as_deref().is_some_and(|note| note.contains(&*alert.name))
    };
    sight.store.rows(&alert.id.kind).any(|row| quiet(row))
}

/// How a problem is told.
struct Told {
    key: String,
    name: String,
    what: String,
    head: Option<EntityId>,
}

fn tell(group: &Group, leading: &Symptom, members: &[&Symptom], sight: &Sight<'_>) -> Told {
    if group.home {
        return house(members, sight);
    }
    if let Some(gate) = group.gate.as_ref().and_then(|gate| sight.index.row(gate)) {
        let probed = members.iter().filter_map(|m| m.row()).find(|row| {
            row.id.kind.backend() == "probe"
                && row.note.as_deref().is_some_and(|note| note.contains("hosts fail"))
        });
        let seen = probed.and_then(|row| row.note.as_deref()).unwrap_or("everything behind it fails");
        let own = gate.note.as_deref().unwrap_or("says that it is well");
        let what = format!("{seen}; {own}");
        return Told { what, ..thing(gate, sight) };
    }
    match &leading.sign {
        Sign::Blind { instance, fault } => Told {
            key: format!("blind/{instance}"),
            name: instance.clone(),
            what: format!("cannot be seen: {fault}"),
            head: None,
        },
        Sign::Run { target, text } => Told {
            key: format!("run/{target}"),
            name: sight.store.get(target).map_or_else(|| target.key.to_string(), |row| row.name.to_string()),
            what: text.clone(),
            head: Some(target.clone()),
        },
        Sign::Row(row) if leading.is_alert() => alerts(row, group, members, sight),
        Sign::Row(row) if shut_out(members, sight).is_some() => {
            let told = thing(row, sight);
            Told { what: format!("a pipeline cannot pass: {}", told.what), ..told }
        }
        Sign::Row(row) => many(row, members, sight),
    }
}

/// A thing that fails itself; many of one sort are counted.
fn many(row: &Row, members: &[&Symptom], sight: &Sight<'_>) -> Told {
    let told = thing(row, sight);
    let alike = members.iter().filter_map(|m| m.row()).filter(|other| other.id.kind == row.id.kind).count();
    let same_note = |m: &&Symptom| m.row().is_some_and(|other| other.note == row.note);
    if alike < 4 || alike < members.len() || !members.iter().all(same_note) {
        return told;
    }
    let note = row.note.as_deref().unwrap_or_default();
    Told {
        key: format!("sort/{}/{note}", row.id.kind),
        name: format!("{alike} {}", row.id.kind.name()),
        ..told
    }
}

/// A row by its own words.
fn thing(row: &Row, sight: &Sight<'_>) -> Told {
    let kind = sight.kinds.get(&row.id.kind);
    Told {
        key: row.id.to_string(),
        name: format!("{} {}", noun(kind.map(AsRef::as_ref), row), row.name),
        what: words(row),
        head: Some(row.id.clone()),
    }
}

fn noun(kind: Option<&KindSpec>, row: &Row) -> String {
    match row.id.kind.as_str() {
        "authentik.outposts" => "gate".to_owned(),
        "authentik.applications" => "tile".to_owned(),
        "argocd.applications" => "app".to_owned(),
        other => kind.map_or_else(|| other.to_owned(), |kind| kind.singular.to_string()),
    }
}

/// A row's note, or its state word.
fn words(row: &Row) -> String {
    let state = || row.cell(0).value.as_text().map(str::to_owned);
    row.note.as_deref().map(str::to_owned).or_else(state).unwrap_or_default()
}

/// Only alerts: the thing that they are about, or the alert itself.
fn alerts(row: &Row, group: &Group, members: &[&Symptom], sight: &Sight<'_>) -> Told {
    let names: BTreeSet<&str> = members.iter().filter_map(|m| m.row()).map(|row| &*row.name).collect();
    let summary = |row: &Row| {
        let column = sight.kinds.get(&row.id.kind).and_then(|kind| kind.column("summary"));
        column.and_then(|column| row.cell(column).value.as_text()).unwrap_or_default().to_owned()
    };
    if let Some(seat) = group.seat.as_ref().and_then(|seat| sight.index.row(seat)) {
        let told = thing(seat, sight);
        let names = names.into_iter().take(3).collect::<Vec<_>>().join(", ");
        return Told {
            what: format!("{names}: {}", summary(row)).trim_end_matches([':', ' ']).to_owned(),
            ..told
        };
    }
    let on = sight.kinds.get(&row.id.kind).and_then(|kind| kind.column("on"));
    let on = on.and_then(|column| row.cell(column).value.as_text()).unwrap_or_default();
    let (key, name) = if members.len() > 1 && names.len() == 1 {
        (format!("alert/{}", row.name), format!("{} {}", members.len(), row.name))
    } else {
        (row.id.to_string(), format!("{} {on}", row.name).trim_end().to_owned())
    };
    Told { key, name, what: summary(row), head: Some(row.id.clone()) }
}

/// The house, and what its silence means.
fn house(members: &[&Symptom], sight: &Sight<'_>) -> Told {
    let how = home::absence(sight).map_or("does not answer", home::words);
    let blind = members.iter().filter(|m| matches!(m.sign, Sign::Blind { .. })).count();
    Told {
        key: HOME.to_owned(),
        name: "home".to_owned(),
        what: format!("{how}; {blind} systems do not answer"),
        head: None,
    }
}

/// The worst of a group.
fn worst(group: &Group, members: &[&Symptom], sight: &Sight<'_>) -> Health {
    if let Some(absence) = home::absence(sight).filter(|_| group.home) {
        return home::health(absence, sight);
    }
    members.iter().map(|symptom| symptom.health).min().unwrap_or(Health::Warning)
}

/// What was changed on these things just before an instant, the latest first.
fn before<'e>(things: &HashSet<EntityId>, at: Option<Timestamp>, sight: &Sight<'e>) -> Vec<&'e Event> {
    let Some(at) = at else { return Vec::new() };
    let near = |event: &&Event| {
        event.about.as_ref().is_some_and(|about| things.contains(about))
            && event.at >= at - BEFORE
            && event.at <= at + AFTER
    };
    sight.changes.iter().filter(|event| event.change).filter(near).collect()
}

/// What is suspected: the sign that explains the others, a change near the head, or another thing that fails.
fn cause(
    told: &Told,
    best: Option<&Candidate<'_>>,
    since: Option<Timestamp>,
    members: &[&Symptom],
    sight: &Sight<'_>,
) -> Option<Cause> {
    let head = told.head.as_ref();
    let other = |row: &Row| Some(&row.id) != head && !matches!(row.id.kind.backend(), "alerts" | "probe");
    let deeper = members
        .iter()
        .filter_map(|m| m.row())
        .find(|row| row.id.kind.as_str() == "docker.containers" && other(row));
    let leading = best.and_then(|best| best.symptom.row()).filter(|row| other(row));
    let points = best.map(|best| best.points.clone()).unwrap_or_default();
    if let Some(row) = deeper.or(leading) {
        let id = Some(row.id.clone());
        return Some(Cause { text: format!("{}: {}", row.name, words(row)), id, points });
    }
    let near = neighbours(head, members, sight);
    if let Some(change) = before(&near, since, sight).first() {
        let mut points = points;
        points.push(Point::new(2, format!("changed just before on {}", name_of(change, sight))));
        let ago = since.map_or_else(String::new, |since| {
            let seconds = seconds_between(change.at, since);
            if seconds > 0 { format!(" {} before", short(seconds)) } else { String::new() }
        });
        return Some(Cause { text: format!("{}{ago}", change.text), id: change.about.clone(), points });
    }
    let beside = members.iter().filter_map(|m| m.row()).find(|row| other(row));
    beside.map(|row| Cause {
        text: format!("{}: {}", row.name, words(row)),
        id: Some(row.id.clone()),
        points,
    })
}

fn name_of(change: &Event, sight: &Sight<'_>) -> String {
    let row = change.about.as_ref().and_then(|about| sight.store.get(about));
    row.map_or_else(String::new, |row| row.name.to_string())
}

/// The head, the members, what they are elsewhere and what they stand on.
fn neighbours(head: Option<&EntityId>, members: &[&Symptom], sight: &Sight<'_>) -> HashSet<EntityId> {
    let mut near: HashSet<EntityId> = head.into_iter().cloned().collect();
    near.extend(members.iter().take(WEIGHED).filter_map(|m| m.row()).map(|row| row.id.clone()));
    for id in near.clone() {
        let Some(row) = sight.index.row(&id) else { continue };
        for link in sight.index.links(row, Grade::Likely) {
            if !matches!(link.relation, Relation::Remark | Relation::Beside | Relation::Below)
                || link.key == crate::model::row::FacetKey::Gate && link.row.id.kind.backend() == "docker"
            {
                near.insert(link.row.id.clone());
            }
        }
    }
    near
}

/// Things that everybody depends on weigh more.
fn weight(head: &EntityId) -> Option<Point> {
    Some(match head.kind.as_str() {
        "vigie.pinned" => Point::new(40, "it is pinned"),
        "authentik.outposts" => Point::new(30, "everybody comes in through it"),
        "docker.containers" => Point::new(25, "it runs on a host of its own, which everything else needs"),
        "proxmox.nodes" | "kubernetes.nodes" | "omni.clusters" => Point::new(15, "other things stand on it"),
        _ => return None,
    })
}

/// A pipeline that the edge keeps away from what it needs: nothing is delivered until somebody opens a door.
fn shut_out(members: &[&Symptom], sight: &Sight<'_>) -> Option<Point> {
    let kept_out = |row: &&Arc<Row>| {
        let layer = sight.kinds.get(&row.id.kind).and_then(|kind| kind.column("layer"));
        row.id.kind.as_str() == "probe.probes"
            && layer.is_some_and(|at| row.cell(at).value.as_text() == Some("edge"))
    };
    let rows = || members.iter().filter_map(|m| m.row());
    let stopped = rows().any(|row| row.id.kind.as_str() == RUNS) && rows().any(|row| kept_out(&row));
    stopped.then(|| Point::new(50, "the edge keeps a pipeline out, so that nothing can be delivered"))
}

/// Every point that decides where a problem stands.
fn score(
    health: Health,
    felt: &Felt,
    signs: usize,
    since: Option<Timestamp>,
    acked: bool,
    now: Timestamp,
) -> Vec<Point> {
    let few = |n: usize, most: i32| i32::try_from(n).unwrap_or(most).min(most);
    let mut score = vec![match health {
        Health::Critical => Point::new(100, "critical"),
        _ => Point::new(40, "warning"),
    }];
    if let Some((failing, all)) = felt.hosts {
        score.push(Point::new(few(4 * failing, 36), format!("{failing} of {all} gates fail")));
    }
    if !felt.apps.is_empty() {
        score.push(Point::new(few(3 * felt.apps.len(), 30), format!("felt by {} apps", felt.apps.len())));
    }
    if !felt.people.is_empty() {
        score.push(Point::new(10, format!("people: {}", felt.people.join(", "))));
    }
    if signs > 1 {
        score.push(Point::new(few(signs - 1, 10), format!("{signs} signs")));
    }
    match since.map(|since| seconds_between(since, now)) {
        Some(age) if age > STANDING => {
            score.push(Point::new(-20, format!("it has stood for {}", short(age))));
        }
        Some(age) if age < NEW => score.push(Point::new(20, format!("it is new: {}", short(age)))),
        Some(_) => {}
        None => score.push(Point::new(-10, "it was there before anybody looked")),
    }
    if acked {
        score.push(Point::new(-30, "somebody has taken it on"));
    }
    score
}

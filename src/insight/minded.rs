//! What other systems say about an operation before it is confirmed: its own server cannot know it.
//!
//! Only what was seen counts: a source that is not fresh and complete makes the guard blind, which refuses whatever
//! brings something up or replaces it.

use crate::model::id::KindId;
use crate::model::op::{Decision, Evidence, Minds, OpSpec, Verdict};
use crate::model::row::{Domain, Health, Row, Tone};
use crate::model::snapshot::SourceHealth;
use crate::model::store::{Source, Store};

use super::trust::ALERTS;

/// The kind whose rows are applications.
const APPLICATIONS: &str = "argocd.applications";
/// The kind whose rows are the systems inside a cluster, and the one that makes backups.
const SYSTEMS: &str = "kubernetes.health";
const VELERO: &str = "velero";
/// The kind whose rows are ZFS pools.
const POOLS: &str = "proxmox.pools";
/// So many are named, the rest is counted.
const NAMED: usize = 3;

/// What an operation acts on, as far as others know it.
#[derive(Debug, Clone, Copy)]
pub struct On<'a> {
    /// Its name: of a cluster, the one by which its Kubernetes is configured.
    pub name: &'a str,
    /// Where it is.
    pub domain: Domain,
}

/// A fact, and how it bears on the decision.
type Fact = (Decision, Evidence);

/// The kinds whose rows an operation minds.
pub fn kinds(op: &OpSpec) -> Vec<KindId> {
    op.minds.iter().map(|minds| kind(*minds)).collect()
}

fn kind(minds: Minds) -> KindId {
    KindId::from(match minds {
        Minds::CriticalAlerts => ALERTS,
        Minds::Applications => APPLICATIONS,
        Minds::Backups => SYSTEMS,
        Minds::Pools => POOLS,
    })
}

/// A backend's verdict together with what the operation minds of others.
pub fn with(op: &OpSpec, on: On<'_>, verdict: Verdict, store: &Store) -> Verdict {
    let facts = op.minds.iter().filter_map(|minds| match minds {
        Minds::CriticalAlerts => alerts(store),
        Minds::Applications => applications(store),
        Minds::Backups => Some(backups(on, store)),
        Minds::Pools => pools(on, store),
    });
    facts.fold(verdict, |verdict, (decision, evidence)| verdict.and(decision, evidence))
}

/// The names of the rows that are not well, and whether the rows are all there are; nothing where no such system is
/// configured.
fn ill<'a>(kind: &'a KindId, store: &'a Store, bad: fn(&Row) -> bool) -> Option<(Vec<&'a str>, bool)> {
    store.of_kind(kind).next()?;
    let mut names: Vec<&str> = store.rows(kind).filter(|row| bad(row)).map(|row| &*row.name).collect();
    names.sort_unstable();
    Some((names, store.proves_absence(kind)))
}

fn alerts(store: &Store) -> Option<Fact> {
    let kind = ALERTS.into();
    let (names, seen) = ill(&kind, store, |row| row.health == Health::Critical)?;
    let evidence = |says: &str, tone| Evidence::new("alerts", says, tone);
    Some(match (names.is_empty(), seen) {
        (false, _) => (Decision::Refuse, evidence(&format!("critical: {}", listed(&names)), Tone::Error)),
        (true, false) => (Decision::Blind, evidence("cannot be seen, so none is no news", Tone::Unknown)),
        (true, true) => (Decision::Allow, evidence("none is critical", Tone::Ok)),
    })
}

fn applications(store: &Store) -> Option<Fact> {
    let bad = |row: &Row| matches!(row.health, Health::Critical | Health::Warning);
    let kind = APPLICATIONS.into();
    let (names, seen) = ill(&kind, store, bad)?;
    let evidence = |says: &str, tone| Evidence::new("applications", says, tone);
    Some(match (names.is_empty(), seen) {
        (false, _) => (Decision::Warn, evidence(&format!("not well: {}", listed(&names)), Tone::Warn)),
        (true, false) => (Decision::Warn, evidence("cannot be seen completely", Tone::Unknown)),
        (true, true) => (Decision::Allow, evidence("all are well", Tone::Ok)),
    })
}

/// What saves the cluster's contents; its system counts as well only with a fresh backup.
fn backups(on: On<'_>, store: &Store) -> Fact {
    let evidence = |says: String, tone| Evidence::new("backups", says, tone);
    let kind = SYSTEMS.into();
    let Some(source) = store.of_kind(&kind).find(|source| *source.spec.id.instance == *on.name) else {
        let says = format!("not seen: no Kubernetes `{}` is configured", on.name);
        return (Decision::Warn, evidence(says, Tone::Unknown));
    };
    let velero = source.rows().find(|row| row.id.kind == kind && *row.name == *VELERO);
    match velero {
        _ if !source.proves_absence() => {
            let (decision, why) = unseen(source);
            (decision, evidence(format!("Velero cannot be seen{why}"), Tone::Unknown))
        }
        None => (Decision::Warn, evidence("nothing makes any: there is no Velero".to_owned(), Tone::Warn)),
        Some(row) if row.health == Health::Ok => {
            (Decision::Allow, evidence("Velero: all are fresh".to_owned(), Tone::Ok))
        }
        Some(row) => {
            let why = row.note.as_deref().or_else(|| row.cell(0).value.as_text()).unwrap_or("not well");
            (Decision::Refuse, evidence(format!("Velero: {why}"), Tone::Error))
        }
    }
}

/// What cannot be seen refuses, unless no right was given to see it: then nobody expects it to be looked at.
fn unseen(source: &Source) -> (Decision, String) {
    match &source.health {
        SourceHealth::Denied(fault) => {
            let right = fault.missing.as_deref().unwrap_or(&fault.what);
            (Decision::Warn, format!(": it needs {right}"))
        }
        _ => (Decision::Blind, String::new()),
    }
}

/// The pools of the hosts in the same domain; nothing where no host of it is configured.
fn pools(on: On<'_>, store: &Store) -> Option<Fact> {
    let kind = KindId::from(POOLS);
    let mut sources = store.of_kind(&kind).filter(|source| source.spec.domain == on.domain).peekable();
    sources.peek()?;
    let evidence = |says: &str, tone| Evidence::new("pools", says, tone);
    let (mut worst, mut names, mut all) = (Health::Ok, Vec::new(), 0);
    let mut blind: Option<(Decision, String)> = None;
    for source in sources {
        if !source.proves_absence() {
            blind = blind.max(Some(unseen(source)));
        }
        for row in source.rows().filter(|row| row.id.kind == kind) {
            all += 1;
            if row.health != Health::Ok {
                worst = worst.min(row.health);
                let why = row.note.as_deref().or_else(|| row.cell(0).value.as_text()).unwrap_or("not well");
                names.push(format!("{}: {why}", row.name));
            }
        }
    }
    names.sort_unstable();
    let told: Vec<&str> = names.iter().map(String::as_str).collect();
    Some(match (names.is_empty(), blind) {
        (false, _) if worst == Health::Critical => (Decision::Refuse, evidence(&listed(&told), Tone::Error)),
        (_, Some((decision, why))) => (decision, evidence(&format!("cannot be seen{why}"), Tone::Unknown)),
        (false, None) => (Decision::Warn, evidence(&listed(&told), Tone::Warn)),
        (true, None) if all == 0 => (Decision::Warn, evidence("none is listed", Tone::Unknown)),
        (true, None) => (Decision::Allow, evidence(&format!("{all} online"), Tone::Ok)),
    })
}

fn listed(names: &[&str]) -> String {
    let shown = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::id::{EntityId, Identity, SourceId};
    use crate::model::op::Tier;
    use crate::model::snapshot::{Cadence, Delta, Epoch, Fault, Layer, Mode, Snapshot, SourceSpec, Update};

    #[allow(clippy::type_complexity, reason = "a table")]
    fn store(answers: &[(&str, Result<&[(&str, Health)], ()>)]) -> Store {
        let mut store = Store::default();
        for (kind, answer) in answers {
            let (backend, feed) = kind.split_once('.').unwrap();
            let id = SourceId::new(backend.to_owned(), "main", feed.to_owned());
            let mode = Mode::Poll(Cadence { focused: 1, visible: 1, hidden: 1 });
            let kinds = vec![KindId::from(*kind)];
            store.declare(SourceSpec { id: id.clone(), kinds, mode, domain: Domain::Cloud });
            let row = |(name, health): &(&str, Health)| {
                let id = EntityId::new(KindId::from(*kind), "main", *name);
                Row { health: *health, ..Row::new(id, *name, Vec::new()) }
            };
            let list = |rows: &[(&str, Health)]| {
                Delta::Reset(Snapshot::complete(rows.iter().map(row).collect(), Timestamp::UNIX_EPOCH))
            };
            let body = answer.map(list).map_err(|()| Fault::new(Layer::Tcp, "no connection"));
            store.apply(Update { source: id, epoch: Epoch(1), body });
        }
        store
    }

    const CLOUD: On<'static> = On { name: "main", domain: Domain::Cloud };

    /// What a backup or a pool says to an upgrade of a cluster.
    fn told(minds: Minds, on: On<'_>, store: &Store) -> Option<(Decision, String)> {
        let op = OpSpec::on("omni.clusters", "omni.upgrade", "upgrade", Tier::T2, "").minds(&[minds]);
        let verdict = with(&op, on, Verdict::allow("", Identity::new()), store);
        let says = verdict.evidence.first()?.says.clone();
        Some((verdict.decision, says))
    }

    #[test]
    fn backups_of_the_cluster_itself_count_and_unseen_ones_are_unclear() {
        let well: &[(&str, Health)] = &[("velero", Health::Ok), ("kubevirt", Health::Critical)];
        let old: &[(&str, Health)] = &[("velero", Health::Critical)];
        let none: &[(&str, Health)] = &[("kubevirt", Health::Ok)];
        let other = On { name: "prod", ..CLOUD };
        let cases = [
            (CLOUD, Ok(well), Decision::Allow, "all are fresh"),
            (CLOUD, Ok(old), Decision::Refuse, "Velero: "),
            (CLOUD, Ok(none), Decision::Warn, "there is no Velero"),
            (CLOUD, Err(()), Decision::Blind, "cannot be seen"),
            (other, Ok(well), Decision::Warn, "no Kubernetes `prod` is configured"),
        ];
        for (on, answer, decision, part) in cases {
            let (found, says) = told(Minds::Backups, on, &store(&[(SYSTEMS, answer)])).unwrap();
            assert!(found == decision && says.contains(part), "{says}");
        }
        assert!(
            told(Minds::Backups, CLOUD, &Store::default()).is_some_and(|(found, _)| found == Decision::Warn)
        );
    }

    #[test]
    fn pools_below_the_cluster_have_to_be_whole_and_those_elsewhere_do_not_count() {
        let well: &[(&str, Health)] = &[("rpool", Health::Ok), ("tank", Health::Ok)];
        let weak: &[(&str, Health)] = &[("rpool", Health::Ok), ("tank", Health::Warning)];
        let lost: &[(&str, Health)] = &[("rpool", Health::Warning), ("tank", Health::Critical)];
        let cases = [
            (Ok(well), Decision::Allow, "2 online"),
            (Ok(weak), Decision::Warn, "tank: "),
            (Ok(lost), Decision::Refuse, "tank: "),
            (Err(()), Decision::Blind, "cannot be seen"),
        ];
        for (answer, decision, part) in cases {
            let store = store(&[(POOLS, answer)]);
            let (found, says) = told(Minds::Pools, CLOUD, &store).unwrap();
            assert!(found == decision && says.contains(part), "{says}");
            assert_eq!(told(Minds::Pools, On { domain: Domain::Home, ..CLOUD }, &store), None);
        }
    }

    fn judged(store: &Store) -> (Decision, Vec<String>) {
        let op = OpSpec::on("omni.clusters", "omni.upgrade", "upgrade", Tier::T2, "")
            .minds(&[Minds::CriticalAlerts, Minds::Applications]);
        let verdict = with(&op, CLOUD, Verdict::allow("", Identity::new()), store);
        (verdict.decision, verdict.evidence.into_iter().map(|fact| fact.says).collect())
    }

    #[test]
    fn critical_alerts_refuse_and_applications_that_are_not_well_are_told() {
        let well: &[(&str, Health)] = &[("nextcloud", Health::Ok)];
        let calm: &[(&str, Health)] = &[("Watchdog", Health::Ok), ("Memory", Health::Warning)];
        let loud: &[(&str, Health)] = &[("Down", Health::Critical)];
        let ill: &[(&str, Health)] = &[
            ("a", Health::Warning),
            ("b", Health::Critical),
            ("c", Health::Warning),
            ("d", Health::Warning),
        ];
        let cases = [
            (Ok(calm), Ok(well), Decision::Allow, ["none is critical", "all are well"]),
            (Ok(loud), Ok(well), Decision::Refuse, ["critical: Down", "all are well"]),
            (Ok(calm), Ok(ill), Decision::Warn, ["none is critical", "not well: a, b, c and 1 more"]),
            (Err(()), Ok(well), Decision::Blind, ["cannot be seen, so none is no news", "all are well"]),
            (Ok(calm), Err(()), Decision::Warn, ["none is critical", "cannot be seen completely"]),
        ];
        for (alerts, applications, decision, says) in cases {
            let store = store(&[(ALERTS, alerts), (APPLICATIONS, applications)]);
            assert_eq!(judged(&store), (decision, says.map(str::to_owned).to_vec()));
        }
    }

    #[test]
    fn systems_that_are_not_configured_are_not_minded() {
        assert_eq!(judged(&Store::default()), (Decision::Allow, vec![]));
    }
}

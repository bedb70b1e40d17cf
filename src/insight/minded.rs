//! What other systems say about an operation before it is confirmed: its own server cannot know it.
//!
//! Only what was seen counts: a source that is not fresh and complete makes the guard blind, which refuses whatever
//! brings something up or replaces it.

use crate::model::id::KindId;
use crate::model::op::{Decision, Evidence, Minds, OpSpec, Verdict};
use crate::model::row::{Health, Row, Tone};
use crate::model::store::Store;

use super::trust::ALERTS;

/// The kind whose rows are applications.
const APPLICATIONS: &str = "argocd.applications";
/// So many are named, the rest is counted.
const NAMED: usize = 3;

/// The kinds whose rows an operation minds.
pub fn kinds(op: &OpSpec) -> Vec<KindId> {
    op.minds.iter().map(|minds| kind(*minds)).collect()
}

fn kind(minds: Minds) -> KindId {
    KindId::from(match minds {
        Minds::CriticalAlerts => ALERTS,
        Minds::Applications => APPLICATIONS,
    })
}

/// A backend's verdict together with what the operation minds of others.
pub fn with(op: &OpSpec, verdict: Verdict, store: &Store) -> Verdict {
    let facts = op.minds.iter().filter_map(|minds| fact(*minds, store));
    facts.fold(verdict, |verdict, (decision, evidence)| verdict.and(decision, evidence))
}

/// Nothing where no such system is configured.
fn fact(minds: Minds, store: &Store) -> Option<(Decision, Evidence)> {
    let kind = kind(minds);
    store.of_kind(&kind).next()?;
    let (what, bad): (&str, fn(&Row) -> bool) = match minds {
        Minds::CriticalAlerts => ("alerts", |row| row.health == Health::Critical),
        Minds::Applications => {
            ("applications", |row| matches!(row.health, Health::Critical | Health::Warning))
        }
    };
    let mut names: Vec<&str> = store.rows(&kind).filter(|row| bad(row)).map(|row| &*row.name).collect();
    names.sort_unstable();
    let seen = store.proves_absence(&kind);
    let evidence = |says: String, tone| Evidence::new(what, says, tone);
    Some(match (names.is_empty(), seen, minds) {
        (false, _, Minds::CriticalAlerts) => {
            (Decision::Refuse, evidence(format!("critical: {}", listed(&names)), Tone::Error))
        }
        (false, _, Minds::Applications) => {
            (Decision::Warn, evidence(format!("not well: {}", listed(&names)), Tone::Warn))
        }
        (true, false, Minds::CriticalAlerts) => {
            (Decision::Blind, evidence("cannot be seen, so none is no news".to_owned(), Tone::Unknown))
        }
        (true, false, Minds::Applications) => {
            (Decision::Warn, evidence("cannot be seen completely".to_owned(), Tone::Unknown))
        }
        (true, true, Minds::CriticalAlerts) => {
            (Decision::Allow, evidence("none is critical".to_owned(), Tone::Ok))
        }
        (true, true, Minds::Applications) => (Decision::Allow, evidence("all are well".to_owned(), Tone::Ok)),
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
    use crate::model::row::Domain;
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

    fn judged(store: &Store) -> (Decision, Vec<String>) {
        let op = OpSpec::on("omni.clusters", "omni.upgrade", "upgrade", Tier::T2, "")
            .minds(&[Minds::CriticalAlerts, Minds::Applications]);
        let verdict = with(&op, Verdict::allow("", Identity::new()), store);
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

//! Whether silence means that all is well: no alert proves nothing while its sources are deaf.
//!
//! A pure function of what was observed: every source of alerts fresh and complete, and every check that the
//! backends bring as rows of their own (watchdog, rules, cluster, notifications) seen to hold.

use jiff::Timestamp;

use crate::model::id::KindId;
use crate::model::row::Health;
use crate::model::store::{Source, Store};
use crate::model::time::{seconds_between, short};

/// The kind whose absence of rows is to be believed.
pub const ALERTS: &str = "alerts.alerts";
/// The kind whose rows are the checks.
pub const CHECKS: &str = "alerts.trust";
/// An answer older than this, in seconds, proves nothing any more, whatever its source says of itself.
const OLD: i64 = 180;

/// Whether the absence of alerts can be believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// What speaks against it, the weightiest first; empty is trust.
    pub doubts: Vec<String>,
}

impl Trust {
    /// True where "no alerts" may be said to be good.
    pub fn holds(&self) -> bool {
        self.doubts.is_empty()
    }

    /// The first doubt, and how many more there are; empty where there is none.
    pub fn words(&self) -> String {
        match self.doubts.as_slice() {
            [] => String::new(),
            [one] => one.clone(),
            [first, rest @ ..] => format!("{first}, and {} more", rest.len()),
        }
    }
}

/// Judges at an instant; `None` where nothing is configured that could tell of alerts.
pub fn judge(store: &Store, now: Timestamp) -> Option<Trust> {
    let (alerts, checks) = (KindId::from(ALERTS), KindId::from(CHECKS));
    let sources: Vec<&Source> = store.of_kind(&alerts).collect();
    if sources.is_empty() {
        return None;
    }
    let mut doubts: Vec<String> = sources.iter().filter_map(|source| deaf(source, now)).collect();
    let mut rows: Vec<_> = store.rows(&checks).collect();
    rows.sort_by(|a, b| a.health.cmp(&b.health).then_with(|| a.id.cmp(&b.id)));
    let answered = sources.iter().any(|source| source.good_at.is_some());
    if answered && !rows.iter().any(|row| row.name.starts_with("watchdog")) {
        doubts.push("watchdog: none was looked for".to_owned());
    }
    for row in rows.into_iter().filter(|row| row.health != Health::Ok) {
        let says = row.cell(2).value.as_text().unwrap_or("not seen to hold");
        let doubt = format!("{}: {says}", row.name);
        // A member that does not answer is told by its source already.
        if !doubts.contains(&doubt) {
            doubts.push(doubt);
        }
    }
    Some(Trust { doubts })
}

/// Why a source's silence proves nothing.
fn deaf(source: &Source, now: Timestamp) -> Option<String> {
    let name = &source.spec.id.instance;
    let age = source.good_at.map(|at| seconds_between(at, now));
    match age {
        None => Some(format!("{name} has not answered yet")),
        Some(_) if source.health.fault().is_some() => {
            let layer = source.health.fault().map(|fault| fault.layer.to_string()).unwrap_or_default();
            Some(format!("{name} cannot be reached ({layer})"))
        }
        Some(age) if age > OLD => Some(format!("{name} was heard {} ago", short(age))),
        Some(_) if !source.proves_absence() => Some(format!("{name} is not wholly seen")),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use crate::model::id::{EntityId, SourceId};
    use crate::model::row::{Cell, Domain, Row};
    use crate::model::snapshot::{Delta, Epoch, Fault, Layer, Mode, Snapshot, SourceSpec, Update};

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn check(name: &str, holds: bool) -> Row {
        let cells = vec![Cell::new("ok"), Cell::new(name), Cell::new("says"), Cell::empty()];
        let mut row = Row::new(EntityId::new(CHECKS, "lab", name), name, cells);
        row.health = if holds { Health::Ok } else { Health::Warning };
        row
    }

    fn store(body: Option<Result<(Vec<Row>, bool), Fault>>) -> Store {
        let id = SourceId::new("alerts", "lab", "alertmanager");
        let kinds = vec![KindId::from(ALERTS), KindId::from(CHECKS)];
        let mut store =
            Store::new([SourceSpec { id: id.clone(), kinds, mode: Mode::Watch, domain: Domain::Home }]);
        let snapshot = |(rows, complete)| Snapshot { rows, complete, observed_at: NOW, notes: vec![] };
        if let Some(body) = body {
            let body = body.map(|content| Delta::Reset(snapshot(content)));
            store.apply(Update { source: id, epoch: Epoch(1), body });
        }
        store
    }

    #[test]
    fn silence_is_believed_only_where_every_check_was_seen_to_hold() {
        let watchdog = || check("watchdog lab", true);
        let fault = Fault::new(Layer::Tcp, "no connection");
        let cases = [
            (store(None), "lab has not answered yet"),
            (store(Some(Ok((vec![watchdog()], true)))), ""),
            (store(Some(Ok((vec![watchdog()], false)))), "lab is not wholly seen"),
            (store(Some(Ok((vec![], true)))), "watchdog: none was looked for"),
            (store(Some(Ok((vec![watchdog(), check("rules", false)], true)))), "rules: says"),
            (store(Some(Ok((vec![check("watchdog lab", false)], true)))), "watchdog lab: says"),
            (store(Some(Err(fault))), "lab has not answered yet"),
        ];
        for (store, doubt) in cases {
            let trust = judge(&store, NOW).unwrap();
            assert_eq!((trust.words().as_str(), trust.holds()), (doubt, doubt.is_empty()));
        }
        assert_eq!(judge(&Store::default(), NOW), None);
    }

    #[test]
    fn an_old_answer_is_no_answer_even_where_nothing_failed() {
        let store = store(Some(Ok((vec![check("watchdog lab", true)], true))));
        let later = NOW + SignedDuration::from_secs(600);
        assert_eq!(judge(&store, later).unwrap().words(), "lab was heard 10m ago");
    }
}

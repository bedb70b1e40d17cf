//! Applications: one word for how an application is, and the fact behind it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

use crate::backend::error::first_line;
use crate::backend::kubernetes::rows::{Maker, State};
use crate::backend::kubernetes::watch::Projected;
use crate::model::id::KindId;
use crate::model::row::{Cell, Domain, Facet, FacetKey, Grade, Health, Tone, Value};
use crate::model::time::{seconds_between, short};

use super::wire::{Application, OperationState};

/// How old a comparison may be before it proves nothing any more, shared with whoever learns the period of Argo CD.
#[derive(Debug, Clone)]
pub struct Limit(Arc<AtomicI64>);

/// Without knowing the period: Argo CD compares every two to three minutes.
const USUAL: i64 = 600;

impl Default for Limit {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(USUAL)))
    }
}

impl Limit {
    /// Twice the period and its jitter; a period of zero means that nothing is compared without being asked.
    pub fn learn(&self, period: i64, jitter: i64) {
        let limit = if period == 0 { 0 } else { 2 * (period + jitter) };
        self.0.store(limit, Ordering::Relaxed);
    }

    /// The limit; `None` where an old comparison is no sign of trouble.
    pub fn get(&self) -> Option<SignedDuration> {
        let seconds = self.0.load(Ordering::Relaxed);
        (seconds > 0).then(|| SignedDuration::from_secs(seconds))
    }
}

/// Progress that takes longer than this is no progress.
const SLOW: i64 = 15 * 60;

/// Which failure domain a destination belongs to: the name of a configured cluster, or the one Argo CD runs in.
pub type Domains = Vec<(std::sync::Arc<str>, Domain)>;

/// The row of an application, and when its goodness has to be doubted.
pub fn project(
    maker: &Maker,
    kind: &KindId,
    domains: &Domains,
    limit: Option<SignedDuration>,
    app: &Application,
    now: Timestamp,
) -> Projected {
    let (state, due) = aged(app, verdict(app, now), limit, now);
    let (sync, health) = (&app.status.sync.status, &app.status.health.status);
    let last = app.status.operation_state.0.as_ref();
    let phase = last.map(|op| op.phase.as_str()).unwrap_or_default();
    let destination = &app.spec.destination;
    let cells = vec![
        Cell { value: maker.cell(&state.word).value, tone: state.health.into() },
        Cell { value: Value::Text(app.metadata.name.shared()), tone: Tone::Text },
        Cell { tone: sync_tone(sync), ..maker.cell(sync) },
        Cell { tone: health_tone(health), ..maker.cell(health) },
        Cell::new(app.wave()),
        maker.cell(&app.status.sync.short()),
        Cell::new(state.why.as_str()),
        Cell { tone: phase_tone(phase), ..maker.cell(phase) },
        maker.cell(&app.spec.project),
        maker.cell(&format!("{}/{}", destination.cluster(), destination.namespace.as_str())),
        Cell::new(app.auto_sync()),
        Cell::new(since(app, &state.word)),
        Cell::new(app.status.reconciled_at.time()),
        maker.cell(last.map(|op| op.operation.initiated_by.name()).unwrap_or_default()),
        Cell::new(last.and_then(OperationState::began)),
        Cell::new(last.filter(|op| !op.is_running()).and_then(OperationState::ended)),
    ];
    let mut row = maker.row(kind, &app.metadata, &state, cells);
    row.domain = domain(maker, domains, destination.cluster());
    row.facets = Box::new([
        Facet::new(FacetKey::App, row.name.clone(), Grade::Certain),
        Facet::new(FacetKey::Name, row.name.clone(), Grade::Hint),
    ]);
    Projected { row, due }
}

fn domain(maker: &Maker, domains: &Domains, cluster: &str) -> Domain {
    let named = domains.iter().find(|(name, _)| &**name == cluster);
    named.map_or(maker.domain, |(_, domain)| *domain)
}

fn sync_tone(sync: &str) -> Tone {
    match sync {
        "Synced" => Tone::Ok,
        "OutOfSync" => Tone::Warn,
        _ => Tone::Unknown,
    }
}

/// The role of a health word.
pub fn health_tone(health: &str) -> Tone {
    match health {
        "Healthy" => Tone::Ok,
        "Progressing" => Tone::Pending,
        "Degraded" => Tone::Error,
        "Missing" => Tone::Warn,
        "Suspended" => Tone::Off,
        _ => Tone::Unknown,
    }
}

/// The role of an operation's phase.
pub fn phase_tone(phase: &str) -> Tone {
    match phase {
        "Running" | "Terminating" => Tone::Pending,
        "Failed" | "Error" => Tone::Error,
        _ => Tone::Dim,
    }
}

/// The verdict, doubted where the comparison behind it is too old.
pub fn judged(app: &Application, limit: Option<SignedDuration>, now: Timestamp) -> State {
    aged(app, verdict(app, now), limit, now).0
}

/// One word for an application, the first of these that holds: being deleted, under operation, in error, degraded,
/// missing, unknown, out of sync, progressing, suspended, last operation failed, good.
pub fn verdict(app: &Application, now: Timestamp) -> State {
    if app.metadata.deletion_timestamp.some().is_some() {
        return State::new("Deleting", Health::Pending);
    }
    if let Some(operation) = app.running() {
        let elapsed = operation.began().map_or(0, |began| seconds_between(began, now));
        let health = if elapsed > 600 { Health::Warning } else { Health::Pending };
        let why = format!("{}, for {}", first_line(&operation.message), short(elapsed));
        let word = if &*operation.phase == "Running" { "Syncing" } else { "Terminating" };
        return State::new(word, health).why(why.trim_start_matches(", "));
    }
    if let Some(error) = app.error() {
        return State::new("Error", Health::Critical).why(format!(
            "{}: {}",
            error.about.as_str(),
            first_line(&error.message)
        ));
    }
    by_health(app, now)
}

fn by_health(app: &Application, now: Timestamp) -> State {
    let (health, sync) = (&*app.status.health.status, &*app.status.sync.status);
    match (health, sync) {
        ("Degraded", _) => State::new("Degraded", Health::Critical).why(culprit(app)),
        ("Missing", _) => State::new("Missing", Health::Warning).why(culprit(app)),
        ("" | "Unknown", _) | (_, "" | "Unknown") => {
            State::new("Unknown", Health::Unknown).why("not compared: nobody knows how it is")
        }
        (_, "OutOfSync") => State::new("OutOfSync", Health::Warning).why(differing(app)),
        ("Progressing", _) => progressing(app, now),
        ("Suspended", _) => State::new("Suspended", Health::Off).why(culprit(app)),
        ("Healthy", _) => by_last_operation(app),
        (other, _) => State::new(other, Health::Unknown),
    }
}

fn progressing(app: &Application, now: Timestamp) -> State {
    let since = app.status.health.last_transition_time.time().map_or(0, |at| seconds_between(at, now));
    if since <= SLOW {
        return State::new("Progressing", Health::Pending).why(culprit(app));
    }
    let why = format!("for {}: {}", short(since), culprit(app));
    State::new("Progressing", Health::Warning).why(why.trim_end_matches(": "))
}

/// Since when the verdict has been what it is; Argo CD does not tell when it began to differ.
pub fn since(app: &Application, word: &str) -> Option<Timestamp> {
    let operation = app.status.operation_state.0.as_ref();
    match word {
        "Deleting" => app.metadata.deletion_timestamp.time(),
        "Syncing" | "Terminating" => operation.and_then(OperationState::began),
        "Error" => app.error().and_then(|error| error.last_transition_time.time()),
        "SyncFailed" => operation.and_then(|operation| operation.finished_at.time()),
        "OutOfSync" | "Stale" => None,
        _ => app.status.health.last_transition_time.time(),
    }
}

fn by_last_operation(app: &Application) -> State {
    match app.status.operation_state.0.as_ref().filter(|op| matches!(&*op.phase, "Failed" | "Error")) {
        Some(op) => State::new("SyncFailed", Health::Warning).why(first_line(&op.message)),
        None => State::new("Healthy", Health::Ok),
    }
}

/// The object that an application's health comes from: the server's own word, else the worst object it keeps.
pub fn culprit(app: &Application) -> String {
    if let Some(message) = app.status.health.message.some() {
        return first_line(message);
    }
    let bad = |word: &str| app.status.resources.iter().find(|resource| &*resource.health.status == word);
    let worst = ["Degraded", "Missing", "Progressing", "Suspended", "Unknown"].into_iter().find_map(bad);
    worst.map_or_else(String::new, |resource| {
        format!("{}: {}", resource.label(), first_line(&resource.health.message))
            .trim_end_matches(": ")
            .to_owned()
    })
}

/// What differs from Git, in one line.
pub fn differing(app: &Application) -> String {
    let mut differing = app.status.resources.iter().filter(|resource| &*resource.status == "OutOfSync");
    let Some(first) = differing.next() else { return String::new() };
    match differing.count() {
        0 => first.label(),
        more => format!("{} and {more} more", first.label()),
    }
}

/// Good news that nobody has confirmed for long is no news.
fn aged(
    app: &Application,
    state: State,
    limit: Option<SignedDuration>,
    now: Timestamp,
) -> (State, Option<Timestamp>) {
    let Some(limit) = limit.filter(|_| state.health == Health::Ok) else { return (state, None) };
    let Some(compared) = app.status.reconciled_at.time() else {
        return (State::new("Stale", Health::Unknown).why("never compared with Git"), None);
    };
    let due = compared.checked_add(limit).unwrap_or(Timestamp::MAX);
    if due > now {
        return (state, Some(due));
    }
    let why =
        format!("last compared {} ago: the controller may be stuck", short(seconds_between(compared, now)));
    (State::new("Stale", Health::Unknown).why(why), None)
}

#[cfg(test)]
#[cfg(feature = "demo")]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn now() -> Timestamp {
        "2026-11-20T03:00:00Z".parse().unwrap()
    }

    fn app(status: &Value) -> Application {
        let mut object = json!({
            "metadata": {"name": "nextcloud", "namespace": "argocd", "uid": "u1",
                "annotations": {"argocd.argoproj.io/sync-wave": "4"}},
            "spec": {"project": "apps", "destination": {"name": "prod", "namespace": "nextcloud"},
                "syncPolicy": {"automated": {"prune": true}}},
            "status": {"sync": {"status": "Synced", "revision": "9c1f0f3b7d7e0c6f4d0a5b1c2e3f405162738495"},
                "health": {"status": "Healthy"}, "reconciledAt": "2026-11-20T02:58:00Z"},
        });
        crate::backend::kubernetes::sim::store::merge(&mut object["status"], status);
        serde_json::from_value(object).unwrap()
    }

    /// Holds the verdicts of statuses to what is expected: word, health, why.
    fn check(cases: &[(Value, &str, Health, &str)]) {
        for (status, word, health, why) in cases {
            let state = verdict(&app(status), now());
            assert_eq!(
                (state.word.as_str(), state.health, state.why.as_str()),
                (*word, *health, *why),
                "{status}"
            );
        }
    }

    #[test]
    fn an_operation_comes_before_an_error_and_an_error_before_health() {
        let running = json!({"phase": "Running", "message": "waiting for healthy state of apps/Deployment/x", "startedAt": "2026-11-20T02:56:00Z"});
        let error = json!([{"type": "OrphanedResourceWarning", "message": "3"}, {"type": "ComparisonError", "message": "rpc error\nmore"}]);
        let failed = json!({"phase": "Failed", "message": "one or more objects failed"});
        check(&[
            (json!({}), "Healthy", Health::Ok, ""),
            (
                json!({"operationState": running, "conditions": error}),
                "Syncing",
                Health::Pending,
                "waiting for healthy state of apps/Deployment/x, for 4m",
            ),
            (json!({"conditions": error}), "Error", Health::Critical, "ComparisonError: rpc error"),
            (json!({"operationState": failed}), "SyncFailed", Health::Warning, "one or more objects failed"),
        ]);
    }

    #[test]
    fn health_comes_before_sync_and_the_culprit_is_named() {
        let objects = json!([{"kind": "Deployment", "namespace": "media", "name": "immich", "status": "OutOfSync",
            "health": {"status": "Degraded", "message": "crash"}}]);
        let progress =
            |since: &str| json!({"health": {"status": "Progressing", "lastTransitionTime": since}});
        let nobody = "not compared: nobody knows how it is";
        check(&[
            (
                json!({"health": {"status": "Degraded"}, "resources": objects}),
                "Degraded",
                Health::Critical,
                "Deployment media/immich: crash",
            ),
            (
                json!({"sync": {"status": "OutOfSync"}, "resources": objects}),
                "OutOfSync",
                Health::Warning,
                "Deployment media/immich",
            ),
            (json!({"sync": {"status": "Unknown"}}), "Unknown", Health::Unknown, nobody),
            (json!({"health": "odd", "sync": 7}), "Unknown", Health::Unknown, nobody),
            (progress("2026-11-20T02:43:00Z"), "Progressing", Health::Warning, "for 17m"),
            (progress("2026-11-20T02:50:00Z"), "Progressing", Health::Pending, ""),
        ]);
    }

    #[test]
    fn nobody_knows_since_when_an_application_differs() {
        let app = app(&json!({"health": {"lastTransitionTime": "2026-11-20T01:00:00Z"},
            "operationState": {"startedAt": "2026-11-20T02:00:00Z", "finishedAt": "2026-11-20T02:01:00Z"}}));
        let hour = |word| since(&app, word).map_or(String::new(), |at| at.to_string()[11..16].to_owned());
        let told = ["Healthy", "Syncing", "SyncFailed", "OutOfSync", "Stale", "Deleting"].map(hour);
        assert_eq!(told, ["01:00", "02:00", "02:01", "", "", ""]);
    }

    #[test]
    fn good_news_grows_stale_when_nobody_compares_any_more() {
        let good = app(&json!({}));
        let limit = Limit::default().get();
        let (state, due) = aged(&good, verdict(&good, now()), limit, now());
        assert_eq!((state.word.as_str(), due), ("Healthy", Some("2026-11-20T03:08:00Z".parse().unwrap())));
        let later = "2026-11-20T03:08:00Z".parse().unwrap();
        let (state, due) = aged(&good, verdict(&good, later), limit, later);
        assert_eq!((state.word.as_str(), state.health, due), ("Stale", Health::Unknown, None));
    }

    #[test]
    fn a_row_belongs_to_where_it_is_delivered() {
        let maker = Maker::new("argo".into(), Domain::Cloud);
        let domains: Domains = vec![("prod".into(), Domain::Home)];
        let row = project(&maker, &"argocd.applications".into(), &domains, None, &app(&json!({})), now()).row;
        assert_eq!(row.domain, Domain::Home);
        assert_eq!(row.id.to_string(), "argocd.applications/argo/argocd/nextcloud");
        let texts: Vec<_> = row.cells.iter().map(|cell| cell.value.as_text().unwrap_or_default()).collect();
        assert_eq!(texts[2..7], ["Synced", "Healthy", "", "9c1f0f3", ""]);
        assert_eq!((row.cell(4).value.as_number(), row.cell(10).value.clone()), (Some(4.0), true.into()));
    }
}

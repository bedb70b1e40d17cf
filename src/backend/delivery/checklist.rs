//! What has to hold before a promotion: each line is a fact with its evidence, and what nobody could look at is blind.

use crate::backend::argocd::wire::short;
use crate::backend::error::first_line;
use crate::backend::kubernetes::custom::systems;
use crate::model::op::{Decision, Evidence, Verdict};
use crate::model::row::{Health, Tone};
use crate::model::time::{seconds_between, short as span};

use super::plan::{self, Plan};
use super::{Delivery, git, pipeline};

/// The kind whose rows are alerts.
const ALERTS: &str = "alerts.alerts";

/// The whole list, added to a verdict.
pub async fn check(desk: &Delivery, plan: &Plan, verdict: Verdict) -> Verdict {
    let verdict = source(desk, plan, verdict);
    let verdict = pipeline::check(desk, plan, verdict).await;
    let verdict = stable(desk, plan, verdict);
    let verdict = target(desk, plan, verdict);
    let verdict = alerts(desk, verdict).await;
    let verdict = backups(desk, plan, verdict).await;
    let verdict = users(desk, plan, verdict).await;
    let verdict = difference(desk, plan, verdict).await;
    let verdict = pipeline::order(desk, plan, verdict).await;
    managed(desk, plan, verdict).await
}

fn no(verdict: Verdict, what: &str, says: String) -> Verdict {
    verdict.and(Decision::Refuse, Evidence::new(what, says, Tone::Error))
}

fn yes(verdict: Verdict, what: &str, says: String) -> Verdict {
    verdict.and(Decision::Allow, Evidence::new(what, says, Tone::Ok))
}

/// The environment before has to run it well, at this very revision.
fn source(desk: &Delivery, plan: &Plan, verdict: Verdict) -> Verdict {
    let app = &plan.source;
    let runs = app.status.sync.revision.as_str();
    let (word, health) = plan::verdict(desk, app);
    let says = format!("{} at {}: {word}", app.metadata.name.as_str(), short(runs));
    if health != Health::Ok {
        return no(verdict, &desk.promotion.from, says);
    }
    if runs != plan.wanted {
        let says = format!("{says}, which is not {}: nobody has run that there", short(&plan.wanted));
        return no(verdict, &desk.promotion.from, says);
    }
    yes(verdict, &desk.promotion.from, says)
}

fn stable(desk: &Delivery, plan: &Plan, verdict: Verdict) -> Verdict {
    let status = &plan.source.status;
    let deployed = status.history.last().and_then(|entry| entry.deployed_at.time());
    let since = [deployed, status.health.last_transition_time.time()].into_iter().flatten().max();
    let Some(since) = since else {
        let fact = Evidence::new("stable", "nobody knows since when", Tone::Unknown);
        return verdict.and(Decision::Blind, fact);
    };
    let held = seconds_between(since, desk.clock.now());
    let needed = i64::try_from(desk.promotion.stable.as_secs()).unwrap_or(i64::MAX);
    let says = format!("for {} of the {} it has to be", span(held), span(needed));
    if held < needed { no(verdict, "stable", says) } else { yes(verdict, "stable", says) }
}

fn target(desk: &Delivery, plan: &Plan, verdict: Verdict) -> Verdict {
    let app = &plan.target.app;
    let (word, health) = plan::verdict(desk, app);
    let says = format!("{} at {}: {word}", app.metadata.name.as_str(), short(plan.runs()));
    if let Some(why) = crate::backend::argocd::occupied(app) {
        return no(verdict, &desk.promotion.to, why);
    }
    if plan.told() == plan.wanted || plan.runs() == plan.wanted {
        return no(verdict, &desk.promotion.to, format!("it runs {} already", short(&plan.wanted)));
    }
    match health {
        Health::Unknown => {
            no(verdict, &desk.promotion.to, format!("{says}; nothing could be followed there"))
        }
        Health::Ok => yes(verdict, &desk.promotion.to, says),
        _ => verdict.and(Decision::Warn, Evidence::new(desk.promotion.to.clone(), says, health.into())),
    }
}

/// Nothing may be on fire; not to know is not to know that nothing is.
async fn alerts(desk: &Delivery, verdict: Verdict) -> Verdict {
    if desk.alerts.is_empty() {
        let fact = Evidence::new("alerts", "no Alertmanager is configured", Tone::Unknown);
        return verdict.and(Decision::Warn, fact);
    }
    let mut critical = Vec::new();
    for backend in &desk.alerts {
        for source in backend.sources().into_iter().filter(|source| source.kinds.contains(&ALERTS.into())) {
            match backend.poll(&source.id).await {
                Ok(list) if list.complete => {
                    let bad = list.rows.into_iter().filter(|row| row.health == Health::Critical);
                    critical.extend(bad.map(|row| row.name.to_string()));
                }
                Ok(_) => {
                    let fact = Evidence::new("alerts", "the list is incomplete", Tone::Unknown);
                    return verdict.and(Decision::Blind, fact);
                }
                Err(error) => {
                    let fact = Evidence::new("alerts", error.to_string(), Tone::Unknown);
                    return verdict.and(Decision::Blind, fact);
                }
            }
        }
    }
    match critical.as_slice() {
        [] => yes(verdict, "alerts", "none is critical".to_owned()),
        [first, rest @ ..] => no(verdict, "alerts", format!("{} critical: {first}", rest.len() + 1)),
    }
}

/// There has to be something to go back to.
async fn backups(desk: &Delivery, plan: &Plan, verdict: Verdict) -> Verdict {
    let unseen = |verdict: Verdict, says: &str| {
        verdict.and(Decision::Warn, Evidence::new("backup", says, Tone::Unknown))
    };
    let Some(cluster) = desk.argo.destination(&plan.target.app.spec.destination) else {
        return unseen(verdict, "its cluster is not configured here");
    };
    match systems::verdict(&cluster, "velero", desk.clock.now()).await {
        Ok(Some(state)) if state.health == Health::Ok => {
            yes(verdict, "backup", "Velero: all is well".to_owned())
        }
        Ok(Some(state)) => no(verdict, "backup", format!("Velero: {} {}", state.word, state.why)),
        Ok(None) => unseen(verdict, "its cluster has no Velero"),
        Err(error) => verdict.and(Decision::Blind, Evidence::new("backup", error.to_string(), Tone::Unknown)),
    }
}

/// Whether users get in now: what fails already would be laid at the promotion's door.
async fn users(desk: &Delivery, plan: &Plan, mut verdict: Verdict) -> Verdict {
    let tried = desk.argo.tried(&plan.target.app).await;
    if tried.is_empty() {
        let says = "no `[[probe]]` is of its hosts: nobody looks whether they get in";
        return verdict.and(Decision::Allow, Evidence::new("users", says, Tone::Unknown));
    }
    for one in tried {
        let decision = if one.health == Health::Ok { Decision::Allow } else { Decision::Warn };
        let says = format!("{}: {}", one.name, one.says);
        verdict = verdict.and(decision, Evidence::new("users", says, one.health.into()));
    }
    verdict
}

/// What would change: commits and images.
async fn difference(desk: &Delivery, plan: &Plan, mut verdict: Verdict) -> Verdict {
    let commit = desk.argo.commit(&plan.source, &plan.wanted).await;
    let words = commit.map(|commit| format!(": {}", first_line(&commit.message))).unwrap_or_default();
    let says = format!("{} -> {}{words}", short(plan.runs()), short(&plan.wanted));
    verdict = verdict.and(Decision::Allow, Evidence::new("revision", says, Tone::Info));
    let told =
        Evidence::new("before", format!("told to run {}; write it down to go back", plan.told()), Tone::Info);
    verdict = verdict.and(Decision::Allow, told);
    let has = |app: &crate::backend::argocd::wire::Application, image: &str| {
        app.status.summary.images.iter().any(|known| known == image)
    };
    let new = plan.source.status.summary.images.iter().filter(|image| !has(&plan.target.app, image));
    for image in new.take(8) {
        verdict = verdict.and(Decision::Allow, Evidence::new("image", format!("+ {image}"), Tone::Info));
    }
    verdict
}

/// An application that is kept in Git is changed there: a patch would be undone, or would lie.
async fn managed(desk: &Delivery, plan: &Plan, verdict: Verdict) -> Verdict {
    let app = &plan.target.app;
    let in_git = pipeline::workflow(desk).is_some();
    if let Some(manager) = app.manager().filter(|_| !in_git) {
        let change = git::change(desk, plan, &manager).await;
        return no(verdict, "Git", format!("{manager} manages it: {change}"));
    }
    if app.auto_sync() {
        return verdict;
    }
    let says = "auto-sync is off: the revision is set, and somebody has to sync it";
    verdict.and(Decision::Warn, Evidence::new("auto-sync", says, Tone::Warn))
}

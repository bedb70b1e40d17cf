//! What happens by itself: containers that crash again, and a little churn where the lab is large.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::lab::{Controller, Lab};
use super::seed::stamp;
use super::store::key_of;

/// How often a crashing container comes back.
const CRASH: SignedDuration = SignedDuration::from_secs(300);

/// How often a hundredth of a large lab changes.
const CHURN: SignedDuration = SignedDuration::from_secs(5);

/// The kubelets of a cluster.
pub struct Kubelet(Mutex<Clockwork>);

struct Clockwork {
    crash: Timestamp,
    churn: Timestamp,
    round: usize,
}

impl Kubelet {
    /// Kubelets that begin now.
    pub fn new(now: Timestamp) -> Self {
        Self(Mutex::new(Clockwork { crash: now + CRASH, churn: now + CHURN, round: 0 }))
    }
}

impl Controller for Kubelet {
    fn tick(&self, lab: &Lab, now: Timestamp) {
        let mut work = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now >= work.crash {
            work.crash = now + CRASH;
            crash(lab, now);
        }
        if now >= work.churn && lab.name == "prod" && lab.extra_pods() > 0 {
            work.churn = now + CHURN;
            work.round += 1;
            churn(lab, work.round);
        }
    }
}

/// Containers in a crash loop are started once more, in vain.
fn crash(lab: &Lab, now: Timestamp) {
    let crashing = |pod: &Value| {
        pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    };
    // A large lab has no crashing pods among its many.
    let pods = lab.store.page("pods", Some("media"), "", 100).0;
    let pods = pods.iter().filter_map(|(_, text)| serde_json::from_str::<Value>(text).ok());
    for pod in pods.filter(crashing) {
        let _ = lab.store.update("pods", &key_of(&pod), |pod| {
            let status = &mut pod["status"]["containerStatuses"][0];
            status["restartCount"] = (status["restartCount"].as_i64().unwrap_or(0) + 1).into();
            status["lastState"]["terminated"]["finishedAt"] = stamp(now).into();
        });
    }
}

/// Every hundredth pod of the load becomes ready or unready.
fn churn(lab: &Lab, round: usize) {
    let (pods, _) = lab.store.page("pods", None, "load-", usize::MAX);
    for (key, _) in pods.iter().filter(|(key, _)| key.starts_with("load-")).skip(round % 100).step_by(100) {
        let _ = lab.store.update("pods", key, |pod| {
            let status = &mut pod["status"]["containerStatuses"][0];
            status["restartCount"] = (status["restartCount"].as_i64().unwrap_or(0) + 1).into();
            status["lastState"] = json!({"terminated": {"reason": "Completed", "exitCode": 0}});
        });
    }
}

//! What is seen of one pinned service: its pods, the address that others see, and its uptime.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::Deserialize;

use crate::backend::error::{ApiError, first_line};
use crate::backend::http::Call;
use crate::backend::kubernetes::resource::PODS;
use crate::backend::lenient::{Flag, Int, List, Maybe, Obj, Text};
use crate::model::snapshot::Layer;

use super::Watched;

/// A pod, as far as its place matters.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Pod {
    pub metadata: Obj<Meta>,
    pub spec: Obj<Spec>,
    pub status: Obj<Status>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Meta {
    pub name: Text,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Spec {
    pub node_name: Text,
    pub node_selector: Maybe<serde_json::Map<String, serde_json::Value>>,
    pub affinity: Maybe<serde_json::Map<String, serde_json::Value>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Status {
    pub phase: Text,
    pub start_time: Text,
    pub container_statuses: List<Container>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Container {
    pub ready: Flag,
    pub restart_count: Int,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Page {
    items: List<Pod>,
}

impl Pod {
    /// Whether it serves.
    pub fn is_ready(&self) -> bool {
        let containers = &self.status.container_statuses;
        &*self.status.phase == "Running"
            && !containers.is_empty()
            && containers.iter().all(|container| container.ready.is_true())
    }

    /// Whether it says where it wants to run.
    pub fn is_bound(&self) -> bool {
        let affinity = self.spec.affinity.0.as_ref().is_some_and(|rules| rules.contains_key("nodeAffinity"));
        self.spec.node_selector.0.as_ref().is_some_and(|selector| !selector.is_empty()) || affinity
    }

    /// How often its containers have been restarted.
    pub fn restarts(&self) -> i64 {
        self.status.container_statuses.iter().map(|container| container.restart_count.or_zero()).sum()
    }
}

/// Something that was to be measured.
#[derive(Debug, Clone, PartialEq)]
pub enum Measured<T> {
    /// It is not configured.
    Not,
    /// It could not be had; why.
    Unknown(String),
    /// It is this.
    Is(T),
}

impl<T> Measured<T> {
    /// What it is, where it is known.
    pub fn known(&self) -> Option<&T> {
        if let Self::Is(value) = self { Some(value) } else { None }
    }
}

/// What is seen of a service.
#[derive(Debug, Clone)]
pub struct Sight {
    /// Its pods.
    pub pods: Vec<Pod>,
    /// The address that others see it come from.
    pub egress: Measured<IpAddr>,
    /// The part of 30 days that it was up.
    pub uptime: Measured<f64>,
}

/// Looks; only the pods must be had.
pub async fn look(watched: &Watched, now: Timestamp) -> Result<Sight, ApiError> {
    let (pods, egress, uptime) =
        futures_util::future::join3(pods(watched), egress(watched, now), uptime(watched, now)).await;
    Ok(Sight { pods: pods?, egress, uptime })
}

async fn pods(watched: &Watched) -> Result<Vec<Pod>, ApiError> {
    let config = &watched.config;
    let cluster = watched.cluster.as_ref().ok_or_else(|| {
        ApiError::new(Layer::Config, format!("no `[[kubernetes]]` is named {}", config.kubernetes))
    })?;
    let page: Page = cluster.get(&PODS.list(Some(&config.namespace))).await?.json()?;
    let belongs = |pod: &Pod| {
        let rest = pod.metadata.name.strip_prefix(config.pod.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    Ok(page.items.0.into_iter().filter(belongs).collect())
}

async fn egress(watched: &Watched, now: Timestamp) -> Measured<IpAddr> {
    let text = match (&watched.page, &watched.config.egress_query) {
        (Some(page), _) => match page {
            Ok(http) => http.read(&Call::get("").limit(1 << 12)).await.map(|reply| first_line(&reply.text())),
            Err(error) => Err(error.clone()),
        },
        (None, Some(query)) => match &watched.prometheus {
            Some(asker) => asker.label(query, "ip", now).await.map(Option::unwrap_or_default),
            None => return Measured::Unknown("no `prometheus` is named to ask".to_owned()),
        },
        (None, None) => return Measured::Not,
    };
    match text.map(|text| text.parse()) {
        Ok(Ok(ip)) => Measured::Is(ip),
        Ok(Err(_)) => Measured::Unknown("what answers is no address".to_owned()),
        Err(error) => Measured::Unknown(error.to_string()),
    }
}

async fn uptime(watched: &Watched, now: Timestamp) -> Measured<f64> {
    let (Some(query), Some(asker)) = (&watched.config.uptime_query, &watched.prometheus) else {
        return Measured::Not;
    };
    match asker.value(query, now).await {
        Ok(Some(part)) => Measured::Is(part),
        Ok(None) => Measured::Unknown("the expression has no series".to_owned()),
        Err(error) => Measured::Unknown(error.to_string()),
    }
}

//! What becomes of a pod when it is to go: who makes it anew, what it loses, whose budget protects it.

use crate::backend::error::ApiError;

use super::super::client::Cluster;
use super::super::resource::{BUDGETS, PODS};
use super::super::watch::encoded;
use super::super::wire::{Budget, Page, Pod};

/// Why a pod is not evicted from a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stays {
    /// A daemon set would put it back at once.
    Daemon,
    /// The kubelet itself runs it.
    Mirror,
    /// It has ended by itself.
    Ended,
}

/// Why a pod is left where it is; `None` where it has to go.
pub fn stays(pod: &Pod) -> Option<Stays> {
    if pod.metadata.annotations.has("kubernetes.io/config.mirror") {
        return Some(Stays::Mirror);
    }
    if pod.metadata.owner_references.iter().any(|owner| &*owner.kind == "DaemonSet") {
        return Some(Stays::Daemon);
    }
    matches!(&*pod.status.phase, "Succeeded" | "Failed").then_some(Stays::Ended)
}

/// Whether it keeps data that dies with it.
pub fn has_scratch(pod: &Pod) -> bool {
    pod.spec.volumes.iter().any(|volume| volume.empty_dir.0.is_some())
}

/// Whether nothing makes it anew.
pub fn is_bare(pod: &Pod) -> bool {
    pod.metadata.owner_references.is_empty()
}

/// `namespace/name`.
pub fn label(pod: &Pod) -> String {
    format!("{}/{}", pod.metadata.namespace.as_str(), pod.metadata.name.as_str())
}

/// The pods of a node.
pub async fn on_node(cluster: &Cluster, node: &str) -> Result<Vec<Pod>, ApiError> {
    let selector = encoded(&format!("spec.nodeName={node}"));
    let page: Page<Pod> =
        cluster.get(&format!("{}?fieldSelector={selector}", PODS.list(None))).await?.json()?;
    Ok(page.items.0)
}

/// All disruption budgets.
pub async fn budgets(cluster: &Cluster) -> Result<Vec<Budget>, ApiError> {
    let page: Page<Budget> = cluster.get(&BUDGETS.list(None)).await?.json()?;
    Ok(page.items.0)
}

/// The budget that protects a pod.
pub fn budget<'a>(pod: &Pod, budgets: &'a [Budget]) -> Option<&'a Budget> {
    budgets.iter().find(|budget| {
        let selects = budget.spec.selector.0.as_ref().is_some_and(|s| s.selects(&pod.metadata.labels));
        selects && *budget.metadata.namespace == *pod.metadata.namespace
    })
}

/// What a budget allows, in words.
pub fn allowance(budget: &Budget) -> String {
    let status = &budget.status;
    format!(
        "{}: {} healthy of {} that have to be, {} may go",
        budget.metadata.name.as_str(),
        status.current_healthy.or_zero(),
        status.desired_healthy.or_zero(),
        status.disruptions_allowed.or_zero()
    )
}

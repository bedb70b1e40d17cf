//! The exact change in Git, where an application is itself kept there and a patch would not last.

use crate::backend::argocd::wire::Application;

use super::Delivery;
use super::plan::Plan;

/// What has to be changed where; a parent that can be read names its folder.
pub async fn change(desk: &Delivery, plan: &Plan, manager: &str) -> String {
    let (wanted, told) = (&plan.wanted, plan.told());
    let name = plan.target.app.metadata.name.as_str();
    let what = format!("spec.source.targetRevision of Application {name}: {told} -> {wanted}");
    let kind = manager.split(' ').next().unwrap_or_default();
    if kind == "ApplicationSet" {
        return format!("in the generator or template of {manager}, {what}");
    }
    let parent = manager.split_once(' ').map_or(manager, |(_, parent)| parent);
    match desk.argo.held(&format!("{}/{parent}", plan.target.app.metadata.namespace.as_str())).await {
        Ok(parent) => format!("in {}, {what}", place(&parent.app)),
        Err(_) => format!("in the folder of {manager}, {what}"),
    }
}

fn place(parent: &Application) -> String {
    let source = parent.spec.source.0.as_ref().or_else(|| parent.spec.sources.first());
    source.map_or_else(String::new, |source| {
        format!("{} {} at {}", &*source.repo_url, &*source.path, &*source.target_revision)
    })
}

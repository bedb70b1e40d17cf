//! A simulated Argo CD in the `cloud` cluster: its resources and controller there, and argocd-server beside it.

pub mod apps;
mod controller;
mod server;

use std::sync::Arc;

use crate::backend::kubernetes::sim::lab::{Lab, Labs};
use crate::backend::sim::{Address, Setting, Simulator, World};

pub use controller::ArgoController;

/// Puts Argo CD into the cluster that it runs in, once.
pub fn install(world: &Arc<World>) -> Option<Arc<Lab>> {
    let lab = Labs::of(world).get("cloud")?.clone();
    world.share(|| {
        apps::fill(&lab, world);
        lab.install(Arc::new(ArgoController::new(world.clock.now())));
        Installed
    });
    Some(lab)
}

/// Marks a world in which Argo CD is installed.
struct Installed;

/// The servers of a world.
pub fn simulators(world: &Arc<World>) -> Vec<Simulator> {
    let Some(lab) = install(world) else { return Vec::new() };
    let token = server::token(&lab);
    let secret = token.clone();
    let mut way = "from = \"cloud\", to = \"prod\", stable = \"2h\"".to_owned();
    way.push_str(", github = \"homelab\", check = \"deploy-dev-ephemeral.yml\"");
    if !lab.flag("argocd.workflow").is_empty() {
        way = format!("{way}, workflow = \"{}\"", lab.flag("argocd.workflow"));
    }
    let settings = move |address: &Address| {
        vec![
            ("name", Setting::Text("argo".to_owned())),
            ("kubernetes", Setting::Text("cloud".to_owned())),
            ("namespace", Setting::Text("argocd".to_owned())),
            ("url", Setting::Text(address.url.clone())),
            ("token", Setting::Secret(secret.clone())),
            ("promote", Setting::Raw(format!("{{ {way} }}"))),
            ("fingerprint", Setting::Text(address.fingerprint.clone().unwrap_or_default())),
        ]
    };
    vec![Simulator {
        server: "argocd".to_owned(),
        tls: true,
        router: server::router(lab, Labs::of(world), token),
        tables: vec![("argocd", Box::new(settings))],
    }]
}

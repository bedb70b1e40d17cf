//! Two simulated API servers, `prod` at home and `cloud`, over TLS with their own authority in the kubeconfig.

pub mod api;
mod crds;
mod discovery;
mod evolve;
pub mod homelab;
pub mod lab;
mod logs;
mod more;
pub mod place;
mod reviews;
pub mod seed;
pub mod store;
mod usage;
mod watching;
mod workloads;

use std::sync::Arc;

use base64::Engine as _;

use crate::backend::sim::{Address, Setting, Simulator, World};

use lab::{Lab, Labs};

/// The API servers of a world.
pub fn simulators(world: &Arc<World>) -> Vec<Simulator> {
    Labs::of(world).all().map(simulator).collect()
}

fn simulator(lab: &Arc<Lab>) -> Simulator {
    let (name, token) = (lab.name, lab.token.clone());
    let domain = if name == "prod" { "home" } else { "cloud" };
    let settings = move |address: &Address| {
        vec![
            ("name", Setting::Text(name.to_owned())),
            ("kubeconfig", Setting::File(kubeconfig(name, &token, address))),
            ("context", Setting::Text(name.to_owned())),
            ("domain", Setting::Text(domain.to_owned())),
        ]
    };
    Simulator {
        server: format!("kubernetes-{name}"),
        tls: true,
        router: api::router(lab.clone()),
        tables: vec![("kubernetes", Box::new(settings))],
    }
}

/// A kubeconfig as Omni writes it for a service account: one context, a token, the authority inline.
pub fn kubeconfig(name: &str, token: &str, address: &Address) -> String {
    let authority =
        base64::engine::general_purpose::STANDARD.encode(address.certificate.as_deref().unwrap_or_default());
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: {name}\nclusters:\n- name: {name}\n  cluster:\n    server: {url}\n    \
         certificate-authority-data: {authority}\ncontexts:\n- name: {name}\n  context:\n    cluster: {name}\n    user: console\n\
         users:\n- name: console\n  user:\n    token: {token}\n",
        url = address.url,
    )
}

//! A page beside the lab's comet that answers with the address it is seen from, and the table that watches it.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::get;

use crate::backend::sim::{Address, Setting, Settings, Simulator, World, lab};

/// The page; the fact `comet-node` names the node that the pod has been moved to.
pub(super) fn all(world: &Arc<World>) -> Vec<Simulator> {
    let settings = |address: &Address| {
        let text = |text: &str| Setting::Text(text.to_owned());
        vec![
            ("name", text("comet")),
            ("kubernetes", text("cloud")),
            ("namespace", text("media")),
            ("node", text("oci-node-1")),
            ("egress", text("198.51.100.10")),
            ("measure", Setting::Raw(format!("{{ url = \"{}\" }}", address.url))),
        ]
    };
    vec![Simulator {
        server: "egress".to_owned(),
        tls: false,
        router: Router::new().route("/", get(address)).with_state(world.clone()),
        tables: vec![("pinned", Box::new(settings) as Settings)],
    }]
}

async fn address(State(world): State<Arc<World>>) -> String {
    let moved = world.get("comet-node");
    let node = match (moved.as_str(), world.scenario.as_str()) {
        ("", "comet-moved") => "oci-node-2",
        ("", _) => "oci-node-1",
        (node, _) => node,
    };
    format!("{}\n", lab::address(node))
}

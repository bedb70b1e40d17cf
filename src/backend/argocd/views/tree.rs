//! The objects of an application and what they made, each with its health: as argocd-server tells, else flat.

use std::collections::{HashMap, HashSet};

use crate::backend::ViewSink;
use crate::backend::error::{ApiError, first_line};
use crate::backend::kubernetes;
use crate::model::id::EntityId;
use crate::model::row::Tone;
use crate::model::view::{Node, Tree, View};

use super::super::Argo;
use super::super::rest::wire::{Node as Wire, Tree as WireTree};
use super::super::rest::{Of, Rest};
use super::super::rows::health_tone;
use super::super::wire::{Application, Resource};
use super::{PACE, shut};

/// Objects that one tree may hold; more are nothing that anybody reads.
const MOST: usize = 5_000;

/// Keeps the tree fresh: followed where the REST API is there, else read from the resource.
pub async fn open(argo: &Argo, path: &str, sink: &ViewSink) -> Result<(), ApiError> {
    let app: Application = kubernetes::read(&argo.cluster, path).await?;
    if let Some(rest) = &argo.rest {
        return follow(argo, rest, &app, path, sink).await;
    }
    loop {
        let app: Application = kubernetes::read(&argo.cluster, path).await?;
        if sink.send(View::Tree(flat(argo, &app))).await.is_err() || shut(sink, PACE).await {
            return Ok(());
        }
    }
}

/// The stream is silent until the next change, so the tree is asked for first.
async fn follow(
    argo: &Argo,
    rest: &Rest,
    app: &Application,
    path: &str,
    sink: &ViewSink,
) -> Result<(), ApiError> {
    let of = Of::new(app);
    let first = rest.tree(&of).await?;
    if sink.send(View::Tree(grown(argo, app, &first))).await.is_err() {
        return Ok(());
    }
    let mut messages = rest.stream(of.streamed("/resource-tree")).await?;
    loop {
        let next = tokio::select! {
            next = messages.next::<WireTree>() => next?,
            () = sink.closed() => return Ok(()),
        };
        let Some(tree) = next else { return Ok(()) };
        // Whether an object is in sync stands in the resource alone.
        let app: Application = kubernetes::read(&argo.cluster, path).await?;
        if sink.send(View::Tree(grown(argo, &app, &tree))).await.is_err() {
            return Ok(());
        }
    }
}

/// The server's nodes in drawing order: what has no parent is managed, the rest hangs below what made it.
pub fn grown(argo: &Argo, app: &Application, tree: &WireTree) -> Tree {
    let mut below: HashMap<&str, Vec<&Wire>> = HashMap::new();
    let known: HashSet<&str> = tree.nodes.iter().filter_map(|node| node.uid.some()).collect();
    let mut roots = Vec::new();
    for node in tree.nodes.iter() {
        match node.parent_refs.iter().find_map(|parent| parent.uid.some().filter(|uid| known.contains(uid))) {
            Some(parent) => below.entry(parent).or_default().push(node),
            None => roots.push(node),
        }
    }
    roots.sort_by_key(|node| (wave(app, node), node.kind.as_str().to_owned(), node.name.as_str().to_owned()));
    let mut nodes = Vec::new();
    for root in roots {
        grow(argo, app, root, 0, &mut below, &mut nodes);
    }
    let orphans = tree
        .orphaned_nodes
        .iter()
        .map(|node| Node { note: "belongs to nobody".to_owned(), ..drawn(argo, app, node, 0) });
    nodes.extend(orphans);
    nodes.truncate(MOST);
    Tree { nodes }
}

fn grow<'n>(
    argo: &Argo,
    app: &Application,
    node: &'n Wire,
    depth: u16,
    below: &mut HashMap<&'n str, Vec<&'n Wire>>,
    nodes: &mut Vec<Node>,
) {
    nodes.push(drawn(argo, app, node, depth));
    // What was drawn is taken out, so that a circle ends.
    let mut children = below.remove(node.uid.as_str()).unwrap_or_default();
    children.sort_by_key(|child| (child.kind.as_str().to_owned(), child.name.as_str().to_owned()));
    for child in children {
        grow(argo, app, child, depth.saturating_add(1), below, nodes);
    }
}

fn resource<'a>(app: &'a Application, node: &Wire) -> Option<&'a Resource> {
    app.status.resources.iter().find(|resource| {
        (&*resource.kind, &*resource.namespace, &*resource.name, &*resource.group)
            == (&*node.kind, &*node.namespace, &*node.name, &*node.group)
    })
}

fn wave(app: &Application, node: &Wire) -> i64 {
    resource(app, node).map_or(0, |resource| resource.sync_wave.or_zero())
}

fn drawn(argo: &Argo, app: &Application, node: &Wire, depth: u16) -> Node {
    let managed = resource(app, node);
    let health = node.health.status.as_str();
    let gone = node.uid.is_empty();
    let differs = managed.is_some_and(|resource| &*resource.status == "OutOfSync");
    let state = match (gone, differs) {
        (true, _) => "Missing".to_owned(),
        (false, true) => format!("{health} OutOfSync").trim().to_owned(),
        (false, false) => health.to_owned(),
    };
    let tone = match (gone, differs, health) {
        (true, ..) | (_, true, "Healthy" | "") => Tone::Warn,
        (.., "") => Tone::Dim,
        (.., health) => health_tone(health),
    };
    let facts = node.info.iter().map(|info| match &*info.name {
        "Status Reason" | "Node" | "Revision" => info.value.as_str().to_owned(),
        "Containers" => format!("{} ready", &*info.value),
        "Restart Count" => format!("{} restarts", &*info.value),
        _ => String::new(),
    });
    let wave = managed.and_then(|resource| resource.sync_wave.0).map(|wave| format!("wave {wave}"));
    let why = first_line(&node.health.message);
    let words = wave.into_iter().chain(facts).chain([why]).filter(|word| !word.is_empty());
    Node {
        depth,
        label: format!("{} {}", node.kind.as_str(), node.name.as_str()),
        state,
        tone,
        note: words.collect::<Vec<_>>().join(" · "),
        id: argo.row_of(app, &node.kind, &node.namespace, &node.name),
    }
}

/// What the resource itself lists, without what its objects made.
fn flat(argo: &Argo, app: &Application) -> Tree {
    let mut resources: Vec<&Resource> = app.status.resources.iter().collect();
    resources.sort_by_key(|resource| (resource.sync_wave.or_zero(), resource.label()));
    let node = |resource: &&Resource| {
        let differs = &*resource.status == "OutOfSync";
        let words = [resource.status.as_str(), resource.health.status.as_str()];
        Node {
            depth: 0,
            label: format!("{} {}", resource.kind.as_str(), resource.name.as_str()),
            state: words.join(" ").trim().to_owned(),
            tone: if differs { Tone::Warn } else { health_tone(&resource.health.status) },
            note: first_line(&resource.health.message),
            id: argo.row_of(app, &resource.kind, &resource.namespace, &resource.name),
        }
    };
    Tree { nodes: resources.iter().map(node).collect() }
}

impl Argo {
    /// The row of an object in the panes of Kubernetes or of Argo CD, where its cluster is configured.
    fn row_of(&self, app: &Application, kind: &str, namespace: &str, name: &str) -> Option<EntityId> {
        if kind == "Application" {
            let key = format!("{namespace}/{name}");
            return Some(EntityId::new(super::kinds::APPLICATIONS, self.settings.name.clone(), key));
        }
        let cluster = self.destination(&app.spec.destination)?;
        kubernetes::row_of(&cluster.settings().name, kind, namespace, name)
    }
}

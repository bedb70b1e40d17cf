//! What can be opened on the things of Argo CD: one application in full, its tree, its difference from Git, its past.

mod compare;
mod describe;
mod diff;
mod history;
mod logs;
mod proof;
mod runtime;
mod tree;
mod users;

use std::time::Duration;

use crate::backend::ViewSink;
use crate::backend::error::ApiError;
use crate::backend::kubernetes::kinds::view;
use crate::backend::kubernetes::watch::Follow as _;
use crate::backend::kubernetes::{self, repeat};
use crate::model::id::EntityId;
use crate::model::kind::{Shape, ViewSpec};
use crate::model::snapshot::Layer;
use crate::model::view::View;

use super::rest::Rest;
use super::wire::Application;
use super::{Argo, kinds, waves};

pub use describe::auto;
pub use users::tried;

/// How often an open view is read again.
const PACE: Duration = Duration::from_secs(3);

/// How often what costs the server a rendering is read again.
const SLOW: Duration = Duration::from_secs(15);

/// The views of an application besides its description.
pub fn of_applications() -> Vec<ViewSpec> {
    vec![
        view("tree", "objects and what they made", Shape::Tree),
        view("diff", "as it is, and as Git wants it", Shape::Doc),
        view("history", "what was deployed, by whom and why", Shape::Doc),
        view("manifests", "what Git makes of it", Shape::Doc),
        view("log", "logs of its pods, also in other clusters", Shape::Log),
        view("yaml", "YAML", Shape::Doc),
    ]
}

/// Keeps a view fresh until it is shut.
pub async fn open(argo: &Argo, id: &EntityId, view: &str, sink: ViewSink) -> Result<(), ApiError> {
    match id.kind.as_str() {
        kinds::WAVES if view == "board" => board(argo, id, &sink).await,
        kinds::WAVES => wave(argo, id, &sink).await,
        kinds::CLUSTERS | kinds::REPOSITORIES => super::places::open(argo, id, &sink).await,
        kinds::APPLICATIONS => application(argo, id, view, sink).await,
        // Everything else is described by what it says itself.
        _ => kubernetes::as_yaml(&argo.cluster, &super::path(id)?, &sink).await,
    }
}

async fn board(argo: &Argo, id: &EntityId, sink: &ViewSink) -> Result<(), ApiError> {
    repeat(sink, PACE, || async {
        let applications = argo.applications.snapshot().await?;
        Ok(View::Board(waves::board(&applications.rows, &id.key)))
    })
    .await
}

async fn wave(argo: &Argo, id: &EntityId, sink: &ViewSink) -> Result<(), ApiError> {
    repeat(sink, PACE, || async {
        let applications = argo.applications.snapshot().await?;
        Ok(View::Doc(waves::doc(&applications.rows, &id.key)))
    })
    .await
}

async fn application(argo: &Argo, id: &EntityId, view: &str, sink: ViewSink) -> Result<(), ApiError> {
    let path = super::path(id)?;
    let (word, options) = view.split_once(' ').unwrap_or((view, ""));
    match word {
        "describe" => {
            let (mut commits, mut users) = (history::Commits::default(), users::Users::default());
            loop {
                let app: Application = kubernetes::read(&argo.cluster, &path).await?;
                let doc = proof::screen(argo, &app, &mut commits, &mut users).await;
                if sink.send(View::Doc(doc)).await.is_err() || shut(&sink, PACE).await {
                    return Ok(());
                }
            }
        }
        "tree" => tree::open(argo, &path, &sink).await,
        "diff" => diff::open(argo, &path, &sink).await,
        "history" => history::open(argo, &path, &sink).await,
        "manifests" => diff::manifests(argo, &path, &sink).await,
        "log" => logs::open(argo, &path, options, &sink).await,
        "yaml" => kubernetes::as_yaml(&argo.cluster, &path, &sink).await,
        _ => Err(ApiError::unsupported(format!("there is no view `{view}` of an application"))),
    }
}

/// Waits for the next look; true where nobody looks any more.
async fn shut(sink: &ViewSink, pace: Duration) -> bool {
    tokio::select! {
        () = tokio::time::sleep(pace) => false,
        () = sink.closed() => true,
    }
}

/// The REST API, or why the view cannot be had without it.
fn rest<'a>(argo: &'a Argo, what: &str) -> Result<&'a Rest, ApiError> {
    argo.rest.as_ref().ok_or_else(|| {
        ApiError::new(Layer::Config, format!("{what}: the resources do not carry it"))
            .hint("give this `[[argocd]]` the `url` and `token` of its REST API")
    })
}

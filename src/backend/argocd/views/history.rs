//! What was deployed: when, by whom, and what the commit says.

use std::collections::HashMap;

use crate::backend::ViewSink;
use crate::backend::error::{ApiError, first_line};
use crate::backend::kubernetes;
use crate::model::kind::Text;
use crate::model::row::{Cell, Tone};
use crate::model::view::{Doc, DocLine, View};

use super::super::Argo;
use super::super::rest::Of;
use super::super::rest::wire::Commit;
use super::super::wire::{Application, History, short};
use super::{SLOW, shut};

/// Commits that were asked for; a commit never changes, so each is asked for once.
#[derive(Default)]
pub struct Commits(HashMap<String, Result<Commit, String>>);

impl Commits {
    /// A commit; the error says why it is not known.
    pub async fn get(&mut self, argo: &Argo, app: &Application, revision: &str) -> Result<Commit, String> {
        if let Some(known) = self.0.get(revision) {
            return known.clone();
        }
        let found = match &argo.rest {
            None => Err("author and message need the REST API".to_owned()),
            Some(_) if revision.is_empty() => Err("no revision".to_owned()),
            Some(rest) => rest.commit(&Of::new(app), revision).await.map_err(|error| error.to_string()),
        };
        self.0.insert(revision.to_owned(), found.clone());
        found
    }
}

/// Keeps the history of an application fresh.
pub async fn open(argo: &Argo, path: &str, sink: &ViewSink) -> Result<(), ApiError> {
    let mut commits = Commits::default();
    loop {
        let app: Application = kubernetes::read(&argo.cluster, path).await?;
        let doc = past(argo, &app, &mut commits).await;
        if sink.send(View::Doc(doc)).await.is_err() || shut(sink, SLOW).await {
            return Ok(());
        }
    }
}

/// The history, the latest first.
async fn past(argo: &Argo, app: &Application, commits: &mut Commits) -> Doc {
    let mut rows = Vec::new();
    let mut missing = None;
    for entry in app.status.history.iter().rev() {
        let commit = commits.get(argo, app, revision(entry)).await;
        missing = missing.or(commit.as_ref().err().cloned());
        rows.push(row(entry, commit.ok().as_ref()));
    }
    let columns = ["id", "revision", "deployed", "by", "author", "message"].map(Text::Borrowed).to_vec();
    let gap = missing.map(|why| DocLine::toned(why, Tone::Unknown));
    let empty = rows.is_empty().then(|| DocLine::toned("nothing was deployed yet", Tone::Dim));
    Doc::default().table("deployed", columns, rows).lines("", gap.into_iter().chain(empty).collect())
}

/// The revision of an entry; the first of several sources.
fn revision(entry: &History) -> &str {
    entry.revision.some().or_else(|| entry.revisions.iter().next()).unwrap_or_default()
}

fn row(entry: &History, commit: Option<&Commit>) -> Vec<Cell> {
    let (author, message) = commit.map_or((String::new(), String::new()), |commit| {
        (commit.author.as_str().to_owned(), first_line(&commit.message))
    });
    vec![
        Cell::new(entry.id.0),
        Cell::new(short(revision(entry)).as_str()),
        Cell::new(entry.deployed_at.time()),
        Cell::new(entry.initiated_by.name()),
        Cell::new(author.as_str()),
        Cell::new(message.as_str()),
    ]
}

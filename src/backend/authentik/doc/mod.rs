//! Descriptions: what matters first, the server's details below, no link and no key ever.

mod application;
mod board;
mod group;
mod invitation;
mod outpost;
mod rest;
mod user;

use std::time::Duration;

use crate::backend::error::ApiError;
use crate::backend::{ViewSink, show_at_pace};
use crate::model::id::EntityId;
use crate::model::row::Value;
use crate::model::view::{Body, Doc, View};

use super::find::Subject;
use super::{Authentik, kinds};

/// How often an open description is read again.
const PACE: Duration = Duration::from_secs(15);

impl Authentik {
    /// Describes a row for as long as somebody looks.
    pub(super) async fn show(&self, id: &EntityId, view: &str, sink: ViewSink) -> Result<(), ApiError> {
        show_at_pace(&sink, PACE, || self.look(id, view)).await
    }

    async fn look(&self, id: &EntityId, view: &str) -> Result<View, ApiError> {
        match (id.kind.as_str(), view) {
            (_, "describe") => Ok(View::Doc(told(self.describe(id).await?))),
            (kinds::ONBOARDING, "board") => Ok(View::Board(self.board().await?)),
            (kinds::EXPOSURE, "matrix") => Ok(View::Matrix(self.exposure_matrix().await?)),
            (kinds::USERS, "leaving") => Ok(View::Doc(self.describe_leaving(&id.key).await?)),
            _ => Err(ApiError::unsupported(format!("{} has no view `{view}`", id.kind))),
        }
    }

    async fn describe(&self, id: &EntityId) -> Result<Doc, ApiError> {
        match id.kind.as_str() {
            kinds::USERS | kinds::SERVICE_ACCOUNTS => self.describe_user(&id.key).await,
            kinds::GROUPS => self.describe_group(&id.key).await,
            kinds::INVITATIONS => self.describe_invitation(id).await,
            kinds::APPLICATIONS => self.describe_application(&id.key).await,
            kinds::OUTPOSTS => self.describe_outpost(&id.key).await,
            kinds::ONBOARDING => match Subject::of(id) {
                Some(Subject::User(pk)) => self.describe_user(pk).await,
                _ => self.describe_row("onboarding", id).await,
            },
            kinds::EXPOSURE if !id.key.starts_with("remark:") => self.describe_application(&id.key).await,
            kinds::EVENTS => self.describe_event(&id.key).await,
            kinds::TOKENS
            | kinds::SESSIONS
            | kinds::DEVICES
            | kinds::FLOWS
            | kinds::TASKS
            | kinds::EXPOSURE => self.describe_row(id.kind.name(), id).await,
            _ => Err(ApiError::unsupported(format!("{} cannot be described", id.kind))),
        }
    }
}

/// Without labels that nothing is said about.
fn told(mut doc: Doc) -> Doc {
    for section in &mut doc.sections {
        match &mut section.body {
            Body::Facts(facts) => facts.retain(|fact| fact.value != Value::Empty),
            Body::Lines(lines) => lines.retain(|line| !line.text.is_empty()),
            Body::Table { .. } | Body::Series(_) => {}
        }
    }
    doc
}

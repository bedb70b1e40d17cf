//! What others may do with an application of this Argo CD: read it, check it, set something under its own version.

use std::time::Duration;

use serde_json::Value;

use crate::backend::error::{ApiError, SendError};
use crate::backend::kubernetes::wire::Page;
use crate::backend::probe::Tried;
use crate::config::Probe;
use crate::model::op::Verdict;

use super::rest::Of;
use super::rest::wire::Commit;
use super::wire::Application;
use super::{APPLICATIONS, Argo, ops, views};

pub use super::ops::Held;

impl Argo {
    /// An application by its key, as the server has it now.
    pub async fn held(&self, key: &str) -> Result<Held, ApiError> {
        ops::read_at(self, key).await
    }

    /// Every application.
    pub async fn all(&self) -> Result<Vec<Application>, ApiError> {
        let path = APPLICATIONS.list(Some(&self.settings.namespace));
        let page: Page<Application> = self.cluster.get(&path).await?.json()?;
        Ok(page.items.0)
    }

    /// Who wrote a revision, and what; needs the REST API.
    pub async fn commit(&self, app: &Application, revision: &str) -> Result<Commit, ApiError> {
        match &self.rest {
            Some(rest) => rest.commit(&Of::new(app), revision).await,
            None => Err(ApiError::unsupported("commits are told by the REST API only")),
        }
    }

    /// Adds whether a sync window is open and the credential may change applications.
    pub async fn allowed(&self, held: &Held, verdict: Verdict) -> Verdict {
        ops::permitted(self, ops::windowed(self, held, verdict).await).await
    }

    /// Adds whether a sync window is open.
    pub async fn in_window(&self, held: &Held, verdict: Verdict) -> Verdict {
        ops::windowed(self, held, verdict).await
    }

    /// Tries the addresses of an application as a stranger; none where nobody configured how.
    pub async fn tried(&self, app: &Application) -> Vec<Tried> {
        views::tried(&self.probes, app).await
    }

    /// Sends a merge patch that only holds for the application as it was read.
    pub async fn set(&self, held: &Held, patch: Value) -> Result<(), SendError> {
        ops::patch(self, held, patch).await
    }

    /// Tries the addresses of its applications as these probes say.
    #[must_use]
    pub fn probing(mut self, probes: Vec<Probe>) -> Self {
        self.probes = probes;
        self
    }

    /// Looks at what is under way at another pace.
    #[must_use]
    pub fn every(mut self, pace: Duration) -> Self {
        self.pace = pace;
        self
    }

    /// How often something under way is looked at.
    pub fn pace(&self) -> Duration {
        self.pace
    }
}

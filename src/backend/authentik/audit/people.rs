//! The people of the audit: counted once, again only where somebody has changed, and a few of them tried.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use jiff::SignedDuration;

use crate::backend::authentik::Authentik;
use crate::backend::authentik::client::{Ask, Listed};
use crate::backend::authentik::exposure::{Census, Grounds, print};
use crate::backend::authentik::roll::Seen;
use crate::backend::authentik::wire::Application;
use crate::backend::error::ApiError;

use super::Frame;

/// Whoever changed within this time before the first of all was read counts as changed since.
const MARGIN: SignedDuration = SignedDuration::from_secs(60);

impl Authentik {
    /// The census: the one that is kept while it holds, else a new one of all users.
    pub(super) async fn census(
        &self,
        frame: &mut Frame,
        told: impl Fn(&Frame, &Seen) + Send,
    ) -> Result<Arc<Census>, ApiError> {
        let mut grounds =
            Grounds { groups: print(&frame.groups), named: frame.named(), ..Grounds::default() };
        let kept = self.known().census.clone();
        if let Some(kept) = kept
            && kept.grounds.groups == grounds.groups
            && kept.grounds.named == grounds.named
            && self.is_as_counted(&kept.grounds).await
        {
            return Ok(kept);
        }
        let users = self.roll.join(&self.client).end(|seen| told(frame, seen)).await?;
        frame.gaps.extend(users.gaps.iter().cloned());
        grounds.count = users.items.len();
        grounds.since = users.server_time.and_then(|at| at.checked_sub(MARGIN).ok());
        let census = Arc::new(Census::take(&users.items, &frame.groups, &frame.family, grounds));
        self.known().census = users.complete().then(|| census.clone());
        Ok(census)
    }

    /// Whether nobody came, went or changed since: the server counts whoever changed later than an instant.
    ///
    /// A release that does not know this filter ignores it and counts all, which reads as a change.
    async fn is_as_counted(&self, grounds: &Grounds) -> bool {
        let Some(since) = grounds.since else { return false };
        let since = since.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let bare = [("include_groups", "false"), ("include_roles", "false")];
        let later = [("last_updated__gt", since.as_str()), bare[0], bare[1]];
        let ask = |filters| Ask::new("/core/users/", "authentik_core.view_user").filtered(filters);
        let (all, later) = (ask(&bare), ask(&later));
        let (all, later) = futures_util::join!(self.client.count(&all), self.client.count(&later));
        matches!((all, later), (Ok(Some(all)), Ok(Some(0))) if all == grounds.count)
    }

    /// Which applications the server itself lets members of the family open: one of each group, a few in all.
    pub(super) async fn measure(
        &self,
        people: &[(i64, String)],
        notes: &mut Vec<String>,
    ) -> BTreeMap<String, Vec<String>> {
        let numbers: Vec<i64> = people.iter().map(|(pk, _)| *pk).collect();
        let asked = stream::iter(numbers).map(|pk| async move { self.may_open(pk).await }).buffered(4);
        let answers: Vec<Result<Listed<Application>, ApiError>> = asked.collect().await;
        let mut measured: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for ((_, name), answer) in people.iter().zip(answers) {
            match answer {
                Ok(open) => {
                    for application in open.items {
                        measured.entry(application.slug.to_string()).or_default().push(name.clone());
                    }
                }
                Err(error) => {
                    notes.push(format!("not measured for {name}: {error}"));
                    break;
                }
            }
        }
        measured
    }

    /// The applications that the server lets a user open; the caller's own where the right is missing, which is why
    /// nothing that only this says is ever taken for closed.
    pub(in crate::backend::authentik) async fn may_open(
        &self,
        pk: i64,
    ) -> Result<Listed<Application>, ApiError> {
        let pk = pk.to_string();
        let filter = [("for_user", pk.as_str())];
        self.client
            .list(&Ask::new("/core/applications/", "authentik_core.view_user_applications").filtered(&filter))
            .await
    }
}

//! The one person that an operation is about, and those whom one could take for that person.

use jiff::Timestamp;

use crate::backend::Proof;
use crate::backend::authentik::Authentik;
use crate::backend::authentik::find::Subject;
use crate::backend::authentik::people::twins;
use crate::backend::authentik::rows::users::{group_names, kind, state};
use crate::backend::authentik::wire::User;
use crate::model::op::{Decision, Evidence, Job, Verdict};
use crate::model::row::Tone;
use crate::model::time::seconds_between;

use super::Stop;

/// The most twins that are shown.
const MOST: usize = 5;

impl Authentik {
    /// The target as the server has it now, with its number; another user name is another person.
    pub(super) async fn person(&self, job: &Job) -> Result<(User, i64), Stop> {
        let user = self.user(Subject::user(&job.target.id)).await.map_err(Stop::blind("user"))?;
        let uuid = job.target.identity.get("uuid");
        if *user.username != *job.target.name || uuid.is_some_and(|uuid| uuid != user.uuid.as_str()) {
            let why = format!("{} is {} now", job.target.id, user.username.as_str());
            return Err(Stop::refused("user", why));
        }
        let pk = user.pk.0.ok_or_else(|| Stop::refused("user", "has no number"))?;
        Ok((user, pk))
    }

    /// Adds to a verdict who it is, and side by side whom it must not be taken for.
    pub(super) async fn portrait(&self, user: &User, verdict: Verdict) -> Result<Verdict, Stop> {
        let users = self.users(&[]).await.map_err(Stop::blind("users"))?;
        let verdict = verdict.and(Decision::Allow, Evidence::new("user", describe(user), Tone::Text));
        let twins = twins(user, &users.items);
        Ok(twins.into_iter().take(MOST).fold(verdict, |verdict, twin| {
            verdict.and(Decision::Warn, Evidence::new("not to be taken for", describe(twin), Tone::Warn))
        }))
    }

    /// An effect that is not there yet may still come for a while after it was sent.
    pub(super) fn weigh(&self, there: bool, says: String, since: Timestamp, look: &str) -> Proof {
        let grace = i64::try_from(self.grace.as_secs()).unwrap_or(i64::MAX);
        match there {
            true => Proof::Seen(says),
            false if seconds_between(since, self.now()) < grace => Proof::Unclear(says, look.to_owned()),
            false => Proof::Absent(says),
        }
    }
}

/// A user in one line: number, name, person, mail domain, kind, state and groups.
pub fn describe(user: &User) -> String {
    let domain = user.email.split_once('@').map_or("no mail", |(_, domain)| domain);
    let groups = group_names(user);
    let groups = if groups.is_empty() { "no groups".to_owned() } else { groups.join(", ") };
    let pk = user.pk.0.map_or_else(|| "?".to_owned(), |pk| pk.to_string());
    let (name, person) = (user.username.as_str(), user.name.as_str());
    format!(
        "{name} (number {pk}, {person}, {domain}, {}, {}): {groups}",
        kind(&user.kind),
        state(user, 0).word
    )
}

//! What became of invitations that are gone. A single-use invitation is deleted when its link is opened, so that its
//! absence proves nothing: only events tell whether it was opened, revoked, or ran out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::seal::seal;
use super::wire::Event;

/// The user that the server gives to whoever is not logged in.
const NOBODY: &str = "AnonymousUser";

/// How the story of an invitation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Its link was opened, and this user came of it.
    Used(String),
    /// Its link was opened, and nobody enrolled.
    Burnt,
    /// Somebody deleted it.
    Revoked(String),
    /// It ran out; the cleaner leaves no event.
    Expired,
}

/// An invitation that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate {
    /// The digest of its key.
    pub seal: String,
    /// Its name.
    pub name: String,
    /// Who made it, as the server knows.
    pub by: String,
    /// When it was made.
    pub made: Option<Timestamp>,
    /// When its link was opened, or when it was deleted.
    pub ended: Option<Timestamp>,
    /// How it ended; whether anybody enrolled is not known here.
    pub end: End,
}

/// Everything that events tell of invitations.
#[derive(Debug, Clone, Default)]
pub struct Trail {
    by_seal: BTreeMap<String, Traces>,
}

#[derive(Debug, Clone, Default)]
struct Traces {
    name: Option<String>,
    by: String,
    made: Option<Timestamp>,
    opened: Option<Timestamp>,
    deleted: Option<(Timestamp, String)>,
}

impl Trail {
    /// Reads events in any order.
    pub fn new<'e>(events: impl IntoIterator<Item = &'e Event>) -> Self {
        let mut trail = Self::default();
        for event in events {
            trail.read(event);
        }
        trail
    }

    fn read(&mut self, event: &Event) {
        let (Some(key), Some(at)) = (event.invitation_key(), event.created.time()) else { return };
        let traces = self.by_seal.entry(seal(&key)).or_default();
        traces.name = event.invitation().or_else(|| traces.name.take());
        let who = event.user.username.as_str();
        match event.action.as_str() {
            "model_created" => {
                traces.made = Some(at);
                who.clone_into(&mut traces.by);
            }
            "invitation_used" => traces.opened = traces.opened.max(Some(at)),
            "model_deleted" if who != NOBODY => traces.deleted = Some((at, who.to_owned())),
            _ => {}
        }
    }

    /// When an invitation was made.
    pub fn made(&self, seal: &str) -> Option<Timestamp> {
        self.by_seal.get(seal)?.made
    }

    /// When the link of an invitation was opened.
    pub fn opened(&self, seal: &str) -> Option<Timestamp> {
        self.by_seal.get(seal)?.opened
    }

    /// The name of an invitation.
    pub fn name(&self, seal: &str) -> Option<&str> {
        self.by_seal.get(seal)?.name.as_deref()
    }

    /// Those that are not among the living and ended since an instant, the newest first. Whoever enrolled is still to be found.
    pub fn gone(&self, living: &BTreeSet<String>, since: Timestamp) -> Vec<Fate> {
        let gone = self.by_seal.iter().filter(|(seal, _)| !living.contains(*seal));
        let mut fates: Vec<Fate> = gone.filter_map(|(seal, traces)| traces.fate(seal)).collect();
        fates.retain(|fate| fate.ended.or(fate.made).is_some_and(|at| at >= since));
        fates.sort_by_key(|fate| std::cmp::Reverse(fate.ended.or(fate.made)));
        fates
    }
}

impl Traces {
    fn fate(&self, seal: &str) -> Option<Fate> {
        let name = self.name.clone()?;
        let (end, ended) = match (&self.opened, &self.deleted) {
            (Some(at), _) => (End::Burnt, Some(*at)),
            (None, Some((at, who))) => (End::Revoked(who.clone()), Some(*at)),
            (None, None) => (End::Expired, None),
        };
        Some(Fate { seal: seal.to_owned(), name, by: self.by.clone(), made: self.made, ended, end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(action: &str, who: &str, minute: i64, context: &str) -> Event {
        let at = Timestamp::from_second(1_790_000_000 + 60 * minute).unwrap();
        let json = format!(
            r#"{{"pk":"e","action":"{action}","created":"{at}","user":{{"username":"{who}"}},"context":{context}}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    fn model(key: &str, name: &str) -> String {
        format!(r#"{{"model":{{"model_name":"invitation","pk":"{key}","name":"{name}"}}}}"#)
    }

    #[test]
    fn what_became_of_each_invitation_is_told_by_its_events() {
        let keys = ["a", "b", "c", "d"].map(|c| c.repeat(32));
        let mut events: Vec<Event> = keys
            .iter()
            .zip(["opened", "revoked", "expired", "alive"])
            .map(|(key, name)| event("model_created", "ops", 0, &model(key, name)))
            .collect();
        events.push(event("invitation_used", NOBODY, 5, &format!(r#"{{"invitation_uuid":"{}"}}"#, keys[0])));
        events.push(event("model_deleted", NOBODY, 5, &model(&keys[0], "opened")));
        events.push(event("model_deleted", "ada", 6, &model(&keys[1], "revoked")));
        let living = [seal(&super::super::seal::dashed(&keys[3]))].into();
        let trail = Trail::new(&events);
        let ends: BTreeMap<String, End> = trail
            .gone(&living, Timestamp::UNIX_EPOCH)
            .into_iter()
            .map(|fate| (fate.name, fate.end))
            .collect();
        let expected = [
            ("opened".to_owned(), End::Burnt),
            ("revoked".to_owned(), End::Revoked("ada".to_owned())),
            ("expired".to_owned(), End::Expired),
        ];
        assert_eq!(ends, expected.into());
        assert!(trail.gone(&living, Timestamp::MAX).is_empty());
    }

    #[test]
    fn an_opened_one_of_which_nobody_knows_the_name_is_nobodys_row() {
        let opened =
            event("invitation_used", NOBODY, 5, &format!(r#"{{"invitation_uuid":"{}"}}"#, "a".repeat(32)));
        assert!(Trail::new([&opened]).gone(&BTreeSet::new(), Timestamp::UNIX_EPOCH).is_empty());
    }
}

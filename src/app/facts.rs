//! What the console knows and how it looks: the two things that every component is allowed to see.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::config::keymap::Keymap;
use crate::config::theme::Theme;
use crate::insight::digest::Digest;
use crate::insight::lookout;
use crate::model::id::EntityId;
use crate::model::kind::Kinds;
use crate::model::ledger::Ledger;
use crate::model::op::{Operations, Rights};
use crate::model::row::Row;
use crate::model::store::Store;
use crate::ui::component::Ctx;

/// Facts from servers, and what can be asked of them.
#[derive(Debug, Default)]
pub struct Facts {
    /// Rows by source.
    pub store: Store,
    /// All kinds.
    pub kinds: Kinds,
    /// All operations.
    pub operations: Operations,
    /// What the credentials may do, by backend and instance.
    pub rights: HashMap<(Arc<str>, Arc<str>), Rights>,
    /// What is pinned, was changed lately, and ends tonight.
    pub digest: Digest,
}

impl Facts {
    /// What the credential of a row's instance may do, where it is known.
    pub fn rights_on(&self, id: &EntityId) -> Option<&Rights> {
        self.rights.get(&(Arc::from(id.kind.backend()), id.instance.clone()))
    }

    /// What the look-out works with at an instant.
    pub fn sight<'a>(&'a self, runs: &'a Ledger, now: Timestamp) -> lookout::Facts<'a> {
        lookout::Facts { store: &self.store, kinds: &self.kinds, runs, now }
    }

    /// The rows behind ids, in their order; those that are gone are left out.
    pub fn rows(&self, ids: &[EntityId]) -> Vec<Arc<Row>> {
        ids.iter().filter_map(|id| self.store.get(id).cloned()).collect()
    }
}

/// How it looks, and what changes while it runs.
#[derive(Debug)]
pub struct Look {
    /// The styles.
    pub theme: Theme,
    /// The keys.
    pub keymap: Keymap,
    /// ASCII instead of other glyphs.
    pub ascii: bool,
    /// Whether wide columns are shown.
    pub wide: bool,
    /// The instant of the message that is handled.
    pub now: Timestamp,
    /// The time zone that clock times are written in.
    pub zone: TimeZone,
    /// Until when writes are armed.
    pub armed_until: Option<Timestamp>,
}

impl Look {
    /// What components may look at.
    pub fn ctx<'a>(&'a self, facts: &'a Facts) -> Ctx<'a> {
        Ctx {
            store: &facts.store,
            kinds: &facts.kinds,
            operations: &facts.operations,
            rights: &facts.rights,
            digest: &facts.digest,
            theme: &self.theme,
            keymap: &self.keymap,
            now: self.now,
            zone: &self.zone,
            armed_until: self.armed_until,
            ascii: self.ascii,
            wide: self.wide,
        }
    }

    /// True while writes may be sent.
    pub fn armed(&self) -> bool {
        self.armed_until.is_some_and(|until| until > self.now)
    }
}

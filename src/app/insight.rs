//! The look-out inside the machine: facts go in as they change, what it finds goes back into the store as rows.

use crate::insight::kinds::{JOURNAL, PROBLEMS, TIMELINE, VIGIE};
use crate::insight::lookout::{self, Lookout};
use crate::model::id::{EntityId, SourceId};
use crate::model::snapshot::{Fault, Layer};
use crate::model::store::Changes;
use crate::model::view::View;

use super::App;
use super::effect::Effect;
use super::msg::ViewId;
use super::places::PlaceKey;

impl App {
    /// A source has answered: links, problems and what is shown of them follow.
    pub(super) fn look_out(&mut self, source: &SourceId, changes: &Changes) {
        let facts = lookout::Facts {
            store: &self.facts.store,
            kinds: &self.facts.kinds,
            runs: &self.ledger,
            now: self.look.now,
        };
        self.lookout.take(source, changes, facts);
        self.look_again();
    }

    /// Evaluates what may differ, and puts the rows of insight into the store.
    pub(super) fn look_again(&mut self) {
        let facts = lookout::Facts {
            store: &self.facts.store,
            kinds: &self.facts.kinds,
            runs: &self.ledger,
            now: self.look.now,
        };
        let mut updates = Vec::new();
        updates.extend(self.lookout.evaluate(facts));
        match self.insight_in_front() {
            Some(TIMELINE) => updates.push(self.lookout.timeline(facts)),
            Some(JOURNAL) => updates.push(self.lookout.journal_rows(facts)),
            _ => {}
        }
        for update in updates {
            self.facts.store.apply(update);
        }
        if self.facts.digest != *self.lookout.digest() {
            self.facts.digest = self.lookout.digest().clone();
        }
        self.renew_page();
    }

    /// The kind of insight whose rows are in front of the operator and are only then kept up to date.
    fn insight_in_front(&self) -> Option<&'static str> {
        let kind = match self.places.key() {
            PlaceKey::Kind { kind, .. } => kind,
            PlaceKey::View { id, .. } => &id.kind,
            _ => return None,
        };
        [TIMELINE, JOURNAL].into_iter().find(|known| kind.as_str() == *known)
    }

    /// `!`: problems by cause.
    pub(super) fn open_problems(&mut self) -> Vec<Effect> {
        self.browse(&PROBLEMS.into(), "")
    }

    /// `t`: what happened around the selected row; on the time line itself, and without a row, everything.
    pub(super) fn open_timeline(&mut self) -> Vec<Effect> {
        let here = matches!(self.places.key(), PlaceKey::Kind { kind, .. } if kind.as_str() == TIMELINE);
        let row = self.selected().filter(|_| !here).and_then(|id| self.facts.store.get(&id).cloned());
        let facts = lookout::Facts {
            store: &self.facts.store,
            kinds: &self.facts.kinds,
            runs: &self.ledger,
            now: self.look.now,
        };
        self.lookout.look_at(row.as_deref(), facts);
        let effects = self.browse(&TIMELINE.into(), "");
        self.look_again();
        self.sync_pane();
        self.redrawn(effects)
    }

    /// Opens a view: the console's own pages are made here, everything else is asked of its backend.
    pub(super) fn open(&mut self, view: ViewId, id: EntityId, name: String, after: u64) -> Vec<Effect> {
        if id.kind.backend() == VIGIE {
            return Vec::new();
        }
        vec![Effect::Open { view, id, name, after }]
    }

    /// The page of one of insight's own rows, made anew from what is known now.
    pub(super) fn renew_page(&mut self) {
        let PlaceKey::View { id, .. } = self.places.key() else { return };
        if id.kind.backend() != VIGIE {
            return;
        }
        let id = id.clone();
        let body = self.page(&id);
        self.places.pane_mut().set_view(body);
    }

    /// The page of one of insight's own rows.
    pub(super) fn page(&self, id: &EntityId) -> Result<View, Fault> {
        let facts = lookout::Facts {
            store: &self.facts.store,
            kinds: &self.facts.kinds,
            runs: &self.ledger,
            now: self.look.now,
        };
        let own = self.lookout.page(id, facts);
        let row = || {
            let kind = self.facts.kinds.get(&id.kind)?;
            Some(crate::ui::detail::cells(kind, self.facts.store.get(id)?))
        };
        own.or_else(row)
            .map(View::Doc)
            .ok_or_else(|| Fault::new(Layer::App, "it is over: nothing of it is known any more"))
    }

    /// The look-out, for whoever tells of it.
    pub(super) fn lookout(&self) -> &Lookout {
        &self.lookout
    }
}

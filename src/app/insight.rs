//! The look-out inside the machine: facts go in as they change, what it finds goes back into the store as rows.

use crate::insight::kinds::{CONSOLE, HANDOVER, JOURNAL, PROBLEMS, TIMELINE, is_insight};
use crate::insight::lookout::{self, Lookout};
use crate::insight::{diagnose, handover, presence};
use crate::model::action::Action;
use crate::model::id::{EntityId, SourceId};
use crate::model::op::{Evidence, Targets};
use crate::model::row::Tone;
use crate::model::store::Changes;
use crate::ui::toast::Toast;

use super::App;
use super::effect::Effect;
use super::msg::ViewId;
use super::overlay::{Overlay, Remedy};
use super::places::PlaceKey;

impl App {
    /// A source has answered: links, problems and what is shown of them follow.
    pub(super) fn look_out(&mut self, source: &SourceId, changes: &Changes) {
        let facts = self.facts.sight(&self.ledger, self.look.now);
        self.lookout.take(source, changes, facts);
        self.look_home();
        // An answer that says what is known already costs nothing more.
        if !changes.is_empty() || self.lookout.is_due(self.sight()) {
            self.look_again();
        }
    }

    /// Evaluates what may differ, and puts the rows of insight into the store.
    pub(super) fn look_again(&mut self) {
        let facts = self.facts.sight(&self.ledger, self.look.now);
        let mut updates = Vec::new();
        updates.extend(self.lookout.evaluate(facts));
        let over = self.lookout.newly_over();
        match self.insight_in_front() {
            Some(TIMELINE) => updates.push(self.lookout.timeline(facts)),
            Some(JOURNAL) => updates.push(self.lookout.journal_rows(facts)),
            _ => {}
        }
        for update in updates {
            self.facts.store.apply(update);
        }
        for over in over {
            if over.critical {
                self.tell(Tone::Ok, over.words());
            } else {
                self.notices.add(self.look.now, Tone::Ok, over.words());
            }
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
        let facts = self.facts.sight(&self.ledger, self.look.now);
        self.lookout.look_at(row.as_deref(), facts);
        let effects = self.browse(&TIMELINE.into(), "");
        self.look_again();
        self.sync_pane();
        self.redrawn(effects)
    }

    /// Opens a view: the console's own pages are made here, everything else is asked of its backend.
    pub(super) fn open(view: ViewId, id: EntityId, name: String) -> Option<Effect> {
        let own = is_insight(&id.kind);
        (!own).then_some(Effect::Open { view, id, name, after: 0 })
    }

    /// `S`: the shift on one page.
    pub(super) fn open_handover(&mut self) -> Vec<Effect> {
        let id = EntityId::new(HANDOVER, CONSOLE, "hand-over");
        self.go(PlaceKey::View { id, name: "describe".to_owned() })
    }

    /// The page of the shift.
    pub(super) fn handover(&self) -> handover::Page {
        handover::page(&self.lookout, self.sight(), handover::SHIFT, self.look.armed_until)
    }

    /// On the page of the shift, copying means Markdown.
    pub(super) fn copy_handover(&self, action: &Action) -> Option<Vec<Effect>> {
        let here = matches!(self.places.key(), PlaceKey::View { id, .. } if id.kind.as_str() == HANDOVER);
        if !here || !matches!(action, Action::CopyRow | Action::CopyCell) {
            return None;
        }
        let text = self.handover().markdown();
        Some(vec![Effect::Copy { text, what: "hand-over".to_owned() }])
    }

    /// The thing that an event of the time line is about.
    pub(super) fn told_of(&self, id: &EntityId) -> Option<EntityId> {
        if id.kind.as_str() != TIMELINE {
            return None;
        }
        let about = self.facts.store.get(id)?.identity.get("about").and_then(EntityId::parse)?;
        self.facts.store.get(&about).map(|row| row.id.clone())
    }

    /// Who else is seen at work on a thing.
    pub(super) fn others_at(&self, target: &EntityId) -> Vec<Evidence> {
        presence::others(target, &self.operator, &self.lookout, self.sight())
    }

    /// What may be done about a problem.
    pub(super) fn pick_remedy(&mut self, id: &EntityId) -> Vec<Effect> {
        let Some(row) = self.facts.store.get(id).cloned() else { return Vec::new() };
        let looks = diagnose::looks_for(&row, &self.looks, &self.lookout, self.sight());
        let things = diagnose::operable(&row, &looks, &self.lookout, self.sight());
        let mut remedies = Vec::new();
        for thing in things.into_iter().chain([row.clone()]) {
            let rights = self.facts.rights_on(&thing.id);
            for op in self.facts.operations.on(&thing.id.kind) {
                if op.targets == Targets::Any && thing.id != row.id {
                    continue;
                }
                let missing = rights.and_then(|rights| rights.missing.get(&*op.name)).cloned();
                remedies.push(Remedy { op: op.clone(), on: thing.clone(), missing });
            }
        }
        self.overlays.push(Overlay::remedies(&row.name, remedies));
        Vec::new()
    }

    /// Rings and tells, once per burst, of what is new, critical and nobody's.
    pub(super) fn ring(&mut self) -> Vec<Effect> {
        let seen = self.lookout.has_seen(&self.facts.store);
        let Some(text) = self.alarm.check(self.lookout.problems(), seen, self.look.now) else {
            return Vec::new();
        };
        // What went wrong with the operator's own doing is not covered by news: those stand on the overview too.
        let covers = |toast: &Toast| toast.is_shown(self.look.now) && toast.is_bad();
        if self.toast.as_ref().is_some_and(covers) {
            self.notices.add(self.look.now, Tone::Error, text.clone());
        } else {
            self.tell(Tone::Error, text.clone());
        }
        if self.quiet { Vec::new() } else { vec![Effect::Bell, Effect::Notify(text)] }
    }

    /// What the look-out works with.
    pub(super) fn sight(&self) -> lookout::Facts<'_> {
        self.facts.sight(&self.ledger, self.look.now)
    }

    /// The look-out, for whoever tells of it.
    pub(super) fn lookout(&self) -> &Lookout {
        &self.lookout
    }
}

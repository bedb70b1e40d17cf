//! Views that are opened and shut by where the operator is: the one of this place, and the detail beside a list.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::model::row::Row;

use super::App;
use super::effect::Effect;
use super::msg::ViewId;
use super::pane::Pane;
use super::places::PlaceKey;

/// How long the cursor has to rest before the detail turns to its row.
const REST: SignedDuration = SignedDuration::from_millis(80);

/// The description beside a list.
#[derive(Debug)]
pub(super) struct Detail {
    /// The view that feeds it.
    pub view: ViewId,
    /// The row that it describes, as it was when the description was asked for.
    pub row: Arc<Row>,
}

impl App {
    /// The cursor moved: the detail follows once it rests, so that a held key costs no repaint of it.
    pub(super) fn follow_selection(&mut self) {
        if matches!(self.places.pane(), Pane::Browser(_)) {
            self.rests_at = Some(self.look.now.checked_add(REST).unwrap_or(self.look.now));
        }
    }

    /// The cursor has rested: the detail turns to its row and asks for the description.
    pub(super) fn settle(&mut self) -> Vec<Effect> {
        if self.rests_at.is_none_or(|at| at > self.look.now) {
            return Vec::new();
        }
        self.rests_at = None;
        let Pane::Browser(browser) = self.places.pane_mut() else { return Vec::new() };
        if !browser.settle() {
            return Vec::new();
        }
        let wanted = browser.detailed().cloned();
        let mut effects = self.shut_detail();
        if let Some(row) = wanted.and_then(|id| self.facts.store.get(&id).cloned()) {
            if crate::insight::kinds::is_insight(&row.id.kind) {
                let page = self.page(&row.id);
                self.places.pane_mut().describe(&row.id, page);
            }
            effects.extend(self.ask_detail(row));
        }
        self.redrawn(effects)
    }

    fn ask_detail(&mut self, row: Arc<Row>) -> Option<Effect> {
        let view = self.next_view();
        let id = row.id.clone();
        self.detail = Some(Detail { view, row });
        Self::open(view, id, "describe".to_owned())
    }

    /// What is described became another thing than it was: the description is asked for anew, so that it never contradicts
    /// the list beside it. What only counts on, as a load does, is no reason.
    pub(super) fn renew_detail(&mut self) -> Vec<Effect> {
        let Some(detail) = &self.detail else { return Vec::new() };
        let Some(row) = self.facts.store.get(&detail.row.id) else { return Vec::new() };
        let told = |row: &Row| (row.health, row.cell(0).value.clone());
        if told(row) == told(&detail.row) {
            return Vec::new();
        }
        let row = row.clone();
        let mut effects = self.shut_detail();
        effects.extend(self.ask_detail(row));
        effects
    }

    fn shut_detail(&mut self) -> Vec<Effect> {
        self.detail.take().map(|detail| Effect::Shut(detail.view)).into_iter().collect()
    }

    /// Opens the view of the place that was arrived at, and shuts those of places that were left.
    pub(super) fn reopen(&mut self) -> Vec<Effect> {
        let here = match self.places.key() {
            PlaceKey::View { id, name } => Some((id.clone(), name.clone())),
            _ => None,
        };
        let mut effects = self.shut_detail();
        effects.extend(self.end_diagnosis());
        effects.extend(self.places.all_mut().filter_map(|pane| pane.feed(None)).map(Effect::Shut));
        if let Some((id, name)) = here {
            let view = self.next_view();
            self.places.pane_mut().feed(Some(view));
            effects.extend(self.diagnose(view, &id, &name));
            effects.extend(Self::open(view, id, name));
            self.renew_page();
        }
        effects
    }
}

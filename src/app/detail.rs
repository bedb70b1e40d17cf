//! Views that are opened and shut by where the operator is: the one of this place, and the detail beside a list.

use jiff::SignedDuration;

use crate::model::id::EntityId;

use super::App;
use super::effect::Effect;
use super::msg::ViewId;
use super::pane::Pane;
use super::places::PlaceKey;

/// How long the cursor has to rest before the detail turns to its row.
const REST: SignedDuration = SignedDuration::from_millis(80);

/// The description beside a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Detail {
    /// The view that feeds it.
    pub view: ViewId,
    /// The row that it describes.
    pub id: EntityId,
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
        if let Some(id) = wanted.filter(|id| self.facts.store.get(id).is_some()) {
            let view = self.next_view();
            self.detail = Some(Detail { view, id: id.clone() });
            if crate::insight::kinds::is_insight(&id.kind) {
                let page = self.page(&id);
                self.places.pane_mut().describe(&id, page);
            }
            effects.extend(Self::open(view, id, "describe".to_owned()));
        }
        self.redrawn(effects)
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

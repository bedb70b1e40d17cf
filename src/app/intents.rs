//! Keys and pasted text, on their way to whoever has a use for them: the top layer, the pane, the console.

use crate::config::key::Key;
use crate::model::action::{Action, Context};
use crate::ui::component::{Component, Outcome};

use super::App;
use super::effect::Effect;
use super::route::Routed;

impl App {
    /// A key: through the focused context to an action.
    pub(super) fn on_key(&mut self, key: Key, repeat: bool) -> Vec<Effect> {
        let focus = self.focus();
        let (context, text) = (focus.context(), focus.takes_text());
        // A decision is never made by a key that is held down from before it was asked for.
        if repeat && context == Context::Confirm {
            return Vec::new();
        }
        let began = !self.router.choices().0.is_empty();
        match self.router.key(key, context, text, &self.look.keymap) {
            Routed::Action(action) => {
                self.dirty |= began;
                self.act(&action)
            }
            Routed::Pending => self.redrawn(Vec::new()),
            Routed::Nothing => {
                self.dirty |= began;
                Vec::new()
            }
        }
    }

    /// Pasted text: text for a field, and nothing for anything else.
    pub(super) fn on_paste(&mut self, text: String) -> Vec<Effect> {
        if self.focus().takes_text() { self.act(&Action::Paste(text)) } else { Vec::new() }
    }

    /// An intent, from wherever it came.
    pub(super) fn act(&mut self, action: &Action) -> Vec<Effect> {
        if self.overlays.is_empty()
            && let Some(effects) = self.copy_handover(action)
        {
            return effects;
        }
        let ctx = self.look.ctx(&self.facts);
        let modal = !self.overlays.is_empty();
        let outcome = match self.overlays.last_mut() {
            Some(overlay) => overlay.component_mut().on(action, &ctx),
            None => self.places.pane_mut().component_mut().on(action, &ctx),
        };
        match outcome {
            Outcome::Consumed => {
                self.after(action);
                self.preview_soon();
                self.redrawn(Vec::new())
            }
            Outcome::Emit(requests) => {
                let effects = requests.into_iter().flat_map(|request| self.grant(request)).collect();
                self.redrawn(effects)
            }
            Outcome::Ignored if modal => self.perform_over(action),
            Outcome::Ignored => self.perform(action),
        }
    }

    /// The component with the focus.
    pub(super) fn focus(&self) -> &dyn Component {
        match self.overlays.last() {
            Some(overlay) => overlay.component(),
            None => self.places.pane().component(),
        }
    }
}

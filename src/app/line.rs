//! The command line, the finder and help: layers that are opened by a key and fed from what the console knows.

use crate::model::action::Action;
use crate::ui::palette::{Candidate, Palette};

use super::App;
use super::command;
use super::effect::Effect;
use super::overlay::Overlay;
use super::places::PlaceKey;

impl App {
    /// `:` opens the command line.
    pub(super) fn open_palette(&mut self) -> Vec<Effect> {
        self.overlays.push(Overlay::Palette(Palette::new(":", self.history.clone())));
        self.complete_palette();
        Vec::new()
    }

    /// Ctrl-p opens the finder.
    pub(super) fn open_finder(&mut self) -> Vec<Effect> {
        self.overlays.push(Overlay::Find(Box::default()));
        Vec::new()
    }

    /// `?` explains the keys of what has the focus.
    pub(super) fn open_help(&mut self) -> Vec<Effect> {
        let kind = match self.places.key() {
            PlaceKey::Kind { kind, .. } => self.facts.kinds.get(kind).cloned(),
            _ => None,
        };
        let context = self.focus().context();
        self.overlays.push(Overlay::help(context, kind));
        Vec::new()
    }

    /// Finds completions anew once the line was changed by typing.
    pub(super) fn complete_palette(&mut self) {
        let Some(Overlay::Palette(palette)) = self.overlays.last_mut() else { return };
        let found =
            command::complete(palette.text(), &self.facts.kinds, &self.facts.operations, &self.themes);
        let candidates = found.into_iter().map(|found| Candidate { text: found.line, doc: found.doc });
        palette.set_candidates(candidates.collect());
    }

    /// A typed line was not understood: it stays, with the reason, to be corrected.
    pub(super) fn refuse_line(&mut self, line: &str, why: &str) {
        let mut palette = Palette::new(":", self.history.clone()).with(line);
        palette.refuse(why);
        self.overlays.push(Overlay::Palette(palette));
    }

    /// Completions are found anew after anything but a step through them.
    pub(super) fn after(&mut self, action: &Action) {
        if !matches!(action, Action::Complete | Action::CompleteBack) {
            self.complete_palette();
        }
    }

    /// Takes the top layer away, and what it was preparing with it.
    pub(super) fn close_overlay(&mut self) -> Vec<Effect> {
        self.cancelled()
    }
}

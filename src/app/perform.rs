//! The actions that belong to the console itself, whichever pane is open.

use jiff::SignedDuration;

use crate::model::action::Action;
use crate::model::id::{EntityId, KindId};
use crate::model::op::{Targets, Verb};
use crate::model::row::Tone;

use super::App;
use super::effect::Effect;
use super::overlay::Overlay;
use super::pane::Pane;
use super::places::PlaceKey;

impl App {
    /// An action that neither a layer nor the pane had a use for.
    pub(super) fn perform(&mut self, action: &Action) -> Vec<Effect> {
        self.dirty = true;
        match action {
            Action::Pane('0') => self.go(PlaceKey::Overview),
            Action::Pane(digit) => self.open_pane(*digit),
            Action::NextPane => self.step_pane(1),
            Action::PreviousPane => self.step_pane(-1),
            Action::Open(kind) => self.browse(&kind.clone(), ""),
            Action::Goto(id) => self.go_to(&id.clone()),
            Action::View(name) => self.view_selected(&name.clone()),
            Action::Describe => self.view_selected("describe"),
            Action::Logs => self.view_selected("log"),
            Action::Operate(name) => self.start_named(&name.clone(), None),
            Action::Special => self.start_verb(Verb::Special),
            Action::Edit => self.start_verb(Verb::Edit),
            Action::End => self.start_verb(Verb::End),
            Action::Operations => self.pick_operation(),
            Action::Views => self.pick_view(),
            Action::CopyLink => self.selected().map(Effect::Link).into_iter().collect(),
            Action::Related => self.pick_related(),
            Action::Note => self.start_named(super::desk::NOTE, None),
            Action::Messages => self.go(PlaceKey::Messages),
            Action::Jobs => self.go(PlaceKey::Jobs),
            Action::Command(line) => self.run_line(&line.clone()),
            other => self.perform_plain(other),
        }
    }

    /// Actions on the console's own state.
    fn perform_plain(&mut self, action: &Action) -> Vec<Effect> {
        match action {
            Action::Palette => self.open_palette(),
            Action::Find => self.open_finder(),
            Action::Help => self.open_help(),
            Action::Back | Action::HistoryBack => self.back(),
            Action::HistoryForward => self.forward(),
            Action::Close => self.close(),
            Action::Quit => self.quit(),
            Action::Refresh => vec![Effect::Refresh(self.kinds_in_front())],
            Action::RefreshAll => vec![Effect::Refresh(Vec::new())],
            Action::Pause => self.pause(!self.paused),
            Action::Wide => self.set_wide(!self.look.wide),
            Action::Arm => self.arm(),
            Action::Suspend => vec![Effect::Suspend],
            Action::Redraw => vec![Effect::Redraw],
            Action::HomeState => self.home_state(),
            Action::Problems => self.open_problems(),
            Action::Timeline => self.open_timeline(),
            Action::Handover => self.open_handover(),
            _ => Vec::new(),
        }
    }

    /// Actions that work over an open layer; everything else is the layer's alone.
    pub(super) fn perform_over(&mut self, action: &Action) -> Vec<Effect> {
        match action {
            Action::Back | Action::Close | Action::Enter => {
                self.dirty = true;
                self.close_overlay()
            }
            Action::Quit | Action::Suspend | Action::Redraw => self.perform(action),
            _ => Vec::new(),
        }
    }

    /// Where one came from.
    pub(super) fn back(&mut self) -> Vec<Effect> {
        if self.places.back() { self.arrived() } else { Vec::new() }
    }

    fn forward(&mut self) -> Vec<Effect> {
        if self.places.forward() { self.arrived() } else { Vec::new() }
    }

    /// `q`: a view leads back to where it was opened from; elsewhere the console is left.
    fn close(&mut self) -> Vec<Effect> {
        match self.places.key() {
            PlaceKey::View { .. } | PlaceKey::Messages | PlaceKey::Jobs | PlaceKey::Home => self.back(),
            PlaceKey::Overview | PlaceKey::Kind { .. } | PlaceKey::Welcome => self.leave(),
        }
    }

    fn leave(&mut self) -> Vec<Effect> {
        if self.ledger.under_way() == 0 && !self.look.armed() {
            return self.quit();
        }
        let why = match self.ledger.under_way() {
            0 => "Writes are armed.".to_owned(),
            1 => "1 operation is under way; it goes on at the server and is read back at the next start."
                .to_owned(),
            n => format!(
                "{n} operations are under way; they go on at the server and are read back at the next start."
            ),
        };
        self.overlays.push(Overlay::leave(&why, self.look.now));
        Vec::new()
    }

    /// Goes to a place, anew or back to where it was left.
    pub(super) fn go(&mut self, key: PlaceKey) -> Vec<Effect> {
        if *self.places.key() == key {
            return Vec::new();
        }
        if !self.places.revisit(&key) {
            let Some(pane) = Pane::of(&key, &self.look.ctx(&self.facts)) else {
                self.tell(Tone::Warn, "there is no such place");
                return Vec::new();
            };
            self.places.visit(key, pane);
        }
        self.arrived()
    }

    /// What has to happen wherever one arrives: the pane looks at the store, the schedule looks at the pane.
    pub(super) fn arrived(&mut self) -> Vec<Effect> {
        self.dirty = true;
        self.look_again();
        self.sync_pane();
        let mut effects = vec![self.attend()];
        effects.extend(self.reopen());
        self.follow_selection();
        effects
    }

    /// Opens the rows of a kind, filtered.
    pub(super) fn browse(&mut self, kind: &KindId, filter: &str) -> Vec<Effect> {
        let effects = self.go(PlaceKey::Kind { kind: kind.clone(), scope: None });
        if !filter.is_empty() {
            let ctx = self.look.ctx(&self.facts);
            self.places.pane_mut().set_filter(filter, &ctx);
        }
        effects
    }

    fn open_pane(&mut self, digit: char) -> Vec<Effect> {
        let kind = self.facts.kinds.iter().find(|kind| kind.pane == Some(digit)).map(|kind| kind.id.clone());
        if let Some(kind) = kind {
            self.browse(&kind, "")
        } else {
            self.tell(Tone::Info, format!("pane {digit} is empty"));
            Vec::new()
        }
    }

    /// Tab goes through the overview and the numbered panes in the order of their digits.
    fn step_pane(&mut self, by: i8) -> Vec<Effect> {
        let mut digits: Vec<char> = self.facts.kinds.iter().filter_map(|kind| kind.pane).collect();
        digits.push('0');
        digits.sort_unstable();
        let here = match self.places.key() {
            PlaceKey::Kind { kind, .. } => self.facts.kinds.get(kind).and_then(|kind| kind.pane),
            _ => Some('0'),
        };
        let at = here.and_then(|digit| digits.iter().position(|known| *known == digit)).unwrap_or(0);
        let next = if by > 0 { at + 1 } else { at + digits.len() - 1 } % digits.len();
        self.act(&Action::Pane(digits[next]))
    }

    /// Moves the cursor to a thing, in its kind's pane.
    pub(super) fn go_to(&mut self, id: &EntityId) -> Vec<Effect> {
        if self.facts.kinds.get(&id.kind).is_none() {
            self.tell(Tone::Warn, format!("`{}` is no kind", id.kind));
            return Vec::new();
        }
        let effects = self.browse(&id.kind, "");
        let ctx = self.look.ctx(&self.facts);
        self.places.pane_mut().go_to(id, &ctx);
        self.follow_selection();
        effects
    }

    fn view_selected(&mut self, name: &str) -> Vec<Effect> {
        if let Some(id) = self.selected() {
            self.open_view(id, name)
        } else {
            self.tell(Tone::Info, "nothing is selected");
            Vec::new()
        }
    }

    /// Opens a view of a row in a place of its own.
    pub(super) fn open_view(&mut self, id: EntityId, name: &str) -> Vec<Effect> {
        // Options follow the view's name (`log since=1h`).
        let word = name.split_whitespace().next().unwrap_or_default();
        let kind = self.facts.kinds.get(&id.kind);
        let known = kind.is_some_and(|kind| kind.views.iter().any(|view| view.name == word));
        if word != "describe" && !known {
            self.tell(Tone::Info, format!("there is no {name} of {}", id.kind));
            return Vec::new();
        }
        self.go(PlaceKey::View { id, name: name.to_owned() })
    }

    /// The row under the cursor; in a view, the row it is of, or a part of that which operations act on.
    pub(super) fn selected(&self) -> Option<EntityId> {
        let under = self.places.pane().component().selected();
        match self.places.key() {
            PlaceKey::View { id, .. } => {
                under.filter(|part| self.is_part(part, id)).or_else(|| Some(id.clone()))
            }
            _ => under,
        }
    }

    /// Whether a node of a view is a thing of its own on the same instance (a snapshot in the tree of its guest).
    fn is_part(&self, part: &EntityId, whole: &EntityId) -> bool {
        part.kind != whole.kind
            && part.instance == whole.instance
            && part.kind.backend() == whole.kind.backend()
            && self.facts.operations.iter().any(|op| op.targets != Targets::Any && op.acts_on(&part.kind))
    }

    /// `W`: arms writes for a while, or takes it back.
    fn arm(&mut self) -> Vec<Effect> {
        if self.look.armed() {
            self.look.armed_until = None;
            self.tell(Tone::Info, "read-only again");
            return vec![Effect::Arm(false)];
        }
        let until = self.look.now + SignedDuration::from_secs(self.armed_for);
        self.look.armed_until = Some(until);
        self.tell(Tone::Warn, format!("writes are armed for {}", crate::model::time::short(self.armed_for)));
        vec![Effect::Arm(true)]
    }

    /// Stops or resumes refreshing.
    pub(super) fn pause(&mut self, paused: bool) -> Vec<Effect> {
        self.paused = paused;
        self.tell(Tone::Info, if paused { "refreshing is paused" } else { "refreshing again" });
        vec![Effect::Pause(paused)]
    }

    /// Shows or hides wide columns.
    pub(super) fn set_wide(&mut self, wide: bool) -> Vec<Effect> {
        self.look.wide = wide;
        Vec::new()
    }
}

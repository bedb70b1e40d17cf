//! What components ask of the console.

use crate::model::action::Action;
use crate::model::id::EntityId;
use crate::model::kind::Shape;
use crate::model::row::Tone;
use crate::ui::component::Request;
use crate::ui::table::Scope;

use super::App;
use super::command::{self, Command, Setting};
use super::effect::Effect;
use super::overlay::Overlay;
use super::places::PlaceKey;

impl App {
    /// Grants one request.
    pub(super) fn grant(&mut self, request: Request) -> Vec<Effect> {
        match request {
            Request::Act(action) => {
                // A finder or a help page gives way to what was chosen in it.
                let mut effects = self.close_overlay();
                effects.extend(self.act(&action));
                effects
            }
            Request::Open { id, view } => self.open_view(id, &view),
            Request::Enter(id) => self.enter(id),
            Request::Run(line) => {
                let mut effects = self.close_overlay();
                effects.extend(self.run_line(&line));
                effects
            }
            Request::Selected(_) => {
                self.follow_selection();
                Vec::new()
            }
            Request::Submit(args) => self.submitted(args),
            Request::Confirmed { reason } => self.confirmed(reason.as_deref()),
            Request::Cancel => self.cancelled(),
            Request::Chosen(index) => self.chosen(index),
            Request::Copy { text, what } => vec![Effect::Copy { text, what }],
        }
    }

    /// Enter on a row: what is under it, or else its description.
    fn enter(&mut self, id: EntityId) -> Vec<Effect> {
        if let Some(about) = self.told_of(&id) {
            return self.go_to(&about);
        }
        let drill = self.facts.kinds.get(&id.kind).and_then(|kind| kind.drill.clone());
        let row = self.facts.store.get(&id).cloned();
        match (drill, row) {
            (Some(drill), Some(row)) if self.facts.kinds.get(&drill.kind).is_some() => {
                // A name is unique only within its own instance, and only where both kinds are one backend's.
                let same = drill.kind.backend() == id.kind.backend();
                let scope = Scope {
                    column: drill.column,
                    value: row.name.clone(),
                    instance: same.then(|| id.instance.clone()),
                };
                self.go(PlaceKey::Kind { kind: drill.kind, scope: Some(scope) })
            }
            _ => {
                let view = self.first_view(&id);
                self.open_view(id, &view)
            }
        }
    }

    /// What Enter opens where nothing lies under a row: a board or matrix where its kind has one, else the description.
    fn first_view(&self, id: &EntityId) -> String {
        let first = self.facts.kinds.get(&id.kind).and_then(|kind| kind.views.first());
        let wide = first.filter(|view| matches!(view.shape, Shape::Board | Shape::Matrix));
        wide.map_or_else(|| "describe".to_owned(), |view| view.name.to_string())
    }

    /// Runs a line of the command language.
    pub(super) fn run_line(&mut self, line: &str) -> Vec<Effect> {
        self.dirty = true;
        let line = line.trim();
        if line.is_empty() {
            return Vec::new();
        }
        match command::parse(line, &self.facts.kinds, &self.facts.operations, &self.themes) {
            Ok(command) => {
                self.remember(line);
                self.run(command)
            }
            Err(message) => {
                self.refuse_line(line, &message);
                Vec::new()
            }
        }
    }

    fn run(&mut self, command: Command) -> Vec<Effect> {
        match command {
            Command::Act(action) => self.act(&action),
            Command::Which { word, among } => {
                self.overlays.push(Overlay::which(&word, among));
                Vec::new()
            }
            Command::Browse { kind, filter } => self.browse(&kind, &filter),
            Command::Operate { op, target } => self.start_named(&op, target.as_deref()),
            Command::Sort(column) => self.sort(&column),
            Command::Note(text) => vec![Effect::Note { about: self.selected(), text }],
            Command::Save(path) => self.save(&path),
            Command::Set(Setting::Wide(wide)) => self.set_wide(wide),
            Command::Set(Setting::Pause(paused)) => self.pause(paused),
            Command::Set(Setting::Theme(name)) => vec![Effect::Theme(name)],
            Command::Set(Setting::Quiet(quiet)) => {
                self.quiet = quiet;
                Vec::new()
            }
            Command::Set(Setting::Ascii(ascii)) => {
                self.look.ascii = ascii;
                Vec::new()
            }
        }
    }

    /// What the pane would copy, into a file instead.
    fn save(&mut self, path: &str) -> Vec<Effect> {
        let saved = |effect: Effect| match effect {
            Effect::Copy { text, what } => Effect::Save { path: path.to_owned(), text, what },
            other => other,
        };
        self.act(&Action::CopyRow).into_iter().map(saved).collect()
    }

    fn sort(&mut self, column: &str) -> Vec<Effect> {
        let (name, down) = match column.strip_prefix('-') {
            Some(name) => (name, true),
            None => (column, false),
        };
        let ctx = self.look.ctx(&self.facts);
        if !self.places.pane_mut().sort_by(name, down, &ctx) {
            self.tell(Tone::Warn, format!("there is no column `{name}` here"));
        }
        Vec::new()
    }

    /// The newest line last, each only once.
    fn remember(&mut self, line: &str) {
        self.history.retain(|known| known != line);
        self.history.push(line.to_owned());
    }
}

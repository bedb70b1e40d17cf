//! Answers: to the store, and to whoever waits for them; late ones find nobody and are dropped.

use crate::model::journal::{self, Entry, Line};
use crate::model::op::{Rights, RunId, RunState};
use crate::model::remembered::Remembered;
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, SourceSpec, Update};
use crate::model::view::View;
use crate::ui::toast::Toast;

use super::App;
use super::effect::Effect;
use super::msg::{Msg, ViewId};
use super::places::PlaceKey;

impl App {
    /// Everything that comes from the executor.
    pub(super) fn on_answer(&mut self, msg: Msg) -> Vec<Effect> {
        match msg {
            Msg::Remembered(memories) => self.on_remembered(memories),
            Msg::Connected(specs) => self.on_connected(specs),
            Msg::AllConnected => self.on_all_connected(),
            Msg::Source(update) => self.on_source(update),
            Msg::Kind(spec) => {
                self.facts.kinds.learn(*spec);
                Vec::new()
            }
            Msg::Rights { backend, instance, body } => self.on_rights((backend, instance), body),
            Msg::View { view, body } => self.on_view(view, body),
            Msg::Form { draft, body } => self.on_form(draft, body),
            Msg::Verdict { draft, target, body } => self.on_verdict(draft, &target, body),
            Msg::Run { run, state } => self.on_run(&run, state),
            Msg::Journal(lines) => self.on_journal(lines),
            Msg::Theme(theme) => {
                self.look.theme = *theme;
                self.redrawn(Vec::new())
            }
            Msg::Link(Ok(text)) => vec![Effect::Copy { text, what: "link".to_owned() }],
            Msg::Link(Err(fault)) => {
                self.tell(Tone::Info, fault.to_string());
                Vec::new()
            }
            Msg::Terminal(Ok(argv)) => vec![Effect::Child(argv)],
            Msg::Terminal(Err(fault)) => {
                self.tell(Tone::Warn, fault.to_string());
                Vec::new()
            }
            Msg::Notice { tone, text } => {
                self.tell(tone, text);
                Vec::new()
            }
            // Input is handled before it comes here.
            Msg::Key { .. }
            | Msg::Paste(_)
            | Msg::Resize { .. }
            | Msg::Focus(_)
            | Msg::Scroll { .. }
            | Msg::Tick
            | Msg::Signal(_) => Vec::new(),
        }
    }

    /// What an earlier process saw stands until the servers answer.
    fn on_remembered(&mut self, memories: Vec<Remembered>) -> Vec<Effect> {
        for memory in memories {
            self.facts.store.remember(memory);
        }
        self.lookout.remember(&self.facts.store);
        self.sync_pane();
        self.redrawn(Vec::new())
    }

    /// What is not configured any more is no longer shown.
    fn on_all_connected(&mut self) -> Vec<Effect> {
        self.facts.store.forget_unclaimed();
        self.sync_pane();
        self.redrawn(Vec::new())
    }

    fn on_connected(&mut self, specs: Vec<SourceSpec>) -> Vec<Effect> {
        self.connected = true;
        for spec in specs {
            self.facts.store.declare(spec);
        }
        self.sync_pane();
        let attend = self.attend();
        self.redrawn(vec![attend])
    }

    /// A refresh: the store tells what changed, the pane whether anybody can see it.
    fn on_source(&mut self, update: Update) -> Vec<Effect> {
        let source = update.source.clone();
        self.keep_before(&update);
        let changes = self.facts.store.apply(update);
        self.compare_home(&source);
        if changes.health {
            self.look_home();
        }
        if changes.health
            && let Some(fault) = self.facts.store.source(&source).and_then(|s| s.health.fault())
        {
            let text = format!("{source}: {fault}");
            self.notices.add(self.look.now, Tone::Warn, text);
        }
        if changes.is_empty() {
            return Vec::new();
        }
        self.look_out(&source, &changes);
        self.dirty |= self.sync_pane() || changes.health;
        self.follow_selection();
        let mut effects = self.renew_detail();
        effects.extend(self.ring());
        effects
    }

    fn on_rights(
        &mut self,
        instance: (std::sync::Arc<str>, std::sync::Arc<str>),
        body: Result<Rights, Fault>,
    ) -> Vec<Effect> {
        match body {
            Ok(rights) => {
                self.facts.rights.insert(instance, rights);
            }
            Err(fault) => {
                let text = format!("{}/{}: rights are not known: {fault}", instance.0, instance.1);
                self.notices.add(self.look.now, Tone::Unknown, text);
            }
        }
        Vec::new()
    }

    fn on_view(&mut self, view: ViewId, body: Result<View, Fault>) -> Vec<Effect> {
        let Some(body) = self.diagnosed(view, body) else { return self.redrawn(Vec::new()) };
        if let Some(detail) = self.detail.as_ref().filter(|detail| detail.view == view) {
            self.places.pane_mut().describe(&detail.row.id, body);
            return self.redrawn(Vec::new());
        }
        for pane in self.places.all_mut() {
            if pane.view() == Some(view) {
                pane.set_view(body);
                self.dirty = true;
                break;
            }
        }
        Vec::new()
    }

    fn on_run(&mut self, run: &RunId, state: RunState) -> Vec<Effect> {
        self.dirty = true;
        let now = self.look.now;
        let Some(run) = self.ledger.advance(run, state, now).cloned() else { return Vec::new() };
        let line = format!("{} {}: {}", run.job.op, run.job.target.name, run.state);
        self.lookout.look_again();
        self.look_again();
        self.sync_pane();
        if !run.state.is_final() {
            return Vec::new();
        }
        self.tell(run.state.tone(), line);
        if let RunState::Failed(why) = &run.state {
            self.offer_fallback(&run.job, why);
        }
        if let RunState::Done { reveal: Some(reveal), .. } = run.state {
            self.reveal(reveal);
        }
        vec![Effect::Refresh(vec![run.job.target.id.kind])]
    }

    /// What earlier processes left behind: runs without an outcome, and the notes of the last days.
    fn on_journal(&mut self, lines: Vec<Line>) -> Vec<Effect> {
        self.hear_declarations(&lines);
        for open in journal::open_runs(&lines) {
            self.ledger.recover(&open);
        }
        let known = self.lookout.lines().len();
        let new = lines.iter().filter(|line| known == 0 || !self.lookout.lines().contains(line));
        for line in new {
            if let Entry::Note { text, .. } = &line.entry {
                self.notices.add(line.at, Tone::Dim, format!("note by {}: {text}", line.operator));
            }
        }
        self.lookout.journal(lines);
        self.look_again();
        self.sync_pane();
        self.redrawn(Vec::new())
    }

    /// Lets the pane look at what changed; true where something visible may differ.
    pub(super) fn sync_pane(&mut self) -> bool {
        self.write_home();
        let ctx = self.look.ctx(&self.facts);
        let summed = self.summary.refresh(&ctx);
        let pane = self.places.pane_mut();
        pane.sync(&self.ledger, &self.notices);
        pane.component_mut().refresh(&ctx) || summed
    }

    /// Which kinds the schedule should care for.
    pub(super) fn attend(&self) -> Effect {
        let focused = self.kinds_in_front();
        let everything = *self.places.key() == PlaceKey::Overview;
        let visible = if everything {
            self.facts.kinds.iter().map(|kind| kind.id.clone()).collect()
        } else {
            Vec::new()
        };
        Effect::Attend { focused, visible }
    }

    /// The kinds whose rows the pane shows.
    pub(super) fn kinds_in_front(&self) -> Vec<crate::model::id::KindId> {
        match self.places.key() {
            PlaceKey::Kind { kind, .. } => vec![kind.clone()],
            PlaceKey::View { id, .. } => vec![id.kind.clone()],
            PlaceKey::Home => vec![super::desk::DOMAINS.into()],
            PlaceKey::Overview | PlaceKey::Messages | PlaceKey::Jobs | PlaceKey::Welcome => Vec::new(),
        }
    }

    /// Tells the operator something: a toast now, a line among the messages for later.
    pub(super) fn tell(&mut self, tone: Tone, text: impl Into<String>) {
        let text = text.into();
        self.toast = Some(Toast::new(text.clone(), tone, self.look.now));
        self.notices.add(self.look.now, tone, text);
        self.dirty = true;
    }
}

//! The pure machine: what happened goes in, what to do comes out; no IO and no clock.
//!
//! `update` is a router on one screen: answers go to the store and to whoever waits for them, keys become actions,
//! actions go to the top layer, then to the pane, then here.

mod alarm;
mod answers;
pub mod command;
pub mod desk;
mod detail;
mod diagnosis;
pub mod draft;
pub mod effect;
pub mod facts;
pub mod gate;
mod home;
mod insight;
mod intents;
pub mod known;
mod line;
pub mod msg;
mod operate;
mod overlay;
mod pane;
mod perform;
pub mod places;
mod preview;
mod requests;
pub mod route;
mod show;
pub mod words;

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::config::keymap::Keymap;
use crate::config::theme::Theme;
use crate::insight::diagnose::Looks;
use crate::insight::lookout::{self, Lookout};
use crate::model::action::Action;
use crate::model::kind::{KindSpec, Kinds};
use crate::model::ledger::Ledger;
use crate::model::notice::Notices;
use crate::model::op::{OpSpec, Operations, RunId};
use crate::model::snapshot::SourceHealth;
use crate::ui::summary::Summary;
use crate::ui::toast::Toast;

use alarm::Alarm;
use detail::Detail;
use diagnosis::Diagnosis;
use draft::Draft;
use effect::Effect;
use facts::{Facts, Look};
use home::House;
use msg::{DraftId, Msg, Signal, ViewId};
use overlay::Overlay;
use pane::Pane;
use places::{PlaceKey, Places};
use route::Router;

/// So long after the start what was seen is kept for the first time.
const FIRST_MEMORY: SignedDuration = SignedDuration::from_secs(30);
/// Between two times that it is kept: a start after a crash is that much behind.
const MEMORIES: SignedDuration = SignedDuration::from_secs(300);

/// What the machine is made of at the start.
#[derive(Debug)]
pub struct Setup {
    /// All kinds.
    pub kinds: Vec<KindSpec>,
    /// All operations.
    pub operations: Vec<OpSpec>,
    /// The styles.
    pub theme: Theme,
    /// The keys.
    pub keymap: Keymap,
    /// The names of the themes that can be chosen.
    pub themes: Vec<String>,
    /// ASCII instead of other glyphs.
    pub ascii: bool,
    /// Whether wide columns are shown.
    pub wide: bool,
    /// The time zone that clock times are written in.
    pub zone: TimeZone,
    /// Who acts.
    pub operator: Arc<str>,
    /// How long writes stay armed, in seconds.
    pub armed_for: i64,
    /// What makes this process's run ids unique.
    pub boot: Arc<str>,
    /// The name of the lab, where this is a demo.
    pub demo: Option<String>,
    /// Where a configuration would be read from, where there is none yet.
    pub welcome: Option<String>,
    /// What the operator has set for links, problems and diagnosis.
    pub insight: lookout::Settings,
    /// The instant of the start.
    pub now: Timestamp,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
}

/// The console.
#[derive(Debug)]
pub struct App {
    facts: Facts,
    look: Look,
    places: Places<Pane>,
    overlays: Vec<Overlay>,
    router: Router,
    ledger: Ledger,
    lookout: Lookout,
    looks: Looks,
    diagnosis: Option<Diagnosis>,
    alarm: Alarm,
    quiet: bool,
    notices: Notices,
    toast: Option<Toast>,
    summary: Summary,
    draft: Option<Draft>,
    detail: Option<Detail>,
    rests_at: Option<Timestamp>,
    preview: preview::Preview,
    remember_at: Timestamp,
    house: House,
    history: Vec<String>,
    themes: Vec<String>,
    operator: Arc<str>,
    armed_for: i64,
    boot: Arc<str>,
    demo: Option<String>,
    paused: bool,
    connected: bool,
    size: (u16, u16),
    count: u64,
    dirty: bool,
}

impl App {
    /// The console as it opens: on the overview, or on the welcome page where nothing is configured.
    pub fn new(setup: Setup) -> Self {
        let mut facts = Facts {
            kinds: Kinds::new(setup.kinds.into_iter().chain(crate::insight::kinds::kinds())),
            operations: Operations::new(setup.operations),
            ..Facts::default()
        };
        for spec in Lookout::sources() {
            facts.store.declare(spec);
        }
        let look = Look {
            theme: setup.theme,
            keymap: setup.keymap,
            ascii: setup.ascii,
            wide: setup.wide,
            now: setup.now,
            zone: setup.zone,
            armed_until: None,
        };
        let (key, pane) = match &setup.welcome {
            Some(path) => (PlaceKey::Welcome, Pane::welcome(path)),
            None => (PlaceKey::Overview, Pane::overview()),
        };
        Self {
            facts,
            look,
            places: Places::new(key, pane),
            overlays: Vec::new(),
            router: Router::default(),
            ledger: Ledger::default(),
            looks: setup.insight.looks.clone(),
            quiet: setup.insight.quiet,
            lookout: Lookout::new(setup.insight, setup.now),
            diagnosis: None,
            alarm: Alarm::default(),
            notices: Notices::default(),
            toast: None,
            summary: Summary::default(),
            draft: None,
            detail: None,
            rests_at: None,
            preview: preview::Preview::default(),
            remember_at: setup.now + FIRST_MEMORY,
            house: House::default(),
            history: Vec::new(),
            themes: setup.themes,
            operator: setup.operator,
            armed_for: setup.armed_for,
            boot: setup.boot,
            demo: setup.demo,
            paused: false,
            connected: false,
            size: setup.size,
            count: 0,
            dirty: true,
        }
    }

    /// Takes what happened at an instant, and tells what to do.
    pub fn update(&mut self, now: Timestamp, msg: Msg) -> Vec<Effect> {
        self.look.now = now;
        let mut effects = self.disarm_when_over();
        effects.extend(self.take(msg));
        effects
    }

    fn take(&mut self, msg: Msg) -> Vec<Effect> {
        match msg {
            Msg::Key { key, repeat } => self.on_key(key, repeat),
            Msg::Paste(text) => self.on_paste(text),
            Msg::Resize { width, height } => self.on_resize(width, height),
            Msg::Focus(_) => Vec::new(),
            Msg::Scroll { up } => self.act(if up { &Action::Up } else { &Action::Down }),
            Msg::Tick => self.on_tick(),
            Msg::Signal(signal) => self.on_signal(signal),
            answer => self.on_answer(answer),
        }
    }

    /// True where something visible changed since the last draw.
    pub fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// True while a run is under way as far as this console has heard.
    pub fn awaits(&self, run: &RunId) -> bool {
        self.ledger.runs().iter().any(|known| known.job.run == *run && !known.state.is_final())
    }

    /// The next instant at which something on screen changes by itself; `None` where nothing will.
    pub fn next_change(&self) -> Option<Timestamp> {
        let minute = Timestamp::from_second((self.look.now.as_second() / 60 + 1) * 60).ok();
        let toast = self.toast.as_ref().map(|toast| toast.until).filter(|until| *until > self.look.now);
        let layer = self.overlays.last().and_then(Overlay::changes_at).filter(|at| *at > self.look.now);
        [minute, toast, layer, self.rests_at, self.preview.due(), self.look.armed_until]
            .into_iter()
            .flatten()
            .min()
    }

    /// Something was due: the cursor has rested, a toast goes, ages step.
    fn on_tick(&mut self) -> Vec<Effect> {
        let mut effects = self.settle();
        effects.extend(self.preview());
        self.look_home();
        self.sync_pane();
        if self.remember_at <= self.look.now {
            effects.extend(self.keep_memory());
        }
        self.redrawn(effects)
    }

    /// Keeps what was seen for the next start; nothing where nothing was.
    fn keep_memory(&mut self) -> Option<Effect> {
        self.remember_at = self.look.now + MEMORIES;
        let mut memories = self.facts.store.memories();
        // A time line is made of what other sources remember.
        memories.retain(|memory| {
            let insight = memory.spec.kinds.iter().any(crate::insight::kinds::is_insight);
            !insight || &*memory.spec.id.feed == "problems"
        });
        let fresh = self.facts.store.sources().any(|source| source.health == SourceHealth::Fresh);
        // Where nothing is configured there is nothing to remember, and nothing is written.
        let seen = memories.iter().any(|memory| !memory.rows.is_empty());
        (fresh && seen).then_some(Effect::Remember(memories))
    }

    /// Leaves by the operator's own wish.
    fn quit(&mut self) -> Vec<Effect> {
        self.quit_with(0)
    }

    /// Leaves with an exit code, whoever wants it: what was seen last is kept.
    fn quit_with(&mut self, code: u8) -> Vec<Effect> {
        self.keep_memory().into_iter().chain([Effect::Quit(code)]).collect()
    }

    fn on_signal(&mut self, signal: Signal) -> Vec<Effect> {
        match signal {
            Signal::Terminate => self.quit_with(143),
            Signal::Interrupt => self.quit_with(130),
            Signal::Hangup => self.quit_with(129),
            Signal::Refresh => vec![Effect::Refresh(Vec::new())],
        }
    }

    fn on_resize(&mut self, width: u16, height: u16) -> Vec<Effect> {
        self.size = (width, height);
        self.follow_selection();
        self.redrawn(Vec::new())
    }

    fn disarm_when_over(&mut self) -> Vec<Effect> {
        if self.look.armed_until.is_none_or(|until| until > self.look.now) {
            return Vec::new();
        }
        self.look.armed_until = None;
        self.tell(crate::model::row::Tone::Info, "writes are no longer armed");
        vec![Effect::Arm(false)]
    }

    fn redrawn(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        self.dirty = true;
        effects
    }

    fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    fn next_view(&mut self) -> ViewId {
        ViewId(self.next())
    }

    fn next_draft(&mut self) -> DraftId {
        DraftId(self.next())
    }

    fn next_run(&mut self) -> RunId {
        let count = self.next();
        RunId(format!("{}-{count}", self.boot).into())
    }
}

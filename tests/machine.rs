//! The pure machine under anything: any keys, any size, any order of answers; it never panics and always draws.
#![cfg(feature = "demo")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test's helpers may fail the test")]

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use vigie::app::effect::Effect;
use vigie::app::msg::{DraftId, Msg, Signal, ViewId};
use vigie::app::{App, Setup, desk};
use vigie::backend;
use vigie::config::Ui;
use vigie::config::env::Env;
use vigie::config::key::{Key, KeyCode};
use vigie::config::keymap::Keymap;
use vigie::config::theme::Theme;
use vigie::insight::lookout::Settings;
use vigie::model::id::{EntityId, Identity, SourceId};
use vigie::model::op::{Reveal, RunState, Verdict};
use vigie::model::row::{Cell, Domain, Health, Row, Tone};
use vigie::model::snapshot::{Delta, Epoch, Fault, Layer, Mode, Snapshot, SourceSpec, Update};
use vigie::model::view::{Doc, DocLine, View};

/// What can happen, with everything that a person, a terminal or a server could put into it.
#[derive(Debug, Clone)]
enum Happening {
    Key(Key, bool),
    Paste(String),
    Resize(u16, u16),
    Wait(i64),
    Rows(Vec<(u8, String)>),
    Fault(String),
    Answer(u8, String),
    Signal,
}

fn key() -> impl Strategy<Value = Key> {
    let letters = prop::char::range(' ', '~').prop_map(KeyCode::Char);
    let others = prop::sample::select(vec![
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::Backspace,
        KeyCode::Delete,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::PageUp,
        KeyCode::PageDown,
    ]);
    (prop_oneof![4 => letters, 2 => others], prop::bool::weighted(0.1), prop::bool::weighted(0.1))
        .prop_map(|(code, ctrl, shift)| Key { code, ctrl, alt: false, shift })
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        12 => (key(), any::<bool>()).prop_map(|(key, repeat)| Happening::Key(key, repeat)),
        1 => any::<String>().prop_map(Happening::Paste),
        1 => (1_u16..260, 1_u16..80).prop_map(|(width, height)| Happening::Resize(width, height)),
        1 => (0_i64..5_000).prop_map(Happening::Wait),
        3 => prop::collection::vec((any::<u8>(), any::<String>()), 0..12).prop_map(Happening::Rows),
        1 => any::<String>().prop_map(Happening::Fault),
        3 => (any::<u8>(), any::<String>()).prop_map(|(id, text)| Happening::Answer(id, text)),
        1 => Just(Happening::Signal),
    ]
}

struct Bench {
    app: App,
    now: Timestamp,
    size: (u16, u16),
    epoch: u64,
    effects: Vec<Effect>,
}

impl Bench {
    fn new() -> Self {
        let env = Env::default();
        let mut operations = backend::operations();
        operations.extend(desk::operations());
        let now = "2026-03-01T02:58:00Z".parse().unwrap();
        let app = App::new(Setup {
            kinds: backend::kinds(),
            operations,
            theme: Theme::load(&Ui::default(), &env).0,
            keymap: Keymap::default(),
            themes: vec!["nord".into()],
            ascii: false,
            wide: false,
            zone: TimeZone::UTC,
            operator: "ada".into(),
            armed_for: 600,
            boot: "b".into(),
            demo: None,
            insight: Settings::default(),
            welcome: None,
            now,
            size: (80, 24),
        });
        let mut bench = Self { app, now, size: (80, 24), epoch: 0, effects: Vec::new() };
        bench.tell(Msg::Connected(vec![source()]));
        bench
    }

    fn tell(&mut self, msg: Msg) {
        let effects = self.app.update(self.now, msg);
        self.effects.extend(effects);
    }

    fn draw(&mut self) {
        let mut buf = Buffer::empty(Rect::new(0, 0, self.size.0, self.size.1));
        let cursor = self.app.draw(self.now, &mut buf);
        assert!(
            cursor.is_none_or(|place| buf.area.contains(place)),
            "the cursor is off the screen: {cursor:?}"
        );
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Key(key, repeat) => self.tell(Msg::Key { key, repeat }),
            Happening::Paste(text) => self.tell(Msg::Paste(text)),
            Happening::Resize(width, height) => {
                self.size = (width, height);
                self.tell(Msg::Resize { width, height });
            }
            Happening::Wait(millis) => {
                self.now += SignedDuration::from_millis(millis);
                self.tell(Msg::Tick);
            }
            Happening::Rows(rows) => {
                let snapshot = Snapshot {
                    complete: rows.len() % 2 == 0,
                    ..Snapshot::complete(rows.into_iter().map(row).collect(), self.now)
                };
                self.source(Ok(Delta::Reset(snapshot)));
            }
            Happening::Fault(text) => self.source(Err(Fault::new(Layer::Http, text.clone()).raw(text))),
            Happening::Answer(id, text) => self.answer(id, &text),
            Happening::Signal => self.tell(Msg::Signal(Signal::Refresh)),
        }
    }

    fn source(&mut self, body: Result<Delta, Fault>) {
        self.epoch += 1;
        self.tell(Msg::Source(Update { source: source().id, epoch: Epoch(self.epoch), body }));
    }

    /// An answer to something that may or may not have been asked.
    fn answer(&mut self, id: u8, text: &str) {
        let view = View::Doc(Doc::default().lines("x", vec![DocLine::toned(text, Tone::Warn)]));
        self.tell(Msg::View { view: ViewId(u64::from(id)), body: Ok(view) });
        self.tell(Msg::Form { draft: DraftId(u64::from(id)), body: Ok(vec![]) });
        self.tell(Msg::Notice { tone: Tone::Info, text: text.to_owned() });
        let asked: Vec<Effect> = std::mem::take(&mut self.effects);
        for effect in asked {
            match effect {
                Effect::Preflight { draft, jobs } => {
                    for job in jobs {
                        let verdict = Verdict::allow(text, Identity::new());
                        self.tell(Msg::Verdict { draft, target: job.target.id, body: Ok(verdict) });
                    }
                }
                Effect::Form { draft, .. } => self.tell(Msg::Form { draft, body: Ok(vec![]) }),
                Effect::Open { view, .. } => {
                    let fault = Fault::new(Layer::App, text);
                    self.tell(Msg::View { view, body: Err(fault) });
                }
                Effect::Operate(jobs) => {
                    for job in jobs {
                        let reveal =
                            Reveal { title: "link".into(), secret: text.into(), message: String::new() };
                        let state = RunState::Done { proof: text.into(), reveal: Some(reveal) };
                        self.tell(Msg::Run { run: job.run, state });
                    }
                }
                _ => {}
            }
        }
    }
}

fn source() -> SourceSpec {
    SourceSpec {
        id: SourceId::new("proxmox", "pve", "resources"),
        kinds: vec!["proxmox.guests".into(), "proxmox.nodes".into()],
        mode: Mode::Watch,
        domain: Domain::Home,
    }
}

fn row((key, text): (u8, String)) -> Row {
    let kind = if key % 5 == 0 { "proxmox.nodes" } else { "proxmox.guests" };
    let cells = (0..usize::from(key % 20)).map(|_| Cell::toned(text.as_str(), Tone::Warn)).collect();
    let mut row = Row::new(EntityId::new(kind, "pve", format!("qemu/{key}")), text.as_str(), cells);
    row.health = if key % 3 == 0 { Health::Critical } else { Health::Ok };
    row.note = Some(Arc::from(text));
    row
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn anything_may_happen_in_any_order(happenings in prop::collection::vec(happening(), 1..80)) {
        let mut bench = Bench::new();
        // Armed, and on a pane with rows, so that the interesting keys have something to bite on.
        for c in ['W', '1'] {
            bench.tell(Msg::Key { key: Key::plain(KeyCode::Char(c)), repeat: false });
        }
        for happening in happenings {
            bench.happen(happening);
            bench.draw();
        }
    }
}

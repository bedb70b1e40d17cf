//! A small lab for the tests of components, and the drawing of a component as text.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

use crate::config::colour::Depth;
use crate::config::env::Env;
use crate::config::keymap::Keymap;
use crate::config::theme::Theme;
use crate::insight::digest::Digest;
use crate::insight::lookout::{self, Lookout};
use crate::model::action::Action;
use crate::model::id::{EntityId, KindId, SourceId};
use crate::model::kind::{Column, Drill, Format, KindSpec, Kinds, Width};
use crate::model::ledger::Ledger;
use crate::model::op::{Field, FieldKind, OpSpec, Operations, Rights, Tier};
use crate::model::row::{Cell, Domain, Health, Row};
use crate::model::snapshot::{Cadence, Delta, Epoch, Fault, Mode, Snapshot, SourceSpec, Update};
use crate::model::store::{Changes, Store};

use super::component::{Component, Ctx, Outcome};

/// Everything a component looks at, owned.
pub struct World {
    pub store: Store,
    pub kinds: Kinds,
    pub operations: Operations,
    pub rights: HashMap<(Arc<str>, Arc<str>), Rights>,
    pub digest: Digest,
    pub theme: Theme,
    pub keymap: Keymap,
    pub now: Timestamp,
    pub zone: TimeZone,
    pub armed_until: Option<Timestamp>,
    pub ascii: bool,
    pub wide: bool,
    epoch: u64,
}

impl World {
    /// No sources, no rows.
    pub fn empty() -> Self {
        Self {
            store: Store::default(),
            kinds: Kinds::new(
                [guests(), applications(), alerts()].into_iter().chain(crate::insight::kinds::kinds()),
            ),
            operations: operations(),
            rights: HashMap::new(),
            digest: Digest::default(),
            theme: Theme::named("default-dark", Depth::True, &Env::default()).0,
            keymap: Keymap::default(),
            now: "2026-03-01T02:58:00Z".parse().unwrap(),
            zone: TimeZone::UTC,
            armed_until: None,
            ascii: false,
            wide: false,
            epoch: 0,
        }
    }

    /// A hypervisor, an Argo CD and an Alertmanager with something wrong in each.
    pub fn lab() -> Self {
        let mut world = Self::empty();
        world.source("proxmox", "pve", &["proxmox.guests"], Domain::Home);
        world.source("argocd", "cloud", &["argocd.applications"], Domain::Cloud);
        world.source("alerts", "main", &["alerts.alerts"], Domain::Edge);
        let rows = world.guest_rows();
        world.rows("proxmox", "pve", rows);
        let rows = world.application_rows();
        world.rows("argocd", "cloud", rows);
        let rows = world.alert_rows();
        world.rows("alerts", "main", rows);
        world
    }

    /// Lets the look-out find problems in the facts, as the machine does after every answer.
    pub fn look_out(&mut self) {
        let mut lookout = Lookout::new(lookout::Settings::default(), self.now);
        let runs = Ledger::default();
        let facts = lookout::Facts { store: &self.store, kinds: &self.kinds, runs: &runs, now: self.now };
        for source in self.store.sources() {
            let ids = self
                .store
                .all_rows()
                .map(|row| row.id.clone())
                .filter(|id| source.get(id).is_some())
                .collect();
            lookout.take(&source.spec.id, &Changes { ids, health: true }, facts);
        }
        let update = lookout.evaluate(facts);
        self.digest = lookout.digest().clone();
        for spec in Lookout::sources() {
            self.store.declare(spec);
        }
        if let Some(update) = update {
            self.store.apply(update);
        }
    }

    pub fn ctx(&self) -> Ctx<'_> {
        Ctx {
            store: &self.store,
            kinds: &self.kinds,
            operations: &self.operations,
            rights: &self.rights,
            digest: &self.digest,
            theme: &self.theme,
            keymap: &self.keymap,
            now: self.now,
            zone: &self.zone,
            armed_until: self.armed_until,
            ascii: self.ascii,
            wide: self.wide,
        }
    }

    pub fn kind(&self, name: &str) -> Arc<KindSpec> {
        self.kinds.get(&KindId::from(name)).unwrap().clone()
    }

    pub fn source(&mut self, backend: &str, instance: &str, kinds: &[&str], domain: Domain) {
        self.store.declare(SourceSpec {
            id: SourceId::new(backend, instance, "all"),
            kinds: kinds.iter().map(|kind| KindId::from(*kind)).collect(),
            mode: Mode::Poll(Cadence { focused: 5, visible: 15, hidden: 60 }),
            domain,
        });
    }

    pub fn answer(&mut self, backend: &str, instance: &str, body: Result<Delta, Fault>) {
        self.epoch += 1;
        let source = SourceId::new(backend, instance, "all");
        self.store.apply(Update { source, epoch: Epoch(self.epoch), body });
    }

    pub fn rows(&mut self, backend: &str, instance: &str, rows: Vec<Row>) {
        let observed = self.now;
        self.answer(backend, instance, Ok(Delta::Reset(Snapshot::complete(rows, observed))));
    }

    pub fn later(&mut self, minutes: i64) {
        self.now += SignedDuration::from_mins(minutes);
    }

    pub fn ago(&self, minutes: i64) -> Timestamp {
        self.now - SignedDuration::from_mins(minutes)
    }

    pub fn guest(&self, key: i64, name: &str, state: &str, cpu: f64, gib: i64, minutes: i64) -> Row {
        let health = if state == "running" { Health::Ok } else { Health::Off };
        let up = state == "running";
        let cells = vec![
            Cell::toned(state, health.into()),
            Cell::new(name),
            Cell::new(key),
            Cell::new(up.then_some(cpu)),
            Cell::new(gib << 30),
            Cell::new("pve"),
            Cell::new(self.ago(minutes)),
            Cell::new("talos;prod"),
        ];
        let id = EntityId::new("proxmox.guests", "pve", format!("qemu/{key}"));
        Row { health, domain: Domain::Home, ..Row::new(id, name, cells) }
    }

    pub fn guest_rows(&self) -> Vec<Row> {
        vec![
            self.guest(100, "talos-prod-cp", "running", 0.07, 4, 41 * 1440),
            self.guest(101, "talos-prod-worker-1", "running", 0.31, 12, 41 * 1440),
            self.guest(110, "windows-gaming", "stopped", 0.0, 32, 2 * 1440),
            self.guest(120, "talos-dev", "running", 0.02, 4, 180),
        ]
    }

    fn application_rows(&self) -> Vec<Row> {
        let app = |name: &str, sync: &str, state: &str, wave: i64, health: Health, note: Option<&str>| {
            let tone = if sync == "Synced" { health.into() } else { Health::Warning.into() };
            let cells = vec![
                Cell::toned(state, health.into()),
                Cell::new(name),
                Cell::toned(sync, tone),
                Cell::new(wave),
                Cell::new("8f2c1a9"),
                Cell::new(self.ago(41)),
            ];
            let id = EntityId::new("argocd.applications", "cloud", format!("argocd/{name}"));
            Row { health, note: note.map(Arc::from), domain: Domain::Cloud, ..Row::new(id, name, cells) }
        };
        let late = Some("OutOfSync since 8f2c1a9, wave 4");
        vec![
            app("nextcloud", "OutOfSync", "Healthy", 4, Health::Warning, late),
            app("loki", "Synced", "Progressing", 3, Health::Pending, None),
            app("comet", "Synced", "Healthy", 4, Health::Ok, None),
            app("vaultwarden", "Synced", "Healthy", 4, Health::Ok, None),
        ]
    }

    fn alert_rows(&self) -> Vec<Row> {
        let alert = |key: &str, name: &str, severity: &str, health: Health, summary: &str, minutes: i64| {
            let cells = vec![
                Cell::toned(severity, health.into()),
                Cell::new(name),
                Cell::new(summary),
                Cell::new(self.ago(minutes)),
            ];
            let id = EntityId::new("alerts.alerts", "main", key);
            Row { health, note: Some(summary.into()), domain: Domain::Edge, ..Row::new(id, name, cells) }
        };
        let gate = "9 of 9 protected hosts answer 400, the login page answers 200";
        vec![
            alert("a1", "ServiceDown", "critical", Health::Critical, gate, 26),
            alert(
                "b2",
                "VeleroNoRecentBackup",
                "warning",
                Health::Warning,
                "last success 26h ago, every 24h",
                120,
            ),
            alert(
                "c3",
                "CertificateExpiringSoon",
                "warning",
                Health::Warning,
                "auth.lab.example in 11 days",
                600,
            ),
        ]
    }
}

fn kind(id: &str, singular: &'static str, pane: char, columns: Vec<Column>) -> KindSpec {
    KindSpec {
        id: id.into(),
        singular: singular.into(),
        aliases: vec![],
        doc: "Things of the lab.".into(),
        columns,
        sort: (0, false),
        views: vec![],
        drill: None,
        pane: Some(pane),
    }
}

fn guests() -> KindSpec {
    let columns = vec![
        Column::new("state", "state", Width::Fit(7, 12), "").format(Format::State).priority(0),
        Column::new("name", "name", Width::Flex(14), "").priority(0),
        Column::new("vmid", "id", Width::Fit(3, 6), "").priority(4),
        Column::new("cpu", "cpu", Width::Fixed(4), "").format(Format::Percent).priority(3),
        Column::new("mem", "mem", Width::Fixed(5), "").format(Format::Bytes).priority(2),
        Column::new("node", "node", Width::Fit(4, 12), "").priority(5),
        Column::new("age", "age", Width::Fixed(4), "").format(Format::Age).priority(1),
        Column::new("tags", "tags", Width::Fit(4, 30), "").priority(6).wide(),
    ];
    let drill = Drill { kind: "argocd.applications".into(), column: "cluster".into() };
    KindSpec { drill: Some(drill), sort: (1, false), ..kind("proxmox.guests", "guest", '1', columns) }
}

fn applications() -> KindSpec {
    let columns = vec![
        Column::new("health", "health", Width::Fit(8, 13), "").format(Format::State).priority(0),
        Column::new("name", "name", Width::Flex(14), "").priority(0),
        Column::new("sync", "sync", Width::Fit(6, 11), "").priority(1),
        Column::new("wave", "wave", Width::Fixed(4), "").priority(2),
        Column::new("revision", "revision", Width::Fit(7, 12), "").priority(3),
        Column::new("since", "since", Width::Fixed(5), "").format(Format::Age).priority(1),
    ];
    kind("argocd.applications", "application", '3', columns)
}

fn alerts() -> KindSpec {
    let columns = vec![
        Column::new("severity", "severity", Width::Fit(8, 10), "").format(Format::State).priority(0),
        Column::new("name", "alert", Width::Fit(12, 28), "").priority(0),
        Column::new("summary", "summary", Width::Flex(20), "").priority(2),
        Column::new("since", "since", Width::Fixed(5), "").format(Format::Age).priority(1),
    ];
    kind("alerts.alerts", "alert", '5', columns)
}

fn operations() -> Operations {
    let start = OpSpec::on("proxmox.guests", "proxmox.start", "start", Tier::T1, "Starts a guest.");
    let down = OpSpec::on("proxmox.guests", "proxmox.shutdown", "shut down", Tier::T2, "Shuts a guest down.");
    let hours = Field::new("duration", "for", FieldKind::Duration { max: 28_800 }, "How long, at most 8h.");
    let why = Field::new("comment", "comment", FieldKind::Line, "Why, for whoever finds it.");
    let silence = OpSpec::on("alerts.alerts", "alerts.silence", "silence", Tier::T1, "Silences an alert.");
    Operations::new([
        start.right("VM.PowerMgmt").bulk(),
        down.right("VM.PowerMgmt").bulk(),
        silence.form(vec![hours.default("1h"), why]),
    ])
}

/// A drawn screen and where the hardware cursor stands.
pub struct Screen {
    pub buf: Buffer,
    pub cursor: Option<Position>,
}

impl Screen {
    /// Draws into a screen of a size.
    pub fn draw(width: u16, height: u16, draw: impl FnOnce(&mut Buffer, Rect) -> Option<Position>) -> Self {
        let area = Rect::new(0, 0, width, height);
        let mut buf = Buffer::empty(area);
        let cursor = draw(&mut buf, area);
        if let Some(at) = cursor {
            assert!(area.contains(at), "the cursor {at} stands outside {area}");
        }
        Self { buf, cursor }.save()
    }

    /// Draws a component alone.
    pub fn of(component: &mut dyn Component, width: u16, height: u16, world: &World) -> Self {
        Self::draw(width, height, |buf, area| component.draw(buf, area, &world.ctx()))
    }

    /// The lines without trailing blanks.
    pub fn lines(&self) -> Vec<String> {
        (0..self.buf.area.height).map(|y| self.line(y)).collect()
    }

    /// The whole screen as text.
    pub fn text(&self) -> String {
        let mut text = self.lines().join("\n");
        text.truncate(text.trim_end().len());
        text
    }

    fn line(&self, y: u16) -> String {
        let (mut text, mut x) = (String::new(), 0);
        while x < self.buf.area.width {
            let symbol = self.buf[(x, y)].symbol();
            text.push_str(symbol);
            x += u16::try_from(symbol.width().max(1)).unwrap();
        }
        text.trim_end().to_owned()
    }

    /// The style at the start of the first place where a text stands.
    pub fn style_of(&self, text: &str) -> Style {
        for (y, line) in (0..).zip(self.lines()) {
            if let Some(at) = line.find(text) {
                let x = u16::try_from(line[..at].width()).unwrap();
                return self.buf[(x, y)].style();
            }
        }
        panic!("{text:?} is not on the screen:\n{}", self.text());
    }

    /// Writes the screen as ANSI into `$VIGIE_ANSI`, so that it can be looked at as a picture.
    fn save(self) -> Self {
        if let Ok(dir) = std::env::var("VIGIE_ANSI") {
            let test = std::thread::current().name().unwrap_or("screen").replace("::", ".");
            let size = format!("{}x{}", self.buf.area.width, self.buf.area.height);
            let path = (0..).map(|n| format!("{dir}/{test}.{n}.{size}.ansi"));
            let path = path.into_iter().find(|path| !std::path::Path::new(path).exists()).unwrap();
            std::fs::write(path, ansi(&self.buf)).unwrap();
        }
        self
    }
}

/// A buffer as escape sequences that paint it.
fn ansi(buf: &Buffer) -> String {
    use ratatui::style::{Color, Modifier};
    use std::fmt::Write;
    let colour = |colour: Color, base: u8| match colour {
        Color::Rgb(r, g, b) => format!(";{};2;{r};{g};{b}", base + 8),
        Color::Indexed(n) => format!(";{};5;{n}", base + 8),
        _ => String::new(),
    };
    let mut out = String::new();
    for y in 0..buf.area.height {
        let mut x = 0;
        write!(out, "\x1b[{};1H", y + 1).unwrap();
        while x < buf.area.width {
            let cell = &buf[(x, y)];
            let flags =
                [(Modifier::BOLD, 1), (Modifier::DIM, 2), (Modifier::ITALIC, 3), (Modifier::UNDERLINED, 4)];
            let flags = flags.into_iter().chain([(Modifier::REVERSED, 7), (Modifier::CROSSED_OUT, 9)]);
            write!(out, "\x1b[0").unwrap();
            for (_, code) in flags.filter(|(flag, _)| cell.modifier.contains(*flag)) {
                write!(out, ";{code}").unwrap();
            }
            write!(out, "{}{}m{}", colour(cell.fg, 30), colour(cell.bg, 40), cell.symbol()).unwrap();
            x += u16::try_from(cell.symbol().width().max(1)).unwrap();
        }
    }
    out
}

/// Sends actions to a component and returns the last outcome.
pub fn act(component: &mut dyn Component, world: &World, actions: &[Action]) -> Outcome {
    let mut last = Outcome::Ignored;
    for action in actions {
        last = component.on(action, &world.ctx());
    }
    last
}

/// Typed characters.
pub fn typed(text: &str) -> Vec<Action> {
    text.chars().map(Action::Insert).collect()
}

/// Rows without number for tests of size: names, keys and figures that differ.
pub fn many(world: &World, count: i64) -> Vec<Row> {
    (0..count).map(|n| world.guest(n, &format!("guest-{n:05}"), "running", 0.5, n % 64, n)).collect()
}

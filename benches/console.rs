//! What a refresh and a key cost with 10,000 and 100,000 rows: diff, sort and filter, one frame.

use std::sync::Arc;

use divan::Bencher;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use vigie::app::msg::Msg;
use vigie::app::{App, Setup};
use vigie::config::Ui;
use vigie::config::env::Env;
use vigie::config::key::{Key, KeyCode};
use vigie::config::keymap::Keymap;
use vigie::config::theme::Theme;
use vigie::insight::lookout::Settings;
use vigie::model::id::{EntityId, SourceId};
use vigie::model::kind::{Column, Format, KindSpec, Width};
use vigie::model::row::{Cell, Domain, Health, Row, Tone};
use vigie::model::snapshot::{Cadence, Delta, Epoch, Mode, Snapshot, SourceSpec, Update};
use vigie::model::store::Store;

const SIZES: [usize; 2] = [10_000, 100_000];

fn main() {
    divan::main();
}

fn kind() -> KindSpec {
    let column = |name, title, width| Column::new(name, title, width, "");
    KindSpec {
        id: "bench.guests".into(),
        singular: "guest".into(),
        aliases: vec![],
        doc: "".into(),
        columns: vec![
            column("state", "state", Width::Fit(8, 14)).format(Format::State).priority(0),
            column("name", "name", Width::Flex(16)).priority(0),
            column("node", "node", Width::Fit(6, 12)).priority(2),
            column("cpu", "cpu", Width::Fixed(5)).format(Format::Percent).priority(1),
            column("mem", "mem", Width::Fixed(6)).format(Format::Bytes).priority(1),
            column("age", "age", Width::Fixed(5)).format(Format::Age).priority(3),
        ],
        sort: (1, false),
        views: vec![],
        drill: None,
        pane: Some('1'),
    }
}

fn source() -> SourceSpec {
    SourceSpec {
        id: SourceId::new("bench", "lab", "all"),
        kinds: vec!["bench.guests".into()],
        mode: Mode::Poll(Cadence { focused: 5, visible: 15, hidden: 60 }),
        domain: Domain::Home,
    }
}

/// The rows of one poll; one in a hundred differs from the poll before.
fn rows(count: usize, poll: usize) -> Vec<Row> {
    let node: Vec<Arc<str>> = (0..10).map(|n| format!("pve{n}").into()).collect();
    let row = |n: usize| {
        let changed = n % 100 == poll % 100;
        let name = format!("prod-web-{n:06}");
        let mut row = Row::new(
            EntityId::new("bench.guests", "lab", format!("qemu/{n}")),
            name.as_str(),
            vec![
                Cell::toned("running", Tone::Ok),
                Cell::new(name.as_str()),
                Cell::new(&*node[n % 10]),
                Cell::new(if changed { 0.5 } else { 0.1 }),
                Cell::new(i64::try_from(n).unwrap_or(0) << 20),
                Cell::new(Timestamp::UNIX_EPOCH),
            ],
        );
        row.health = Health::Ok;
        row
    };
    (0..count).map(row).collect()
}

fn update(count: usize, poll: usize) -> Update {
    let snapshot = Snapshot::complete(rows(count, poll), Timestamp::UNIX_EPOCH);
    Update { source: source().id, epoch: Epoch(poll as u64), body: Ok(Delta::Reset(snapshot)) }
}

fn app(count: usize) -> App {
    let env = Env::default();
    let mut app = App::new(Setup {
        kinds: vec![kind()],
        operations: vec![],
        theme: Theme::load(&Ui::default(), &env).0,
        keymap: Keymap::default(),
        themes: vec![],
        ascii: false,
        wide: false,
        zone: TimeZone::UTC,
        operator: "bench".into(),
        armed_for: 600,
        boot: "bench".into(),
        demo: None,
        insight: Settings::default(),
        welcome: None,
        now: Timestamp::UNIX_EPOCH,
        size: (120, 40),
    });
    app.update(Timestamp::UNIX_EPOCH, Msg::Connected(vec![source()]));
    app.update(Timestamp::UNIX_EPOCH, Msg::Source(update(count, 1)));
    press(&mut app, '1');
    draw(&mut app);
    app
}

fn press(app: &mut App, c: char) {
    app.update(Timestamp::UNIX_EPOCH, Msg::Key { key: Key::plain(KeyCode::Char(c)), repeat: false });
}

fn draw(app: &mut App) -> Buffer {
    let mut buf = Buffer::empty(Rect::new(0, 0, 120, 40));
    app.draw(Timestamp::UNIX_EPOCH, &mut buf);
    buf
}

/// The store's share of a refresh: 1 % of the rows changed.
#[divan::bench(args = SIZES)]
fn diff(bencher: Bencher<'_, '_>, count: usize) {
    let mut store = Store::new([source()]);
    store.apply(update(count, 1));
    let mut poll = 1;
    bencher
        .with_inputs(|| {
            poll += 1;
            update(count, poll)
        })
        .bench_local_values(|update| store.apply(update));
}

/// A whole refresh on the owner loop: diff, sort, and what the pane makes of it.
#[divan::bench(args = SIZES)]
fn refresh(bencher: Bencher<'_, '_>, count: usize) {
    let mut app = app(count);
    let mut poll = 1;
    bencher
        .with_inputs(|| {
            poll += 1;
            update(count, poll)
        })
        .bench_local_values(|update| app.update(Timestamp::UNIX_EPOCH, Msg::Source(update)));
}

/// One character more in the filter.
#[divan::bench(args = SIZES)]
fn filter(bencher: Bencher<'_, '_>, count: usize) {
    bencher
        .with_inputs(|| {
            let mut app = app(count);
            press(&mut app, '/');
            app
        })
        .bench_local_refs(|app| press(app, '7'));
}

/// A cursor move with its frame.
#[divan::bench(args = SIZES)]
fn key_and_frame(bencher: Bencher<'_, '_>, count: usize) {
    let mut app = app(count);
    bencher.bench_local(|| {
        press(&mut app, 'j');
        draw(&mut app)
    });
}

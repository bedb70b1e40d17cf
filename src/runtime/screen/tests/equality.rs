use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::widgets::{Clear, Widget};

use super::{Emulated, List};

/// One thing that happens to a console's screen between two frames.
#[derive(Debug, Clone)]
enum Step {
    Move(i32),
    Detail(u16),
    Live,
    Scribble(Scribble),
    Popup(Option<(u16, u16)>),
    Wipe,
    Resize(u16, u16),
    Forget,
    HideCursor(bool),
}

/// Text somewhere on the screen.
#[derive(Debug, Clone)]
struct Scribble {
    x: u16,
    y: u16,
    text: String,
    style: Style,
}

#[derive(Default)]
struct World {
    list: List,
    scribbles: Vec<Scribble>,
    popup: Option<(u16, u16)>,
    hide_cursor: bool,
}

impl World {
    fn render(&self, buffer: &mut Buffer) -> Option<Position> {
        let cursor = self.list.render(buffer);
        self.paint(buffer);
        cursor.filter(|_| !self.hide_cursor)
    }

    fn paint(&self, buffer: &mut Buffer) {
        let area = buffer.area;
        for Scribble { x, y, text, style } in &self.scribbles {
            if *x < area.width && *y < area.height {
                buffer.set_stringn(*x, *y, text, usize::from(area.width - x), *style);
            }
        }
        if let Some((x, y)) = self.popup {
            let popup = Rect::new(x, y, 30, 6).intersection(area);
            Clear.render(popup, buffer);
            buffer.set_style(popup, Style::new().bg(Color::Indexed(236)));
        }
    }
}

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-z ]{1,12}",
        2 => Just("界面 宽度".to_owned()),
        1 => Just("한글".to_owned()),
        1 => Just("🚀".to_owned()),
        1 => Just("⌨️ ❤️".to_owned()),
        1 => Just("👨‍👩‍👧".to_owned()),
        1 => Just("🇫🇷👍🏽".to_owned()),
        1 => Just("e\u{301}ﾊﾟ".to_owned()),
        1 => Just("─│▌█".to_owned()),
    ];
    proptest::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat())
}

fn style() -> impl Strategy<Value = Style> {
    let colour = prop_oneof![
        Just(Color::Reset),
        Just(Color::Red),
        Just(Color::LightCyan),
        any::<u8>().prop_map(Color::Indexed),
        any::<(u8, u8, u8)>().prop_map(|(r, g, b)| Color::Rgb(r, g, b)),
    ];
    // The emulator does not know bold and dim together.
    let not_both = prop_oneof![Just(Modifier::BOLD), Just(Modifier::DIM)];
    let modifiers = (prop_oneof![Just(0), any::<u16>()], not_both)
        .prop_map(|(bits, less)| Modifier::from_bits_truncate(bits).difference(less));
    (colour.clone(), colour, modifiers).prop_map(|(fg, bg, m)| Style::new().fg(fg).bg(bg).add_modifier(m))
}

fn step() -> impl Strategy<Value = Step> {
    let scribble = (0..130_u16, 0..45_u16, text(), style());
    prop_oneof![
        6 => prop_oneof![Just(1), Just(-1), -60..60_i32].prop_map(Step::Move),
        1 => prop_oneof![Just(0), Just(40)].prop_map(Step::Detail),
        2 => Just(Step::Live),
        5 => scribble.prop_map(|(x, y, text, style)| Step::Scribble(Scribble { x, y, text, style })),
        2 => proptest::option::of((0..60_u16, 0..20_u16)).prop_map(Step::Popup),
        1 => Just(Step::Wipe),
        1 => (1..130_u16, 1..45_u16).prop_map(|(columns, rows)| Step::Resize(columns, rows)),
        1 => Just(Step::Forget),
        1 => any::<bool>().prop_map(Step::HideCursor),
    ]
}

/// The same frame on a terminal that has shown nothing else.
fn repainted(columns: u16, rows: u16, world: &World) -> Vec<String> {
    let mut fresh = Emulated::new(columns, rows);
    fresh.draw(|buffer| world.render(buffer));
    fresh.picture()
}

fn play(steps: Vec<Step>) {
    let (mut columns, mut rows) = (100, 30);
    let mut world = World::default();
    let mut terminal = Emulated::new(columns, rows);
    for step in steps {
        match &step {
            Step::Move(by) => world.list.step(*by, rows),
            Step::Detail(width) => (world.list.detail, world.list.described) = (*width, world.list.selected),
            Step::Live => world.list.tick += 1,
            Step::Scribble(scribble) => world.scribbles.push(scribble.clone()),
            Step::Popup(popup) => world.popup = *popup,
            Step::Wipe => world.scribbles.clear(),
            Step::HideCursor(hide) => world.hide_cursor = *hide,
            Step::Forget => terminal.screen.forget(),
            Step::Resize(new_columns, new_rows) => {
                (columns, rows) = (*new_columns, *new_rows);
                world.list.step(0, rows);
                terminal.resize(columns, rows);
            }
        }
        terminal.draw(|buffer| world.render(buffer));
        let (incremental, full) = (terminal.picture(), repainted(columns, rows, &world));
        let first_difference = incremental.iter().zip(&full).find(|(incremental, full)| incremental != full);
        assert_eq!(first_difference, None, "incremental, full after {step:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_incremental_frame_equals_a_full_repaint(steps in proptest::collection::vec(step(), 1..30)) {
        play(steps);
    }
}

#[test]
fn the_terminal_shows_what_was_drawn() {
    let mut terminal = Emulated::new(24, 2);
    let style = Style::new().fg(Color::Red).bg(Color::Indexed(17)).add_modifier(Modifier::BOLD);
    terminal.draw(|buffer| {
        buffer.set_string(2, 0, "a界b ─", style);
        buffer.set_string(20, 1, "edge", Style::new());
        Some(Position::new(3, 1))
    });
    let screen = terminal.parser.screen();
    assert_eq!(screen.contents(), "  a界b ─\n                    edge");
    assert_eq!(screen.cursor_position(), (1, 3));
    let cell = screen.cell(0, 3).unwrap();
    assert_eq!((cell.fgcolor(), cell.bgcolor()), (vt100::Color::Idx(1), vt100::Color::Idx(17)));
    assert!(cell.bold() && cell.is_wide() && !cell.inverse());
}

#[test]
fn a_list_scrolls_even_in_a_terminal_of_one_cell() {
    play(vec![Step::Resize(1, 1), Step::Move(1), Step::Move(-1), Step::Resize(1, 3), Step::Move(5)]);
}

use ratatui::layout::Size;

use super::{Emulated, List};

const COLUMNS: u16 = 120;
const ROWS: u16 = 40;

/// A list already on screen, the cursor somewhere in the middle.
fn opened() -> (Emulated, List) {
    let mut terminal = Emulated::new(COLUMNS, ROWS);
    let mut list = List::default();
    list.step(500, ROWS);
    list.step(-10, ROWS);
    terminal.draw(|buffer| list.render(buffer));
    (terminal, list)
}

/// The longest of `count` frames, a step of the selection apart.
fn longest(terminal: &mut Emulated, list: &mut List, by: i32, count: usize) -> usize {
    let frames = (0..count).map(|_| {
        list.step(by, ROWS);
        terminal.draw(|buffer| list.render(buffer)).len()
    });
    frames.max().unwrap()
}

#[test]
fn an_unchanged_frame_writes_nothing() {
    let (mut terminal, list) = opened();
    assert!(terminal.draw(|buffer| list.render(buffer)).is_empty());
}

#[test]
fn a_cursor_move_takes_at_most_80_bytes() {
    let (mut terminal, mut list) = opened();
    assert!(longest(&mut terminal, &mut list, 1, 9) <= 80);
    assert!(longest(&mut terminal, &mut list, -1, 20) <= 80);
}

#[test]
fn a_scroll_step_takes_at_most_200_bytes_either_way() {
    let (mut terminal, mut list) = opened();
    list.step(10, ROWS);
    terminal.draw(|buffer| list.render(buffer));
    let down = longest(&mut terminal, &mut list, 1, 50);
    assert!(down <= 200, "{down}");
    list.step(1 - i32::from(ROWS - 3), ROWS);
    terminal.draw(|buffer| list.render(buffer));
    let up = longest(&mut terminal, &mut list, -1, 50);
    assert!(up <= 200, "{up}");
}

#[test]
fn a_full_repaint_takes_at_most_5_500_bytes_in_one_synchronized_write() {
    let (mut terminal, list) = opened();
    terminal.screen.forget();
    let frame = terminal.draw(|buffer| list.render(buffer));
    assert!(frame.len() <= 5_500, "{}", frame.len());
    assert!(frame.starts_with(b"\x1b[?2026h") && frame.ends_with(b"\x1b[?2026l"));
}

#[test]
fn a_full_repaint_at_the_design_size_takes_at_most_3_000_bytes() {
    let mut terminal = Emulated::new(80, 24);
    let frame = terminal.draw(|buffer| List::default().render(buffer));
    assert!(frame.len() <= 3_000, "{}", frame.len());
}

/// Beside a detail pane that follows only after the cursor has come to rest.
fn split() -> (Emulated, List) {
    let (mut terminal, mut list) = opened();
    list.detail = 50;
    list.step(10, ROWS);
    terminal.draw(|buffer| list.render(buffer));
    (terminal, list)
}

#[test]
fn a_scroll_step_beside_a_detail_pane_takes_less_than_its_rows() {
    let (mut terminal, mut list) = split();
    let step = longest(&mut terminal, &mut list, 1, 10);
    assert!(step <= 900, "{step}");
}

#[test]
fn a_half_page_jump_beside_a_detail_pane_takes_at_most_2_200_bytes() {
    let (mut terminal, mut list) = split();
    let jump = longest(&mut terminal, &mut list, i32::from(ROWS) / 2, 5);
    assert!(jump <= 2_200, "{jump}");
}

#[test]
fn a_detail_that_follows_takes_only_what_differs() {
    let (mut terminal, mut list) = split();
    list.described = 7;
    let detail = terminal.draw(|buffer| list.render(buffer)).len();
    assert!(detail <= 600, "{detail}");
}

#[test]
fn a_changed_value_costs_little_more_than_its_cells() {
    let (mut terminal, mut list) = opened();
    list.tick = 1;
    let rows = List::page(ROWS);
    let frame = terminal.draw(|buffer| list.render(buffer)).len();
    assert!(frame <= rows * 16, "{frame} bytes for {rows} changed values");
}

#[test]
fn no_frame_asks_the_terminal_anything() {
    let (mut terminal, mut list) = opened();
    let mut sent = Vec::new();
    for by in [1, 1, -40, 400, 1] {
        list.step(by, ROWS);
        sent.extend(terminal.draw(|buffer| list.render(buffer)));
    }
    terminal.screen.resize(Size::new(100, 30));
    sent.extend(terminal.draw(|buffer| list.render(buffer)));
    let text = String::from_utf8(sent).unwrap();
    for query in ["\x1b[6n", "\x1b[5n", "\x1b[c", "\x1b[>c", "\x1b[?u", "\x1b]10;?", "\x1b]11;?", "$p"] {
        assert!(!text.contains(query), "{query:?}");
    }
}

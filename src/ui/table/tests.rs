//! The table as an operator meets it.

use insta::assert_snapshot;
use proptest::prelude::{prop_assert, proptest};

use crate::config::theme::Role;
use crate::model::row::{Domain, Row};
use crate::model::snapshot::{Delta, Fault, Layer, Snapshot};
use crate::ui::component::Request;
use crate::ui::testing::{Screen, World, act, many, typed};

use super::*;

fn guests(world: &World) -> Table {
    Table::new(world.kind("proxmox.guests"), None)
}

fn names(table: &Table) -> Vec<&str> {
    table.rows().iter().map(|row| &*row.name).collect()
}

fn cursor(table: &Table) -> String {
    table.current().map(|row| row.name.to_string()).unwrap_or_default()
}

#[test]
fn it_shows_its_rows_at_the_design_size() {
    let world = World::lab();
    assert_snapshot!(Screen::of(&mut guests(&world), 80, 10, &world).text());
}

#[test]
fn a_wide_screen_shows_the_wide_columns_when_asked() {
    let mut world = World::lab();
    world.wide = true;
    assert_snapshot!(Screen::of(&mut guests(&world), 140, 8, &world).text());
}

#[test]
fn a_narrow_screen_drops_columns_by_priority() {
    let world = World::lab();
    assert_snapshot!(Screen::of(&mut guests(&world), 40, 8, &world).text());
}

#[test]
fn colour_carries_meaning_and_only_the_name_is_highlighted() {
    let world = World::lab();
    let mut table = guests(&world);
    act(&mut table, &world, &[Action::Down]);
    let screen = Screen::of(&mut table, 80, 10, &world);
    let style = |role: Role| world.theme.style(role).fg;
    assert_eq!(screen.style_of("● running").fg, style(Role::Ok));
    assert_eq!(screen.style_of("○ stopped").fg, style(Role::Off));
    assert_eq!(screen.style_of("talos-prod-cp").fg, style(Role::Selection));
    assert_ne!(screen.style_of("talos-dev").fg, style(Role::Selection));
    assert_eq!(screen.cursor, Some(Position { x: 0, y: 3 }));
}

#[test]
fn a_cursor_move_changes_two_gutters_and_two_names_and_nothing_else() {
    let mut world = World::lab();
    let rows = many(&world, 1000);
    world.rows("proxmox", "pve", rows);
    let mut table = guests(&world);
    act(&mut table, &world, &[Action::Down]);
    let before = Screen::of(&mut table, 120, 40, &world).buf;
    act(&mut table, &world, &[Action::Down]);
    let after = Screen::of(&mut table, 120, 40, &world).buf;
    let name = "guest-00001".len();
    assert_eq!(before.diff(&after).len(), 2 * (name + 1));
}

#[test]
fn text_of_a_hostile_server_stays_in_its_cell() {
    let mut world = World::lab();
    let evil = format!("\u{1b}[2J\u{202e}evil\n{}", "x".repeat(10_000));
    let rows = vec![world.guest(1, &evil, "run\u{7}ning", 0.1, 1, 5)];
    world.rows("proxmox", "pve", rows);
    assert_snapshot!(Screen::of(&mut guests(&world), 80, 4, &world).text());
}

#[test]
fn the_filter_works_as_one_types_and_escape_clears_it_first() {
    let world = World::lab();
    let mut table = guests(&world);
    act(&mut table, &world, &[Action::Filter]);
    act(&mut table, &world, &typed("talos-prod"));
    assert_eq!(names(&table), ["talos-prod-cp", "talos-prod-worker-1"]);
    assert_eq!((table.context(), table.takes_text()), (Context::Filter, true));
    let screen = Screen::of(&mut table, 80, 6, &world);
    assert_snapshot!(screen.text());
    assert_eq!(screen.style_of("talos-prod-worker").fg, world.theme.style(Role::Match).fg);
    act(&mut table, &world, &[Action::Enter]);
    assert_eq!(table.context(), Context::Table);
    assert_eq!(act(&mut table, &world, &[Action::Back]), Outcome::Consumed);
    assert_eq!(names(&table).len(), 4);
    assert_eq!(act(&mut table, &world, &[Action::Back]), Outcome::Ignored);
}

#[test]
fn a_filter_that_names_no_column_says_so() {
    let world = World::lab();
    let mut table = guests(&world);
    table.set_filter("nosuch:1", &world.ctx());
    let screen = Screen::of(&mut table, 80, 6, &world).text();
    assert!(screen.contains("no column nosuch"), "{screen}");
    assert!(screen.contains("None of 4 guests matches"), "{screen}");
}

#[test]
fn any_column_sorts_in_both_directions_and_empty_values_stay_last() {
    let world = World::lab();
    let mut table = guests(&world);
    assert!(table.sort_by("cpu", true, &world.ctx()));
    assert_eq!(names(&table), ["talos-prod-worker-1", "talos-prod-cp", "talos-dev", "windows-gaming"]);
    act(&mut table, &world, &[Action::ReverseSort]);
    assert_eq!(names(&table), ["talos-dev", "talos-prod-cp", "talos-prod-worker-1", "windows-gaming"]);
    assert!(!table.sort_by("nosuch", false, &world.ctx()));
}

#[test]
fn a_state_sorts_the_worst_first() {
    let world = World::lab();
    let table = &mut Table::new(world.kind("argocd.applications"), None);
    act(table, &world, &[Action::Top]);
    assert_eq!(names(table), ["nextcloud", "loki", "comet", "vaultwarden"]);
}

#[test]
fn the_cursor_and_the_marks_stay_with_their_rows() {
    let mut world = World::lab();
    let mut table = guests(&world);
    act(&mut table, &world, &[Action::Mark, Action::Down, Action::Mark]);
    assert_eq!(cursor(&table), "windows-gaming");
    let mut rows = world.guest_rows();
    rows.remove(3);
    rows.insert(0, world.guest(99, "a-new-guest", "running", 0.9, 1, 1));
    world.rows("proxmox", "pve", rows);
    assert!(table.refresh(&world.ctx()));
    assert_eq!(cursor(&table), "windows-gaming");
    let marked: Vec<_> = table.marked().iter().map(|id| id.key.to_string()).collect();
    assert_eq!(marked, ["qemu/101"], "talos-dev is gone, and its mark with it");
}

#[test]
fn marks_hidden_by_a_filter_are_not_acted_on() {
    let world = World::lab();
    let mut table = guests(&world);
    act(&mut table, &world, &[Action::InvertMarks]);
    assert_eq!(table.marked().len(), 4);
    table.set_filter("dev", &world.ctx());
    assert_eq!(table.marked().len(), 1);
}

#[test]
fn news_that_cannot_be_seen_ask_for_no_drawing() {
    let mut world = World::lab();
    let rows = many(&world, 100);
    world.rows("proxmox", "pve", rows.clone());
    let mut table = guests(&world);
    table.refresh(&world.ctx());
    Screen::of(&mut table, 80, 24, &world);
    let change = |row: Row| Delta::Change {
        upserts: vec![row],
        removes: vec![],
        observed_at: world.now,
        complete: true,
    };
    let (hidden, seen) = (
        world.guest(90, "guest-00090", "stopped", 0., 1, 1),
        world.guest(2, "guest-00002", "stopped", 0., 1, 1),
    );
    let (hidden, seen) = (change(hidden), change(seen));
    world.answer("proxmox", "pve", Ok(hidden));
    assert!(!table.refresh(&world.ctx()));
    world.answer("proxmox", "pve", Ok(seen));
    assert!(table.refresh(&world.ctx()));
}

#[test]
fn an_empty_table_says_why() {
    let mut world = World::empty();
    let text = |world: &World| Screen::of(&mut guests(world), 80, 8, world).text();
    assert!(text(&world).contains("No server that has guests is configured"));
    world.source("proxmox", "pve", &["proxmox.guests"], Domain::Home);
    assert!(text(&world).contains("Loading guests"));
    world.rows("proxmox", "pve", vec![]);
    assert!(text(&world).contains("There are no guests"));
    let partial = Snapshot { complete: false, ..Snapshot::complete(vec![], world.now) };
    world.answer("proxmox", "pve", Ok(Delta::Reset(partial)));
    assert!(text(&world).contains("proves nothing"));
    let fault = Fault::new(Layer::Tcp, "no connection").raw("connect: timed out").hint("is home off?");
    world.answer("proxmox", "pve", Err(fault));
    assert_snapshot!(text(&world));
}

#[test]
fn a_stale_source_keeps_its_rows_and_takes_their_green_away() {
    let mut world = World::lab();
    world.later(26);
    world.answer("proxmox", "pve", Err(Fault::new(Layer::Tcp, "no connection").raw("connect: timed out")));
    let screen = Screen::of(&mut guests(&world), 80, 12, &world);
    assert_snapshot!(screen.text());
    assert_eq!(screen.style_of("? running").fg, world.theme.style(Role::Unknown).fg);
}

#[test]
fn several_instances_get_a_column_of_their_own() {
    let mut world = World::lab();
    world.source("proxmox", "attic", &["proxmox.guests"], Domain::Home);
    let mut row = world.guest(100, "talos-prod-cp", "running", 0.5, 8, 3);
    row.id.instance = "attic".into();
    world.rows("proxmox", "attic", vec![row]);
    assert_snapshot!(Screen::of(&mut guests(&world), 80, 8, &world).text());
}

#[test]
fn a_scope_holds_only_what_lies_within() {
    let world = World::lab();
    let scope =
        |value: &str| Scope { column: "node".into(), value: value.into(), instance: Some("pve".into()) };
    let mut table = Table::new(world.kind("proxmox.guests"), Some(scope("pve")));
    assert!(Screen::of(&mut table, 80, 8, &world).text().contains("guests 4  node=pve"));
    let mut table = Table::new(world.kind("proxmox.guests"), Some(scope("elsewhere")));
    assert!(Screen::of(&mut table, 80, 8, &world).text().contains("There are no guests with node elsewhere"));
}

#[test]
fn ascii_is_enough() {
    let mut world = World::lab();
    world.ascii = true;
    let mut table = guests(&world);
    act(&mut table, &world, &[Action::Mark]);
    let text = Screen::of(&mut table, 60, 8, &world).text();
    assert!(text.is_ascii(), "{text}");
    assert_snapshot!(text);
}

#[test]
fn rows_are_copied_as_name_text_and_json() {
    let world = World::lab();
    let mut table = guests(&world);
    let copied = |table: &mut Table, action| match act(table, &world, &[Action::Top, action]) {
        Outcome::Emit(requests) => match &requests[..] {
            [Request::Copy { text, .. }] => text.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    assert_eq!(copied(&mut table, Action::CopyCell), "talos-dev");
    assert_eq!(copied(&mut table, Action::CopyRow), "running\ttalos-dev\t120\t2%\t4G\tpve\t3h\ttalos;prod");
    assert!(copied(&mut table, Action::CopyJson).starts_with(r#"{"cells":{"age":"2026-"#));
}

#[test]
fn ten_thousand_rows_are_held_and_only_a_screenful_is_drawn() {
    let mut world = World::lab();
    let rows = many(&world, 10_000);
    world.rows("proxmox", "pve", rows);
    let mut table = guests(&world);
    act(&mut table, &world, &[Action::Bottom, Action::Up]);
    assert_eq!(cursor(&table), "guest-09998");
    assert_eq!(table.visible().len(), 1, "nothing was drawn yet");
    Screen::of(&mut table, 120, 40, &world);
    assert_eq!(table.visible().len(), 38);
}

proptest! {
    #[test]
    fn no_size_and_no_sequence_of_actions_breaks_it(
        width in 1_u16..60, height in 1_u16..14, picks in proptest::collection::vec(0_usize..100, 0..30),
    ) {
        let world = World::lab();
        let mut table = guests(&world);
        for pick in picks {
            let action = Action::SIMPLE.get(pick).cloned().unwrap_or(Action::Insert('t'));
            act(&mut table, &world, &[action]);
            let screen = Screen::of(&mut table, width, height, &world);
            let clean = screen.buf.content.iter().all(|cell| !cell.symbol().contains('\u{1b}'));
            prop_assert!(clean);
        }
    }
}

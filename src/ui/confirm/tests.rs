//! A confirmation as an operator meets it.

use insta::assert_snapshot;
use proptest::prelude::proptest;

use crate::model::id::Identity;
use crate::model::op::Decision;
use crate::model::row::{Domain, Tone};
use crate::ui::testing::{Screen, World, act, typed};

use super::*;

fn target(key: &str, name: &str) -> Target {
    let id = EntityId::new("proxmox.guests", "pve", key);
    let identity = Identity::new().with("vmid", key);
    Target { id, name: name.into(), identity, domain: Domain::Home }
}

fn op(world: &World, name: &str) -> Arc<OpSpec> {
    world.operations.get(name).unwrap().clone()
}

fn verdict() -> Verdict {
    let effect = "Boots windows-gaming on pve; it takes about 40 seconds.";
    Verdict::allow(effect, Identity::new())
        .and(Decision::Allow, Evidence::new("state", "stopped since 2 days", Tone::Ok))
        .and(
            Decision::Warn,
            Evidence::new("memory", "60 of 64 GiB would be in use, 4 in reserve", Tone::Warn),
        )
}

fn start(world: &World) -> Confirm {
    let targets = vec![target("qemu/110", "windows-gaming")];
    Confirm::new(op(world, "proxmox.start"), Ask::Yes, targets, Args::new(), world.now)
}

fn shutdown(world: &World, count: usize) -> Confirm {
    let targets: Vec<Target> =
        (0..count).map(|n| target(&format!("qemu/{n}"), &format!("guest-{n}"))).collect();
    let names = targets.iter().map(|target| target.name.clone()).collect();
    let ask = if count > 3 { Ask::Count(count) } else { Ask::Names(names) };
    let mut confirm =
        Confirm::new(op(world, "proxmox.shutdown"), ask, targets.clone(), Args::new(), world.now);
    for target in targets {
        confirm.pass(&target.id, Verdict::allow("Asks the guest to shut down.", Identity::new()), world.now);
    }
    confirm
}

fn yes(reason: Option<&str>) -> Outcome {
    Outcome::emit(Request::Confirmed { reason: reason.map(str::to_owned) })
}

fn no() -> Outcome {
    Outcome::emit(Request::Cancel)
}

#[test]
fn it_is_deaf_for_a_moment_after_it_opened_and_after_it_changed() {
    let mut world = World::lab();
    let mut confirm = start(&world);
    for action in [Action::Yes, Action::No, Action::Back, Action::Enter] {
        assert_eq!(act(&mut confirm, &world, &[action]), Outcome::Consumed);
    }
    assert!(Screen::of(&mut confirm, 80, 24, &world).text().contains("no key counts for a moment"));
    world.now = confirm.listens_at();
    assert_eq!(act(&mut confirm, &world, &[Action::Yes]), Outcome::Consumed, "there is no verdict yet");
    confirm.pass(&target("qemu/110", "").id, verdict(), world.now);
    assert_eq!(act(&mut confirm, &world, &[Action::Yes]), Outcome::Consumed);
    world.now = confirm.listens_at();
    assert_eq!(act(&mut confirm, &world, &[Action::Yes]), yes(None));
}

#[test]
fn enter_is_no() {
    let mut world = World::lab();
    let mut confirm = start(&world);
    confirm.pass(&target("qemu/110", "").id, verdict(), world.now);
    world.later(1);
    let enter = world
        .keymap
        .lookup(&[confirm.context()], &[crate::config::key::Key::plain(crate::config::key::KeyCode::Enter)]);
    assert_eq!(enter, crate::config::keymap::Match::Action(Action::No));
    assert_eq!(act(&mut confirm, &world, &[Action::No]), no());
}

#[test]
fn a_reversible_operation_asks_for_one_yes() {
    let mut world = World::lab();
    let mut confirm = start(&world);
    confirm.pass(&target("qemu/110", "").id, verdict(), world.now);
    world.later(1);
    let screen = Screen::of(&mut confirm, 80, 24, &world);
    assert_snapshot!(screen.text());
    assert_eq!(screen.style_of("▲ memory").fg, world.theme.style(Role::Warn).fg);
    assert_eq!(screen.style_of("60 of 64").fg, world.theme.style(Role::Warn).fg);
}

#[test]
fn a_costly_one_asks_for_the_name_and_a_reason() {
    let mut world = World::lab();
    let mut confirm = shutdown(&world, 1);
    world.later(1);
    act(&mut confirm, &world, &typed("guest-1"));
    assert_snapshot!(Screen::of(&mut confirm, 80, 24, &world).text());
    assert_eq!(
        act(&mut confirm, &world, &[Action::Enter, Action::Enter]),
        Outcome::Consumed,
        "the name differs"
    );
    act(&mut confirm, &world, &[Action::DeleteBack, Action::Insert('0'), Action::Enter]);
    assert_eq!(act(&mut confirm, &world, &[Action::Enter]), Outcome::Consumed, "there is no reason");
    act(&mut confirm, &world, &typed("kernel update"));
    assert_eq!(act(&mut confirm, &world, &[Action::Enter]), yes(Some("kernel update")));
}

#[test]
fn a_paste_answers_nothing() {
    let mut world = World::lab();
    let mut confirm = shutdown(&world, 1);
    world.later(1);
    act(&mut confirm, &world, &[Action::Paste("guest-0".into()), Action::Enter]);
    act(&mut confirm, &world, &[Action::Paste("a reason".into())]);
    assert_eq!(act(&mut confirm, &world, &[Action::Enter]), Outcome::Consumed);
}

#[test]
fn many_targets_are_listed_and_counted() {
    let mut world = World::lab();
    let mut confirm = shutdown(&world, 30);
    world.later(1);
    act(&mut confirm, &world, &typed("30"));
    assert_snapshot!(Screen::of(&mut confirm, 80, 24, &world).text());
    act(&mut confirm, &world, &[Action::Enter]);
    act(&mut confirm, &world, &typed("all of them"));
    assert_eq!(act(&mut confirm, &world, &[Action::Enter]), yes(Some("all of them")));
}

#[test]
fn a_refusal_shows_its_reasons_and_can_only_be_closed() {
    let mut world = World::lab();
    let mut confirm = start(&world);
    let why = vec![
        Evidence::new(
            "memory",
            "68 of 64 GiB: host 4 + ARC 8 + prod 16 + talos-dev 4 + this 32 + reserve 4",
            Tone::Error,
        ),
        Evidence::new("free it", "shut down talos-dev (4 GiB)", Tone::Info),
    ];
    confirm.refuse("windows-gaming", why, world.now);
    world.later(1);
    assert_snapshot!(Screen::of(&mut confirm, 80, 24, &world).text());
    assert_eq!(act(&mut confirm, &world, &[Action::Yes]), Outcome::Consumed);
    assert_eq!(act(&mut confirm, &world, &[Action::Back]), no());
}

#[test]
fn what_is_not_done_here_shows_the_way_and_copies_it() {
    let mut world = World::lab();
    let path = "git: clusters/prod/kustomization.yaml".to_owned();
    let ask = Ask::NotHere(path.clone());
    let targets = vec![target("qemu/110", "windows-gaming")];
    let mut confirm = Confirm::new(op(&world, "proxmox.shutdown"), ask, targets, Args::new(), world.now);
    world.later(1);
    assert!(Screen::of(&mut confirm, 80, 24, &world).text().contains(&path));
    let copied = Request::Copy { text: path, what: "what to do".into() };
    assert_eq!(act(&mut confirm, &world, &[Action::Yes]), Outcome::Emit(vec![copied, Request::Cancel]));
}

proptest! {
    #[test]
    fn no_size_hides_that_it_is_a_question_or_breaks_it(width in 1_u16..90, height in 1_u16..20, count in 1_usize..6) {
        let mut world = World::lab();
        let mut confirm = shutdown(&world, count);
        world.later(1);
        act(&mut confirm, &world, &typed("漢字 and more"));
        Screen::of(&mut confirm, width, height, &world);
    }
}

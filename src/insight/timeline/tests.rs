use std::collections::HashSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::model::id::EntityId;
use crate::model::row::Tone;

use super::{Event, Focus, Sort, ranked, row};

fn now() -> Timestamp {
    "2026-03-01T03:00:00Z".parse().unwrap()
}

fn event(minutes_ago: i64, text: &str, about: Option<&str>, change: bool) -> Event {
    Event {
        at: now() - SignedDuration::from_mins(minutes_ago),
        until: None,
        sort: Sort::Task,
        text: text.to_owned(),
        tone: Tone::Text,
        who: Arc::from("root"),
        about: about.map(|name| EntityId::new("proxmox.guests", "pve", name)),
        on: Arc::from(""),
        source: Arc::from("proxmox.tasks"),
        change,
    }
}

fn focus() -> Focus {
    let id = |name: &str| EntityId::new("proxmox.guests", "pve", name);
    Focus {
        name: "vm".into(),
        at: Some(now() - SignedDuration::from_mins(30)),
        things: HashSet::from([id("vm")]),
        near: HashSet::from([id("host")]),
    }
}

#[test]
fn what_changed_the_thing_itself_just_before_is_the_most_suspicious() {
    let events = [
        event(33, "restart of the vm", Some("vm"), true),
        event(34, "update of the host", Some("host"), true),
        event(50, "elsewhere", Some("other"), true),
        event(32, "a consequence", Some("vm"), false),
        event(20, "afterwards", Some("vm"), true),
        event(90, "long before", Some("vm"), true),
    ];
    let focus = focus();
    let found: Vec<_> =
        ranked(&events, &focus).into_iter().map(|(points, _, event)| (points, event.text.as_str())).collect();
    assert_eq!(found, [(5, "restart of the vm"), (4, "update of the host")]);
}

#[test]
fn the_window_of_a_fresh_problem_reaches_to_now_and_that_of_an_old_one_does_not() {
    let (from, to) = focus().window(now());
    assert_eq!((from, to), (now() - SignedDuration::from_mins(60), now()));
    let old = Focus { at: Some(now() - SignedDuration::from_hours(10)), ..focus() };
    assert_eq!(old.window(now()).1, now() - SignedDuration::from_mins(570));
}

#[test]
fn an_event_says_how_near_it_is_and_a_gap_how_long_it_was() {
    let focus = focus();
    let row_of = |event: &Event| row(event, Some(&focus));
    let before = row_of(&event(33, "restart", Some("vm"), true));
    assert_eq!(before.cell(5).value.as_text(), Some("-3m"));
    let mut gap = event(60, "omni not seen", None, false);
    gap.sort = Sort::Gap;
    gap.until = Some(now());
    assert_eq!(row_of(&gap).cell(2).value.as_text(), Some("omni not seen for 60m"));
    gap.until = None;
    assert_eq!(row_of(&gap).cell(2).value.as_text(), Some("omni not seen until now"));
}

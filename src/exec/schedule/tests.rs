use crate::model::row::Domain;

use super::*;

const GUESTS: &str = "proxmox.guests";

fn id(feed: &str) -> SourceId {
    SourceId::new("proxmox", "pve", feed)
}

fn polled(feed: &str, kind: &str) -> SourceSpec {
    let mode = Mode::Poll(Cadence { focused: 5, visible: 10, hidden: 30 });
    SourceSpec { id: id(feed), kinds: vec![kind.into()], mode, domain: Domain::Home }
}

fn watched(feed: &str, kind: &str) -> SourceSpec {
    SourceSpec { mode: Mode::Watch, ..polled(feed, kind) }
}

fn schedule(specs: impl IntoIterator<Item = SourceSpec>) -> Schedule {
    let mut schedule = Schedule::new(Refresh::default(), 7);
    for spec in specs {
        schedule.add(spec);
    }
    schedule
}

fn at(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// Asks everything at `now` and lets it end at once; the pause until the next request, in seconds.
fn pause_after(schedule: &mut Schedule, now: Duration, end: End) -> f64 {
    schedule.want(&[]);
    for due in schedule.take_due(now) {
        schedule.ended(&due.source, now, end);
    }
    schedule.next_due().unwrap().as_secs_f64() - now.as_secs_f64()
}

fn assert_about(seconds: f64, expected: f64) {
    assert!((expected * 0.9..=expected * 1.1).contains(&seconds), "{seconds} is not about {expected}");
}

#[test]
fn the_more_is_seen_of_a_source_the_more_often_it_is_asked() {
    let mut schedule = schedule([polled("resources", GUESTS)]);
    for (focused, visible, expected) in
        [(vec![], vec![], 30.0), (vec![], vec![GUESTS.into()], 10.0), (vec![GUESTS.into()], vec![], 5.0)]
    {
        schedule.attend(focused, visible);
        assert_about(pause_after(&mut schedule, at(100.0), End::Good), expected);
    }
}

#[test]
fn looking_at_a_pane_makes_its_source_due_earlier() {
    let mut schedule = schedule([polled("resources", GUESTS)]);
    pause_after(&mut schedule, at(0.0), End::Good);
    assert!(schedule.take_due(at(6.0)).is_empty());
    schedule.attend(vec![GUESTS.into()], vec![]);
    assert_eq!(schedule.take_due(at(6.0)).len(), 1);
}

#[test]
fn the_operators_own_cadence_replaces_the_backends() {
    let refresh = Refresh { hidden: Some(Duration::from_secs(300)), ..Refresh::default() };
    let mut schedule = Schedule::new(refresh, 7);
    schedule.add(polled("resources", GUESTS));
    assert_about(pause_after(&mut schedule, at(0.0), End::Good), 300.0);
    schedule.attend(vec![GUESTS.into()], vec![]);
    assert_about(pause_after(&mut schedule, at(0.0), End::Good), 5.0);
}

#[test]
fn jitter_differs_from_turn_to_turn_and_repeats_with_the_seed() {
    let pauses = || {
        let mut schedule = schedule([polled("resources", GUESTS)]);
        (0..20).map(|_| pause_after(&mut schedule, at(0.0), End::Good)).collect::<Vec<_>>()
    };
    let (first, second) = (pauses(), pauses());
    assert_eq!(first, second);
    assert!(first.iter().any(|pause| *pause < 29.0) && first.iter().any(|pause| *pause > 31.0));
    for pause in first {
        assert_about(pause, 30.0);
    }
}

#[test]
fn faults_back_off_to_a_minute_and_good_news_ends_it() {
    let mut schedule = schedule([polled("resources", GUESTS)]);
    schedule.attend(vec![GUESTS.into()], vec![]);
    let expected = [5.0, 5.0, 5.0, 8.0, 16.0, 32.0, 60.0, 60.0];
    for seconds in expected {
        assert_about(pause_after(&mut schedule, at(0.0), End::Fault), seconds);
    }
    assert_about(pause_after(&mut schedule, at(0.0), End::Good), 5.0);
    assert_about(pause_after(&mut schedule, at(0.0), End::Fault), 5.0);
}

#[test]
fn a_refused_credential_is_tried_much_more_slowly() {
    let mut schedule = schedule([polled("resources", GUESTS)]);
    schedule.attend(vec![GUESTS.into()], vec![]);
    for seconds in [60.0, 120.0, 240.0, 480.0, 900.0, 900.0] {
        assert_about(pause_after(&mut schedule, at(0.0), End::Shut), seconds);
    }
}

#[test]
fn an_unauthorised_answer_is_told_from_a_lost_one() {
    let status = |status| Fault { status: Some(status), ..Fault::new(Layer::Http, "refused") };
    for (fault, end) in [
        (Fault::new(Layer::Tcp, "refused"), End::Fault),
        (Fault::new(Layer::Auth, "who are you"), End::Shut),
        (Fault::new(Layer::Config, "no token"), End::Shut),
        (status(401), End::Shut),
        (status(429), End::Fault),
    ] {
        assert_eq!(End::of(&fault), end, "{fault}");
    }
}

#[test]
fn a_source_is_never_asked_twice_at_a_time() {
    let mut schedule = schedule([polled("resources", GUESTS)]);
    assert_eq!(schedule.take_due(at(0.0)).len(), 1);
    assert_eq!(schedule.next_due(), None);
    schedule.want(&[]);
    assert!(schedule.take_due(at(1000.0)).is_empty());
    schedule.ended(&id("resources"), at(1000.0), End::Good);
    assert_eq!(schedule.take_due(at(1000.0)).len(), 1, "what was wanted meanwhile is asked anew");
}

#[test]
fn every_request_has_a_newer_epoch() {
    let mut schedule = schedule([polled("resources", GUESTS)]);
    let mut last = Epoch(0);
    for turn in 0..5 {
        let now = at(f64::from(turn) * 100.0);
        let due = schedule.take_due(now).remove(0);
        assert!(due.epoch > last);
        last = due.epoch;
        schedule.ended(&due.source, now, End::Good);
    }
}

#[test]
fn a_pause_stops_everything_but_what_is_wanted() {
    let mut schedule = schedule([polled("resources", GUESTS), polled("tasks", "proxmox.tasks")]);
    schedule.pause(true);
    assert_eq!((schedule.next_due(), schedule.take_due(at(0.0))), (None, vec![]));
    schedule.want(&["proxmox.tasks".into()]);
    let due = schedule.take_due(at(0.0));
    assert_eq!(due.iter().map(|due| &*due.source.feed).collect::<Vec<_>>(), ["tasks"]);
    schedule.pause(false);
    assert_eq!(schedule.take_due(at(0.0)).len(), 1);
}

#[test]
fn one_wake_up_serves_sources_that_are_due_almost_together() {
    let mut schedule = schedule([polled("resources", GUESTS), polled("tasks", "proxmox.tasks")]);
    schedule.chance = Chance(1);
    for due in schedule.take_due(at(0.0)) {
        let end = if &*due.source.feed == "tasks" { at(0.2) } else { at(0.0) };
        schedule.ended(&due.source, end, End::Good);
    }
    for entry in schedule.entries.values_mut() {
        entry.jitter = 1.0;
    }
    assert_eq!(schedule.next_due(), Some(at(30.0)));
    assert_eq!(schedule.take_due(at(30.0)).len(), 2);
}

#[test]
fn a_watch_that_breaks_is_reopened_more_and_more_slowly() {
    let mut schedule = schedule([watched("pods", "kubernetes.pods")]);
    for seconds in [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0] {
        assert_about(pause_after(&mut schedule, at(0.0), End::Fault), seconds);
    }
}

#[test]
fn a_watch_that_lived_long_is_reopened_at_once_and_an_open_one_is_left_alone() {
    let mut schedule = schedule([watched("pods", "kubernetes.pods")]);
    for _ in 0..5 {
        pause_after(&mut schedule, at(0.0), End::Fault);
    }
    schedule.want(&[]);
    assert!(schedule.take_due(at(100.0))[0].watch);
    schedule.want(&[]);
    schedule.ended(&id("pods"), at(200.0), End::Good);
    assert_about(schedule.next_due().unwrap().as_secs_f64() - 200.0, 0.5);
}

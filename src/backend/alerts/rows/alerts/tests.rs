use std::collections::BTreeMap;

use super::super::super::promwire::{Rule, RuleAlert};
use super::*;

const NOW: &str = "2026-11-22T10:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn plain() -> Around<'static> {
    static INSTANCE: std::sync::LazyLock<Arc<str>> = std::sync::LazyLock::new(|| Arc::from("lab"));
    Around::plain(&INSTANCE, Domain::Home, at(NOW))
}

fn alert(labels: &[(&str, &str)]) -> Held {
    let labels: Labels = labels.iter().copied().collect();
    let alert = Alert {
        annotations: [("summary", "it is broken")].into_iter().collect(),
        starts_at: Some(at("2026-11-22T09:00:00Z")),
        updated_at: Some(at("2026-11-22T09:59:30Z")),
        ends_at: Some(at("2026-11-22T10:03:30Z")),
        labels,
        ..Alert::default()
    };
    Held { fingerprint: alert.labels.fingerprint(), alert, members: 1 }
}

fn silence(id: &str, comment: &str) -> Silence {
    Silence {
        id: id.into(),
        comment: comment.into(),
        created_by: "alice".into(),
        ends_at: Some(at("2026-11-22T10:30:00Z")),
        ..Silence::default()
    }
}

fn seen(alerts: Vec<Held>, silences: Vec<Silence>) -> Observation {
    let silences = silences.into_iter().map(|silence| (silence.id.clone(), silence)).collect();
    Observation { at: at(NOW), alerts, silences, ghosts: BTreeMap::new(), members: Vec::new() }
}

#[test]
fn the_reason_for_quiet_stands_in_the_state() {
    let source = alert(&[("alertname", "KubeNodeNotReady"), ("node", "oci-node-2")]);
    let source_hex = hex(source.fingerprint);
    let seen = seen(vec![source], vec![silence("a", "ACK! on it"), silence("s", "known")]);
    let cases: [(&[&str], &[&str], &str, &str); 6] = [
        (&[], &[], "firing", ""),
        (&["a"], &[], "acked", "alice, 30m left: on it"),
        (&["s"], &[], "silenced", "alice, 30m left: known"),
        (&["a", "s"], &[], "silenced", "alice, 30m left: known"),
        (&["a"], &[&source_hex], "acked", "alice, 30m left: on it"),
        (&[], &[&source_hex], "inhibited", "by KubeNodeNotReady oci-node-2"),
    ];
    for (silenced, inhibited, word, why) in cases {
        let mut held = alert(&[("alertname", "X")]);
        held.alert.status.silenced_by = silenced.iter().map(ToString::to_string).collect();
        held.alert.status.inhibited_by = inhibited.iter().map(ToString::to_string).collect();
        let state = state(&held, &seen, None, plain());
        assert_eq!((state.word(), state.because().as_str()), (word, why));
    }
}

#[test]
fn an_alert_whose_sender_is_silent_says_when_it_will_end_by_itself() {
    let mut held = alert(&[("alertname", "X")]);
    held.alert.updated_at = Some(at("2026-11-22T09:57:00Z"));
    held.alert.ends_at = Some(at("2026-11-22T10:01:00Z"));
    assert_eq!(state(&held, &seen(vec![], vec![]), None, plain()), State::Stale(60));
    held.alert.ends_at = Some(at("2026-11-22T14:00:00Z"));
    assert_eq!(state(&held, &seen(vec![], vec![]), None, plain()), State::Firing);
}

#[test]
fn health_follows_severity_and_quiet() {
    type Case<'a> = (&'a [(&'a str, &'a str)], bool, Health, Option<&'a str>);
    let around = plain();
    let seen = seen(vec![], vec![silence("s", "known")]);
    let cases: [Case<'_>; 6] = [
        (&[("alertname", "A"), ("severity", "critical")], false, Health::Critical, Some("it is broken")),
        (&[("alertname", "A"), ("severity", "warning")], false, Health::Warning, Some("it is broken")),
        (&[("alertname", "Watchdog"), ("severity", "none")], false, Health::Ok, None),
        (&[("alertname", "A")], false, Health::Unknown, Some("it is broken")),
        (&[("alertname", "A"), ("severity", "critical")], true, Health::Off, Some("alice, 30m left: known")),
        (&[], false, Health::Unknown, Some("it is broken")),
    ];
    for (labels, silenced, health, note) in cases {
        let mut one = alert(labels);
        one.alert.status.silenced_by = silenced.then(|| "s".to_owned()).into_iter().collect();
        let row = held(&one, &seen, around);
        assert_eq!((row.health, row.note.as_deref()), (health, note), "{labels:?}");
        assert!(!row.name.is_empty());
    }
}

#[test]
fn an_alert_that_one_member_lacks_is_amber_once_it_should_have_come_there() {
    let answers = || super::super::super::cluster::Said { lists: Ok(()), told: None, ahead: 0 };
    let both = Observation { members: vec![answers(), answers()], ..seen(vec![], vec![]) };
    for (began, members, word, tone) in [
        ("2026-11-22T09:59:00Z", 0b01, "1/2", Tone::Text),
        ("2026-11-22T09:50:00Z", 0b01, "1/2", Tone::Warn),
        ("2026-11-22T09:50:00Z", 0b11, "2/2", Tone::Text),
    ] {
        let mut one = alert(&[("alertname", "X")]);
        (one.alert.starts_at, one.members) = (Some(at(began)), members);
        let cells = held(&one, &both, plain()).cells;
        let cell = cells.iter().find(|cell| cell.value.as_text() == Some(word)).unwrap();
        assert_eq!(cell.tone, tone, "{began} {word}");
    }
}

#[test]
fn what_is_only_held_by_its_rule_is_recovering_and_both_beginnings_are_told() {
    let one = alert(&[("alertname", "X")]);
    let mut known = Seen {
        alert: RuleAlert { active_at: Some(at("2026-11-22T08:55:00Z")), ..RuleAlert::default() },
        labels: one.alert.labels.clone(),
        fingerprint: one.fingerprint,
        rule: 0,
    };
    let rule = Rule { duration: Some(300.0), ..Rule::default() };
    let placed = Placed { key: "k".into(), group: Arc::from("g"), interval: 30.0, rule };
    let nothing = seen(vec![], vec![]);
    assert_eq!(state(&one, &nothing, Some((&known, &placed)), plain()), State::Firing);
    known.alert.keep_firing_since = Some(at("2026-11-22T09:58:00Z"));
    assert_eq!(state(&one, &nothing, Some((&known, &placed)), plain()), State::Recovering);
    let row = unsent(&known, &placed, &State::Firing, plain());
    let times: Vec<f64> = [5, 10].map(|n| row.cells[n].value.as_number().unwrap()).to_vec();
    assert!((times[0] - times[1] - 300.0).abs() < 0.5, "true for longer than it fires: {times:?}");
}

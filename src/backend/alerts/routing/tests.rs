use super::*;

const CONFIG: &str = r#"
route:
  receiver: ops
  group_by: [alertname, cluster]
  routes:
  - receiver: deadman
    match: {alertname: Watchdog}
    group_wait: 0s
    repeat_interval: 1m
  - receiver: "null"
    matchers: ['alertname = InfoInhibitor']
  - receiver: page
    matchers: ['severity="critical"']
    continue: true
    group_by: ['...']
  - match_re: {namespace: media|books}
    routes:
    - receiver: night
      matchers: ['severity=~"warning|info",team!="db"']
      mute_time_intervals: [nights]
    - receiver: days
      match: {team: db}
      active_time_intervals: [office]
  - receiver: far
    matchers: [place="far"]
    mute_time_intervals: [nowhere]
inhibit_rules:
- source_match: {severity: critical}
  target_match_re: {severity: warning|info}
  equal: [namespace, alertname]
- source_matchers: ['alertname="A"']
  target_matchers: ['alertname=~"A|B"']
receivers:
- name: ops
  telegram_configs: [{bot_token: hunter2, chat_id: 1}]
- name: page
  webhook_configs: [{url: "http://x/hunter2"}, {url: "http://y"}]
  email_configs: []
- name: night
  webhook_configs: [{url: "http://x"}]
- name: days
  webhook_configs: [{url: "http://x"}]
- name: far
  webhook_configs: [{url: "http://x"}]
- name: deadman
  webhook_configs: [{url: "http://x"}]
- name: "null"
mute_time_intervals:
- name: nights
  time_intervals:
  - times: [{start_time: "22:00", end_time: "24:00"}, {start_time: "00:00", end_time: "07:00"}]
    location: Europe/Paris
time_intervals:
- name: office
  time_intervals:
  - times: [{start_time: "08:00", end_time: "18:00"}]
    weekdays: ['monday:friday']
- name: nowhere
  time_intervals:
  - location: Nowhere/Atall
"#;

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().copied().collect()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[allow(clippy::type_complexity, reason = "a table")]
#[test]
fn an_alert_takes_the_first_route_and_goes_on_where_it_says_so() {
    let routing = Routing::read(CONFIG).unwrap();
    let noon = routing.at(at("2026-11-24T12:00:00Z"));
    let cases: [(&[(&str, &str)], &[&str]); 8] = [
        (&[("alertname", "Watchdog"), ("severity", "none")], &["deadman"]),
        (&[("alertname", "InfoInhibitor")], &["null"]),
        (&[("alertname", "X"), ("severity", "critical")], &["page"]),
        (&[("severity", "critical"), ("namespace", "media"), ("team", "db")], &["page", "days"]),
        (&[("severity", "warning"), ("namespace", "media")], &["night"]),
        (&[("severity", "warning"), ("namespace", "mediatheque")], &["ops"]),
        (&[("severity", "none"), ("namespace", "books")], &["ops"]),
        (&[], &["ops"]),
    ];
    for (pairs, expected) in cases {
        let found: Vec<_> = noon.of(&labels(pairs)).iter().map(|leg| leg.route.receiver.clone()).collect();
        assert_eq!(found, expected, "{pairs:?}");
    }
}

#[test]
fn options_are_inherited_and_intervals_are_not() {
    let routing = Routing::read(CONFIG).unwrap();
    let books = &routing.root.routes[3];
    assert_eq!((books.receiver.as_str(), books.group_by.len()), ("ops", 2));
    assert_eq!(books.routes[1].place, "4.2");
    assert!(books.mute.is_empty() && routing.root.routes[0].group_wait == "0s");
    let page = &routing.root.routes[2];
    let alert = labels(&[("alertname", "X"), ("pod", "a")]);
    assert_eq!((page.group(&alert), routing.root.group(&alert)), (alert, labels(&[("alertname", "X")])));
}

#[test]
fn intervals_count_in_their_own_zone_and_say_when_they_end() {
    let routing = Routing::read(CONFIG).unwrap();
    let media = labels(&[("severity", "warning"), ("namespace", "media")]);
    let db = labels(&[("team", "db"), ("namespace", "media")]);
    // Paris is an hour ahead of UTC in November and two in July.
    let muted = |name: &str, end: &str| Some(Quiet::Muted(name.to_owned(), end.parse().ok()));
    let cases = [
        (&media, "2026-11-24T20:59:00Z", None),
        (&media, "2026-11-24T21:00:00Z", muted("in nights", "2026-11-25T06:00:00Z")),
        (&media, "2026-11-25T05:59:59Z", muted("in nights", "2026-11-25T06:00:00Z")),
        (&media, "2026-07-01T20:00:00Z", muted("in nights", "2026-07-02T05:00:00Z")),
        (&db, "2026-11-24T12:00:00Z", None),
        (&db, "2026-11-27T18:00:00Z", muted("outside office", "2026-11-30T08:00:00Z")),
    ];
    for (labels, now, expected) in cases {
        let legs = routing.at(at(now)).of(labels).into_iter().map(|leg| leg.quiet).collect::<Vec<_>>();
        assert_eq!(legs, [expected], "{now}");
    }
}

#[test]
fn who_is_nobody_and_what_cannot_be_told_are_said() {
    let routing = Routing::read(CONFIG).unwrap();
    let ways = routing.at(at("2026-11-24T12:00:00Z"));
    let quiet = |pairs: &[(&str, &str)]| ways.of(&labels(pairs))[0].quiet.clone();
    assert_eq!(quiet(&[("alertname", "InfoInhibitor")]), Some(Quiet::Nobody));
    assert!(matches!(quiet(&[("place", "far")]), Some(Quiet::Unclear(why)) if why.contains("Nowhere/Atall")));
    let integrations = ["page", "ops", "null"].map(|name| ways.integrations(name));
    assert_eq!(integrations, ["2 webhook", "telegram", "nobody"]);
    assert!(!format!("{routing:?}").contains("hunter2"), "no address is kept");
}

#[test]
fn an_inhibition_names_its_rule_in_either_form() {
    let routing = Routing::read(CONFIG).unwrap();
    let critical = labels(&[("alertname", "Disk"), ("severity", "critical"), ("namespace", "a")]);
    let warning =
        |namespace| labels(&[("alertname", "Disk"), ("severity", "warning"), ("namespace", namespace)]);
    let rule = routing.inhibition(&critical, &warning("a")).unwrap();
    assert_eq!(
        rule.words(),
        r#"{severity="critical"} inhibits {severity=~"warning|info"} with the same namespace, alertname"#
    );
    assert!(routing.inhibition(&critical, &warning("b")).is_none());
    // Missing and empty are equal; what matches both sides does not inhibit its like.
    let (a, b) = (labels(&[("alertname", "A")]), labels(&[("alertname", "B")]));
    assert!(routing.inhibition(&a, &b).is_some());
    assert!(routing.inhibition(&a, &a).is_none());
}

#[test]
fn days_of_the_month_may_count_from_its_end() {
    let text = |span: &str| {
        format!(
            "route: {{receiver: x, routes: [{{mute_time_intervals: [m]}}]}}\nreceivers: [{{name: x, webhook_configs: [{{}}]}}]\ntime_intervals: [{{name: m, time_intervals: [{span}]}}]\n"
        )
    };
    let cases = [
        ("{days_of_month: ['-1']}", "2026-02-28T12:00:00Z", true),
        ("{days_of_month: ['-3:-1']}", "2026-02-25T12:00:00Z", false),
        ("{days_of_month: ['31']}", "2026-02-28T12:00:00Z", false),
        ("{days_of_month: ['29:31']}", "2024-02-29T12:00:00Z", true),
        ("{months: ['november:december'], years: ['2026']}", "2026-11-01T00:00:00Z", true),
        ("{months: ['1:3']}", "2026-11-01T00:00:00Z", false),
        ("{weekdays: ['sunday']}", "2026-11-22T23:59:59Z", true),
        ("{times: [{start_time: '09:00', end_time: '09:01'}]}", "2026-11-22T09:01:00Z", false),
    ];
    for (span, now, expected) in cases {
        let routing = Routing::read(&text(span)).unwrap();
        let quiet = routing.at(at(now)).of(&Labels::default())[0].quiet.clone();
        assert_eq!(matches!(quiet, Some(Quiet::Muted(..))), expected, "{span} {now}");
    }
}

#[test]
fn what_cannot_be_read_whole_is_not_half_believed() {
    let cases = [
        ("", "cannot be read"),
        ("{}", "no route"),
        (": : :\n\t", "cannot be read"),
        ("route: {receiver: x, routes: [{matchers: ['a=~\"(\"']}]}", "pattern"),
        ("route: {receiver: x, routes: [{matchers: ['nonsense']}]}", "matcher"),
        ("route: {receiver: x}\ntime_intervals: [{name: m, time_intervals: [{weekdays: [noday]}]}]", "range"),
        (
            "route: {receiver: x}\ntime_intervals: [{name: m, time_intervals: [{times: [{start_time: '25:00', end_time: '26:00'}]}]}]",
            "time of day",
        ),
    ];
    for (yaml, reason) in cases {
        let error = Routing::read(yaml).err().unwrap_or_default();
        assert!(error.contains(reason), "{yaml}: {error}");
    }
}

//! The configuration as `GET /status` prints it, with the names of its file; old and new forms of matchers.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;

use crate::backend::lenient::{List, Obj, Text, Words};

use super::super::matcher::{Matcher, Matchers};
use super::interval::{Interval, Range};
use super::{Inhibition, Receiver, Route, Routing};

#[derive(Default, Deserialize)]
#[serde(default)]
struct File {
    route: Obj<Node>,
    inhibit_rules: List<Rule>,
    receivers: List<BTreeMap<String, Value>>,
    mute_time_intervals: List<Named>,
    time_intervals: List<Named>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Node {
    receiver: Text,
    matchers: Words,
    #[serde(rename = "match")]
    equal: Obj<BTreeMap<String, Text>>,
    match_re: Obj<BTreeMap<String, Text>>,
    group_by: Words,
    group_wait: Text,
    group_interval: Text,
    repeat_interval: Text,
    mute_time_intervals: Words,
    active_time_intervals: Words,
    #[serde(rename = "continue")]
    goes_on: crate::backend::lenient::Flag,
    routes: List<Node>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Rule {
    source_matchers: Words,
    source_match: Obj<BTreeMap<String, Text>>,
    source_match_re: Obj<BTreeMap<String, Text>>,
    target_matchers: Words,
    target_match: Obj<BTreeMap<String, Text>>,
    target_match_re: Obj<BTreeMap<String, Text>>,
    equal: Words,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    name: Text,
    time_intervals: List<Span>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Span {
    times: List<Times>,
    weekdays: Words,
    days_of_month: Words,
    months: Words,
    years: Words,
    location: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Times {
    start_time: Text,
    end_time: Text,
}

/// Reads the whole; the error says which part cannot be evaluated.
pub(super) fn read(yaml: &str) -> Result<Routing, String> {
    let value: Value =
        serde_saphyr::from_str(yaml).map_err(|_| "Alertmanager's configuration cannot be read".to_owned())?;
    let file: File = serde_json::from_value(value)
        .map_err(|_| "Alertmanager's configuration cannot be read".to_owned())?;
    if file.route.receiver.is_empty() {
        return Err("Alertmanager's configuration has no route".to_owned());
    }
    let mut intervals = BTreeMap::new();
    for named in file.mute_time_intervals.0.into_iter().chain(file.time_intervals.0) {
        let spans: Result<Vec<_>, String> = named.time_intervals.0.iter().map(interval).collect();
        let spans = spans.map_err(|why| format!("the time interval {}: {why}", &*named.name))?;
        intervals.insert(named.name.as_str().to_owned(), spans);
    }
    Ok(Routing {
        root: route(&file.route.0, None, String::new())?,
        inhibitions: file.inhibit_rules.0.iter().map(inhibition).collect::<Result<_, _>>()?,
        receivers: file.receivers.0.iter().map(receiver).collect(),
        intervals,
    })
}

/// Everything but the time intervals is inherited.
fn route(node: &Node, parent: Option<&Route>, place: String) -> Result<Route, String> {
    let own = |text: &Text, inherited: fn(&Route) -> &String, default: &str| {
        let inherited = || parent.map_or_else(|| default.to_owned(), |parent| inherited(parent).clone());
        text.some().map_or_else(inherited, str::to_owned)
    };
    let words = |words: &Words| words.iter().map(str::to_owned).collect::<Vec<_>>();
    let group_by = match (words(&node.group_by), parent) {
        (own, Some(parent)) if own.is_empty() => parent.group_by.clone(),
        (own, _) => own,
    };
    let mut made = Route {
        matchers: matchers(&node.matchers, &node.equal, &node.match_re)
            .map_err(|why| format!("route {place}: {why}"))?,
        receiver: own(&node.receiver, |parent| &parent.receiver, ""),
        group_by,
        group_wait: own(&node.group_wait, |parent| &parent.group_wait, "30s"),
        group_interval: own(&node.group_interval, |parent| &parent.group_interval, "5m"),
        repeat_interval: own(&node.repeat_interval, |parent| &parent.repeat_interval, "4h"),
        mute: words(&node.mute_time_intervals),
        active: words(&node.active_time_intervals),
        goes_on: node.goes_on.is_true(),
        routes: Vec::new(),
        place,
    };
    for (index, child) in node.routes.iter().enumerate() {
        let dot = if made.place.is_empty() { "" } else { "." };
        let place = format!("{}{dot}{}", made.place, index + 1);
        let child = route(child, Some(&made), place)?;
        made.routes.push(child);
    }
    Ok(made)
}

fn inhibition(rule: &Rule) -> Result<Inhibition, String> {
    let side = |new: &Words, old: &Obj<_>, re: &Obj<_>| {
        matchers(new, old, re).map_err(|why| format!("an inhibit rule: {why}"))
    };
    Ok(Inhibition {
        source: side(&rule.source_matchers, &rule.source_match, &rule.source_match_re)?,
        target: side(&rule.target_matchers, &rule.target_match, &rule.target_match_re)?,
        equal: rule.equal.iter().map(str::to_owned).collect(),
    })
}

/// The new form, and the two maps of the old one; all of them have to match.
fn matchers(
    new: &Words,
    equal: &BTreeMap<String, Text>,
    patterns: &BTreeMap<String, Text>,
) -> Result<Matchers, String> {
    let mut all = Vec::new();
    for line in new.iter() {
        all.extend(Matcher::parse_all(line)?);
    }
    all.extend(equal.iter().map(|(name, value)| Matcher::exact(name, value.as_str())));
    all.extend(
        patterns
            .iter()
            .map(|(name, value)| Matcher { is_regex: true, ..Matcher::exact(name, value.as_str()) }),
    );
    Matchers::new(all)
}

/// Only how many integrations of which sort: their addresses and tokens are not kept.
fn receiver(fields: &BTreeMap<String, Value>) -> Receiver {
    let name = fields.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let sort = |(key, value): (&String, &Value)| {
        let sort = key.strip_suffix("_configs")?;
        Some((sort.to_owned(), value.as_array().map_or(0, Vec::len)))
    };
    Receiver { name, integrations: fields.iter().filter_map(sort).filter(|(_, count)| *count > 0).collect() }
}

fn interval(span: &Span) -> Result<Interval, String> {
    const DAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let named = |names: &'static [&'static str], first: i32| {
        move |text: &str| {
            let at = names.iter().position(|name| name.eq_ignore_ascii_case(text));
            at.and_then(|at| i32::try_from(at).ok()).map(|at| at + first).or_else(|| text.parse().ok())
        }
    };
    let zone = match span.location.some() {
        None => Ok(TimeZone::UTC),
        Some("Local") => Err("Local (the server's own)".to_owned()),
        Some(name) => TimeZone::get(name).map_err(|_| name.to_owned()),
    };
    let time = |times: &Times| Ok((clock(&times.start_time)?, clock(&times.end_time)?));
    Ok(Interval {
        times: span.times.iter().map(time).collect::<Result<_, String>>()?,
        weekdays: ranges(&span.weekdays, named(&DAYS, 0))?,
        days: ranges(&span.days_of_month, |text| text.parse().ok())?,
        months: ranges(&span.months, named(&MONTHS, 1))?,
        years: ranges(&span.years, |text| text.parse().ok())?,
        zone,
    })
}

/// `first:last`, or one value alone.
fn ranges(words: &Words, read: impl Fn(&str) -> Option<i32>) -> Result<Vec<Range>, String> {
    let range = |word: &str| {
        let (first, last) = word.split_once(':').unwrap_or((word, word));
        let ends = read(first.trim()).zip(read(last.trim()));
        ends.ok_or_else(|| format!("`{word}` is no range"))
    };
    words.iter().map(range).collect()
}

/// `HH:MM`, up to `24:00`, in minutes.
fn clock(text: &Text) -> Result<i32, String> {
    let read = || {
        let (hours, minutes) = text.split_once(':')?;
        let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
        let total = hours * 60 + minutes;
        ((0..60).contains(&minutes) && (0..=1440).contains(&total)).then_some(total)
    };
    read().ok_or_else(|| format!("`{}` is no time of day", &**text))
}

//! An alert described.

use crate::backend::error::ApiError;
use crate::model::id::EntityId;
use crate::model::kind::Format;
use crate::model::row::{Tone, Value};
use crate::model::view::{Doc, DocLine, Fact};

use super::super::cluster::{Cluster, Held, Observation};
use super::super::feed::{Knowledge, Placed, Seen};
use super::super::labels::Labels;
use super::super::rows::alerts::{Around, State, state};
use super::super::rows::rules;
use super::{lines, pairs, quiet, when};

/// Annotations that are shown on top or as links.
const SPOKEN: [&str; 3] = ["summary", "description", "message"];

/// An alert that an Alertmanager holds.
pub(super) fn of_alertmanager(
    id: &EntityId,
    cluster: &Cluster,
    seen: &Observation,
    around: Around<'_>,
) -> Doc {
    let Some(held) = seen.alert_named(&id.key) else {
        return gone(seen, around);
    };
    let alert = &held.alert;
    let known = around.feeds.iter().find_map(|feed| feed.find(held.fingerprint, &alert.labels));
    let state = state(held, seen, known, around);
    let mut facts = head(&state, &alert.labels, alert.starts_at, around);
    facts.extend(known.map(|(known, _)| measured(known)).into_iter().flatten());
    facts.extend(when("received", alert.updated_at, Format::Age));
    facts.extend(when("ends unless sent again", alert.ends_at, Format::Until));
    facts.push(seen_by(held, cluster, seen));
    let burst = around.bursts.map(|bursts| bursts.of(held.fingerprint)).unwrap_or_default();
    let words = burst.words();
    facts.extend((!words.is_empty()).then(|| {
        Fact::new("has begun", words.as_str()).tone(if burst.flaps() { Tone::Warn } else { Tone::Text })
    }));
    let told: Vec<&str> = alert.receivers.iter().map(|receiver| receiver.name.as_str()).collect();
    facts.push(Fact::new("told to", Value::text(told.join(", "))));
    let doc = Doc::default().facts("", facts);
    let doc = spoken(doc, &alert.annotations);
    let doc = quiet::section(doc, held, seen, around);
    let doc = quiet::routes(doc, &alert.labels, around);
    let doc = match known {
        Some((_, placed)) => of_rule(doc, placed, around),
        None => unknown_rule(doc, &alert.labels, around),
    };
    let doc = doc.facts("labels", pairs(&alert.labels)).facts("annotations", other(&alert.annotations));
    let link = (!alert.generator_url.is_empty()).then(|| DocLine::new(&*alert.generator_url));
    doc.lines("generator", link.into_iter().collect())
}

/// An alert that only a Prometheus knows.
pub(super) fn of_prometheus(id: &EntityId, known: &Knowledge, around: Around<'_>) -> Result<Doc, ApiError> {
    let hex = id.key.trim_start_matches("prometheus/");
    let fingerprint = u64::from_str_radix(hex, 16).map_err(|_| ApiError::unsupported("no such alert"))?;
    let Some((seen, placed)) = known.find(fingerprint, &Labels::default()) else {
        return Ok(Doc::default().lines("", vec![DocLine::new("its rule has no such alert any more")]));
    };
    let state = if seen.alert.state == "pending" {
        State::Pending
    } else {
        State::Unsent("no Alertmanager tells of it".to_owned())
    };
    let mut facts = head(&state, &seen.labels, None, around);
    facts.extend(measured(seen));
    if let (State::Pending, Some(at), Some(wait)) = (&state, seen.alert.active_at, placed.rule.duration)
        && let Ok(wait) = jiff::SignedDuration::try_from_secs_f64(wait)
    {
        facts.push(Fact::new("fires in", at + wait).format(Format::Until));
    }
    let doc = spoken(Doc::default().facts("", facts), &seen.alert.annotations);
    let doc = of_rule(doc, placed, around);
    Ok(doc.facts("labels", pairs(&seen.labels)).facts("annotations", other(&seen.alert.annotations)))
}

fn gone(seen: &Observation, around: Around<'_>) -> Doc {
    let mut lines =
        vec![DocLine::new("no member holds it any more: it has resolved, or its sender is silent")];
    if !seen.complete() {
        lines.push(DocLine::toned("not every member answers: it may still fire there", Tone::Unknown));
    }
    let broken =
        around.feeds.iter().flat_map(|feed| &feed.rules).filter(|placed| placed.rule.health == "err").count();
    if broken > 0 {
        lines.push(DocLine::toned(
            format!("{broken} rules are broken: their alerts end without being solved"),
            Tone::Warn,
        ));
    }
    Doc::default().lines("", lines)
}

fn head(state: &State, labels: &Labels, since: Option<jiff::Timestamp>, around: Around<'_>) -> Vec<Fact> {
    let severity = around.scale.read(labels.get("severity"));
    let because = state.because();
    let tone = if because.is_empty() { severity.tone() } else { Tone::Text };
    let mut facts = vec![Fact::new("state", state.word()).tone(tone)];
    if !because.is_empty() {
        facts.push(Fact::new("because", because.as_str()).tone(Tone::Info));
    }
    let word = labels.find("severity").map_or(Value::text("none given"), |word| Value::Text(word.clone()));
    facts.push(Fact { tone: severity.tone(), ..Fact::new("severity", word) });
    facts.extend(when("firing since", since, Format::Age));
    facts
}

fn measured(known: &Seen) -> Vec<Fact> {
    let mut facts = Vec::new();
    facts.extend(known.alert.value.map(|value| Fact::new("value", value)));
    facts.extend(when("true since", known.alert.active_at, Format::Age));
    facts.extend(when("false again since", known.alert.keep_firing_since, Format::Age));
    facts
}

fn seen_by(held: &Held, cluster: &Cluster, seen: &Observation) -> Fact {
    let (count, of) = seen.seen(held);
    let holds = |index: usize| held.members >> index & 1 == 1;
    let names: Vec<&str> = cluster
        .members
        .iter()
        .enumerate()
        .filter_map(|(index, member)| holds(index).then_some(&*member.name))
        .collect();
    let fact = Fact::new("seen by", format!("{count}/{of}: {}", names.join(", ")).as_str());
    if (count as usize) < of { fact.tone(Tone::Warn) } else { fact }
}

fn spoken(doc: Doc, annotations: &Labels) -> Doc {
    let said = SPOKEN.iter().filter_map(|name| annotations.find(name)).flat_map(|text| lines(text)).collect();
    let doc = doc.lines("says", said);
    let links = annotations.iter().filter(|(name, _)| name.ends_with("_url") || &***name == "dashboard");
    doc.facts(
        "links",
        links.map(|(name, value)| Fact::new(name.to_string(), Value::Text(value.clone()))).collect(),
    )
}

fn other(annotations: &Labels) -> Vec<Fact> {
    let shown = |name: &str| SPOKEN.contains(&name) || name.ends_with("_url") || name == "dashboard";
    let rest = annotations.iter().filter(|(name, _)| !shown(name));
    rest.map(|(name, value)| Fact::new(name.to_string(), Value::Text(value.clone()))).collect()
}

fn of_rule(doc: Doc, placed: &Placed, around: Around<'_>) -> Doc {
    let rule = &placed.rule;
    let (word, health, note) = rules::state(placed, around);
    let seconds = |label, value: Option<f64>| {
        value.filter(|value| *value > 0.0).map(|value| Fact::new(label, value).format(Format::Seconds))
    };
    let mut facts = vec![Fact::new("rule", word).tone(health.into())];
    facts.extend(note.map(|note| Fact::new("trouble", note.as_str()).tone(Tone::Warn)));
    facts.push(Fact::new("group", Value::Text(placed.group.clone())));
    facts.extend(seconds("for", rule.duration));
    facts.extend(seconds("keeps firing for", rule.keep_firing_for));
    facts.extend(when("evaluated", rule.last_evaluation, Format::Age));
    doc.facts("rule", facts).lines("expression", lines(&rule.query))
}

/// Without its own alert at hand, the rules of its name still tell whether they work.
fn unknown_rule(doc: Doc, labels: &Labels, around: Around<'_>) -> Doc {
    let name = labels.get("alertname");
    let rules = around.feeds.iter().flat_map(|feed| feed.rules_named(name));
    match rules.into_iter().next() {
        Some(placed) => of_rule(doc, placed, around),
        None => doc.lines(
            "rule",
            vec![DocLine::toned("no Prometheus that answers has a rule of this name", Tone::Dim)],
        ),
    }
}

//! Why an alert is quiet, every reason of it, and whom it will reach once it is not.

use crate::model::row::{Cell, Tone, Value};
use crate::model::time::{seconds_between, short};
use crate::model::view::{Doc, DocLine};

use super::super::ack::ACK;
use super::super::cluster::{Held, Observation};
use super::super::labels::Labels;
use super::super::routing::{Leg, Quiet, Ways};
use super::super::rows::alerts::{Around, name};
use super::super::rows::quiet::{Lapsed, muted_words};
use super::super::rows::subject;
use super::cell;

/// Every silence, alert and interval that keeps it quiet; one line where nothing does.
pub(super) fn section(doc: Doc, held: &Held, seen: &Observation, around: Around<'_>) -> Doc {
    let mut lines = silenced(held, seen, around);
    lines.extend(held.alert.status.inhibited_by.iter().map(|source| inhibited(source, held, seen, around)));
    lines.extend(muted(&held.alert.labels, &held.alert.status.muted_by, around));
    if !seen.complete() {
        lines.push(DocLine::toned(
            "not every member answers: what they keep quiet is not known",
            Tone::Unknown,
        ));
    }
    if lines.is_empty() {
        lines.push(DocLine::toned("it is not: its receivers are told", Tone::Dim));
    }
    if let Some(lapsed) = Lapsed::of(around.lapsed, &held.alert.labels) {
        lines.push(DocLine::new(lapsed.to_owned()));
    }
    doc.lines("why quiet", lines)
}

fn silenced(held: &Held, seen: &Observation, around: Around<'_>) -> Vec<DocLine> {
    let silences = held.alert.status.silenced_by.iter().filter_map(|id| seen.silences.get(id));
    let line = |silence: &super::super::wire::Silence| {
        let until = silence.ends_at.map_or_else(String::new, |end| {
            let left = short(seconds_between(around.now, end));
            format!(" until {} ({left} left)", end.strftime("%Y-%m-%d %H:%MZ"))
        });
        let word = if silence.comment.starts_with(ACK) { "acknowledged" } else { "silenced" };
        DocLine::new(format!("{word} by {}{until}: {} [{}]", silence.created_by, silence.comment, silence.id))
    };
    silences.map(line).collect()
}

/// The alert and the rule; which other alerts would inhibit it too, Alertmanager does not tell.
fn inhibited(source: &str, held: &Held, seen: &Observation, around: Around<'_>) -> DocLine {
    let Some(other) = seen.alert_named(source) else {
        return DocLine::toned(format!("inhibited by {source}, which fires no longer"), Tone::Unknown);
    };
    let labels = &other.alert.labels;
    let rule = match around.ways.map(|ways| ways.routing().inhibition(labels, &held.alert.labels)) {
        Some(Some(rule)) => format!("; rule: {}", rule.words()),
        Some(None) => "; no rule of the configuration that was read says so".to_owned(),
        None => "; the rule cannot be told".to_owned(),
    };
    let also = if other.alert.status.silenced_by.is_empty() { "" } else { " (itself silenced)" };
    let who = format!("{} {}", name(labels), subject(labels));
    DocLine::new(format!("inhibited by {}{also}{rule}", who.trim_end()))
}

fn muted(labels: &Labels, told: &[String], around: Around<'_>) -> Vec<DocLine> {
    let mut lines: Vec<DocLine> = told
        .iter()
        .map(|name| DocLine::new(format!("muted by the time interval {name}, as Alertmanager says")))
        .collect();
    for leg in around.ways.map(|ways| ways.of(labels)).unwrap_or_default() {
        let receiver = &leg.route.receiver;
        lines.extend(leg.quiet.as_ref().map(|quiet| match quiet {
            Quiet::Muted(why, until) => {
                let words = muted_words(why, *until, around.now);
                DocLine::new(format!("{receiver} is muted: {words}; {}", leg.route.words()))
            }
            Quiet::Nobody => {
                DocLine::new(format!("{receiver} is nobody: it has no integration; {}", leg.route.words()))
            }
            Quiet::Unclear(why) => DocLine::toned(format!("{receiver}: {why}"), Tone::Unknown),
        }));
    }
    lines
}

/// Where it will notify: each way through the routes, with its times.
pub(super) fn routes(doc: Doc, labels: &Labels, around: Around<'_>) -> Doc {
    let Some(ways) = around.ways else {
        let why = "the configuration was not told or cannot be read, so its routes are not known";
        return doc.lines("will notify", vec![DocLine::toned(why, Tone::Unknown)]);
    };
    let columns = ["receiver", "by", "now", "group by", "waits", "again", "route"].map(Into::into).to_vec();
    doc.table("will notify", columns, ways.of(labels).iter().map(|leg| row(leg, ways, around)).collect())
}

fn row(leg: &Leg<'_>, ways: &Ways<'_>, around: Around<'_>) -> Vec<Cell> {
    let route = leg.route;
    let (now, tone) = match &leg.quiet {
        None => ("told".to_owned(), Tone::Text),
        Some(Quiet::Muted(why, until)) => (muted_words(why, *until, around.now), Tone::Off),
        Some(Quiet::Nobody) => ("nobody".to_owned(), Tone::Off),
        Some(Quiet::Unclear(why)) => (why.clone(), Tone::Unknown),
    };
    vec![
        cell(&route.receiver),
        cell(ways.integrations(&route.receiver)),
        Cell::toned(Value::text(now), tone),
        cell(route.group_by.join(" ")),
        cell(&route.group_wait),
        cell(&route.repeat_interval),
        cell(route.words()),
    ]
}

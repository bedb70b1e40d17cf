//! What a Prometheus remembers of alerts and expressions: episodes of the last day, and a curve for one alert.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::backend::error::ApiError;
use crate::model::kind::Format;
use crate::model::time::seconds_between;
use crate::model::view::{Chart, Series as Curve};

use super::cluster::{Ending, Episode};
use super::feed::{Feed, Knowledge};
use super::labels::Labels;
use super::promwire::{Sample, Series};

/// How far back episodes are looked for.
const DAY: i64 = 86_400;
/// Between two looks into that day, in seconds; what is shorter may be missed and is counted by Prometheus itself.
const STEP: i64 = 300;
/// More series than this are not asked for: a storm would be megabytes.
const MOST: f64 = 1_000.0;
/// How far back a curve reaches, and its points.
const CURVE: (i64, i64) = (6 * 3600, 120);

/// Episodes of the last day as one Prometheus remembers them; an error where it cannot or should not be asked.
pub async fn episodes(feed: &Feed, known: &Knowledge, now: Timestamp) -> Result<Vec<Episode>, ApiError> {
    const FIRING: &str = r#"ALERTS{alertstate="firing"}"#;
    let api = feed.api()?;
    let count = api.query(&format!("count(count_over_time({FIRING}[24h]))"), now).await?;
    let count = count.body.data.result.first().and_then(|series| series.value.value).unwrap_or(0.0);
    if count > MOST {
        let what = format!("{count} alerts have fired within a day: too many to ask for their history");
        return Err(ApiError::unsupported(what));
    }
    let end = aligned(now);
    let span = (end - SignedDuration::from_secs(DAY), end);
    let answer = api.range(FIRING, span, STEP).await?;
    let found = answer.body.data.result.iter().flat_map(|series| of_series(series, &known.external, span));
    Ok(found.collect())
}

/// On whole steps, so that one poll asks for the same points as the next.
fn aligned(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second() / STEP * STEP).unwrap_or(now)
}

/// The runs of points of a series; a gap longer than a step ends an episode.
fn of_series(series: &Series, external: &Labels, span: (Timestamp, Timestamp)) -> Vec<Episode> {
    let own = series.metric.iter().filter(|(name, _)| !matches!(&***name, "__name__" | "alertstate"));
    let labels: Labels = own.map(|(name, value)| (name.clone(), value.clone())).collect();
    let labels = labels.completed(external);
    let fingerprint = labels.fingerprint();
    let mut episodes: Vec<Episode> = Vec::new();
    let mut last: Option<Timestamp> = None;
    for Sample { at, .. } in &series.values.0 {
        let goes_on = last.is_some_and(|last| seconds_between(last, *at) <= STEP);
        if !goes_on {
            if let (Some(open), Some(last)) = (episodes.last_mut(), last) {
                open.ending = gone(last);
            }
            let labels = labels.clone();
            episodes.push(Episode { labels, fingerprint, began: *at, ending: Ending::Firing });
        }
        last = Some(*at);
    }
    if let (Some(open), Some(last)) = (episodes.last_mut(), last)
        && seconds_between(last, span.1) > 0
    {
        open.ending = gone(last);
    }
    episodes
}

fn gone(seen: Timestamp) -> Ending {
    Ending::Gone { seen, missing: seen + SignedDuration::from_secs(STEP) }
}

/// The episodes of both, where the polls' own are exact and those of Prometheus reach further back.
pub fn joined<'e>(own: &[Episode], theirs: &'e [Episode]) -> Vec<&'e Episode> {
    let mut spans: HashMap<u64, Vec<(Timestamp, Timestamp)>> = HashMap::new();
    for one in own {
        let end = one.ended().unwrap_or(Timestamp::MAX);
        spans.entry(one.fingerprint).or_default().push((one.began, end));
    }
    let apart = |one: &&Episode| {
        let end = one.ended().unwrap_or(Timestamp::MAX);
        let mine = spans.get(&one.fingerprint).map_or(&[][..], Vec::as_slice);
        mine.iter().all(|(from, to)| end < *from || *to < one.began)
    };
    theirs.iter().filter(apart).collect()
}

/// The curve of an alert's expression, and the threshold that it is held against.
pub async fn curve(feed: &Feed, query: &str, labels: &Labels, now: Timestamp) -> Result<Chart, ApiError> {
    let api = feed.api()?;
    let (measured, threshold) = halves(query);
    let end = aligned(now);
    let span = (end - SignedDuration::from_secs(CURVE.0), end);
    let step = CURVE.0 / CURVE.1;
    let answer = api.range(measured, span, step).await?;
    let found = nearest(&answer.body.data.result, labels);
    let found =
        found.ok_or_else(|| ApiError::unsupported("the expression has no series with the alert's labels"))?;
    let points = spaced(&found.values.0, span, step);
    let limit = threshold.map(|limit| Curve {
        name: "threshold".into(),
        format: Format::Plain,
        points: points.iter().map(|(at, _)| (*at, Some(limit))).collect(),
    });
    let value = Curve { name: measured.to_owned().into(), format: Format::Plain, points };
    Ok(Chart { series: std::iter::once(value).chain(limit).collect() })
}

/// A point for each step; where the server has none there is a gap, not a zero.
fn spaced(
    samples: &[Sample],
    (start, end): (Timestamp, Timestamp),
    step: i64,
) -> Vec<(Timestamp, Option<f64>)> {
    let known: HashMap<i64, Option<f64>> =
        samples.iter().map(|sample| (sample.at.as_second(), sample.value)).collect();
    let mut points = Vec::new();
    let mut at = start;
    while at <= end {
        points.push((at, known.get(&at.as_second()).copied().flatten()));
        at += SignedDuration::from_secs(step);
    }
    points
}

/// The series that shares most labels with the alert and contradicts none.
fn nearest<'s>(series: &'s [Series], labels: &Labels) -> Option<&'s Series> {
    let shared =
        |series: &Series| series.metric.iter().filter(|(name, value)| labels.get(name) == &***value).count();
    series.iter().filter(|series| series.metric.agrees(labels)).max_by_key(|series| shared(series))
}

/// An expression that ends in a comparison with a number, as what is measured and the threshold.
fn halves(query: &str) -> (&str, Option<f64>) {
    let text = query.trim();
    let whole = (text, None);
    let number = text.rsplit(char::is_whitespace).next().unwrap_or_default();
    let Ok(limit) = number.parse::<f64>() else { return whole };
    let rest = text[..text.len() - number.len()].trim_end();
    let sign = [">=", "<=", "==", "!=", ">", "<"].into_iter().find_map(|sign| rest.strip_suffix(sign));
    match sign.map(str::trim_end) {
        Some(left) if !left.is_empty() && is_whole(left) => (left, Some(limit)),
        _ => whole,
    }
}

/// Whether brackets are closed and no `and`, `or` or `unless` binds weaker than the comparison.
fn is_whole(text: &str) -> bool {
    let depth = text.chars().try_fold(0_i32, |depth, c| match c {
        '(' | '[' | '{' => Some(depth + 1),
        ')' | ']' | '}' => (depth > 0).then_some(depth - 1),
        _ => Some(depth),
    });
    let weak = |word: &str| matches!(word.to_ascii_lowercase().as_str(), "and" | "or" | "unless");
    depth == Some(0) && !text.split_whitespace().any(weak)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn series(labels: &[(&str, &str)], points: &[i64]) -> Series {
        let values = points.iter().map(|second| Sample { at: at(*second), value: Some(1.0) }).collect();
        Series {
            metric: labels.iter().copied().collect(),
            values: crate::backend::lenient::Many(values),
            ..Series::default()
        }
    }

    #[test]
    fn a_gap_in_the_points_ends_an_episode() {
        let external: Labels = [("prometheus", "p")].into_iter().collect();
        let one = series(
            &[("__name__", "ALERTS"), ("alertstate", "firing"), ("alertname", "X")],
            &[0, 300, 600, 1500, 1800],
        );
        let sent: Labels = [("alertname", "X"), ("prometheus", "p")].into_iter().collect();
        let found = of_series(&one, &external, (at(0), at(1800)));
        let spans: Vec<_> = found.iter().map(|one| (one.began, one.ended())).collect();
        assert_eq!(spans, [(at(0), Some(at(900))), (at(1500), None)]);
        assert_eq!(found[0].fingerprint, sent.fingerprint(), "external labels are added back");
    }

    #[test]
    fn what_the_polls_saw_is_not_told_twice() {
        let episode = |began, ended: Option<i64>| Episode {
            labels: Labels::default(),
            fingerprint: 1,
            began: at(began),
            ending: ended.map_or(Ending::Firing, |end| Ending::Gone { seen: at(end), missing: at(end) }),
        };
        let theirs = [episode(0, Some(600)), episode(2000, Some(2600)), episode(4000, None)];
        let began = |own: &[Episode]| -> Vec<i64> {
            joined(own, &theirs).iter().map(|one| one.began.as_second() - 1_800_000_000).collect()
        };
        assert_eq!(began(&[episode(2100, Some(2500)), episode(3900, None)]), [0]);
        assert_eq!(began(&[]), [0, 2000, 4000]);
    }

    #[test]
    fn a_comparison_with_a_number_is_taken_apart() {
        let cases = [
            ("100 * (1 - a / b) > 80", "100 * (1 - a / b)", Some(80.0)),
            ("up == 0", "up", Some(0.0)),
            ("rate(x[5m]) >= 1e-3 ", "rate(x[5m])", Some(0.001)),
            ("vector(1)", "vector(1)", None),
            ("a > 1 and b > 2", "a > 1 and b > 2", None),
            ("sum(a > 5)", "sum(a > 5)", None),
            ("x unless y == 1", "x unless y == 1", None),
        ];
        for (query, measured, limit) in cases {
            assert_eq!(halves(query), (measured, limit), "{query}");
        }
    }

    #[test]
    fn the_series_of_the_alert_is_found_by_its_labels() {
        let alert: Labels =
            [("alertname", "X"), ("instance", "a"), ("severity", "warning")].into_iter().collect();
        let all = [series(&[("instance", "b")], &[0]), series(&[], &[0]), series(&[("instance", "a")], &[0])];
        assert_eq!(nearest(&all, &alert), Some(&all[2]));
        assert_eq!(nearest(&all[..1], &alert), None);
    }

    #[test]
    fn a_missing_point_is_a_gap_and_no_zero_and_every_poll_asks_for_the_same_points() {
        let samples = [0, 180, 540].map(|second| Sample { at: at(second), value: Some(1.0) });
        let points = spaced(&samples, (at(0), at(540)), 180);
        let values: Vec<_> = points.iter().map(|(_, value)| *value).collect();
        assert_eq!(values, [Some(1.0), Some(1.0), None, Some(1.0)]);
        assert_eq!((aligned(at(7)), aligned(at(299)), aligned(at(300))), (at(0), at(0), at(300)));
    }
}

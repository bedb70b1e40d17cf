//! Time intervals: clock times, weekdays, days of the month, months and years in a time zone.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use super::Standing;

/// How many days ahead the next change is looked for.
const AHEAD: i32 = 8;

/// A range of numbers, both ends included.
pub(super) type Range = (i32, i32);

/// One element of a named interval: every part that is given must hold.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Interval {
    /// Minutes of the day, the end not included.
    pub times: Vec<Range>,
    /// Sunday is 0.
    pub weekdays: Vec<Range>,
    /// Negative ones count from the month's end.
    pub days: Vec<Range>,
    /// January is 1.
    pub months: Vec<Range>,
    /// Years.
    pub years: Vec<Range>,
    /// The zone, or the name of one that is not known here.
    pub zone: Result<TimeZone, String>,
}

impl Interval {
    fn holds(&self, at: Timestamp) -> Result<bool, String> {
        let zone = self.zone.clone().map_err(|name| format!("the time zone {name} is not known here"))?;
        let local = at.to_zoned(zone);
        let within = |ranges: &[Range], n: i32| {
            ranges.is_empty() || ranges.iter().any(|(first, last)| (*first..=*last).contains(&n))
        };
        let minute = i32::from(local.hour()) * 60 + i32::from(local.minute());
        let clock =
            self.times.is_empty() || self.times.iter().any(|(from, to)| (*from..*to).contains(&minute));
        Ok(clock
            && within(&self.weekdays, weekday(local.weekday()))
            && self.is_day(&local)
            && within(&self.months, i32::from(local.month()))
            && within(&self.years, i32::from(local.year())))
    }

    fn is_day(&self, local: &Zoned) -> bool {
        let last = i32::from(local.days_in_month());
        let counted = |day: i32| if day < 0 { last + day + 1 } else { day };
        let holds = |(from, to): &Range| {
            let from = counted(*from);
            from <= last && (from..=counted(*to).min(last)).contains(&i32::from(local.day()))
        };
        self.days.is_empty() || self.days.iter().any(holds)
    }

    /// The instants of the coming days at which it may begin or end.
    fn edges(&self, now: Timestamp) -> Vec<Timestamp> {
        let Ok(zone) = self.zone.clone() else { return Vec::new() };
        let today = now.to_zoned(zone.clone()).date();
        let minutes = self.times.iter().flat_map(|(from, to)| [*from, *to]).chain([0]);
        let minutes: Vec<i32> = minutes.collect();
        let edge = |(day, minute): (i32, i32)| {
            let at = today.checked_add(day.days()).ok()?.to_datetime(jiff::civil::Time::midnight());
            let at = at.checked_add(minute.minutes()).ok()?;
            zone.to_ambiguous_timestamp(at).compatible().ok()
        };
        let pairs = (0..=AHEAD).flat_map(|day| minutes.iter().map(move |minute| (day, *minute)));
        pairs.filter_map(edge).collect()
    }
}

fn weekday(day: Weekday) -> i32 {
    i32::from(day.to_sunday_zero_offset())
}

/// How a named interval stands, and when that changes.
pub(super) fn standing(name: &str, spans: &[Interval], now: Timestamp) -> Standing {
    let holds = |at| {
        let mut any = false;
        for span in spans {
            any |= span.holds(at)?;
        }
        Ok::<bool, String>(any)
    };
    let within = match holds(now) {
        Ok(within) => within,
        Err(why) => return Standing::Unclear(format!("{name}: {why}")),
    };
    let mut edges: Vec<Timestamp> =
        spans.iter().flat_map(|span| span.edges(now)).filter(|at| *at > now).collect();
    edges.sort_unstable();
    let next = edges.into_iter().find(|at| holds(*at) == Ok(!within));
    if within { Standing::Within(next) } else { Standing::Outside(next) }
}

//! Time as the console speaks of it: one clock that tests and the demo can hold still, ages and durations in words.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};

/// The one clock of a process: the system's, or one that only moves when told to.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine's wall clock.
    #[default]
    System,
    /// Milliseconds since the epoch, moved by a test or a scenario.
    Manual(Arc<AtomicI64>),
    /// The machine's clock shifted by so many milliseconds, for skew faults.
    Shifted(i64),
}

impl Clock {
    /// A clock that stands at `start` until it is moved.
    pub fn manual(start: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(start.as_millisecond())))
    }

    /// The instant it is now.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Manual(at) => from_millis(at.load(Ordering::SeqCst)),
            Self::Shifted(by) => from_millis(Timestamp::now().as_millisecond().saturating_add(*by)),
        }
    }

    /// Moves a manual clock; the others cannot be moved and ignore it.
    pub fn advance(&self, by: SignedDuration) {
        if let Self::Manual(at) = self {
            at.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }
}

fn from_millis(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Whole seconds from `then` to `now`; negative where `then` lies ahead.
pub fn seconds_between(then: Timestamp, now: Timestamp) -> i64 {
    now.as_second().saturating_sub(then.as_second())
}

/// An age or a remaining time in at most four cells: `<1m`, `26m`, `8h`, `41d`, `3y`.
///
/// Steps are whole minutes, hours and days, so that a screen at rest changes at most once a minute.
pub fn short(seconds: i64) -> String {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    match seconds.abs() {
        s if s < MINUTE => "<1m".to_owned(),
        s if s < 2 * HOUR => format!("{}m", s / MINUTE),
        s if s < 2 * DAY => format!("{}h", s / HOUR),
        s if s < 1000 * DAY => format!("{}d", s / DAY),
        s => format!("{}y", s / (365 * DAY)),
    }
}

/// A duration given by the operator: `90s`, `15m`, `8h`, `7d`, `1h30m`; `None` where it is none.
pub fn parse_duration(text: &str) -> Option<SignedDuration> {
    let mut total: i64 = 0;
    let mut digits = String::new();
    let text = text.trim();
    for c in text.chars() {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        let unit = match c {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        total = total.checked_add(digits.parse::<i64>().ok()?.checked_mul(unit)?)?;
        digits.clear();
    }
    (digits.is_empty() && !text.is_empty()).then(|| SignedDuration::from_secs(total))
}

/// A length of time in an operator's words, counted from an instant in their own zone: `2 hours`, `until 08:00`,
/// `until monday`, `until tomorrow 07:30`, and everything that [`parse_duration`] takes.
pub fn parse_said(text: &str, now: &Zoned) -> Option<SignedDuration> {
    if let Some(duration) = parse_duration(text).or_else(|| counted(text)) {
        return Some(duration);
    }
    let until = until(text, now)?;
    Some(SignedDuration::from_secs(seconds_between(now.timestamp(), until)))
}

/// Whether a text is a length of time in words, whenever it is said.
pub fn is_said(text: &str) -> bool {
    parse_said(text, &Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC)).is_some()
}

/// `2 hours`, `90 minutes`, `1 hour 30 minutes`.
fn counted(text: &str) -> Option<SignedDuration> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut total: i64 = 0;
    for pair in words.chunks(2) {
        let [number, unit] = pair else { return None };
        let seconds = match unit.to_ascii_lowercase().trim_end_matches('s') {
            "second" | "sec" => 1,
            "minute" | "min" => 60,
            "hour" => 3600,
            "day" => 86_400,
            "week" => 604_800,
            _ => return None,
        };
        total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(seconds)?)?;
    }
    (total > 0).then(|| SignedDuration::from_secs(total))
}

/// The next instant that `until DAY TIME` names; a day alone is its eight in the morning.
fn until(text: &str, now: &Zoned) -> Option<Timestamp> {
    const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let mut words = text.split_whitespace().map(str::to_ascii_lowercase);
    if words.next()? != "until" {
        return None;
    }
    let rest: Vec<String> = words.collect();
    let (day, clock) = match rest.as_slice() {
        [one] if one.contains(':') => (None, one.as_str()),
        [day] => (Some(day.as_str()), "08:00"),
        [day, clock] => (Some(day.as_str()), clock.as_str()),
        _ => return None,
    };
    let (hour, minute) = clock.split_once(':')?;
    let time = jiff::civil::Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()?;
    let ahead = match day {
        None | Some("today") => 0,
        Some("tomorrow") => 1,
        Some(name) => {
            let wanted = DAYS.iter().position(|day| *day == name || day.get(..3) == Some(name))?;
            let today = usize::try_from(now.weekday().to_monday_zero_offset()).ok()?;
            (wanted + 7 - today) % 7
        }
    };
    let at = |days: i64| {
        let date = now.date().checked_add(days.days()).ok()?;
        now.time_zone().to_ambiguous_timestamp(date.to_datetime(time)).compatible().ok()
    };
    let ahead = i64::try_from(ahead).ok()?;
    let first = at(ahead)?;
    match day {
        _ if first > now.timestamp() => Some(first),
        None => at(1),
        Some("today" | "tomorrow") => None,
        Some(_) => at(ahead + 7),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_step_by_minutes_hours_and_days() {
        let cases = [
            (0, "<1m"),
            (59, "<1m"),
            (60, "1m"),
            (7_199, "119m"),
            (7_200, "2h"),
            (172_799, "47h"),
            (172_800, "2d"),
            (86_400 * 999, "999d"),
            (86_400 * 1200, "3y"),
            (-90, "1m"),
        ];
        for (seconds, words) in cases {
            assert_eq!(short(seconds), words);
        }
    }

    #[test]
    fn durations_are_read_in_the_usual_units_and_nothing_else() {
        let seconds = |text| parse_duration(text).map(|d| d.as_secs());
        assert_eq!(seconds("1h30m"), Some(5_400));
        assert_eq!(seconds("7d"), Some(604_800));
        for wrong in ["", "5", "h", "-1h", "1 h", "1y", "99999999999999999999d"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_length_of_time_may_be_said_in_words() {
        // A Tuesday, 09:30 in Paris, an hour ahead of UTC.
        let now: Zoned = "2026-11-24T09:30:00+01:00[Europe/Paris]".parse().unwrap();
        let minutes = |text: &str| parse_said(text, &now).map(|said| said.as_secs() / 60);
        let cases = [
            ("15m", Some(15)),
            ("2 hours", Some(120)),
            ("1 hour 30 minutes", Some(90)),
            ("until 10:00", Some(30)),
            ("until 08:00", Some(22 * 60 + 30)),
            ("until tomorrow 08:00", Some(22 * 60 + 30)),
            ("Until Wednesday", Some(22 * 60 + 30)),
            ("until tue 09:00", Some(7 * 1440 - 30)),
            ("until today 08:00", None),
            ("until 25:00", None),
            ("until noon", None),
            ("hours", None),
            ("2", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(minutes(text), expected, "{text}");
        }
        assert!(is_said("until 08:00") && !is_said("soon"));
    }

    #[test]
    fn a_manual_clock_stands_still_until_moved() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        clock.advance(SignedDuration::from_secs(61));
        assert_eq!(clock.now().as_second(), 61);
    }
}

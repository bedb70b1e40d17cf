//! Time as the console speaks of it: one clock that tests and the demo can hold still, ages and durations in words.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

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
    fn a_manual_clock_stands_still_until_moved() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        clock.advance(SignedDuration::from_secs(61));
        assert_eq!(clock.now().as_second(), 61);
    }
}

//! Values to words: one writer for tables, documents, copies and confirmations, so that a figure reads the same
//! everywhere.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::kind::Format;
use crate::model::row::{Cell, Tone, Value};
use crate::model::time::{seconds_between, short};

use super::component::Ctx;

/// What the writing of a value depends on besides the value.
#[derive(Debug, Clone, Copy)]
pub struct Writer<'a> {
    /// The instant that ages are counted to.
    pub now: Timestamp,
    /// The zone of clock times.
    pub zone: &'a TimeZone,
    /// ASCII instead of other glyphs.
    pub ascii: bool,
}

impl<'a> From<&Ctx<'a>> for Writer<'a> {
    fn from(ctx: &Ctx<'a>) -> Self {
        Self { now: ctx.now, zone: ctx.zone, ascii: ctx.ascii }
    }
}

impl Writer<'_> {
    /// A cell in words; a state gets its glyph.
    pub fn cell<'v>(&self, cell: &'v Cell, format: Format) -> Cow<'v, str> {
        let words = self.value(&cell.value, format);
        if format != Format::State || words.is_empty() {
            return words;
        }
        Cow::Owned(format!("{} {words}", glyph(cell.tone, self.ascii)))
    }

    /// A value in words, without a glyph.
    pub fn value<'v>(&self, value: &'v Value, format: Format) -> Cow<'v, str> {
        match (value, format) {
            (Value::Empty, _) => Cow::Borrowed(""),
            (Value::Text(text), _) => Cow::Borrowed(text),
            (Value::Time(at), _) => Cow::Owned(self.time(*at, format)),
            (Value::Bool(yes), Format::Flag) => Cow::Borrowed(if *yes { "yes" } else { "" }),
            (Value::Bool(yes), _) => Cow::Borrowed(if *yes { "yes" } else { "no" }),
            (Value::Int(n), Format::Plain | Format::State | Format::Count) => Cow::Owned(n.to_string()),
            (number, format) => {
                Cow::Owned(number.as_number().map_or_else(String::new, |x| amount(x, format)))
            }
        }
    }

    /// A clock time, with the day where it is not today.
    pub fn clock(&self, at: Timestamp) -> String {
        let (there, here) = (at.to_zoned(self.zone.clone()), self.now.to_zoned(self.zone.clone()));
        let pattern = if there.date() == here.date() { "%H:%M" } else { "%d %b %H:%M" };
        there.strftime(pattern).to_string()
    }

    /// How long ago, in at most five cells.
    pub fn age(&self, at: Timestamp) -> String {
        let seconds = seconds_between(at, self.now);
        if seconds <= -60 { format!("-{}", short(seconds)) } else { short(seconds) }
    }

    fn time(&self, at: Timestamp, format: Format) -> String {
        match format {
            Format::Age => self.age(at),
            Format::Until => self.until(at),
            _ => self.clock(at),
        }
    }

    /// How long until then, in at most five cells; what is over has a minus.
    pub fn until(&self, at: Timestamp) -> String {
        match seconds_between(self.now, at) {
            past if past <= -60 => format!("-{}", short(past)),
            ahead => short(ahead),
        }
    }
}

/// A number in the unit of its format.
fn amount(x: f64, format: Format) -> String {
    if !x.is_finite() {
        return "?".to_owned();
    }
    match format {
        Format::Bytes | Format::Rate => binary(x),
        Format::Percent => format!("{:.0}%", x * 100.0),
        Format::Seconds | Format::Age | Format::Until => seconds(x),
        Format::Flag => if x == 0.0 { "" } else { "yes" }.to_owned(),
        Format::Plain | Format::State | Format::Clock | Format::Count => plain(x),
    }
}

/// Binary units with two significant digits below ten: `3.1G`, `64G`, `512B`.
fn binary(bytes: f64) -> String {
    let mut x = bytes;
    let mut unit = 0;
    while x.abs() >= 1000.0 && unit < 5 {
        x /= 1024.0;
        unit += 1;
    }
    let letter = ["B", "K", "M", "G", "T", "P"][unit];
    let whole = (x - x.round()).abs() < 0.05;
    if unit == 0 || x.abs() >= 9.95 || whole { format!("{x:.0}{letter}") } else { format!("{x:.1}{letter}") }
}

/// A duration; below a minute in seconds, as it does not tick.
fn seconds(x: f64) -> String {
    #[allow(clippy::cast_possible_truncation)]
    match x {
        x if x.abs() < 10.0 && x.fract() != 0.0 => format!("{x:.1}s"),
        x if x.abs() < 60.0 => format!("{x:.0}s"),
        x => short(x as i64),
    }
}

/// A fraction with as many digits as say something.
fn plain(x: f64) -> String {
    let digits = match x.abs() {
        x if x.fract() == 0.0 || x >= 100.0 => 0,
        x if x >= 10.0 => 1,
        x if x >= 0.1 => 2,
        _ => 4,
    };
    let text = format!("{x:.digits$}");
    if digits == 0 { text } else { text.trim_end_matches('0').trim_end_matches('.').to_owned() }
}

/// The sign of a state, one cell; never the only carrier of its meaning.
pub fn glyph(tone: Tone, ascii: bool) -> &'static str {
    let (sign, plain) = match tone {
        Tone::Ok => ("●", "+"),
        Tone::Info => ("•", "i"),
        Tone::Warn => ("▲", "!"),
        Tone::Error | Tone::Danger => ("✗", "x"),
        Tone::Pending => ("◐", "~"),
        Tone::Unknown => ("?", "?"),
        Tone::Off => ("○", "-"),
        Tone::Dim => ("·", "."),
        Tone::Text => (" ", " "),
    };
    if ascii { plain } else { sign }
}

/// The three letters that say a tone aloud, for lists of problems.
pub fn word(tone: Tone) -> &'static str {
    match tone {
        Tone::Error | Tone::Danger => "CRT",
        Tone::Warn => "WRN",
        Tone::Pending => "...",
        Tone::Unknown => "?",
        Tone::Off => "OFF",
        Tone::Ok => "OK",
        Tone::Info | Tone::Text | Tone::Dim => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(value: impl Into<Value>, format: Format) -> String {
        let now = Timestamp::from_second(1_000_000).unwrap();
        Writer { now, zone: &TimeZone::UTC, ascii: false }.value(&value.into(), format).into_owned()
    }

    #[test]
    fn every_format_has_its_words() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let cases: [(Value, Format, &str); 25] = [
            (Value::Empty, Format::Bytes, ""),
            ("running".into(), Format::State, "running"),
            (at(1_000_000 - 26 * 60).into(), Format::Age, "26m"),
            (at(1_000_300).into(), Format::Age, "-5m"),
            (at(1_000_000 + 20 * 3600).into(), Format::Until, "20h"),
            (at(1_000_000 - 3 * 3600).into(), Format::Until, "-3h"),
            (at(999_900).into(), Format::Clock, "13:45"),
            (at(900_000).into(), Format::Clock, "11 Jan 10:00"),
            (0_i64.into(), Format::Bytes, "0B"),
            (Value::Int(12 << 30), Format::Bytes, "12G"),
            (3.1_f64.mul_add(1_073_741_824.0, 0.0).into(), Format::Bytes, "3.1G"),
            (1_048_576_i64.into(), Format::Rate, "1M"),
            (1000_i64.into(), Format::Bytes, "1K"),
            (0.314.into(), Format::Percent, "31%"),
            (0.25.into(), Format::Seconds, "0.2s"),
            (42_i64.into(), Format::Seconds, "42s"),
            (5400_i64.into(), Format::Seconds, "90m"),
            (true.into(), Format::Flag, "yes"),
            (false.into(), Format::Flag, ""),
            (false.into(), Format::Plain, "no"),
            (84_i64.into(), Format::Plain, "84"),
            (84_i64.into(), Format::Count, "84"),
            (0.5.into(), Format::Plain, "0.5"),
            (1234.56.into(), Format::Plain, "1235"),
            (f64::NAN.into(), Format::Bytes, "?"),
        ];
        for (value, format, expected) in cases {
            assert_eq!(write(value.clone(), format), expected, "{value:?} as {format:?}");
        }
    }

    #[test]
    fn a_state_carries_its_sign_in_both_alphabets() {
        let cell = Cell::toned("running", Tone::Ok);
        let writer = Writer { now: Timestamp::UNIX_EPOCH, zone: &TimeZone::UTC, ascii: false };
        assert_eq!(writer.cell(&cell, Format::State), "● running");
        assert_eq!(Writer { ascii: true, ..writer }.cell(&cell, Format::State), "+ running");
        assert_eq!(writer.cell(&cell, Format::Plain), "running");
    }
}

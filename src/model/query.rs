//! The filter language: `word`, `!word`, `key:value`, `key:>10`, `~fuzzy`, `"two words"`; terms are joined by AND. A word
//! without a key is looked for in what a line says; a key reaches every column.

use jiff::Timestamp;

use super::kind::{Format, KindSpec};
use super::row::{Row, Value};
use super::time::{parse_duration, seconds_between};

/// A parsed filter.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq)]
struct Term {
    negated: bool,
    key: Option<String>,
    test: Test,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    Contains(String),
    Equals(String),
    Fuzzy(String),
    Above(String),
    Below(String),
}

impl Query {
    /// Reads a filter as typed; half-typed terms (`key:`) are left out, so that no keystroke is an error.
    pub fn parse(text: &str) -> Self {
        Self { terms: words(text).iter().filter_map(|word| Term::parse(word)).collect() }
    }

    /// True where it lets everything through.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether a row passes; `now` turns instants into ages for `age:>1h`.
    pub fn matches(&self, row: &Row, kind: &KindSpec, now: Timestamp) -> bool {
        self.terms.iter().all(|term| term.matches(row, kind, now) != term.negated)
    }

    /// The words that a match shows, for highlighting.
    pub fn needles(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().filter(|term| !term.negated).filter_map(|term| match &term.test {
            Test::Contains(text) | Test::Equals(text) => Some(text.as_str()),
            Test::Fuzzy(_) | Test::Above(_) | Test::Below(_) => None,
        })
    }

    /// The keys that are no column of a kind, for a hint.
    pub fn unknown_keys<'a>(&'a self, kind: &'a KindSpec) -> impl Iterator<Item = &'a str> {
        let known = |key: &str| {
            matches!(key, "name" | "health" | "domain" | "instance") || kind.column(key).is_some()
        };
        self.terms.iter().filter_map(|term| term.key.as_deref()).filter(move |key| !known(key))
    }
}

/// Splits at spaces outside double quotes.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quoted) = (String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

impl Term {
    fn parse(word: &str) -> Option<Self> {
        let (negated, word) = match word.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, word),
        };
        let (key, word) = match word.split_once(':') {
            Some((key, rest))
                if key.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)) && !key.is_empty() =>
            {
                (Some(key.to_ascii_lowercase()), rest)
            }
            _ => (None, word),
        };
        let lower = word.to_lowercase();
        let rest = |prefix: char| lower.strip_prefix(prefix).map(str::to_owned);
        let test = match lower.chars().next()? {
            '~' => Test::Fuzzy(rest('~')?),
            '=' if key.is_some() => Test::Equals(rest('=')?),
            '>' if key.is_some() => Test::Above(rest('>')?),
            '<' if key.is_some() => Test::Below(rest('<')?),
            _ => Test::Contains(lower),
        };
        let empty = matches!(&test, Test::Fuzzy(t) | Test::Above(t) | Test::Below(t) if t.is_empty());
        (!empty).then_some(Self { negated, key, test })
    }

    fn matches(&self, row: &Row, kind: &KindSpec, now: Timestamp) -> bool {
        match self.key.as_deref() {
            None => self.text(&row.name) || self.line(row, kind),
            Some(key) => match (kind.column(key), key) {
                (Some(index), _) => {
                    let value = &row.cell(index).value;
                    self.value(value) || self.number(value, kind.columns[index].format, now)
                }
                (None, "name") => self.text(&row.name),
                (None, "instance") => self.text(&row.id.instance),
                (None, "health") => self.text(&format!("{:?}", row.health)),
                (None, "domain") => self.text(&format!("{:?}", row.domain)),
                (None, _) => false,
            },
        }
    }

    /// A word without a key is looked for in what a line says: not in wide columns, which are seldom seen, and not in
    /// the numbers behind `3.1G` or `31%`.
    fn line(&self, row: &Row, kind: &KindSpec) -> bool {
        let says = |format| matches!(format, Format::Plain | Format::State | Format::Flag);
        let read = kind.columns.iter().zip(&row.cells).filter(|(column, cell)| {
            let told = column.format == Format::Count && matches!(cell.value, Value::Text(_));
            !column.wide && (told || says(column.format))
        });
        read.into_iter().any(|(_, cell)| self.value(&cell.value))
    }

    fn value(&self, value: &Value) -> bool {
        match value {
            Value::Text(text) => self.text(text),
            Value::Int(n) => self.text(&n.to_string()),
            Value::Float(x) => self.text(&x.to_string()),
            Value::Bool(true) => self.text("yes"),
            Value::Bool(false) => self.text("no"),
            Value::Empty => self.test == Test::Equals(String::new()),
            Value::Time(_) => false,
        }
    }

    fn text(&self, text: &str) -> bool {
        match &self.test {
            Test::Contains(needle) => contains(text, needle),
            Test::Equals(wanted) => text.to_lowercase() == *wanted,
            Test::Fuzzy(needle) => fuzzy(text, needle),
            Test::Above(_) | Test::Below(_) => false,
        }
    }

    fn number(&self, value: &Value, format: Format, now: Timestamp) -> bool {
        let (limit, above) = match &self.test {
            Test::Above(limit) => (limit, true),
            Test::Below(limit) => (limit, false),
            Test::Contains(_) | Test::Equals(_) | Test::Fuzzy(_) => return false,
        };
        let have = match value {
            #[allow(clippy::cast_precision_loss)]
            Value::Time(at) if format == Format::Until => Some(seconds_between(now, *at) as f64),
            #[allow(clippy::cast_precision_loss)]
            Value::Time(at) => Some(seconds_between(*at, now) as f64),
            other => other.as_number(),
        };
        match (have, amount(limit, format)) {
            (Some(have), Some(limit)) => {
                if above {
                    have > limit
                } else {
                    have < limit
                }
            }
            _ => false,
        }
    }
}

/// Case-insensitive containment; ASCII needles, the usual ones, cost no allocation.
fn contains(text: &str, needle: &str) -> bool {
    if needle.is_ascii() && text.is_ascii() {
        let Some((first, rest)) = needle.as_bytes().split_first() else { return true };
        let begins = |part: &&[u8]| part[0].eq_ignore_ascii_case(first);
        let mut parts = text.as_bytes().windows(needle.len()).filter(begins);
        return parts.any(|part| part[1..].eq_ignore_ascii_case(rest));
    }
    text.to_lowercase().contains(needle)
}

/// The needle's characters occur in the text in this order.
fn fuzzy(text: &str, needle: &str) -> bool {
    let mut rest = text.chars().flat_map(char::to_lowercase);
    needle.chars().all(|wanted| rest.any(|c| c == wanted))
}

/// A limit in the unit of its column: `80%` or `0.8`, `4g`, `1h`, `12`.
fn amount(text: &str, format: Format) -> Option<f64> {
    #[allow(clippy::cast_precision_loss)]
    let duration = || parse_duration(text).map(|d| d.as_secs() as f64);
    match format {
        Format::Age | Format::Until | Format::Clock | Format::Seconds => {
            duration().or_else(|| text.parse().ok())
        }
        Format::Percent => match text.strip_suffix('%').unwrap_or(text).parse::<f64>() {
            Ok(n) if n > 1.0 || text.ends_with('%') => Some(n / 100.0),
            other => other.ok(),
        },
        Format::Bytes | Format::Rate => {
            let (digits, unit) =
                text.split_at(text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len()));
            let power =
                ["", "k", "m", "g", "t", "p"].iter().position(|u| *u == unit.trim_end_matches(['i', 'b']))?;
            Some(digits.parse::<f64>().ok()? * 1024_f64.powi(i32::try_from(power).ok()?))
        }
        Format::Plain | Format::State | Format::Count | Format::Flag => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::id::EntityId;
    use super::super::kind::{Column, Width};
    use super::super::row::Cell;
    use super::*;

    fn kind() -> KindSpec {
        let column = |name, format| Column::new(name, name, Width::Fit(4, 20), "").format(format);
        KindSpec {
            id: "proxmox.guests".into(),
            singular: "guest".into(),
            aliases: vec![],
            doc: "".into(),
            columns: vec![
                column("state", Format::State),
                column("cpu", Format::Percent),
                column("mem", Format::Bytes),
                column("age", Format::Age),
                column("id", Format::Plain),
                column("node", Format::Plain).wide(),
            ],
            sort: (0, false),
            views: vec![],
            drill: None,
            pane: None,
        }
    }

    fn passes(filter: &str) -> bool {
        let now = Timestamp::from_second(100_000).unwrap();
        let cells = vec![
            Cell::new("running"),
            Cell::new(0.31),
            Cell::new(10_i64 << 30),
            Cell::new(Timestamp::from_second(90_000).unwrap()),
            Cell::new(101_i64),
            Cell::new("pve-2"),
        ];
        let row = Row::new(EntityId::new("proxmox.guests", "pve", "qemu/101"), "Talos-Prod-Worker-1", cells);
        Query::parse(filter).matches(&row, &kind(), now)
    }

    #[test]
    fn filters_mean_what_they_say() {
        let cases = [
            ("", true),
            ("prod", true),
            ("PROD worker", true),
            ("dev", false),
            ("!dev", true),
            ("!prod", false),
            ("state:run", true),
            ("state:=run", false),
            ("state:=running", true),
            ("~tpw1", true),
            ("~1wpt", false),
            ("cpu:>30", true),
            ("cpu:>30%", true),
            ("cpu:<0.3", false),
            ("mem:>8g", true),
            ("mem:>12GiB", false),
            ("age:>1h", true),
            ("age:<2h", false),
            ("\"prod-worker\"", true),
            ("\"prod worker\"", false),
            ("instance:pve", true),
            ("running", true),
            ("101", true),
            ("10737", false),
            ("0.31", false),
            ("pve-2", false),
            ("node:pve-2", true),
            ("nosuch:x", false),
        ];
        for (filter, expected) in cases {
            assert_eq!(passes(filter), expected, "{filter}");
        }
    }

    #[test]
    fn half_typed_terms_filter_nothing() {
        for filter in ["!", "cpu:", "cpu:>", "~", "\""] {
            assert!(passes(filter), "{filter}");
        }
    }

    #[test]
    fn a_column_comes_before_a_fact_of_the_same_name() {
        let mut kind = kind();
        kind.columns.push(Column::new("health", "health", Width::Fit(4, 20), ""));
        let mut row =
            Row::new(EntityId::new("argocd.applications", "argo", "a"), "a", vec![Cell::empty(); 6]);
        row.cells = row.cells.iter().cloned().chain([Cell::new("Progressing")]).collect();
        assert!(Query::parse("health:progress").matches(&row, &kind, Timestamp::UNIX_EPOCH));
        assert!(!Query::parse("health:unknown").matches(&row, &kind, Timestamp::UNIX_EPOCH));
    }

    #[test]
    fn unknown_keys_are_named() {
        let query = Query::parse("nosuch:x state:y name:z");
        assert_eq!(query.unknown_keys(&kind()).collect::<Vec<_>>(), ["nosuch"]);
    }
}

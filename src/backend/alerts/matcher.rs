//! Matchers as Alertmanager evaluates them: anchored, and a missing label is an empty one.

use std::fmt;

use regex::Regex;
use serde::Deserialize;

use super::fields;
use super::labels::Labels;

/// One matcher of a silence, a route or an inhibition, as the server wrote it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Deserialize)]
pub struct Matcher {
    /// The label.
    #[serde(default, deserialize_with = "fields::text")]
    pub name: String,
    /// The value or the pattern.
    #[serde(default, deserialize_with = "fields::text")]
    pub value: String,
    /// Whether the value is a pattern.
    #[serde(default, rename = "isRegex", deserialize_with = "fields::if_yes")]
    pub is_regex: bool,
    /// Whether it has to match; absent means yes.
    #[serde(default = "yes", rename = "isEqual", deserialize_with = "fields::unless_no")]
    pub is_equal: bool,
}

const fn yes() -> bool {
    true
}

impl Matcher {
    /// `name="value"`.
    pub fn exact(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into(), is_regex: false, is_equal: true }
    }

    /// Whether it is a plain `name="value"`.
    pub fn is_exact(&self) -> bool {
        !self.is_regex && self.is_equal
    }

    /// The operator as it is written.
    pub fn operator(&self) -> &'static str {
        match (self.is_equal, self.is_regex) {
            (true, false) => "=",
            (false, false) => "!=",
            (true, true) => "=~",
            (false, true) => "!~",
        }
    }

    /// Reads several in one text, as routes and inhibit rules write them: divided by commas, perhaps in braces.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, String> {
        let text = text.trim();
        let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
        let (mut quoted, mut escaped) = (false, false);
        let parts = inner.split(|c: char| {
            let ends = c == ',' && !quoted;
            quoted ^= c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        parts.filter(|part| !part.trim().is_empty()).map(Self::parse).collect()
    }

    /// Reads `name="value"`, with or without quotes, and the operators `=`, `!=`, `=~`, `!~`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{}` is no matcher; write it like alertname=\"Name\"", text.trim());
        let text = text.trim();
        let (name, rest) = if text.starts_with('"') {
            let end = quoted_end(text).ok_or_else(wrong)?;
            (unquote(&text[..end]), text[end..].trim_start())
        } else {
            let end = text.find(['=', '!']).ok_or_else(wrong)?;
            (text[..end].trim().to_owned(), &text[end..])
        };
        let operators = [("=~", true, true), ("!~", true, false), ("!=", false, false), ("=", false, true)];
        let found =
            operators.iter().find_map(|(sign, regex, equal)| Some((rest.strip_prefix(sign)?, regex, equal)));
        let (value, is_regex, is_equal) = found.ok_or_else(wrong)?;
        if name.is_empty() || (!text.starts_with('"') && name.contains(char::is_whitespace)) {
            return Err(wrong());
        }
        let value = value.trim();
        let value = match quoted_end(value) {
            Some(end) if end == value.len() => unquote(value),
            Some(_) => return Err(wrong()),
            None if value.starts_with('"') => return Err(wrong()),
            None => value.to_owned(),
        };
        Ok(Self { name, value, is_regex: *is_regex, is_equal: *is_equal })
    }
}

/// The place after the closing quote of a text that begins with a quote.
fn quoted_end(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.strip_prefix('"')?.char_indices().find_map(|(at, c)| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends.then_some(at + 2)
    })
}

/// Takes the quotes off and resolves `\\`, `\"` and `\n`, as Alertmanager does.
fn unquote(text: &str) -> String {
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n') => plain.push('\n'),
                Some(other @ ('"' | '\\')) => plain.push(other),
                Some(other) => plain.extend(['\\', other]),
                None => plain.push('\\'),
            },
            (c, false) => plain.push(c),
        }
    }
    plain
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names that are no plain word are quoted too, as Alertmanager has it since 0.27.
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
        let name = if self.name.chars().all(plain) { self.name.clone() } else { quoted(&self.name) };
        write!(f, "{name}{}{}", self.operator(), quoted(&self.value))
    }
}

/// Several matchers, all of which have to match; patterns are compiled once.
#[derive(Debug, Clone)]
pub struct Matchers(Vec<(Matcher, Option<Regex>)>);

impl Matchers {
    /// Compiles the patterns; the error names the matcher whose pattern is none.
    pub fn new(matchers: impl IntoIterator<Item = Matcher>) -> Result<Self, String> {
        let compile = |matcher: Matcher| {
            let pattern = matcher.is_regex.then(|| Regex::new(&format!("^(?s:{})$", matcher.value)));
            match pattern.transpose() {
                Ok(pattern) => Ok((matcher, pattern)),
                Err(_) => Err(format!("{matcher} has a pattern that cannot be read")),
            }
        };
        matchers.into_iter().map(compile).collect::<Result<_, _>>().map(Self)
    }

    /// Whether all of them match.
    pub fn match_all(&self, labels: &Labels) -> bool {
        self.0.iter().all(|(matcher, pattern)| {
            let value = labels.get(&matcher.name);
            let same = pattern.as_ref().map_or(value == matcher.value, |pattern| pattern.is_match(value));
            same == matcher.is_equal
        })
    }

    /// The matchers in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Matcher> {
        self.0.iter().map(|(matcher, _)| matcher)
    }
}

impl fmt::Display for Matchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.iter().map(ToString::to_string).collect();
        f.write_str(&all.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matchers_are_read_as_alertmanager_reads_them() {
        let cases = [
            (r#"alertname="PveVm/ctDown""#, Some(("alertname", "=", "PveVm/ctDown"))),
            ("severity = warning", Some(("severity", "=", "warning"))),
            (r#"a!="x=y""#, Some(("a", "!=", "x=y"))),
            ("ns=~media|books", Some(("ns", "=~", "media|books"))),
            (r#""k8s.pod.name"!~"a.*""#, Some(("k8s.pod.name", "!~", "a.*"))),
            (r#""a = \"b\"" = "x""#, Some(("a = \"b\"", "=", "x"))),
            ("a b=x", None),
            (r#"a="with \"quotes\" and \\ and \n""#, Some(("a", "=", "with \"quotes\" and \\ and \n"))),
            ("", None),
            ("severity>\"x\"", None),
            (r#"a="x" b="y""#, None),
            (r#"a="x"#, None),
            ("=x", None),
        ];
        for (text, expected) in cases {
            let parsed = Matcher::parse(text).ok();
            let found = parsed.as_ref().map(|m| (m.name.as_str(), m.operator(), m.value.as_str()));
            assert_eq!(found, expected, "{text}");
            if let Some(matcher) = parsed {
                assert_eq!(Matcher::parse(&matcher.to_string()), Ok(matcher));
            }
        }
    }

    #[test]
    fn several_matchers_stand_in_one_text() {
        let cases = [
            (r#"foo="bar",dings!="bums""#, vec!["foo=\"bar\"", "dings!=\"bums\""]),
            (r#"{ a=b, c=~"d,e" }"#, vec!["a=\"b\"", "c=~\"d,e\""]),
            (r#"a="x\",y""#, vec![r#"a="x\",y""#]),
            ("{}", vec![]),
        ];
        for (text, expected) in cases {
            let found: Vec<String> =
                Matcher::parse_all(text).unwrap().iter().map(ToString::to_string).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn patterns_are_anchored_and_a_missing_label_is_empty() {
        let labels: Labels = [("alertname", "KubeJobFailed"), ("severity", "warning")].into_iter().collect();
        let cases = [
            ("alertname=KubeJobFailed", true),
            ("alertname=~Kube", false),
            ("alertname=~Kube.*", true),
            ("severity!~critical|info", true),
            ("namespace=", true),
            ("namespace!=x", true),
            ("namespace=~.+", false),
        ];
        for (text, expected) in cases {
            let matchers = Matchers::new([Matcher::parse(text).unwrap()]).unwrap();
            assert_eq!(matchers.match_all(&labels), expected, "{text}");
        }
    }

    #[test]
    fn absent_fields_have_the_servers_defaults() {
        let matcher: Matcher = serde_json::from_str(r#"{"name":"a","value":"x"}"#).unwrap();
        assert_eq!(matcher, Matcher::exact("a", "x"));
    }
}

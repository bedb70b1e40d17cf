//! What a log is asked for with: `since=1h tail=100 containers=a,b filter=text previous stamps=off`.

use crate::backend::error::ApiError;
use crate::model::snapshot::Layer;
use crate::model::time::parse_duration;

/// How many lines of the past are fetched without being asked otherwise.
const TAIL: u32 = 500;

/// How a log is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The containers' last lives instead of this one.
    pub previous: bool,
    /// Only lines of the last so many seconds.
    pub since: Option<i64>,
    /// How many lines of the past.
    pub tail: u32,
    /// Only these containers; empty is all.
    pub containers: Vec<String>,
    /// Only lines that hold this text, or do not.
    pub filter: Option<(String, bool)>,
    /// Whether lines carry their time.
    pub stamps: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { previous: false, since: None, tail: TAIL, containers: Vec::new(), filter: None, stamps: true }
    }
}

impl Options {
    /// Reads the words after a view's name; one that is not understood is named with those that are.
    pub fn read(text: &str) -> Result<Self, ApiError> {
        text.split_whitespace().try_fold(Self::default(), Self::with)
    }

    fn with(mut self, word: &str) -> Result<Self, ApiError> {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        match (name, value) {
            ("previous", "") => self.previous = true,
            ("since", span) => self.since = Some(parse_duration(span).ok_or_else(|| wrong(word))?.as_secs()),
            ("tail", count) => self.tail = count.parse().map_err(|_| wrong(word))?,
            ("container" | "containers", names) if !names.is_empty() => {
                self.containers = names.split(',').map(str::to_owned).collect();
            }
            ("filter", text) if !text.is_empty() => {
                let wanted = text.strip_prefix('!').unwrap_or(text);
                self.filter = Some((wanted.to_lowercase(), wanted.len() == text.len()));
            }
            ("stamps", "on" | "off") => self.stamps = value == "on",
            _ => return Err(wrong(word)),
        }
        Ok(self)
    }

    /// Whether a line is wanted.
    pub fn keeps(&self, line: &str) -> bool {
        self.filter.as_ref().is_none_or(|(text, wanted)| line.to_lowercase().contains(text) == *wanted)
    }

    /// Whether a container is wanted.
    pub fn takes(&self, container: &str) -> bool {
        self.containers.is_empty() || self.containers.iter().any(|name| name == container)
    }
}

fn wrong(word: &str) -> ApiError {
    ApiError::new(Layer::App, format!("`{word}` is no option of a log"))
        .hint("since=1h tail=100 containers=a,b filter=text filter=!text previous stamps=off")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_say_what_they_say_and_a_wrong_one_is_named() {
        let read =
            Options::read("since=1h tail=20 containers=a,b filter=!Health previous stamps=off").unwrap();
        assert_eq!((read.since, read.tail, read.previous, read.stamps), (Some(3600), 20, true, false));
        assert!(read.takes("b") && !read.takes("c"));
        assert!(read.keeps("level=error") && !read.keeps("GET /HEALTH"));
        assert!(Options::read("filter=err").unwrap().keeps("an ERROR"));
        assert_eq!(Options::read("").unwrap(), Options::default());
        for word in ["since=soon", "tail=x", "fitler=a", "containers=", "previous=2"] {
            assert!(Options::read(word).unwrap_err().to_string().contains(word), "{word}");
        }
    }
}

//! Whether an image stays what it is: pinned by digest or version, or following a word that moves.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::backend::lenient::Text;
use crate::model::row::natural;

/// The label in which an image carries its version.
const LABEL: &str = "org.opencontainers.image.version";

/// An image as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference<'r> {
    /// Registry and name.
    pub name: &'r str,
    /// The tag; `latest` where none was given.
    pub tag: &'r str,
    /// Whether a digest pins it.
    pub digest: bool,
}

impl<'r> Reference<'r> {
    /// Reads `registry:port/name:tag@digest`.
    pub fn read(text: &'r str) -> Self {
        let (text, digest) = text.split_once('@').map_or((text, false), |(text, _)| (text, true));
        let slash = text.rfind('/').map_or(0, |at| at + 1);
        let colon = text[slash..].rfind(':').map(|at| slash + at);
        let (name, tag) = colon.map_or((text, "latest"), |at| (&text[..at], &text[at + 1..]));
        Self { name, tag, digest }
    }

    /// Why it may change with the next pull; `None` where it is pinned.
    pub fn moves(&self) -> Option<String> {
        if self.digest || self.name.starts_with("sha256:") {
            return None;
        }
        let numbered = self.tag.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit());
        let parts =
            self.tag.split(['.', '-']).filter(|part| part.starts_with(|c: char| c.is_ascii_digit())).count();
        match (numbered, parts) {
            (true, 2..) => None,
            // A date is a version of one part.
            (true, _) if self.tag.split(['.', '-']).next().is_some_and(|first| first.len() >= 7) => None,
            (true, _) => Some(format!("`{}` follows every release of it", self.tag)),
            (false, _) => Some(format!("`{}` is whatever was pushed last", self.tag)),
        }
    }
}

/// An image's version: its label, else a tag that is one.
pub fn version(labels: &BTreeMap<String, Text>, image: &str) -> Option<String> {
    if let Some(version) = labels.get(LABEL).and_then(Text::some) {
        return Some(version.to_owned());
    }
    let reference = Reference::read(image);
    let numbered = reference.tag.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit());
    numbered.then(|| reference.tag.to_owned())
}

/// Whether a version is lower than another; words that are no versions are not compared.
pub fn is_lower(version: &str, than: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        let text = text.trim_start_matches('v');
        let core = text.split(['-', '+']).next().unwrap_or_default();
        core.split('.').map_while(|part| part.parse().ok()).collect()
    };
    let (a, b) = (numbers(version), numbers(than));
    if a.is_empty() || b.is_empty() {
        return false;
    }
    match a.cmp(&b) {
        Ordering::Equal => {
            // A release is newer than its candidates.
            let rest = |text: &str| text.split_once('-').map(|(_, rest)| rest.to_owned());
            match (rest(version), rest(than)) {
                (Some(_), None) => true,
                (Some(a), Some(b)) => natural(&a, &b) == Ordering::Less,
                _ => false,
            }
        }
        order => order == Ordering::Less,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pull_may_change_is_not_pinned() {
        let cases = [
            ("ghcr.io/goauthentik/server:2026.2.4", None),
            ("ghcr.io/goauthentik/server:latest@sha256:ab", None),
            ("traefik:v3.5.1", None),
            ("redis:8-alpine", Some("follows every release")),
            ("postgres:17", Some("follows every release")),
            ("postgres:17.6-bookworm", None),
            ("registry.example:5000/app", Some("`latest`")),
            ("registry.example:5000/app:stable", Some("`stable`")),
            ("app:20261122", None),
            ("sha256:0011223344556677", None),
        ];
        for (text, why) in cases {
            let moves = Reference::read(text).moves();
            match why {
                None => assert_eq!(moves, None, "{text}"),
                Some(part) => assert!(moves.clone().is_some_and(|m| m.contains(part)), "{text}: {moves:?}"),
            }
        }
        assert_eq!(Reference::read("registry.example:5000/a/b:1").name, "registry.example:5000/a/b");
    }

    #[test]
    fn a_version_that_went_down_is_seen_and_words_are_not_compared() {
        let lower =
            [("2026.2.2", "2026.2.4"), ("2025.12.10", "2026.2.0"), ("v3.9", "v3.10"), ("1.0-rc1", "1.0")];
        for (one, other) in lower {
            assert!(is_lower(one, other) && !is_lower(other, one), "{one} {other}");
        }
        for (one, other) in [("latest", "1.0"), ("1.0", "1.0"), ("", "2")] {
            assert!(!is_lower(one, other), "{one} {other}");
        }
    }
}

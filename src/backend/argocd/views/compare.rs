//! Two texts compared line by line, and what is left of them once nobody may read their secrets.

use serde_json::Value;

use crate::backend::kubernetes::yaml;
use crate::model::row::Tone;
use crate::model::view::DocLine;

/// Lines around a difference that are shown with it.
const CONTEXT: usize = 3;

/// More pairs of lines than this are not compared but shown as removed and added.
const MOST_PAIRS: usize = 4_000_000;

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit<'a> {
    /// On both sides.
    Same(&'a str),
    /// Only as it is.
    Old(&'a str),
    /// Only as it is wanted.
    New(&'a str),
}

/// The shortest way from one list of lines to the other.
pub fn edits<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Edit<'a>> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[head..], &new[head..]);
    let tail = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old_mid, new_mid) = (&old_rest[..old_rest.len() - tail], &new_rest[..new_rest.len() - tail]);
    let mut found: Vec<Edit<'a>> = old[..head].iter().map(|line| Edit::Same(line)).collect();
    found.extend(middle(old_mid, new_mid));
    found.extend(old[old.len() - tail..].iter().map(|line| Edit::Same(line)));
    found
}

/// By the longest common subsequence.
fn middle<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Edit<'a>> {
    if old.len().saturating_mul(new.len()) > MOST_PAIRS {
        let removed = old.iter().map(|line| Edit::Old(line));
        return removed.chain(new.iter().map(|line| Edit::New(line))).collect();
    }
    let width = new.len() + 1;
    let mut longest = vec![0_u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            longest[i * width + j] = if old[i] == new[j] {
                longest[(i + 1) * width + j + 1] + 1
            } else {
                longest[(i + 1) * width + j].max(longest[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j, mut found) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            found.push(Edit::Same(old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len()
            || i < old.len() && longest[(i + 1) * width + j] >= longest[i * width + j + 1]
        {
            found.push(Edit::Old(old[i]));
            i += 1;
        } else {
            found.push(Edit::New(new[j]));
            j += 1;
        }
    }
    found
}

/// A difference as `diff -u` shows it, in roles.
pub fn unified(old: &str, new: &str) -> Vec<DocLine> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let edits = edits(&old, &new);
    let near = |at: usize| {
        let range = at.saturating_sub(CONTEXT)..(at + CONTEXT + 1).min(edits.len());
        edits[range].iter().any(|edit| !matches!(edit, Edit::Same(_)))
    };
    let mut lines = Vec::new();
    let mut gap = false;
    for (at, edit) in edits.iter().enumerate() {
        let line = match edit {
            Edit::Old(text) => DocLine::toned(format!("- {text}"), Tone::Error),
            Edit::New(text) => DocLine::toned(format!("+ {text}"), Tone::Ok),
            Edit::Same(text) if near(at) => DocLine::toned(format!("  {text}"), Tone::Dim),
            Edit::Same(_) => {
                gap = true;
                continue;
            }
        };
        if gap && !lines.is_empty() {
            lines.push(DocLine::toned("  …", Tone::Dim));
        }
        gap = false;
        lines.push(line);
    }
    lines
}

/// Both sides as text that may be shown: sorted YAML, secrets masked.
pub fn sides(mut old: Option<Value>, mut new: Option<Value>) -> (String, String) {
    mask(&mut old, &mut new);
    (readable(old), readable(new))
}

/// An object as sorted YAML without what the server adds by itself.
fn readable(object: Option<Value>) -> String {
    let Some(mut object) = object else { return String::new() };
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(meta) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for field in ["managedFields", "resourceVersion", "uid", "generation", "creationTimestamp"] {
            meta.remove(field);
        }
    }
    let lines = yaml::lines(&yaml::tidy(object));
    lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n")
}

/// Replaces the values of a secret on both sides by a word, which differs where the values do.
fn mask(old: &mut Option<Value>, new: &mut Option<Value>) {
    let is_secret = |side: &Option<Value>| side.as_ref().is_some_and(|object| object["kind"] == "Secret");
    if !is_secret(old) && !is_secret(new) {
        return;
    }
    for part in ["data", "stringData"] {
        let before = old.as_ref().map(|object| object[part].clone()).unwrap_or_default();
        let word = |key: &str, value: &Value, other: &Value, side: &str| {
            if *value == other[key] {
                Value::from("(masked)")
            } else {
                Value::from(format!("(masked, {side})"))
            }
        };
        let after = new.as_ref().map(|object| object[part].clone()).unwrap_or_default();
        for (side, values, other) in
            [("as it is", old.as_mut(), &after), ("as wanted", new.as_mut(), &before)]
        {
            let Some(values) = values.and_then(|object| object.get_mut(part)).and_then(Value::as_object_mut)
            else {
                continue;
            };
            for (key, value) in values.iter_mut() {
                *value = word(key, value, other, side);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(old: &str, new: &str) -> Vec<String> {
        unified(old, new).into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn only_what_differs_is_shown_with_three_lines_around_it() {
        let old = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl";
        let new = "a\nb\nc\nd\nE\nf\ng\nh\ni\nj\nk\nl\nm";
        let expected =
            ["  b", "  c", "  d", "- e", "+ E", "  f", "  g", "  h", "  …", "  j", "  k", "  l", "+ m"];
        assert_eq!(shown(old, new), expected);
        assert!(shown(old, old).is_empty());
        assert_eq!(shown("", "a"), ["+ a"]);
        assert_eq!(shown("a", ""), ["- a"]);
    }

    #[test]
    fn a_secret_shows_that_it_differs_and_never_how() {
        let secret =
            |value: &str| Some(json!({"kind": "Secret", "data": {"password": value, "user": "YQ=="}}));
        let (old, new) = sides(secret("b2xk"), secret("bmV3"));
        let lines = shown(&old, &new).join("\n");
        assert!(lines.contains("(masked)") && !lines.contains("b2xk") && !lines.contains("bmV3"), "{lines}");
        let config = Some(json!({"kind": "ConfigMap", "data": {"a": "1"}}));
        assert!(sides(config, None).0.contains("a: \"1\""));
    }
}

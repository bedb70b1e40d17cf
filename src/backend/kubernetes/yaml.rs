//! An object as YAML for reading: without managed fields, with the values of secrets masked.

use serde_json::{Map, Value};

use crate::model::row::Tone;
use crate::model::view::DocLine;

/// What stands in the place of a secret's value.
const MASK: &str = "(masked)";

/// The object without what nobody reads, and without what nobody may read.
pub fn readable(object: Value) -> Value {
    let secret = object.get("kind").and_then(Value::as_str) == Some("Secret");
    let mut object = tidy(object);
    if secret {
        for part in ["data", "stringData"] {
            if let Some(values) = object.get_mut(part).and_then(Value::as_object_mut) {
                values.values_mut().for_each(|value| *value = Value::from(MASK));
            }
        }
    }
    object
}

/// The object without what nobody reads; the values of secrets are still in it.
pub fn tidy(mut object: Value) -> Value {
    if let Some(meta) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        meta.remove("managedFields");
        if let Some(annotations) = meta.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
        }
    }
    object
}

/// The lines of an object.
pub fn lines(object: &Value) -> Vec<DocLine> {
    let mut text = Vec::new();
    match object {
        Value::Object(fields) => map(fields, 0, &mut text),
        other => text.push(scalar(other)),
    }
    text.into_iter().map(|line| DocLine::toned(line, Tone::Text)).collect()
}

fn map(fields: &Map<String, Value>, depth: usize, out: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    for (key, value) in fields {
        entry(&format!("{indent}{}:", quoted(key)), value, depth, out);
    }
}

/// A value after `key:`.
fn entry(head: &str, value: &Value, depth: usize, out: &mut Vec<String>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            out.push(head.to_owned());
            map(fields, depth + 1, out);
        }
        Value::Array(items) if !items.is_empty() => {
            out.push(head.to_owned());
            list(items, depth, out);
        }
        Value::String(text) if text.trim_end().contains('\n') => {
            out.push(format!("{head} |"));
            let indent = "  ".repeat(depth + 1);
            out.extend(text.lines().map(|line| format!("{indent}{line}")));
        }
        scalar_value => out.push(format!("{head} {}", scalar(scalar_value))),
    }
}

/// Items after `-`, the first field of an object on the same line.
fn list(items: &[Value], depth: usize, out: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    for item in items {
        match item {
            Value::Object(fields) if !fields.is_empty() => {
                let start = out.len();
                map(fields, depth + 1, out);
                if let Some(first) = out.get_mut(start) {
                    *first = format!("{indent}- {}", first.trim_start());
                }
            }
            Value::Array(nested) if !nested.is_empty() => {
                out.push(format!("{indent}-"));
                list(nested, depth + 1, out);
            }
            other => out.push(format!("{indent}- {}", scalar(other))),
        }
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Object(_) => "{}".to_owned(),
        Value::Array(_) => "[]".to_owned(),
        other => other.to_string(),
    }
}

/// Quotes where YAML would read something else than the text.
fn quoted(text: &str) -> String {
    let special = ["", "true", "false", "null", "yes", "no", "on", "off", "~"];
    let odd_start = text.starts_with(|c: char| "-?:,[]{}#&*!|>'\"%@` ".contains(c));
    let odd = odd_start
        || special.contains(&text.to_ascii_lowercase().as_str())
        || text.parse::<f64>().is_ok()
        || text.contains(": ")
        || text.contains(" #")
        || text.ends_with([':', ' '])
        || text.chars().any(char::is_control);
    if odd { Value::from(text).to_string() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(object: &Value) -> String {
        lines(object).iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn objects_read_like_kubectl_prints_them() {
        let object = json!({
            "kind": "Pod",
            "metadata": {"name": "a", "labels": {"n": "1"}, "managedFields": [{"x": 1}]},
            "spec": {"args": ["-v", "plain"], "containers": [{"image": "i:1", "name": "c", "env": []}], "script": "a\nb\n"},
        });
        let expected = "kind: Pod\nmetadata:\n  labels:\n    n: \"1\"\n  name: a\nspec:\n  args:\n  - \"-v\"\n  - plain\n  \
                        containers:\n  - env: []\n    image: i:1\n    name: c\n  script: |\n    a\n    b";
        assert_eq!(text(&readable(object)), expected);
    }

    #[test]
    fn secrets_show_their_keys_and_never_their_values() {
        let secret = json!({
            "kind": "Secret",
            "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "hunter2"}},
            "data": {"password": "aHVudGVyMg=="}, "stringData": {"token": "hunter2"},
        });
        let shown = text(&readable(secret));
        assert!(
            shown.contains("password: (masked)") && !shown.contains("hunter2") && !shown.contains("aHVu"),
            "{shown}"
        );
    }
}

//! How two texts or two resources differ, in lines that can be read.

use serde_json::{Map, Value};

use super::edit::Draft;
use super::wire::PREFIX;

/// The lines that go and come, in the order of the texts; what is common at both ends is left out.
pub(super) fn lines(before: &str, after: &str) -> Vec<String> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let tail = old[start..].iter().rev().zip(new[start..].iter().rev()).take_while(|(a, b)| a == b).count();
    let gone = old[start..old.len() - tail].iter().map(|line| format!("- {line}"));
    let come = new[start..new.len() - tail].iter().map(|line| format!("+ {line}"));
    gone.chain(come).collect()
}

/// Whether two values mean the same: the server leaves defaults out, and a patch may be YAML or JSON.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys());
            keys.into_iter().all(|key| same(part(a, key), part(b, key)))
        }
        (Value::String(a), Value::String(b)) if a != b => match (document(a), document(b)) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        },
        _ => a == b || (is_default(a) && is_default(b)),
    }
}

fn part<'a>(fields: &'a Map<String, Value>, key: &str) -> &'a Value {
    fields.get(key).unwrap_or(&Value::Null)
}

fn document(text: &str) -> Option<Vec<Value>> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).ok()?;
    documents.iter().all(Value::is_object).then_some(documents)
}

fn is_default(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.values().all(is_default),
    }
}

/// What would have to change on a resource so that it is what is wanted; only what is wanted counts.
pub(super) fn of(known: &Draft, wanted: &Draft) -> Vec<String> {
    let mut found = Vec::new();
    for (key, value) in wanted.fields() {
        let there = part(known.fields(), key);
        if same(there, value) {
            continue;
        }
        match (there.as_str().unwrap_or_default(), value.as_str()) {
            (there, Some(text)) if text.contains('\n') || there.contains('\n') => {
                found.extend(lines(there, text));
            }
            _ => found.push(format!("{key}: {} becomes {}", shown(there), shown(value))),
        }
    }
    for (key, value) in wanted.own_labels().filter(|(key, _)| !key.starts_with(PREFIX)) {
        let there = known.own_labels().find(|(known, _)| *known == key).map(|(_, value)| value);
        if there != Some(value) {
            found.push(format!(
                "label {key}: {} becomes {}",
                there.map_or("nothing".into(), shown),
                shown(value)
            ));
        }
    }
    found
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_difference_shows_only_what_changes() {
        assert_eq!(lines("a\nb\nc", "a\nx\nc"), ["- b", "+ x"]);
        assert_eq!(lines("", "a\nb"), ["+ a", "+ b"]);
        assert_eq!(lines("a\na", "a"), ["- a"]);
        assert!(lines("a\n", "a").is_empty());
    }

    #[test]
    fn defaults_that_are_left_out_and_other_spellings_are_no_difference() {
        for (a, b, equal) in [
            (json!({"on": false, "in": {"n": 0}}), json!({}), true),
            (json!({"on": true}), json!({}), false),
            (json!("machine:\n  a: 1\n"), json!(r#"{"machine":{"a":1}}"#), true),
            (json!("machine:\n  a: 1\n"), json!("machine:\n  a: 2\n"), false),
            (json!("1.9.0"), json!("1.9.5"), false),
            (json!([1]), json!([1, 2]), false),
        ] {
            assert_eq!(same(&a, &b), equal, "{a} {b}");
        }
    }
}

//! The JSON paths of printer columns: `.status.conditions[?(@.type=="Ready")].status`, `.spec.ports[0].port`.

use serde_json::Value;

/// A path, step by step.
pub type Path = Vec<Step>;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Into a field.
    Field(String),
    /// To an item.
    Item(usize),
    /// To all items.
    Each,
    /// To the first item with this field of this value.
    Where(Vec<String>, String),
}

/// Reads a path; `None` where it uses more of the language than columns do.
pub fn parse(text: &str) -> Option<Path> {
    let text = text.trim().trim_start_matches('{').trim_end_matches('}').trim_start_matches('$');
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let end = close(inner)?;
            steps.push(bracket(&inner[..end])?);
            rest = &inner[end + 1..];
        } else {
            let (field, after) = field(rest.strip_prefix('.')?)?;
            steps.push(Step::Field(field));
            rest = after;
        }
    }
    Some(steps)
}

/// Where a bracket ends, quotes respected.
fn close(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, ']') => return Some(at),
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
    }
    None
}

/// A field's name up to the next step; a dot in it is written `\.`.
fn field(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut letters = text.char_indices();
    while let Some((at, c)) = letters.next() {
        match c {
            '\\' => name.push(letters.next()?.1),
            '.' | '[' => return (!name.is_empty()).then_some((name, &text[at..])),
            c => name.push(c),
        }
    }
    (!name.is_empty()).then_some((name, ""))
}

fn bracket(text: &str) -> Option<Step> {
    let text = text.trim();
    if text == "*" {
        return Some(Step::Each);
    }
    if let Ok(index) = text.parse() {
        return Some(Step::Item(index));
    }
    let quoted = |text: &str| {
        let inner = text.strip_prefix(['\'', '"'])?.strip_suffix(['\'', '"'])?;
        Some(inner.to_owned())
    };
    if let Some(name) = quoted(text) {
        return Some(Step::Field(name));
    }
    let condition = text.strip_prefix("?(")?.strip_suffix(')')?;
    let (left, right) = condition.split_once("==")?;
    let fields = left.trim().strip_prefix("@.")?.split('.').map(str::to_owned).collect();
    Some(Step::Where(fields, quoted(right.trim())?))
}

/// What stands at a path; of several things the first.
pub fn find(path: &[Step], value: &Value) -> Option<Value> {
    let Some((step, rest)) = path.split_first() else { return Some(value.clone()) };
    match step {
        Step::Field(name) => find(rest, value.get(name)?),
        Step::Item(index) => find(rest, value.get(index)?),
        Step::Each => value.as_array()?.iter().find_map(|item| find(rest, item)),
        Step::Where(fields, wanted) => {
            let holds = |item: &&Value| {
                let found = fields.iter().try_fold(*item, |value, field| value.get(field));
                found.and_then(Value::as_str) == Some(wanted)
            };
            find(rest, value.as_array()?.iter().find(holds)?)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_of_real_columns_lead_where_they_say() {
        let object = json!({"spec": {"a.b": "dotted", "ports": [{"port": 80}, {"port": 443}]},
            "status": {"conditions": [{"type": "Synced", "status": "False"}, {"type": "Ready", "status": "True"}]}});
        let cases = [
            (".status.conditions[?(@.type==\"Ready\")].status", Some(json!("True"))),
            (".status.conditions[?(@.type=='Odd')].status", None),
            (".spec.ports[1].port", Some(json!(443))),
            (".spec.ports[*].port", Some(json!(80))),
            (".spec['a.b']", Some(json!("dotted"))),
            (".spec.a\\.b", Some(json!("dotted"))),
            ("{.spec.none}", None),
        ];
        for (text, expected) in cases {
            assert_eq!(find(&parse(text).unwrap(), &object), expected, "{text}");
        }
        for text in ["spec", ".a[", ".a[?(@.b>1)]", ".a..b"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}

//! What a workflow asks for when it is started by hand, read from its file.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::model::op::{Field, FieldKind};

/// One input of a workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// What it says of itself.
    pub description: String,
    /// Whether it must be given.
    pub required: bool,
    /// What it is where nothing is given.
    pub default: String,
    /// What it takes.
    pub kind: InputKind,
}

/// What an input takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputKind {
    /// Any text, numbers and environments included.
    Text,
    /// Yes or no.
    Boolean,
    /// One of these.
    Choice(Vec<String>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct File {
    on: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Raw {
    description: String,
    required: bool,
    default: Value,
    #[serde(rename = "type")]
    kind: String,
    options: Vec<Value>,
}

/// The inputs of a workflow file; the error says why nobody can start it by hand.
pub fn inputs(yaml: &str) -> Result<Vec<Input>, String> {
    let file: Value = serde_saphyr::from_str(yaml).map_err(|_| "its file cannot be read".to_owned())?;
    let file: File = serde_json::from_value(file).map_err(|_| "its file cannot be read".to_owned())?;
    let manual = match &file.on {
        Value::String(event) => (event == "workflow_dispatch").then_some(&Value::Null),
        Value::Array(events) => events.contains(&Value::from("workflow_dispatch")).then_some(&Value::Null),
        Value::Object(events) => events.get("workflow_dispatch"),
        _ => None,
    };
    let Some(manual) = manual else {
        return Err("it cannot be started by hand (no workflow_dispatch)".to_owned());
    };
    let raw: BTreeMap<String, Raw> = match manual.get("inputs") {
        Some(inputs) => {
            serde_json::from_value(inputs.clone()).map_err(|_| "its inputs cannot be read".to_owned())?
        }
        None => BTreeMap::new(),
    };
    Ok(raw.into_iter().map(|(name, raw)| Input::new(name, raw)).collect())
}

impl Input {
    fn new(name: String, raw: Raw) -> Self {
        let kind = match raw.kind.as_str() {
            "boolean" => InputKind::Boolean,
            "choice" => InputKind::Choice(raw.options.iter().map(plain).collect()),
            _ => InputKind::Text,
        };
        let default = plain(&raw.default);
        let default =
            if default.is_empty() && kind == InputKind::Boolean { "false".to_owned() } else { default };
        Self { name, description: raw.description, required: raw.required, default, kind }
    }

    /// The field of a form for it.
    pub fn field(&self) -> Field {
        let kind = match &self.kind {
            InputKind::Text => FieldKind::Line,
            InputKind::Boolean => FieldKind::Flag,
            InputKind::Choice(options) => {
                FieldKind::Choice(options.iter().map(|o| o.clone().into()).collect())
            }
        };
        let doc = if self.description.is_empty() { "An input of the workflow." } else { &self.description };
        Field {
            name: self.name.clone().into(),
            title: self.name.clone().into(),
            doc: doc.to_owned().into(),
            kind,
            default: self.default.clone().into(),
            required: self.required,
        }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_typed_as_their_file_says() {
        let yaml = "name: promote\non:\n  workflow_dispatch:\n    inputs:\n      sha:\n        description: The commit.\n        \
            required: true\n      plan_only:\n        type: boolean\n      target:\n        type: choice\n        \
            options: [prod, cloud]\n        default: prod\njobs: {}\n";
        let inputs = inputs(yaml).unwrap();
        let kinds: Vec<_> = inputs
            .iter()
            .map(|input| (input.name.as_str(), input.field().kind, input.default.as_str()))
            .collect();
        let expected = [
            ("plan_only", FieldKind::Flag, "false"),
            ("sha", FieldKind::Line, ""),
            ("target", FieldKind::Choice(vec!["prod".into(), "cloud".into()]), "prod"),
        ];
        assert_eq!(kinds, expected);
        assert!(inputs[1].required);
    }

    #[test]
    fn a_workflow_that_is_not_for_hands_says_so() {
        for (yaml, ok) in [
            ("on: workflow_dispatch\n", true),
            ("on: [push, workflow_dispatch]\n", true),
            ("on:\n  workflow_dispatch:\n", true),
            ("on: push\n", false),
            ("on:\n  push:\n    branches: [main]\n", false),
            (": : :", false),
        ] {
            assert_eq!(inputs(yaml).is_ok(), ok, "{yaml}");
        }
    }
}

//! The difference between what is there and what Git wants, object by object, and what Git makes.

use serde_json::Value;

use crate::backend::ViewSink;
use crate::backend::error::ApiError;
use crate::backend::kubernetes::{self, yaml};
use crate::model::row::Tone;
use crate::model::view::{Doc, DocLine, Fact, View};

use super::super::Argo;
use super::super::rest::Of;
use super::super::rest::wire::Managed;
use super::super::wire::Application;
use super::{SLOW, compare, rest, shut};

/// Keeps the difference of an application fresh.
pub async fn open(argo: &Argo, path: &str, sink: &ViewSink) -> Result<(), ApiError> {
    let rest = rest(argo, "the difference from Git")?;
    loop {
        let raw: Value = argo.cluster.get(path).await?.json()?;
        let app: Application = kubernetes::read(&argo.cluster, path).await?;
        let managed = rest.managed(&Of::new(&app)).await?;
        let doc = difference(&app, &raw["spec"]["ignoreDifferences"], &managed);
        if sink.send(View::Doc(doc)).await.is_err() || shut(sink, SLOW).await {
            return Ok(());
        }
    }
}

fn difference(app: &Application, ignored: &Value, managed: &[Managed]) -> Doc {
    let all = managed.len();
    let changed: Vec<(String, Vec<DocLine>)> = managed.iter().filter_map(one).collect();
    let says = match changed.len() {
        0 => format!("none of {all} objects differs from Git"),
        some => format!("{some} of {all} objects differ from Git"),
    };
    let tone = if changed.is_empty() { Tone::Ok } else { Tone::Warn };
    let mut facts = vec![
        Fact::new("difference", says.as_str()).tone(tone),
        Fact::new("compared", app.status.reconciled_at.time()).format(crate::model::kind::Format::Age),
        Fact::new("revision", app.status.sync.short().as_str()),
        Fact::new("reading", "- as it is, + as it will be after a sync").tone(Tone::Dim),
    ];
    for rule in ignored.as_array().into_iter().flatten() {
        facts.push(Fact::new("ignored", rule_words(rule).as_str()).tone(Tone::Info));
    }
    let doc = Doc::default().facts("", facts);
    changed.into_iter().fold(doc, |doc, (heading, lines)| doc.lines(heading, lines))
}

/// One object's difference; `None` where there is none.
fn one(object: &Managed) -> Option<(String, Vec<DocLine>)> {
    if object.hook.is_true() {
        return None;
    }
    let read = |text: &str| serde_json::from_str::<Value>(text).ok().filter(|value| !value.is_null());
    let live = read(&object.normalized_live_state);
    let wanted = read(&object.predicted_live_state).or_else(|| read(&object.target_state));
    let what = match (&live, &wanted) {
        (None, None) => return None,
        (None, Some(_)) => " will be created",
        (Some(_), None) => " is not in Git: removed only by a sync with pruning",
        (Some(_), Some(_)) => "",
    };
    let (old, new) = compare::sides(live, wanted);
    let lines = compare::unified(&old, &new);
    let slash = if object.namespace.is_empty() { "" } else { "/" };
    let name = format!("{}{slash}{}", &*object.namespace, &*object.name);
    let kind = &*object.kind;
    (!lines.is_empty()).then(|| (format!("{kind} {name}{what}"), lines))
}

/// `Deployment apps/*: /spec/replicas, .spec.template (jq), fields of kubectl`.
fn rule_words(rule: &Value) -> String {
    let text = |key: &str| rule[key].as_str().unwrap_or("*");
    let words = |key: &str, note: &str| -> Vec<String> {
        let list = rule[key].as_array().into_iter().flatten();
        list.filter_map(Value::as_str).map(|word| format!("{word}{note}")).collect()
    };
    let mut all = words("jsonPointers", "");
    all.extend(words("jqPathExpressions", " (jq)"));
    all.extend(words("managedFieldsManagers", " (its fields)"));
    format!("{} {}/{}: {}", text("kind"), text("namespace"), text("name"), all.join(", "))
}

/// Keeps what Git makes fresh; a long time may pass before it comes.
pub async fn manifests(argo: &Argo, path: &str, sink: &ViewSink) -> Result<(), ApiError> {
    let rest = rest(argo, "the manifests that Git makes")?;
    let app: Application = kubernetes::read(&argo.cluster, path).await?;
    let made = rest.manifests(&Of::new(&app)).await?;
    let facts = vec![
        Fact::new("revision", super::super::wire::short(&made.revision).as_str()),
        Fact::new("made by", made.source_type.as_str()),
    ];
    let objects = made.documents.iter().filter_map(|text| serde_json::from_str::<Value>(text).ok());
    let doc = objects.fold(Doc::default().facts("", facts), |doc, object| {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let heading = format!("{} {}", text("/kind"), text("/metadata/name"));
        let lines = yaml::lines(&yaml::readable(object.clone()));
        doc.lines(heading, lines)
    });
    if sink.send(View::Doc(doc)).await.is_ok() {
        sink.closed().await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn managed(live: &Value, wanted: &Value) -> Managed {
        let state = |value: &Value| value.to_string();
        serde_json::from_value(json!({"kind": "Deployment", "namespace": "media", "name": "immich",
            "normalizedLiveState": state(live), "predictedLiveState": state(wanted), "targetState": state(wanted)}))
        .unwrap()
    }

    #[test]
    fn objects_that_come_go_and_change_are_told_apart() {
        let object =
            |image: &str| json!({"kind": "Deployment", "spec": {"image": image}, "status": {"x": image}});
        let cases = [
            (object("a"), object("a"), None),
            (object("a"), object("b"), Some("Deployment media/immich")),
            (Value::Null, object("b"), Some("Deployment media/immich will be created")),
            (
                object("a"),
                Value::Null,
                Some("Deployment media/immich is not in Git: removed only by a sync with pruning"),
            ),
        ];
        for (live, wanted, heading) in cases {
            let found = one(&managed(&live, &wanted));
            assert_eq!(found.as_ref().map(|(heading, _)| heading.as_str()), heading);
        }
    }

    #[test]
    fn ignore_rules_are_stated() {
        let rule = json!({"kind": "Deployment", "jsonPointers": ["/spec/replicas"], "managedFieldsManagers": ["kubectl"]});
        assert_eq!(rule_words(&rule), "Deployment */*: /spec/replicas, kubectl (its fields)");
    }
}

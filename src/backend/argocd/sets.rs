//! Application sets and projects as rows.

use jiff::Timestamp;
use serde::Deserialize;

use crate::backend::kubernetes::rows::{Maker, State, age};
use crate::backend::kubernetes::wire::{Condition, Meta};
use crate::backend::lenient::{List, Obj, Text};
use crate::model::id::KindId;
use crate::model::row::{Cell, Health, Row};

use super::windows::{self, Project};

/// `ApplicationSet`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ApplicationSet {
    metadata: Obj<Meta>,
    spec: Obj<SetSpec>,
    status: Obj<SetStatus>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SetSpec {
    strategy: Obj<Strategy>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Strategy {
    #[serde(rename = "type")]
    sort: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct SetStatus {
    conditions: List<Condition>,
    application_status: List<Member>,
    resources: List<Member>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Member {
    application: Text,
    step: Text,
    status: Text,
    message: Text,
}

/// The row of an application set.
pub fn set(maker: &Maker, kind: &KindId, set: &ApplicationSet, _now: Timestamp) -> Row {
    let members = &set.status.application_status;
    let going = members.iter().find(|member| matches!(&*member.status, "Pending" | "Progressing"));
    let holds = |about: &str, status: &str| {
        set.status.conditions.iter().find(|c| &*c.about == about && &*c.status == status)
    };
    let state = if let Some(error) = holds("ErrorOccurred", "True") {
        State::new("Error", Health::Critical).why(error.message.as_str())
    } else if let Some(member) = going {
        let why = format!("step {}: {} {}", &*member.step, &*member.application, &*member.message);
        State::new("Rolling", Health::Pending).why(why.trim_end())
    } else if holds("ResourcesUpToDate", "True").is_some() {
        State::new("UpToDate", Health::Ok)
    } else {
        State::new("Unknown", Health::Unknown).why("it does not say whether it is up to date")
    };
    let strategy = set.spec.strategy.sort.some().unwrap_or("AllAtOnce");
    let cells = vec![
        state.cell(),
        Cell::new(set.metadata.name.as_str()),
        Cell::new(i64::try_from(set.status.resources.len().max(members.len())).unwrap_or(0)),
        maker.cell(strategy),
        Cell::new(state.why.as_str()),
        age(&set.metadata.creation_timestamp),
    ];
    maker.row(kind, &set.metadata, &state, cells)
}

/// The row of a project.
pub fn project(maker: &Maker, kind: &KindId, project: &Project, now: Timestamp) -> Row {
    let state = match windows::closed(project, now) {
        Some(why) => State::new("Closed", Health::Warning).why(why),
        None => State::new("Open", Health::Ok),
    };
    let spec = &project.spec;
    let windows: Vec<String> =
        spec.sync_windows.iter().map(|w| format!("{} {} {}", &*w.kind, &*w.schedule, &*w.duration)).collect();
    let to: Vec<String> =
        spec.destinations.iter().map(|to| format!("{}/{}", to.cluster(), &*to.namespace)).collect();
    let from: Vec<&str> = spec.source_repos.iter().collect();
    let cells = vec![
        state.cell(),
        Cell::new(project.metadata.name.as_str()),
        Cell::new(windows.join("; ").as_str()),
        Cell::new(to.join(" ").as_str()),
        Cell::new(from.join(" ").as_str()),
        age(&project.metadata.creation_timestamp),
    ];
    maker.row(kind, &project.metadata, &state, cells)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::model::row::Domain;

    use super::*;

    #[test]
    fn a_set_in_error_says_why_and_a_rolling_one_which_step() {
        let maker = Maker::new("argo".into(), Domain::Home);
        let error = json!([{"type": "ErrorOccurred", "status": "True", "message": "no such branch"}]);
        let rolling = json!([{"application": "immich", "step": "2", "status": "Progressing"}]);
        let done = json!([{"type": "ResourcesUpToDate", "status": "True"}]);
        let cases = [
            (json!({"conditions": error}), "Error", "no such branch"),
            (json!({"conditions": done, "applicationStatus": rolling}), "Rolling", "step 2: immich"),
            (json!({"conditions": done}), "UpToDate", ""),
        ];
        for (status, word, why) in cases {
            let object: ApplicationSet = serde_json::from_value(json!({"status": status})).unwrap();
            let row = set(&maker, &"argocd.applicationsets".into(), &object, Timestamp::UNIX_EPOCH);
            assert_eq!(row.cell(0).value.as_text(), Some(word));
            assert_eq!(row.note.as_deref().unwrap_or_default(), why);
        }
    }
}

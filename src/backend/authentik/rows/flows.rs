//! Flows, with what could shut everybody out: a policy bound to a flow meets people before they are anybody.

use std::collections::BTreeMap;

use crate::backend::authentik::kinds::FLOWS;
use crate::backend::authentik::wire::{Flow, FlowStage, InvitationStage, LoginStage};
use crate::model::id::Identity;
use crate::model::row::{Cell, Health, Row, Tone};

use super::{Place, State};

/// What is known of stages and policies.
#[derive(Debug, Default)]
pub struct Around {
    /// Stages of each flow, by the flow's key.
    pub stages: BTreeMap<String, usize>,
    /// Invitation stages by the slugs of their flows: whether they let people through without an invitation.
    pub invitations: BTreeMap<String, bool>,
    /// How long logins last, by the slugs of their flows.
    pub sessions: BTreeMap<String, String>,
}

impl Around {
    /// Takes complete lists.
    pub fn new(bindings: &[FlowStage], invitations: &[InvitationStage], logins: &[LoginStage]) -> Self {
        let mut around = Self::default();
        for binding in bindings {
            *around.stages.entry(binding.target.to_string()).or_default() += 1;
        }
        for stage in invitations {
            let open = stage.continue_flow_without_invitation.0.unwrap_or(true);
            for flow in stage.flow_set.iter() {
                *around.invitations.entry(flow.slug.to_string()).or_default() |= open;
            }
        }
        for stage in logins {
            for flow in stage.flow_set.iter() {
                around.sessions.insert(flow.slug.to_string(), stage.session_duration.to_string());
            }
        }
        around
    }
}

/// A row for a flow.
pub fn row(flow: &Flow, around: &Around, place: &Place) -> Option<Row> {
    let slug = flow.slug.some()?;
    let state = state(flow, around);
    let stages = around.stages.get(&*flow.pk).map(|n| i64::try_from(*n).unwrap_or(i64::MAX));
    let policies = i64::try_from(flow.policies.0.len()).unwrap_or(i64::MAX);
    let cells = vec![
        state.cell(),
        Cell::new(slug),
        Cell::new(flow.designation.replace('_', " ").as_str()),
        Cell::new(stages),
        Cell::toned(policies, if policies > 0 { Tone::Warn } else { Tone::Dim }),
        Cell::new(around.sessions.get(slug).map_or("", String::as_str)),
        Cell::new(state.note.as_deref().unwrap_or_default()),
        Cell::new(flow.name.as_str()),
    ];
    let mut row = place.row(FLOWS, slug, slug, cells, state);
    row.identity = Identity::new().with("pk", flow.pk.as_str()).with("slug", slug);
    Some(row)
}

/// How a flow is.
pub fn state(flow: &Flow, around: &Around) -> State {
    let policies = flow.policies.0.len();
    let slug = flow.slug.as_str();
    match flow.designation.as_str() {
        "enrollment" if around.invitations.get(slug) == Some(&true) => {
            State::new("open", Health::Critical).note("enrols people without an invitation")
        }
        "enrollment" if around.invitations.contains_key(slug) => {
            State::new("ok", Health::Ok).note("by invitation only")
        }
        // A source's own enrolment is reached only by way of that source, and a policy guards it from others.
        "enrollment" if policies == 0 => {
            State::new("open", Health::Warning).note("enrols people, and asks for no invitation")
        }
        "authentication" if policies > 0 => {
            let note = format!("{policies} policies are bound to it: who is not logged in yet may be denied");
            State::new("guarded", Health::Warning).note(note)
        }
        "authentication" | "enrollment" if short_session(around.sessions.get(slug)) => {
            State::new("short", Health::Warning).note("logins last as long as the browser is open")
        }
        _ => State::new("ok", Health::Ok),
    }
}

/// `seconds=0` is the length of the browser's session, which the server ends after two hours.
fn short_session(duration: Option<&String>) -> bool {
    duration.is_some_and(|text| text.trim() == "seconds=0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lets_strangers_in_or_shuts_everybody_out_is_said() {
        let around = Around {
            invitations: [("by-invitation".to_owned(), false), ("hole".to_owned(), true)].into(),
            sessions: [("social".to_owned(), "seconds=0".to_owned())].into(),
            ..Around::default()
        };
        let cases = [
            (r#"{"slug":"by-invitation","designation":"enrollment"}"#, "ok", Health::Ok),
            (r#"{"slug":"hole","designation":"enrollment"}"#, "open", Health::Critical),
            (r#"{"slug":"free","designation":"enrollment"}"#, "open", Health::Warning),
            (r#"{"slug":"source","designation":"enrollment","policies":["p"]}"#, "ok", Health::Ok),
            (
                r#"{"slug":"login","designation":"authentication","policies":["p"]}"#,
                "guarded",
                Health::Warning,
            ),
            (r#"{"slug":"social","designation":"authentication"}"#, "short", Health::Warning),
            (r#"{"slug":"out","designation":"invalidation","policies":["p"]}"#, "ok", Health::Ok),
        ];
        for (json, word, health) in cases {
            let state = state(&serde_json::from_str(json).unwrap(), &around);
            assert_eq!((state.word, state.health), (word, health), "{json}");
        }
    }
}

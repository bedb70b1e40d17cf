//! What an operation would hit while its form is still being filled in: asked once typing rests, answered into the form.

use jiff::{SignedDuration, Timestamp};

use crate::model::op::{Decision, Evidence, Job, RunId, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::Fault;

use super::App;
use super::effect::Effect;
use super::msg::DraftId;
use super::overlay::Overlay;

/// How long nothing has to be typed before it is asked.
const REST: SignedDuration = SignedDuration::from_millis(400);
/// The facts that are shown: what is hit now, and what would have been hit.
const SHOWN: [&str; 2] = ["hits", "last day"];

/// When to ask, and which answer is waited for; an earlier one is dropped.
#[derive(Debug, Default)]
pub(super) struct Preview {
    due: Option<Timestamp>,
    asked: Option<DraftId>,
}

impl Preview {
    /// When it is to be asked.
    pub fn due(&self) -> Option<Timestamp> {
        self.due
    }
}

impl App {
    /// The open form changed: what it would do is asked once typing rests.
    pub(super) fn preview_soon(&mut self) {
        let wanted = self.draft.as_ref().is_some_and(|draft| draft.op.previews && draft.targets.len() == 1);
        if wanted && matches!(self.overlays.last(), Some(Overlay::Form(_))) {
            self.preview =
                Preview { due: Some(self.look.now.checked_add(REST).unwrap_or(self.look.now)), asked: None };
        }
    }

    /// Asks, where it is due and the form is still open.
    pub(super) fn preview(&mut self) -> Vec<Effect> {
        if self.preview.due.is_none_or(|due| due > self.look.now) {
            return Vec::new();
        }
        self.preview.due = None;
        let id = self.next_draft();
        let (Some(draft), Some(Overlay::Form(form))) = (&self.draft, self.overlays.last()) else {
            return Vec::new();
        };
        let Some(target) = draft.targets.first().cloned() else { return Vec::new() };
        // What is still to be written, such as the reason, changes nothing of what is hit.
        let mut args = form.args();
        for field in draft.op.form.iter().filter(|field| field.required) {
            let value = args.entry(field.name.to_string()).or_default();
            if value.trim().is_empty() {
                "…".clone_into(value);
            }
        }
        let job = Job {
            run: RunId("preview".into()),
            op: draft.op.name.as_ref().into(),
            target,
            args,
            reason: None,
            operator: self.operator.clone(),
        };
        self.preview.asked = Some(id);
        vec![Effect::Preflight { draft: id, jobs: vec![job] }]
    }

    /// Whether an answer is the preview's; it goes into the form, if that is still open.
    pub(super) fn on_preview(&mut self, id: DraftId, body: &Result<Verdict, Fault>) -> bool {
        if self.preview.asked != Some(id) {
            return false;
        }
        self.preview.asked = None;
        if let Some(Overlay::Form(form)) = self.overlays.last_mut() {
            let (text, tone) = words(body);
            form.preview(text, tone);
            self.dirty = true;
        }
        true
    }
}

/// One line: what it hits, or why it would be refused.
fn words(body: &Result<Verdict, Fault>) -> (String, Tone) {
    let verdict = match body {
        Ok(verdict) => verdict,
        Err(fault) => return (format!("cannot be previewed: {fault}"), Tone::Unknown),
    };
    let shown =
        |fact: &&Evidence| verdict.decision == Decision::Refuse || SHOWN.contains(&fact.what.as_str());
    let facts: Vec<&Evidence> = verdict.evidence.iter().filter(shown).collect();
    let loud = facts.iter().map(|fact| fact.tone).find(|tone| matches!(tone, Tone::Error | Tone::Warn));
    let words: Vec<String> = facts.iter().map(|fact| format!("{}: {}", fact.what, fact.says)).collect();
    (words.join(" · "), loud.unwrap_or(Tone::Info))
}

#[cfg(test)]
mod tests {
    use crate::model::id::Identity;
    use crate::model::snapshot::Layer;

    use super::*;

    #[test]
    fn a_preview_is_one_line_of_what_is_hit_or_why_not() {
        let allowed = Verdict::allow("keeps it quiet", Identity::new())
            .and(Decision::Allow, Evidence::new("matcher", "alertname=\"X\"", Tone::Text))
            .and(Decision::Allow, Evidence::new("hits", "4 of 37 alerts now", Tone::Warn))
            .and(Decision::Allow, Evidence::new("last day", "6 episodes", Tone::Text));
        let refused = Verdict::refuse("silence", "without alertname it would silence other alerts too");
        let cases = [
            (Ok(allowed), "hits: 4 of 37 alerts now · last day: 6 episodes", Tone::Warn),
            (Ok(refused), "silence: without alertname it would silence other alerts too", Tone::Error),
            (
                Err(Fault::new(Layer::Tcp, "no connection")),
                "cannot be previewed: tcp: no connection",
                Tone::Unknown,
            ),
        ];
        for (body, text, tone) in cases {
            assert_eq!(words(&body), (text.to_owned(), tone));
        }
    }
}

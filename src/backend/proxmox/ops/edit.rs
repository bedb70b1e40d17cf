//! Words on a guest: its tags and its description.

use reqwest::Method;

use crate::backend::error::{ApiError, first_line};
use crate::backend::proxmox::client::Fields;
use crate::backend::proxmox::guest::GuestConfig;
use crate::backend::proxmox::kinds::GUESTS;
use crate::backend::proxmox::rights::{Need, on_guests};
use crate::backend::proxmox::{Proxmox, rows};
use crate::model::op::{Decision, Evidence, Field, FieldKind, Job, OpSpec, Target, Tier, Verb, Verdict};
use crate::model::row::Tone;

use super::observe::{alike, frozen_node, guest_of, refuse, verdict};
use super::{Effect, Request};

/// What is edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edit {
    Tags,
    Description,
}

impl Edit {
    pub(super) fn named(op: &str) -> Option<Self> {
        match op {
            "set-tags" => Some(Self::Tags),
            "set-description" => Some(Self::Description),
            _ => None,
        }
    }

    /// The key in the configuration and in the form.
    fn key(self) -> &'static str {
        match self {
            Self::Tags => "tags",
            Self::Description => "description",
        }
    }

    /// What the configuration says now, as it is edited.
    fn now(self, config: &GuestConfig) -> String {
        let text = config.text(self.key()).unwrap_or_default();
        self.normal(text)
    }

    /// The one way to write it, so that two spellings of the same are the same.
    fn normal(self, text: &str) -> String {
        match self {
            Self::Tags => {
                let mut tags: Vec<String> = rows::tags(text)
                    .split(' ')
                    .filter(|tag| !tag.is_empty())
                    .map(str::to_lowercase)
                    .collect();
                tags.sort();
                tags.dedup();
                tags.join(" ")
            }
            Self::Description => text.trim().to_owned(),
        }
    }
}

pub(super) fn specs() -> Vec<OpSpec> {
    let tags =
        Field::new("tags", "tags", FieldKind::Line, "All its tags, separated by spaces; none removes them.");
    let text =
        Field::new("description", "description", FieldKind::Lines, "All of its description (Markdown).");
    vec![
        OpSpec::on(GUESTS, "proxmox.set-tags", "set tags", Tier::T1, "Replaces the guest's tags.")
            .right("VM.Config.Options")
            .form(vec![tags.optional()])
            .verb(Verb::Edit)
            .warn_if_blind(),
        OpSpec::on(
            GUESTS,
            "proxmox.set-description",
            "set description",
            Tier::T1,
            "Replaces the guest's description.",
        )
        .right("VM.Config.Options")
        .form(vec![text.optional()])
        .warn_if_blind(),
    ]
}

pub(super) fn needs() -> Vec<(&'static str, Vec<Need>)> {
    ["set-tags", "set-description"].into_iter().map(|op| (op, vec![on_guests("VM.Config.Options")])).collect()
}

impl Proxmox {
    pub(super) async fn edit_form(&self, op: &OpSpec, target: &Target) -> Result<Vec<Field>, ApiError> {
        let (_, config) = self.locate(guest_of(&target.id)?).await?;
        let mut form = op.form.clone();
        for field in &mut form {
            let edit = if field.name == "tags" { Edit::Tags } else { Edit::Description };
            field.default = edit.now(&config).into();
        }
        Ok(form)
    }

    pub(super) async fn judge_edit(&self, edit: Edit, job: &Job) -> Result<Verdict, ApiError> {
        let seen = self.observe(guest_of(&job.target.id)?).await?;
        let mut findings = alike(&seen, "VM.Config.Options");
        let wanted = edit.normal(job.arg(edit.key()));
        let odd = |tag: &str| !tag.chars().all(|c| c.is_ascii_alphanumeric() || "_-+.".contains(c));
        if edit == Edit::Tags
            && let Some(tag) = wanted.split(' ').find(|tag| odd(tag) || tag.starts_with(['-', '+', '.']))
        {
            findings
                .push(refuse("tags", format!("`{tag}` is no tag: letters, digits, `_`, `-`, `+` and `.`")));
        }
        let now = edit.now(&seen.config);
        let now = if now.is_empty() { "none".to_owned() } else { first_line(&now) };
        findings.push((Decision::Allow, Evidence::new("now", now, Tone::Text)));
        let effect = match (edit, wanted.is_empty()) {
            (Edit::Tags, false) => format!("tags {} {wanted}", seen.title()),
            (Edit::Tags, true) => format!("removes all tags of {}", seen.title()),
            (Edit::Description, false) => format!("replaces the description of {}", seen.title()),
            (Edit::Description, true) => format!("removes the description of {}", seen.title()),
        };
        Ok(verdict(effect, &seen, findings))
    }

    pub(super) async fn edit_request(&self, edit: Edit, job: &Job) -> Result<Request, ApiError> {
        let key = guest_of(&job.target.id)?;
        let node = frozen_node(job)?;
        let config = self.config(key, node).await?;
        let wanted = edit.normal(job.arg(edit.key()));
        let mut fields: Fields = match (wanted.is_empty(), edit) {
            (true, _) => vec![("delete", edit.key().to_owned())],
            (false, Edit::Tags) => vec![("tags", wanted.replace(' ', ";"))],
            (false, Edit::Description) => vec![("description", wanted)],
        };
        // Refused where somebody else has edited it in the meantime.
        if let Some(digest) = config.text("digest") {
            fields.push(("digest", digest.to_owned()));
        }
        Ok(Request { method: Method::PUT, path: format!("{}/config", key.path(node)), fields })
    }

    pub(super) async fn edit_effect(&self, edit: Edit, job: &Job) -> Result<Effect, ApiError> {
        let (_, config) = self.locate(guest_of(&job.target.id)?).await?;
        let now = edit.now(&config);
        let there = now == edit.normal(job.arg(edit.key()));
        let words = match (edit, now.is_empty()) {
            (_, true) => format!("it has no {}", edit.key()),
            (Edit::Tags, false) => format!("its tags are {now}"),
            (Edit::Description, false) => "its description is as written".to_owned(),
        };
        Ok(Effect::new(there, words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_as_sets_in_lower_case() {
        assert_eq!(Edit::Tags.normal("Prod;talos,prod  x"), "prod talos x");
        assert_eq!(Edit::Description.normal(" a\nb \n"), "a\nb");
    }
}

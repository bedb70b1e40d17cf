//! The text that goes with a link, in the language of whoever gets it.

use crate::backend::authentik::Authentik;
use crate::model::op::{Field, FieldKind, Job};

use super::Stop;

/// The field of a form that chooses the language.
pub fn field() -> Field {
    Field::new("language", "language", FieldKind::Line, "The language of the text that goes with the link.")
        .optional()
}

impl Authentik {
    /// The field with the languages that there are texts in.
    pub(super) fn language_field(&self) -> Field {
        let languages = self.settings.messages.keys().map(|language| language.clone().into()).collect();
        let choice = Field { kind: FieldKind::Choice(languages), ..field() };
        choice.default(self.settings.language.clone())
    }

    /// Whether there is a text in the language that was chosen.
    pub(super) fn check_language(&self, job: &Job) -> Result<(), Stop> {
        let language = self.chosen(job.arg("language"));
        if self.settings.messages.contains_key(language) {
            return Ok(());
        }
        let known: Vec<&str> = self.settings.messages.keys().map(String::as_str).collect();
        Err(Stop::refused(
            "language",
            format!("there is no text in `{language}`, only in {}", known.join(", ")),
        ))
    }

    fn chosen<'a>(&'a self, language: &'a str) -> &'a str {
        if language.trim().is_empty() { &self.settings.language } else { language.trim() }
    }

    /// The text with everything filled in.
    pub(super) fn message(&self, language: &str, link: &str, until: &str, group: &str, name: &str) -> String {
        let text = self.settings.messages.get(self.chosen(language)).map_or("{link}", String::as_str);
        // The link last, so that nothing in it is taken for a place to fill in.
        let text = text.replace("{until}", until).replace("{group}", group).replace("{name}", name);
        text.replace("{link}", link)
    }
}

//! The table `[[authentik]]`: the server, who is family and who is not, and what is told to people.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Validator;
use super::connection::domain;
use crate::config::check;
use crate::config::connector::Authentik;
use crate::config::edge::{Github, Rotation};
use crate::config::raw::{Located, Table};
use crate::config::source::Fault;
use crate::config::suggest;

impl Validator<'_> {
    pub(super) fn authentik(
        &self,
        table: &Table<'_>,
        name: Arc<str>,
        repositories: &[Github],
    ) -> Option<Authentik> {
        let domain = domain(table).unwrap_or_default();
        let connection = self.connection(table, name, domain, "\"https://auth.example\"");
        let token = self.required_secret(table, "token");
        let slug = |key| table.checked(key, check::slug);
        let (flow, group_key, mark) = (slug("enrollment_flow"), slug("group_key"), slug("mark"));
        let words = |key| {
            let list: Option<Vec<Located<&str>>> = table.list(key);
            list.map(|words| words.iter().map(|word| word.value.to_owned()).collect::<Vec<_>>())
        };
        let admin_groups = words("admin_groups");
        let [family_groups, admin_apps, family_apps, service_accounts, native_accounts] =
            ["family_groups", "admin_apps", "family_apps", "service_accounts", "native_accounts"]
                .map(|key| words(key).unwrap_or_default());
        let messages = table.table("messages").map(|inner| messages(&inner));
        let language = table.text("language");
        let rotation = table.table("rotation").map(|inner| rotation(inner, repositories));
        let mut settings = Authentik::new(connection?, token?);
        settings.messages.extend(messages.unwrap_or_default());
        if let Some(language) = language {
            language_known(table, &language, &settings.messages);
            language.value.clone_into(&mut settings.language);
        }
        Some(Authentik {
            enrollment_flow: flow.unwrap_or(settings.enrollment_flow),
            group_key: group_key.unwrap_or(settings.group_key),
            mark: mark.unwrap_or(settings.mark),
            admin_groups: admin_groups.unwrap_or(settings.admin_groups),
            family_groups,
            admin_apps,
            family_apps,
            service_accounts,
            native_accounts,
            rotation: rotation.flatten(),
            ..settings
        })
    }
}

/// The texts by language; one without the link is of no use.
fn messages(table: &Table<'_>) -> BTreeMap<String, String> {
    let entries = table.entries().filter_map(|(language, value)| {
        let text = table.as_text(language.value, value)?;
        if !text.value.contains("{link}") {
            let cure = "write `{link}` where it is to stand";
            table.note(text.span, Fault::new("this text holds no link", "a text with `{link}`", cure));
        }
        Some((language.value.to_owned(), text.value.to_owned()))
    });
    entries.collect()
}

fn language_known(table: &Table<'_>, language: &Located<&str>, messages: &BTreeMap<String, String>) {
    if !messages.contains_key(language.value) {
        let cure = suggest::advice(language.value, messages.keys().map(String::as_str));
        let fault = Fault::new("there is no text in this language", "a key of `messages`, en or fr", cure);
        table.note(language.span.clone(), fault);
    }
}

fn rotation(table: Table<'_>, repositories: &[Github]) -> Option<Rotation> {
    let github = super::edge::repository_of(&table, repositories);
    let workflow = table.required("workflow", "\"rotate-keys.yml\"", check::word);
    let input = table.checked("input", check::word).unwrap_or_else(|| "token".to_owned());
    table.finish();
    Some(Rotation { github: github?.into(), workflow: workflow?, input })
}

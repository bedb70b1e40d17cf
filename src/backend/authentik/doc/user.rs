//! A user.

use crate::backend::error::ApiError;
use crate::model::kind::Format;
use crate::model::row::{Cell, Tone};
use crate::model::view::{Doc, Fact};

use crate::backend::authentik::Authentik;
use crate::backend::authentik::rows::users::{kind, state, superuser};
use crate::backend::authentik::wire::User;

impl Authentik {
    pub(super) async fn describe_user(&self, key: &str) -> Result<Doc, ApiError> {
        let user = self.user(key).await?;
        let groups: Vec<Vec<Cell>> = user
            .groups_obj
            .iter()
            .map(|group| vec![Cell::new(group.name.as_str()), superuser(group.is_superuser.0)])
            .collect();
        let mark = user.attributes.get(&self.keys.mark);
        Ok(Doc::default()
            .facts("state", standing(&user))
            .facts("invited", mark.and_then(serde_json::Value::as_object).map(mark_facts).unwrap_or_default())
            .table("groups", vec!["group".into(), "superuser".into()], groups)
            .facts("record", record(&user)))
    }
}

fn standing(user: &User) -> Vec<Fact> {
    let state = state(user, 0);
    let mut facts = vec![
        Fact::new("state", state.word).format(Format::State).tone(Tone::from(state.health)),
        Fact::new("why", state.note.unwrap_or_default().as_str()),
        Fact::new("last login", user.last_login.time()).format(Format::Age),
        Fact::new("type", kind(&user.kind)),
    ];
    if user.is_superuser.is_true() {
        facts.push(Fact::new("superuser", "yes: may do everything").tone(Tone::Danger));
    }
    facts
}

fn mark_facts(mark: &serde_json::Map<String, serde_json::Value>) -> Vec<Fact> {
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    mark.iter().map(|(key, value)| Fact::new(key.clone(), text(value).as_str())).collect()
}

fn record(user: &User) -> Vec<Fact> {
    vec![
        Fact::new("user name", user.username.as_str()),
        Fact::new("name", user.name.as_str()),
        Fact::new("email", user.email.as_str()),
        Fact::new("number", user.pk.0),
        Fact::new("uuid", user.uuid.as_str()).tone(Tone::Dim),
        Fact::new("path", user.path.as_str()).tone(Tone::Dim),
        Fact::new("created", user.date_joined.time()).format(Format::Age),
    ]
}

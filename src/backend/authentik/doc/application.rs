//! An application and its bindings.

use crate::backend::error::ApiError;
use crate::model::kind::Format;
use crate::model::row::{Cell, Tone};
use crate::model::view::{Doc, DocLine, Fact};

use crate::backend::authentik::access::Bindings;
use crate::backend::authentik::find::gone;
use crate::backend::authentik::watch::is_slug;
use crate::backend::authentik::{Authentik, kinds, rows};

impl Authentik {
    pub(super) async fn describe_application(&self, key: &str) -> Result<Doc, ApiError> {
        let found = if is_slug(key) { self.application(key).await? } else { None };
        let application = found.ok_or_else(|| gone(&self.place.id(kinds::APPLICATIONS, key)))?;
        let listed = self.bindings().await;
        let bindings = match &listed {
            Ok(listed) if listed.complete() => Some(Bindings::new(listed.items.clone())),
            _ => None,
        };
        let row = rows::applications::row(&application, bindings.as_ref(), &self.place);
        let state = row.as_ref().map(|row| row.cell(0).clone()).unwrap_or_default();
        let note = row.and_then(|row| row.note).unwrap_or_default();
        let facts = vec![
            Fact::new("state", state.value).format(Format::State).tone(state.tone),
            Fact::new("why", &*note),
            Fact::new("must agree", application.policy_engine_mode.as_str()),
            Fact::new("url", application.launch_url.as_str()),
            Fact::new(
                "provider",
                application.provider_obj.0.as_ref().map_or("none", |p| p.verbose_name.as_str()),
            ),
            Fact::new("id", application.pk.as_str()).tone(Tone::Dim),
        ];
        let rows: Vec<Vec<Cell>> = bindings
            .iter()
            .flat_map(|bindings| bindings.of(&application))
            .map(|binding| {
                let on = binding.is_enabled();
                let word = if on { Cell::toned("on", Tone::Ok) } else { Cell::toned("off", Tone::Off) };
                vec![word, Cell::new(binding.order.0), Cell::new(binding.who().as_str())]
            })
            .collect();
        let unseen =
            listed.err().map(|error| DocLine::toned(format!("cannot be seen: {error}"), Tone::Unknown));
        Ok(Doc::default()
            .facts("application", facts)
            .table("bindings", vec!["state".into(), "order".into(), "lets in".into()], rows)
            .lines("bindings", unseen.into_iter().collect()))
    }
}

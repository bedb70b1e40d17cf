//! Applications and the people they are open to.

use std::sync::Arc;

use crate::backend::authentik::access::Bindings;
use crate::backend::authentik::kinds::APPLICATIONS;
use crate::backend::authentik::wire::{Application, Binding};
use crate::model::id::Identity;
use crate::model::row::{Cell, Facet, FacetKey, Grade, Health, Row, Tone};

use super::{Place, State};

/// A row for an application; `bindings` are absent where they cannot be seen, or not all of them.
pub fn row(application: &Application, bindings: Option<&Bindings>, place: &Place) -> Option<Row> {
    if application.slug.is_empty() {
        return None;
    }
    let bound: Option<Vec<&Binding>> = bindings.map(|bindings| bindings.of(application));
    let state = state(bound.as_deref());
    let who: Vec<String> = bound.iter().flatten().filter(|b| b.is_enabled()).map(|b| b.who()).collect();
    let provider =
        application.provider_obj.0.as_ref().map_or("none", |provider| provider.verbose_name.as_str());
    let cells = vec![
        state.cell(),
        Cell::new(application.slug.as_str()),
        Cell::new(application.name.as_str()),
        Cell::new(access(bound.as_deref(), &who).as_str()),
        Cell::toned(application.policy_engine_mode.as_str(), Tone::Dim),
        Cell::toned(provider, Tone::Dim),
        Cell::new(is_hidden(application)),
        Cell::new(application.group.as_str()),
        Cell::new(url(application)),
    ];
    let mut row =
        Row::new(place.id(APPLICATIONS, application.slug.as_str()), application.slug.as_str(), cells);
    row.health = state.health;
    row.note = state.note.map(Arc::from);
    row.domain = place.domain;
    row.identity = identity(application);
    let mut facets = facets(application);
    facets.extend(application.provider.0.map(|provider| place.gate(&provider.to_string())));
    row.facets = facets.into_boxed_slice();
    Some(row)
}

/// What makes an application that application.
pub fn identity(application: &Application) -> Identity {
    Identity::new().with("pk", application.pk.as_str()).with("slug", application.slug.as_str())
}

fn state(bound: Option<&[&Binding]>) -> State {
    let Some(bound) = bound else {
        return State::new("unknown", Health::Unknown).note("bindings cannot be seen");
    };
    if bound.iter().any(|binding| binding.is_enabled()) {
        return State::new("gated", Health::Ok);
    }
    let note = if bound.is_empty() {
        "no binding: open to every user"
    } else {
        "all bindings off: open to every user"
    };
    State::new("open", Health::Warning).note(note)
}

fn access(bound: Option<&[&Binding]>, who: &[String]) -> String {
    match bound {
        None => "?".to_owned(),
        Some(_) if who.is_empty() => "everyone".to_owned(),
        Some(_) => who.join(", "),
    }
}

/// A tile is hidden by a switch (from 2026.5) or by an address that leads nowhere.
pub fn is_hidden(application: &Application) -> bool {
    application.meta_hide.is_true() || application.meta_launch_url.starts_with("blank://")
}

/// Where its tile leads.
pub fn url(application: &Application) -> &str {
    application.launch_url.some().unwrap_or(application.meta_launch_url.as_str())
}

fn facets(application: &Application) -> Vec<Facet> {
    let mut facets = vec![Facet::new(FacetKey::App, application.slug.as_str(), Grade::Hint)];
    let host = url::Url::parse(url(application)).ok().and_then(|url| url.host_str().map(str::to_lowercase));
    if let Some(host) = host.filter(|host| host != "blank") {
        facets.push(Facet::new(FacetKey::Host, host, Grade::Likely));
    }
    facets
}

#[cfg(test)]
mod tests {
    use crate::model::row::{Domain, Value};

    use super::*;

    fn bindings(json: &str) -> Bindings {
        Bindings::new(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn only_an_enabled_binding_gates_and_an_unseen_one_is_not_known() {
        let application: Application = serde_json::from_str(
            r#"{"pk":"p-1","slug":"grafana","launch_url":"https://Grafana.lab.example/x"}"#,
        )
        .unwrap();
        let admin = r#"{"pk":"b","target":"p-1","group":"g","group_obj":{"name":"admin"},"enabled":"#;
        let cases = [
            (None, "unknown", "?"),
            (Some(bindings("[]")), "open", "everyone"),
            (Some(bindings(&format!("[{admin}false}}]"))), "open", "everyone"),
            (Some(bindings(&format!("[{admin}true}}]"))), "gated", "admin"),
            (Some(bindings(&format!("[{admin}true,\"negate\":true}}]"))), "gated", "not admin"),
        ];
        let place = Place { instance: "auth".into(), domain: Domain::Cloud };
        for (bindings, word, who) in cases {
            let row = row(&application, bindings.as_ref(), &place).unwrap();
            assert_eq!((&row.cell(0).value, &row.cell(3).value), (&Value::from(word), &Value::from(who)));
            assert_eq!(&*row.facets[1].value, "grafana.lab.example");
        }
    }
}

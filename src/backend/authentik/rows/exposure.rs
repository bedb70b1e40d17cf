//! Verdicts of the audit as rows.

use crate::backend::authentik::exposure::{Audience, Remark, Verdict};
use crate::backend::authentik::kinds::EXPOSURE;
use crate::backend::authentik::wire::Application;
use crate::model::row::{Cell, Facet, FacetKey, Grade, Health, Row, Tone};

use super::applications::{identity, url};
use super::{Place, State};

/// A row for the verdict on an application that so many people who are no administrators can open; how many is absent
/// while it is not known.
pub fn row(
    application: &Application,
    verdict: &Verdict,
    audience: Audience,
    reaches: Option<usize>,
    who: &[String],
    place: &Place,
) -> Row {
    let slug = application.slug.as_str();
    let alarming = audience == Audience::Admin && reaches.is_some_and(|count| count > 0);
    let tone = if alarming { Tone::Error } else { Tone::Text };
    let who = if who.is_empty() { "everyone".to_owned() } else { who.join(", ") };
    let host = host(application);
    let cells = vec![
        Cell::toned(verdict.word, Tone::from(verdict.health)),
        Cell::new(slug),
        Cell::toned(audience.word(), if audience == Audience::Unlisted { Tone::Dim } else { Tone::Text }),
        Cell::toned(reaches.map(|count| i64::try_from(count).unwrap_or(i64::MAX)), tone),
        Cell::new(who.as_str()),
        Cell::toned(verdict.why.as_str(), Tone::from(verdict.health)),
        Cell::toned(application.policy_engine_mode.as_str(), Tone::Dim),
        Cell::toned(host.as_str(), Tone::Dim),
    ];
    let state = State { word: verdict.word, health: verdict.health, note: None };
    let state = if verdict.health == Health::Ok { state } else { state.note(verdict.why.clone()) };
    let mut row = place.row(EXPOSURE, slug, slug, cells, state);
    row.identity = identity(application);
    if !host.is_empty() {
        row.facets = Box::new([Facet::new(FacetKey::Host, host.as_str(), Grade::Likely)]);
    }
    row
}

/// A row for an application of which nothing can be said.
pub fn unknown(application: &Application, why: &str, place: &Place) -> Row {
    let slug = application.slug.as_str();
    let state = State::new("unknown", Health::Unknown).note(why);
    let mut cells = vec![Cell::default(); 8];
    cells[0] = state.cell();
    cells[1] = Cell::new(slug);
    cells[5] = Cell::toned(why, Tone::Unknown);
    let mut row = place.row(EXPOSURE, slug, slug, cells, state);
    row.identity = identity(application);
    row
}

/// A row for a remark on something that no binding shows.
pub fn remark(remark: &Remark, place: &Place) -> Row {
    let state = State { word: "remark", health: remark.health, note: Some(remark.why.clone()) };
    let mut cells = vec![Cell::default(); 8];
    cells[0] = state.cell();
    cells[1] = Cell::new(remark.what.as_str());
    cells[5] = Cell::toned(remark.why.as_str(), Tone::from(remark.health));
    place.row(EXPOSURE, key(remark), &remark.what, cells, state)
}

/// The key of a remark's row: what it says, since nothing else tells it from another one.
pub fn key(remark: &Remark) -> String {
    format!("remark:{}:{}", remark.what, remark.why)
}

/// The host that a tile leads to; empty where it leads nowhere.
pub fn host(application: &Application) -> String {
    let url = url::Url::parse(url(application)).ok();
    url.and_then(|url| url.host_str().map(str::to_lowercase))
        .filter(|host| host != "blank")
        .unwrap_or_default()
}

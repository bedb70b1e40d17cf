//! One poll without the network: the answers of an Alertmanager and a Prometheus to rows, as the bench measures it.

use std::sync::Arc;

use jiff::Timestamp;

use crate::backend::error::ApiError;
use crate::backend::lenient::Maybe;
use crate::model::row::{Domain, Row};

use super::cluster::{Observation, Said};
use super::feed::Knowledge;
use super::promwire::{Envelope, Rules};
use super::routing::Routing;
use super::rows::alerts::{Around, held};
use super::rows::rules;
use super::wire::Alert;

/// Rows of `GET /alerts` and `GET /rules` under a configuration, joined and explained.
pub fn read_whole(alerts: &[u8], rules: &[u8], config: &str, now: Timestamp) -> Result<Vec<Row>, ApiError> {
    let unread = |error: serde_json::Error| ApiError::unsupported(error.to_string());
    let alerts: Vec<Maybe<Alert>> = serde_json::from_slice(alerts).map_err(unread)?;
    let rules_body: Envelope<Rules> = serde_json::from_slice(rules).map_err(unread)?;
    let known = Arc::new(Knowledge::new(now, rules_body.data, None, Vec::new()));
    let alerts = alerts.into_iter().filter_map(|alert| alert.0).collect();
    let seen = Observation::of_one(now, alerts, Said { lists: Ok(()), told: None, ahead: 0 });
    let routing = Routing::read(config).map_err(ApiError::unsupported)?;
    let (ways, instance) = (routing.at(now), Arc::from("bench"));
    let feeds = std::slice::from_ref(&known);
    let around = Around { feeds, ways: Some(&ways), ..Around::plain(&instance, Domain::Home, now) };
    let of_rules = known.rules.iter().map(|placed| rules::row(placed, 0, around));
    Ok(seen.alerts.iter().map(|alert| held(alert, &seen, around)).chain(of_rules).collect())
}

//! One expression of a Prometheus for another backend: its value, or a label of its only series.

use jiff::Timestamp;

use crate::backend::error::ApiError;
use crate::backend::http::Http;
use crate::config;

use super::client::{self, Prometheus};
use super::promwire::Series;

/// A Prometheus that is asked single questions.
#[derive(Debug)]
pub struct Asker(Result<Http, ApiError>);

impl Asker {
    /// Resolves secrets, so it may block.
    pub fn new(config: &config::Prometheus) -> Self {
        Self(client::open(&config.connection, &config.auth))
    }

    /// The value of the only series of an expression; `None` where it has none.
    pub async fn value(&self, expression: &str, now: Timestamp) -> Result<Option<f64>, ApiError> {
        Ok(self.only(expression, now).await?.and_then(|series| series.value.value))
    }

    /// A label of the only series of an expression.
    pub async fn label(
        &self,
        expression: &str,
        label: &str,
        now: Timestamp,
    ) -> Result<Option<String>, ApiError> {
        let series = self.only(expression, now).await?;
        Ok(series.and_then(|series| series.metric.find(label).map(ToString::to_string)))
    }

    /// Several series are no answer: which of them is meant, nobody knows.
    async fn only(&self, expression: &str, now: Timestamp) -> Result<Option<Series>, ApiError> {
        let http = self.0.as_ref().map_err(Clone::clone)?;
        let mut series = Prometheus(http).query(expression, now).await?.body.data.result;
        if series.len() > 1 {
            return Err(ApiError::unsupported(format!(
                "`{expression}` has {} series, not one",
                series.len()
            )));
        }
        Ok(series.pop())
    }
}

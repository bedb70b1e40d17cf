//! Typed calls: pages walked to their end, each answer's shape told from the next, writes sent once. No policy.

mod answer;

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::backend::error::{ApiError, SendError};
use crate::backend::http::{Call, Http, Payload, Profile, Reply};
use crate::backend::lenient::Maybe;
use crate::config::Connection;
use crate::model::snapshot::Layer;

use super::wire::Page;

/// Rows asked for at once: the default was cut to 20 in 2025.12, and more than 100 is clamped in silence.
const PAGE: &str = "100";
/// Pages asked for at once.
const IN_FLIGHT: usize = 4;
/// No list of this kind of server is longer; an endless one must end somewhere.
const MOST_PAGES: i64 = 2_000;
/// Creating an object takes seconds on a small server.
const WRITE: Duration = Duration::from_secs(30);

/// A list, and whether it is everything.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed<T> {
    /// The rows in the server's order.
    pub items: Vec<T>,
    /// How many there are, as the server counts.
    pub count: Option<usize>,
    /// Why this may not be everything; empty where it is.
    pub gaps: Vec<String>,
    /// The server's clock when it answered.
    pub server_time: Option<Timestamp>,
}

impl<T> Listed<T> {
    /// Whether conclusions of absence may be drawn.
    pub fn complete(&self) -> bool {
        self.gaps.is_empty()
    }
}

/// Where a question goes and which right it needs.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    /// The path below `/api/v3`, with its slash at the end.
    pub path: &'a str,
    /// Filters; the server ignores in silence those that it does not know.
    pub filters: &'a [(&'a str, &'a str)],
    /// The right without which the answer is 403.
    pub right: &'static str,
}

impl<'a> Ask<'a> {
    /// A question without filters.
    pub fn new(path: &'a str, right: &'static str) -> Self {
        Self { path, filters: &[], right }
    }

    /// Adds filters.
    pub fn filtered(self, filters: &'a [(&'a str, &'a str)]) -> Self {
        Self { filters, ..self }
    }

    fn call(&self) -> Call {
        let call = Call::get(format!("/api/v3{}", self.path));
        self.filters.iter().fold(call, |call, (name, value)| call.query(*name, *value))
    }
}

/// A client of one server.
#[derive(Debug, Clone)]
pub struct Client {
    http: Http,
    write: Duration,
}

impl Client {
    /// A client that shows a token of the intent `api`.
    pub fn new(connection: &Connection, token: &str) -> Result<Self, ApiError> {
        let auth =
            [("authorization", format!("Bearer {}", token.trim())), ("accept", "application/json".into())];
        let http = Http::new(connection, &auth, &Profile { in_flight: IN_FLIGHT, ..Profile::default() })?;
        Ok(Self { http, write: connection.timeout.max(WRITE) })
    }

    /// Waits for a write only so long.
    #[cfg(test)]
    pub fn impatient(mut self, write: Duration) -> Self {
        self.write = write;
        self
    }

    /// One answer of the application.
    pub async fn raw(&self, ask: &Ask<'_>) -> Result<Reply, ApiError> {
        answer::checked(self.http.read(&ask.call()).await?, ask.right)
    }

    /// One object.
    pub async fn one<T: DeserializeOwned>(&self, ask: &Ask<'_>) -> Result<T, ApiError> {
        self.raw(ask).await?.json()
    }

    /// One object, or none where the application says that there is none.
    pub async fn find<T: DeserializeOwned>(&self, ask: &Ask<'_>) -> Result<Option<T>, ApiError> {
        let reply = self.http.read(&ask.call()).await?;
        if answer::is_absence(&reply) {
            return Ok(None);
        }
        answer::checked(reply, ask.right)?.json().map(Some)
    }

    /// A bare array.
    pub async fn array<T: DeserializeOwned>(&self, ask: &Ask<'_>) -> Result<Vec<T>, ApiError> {
        let items: Vec<Maybe<T>> = self.raw(ask).await?.json()?;
        Ok(items.into_iter().filter_map(|item| item.0).collect())
    }

    /// A list to its end, at most four pages at once.
    pub async fn list<T: DeserializeOwned + Send>(&self, ask: &Ask<'_>) -> Result<Listed<T>, ApiError> {
        self.list_telling(ask, |_| {}).await
    }

    /// A list to its end; `told` hears of each page when it has come.
    pub async fn list_telling<T: DeserializeOwned + Send>(
        &self,
        ask: &Ask<'_>,
        told: impl Fn(&Page<T>) + Send + Sync,
    ) -> Result<Listed<T>, ApiError> {
        let (pages, server_time) = self.pages(ask, told).await?;
        let count = pages.first().and_then(|page| usize::try_from(page.pagination.count.0?).ok());
        let entries: usize = pages.iter().map(|page| page.results.len()).sum();
        let items: Vec<T> =
            pages.into_iter().flat_map(|page| page.results).filter_map(|item| item.0).collect();
        let skipped = entries - items.len();
        let mut gaps = Vec::new();
        if skipped > 0 {
            gaps.push(format!("{}: {skipped} entries are no objects", ask.path));
        }
        match count {
            Some(count) if count != entries => {
                gaps.push(format!("{}: {} of {count} rows", ask.path, items.len()));
            }
            None => gaps.push(format!("{}: the server does not say how many rows there are", ask.path)),
            Some(_) => {}
        }
        Ok(Listed { items, count, gaps, server_time })
    }

    /// How many rows a list has.
    pub async fn count(&self, ask: &Ask<'_>) -> Result<Option<usize>, ApiError> {
        let reply = self.http.read(&ask.call().query("page_size", "1")).await?;
        let page: Page<Value> = answer::checked(reply, ask.right)?.json()?;
        Ok(page.pagination.count.0.and_then(|count| usize::try_from(count).ok()))
    }

    /// The first pages of a list that begins with the newest; what is older is no gap.
    pub async fn recent<T: DeserializeOwned + Send>(
        &self,
        ask: &Ask<'_>,
        pages: i64,
    ) -> Result<Listed<T>, ApiError> {
        let reply = self.page(ask, 1).await?;
        let mut list: Page<T> = reply.json()?;
        let count = list.pagination.count.0.and_then(|count| usize::try_from(count).ok());
        let last = list.pagination.total_pages.0.unwrap_or(1).min(pages);
        for number in 2..=last {
            let more: Page<T> = self.page(ask, number).await?.json()?;
            list.results.extend(more.results);
        }
        let entries = list.results.len();
        let items: Vec<T> = list.results.into_iter().filter_map(|item| item.0).collect();
        let skipped = entries - items.len();
        let gaps = if skipped == 0 {
            Vec::new()
        } else {
            vec![format!("{}: {skipped} entries are no objects", ask.path)]
        };
        Ok(Listed { items, count, gaps, server_time: reply.date() })
    }

    /// Pages by their number, since `next` is 0 on the last and an allowed subset may leave any page empty.
    async fn pages<T: DeserializeOwned + Send>(
        &self,
        ask: &Ask<'_>,
        told: impl Fn(&Page<T>) + Send + Sync,
    ) -> Result<(Vec<Page<T>>, Option<Timestamp>), ApiError> {
        let reply = self.page(ask, 1).await?;
        let first: Page<T> = reply.json()?;
        told(&first);
        let last = first.pagination.total_pages.0.unwrap_or(1);
        if last > MOST_PAGES {
            return Err(ApiError::new(Layer::App, format!("{} has {last} pages, which cannot be", ask.path)));
        }
        let rest = stream::iter(2..=last).map(|number| async move { self.page(ask, number).await?.json() });
        let rest = rest.buffered(IN_FLIGHT).inspect_ok(|page| told(page));
        let rest: Vec<Page<T>> = rest.try_collect().await?;
        Ok((std::iter::once(first).chain(rest).collect(), reply.date()))
    }

    async fn page(&self, ask: &Ask<'_>, number: i64) -> Result<Reply, ApiError> {
        let call = ask.call().query("page", number.to_string()).query("page_size", PAGE);
        answer::checked(self.http.read(&call).await?, ask.right)
    }

    /// A page outside the API, without the token's rights (`/-/health/ready/`).
    pub async fn probe(&self, path: &str) -> Result<Reply, ApiError> {
        self.http.read(&Call::get(path)).await
    }

    /// Sends a change once.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        right: &'static str,
    ) -> Result<Reply, SendError> {
        let call = Call::new(method, format!("/api/v3{path}")).within(self.write);
        let call = match body {
            Some(body) => call.payload(Payload::Json(body)),
            None => call,
        };
        answer::done(self.http.write(&call).await?, right)
    }
}

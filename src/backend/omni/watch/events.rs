//! One table's watch as a stream of events: newline-delimited JSON with resources as strings inside.

use std::borrow::Cow;
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt};
use serde::Deserialize;
use serde_json::json;

use crate::backend::error::ApiError;
use crate::backend::http::Stream;
use crate::backend::omni::client::{Client, Route};
use crate::backend::omni::refusal::{self, Status, code};
use crate::backend::omni::wire::Table;

/// A watch that is silent for longer than this is opened anew.
const QUIET: Duration = Duration::from_secs(15 * 60);

/// What a watch tells.
#[derive(Debug)]
pub(super) enum Event {
    /// A resource is there, or changed.
    Put(String),
    /// A resource is gone; as it last was.
    Gone(String),
    /// Everything that exists has been told.
    CaughtUp,
    /// The server will not stream this.
    Refused(ApiError),
    /// The stream ended or broke.
    Ended,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow, default)]
    result: Told<'a>,
    #[serde(default)]
    error: Option<Status>,
}

#[derive(Deserialize, Default)]
struct Told<'a> {
    #[serde(borrow, default)]
    event: Change<'a>,
}

#[derive(Deserialize, Default)]
struct Change<'a> {
    #[serde(borrow, default)]
    resource: Cow<'a, str>,
    #[serde(default)]
    event_type: i64,
}

enum State {
    Closed,
    Open(Stream),
    Done,
}

/// The events of a table's watch, each with the table's place in its feed; the last one says how it ended.
pub(super) fn of(client: &Client, table: Table, at: usize) -> BoxStream<'_, (usize, Event)> {
    stream::unfold(State::Closed, move |state| async move {
        let (event, state) = next(client, table, state).await?;
        Some(((at, event), state))
    })
    .boxed()
}

async fn next(client: &Client, table: Table, mut state: State) -> Option<(Event, State)> {
    loop {
        state = match state {
            State::Done => return None,
            State::Closed => {
                let body = json!({"namespace": table.namespace, "type": table.kind});
                let method = "/omni.resources.ResourceService/Watch";
                match client.stream(method, &Route::omni(), body, QUIET).await {
                    Ok(stream) => State::Open(stream),
                    Err(error) => return Some((ended(error), State::Done)),
                }
            }
            State::Open(mut stream) => match stream.line().await {
                Ok(Some(line)) => match read(&line) {
                    Some(event @ (Event::Ended | Event::Refused(_))) => return Some((event, State::Done)),
                    Some(event) => return Some((event, State::Open(stream))),
                    None => State::Open(stream),
                },
                Ok(None) | Err(_) => return Some((Event::Ended, State::Done)),
            },
        };
    }
}

/// An answer of the application is final; a broken path is worth another try.
fn ended(error: ApiError) -> Event {
    match error.fault.status {
        Some(400 | 401 | 403 | 404 | 501) => Event::Refused(error),
        _ => Event::Ended,
    }
}

pub(super) fn read(line: &[u8]) -> Option<Event> {
    let Ok(line) = serde_json::from_slice::<Line<'_>>(line) else {
        return (!line.trim_ascii().is_empty()).then_some(Event::Ended);
    };
    if let Some(status) = line.error {
        let refused =
            matches!(status.code, code::INVALID_ARGUMENT | code::PERMISSION_DENIED | code::UNIMPLEMENTED);
        return Some(if refused { Event::Refused(refusal::plain(&status)) } else { Event::Ended });
    }
    let event = line.result.event;
    match event.event_type {
        1 | 2 => Some(Event::Put(event.resource.into_owned())),
        3 => Some(Event::Gone(event.resource.into_owned())),
        4 => Some(Event::CaughtUp),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sort_of_event_is_read() {
        let put = br#"{"result":{"event":{"resource":"{\"spec\":{}}","event_type":2},"total":1}}"#;
        assert!(matches!(read(put), Some(Event::Put(text)) if text == r#"{"spec":{}}"#));
        assert!(matches!(read(br#"{"result":{"event":{"event_type":4},"total":1}}"#), Some(Event::CaughtUp)));
        assert!(read(b"  ").is_none());
        assert!(read(br#"{"result":{"event":{"event_type":9}}}"#).is_none());
    }

    #[test]
    fn errors_and_nonsense_end_the_stream() {
        assert!(matches!(read(br#"{"error":{"code":1,"message":"context canceled"}}"#), Some(Event::Ended)));
        let denied = read(br#"{"error":{"code":7,"message":"unauthorized"}}"#);
        assert!(matches!(denied, Some(Event::Refused(error)) if error.fault.missing.is_some()));
        assert!(matches!(read(b"<html>"), Some(Event::Ended)));
        assert!(matches!(read(br#"{"result":7}"#), Some(Event::Ended)));
    }
}

//! Streams of argocd-server in their SSE form, which sends a sign of life every 15 seconds.

use std::time::Duration;

use serde::Deserialize;

use crate::backend::error::ApiError;
use crate::backend::http::{Call, Stream};
use crate::model::snapshot::Layer;

use super::Rest;
use super::wire::Envelope;

/// A stream that says nothing for so long, not even that it lives, is dead.
const QUIET: Duration = Duration::from_secs(45);

/// Messages of one stream.
pub struct Messages(Stream);

impl Rest {
    /// Opens a stream; its head may come only with its first message.
    pub async fn stream(&self, call: Call) -> Result<Messages, ApiError> {
        let call = call.header("accept", "text/event-stream");
        Ok(Messages(self.http().await?.0.stream(&call, QUIET).await?))
    }
}

impl Messages {
    /// The next message; `None` where the stream has ended.
    pub async fn next<T: for<'a> Deserialize<'a>>(&mut self) -> Result<Option<T>, ApiError> {
        while let Some(line) = self.0.line().await? {
            let Some(text) = message(&line) else { continue };
            let envelope: Envelope<T> = serde_json::from_slice(text).map_err(|error| {
                ApiError::new(Layer::App, format!("a message of the stream cannot be read: {error}"))
                    .raw(String::from_utf8_lossy(text))
            })?;
            if let Some(error) = envelope.error {
                let status = u16::try_from(error.http_code.or_zero()).unwrap_or(500);
                let error =
                    ApiError::new(Layer::App, "the server ended the stream").raw(error.message.as_str());
                return Err(error.status(status));
            }
            if let Some(result) = envelope.result {
                return Ok(Some(result));
            }
        }
        Ok(None)
    }
}

/// The JSON in a line: signs of life (`:`) and blank lines hold none.
fn message(line: &[u8]) -> Option<&[u8]> {
    let line = line.trim_ascii();
    let text = line.strip_prefix(b"data:").unwrap_or(line).trim_ascii();
    (!text.is_empty() && text[0] != b':').then_some(text)
}

#[cfg(test)]
mod tests {
    use super::message;

    #[test]
    fn signs_of_life_are_no_messages() {
        let cases: [(&[u8], Option<&[u8]>); 5] = [
            (b":", None),
            (b"", None),
            (b"\r", None),
            (b"data: {\"result\":{}} ", Some(b"{\"result\":{}}")),
            (b"{\"error\":{}}", Some(b"{\"error\":{}}")),
        ];
        for (line, expected) in cases {
            assert_eq!(message(line), expected);
        }
    }
}

//! A machine's kernel and service log, as Talos sends it to Omni.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use crate::backend::ViewSink;
use crate::backend::error::ApiError;
use crate::backend::omni::Omni;
use crate::backend::omni::client::Route;
use crate::backend::omni::lenient::messages;
use crate::model::row::Tone;
use crate::model::view::{LogLine, View};

/// How many lines of the past are asked for.
const TAIL: u32 = 200;
/// How long a machine may have nothing to say.
const QUIET: Duration = Duration::from_secs(15 * 60);

messages! {
    /// One line of `MachineLogs`.
    Chunk { bytes: String, }

    /// What Talos wrote.
    Entry {
        msg: String,
        #[serde(rename = "talos-level")]
        level: String,
        #[serde(rename = "talos-time")]
        time: Option<Timestamp>,
    }
}

#[derive(Deserialize)]
struct Line {
    #[serde(default, deserialize_with = "crate::backend::omni::lenient::soft")]
    result: Chunk,
}

/// Follows the log until nobody looks any more.
pub(super) async fn follow(omni: &Omni, machine: &str, sink: &ViewSink) -> Result<(), ApiError> {
    let body = json!({"machine_id": machine, "follow": true, "tail_lines": TAIL});
    let method = "/management.ManagementService/MachineLogs";
    let mut stream = omni.client()?.stream(method, &Route::default(), body, QUIET).await?;
    while let Some(line) = stream.line().await? {
        let Some(line) = read(&line) else { continue };
        if sink.send(View::Log(vec![line])).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// A line that is not Talos' JSON is shown as it is.
fn read(line: &[u8]) -> Option<LogLine> {
    let line: Line = serde_json::from_slice(line).ok()?;
    let bytes = STANDARD.decode(line.result.bytes).ok().filter(|bytes| !bytes.is_empty())?;
    let plain = String::from_utf8_lossy(&bytes);
    let entry = serde_json::from_slice::<Entry>(&bytes).ok().filter(|entry| !entry.msg.is_empty());
    let text = entry.as_ref().map_or(&*plain, |entry| &entry.msg).trim_end();
    let tone = match entry.as_ref().map(|entry| entry.level.as_str()) {
        Some("error" | "fatal" | "panic") => Tone::Error,
        Some("warn" | "warning") => Tone::Warn,
        _ => Tone::Text,
    };
    Some(LogLine {
        at: entry.as_ref().and_then(|entry| entry.time),
        source: None,
        text: Arc::from(text),
        tone,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(entry: &str) -> Option<LogLine> {
        read(json!({"result": {"bytes": STANDARD.encode(entry)}}).to_string().as_bytes())
    }

    #[test]
    fn talos_lines_keep_time_and_level_and_others_their_text() {
        let line = told(
            r#"{"msg":"task done\n","talos-level":"warn","talos-time":"2026-02-02T02:39:58.1Z","seq":8}"#,
        )
        .unwrap();
        assert_eq!((&*line.text, line.tone), ("task done", Tone::Warn));
        assert!(line.at.is_some());
        assert_eq!(&*told("plain text\n").unwrap().text, "plain text");
        assert!(told("").is_none() && read(b"nonsense").is_none());
    }
}

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
/// A stream that is silent for longer is opened anew, as nobody tells a quiet machine from a lost stream.
const QUIET: Duration = if cfg!(test) { Duration::from_secs(2) } else { Duration::from_secs(15 * 60) };
/// The longest pause before a stream that broke is opened anew.
const LONGEST: Duration = if cfg!(test) { Duration::from_millis(50) } else { Duration::from_secs(10) };

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

/// How one stream of the log came to its end.
enum End {
    /// Nobody looks any more.
    Unheard,
    /// It ended, as proxies end what takes long.
    Over,
    /// It broke, or said nothing for too long.
    Broken(ApiError),
}

/// Follows the log until nobody looks any more; where its stream ends, that is said, and it is opened anew.
pub(super) async fn follow(omni: &Omni, machine: &str, sink: &ViewSink) -> Result<(), ApiError> {
    let mut tail = TAIL;
    let mut pause = Duration::ZERO;
    loop {
        let mut spoke = false;
        let why = match once(omni, machine, tail, sink, &mut spoke).await {
            End::Unheard => return Ok(()),
            // Before the first line there is nothing to go on with, and a refusal stays one.
            End::Broken(error) if (tail == TAIL && !spoke) || is_final(&error) => return Err(error),
            End::Broken(error) => error.to_string(),
            End::Over => "its stream ended".to_owned(),
        };
        let text = format!("({why}; lines may be missing here, it is asked for anew)");
        let line = LogLine { at: None, source: None, text: text.into(), tone: Tone::Unknown };
        if sink.send(View::Log(vec![line])).await.is_err() {
            return Ok(());
        }
        tail = 0;
        let before = if spoke { Duration::ZERO } else { pause };
        pause = (2 * before + Duration::from_millis(500)).min(LONGEST);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = sink.closed() => return Ok(()),
        }
    }
}

/// Whether the application itself says no.
fn is_final(error: &ApiError) -> bool {
    matches!(error.fault.status, Some(400 | 401 | 403 | 404 | 501))
}

/// Follows one stream, and notes whether it said anything.
async fn once(omni: &Omni, machine: &str, tail: u32, sink: &ViewSink, spoke: &mut bool) -> End {
    let body = json!({"machine_id": machine, "follow": true, "tail_lines": tail});
    let method = "/management.ManagementService/MachineLogs";
    let opened = match omni.client() {
        Ok(client) => client.stream(method, &Route::default(), body, QUIET).await,
        Err(error) => Err(error),
    };
    let mut stream = match opened {
        Ok(stream) => stream,
        Err(error) => return End::Broken(error),
    };
    loop {
        let line = tokio::select! {
            line = stream.line() => line,
            () = sink.closed() => return End::Unheard,
        };
        match line {
            Ok(Some(line)) => {
                *spoke = true;
                let Some(line) = read(&line) else { continue };
                if sink.send(View::Log(vec![line])).await.is_err() {
                    return End::Unheard;
                }
            }
            Ok(None) => return End::Over,
            Err(error) => return End::Broken(error),
        }
    }
}

/// A line that is not Talos' JSON is shown as it is.
pub(in crate::backend::omni) fn read(line: &[u8]) -> Option<LogLine> {
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

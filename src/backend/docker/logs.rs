//! A container's log: read in pieces, so that every way to an engine will do.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::backend::ViewSink;
use crate::backend::error::ApiError;
use crate::model::row::Tone;
use crate::model::view::{LogLine, View};

use super::client::Engine;

/// How many lines of the past are fetched.
const TAIL: u32 = 500;
/// Between two looks for more.
const PAUSE: Duration = Duration::from_secs(2);

/// Sends the log until the view is shut.
pub async fn follow(engine: &Engine, id: &str, sink: ViewSink) -> Result<(), ApiError> {
    let mut last: Option<Timestamp> = None;
    loop {
        // The engine counts from an instant on, so that the last line would come again.
        let since = last.map(|at| at + SignedDuration::from_nanos(1));
        let reply = engine.logs(id, since, TAIL).await?;
        let lines: Vec<LogLine> =
            lines(reply.body()).into_iter().filter(|line| line.at.is_none() || line.at > last).collect();
        last = lines.iter().filter_map(|line| line.at).max().or(last);
        if !lines.is_empty() && sink.send(View::Log(lines)).await.is_err() {
            return Ok(());
        }
        tokio::select! {
            () = sink.closed() => return Ok(()),
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// The lines of an answer: in frames of eight bytes and a payload, or plain where the container has a terminal.
pub fn lines(body: &[u8]) -> Vec<LogLine> {
    let framed = body.first().is_some_and(|kind| *kind <= 2) && body.get(1..4) == Some(&[0, 0, 0]);
    if !framed {
        return body.split(|byte| *byte == b'\n').filter_map(|line| read(line, false)).collect();
    }
    let mut found = Vec::new();
    let mut rest = body;
    while let (Some(kind), Some(size)) = (rest.first().copied(), rest.get(4..8)) {
        let size = size.iter().fold(0_usize, |size, byte| size << 8 | usize::from(*byte));
        let end = size.saturating_add(8).min(rest.len());
        let payload = rest.get(8..end).unwrap_or_default();
        found.extend(payload.split(|byte| *byte == b'\n').filter_map(|line| read(line, kind == 2)));
        rest = rest.get(end..).unwrap_or_default();
    }
    found
}

fn read(line: &[u8], stderr: bool) -> Option<LogLine> {
    let text = String::from_utf8_lossy(line);
    let text = text.trim_end();
    if text.is_empty() {
        return None;
    }
    let stamped = text.split_once(' ').and_then(|(at, rest)| Some((at.parse::<Timestamp>().ok()?, rest)));
    let (at, text) = stamped.map_or((None, text), |(at, rest)| (Some(at), rest));
    let source = stderr.then(|| Arc::from("stderr"));
    Some(LogLine { at, source, text: text.into(), tone: tone(text) })
}

fn tone(text: &str) -> Tone {
    let start: String = text.chars().take(80).collect::<String>().to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| start.contains(word));
    match (says(&["error", "fatal", "panic", "critical", "no space left"]), says(&["warn"])) {
        (true, _) => Tone::Error,
        (false, true) => Tone::Warn,
        (false, false) => Tone::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, text: &str) -> Vec<u8> {
        let size = u32::try_from(text.len()).unwrap().to_be_bytes();
        [&[kind, 0, 0, 0], &size[..], text.as_bytes()].concat()
    }

    #[test]
    fn framed_and_plain_logs_are_the_same_lines() {
        let text = "2026-11-24T10:00:00.5Z level=error no space left on device\n";
        let framed = [frame(1, text), frame(2, "2026-11-24T10:00:01Z second\n")].concat();
        let found = lines(&framed);
        assert_eq!(
            (found.len(), &*found[0].text, found[0].tone),
            (2, "level=error no space left on device", Tone::Error)
        );
        assert_eq!(found[1].source.as_deref(), Some("stderr"));
        assert_eq!(lines(text.as_bytes())[0].at, found[0].at);
    }

    #[test]
    fn a_frame_that_lies_about_its_size_loses_nothing_else() {
        let mut lying = frame(1, "2026-11-24T10:00:00Z a\n");
        lying[7] = 200;
        assert_eq!(lines(&lying).len(), 1);
        assert!(lines(&[1, 0, 0, 0]).is_empty() && lines(b"").is_empty());
    }
}

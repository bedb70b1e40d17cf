//! Bytes that reach the operator's own desktop through SSH, tmux and screen: clipboard, notification, bell.
//!
//! OSC 52 only ever writes the clipboard. Whether the terminal obeyed cannot be known without asking it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The most text that is sent; what commonly used terminals accept at least (100,000 bytes of base64 and framing).
pub const LIMIT: usize = 74_994;
/// Characters, of at most four bytes, in a device control string that every GNU screen accepts (256 bytes).
const SCREEN_PIECE: usize = 64;

/// The text does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{bytes} bytes are more than the {LIMIT} that terminals accept for the clipboard")]
pub struct TooLong {
    /// How long it is.
    pub bytes: usize,
}

/// What stands between us and the operator's terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Multiplexer {
    /// Nothing.
    None,
    /// tmux.
    Tmux,
    /// GNU screen.
    Screen,
}

impl Multiplexer {
    /// Found out from the values of `$TMUX`, `$STY` and `$TERM`.
    pub fn detect(tmux: Option<&str>, sty: Option<&str>, term: Option<&str>) -> Self {
        let set = |variable: Option<&str>| variable.is_some_and(|value| !value.is_empty());
        let term = term.unwrap_or_default();
        if set(tmux) || term.starts_with("tmux") {
            Self::Tmux
        } else if set(sty) || term.starts_with("screen") {
            Self::Screen
        } else {
            Self::None
        }
    }

    /// The sequence as it must be sent: for the multiplexer itself, and wrapped for it to pass on.
    ///
    /// tmux heeds the first with `set-clipboard on` and the second with `allow-passthrough on`. Over SSH `TERM=screen`
    /// may be either of them; both ignore what is meant for the other.
    fn wrap(self, sequence: &str) -> String {
        match self {
            Self::None => sequence.to_owned(),
            Self::Tmux => format!("{sequence}\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b")),
            Self::Screen => {
                let characters: Vec<char> = sequence.chars().collect();
                let wrapped = |piece: &[char]| format!("\x1bP{}\x1b\\", String::from_iter(piece));
                let pieces = characters.chunks(SCREEN_PIECE).map(wrapped);
                std::iter::once(sequence.to_owned()).chain(pieces).collect::<Vec<_>>().concat()
            }
        }
    }
}

/// Puts text on the clipboard (OSC 52).
pub fn osc52(text: &str, multiplexer: Multiplexer) -> Result<Vec<u8>, TooLong> {
    if text.len() > LIMIT {
        return Err(TooLong { bytes: text.len() });
    }
    let sequence = format!("\x1b]52;c;{}\x07", STANDARD.encode(text));
    Ok(multiplexer.wrap(&sequence).into_bytes())
}

/// Shows a desktop notification where the terminal can (OSC 9).
pub fn notification(text: &str, multiplexer: Multiplexer) -> Vec<u8> {
    // Some terminals read `OSC 9 ; digit` as something else, and nobody needs a notification with control characters.
    let text: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
    multiplexer.wrap(&format!("\x1b]9;vigie: {text}\x07")).into_bytes()
}

/// Rings the bell.
pub const BELL: &[u8] = b"\x07";

#[cfg(test)]
mod tests {
    use super::{LIMIT, Multiplexer, TooLong, notification, osc52};

    fn copied(text: &str, multiplexer: Multiplexer) -> String {
        String::from_utf8(osc52(text, multiplexer).unwrap()).unwrap()
    }

    #[test]
    fn copied_text_is_wrapped_for_what_stands_between() {
        assert_eq!(copied("vigie é", Multiplexer::None), "\x1b]52;c;dmlnaWUgw6k=\x07");
        assert_eq!(
            copied("a", Multiplexer::Tmux),
            "\x1b]52;c;YQ==\x07\x1bPtmux;\x1b\x1b]52;c;YQ==\x07\x1b\\"
        );
        assert_eq!(copied("a", Multiplexer::Screen), "\x1b]52;c;YQ==\x07\x1bP\x1b]52;c;YQ==\x07\x1b\\");
    }

    #[test]
    fn screen_gets_long_text_in_pieces_it_accepts() {
        let text = "x".repeat(1000);
        let (sent, plain) = (copied(&text, Multiplexer::Screen), copied(&text, Multiplexer::None));
        let pieces: Vec<&str> = sent.strip_prefix(&plain).unwrap().split_terminator("\x1b\\").collect();
        assert!(pieces.iter().all(|piece| piece.starts_with("\x1bP") && piece.len() <= 256));
        let joined: String = pieces.iter().map(|piece| &piece[2..]).collect();
        assert_eq!(joined, plain);
    }

    #[test]
    fn text_that_terminals_would_drop_is_refused() {
        assert!(osc52(&"x".repeat(LIMIT), Multiplexer::None).is_ok());
        let error = osc52(&"x".repeat(LIMIT + 1), Multiplexer::None).unwrap_err();
        assert_eq!(error, TooLong { bytes: 74_995 });
    }

    #[test]
    fn the_multiplexer_is_known_by_its_variables() {
        let cases = [
            ((None, None, Some("xterm-256color")), Multiplexer::None),
            ((Some("/tmp/tmux-0/default,1,0"), None, Some("screen-256color")), Multiplexer::Tmux),
            ((Some(""), None, Some("tmux-256color")), Multiplexer::Tmux),
            ((None, Some("12.pts-0.host"), Some("xterm")), Multiplexer::Screen),
            ((None, None, None), Multiplexer::None),
        ];
        for ((tmux, sty, term), expected) in cases {
            assert_eq!(Multiplexer::detect(tmux, sty, term), expected, "{tmux:?} {sty:?} {term:?}");
        }
    }

    #[test]
    fn a_notification_carries_no_control_characters() {
        let sent = notification("down\x07\x1b]52;c;QQ==\x07", Multiplexer::None);
        assert_eq!(sent, b"\x1b]9;vigie: down]52;c;QQ==\x07");
    }
}

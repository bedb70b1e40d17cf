//! From the bytes a terminal sends to inputs, whatever pieces they arrive in.
//!
//! What is not understood is swallowed whole: the answers of a terminal to a child's questions may still be under way
//! when the child is gone, and must not end as keys.

use std::str;
use std::time::Duration;

use super::Input;
use super::key::{self, Press};
use crate::config::key::Key;

const ESC: u8 = 0x1b;
const PASTE_END: &[u8] = b"\x1b[201~";
/// Longer pastes are cut.
const PASTE_LIMIT: usize = 1 << 20;
/// Longer sequences are no sequences.
const SEQUENCE_LIMIT: usize = 4096;
/// How long the rest of an escape sequence may take before its beginning is the Escape key.
const ESCAPE_PATIENCE: Duration = Duration::from_millis(30);
/// How long a paste may pause before it counts as ended.
const PASTE_PATIENCE: Duration = Duration::from_secs(2);

/// Unfinished input.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    pending: Vec<u8>,
    paste: Option<Vec<u8>>,
}

/// The beginning of the pending bytes.
enum Token {
    /// So many bytes mean this, or nothing.
    Whole(usize, Option<Input>),
    /// A bracketed paste begins after so many bytes.
    Paste(usize),
    /// More is needed to tell.
    Part,
}

impl Decoder {
    /// Takes bytes and returns what they complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Input> {
        self.pending.extend_from_slice(bytes);
        let mut inputs = Vec::new();
        loop {
            if self.paste.is_some() {
                match self.end_of_paste() {
                    Some(paste) => inputs.push(paste),
                    None => return inputs,
                }
            }
            match token(&self.pending) {
                Token::Whole(length, input) => {
                    self.pending.drain(..length);
                    inputs.extend(input);
                }
                Token::Paste(length) => {
                    self.pending.drain(..length);
                    self.paste = Some(Vec::new());
                }
                Token::Part => return inputs,
            }
        }
    }

    /// How long to wait for the rest of what has begun; `None` if nothing has.
    pub fn patience(&self) -> Option<Duration> {
        match &self.paste {
            Some(_) => Some(PASTE_PATIENCE),
            None => (!self.pending.is_empty()).then_some(ESCAPE_PATIENCE),
        }
    }

    /// The rest did not come: the beginning is an input of its own, or nothing.
    pub fn give_up(&mut self) -> Vec<Input> {
        let pending = std::mem::take(&mut self.pending);
        if let Some(paste) = self.paste.take() {
            return vec![pasted(&[paste, pending].concat())];
        }
        match pending.as_slice() {
            [ESC] => vec![pressed(key::typed('\x1b'))],
            [ESC, c] if c.is_ascii() => vec![pressed(alt(key::typed(char::from(*c))))],
            _ => Vec::new(),
        }
    }

    /// Moves pending bytes into the paste; returns it when its end is there.
    fn end_of_paste(&mut self) -> Option<Input> {
        let paste = self.paste.as_mut()?;
        let end = self.pending.windows(PASTE_END.len()).position(|window| window == PASTE_END);
        let length = end.unwrap_or_else(|| self.pending.len().saturating_sub(PASTE_END.len() - 1));
        let room = PASTE_LIMIT.saturating_sub(paste.len());
        paste.extend(self.pending.drain(..length).take(room));
        end?;
        self.pending.drain(..PASTE_END.len());
        self.paste.take().map(|text| pasted(&text))
    }
}

fn token(bytes: &[u8]) -> Token {
    match bytes {
        [] | [ESC] | [ESC, b'O'] => Token::Part,
        [ESC, b'[', rest @ ..] => csi(rest),
        [ESC, b'O', last, ..] => Token::Whole(3, key::ss3(*last).map(pressed)),
        [ESC, b']' | b'P' | b'X' | b'^' | b'_', rest @ ..] => string(rest),
        [ESC, ESC, ..] => Token::Whole(1, Some(pressed(key::typed('\x1b')))),
        [ESC, rest @ ..] => match character(rest) {
            Character::Whole(length, c) => Token::Whole(length + 1, c.map(|c| pressed(alt(key::typed(c))))),
            Character::Part => Token::Part,
        },
        _ => match character(bytes) {
            Character::Whole(length, c) => Token::Whole(length, c.map(|c| pressed(key::typed(c)))),
            Character::Part => Token::Part,
        },
    }
}

/// A control sequence after `CSI`.
fn csi(rest: &[u8]) -> Token {
    if let [b'[', tail @ ..] = rest {
        return linux_function_key(tail);
    }
    let Some(length) = rest.iter().position(|byte| !(0x20..=0x3f).contains(byte)) else {
        return if rest.len() > SEQUENCE_LIMIT { Token::Whole(rest.len() + 2, None) } else { Token::Part };
    };
    let last = rest[length];
    if !(0x40..=0x7e).contains(&last) {
        // Cut off by something else, which is looked at on its own.
        return Token::Whole(length + 2, None);
    }
    let parameters = str::from_utf8(&rest[..length]).unwrap_or_default();
    if (parameters, last) == ("200", b'~') {
        return Token::Paste(length + 3);
    }
    Token::Whole(length + 3, meaning(parameters, last))
}

fn meaning(parameters: &str, last: u8) -> Option<Input> {
    if let (Some(mouse), b'M') = (parameters.strip_prefix('<'), last) {
        return wheel(mouse);
    }
    match (parameters, last) {
        ("", b'I') => Some(Input::Focus(true)),
        ("", b'O') => Some(Input::Focus(false)),
        _ => key::csi(parameters, last).map(Input::from),
    }
}

/// The wheel of a mouse report, `button ; column ; row`; buttons are of no interest.
fn wheel(report: &str) -> Option<Input> {
    let mut fields = report.split(';').map(|field| field.parse::<u16>().ok());
    let (button, column, row) = (fields.next()??, fields.next()??, fields.next()??);
    let up = match button & !(4 | 8 | 16) {
        64 => true,
        65 => false,
        _ => return None,
    };
    Some(Input::Scroll { up, column: column.saturating_sub(1), row: row.saturating_sub(1) })
}

/// The Linux console's F1 to F5, `CSI [ A` to `CSI [ E`.
fn linux_function_key(tail: &[u8]) -> Token {
    match tail.first() {
        None => Token::Part,
        Some(last @ b'A'..=b'E') => {
            Token::Whole(4, key::csi(&(last - b'A' + 11).to_string(), b'~').map(Input::from))
        }
        Some(_) => Token::Whole(3, None),
    }
}

/// An operating system command, device control or other string: up to BEL or ST, and never for us.
fn string(rest: &[u8]) -> Token {
    let end = rest.iter().enumerate().find_map(|(index, &byte)| match byte {
        0x07 => Some(index + 1),
        b'\\' if index > 0 && rest[index - 1] == ESC => Some(index + 1),
        _ => None,
    });
    match end {
        Some(end) => Token::Whole(end + 2, None),
        None if rest.len() > SEQUENCE_LIMIT => Token::Whole(rest.len() + 2, None),
        None => Token::Part,
    }
}

enum Character {
    /// So many bytes are this character, or rubbish.
    Whole(usize, Option<char>),
    Part,
}

fn character(bytes: &[u8]) -> Character {
    let window = &bytes[..bytes.len().min(4)];
    let valid = match str::from_utf8(window) {
        Ok(text) => text,
        Err(error) if error.valid_up_to() > 0 => {
            str::from_utf8(&window[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(error) => {
            return error.error_len().map_or(Character::Part, |length| Character::Whole(length, None));
        }
    };
    match valid.chars().next() {
        Some(c) => Character::Whole(c.len_utf8(), Some(c)),
        None => Character::Part,
    }
}

fn alt(key: Key) -> Key {
    Key { alt: true, ..key }
}

fn pressed(key: Key) -> Input {
    Input::Key { key, repeat: false }
}

/// Terminals send the Enter key for a pasted line's end.
fn pasted(text: &[u8]) -> Input {
    Input::Paste(String::from_utf8_lossy(text).replace("\r\n", "\n").replace('\r', "\n"))
}

impl From<Press> for Input {
    fn from(Press { key, repeat }: Press) -> Self {
        Self::Key { key, repeat }
    }
}

#[cfg(test)]
mod tests {
    use super::{Decoder, PASTE_LIMIT};
    use crate::config::key::{Key, KeyCode};
    use crate::runtime::input::Input;
    use proptest::prelude::{any, proptest};

    fn key(key: Key) -> Input {
        Input::Key { key, repeat: false }
    }

    fn typed(c: char) -> Input {
        key(Key::plain(KeyCode::Char(c)))
    }

    fn plain(code: KeyCode) -> Input {
        key(Key::plain(code))
    }

    fn alt(c: char) -> Input {
        key(Key { alt: true, ..Key::plain(KeyCode::Char(c)) })
    }

    /// Everything the bytes mean when nothing follows.
    fn all(bytes: &[u8]) -> Vec<Input> {
        let mut decoder = Decoder::default();
        let mut inputs = decoder.feed(bytes);
        inputs.extend(decoder.give_up());
        inputs
    }

    #[test]
    fn bytes_become_inputs() {
        let cases: [(&[u8], Vec<Input>); 16] = [
            (b"jk", vec![typed('j'), typed('k')]),
            ("é界".as_bytes(), vec![typed('é'), typed('界')]),
            (b"\x1b", vec![plain(KeyCode::Esc)]),
            (b"\x1b\x1b", vec![plain(KeyCode::Esc), plain(KeyCode::Esc)]),
            (b"\x1bx", vec![alt('x')]),
            (b"\x1b[", vec![alt('[')]),
            (b"\x1bO", vec![alt('O')]),
            (b"\x1bOA\x1b[B", vec![plain(KeyCode::Up), plain(KeyCode::Down)]),
            (b"\x1b[[E", vec![plain(KeyCode::F(5))]),
            (b"\x1b[I\x1b[O", vec![Input::Focus(true), Input::Focus(false)]),
            (b"\x1b[200~a\x1b[A\rb\x1b[201~c", vec![Input::Paste("a\x1b[A\nb".to_owned()), typed('c')]),
            (b"\x1b[<64;10;5M", vec![Input::Scroll { up: true, column: 9, row: 4 }]),
            (b"\x1b[<65;1;1M\x1b[<0;3;3M\x1b[<0;3;3m", vec![Input::Scroll { up: false, column: 0, row: 0 }]),
            (b"\x1b[?62;22c\x1b[24;80R\x1b]11;rgb:0000/0000/0000\x1b\\\x1bP1$r0m\x1b\\q", vec![typed('q')]),
            (b"\x1b]52;c;AAAA\x07q", vec![typed('q')]),
            (b"a\xff\xc3(b\x1b[1\x1b[A", vec![typed('a'), typed('('), typed('b'), plain(KeyCode::Up)]),
        ];
        for (bytes, expected) in cases {
            assert_eq!(all(bytes), expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_sequence_in_two_pieces_is_one_key() {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.feed(b"\x1b"), []);
        assert!(decoder.patience().is_some());
        assert_eq!(decoder.feed(b"[1;5"), []);
        assert_eq!(decoder.feed(b"A"), [key(Key { ctrl: true, ..Key::plain(KeyCode::Up) })]);
        assert_eq!(decoder.patience(), None);
    }

    #[test]
    fn a_paste_without_an_end_ends_by_itself() {
        assert_eq!(all(b"\x1b[200~half"), [Input::Paste("half".to_owned())]);
    }

    #[test]
    fn a_huge_paste_is_cut() {
        let text = vec![b'x'; 3 * PASTE_LIMIT];
        let mut decoder = Decoder::default();
        let mut inputs = decoder.feed(b"\x1b[200~");
        text.chunks(4096).for_each(|chunk| inputs.extend(decoder.feed(chunk)));
        inputs.extend(decoder.feed(b"\x1b[201~q"));
        let lengths: Vec<_> =
            inputs.iter().map(|input| if let Input::Paste(text) = input { text.len() } else { 0 }).collect();
        assert_eq!(lengths, [PASTE_LIMIT, 0]);
    }

    proptest! {
        #[test]
        fn pieces_mean_what_the_whole_means(bytes: Vec<u8>, cut in any::<proptest::sample::Index>()) {
            let mut decoder = Decoder::default();
            let (first, second) = bytes.split_at(cut.index(bytes.len() + 1));
            let mut pieces = decoder.feed(first);
            pieces.extend(decoder.feed(second));
            pieces.extend(decoder.give_up());
            assert_eq!(pieces, all(&bytes));
        }

        #[test]
        fn sequences_in_pieces_mean_what_the_whole_means(
            text in "(\x1b|\x1b\\[|\x1bO|\x1b\\[20[01]~|[0-9;:<?]{1,4}|[A-Zu~]|é|\x07|\\\\|\\]){0,12}",
            cut in any::<proptest::sample::Index>(),
        ) {
            let mut decoder = Decoder::default();
            let (first, second) = text.as_bytes().split_at(cut.index(text.len() + 1));
            let mut pieces = decoder.feed(first);
            pieces.extend(decoder.feed(second));
            pieces.extend(decoder.give_up());
            assert_eq!(pieces, all(text.as_bytes()));
        }
    }
}

//! Which key a sequence means: control bytes, CSI and SS3 with their modifiers (xterm, Linux console, tmux, kitty).

use crate::config::key::{Key, KeyCode};

/// A key and what the terminal says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Press {
    pub key: Key,
    pub repeat: bool,
}

/// The modifiers and the event of a sequence, from its second parameter (`modifiers:event`, both optional).
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    shift: bool,
    alt: bool,
    ctrl: bool,
    event: Event,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Event {
    #[default]
    Press,
    Repeat,
    Release,
}

impl Held {
    fn parse(parameter: &str) -> Self {
        let (modifiers, event) = parameter.split_once(':').unwrap_or((parameter, ""));
        let bits = modifiers.parse::<u16>().unwrap_or(1).saturating_sub(1);
        Self {
            shift: bits & 1 != 0,
            alt: bits & (2 | 32) != 0,
            ctrl: bits & 4 != 0,
            event: match event {
                "2" => Event::Repeat,
                "3" => Event::Release,
                _ => Event::Press,
            },
        }
    }

    /// The press of a key; none for a release.
    fn press(self, code: KeyCode) -> Option<Press> {
        let shift = self.shift && !matches!(code, KeyCode::Char(_));
        let key = Key { code, ctrl: self.ctrl, alt: self.alt, shift };
        (self.event != Event::Release).then_some(Press { key, repeat: self.event == Event::Repeat })
    }
}

/// A character as typed, control characters included.
pub(super) fn typed(c: char) -> Key {
    let control = |offset: u8| char::from(offset + u8::try_from(c).unwrap_or_default());
    match c {
        '\r' => Key::plain(KeyCode::Enter),
        '\t' => Key::plain(KeyCode::Tab),
        '\x1b' => Key::plain(KeyCode::Esc),
        '\x7f' => Key::plain(KeyCode::Backspace),
        '\0' => Key::ctrl(' '),
        '\x01'..='\x1a' => Key::ctrl(control(b'a' - 1)),
        '\x1c'..='\x1f' => Key::ctrl(control(b'@')),
        _ => Key::plain(KeyCode::Char(c)),
    }
}

/// The key of `ESC O final`.
pub(super) fn ss3(last: u8) -> Option<Key> {
    match last {
        b'M' => Some(KeyCode::Enter),
        _ => letter(last),
    }
    .map(Key::plain)
}

/// The key of `CSI parameters final`.
pub(super) fn csi(parameters: &str, last: u8) -> Option<Press> {
    let mut fields = parameters.split(';');
    let first = fields.next().unwrap_or_default();
    let held = Held::parse(fields.next().unwrap_or_default());
    match last {
        b'Z' => Held { shift: true, ..held }.press(KeyCode::Tab),
        b'u' => character(first, held),
        b'~' if first == "27" => character(fields.next().unwrap_or_default(), held),
        b'~' => held.press(numbered(first.parse().ok()?)?),
        // A cursor report has a row there; function keys have a one or nothing.
        b'R' if !matches!(first, "" | "1") => None,
        _ => held.press(letter(last)?),
    }
}

/// A key by its character's code (kitty's `CSI code ; modifiers u`, xterm's `CSI 27 ; modifiers ; code ~`).
fn character(code: &str, held: Held) -> Option<Press> {
    let (plain, shifted) = code.split_once(':').unwrap_or((code, ""));
    let parse = |code: &str| code.parse().ok().and_then(char::from_u32);
    let typed = typed(parse(plain)?);
    let KeyCode::Char(c) = typed.code else { return held.press(typed.code) };
    let c = match parse(shifted.split(':').next().unwrap_or_default()) {
        Some(shifted) if held.shift => shifted,
        _ if held.shift && !held.ctrl => c.to_uppercase().next().unwrap_or(c),
        _ => c,
    };
    // Kitty's codes for keys without a character; none of them is bound to anything.
    let private = ('\u{e000}'..='\u{f8ff}').contains(&c);
    if private { None } else { Held { ctrl: held.ctrl || typed.ctrl, ..held }.press(KeyCode::Char(c)) }
}

fn letter(last: u8) -> Option<KeyCode> {
    Some(match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'P'..=b'S' => KeyCode::F(last - b'P' + 1),
        _ => return None,
    })
}

/// Keys of VT220 numbering, `CSI number ~`.
fn numbered(number: u8) -> Option<KeyCode> {
    Some(match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        11..=15 => KeyCode::F(number - 10),
        17..=21 => KeyCode::F(number - 11),
        23..=26 => KeyCode::F(number - 12),
        28 | 29 => KeyCode::F(number - 13),
        31..=34 => KeyCode::F(number - 14),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Press, csi, ss3, typed};
    use crate::config::key::{Key, KeyCode};

    fn key(code: KeyCode, modifiers: &str) -> Key {
        let has = |m| modifiers.contains(m);
        Key { code, ctrl: has('c'), alt: has('a'), shift: has('s') }
    }

    #[test]
    fn control_bytes_are_their_keys() {
        let cases = [
            ('\r', key(KeyCode::Enter, "")),
            ('\n', Key::ctrl('j')),
            ('\x03', Key::ctrl('c')),
            ('\x1c', Key::ctrl('\\')),
            ('\x1f', Key::ctrl('_')),
            ('\0', Key::ctrl(' ')),
            ('\x7f', key(KeyCode::Backspace, "")),
            ('G', key(KeyCode::Char('G'), "")),
            ('é', key(KeyCode::Char('é'), "")),
        ];
        for (c, expected) in cases {
            assert_eq!(typed(c), expected, "{c:?}");
        }
    }

    #[test]
    fn sequences_are_keys_with_modifiers() {
        let cases = [
            ("", b'A', key(KeyCode::Up, "")),
            ("1;5", b'C', key(KeyCode::Right, "c")),
            ("1;2", b'R', key(KeyCode::F(3), "s")),
            ("3", b'~', key(KeyCode::Delete, "")),
            ("5;3", b'~', key(KeyCode::PageUp, "a")),
            ("15", b'~', key(KeyCode::F(5), "")),
            ("17", b'~', key(KeyCode::F(6), "")),
            ("24", b'~', key(KeyCode::F(12), "")),
            ("34", b'~', key(KeyCode::F(20), "")),
            ("", b'Z', key(KeyCode::Tab, "s")),
            ("97;5", b'u', Key::ctrl('a')),
            ("97:65;2", b'u', key(KeyCode::Char('A'), "")),
            ("27;5", b'u', key(KeyCode::Esc, "c")),
            ("27;5;13", b'~', key(KeyCode::Enter, "c")),
        ];
        for (parameters, last, key) in cases {
            assert_eq!(
                csi(parameters, last),
                Some(Press { key, repeat: false }),
                "CSI {parameters} {}",
                last as char
            );
        }
        assert_eq!(ss3(b'P'), Some(key(KeyCode::F(1), "")));
    }

    #[test]
    fn repeats_are_told_apart_and_releases_are_no_keys() {
        assert_eq!(csi("1;1:2", b'A').map(|press| press.repeat), Some(true));
        assert_eq!(csi("106;1:2", b'u').map(|press| press.repeat), Some(true));
        assert_eq!(csi("1;1:3", b'A'), None);
    }

    #[test]
    fn answers_of_a_terminal_are_no_keys() {
        for (parameters, last) in
            [("12;40", b'R'), ("?62;22", b'c'), ("0", b'n'), ("57441;1", b'u'), ("999", b'~')]
        {
            assert_eq!(csi(parameters, last), None, "CSI {parameters} {}", last as char);
        }
    }
}

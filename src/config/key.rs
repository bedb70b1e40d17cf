//! Keys as vigie speaks of them, so that no terminal library's types leave `runtime`.
//!
//! Written form: `j`, `G`, `<`, `space`, `esc`, `f5`, `pgdn`, `ctrl-d`, `alt-x`, `shift-tab`; a sequence is written with
//! spaces, `g g`.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A key without its modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyCode {
    /// A printable character; shift is already applied to it.
    Char(char),
    /// A function key, 1–24.
    F(u8),
    /// Enter or Return.
    Enter,
    /// Escape.
    Esc,
    /// Tab (Shift-Tab is Tab with shift).
    Tab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Insert.
    Insert,
    /// Cursor up.
    Up,
    /// Cursor down.
    Down,
    /// Cursor left.
    Left,
    /// Cursor right.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
}

/// One key press with its modifiers.
///
/// Shift is recorded only where it does not change the character (`shift-tab`, `shift-up`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Which key.
    pub code: KeyCode,
    /// Control held.
    pub ctrl: bool,
    /// Alt or Meta held.
    pub alt: bool,
    /// Shift held, for keys without a shifted character.
    pub shift: bool,
}

impl Key {
    /// A key without modifiers.
    pub const fn plain(code: KeyCode) -> Self {
        Self { code, ctrl: false, alt: false, shift: false }
    }

    /// Control and a character.
    pub const fn ctrl(c: char) -> Self {
        Self { code: KeyCode::Char(c), ctrl: true, alt: false, shift: false }
    }
}

/// The keys that have a name, the name that is printed first among those of a key.
const NAMED: [(&str, KeyCode); 22] = [
    ("space", KeyCode::Char(' ')),
    ("enter", KeyCode::Enter),
    ("return", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("escape", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("backspace", KeyCode::Backspace),
    ("del", KeyCode::Delete),
    ("delete", KeyCode::Delete),
    ("ins", KeyCode::Insert),
    ("insert", KeyCode::Insert),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pgup", KeyCode::PageUp),
    ("pageup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
    ("pgdown", KeyCode::PageDown),
    ("pagedown", KeyCode::PageDown),
];

/// Why a text is no key that a terminal can send.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Nothing is written.
    #[error("no key is written")]
    Empty,
    /// No key has this name.
    #[error("there is no key `{0}`")]
    Unknown(String),
    /// Terminals send another key instead.
    #[error("terminals send `{instead}` for `{written}`")]
    Indistinct {
        /// What was written.
        written: String,
        /// What would arrive.
        instead: String,
    },
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut key = Self::plain(KeyCode::Esc);
        let mut rest = text;
        loop {
            let (modifier, after) = match rest.split_once('-') {
                Some((modifier, after)) if !after.is_empty() => (modifier, after),
                _ => break,
            };
            match modifier {
                "ctrl" => key.ctrl = true,
                "alt" => key.alt = true,
                "shift" => key.shift = true,
                _ => return Err(KeyError::Unknown(text.to_owned())),
            }
            rest = after;
        }
        key.code = code(rest).ok_or_else(|| match rest {
            "" => KeyError::Empty,
            _ => KeyError::Unknown(text.to_owned()),
        })?;
        match key.sent() {
            sent if sent == key => Ok(key),
            sent => Err(KeyError::Indistinct { written: text.to_owned(), instead: sent.to_string() }),
        }
    }
}

impl Key {
    /// The key that arrives from a terminal when this one is pressed.
    fn sent(mut self) -> Self {
        match self.code {
            KeyCode::Char(c) if self.ctrl => {
                let (code, ctrl) = match c.to_ascii_lowercase() {
                    'i' => (KeyCode::Tab, false),
                    'm' => (KeyCode::Enter, false),
                    '[' => (KeyCode::Esc, false),
                    lower => (KeyCode::Char(lower), true),
                };
                Self { code, ctrl, shift: false, ..self }
            }
            KeyCode::Char(c) if self.shift => {
                self.shift = false;
                self.code = KeyCode::Char(c.to_ascii_uppercase());
                self
            }
            _ => self,
        }
    }

    /// The key for hints: arrows and Enter as one glyph each, unless only ASCII may be drawn.
    pub fn label(self, ascii: bool) -> String {
        let glyph = match self.code {
            KeyCode::Enter => "↵",
            KeyCode::Up => "↑",
            KeyCode::Down => "↓",
            KeyCode::Left => "←",
            KeyCode::Right => "→",
            _ => return self.to_string(),
        };
        if ascii { self.to_string() } else { format!("{}{glyph}", self.modifiers()) }
    }

    fn modifiers(self) -> String {
        let held = [(self.ctrl, "ctrl-"), (self.alt, "alt-"), (self.shift, "shift-")];
        held.iter().filter(|(held, _)| *held).map(|(_, name)| *name).collect()
    }
}

fn code(text: &str) -> Option<KeyCode> {
    if let Some((_, code)) = NAMED.iter().find(|(name, _)| *name == text) {
        return Some(*code);
    }
    let mut letters = text.chars();
    if let (Some(c), None) = (letters.next(), letters.next()) {
        return (!c.is_control() && !c.is_whitespace()).then_some(KeyCode::Char(c));
    }
    let number = text.strip_prefix('f').filter(|digits| !digits.starts_with(['+', '0']))?.parse().ok()?;
    (1..=24).contains(&number).then_some(KeyCode::F(number))
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.modifiers())?;
        if let Some((name, _)) = NAMED.iter().find(|(_, code)| *code == self.code) {
            return f.write_str(name);
        }
        match self.code {
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::F(number) => write!(f, "f{number}"),
            _ => Ok(()),
        }
    }
}

/// Reads a sequence: keys with spaces between them.
pub fn sequence(text: &str) -> Result<Vec<Key>, KeyError> {
    let keys: Vec<Key> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    if keys.is_empty() { Err(KeyError::Empty) } else { Ok(keys) }
}

/// Writes a sequence for hints and help: letters stand together (`gg`), everything else is spaced.
pub fn label(keys: &[Key], ascii: bool) -> String {
    let labels: Vec<String> = keys.iter().map(|key| key.label(ascii)).collect();
    let separator = if labels.iter().all(|label| label.chars().count() == 1) { "" } else { " " };
    labels.join(separator)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_are_read_as_they_are_written() {
        for (text, key) in [
            ("j", Key::plain(KeyCode::Char('j'))),
            ("G", Key::plain(KeyCode::Char('G'))),
            ("-", Key::plain(KeyCode::Char('-'))),
            ("<", Key::plain(KeyCode::Char('<'))),
            ("é", Key::plain(KeyCode::Char('é'))),
            ("space", Key::plain(KeyCode::Char(' '))),
            ("esc", Key::plain(KeyCode::Esc)),
            ("pgdn", Key::plain(KeyCode::PageDown)),
            ("f", Key::plain(KeyCode::Char('f'))),
            ("f5", Key::plain(KeyCode::F(5))),
            ("ctrl-d", Key::ctrl('d')),
            ("ctrl--", Key::ctrl('-')),
            ("alt-x", Key { alt: true, ..Key::plain(KeyCode::Char('x')) }),
            ("shift-tab", Key { shift: true, ..Key::plain(KeyCode::Tab) }),
            ("ctrl-alt-del", Key { ctrl: true, alt: true, ..Key::plain(KeyCode::Delete) }),
        ] {
            assert_eq!(text.parse(), Ok(key), "{text}");
            assert_eq!(key.to_string(), text);
        }
    }

    #[test]
    fn what_no_terminal_sends_is_refused_with_what_it_sends() {
        for (text, instead) in [
            ("shift-a", "A"),
            ("ctrl-A", "ctrl-a"),
            ("ctrl-i", "tab"),
            ("ctrl-m", "enter"),
            ("ctrl-[", "esc"),
        ] {
            let error = text.parse::<Key>().unwrap_err();
            assert_eq!(error, KeyError::Indistinct { written: text.into(), instead: instead.into() });
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "jj", "ctrl-", "ctrl-jj", "hyper-x", "f0", "f25", "f+1", "f01", "\u{7}", "shift"] {
            assert!(text.parse::<Key>().is_err(), "{text:?}");
        }
        assert_eq!(sequence("  "), Err(KeyError::Empty));
    }

    #[test]
    fn sequences_are_short_where_they_can_be() {
        let shown = |text: &str, ascii| label(&sequence(text).unwrap(), ascii);
        assert_eq!(shown("g g", false), "gg");
        assert_eq!(shown("ctrl-w j", false), "ctrl-w j");
        assert_eq!(shown("enter", false), "↵");
        assert_eq!(shown("shift-up", false), "shift-↑");
        assert_eq!(shown("enter", true), "enter");
    }

    proptest! {
        #[test]
        fn any_text_is_a_key_that_prints_as_itself_or_none(text in "\\PC{0,12}|(ctrl-|alt-|shift-)*.{1,6}") {
            if let Ok(key) = text.parse::<Key>() {
                prop_assert_eq!(key.to_string().parse(), Ok(key));
            }
        }
    }
}

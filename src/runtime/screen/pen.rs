//! The pen: colours and attributes the terminal writes with, and the cheapest way to change them.
//!
//! The terminal keeps its pen between frames, so the encoder does too; resetting it for every cell is what makes
//! ordinary backends wordy.

use ratatui::style::{Color, Modifier};

use super::ansi;

/// Attributes that can be seen on a blank: those that paint a background, a line or a blink.
const SEEN_ON_BLANK: Modifier =
    Modifier::REVERSED.union(Modifier::UNDERLINED).union(Modifier::CROSSED_OUT).union(BLINK);

const BLINK: Modifier = Modifier::SLOW_BLINK.union(Modifier::RAPID_BLINK);
const WEIGHT: Modifier = Modifier::BOLD.union(Modifier::DIM);

/// SGR codes by attribute: on, off, and the attributes that the same "off" code clears.
const ATTRIBUTES: [(Modifier, u16, u16, Modifier); 9] = [
    (Modifier::BOLD, 1, 22, WEIGHT),
    (Modifier::DIM, 2, 22, WEIGHT),
    (Modifier::ITALIC, 3, 23, Modifier::ITALIC),
    (Modifier::UNDERLINED, 4, 24, Modifier::UNDERLINED),
    (Modifier::SLOW_BLINK, 5, 25, BLINK),
    (Modifier::RAPID_BLINK, 6, 25, BLINK),
    (Modifier::REVERSED, 7, 27, Modifier::REVERSED),
    (Modifier::HIDDEN, 8, 28, Modifier::HIDDEN),
    (Modifier::CROSSED_OUT, 9, 29, Modifier::CROSSED_OUT),
];

/// What a cell is written with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Pen {
    pub fg: Color,
    pub bg: Color,
    pub attributes: Modifier,
}

impl Pen {
    /// The pen after `CSI m`.
    pub const PLAIN: Self = Self { fg: Color::Reset, bg: Color::Reset, attributes: Modifier::empty() };

    /// The same look on a blank with everything dropped that a blank does not show.
    pub fn on_blank(self) -> Self {
        if self.seen_on_blank() { self } else { Self { bg: self.bg, ..Self::PLAIN } }
    }

    /// Whether a blank written with this pen looks like one written with `wanted`.
    pub fn blanks_like(self, wanted: Self) -> bool {
        self == wanted || (self.bg == wanted.bg && !self.seen_on_blank() && !wanted.seen_on_blank())
    }

    /// Whether erased or scrolled-in cells are plain blanks, with background-colour erase and without.
    pub fn erases_plain(self) -> bool {
        self.blanks_like(Self::PLAIN)
    }

    /// The pen nearest to this one that writes blanks like `wanted`.
    pub fn bent_for_blank(self, wanted: Self) -> Self {
        if wanted.seen_on_blank() {
            wanted
        } else {
            Self { fg: self.fg, bg: wanted.bg, attributes: self.attributes.difference(SEEN_ON_BLANK) }
        }
    }

    fn seen_on_blank(self) -> bool {
        self.attributes.intersects(SEEN_ON_BLANK)
    }
}

/// The shortest sequence that turns the pen `from` (unknown: `None`) into `to`.
pub(super) fn change(from: Option<Pen>, to: Pen) -> Vec<u8> {
    let fresh = from_reset(to);
    match from {
        Some(from) if from == to => Vec::new(),
        Some(from) => Some(step(from, to)).filter(|s| s.len() < fresh.len()).unwrap_or(fresh),
        None => fresh,
    }
}

/// `CSI m`, or everything of `to` after a reset.
fn from_reset(to: Pen) -> Vec<u8> {
    if to == Pen::PLAIN {
        return b"\x1b[m".to_vec();
    }
    let mut sgr = Sgr::new();
    sgr.push(0);
    sgr.difference(Pen::PLAIN, to);
    sgr.finish()
}

/// Only what differs.
fn step(from: Pen, to: Pen) -> Vec<u8> {
    let mut sgr = Sgr::new();
    sgr.difference(from, to);
    sgr.finish()
}

/// One `CSI … m` under construction.
struct Sgr(Vec<u8>);

impl Sgr {
    fn new() -> Self {
        Self(b"\x1b[".to_vec())
    }

    fn push(&mut self, code: u16) {
        if self.0.len() > 2 {
            self.0.push(b';');
        }
        ansi::number(&mut self.0, code);
    }

    fn finish(mut self) -> Vec<u8> {
        self.0.push(b'm');
        self.0
    }

    fn difference(&mut self, from: Pen, to: Pen) {
        let lost = from.attributes.difference(to.attributes);
        let mut kept = from.attributes;
        for (attribute, _, off, clears) in ATTRIBUTES {
            if lost.contains(attribute) && kept.contains(attribute) {
                self.push(off);
                kept = kept.difference(clears);
            }
        }
        for (attribute, on, _, _) in ATTRIBUTES {
            if to.attributes.contains(attribute) && !kept.contains(attribute) {
                self.push(on);
            }
        }
        if from.fg != to.fg {
            self.colour(to.fg, 30);
        }
        if from.bg != to.bg {
            self.colour(to.bg, 40);
        }
    }

    /// `base` is 30 for the foreground and 40 for the background.
    fn colour(&mut self, colour: Color, base: u16) {
        let bright = base + 60;
        match colour {
            Color::Reset => self.push(base + 9),
            Color::Black => self.push(base),
            Color::Red => self.push(base + 1),
            Color::Green => self.push(base + 2),
            Color::Yellow => self.push(base + 3),
            Color::Blue => self.push(base + 4),
            Color::Magenta => self.push(base + 5),
            Color::Cyan => self.push(base + 6),
            Color::Gray => self.push(base + 7),
            Color::DarkGray => self.push(bright),
            Color::LightRed => self.push(bright + 1),
            Color::LightGreen => self.push(bright + 2),
            Color::LightYellow => self.push(bright + 3),
            Color::LightBlue => self.push(bright + 4),
            Color::LightMagenta => self.push(bright + 5),
            Color::LightCyan => self.push(bright + 6),
            Color::White => self.push(bright + 7),
            Color::Indexed(index) => self.push_all(&[base + 8, 5, u16::from(index)]),
            Color::Rgb(r, g, b) => self.push_all(&[base + 8, 2, r.into(), g.into(), b.into()]),
        }
    }

    fn push_all(&mut self, codes: &[u16]) {
        for &code in codes {
            self.push(code);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Pen, change};
    use ratatui::style::{Color, Modifier};

    fn pen(fg: Color, bg: Color, attributes: Modifier) -> Pen {
        Pen { fg, bg, attributes }
    }

    #[test]
    fn a_change_of_pen_is_one_short_sequence() {
        let plain = Pen::PLAIN;
        let red = pen(Color::Red, Color::Reset, Modifier::empty());
        let loud = pen(Color::Red, Color::Blue, Modifier::BOLD | Modifier::DIM);
        let cases: [(Option<Pen>, Pen, &str); 9] = [
            (None, plain, "\x1b[m"),
            (None, red, "\x1b[0;31m"),
            (Some(plain), plain, ""),
            (Some(plain), red, "\x1b[31m"),
            (Some(red), plain, "\x1b[m"),
            (Some(red), loud, "\x1b[1;2;44m"),
            (Some(loud), pen(Color::Red, Color::Blue, Modifier::DIM), "\x1b[22;2m"),
            (
                Some(plain),
                pen(Color::Indexed(200), Color::Rgb(1, 2, 3), Modifier::empty()),
                "\x1b[38;5;200;48;2;1;2;3m",
            ),
            (Some(plain), pen(Color::White, Color::DarkGray, Modifier::REVERSED), "\x1b[7;97;100m"),
        ];
        for (from, to, expected) in cases {
            assert_eq!(String::from_utf8_lossy(&change(from, to)), expected, "{from:?} -> {to:?}");
        }
    }

    #[test]
    fn a_blank_cares_only_about_what_it_shows() {
        let bold_red = pen(Color::Red, Color::Reset, Modifier::BOLD);
        let underlined = pen(Color::Red, Color::Reset, Modifier::UNDERLINED);
        let on_blue = pen(Color::Reset, Color::Blue, Modifier::empty());
        assert!(bold_red.blanks_like(Pen::PLAIN));
        assert!(!underlined.blanks_like(Pen::PLAIN));
        assert!(!bold_red.blanks_like(on_blue));
        assert_eq!(underlined.on_blank(), underlined);
        assert_eq!(bold_red.on_blank(), Pen::PLAIN);
        assert!(bold_red.bent_for_blank(on_blue).blanks_like(on_blue));
        assert!(underlined.bent_for_blank(Pen::PLAIN).erases_plain());
    }
}

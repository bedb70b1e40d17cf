//! Colours as a theme names them, and what becomes of them on a terminal that shows fewer.

use super::env::Env;

/// How many colours a terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// None, or none are wanted.
    Mono,
    /// The sixteen it defines itself.
    Sixteen,
    /// A cube and greys besides.
    Indexed,
    /// Any.
    True,
}

/// Terminals that show any colour but may not say so in `COLORTERM`, above all over SSH.
const TRUE_COLOUR: [&str; 7] =
    ["xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm", "contour", "iterm2"];

impl Depth {
    /// What the environment says: `NO_COLOR`, then `TERM` and `COLORTERM`. The terminal itself is not asked.
    pub fn detect(env: &Env) -> Self {
        let term = env.get("TERM").unwrap_or("dumb");
        let claims = env.get("COLORTERM").is_some_and(|claim| claim == "truecolor" || claim == "24bit");
        let gnu_screen = term.starts_with("screen") && env.get("TMUX").is_none();
        let knows_all = term.ends_with("-direct") || TRUE_COLOUR.iter().any(|name| term.starts_with(name));
        if env.get("NO_COLOR").is_some()
            || term == "dumb"
            || term.starts_with("vt1")
            || term.starts_with("vt2")
        {
            Self::Mono
        } else if knows_all || claims && !gnu_screen && term != "linux" {
            Self::True
        } else if term.contains("256color") {
            Self::Indexed
        } else {
            Self::Sixteen
        }
    }
}

/// Whether `COLORFGBG` says that the terminal's background is light.
pub fn is_light(env: &Env) -> bool {
    let background = env.get("COLORFGBG").and_then(|colours| colours.rsplit(';').next()?.parse::<u8>().ok());
    background.is_some_and(|index| index == 7 || (9..=15).contains(&index))
}

/// A colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// The terminal's own foreground or background.
    Default,
    /// One of the terminal's sixteen.
    Ansi(u8),
    /// One of the cube or the greys, 16 to 255.
    Indexed(u8),
    /// Red, green, blue.
    Rgb(u8, u8, u8),
}

/// The names of the sixteen, in the order of their numbers.
pub const ANSI: [&str; 16] = [
    "black",
    "red",
    "green",
    "yellow",
    "blue",
    "magenta",
    "cyan",
    "white",
    "bright-black",
    "bright-red",
    "bright-green",
    "bright-yellow",
    "bright-blue",
    "bright-magenta",
    "bright-cyan",
    "bright-white",
];

impl Colour {
    /// Reads `#rrggbb`, the name of one of the sixteen, or `default`.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "default" {
            return Some(Self::Default);
        }
        if let Some(index) = ANSI.iter().position(|name| *name == text) {
            return u8::try_from(index).ok().map(Self::Ansi);
        }
        let hex = text
            .strip_prefix('#')
            .filter(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let part = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
        Some(Self::Rgb(part(0)?, part(2)?, part(4)?))
    }
}

/// A colour of a theme: exact, and as one of the sixteen where the theme chose one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shade {
    /// For terminals that can show it.
    pub exact: Colour,
    /// For terminals with sixteen colours.
    pub plain: Option<Colour>,
}

impl Shade {
    /// What a terminal of this depth is asked to show.
    pub fn at(self, depth: Depth) -> Colour {
        match (depth, self.exact) {
            (Depth::Mono, _) => Colour::Default,
            (Depth::Sixteen, exact) => self.plain.unwrap_or_else(|| sixteen(exact)),
            (Depth::Indexed, Colour::Rgb(r, g, b)) => Colour::Indexed(indexed([r, g, b])),
            (_, exact) => exact,
        }
    }
}

/// The levels of the 6×6×6 cube.
const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The nearest colour among the cube and the greys.
fn indexed(rgb: [u8; 3]) -> u8 {
    let cube = (0..216u8).map(|i| (16 + i, [i / 36, i / 6 % 6, i % 6].map(|step| LEVELS[usize::from(step)])));
    let greys = (0..24u8).map(|i| (232 + i, [8 + 10 * i; 3]));
    let nearest = cube.chain(greys).min_by_key(|(_, candidate)| distance(rgb, *candidate));
    nearest.map_or(16, |(index, _)| index)
}

/// How different two colours look, by the "redmean" approximation.
fn distance(a: [u8; 3], b: [u8; 3]) -> i64 {
    let [r, g, b2] = [0, 1, 2].map(|i| i64::from(a[i]) - i64::from(b[i]));
    let red = i64::midpoint(i64::from(a[0]), i64::from(b[0]));
    (((512 + red) * r * r) >> 8) + 4 * g * g + (((767 - red) * b2 * b2) >> 8)
}

/// One of the sixteen by hue: the nearest by distance would turn every pastel white.
fn sixteen(colour: Colour) -> Colour {
    let Colour::Rgb(r, g, b) = colour else { return colour };
    let (least, most) = (r.min(g).min(b), r.max(g).max(b));
    if most - least < 32 {
        return Colour::Ansi(match most {
            0..64 => 0,
            64..160 => 8,
            160..224 => 7,
            _ => 15,
        });
    }
    // A channel counts when it is nearer to the strongest than to the weakest.
    let middle = u16::midpoint(u16::from(least), u16::from(most));
    let bit = |channel: u8, bit: u8| if u16::from(channel) > middle { bit } else { 0 };
    Colour::Ansi(bit(r, 1) | bit(g, 2) | bit(b, 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_depth_is_told_from_the_environment_alone() {
        let cases: [(&[(&str, &str)], Depth); 14] = [
            (&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")], Depth::True),
            (&[("TERM", "xterm-256color")], Depth::Indexed),
            (&[("TERM", "tmux-256color"), ("COLORTERM", "24bit")], Depth::True),
            (&[("TERM", "screen-256color"), ("COLORTERM", "truecolor")], Depth::Indexed),
            (&[("TERM", "screen-256color"), ("COLORTERM", "truecolor"), ("TMUX", "/tmp/t")], Depth::True),
            (&[("TERM", "xterm-kitty")], Depth::True),
            (&[("TERM", "xterm-direct")], Depth::True),
            (&[("TERM", "xterm")], Depth::Sixteen),
            (&[("TERM", "linux"), ("COLORTERM", "truecolor")], Depth::Sixteen),
            (&[("TERM", "dumb")], Depth::Mono),
            (&[("TERM", "vt220")], Depth::Mono),
            (&[], Depth::Mono),
            (&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("NO_COLOR", "1")], Depth::Mono),
            (&[("TERM", "xterm-256color"), ("NO_COLOR", "")], Depth::Indexed),
        ];
        for (variables, depth) in cases {
            assert_eq!(Depth::detect(&variables.iter().copied().collect()), depth, "{variables:?}");
        }
    }

    #[test]
    fn a_light_terminal_is_known_by_its_background_only() {
        for (value, light) in [
            ("0;15", true),
            ("0;default;15", true),
            ("15;0", false),
            ("7;8", false),
            ("0;7", true),
            ("", false),
        ] {
            assert_eq!(is_light(&Env::from_iter([("COLORFGBG", value)])), light, "{value}");
        }
    }

    #[test]
    fn colours_are_read_by_number_and_by_name() {
        assert_eq!(Colour::parse("#1e1E2e"), Some(Colour::Rgb(0x1e, 0x1e, 0x2e)));
        assert_eq!(Colour::parse("bright-red"), Some(Colour::Ansi(9)));
        assert_eq!(Colour::parse("default"), Some(Colour::Default));
        for text in ["#12345", "#1234567", "#gggggg", "123456", "reddish", "", "#é1234"] {
            assert_eq!(Colour::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_terminal_with_fewer_colours_gets_the_nearest_that_it_has() {
        let shade = |text: &str| Shade { exact: Colour::parse(text).unwrap(), plain: None };
        for (text, cube, plain) in [
            ("#000000", 16, 0),
            ("#ffffff", 231, 15),
            ("#ff0000", 196, 1),
            ("#f38ba8", 211, 1),
            ("#a6e3a1", 151, 2),
            ("#89b4fa", 111, 4),
            ("#f9e2af", 223, 3),
            ("#808080", 244, 8),
        ] {
            assert_eq!(shade(text).at(Depth::Indexed), Colour::Indexed(cube), "{text}");
            assert_eq!(shade(text).at(Depth::Sixteen), Colour::Ansi(plain), "{text}");
            assert_eq!(shade(text).at(Depth::True), shade(text).exact);
            assert_eq!(shade(text).at(Depth::Mono), Colour::Default);
        }
        let chosen = Shade { plain: Some(Colour::Ansi(3)), ..shade("#f38ba8") };
        assert_eq!(chosen.at(Depth::Sixteen), Colour::Ansi(3));
    }
}

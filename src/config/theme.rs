//! Themes: roles to styles, already downgraded to what the terminal can show.
//!
//! This is the one place that knows how the drawing library names colours.

mod file;
#[cfg(test)]
mod tests;

use std::path::Path;

use ratatui::style::{Color, Modifier, Style};

use self::file::{Emphasis, Look};
use super::colour::{Colour, Depth, is_light};
use super::env::Env;
use super::layered::Family;
use super::report::Report;
use super::ui::Ui;
use crate::model::row::Tone;

const FAMILY: Family = Family {
    kind: "theme",
    folder: "themes",
    shipped: &[
        ("default-dark", include_str!("../../themes/default-dark.toml")),
        ("default-light", include_str!("../../themes/default-light.toml")),
        ("catppuccin-mocha", include_str!("../../themes/catppuccin-mocha.toml")),
        ("catppuccin-latte", include_str!("../../themes/catppuccin-latte.toml")),
        ("gruvbox", include_str!("../../themes/gruvbox.toml")),
        ("nord", include_str!("../../themes/nord.toml")),
        ("solarized-dark", include_str!("../../themes/solarized-dark.toml")),
        ("solarized-light", include_str!("../../themes/solarized-light.toml")),
        ("base16", include_str!("../../themes/base16.toml")),
        ("high-contrast", include_str!("../../themes/high-contrast.toml")),
        ("colour-blind", include_str!("../../themes/colour-blind.toml")),
        ("mono", include_str!("../../themes/mono.toml")),
    ],
};

/// Series of a chart that have a colour of their own; further ones begin again.
const CHARTS: u8 = 6;

/// What a piece of the screen is for; a theme says how it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Ordinary text.
    Text,
    /// Less important text.
    Dim,
    /// What stands out without meaning anything.
    Accent,
    /// Lines between panes.
    Border,
    /// Lines around the focused pane.
    Focused,
    /// Headings.
    Title,
    /// The name under the cursor and its gutter mark.
    Selection,
    /// Marked rows.
    Mark,
    /// What a filter found.
    Match,
    /// Good.
    Ok,
    /// Worth knowing.
    Info,
    /// Wants attention.
    Warn,
    /// Broken.
    Error,
    /// Under way.
    Pending,
    /// Not known, or remembered.
    Unknown,
    /// Switched off.
    Off,
    /// A key in hints and help.
    Key,
    /// The words beside a key.
    Hint,
    /// Can do harm.
    Danger,
    /// A series of a chart, from 1; the seventh looks like the first.
    Chart(u8),
}

impl Role {
    /// All roles, in the order of their styles in a [`Theme`].
    pub const ALL: [Self; 25] = [
        Self::Text,
        Self::Dim,
        Self::Accent,
        Self::Border,
        Self::Focused,
        Self::Title,
        Self::Selection,
        Self::Mark,
        Self::Match,
        Self::Ok,
        Self::Info,
        Self::Warn,
        Self::Error,
        Self::Pending,
        Self::Unknown,
        Self::Off,
        Self::Key,
        Self::Hint,
        Self::Danger,
        Self::Chart(1),
        Self::Chart(2),
        Self::Chart(3),
        Self::Chart(4),
        Self::Chart(5),
        Self::Chart(6),
    ];

    /// Its name in a theme file.
    pub fn name(self) -> &'static str {
        const CHART: [&str; CHARTS as usize] =
            ["chart-1", "chart-2", "chart-3", "chart-4", "chart-5", "chart-6"];
        match self {
            Self::Text => "text",
            Self::Dim => "dim",
            Self::Accent => "accent",
            Self::Border => "border",
            Self::Focused => "focused",
            Self::Title => "title",
            Self::Selection => "selection",
            Self::Mark => "mark",
            Self::Match => "match",
            Self::Ok => "ok",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Pending => "pending",
            Self::Unknown => "unknown",
            Self::Off => "off",
            Self::Key => "key",
            Self::Hint => "hint",
            Self::Danger => "danger",
            Self::Chart(series) => CHART[usize::from(series.saturating_sub(1) % CHARTS)],
        }
    }

    fn index(self) -> usize {
        let own = match self {
            Self::Chart(series) => Self::Chart(series.saturating_sub(1) % CHARTS + 1),
            role => role,
        };
        Self::ALL.iter().position(|role| *role == own).unwrap_or_default()
    }
}

impl From<Tone> for Role {
    fn from(tone: Tone) -> Self {
        match tone {
            Tone::Text => Self::Text,
            Tone::Dim => Self::Dim,
            Tone::Ok => Self::Ok,
            Tone::Info => Self::Info,
            Tone::Warn => Self::Warn,
            Tone::Error => Self::Error,
            Tone::Pending => Self::Pending,
            Tone::Unknown => Self::Unknown,
            Tone::Off => Self::Off,
            Tone::Danger => Self::Danger,
        }
    }
}

/// A loaded theme; the default one styles nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Theme {
    styles: [Style; Role::ALL.len()],
}

impl Theme {
    /// The theme that the settings ask for on this terminal. Without colours that is `mono`, whatever they say.
    pub fn load(ui: &Ui, env: &Env) -> (Self, Vec<Report>) {
        let depth = Depth::detect(env);
        let name = match (depth, &ui.theme_light) {
            (Depth::Mono, _) => "mono",
            (_, Some(light)) if is_light(env) => light,
            _ => &ui.theme,
        };
        Self::named(name, depth, env)
    }

    /// The theme of a name: the user's own file, or a shipped one. One that is broken or absent is replaced by the
    /// default, and the reports say why.
    pub fn named(name: &str, depth: Depth, env: &Env) -> (Self, Vec<Report>) {
        match Self::of(name, depth, env.config_dir().as_deref()) {
            Ok(theme) => (theme, Vec::new()),
            Err(mut reports) => {
                let what = format!("theme `{name}` is not used; the default stands in for it");
                reports.insert(0, Report::warning(what, "see the following messages"));
                (Self::of(FAMILY.root(), depth, None).unwrap_or_default(), reports)
            }
        }
    }

    /// The names of the shipped themes.
    pub fn shipped() -> impl Iterator<Item = &'static str> {
        FAMILY.shipped.iter().map(|(name, _)| *name)
    }

    fn of(name: &str, depth: Depth, dir: Option<&Path>) -> Result<Self, Vec<Report>> {
        let looks = file::read(&FAMILY.chain(name, dir)?)?;
        let mut theme = Self::default();
        for (role, look) in looks {
            theme.styles[role.index()] = style(&look, depth);
        }
        Ok(theme)
    }

    /// The style of a role.
    pub fn style(&self, role: impl Into<Role>) -> Style {
        self.styles[role.into().index()]
    }
}

/// A style that changes nothing but what the theme says, so that the terminal's own background stays.
fn style(look: &Look, depth: Depth) -> Style {
    let colour = |shade: Option<super::colour::Shade>| match shade?.at(depth) {
        Colour::Default => None,
        Colour::Ansi(index) | Colour::Indexed(index) => Some(Color::Indexed(index)),
        Colour::Rgb(r, g, b) => Some(Color::Rgb(r, g, b)),
    };
    let modifiers = look.emphases.iter().map(|emphasis| match emphasis {
        Emphasis::Bold => Modifier::BOLD,
        Emphasis::Dim => Modifier::DIM,
        Emphasis::Italic => Modifier::ITALIC,
        Emphasis::Underline => Modifier::UNDERLINED,
        Emphasis::Reverse => Modifier::REVERSED,
        Emphasis::Strike => Modifier::CROSSED_OUT,
    });
    Style { fg: colour(look.fg), bg: colour(look.bg), add_modifier: modifiers.collect(), ..Style::default() }
}

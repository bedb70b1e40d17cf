//! Themes: roles to styles, already downgraded to what the terminal can show.

use ratatui::style::Style;

use crate::model::row::Tone;

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
    /// The first series of a chart; up to six.
    Chart(u8),
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

/// A loaded theme.
#[derive(Debug, Clone, Default)]
pub struct Theme {
    styles: std::collections::BTreeMap<Role, Style>,
}

impl Theme {
    /// The style of a role.
    pub fn style(&self, role: impl Into<Role>) -> Style {
        self.styles.get(&role.into()).copied().unwrap_or_default()
    }
}

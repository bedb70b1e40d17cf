//! How the console looks and how often it asks: the `[ui]` table.

use std::time::Duration;

use super::env::Env;

/// The checked `[ui]` table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "switches of the user, independent of each other")]
pub struct Ui {
    /// The theme's name.
    pub theme: String,
    /// The theme for a terminal with a light background, if another one.
    pub theme_light: Option<String>,
    /// The keymap's name.
    pub keymap: String,
    /// Draw with ASCII only.
    pub ascii: bool,
    /// Take mouse events (the terminal's own selection then needs Shift).
    pub mouse: bool,
    /// The most frames per second on a local terminal.
    pub fps: u16,
    /// The most frames per second over SSH.
    pub fps_ssh: u16,
    /// How often sources are asked.
    pub refresh: Refresh,
    /// No toasts for what succeeded.
    pub quiet: bool,
    /// Nothing spins or blinks.
    pub reduced_motion: bool,
    /// Start with the wide columns.
    pub wide: bool,
}

impl Default for Ui {
    fn default() -> Self {
        Self {
            theme: "default-dark".to_owned(),
            theme_light: None,
            keymap: "default".to_owned(),
            ascii: false,
            mouse: false,
            fps: 30,
            fps_ssh: 20,
            refresh: Refresh::default(),
            quiet: false,
            reduced_motion: false,
            wide: false,
        }
    }
}

impl Ui {
    /// The most frames per second here: fewer over SSH, where each one costs the line.
    pub fn frames_per_second(&self, env: &Env) -> u16 {
        if env.get("SSH_CONNECTION").or(env.get("SSH_TTY")).is_some() { self.fps_ssh } else { self.fps }
    }
}

/// How often a source is asked, by how much of it can be seen; what is not set is as each source proposes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Refresh {
    /// Its pane has the focus.
    pub focused: Option<Duration>,
    /// It is drawn somewhere.
    pub visible: Option<Duration>,
    /// It feeds only counts and alerts.
    pub hidden: Option<Duration>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_frames_are_drawn_over_ssh() {
        let ui = Ui { fps: 30, fps_ssh: 10, ..Ui::default() };
        for (variable, frames) in [("SSH_CONNECTION", 10), ("SSH_TTY", 10), ("TERM", 30)] {
            assert_eq!(ui.frames_per_second(&Env::from_iter([(variable, "x")])), frames);
        }
    }
}

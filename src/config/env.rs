//! The environment as a value, so that what depends on it can be tested without changing the process.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A copy of the environment variables.
#[derive(Debug, Clone, Default)]
pub struct Env(BTreeMap<String, String>);

impl Env {
    /// The variables of this process; those that are not UTF-8 are left out.
    pub fn current() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(std::env::vars_os().filter_map(text).collect())
    }

    /// The value of a variable; an empty one counts as not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Where the user's configuration is: `$XDG_CONFIG_HOME/vigie`, else the system's own place below `$HOME`.
    pub fn config_dir(&self) -> Option<PathBuf> {
        self.own_dir("XDG_CONFIG_HOME", ".config")
    }

    /// Where the journal, the log and the last-seen state are: `$XDG_STATE_HOME/vigie`, else the system's own place.
    pub fn state_dir(&self) -> Option<PathBuf> {
        self.own_dir("XDG_STATE_HOME", ".local/state")
    }

    /// A path as the user wrote it: `~/` is the home directory, anything else relative starts at `base`.
    pub fn path(&self, written: &str, base: &Path) -> PathBuf {
        match (written.strip_prefix("~/"), self.get("HOME")) {
            (Some(rest), Some(home)) => Path::new(home).join(rest),
            _ => base.join(written),
        }
    }

    /// A relative value is ignored, as the XDG base directory specification asks for.
    fn own_dir(&self, variable: &str, below_home: &str) -> Option<PathBuf> {
        let set = self.get(variable).map(Path::new).filter(|dir| dir.is_absolute());
        let home = || {
            let below = if cfg!(target_os = "macos") { "Library/Application Support" } else { below_home };
            Some(Path::new(self.get("HOME")?).join(below))
        };
        Some(set.map(Path::to_owned).or_else(home)?.join("vigie"))
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_xdg_variable_wins_and_a_relative_one_is_ignored() {
        let set = Env::from_iter([("XDG_CONFIG_HOME", "/conf"), ("XDG_STATE_HOME", "state"), ("HOME", "/h")]);
        assert_eq!(set.config_dir(), Some(PathBuf::from("/conf/vigie")));
        let below =
            if cfg!(target_os = "macos") { "/h/Library/Application Support" } else { "/h/.local/state" };
        assert_eq!(set.state_dir(), Some(Path::new(below).join("vigie")));
        assert_eq!(Env::default().config_dir(), None);
    }

    #[test]
    fn a_written_path_starts_at_home_or_beside_the_file_that_names_it() {
        let env = Env::from_iter([("HOME", "/home/admin1")]);
        for (written, path) in
            [("~/ca.pem", "/home/admin1/ca.pem"), ("ca.pem", "/conf/ca.pem"), ("/etc/ca.pem", "/etc/ca.pem")]
        {
            assert_eq!(env.path(written, Path::new("/conf")), PathBuf::from(path), "{written}");
        }
    }
}

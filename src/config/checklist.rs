//! Checklists: steps that ask what other lists show, written as TOML so that anybody can write more of them.

use serde::Deserialize;

/// The checklists that come with vigie, by name.
const SHIPPED: [(&str, &str); 4] = [
    ("login-loop", include_str!("checklists/login-loop.toml")),
    ("authentik-upgrade", include_str!("checklists/authentik-upgrade.toml")),
    ("provisioning", include_str!("checklists/provisioning.toml")),
    ("compose-update", include_str!("checklists/compose-update.toml")),
];

/// A list of steps.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checklist {
    /// Its name, by which it is run: that of its file.
    #[serde(skip)]
    pub name: String,
    /// The question that it answers.
    pub title: String,
    /// Whether nothing is asked after the first step that fails.
    #[serde(default)]
    pub stop: bool,
    /// Its steps in order.
    #[serde(rename = "step")]
    pub steps: Vec<Step>,
}

/// One step: a question about the rows of a kind, or something that somebody has to look at.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// What is asked.
    pub title: String,
    /// The kind whose rows answer it (`authentik.outposts`).
    pub ask: String,
    /// Which of its rows, as a filter.
    pub only: String,
    /// How many of them count, the newest first; all where it is 0.
    pub newest: usize,
    /// What each of them must match, as a filter.
    pub pass: String,
    /// Whether one that matches is enough.
    pub any: bool,
    /// What none of them may match, as filters.
    pub fail: Vec<String>,
    /// How many rows there must be at least; 1 where nothing is said.
    pub least: Option<usize>,
    /// The columns that are the evidence.
    pub show: Vec<String>,
    /// Nobody but a person can look at it.
    pub manual: bool,
    /// What to look at next where it fails.
    pub next: String,
}

impl Checklist {
    /// Reads one; the error says what is wrong with it.
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        let mut list: Self = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        name.clone_into(&mut list.name);
        if list.steps.is_empty() {
            return Err("it has no step".to_owned());
        }
        for (at, step) in list.steps.iter().enumerate() {
            step.check().map_err(|why| format!("step {}: {why}", at + 1))?;
        }
        Ok(list)
    }

    /// Those that come with vigie.
    pub fn shipped() -> Vec<Self> {
        SHIPPED.iter().filter_map(|(name, text)| Self::parse(name, text).ok()).collect()
    }
}

impl Step {
    fn check(&self) -> Result<(), String> {
        let says_nothing = self.pass.is_empty() && self.fail.is_empty();
        match (self.title.is_empty(), self.manual, self.ask.is_empty()) {
            (true, ..) => Err("it has no `title`".to_owned()),
            (_, true, false) => Err("`manual` and `ask` exclude each other".to_owned()),
            (_, false, true) => Err("it needs `ask = \"backend.kind\"`, or `manual = true`".to_owned()),
            (_, false, false) if says_nothing => Err("it needs `pass` or `fail`".to_owned()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_checklist_can_be_read() {
        for (name, text) in SHIPPED {
            let list = Checklist::parse(name, text).unwrap();
            assert!(list.steps.iter().all(|step| !step.next.is_empty()), "{name}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_checklist_is_said() {
        for (text, why) in [
            ("title = 'x'", "step"),
            ("title = 'x'\nstep = []", "no step"),
            ("title = 'x'\n[[step]]\ntitle = 'a'", "needs `ask"),
            ("title = 'x'\n[[step]]\ntitle = 'a'\nask = 'a.b'", "needs `pass`"),
            ("title = 'x'\n[[step]]\ntitle = 'a'\nask = 'a.b'\nmanual = true", "exclude"),
            ("title = 'x'\n[[step]]\nmanual = true", "no `title`"),
            ("title = 'x'\n[[step]]\ntitle = 'a'\npasses = 'b'", "unknown field"),
        ] {
            let error = Checklist::parse("x", text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}

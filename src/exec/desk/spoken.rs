//! What the journal says of the house: the declaration that stands, and the silences that were made with it.

use std::fmt;

use jiff::Timestamp;

use crate::insight::home::TOPIC;
use crate::model::journal::{Declaration, Entry, Line, declarations};
use crate::model::kind::Format;
use crate::model::op::RunId;
use crate::model::view::Fact;

use super::local;

/// A silence that was made with a declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Silence {
    /// The alert source's instance.
    pub instance: String,
    /// Its id there.
    pub id: String,
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.instance, self.id)
    }
}

impl Silence {
    fn read(text: &str) -> Option<Self> {
        let (instance, id) = text.split_once('/')?;
        Some(Self { instance: instance.to_owned(), id: id.to_owned() })
    }
}

/// A declaration with what was made with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spoken {
    /// What was said.
    pub declaration: Declaration,
    /// The silences.
    pub silences: Vec<Silence>,
}

impl Spoken {
    /// What is declared at an instant.
    pub fn standing(lines: &[Line], now: Timestamp) -> Option<Self> {
        let known =
            declarations(lines).into_iter().find(|known| &*known.topic == TOPIC && known.until > now)?;
        let said = lines.iter().rev().find(|line| line.at == known.since && is_ours(line))?;
        Some(Self { silences: silences(lines, &said.run), declaration: known })
    }

    /// What a run declared, whether or not it still stands.
    pub fn by_run(lines: &[Line], run: &RunId) -> Option<Self> {
        let said = lines.iter().find(|line| line.run == *run && is_ours(line))?;
        let Entry::Declared { topic, about, until: Some(until), text } = &said.entry else { return None };
        let declaration = Declaration {
            topic: topic.clone(),
            about: about.clone(),
            since: said.at,
            until: *until,
            text: text.clone(),
            by: said.operator.clone(),
        };
        Some(Self { declaration, silences: silences(lines, run) })
    }

    /// Whether a run took a declaration back.
    pub fn ended_by(lines: &[Line], run: &RunId) -> bool {
        let ends = |line: &&Line| {
            line.run == *run && is_ours(line) && matches!(line.entry, Entry::Declared { until: None, .. })
        };
        lines.iter().any(|line| ends(&line))
    }

    /// What stood before a run took it back.
    pub fn before(lines: &[Line], run: &RunId) -> Option<Self> {
        let at = lines.iter().position(|line| line.run == *run && is_ours(line))?;
        Self::standing(&lines[..at], lines[at].at)
    }

    /// Until when, why and by whom.
    pub fn words(&self) -> String {
        let Declaration { until, text, by, .. } = &self.declaration;
        format!("until {} ({text}; {by})", local(*until))
    }

    /// Its silences in words.
    pub fn silence_words(&self) -> String {
        let names: Vec<String> = self.silences.iter().map(ToString::to_string).collect();
        names.join(", ")
    }

    /// Everything, for a description.
    pub fn facts(&self) -> Vec<Fact> {
        let Declaration { since, until, text, by, .. } = &self.declaration;
        let mut facts = vec![
            Fact::new("declared", "off"),
            Fact::new("until", *until).format(Format::Clock),
            Fact::new("why", text.as_str()),
            Fact::new("by", &**by),
            Fact::new("since", *since).format(Format::Age),
        ];
        facts.extend(self.silences.iter().map(|silence| Fact::new("silence", silence.to_string().as_str())));
        facts
    }
}

fn is_ours(line: &Line) -> bool {
    matches!(&line.entry, Entry::Declared { topic, .. } if &**topic == TOPIC)
}

fn silences(lines: &[Line], run: &RunId) -> Vec<Silence> {
    let made = lines.iter().filter(|line| line.run == *run);
    made.filter_map(|line| match &line.entry {
        Entry::Accepted { remote } => Silence::read(remote),
        _ => None,
    })
    .collect()
}

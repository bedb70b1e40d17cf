//! The `:` line: kinds, operations, actions and settings by name, with completion; never a guess.

use std::borrow::Cow;

use crate::config::suggest::distance;
use crate::model::action::Action;
use crate::model::id::{EntityId, KindId};
use crate::model::kind::Kinds;
use crate::model::op::Operations;

/// A line that was understood.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Perform an action.
    Act(Action),
    /// Open a kind, filtered.
    Browse {
        /// The kind.
        kind: KindId,
        /// The filter; may be empty.
        filter: String,
    },
    /// Start an operation: on this id, or else on the marks or the selection.
    Operate {
        /// The operation's full name.
        op: String,
        /// The full id, or the new thing's name.
        target: Option<String>,
    },
    /// A short name that several things have: whoever typed it says which.
    Which {
        /// The name.
        word: String,
        /// The whole lines that it may stand for.
        among: Vec<Completion>,
    },
    /// Sort the table by a column, downwards where the name begins with `-`.
    Sort(String),
    /// Write a note on the selected row.
    Note(String),
    /// Write what the pane shows into a new file.
    Save(String),
    /// Change a setting for this run.
    Set(Setting),
}

/// A setting that can be changed while the console runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Setting {
    /// Wide columns on or off.
    Wide(bool),
    /// ASCII instead of other glyphs.
    Ascii(bool),
    /// The bell stays silent, or not.
    Quiet(bool),
    /// Another theme.
    Theme(String),
    /// Refreshing stopped or not.
    Pause(bool),
}

/// What may complete a line, with a word about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The whole line once it is taken.
    pub line: String,
    /// What it does.
    pub doc: String,
}

/// Lists that are asked for often: a kind under a filter.
const FILTERS: [(&str, &str, &str); 2] = [
    ("alerts.silences", "state:ending", "Silences that end within 30 minutes and still keep something quiet"),
    ("alerts.silences", "state:unused", "Silences that match nothing now"),
];

/// Words that people know from elsewhere.
const SYNONYMS: [(&str, Action); 6] = [
    ("q", Action::Quit),
    ("q!", Action::Quit),
    ("exit", Action::Quit),
    ("h", Action::Help),
    ("overview", Action::Pane('0')),
    ("home", Action::HomeState),
];

/// Reads a line; the error says what was expected.
pub fn parse(
    line: &str,
    kinds: &Kinds,
    operations: &Operations,
    themes: &[String],
) -> Result<Command, String> {
    let line = line.trim();
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    match word {
        "" => return Err("type the name of a kind, an operation or an action".to_owned()),
        "sort" if !rest.is_empty() => return Ok(Command::Sort(rest.to_owned())),
        "note" if !rest.is_empty() => return Ok(Command::Note(rest.to_owned())),
        "save" if !rest.is_empty() => return Ok(Command::Save(rest.to_owned())),
        "view" if !rest.is_empty() => {
            return Ok(Command::Act(Action::View(Cow::Owned(rest.to_owned()))));
        }
        "log" | "logs" if !rest.is_empty() => {
            return Ok(Command::Act(Action::View(Cow::Owned(format!("log {rest}")))));
        }
        "set" => return setting(rest, themes).map(Command::Set),
        "theme" => return setting(line, themes).map(Command::Set),
        "goto" => {
            let id = EntityId::parse(rest)
                .ok_or_else(|| format!("`{rest}` is no id of the form kind/instance/key"))?;
            return Ok(Command::Act(Action::Goto(id)));
        }
        _ => {}
    }
    if let Some((_, action)) = SYNONYMS.iter().find(|(name, _)| *name == word) {
        return Ok(Command::Act(action.clone()));
    }
    if let Some(found) = kind(word, rest, kinds).or_else(|| operation(word, rest, operations)) {
        return Ok(found);
    }
    if rest.is_empty()
        && let Some(action) = Action::from_name(word)
    {
        return Ok(Command::Act(action));
    }
    Err(unknown(word, kinds, operations))
}

fn kind(word: &str, filter: &str, kinds: &Kinds) -> Option<Command> {
    let found = kinds.named(word);
    match found.as_slice() {
        [] => None,
        [one] => Some(Command::Browse { kind: one.id.clone(), filter: filter.to_owned() }),
        many => Some(which(word, filter, many.iter().map(|kind| (kind.id.as_str(), &*kind.doc)))),
    }
}

fn which<'n>(word: &str, rest: &str, names: impl Iterator<Item = (&'n str, &'n str)>) -> Command {
    let whole = |(name, doc): (&str, &str)| Completion {
        line: format!("{name} {rest}").trim_end().to_owned(),
        doc: doc.to_owned(),
    };
    Command::Which { word: word.to_owned(), among: names.map(whole).collect() }
}

fn operation(word: &str, target: &str, operations: &Operations) -> Option<Command> {
    let short = |name: &str| name.split_once('.').is_some_and(|(_, short)| short == word);
    let exact = operations.iter().filter(|op| op.name == word);
    let mut found: Vec<(&str, &str)> = exact.map(|op| (&*op.name, &*op.doc)).collect();
    if found.is_empty() {
        let named = operations.iter().filter(|op| short(&op.name));
        found = named.map(|op| (&*op.name, &*op.doc)).collect();
    }
    match found.as_slice() {
        [] => None,
        [(one, _)] => {
            let target = (!target.is_empty()).then(|| target.to_owned());
            Some(Command::Operate { op: (*one).to_owned(), target })
        }
        many => Some(which(word, target, many.iter().copied())),
    }
}

fn setting(text: &str, themes: &[String]) -> Result<Setting, String> {
    let mut words = text.split_whitespace();
    let (name, value) = (words.next().unwrap_or(""), words.next());
    let flag = || match value {
        None | Some("on" | "true" | "yes") => Ok(true),
        Some("off" | "false" | "no") => Ok(false),
        Some(other) => Err(format!("`{other}` is neither on nor off")),
    };
    match (name, value) {
        ("wide", _) => flag().map(Setting::Wide),
        ("ascii", _) => flag().map(Setting::Ascii),
        ("pause", _) => flag().map(Setting::Pause),
        ("quiet", _) => flag().map(Setting::Quiet),
        ("theme", Some(theme)) if themes.iter().any(|known| known == theme) => {
            Ok(Setting::Theme(theme.to_owned()))
        }
        ("theme", _) => Err(format!("themes are {}", themes.join(", "))),
        _ => Err(format!("`{name}` is no setting; there are wide, ascii, pause, quiet, theme")),
    }
}

fn unknown(word: &str, kinds: &Kinds, operations: &Operations) -> String {
    let names = names(kinds, operations);
    let close = names.iter().map(|(name, _)| name.as_str()).filter(|name| near(name, word)).take(3);
    let close: Vec<&str> = close.collect();
    if close.is_empty() {
        format!("`{word}` is no kind, operation or action; Tab completes")
    } else {
        format!("`{word}` is no kind, operation or action; did you mean {}?", close.join(", "))
    }
}

/// One letter wrong, missing, too many or swapped, in the whole name or its part after the dot.
fn near(name: &str, word: &str) -> bool {
    let short = name.split_once('.').map_or(name, |(_, short)| short);
    [name, short].iter().any(|candidate| {
        candidate.starts_with(word) || (word.len() > 2 && distance(candidate, word) <= 1 + word.len() / 6)
    })
}

/// Every first word of a line, with its sentence.
fn names(kinds: &Kinds, operations: &Operations) -> Vec<(String, String)> {
    let mut names: Vec<(String, String)> = Vec::new();
    names.extend(kinds.iter().map(|kind| (kind.id.to_string(), kind.doc.to_string())));
    for kind in kinds.iter() {
        names.extend(
            kind.aliases.iter().map(|alias| (alias.to_string(), format!("{}: {}", kind.id, kind.doc))),
        );
    }
    let filters = FILTERS.iter().filter(|(kind, ..)| kinds.get(&KindId::from(*kind)).is_some());
    names.extend(filters.map(|(kind, filter, doc)| {
        let short = kind.split_once('.').map_or(*kind, |(_, short)| short);
        (format!("{short} {filter}"), (*doc).to_owned())
    }));
    names.extend(operations.iter().map(|op| (op.name.to_string(), format!("{} {}", op.tier, op.doc))));
    names.extend(Action::SIMPLE.iter().map(|action| (action.name().into_owned(), action.doc().into_owned())));
    let more = [
        ("sort", "Sort by a column, -COLUMN downwards"),
        ("note", "Write a note on the selected row"),
        ("view", "Open a view of the selected row (yaml, tree, diff, history …)"),
        ("log", "Open its log, with options such as since=1h filter=TEXT containers=a,b previous stamps=off"),
        ("save", "Write what the pane shows into a new file"),
        ("set", "Change a setting: wide, ascii, pause, quiet, theme"),
        ("theme", "Change the theme"),
        ("goto", "Go to a full id"),
    ];
    names.extend(more.map(|(name, doc)| (name.to_owned(), doc.to_owned())));
    names
}

/// The lines that a half-typed one may become: names that begin so first, then names that contain it.
pub fn complete(line: &str, kinds: &Kinds, operations: &Operations, themes: &[String]) -> Vec<Completion> {
    if let Some(rest) = line.strip_prefix("theme ").or_else(|| line.strip_prefix("set theme ")) {
        let head = &line[..line.len() - rest.len()];
        let fits = themes.iter().filter(|theme| theme.starts_with(rest.trim_start()));
        return fits
            .map(|theme| Completion { line: format!("{head}{theme}"), doc: "theme".to_owned() })
            .collect();
    }
    if let Some(rest) = line.strip_prefix("set ") {
        let fits = ["wide", "ascii", "pause", "quiet", "theme"]
            .into_iter()
            .filter(|name| name.starts_with(rest.trim_start()));
        return fits
            .map(|name| Completion { line: format!("set {name} "), doc: "setting".to_owned() })
            .collect();
    }
    let word = line.trim_start();
    if word.contains(char::is_whitespace) {
        return Vec::new();
    }
    let names = names(kinds, operations);
    let short = |name: &str| name.split_once('.').is_some_and(|(_, short)| short.starts_with(word));
    let rank = |name: &str| match name {
        name if name.starts_with(word) => Some(0),
        name if short(name) => Some(1),
        name if name.contains(word) => Some(2),
        _ => None,
    };
    let mut found: Vec<(u8, (String, String))> =
        names.into_iter().filter_map(|entry| Some((rank(&entry.0)?, entry))).collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, (line, doc))| Completion { line, doc }).collect()
}

#[cfg(test)]
mod tests {
    use crate::model::kind::KindSpec;
    use crate::model::op::{OpSpec, Tier};

    use super::*;

    fn kinds() -> Kinds {
        let kind = |id: &str, aliases: &[&'static str]| KindSpec {
            id: id.into(),
            singular: "".into(),
            aliases: aliases.iter().map(|alias| (*alias).into()).collect(),
            doc: "".into(),
            columns: vec![],
            sort: (0, false),
            views: vec![],
            drill: None,
            pane: None,
        };
        Kinds::new([
            kind("proxmox.guests", &["vm"]),
            kind("proxmox.nodes", &[]),
            kind("kubernetes.nodes", &[]),
            kind("kubernetes.pods", &["po"]),
        ])
    }

    fn operations() -> Operations {
        Operations::new([
            OpSpec::on("proxmox.guests", "proxmox.start", "start", Tier::T1, ""),
            OpSpec::on("alerts.alerts", "alerts.silence", "silence", Tier::T1, ""),
        ])
    }

    fn read(line: &str) -> Result<Command, String> {
        parse(line, &kinds(), &operations(), &["nord".to_owned()])
    }

    #[test]
    fn lines_mean_what_they_say() {
        let browse = |kind: &str, filter: &str| Command::Browse { kind: kind.into(), filter: filter.into() };
        let operate = |op: &str, target: Option<&str>| Command::Operate {
            op: op.into(),
            target: target.map(str::to_owned),
        };
        let cases = [
            ("vm", browse("proxmox.guests", "")),
            ("guests prod !dev", browse("proxmox.guests", "prod !dev")),
            ("proxmox.nodes", browse("proxmox.nodes", "")),
            ("start", operate("proxmox.start", None)),
            (
                "proxmox.start proxmox.guests/pve/qemu/110",
                operate("proxmox.start", Some("proxmox.guests/pve/qemu/110")),
            ),
            ("q", Command::Act(Action::Quit)),
            ("refresh-all", Command::Act(Action::RefreshAll)),
            ("sort -cpu", Command::Sort("-cpu".into())),
            ("set wide off", Command::Set(Setting::Wide(false))),
            ("theme nord", Command::Set(Setting::Theme("nord".into()))),
            ("note seen it", Command::Note("seen it".into())),
            ("save /tmp/log", Command::Save("/tmp/log".into())),
            ("view diff", Command::Act(Action::View("diff".into()))),
            ("log since=1h", Command::Act(Action::View("log since=1h".into()))),
        ];
        for (line, command) in cases {
            assert_eq!(read(line), Ok(command), "{line}");
        }
    }

    #[test]
    fn what_is_ambiguous_or_unknown_is_never_guessed() {
        let cases = [
            ("", "type the name"),
            ("gusets", "did you mean proxmox.guests"),
            ("theme pink", "themes are nord"),
            ("set pink", "no setting"),
            ("goto here", "no id"),
        ];
        for (line, part) in cases {
            let message = read(line).unwrap_err();
            assert!(message.contains(part), "{line}: {message}");
        }
    }

    #[test]
    fn a_short_name_of_several_things_asks_which() {
        let Ok(Command::Which { word, among }) = read("nodes prod") else { panic!("it guesses") };
        let lines: Vec<&str> = among.iter().map(|one| one.line.as_str()).collect();
        assert_eq!((word.as_str(), lines), ("nodes", vec!["proxmox.nodes prod", "kubernetes.nodes prod"]));
    }

    #[test]
    fn completion_puts_beginnings_first() {
        let lines = |line: &str| -> Vec<String> {
            complete(line, &kinds(), &operations(), &["nord".to_owned()])
                .into_iter()
                .map(|c| c.line)
                .collect()
        };
        assert_eq!(lines("po")[0], "po");
        assert_eq!(lines("gue")[0], "proxmox.guests");
        assert_eq!(lines("theme n"), ["theme nord"]);
        assert!(lines("guests x").is_empty());
    }
}

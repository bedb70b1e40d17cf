//! Intents: the only thing that a key, a palette entry or a test script can produce.
//!
//! Keys, hints, help and palette are printed from this one list, so that they cannot disagree.

use std::borrow::Cow;
use std::fmt;

use super::id::{EntityId, KindId};

/// Where keys are looked up; a layer names its own context, and `Global` comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Context {
    /// Everywhere but in text fields.
    Global,
    /// Anything with a cursor over rows.
    Table,
    /// Scrolled text.
    Doc,
    /// A log.
    Log,
    /// A tree.
    Tree,
    /// A form.
    Form,
    /// A confirmation.
    Confirm,
    /// The command line and the finder.
    Palette,
    /// The live filter's input line.
    Filter,
    /// A list to choose from.
    Picker,
}

impl Context {
    /// All contexts.
    pub const ALL: [Self; 10] = [
        Self::Global,
        Self::Table,
        Self::Doc,
        Self::Log,
        Self::Tree,
        Self::Form,
        Self::Confirm,
        Self::Palette,
        Self::Filter,
        Self::Picker,
    ];

    /// Its name in a keymap file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Table => "table",
            Self::Doc => "doc",
            Self::Log => "log",
            Self::Tree => "tree",
            Self::Form => "form",
            Self::Confirm => "confirm",
            Self::Palette => "palette",
            Self::Filter => "filter",
            Self::Picker => "picker",
        }
    }

    /// A context by its name in a keymap file.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|context| context.name() == name)
    }
}

/// Declares the actions that carry nothing: variant, name in keymaps and `:`, sentence for help.
macro_rules! actions {
    ($($variant:ident $name:literal $doc:literal;)*) => {
        /// An intent of the operator.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum Action {
            $(#[doc = $doc] $variant,)*
            /// Open the pane of a digit.
            Pane(char),
            /// Open the browser of a kind.
            Open(KindId),
            /// Open a view of the selected row (`log`, `tree`, `yaml`).
            View(Cow<'static, str>),
            /// Start an operation on the selection or the marks.
            Operate(Cow<'static, str>),
            /// Move the cursor to a thing, opening its pane.
            Goto(EntityId),
            /// Run a line of the command language.
            Command(String),
            /// Insert a typed character.
            Insert(char),
            /// Insert pasted text.
            Paste(String),
        }

        impl Action {
            /// The actions that carry nothing, in the order of help.
            pub const SIMPLE: &'static [Action] = &[$(Action::$variant,)*];

            fn simple_name(&self) -> Option<&'static str> {
                match self { $(Self::$variant => Some($name),)* _ => None }
            }

            /// One sentence for help.
            pub fn doc(&self) -> Cow<'static, str> {
                match self {
                    $(Self::$variant => Cow::Borrowed($doc),)*
                    Self::Pane(c) => Cow::Owned(format!("Open pane {c}")),
                    Self::Open(kind) => Cow::Owned(format!("Open {kind}")),
                    Self::View(name) => Cow::Owned(format!("Open the {name} of the selected row")),
                    Self::Operate(name) => Cow::Owned(format!("Start {name}")),
                    Self::Goto(id) => Cow::Owned(format!("Go to {id}")),
                    Self::Command(line) => Cow::Owned(format!("Run :{line}")),
                    Self::Insert(_) | Self::Paste(_) => Cow::Borrowed("Insert text"),
                }
            }
        }
    };
}

actions! {
    Down "down" "Move down";
    Up "up" "Move up";
    HalfPageDown "half-page-down" "Move half a page down";
    HalfPageUp "half-page-up" "Move half a page up";
    PageDown "page-down" "Move a page down";
    PageUp "page-up" "Move a page up";
    Top "top" "Go to the first row";
    Bottom "bottom" "Go to the last row";
    Left "left" "Move or scroll left";
    Right "right" "Move or scroll right";
    Enter "enter" "Open what is selected, or accept";
    Back "back" "Go back: clears the filter first, never quits";
    Close "close" "Close this layer, then the console";
    Quit "quit" "Quit";
    NextPane "next-pane" "Next pane";
    PreviousPane "previous-pane" "Previous pane";
    Focus "focus" "Move the focus between list and detail";
    Filter "filter" "Filter the rows as you type";
    NextMatch "next-match" "Next match";
    PreviousMatch "previous-match" "Previous match";
    Palette "palette" "Type a command";
    Find "find" "Find anything anywhere; only moves the cursor there";
    Complete "complete" "Take the completion";
    CompleteBack "complete-back" "Previous completion";
    Help "help" "Help of this context";
    Mark "mark" "Mark or unmark the row";
    InvertMarks "invert-marks" "Invert the marks";
    ClearMarks "clear-marks" "Clear the marks";
    CopyCell "copy-name" "Copy the name";
    CopyRow "copy-row" "Copy the row as text";
    CopyJson "copy-json" "Copy the row as JSON";
    CopyLink "copy-link" "Copy the address of the selected row in a browser";
    Describe "describe" "Describe the selected row";
    Operations "operations" "Operations of the selected row";
    Special "special" "The kind's main operation (silence, sync, shell)";
    Edit "edit" "Change the selected thing";
    End "end" "End the selected thing (expire, revoke)";
    Logs "logs" "Logs of the selected row";
    Views "views" "Views of the selected row";
    Related "related" "What else is this";
    Refresh "refresh" "Refresh this pane";
    RefreshAll "refresh-all" "Refresh everything";
    Pause "pause" "Stop or resume refreshing";
    Sort "sort" "Sort by the next column";
    ReverseSort "reverse-sort" "Reverse the order";
    Wide "wide" "Show or hide wide columns";
    Wrap "wrap" "Wrap long lines or cut them";
    Follow "follow" "Follow the end, or stand still";
    Problems "problems" "Problems by cause";
    Timeline "timeline" "Time line: what happened around the selected row, or everything";
    Handover "handover" "Hand over: the shift on one page";
    Messages "messages" "Messages";
    Jobs "jobs" "Jobs: operations and what became of them";
    Note "note" "Write a note on the selected row";
    HomeState "home-state" "Declare home off or on";
    Arm "arm" "Arm writes for ten minutes, or disarm";
    HistoryBack "history-back" "Previous place";
    HistoryForward "history-forward" "Next place";
    Suspend "suspend" "Suspend to the shell";
    Redraw "redraw" "Draw the screen anew";
    NextField "next-field" "Next field";
    PreviousField "previous-field" "Previous field";
    Yes "yes" "Confirm";
    No "no" "Cancel";
    DeleteBack "delete-back" "Delete the character before the cursor";
    DeleteForward "delete-forward" "Delete the character under the cursor";
    DeleteWord "delete-word" "Delete the word before the cursor";
    DeleteLine "delete-line" "Delete the line";
    LineStart "line-start" "Go to the start of the line";
    LineEnd "line-end" "Go to the end of the line";
}

impl Action {
    /// Its name in keymaps and on the command line: `down`, `pane:3`, `open:proxmox.guests`, `do:proxmox.start`.
    pub fn name(&self) -> Cow<'static, str> {
        if let Some(name) = self.simple_name() {
            return Cow::Borrowed(name);
        }
        Cow::Owned(match self {
            Self::Pane(c) => format!("pane:{c}"),
            Self::Open(kind) => format!("open:{kind}"),
            Self::View(name) => format!("view:{name}"),
            Self::Operate(name) => format!("do:{name}"),
            Self::Goto(id) => format!("goto:{id}"),
            Self::Command(line) => format!("command:{line}"),
            _ => "insert".to_owned(),
        })
    }

    /// The action of a name, as a keymap file gives it.
    pub fn from_name(name: &str) -> Option<Self> {
        if let Some(action) = Self::SIMPLE.iter().find(|action| action.simple_name() == Some(name)) {
            return Some(action.clone());
        }
        let (verb, rest) = name.split_once(':').filter(|(_, rest)| !rest.is_empty())?;
        let mut letters = rest.chars();
        match verb {
            "pane" => {
                letters.next().filter(|c| c.is_ascii_digit() && letters.next().is_none()).map(Self::Pane)
            }
            "open" => Some(Self::Open(rest.into())),
            "view" => Some(Self::View(Cow::Owned(rest.to_owned()))),
            "do" => Some(Self::Operate(Cow::Owned(rest.to_owned()))),
            "goto" => EntityId::parse(rest).map(Self::Goto),
            "command" => Some(Self::Command(rest.to_owned())),
            _ => None,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_action() {
        let carrying = [
            Action::Pane('3'),
            Action::Open("proxmox.guests".into()),
            Action::View("log".into()),
            Action::Operate("proxmox.start".into()),
            Action::Goto(EntityId::new("proxmox.guests", "pve", "qemu/110")),
        ];
        for action in Action::SIMPLE.iter().cloned().chain(carrying) {
            assert_eq!(Action::from_name(&action.name()), Some(action.clone()), "{action}");
            assert!(!action.doc().is_empty());
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = Action::SIMPLE.iter().map(Action::name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), Action::SIMPLE.len());
    }

    #[test]
    fn nonsense_names_no_action() {
        for name in ["", "pane:", "pane:33", "pane:x", "open:", "fly"] {
            assert_eq!(Action::from_name(name), None, "{name}");
        }
    }
}

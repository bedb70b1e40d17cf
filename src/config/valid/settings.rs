//! The tables about the console itself: `[ui]`, `[guard]` and `[alerts]`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Validator, timespan};
use crate::config::check;
use crate::config::raw::{Located, Table};
use crate::config::source::Fault;
use crate::config::suggest;
use crate::config::ui::{Refresh, Ui};
use crate::config::{Alerts, Guard};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

impl Validator<'_> {
    /// The table `[ui]`.
    pub(super) fn ui(&mut self, table: Table<'_>) -> Ui {
        let default = Ui::default();
        let flag = |key, default| table.flag(key).unwrap_or(default);
        let ui = Ui {
            theme: table.checked("theme", check::name).unwrap_or(default.theme),
            theme_light: table.checked("theme_light", check::name),
            keymap: table.checked("keymap", check::name).unwrap_or(default.keymap),
            ascii: flag("ascii", default.ascii),
            mouse: flag("mouse", default.mouse),
            quiet: flag("quiet", default.quiet),
            reduced_motion: flag("reduced_motion", default.reduced_motion),
            wide: flag("wide", default.wide),
            fps: table.number("fps", 1..=120).unwrap_or(default.fps),
            fps_ssh: table.number("fps_ssh", 1..=120).unwrap_or(default.fps_ssh),
            refresh: table.table("refresh").map_or(default.refresh, |t| self.refresh(t)),
        };
        self.finish("ui", table);
        ui
    }

    fn refresh(&mut self, table: Table<'_>) -> Refresh {
        let cadence = |key| timespan(&table, key, SECOND..=HOUR);
        let refresh =
            Refresh { focused: cadence("focused"), visible: cadence("visible"), hidden: cadence("hidden") };
        self.finish("ui.refresh", table);
        refresh
    }

    /// The table `[guard]`.
    pub(super) fn guard(&mut self, table: Table<'_>) -> Guard {
        let default = Guard::default();
        let limit = |key, default, most| timespan(&table, key, MINUTE..=most).unwrap_or(default);
        let guard = Guard {
            armed_for: limit("armed_for", default.armed_for, HOUR),
            longest_silence: limit("longest_silence", default.longest_silence, 30 * 24 * HOUR),
        };
        self.finish("guard", table);
        guard
    }

    /// The table `[alerts]`.
    pub(super) fn alerts(&mut self, table: Table<'_>) -> Alerts {
        let watchdog = table.checked("watchdog", check::word).unwrap_or_else(|| Alerts::default().watchdog);
        let severity = table.table("severity").map(|inner| severities(&inner)).unwrap_or_default();
        self.finish("alerts", table);
        Alerts { severity, watchdog }
    }
}

/// Words of severity, each with one that everybody uses.
fn severities(table: &Table<'_>) -> BTreeMap<String, String> {
    const KNOWN: [&str; 5] = ["critical", "major", "warning", "info", "none"];
    let meaning = |(word, value): (Located<&str>, _)| {
        let means = table.as_text(word.value, value)?;
        if KNOWN.contains(&means.value) {
            return Some((word.value.to_owned(), means.value.to_owned()));
        }
        let cure = suggest::advice(means.value, KNOWN);
        let what = "this is none of the words that everybody uses";
        table.note(means.span, Fault::new(what, "`critical`, `major`, `warning`, `info` or `none`", cure));
        None
    };
    table.entries().filter_map(meaning).collect()
}

//! Sync windows: whether a project lets an application be synced by hand now, by Argo CD's own rule.
//!
//! A patched operation is not refused by a closed window: the controller lets it hang until the window opens. So the
//! rule is applied here before anything is sent.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use serde::Deserialize;

use crate::backend::kubernetes::wire::Meta;
use crate::backend::lenient::{Flag, List, Obj, Text, Words};
use crate::model::time::{parse_duration, short};

use super::wire::Application;

/// How far a window is looked at, back and ahead, in minutes.
const LONGEST: i64 = 7 * 24 * 60;

/// `AppProject`, as far as it limits when and where.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Project {
    /// Its metadata.
    pub metadata: Obj<Meta>,
    /// What it allows.
    pub spec: Obj<ProjectSpec>,
}

/// `AppProjectSpec`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ProjectSpec {
    /// Repositories.
    pub source_repos: Words,
    /// Clusters and namespaces.
    pub destinations: List<super::wire::Destination>,
    /// When syncs are allowed or denied.
    pub sync_windows: List<Window>,
}

/// `SyncWindow`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Window {
    /// `allow` or `deny`.
    pub kind: Text,
    /// Five fields of cron.
    pub schedule: Text,
    /// How long it lasts (`8h`).
    pub duration: Text,
    /// Application names, with wildcards.
    pub applications: Words,
    /// Destination namespaces, with wildcards.
    pub namespaces: Words,
    /// Destination clusters, with wildcards.
    pub clusters: Words,
    /// All three have to match instead of any.
    pub and_operator: Flag,
    /// Syncs by hand are allowed although it is closed.
    pub manual_sync: Flag,
    /// The zone of the schedule; empty is UTC.
    pub time_zone: Text,
    /// Why it is there.
    pub description: Text,
}

/// Whether a sync by hand is allowed now; the reason names the window and when that changes.
pub fn allows(project: &Project, app: &Application, now: Timestamp) -> Result<(), String> {
    let matching: Vec<&Window> =
        project.spec.sync_windows.iter().filter(|window| window.covers(app)).collect();
    let of = |kind: &str, active: bool| -> Vec<&Window> {
        let fits = |window: &&&Window| &*window.kind == kind && window.is_active(now) == active;
        matching.iter().filter(fits).copied().collect()
    };
    let blocking =
        |windows: &[&Window]| windows.iter().find(|w| !w.manual_sync.is_true()).map(|w| w.words(now));
    let denied = of("deny", true);
    if !denied.is_empty() {
        return blocking(&denied).map_or(Ok(()), Err);
    }
    if !of("allow", true).is_empty() {
        return Ok(());
    }
    blocking(&of("allow", false)).map_or(Ok(()), Err)
}

/// The window that closes a project for somebody now, and until when; one that never ends was perhaps forgotten.
pub fn closed(project: &Project, now: Timestamp) -> Option<String> {
    let closes = |window: &&Window| (&*window.kind == "deny") == window.is_active(now);
    let window = project.spec.sync_windows.iter().find(closes)?;
    let words = window.words(now);
    Some(if words.contains("it lets through") {
        words
    } else {
        format!("{words}; it does not end within a week")
    })
}

impl Window {
    fn covers(&self, app: &Application) -> bool {
        let destination = &app.spec.destination;
        let hit = |globs: &Words, texts: &[&str]| {
            globs.iter().any(|glob| texts.iter().any(|text| wild(glob, text)))
        };
        let checks = [
            (&self.applications, hit(&self.applications, &[&app.metadata.name])),
            (&self.namespaces, hit(&self.namespaces, &[&destination.namespace])),
            (&self.clusters, hit(&self.clusters, &[&destination.server, &destination.name])),
        ];
        let mut asked = checks.iter().filter(|(globs, _)| globs.iter().next().is_some()).peekable();
        if self.and_operator.is_true() {
            asked.peek().is_some() && asked.all(|(_, hit)| *hit)
        } else {
            asked.any(|(_, hit)| *hit)
        }
    }

    fn zone(&self) -> TimeZone {
        self.time_zone.some().and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC)
    }

    fn minutes(&self) -> i64 {
        parse_duration(&self.duration).map_or(0, |duration| duration.as_secs() / 60)
    }

    /// Minute by minute from now on: how many minutes ahead, and whether it is active then.
    ///
    /// A schedule that cannot be read is never active.
    fn activity(&self, now: Timestamp) -> impl Iterator<Item = (i64, bool)> {
        let (cron, zone, lasts) = (Cron::parse(&self.schedule), self.zone(), self.minutes().min(LONGEST));
        let mut began = None;
        let active = move |minute: i64| {
            let at = now.checked_add(minute.minutes()).ok().map(|at| at.to_zoned(zone.clone()));
            if let (Some(cron), Some(at)) = (&cron, at)
                && cron.fires(&at)
            {
                began = Some(minute);
            }
            (minute, began.is_some_and(|began| minute - began < lasts))
        };
        (1 - lasts.max(1)..LONGEST).map(active).skip_while(|(minute, _)| *minute < 0)
    }

    fn is_active(&self, now: Timestamp) -> bool {
        self.activity(now).next().is_some_and(|(_, active)| active)
    }

    /// The window, and when it lets through again.
    fn words(&self, now: Timestamp) -> String {
        let name = format!("{} window `{}` for {}", &*self.kind, &*self.schedule, &*self.duration);
        let why = self.description.some().map(|text| format!(" ({text})")).unwrap_or_default();
        let opens = &*self.kind == "allow";
        let change = self.activity(now).find(|(_, active)| *active == opens);
        let until = change
            .map_or(String::new(), |(minutes, _)| format!("; it lets through in {}", short(minutes * 60)));
        format!("closed by {name}{why}{until}")
    }
}

/// Compares with `*` and `?`.
fn wild(glob: &str, text: &str) -> bool {
    match (glob.chars().next(), text.chars().next()) {
        (None, None) => true,
        (Some('*'), _) => {
            let rest = &glob[1..];
            (0..=text.len()).filter(|at| text.is_char_boundary(*at)).any(|at| wild(rest, &text[at..]))
        }
        (Some('?'), Some(c)) => wild(&glob[1..], &text[c.len_utf8()..]),
        (Some(g), Some(c)) if g == c => wild(&glob[g.len_utf8()..], &text[c.len_utf8()..]),
        _ => false,
    }
}

/// A schedule of five fields: minute, hour, day of month, month, day of week.
struct Cron {
    fields: [BTreeSet<i8>; 5],
    any_day: bool,
    any_weekday: bool,
}

impl Cron {
    fn parse(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = words.as_slice() else { return None };
        Some(Self {
            fields: [
                field(minute, 0, 59)?,
                field(hour, 0, 23)?,
                field(day, 1, 31)?,
                field(month, 1, 12)?,
                field(weekday, 0, 7)?.into_iter().map(|day| day % 7).collect(),
            ],
            any_day: day.starts_with('*'),
            any_weekday: weekday.starts_with('*'),
        })
    }

    /// Whether it fires in a minute; a day of month and a day of week that are both given are alternatives.
    fn fires(&self, at: &Zoned) -> bool {
        let [minutes, hours, days, months, weekdays] = &self.fields;
        let day = days.contains(&at.day());
        let weekday = weekdays.contains(&at.weekday().to_sunday_zero_offset());
        let date = if self.any_day || self.any_weekday { day && weekday } else { day || weekday };
        minutes.contains(&at.minute()) && hours.contains(&at.hour()) && months.contains(&at.month()) && date
    }
}

/// `*`, `*/5`, `1-5`, `1,3`, and what these make together.
fn field(text: &str, least: i8, most: i8) -> Option<BTreeSet<i8>> {
    let mut found = BTreeSet::new();
    for part in text.split(',') {
        let (range, step) = part.split_once('/').unwrap_or((part, "1"));
        let step: usize = step.parse().ok().filter(|step| *step > 0)?;
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (least, most),
            Some((from, to)) => (from.parse().ok()?, to.parse().ok()?),
            None if part.contains('/') => (range.parse().ok()?, most),
            None => (range.parse().ok()?, range.parse().ok()?),
        };
        if from < least || to > most || from > to {
            return None;
        }
        found.extend((from..=to).step_by(step));
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn app() -> Application {
        serde_json::from_value(json!({"metadata": {"name": "nextcloud"},
            "spec": {"destination": {"server": "https://kubernetes.default.svc", "namespace": "nextcloud"}}}))
        .unwrap()
    }

    fn check(windows: &Value, now: &str) -> Result<(), String> {
        let project: Project = serde_json::from_value(json!({"spec": {"syncWindows": windows}})).unwrap();
        allows(&project, &app(), now.parse().unwrap())
    }

    #[test]
    fn the_rule_is_argo_cds_own() {
        let deny = |manual: bool| json!({"kind": "deny", "schedule": "0 22 * * *", "duration": "8h", "applications": ["next*"], "manualSync": manual});
        let allow = |schedule: &str| json!({"kind": "allow", "schedule": schedule, "duration": "1h", "namespaces": ["*"]});
        let other =
            json!({"kind": "deny", "schedule": "* * * * *", "duration": "1h", "applications": ["loki"]});
        let night = "2026-11-20T03:00:00Z";
        let noon = "2026-11-20T12:30:00Z";
        let cases = [
            (json!([]), night, true),
            (json!([other]), night, true),
            (json!([deny(false)]), night, false),
            (json!([deny(false)]), noon, true),
            (json!([deny(true)]), night, true),
            (json!([deny(true), deny(false)]), night, false),
            (json!([allow("0 12 * * *")]), noon, true),
            (json!([allow("0 12 * * *")]), night, false),
            (json!([allow("0 12 * * *"), deny(false)]), night, false),
        ];
        for (windows, now, open) in cases {
            assert_eq!(check(&windows, now).is_ok(), open, "{windows} at {now}");
        }
    }

    #[test]
    fn a_closed_window_is_named_and_says_when_it_opens() {
        let windows = json!([{"kind": "deny", "schedule": "0 22 * * *", "duration": "8h", "clusters": ["*"],
            "timeZone": "Europe/Paris", "description": "backups"}]);
        let why = check(&windows, "2026-11-20T02:00:00Z").unwrap_err();
        assert_eq!(why, "closed by deny window `0 22 * * *` for 8h (backups); it lets through in 3h");
    }

    #[test]
    fn a_window_that_never_ends_is_told_apart_from_one_that_does() {
        let check = |windows: Value| {
            let project: Project = serde_json::from_value(json!({"spec": {"syncWindows": windows}})).unwrap();
            closed(&project, "2026-11-20T02:00:00Z".parse().unwrap())
        };
        let deny = |schedule: &str, duration: &str| json!([{"kind": "deny", "schedule": schedule, "duration": duration}]);
        assert!(check(deny("0 0 * * *", "24h")).unwrap().ends_with("it does not end within a week"));
        assert!(check(deny("0 1 * * *", "2h")).unwrap().contains("; it lets through in "));
        assert_eq!(check(deny("0 5 * * *", "2h")), None);
        assert_eq!(check(json!([])), None);
    }

    #[test]
    fn schedules_are_read_as_cron_does() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap().to_zoned(TimeZone::UTC);
        let friday = at("2026-11-20T03:15:00Z");
        for (schedule, fires) in [
            ("15 3 * * *", true),
            ("*/15 * * * *", true),
            ("*/20 * * * *", false),
            ("15 1-4 * * 5", true),
            ("15 3 1 * 5", true),
            ("15 3 1 * 0", false),
            ("15 3 20 11 7", true),
        ] {
            assert_eq!(Cron::parse(schedule).unwrap().fires(&friday), fires, "{schedule}");
        }
        for wrong in ["", "* * * *", "60 * * * *", "a * * * *", "*/0 * * * *", "5-1 * * * *"] {
            assert!(Cron::parse(wrong).is_none(), "{wrong}");
        }
    }
}

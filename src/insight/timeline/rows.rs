//! Events as rows.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::insight::kinds::{CONSOLE, TIMELINE};
use crate::model::id::{EntityId, Identity};
use crate::model::row::{Cell, Health, Row, Tone, Value};
use crate::model::time::{seconds_between, short};

use super::{Event, Focus, Sort};

/// The row of an event, seen from a problem where there is one.
pub fn row(event: &Event, focus: Option<&Focus>) -> Row {
    let (points, why) = focus.map_or((0, String::new()), |focus| focus.points(event));
    let near = focus.and_then(|focus| focus.at).map(|at| {
        let seconds = seconds_between(at, event.at);
        let sign = if seconds < 0 { "-" } else { "+" };
        format!("{sign}{}", short(seconds))
    });
    let text = match (event.sort, event.until) {
        (Sort::Gap, Some(until)) => format!("{} for {}", event.text, short(seconds_between(event.at, until))),
        (Sort::Gap, None) => format!("{} until now", event.text),
        _ => event.text.clone(),
    };
    let tone = if event.sort == Sort::Gap { Tone::Unknown } else { event.tone };
    let what = if points >= 4 { Tone::Warn } else { Tone::Text };
    let cells = vec![
        Cell::new(event.at),
        Cell::toned(event.sort.word(), tone),
        Cell::toned(Value::text(&text), what),
        Cell::new(Value::text(&*event.on)),
        Cell::toned(Value::text(&*event.who), Tone::Dim),
        Cell::toned(Value::text(near.unwrap_or_default()), Tone::Dim),
        if points > 0 { Cell::toned(i64::from(points), what) } else { Cell::empty() },
        Cell::toned(Value::text(why), Tone::Dim),
        Cell::toned(&*event.source, Tone::Dim),
    ];
    let mut hasher = DefaultHasher::new();
    (event.sort.word(), &event.text, &event.source).hash(&mut hasher);
    let key = format!("{}-{:08x}", event.at.as_millisecond(), hasher.finish() >> 32);
    let mut row = Row::new(EntityId::new(TIMELINE, CONSOLE, key), text, cells);
    row.health = match event.tone {
        Tone::Error | Tone::Danger => Health::Critical,
        Tone::Warn => Health::Warning,
        Tone::Ok => Health::Ok,
        _ => Health::Unknown,
    };
    row.identity = Identity::new();
    if let Some(about) = &event.about {
        row.identity = row.identity.with("about", about.to_string());
    }
    row
}

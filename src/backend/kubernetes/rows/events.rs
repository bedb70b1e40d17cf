//! Events: what the cluster says of its objects, old and new style.

use jiff::Timestamp;

use crate::backend::error::first_line;
use crate::backend::lenient::Text;
use crate::model::id::KindId;
use crate::model::row::{Cell, Health, Row};

use super::super::wire::Event;
use super::{Maker, State};

/// The row of an event.
pub fn row(maker: &Maker, kind: &KindId, event: &Event, _now: Timestamp) -> Row {
    let state = match &*event.sort {
        "Warning" => State::new("Warning", Health::Warning).why(event.reason.as_str()),
        "Normal" => State::new("Normal", Health::Ok),
        other => State::new(if other.is_empty() { "Unknown" } else { other }, Health::Unknown),
    };
    let about = &event.involved_object;
    let cells = vec![
        state.cell(),
        maker.cell(&format!("{}/{}", about.kind.as_str(), about.name.as_str())),
        maker.cell(&event.reason),
        Cell::new(first_line(&event.message).as_str()),
        maker.cell(&event.metadata.namespace),
        Cell::new(count(event)),
        maker.cell(event.source.component.some().unwrap_or(&event.reporting_component)),
        Cell::new(last(event)),
    ];
    let mut row = maker.row(kind, &event.metadata, &state, cells);
    row.facets = if &*about.kind == "Node" {
        Box::new([maker.node(&about.name)])
    } else {
        Box::new([maker.object(&about.namespace, &about.name)])
    };
    row
}

/// How often it happened.
pub fn count(event: &Event) -> i64 {
    event.series.count.0.or(event.count.0).unwrap_or(1).max(1)
}

/// When it happened last: a series' time, the old field, the new field, or its creation.
pub fn last(event: &Event) -> Option<Timestamp> {
    let times = [&event.series.last_observed_time, &event.last_timestamp, &event.event_time];
    times.into_iter().find_map(Text::time).or_else(|| event.metadata.creation_timestamp.time())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn old_and_new_events_tell_when_and_how_often() {
        let old: Event = serde_json::from_value(
            json!({"count": 9, "lastTimestamp": "2026-11-20T02:00:00Z", "eventTime": null, "type": "Warning"}),
        )
        .unwrap();
        let new: Event = serde_json::from_value(
            json!({"eventTime": "2026-11-20T01:00:00.000001Z", "series": {"count": 3, "lastObservedTime": "2026-11-20T02:30:00Z"}}),
        )
        .unwrap();
        assert_eq!((count(&old), last(&old).unwrap().to_string().as_str()), (9, "2026-11-20T02:00:00Z"));
        assert_eq!((count(&new), last(&new).unwrap().to_string().as_str()), (3, "2026-11-20T02:30:00Z"));
    }
}

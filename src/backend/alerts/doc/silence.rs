//! A silence described.

use crate::backend::error::ApiError;
use crate::model::id::EntityId;
use crate::model::kind::Format;
use crate::model::row::Tone;
use crate::model::view::{Doc, DocLine, Fact};

use super::super::cluster::Observation;
use super::super::rows::alerts::{Around, name};
use super::super::rows::{silences, subject};
use super::{cell, when};

pub(super) fn doc(id: &EntityId, seen: &Observation, around: Around<'_>) -> Result<Doc, ApiError> {
    let silence = seen
        .silences
        .get(&*id.key)
        .ok_or_else(|| ApiError::unsupported(format!("no member knows a silence {}", id.key)))?;
    let row = silences::row(silence, seen, around);
    let mut facts = vec![Fact::new("state", silence.status.state.as_str()).tone(row.health.into())];
    facts.extend(row.note.as_deref().map(|note| Fact::new("mind", note).tone(Tone::Warn)));
    facts.push(Fact::new("by", silence.created_by.as_str()));
    facts.push(Fact::new("comment", silence.comment.as_str()));
    facts.extend(when("began", silence.starts_at, Format::Age));
    facts.extend(when("ends in", silence.ends_at, Format::Until));
    facts.extend(when("changed", silence.updated_at, Format::Age));
    facts.push(Fact::new("id", silence.id.as_str()).tone(Tone::Dim));
    let matchers = silence.matchers.iter().map(|matcher| DocLine::new(matcher.to_string())).collect();
    let doc = Doc::default().facts("", facts).lines("matchers", matchers);
    let columns = ["severity", "alert", "on"].map(Into::into).to_vec();
    Ok(match silences::hits(silence, seen) {
        Ok(hits) if hits.is_empty() => doc.lines("hits now", vec![DocLine::toned("nothing", Tone::Dim)]),
        Ok(hits) => {
            let row = |held: &&super::super::cluster::Held| {
                let labels = &held.alert.labels;
                vec![cell(labels.get("severity")), cell(name(labels)), cell(subject(labels))]
            };
            doc.table("hits now", columns, hits.iter().map(row).collect())
        }
        Err(why) => doc.lines("hits now", vec![DocLine::toned(why, Tone::Unknown)]),
    })
}

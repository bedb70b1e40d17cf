//! What is wrong now, over all systems: the worst first, many of one sort told together.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::config::theme::Role;
use crate::insight::trust;
use crate::model::id::KindId;
use crate::model::kind::{Format, KindSpec};
use crate::model::row::{Health, Row, Tone, Value};
use crate::model::snapshot::Absence;
use crate::ui::component::Ctx;
use crate::ui::format::{Writer, word};
use crate::ui::lines::Line;
use crate::ui::table::domain_word;
use crate::ui::text::fit;

use super::{Entry, Goal};

/// More rows than this of one kind and one reason are told in one line.
const ALONE: usize = 3;
/// Cells at the right edge for an age.
const AGE: u16 = 5;

/// Rows of one kind with the same thing wrong.
struct Group<'s> {
    health: Health,
    kind: &'s Arc<KindSpec>,
    rows: Vec<&'s Arc<Row>>,
}

/// The lines, or one that says that nothing is known to be wrong and how much was looked at.
pub(super) fn entries(ctx: &Ctx<'_>, room: u16, most: usize) -> Vec<Entry> {
    let mut groups = groups(ctx);
    let absent: Vec<Entry> = absence(ctx, room).into_iter().collect();
    groups.sort_by(|a, b| {
        a.health
            .cmp(&b.health)
            .then_with(|| a.kind.id.cmp(&b.kind.id))
            .then_with(|| a.rows[0].name.cmp(&b.rows[0].name))
    });
    if groups.is_empty() && absent.is_empty() {
        return vec![Entry::text(calm(ctx))];
    }
    let most = if groups.len() > most { most - 1 } else { most };
    let more = groups.len().saturating_sub(most);
    let told = groups.iter().take(most).map(|group| entry(group, ctx, room));
    let mut entries: Vec<Entry> = absent.into_iter().chain(told).collect();
    if more > 0 {
        entries.push(Entry::text(Line::of(format!("+{more} more, in their panes"), Role::Dim)));
    }
    entries
}

fn groups<'s>(ctx: &Ctx<'s>) -> Vec<Group<'s>> {
    let mut found: BTreeMap<(&KindId, Health, &str), Vec<&Arc<Row>>> = BTreeMap::new();
    // What was wrong in a domain that is gone is told by that alone.
    let absent = ctx.store.sources().filter(|source| source.absence.is_some());
    let absent: HashSet<(&str, &str)> =
        absent.map(|source| (&*source.spec.id.backend, &*source.spec.id.instance)).collect();
    let wrong = |row: &&Arc<Row>| {
        matches!(row.health, Health::Critical | Health::Warning)
            && (absent.is_empty() || !absent.contains(&(row.id.kind.backend(), &*row.id.instance)))
    };
    for row in ctx.store.all_rows().filter(wrong) {
        found
            .entry((&row.id.kind, row.health, row.note.as_deref().unwrap_or_default()))
            .or_default()
            .push(row);
    }
    let mut groups = Vec::new();
    for ((kind, health, _), mut rows) in found {
        let Some(kind) = ctx.kinds.get(kind) else { continue };
        rows.sort_by(|a, b| a.id.cmp(&b.id));
        if rows.len() > ALONE {
            groups.push(Group { health, kind, rows });
        } else {
            groups.extend(rows.into_iter().map(|row| Group { health, kind, rows: vec![row] }));
        }
    }
    groups
}

/// A domain that does not answer, and what that means.
fn absence(ctx: &Ctx<'_>, room: u16) -> Option<Entry> {
    let absent = ctx.store.sources().find_map(|source| Some((source.spec.domain, source.absence?)));
    let (domain, absence) = absent?;
    let writer = Writer::from(ctx);
    let says = match absence {
        Absence::Declared(until) => format!("switched off, declared until {}", writer.clock(until)),
        Absence::Clean => "shut down in order, but nobody has declared it".to_owned(),
        Absence::Lost(_) => "does not answer, and no shutdown was seen".to_owned(),
    };
    let (name, tone) = (domain_word(domain).to_owned(), absence.tone(ctx.now));
    let start = 7 + (room / 3).clamp(18, 36);
    let mut line =
        Line::new().at(2, word(tone), tone).at(7, name.clone(), Role::Text).at(start, says, Role::Text);
    if let Absence::Lost(heard) = absence {
        line = line.right(writer.age(heard), Role::Dim);
    }
    Some(Entry { line, goal: Goal::Home, name })
}

fn entry(group: &Group<'_>, ctx: &Ctx<'_>, room: u16) -> Entry {
    let tone = Tone::from(group.health);
    let first = group.rows[0];
    let (name, goal) = match group.rows.as_slice() {
        [one] => (one.name.to_string(), Goal::Row(one.id.clone())),
        many => (format!("{} {}", many.len(), group.kind.id.name()), Goal::Kind(group.kind.id.clone())),
    };
    let column = (room / 3).clamp(18, 36);
    let name = fit(&name, usize::from(column) - 1, ctx.ascii).into_owned();
    let since = group.rows.iter().filter_map(|row| since(row, group.kind)).min();
    let note = first.note.as_deref().unwrap_or(group.kind.singular.as_ref());
    let start = 7 + column;
    let kind = if room >= 100 { room - 30 } else { room.saturating_sub(AGE) };
    let note = fit(note, usize::from(kind.saturating_sub(start + 2)), ctx.ascii).into_owned();
    let mut line =
        Line::new().at(2, word(tone), tone).at(7, name.clone(), Role::Text).at(start, note, Role::Text);
    if room >= 100 {
        line = line.at(kind, group.kind.id.to_string(), Role::Dim);
    }
    if let Some(since) = since {
        line = line.right(Writer::from(ctx).age(since), Role::Dim);
    }
    Entry { line, goal, name }
}

/// The instant of the first column that shows an age.
fn since(row: &Row, kind: &KindSpec) -> Option<Timestamp> {
    let index = kind.columns.iter().position(|column| column.format == Format::Age)?;
    match row.cell(index).value {
        Value::Time(at) => Some(at),
        _ => None,
    }
}

/// Nothing wrong is only good where everything was seen.
fn calm(ctx: &Ctx<'_>) -> Line {
    let (mut seen, mut all) = (0, 0);
    for source in ctx.store.sources() {
        all += 1;
        seen += usize::from(source.proves_absence());
    }
    match (seen, all) {
        (_, 0) => Line::of("connecting", Role::Dim),
        (seen, all) if seen == all => {
            if let Some(trust) = trust::judge(ctx.store, ctx.now).filter(|trust| !trust.holds()) {
                let words = format!("nothing is known to be wrong, but blind: {}", trust.words());
                return Line::of(words, Role::Unknown);
            }
            Line::of(format!("nothing is known to be wrong; all {all} sources are fresh"), Role::Ok)
        }
        (seen, all) => {
            Line::of(format!("{seen} of {all} sources were seen; the rest is unknown"), Role::Unknown)
        }
    }
}

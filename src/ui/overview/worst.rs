//! What is wrong now, over all systems: one line a problem, the worst first, as the look-out has merged them.

use std::sync::Arc;

use jiff::Timestamp;

use crate::config::theme::Role;
use crate::insight::kinds::PROBLEMS;
use crate::insight::{problem, trust};
use crate::model::kind::{KindSpec, is_own};
use crate::model::row::{Health, Row, Tone, Value};
use crate::model::snapshot::Absence;
use crate::model::store::Source;
use crate::ui::component::Ctx;
use crate::ui::format::{Writer, word};
use crate::ui::lines::Line;
use crate::ui::table::domain_word;
use crate::ui::text::{clean, fit, width};

use super::{Entry, Goal};

/// Cells at the right edge for an age.
const AGE: u16 = 5;
/// So many of the worst get a second line: who feels it, and what is suspected.
const TOLD: usize = 3;

/// The lines, or one that says that nothing is known to be wrong and how much was looked at.
pub(super) fn entries(ctx: &Ctx<'_>, room: u16, most: usize) -> Vec<Entry> {
    let kind = PROBLEMS.into();
    let Some(spec) = ctx.kinds.get(&kind) else { return Vec::new() };
    let mut rows: Vec<&Arc<Row>> = ctx.store.rows(&kind).collect();
    let known = rows.iter().filter(|row| row.health == Health::Off).count();
    let ended = ended(&rows, spec);
    // The house as a whole has a line of its own.
    rows.retain(|row| !matches!(row.health, Health::Off | Health::Ok) && &*row.id.key != problem::HOME);
    rows.sort_by_key(|row| (std::cmp::Reverse(score(row, spec)), row.id.clone()));
    let mut entries: Vec<Entry> = absence(ctx, room).into_iter().collect();
    if rows.is_empty() && entries.is_empty() {
        entries.push(Entry::text(calm(ctx)));
        entries.extend(quiet(known));
        entries.extend(over(&ended));
        return entries;
    }
    let all = rows.len();
    // The names stand in one column, as wide as the longest of them needs.
    let widest = rows.iter().take(most).map(|row| width(&clean(&row.name))).max().unwrap_or(0);
    let column = u16::try_from(widest + 2).unwrap_or(u16::MAX).min((room / 3).clamp(18, 40));
    let room_for = most.saturating_sub(usize::from(known > 0) + usize::from(!ended.is_empty()));
    for (number, row) in rows.into_iter().enumerate() {
        let more = number + 1 < all;
        if entries.len() + usize::from(more) >= room_for && number > 0 {
            let text = format!("+{} more: ! lists them", all - number);
            entries.push(Entry::text(Line::of(text, Role::Dim)));
            break;
        }
        entries.push(entry(row, spec, ctx, room, column));
        if number < TOLD && row.health == Health::Critical && entries.len() + 1 < room_for {
            entries.extend(second(row, spec, ctx, room));
        }
    }
    entries.extend(quiet(known));
    entries.extend(over(&ended));
    entries
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

fn since(row: &Row, spec: &KindSpec) -> Option<Timestamp> {
    match spec.column("since").map(|at| &row.cell(at).value) {
        Some(Value::Time(since)) => Some(*since),
        _ => None,
    }
}

fn score(row: &Row, spec: &KindSpec) -> i64 {
    match spec.column("score").map(|at| &row.cell(at).value) {
        Some(Value::Int(score)) => *score,
        _ => 0,
    }
}

fn text<'r>(row: &'r Row, spec: &KindSpec, column: &str) -> &'r str {
    spec.column(column).and_then(|at| row.cell(at).value.as_text()).unwrap_or_default()
}

fn entry(row: &Row, spec: &KindSpec, ctx: &Ctx<'_>, room: u16, column: u16) -> Entry {
    let tone = Tone::from(row.health);
    let word = if row.health == Health::Unknown { "?" } else { text(row, spec, "state") };
    let name = clean(&row.name);
    let what = clean(text(row, spec, "what"));
    let name = fit(&name, usize::from(column) - 1, ctx.ascii).into_owned();
    let start = 7 + column;
    let left = usize::from(room.saturating_sub(start + AGE + 2));
    let what = fit(&what, left, ctx.ascii).into_owned();
    let mut line =
        Line::new().at(2, word.to_owned(), tone).at(7, name.clone(), Role::Text).at(start, what, Role::Text);
    if let Some(since) = since(row, spec) {
        line = line.right(Writer::from(ctx).age(since), Role::Dim);
    }
    Entry { line, goal: Goal::Row(row.id.clone()), name }
}

/// Who feels it, what is suspected behind it, how many signs were folded.
fn second(row: &Row, spec: &KindSpec, ctx: &Ctx<'_>, room: u16) -> Option<Entry> {
    let between = if ctx.ascii { " - " } else { " · " };
    let mut words = Vec::new();
    let felt = text(row, spec, "felt");
    if !felt.is_empty() {
        words.push(format!("felt by {felt}"));
    }
    let cause = text(row, spec, "cause");
    if !cause.is_empty() {
        words.push(format!("cause? {cause}"));
    }
    if let Some(Value::Int(signs @ 2..)) = spec.column("signs").map(|at| &row.cell(at).value) {
        words.push(format!("{signs} signs folded"));
    }
    if words.is_empty() {
        return None;
    }
    let words = words.join(between);
    let words = fit(&clean(&words), usize::from(room.saturating_sub(8)), ctx.ascii).into_owned();
    Some(Entry::text(Line::new().at(7, words, Role::Dim)))
}

fn quiet(known: usize) -> Option<Entry> {
    let text = format!("{known} known and not told again: ! lists them");
    (known > 0).then(|| Entry::text(Line::of(text, Role::Off)))
}

/// The names of what is over, the newest first.
fn ended(rows: &[&Arc<Row>], spec: &KindSpec) -> Vec<String> {
    let mut ended: Vec<&Arc<Row>> = rows.iter().copied().filter(|row| row.health == Health::Ok).collect();
    ended.sort_by_key(|row| (std::cmp::Reverse(since(row, spec)), row.id.clone()));
    ended.into_iter().map(|row| clean(&row.name).into_owned()).collect()
}

/// What is over stands here for a while: it may come back.
fn over(names: &[String]) -> Option<Entry> {
    let more = if names.len() > 2 { format!(" and {} more", names.len() - 2) } else { String::new() };
    let named = names.iter().take(2).cloned().collect::<Vec<_>>().join(", ");
    let text = format!("over: {named}{more}, watched in case it comes back");
    (!names.is_empty()).then(|| Entry::text(Line::of(text, Role::Ok)))
}

/// Nothing wrong is only good where everything was seen.
fn calm(ctx: &Ctx<'_>) -> Line {
    let (mut seen, mut all) = (0, 0);
    let asked = |source: &&Source| !is_own(&source.spec.id.backend) && !source.spec.is_on_demand();
    for source in ctx.store.sources().filter(asked) {
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

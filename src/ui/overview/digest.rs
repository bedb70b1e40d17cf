//! What is pinned, what was changed, what ends tonight: one line each, and none where there is nothing to say.

use crate::config::theme::Role;
use crate::insight::digest::Remark;
use crate::ui::component::Ctx;
use crate::ui::format::Writer;
use crate::ui::lines::Line;
use crate::ui::text::{clean, fit, width};

use super::{Entry, Goal};

/// Where the remarks begin.
const TEXT: u16 = 10;
/// No remark is longer than this, so that several have room.
const LONGEST: usize = 44;

/// The lines, with a blank one below where there are any.
pub(super) fn entries(ctx: &Ctx<'_>, room: u16) -> Vec<Entry> {
    let digest = ctx.digest;
    let lines = [("pinned", &digest.pinned), ("changed", &digest.changed), ("tonight", &digest.tonight)];
    let mut entries: Vec<Entry> = lines
        .into_iter()
        .filter(|(_, remarks)| !remarks.is_empty())
        .map(|(t, r)| entry(t, r, ctx, room))
        .collect();
    if !entries.is_empty() {
        entries.push(Entry::text(Line::new()));
    }
    entries
}

/// As many remarks as fit, the first one in any case.
fn entry(title: &str, remarks: &[Remark], ctx: &Ctx<'_>, room: u16) -> Entry {
    let writer = Writer::from(ctx);
    let between = if ctx.ascii { " - " } else { " · " };
    let mut line = Line::new().at(2, title.to_owned(), Role::Dim);
    let mut left = usize::from(room.saturating_sub(TEXT + 1));
    for (number, remark) in remarks.iter().enumerate() {
        let clock = remark.at.map(|at| format!("{} ", writer.clock(at))).unwrap_or_default();
        let text = clean(&remark.text);
        let text = fit(&text, LONGEST.min(left.saturating_sub(width(&clock))), ctx.ascii).into_owned();
        let gap = if number == 0 { 0 } else { width(between) };
        let wide = width(&clock) + width(&text) + gap;
        if number > 0 && (wide > left || text.is_empty()) {
            break;
        }
        left = left.saturating_sub(wide);
        if number == 0 {
            line = line.at(TEXT, clock, Role::Dim);
        } else {
            line = line.put(between, Role::Dim).put(clock, Role::Dim);
        }
        line = line.put(text, remark.tone);
    }
    let goal = remarks.iter().find_map(|remark| remark.id.clone()).map_or(Goal::None, Goal::Row);
    Entry { line, goal, name: title.to_owned() }
}

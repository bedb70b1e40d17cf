//! The line above the rows: what they are, how many of how many, and how far they can be trusted.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::config::theme::Role;
use crate::model::row::Tone;
use crate::model::snapshot::SourceHealth;
use crate::model::store::Source;
use crate::ui::component::Ctx;
use crate::ui::format::{Writer, glyph};
use crate::ui::text::Strip;

use super::Table;

/// A source's health in a few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chip {
    /// The words.
    pub text: String,
    /// Their role.
    pub tone: Tone,
}

/// What is known of one source, with the age of its last good answer.
pub fn chip(source: &Source, writer: &Writer<'_>) -> Chip {
    let name = &source.spec.id.instance;
    let age = source.good_at.map(|at| format!(" {}", writer.age(at))).unwrap_or_default();
    if let Some(absence) = source.absence {
        return Chip { text: format!("{name} {}{age}", absence.word()), tone: absence.tone(writer.now) };
    }
    let (words, tone) = match &source.health {
        SourceHealth::Loading if source.is_remembered() => (format!("remembered{age}"), Tone::Unknown),
        SourceHealth::Loading => ("loading".to_owned(), Tone::Pending),
        SourceHealth::Fresh if source.complete => (format!("fresh{age}"), Tone::Ok),
        SourceHealth::Fresh => (format!("partial{age}"), Tone::Warn),
        SourceHealth::Stale(fault) if source.good_at.is_none() => {
            (format!("blind {}", fault.layer), Tone::Unknown)
        }
        SourceHealth::Stale(fault) => (format!("stale{age} {}", fault.layer), Tone::Warn),
        SourceHealth::Denied(fault) => {
            (format!("denied {}", fault.missing.as_deref().unwrap_or("")).trim_end().to_owned(), Tone::Warn)
        }
    };
    Chip { text: format!("{name} {words}"), tone }
}

/// The chips of several sources, the worst first; good ones are told together.
pub fn chips<'s>(sources: impl Iterator<Item = &'s Source>, writer: &Writer<'_>) -> Vec<Chip> {
    let mut all: Vec<Chip> = sources.map(|source| chip(source, writer)).collect();
    all.sort_by_key(|chip| rank(chip.tone));
    let good = all.iter().filter(|chip| chip.tone == Tone::Ok).count();
    if good > 1 {
        all.retain(|chip| chip.tone != Tone::Ok);
        all.push(Chip { text: format!("{good} fresh"), tone: Tone::Ok });
    }
    all.dedup();
    all
}

fn rank(tone: Tone) -> u8 {
    match tone {
        Tone::Error | Tone::Danger => 0,
        Tone::Unknown => 1,
        Tone::Warn => 2,
        Tone::Pending => 3,
        Tone::Off => 4,
        _ => 5,
    }
}

/// What went wrong with the sources, a line each: layer, our reading, the raw first line, what to do.
pub fn faults<'s>(sources: impl Iterator<Item = &'s Source>) -> Vec<(String, Tone)> {
    let mut lines = Vec::new();
    for source in sources {
        if let Some(fault) = source.health.fault() {
            let hint = if fault.hint.is_empty() { String::new() } else { format!(" · {}", fault.hint) };
            lines.push((format!("{}: {fault}{hint}", source.spec.id.instance), Tone::Warn));
        }
        let note = |note: &String| (format!("{}: {note}", source.spec.id.instance), Tone::Unknown);
        lines.extend(source.notes.iter().map(note));
    }
    lines.dedup();
    lines
}

impl Table {
    /// Draws the line above the rows; returns the cursor of the filter while it is typed.
    pub(super) fn draw_header(&self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<Position> {
        let style = |role: Role| ctx.theme.style(role);
        let mut strip = Strip::new(buf, area, ctx.ascii);
        let narrow = area.width < 60;
        let place = self.place_word();
        strip.right(&place, style(Role::Dim)).right_gap(u16::from(!place.is_empty()));
        for chip in chips(ctx.store.of_kind(&self.kind.id), &Writer::from(ctx)).iter().rev() {
            if narrow && chip.tone == Tone::Ok {
                continue;
            }
            let sign = glyph(chip.tone, ctx.ascii);
            let quiet = chip.tone == Tone::Ok;
            let role = if quiet { Role::Dim } else { chip.tone.into() };
            let words = if quiet { chip.text.clone() } else { format!("{sign} {}", chip.text) };
            strip.right(&words, style(role)).right_gap(1);
        }
        strip.put(self.kind.id.name(), style(Role::Title)).put(" ", style(Role::Text));
        strip.put(&self.count_words(), style(Role::Text));
        if let Some(scope) = &self.scope {
            strip.gap(2).put(&format!("{}={}", scope.column, scope.value), style(Role::Accent));
        }
        if !self.marks.is_empty() {
            strip.gap(2).put(&format!("{} marked", self.marks.len()), style(Role::Mark));
        }
        let at = (self.typing || !self.filter.is_empty()).then(|| {
            strip.gap(2).put("/", style(Role::Key));
            let rest = Rect { x: strip.x(), width: strip.left(), y: area.y, height: area.height.min(1) };
            (rest, self.query.unknown_keys(&self.kind).map(str::to_owned).collect::<Vec<_>>())
        });
        let (rest, unknown) = at?;
        let cursor = self.filter.draw(buf, rest, style(Role::Match), ctx.ascii);
        if !unknown.is_empty() {
            let hint = format!("no column {}", unknown.join(", "));
            Strip::new(buf, rest, ctx.ascii).to(cursor.x + 2).put(&hint, style(Role::Warn));
        }
        self.typing.then_some(cursor)
    }

    fn count_words(&self) -> String {
        let (shown, total) = (self.order.rows.len(), self.order.total);
        if self.query.is_empty() { total.to_string() } else { format!("{shown} of {total}") }
    }

    /// Where the viewport stands; changes only when it scrolls, as a cursor move shall cost next to nothing.
    fn place_word(&self) -> String {
        let (top, height, rows) = (self.cursor.top(), self.cursor.height(), self.order.rows.len());
        match rows.saturating_sub(height) {
            0 => String::new(),
            _ if top == 0 => "top".to_owned(),
            last if top >= last => "end".to_owned(),
            last => format!("{}%", (top * 100 / last).clamp(1, 99)),
        }
    }
}

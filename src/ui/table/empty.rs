//! Why there are no rows: four answers that must never look alike.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::model::row::Tone;
use crate::model::snapshot::SourceHealth;
use crate::ui::component::Ctx;
use crate::ui::format::glyph;
use crate::ui::text::{Strip, line, wrap};

use super::{Table, faults};

impl Table {
    /// Says in the middle of nothing why nothing is there.
    pub(super) fn draw_empty(&self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) {
        let mut y = 1;
        for (text, tone) in self.why_empty(ctx) {
            for part in wrap(&text, usize::from(area.width.saturating_sub(4))) {
                let style = ctx.theme.style(tone);
                Strip::new(buf, line(area, y), ctx.ascii).gap(2).put(&part, style);
                y += 1;
            }
        }
    }

    fn why_empty(&self, ctx: &Ctx<'_>) -> Vec<(String, Tone)> {
        let kind = &self.kind.id;
        let name = kind.name();
        let say = |text: String, tone: Tone| (format!("{} {text}", glyph(tone, ctx.ascii)), tone);
        if self.order.total > 0 {
            let filter =
                format!("None of {} {name} matches the filter {}", self.order.total, self.filter.text());
            return vec![say(filter, Tone::Info)];
        }
        if ctx.store.of_kind(kind).next().is_none() {
            return vec![say(format!("No server that has {name} is configured"), Tone::Unknown)];
        }
        if ctx.store.proves_absence(kind) {
            let within =
                self.scope.as_ref().map(|s| format!(" with {} {}", s.column, s.value)).unwrap_or_default();
            return vec![say(format!("There are no {name}{within}"), Tone::Info)];
        }
        let loading = |source: &crate::model::store::Source| source.health == SourceHealth::Loading;
        if ctx.store.of_kind(kind).all(loading) {
            return vec![say(format!("Loading {name}"), Tone::Pending)];
        }
        let seen = format!("{name}: not all can be seen; that none is listed here proves nothing");
        let mut lines = vec![say(seen, Tone::Unknown)];
        lines.extend(faults(ctx.store.of_kind(kind)));
        lines
    }
}

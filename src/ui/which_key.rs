//! What can follow the keys typed so far, above the hint line.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::config::key::{Key, label};
use crate::config::theme::Role;

use super::component::Ctx;
use super::layout::sheet;
use super::text::Strip;

/// Draws the choices over the last lines of an area.
pub fn draw(buf: &mut Buffer, area: Rect, pending: &[Key], choices: &[(Key, String)], ctx: &Ctx<'_>) {
    let begun = label(pending, ctx.ascii);
    let area = sheet(buf, area, choices.len(), &begun, Role::Title, ctx);
    for (index, (key, doc)) in (0..area.height).zip(choices) {
        let keys = format!("{begun} {}", key.label(ctx.ascii));
        let mut strip = Strip::at(buf, area, index, ctx.ascii);
        strip.gap(2).field(&keys, 8, false, ctx.theme.style(Role::Key)).gap(2);
        strip.put(doc, ctx.theme.style(Role::Text));
    }
}

//! One frame: header, pane, layers, hint line.

use jiff::Timestamp;

use crate::ui::chrome::{self, State};
use crate::ui::component::{Buffer, Component, Position};
use crate::ui::{layout, which_key};

use super::App;

impl App {
    /// Draws the whole screen; returns where the hardware cursor belongs.
    pub fn draw(&mut self, now: Timestamp, buf: &mut Buffer) -> Option<Position> {
        self.look.now = now;
        self.dirty = false;
        let ctx = self.look.ctx(&self.facts);
        let Some(frame) = layout::frame(buf.area) else {
            layout::too_small(buf, buf.area, &ctx);
            return None;
        };
        let state = State {
            demo: self.demo.is_some(),
            paused: self.paused,
            running: self.ledger.under_way(),
            unknown: self.ledger.unknown(),
        };
        chrome::header(buf, frame.header, &self.summary, state, &ctx);
        let mut cursor = self.places.pane_mut().component_mut().draw(buf, frame.body, &ctx);
        for overlay in &mut self.overlays {
            cursor = overlay.component_mut().draw(buf, frame.body, &ctx).or(cursor);
        }
        let (pending, choices) = self.router.choices();
        if !pending.is_empty() {
            which_key::draw(buf, frame.body, pending, choices, &ctx);
        }
        let focus: &dyn Component = match self.overlays.last() {
            Some(overlay) => overlay.component(),
            None => self.places.pane().component(),
        };
        let toast = self.toast.as_ref();
        chrome::hints(buf, frame.hints, &focus.hints(&ctx), focus.context(), toast, &ctx);
        cursor
    }
}

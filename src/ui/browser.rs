//! The pane of one kind: its table, and from 120 columns on the selected row in full beside it.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::model::action::{Action, Context};
use crate::model::id::EntityId;
use crate::model::kind::KindSpec;
use crate::model::snapshot::Fault;
use crate::model::view::Doc;

use super::component::{Component, Ctx, Outcome};
use super::detail::Detail;
use super::layout::{divide, split};
use super::table::{Scope, Table};

/// The rows of one kind and the selected one in full.
///
/// The detail does not follow every key: the application waits until the cursor rests and then calls
/// [`Browser::settle`], so that a held key costs bytes for the list alone.
#[derive(Debug)]
pub struct Browser {
    table: Table,
    detail: Detail,
    in_detail: bool,
    beside: bool,
    /// The row whose description was asked for.
    told: Option<EntityId>,
}

impl Browser {
    /// The browser of a kind, within a scope where there is one.
    pub fn new(kind: Arc<KindSpec>, scope: Option<Scope>) -> Self {
        let (table, detail) = (Table::new(kind, scope), Detail::default());
        Self { table, detail, in_detail: false, beside: false, told: None }
    }

    /// Its table.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Its table, to filter, sort and move in.
    pub fn table_mut(&mut self) -> &mut Table {
        &mut self.table
    }

    /// Whether the detail is on screen.
    pub fn shows_detail(&self) -> bool {
        self.beside
    }

    /// Lets the detail follow the cursor; true where it is on screen and its row has not been described yet.
    pub fn settle(&mut self) -> bool {
        let selected = self.table.selected();
        self.detail.show(selected.clone());
        let wants = self.beside && self.told != selected;
        if wants {
            self.told = selected;
        }
        wants
    }

    /// The row in the detail.
    pub fn detailed(&self) -> Option<&EntityId> {
        self.detail.id()
    }

    /// Takes the description of a row.
    pub fn describe(&mut self, id: &EntityId, body: Result<Doc, Fault>) {
        self.detail.describe(id, body);
    }

    fn focused(&mut self) -> &mut dyn Component {
        if self.in_detail && self.beside { &mut self.detail } else { &mut self.table }
    }
}

impl Component for Browser {
    fn context(&self) -> Context {
        if self.in_detail && self.beside { self.detail.context() } else { self.table.context() }
    }

    fn takes_text(&self) -> bool {
        !(self.in_detail && self.beside) && self.table.takes_text()
    }

    fn on(&mut self, action: &Action, ctx: &Ctx<'_>) -> Outcome {
        match action {
            Action::Focus if self.beside => self.in_detail = !self.in_detail,
            Action::Back if self.in_detail && self.beside => self.in_detail = false,
            _ => return self.focused().on(action, ctx),
        }
        Outcome::Consumed
    }

    fn refresh(&mut self, ctx: &Ctx<'_>) -> bool {
        let row = |id: Option<&EntityId>| id.and_then(|id| ctx.store.get(id)).map(Arc::as_ptr);
        let before = row(self.detail.id());
        let changed = self.table.refresh(ctx);
        if self.detail.id().is_none() {
            self.detail.show(self.table.selected());
        }
        changed || self.beside && before != row(self.detail.id())
    }

    fn draw(&mut self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<Position> {
        let Some((left, between, right)) = split(area) else {
            self.beside = false;
            return self.table.draw(buf, area, ctx);
        };
        self.beside = true;
        let cursor = self.table.draw_in(buf, left, ctx, true);
        if self.detail.id().is_none() {
            self.detail.show(self.table.selected());
        }
        divide(buf, between, self.in_detail, ctx);
        self.detail.draw(buf, right, ctx);
        if self.in_detail { Some(right.as_position()) } else { cursor }
    }

    fn hints(&self, ctx: &Ctx<'_>) -> Vec<Action> {
        if self.in_detail && self.beside { self.detail.hints(ctx) } else { self.table.hints(ctx) }
    }

    fn selected(&self) -> Option<EntityId> {
        self.table.selected()
    }

    fn marked(&self) -> Vec<EntityId> {
        self.table.marked()
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::proptest;

    use super::*;
    use crate::model::snapshot::Layer;
    use crate::model::view::{DocLine, Fact};
    use crate::ui::component::Request;
    use crate::ui::testing::{Screen, World, act, many};

    fn browser(world: &World) -> Browser {
        Browser::new(world.kind("proxmox.guests"), None)
    }

    #[test]
    fn a_wide_screen_shows_list_and_detail() {
        let world = World::lab();
        let mut pane = browser(&world);
        act(&mut pane, &world, &[Action::Down]);
        assert_snapshot!(Screen::of(&mut pane, 140, 16, &world).text());
        assert_snapshot!(Screen::of(&mut pane, 80, 8, &world).text());
    }

    #[test]
    fn the_detail_follows_when_the_cursor_rests() {
        let world = World::lab();
        let mut pane = browser(&world);
        Screen::of(&mut pane, 120, 20, &world);
        let first = pane.detailed().cloned();
        assert!(pane.settle(), "the first row wants a description too");
        let outcome = act(&mut pane, &world, &[Action::Down]);
        assert_eq!(outcome, Outcome::emit(Request::Selected(pane.selected())));
        Screen::of(&mut pane, 120, 20, &world);
        assert_eq!(pane.detailed(), first.as_ref());
        assert!(pane.settle());
        assert_eq!(pane.detailed(), pane.selected().as_ref());
        assert!(!pane.settle());
    }

    #[test]
    fn a_description_replaces_the_cells_unless_it_is_late() {
        let world = World::lab();
        let mut pane = browser(&world);
        Screen::of(&mut pane, 120, 20, &world);
        let doc = Doc::default().facts("budget", vec![Fact::new("start", "REFUSED 68 of 64 GiB")]);
        let late = EntityId::new("proxmox.guests", "pve", "qemu/100");
        pane.describe(&late, Ok(doc.clone()));
        assert!(!Screen::of(&mut pane, 120, 20, &world).text().contains("REFUSED"));
        let shown = pane.detailed().cloned().unwrap();
        pane.describe(&shown, Ok(doc));
        assert!(Screen::of(&mut pane, 120, 20, &world).text().contains("REFUSED"));
    }

    #[test]
    fn a_failed_description_keeps_the_cells_and_says_why() {
        let world = World::lab();
        let mut pane = browser(&world);
        Screen::of(&mut pane, 120, 20, &world);
        let shown = pane.detailed().cloned().unwrap();
        let fault = Fault::new(Layer::Http, "no answer in time").raw("deadline has elapsed");
        pane.describe(&shown, Err(fault));
        assert_snapshot!(Screen::of(&mut pane, 120, 20, &world).text());
    }

    #[test]
    fn the_focus_moves_to_the_detail_and_back() {
        let world = World::lab();
        let mut pane = browser(&world);
        assert_eq!(
            act(&mut pane, &world, &[Action::Focus]),
            Outcome::Ignored,
            "there is no detail at 80 columns"
        );
        let doc = Doc::default().lines("", (0..50).map(|n| DocLine::new(format!("line {n}"))).collect());
        Screen::of(&mut pane, 120, 20, &world);
        pane.describe(&pane.detailed().cloned().unwrap(), Ok(doc));
        act(&mut pane, &world, &[Action::Focus]);
        assert_eq!(pane.context(), Context::Doc);
        Screen::of(&mut pane, 120, 20, &world);
        act(&mut pane, &world, &[Action::PageDown]);
        assert!(!Screen::of(&mut pane, 120, 20, &world).text().contains("line 3\n"));
        act(&mut pane, &world, &[Action::Back]);
        assert_eq!(pane.context(), Context::Table);
    }

    #[test]
    fn beside_a_detail_the_list_scrolls_by_half_pages() {
        let mut world = World::lab();
        let rows = many(&world, 200);
        world.rows("proxmox", "pve", rows);
        let mut pane = browser(&world);
        Screen::of(&mut pane, 120, 22, &world);
        act(&mut pane, &world, &vec![Action::Down; 20]);
        let text = Screen::of(&mut pane, 120, 22, &world).text();
        assert!(text.contains("guest-00011") && !text.contains("guest-00010 "), "{text}");
    }

    proptest! {
        #[test]
        fn any_size_can_be_drawn(width in 1_u16..160, height in 1_u16..12) {
            let world = World::lab();
            Screen::of(&mut browser(&world), width, height, &world);
        }
    }
}

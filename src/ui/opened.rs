//! One opened view of a row: whatever shape its content turns out to have, under a line that says what it is.

mod content;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::config::theme::Role;
use crate::model::action::{Action, Context};
use crate::model::id::EntityId;
use crate::model::snapshot::Fault;
use crate::model::view::{Doc, View};

use super::component::{Component, Ctx, Outcome};
use super::detail;
use super::text::{Strip, line};

use content::Content;

/// An opened view.
#[derive(Debug)]
pub struct Opened {
    id: EntityId,
    name: String,
    content: Content,
    answered: bool,
    fault: Option<Fault>,
}

impl Opened {
    /// A view that waits for its content; a description shows the row's own cells until then.
    pub fn new(id: EntityId, name: &str, ctx: &Ctx<'_>) -> Self {
        let doc = match ctx.store.get(&id).zip(ctx.kinds.get(&id.kind)) {
            Some((row, kind)) if name == "describe" => detail::cells(kind, row),
            _ => Doc::default(),
        };
        let content = Content::of(View::Doc(doc));
        Self { id, name: name.to_owned(), content, answered: false, fault: None }
    }

    /// Takes content in: a log grows, everything else is replaced; a fault leaves the content as it was.
    pub fn set(&mut self, body: Result<View, Fault>) {
        match body {
            Ok(view) => {
                (self.answered, self.fault) = (true, None);
                self.content.take(view);
            }
            Err(fault) => self.fault = Some(fault),
        }
    }

    /// The line above: what it is, of what, and where.
    fn head(&self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) {
        let style = |role: Role| ctx.theme.style(role);
        let row = ctx.store.get(&self.id);
        let name = row.map_or_else(|| self.id.key.to_string(), |row| row.name.to_string());
        let mut strip = Strip::new(buf, area, ctx.ascii);
        strip.right(&format!("{} · {}", self.id.kind, self.id.instance), style(Role::Dim)).right_gap(1);
        strip.put(&name, style(Role::Title)).gap(1).put(&self.name, style(Role::Text));
        if !self.answered && self.fault.is_none() {
            strip.gap(2).put("asking", style(Role::Pending));
        }
        if row.is_none() && self.id.kind.as_str() != crate::insight::kinds::HANDOVER {
            strip.gap(2).put("not in the list any more", style(Role::Unknown));
        }
    }

    /// Why there is no fresh content, under the heading: our reading with the raw first line, then what to do.
    fn trouble(&self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> u16 {
        let Some(fault) = &self.fault else { return 0 };
        let put = |buf: &mut Buffer, y: u16, text: &str, role: Role| {
            Strip::at(buf, area, y, ctx.ascii).gap(2).put(text, ctx.theme.style(role));
        };
        put(buf, 1, &fault.to_string(), Role::Warn);
        if fault.hint.is_empty() {
            return 1;
        }
        put(buf, 2, &fault.hint, Role::Dim);
        2
    }
}

impl Component for Opened {
    fn context(&self) -> Context {
        self.content.component().context()
    }

    fn takes_text(&self) -> bool {
        self.content.component().takes_text()
    }

    fn on(&mut self, action: &Action, ctx: &Ctx<'_>) -> Outcome {
        self.content.component_mut().on(action, ctx)
    }

    fn draw(&mut self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<Position> {
        self.head(buf, line(area, 0), ctx);
        let trouble = self.trouble(buf, area, ctx);
        // A blank line sets the content apart where there is room for it.
        let above = (1 + trouble + u16::from(area.height > 10)).min(area.height);
        let rest = Rect { y: area.y + above, height: area.height - above, ..area };
        self.content.component_mut().draw(buf, rest, ctx)
    }

    fn hints(&self, ctx: &Ctx<'_>) -> Vec<Action> {
        self.content.component().hints(ctx)
    }

    fn selected(&self) -> Option<EntityId> {
        Some(self.content.component().selected().unwrap_or_else(|| self.id.clone()))
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::model::row::Tone;
    use crate::model::snapshot::Layer;
    use crate::model::view::{Board, Chart, LogLine, Matrix, Node, Tree};
    use crate::ui::testing::{Screen, World};

    fn opened(world: &World, name: &str) -> Opened {
        Opened::new(EntityId::new("proxmox.guests", "pve", "qemu/110"), name, &world.ctx())
    }

    #[test]
    fn a_description_shows_the_cells_until_it_comes() {
        let world = World::lab();
        assert_snapshot!(Screen::of(&mut opened(&world, "describe"), 80, 14, &world).text());
    }

    #[test]
    fn a_fault_keeps_the_content_and_says_what_to_do() {
        let world = World::lab();
        let mut pane = opened(&world, "describe");
        let fault = Fault::new(Layer::Tls, "another certificate than the pinned one").raw("bad certificate");
        pane.set(Err(fault.hint("compare the fingerprint with `openssl x509 -fingerprint`")));
        assert_snapshot!(Screen::of(&mut pane, 80, 14, &world).text());
    }

    #[test]
    fn a_log_grows_and_every_other_shape_is_replaced() {
        let world = World::lab();
        let mut pane = opened(&world, "log");
        let said = |text: &str| LogLine { at: None, source: None, text: text.into(), tone: Tone::Text };
        pane.set(Ok(View::Log(vec![said("one")])));
        pane.set(Ok(View::Log(vec![said("two")])));
        let text = Screen::of(&mut pane, 60, 8, &world).text();
        assert!(text.contains("one") && text.contains("two"), "{text}");
        assert_eq!(pane.context(), Context::Log);
        let id = EntityId::new("kubernetes.pods", "cloud", "media/lidarr-0");
        let node = Node {
            depth: 0,
            label: "lidarr-0".into(),
            state: "Running".into(),
            tone: Tone::Ok,
            note: String::new(),
            id: Some(id.clone()),
        };
        pane.set(Ok(View::Tree(Tree { nodes: vec![node] })));
        assert_eq!((pane.context(), pane.selected()), (Context::Tree, Some(id)));
        let shapes =
            [View::Chart(Chart::default()), View::Board(Board::default()), View::Matrix(Matrix::default())];
        for view in shapes {
            pane.set(Ok(view));
            assert!(!Screen::of(&mut pane, 60, 8, &world).text().contains("lidarr-0"));
        }
    }
}

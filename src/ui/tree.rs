//! Trees: resources below an application, snapshots of a guest; folded where one does not look.

use std::collections::HashSet;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::config::theme::Role;
use crate::model::action::{Action, Context};
use crate::model::id::EntityId;
use crate::model::view::{Node, Tree};

use super::component::{Component, Ctx, Outcome, Request};
use super::format::glyph;
use super::pick::Pick;
use super::text::{Strip, clean, line};

/// What a fold holds on to while the tree changes: the labels from the root down.
type Path = Vec<String>;

/// A tree with a cursor.
#[derive(Debug, Clone, Default)]
pub struct TreePane {
    tree: Tree,
    folded: HashSet<Path>,
    shown: Vec<usize>,
    pick: Pick,
}

impl TreePane {
    /// A pane of one.
    pub fn new(tree: Tree) -> Self {
        let mut pane = Self::default();
        pane.set(tree);
        pane
    }

    /// Replaces the tree; cursor and folds stay with their nodes.
    pub fn set(&mut self, tree: Tree) {
        let here = self.current().map(|at| self.path(at));
        self.tree = tree;
        let same = (0..self.tree.nodes.len()).find(|at| Some(self.path(*at)) == here);
        self.lay(same);
    }

    fn current(&self) -> Option<usize> {
        self.shown.get(self.pick.at()).copied()
    }

    fn node(&self) -> Option<&Node> {
        self.tree.nodes.get(self.current()?)
    }

    /// The labels from the root to a node.
    fn path(&self, at: usize) -> Path {
        let mut path = Vec::new();
        let mut depth = u16::MAX;
        for node in self.tree.nodes[..=at].iter().rev() {
            if node.depth < depth {
                path.push(node.label.clone());
                depth = node.depth;
            }
        }
        path.reverse();
        path
    }

    fn parent(&self, at: usize) -> Option<usize> {
        let depth = self.tree.nodes[at].depth;
        (0..at).rev().find(|other| self.tree.nodes[*other].depth < depth)
    }

    fn has_children(&self, at: usize) -> bool {
        let depth = self.tree.nodes[at].depth;
        self.tree.nodes.get(at + 1).is_some_and(|next| next.depth > depth)
    }

    /// Finds out which nodes are shown, and puts the cursor on one of them.
    fn lay(&mut self, cursor: Option<usize>) {
        self.shown.clear();
        let mut below: Option<u16> = None;
        for (at, node) in self.tree.nodes.iter().enumerate() {
            if below.is_some_and(|depth| node.depth > depth) {
                continue;
            }
            self.shown.push(at);
            below = (!self.folded.is_empty() && self.folded.contains(&self.path(at))).then_some(node.depth);
        }
        if let Some(at) = cursor.and_then(|node| self.shown.iter().position(|shown| *shown == node)) {
            self.pick.go(at);
        }
    }

    /// Folds the node; where it is a leaf or folded already, goes to its parent.
    fn fold(&mut self) {
        let Some(at) = self.current() else { return };
        if self.has_children(at) && self.folded.insert(self.path(at)) {
            self.lay(Some(at));
        } else if let Some(parent) = self.parent(at) {
            self.lay(Some(parent));
        }
    }

    fn unfold(&mut self) {
        let Some(at) = self.current() else { return };
        if self.folded.remove(&self.path(at)) {
            self.lay(Some(at));
        }
    }

    fn copy(&self) -> Outcome {
        let Some(node) = self.node() else { return Outcome::Ignored };
        Outcome::emit(Request::Copy { text: clean(&node.label).into_owned(), what: "name".to_owned() })
    }

    fn draw_node(&self, buf: &mut Buffer, area: Rect, at: usize, ctx: &Ctx<'_>) {
        let node = &self.tree.nodes[at];
        let here = self.current() == Some(at);
        let style = |role: Role| ctx.theme.style(role);
        let folded = self.folded.contains(&self.path(at));
        let fold = match (self.has_children(at), folded, ctx.ascii) {
            (false, _, _) => " ",
            (true, true, false) => "▸",
            (true, false, false) => "▾",
            (true, true, true) => "+",
            (true, false, true) => "-",
        };
        let mut strip = Strip::new(buf, area, ctx.ascii);
        strip.put(
            if !here {
                " "
            } else if ctx.ascii {
                ">"
            } else {
                "▌"
            },
            style(Role::Selection),
        );
        strip.gap(1 + node.depth.min(area.width / 4) * 2).put(fold, style(Role::Dim)).gap(1);
        strip.put(&node.label, style(if here { Role::Selection } else { Role::Text })).gap(2);
        if !node.state.is_empty() {
            let state = format!("{} {}", glyph(node.tone, ctx.ascii), node.state);
            strip.put(&state, ctx.theme.style(node.tone)).gap(2);
        }
        strip.put(&node.note, style(Role::Dim));
    }
}

impl Component for TreePane {
    fn context(&self) -> Context {
        Context::Tree
    }

    fn on(&mut self, action: &Action, _ctx: &Ctx<'_>) -> Outcome {
        match action {
            Action::Left => self.fold(),
            Action::Right => self.unfold(),
            Action::Enter => {
                return match self.selected() {
                    Some(id) => Outcome::emit(Request::Enter(id)),
                    None => Outcome::Consumed,
                };
            }
            Action::CopyCell => return self.copy(),
            action if self.pick.on(action, self.shown.len()) => {}
            _ => return Outcome::Ignored,
        }
        Outcome::Consumed
    }

    fn draw(&mut self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<Position> {
        let visible = self.pick.view(area.height, self.shown.len());
        let mut cursor = None;
        for (index, at) in (0..area.height).zip(&self.shown[visible]) {
            self.draw_node(buf, line(area, index), *at, ctx);
            if self.current() == Some(*at) {
                cursor = Some(line(area, index).as_position());
            }
        }
        cursor
    }

    fn hints(&self, _ctx: &Ctx<'_>) -> Vec<Action> {
        vec![Action::Enter, Action::Left, Action::Right, Action::Operations, Action::Back]
    }

    fn selected(&self) -> Option<EntityId> {
        self.node().and_then(|node| node.id.clone())
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::proptest;

    use super::*;
    use crate::model::row::Tone;
    use crate::ui::testing::{Screen, World, act};

    fn node(depth: u16, label: &str, state: &str, tone: Tone, id: Option<&str>) -> Node {
        let id = id.map(|key| EntityId::new("kubernetes.pods", "cloud", key));
        Node { depth, label: label.into(), state: state.into(), tone, note: String::new(), id }
    }

    fn tree() -> Tree {
        let nodes = vec![
            node(0, "nextcloud", "OutOfSync", Tone::Warn, None),
            node(1, "Deployment nextcloud", "Healthy", Tone::Ok, None),
            node(2, "ReplicaSet nextcloud-7d9", "Healthy", Tone::Ok, None),
            node(3, "Pod nextcloud-7d9-x2x", "Running", Tone::Ok, Some("media/nextcloud-7d9-x2x")),
            node(1, "ConfigMap nextcloud", "OutOfSync", Tone::Warn, None),
        ];
        Tree { nodes }
    }

    fn pane() -> TreePane {
        TreePane::new(tree())
    }

    #[test]
    fn children_stand_below_their_parents() {
        let world = World::lab();
        let mut pane = pane();
        act(&mut pane, &world, &[Action::Down, Action::Down, Action::Down]);
        assert_snapshot!(Screen::of(&mut pane, 60, 6, &world).text());
        assert_eq!(pane.selected().map(|id| id.key.to_string()).as_deref(), Some("media/nextcloud-7d9-x2x"));
    }

    #[test]
    fn a_folded_node_hides_what_is_below_it() {
        let world = World::lab();
        let mut pane = pane();
        act(&mut pane, &world, &[Action::Down, Action::Left]);
        assert_snapshot!(Screen::of(&mut pane, 60, 6, &world).text());
        act(&mut pane, &world, &[Action::Right]);
        assert_eq!(pane.shown.len(), 5);
        act(&mut pane, &world, &[Action::Bottom, Action::Left]);
        assert_eq!(pane.current(), Some(0), "from a leaf to its parent");
    }

    #[test]
    fn cursor_and_folds_stay_when_the_tree_changes() {
        let world = World::lab();
        let mut pane = pane();
        act(&mut pane, &world, &[Action::Down, Action::Left, Action::Down]);
        let mut changed = tree();
        changed.nodes.insert(1, node(1, "Service nextcloud", "Healthy", Tone::Ok, None));
        pane.set(changed);
        assert_eq!(pane.node().map(|node| &*node.label), Some("ConfigMap nextcloud"));
        assert_eq!(pane.shown.len(), 4);
    }

    proptest! {
        #[test]
        fn any_tree_and_any_size_can_be_drawn(
            depths in proptest::collection::vec(0_u16..9, 0..20), picks in proptest::collection::vec(0_usize..14, 0..12),
            width in 1_u16..40, height in 1_u16..8,
        ) {
            let world = World::lab();
            let nodes = depths.iter().map(|depth| node(*depth, "漢字", "x", Tone::Ok, None)).collect();
                    let mut pane = TreePane::new(Tree { nodes });
            for pick in picks {
                act(&mut pane, &world, &[Action::SIMPLE[pick].clone()]);
                Screen::of(&mut pane, width, height, &world);
            }
        }
    }
}

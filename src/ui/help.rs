//! Help, printed from the keymap that the router uses: it cannot lie.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::config::key::label;
use crate::config::theme::Role;
use crate::model::action::{Action, Context};
use crate::model::kind::KindSpec;

use super::component::{Component, Ctx, Outcome, Request};
use super::lines::{Line, Scroll, labelled, wrapped};
use super::text::{blank, fit, width, wrap};

/// The keys of some contexts, and the columns of a kind where one is open.
#[derive(Debug)]
pub struct Help {
    contexts: Vec<Context>,
    kind: Option<std::sync::Arc<KindSpec>>,
    scroll: Scroll,
}

/// One binding as it is printed.
struct Entry {
    keys: String,
    doc: String,
}

impl Help {
    /// Help of these contexts in their order.
    pub fn new(contexts: Vec<Context>, kind: Option<std::sync::Arc<KindSpec>>) -> Self {
        Self { contexts, kind, scroll: Scroll::default() }
    }

    fn lines(&self, room: u16, ctx: &Ctx<'_>) -> Vec<Line> {
        let mut lines = Vec::new();
        for context in &self.contexts {
            let entries = entries(*context, ctx);
            if !entries.is_empty() {
                lines.push(Line::new().put(context.name(), Role::Title));
                lines.extend(columns(&entries, room, ctx));
                lines.push(Line::new());
            }
        }
        if let Some(kind) = &self.kind {
            lines.extend(about(kind, room));
        }
        lines
    }
}

/// The bindings of a context, all keys of one action together.
fn entries(context: Context, ctx: &Ctx<'_>) -> Vec<Entry> {
    let mut found: Vec<(Action, Entry)> = Vec::new();
    for (keys, action) in ctx.keymap.bindings(context) {
        let keys = label(&keys, ctx.ascii);
        if let Some((_, entry)) = found.iter_mut().find(|(known, _)| *known == action) {
            entry.keys = format!("{} {keys}", entry.keys);
        } else {
            let doc = doc(&action, ctx);
            found.push((action, Entry { keys, doc }));
        }
    }
    found.into_iter().map(|(_, entry)| entry).collect()
}

/// What an action does here: a pane's digit names its kind, an operation its own sentence.
fn doc(action: &Action, ctx: &Ctx<'_>) -> String {
    match action {
        Action::Pane('0') => "Overview".to_owned(),
        Action::Pane(digit) => {
            let kinds: Vec<&str> = ctx
                .kinds
                .iter()
                .filter(|kind| kind.pane == Some(*digit))
                .map(|kind| kind.id.as_str())
                .collect();
            if kinds.is_empty() { action.doc().into_owned() } else { format!("Open {}", kinds.join(", ")) }
        }
        Action::Operate(name) => {
            ctx.operations.get(name).map_or_else(|| action.doc().into_owned(), |op| op.doc.to_string())
        }
        action => action.doc().into_owned(),
    }
}

/// Sets entries in two columns where there is room, read from top to bottom.
fn columns(entries: &[Entry], room: u16, ctx: &Ctx<'_>) -> Vec<Line> {
    let sides = if room >= 76 { 2 } else { 1 };
    let half = room / sides;
    let keys = entries.iter().map(|entry| width(&entry.keys)).max().unwrap_or(0).min(14);
    let keys = u16::try_from(keys).unwrap_or(14);
    let mut lines: Vec<Line> = Vec::new();
    for (side, part) in (0..).zip(entries.chunks(entries.len().div_ceil(usize::from(sides)).max(1))) {
        let x = side * half + 2;
        let room = usize::from(half.saturating_sub(keys + 6));
        let mut at = 0;
        for entry in part {
            let bound = fit(&entry.keys, usize::from(keys), ctx.ascii).into_owned();
            let mut bound = Some(bound);
            for text in wrap(&entry.doc, room) {
                if at == lines.len() {
                    lines.push(Line::new());
                }
                let line = std::mem::take(&mut lines[at]);
                let line = line.at(x, bound.take().unwrap_or_default(), Role::Key);
                lines[at] = line.at(x + keys + 2, text, Role::Text);
                at += 1;
            }
        }
    }
    lines
}

/// What a kind is and what its columns mean.
fn about(kind: &KindSpec, room: u16) -> Vec<Line> {
    let mut lines = vec![Line::new().put(kind.id.to_string(), Role::Title)];
    lines.extend(wrapped(&kind.doc, 2, room, Role::Text));
    if !kind.aliases.is_empty() {
        lines.extend(labelled("also", &kind.aliases.join(", "), 2, 4, room, Role::Dim));
    }
    let widest = kind.columns.iter().map(|column| width(&column.name)).max().unwrap_or(0).min(14);
    let documented = kind.columns.iter().filter(|column| !column.doc.is_empty());
    for column in documented {
        let label = u16::try_from(widest).unwrap_or(14);
        lines.extend(labelled(&column.name, &column.doc, 2, label, room, Role::Text));
    }
    let filter = "Filter: word, !word, key:value, key:>10, ~fuzzy, \"two words\"; all of them must fit. A wide column \
                  is searched by its key alone.";
    lines.push(Line::new());
    lines.extend(wrapped(filter, 2, room, Role::Dim));
    lines
}

impl Component for Help {
    fn context(&self) -> Context {
        Context::Doc
    }

    fn on(&mut self, action: &Action, _ctx: &Ctx<'_>) -> Outcome {
        match action {
            Action::Back | Action::Close | Action::Help | Action::Enter => Outcome::emit(Request::Cancel),
            action if self.scroll.on(action) => Outcome::Consumed,
            _ => Outcome::Ignored,
        }
    }

    fn draw(&mut self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<Position> {
        blank(buf, area, ctx.theme.style(Role::Text));
        let lines = self.lines(area.width, ctx);
        self.scroll.draw(&lines, buf, area, ctx);
        None
    }

    fn hints(&self, _ctx: &Ctx<'_>) -> Vec<Action> {
        vec![Action::Back, Action::Down, Action::PageDown]
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::proptest;

    use super::*;
    use crate::ui::testing::{Screen, World, act};

    fn help(world: &World) -> Help {
        Help::new(vec![Context::Table, Context::Global], Some(world.kind("proxmox.guests")))
    }

    #[test]
    fn it_prints_every_binding_of_its_contexts() {
        let world = World::lab();
        assert_snapshot!(Screen::of(&mut help(&world), 80, 24, &world).text());
        let all = Screen::of(&mut help(&world), 140, 120, &world).text();
        for (_, action) in world.keymap.bindings(Context::Table) {
            assert!(all.contains(&*action.doc()), "{action}");
        }
    }

    #[test]
    fn it_scrolls_and_closes() {
        let world = World::lab();
        let mut help = help(&world);
        Screen::of(&mut help, 80, 10, &world);
        act(&mut help, &world, &[Action::Bottom]);
        assert!(Screen::of(&mut help, 80, 10, &world).text().contains("Filter: word"));
        assert_eq!(act(&mut help, &world, &[Action::Help]), Outcome::emit(Request::Cancel));
    }

    proptest! {
        #[test]
        fn any_size_can_be_drawn(width in 1_u16..90, height in 1_u16..12) {
            let world = World::lab();
            Screen::of(&mut help(&world), width, height, &world);
        }
    }
}

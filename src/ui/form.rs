//! The form of an operation: its fields with what they take, checked as they are left and once more before they go.

mod editor;
#[cfg(test)]
mod tests;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::config::theme::Role;
use crate::model::action::{Action, Context};
use crate::model::op::{Args, Field};
use crate::model::row::Tone;

use super::component::{Component, Ctx, Outcome, Request};
use super::layout::sheet;
use super::lines::{Line, wrapped};
use super::picker::{Item, Picker};
use super::text::{Strip, line, width};

use editor::Editor;

/// A field and what was put in so far.
#[derive(Debug)]
struct Entry {
    field: Field,
    editor: Editor,
    error: Option<String>,
}

impl Entry {
    fn new(field: Field, value: &str) -> Self {
        Self { editor: Editor::of(&field, value), field, error: None }
    }

    fn check(&mut self) -> bool {
        let result = self.field.check(&self.editor.value());
        // The message begins with the field's name for the command line; here it stands beside the field.
        let prefix = format!("{}: ", self.field.name);
        self.error = result.err().map(|text| text.strip_prefix(&prefix).unwrap_or(&text).to_owned());
        self.error.is_none()
    }
}

/// A form that is being filled in.
#[derive(Debug)]
pub struct Form {
    title: String,
    doc: String,
    entries: Vec<Entry>,
    /// The focused field; one after the last is the line that submits.
    at: usize,
    picker: Option<Picker>,
    waiting: bool,
    trouble: Option<String>,
    /// What it would do as it stands, in one line.
    preview: Option<(String, Role)>,
}

impl Form {
    /// A form under a title; `doc` says what will happen.
    pub fn new(title: impl Into<String>, doc: impl Into<String>, fields: Vec<Field>) -> Self {
        let entries = fields.into_iter().map(|field| Entry::new(field.clone(), &field.default)).collect();
        let (title, doc) = (title.into(), doc.into());
        Self { title, doc, entries, at: 0, picker: None, waiting: false, trouble: None, preview: None }
    }

    /// Says that the server is still asked what it offers; nothing can be submitted until [`Form::offer`].
    #[must_use]
    pub fn waiting(mut self) -> Self {
        self.waiting = true;
        self
    }

    /// Takes the fields with what the server offers; what was typed stays.
    pub fn offer(&mut self, fields: Vec<Field>) {
        let typed = self.args();
        let entry = |field: Field| {
            let value = typed.get(&*field.name).filter(|value| !value.is_empty()).cloned();
            Entry::new(field.clone(), &value.unwrap_or_else(|| field.default.to_string()))
        };
        self.entries = fields.into_iter().map(entry).collect();
        (self.waiting, self.trouble) = (false, None);
        self.at = self.at.min(self.entries.len());
    }

    /// Says why the server did not tell what it offers, or why it refused what was submitted.
    pub fn fail(&mut self, why: impl Into<String>) {
        self.trouble = Some(why.into());
    }

    /// Shows what it would do as it stands.
    pub fn preview(&mut self, text: String, tone: Tone) {
        self.preview = (!text.is_empty()).then(|| (text, Role::from(tone)));
    }

    /// The values as they stand.
    pub fn args(&self) -> Args {
        self.entries.iter().map(|entry| (entry.field.name.to_string(), entry.editor.value())).collect()
    }

    fn step(&mut self, by: isize) {
        if let Some(entry) = self.entries.get_mut(self.at) {
            entry.check();
        }
        self.at = self.at.saturating_add_signed(by).min(self.entries.len());
    }

    fn submit(&mut self) -> Outcome {
        let mut wrong = None;
        for (index, entry) in self.entries.iter_mut().enumerate() {
            if !entry.check() && wrong.is_none() {
                wrong = Some(index);
            }
        }
        match wrong {
            Some(index) => self.at = index,
            None if self.waiting => {}
            None => return Outcome::emit(Request::Submit(self.args())),
        }
        Outcome::Consumed
    }

    /// Opens the list of a field's choices.
    fn pick(&mut self) {
        let Some(entry) = self.entries.get(self.at) else { return };
        if let Editor::Choice { choices, at } = &entry.editor {
            let items = choices.iter().map(|choice| Item::new(choice.clone(), "")).collect();
            self.picker = Some(Picker::new(entry.field.title.to_string(), items).at(at.unwrap_or(0)));
        }
    }

    fn picked(&mut self, outcome: Outcome) -> Outcome {
        let Outcome::Emit(requests) = &outcome else { return outcome };
        self.picker = None;
        if let (Some(Request::Chosen(index)), Some(entry)) = (requests.first(), self.entries.get_mut(self.at))
        {
            entry.editor.choose(*index);
            entry.check();
        }
        Outcome::Consumed
    }

    fn edit(&mut self, action: &Action) -> Outcome {
        let Some(entry) = self.entries.get_mut(self.at) else { return Outcome::Ignored };
        if entry.editor.on(action) {
            entry.error = None;
            return Outcome::Consumed;
        }
        if matches!((action, &entry.editor), (Action::Insert(_), Editor::Choice { .. })) {
            self.pick();
        }
        Outcome::Consumed
    }

    fn enter(&mut self) -> Outcome {
        match self.entries.get(self.at).map(|entry| &entry.editor) {
            None => return self.submit(),
            Some(Editor::Choice { choices, .. }) if !choices.is_empty() => self.pick(),
            Some(Editor::Lines(_)) => return self.edit(&Action::Enter),
            Some(_) => self.step(1),
        }
        Outcome::Consumed
    }

    /// How many lines the fields before the focused one may take before they scroll away.
    fn first(&self, room: u16) -> usize {
        let mut used = 0;
        let end = self.at.min(self.entries.len().saturating_sub(1));
        for (index, entry) in self.entries.iter().enumerate().take(end + 1).rev() {
            used += entry.editor.height();
            if used > room {
                return (index + 1).min(end);
            }
        }
        0
    }

    fn draw_fields(&mut self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<Position> {
        let widest = self.entries.iter().map(|entry| width(&entry.field.title)).max().unwrap_or(0);
        let column = u16::try_from(widest).unwrap_or(0).min(area.width / 3);
        let (mut y, mut cursor) = (0, None);
        let first = self.first(area.height);
        for (index, entry) in self.entries.iter_mut().enumerate().skip(first) {
            let height = entry.editor.height().min(area.height.saturating_sub(y));
            let at = Rect { y: area.y + y, height, ..area };
            let here = index == self.at;
            let role = if here { Role::Title } else { Role::Dim };
            let mut strip = Strip::new(buf, line(at, 0), ctx.ascii);
            let (word, tone) = match (&entry.error, entry.field.required) {
                (Some(_), _) => ("wrong", Role::Error),
                (None, false) => ("optional", Role::Dim),
                (None, true) => ("", Role::Dim),
            };
            strip.right(word, ctx.theme.style(tone));
            strip.gap(2).field(&entry.field.title, column, false, ctx.theme.style(role)).gap(2);
            let rest = Rect { x: strip.x(), width: strip.left(), ..at };
            let place = entry.editor.draw(buf, rest, here, ctx);
            if here {
                cursor = place;
            }
            y += height;
        }
        cursor
    }

    /// What is wrong with the focused field, else what it means; where trouble is, that.
    fn says(&self, room: u16) -> Vec<Line> {
        if let Some(trouble) = &self.trouble {
            return wrapped(trouble, 2, room, Role::Warn);
        }
        match self.entries.get(self.at) {
            Some(Entry { error: Some(error), .. }) => wrapped(error, 2, room, Role::Error),
            Some(entry) => wrapped(&entry.field.doc, 2, room, Role::Dim),
            None if self.waiting => wrapped("asking the server what it offers", 2, room, Role::Pending),
            None => wrapped(&self.doc, 2, room, Role::Dim),
        }
    }

    fn draw_submit(&self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<Position> {
        let here = self.at == self.entries.len();
        let wrong = self.entries.iter().filter(|entry| entry.error.is_some()).count();
        let mut strip = Strip::new(buf, area, ctx.ascii);
        if wrong > 0 {
            strip.right(&format!("{wrong} to correct"), ctx.theme.style(Role::Error));
        }
        let style = ctx.theme.style(if here { Role::Selection } else { Role::Text });
        let mark = match (here, ctx.ascii) {
            (false, _) => " ",
            (true, false) => "▌",
            (true, true) => ">",
        };
        strip.put(mark, style).gap(1).put("continue", style);
        (here && !area.is_empty()).then(|| area.as_position())
    }
}

impl Component for Form {
    fn context(&self) -> Context {
        self.picker.as_ref().map_or(Context::Form, Component::context)
    }

    fn takes_text(&self) -> bool {
        self.picker.as_ref().is_none_or(Component::takes_text)
    }

    fn on(&mut self, action: &Action, ctx: &Ctx<'_>) -> Outcome {
        if let Some(picker) = &mut self.picker {
            let outcome = picker.on(action, ctx);
            return self.picked(outcome);
        }
        self.trouble = self.trouble.take().filter(|_| self.waiting);
        match action {
            Action::Back | Action::Close => return Outcome::emit(Request::Cancel),
            Action::Down if self.edits_down() => return self.edit(&Action::Down),
            Action::Up if self.edits_up() => return self.edit(&Action::Up),
            Action::NextField | Action::Down => self.step(1),
            Action::PreviousField | Action::Up => self.step(-1),
            Action::Enter => return self.enter(),
            action => return self.edit(action),
        }
        Outcome::Consumed
    }

    fn draw(&mut self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<Position> {
        let fields: u16 = self.entries.iter().map(|entry| entry.editor.height()).sum();
        let says = self.says(area.width);
        // Two lines are kept for what a field says, so that nothing moves from one field to the next.
        let below = 2_u16.max(u16::try_from(says.len()).unwrap_or(2).min(4)) + 2;
        let inner = sheet(buf, area, usize::from(fields + below), &self.title, Role::Title, ctx);
        let below = below.min(inner.height);
        let top = Rect { height: inner.height - below, ..inner };
        let cursor = self.draw_fields(buf, top, ctx);
        let rest = Rect { y: top.bottom(), height: below, ..inner };
        let submit = self.draw_submit(buf, line(rest, 0), ctx);
        if let Some((text, role)) = &self.preview {
            let mut strip = Strip::new(buf, line(rest, 1), ctx.ascii);
            strip.gap(2).put(text, ctx.theme.style(*role));
        }
        for (index, says) in (2..below).zip(&says) {
            says.draw(buf, line(rest, index), 0, ctx);
        }
        match &mut self.picker {
            Some(picker) => picker.draw(buf, area, ctx),
            None => cursor.or(submit),
        }
    }

    fn hints(&self, ctx: &Ctx<'_>) -> Vec<Action> {
        match &self.picker {
            Some(picker) => picker.hints(ctx),
            None => vec![Action::Enter, Action::NextField, Action::PreviousField, Action::Back],
        }
    }
}

impl Form {
    fn edits_down(&self) -> bool {
        self.entries.get(self.at).is_some_and(|entry| entry.editor.has_line_below())
    }

    fn edits_up(&self) -> bool {
        self.entries.get(self.at).is_some_and(|entry| entry.editor.has_line_above())
    }
}

//! What a field's value is edited with, by what the field takes.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::widgets::Widget;
use tui_textarea::{CursorMove, TextArea};

use crate::config::theme::Role;
use crate::model::action::Action;
use crate::model::op::{Field, FieldKind};
use crate::ui::component::Ctx;
use crate::ui::input::Input;
use crate::ui::text::{Strip, clean, line};

/// How many lines a field of several lines shows.
const LINES: u16 = 4;

/// The editor of one value.
#[derive(Debug)]
pub(super) enum Editor {
    /// One line.
    Line(Input),
    /// Several lines.
    Lines(Box<TextArea<'static>>),
    /// Yes or no.
    Flag(bool),
    /// One of some.
    Choice {
        /// What can be chosen.
        choices: Vec<String>,
        /// What is chosen.
        at: Option<usize>,
    },
}

impl Editor {
    /// The editor of a field, with a value in it.
    pub fn of(field: &Field, value: &str) -> Self {
        match &field.kind {
            FieldKind::Line | FieldKind::Duration { .. } => Self::Line(Input::new(value)),
            FieldKind::Lines => {
                let lines = value.lines().map(|line| clean(line).into_owned()).collect();
                let mut area = TextArea::new(lines);
                area.set_cursor_line_style(Style::new());
                Self::Lines(Box::new(area))
            }
            FieldKind::Flag => Self::Flag(value == "true"),
            FieldKind::Choice(choices) => {
                let choices: Vec<String> = choices.iter().map(ToString::to_string).collect();
                let at = choices.iter().position(|choice| choice == value);
                Self::Choice { choices, at }
            }
            FieldKind::Offered => Self::Choice { choices: Vec::new(), at: None },
        }
    }

    /// The value as it stands.
    pub fn value(&self) -> String {
        match self {
            Self::Line(input) => input.text().trim().to_owned(),
            Self::Lines(area) => area.lines().join("\n").trim().to_owned(),
            Self::Flag(yes) => yes.to_string(),
            Self::Choice { choices, at } => at.and_then(|at| choices.get(at)).cloned().unwrap_or_default(),
        }
    }

    /// How many lines it takes.
    pub fn height(&self) -> u16 {
        if matches!(self, Self::Lines(_)) { LINES } else { 1 }
    }

    /// Takes a choice.
    pub fn choose(&mut self, index: usize) {
        if let Self::Choice { choices, at } = self {
            *at = Some(index).filter(|index| *index < choices.len());
        }
    }

    /// Whether moving down stays within the text.
    pub fn has_line_below(&self) -> bool {
        matches!(self, Self::Lines(area) if area.cursor().0 + 1 < area.lines().len())
    }

    /// Whether moving up stays within the text.
    pub fn has_line_above(&self) -> bool {
        matches!(self, Self::Lines(area) if area.cursor().0 > 0)
    }

    /// Takes an editing action; false where it is none for this editor.
    pub fn on(&mut self, action: &Action) -> bool {
        match (self, action) {
            (Self::Line(input), action) => input.on(action),
            (Self::Lines(area), action) => write(area, action),
            (Self::Flag(yes), Action::Insert(' ') | Action::Left | Action::Right) => {
                *yes = !*yes;
                true
            }
            (Self::Choice { choices, at }, Action::Left | Action::Right) if !choices.is_empty() => {
                let last = choices.len() - 1;
                *at = Some(match (*at, action) {
                    (None, _) => 0,
                    (Some(at), Action::Left) => at.checked_sub(1).unwrap_or(last),
                    (Some(at), _) => (at + 1) % choices.len(),
                });
                true
            }
            _ => false,
        }
    }

    /// Draws it; returns the cursor where it has the focus.
    pub fn draw(&mut self, buf: &mut Buffer, area: Rect, here: bool, ctx: &Ctx<'_>) -> Option<Position> {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return None;
        }
        let style = ctx.theme.style(if here { Role::Selection } else { Role::Text });
        let at = match self {
            Self::Line(input) => input.draw(buf, line(area, 0), ctx.theme.style(Role::Text), ctx.ascii),
            Self::Lines(text) => draw_lines(text, buf, area, ctx),
            Self::Flag(yes) => {
                let word = if *yes { "yes" } else { "no" };
                Strip::new(buf, area, ctx.ascii).put(&around(word, here, ctx.ascii), style);
                area.as_position()
            }
            Self::Choice { choices, at } => {
                let word = match at.and_then(|at| choices.get(at)) {
                    Some(choice) => choice.as_str(),
                    None if choices.is_empty() => "nothing is offered yet",
                    None => "choose",
                };
                let chosen = if at.is_some() { style } else { ctx.theme.style(Role::Dim) };
                Strip::new(buf, area, ctx.ascii).put(&around(word, here, ctx.ascii), chosen);
                area.as_position()
            }
        };
        here.then_some(at)
    }
}

/// A choice that can be changed with the arrow keys shows it.
fn around(word: &str, here: bool, ascii: bool) -> String {
    match (here, ascii) {
        (false, _) => word.to_owned(),
        (true, false) => format!("‹ {word} ›"),
        (true, true) => format!("< {word} >"),
    }
}

fn draw_lines(text: &mut TextArea<'static>, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Position {
    text.set_style(ctx.theme.style(Role::Text));
    text.set_cursor_style(ctx.theme.style(Role::Text));
    (&*text).render(area, buf);
    let (cursor, (top, left)) = (text.screen_cursor(), text.scroll_offset());
    let offset = |at: usize, first: u16| u16::try_from(at).unwrap_or(u16::MAX).saturating_sub(first);
    Position {
        x: area.x.saturating_add(offset(cursor.col, left)).min(area.right() - 1),
        y: area.y.saturating_add(offset(cursor.row, top)).min(area.bottom() - 1),
    }
}

fn write(area: &mut TextArea<'static>, action: &Action) -> bool {
    match action {
        Action::Insert(c) => {
            area.insert_str(clean(c.encode_utf8(&mut [0; 4])));
        }
        Action::Paste(text) => {
            let lines: Vec<String> = text.lines().map(|line| clean(line).into_owned()).collect();
            area.insert_str(lines.join("\n"));
        }
        Action::Enter => area.insert_newline(),
        Action::DeleteBack => {
            area.delete_char();
        }
        Action::DeleteForward => {
            area.delete_next_char();
        }
        Action::DeleteWord => {
            area.delete_word();
        }
        Action::DeleteLine => {
            area.delete_line_by_head();
        }
        Action::Left => area.move_cursor(CursorMove::Back),
        Action::Right => area.move_cursor(CursorMove::Forward),
        Action::Up => area.move_cursor(CursorMove::Up),
        Action::Down => area.move_cursor(CursorMove::Down),
        Action::LineStart => area.move_cursor(CursorMove::Head),
        Action::LineEnd => area.move_cursor(CursorMove::End),
        _ => return false,
    }
    true
}

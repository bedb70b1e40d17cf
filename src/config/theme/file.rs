//! Theme files: a palette and the roles drawn with it.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::DeValue;

use super::Role;
use crate::config::colour::{ANSI, Colour, Shade};
use crate::config::layered::Layer;
use crate::config::raw::{Located, Table};
use crate::config::report::{Report, Severity};
use crate::config::source::{Fault, Source};
use crate::config::suggest;

/// How a role looks, before it is known what the terminal can show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Look {
    pub fg: Option<Shade>,
    pub bg: Option<Shade>,
    pub emphases: Vec<Emphasis>,
}

/// What can be done to text besides colouring it. Nothing blinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Emphasis {
    Bold,
    Dim,
    Italic,
    Underline,
    Reverse,
    Strike,
}

const EMPHASES: [(&str, Emphasis); 6] = [
    ("bold", Emphasis::Bold),
    ("dim", Emphasis::Dim),
    ("italic", Emphasis::Italic),
    ("underline", Emphasis::Underline),
    ("reverse", Emphasis::Reverse),
    ("strike", Emphasis::Strike),
];

/// Named colours.
pub(super) type Palette = BTreeMap<String, Shade>;

/// The looks of a chain of files, its root first. Roles are drawn with the palette of the whole chain, so that a file
/// which only names colours recolours everything below it.
pub(super) fn read(layers: &[Layer]) -> Result<BTreeMap<Role, Look>, Vec<Report>> {
    let mut palette = Palette::new();
    let mut looks = BTreeMap::new();
    for layer in layers {
        examine(layer, |root| palette.extend(read_palette(root)))?;
    }
    for layer in layers {
        examine(layer, |root| looks.extend(read_roles(root, &palette)))?;
    }
    Ok(looks)
}

/// Reads a part of a file and returns everything that is wrong with that part.
pub(super) fn examine(layer: &Layer, read: impl FnOnce(&Table<'_>)) -> Result<(), Vec<Report>> {
    let source = Source::new(&layer.name, &layer.text, Severity::Warning);
    if let Some(entries) = source.parse() {
        let root = Table::root(&source, &entries);
        for key in ["inherits", "palette", "roles"] {
            root.take(key);
        }
        read(&root);
        root.finish();
    }
    let reports = source.into_reports();
    if reports.is_empty() { Ok(()) } else { Err(reports) }
}

pub(super) fn read_palette(root: &Table<'_>) -> Palette {
    let Some(table) = root.table("palette") else { return Palette::new() };
    let shades = table.entries().filter_map(|(name, value)| {
        let texts = table.texts(name.value, value);
        let (exact, plain) = match texts.as_slice() {
            [exact] => (exact, None),
            [exact, plain] => (exact, Some(plain)),
            _ => {
                let cure = "write `\"#rrggbb\"` or `[\"#rrggbb\", \"red\"]`";
                table.note(value.span(), Fault::new("this is not a colour", "one colour, or a pair", cure));
                return None;
            }
        };
        let exact = colour(&table, exact)?;
        let plain = plain.and_then(|plain| sixteenth(&table, plain));
        Some((name.value.to_owned(), Shade { exact, plain }))
    });
    shades.collect()
}

fn colour(table: &Table<'_>, text: &Located<&str>) -> Option<Colour> {
    let colour = Colour::parse(text.value);
    if colour.is_none() {
        let cure = if text.value.starts_with('#') {
            "a colour has six hex digits, like `#7fb4ca`".to_owned()
        } else {
            suggest::advice(text.value, ANSI)
        };
        table.note(text.span.clone(), Fault::new("this is not a colour", "`#rrggbb` or a name", cure));
    }
    colour
}

/// The second of a pair: one of the sixteen, or the terminal's own.
fn sixteenth(table: &Table<'_>, text: &Located<&str>) -> Option<Colour> {
    let colour = colour(table, text)?;
    if matches!(colour, Colour::Rgb(..)) {
        let cure = "the second of a pair is for terminals with sixteen colours: name one of those";
        table.note(text.span.clone(), Fault::new("this is none of the sixteen colours", "a name", cure));
    }
    Some(colour)
}

fn read_roles(root: &Table<'_>, palette: &Palette) -> BTreeMap<Role, Look> {
    let Some(table) = root.table("roles") else { return BTreeMap::new() };
    let looks = table.entries().filter_map(|(name, value)| {
        let role = Role::ALL.into_iter().find(|role| role.name() == name.value);
        if role.is_none() {
            let what = format!("there is no role `{}`", name.value.escape_debug());
            let cure = suggest::advice(name.value, Role::ALL.map(Role::name));
            table.note(name.span.clone(), Fault::new(what, "the name of a role", cure));
        }
        Some((role?, look(&table, &name, value, palette)?))
    });
    looks.collect()
}

/// A colour's name, or a table of foreground, background and style.
fn look<'s>(
    roles: &Table<'s>,
    name: &Located<&'s str>,
    value: &'s Spanned<DeValue<'s>>,
    palette: &Palette,
) -> Option<Look> {
    if value.get_ref().is_str() {
        let fg = shade(roles, &roles.as_text(name.value, value)?, palette);
        return Some(Look { fg, ..Look::default() });
    }
    let table = roles.as_table(name.value, value, format!("the role `{}`", name.value))?;
    let fg = table.text("fg").and_then(|text| shade(&table, &text, palette));
    let bg = table.text("bg").and_then(|text| shade(&table, &text, palette));
    let styles = table.list("style").unwrap_or_default();
    let emphases = styles.iter().filter_map(|text| emphasis(&table, text)).collect();
    table.finish();
    Some(Look { fg, bg, emphases })
}

fn shade(table: &Table<'_>, text: &Located<&str>, palette: &Palette) -> Option<Shade> {
    if let Some(shade) = palette.get(text.value) {
        return Some(*shade);
    }
    let literal = Colour::parse(text.value).map(|exact| Shade { exact, plain: None });
    if literal.is_none() {
        let cure = suggest::advice(text.value, palette.keys().map(String::as_str));
        table.note(
            text.span.clone(),
            Fault::new("the palette has no such colour", "a name or `#rrggbb`", cure),
        );
    }
    literal
}

fn emphasis(table: &Table<'_>, text: &Located<&str>) -> Option<Emphasis> {
    let found = EMPHASES.iter().find(|(name, _)| *name == text.value).map(|(_, emphasis)| *emphasis);
    if found.is_none() {
        let cure = suggest::advice(text.value, EMPHASES.map(|(name, _)| name));
        table.note(text.span.clone(), Fault::new("there is no such style", "the name of a style", cure));
    }
    found
}

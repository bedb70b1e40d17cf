//! One keymap file, checked for itself.

use std::ops::Range;

use crate::config::key::{Key, sequence};
use crate::config::layered::Layer;
use crate::config::raw::{Located, Table};
use crate::config::report::{Report, Severity};
use crate::config::source::{Fault, Source};
use crate::config::suggest;
use crate::model::action::{Action, Context};

/// The keys that one file gives to an action.
pub(super) struct Binding {
    pub context: Context,
    pub action: Action,
    pub keys: Vec<Vec<Key>>,
}

/// A sequence and where it is written.
type Taken = (Vec<Key>, Range<usize>);

/// The bindings of a file, or everything that is wrong with it.
pub(super) fn read(layer: &Layer) -> Result<Vec<Binding>, Vec<Report>> {
    let source = Source::new(&layer.name, &layer.text, Severity::Warning);
    let mut bindings = Vec::new();
    if let Some(entries) = source.parse() {
        let root = Table::root(&source, &entries);
        root.take("inherits");
        for context in Context::ALL {
            if let Some(table) = root.table(context.name()) {
                bindings.extend(read_context(context, &table));
            }
        }
        root.finish();
    }
    let reports = source.into_reports();
    if reports.is_empty() { Ok(bindings) } else { Err(reports) }
}

fn read_context(context: Context, table: &Table<'_>) -> Vec<Binding> {
    let mut entries: Vec<_> = table.entries().collect();
    entries.sort_by_key(|(name, _)| name.span.start);
    let mut taken: Vec<Taken> = Vec::new();
    let mut bindings = Vec::new();
    for (name, value) in entries {
        let Some(action) = action(table, &name) else { continue };
        let keys = table
            .texts(name.value, value)
            .into_iter()
            .filter_map(|written| keys(table, &mut taken, &written));
        bindings.push(Binding { context, action, keys: keys.collect() });
    }
    bindings
}

fn action(table: &Table<'_>, name: &Located<&str>) -> Option<Action> {
    let action = Action::from_name(name.value);
    if action.is_none() {
        let known: Vec<_> = Action::SIMPLE.iter().map(Action::name).collect();
        let cure = match suggest::closest(name.value, known.iter().map(AsRef::as_ref)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "the help of the console (`?`) names all actions".to_owned(),
        };
        let what = format!("there is no action `{}`", name.value.escape_debug());
        table.note(name.span.clone(), Fault::new(what, "the name of an action", cure));
    }
    action
}

/// Reads a sequence, unless the file has given it or a part of it away already.
fn keys(table: &Table<'_>, taken: &mut Vec<Taken>, written: &Located<&str>) -> Option<Vec<Key>> {
    let keys = match sequence(written.value) {
        Ok(keys) => keys,
        Err(why) => {
            let cure =
                "write keys like `j`, `G`, `space`, `f5`, `ctrl-d`, `shift-tab`, or `g g` for a sequence";
            table.note(written.span.clone(), Fault::new(why.to_string(), "a key that terminals send", cure));
            return None;
        }
    };
    let clash = taken.iter().find(|(other, _)| other.starts_with(&keys) || keys.starts_with(other));
    if let Some((other, span)) = clash {
        let line = table.line_of(span);
        let fault = if *other == keys {
            let what = format!("`{}` is bound twice in {}", written.value, table.title());
            Fault::new(what, "this key is taken", format!("choose another key; the first is on line {line}"))
        } else {
            let what =
                format!("one of `{}` and the keys on line {line} begins with the other", written.value);
            Fault::new(what, "would never be reached", "choose sequences that differ before one of them ends")
        };
        table.note(written.span.clone(), fault);
        return None;
    }
    taken.push((keys.clone(), written.span.clone()));
    Some(keys)
}

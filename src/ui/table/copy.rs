//! What a row becomes on the clipboard; cleaned, as a clipboard often ends in a shell.

use serde_json::{Map, Value as Json, json};

use crate::model::kind::KindSpec;
use crate::model::row::Row;
use crate::ui::component::Request;
use crate::ui::format::Writer;
use crate::ui::text::clean;

/// Its name.
pub fn name(row: &Row) -> Request {
    Request::Copy { text: clean(&row.name).into_owned(), what: "name".to_owned() }
}

/// Its cells in words, a tab between two.
pub fn text(kind: &KindSpec, row: &Row, writer: &Writer<'_>) -> Request {
    let word = |(index, column): (usize, &crate::model::kind::Column)| {
        clean(&writer.value(&row.cell(index).value, column.format)).into_owned()
    };
    let words: Vec<String> = kind.columns.iter().enumerate().map(word).collect();
    Request::Copy { text: words.join("\t"), what: "row".to_owned() }
}

/// The object that `vigie get -o json` prints for it.
pub fn json(kind: &KindSpec, row: &Row) -> Request {
    let cell = |(index, column): (usize, &crate::model::kind::Column)| {
        (column.name.to_string(), row.cell(index).value.to_json())
    };
    let cells: Map<String, Json> = kind.columns.iter().enumerate().map(cell).collect();
    let object =
        json!({ "id": row.id.to_string(), "health": row.health, "domain": row.domain, "cells": cells });
    Request::Copy { text: clean(&object.to_string()).into_owned(), what: "row as JSON".to_owned() }
}

//! No filter that can be typed stops the console.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigie::model::id::EntityId;
use vigie::model::kind::{Column, Format, KindSpec, Width};
use vigie::model::query::Query;
use vigie::model::row::{Cell, Row};

fuzz_target!(|input: (&str, &str, f64)| {
    let (filter, name, number) = input;
    let column = |title: &'static str| Column::new(title, title, Width::Fit(4, 20), "");
    let kind = KindSpec {
        id: "fuzz.rows".into(),
        singular: "row".into(),
        aliases: vec![],
        doc: "".into(),
        columns: vec![column("name"), column("cpu").format(Format::Percent), column("mem").format(Format::Bytes)],
        sort: (0, false),
        views: vec![],
        drill: None,
        pane: None,
    };
    let cells = vec![Cell::new(name), Cell::new(number), Cell::new(number)];
    let row = Row::new(EntityId::new("fuzz.rows", "lab", "1"), name, cells);
    let query = Query::parse(filter);
    let _ = query.matches(&row, &kind, jiff::Timestamp::UNIX_EPOCH);
    let _ = query.needles().count() + query.unknown_keys(&kind).count();
});

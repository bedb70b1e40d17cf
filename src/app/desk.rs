//! vigie's own operations: what the admin keeps in the console's journal instead of on a server.

use crate::model::op::{Field, FieldKind, OpSpec, Targets, Tier};

/// The operation that writes a note.
pub const NOTE: &str = "note.add";

/// The operations that no backend carries out.
pub fn operations() -> Vec<OpSpec> {
    let text = Field::new("text", "note", FieldKind::Line, "What to remember; one line.");
    let note = OpSpec::on("vigie.notes", NOTE, "note", Tier::T0, "Writes a note into the journal.");
    vec![OpSpec { targets: Targets::Any, ..note.form(vec![text]).bulk() }]
}

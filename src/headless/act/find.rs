//! The operation that a word means.

use std::sync::Arc;

use crate::config::suggest;
use crate::headless::io::Failure;
use crate::model::op::{OpSpec, Operations};

/// A full name, or a short one that exactly one operation has.
pub fn operation<'o>(operations: &'o Operations, word: &str) -> Result<&'o Arc<OpSpec>, Failure> {
    if let Some(exact) = operations.get(word) {
        return Ok(exact);
    }
    let found: Vec<_> = operations.iter().filter(|op| short(op) == word).collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => {
            let names = operations.iter().flat_map(|op| [&*op.name, short(op)]);
            let near = suggest::closest(word, names).map_or_else(
                || "`vigie do --help` lists them".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            Err(Failure::Usage(format!("there is no operation `{word}`; {near}")))
        }
        many => {
            let names: Vec<&str> = many.iter().map(|op| &*op.name).collect();
            Err(Failure::Usage(format!("`{word}` may be {}", names.join(" or "))))
        }
    }
}

fn short(op: &OpSpec) -> &str {
    op.name.split_once('.').map_or(&*op.name, |(_, short)| short)
}

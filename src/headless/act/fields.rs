//! The values of an operation's form, given with `--set`.

use crate::config::suggest;
use crate::headless::io::Failure;
use crate::model::op::{Args, Field, OpSpec};

/// What was typed, field by field; a field that the operation does not have is a mistake.
pub fn typed(op: &OpSpec, set: &[String]) -> Result<Args, Failure> {
    let mut values = Args::new();
    for text in set {
        let Some((name, value)) = text.split_once('=') else {
            return Err(Failure::Usage(format!("--set {text}: write it as FIELD=VALUE")));
        };
        if !op.form.iter().any(|field| field.name == name) {
            let known: Vec<&str> = op.form.iter().map(|field| &*field.name).collect();
            let advice = match known.as_slice() {
                [] => "it has none".to_owned(),
                known => suggest::advice(name, known.to_vec()),
            };
            return Err(Failure::Usage(format!("{} has no field `{name}`; {advice}", op.name)));
        }
        if values.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(Failure::Usage(format!("--set {name} was given twice")));
        }
    }
    Ok(values)
}

/// The whole form: what was typed, completed with defaults and checked.
pub fn complete(form: &[Field], typed: &Args) -> Result<Args, Failure> {
    let mut values = Args::new();
    let mut wrong = Vec::new();
    for field in form {
        let value = typed.get(&*field.name).map_or(&*field.default, String::as_str);
        if let Err(why) = field.check(value) {
            wrong.push(why);
        }
        values.insert(field.name.to_string(), value.to_owned());
    }
    if wrong.is_empty() { Ok(values) } else { Err(Failure::Usage(wrong.join("\n"))) }
}

//! What an operation is, what it acts on and which fields it takes.

use clap::CommandFactory;

use crate::cli::Cli;
use crate::headless::io::{Failure, Io};
use crate::model::id::KindId;
use crate::model::op::{Field, FieldKind, OpSpec, Operations, Targets, Tier};
use crate::model::time::short;

/// The options of `vigie do` and all operations.
pub fn general(operations: &Operations, io: &mut Io<'_>) -> Result<u8, Failure> {
    let mut command = Cli::command();
    let options = command.find_subcommand_mut("do").map(|c| c.render_help().to_string()).unwrap_or_default();
    io.raw(options.as_bytes())?;
    io.line("\nOperations (`vigie do OPERATION --help` lists the fields):")?;
    let widest = operations.iter().map(|op| op.name.len()).max().unwrap_or(0);
    for op in operations.iter() {
        io.line(format!("  {:widest$}  {}  {}", op.name, op.tier, op.doc))?;
    }
    Ok(0)
}

/// One operation.
pub fn of(op: &OpSpec, io: &mut Io<'_>) -> Result<u8, Failure> {
    io.line(format!("{}: {}", op.name, op.doc))?;
    io.line(format!("\nTarget:  {}", target(op)))?;
    io.line(format!("Confirm: {}", confirm(op.tier)))?;
    if !op.right.is_empty() {
        io.line(format!("Right:   {}", op.right))?;
    }
    if op.reveals {
        io.line("Secret:  shown once; --secret-out FILE, or on a terminal")?;
    }
    if !op.form.is_empty() {
        io.line("\nFields (--set FIELD=VALUE):")?;
        let widest = op.form.iter().map(|field| field.name.len()).max().unwrap_or(0);
        for field in &op.form {
            io.line(format!("  {:widest$}  {} ({})", field.name, field.doc, limits(field)))?;
        }
    }
    Ok(0)
}

fn target(op: &OpSpec) -> String {
    let several = if op.bulk { ", one or several" } else { "" };
    match &op.targets {
        Targets::Rows(kinds) => {
            let kinds: Vec<&str> = kinds.iter().map(KindId::as_str).collect();
            format!("an id or a name of {}{several}", kinds.join(", "))
        }
        Targets::Any => format!("any id{several}"),
        Targets::New { kind, what } => format!("the {what} of what is new in {kind}{several}"),
    }
}

fn confirm(tier: Tier) -> &'static str {
    match tier {
        Tier::T0 => "nothing",
        Tier::T1 => "--yes",
        Tier::T2 => "--confirm NAME --reason TEXT",
        Tier::T3 => "not done from here",
    }
}

fn limits(field: &Field) -> String {
    let kind = match &field.kind {
        FieldKind::Line | FieldKind::Lines => "text".to_owned(),
        FieldKind::Duration { max } => format!("duration such as 1h30m, at most {}", short(*max)),
        FieldKind::Flag => "true or false".to_owned(),
        FieldKind::Choice(choices) => choices.join(" | "),
        FieldKind::Offered => "what the server offers".to_owned(),
    };
    let need = match (&*field.default, field.required) {
        ("", true) => "required".to_owned(),
        ("", false) => "optional".to_owned(),
        (default, _) => format!("default {default}"),
    };
    format!("{kind}; {need}")
}

//! The console's own operations from the command line: into the same journal that the console shows.

use crate::app::known;
use crate::cli::Do;
use crate::exec::call::blocking;
use crate::exec::new_run;
use crate::headless::io::{Failure, Io};
use crate::headless::session::Session;
use crate::model::id::EntityId;
use crate::model::journal::Line;
use crate::model::op::{OpSpec, Targets, Tier};

use super::fields;

/// Writes one line per target.
pub async fn write(session: &Session, op: &OpSpec, args: &Do, io: &mut Io<'_>) -> Result<u8, Failure> {
    let values = fields::complete(&op.form, &fields::typed(op, &args.set)?)?;
    if args.id.is_some() {
        return Err(Failure::Usage("a note takes no --id: writing it twice does no harm".to_owned()));
    }
    if op.tier > Tier::T0 && !args.yes {
        return Err(Failure::Refused(format!("{} needs --yes", op.name)));
    }
    let mut about = Vec::new();
    for word in &args.targets {
        let id = EntityId::parse(word).filter(|id| session.kinds.get(&id.kind).is_some());
        about.push(Some(id.ok_or_else(|| {
            Failure::Usage(format!("`{word}` is no id; `vigie get KIND -o json` prints them"))
        })?));
    }
    match about.first() {
        Some(_) => {}
        None if op.targets == Targets::Any => about.push(None),
        None => return Err(Failure::Usage(format!("{} needs the id of what it is about", op.name))),
    }
    for about in about {
        let line = Line {
            at: session.clock.now(),
            run: new_run(),
            operator: session.config.operator.clone(),
            entry: known::entry(&op.name, about, &values, session.clock.now())
                .ok_or_else(|| Failure::Usage(format!("{} is no line of the journal", op.name)))?,
        };
        let journal = session.door.journal().clone();
        let written = blocking(move || journal.append(&line)).await;
        written.map_err(|error| Failure::Failed(format!("the journal was not written: {error}")))?;
    }
    io.note("noted");
    Ok(0)
}

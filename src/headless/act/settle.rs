//! `run.settle`: the operator has looked by hand at a run that nothing can prove, and says what became of it.
//!
//! Without it a run that no server can ever prove would refuse its target for good.

use crate::cli::Do;
use crate::exec::call::blocking;
use crate::headless::io::{Failure, Io};
use crate::headless::session::Session;
use crate::model::journal::open_runs;
use crate::model::op::{Field, FieldKind, OpSpec, RunState, Targets, Tier};

use super::fields;

/// The operation's name.
pub const NAME: &str = "run.settle";

/// The operation, which exists on the command line alone.
pub fn spec() -> OpSpec {
    let choices = FieldKind::Choice(vec!["done".into(), "failed".into()]);
    let outcome = Field::new("outcome", "outcome", choices, "What you saw when you looked.");
    let doc = "Closes a run of unknown outcome by your own word, after you have looked; give a reason.";
    let op = OpSpec::on("vigie.runs", NAME, "settle", Tier::T1, doc).form(vec![outcome]);
    OpSpec { targets: Targets::New { kind: "vigie.runs".into(), what: "run id".into() }, ..op }
}

/// Closes one open run.
pub async fn settle(session: &Session, op: &OpSpec, args: &Do, io: &mut Io<'_>) -> Result<u8, Failure> {
    let values = fields::complete(&op.form, &fields::typed(op, &args.set)?)?;
    let [run] = args.targets.as_slice() else {
        return Err(Failure::Usage("which run? give its id".to_owned()));
    };
    let reason = args.reason.as_deref().filter(|reason| !reason.trim().is_empty());
    let (Some(reason), true) = (reason, args.yes) else {
        return Err(Failure::Refused("it needs --yes and --reason TEXT: what you saw, and where".to_owned()));
    };
    let journal = session.door.journal().clone();
    let reading = blocking(move || journal.read()).await;
    let reading = reading.map_err(|error| Failure::Failed(format!("the journal cannot be read: {error}")))?;
    let open = open_runs(&reading.lines).into_iter().find(|open| *open.line.run.0 == **run);
    let open = open.ok_or_else(|| Failure::Refused(format!("there is no open run {run}")))?;
    let done = values.get("outcome").is_some_and(|outcome| outcome == "done");
    match session.door.settle(&open, done, reason).await {
        RunState::Refused(why) => Err(Failure::Refused(why)),
        state => {
            io.line(format!("{run}: {}: {}", state.word(), crate::app::words::clean(state.text())))?;
            Ok(0)
        }
    }
}

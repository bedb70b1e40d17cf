//! `vigie do`: an operation through the same gate, checks, journal and read-back as on the screen.
//!
//! Nothing is asked back: what the screen would ask is given as options, and what is missing refuses.

mod fields;
mod find;
mod help;
mod note;
mod outcome;
mod secret;
pub(super) mod settle;
mod targets;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::app::{gate, known};
use crate::backend::Backend;
use crate::cli::{Do, Report};
use crate::exec::around;
use crate::exec::call::blocking;
use crate::exec::call::within;
use crate::exec::new_run;
use crate::exec::operate::Order;
use crate::exec::operate::Recovered;
use crate::insight::guard;
use crate::model::journal::open_runs;
use crate::model::op::{Args, Job, OpSpec, Operations, RunState, Target, Verdict};

use super::io::{Failure, Io};
use super::session::Session;
use outcome::Outcome;
use secret::Outlet;

/// How long one question before sending may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Explains an operation, or all of them; needs no configuration.
pub fn explain(operations: &Operations, args: &Do, io: &mut Io<'_>) -> Result<u8, Failure> {
    match &args.operation {
        Some(name) => help::of(find::operation(operations, name)?, io),
        None => help::general(operations, io),
    }
}

/// Runs `vigie do`.
pub async fn act(session: &Session, args: &Do, io: &mut Io<'_>) -> Result<u8, Failure> {
    let Some(name) = &args.operation else {
        return Err(Failure::Usage("which operation? `vigie do --help` lists them".to_owned()));
    };
    let op = find::operation(&session.operations, name)?;
    let done = match &*op.name {
        name if known::is_line(name) => note::write(session, op, args, io).await,
        settle::NAME => settle::settle(session, op, args, io).await,
        _ => carry_out(session, op, args, io).await,
    };
    match done {
        Err(Failure::Refused(why)) if args.output == Report::Json => {
            io.json(&outcome::refused(op, &why))?;
            Err(Failure::Refused(why))
        }
        other => other,
    }
}

async fn carry_out(session: &Session, op: &OpSpec, args: &Do, io: &mut Io<'_>) -> Result<u8, Failure> {
    let typed = fields::typed(op, &args.set)?;
    Outlet::check(op, args, io.terminal)?;
    admitted(gate::admit(op, true, None, args.targets.len().max(1)))?;
    let backends = instances(session, op, args).await?;
    // The command line counts as armed, as every option was typed for this call.
    for backend in &backends {
        backend.arm(true);
    }
    let mut attempt = Attempt { session, op, args, backends, around: Vec::new() };
    let targets = match targets::resolve(op, &attempt.backends, args).await {
        Ok(targets) => targets,
        Err(failure) => {
            // What a run of unknown outcome has removed is in no list any more, and its run is still open.
            attempt.look_back(|target| targets::meant(op, target, &args.targets)).await?;
            return Err(failure);
        }
    };
    attempt.around = neighbours(session, op, &attempt.backends, &targets).await?;
    attempt.admit(&targets).await?;
    attempt.look_back(|target| targets.iter().any(|mine| mine.id == target.id)).await?;
    let jobs = attempt.jobs(targets, &typed).await?;
    let jobs = attempt.freeze(jobs, io).await?;
    attempt.confirm(&jobs)?;
    let _claim = match &args.id {
        Some(key) => Some(session.door.claim(key).await.map_err(Failure::Refused)?),
        None => None,
    };
    let mut outlet = Outlet::open(args, io.terminal)?;
    let outcomes = attempt.run(&jobs, io).await;
    let handed = outlet.hand_over(&outcomes, io);
    let code = outcome::report(op, &outcomes, args.output, io)?;
    handed.map(|()| code)
}

fn admitted(admitted: Result<(), gate::Refusal>) -> Result<(), Failure> {
    admitted.map_err(|refusal| Failure::Refused(refusal.to_string()))
}

/// The instances that can carry the operation out.
async fn instances(session: &Session, op: &OpSpec, args: &Do) -> Result<Vec<Arc<dyn Backend>>, Failure> {
    let mut backends = session.connect(Some(op.backend())).await?;
    if backends.is_empty() {
        let backend = op.backend();
        return Err(Failure::Usage(format!("no {backend} is configured in {}", session.file.display())));
    }
    if let Some(wanted) = &args.instance {
        let names: Vec<String> = backends.iter().map(|backend| backend.instance().to_string()).collect();
        backends.retain(|backend| **backend.instance() == **wanted);
        if backends.is_empty() {
            return Err(Failure::Usage(format!(
                "there is no instance `{wanted}`, only {}",
                names.join(", ")
            )));
        }
    }
    Ok(backends)
}

/// Every instance that has a say in the operation, those that carry it out among them.
async fn neighbours(
    session: &Session,
    op: &OpSpec,
    own: &[Arc<dyn Backend>],
    targets: &[Target],
) -> Result<Vec<Arc<dyn Backend>>, Failure> {
    let kinds = targets.iter().flat_map(|target| around::kinds(op, &target.id));
    let ids: BTreeSet<String> = kinds.map(|kind| kind.backend().to_owned()).collect();
    let mut all = Vec::new();
    for id in ids {
        if id == op.backend() {
            all.extend_from_slice(own);
        } else {
            all.extend(session.connect(Some(&id)).await?);
        }
    }
    Ok(all)
}

/// One call of `vigie do`.
struct Attempt<'a> {
    session: &'a Session,
    op: &'a OpSpec,
    args: &'a Do,
    backends: Vec<Arc<dyn Backend>>,
    around: Vec<Arc<dyn Backend>>,
}

impl Attempt<'_> {
    fn backend(&self, target: &Target) -> Result<&Arc<dyn Backend>, Failure> {
        let found = self.backends.iter().find(|backend| *backend.instance() == target.id.instance);
        found.ok_or_else(|| {
            Failure::Usage(format!("{} is on no instance of {}", target.id, self.op.backend()))
        })
    }

    /// The first rules of the gate.
    async fn admit(&self, targets: &[Target]) -> Result<(), Failure> {
        for target in targets {
            let rights = within(PATIENCE, self.backend(target)?.rights()).await.ok();
            admitted(gate::admit(self.op, true, rights.as_ref(), targets.len()))?;
        }
        Ok(())
    }

    /// A target with a run of unknown outcome is read back first, and the operator decides again.
    async fn look_back(&self, is_meant: impl Fn(&Target) -> bool) -> Result<(), Failure> {
        let journal = self.session.door.journal().clone();
        let reading = blocking(move || journal.read()).await;
        let reading =
            reading.map_err(|error| Failure::Refused(format!("the journal cannot be read: {error}")))?;
        for open in open_runs(&reading.lines) {
            let Some(Job { target, .. }) = open.job().filter(|job| is_meant(&job.target)) else { continue };
            let known = match self.session.door.recover(&**self.backend(&target)?, &open).await {
                Recovered::Elsewhere => "another process is at it".to_owned(),
                Recovered::Closed(state) => {
                    format!("now read back: {} ({}); look again, then repeat", state.word(), state.text())
                }
                Recovered::Open(state) => format!("still unknown: {}", state.text()),
            };
            let run = &open.line.run;
            return Err(Failure::Refused(format!(
                "{}: run {run} had no known outcome: {known}",
                target.name
            )));
        }
        Ok(())
    }

    /// One job per target, with the form that its own server offers.
    async fn jobs(&self, targets: Vec<Target>, typed: &Args) -> Result<Vec<Job>, Failure> {
        let mut forms: BTreeMap<Arc<str>, Args> = BTreeMap::new();
        let mut jobs = Vec::new();
        for target in targets {
            let instance = target.id.instance.clone();
            if !forms.contains_key(&instance) {
                let form = self.backend(&target)?.form(self.op, std::slice::from_ref(&target));
                let form = within(PATIENCE, form).await;
                let form = form.map_err(|fault| {
                    Failure::Refused(format!("{instance} does not say what it needs: {fault}"))
                })?;
                forms.insert(instance.clone(), fields::complete(&form, typed)?);
            }
            jobs.push(Job {
                run: new_run(),
                op: self.op.name.as_ref().into(),
                target,
                args: forms.get(&instance).cloned().unwrap_or_default(),
                reason: self.args.reason.clone(),
                operator: self.session.config.operator.clone(),
            });
        }
        Ok(jobs)
    }

    /// The backend's own check; all targets are judged before any is acted on.
    async fn freeze(&self, jobs: Vec<Job>, io: &mut Io<'_>) -> Result<Vec<Job>, Failure> {
        let mut frozen = Vec::new();
        let mut refusals = Vec::new();
        let kinds: BTreeSet<_> = jobs.iter().flat_map(|job| around::kinds(self.op, &job.target.id)).collect();
        let kinds: Vec<_> = kinds.into_iter().collect();
        let others = around::look(&self.around, &kinds, PATIENCE).await;
        for job in jobs {
            let verdict = within(PATIENCE, self.backend(&job.target)?.preflight(&job)).await;
            let verdict = verdict.unwrap_or_else(|fault| gate::unanswered(&fault));
            let verdict = guard::elsewhere(self.op, &job.target, verdict, &others);
            tell(&job.target, &verdict, io);
            match gate::judge(self.op, &job.target, &verdict) {
                Ok(target) => frozen.push((verdict.rank, Job { target, ..job })),
                Err(refusal) => refusals.push(refusal.to_string()),
            }
        }
        if !refusals.is_empty() {
            return Err(Failure::Refused(refusals.join("; ")));
        }
        frozen.sort_by_key(|(rank, _)| *rank);
        Ok(frozen.into_iter().map(|(_, job)| job).collect())
    }

    fn confirm(&self, jobs: &[Job]) -> Result<(), Failure> {
        let targets: Vec<Target> = jobs.iter().map(|job| job.target.clone()).collect();
        let confirm = gate::confirmation(self.op, &targets);
        let typed: Vec<&str> = self.args.confirm.iter().map(String::as_str).collect();
        confirm.check(self.args.yes, &typed, self.args.reason.as_deref()).map_err(|refusal| {
            let needed = match &confirm {
                gate::Confirm::Names(names) => {
                    let names = names.iter().map(|name| format!("--confirm {} ", quoted(name)));
                    format!("{}--reason TEXT", names.collect::<String>())
                }
                gate::Confirm::Count(count) => format!("--confirm {count} --reason TEXT"),
                _ => "--yes".to_owned(),
            };
            Failure::Refused(format!("{refusal}; it needs {needed}"))
        })
    }

    async fn run(&self, jobs: &[Job], io: &mut Io<'_>) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        let mut wait = Duration::ZERO;
        for job in jobs {
            tokio::time::sleep(std::mem::take(&mut wait)).await;
            let state = match self.backend(&job.target) {
                Ok(backend) => {
                    let state = self.send(&**backend, job, io).await;
                    if matches!(state, RunState::Done { .. }) {
                        wait = backend.pause_after(job);
                    }
                    state
                }
                Err(failure) => RunState::Refused(failure.to_string()),
            };
            outcomes.push(Outcome { job: job.clone(), state });
        }
        outcomes
    }

    /// Tells each step on the side, once.
    async fn send(&self, backend: &dyn Backend, job: &Job, io: &mut Io<'_>) -> RunState {
        let key = self.args.id.as_deref();
        let order = Order { backend, op: self.op, job, key, around: &self.around };
        let steps = std::sync::Mutex::new((io, String::new()));
        self.session
            .door
            .run(order, &|state| {
                let mut steps = steps.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let line = format!("{}: {state}", job.target.name);
                if line != steps.1 && !state.is_final() {
                    steps.0.note(&line);
                    steps.1 = line;
                }
            })
            .await
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._:@/-".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// What the confirmation would show.
fn tell(target: &Target, verdict: &Verdict, io: &mut Io<'_>) {
    if !verdict.effect.is_empty() {
        io.note(&format!("{}: {}", target.name, verdict.effect));
    }
    for fact in &verdict.evidence {
        io.note(&format!("  {}: {}", fact.what, fact.says));
    }
}

#[cfg(test)]
mod tests;

//! What every command starts from: the settings, the vocabulary of the configured systems, and ways to reach them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::app::desk;
use crate::backend::{self, Backend, REGISTRY};
use crate::config::{Config, Env, Loaded, load};
use crate::exec::checks::Checks;
use crate::exec::journal::Journal;
use crate::exec::locks::Locks;
use crate::exec::operate::{Door, Patience};
use crate::model::kind::Kinds;
use crate::model::op::{OpSpec, Operations};
use crate::model::time::Clock;

use super::Pace;
use super::act::settle;
use super::io::Failure;

/// The settings and vocabulary of one command.
pub struct Session {
    /// The file that the settings came from.
    pub file: PathBuf,
    /// The settings.
    pub config: Arc<Config>,
    /// The clock of ages and journal lines.
    pub clock: Clock,
    /// All kinds.
    pub kinds: Kinds,
    /// All operations.
    pub operations: Operations,
    /// The journal and the locks.
    pub door: Door,
    connectors: Vec<(&'static str, Connect)>,
}

type Connect = Arc<dyn Fn() -> Vec<Arc<dyn Backend>> + Send + Sync>;

impl Session {
    /// Loads the settings; without any there is nothing to ask.
    pub fn open(flag: Option<&Path>, env: &Env, pace: &Pace) -> Result<Self, Failure> {
        match load(flag, env).map_err(Failure::Config)? {
            Loaded::Config(config, file) => Self::with(*config, file, env, pace),
            Loaded::Welcome(place) => {
                let place = place.map(|path| format!(" at {}", path.display())).unwrap_or_default();
                Err(Failure::Usage(format!(
                    "there is no configuration{place}: `vigie config` prints an example, `vigie demo` needs none"
                )))
            }
        }
    }

    fn with(config: Config, file: PathBuf, env: &Env, pace: &Pace) -> Result<Self, Failure> {
        let state = env.state_dir().ok_or_else(|| {
            Failure::Usage("there is no place for the journal: set HOME or XDG_STATE_HOME".to_owned())
        })?;
        let (config, clock) = (Arc::new(config), pace.clock.clone());
        let connectors = REGISTRY.iter().map(|definition| {
            let (config, clock) = (config.clone(), clock.clone());
            let connect: Connect = Arc::new(move || (definition.connect)(&config, &clock));
            (definition.id, connect)
        });
        let desk = crate::exec::desk::Desk::maker(&config, &clock, &Journal::new(&state));
        let own: Connect = Arc::new(desk);
        let (all, time, journal) = (config.clone(), clock.clone(), Journal::new(&state));
        let checks: Connect = Arc::new(move || vec![Arc::new(Checks::configured(&all, &time, &journal))]);
        Ok(Self {
            file,
            connectors: connectors
                .chain([(crate::exec::desk::ID, own), (crate::exec::checks::ID, checks)])
                .collect(),
            config,
            kinds: Kinds::new(
                backend::kinds().into_iter().chain(desk::kinds()).chain(crate::insight::kinds::kinds()),
            ),
            operations: operations(),
            door: door(&state, &clock, pace.patience),
            clock,
        })
    }

    /// The configured instances of one backend, or of all; its secrets are fetched now.
    pub async fn connect(&self, backend: Option<&str>) -> Result<Vec<Arc<dyn Backend>>, Failure> {
        let wanted = self.connectors.iter().filter(|(id, _)| backend.is_none_or(|wanted| wanted == *id));
        let tasks: Vec<_> = wanted
            .map(|(_, connect)| {
                let connect = connect.clone();
                tokio::task::spawn_blocking(move || connect())
            })
            .collect();
        let mut backends = Vec::new();
        for task in tasks {
            let made = task.await;
            backends.extend(made.map_err(|error| Failure::Failed(format!("internal error: {error}")))?);
        }
        Ok(backends)
    }
}

/// All operations that the command line knows.
pub fn operations() -> Operations {
    with_own(backend::operations())
}

fn with_own(of_backends: Vec<OpSpec>) -> Operations {
    Operations::new(of_backends.into_iter().chain(desk::operations()).chain([settle::spec()]))
}

fn door(state: &Path, clock: &Clock, patience: Patience) -> Door {
    Door::new(Journal::new(state), Locks::new(state.join("locks")), clock.clone(), patience)
}

#[cfg(test)]
pub mod testing {
    //! A session on prepared backends, and what its commands print.

    use std::time::Duration;

    use crate::exec::fake::{self, Fake};
    use crate::headless::io::Io;
    use crate::model::kind::{Column, Format, KindSpec, Width};

    use super::*;

    /// A session on fakes, with a journal of its own.
    pub struct Bench {
        pub dir: tempfile::TempDir,
        pub session: Session,
        pub backend: Arc<Fake>,
        pub terminal: bool,
    }

    /// What a command printed, and its exit code.
    #[derive(Debug)]
    pub struct Printed {
        pub out: String,
        pub err: String,
        pub code: u8,
    }

    impl Bench {
        pub fn new(backend: Fake, op: OpSpec) -> Self {
            Self::with(vec![backend], op)
        }

        pub fn with(backends: Vec<Fake>, op: OpSpec) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let backends: Vec<_> = backends.into_iter().map(Arc::new).collect();
            let first = backends[0].clone();
            let connect: Connect =
                Arc::new(move || backends.iter().map(|fake| fake.clone() as Arc<dyn Backend>).collect());
            let patience =
                Patience { proof: Duration::ZERO, pause: Duration::from_millis(1), ..Patience::default() };
            let session = Session {
                file: "config.toml".into(),
                config: Arc::new(Config { operator: "ada".into(), ..Config::default() }),
                clock: Clock::System,
                kinds: Kinds::new([kind()]),
                operations: with_own(vec![op]),
                door: door(dir.path(), &Clock::System, patience),
                connectors: vec![("fake", connect)],
            };
            Self { dir, session, backend: first, terminal: false }
        }

        /// Runs a command as the process does.
        pub async fn run<F>(&self, command: F) -> Printed
        where
            F: AsyncFnOnce(&Session, &mut Io<'_>) -> Result<u8, Failure>,
        {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let mut io = Io { out: &mut out, err: &mut err, terminal: self.terminal };
            let code = match command(&self.session, &mut io).await {
                Ok(code) => code,
                Err(failure) => {
                    io.note(&failure.to_string());
                    failure.code()
                }
            };
            Printed { out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap(), code }
        }

        pub fn journal(&self) -> String {
            std::fs::read_to_string(self.dir.path().join("journal.jsonl")).unwrap_or_default()
        }
    }

    fn kind() -> KindSpec {
        KindSpec {
            id: fake::KIND.into(),
            singular: "thing".into(),
            aliases: vec!["th".into()],
            doc: "Things.".into(),
            columns: vec![
                Column::new("state", "state", Width::Fit(4, 10), "").format(Format::State),
                Column::new("mem", "mem", Width::Fit(4, 10), "").format(Format::Bytes),
            ],
            sort: (0, false),
            views: vec![],
            drill: None,
            pane: None,
        }
    }
}

//! The embedded lab: every backend's simulator on loopback, and a configuration that leads to them.
//!
//! The console and the commands then run as they do against real servers: over sockets, TLS, files and secrets.

mod files;
pub mod scenario;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinSet;

use crate::backend::REGISTRY;
use crate::backend::sim::{Address, Fault, Running, Setting, World, serve};
use crate::model::journal::{Entry, Line};
use crate::model::op::RunId;
use crate::model::time::{Clock, parse_duration};

use files::Folder;
use scenario::Scenario;

/// How often what happens later looks at the lab's clock.
const GLANCE: Duration = Duration::from_millis(100);

/// What `vigie demo` was asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// The scenario's name.
    pub scenario: String,
    /// Where all randomness comes from.
    pub seed: u64,
    /// Faults besides the scenario's.
    pub faults: Vec<Fault>,
    /// The clock that the lab and its console live by.
    pub clock: Clock,
    /// Where to write the configuration; a private temporary folder where not given.
    pub config_out: Option<PathBuf>,
}

/// A running lab; its servers stop and its temporary files go when it is dropped.
#[derive(Debug)]
pub struct Lab {
    /// The state that its simulators share.
    pub world: Arc<World>,
    /// The scenario's title.
    pub title: String,
    /// The configuration that leads to it.
    pub config: PathBuf,
    folder: Folder,
    _servers: Vec<Running>,
    _later: JoinSet<()>,
}

impl Lab {
    /// Starts every simulator and writes the configuration.
    pub async fn start(options: &Options) -> Result<Self, String> {
        let scenario = Scenario::named(&options.scenario)?;
        let world = World::new(options.clock.clone(), options.seed, &options.scenario, scenario.size());
        for (flag, value) in &scenario.flags {
            world.set(flag, value);
        }
        for fault in scenario.faults()?.into_iter().chain(options.faults.iter().cloned()) {
            world.inject(fault);
        }
        let folder = match &options.config_out {
            Some(path) => Folder::beside(path),
            None => Folder::temporary(),
        }
        .map_err(|error| format!("the lab's files cannot be written: {error}"))?;
        if let Some(declared) = &scenario.declared {
            let text = declaration(declared, options.clock.now())?;
            folder.journal(&text).map_err(|error| format!("the lab's journal cannot be written: {error}"))?;
        }
        let (servers, text) = servers(&world, &folder).await?;
        let config = folder
            .config(&text)
            .map_err(|error| format!("the lab's configuration cannot be written: {error}"))?;
        let later = later(scenario.later.as_ref(), &world)?;
        Ok(Self { world, title: scenario.title, config, folder, _servers: servers, _later: later })
    }

    /// Where a console on this lab keeps its journal, apart from the operator's own.
    pub fn state(&self) -> &Path {
        self.folder.path()
    }
}

/// The line of a journal in which the house was declared off.
fn declaration(declared: &scenario::Declared, now: Timestamp) -> Result<String, String> {
    let long = parse_duration(&declared.long).ok_or_else(|| format!("`{}` is no duration", declared.long))?;
    let entry = Entry::Declared {
        topic: "home".into(),
        about: None,
        until: Some(now.checked_add(long).map_err(|error| error.to_string())?),
        text: declared.reason.clone(),
    };
    let line = Line { at: now, run: RunId("declared".into()), operator: "admin1".into(), entry };
    let text = serde_json::to_string(&line).map_err(|error| error.to_string())?;
    Ok(text + "\n")
}

/// Waits on the lab's own clock until something happens.
fn later(later: Option<&scenario::Later>, world: &Arc<World>) -> Result<JoinSet<()>, String> {
    let mut tasks = JoinSet::new();
    let Some(later) = later else { return Ok(tasks) };
    let (faults, flags) = (later.faults()?, later.flags.clone());
    let at = world.clock.now().checked_add(later.after()?).map_err(|error| error.to_string())?;
    let world = world.clone();
    tasks.spawn(async move {
        while world.clock.now() < at {
            tokio::time::sleep(GLANCE).await;
        }
        for (flag, value) in &flags {
            world.set(flag, value);
        }
        for fault in faults {
            world.inject(fault);
        }
    });
    Ok(tasks)
}

async fn servers(world: &Arc<World>, folder: &Folder) -> Result<(Vec<Running>, String), String> {
    let mut servers = Vec::new();
    let mut text =
        String::from("# Written by `vigie demo`: leads to simulators on this machine while they run.\n");
    for simulator in REGISTRY.iter().flat_map(|definition| (definition.simulators)(world)) {
        let name = simulator.server.clone();
        let failed = |error: std::io::Error| format!("the simulator {name} cannot be started: {error}");
        let (running, simulator) = serve(simulator, world.clone()).await.map_err(failed)?;
        for (index, (table, settings)) in simulator.tables.iter().enumerate() {
            let prefix = format!("{}-{index}", simulator.server);
            text.push_str(&self::table(
                table,
                &prefix,
                &settings(&running.address),
                &running.address,
                folder,
            )?);
        }
        servers.push(running);
    }
    Ok((servers, text))
}

fn table(
    table: &str,
    prefix: &str,
    settings: &[(&'static str, Setting)],
    address: &Address,
    folder: &Folder,
) -> Result<String, String> {
    let mut text = format!("\n[[{table}]] # {}\n", address.url);
    for (key, setting) in settings {
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let file = |contents: &str| {
            let path = folder.secret(&format!("{prefix}-{key}"), contents);
            path.map_err(|error| format!("{prefix}-{key} cannot be written: {error}"))
        };
        let value = match setting {
            Setting::Text(value) => quoted(value),
            Setting::Raw(value) => value.clone(),
            Setting::Secret(value) => format!("{{ file = {} }}", quoted(&file(value)?.to_string_lossy())),
            Setting::File(value) => quoted(&file(value)?.to_string_lossy()),
        };
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{key} = {value}");
    }
    Ok(text)
}

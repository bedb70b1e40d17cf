//! The command line as types: what can be typed, with its help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// One terminal console for a whole platform.
#[derive(Debug, Parser)]
#[command(name = "vigie", version, about, after_help = EXIT_CODES)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub common: Common,
    /// The command; without one, the console opens.
    #[command(subcommand)]
    pub command: Option<Command>,
}

const EXIT_CODES: &str = "Exit codes: 0 ok, 1 failed, 2 usage or configuration, 3 a server could not be \
reached, denied access or gave an incomplete list; `do`: 4 refused and nothing sent, 5 sent and outcome unknown \
(look before repeating).";

/// What every command takes.
#[derive(Debug, Args)]
pub struct Common {
    /// The configuration file, instead of the one that `VIGIE_CONFIG` names or `~/.config/vigie/config.toml`.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The theme, instead of the configured one.
    #[arg(long, global = true, value_name = "NAME")]
    pub theme: Option<String>,
    /// The log file, instead of `vigie.log` in the state folder.
    #[arg(long, global = true, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// How much is logged.
    #[arg(long, global = true, value_name = "LEVEL", default_value = "info")]
    pub log_level: LogLevel,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What failed.
    Error,
    /// What may matter.
    Warn,
    /// What happened.
    Info,
    /// How it happened.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// A command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Open the console on an embedded, simulated platform.
    Demo(Demo),
    /// List the rows of a kind.
    Get(Get),
    /// Carry out an operation: checked, journalled, sent once, read back.
    Do(Do),
    /// Print the shift on one page of Markdown: what is wrong, was done, is quiet, ends tonight, and the time line.
    Handover(Handover),
    /// Look at every configured server: reach, credentials, rights, version, expiry.
    Doctor(Doctor),
    /// Audit who can open what.
    Audit(Audit),
    /// Run a checklist, step by step; without a name, list them.
    Check(Check),
    /// Print an example configuration with every key explained.
    Config,
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the manual page.
    Man,
}

impl Command {
    /// Whether it opens a console.
    pub fn is_console(&self) -> bool {
        matches!(self, Self::Demo(demo) if !demo.serve)
    }
}

/// `vigie demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// What is wrong in the lab.
    #[arg(long, value_name = "NAME", default_value = "calm")]
    pub scenario: String,
    /// Where all chance comes from; the same seed gives the same lab.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
    /// A fault in force from the start, such as `proxmox:latency=2s`; may be repeated.
    #[arg(long = "faults", value_name = "FAULT", value_delimiter = ',')]
    pub faults: Vec<String>,
    /// Only run the simulated servers, without a console, until interrupted.
    #[arg(long)]
    pub serve: bool,
    /// Where to write the configuration that leads to the servers.
    #[arg(long, value_name = "FILE", requires = "serve")]
    pub config_out: Option<PathBuf>,
}

/// `vigie handover`.
#[derive(Debug, Args)]
pub struct Handover {
    /// How far back it reaches.
    #[arg(long, value_name = "DURATION", default_value = "12h")]
    pub back: String,
}

/// `vigie get`.
#[derive(Debug, Args)]
pub struct Get {
    /// The kind: its full name (`proxmox.guests`), or a short one that is clear.
    pub kind: String,
    /// Only the row with exactly this name or id.
    pub name: Option<String>,
    /// How it is printed.
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub output: Listing,
    /// Only rows that pass: words, `!word`, `column:value`, `column:>10`, `~fuzzy`.
    #[arg(long, value_name = "QUERY", default_value = "", hide_default_value = true)]
    pub filter: String,
}

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Listing {
    /// Aligned columns, for people.
    Table,
    /// One object: kind, rows, sources, complete.
    Json,
    /// A row a line as they come, and last a line with sources and complete.
    Jsonl,
    /// Comma-separated values with a heading.
    Csv,
}

/// `vigie do`.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, override_usage = "vigie do OPERATION TARGET... [OPTIONS]")]
pub struct Do {
    /// The operation (`proxmox.start`); with --help, its targets and fields are listed.
    pub operation: Option<String>,
    /// On what: an id as `vigie get` prints it, a name that exactly one thing has, or the name of a new thing.
    pub targets: Vec<String>,
    /// A field of the operation; may be repeated.
    #[arg(long, value_name = "FIELD=VALUE")]
    pub set: Vec<String>,
    /// The instance, where several could be meant.
    #[arg(long, value_name = "NAME")]
    pub instance: Option<String>,
    /// Confirm what can be undone.
    #[arg(long)]
    pub yes: bool,
    /// Confirm what is costly: the target's name, each of several names, or with many the count.
    #[arg(long, value_name = "NAME")]
    pub confirm: Vec<String>,
    /// Why; kept in the journal.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// A key of your own: a second run with the same key is refused.
    #[arg(long, value_name = "KEY")]
    pub id: Option<String>,
    /// Write what is shown only once (a link) into this new file, mode 0600.
    #[arg(long, value_name = "FILE")]
    pub secret_out: Option<PathBuf>,
    /// How the outcome is printed.
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Report,
    /// Print this help, or that of the operation.
    #[arg(short, long)]
    pub help: bool,
}

/// How an outcome is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Report {
    /// Lines, for people.
    #[value(alias = "table")]
    Text,
    /// One object.
    Json,
}

/// `vigie doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// How it is printed.
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Report,
}

/// `vigie audit`.
#[derive(Debug, Args)]
pub struct Audit {
    /// What is audited.
    #[arg(value_enum)]
    pub what: AuditOf,
    /// How it is printed.
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: AuditReport,
}

/// What can be audited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AuditOf {
    /// Which application is open to whom; exits with 1 where one is open to people who should be kept out.
    Exposure,
}

/// How an audit is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AuditReport {
    /// Lines, for people.
    Text,
    /// One object.
    Json,
    /// A document with the matrix of applications and groups.
    Markdown,
}

/// `vigie check`.
#[derive(Debug, Args)]
pub struct Check {
    /// The checklist's name.
    pub name: Option<String>,
    /// How it is printed.
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Report,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_the_manual_shows_can_be_typed() {
        for line in [
            "vigie",
            "vigie --config c.toml --theme mono",
            "vigie demo --scenario calm --seed 7 --faults proxmox:latency=2s",
            "vigie demo --serve --config-out c.toml",
            "vigie get guests -o jsonl --filter state:running --config c.toml",
            "vigie do authentik.invite gran --set group=family --set expires=7d --yes --secret-out link",
            "vigie do proxmox.start --help",
            "vigie do --help",
            "vigie doctor -o json",
            "vigie audit exposure -o markdown",
            "vigie check login-loop -o json",
            "vigie check",
            "vigie completions fish",
        ] {
            assert!(Cli::try_parse_from(line.split(' ')).is_ok(), "{line}");
        }
    }
}

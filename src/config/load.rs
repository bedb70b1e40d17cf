//! Finds the configuration file, reads it with distrust and turns it into settings.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::Config;
use super::env::Env;
use super::raw::Table;
use super::report::{Report, Reports, Severity};
use super::source::Source;
use super::valid::Validator;

/// A larger file than this is not a configuration.
const LARGEST: u64 = 1024 * 1024;

/// The annotated example, which names every key there is.
pub const EXAMPLE: &str = include_str!("../../config.example.toml");

/// What was found.
#[derive(Debug, Clone)]
pub enum Loaded {
    /// Settings, and the file they came from.
    Config(Box<Config>, PathBuf),
    /// No file at all: the place where one would be looked for, if this machine has such a place.
    Welcome(Option<PathBuf>),
}

/// Loads the file named by `--config`, else by `VIGIE_CONFIG`, else `config.toml` in the user's own directory.
pub fn load(flag: Option<&Path>, env: &Env) -> Result<Loaded, Reports> {
    let named = flag.map(Path::to_owned).or_else(|| env.get("VIGIE_CONFIG").map(PathBuf::from));
    if let Some(path) = named {
        return read(&path, env).map(|config| Loaded::Config(Box::new(config), path));
    }
    let Some(path) = env.config_dir().map(|dir| dir.join("config.toml")) else {
        return Ok(Loaded::Welcome(None));
    };
    // A link to nowhere is a mistake to be told, not an absent file.
    match path.symlink_metadata() {
        Err(why) if why.kind() == ErrorKind::NotFound => Ok(Loaded::Welcome(Some(path))),
        _ => read(&path, env).map(|config| Loaded::Config(Box::new(config), path)),
    }
}

/// Reads and checks one file.
pub fn read(path: &Path, env: &Env) -> Result<Config, Reports> {
    let name = path.display().to_string();
    let text = text(path).map_err(|report| Reports(vec![*report]))?;
    let base = path.parent().unwrap_or(Path::new(""));
    parse(&name, &text, base, env)
}

/// Checks a file's text; relative paths in it start at `base`.
pub fn parse(name: &str, text: &str, base: &Path, env: &Env) -> Result<Config, Reports> {
    let source = Source::new(name, text, Severity::Error);
    let mut validator = Validator::new(env, base);
    let config = source.parse().map(|entries| validator.config(Table::root(&source, &entries)));
    let reports = source.into_reports();
    match config {
        Some(config) if reports.is_empty() => Ok(config),
        _ => Err(Reports(reports)),
    }
}

/// A file's text, or why it is none.
pub(super) fn text(path: &Path) -> Result<String, Box<Report>> {
    let name = path.display();
    let mut bytes = Vec::new();
    let opened = File::open(path).and_then(|file| {
        if file.metadata()?.is_dir() {
            return Err(ErrorKind::IsADirectory.into());
        }
        file.take(LARGEST + 1).read_to_end(&mut bytes)
    });
    let failed = |why: String, cure: &str| Box::new(Report::error(format!("{name} {why}"), cure));
    if let Err(why) = opened {
        return Err(match why.kind() {
            ErrorKind::IsADirectory => failed("is a directory".to_owned(), "name the file inside it"),
            ErrorKind::NotFound => failed(
                "does not exist".to_owned(),
                "check the path, or write a first file with `vigie config > config.toml`",
            ),
            ErrorKind::PermissionDenied => {
                failed("may not be read by you".to_owned(), "give yourself the right: `chmod u+r` it")
            }
            _ => failed(format!("cannot be read: {why}"), "check the path"),
        });
    }
    if bytes.len() as u64 > LARGEST {
        return Err(failed(
            "is larger than 1 MiB".to_owned(),
            "name a configuration file, not something else",
        ));
    }
    String::from_utf8(bytes).map_err(|why| {
        let line = why.as_bytes()[..why.utf8_error().valid_up_to()].split(|b| *b == b'\n').count();
        failed(format!("is not UTF-8 in line {line}"), "save the file as UTF-8 text")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys of a section of the example, commented out or not.
    fn shown(section: &str) -> Vec<&'static str> {
        let headers = [format!("[{section}]"), format!("[[{section}]]")];
        let mut inside = section.is_empty();
        let mut keys = Vec::new();
        for line in EXAMPLE.lines() {
            if line.starts_with('[') {
                inside = headers.iter().any(|header| header == line);
            }
            let key = line.trim_start_matches("# ").split(" = ").next().unwrap_or_default();
            if inside && line.contains(" = ") {
                keys.push(key);
            }
        }
        keys
    }

    #[test]
    fn the_example_shows_every_key_in_its_own_table() {
        let source = Source::new("config.example.toml", EXAMPLE, Severity::Error);
        let env = Env::default();
        let mut validator = Validator::new(&env, Path::new(""));
        let entries = source.parse().unwrap();
        validator.config(Table::root(&source, &entries));
        // What every HTTP connector takes is explained once, wherever it fits best.
        let common =
            ["host_header", "headers", "proxy", "ca", "fingerprint", "public_url", "plaintext", "timeout"];
        let tables = [
            "proxmox",
            "omni",
            "kubernetes",
            "argocd",
            "authentik",
            "alertmanager",
            "prometheus",
            "docker",
            "loki",
            "ntfy",
            "cloudflare",
            "github",
            "probe",
        ];
        let everywhere: Vec<_> = tables.iter().flat_map(|table| shown(table)).collect();
        for (section, keys) in &validator.asked {
            let here = shown(section);
            for key in keys {
                let table = tables.contains(key)
                    || matches!(
                        *key,
                        "ui" | "guard"
                            | "pinned"
                            | "measure"
                            | "alias"
                            | "look"
                            | "oncall"
                            | "alerts"
                            | "severity"
                            | "refresh"
                            | "budget"
                            | "wake"
                    );
                let auth = matches!(*key, "user" | "password" | "bearer");
                let known = if common.contains(key) || auth { &everywhere } else { &here };
                assert!(table || known.contains(key), "`{key}` of [{section}] is not in the example");
            }
        }
        assert!(validator.asked.len() >= 11, "{:?}", validator.asked.keys());
    }
}

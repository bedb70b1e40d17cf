//! The tables: a file per system, a row per operation, read with everything that a row leaves to its file.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::columns::Column;

/// One way to play an operation.
#[derive(Debug)]
pub struct Row {
    /// The operation, and which way where there are several (`proxmox.start of a container`).
    pub title: String,
    /// The operation's full name.
    pub operation: String,
    /// The server that is written to, as faults name it.
    pub server: String,
    /// What is played.
    pub played: Played,
    /// The columns that it leaves out, and why.
    pub left_out: BTreeMap<Column, String>,
}

impl Row {
    /// Whether it plays a column.
    pub fn plays(&self, column: Column) -> bool {
        !self.left_out.contains_key(&column)
    }
}

/// The keys of a row.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Played {
    /// Target and options, as they follow `vigie do OPERATION`; `{dir}` is a folder of its own, `{open}` the open run.
    #[serde(rename = "do")]
    pub call: String,
    /// The lab's scenario.
    #[serde(default = "calm")]
    pub scenario: String,
    /// What was before: `set FLAG VALUE`, `fault FAULT`, `do …` by somebody else, `try …` whatever comes of it,
    /// `mine …` likewise by whoever plays.
    #[serde(default)]
    pub given: Vec<String>,
    /// The server, where it is not that of the file.
    server: Option<String>,
    /// The request that changes the world, `METHOD PATH` or the beginning of it; empty where nothing is sent.
    #[serde(default)]
    pub sends: String,
    /// How often that request goes out in one run.
    #[serde(default = "once")]
    pub times: usize,
    /// What shows the world (`get proxmox.guests talos-dev`).
    pub look: String,
    /// What it shows before, and where nothing was done; `!TEXT` is what it does not show.
    pub was: String,
    /// What it shows once it is done.
    pub is: String,
    /// Words of the read-back.
    pub proof: String,
    /// How the server refuses it: the status, and the server's own words, in JSON or as a reason phrase.
    #[serde(default)]
    pub refusal: String,
    /// What vigie makes of that.
    #[serde(default)]
    pub refused: String,
    /// What the world shows where the first of several requests was carried out and its answer lost.
    pub half: Option<String>,
    /// What stands although the server refuses, or never answers: a part that no server is asked for.
    pub stands: Option<String>,
    /// What the journal holds of it, where it is a line of the journal and no run.
    pub line: Option<String>,
    /// What somebody else does while the request is under way; without it, the same.
    pub rival: Option<String>,
    /// What vigie says of that.
    #[serde(default)]
    pub overtaken: String,
    /// What the world shows then.
    #[serde(default)]
    pub then: String,
    /// The same call on somebody with a twin.
    #[serde(default)]
    pub twin: Option<String>,
    /// What was before that, beside `given`.
    #[serde(default)]
    pub twins: Vec<String>,
    /// What is said of the twin.
    #[serde(default)]
    pub shows: String,
    /// Why no server is asked, which leaves out what servers and lines can do.
    alone: Option<String>,
    /// Columns that it leaves out, and why.
    #[serde(default, rename = "not")]
    left_out: BTreeMap<Column, String>,
}

#[derive(Deserialize)]
struct File {
    server: String,
    #[serde(default)]
    refusal: String,
    #[serde(default)]
    refused: String,
    /// Columns that all its rows leave out, and why.
    #[serde(default, rename = "not")]
    left_out: BTreeMap<Column, String>,
    #[serde(flatten)]
    rows: BTreeMap<String, Played>,
}

fn calm() -> String {
    "calm".to_owned()
}

fn once() -> usize {
    1
}

/// Every row of every table.
pub fn read() -> Vec<Row> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/operations");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|kind| kind == "toml")).collect();
    paths.sort();
    paths.iter().flat_map(|path| rows(path)).collect()
}

fn rows(path: &Path) -> Vec<Row> {
    let text = std::fs::read_to_string(path).unwrap();
    let file: File = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let system = path.file_stem().unwrap().to_string_lossy().into_owned();
    let File { server, refusal, refused, left_out, rows } = file;
    let row = |(key, mut played): (String, Played)| {
        let name = key.split(' ').next().unwrap_or_default();
        let full = |name: &str| if name.contains('.') { name.to_owned() } else { format!("{system}.{name}") };
        let mut reasons = left_out.clone();
        reasons.append(&mut played.left_out);
        if let Some(alone) = &played.alone {
            let columns = [Column::Refused, Column::Silent, Column::Swallowed, Column::Lost];
            reasons.extend(columns.map(|column| (column, alone.clone())));
        }
        // A row that says what becomes of it plays it, whatever its file leaves out.
        reasons.retain(|column, _| *column != Column::Overtaken || played.overtaken.is_empty());
        if played.refusal.is_empty() {
            (played.refusal, played.refused) = (refusal.clone(), refused.clone());
        }
        let server = played.server.clone().unwrap_or_else(|| server.clone());
        Row { title: full(&key), operation: full(name), server, played, left_out: reasons }
    };
    rows.into_iter().map(row).collect()
}

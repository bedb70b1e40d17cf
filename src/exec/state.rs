//! The last state on disk: what the next start shows before any server has answered.
//!
//! One JSON object a line, so that a damaged line costs itself alone and nothing is ever held twice in memory. The file
//! is the user's alone, bounded, replaced as a whole, and thrown away without regret: it is a memory, not a record.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};

use crate::model::id::{EntityId, Identity, KindId, SourceId};
use crate::model::remembered::{Remembered, faded};
use crate::model::row::{Cell, Domain, Row, Value};
use crate::model::snapshot::{Cadence, Mode as Way, SourceSpec};

use super::place;

/// Of a longer list only those come along that were worst.
const ROWS: usize = 1_000;
/// The whole file, bytes.
const BYTES: u64 = 4 << 20;

/// One line of the file; rows belong to the source above them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Source {
        id: SourceId,
        kinds: Vec<KindId>,
        domain: Domain,
        at: Timestamp,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        farewell: bool,
    },
    Row {
        id: EntityId,
        name: Arc<str>,
        domain: Domain,
        #[serde(default, skip_serializing_if = "Identity::is_empty")]
        identity: Identity,
        cells: Vec<Value>,
    },
}

/// The file of this user.
#[derive(Debug, Clone)]
pub struct LastState {
    path: PathBuf,
    rows: usize,
    bytes: u64,
}

impl LastState {
    /// The last state in a state folder.
    pub fn new(state_dir: &Path) -> Self {
        Self { path: state_dir.join("last-state.jsonl"), rows: ROWS, bytes: BYTES }
    }

    /// Replaces what is remembered; blocks.
    pub fn write(&self, memories: &[Remembered]) -> io::Result<()> {
        let dir = self.path.parent().unwrap_or(Path::new("."));
        place::private_dir(dir)?;
        // A name of its own for each process: two consoles never write into one file.
        let new = dir.join(format!(".last-state.{}", std::process::id()));
        let written = self.write_to(&new, memories).and_then(|()| std::fs::rename(&new, &self.path));
        if written.is_err() {
            let _ = std::fs::remove_file(&new);
        }
        written
    }

    fn write_to(&self, path: &Path, memories: &[Remembered]) -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = File::from(rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?);
        place::private_file(&file)?;
        let mut out = BufWriter::new(file);
        let mut left = self.bytes;
        for memory in memories {
            if !put(&mut out, &mut left, &source_line(memory))? {
                break;
            }
            for row in self.chosen(&memory.rows) {
                if !put(&mut out, &mut left, &row_line(row))? {
                    break;
                }
            }
        }
        out.flush()
    }

    /// The rows that come along, in a fixed order.
    fn chosen<'r>(&self, rows: &'r [Arc<Row>]) -> Vec<&'r Row> {
        let mut rows: Vec<&Row> = rows.iter().map(|row| &**row).collect();
        rows.sort_unstable_by(|a, b| (a.health, &a.id).cmp(&(b.health, &b.id)));
        rows.truncate(self.rows);
        rows
    }

    /// Reads what can be read; nothing where there is no usable file; blocks.
    pub fn read(&self) -> Vec<Remembered> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let Ok(file) = rustix::fs::open(&self.path, flags, Mode::empty()).map(File::from) else {
            return Vec::new();
        };
        if !file.metadata().is_ok_and(|meta| meta.is_file()) {
            return Vec::new();
        }
        parse(BufReader::new(file.take(2 * self.bytes)))
    }
}

/// Writes one line while there is room for it.
fn put(out: &mut impl Write, left: &mut u64, line: &Line) -> io::Result<bool> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    let Some(rest) = left.checked_sub(bytes.len() as u64) else { return Ok(false) };
    *left = rest;
    out.write_all(&bytes)?;
    Ok(true)
}

fn source_line(memory: &Remembered) -> Line {
    Line::Source {
        id: memory.spec.id.clone(),
        kinds: memory.spec.kinds.clone(),
        domain: memory.spec.domain,
        at: memory.at,
        farewell: memory.farewell,
    }
}

fn row_line(row: &Row) -> Line {
    // JSON has no word for these.
    let written = |cell: &Cell| match &cell.value {
        Value::Float(x) if !x.is_finite() => Value::Empty,
        value => value.clone(),
    };
    Line::Row {
        id: row.id.clone(),
        name: row.name.clone(),
        domain: row.domain,
        identity: row.identity.clone(),
        cells: row.cells.iter().map(written).collect(),
    }
}

fn parse(file: impl BufRead) -> Vec<Remembered> {
    let mut memories: BTreeMap<SourceId, Remembered> = BTreeMap::new();
    let mut last = None;
    for line in file.split(b'\n').map_while(Result::ok) {
        match serde_json::from_slice(&line) {
            Ok(Line::Source { id, kinds, domain, at, farewell }) => {
                // How it is asked is its backend's to say.
                let mode = Way::Poll(Cadence { focused: 60, visible: 60, hidden: 60 });
                let spec = SourceSpec { id: id.clone(), kinds, mode, domain };
                last = Some(id.clone());
                memories.insert(id, Remembered { spec, at, farewell, rows: Vec::new() });
            }
            Ok(Line::Row { id, name, domain, identity, cells }) => {
                let Some(memory) = last.as_ref().and_then(|id| memories.get_mut(id)) else { continue };
                let cells = cells.into_iter().map(Cell::new).collect();
                let row = Row { domain, identity, ..Row::new(id, name, cells) };
                memory.rows.push(Arc::new(faded(row)));
            }
            Err(_) => {}
        }
    }
    memories.into_values().collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use crate::model::row::{Health, Tone};

    use super::*;

    fn row(key: &str, health: Health) -> Arc<Row> {
        let cells = vec![
            Cell::toned("running", Tone::Ok),
            Cell::new(7_i64),
            Cell::new(f64::NAN),
            Cell::new(0.5),
            Cell::new(true),
            Cell::new(Timestamp::UNIX_EPOCH),
            Cell::empty(),
        ];
        let mut row = Row::new(EntityId::new("proxmox.guests", "pve", key), format!("name of {key}"), cells);
        (row.health, row.domain) = (health, Domain::Home);
        row.identity = Identity::new().with("node", "pve");
        Arc::new(row)
    }

    fn memory(rows: Vec<Arc<Row>>) -> Remembered {
        let spec = SourceSpec {
            id: SourceId::new("proxmox", "pve", "resources"),
            kinds: vec!["proxmox.guests".into()],
            mode: Way::Watch,
            domain: Domain::Home,
        };
        Remembered { spec, at: Timestamp::UNIX_EPOCH, farewell: true, rows }
    }

    fn state() -> (tempfile::TempDir, LastState) {
        let dir = tempfile::tempdir().unwrap();
        let state = LastState::new(&dir.path().join("vigie"));
        (dir, state)
    }

    #[test]
    fn what_was_seen_is_remembered_faded_and_is_the_users_alone() {
        let (_dir, state) = state();
        assert!(state.read().is_empty());
        state.write(&[memory(vec![row("qemu/110", Health::Ok)])]).unwrap();
        state.write(&[memory(vec![row("qemu/110", Health::Critical)])]).unwrap();
        let read = state.read();
        assert_eq!((read.len(), read[0].farewell, read[0].spec.domain), (1, true, Domain::Home));
        let row = &read[0].rows[0];
        assert_eq!(
            (row.health, &*row.name, row.identity.get("node")),
            (Health::Unknown, "name of qemu/110", Some("pve"))
        );
        let values: Vec<&Value> = row.cells.iter().map(|cell| &cell.value).collect();
        let at = Value::Time(Timestamp::UNIX_EPOCH);
        let wanted =
            [&"running".into(), &7.into(), &Value::Empty, &0.5.into(), &true.into(), &at, &Value::Empty];
        assert_eq!(values, wanted);
        assert_eq!(state.path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(
            std::fs::read_dir(state.path.parent().unwrap()).unwrap().count(),
            1,
            "nothing is left behind"
        );
    }

    #[test]
    fn of_a_long_list_the_worst_come_along_and_the_file_stays_small() {
        let (_dir, state) = state();
        let rows: Vec<_> = (0..50).map(|n| row(&format!("qemu/{n}"), Health::Ok)).collect();
        let bad = row("qemu/999", Health::Critical);
        let all: Vec<_> = rows.into_iter().chain([bad.clone()]).collect();
        let few = LastState { rows: 2, ..state.clone() };
        few.write(&[memory(all.clone())]).unwrap();
        let read = few.read();
        assert_eq!((read[0].rows.len(), &read[0].rows[0].id), (2, &bad.id));
        let small = LastState { bytes: 900, ..state };
        small.write(&[memory(all)]).unwrap();
        assert!(small.path.metadata().unwrap().len() <= 900);
        assert!(!small.read()[0].rows.is_empty());
    }

    #[test]
    fn a_damaged_line_costs_itself_alone() {
        let (_dir, state) = state();
        state.write(&[memory(vec![row("qemu/1", Health::Ok), row("qemu/2", Health::Ok)])]).unwrap();
        let text = std::fs::read_to_string(&state.path).unwrap();
        let torn = text.replacen("qemu/1", "\u{1}\"", 1) + "\u{fffd}{\"row\":[]}\n{\"party\":1}\n{\"ro";
        std::fs::write(&state.path, torn).unwrap();
        assert_eq!(state.read()[0].rows.len(), 1);
    }
}

//! The journal file: one JSON object a line, on the disk before anything is sent, readable after any crash.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use crate::model::id::EntityId;
use crate::model::journal::{Entry, Line, OpenRun, declarations, open_runs};
use crate::model::op::{RunId, RunState};

use super::place;

/// The journal of this user.
#[derive(Debug, Clone)]
pub struct Journal {
    path: PathBuf,
}

/// What a journal held.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reading {
    /// Every line that could be read, oldest first.
    pub lines: Vec<Line>,
    /// How many could not: torn by a crash, or written by somebody else.
    pub unreadable: usize,
}

impl Reading {
    /// The newest lines, and before them the older lines that still matter: runs that are open, and declarations.
    pub fn recent(&self, count: usize) -> Vec<Line> {
        let (older, newest) = self.lines.split_at(self.lines.len().saturating_sub(count));
        let open = open_runs(&self.lines);
        let declared = declarations(&self.lines);
        let matters = |line: &&Line| match &line.entry {
            Entry::Declared { topic, .. } => {
                declared.iter().any(|known| known.topic == *topic && known.since == line.at)
            }
            _ => open.iter().any(|run| run.line == **line),
        };
        older.iter().filter(matters).chain(newest).cloned().collect()
    }

    /// The run on a target that has no known outcome.
    pub fn open_on(&self, target: &EntityId) -> Option<OpenRun> {
        let acts =
            |run: &OpenRun| matches!(&run.line.entry, Entry::Sending { target: t, .. } if t.id == *target);
        open_runs(&self.lines).into_iter().find(acts)
    }

    /// The known outcome of a run.
    pub fn outcome(&self, run: &RunId) -> Option<RunState> {
        self.lines.iter().rev().filter(|line| line.run == *run).find_map(|line| match &line.entry {
            Entry::Done { text } => Some(RunState::Done { proof: text.clone(), reveal: None }),
            Entry::Failed { text } => Some(RunState::Failed(text.clone())),
            Entry::Refused { text } => Some(RunState::Refused(text.clone())),
            _ => None,
        })
    }

    /// Whether a caller's own key was used before.
    pub fn has_key(&self, wanted: &str) -> bool {
        let uses =
            |line: &Line| matches!(&line.entry, Entry::Sending { key: Some(key), .. } if key == wanted);
        self.lines.iter().any(uses)
    }
}

impl Journal {
    /// The journal in a state folder; both are made when the first line is written.
    pub fn new(state_dir: &Path) -> Self {
        Self { path: state_dir.join("journal.jsonl") }
    }

    /// Writes a line and waits until the disk has it; blocks.
    pub fn append(&self, line: &Line) -> io::Result<()> {
        let mut file = self.open()?;
        place::private_file(&file)?;
        let mut bytes = Vec::new();
        if torn(&mut file)? {
            bytes.push(b'\n');
        }
        serde_json::to_writer(&mut bytes, line)?;
        bytes.push(b'\n');
        // One write, so that lines of two processes never mix; half a line is as good as none.
        let written = file.write(&bytes)?;
        if written < bytes.len() {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "only part of the line was written"));
        }
        file.sync_all()
    }

    /// Reads what can be read; a journal that does not exist yet is empty.
    pub fn read(&self) -> io::Result<Reading> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let mut file = match rustix::fs::open(&self.path, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(rustix::io::Errno::NOENT) => return Ok(Reading::default()),
            Err(error) => return Err(error.into()),
        };
        if !file.metadata()?.is_file() {
            return Err(io::Error::other(format!("{} is not a regular file", self.path.display())));
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(parse(&bytes))
    }

    fn open(&self) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::APPEND | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        match rustix::fs::open(&self.path, flags, Mode::empty()) {
            Ok(file) => Ok(file.into()),
            Err(rustix::io::Errno::NOENT) => self.create(flags),
            Err(error) => Err(error.into()),
        }
    }

    /// A new file is only safe once its folder is on the disk too.
    fn create(&self, flags: OFlags) -> io::Result<File> {
        let dir = self.path.parent().unwrap_or(Path::new("."));
        place::private_dir(dir)?;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = File::from(rustix::fs::open(&self.path, flags | OFlags::CREATE, mode)?);
        File::open(dir)?.sync_all()?;
        Ok(file)
    }
}

/// Whether the last line has no end, so that the next one must not be glued to it.
fn torn(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != [b'\n'])
}

fn parse(bytes: &[u8]) -> Reading {
    let mut reading = Reading::default();
    for text in bytes.split(|byte| *byte == b'\n').filter(|text| !text.is_empty()) {
        match serde_json::from_slice(text) {
            Ok(line) => reading.lines.push(line),
            Err(_) => reading.unreadable += 1,
        }
    }
    reading
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use jiff::Timestamp;

    use crate::model::id::Identity;
    use crate::model::op::{Args, Target};
    use crate::model::row::Domain;

    use super::*;

    fn line(run: &str, entry: Entry) -> Line {
        Line { at: Timestamp::UNIX_EPOCH, run: RunId(run.into()), operator: "ada".into(), entry }
    }

    fn note(run: &str) -> Line {
        line(run, Entry::Note { about: None, text: "two\nlines".into() })
    }

    fn sending(run: &str, key: Option<&str>) -> Line {
        let target = Target {
            id: EntityId::new("proxmox.guests", "pve", "qemu/110"),
            name: "gaming".into(),
            identity: Identity::new(),
            domain: Domain::Home,
        };
        let entry = Entry::Sending {
            op: "proxmox.start".into(),
            target,
            args: Args::new(),
            reason: None,
            key: key.map(str::to_owned),
        };
        line(run, entry)
    }

    fn journal() -> (tempfile::TempDir, Journal) {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::new(&dir.path().join("vigie"));
        (dir, journal)
    }

    #[test]
    fn what_was_written_is_read_and_belongs_to_the_user_alone() {
        let (_dir, journal) = journal();
        assert_eq!(journal.read().unwrap(), Reading::default());
        journal.append(&note("r1")).unwrap();
        journal.append(&note("r2")).unwrap();
        assert_eq!(journal.read().unwrap().lines, [note("r1"), note("r2")]);
        assert_eq!(journal.path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_torn_line_costs_itself_and_nothing_else() {
        let (_dir, journal) = journal();
        journal.append(&note("r1")).unwrap();
        let mut bytes = std::fs::read(&journal.path).unwrap();
        bytes.extend_from_slice(b"{\"at\":\"2026-");
        std::fs::write(&journal.path, bytes).unwrap();
        journal.append(&note("r2")).unwrap();
        assert_eq!(journal.read().unwrap(), Reading { lines: vec![note("r1"), note("r2")], unreadable: 1 });
    }

    #[test]
    fn foreign_lines_are_counted_and_passed_over() {
        let foreign = b"\xff\xfe\n{\"what\":\"party\"}\n[]\n\n";
        assert_eq!(parse(foreign), Reading { lines: vec![], unreadable: 3 });
    }

    #[test]
    fn an_open_run_is_among_the_recent_however_old_it_is() {
        let lines = vec![sending("r1", None), note("r2"), note("r3"), note("r4")];
        let reading = Reading { lines: lines.clone(), unreadable: 0 };
        assert_eq!(reading.recent(1), [lines[0].clone(), lines[3].clone()]);
        assert_eq!(reading.recent(10), lines);
    }

    #[test]
    fn keys_and_open_runs_are_found() {
        let lines = vec![sending("r1", Some("deploy-7"))];
        let reading = Reading { lines, unreadable: 0 };
        assert!(reading.has_key("deploy-7") && !reading.has_key("deploy-8"));
        assert!(reading.open_on(&EntityId::new("proxmox.guests", "pve", "qemu/110")).is_some());
        assert!(reading.open_on(&EntityId::new("proxmox.guests", "pve", "qemu/111")).is_none());
    }

    #[test]
    fn a_link_in_the_journals_place_is_not_followed() {
        let (dir, journal) = journal();
        std::fs::create_dir(dir.path().join("vigie")).unwrap();
        std::os::unix::fs::symlink(dir.path().join("elsewhere"), &journal.path).unwrap();
        assert!(journal.append(&note("r1")).is_err() && journal.read().is_err());
        assert!(!dir.path().join("elsewhere").exists());
    }
}

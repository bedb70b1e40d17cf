//! The log: a file of the user's own, never the screen, and never larger than twice its bound.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rustix::fs::{Mode, OFlags};
use tracing_subscriber::EnvFilter;

/// A log file that has grown so far makes room for the next one, in bytes.
const BOUND: u64 = 1024 * 1024;

/// Logs into a file from its first line on: vigie's own events at `level` (`off` … `trace`), others' warnings alone, as
/// what they say in detail may hold what they sent. A place that can be seen not to take a log is an error now; one that
/// refuses later costs the log alone.
pub fn start(path: &Path, level: &str) -> io::Result<()> {
    let log = Log::at(path, BOUND)?;
    let filter = if level == "off" { "off".to_owned() } else { format!("warn,vigie={level}") };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_ansi(false)
        .with_writer(Mutex::new(log))
        .finish();
    // A second start in one process keeps the first log.
    let _ = tracing::subscriber::set_global_default(subscriber);
    Ok(())
}

/// A log: nothing on disk until something was said, so that looking at a console leaves no trace.
struct Log {
    path: PathBuf,
    open: Option<Open>,
    bound: u64,
}

/// An open log file and how far it has grown, in bytes.
struct Open {
    file: File,
    size: u64,
}

impl Log {
    /// The log that will be at `path`. One that is there already is opened, so that what cannot be written is known at once.
    fn at(path: &Path, bound: u64) -> io::Result<Self> {
        let open = if path.exists() { Some(Open::at(path)?) } else { None };
        Ok(Self { path: path.to_owned(), open, bound })
    }

    /// The file to write to next. A full one is kept under another name until the next one is full.
    fn file(&mut self) -> io::Result<&mut Open> {
        // Only a regular file grows: `--log /dev/stderr` stays where it is.
        if let Some(full) = self.open.take_if(|open| open.size >= self.bound) {
            if full.file.metadata()?.is_file() {
                let mut kept = self.path.clone().into_os_string();
                kept.push(".1");
                std::fs::rename(&self.path, kept)?;
            } else {
                self.open = Some(full);
            }
        }
        match &mut self.open {
            Some(open) => Ok(open),
            open => Ok(open.insert(Open::at(&self.path)?)),
        }
    }
}

impl Open {
    fn at(path: &Path) -> io::Result<Self> {
        if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty() && !dir.exists()) {
            use std::os::unix::fs::DirBuilderExt;
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        }
        let file = append(path)?;
        let size = file.metadata()?.len();
        Ok(Self { file, size })
    }
}

fn append(path: &Path) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?.into())
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let open = self.file()?;
        let written = open.file.write(bytes)?;
        open.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.open.as_mut().map_or(Ok(()), |open| open.file.flush())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_log_is_private_and_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state/vigie.log");
        let mut log = Log::at(&path, 100).unwrap();
        assert!(!path.parent().unwrap().exists(), "nothing was said yet");
        for _ in 0..100 {
            log.write_all(b"0123456789\n").unwrap();
        }
        let sizes = ["vigie.log", "vigie.log.1"].map(|name| {
            let file = path.with_file_name(name).metadata().unwrap();
            assert_eq!(file.permissions().mode() & 0o777, 0o600);
            file.len()
        });
        assert!(sizes.iter().all(|size| *size <= 111), "{sizes:?}");
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 2);
    }
}

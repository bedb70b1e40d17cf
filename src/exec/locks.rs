//! One writer per target, across processes: a lock file each, released by the kernel when its holder dies.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::place;

/// How often a lock file is taken anew that its last holder removed at the same moment.
const TRIES: u32 = 16;
/// A lock file says in one line who holds it; more than this was not written by us.
const LONGEST: u64 = 512;

/// The folder of the lock files.
#[derive(Debug, Clone)]
pub struct Locks {
    dir: PathBuf,
}

/// Why a lock could not be taken.
#[derive(Debug, Error)]
pub enum LockError {
    /// Somebody else acts on the same target now; in their own words.
    #[error("another run acts on it now: {0}")]
    Held(String),
    /// The lock file cannot be used, so nobody can say who acts.
    #[error("the lock cannot be taken: {0}")]
    Io(#[from] io::Error),
}

/// A lock, held until it is dropped or the process ends.
#[derive(Debug)]
pub struct Held {
    path: PathBuf,
    /// Closing it releases the lock.
    _file: File,
}

impl Drop for Held {
    fn drop(&mut self) {
        // Removed while it is still held: whoever opened it meanwhile sees that it is gone and opens a new one.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Locks {
    /// Locks in a folder, which is made when the first is taken.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// Takes the lock of `what` without waiting; `claim` tells others who holds it.
    pub fn take(&self, what: &str, claim: &str) -> Result<Held, LockError> {
        place::private_dir(&self.dir)?;
        let path = self.dir.join(file_name(what));
        for _ in 0..TRIES {
            let mut file = open(&path)?;
            match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(rustix::io::Errno::WOULDBLOCK) => return Err(LockError::Held(holder(file))),
                Err(error) => return Err(LockError::Io(error.into())),
            }
            if same_file(&file, &path) {
                file.set_len(0)?;
                file.write_all(claim.as_bytes())?;
                return Ok(Held { path, _file: file });
            }
        }
        Err(LockError::Io(io::Error::other("its file is removed again and again")))
    }
}

fn file_name(what: &str) -> String {
    let mut name = String::with_capacity(64);
    for byte in Sha256::digest(what.as_bytes()) {
        // Writing into a string cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    Ok(File::from(rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?))
}

/// Whether the locked file is still the one that others would open.
fn same_file(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(ours), Ok(theirs)) => (ours.dev(), ours.ino()) == (theirs.dev(), theirs.ino()),
        _ => false,
    }
}

fn holder(file: File) -> String {
    let mut claim = String::new();
    match file.take(LONGEST).read_to_string(&mut claim) {
        Ok(_) if !claim.trim().is_empty() => claim.trim().to_owned(),
        _ => "it does not say which".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locks() -> (tempfile::TempDir, Locks) {
        let dir = tempfile::tempdir().unwrap();
        let locks = Locks::new(dir.path().join("locks"));
        (dir, locks)
    }

    #[test]
    fn the_second_is_refused_and_told_who_was_first() {
        let (_dir, locks) = locks();
        let held = locks.take("proxmox.guests/pve/qemu/110", "run r1, process 42").unwrap();
        let refused = locks.take("proxmox.guests/pve/qemu/110", "run r2").unwrap_err();
        assert_eq!(refused.to_string(), "another run acts on it now: run r1, process 42");
        assert!(locks.take("proxmox.guests/pve/qemu/101", "run r3").is_ok());
        drop(held);
        assert!(locks.take("proxmox.guests/pve/qemu/110", "run r2").is_ok());
    }

    #[test]
    fn a_file_left_behind_by_a_dead_process_is_no_lock() {
        let (_dir, locks) = locks();
        std::fs::create_dir_all(&locks.dir).unwrap();
        std::fs::write(locks.dir.join(file_name("x")), "run r0, process 1").unwrap();
        assert!(locks.take("x", "run r1").is_ok());
    }

    #[test]
    fn of_many_at_once_exactly_one_gets_it() {
        let (_dir, locks) = locks();
        for _ in 0..50 {
            let barrier = std::sync::Barrier::new(8);
            let taken: Vec<_> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..8)
                    .map(|_| {
                        scope.spawn(|| {
                            barrier.wait();
                            let held = locks.take("x", "somebody");
                            barrier.wait();
                            held.is_ok()
                        })
                    })
                    .collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert_eq!(taken.iter().filter(|ok| **ok).count(), 1);
        }
    }

    #[test]
    fn where_no_lock_file_can_be_made_nothing_is_locked() {
        let dir = tempfile::tempdir().unwrap();
        let blocked = dir.path().join("file");
        std::fs::write(&blocked, "").unwrap();
        assert!(matches!(Locks::new(blocked.join("locks")).take("x", ""), Err(LockError::Io(_))));
    }
}

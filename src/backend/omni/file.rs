//! Files with secrets in them: mode 0600 from their first byte, whole or not there, nothing overwritten unasked.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::backend::Proof;
use crate::backend::error::ApiError;
use crate::model::op::{Field, Job};
use crate::model::snapshot::Layer;

fn error(path: &Path, why: impl std::fmt::Display) -> ApiError {
    ApiError::new(Layer::Config, format!("{}: {why}", path.display()))
}

/// vigie's own place for a file about a cluster: `$XDG_STATE_HOME/vigie/SORT/INSTANCE-CLUSTER`.
fn default(instance: &str, cluster: &str, sort: &str) -> Result<PathBuf, ApiError> {
    let state = std::env::var_os("XDG_STATE_HOME").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let state = state.or_else(|| Some(home()?.join(".local/state")));
    let state =
        state.ok_or_else(|| ApiError::new(Layer::Config, "neither XDG_STATE_HOME nor HOME is set"))?;
    Ok(state.join("vigie").join(sort).join(format!("{instance}-{}", plain(cluster))))
}

fn home() -> Option<PathBuf> {
    std::env::var_os("HOME").filter(|dir| !dir.is_empty()).map(PathBuf::from)
}

/// A name from a server as part of a file name: nothing that could lead elsewhere.
fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
}

/// A path as the operator writes it, with `~/`, made absolute.
fn absolute(given: &str) -> Result<PathBuf, ApiError> {
    let path = match (given.strip_prefix("~/"), home()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(given),
    };
    std::path::absolute(&path).map_err(|why| error(&path, why))
}

/// What becomes of a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// It is in the way.
    Stays,
    /// It is written over.
    Replaced,
    /// It takes the new content in.
    Merged,
}

/// The largest file that anything is merged into, in bytes.
const LARGEST: u64 = 4 << 20;

/// Where a file is to go.
#[derive(Debug)]
pub(super) struct Place {
    /// Its absolute path.
    pub path: PathBuf,
    known: Known,
    /// Whether its folder is vigie's own and may be made.
    own_folder: bool,
}

impl Place {
    /// Where a job's file goes: as its form says, else vigie's own place.
    pub(super) fn of(instance: &str, job: &Job, sort: &str) -> Result<Self, ApiError> {
        let given = job.arg("path").trim();
        let known = match (job.arg("replace"), job.arg("merge")) {
            ("true", "true") => {
                let what = "`replace` and `merge` exclude each other: keep one of them";
                return Err(ApiError::new(Layer::Config, what));
            }
            ("true", _) => Known::Replaced,
            (_, "true") => Known::Merged,
            _ => Known::Stays,
        };
        let own = default(instance, &job.target.id.key, sort)?;
        let path = if given.is_empty() { own.clone() } else { absolute(given)? };
        Ok(Self { own_folder: path == own, path, known })
    }

    /// What happens to the file, in a word or two.
    pub(super) fn verb(&self) -> &'static str {
        match self.known {
            Known::Merged => "Merges into",
            Known::Stays | Known::Replaced => "Writes",
        }
    }

    /// The text that the new content is to be merged into, where that was asked for and there is a file.
    pub(super) fn to_merge_into(&self) -> Result<Option<String>, ApiError> {
        if self.known != Known::Merged {
            return Ok(None);
        }
        let size = match self.path.metadata() {
            Ok(found) => found.len(),
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(why) => return Err(error(&self.path, why)),
        };
        if size > LARGEST {
            return Err(error(&self.path, "it is too large to be merged into"));
        }
        std::fs::read_to_string(&self.path).map(Some).map_err(|why| error(&self.path, why))
    }

    /// What stands in the way, found without changing anything.
    pub(super) fn obstacle(&self) -> Option<String> {
        let folder = self.path.parent()?;
        if !self.own_folder && !folder.is_dir() {
            return Some(format!("the folder {} does not exist", folder.display()));
        }
        match self.path.symlink_metadata() {
            Ok(found) if !found.is_file() => Some(format!("{} is no regular file", self.path.display())),
            Ok(_) if self.known == Known::Stays => {
                Some(format!("{} exists; set `replace` to write over it", self.path.display()))
            }
            _ => None,
        }
    }

    /// Opens a draft beside the place.
    pub(super) fn open(&self) -> Result<Draft, ApiError> {
        if let Some(obstacle) = self.obstacle() {
            return Err(ApiError::new(Layer::Config, obstacle));
        }
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        if self.own_folder {
            DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|why| error(folder, why))?;
        }
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let draft = folder.join(format!(".{name}.{}", uuid::Uuid::new_v4().simple()));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft);
        let file = file.map_err(|why| error(&draft, why))?;
        Ok(Draft { file, beside: draft, path: self.path.clone(), replace: self.known != Known::Stays })
    }
}

/// A file that is being written; without [`Draft::keep`] it goes away.
#[derive(Debug)]
pub(super) struct Draft {
    file: File,
    beside: PathBuf,
    path: PathBuf,
    replace: bool,
}

impl Draft {
    /// Writes the content and puts the file in its place.
    pub(super) fn keep(mut self, content: &[u8]) -> Result<(), ApiError> {
        let written = self.file.write_all(content).and_then(|()| self.file.sync_all());
        written.map_err(|why| error(&self.beside, why))?;
        let placed = if self.replace {
            std::fs::rename(&self.beside, &self.path)
        } else {
            // A link fails where a file has come to be meanwhile; a rename would replace it.
            std::fs::hard_link(&self.beside, &self.path)
        };
        placed.map_err(|why| error(&self.path, why))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Gone already where it was renamed.
        let _ = std::fs::remove_file(&self.beside);
    }
}

/// Puts vigie's own place for a file into a form.
pub(super) fn offer(
    instance: &str,
    cluster: &str,
    sort: &str,
    mut form: Vec<Field>,
) -> Result<Vec<Field>, ApiError> {
    let path = default(instance, cluster, sort)?;
    if let Some(field) = form.iter_mut().find(|field| field.name == "path") {
        field.default = path.to_string_lossy().into_owned().into();
    }
    Ok(form)
}

/// Whether a job's file was written.
pub(super) fn proof(
    instance: &str,
    job: &Job,
    sort: &str,
    remote: Option<&str>,
    since: Timestamp,
) -> Result<Proof, ApiError> {
    let path = match remote {
        Some(remote) => PathBuf::from(remote),
        None => Place::of(instance, job, sort)?.path,
    };
    Ok(match written(&path, since) {
        Ok(bytes) => Proof::Seen(format!("{} holds {bytes} bytes, mode 0600", path.display())),
        Err(why) => Proof::Absent(why),
    })
}

/// The size of a file that was written since then and that only its owner may read; else why not.
fn written(path: &Path, since: Timestamp) -> Result<u64, String> {
    let shown = path.display();
    let meta = path.metadata().map_err(|why| format!("{shown}: {why}"))?;
    if meta.mtime() < since.as_second() {
        return Err(format!("{shown} is older than this run"));
    }
    match (meta.mode() & 0o777, meta.len()) {
        (0o600, bytes) if bytes > 0 => Ok(bytes),
        (0o600, _) => Err(format!("{shown} is empty")),
        (mode, _) => Err(format!("{shown} has mode {mode:04o}")),
    }
}

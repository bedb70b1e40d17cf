//! The lab's files: private from the moment they exist, and gone with the lab where nobody asked to keep them.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{Result, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A folder of mode 0700.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    config: PathBuf,
    temporary: bool,
}

impl Folder {
    /// A folder that is removed again.
    pub fn temporary() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("vigie-demo-{}", uuid::Uuid::new_v4()));
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self { config: path.join("config.toml"), path, temporary: true })
    }

    /// `FILE.d` beside a configuration file that stays.
    pub fn beside(config: &Path) -> Result<Self> {
        let config = std::path::absolute(config)?;
        let mut name = config.file_name().unwrap_or_default().to_owned();
        name.push(".d");
        let path = config.with_file_name(name);
        if !path.is_dir() {
            DirBuilder::new().mode(0o700).create(&path)?;
        }
        Ok(Self { path, config, temporary: false })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the configuration, and tells its path.
    pub fn config(&self, text: &str) -> Result<PathBuf> {
        write(&self.config, text)?;
        Ok(self.config.clone())
    }

    /// Writes the first lines of a journal.
    pub fn journal(&self, text: &str) -> Result<()> {
        write(&self.path.join("journal.jsonl"), text)
    }

    /// Writes a secret of its own, and tells its path.
    pub fn secret(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        write(&path, text)?;
        Ok(path)
    }
}

/// Replaces a file by one of mode 0600, so that an old one's mode does not matter.
fn write(path: &Path, text: &str) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.temporary {
            // Nothing depends on it any more; a leftover in the temporary folder does no harm.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn secrets_are_private_from_the_start_and_go_with_the_lab() {
        let folder = Folder::temporary().unwrap();
        let path = folder.secret("token", "hunter2").unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(folder.path().metadata().unwrap().permissions().mode() & 0o777, 0o700);
        let kept = folder.path().to_owned();
        drop(folder);
        assert!(!kept.exists());
    }

    #[test]
    fn a_kept_configuration_is_replaced_with_its_mode() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lab.toml");
        std::fs::write(&path, "old").unwrap();
        let folder = Folder::beside(&path).unwrap();
        folder.config("new").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(dir.path().join("lab.toml.d").is_dir());
    }
}

//! Private folders and files: what vigie remembers is nobody else's business.

use std::fs::{DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

/// Makes a folder that only the user can enter; one that exists loses the rights of others.
pub fn private_dir(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.exists()) {
        DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            shut(&path.metadata()?.permissions(), 0o700, |mode| std::fs::set_permissions(path, mode))
        }
        other => other,
    }
}

/// Takes the rights of others from an open file.
pub fn private_file(file: &File) -> io::Result<()> {
    shut(&file.metadata()?.permissions(), 0o600, |mode| file.set_permissions(mode))
}

fn shut(now: &Permissions, mode: u32, set: impl Fn(Permissions) -> io::Result<()>) -> io::Result<()> {
    let others = now.mode() & 0o077;
    if others == 0 { Ok(()) } else { set(Permissions::from_mode(mode)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn folders_and_files_are_for_the_user_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (made, found) = (dir.path().join("a/b/vigie"), dir.path().join("found"));
        std::fs::create_dir(&found).unwrap();
        std::fs::set_permissions(&found, Permissions::from_mode(0o755)).unwrap();
        private_dir(&made).unwrap();
        private_dir(&found).unwrap();
        assert_eq!((mode(&made), mode(&found)), (0o700, 0o700));
        let path = found.join("journal");
        let file = File::create(&path).unwrap();
        file.set_permissions(Permissions::from_mode(0o644)).unwrap();
        private_file(&file).unwrap();
        assert_eq!(mode(&path), 0o600);
    }
}

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::ExposeSecret;

use super::*;

fn file(dir: &Path, mode: u32, bytes: &[u8]) -> PathBuf {
    let path = dir.join("secret");
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

fn resolve(source: SecretSource) -> Result<String, SecretError> {
    Secret::new(source).resolve().map(|value| value.expose_secret().to_owned())
}

fn command(argv: &[&str]) -> Result<String, SecretError> {
    resolve(SecretSource::Command(argv.iter().map(ToString::to_string).collect()))
}

#[test]
fn a_variable_is_read_and_an_unset_one_named() {
    assert!(!resolve(SecretSource::Env("PATH".into())).unwrap().is_empty());
    let error = resolve(SecretSource::Env("VIGIE_NEVER_SET".into())).unwrap_err().to_string();
    assert!(error.contains("VIGIE_NEVER_SET is not set") && error.contains("export"), "{error}");
}

#[test]
fn a_private_file_is_read_without_its_line_break() {
    let dir = tempfile::tempdir().unwrap();
    for mode in [0o600, 0o400] {
        let path = file(dir.path(), mode, b" planted secret \r\n\n");
        assert_eq!(resolve(SecretSource::File(path.clone())).unwrap(), " planted secret ");
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn a_file_that_others_can_use_is_refused_whatever_the_bit() {
    let dir = tempfile::tempdir().unwrap();
    for mode in [0o640, 0o604, 0o620, 0o602, 0o610, 0o601] {
        let path = file(dir.path(), mode, b"planted");
        let error = resolve(SecretSource::File(path)).unwrap_err();
        assert!(matches!(error, SecretError::Exposed { mode: found, .. } if found == mode), "{error}");
        assert!(error.to_string().contains("chmod 600") && !error.to_string().contains("planted"), "{error}");
    }
}

#[test]
fn a_file_of_somebody_else_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(dir.path(), 0o600, b"planted");
    if chown(&path, Some(65534), None).is_err() {
        println!("skipped: only root can give a file away");
        return;
    }
    let error = resolve(SecretSource::File(path)).unwrap_err();
    assert!(matches!(error, SecretError::Foreign { owner: 65534, .. }), "{error}");
}

#[test]
fn what_is_no_secret_file_is_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let gone = resolve(SecretSource::File(dir.path().join("gone"))).unwrap_err();
    assert!(matches!(gone, SecretError::Unreadable { .. }), "{gone}");
    let directory = resolve(SecretSource::File(dir.path().to_owned())).unwrap_err();
    assert!(matches!(directory, SecretError::NotAFile(_)), "{directory}");
    for (bytes, reason) in [
        (b"\n".to_vec(), "is empty"),
        (b"  \n".to_vec(), "is empty"),
        (b"\xff\xfe".to_vec(), "does not hold a secret"),
        (vec![b'a'; 64 * 1024 + 1], "does not hold a secret"),
    ] {
        let error = resolve(SecretSource::File(file(dir.path(), 0o600, &bytes))).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn a_program_is_run_without_a_shell() {
    assert_eq!(command(&["printf", "%s\\n", "$HOME; planted"]).unwrap(), "$HOME; planted");
}

#[test]
fn a_program_that_fails_is_named_without_its_arguments_or_output() {
    for (argv, reason) in [
        (&["false", "planted"][..], "false ended with exit status: 1"),
        (&["sh", "-c", "echo planted; exit 3"], "sh ended with exit status: 3"),
        (&["no-such-program", "planted"], "cannot run no-such-program"),
        (&["true", "planted"], "the output of true is empty"),
    ] {
        let error = command(argv).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
        assert!(!format!("{error} {error:?}").contains("planted"), "{error:?}");
    }
}

#[test]
fn a_slow_program_is_ended_whether_it_keeps_its_output_open_or_not() {
    for argv in [["sh", "-c", "sleep 600"], ["sh", "-c", "exec >&-; sleep 600"]] {
        let argv = argv.map(str::to_owned);
        let error = fetch::from_command(&argv, Duration::from_millis(50)).unwrap_err();
        assert!(matches!(error, SecretError::Slow { .. }), "{error}");
    }
}

#[test]
fn debug_shows_the_reference_and_never_a_value_or_an_argument() {
    for (source, shown) in [
        (SecretSource::Env("PVE_TOKEN".into()), "Secret(env PVE_TOKEN)"),
        (SecretSource::File("/conf/key".into()), "Secret(file /conf/key)"),
        (SecretSource::Command(vec!["pass".into(), "planted".into()]), "Secret(command pass)"),
        (SecretSource::Memory("planted".into()), "Secret(memory)"),
    ] {
        assert_eq!(format!("{:?}", Secret::new(source)), shown);
    }
}

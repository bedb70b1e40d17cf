//! Every way a configuration can be wrong has a message that cures it; every valid one is understood.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test's helpers may fail the test")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;
use vigie::config::keymap::Keymap;
use vigie::config::load::{parse, read};
use vigie::config::theme::Theme;
use vigie::config::{Config, Depth, EXAMPLE, Env, HttpAuth, Loaded, SecretSource, Trust, load};

fn env() -> Env {
    Env::from_iter([("HOME", "/home/admin1"), ("USER", "admin1")])
}

fn good(text: &str) -> Config {
    parse("test.toml", text, Path::new(""), &env()).unwrap_or_else(|reports| panic!("{reports}"))
}

/// One snapshot beside each file: `INSTA_UPDATE=always cargo test --test config` writes them anew, to be read.
#[test]
fn every_way_to_be_wrong_has_its_message() {
    let mut files: Vec<PathBuf> = fs::read_dir("tests/bad").unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    assert!(files.len() > 60, "tests/bad has lost its files");
    for path in files {
        let name = path.file_name().unwrap().to_str().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let reports = parse(name, &text, Path::new("tests/bad"), &env()).expect_err(name);
        let message = reports.to_string();
        assert!(!message.contains("planted-secret") && !message.contains("11111111-2222"), "{message}");
        assert!(!message.contains(|c: char| c.is_control() && c != '\n'), "{message:?}");
        insta::with_settings!({ snapshot_path => "bad", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name.trim_end_matches(".toml"), message);
        });
    }
}

#[test]
fn the_example_is_valid_and_its_secrets_are_not_fetched() {
    let config = parse("config.example.toml", EXAMPLE, Path::new(""), &env()).unwrap();
    assert!(!config.is_empty());
    assert_eq!(
        config.ui,
        vigie::config::Ui { theme_light: Some("default-light".into()), ..Default::default() }
    );
    assert_eq!(config.guard, vigie::config::Guard::default());
}

#[test]
fn the_settings_that_the_documentation_shows_are_valid() {
    for file in ["README.md", "docs/looks-and-keys.md"] {
        let text = fs::read_to_string(file).unwrap();
        let settings = blocks(&text).filter(|block| block.starts_with("[[") || block.starts_with("[ui]"));
        assert!(settings.map(good).count() > 0, "{file} shows none");
    }
}

#[test]
fn the_themes_and_keymaps_that_the_documentation_shows_are_valid() {
    let dir = tempfile::tempdir().unwrap();
    let env = Env::from_iter([("XDG_CONFIG_HOME", dir.path().to_str().unwrap())]);
    let text = fs::read_to_string("docs/looks-and-keys.md").unwrap();
    let mut checked = 0;
    for block in blocks(&text).filter(|block| !block.starts_with("[ui]")) {
        let is_theme = block.contains("[palette]") || block.contains("[roles]");
        let folder = dir.path().join("vigie").join(if is_theme { "themes" } else { "keymaps" });
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("mine.toml"), block).unwrap();
        let reports =
            if is_theme { Theme::named("mine", Depth::True, &env).1 } else { Keymap::load("mine", &env).1 };
        assert!(reports.is_empty(), "{block}{}", reports[1]);
        checked += 1;
    }
    assert_eq!(checked, 3);
}

/// The TOML that a page shows.
fn blocks(text: &str) -> impl Iterator<Item = &str> {
    text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap())
}

proptest! {
    #[test]
    fn a_damaged_file_is_explained_and_never_echoes_what_was_pasted_as_a_secret(
        cut in 0..EXAMPLE.len(), length in 0..40usize, noise in "[\"'={}\\[\\]#,.\n\u{1b}\u{e9}a-z0-9]{0,12}",
    ) {
        let secret = "PlantedSecret";
        let text = EXAMPLE.replace("{ env = \"PVE_TOKEN\" }", &format!("\"{secret}\""));
        let boundary = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
        let (from, to) = (boundary(cut), boundary(cut + length));
        let damaged = format!("{}{noise}{}", &text[..from], &text[to..]);
        if let Err(reports) = parse("test.toml", &damaged, Path::new(""), &env()) {
            let message = reports.to_string();
            prop_assert!(!message.contains(secret), "{message}");
            prop_assert!(!message.contains('\u{1b}'), "{message:?}");
        }
    }
}

#[test]
fn an_empty_file_is_a_config_without_connectors() {
    let config = good("");
    assert!(config.is_empty());
    assert_eq!(&*config.operator, "admin1");
}

#[test]
fn urls_are_normalised_and_only_loopback_may_be_plain() {
    for (written, url) in [
        ("https://PVE.example:8006/", "https://pve.example:8006"),
        ("https://pve.example/api/", "https://pve.example/api"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
        ("http://localhost:8080", "http://localhost:8080"),
    ] {
        let config = good(&format!("[[prometheus]]\nname = \"p\"\nurl = \"{written}\"\n"));
        assert_eq!(config.prometheus[0].connection.url, url);
    }
    let asked = good("[[prometheus]]\nname = \"p\"\nurl = \"http://192.0.2.1\"\nplaintext = true\n");
    assert!(asked.prometheus[0].connection.plaintext);
}

#[test]
fn a_fingerprint_is_read_with_and_without_colons() {
    let plain = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
    let pairs: Vec<_> = plain.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap()).collect();
    for written in [plain.to_owned(), pairs.join(":").to_uppercase()] {
        let text = format!(
            "[[prometheus]]\nname = \"p\"\nurl = \"https://p.example\"\nfingerprint = \"{written}\"\n"
        );
        let Trust::Fingerprint(bytes) = good(&text).prometheus[0].connection.trust else {
            panic!("{written}")
        };
        assert_eq!((bytes[0], bytes[31]), (0x0f, 0xf0));
    }
}

#[test]
fn every_connector_takes_its_own_keys() {
    let config = parse("config.example.toml", EXAMPLE, Path::new("/conf"), &env()).unwrap();
    let omni = &config.omni[0];
    let SecretSource::File(path) = omni.key.source() else { panic!("{omni:?}") };
    assert_eq!(path, Path::new("/conf/omni-reader.key"));
    assert_eq!(config.authentik[0].connection.host_header.as_deref(), Some("auth.lab.example"));
    assert_eq!(config.authentik[0].admin_groups, ["authentik Admins", "admin"]);
    assert_eq!(config.argocd[0].domain, config.kubernetes[0].domain);
    assert!(config.argocd[0].rest.is_none());
    assert!(matches!(&config.alertmanager[1].auth, HttpAuth::Basic { user, .. } if user == "vigie"));
    assert!(matches!(config.prometheus[0].auth, HttpAuth::Bearer(_)));
    assert_eq!(config.proxmox[0].connection.timeout, Duration::from_secs(10));
}

#[test]
fn the_flag_wins_over_the_variable_and_the_variable_over_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, operator: &str| {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("operator = \"{operator}\"\n")).unwrap();
        path
    };
    let flag = file("flag.toml", "flag");
    let variable = file("variable.toml", "variable");
    file("vigie/config.toml", "directory");
    let env = |named: &Path| {
        Env::from_iter([
            ("VIGIE_CONFIG", named.to_str().unwrap()),
            ("XDG_CONFIG_HOME", dir.path().to_str().unwrap()),
        ])
    };
    let operator = |flag: Option<&Path>, env: &Env| match load(flag, env) {
        Ok(Loaded::Config(config, _)) => config.operator.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(operator(Some(&flag), &env(&variable)), "flag");
    assert_eq!(operator(None, &env(&variable)), "variable");
    assert_eq!(operator(None, &env(Path::new(""))), "directory");
}

#[test]
fn no_file_at_all_leads_to_the_welcome_page_and_a_named_one_must_be_there() {
    let dir = tempfile::tempdir().unwrap();
    let env = Env::from_iter([("XDG_CONFIG_HOME", dir.path().to_str().unwrap())]);
    let Ok(Loaded::Welcome(Some(place))) = load(None, &env) else { panic!("a welcome was expected") };
    assert_eq!(place, dir.path().join("vigie/config.toml"));
    assert!(!dir.path().join("vigie").exists(), "looking writes nothing");
    let message = load(Some(&dir.path().join("gone.toml")), &env).unwrap_err().to_string();
    assert!(message.contains("gone.toml does not exist") && message.contains("vigie config"), "{message}");
}

#[test]
fn a_link_to_nowhere_is_a_mistake_and_not_an_absent_file() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("vigie")).unwrap();
    std::os::unix::fs::symlink("gone.toml", dir.path().join("vigie/config.toml")).unwrap();
    let env = Env::from_iter([("XDG_CONFIG_HOME", dir.path().to_str().unwrap())]);
    assert!(load(None, &env).unwrap_err().to_string().contains("does not exist"));
}

#[test]
fn a_file_that_is_no_configuration_is_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    for (bytes, reason) in [
        (b"operator = \"a\"\n# \xff\n".to_vec(), "is not UTF-8 in line 2"),
        (vec![b'\n'; 1024 * 1024 + 1], "is larger than 1 MiB"),
        (b"\0\0\0\0".to_vec(), "not TOML"),
    ] {
        fs::write(&path, bytes).unwrap();
        let message = read(&path, &env()).unwrap_err().to_string();
        assert!(message.contains(reason), "{message}");
    }
    let message = read(dir.path(), &env()).unwrap_err().to_string();
    assert!(message.contains("is a directory"), "{message}");
}

#[test]
fn a_file_without_the_right_to_read_it_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&path).is_ok() {
        println!("skipped: this user may read everything");
        return;
    }
    let message = read(&path, &env()).unwrap_err().to_string();
    assert!(message.contains("may not be read by you"), "{message}");
}

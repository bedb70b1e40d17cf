use std::fs;

use super::*;
use crate::config::key::{KeyCode, sequence};

fn of(text: &str) -> Result<Keymap, Vec<Report>> {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("keymaps")).unwrap();
    fs::write(dir.path().join("keymaps/mine.toml"), text).unwrap();
    Keymap::of("mine", Some(dir.path()))
}

fn keys(text: &str) -> Vec<Key> {
    sequence(text).unwrap()
}

#[test]
fn every_shipped_keymap_is_valid() {
    for name in Keymap::shipped() {
        let keymap = Keymap::of(name, None).unwrap_or_else(|reports| panic!("{name}: {}", reports[0]));
        for context in Context::ALL {
            assert!(!keymap.bindings(context).is_empty(), "{name} has no keys in {context:?}");
        }
    }
}

#[test]
fn no_shipped_keymap_takes_the_prefix_keys_of_tmux_and_screen() {
    for name in Keymap::shipped() {
        let keymap = Keymap::of(name, None).unwrap();
        for (keys, action) in Context::ALL.into_iter().flat_map(|context| keymap.bindings(context)) {
            assert!(!keys.contains(&Key::ctrl('a')) && !keys.contains(&Key::ctrl('b')), "{name}: {action}");
        }
    }
}

#[test]
fn the_shipped_keymaps_reach_every_action_of_the_default() {
    let default = Keymap::default();
    for action in Action::SIMPLE {
        let reached = |keymap: &Keymap| Context::ALL.iter().any(|c| keymap.keys_for(*c, action).is_some());
        assert!(reached(&default), "no key leads to {action}");
        // Those who want no letters to move by have pages instead of half pages.
        let left_out = matches!(action, Action::HalfPageDown | Action::HalfPageUp);
        for name in Keymap::shipped() {
            let keymap = Keymap::of(name, None).unwrap();
            assert!(reached(&keymap) || left_out && name == "arrows", "{name}: no key leads to {action}");
        }
    }
}

#[test]
fn where_text_is_typed_no_character_is_a_command() {
    for name in Keymap::shipped() {
        let keymap = Keymap::of(name, None).unwrap();
        for context in [Context::Form, Context::Palette, Context::Filter] {
            for (keys, action) in keymap.bindings(context) {
                let typed = keys.iter().any(|k| matches!(k.code, KeyCode::Char(_)) && !k.ctrl && !k.alt);
                assert!(!typed, "{name}: {action} in {context:?}");
            }
        }
    }
}

#[test]
fn no_context_is_a_trap() {
    for name in Keymap::shipped() {
        let keymap = Keymap::of(name, None).unwrap();
        for context in Context::ALL {
            for action in [Action::Back, Action::Quit, Action::Help, Action::Suspend, Action::Redraw] {
                assert!(keymap.keys_for(context, &action).is_some(), "{name}: no {action} in {context:?}");
            }
        }
    }
}

#[test]
fn enter_never_confirms() {
    for name in Keymap::shipped() {
        let keymap = Keymap::of(name, None).unwrap();
        let enter = keymap.lookup(&[Context::Confirm, Context::Global], &keys("enter"));
        assert_eq!(enter, Match::Action(Action::No), "{name}");
    }
}

#[test]
fn the_topmost_context_that_knows_a_key_wins() {
    let keymap = of("[table]\nwide = \"w\"\n[doc]\nwrap = \"w\"\n").unwrap();
    let w = keys("w");
    assert_eq!(keymap.lookup(&[Context::Doc, Context::Table], &w), Match::Action(Action::Wrap));
    assert_eq!(keymap.lookup(&[Context::Table, Context::Doc], &w), Match::Action(Action::Wide));
    assert_eq!(keymap.lookup(&[Context::Form], &w), Match::None);
}

#[test]
fn a_sequence_waits_for_its_end_and_says_what_may_follow() {
    let keymap = of("[global]\njobs = \"g j\"\nfocus = \"g g g\"\n").unwrap();
    let stack = [Context::Table, Context::Global];
    let Match::Pending(next) = keymap.lookup(&stack, &keys("g")) else { panic!("g is only a beginning") };
    let next: Vec<_> = next.iter().map(|(key, leads)| (key.to_string(), leads.as_str())).collect();
    assert_eq!(next, [("g".into(), "Go to the first row"), ("j".into(), Action::Jobs.doc().as_ref())]);
    assert_eq!(keymap.lookup(&stack, &keys("g g")), Match::Action(Action::Top));
    assert_eq!(keymap.lookup(&stack, &keys("g j")), Match::Action(Action::Jobs));
    assert_eq!(keymap.lookup(&stack, &keys("g x")), Match::None);
}

#[test]
fn a_beginning_in_the_upper_context_hides_a_whole_key_below() {
    let keymap = of("[global]\njobs = \"g\"\n").unwrap();
    let stack = [Context::Table, Context::Global];
    assert!(matches!(keymap.lookup(&stack, &keys("g")), Match::Pending(_)));
    assert_eq!(keymap.lookup(&[Context::Global], &keys("g")), Match::Action(Action::Jobs));
}

#[test]
fn a_file_takes_keys_over_from_what_it_inherits() {
    let keymap = of("inherits = \"vim\"\n[table]\ndescribe = [\"g\", \"enter\"]\nup = []\n").unwrap();
    let lookup = |text: &str| keymap.lookup(&[Context::Table], &keys(text));
    assert_eq!(lookup("g"), Match::Action(Action::Describe), "in place of every g …");
    assert_eq!(lookup("enter"), Match::Action(Action::Describe));
    assert_eq!(lookup("d"), Match::None, "its former key is gone");
    assert_eq!(lookup("k"), Match::None, "no keys were left to it");
    assert_eq!(keymap.keys_for(Context::Table, &Action::Top), Some(keys("home")));
}

#[test]
fn hints_get_the_shortest_keys_and_the_first_written_among_equals() {
    let keymap = Keymap::default();
    let shown = |context, action| keymap.keys_for(context, &action).unwrap();
    assert_eq!(shown(Context::Table, Action::Down), keys("j"));
    assert_eq!(shown(Context::Table, Action::Top), keys("home"));
    assert_eq!(shown(Context::Table, Action::Quit), keys("ctrl-c"), "from the global keys");
}

#[test]
fn help_lists_bindings_in_the_order_of_the_actions() {
    let help = Keymap::default().bindings(Context::Table);
    let position = |action| help.iter().position(|(_, bound)| *bound == action).unwrap();
    assert!(position(Action::Down) < position(Action::Mark));
    assert_eq!(help[0], (keys("j"), Action::Down));
    assert_eq!(help[1], (keys("down"), Action::Down));
}

#[test]
fn every_way_to_be_wrong_is_told_with_its_place() {
    for (text, what, cure) in [
        ("[table]\ndwon = \"j\"\n", "there is no action `dwon`", "did you mean `down`?"),
        ("[table]\n\"pane:x\" = \"j\"\n", "there is no action `pane:x`", ""),
        ("[tabel]\ndown = \"j\"\n", "unknown key `tabel`", "did you mean `table`?"),
        ("[table]\ndown = \"jj\"\n", "there is no key `jj`", "write keys like"),
        ("[table]\ndown = \"ctrl-i\"\n", "terminals send `tab` for `ctrl-i`", ""),
        ("[table]\ndown = \"\"\n", "no key is written", ""),
        ("[table]\ndown = \"j\"\nup = \"j\"\n", "`j` is bound twice in [table]", "line 2"),
        ("[table]\ndown = [\"pgdn\", \"pagedown\"]\n", "`pagedown` is bound twice", ""),
        ("[table]\ntop = \"g g\"\nup = \"g\"\n", "begins with the other", "differ"),
        ("[table]\nup = \"g\"\ntop = \"g g\"\n", "begins with the other", "differ"),
        ("[table]\ndown = 7\n", "has the wrong type, integer", ""),
        ("table = 7\n", "has the wrong type, integer", ""),
        ("inherits = \"mine\"\n", "the keymap `mine` cannot be inherited", ""),
        ("inherits = \"nobody\"\n", "the keymap `nobody` cannot be inherited", ""),
        ("[table\n", "this is not TOML", ""),
    ] {
        let reports = of(text).expect_err(text);
        let message = reports[0].to_string();
        assert!(message.starts_with("warning: ") && message.contains(what), "{text}{message}");
        assert!(message.contains(cure), "{text}{message}");
    }
}

#[test]
fn a_broken_or_absent_keymap_is_replaced_by_the_default_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("vigie/keymaps")).unwrap();
    fs::write(dir.path().join("vigie/keymaps/broken.toml"), "[table]\nfly = \"j\"\n").unwrap();
    let env = Env::from_iter([("XDG_CONFIG_HOME", dir.path().to_str().unwrap())]);
    for (name, told) in [("broken", "broken.toml:2"), ("vmi", "did you mean `vim`?")] {
        let (keymap, reports) = Keymap::load(name, &env);
        assert_eq!(keymap, Keymap::default());
        assert!(reports[0].line().contains("is not used"), "{reports:?}");
        assert!(reports[1].line().contains(told), "{}", reports[1].line());
    }
    assert!(Keymap::load("vim", &env).1.is_empty());
}

#[test]
fn a_users_file_may_carry_the_name_of_the_shipped_one_it_changes() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("keymaps")).unwrap();
    fs::write(dir.path().join("keymaps/default.toml"), "[global]\njobs = \"j\"\n").unwrap();
    let keymap = Keymap::of("default", Some(dir.path())).unwrap();
    assert_eq!(keymap.lookup(&[Context::Global], &keys("j")), Match::Action(Action::Jobs));
    assert_eq!(keymap.lookup(&[Context::Global], &keys("q")), Match::Action(Action::Close));
}

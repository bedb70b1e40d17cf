use crate::backend::authentik::people::tests::group;
use crate::backend::authentik::wire::User;

use super::*;

/// The groups of the table: a family with a child and a parent, administrators, and people of neither.
fn groups() -> Groups {
    let groups = Groups::new(
        vec![
            group("everybody", &[], false),
            group("family", &["everybody"], false),
            group("kids", &["family"], false),
            group("admin", &[], false),
            group("ops", &[], false),
        ],
        &["admin".to_owned()],
    );
    let administrators = groups.administrators(&serde_json::from_str::<Vec<User>>(USERS).unwrap());
    groups.knowing(administrators)
}

const USERS: &str = r#"[
    {"pk":1,"username":"ada","type":"internal","is_active":true,"groups":["admin"]},
    {"pk":7,"username":"alice","type":"external","is_active":true,"groups":["family"]},
    {"pk":14,"username":"leo","type":"external","is_active":true,"groups":["kids"]},
    {"pk":20,"username":"dora","type":"external","is_active":true,"groups":[]},
    {"pk":21,"username":"gone","type":"external","is_active":false,"groups":["family"]},
    {"pk":22,"username":"ci","type":"service_account","is_active":true,"groups":["family"]}]"#;

/// A binding in short: `!` negates, `-` is off, `@` names a user, `?` a policy.
fn binding(text: &str) -> Binding {
    let (off, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (negate, text) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
    let whom = if let Some(user) = text.strip_prefix('@') {
        format!(r#""user":{user},"user_obj":{{"username":"{user}"}}"#)
    } else if let Some(policy) = text.strip_prefix('?') {
        format!(r#""policy":"{policy}","policy_obj":{{"name":"{policy}"}}"#)
    } else {
        format!(r#""group":"{text}","group_obj":{{"name":"{text}"}}"#)
    };
    let json = format!(r#"{{"pk":"{text}","target":"app","enabled":{},"negate":{negate},{whom}}}"#, !off);
    serde_json::from_str(&json).unwrap()
}

fn application(slug: &str, mode: &str, tile: &str) -> Application {
    let json =
        format!(r#"{{"pk":"app","slug":"{slug}","policy_engine_mode":"{mode}","meta_launch_url":"{tile}"}}"#);
    serde_json::from_str(&json).unwrap()
}

fn lists() -> (Vec<String>, Vec<String>) {
    (vec!["omni".to_owned()], vec!["nextcloud".to_owned()])
}

fn judged(slug: &str, mode: &str, bound: &str, version: &str) -> Verdict {
    let (groups, (admin, shared)) = (groups(), lists());
    let bindings = Bindings::new(bound.split_whitespace().map(binding).collect());
    let audit = Audit {
        family: &family(&groups, &["family".to_owned()]),
        groups: &groups,
        bindings: &bindings,
        engine: Engine::of(version),
        shut_by_default: false,
        version,
        lists: (&admin, &shared),
        measured: &BTreeMap::new(),
    };
    audit.judge(&application(slug, mode, ""))
}

const AFFECTED: &str = "2026.2.4";
const FIXED: &str = "2026.5.1";

#[test]
fn an_application_for_administrators_is_judged_row_by_row() {
    let cases = [
        // Nothing enabled: everybody.
        ("any", "", AFFECTED, "open", "no binding"),
        ("any", "-admin", AFFECTED, "open", "all 1 bindings are off"),
        ("all", "-admin -family", FIXED, "open", "all 2 bindings are off"),
        // A binding that the family passes: the group itself, one below it, one above it, a person.
        ("any", "admin family", AFFECTED, "exposed", "family is family"),
        ("any", "admin kids", AFFECTED, "exposed", "kids is family"),
        ("any", "everybody", AFFECTED, "exposed", "everybody is family"),
        ("any", "admin @7", AFFECTED, "exposed", "user 7 is family"),
        ("any", "admin -family", AFFECTED, "closed", "only administrators"),
        ("any", "admin @1", AFFECTED, "closed", "only administrators"),
        // Negation passes everybody else.
        ("any", "!admin", AFFECTED, "exposed", "not admin admits everybody else"),
        ("any", "!@1", AFFECTED, "exposed", "not user 1 admits everybody else"),
        ("any", "admin !ops", AFFECTED, "exposed", "not ops admits everybody else"),
        ("any", "admin -!ops", AFFECTED, "closed", "only administrators"),
        ("all", "admin !family", FIXED, "closed", "all bindings must agree"),
        ("all", "!ops", FIXED, "exposed", "not ops admits everybody else"),
        // Policies cannot be evaluated; one that any of them passes is enough.
        ("any", "admin ?office-hours", AFFECTED, "undecided", "policy office-hours cannot be evaluated"),
        ("any", "?office-hours", FIXED, "undecided", "policy office-hours"),
        ("any", "family ?office-hours", FIXED, "exposed", "family is family"),
        ("all", "admin ?office-hours", FIXED, "closed", "all bindings must agree"),
        ("all", "admin ?office-hours", AFFECTED, "closed", "only administrators"),
        ("all", "family ?office-hours", FIXED, "undecided", "policy office-hours"),
        ("any", "admin -?office-hours", FIXED, "closed", "only administrators"),
        // The mode `all` by release.
        ("all", "admin family", FIXED, "closed", "keeps the family out"),
        ("all", "admin family", AFFECTED, "exposed", "`all` lets one of them in on 2026.2.4: family"),
        ("all", "admin family", "2025.8.6", "exposed", "is enough"),
        ("all", "admin family", "2025.6.4", "closed", "keeps the family out"),
        ("all", "admin family", "2026.8.0", "closed", "keeps the family out"),
        ("all", "admin family", "", "exposed", "is enough"),
        ("all", "admin ops", AFFECTED, "closed", "only administrators"),
        ("all", "family everybody", FIXED, "exposed", "is enough"),
        ("any", "admin", AFFECTED, "closed", "only administrators"),
    ];
    for (mode, bound, version, word, why) in cases {
        let verdict = judged("omni", mode, bound, version);
        assert_eq!(verdict.word, word, "{mode} [{bound}] on {version}: {verdict:?}");
        assert!(verdict.why.contains(why), "{mode} [{bound}] on {version}: {verdict:?}");
        let health = match word {
            "closed" => Health::Ok,
            "undecided" => Health::Unknown,
            _ => Health::Critical,
        };
        assert_eq!(verdict.health, health, "{mode} [{bound}]");
    }
}

#[test]
fn an_application_for_the_family_may_be_shared_but_not_open() {
    let cases = [
        ("nextcloud", "", "open", Health::Critical),
        ("nextcloud", "family", "shared", Health::Ok),
        ("nextcloud", "!kids", "exposed", Health::Warning),
        ("unknown", "family", "shared", Health::Ok),
        ("unknown", "", "open", Health::Critical),
    ];
    for (slug, bound, word, health) in cases {
        let verdict = judged(slug, "any", bound, AFFECTED);
        assert_eq!((verdict.word, verdict.health), (word, health), "{slug} [{bound}]: {verdict:?}");
    }
}

#[test]
fn a_hidden_tile_keeps_nobody_out() {
    let (groups, (admin, shared)) = (groups(), lists());
    let bindings = Bindings::new(vec![binding("family")]);
    let (relatives, nobody) = (family(&groups, &["family".to_owned()]), BTreeMap::new());
    let measured = [("omni".to_owned(), vec!["alice".to_owned()])].into();
    let mut audit = Audit {
        family: &relatives,
        groups: &groups,
        bindings: &bindings,
        engine: Engine::of(FIXED),
        shut_by_default: false,
        version: FIXED,
        lists: (&admin, &shared),
        measured: &nobody,
    };
    let hidden = application("ntfy", "any", "blank://blank");
    assert_eq!((audit.judge(&hidden).word, audit.judge(&hidden).health), ("hidden", Health::Warning));
    // What was seen to be open is open, whatever the rules say.
    let closed = Bindings::new(vec![binding("admin")]);
    audit.bindings = &closed;
    audit.measured = &measured;
    let verdict = audit.judge(&application("omni", "any", ""));
    assert_eq!(verdict.word, "exposed");
    assert!(verdict.why.contains("lets alice in (measured)"), "{verdict:?}");
}

#[test]
fn each_person_gets_in_or_not_as_the_engine_says() {
    let groups = groups();
    let users: Vec<User> = serde_json::from_str(USERS).unwrap();
    let crowd = Crowd::new(&users, &groups, &[7].into());
    // The inactive one and the program are no people.
    assert_eq!(crowd.count(|_| true), 4);
    let cases = [
        ("any", "", FIXED, 4),
        ("any", "family", FIXED, 2),
        ("any", "everybody", FIXED, 2),
        ("any", "kids", FIXED, 1),
        ("any", "@7", FIXED, 1),
        ("any", "!family", FIXED, 2),
        ("all", "family kids", FIXED, 1),
        ("all", "family kids", AFFECTED, 2),
        ("all", "family !kids", FIXED, 1),
        ("any", "admin ?p", FIXED, 1),
        ("all", "admin ?p", FIXED, 0),
    ];
    for (mode, bound, version, count) in cases {
        let bindings = Bindings::new(bound.split_whitespace().map(binding).collect());
        let audit = Audit {
            family: &BTreeSet::new(),
            groups: &groups,
            bindings: &bindings,
            engine: Engine::of(version),
            shut_by_default: false,
            version,
            lists: (&[], &[]),
            measured: &BTreeMap::new(),
        };
        let app = application("x", mode, "");
        assert_eq!(
            crowd.count(|person| audit.admits(&app, person) == Access::Yes),
            count,
            "{mode} [{bound}] on {version}"
        );
    }
}

#[test]
fn where_nobody_is_named_everybody_but_administrators_is_family() {
    let groups = groups();
    assert!(!family(&groups, &[]).contains("admin"));
    assert!(family(&groups, &[]).contains("ops"));
}

#[test]
fn a_tenant_may_shut_what_has_no_binding() {
    let (groups, (admin, shared)) = (groups(), lists());
    let cases =
        [("", "closed", Access::No), ("-family", "closed", Access::No), ("family", "exposed", Access::No)];
    for (bound, word, stranger) in cases {
        let bindings = Bindings::new(bound.split_whitespace().map(binding).collect());
        let audit = Audit {
            family: &["family".to_owned()].into(),
            groups: &groups,
            bindings: &bindings,
            engine: Engine::of(FIXED),
            shut_by_default: true,
            version: FIXED,
            lists: (&admin, &shared),
            measured: &BTreeMap::new(),
        };
        let app = application("omni", "any", "");
        assert_eq!(audit.judge(&app).word, word, "[{bound}]");
        assert_eq!(audit.admits(&app, &Person::stranger()), stranger, "[{bound}]");
    }
}

use crate::model::id::{EntityId, Identity};
use crate::model::row::Domain;
use crate::model::snapshot::Layer;

use super::*;

fn op(tier: Tier) -> OpSpec {
    OpSpec::on("proxmox.guests", "proxmox.start", "start", tier, "Starts the guest.")
}

fn target(name: &str) -> Target {
    Target {
        id: EntityId::new("proxmox.guests", "pve", name),
        name: name.into(),
        identity: Identity::new().with("vmid", "110"),
        domain: Domain::Home,
    }
}

fn targets(count: usize) -> Vec<Target> {
    (0..count).map(|n| target(&format!("vm-{n}"))).collect()
}

#[test]
fn who_may_not_is_told_why_before_a_server_is_asked() {
    let lacking =
        Rights { missing: [("proxmox.start".into(), "VM.PowerMgmt".into())].into(), unknown: vec![] };
    let one_by_one = op(Tier::T1);
    let bulk = op(Tier::T1).bulk();
    let cases = [
        (&op(Tier::T0), false, None, 1, Ok(())),
        (&one_by_one, false, None, 1, Err(Refusal::ReadOnly)),
        (&one_by_one, true, None, 1, Ok(())),
        (&one_by_one, true, Some(&lacking), 1, Err(Refusal::Right("VM.PowerMgmt".into()))),
        (&one_by_one, true, None, 0, Err(Refusal::NoTarget)),
        (&one_by_one, true, None, 2, Err(Refusal::NotBulk(2))),
        (&bulk, true, None, 2, Ok(())),
        (&op(Tier::T3), true, None, 1, Err(Refusal::NotHere("Starts the guest.".into()))),
    ];
    for (op, armed, rights, count, expected) in cases {
        assert_eq!(admit(op, armed, rights, count), expected, "{op:?} armed {armed} count {count}");
    }
}

#[test]
fn blindness_stops_what_brings_something_up_and_only_warns_elsewhere() {
    let verdicts = [Decision::Allow, Decision::Warn, Decision::Blind, Decision::Refuse];
    let start = op(Tier::T1);
    let silence = op(Tier::T1).warn_if_blind();
    let note = op(Tier::T0);
    for (op, passes) in [(start, 2), (silence, 3), (note, 3)] {
        for (index, decision) in verdicts.into_iter().enumerate() {
            let verdict = Verdict::allow("starts it", Identity::new())
                .and(decision, Evidence::new("memory", "68 of 64 GiB", Tone::Error));
            assert_eq!(judge(&op, &target("a"), &verdict).is_ok(), index < passes, "{decision:?}");
        }
    }
}

#[test]
fn a_refusal_names_the_facts_that_speak_against_it() {
    let verdict = Verdict::allow("starts it", Identity::new())
        .and(Decision::Allow, Evidence::new("backup", "2 h old", Tone::Ok))
        .and(Decision::Refuse, Evidence::new("memory", "68 of 64 GiB", Tone::Error));
    let refusal = judge(&op(Tier::T1), &target("gaming"), &verdict).unwrap_err();
    assert_eq!(refusal.to_string(), "gaming: refused: memory: 68 of 64 GiB");
}

#[test]
fn freezing_adds_what_the_server_knows_and_refuses_another_thing_of_the_same_name() {
    let same = Verdict::allow("", Identity::new().with("vmid", "110").with("uuid", "4c4c"));
    let frozen = judge(&op(Tier::T1), &target("a"), &same).unwrap();
    assert_eq!(frozen.identity.get("uuid"), Some("4c4c"));
    let other = Verdict::allow("", Identity::new().with("vmid", "111"));
    let refusal = judge(&op(Tier::T1), &target("a"), &other).unwrap_err();
    assert_eq!(refusal.to_string(), "a: not the same thing any more: vmid was 110, is 111");
}

#[test]
fn a_check_that_got_no_answer_is_blind() {
    let verdict = unanswered(&Fault::new(Layer::Tcp, "connection refused"));
    assert_eq!(verdict.decision, Decision::Blind);
    let refusal = judge(&op(Tier::T1), &target("a"), &verdict).unwrap_err();
    assert_eq!(refusal.to_string(), "a: cannot be judged: check: tcp: connection refused");
}

#[test]
fn the_tier_decides_what_has_to_be_confirmed() {
    let names = Confirm::Names(vec!["vm-0".into(), "vm-1".into(), "vm-2".into()]);
    let cases = [
        (Tier::T0, 1, Confirm::None),
        (Tier::T1, 5, Confirm::YesNo),
        (Tier::T2, 3, names),
        (Tier::T2, 4, Confirm::Count(4)),
        (Tier::T3, 1, Confirm::NotHere),
    ];
    for (tier, count, expected) in cases {
        assert_eq!(confirmation(&op(tier), &targets(count)), expected);
    }
}

#[test]
fn a_thing_without_a_name_is_confirmed_by_its_key() {
    let nameless = Target { name: " ".into(), ..target("110") };
    assert_eq!(confirmation(&op(Tier::T2), &[nameless]), Confirm::Names(vec!["110".into()]));
}

/// What is asked for; yes, what was typed, the reason; whether that is enough.
type Answer<'a> = (&'a Confirm, bool, &'a [&'a str], Option<&'a str>, bool);

#[test]
fn only_the_exact_answer_confirms() {
    let why = Some("memory is needed");
    let one = confirmation(&op(Tier::T2), &targets(1));
    let two = confirmation(&op(Tier::T2), &targets(2));
    let many = confirmation(&op(Tier::T2), &targets(4));
    let cases: &[Answer<'_>] = &[
        (&Confirm::None, false, &[], None, true),
        (&Confirm::YesNo, true, &[], None, true),
        (&Confirm::YesNo, false, &["vm-0"], why, false),
        (&one, false, &["vm-0"], why, true),
        (&one, false, &[" vm-0 "], why, true),
        (&one, true, &[], why, false),
        (&one, true, &["VM-0"], why, false),
        (&one, true, &["vm-"], why, false),
        (&one, true, &["vm-0"], None, false),
        (&one, true, &["vm-0"], Some("  "), false),
        (&two, true, &["vm-1", "vm-0"], why, true),
        (&two, true, &["vm-0 vm-1"], why, true),
        (&two, true, &["vm-0"], why, false),
        (&two, true, &["vm-0", "vm-0"], why, false),
        (&many, true, &["4"], why, true),
        (&many, true, &["3"], why, false),
        (&Confirm::NotHere, true, &[""], why, false),
    ];
    for (confirm, yes, typed, reason, accepted) in cases {
        assert_eq!(confirm.check(*yes, typed, *reason).is_ok(), *accepted, "{confirm:?} {typed:?}");
    }
}

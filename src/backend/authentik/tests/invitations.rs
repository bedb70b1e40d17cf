use jiff::SignedDuration;

use crate::backend::error::SendError;
use crate::backend::{Backend as _, Proof};
use crate::model::op::{Decision, FieldKind, Job};

use super::{Bench, START, console, invite, job, refusal};

/// A form's values.
type Args<'a> = &'a [(&'a str, &'a str)];

const GROUP: (&str, &str) = ("group", "family-app-navidrome");

#[tokio::test]
async fn an_invitation_is_made_shown_once_and_read_back() {
    let bench = Bench::new().await;
    let job = invite("Grand-Mère", &[GROUP, ("expires", "7d"), ("single_use", "true")]);
    assert_eq!(bench.judged(&job).await.decision, Decision::Allow);
    let receipt = bench.sent(&job).await.unwrap();
    let reveal = receipt.reveal.unwrap();
    assert!(reveal.secret.starts_with("https://auth.lab.example/if/flow/invitation-enrollment/?itoken="));
    assert!(
        reveal.message.contains(&reveal.secret) && reveal.message.contains("Open it once, on the device")
    );
    let key = reveal.secret.split_once("itoken=").unwrap().1;
    let remote = receipt.remote.unwrap();
    assert!(!format!("{} {remote}", receipt.said).contains(key));
    let Proof::Seen(proof) = bench.proof(&job, Some(&remote)).await else { panic!() };
    assert!(proof.contains("is waiting, 7d left") && !proof.contains(key), "{proof}");

    let rows = bench.poll("invitations").await.rows;
    let row = rows.iter().find(|row| row.name.starts_with("grand-mere-")).unwrap();
    assert_eq!(row.cell(2).value, "family-app-navidrome".into());
    assert_eq!(row.cell(3).value, "ada".into());
    assert!(!format!("{rows:?}").contains(key));
}

#[tokio::test]
async fn the_form_offers_only_groups_for_everybody() {
    let bench = Bench::new().await;
    let spec = super::super::ops::all().remove(0);
    let form = bench.authentik.form(&spec, &[]).await.unwrap();
    let FieldKind::Choice(groups) = &form[0].kind else { panic!("{form:?}") };
    assert_eq!(
        groups.iter().map(AsRef::as_ref).collect::<Vec<&str>>(),
        [
            "authentik Read-only",
            "family-app-immich",
            "family-app-navidrome",
            "family-app-nextcloud",
            "family-validated",
            "ops"
        ]
    );
    assert_eq!(form[3].default, "invitation-enrollment");
}

#[tokio::test]
async fn what_must_not_be_invited_is_refused_and_nothing_is_sent() {
    let bench = Bench::new().await;
    let cases: [(&str, Args<'_>, &str); 9] = [
        (
            "aunt",
            &[("group", "family"), ("expires", "7d")],
            "no group is called exactly `family`; there are family-app-",
        ),
        ("aunt", &[("group", "Family-Validated"), ("expires", "7d")], "no group is called exactly"),
        ("aunt", &[("group", "admin"), ("expires", "7d")], "for administrators"),
        ("aunt", &[("group", "authentik Admins"), ("expires", "7d")], "for administrators"),
        ("aunt", &[GROUP, ("expires", "31d")], "more than 30d"),
        ("aunt", &[GROUP, ("expires", "0s")], "no time at all"),
        ("aunt", &[GROUP, ("expires", "7d"), ("flow", "nope")], "no flow has the slug nope"),
        ("aunt", &[GROUP, ("expires", "7d"), ("flow", "default-authentication-flow")], "not for enrolment"),
        ("!?", &[GROUP, ("expires", "7d")], "no letter or digit"),
    ];
    for (label, args, why) in cases {
        let job = invite(label, args);
        let says = refusal(&bench.judged(&job).await);
        assert!(says.contains(why), "{says}");
        assert!(matches!(bench.sent(&job).await, Err(SendError::NotSent(_))), "{why}");
    }
    assert_eq!(bench.waiting().await.len(), 2);
}

#[tokio::test]
async fn a_link_to_this_machine_is_refused() {
    let bench = Bench::new().await;
    let mut settings = bench.settings.clone();
    settings.connection.public_url = None;
    let verdict =
        console(&settings, &bench.world).preflight(&invite("aunt", &[GROUP, ("expires", "7d")])).await;
    assert!(refusal(&verdict.unwrap()).contains("set `public_url`"));
}

#[tokio::test]
async fn a_missing_right_is_named() {
    let bench = Bench::with("ci-github", &[]).await;
    let says = refusal(&bench.judged(&invite("aunt", &[GROUP, ("expires", "7d")])).await);
    assert!(says.contains("authentik_core.view_group"), "{says}");
}

#[tokio::test]
async fn a_check_without_an_answer_is_blind() {
    let bench = Bench::new().await;
    bench.fault("authentik:timeout");
    let verdict = bench.judged(&invite("aunt", &[GROUP, ("expires", "7d")])).await;
    assert_eq!(verdict.decision, Decision::Blind);
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_found_by_its_name() {
    let bench = Bench::new().await;
    let job = invite("aunt", &[GROUP, ("expires", "7d")]);
    bench.fault("authentik:lost-answer@/api/v3/stages/invitation*1");
    assert!(matches!(bench.sent(&job).await, Err(SendError::Unknown(_))));
    let Proof::Seen(proof) = bench.proof(&job, None).await else { panic!() };
    assert!(proof.contains("its link was not shown"), "{proof}");
}

#[tokio::test]
async fn a_write_that_never_arrived_is_absent_only_after_a_while() {
    let bench = Bench::new().await;
    let job = invite("aunt", &[GROUP, ("expires", "7d")]);
    assert!(matches!(bench.proof(&job, None).await, Proof::Unclear(..)));
    bench.world.clock.advance(SignedDuration::from_secs(121));
    assert!(matches!(bench.proof(&job, None).await, Proof::Absent(_)));
}

#[tokio::test]
async fn a_second_invitation_for_a_label_is_warned_of() {
    let bench = Bench::new().await;
    let first = invite("aunt", &[GROUP, ("expires", "12h")]);
    bench.sent(&first).await.unwrap();
    let second = Job { run: crate::model::op::RunId("run-2".into()), ..first };
    let verdict = bench.judged(&second).await;
    assert_eq!(verdict.decision, Decision::Warn);
    assert!(verdict.evidence.iter().any(|fact| fact.says.ends_with("expiring")), "{verdict:?}");
}

#[tokio::test]
async fn a_revoked_invitation_is_proven_gone() {
    let bench = Bench::new().await;
    let target = bench.target("authentik.invitations", "invite-navidrome-a1").await;
    let job = job("authentik.revoke-invitation", target, &[]);
    let verdict = bench.judged(&job).await;
    assert_eq!(verdict.decision, Decision::Allow);
    assert!(verdict.evidence.iter().any(|fact| fact.says == "family-app-navidrome"));
    assert!(matches!(bench.proof(&job, None).await, Proof::Unclear(..)));
    bench.sent(&job).await.unwrap();
    assert!(matches!(bench.proof(&job, None).await, Proof::Seen(_)));
    assert_eq!(bench.waiting().await, ["invite-validated-b2"]);
    assert!(refusal(&bench.judged(&job).await).contains("does not exist any more"));
    assert!(matches!(bench.sent(&job).await, Err(SendError::NotSent(_))));
    // Another process knows the seal alone.
    let other = console(&bench.settings, &bench.world);
    assert!(matches!(other.verify(&job, None, START.parse().unwrap()).await.unwrap(), Proof::Seen(_)));
}

#[tokio::test]
async fn a_deletion_without_an_answer_is_unknown_and_read_back() {
    let bench = Bench::new().await;
    let target = bench.target("authentik.invitations", "invite-validated-b2").await;
    let job = job("authentik.revoke-invitation", target, &[]);
    bench.authentik.invitations(&[]).await.unwrap();
    // The list is read before the deletion: only the path below it is hit.
    let pk = super::sim::homelab::invitation_key(7, "invite-validated-b2");
    bench.fault(&format!("authentik:swallowed@/api/v3/stages/invitation/invitations/{pk}*1"));
    assert!(matches!(bench.sent(&job).await, Err(SendError::Unknown(_))));
    assert!(matches!(bench.proof(&job, None).await, Proof::Seen(_)));
}

#[tokio::test]
async fn an_opened_link_is_used_up_and_an_expired_one_is_cleaned_away() {
    let bench = Bench::new().await;
    bench.world.clock.advance(SignedDuration::from_hours(20));
    let states = |rows: Vec<crate::model::row::Row>| -> Vec<String> {
        rows.iter().map(|row| row.cell(0).value.as_text().unwrap().to_owned()).collect()
    };
    assert_eq!(states(bench.poll("invitations").await.rows), ["waiting", "expired", "burnt"]);
    bench.world.clock.advance(SignedDuration::from_mins(6));
    // The row is gone; that it ran out is told by what is missing from the events.
    assert_eq!(states(bench.poll("invitations").await.rows), ["waiting", "burnt", "expired"]);
}

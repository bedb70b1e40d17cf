use crate::backend::error::SendError;
use crate::backend::{Backend as _, Proof};
use crate::model::op::{Decision, FieldKind, Job};
use crate::model::row::Health;

use super::{Bench, has_twin, invite, job, refusal};

impl Bench {
    async fn on(&self, op: &str, user: &str, args: &[(&str, &str)]) -> Job {
        job(op, self.target("authentik.users", user).await, args)
    }

    async fn groups_of(&self, user: &str) -> String {
        let users = self.poll("users").await.rows;
        let row = users.iter().find(|row| &*row.name == user).unwrap();
        row.cell(4).value.as_text().unwrap_or_default().to_owned()
    }
}

const FAMILY: &[(&str, &str)] = &[("group", "family-validated")];

#[tokio::test]
async fn a_twin_is_shown_beside_the_one_that_is_meant_and_only_that_one_is_changed() {
    let bench = Bench::new().await;
    let job = bench.on("authentik.group-add", "aunt2", FAMILY).await;
    let verdict = bench.judged(&job).await;
    assert_eq!(verdict.decision, Decision::Warn);
    let says = |what: &str| verdict.evidence.iter().find(|fact| fact.what == what).unwrap().says.clone();
    assert!(says("user").starts_with("aunt2 (number 10, Aunt Alma"), "{verdict:?}");
    assert!(says("not to be taken for").starts_with("aunt (number 9, Aunt Alma"), "{verdict:?}");
    assert_eq!(says("opens"), "ntfy");
    bench.sent(&job).await.unwrap();
    assert!(matches!(bench.proof(&job, None).await, Proof::Seen(_)));
    assert_eq!(bench.groups_of("aunt2").await, "family-validated");
    assert_eq!(bench.groups_of("aunt").await, "family-app-navidrome, family-validated");
    assert!(refusal(&bench.judged(&job).await).contains("already"));
}

#[tokio::test]
async fn one_membership_is_ended_and_the_others_stay() {
    let bench = Bench::new().await;
    let spec = super::super::ops::all().into_iter().find(|op| op.name == "authentik.group-remove").unwrap();
    let aunt = bench.target("authentik.users", "aunt").await;
    let form = bench.authentik.form(&spec, &[aunt]).await.unwrap();
    let FieldKind::Choice(groups) = &form[0].kind else { panic!("{form:?}") };
    assert_eq!(groups.join(" "), "family-app-navidrome family-validated");
    let job = bench.on("authentik.group-remove", "aunt", &[("group", "family-app-navidrome")]).await;
    assert_eq!(bench.judged(&job).await.decision, Decision::Warn);
    bench.sent(&job).await.unwrap();
    assert!(matches!(bench.proof(&job, None).await, Proof::Seen(_)));
    assert_eq!(bench.groups_of("aunt").await, "family-validated");
    assert_eq!(bench.groups_of("aunt2").await, "");
}

#[tokio::test]
async fn what_must_not_be_changed_is_refused_and_nothing_is_sent() {
    let bench = Bench::new().await;
    let cases = [
        ("authentik.group-add", "aunt2", "admin", "for administrators"),
        ("authentik.group-add", "aunt2", "family", "no group is called exactly"),
        ("authentik.group-remove", "akadmin", "authentik Admins", "superusers"),
        ("authentik.group-remove", "aunt", "family-app-immich", "no direct member"),
        ("authentik.deactivate", "akadmin", "", "superuser"),
        ("authentik.deactivate", "cousin", "", "inactive already"),
        ("authentik.deactivate", "ops-console", "", "vigie itself"),
        ("authentik.deactivate", "ak-outpost-9f2c41d07c1b4c4f9d0e7a6b5c4d3e2f", "", "is an outpost"),
        ("authentik.activate", "aunt", "", "active already"),
    ];
    for (op, user, group, why) in cases {
        let job = bench.on(op, user, &[("group", group)]).await;
        let says = refusal(&bench.judged(&job).await);
        assert!(says.contains(why), "{op} {user}: {says}");
        assert!(matches!(bench.sent(&job).await, Err(SendError::NotSent(_))), "{op} {user}");
    }
}

#[tokio::test]
async fn another_person_behind_the_same_number_is_refused() {
    let bench = Bench::new().await;
    let mut job = bench.on("authentik.group-add", "aunt2", FAMILY).await;
    job.target.name = "aunt".into();
    assert!(refusal(&bench.judged(&job).await).contains("is aunt2 now"));
    assert!(matches!(bench.sent(&job).await, Err(SendError::NotSent(_))));
}

#[tokio::test]
async fn who_is_deactivated_is_out_with_the_sessions_and_comes_back() {
    let bench = Bench::new().await;
    let out = bench.on("authentik.deactivate", "designer", &[]).await;
    assert_eq!(bench.judged(&out).await.decision, Decision::Allow);
    bench.sent(&out).await.unwrap();
    let Proof::Seen(proof) = bench.proof(&out, None).await else { panic!() };
    assert_eq!(proof, "designer is inactive, 0 sessions seen");
    let back = bench.on("authentik.activate", "designer", &[]).await;
    bench.sent(&back).await.unwrap();
    assert!(matches!(bench.proof(&back, None).await, Proof::Seen(_)));
}

#[tokio::test]
async fn a_session_that_outlived_its_user_is_seen_and_ended() {
    let bench = Bench::new().await;
    let users = bench.poll("users").await.rows;
    let cousin = users.iter().find(|row| &*row.name == "cousin").unwrap();
    assert_eq!(
        (cousin.health, cousin.note.as_deref()),
        (Health::Warning, Some("inactive, yet 1 live sessions"))
    );
    let job = bench.on("authentik.end-sessions", "cousin", &[]).await;
    assert!(matches!(bench.proof(&job, None).await, Proof::Unclear(..)));
    bench.sent(&job).await.unwrap();
    assert!(matches!(bench.proof(&job, None).await, Proof::Seen(_)));
    let old = Bench::with("ops-console", &[("authentik-version", "2025.10.4")]).await;
    let job = old.on("authentik.end-sessions", "cousin", &[]).await;
    assert!(refusal(&old.judged(&job).await).contains("2026.2 can"));
}

#[tokio::test]
async fn a_lost_answer_to_a_change_is_unknown_and_read_back() {
    let bench = Bench::new().await;
    let job = bench.on("authentik.group-add", "aunt2", FAMILY).await;
    let group = super::sim::homelab::id("group", "family-validated");
    bench.fault(&format!("authentik:lost-answer@/api/v3/core/groups/{group}/add_user*1"));
    assert!(matches!(bench.sent(&job).await, Err(SendError::Unknown(_))));
    assert!(matches!(bench.proof(&job, None).await, Proof::Seen(_)));
}

/// An operation, the kind and name of what it acts on, and its form.
type Case = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)]);

const DESIGNER: [Case; 9] = [
    ("group-add", "users", "designer", &[("group", "family-app-immich")]),
    ("group-remove", "users", "designer", &[("group", "family-app-immich")]),
    ("recovery-link", "users", "designer", &[("expires", "1h")]),
    ("delete-device", "devices", "designer/Aegis", &[]),
    ("end-session", "sessions", "designer 203.0.113.20", &[]),
    ("end-sessions", "users", "designer", &[]),
    ("deactivate", "users", "designer", &[]),
    ("activate", "users", "designer", &[]),
    ("offboard", "users", "designer", &[]),
];

#[tokio::test]
async fn at_every_write_to_a_person_the_twin_is_shown_and_stays_as_it_is() {
    let bench = Bench::new().await;
    bench.enrol("designer2").await;
    let twin = || async {
        let users = bench.poll("users").await.rows;
        let row = users.into_iter().find(|row| &*row.name == "designer2").unwrap();
        (row.cells, row.health)
    };
    let before = twin().await;
    for (op, kind, name, args) in DESIGNER {
        let target = bench.target(&format!("authentik.{kind}"), name).await;
        let job = job(&format!("authentik.{op}"), target, args);
        let verdict = bench.judged(&job).await;
        assert!(has_twin(&verdict, "designer2 "), "{op}: {verdict:?}");
        bench.sent(&job).await.unwrap();
        assert!(matches!(bench.proof(&job, None).await, Proof::Seen(_)), "{op}");
        assert_eq!(twin().await, before, "{op}");
    }
}

#[tokio::test]
async fn whoever_is_alike_is_shown_before_an_invitation_and_before_it_is_made_again() {
    let bench = Bench::new().await;
    let args = &[("group", "family-app-immich"), ("expires", "7d")];
    let first = invite("aunt", args);
    assert!(has_twin(&bench.judged(&first).await, "aunt (number 9"));
    bench.sent(&first).await.unwrap();
    let name = bench.waiting().await.into_iter().find(|name| name.starts_with("aunt-")).unwrap();
    let again = job("authentik.reissue", bench.target("authentik.invitations", &name).await, args);
    assert!(has_twin(&bench.judged(&again).await, "aunt2 (number 10"));
}

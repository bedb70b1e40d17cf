use crate::backend::error::SendError;
use crate::backend::{Backend as _, Proof};
use crate::model::op::{Decision, FieldKind, Job};

use super::{Bench, START, console, has_twin, job, refusal};

impl Bench {
    async fn on_kind(&self, op: &str, kind: &str, name: &str, args: &[(&str, &str)]) -> Job {
        job(op, self.target(kind, name).await, args)
    }

    fn spec(op: &str) -> crate::model::op::OpSpec {
        super::super::ops::all().into_iter().find(|spec| spec.name == op).unwrap()
    }
}

const USERS: &str = "authentik.users";
const DEVICES: &str = "authentik.devices";

#[tokio::test]
async fn a_burnt_invitation_is_made_again_for_the_group_it_was_for() {
    let bench = Bench::new().await;
    let target = bench.target("authentik.invitations", "invite-nextcloud-c3").await;
    let form =
        bench.authentik.form(&Bench::spec("authentik.reissue"), std::slice::from_ref(&target)).await.unwrap();
    assert_eq!(form[0].default, "family-app-nextcloud");
    let FieldKind::Choice(languages) = &form[4].kind else { panic!("{form:?}") };
    assert_eq!((languages.join(" "), &*form[4].default), ("en fr".to_owned(), "en"));
    let again = job(
        "authentik.reissue",
        target,
        &[("group", "family-app-nextcloud"), ("expires", "7d"), ("language", "fr")],
    );
    let verdict = bench.judged(&again).await;
    assert_ne!(verdict.decision, Decision::Refuse, "{verdict:?}");
    let receipt = bench.sent(&again).await.unwrap();
    let reveal = receipt.reveal.unwrap();
    assert!(
        reveal.message.starts_with("Bonjour") && reveal.message.contains(&reveal.secret),
        "{}",
        reveal.message
    );
    assert!(matches!(bench.proof(&again, receipt.remote.as_deref()).await, Proof::Seen(_)));
    assert!(
        bench
            .waiting()
            .await
            .iter()
            .any(|name| name.starts_with("invite-nextcloud-c3-family-app-nextcloud-"))
    );
}

#[tokio::test]
async fn a_link_that_still_works_is_revoked_before_another_is_made() {
    let bench = Bench::new().await;
    let again = bench
        .on_kind(
            "authentik.reissue",
            "authentik.invitations",
            "invite-validated-b2",
            &[("group", "family-validated"), ("expires", "7d")],
        )
        .await;
    assert_eq!(bench.judged(&again).await.decision, Decision::Warn);
    bench.sent(&again).await.unwrap();
    let names = bench.waiting().await;
    assert!(!names.contains(&"invite-validated-b2".to_owned()) && names.len() == 2, "{names:?}");
    // The first change is done whatever becomes of the second.
    let other = bench
        .on_kind(
            "authentik.reissue",
            "authentik.invitations",
            "invite-navidrome-a1",
            &[("group", "family-app-navidrome"), ("expires", "7d")],
        )
        .await;
    bench.fault("authentik:403@POST /api/v3/stages/invitation*1");
    let Err(SendError::Failed(fault) | SendError::Refused(fault)) = bench.sent(&other).await else {
        panic!()
    };
    assert!(fault.to_string().contains("is revoked, and no new one was made"), "{fault}");
}

#[tokio::test]
async fn an_invitation_that_somebody_used_is_not_made_again() {
    let bench = Bench::new().await;
    bench.world.set("authentik-enrol", "invite-validated-b2");
    let used = bench
        .on_kind(
            "authentik.reissue",
            "authentik.invitations",
            "invite-validated-b2",
            &[("group", "family-validated"), ("expires", "7d")],
        )
        .await;
    assert!(refusal(&bench.judged(&used).await).contains("invite enrolled with it"));
    assert!(matches!(bench.sent(&used).await, Err(SendError::NotSent(_))));
}

#[tokio::test]
async fn the_group_that_an_invitation_was_for_is_one_key_away() {
    let bench = Bench::new().await;
    bench.world.set("authentik-policy", "broken");
    bench.world.set("authentik-enrol", "invite-navidrome-a1");
    let target = bench.target("authentik.onboarding", "invite").await;
    let form = bench
        .authentik
        .form(&Bench::spec("authentik.group-add"), std::slice::from_ref(&target))
        .await
        .unwrap();
    assert_eq!(form[0].default, "family-app-navidrome");
    let add = job("authentik.group-add", target, &[("group", "family-app-navidrome")]);
    assert_ne!(bench.judged(&add).await.decision, Decision::Refuse);
    bench.sent(&add).await.unwrap();
    assert!(matches!(bench.proof(&add, None).await, Proof::Seen(_)));
    assert_eq!(
        bench.poll("onboarding").await.rows.iter().find(|row| &*row.name == "invite").unwrap().cell(0).value,
        "has apps".into()
    );
}

#[tokio::test]
async fn a_recovery_link_is_shown_once_for_the_public_name_and_never_for_a_superuser() {
    let bench = Bench::new().await;
    let link =
        bench.on_kind("authentik.recovery-link", USERS, "aunt", &[("expires", "1h"), ("language", "")]).await;
    let verdict = bench.judged(&link).await;
    // The twin is named beside the one that is meant.
    assert_eq!(verdict.decision, Decision::Warn);
    assert!(
        verdict
            .evidence
            .iter()
            .any(|fact| fact.what == "not to be taken for" && fact.says.starts_with("aunt2 "))
    );
    assert!(matches!(bench.proof(&link, None).await, Proof::Unclear(..)));
    let receipt = bench.sent(&link).await.unwrap();
    let reveal = receipt.reveal.unwrap();
    assert!(
        reveal.secret.starts_with("https://auth.lab.example/if/flow/recovery/?flow_token="),
        "{}",
        reveal.secret
    );
    let key = reveal.secret.split_once("flow_token=").unwrap().1;
    assert!(!receipt.said.contains(key) && !format!("{reveal:?}").contains(key));
    let Proof::Seen(proof) = bench.proof(&link, None).await else { panic!() };
    assert_eq!(proof, "a recovery link of aunt works for 60m");
    for (user, why) in [("akadmin", "superuser"), ("ci-github", "program"), ("cousin", "inactive")] {
        let job = bench.on_kind("authentik.recovery-link", USERS, user, &[("expires", "1h")]).await;
        assert!(refusal(&bench.judged(&job).await).contains(why), "{user}");
        assert!(matches!(bench.sent(&job).await, Err(SendError::NotSent(_))), "{user}");
    }
    let long = bench.on_kind("authentik.recovery-link", USERS, "aunt", &[("expires", "2d")]).await;
    assert!(refusal(&bench.judged(&long).await).contains("more than 24h"));
    bench.world.set("authentik-recovery", "none");
    let Err(SendError::Refused(fault)) = bench.sent(&link).await else { panic!() };
    assert!(fault.to_string().contains("No recovery flow set"), "{fault}");
}

#[tokio::test]
async fn a_lost_answer_to_a_recovery_link_is_unknown_and_its_token_is_seen() {
    let bench = Bench::new().await;
    let link = bench.on_kind("authentik.recovery-link", USERS, "designer", &[("expires", "1h")]).await;
    bench.fault("authentik:lost-answer@POST /api/v3/core/users*1");
    assert!(matches!(bench.sent(&link).await, Err(SendError::Unknown(_))));
    assert!(matches!(bench.proof(&link, None).await, Proof::Seen(_)));
}

#[tokio::test]
async fn one_device_of_one_person_is_deleted_and_its_twins_stay() {
    let bench = Bench::new().await;
    // Passkey 3 and, in another list, phone 1 belong to the same person.
    let gone = bench.on_kind("authentik.delete-device", DEVICES, "designer/Aegis", &[]).await;
    assert_eq!(gone.target.id.key.as_ref(), "totp:1");
    assert_eq!(bench.judged(&gone).await.decision, Decision::Allow);
    assert!(matches!(bench.proof(&gone, None).await, Proof::Unclear(..)));
    let receipt = bench.sent(&gone).await.unwrap();
    assert!(receipt.said.contains("of designer (number 7)"), "{}", receipt.said);
    assert!(matches!(bench.proof(&gone, None).await, Proof::Seen(_)));
    let names = bench.names("devices").await;
    assert!(names.contains(&"admin1/YubiKey 5C".to_owned()) && names.len() == 6, "{names:?}");
    assert!(refusal(&bench.judged(&gone).await).contains("does not exist"));
}

#[tokio::test]
async fn a_device_that_must_stay_is_not_deleted() {
    let bench = Bench::new().await;
    let last = bench.on_kind("authentik.delete-device", DEVICES, "aunt/Tablet", &[]).await;
    assert!(refusal(&bench.judged(&last).await).contains("has no other"));
    assert!(matches!(bench.sent(&last).await, Err(SendError::NotSent(_))));
    // The number is somebody else's by now.
    let mut other = bench.on_kind("authentik.delete-device", DEVICES, "designer/iPhone", &[]).await;
    other.target.identity = crate::model::id::Identity::new().with("owner", "9");
    assert!(refusal(&bench.judged(&other).await).contains("its owner is 7 now, not 9"));
    assert!(matches!(bench.sent(&other).await, Err(SendError::NotSent(_))));
    // A twin's device of the same name is another one.
    let mut twin = bench.on_kind("authentik.delete-device", DEVICES, "aunt2/Tablet", &[]).await;
    twin.target.name = "aunt/Tablet".into();
    assert!(refusal(&bench.judged(&twin).await).contains("it is Tablet of aunt2 now"));
    bench.fault("authentik:403@GET /api/v3/authenticators/admin/webauthn*9");
    assert_ne!(bench.judged(&other).await.decision, Decision::Allow);
}

#[tokio::test]
async fn a_deleted_device_without_an_answer_is_unknown_and_read_back() {
    let bench = Bench::new().await;
    let gone = bench.on_kind("authentik.delete-device", DEVICES, "designer/iPhone", &[]).await;
    bench.fault("authentik:swallowed@DELETE /api/v3/authenticators*1");
    assert!(matches!(bench.sent(&gone).await, Err(SendError::Unknown(_))));
    assert!(matches!(bench.proof(&gone, None).await, Proof::Seen(_)));
}

#[tokio::test]
async fn one_session_is_ended_and_the_others_stay() {
    let bench = Bench::new().await;
    let end = bench.on_kind("authentik.end-session", "authentik.sessions", "cousin 203.0.113.20", &[]).await;
    assert_eq!(bench.judged(&end).await.decision, Decision::Allow);
    bench.fault("authentik:lost-answer@DELETE /api/v3/core/authenticated_sessions*1");
    assert!(matches!(bench.sent(&end).await, Err(SendError::Unknown(_))));
    assert!(matches!(bench.proof(&end, None).await, Proof::Seen(_)));
    assert_eq!(bench.poll("sessions").await.rows.len(), 2);
    assert!(refusal(&bench.judged(&end).await).contains("does not exist"));
}

#[tokio::test]
async fn whoever_goes_loses_everything_step_by_step_and_nobody_is_deleted() {
    let bench = Bench::new().await;
    let go = bench.on_kind("authentik.offboard", USERS, "designer", &[]).await;
    let verdict = bench.judged(&go).await;
    let says: Vec<String> =
        verdict.evidence.iter().map(|fact| format!("{}: {}", fact.what, fact.says)).collect();
    let says = says.join("\n");
    assert!(
        says.contains("step 1: leaves") && says.contains("becomes inactive") && says.contains("in Navidrome"),
        "{says}"
    );
    assert!(matches!(bench.proof(&go, None).await, Proof::Unclear(..)));
    let receipt = bench.sent(&go).await.unwrap();
    assert!(receipt.said.contains("by hand: close the account of designer in Navidrome"), "{}", receipt.said);
    let Proof::Seen(proof) = bench.proof(&go, None).await else { panic!() };
    assert_eq!(proof, "designer is inactive, 0 groups, 0 sessions seen");
    assert!(refusal(&bench.judged(&go).await).contains("nothing left"));
    assert!(bench.names("users").await.contains(&"designer".to_owned()));
}

#[tokio::test]
async fn a_leaving_that_stops_in_the_middle_says_how_far_it_came_and_goes_on() {
    let bench = Bench::new().await;
    let go = bench.on_kind("authentik.offboard", USERS, "designer", &[]).await;
    bench.fault("authentik:403@PATCH /api/v3/core/users*1");
    let Err(SendError::Failed(fault)) = bench.sent(&go).await else { panic!() };
    assert!(fault.what.starts_with("2 of "), "{fault}");
    bench.sent(&go).await.unwrap();
    assert!(matches!(bench.proof(&go, None).await, Proof::Seen(_)));
    // A session that outlived its user is what is left of this one; the twin of another is named.
    let cousin = bench.on_kind("authentik.offboard", USERS, "cousin", &[]).await;
    bench.fault("authentik:swallowed@DELETE /api/v3/core/authenticated_sessions*1");
    assert!(matches!(bench.sent(&cousin).await, Err(SendError::Unknown(_))));
    assert!(matches!(bench.proof(&cousin, None).await, Proof::Seen(_)));
    let twin = bench.on_kind("authentik.offboard", USERS, "aunt", &[]).await;
    let verdict = bench.judged(&twin).await;
    assert!(verdict.evidence.iter().any(|fact| fact.what == "not to be taken for"), "{verdict:?}");
}

#[tokio::test]
async fn who_must_stay_is_not_let_go() {
    let bench = Bench::new().await;
    for (user, why) in [
        ("akadmin", "superuser"),
        ("admin1", "the last administrator"),
        ("ops-console", "vigie itself"),
        ("ak-outpost-9f2c41d07c1b4c4f9d0e7a6b5c4d3e2f", "outpost"),
    ] {
        let go = bench.on_kind("authentik.offboard", USERS, user, &[]).await;
        assert!(refusal(&bench.judged(&go).await).contains(why), "{user}");
        assert!(matches!(bench.sent(&go).await, Err(SendError::NotSent(_))), "{user}");
    }
}

#[tokio::test]
async fn a_key_is_swapped_by_the_workflow_and_proven_by_the_server() {
    let bench = Bench::new().await;
    let rotate = bench.on_kind("authentik.rotate-token", "authentik.tokens", "ci-github-api", &[]).await;
    assert!(refusal(&bench.judged(&rotate).await).contains("no `rotation` is configured"));
    assert!(matches!(bench.sent(&rotate).await, Err(SendError::NotSent(_))));
    let (github, _running) = crate::backend::github::tests::lab(&bench.world).await;
    let mut settings = bench.settings.clone();
    settings.rotation = Some(crate::config::Rotation {
        github: "homelab".into(),
        workflow: "authentik-rotate-keys.yml".to_owned(),
        input: "token".to_owned(),
    });
    let mut authentik = console(&settings, &bench.world);
    authentik.github = Some(Ok(github));
    authentik.pace = Some(std::time::Duration::from_millis(5));
    assert_eq!(authentik.preflight(&rotate).await.unwrap().decision, Decision::Allow);
    let since = START.parse().unwrap();
    assert!(matches!(authentik.verify(&rotate, None, since).await.unwrap(), Proof::Unclear(..)));
    let (sink, mut progress) = tokio::sync::mpsc::channel(64);
    let clock = bench.world.clock.clone();
    let ticking = tokio::spawn(async move {
        while progress.recv().await.is_some() {
            clock.advance(jiff::SignedDuration::from_secs(20));
        }
    });
    let receipt = authentik.operate(&rotate, sink).await.unwrap();
    ticking.await.unwrap();
    let Proof::Seen(proof) = authentik.verify(&rotate, receipt.remote.as_deref(), since).await.unwrap()
    else {
        panic!()
    };
    assert_eq!(proof, "the server noted a change of ci-github-api");
    // Whoever looks like the owner is shown beside it.
    bench.enrol("n8n2").await;
    let other = bench.on_kind("authentik.rotate-token", "authentik.tokens", "n8n-api", &[]).await;
    assert!(has_twin(&authentik.preflight(&other).await.unwrap(), "n8n2 "));
    // What is not ours to rotate, and what cannot be asked.
    let system = bench.on_kind("authentik.rotate-token", "authentik.tokens", "backup-app", &[]).await;
    assert_eq!(authentik.preflight(&system).await.unwrap().decision, Decision::Allow);
    authentik.github = Some(Err(crate::backend::error::ApiError::unsupported("no token")));
    assert_eq!(authentik.preflight(&rotate).await.unwrap().decision, Decision::Blind);
}

#[tokio::test]
async fn where_sessions_cannot_be_seen_taking_away_is_still_offered() {
    let bench = Bench::new().await;
    bench.fault("authentik:403@GET /api/v3/core/authenticated_sessions*9");
    let out = bench.on_kind("authentik.deactivate", USERS, "designer", &[]).await;
    assert_eq!(bench.judged(&out).await.decision, Decision::Blind);
    for op in ["deactivate", "group-remove", "revoke-invitation", "end-sessions", "offboard", "end-session"] {
        assert_eq!(Bench::spec(&format!("authentik.{op}")).blind, crate::model::op::Blind::Warn, "{op}");
    }
    for op in ["invite", "reissue", "recovery-link", "delete-device", "rotate-token", "group-add"] {
        assert_eq!(Bench::spec(&format!("authentik.{op}")).blind, crate::model::op::Blind::Refuse, "{op}");
    }
}

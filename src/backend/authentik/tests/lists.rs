use crate::backend::Backend as _;
use crate::backend::error::SendError;
use crate::model::row::{Health, Tone, Value};
use crate::model::snapshot::Layer;

use super::{Bench, console};

#[tokio::test]
async fn every_source_shows_the_lab() {
    let bench = Bench::new().await;
    assert_eq!(
        bench.names("users").await,
        [
            "admin1",
            "ak-outpost-9f2c41d07c1b4c4f9d0e7a6b5c4d3e2f",
            "akadmin",
            "argocd",
            "aunt",
            "aunt2",
            "backup",
            "ci-github",
            "cousin",
            "designer",
            "n8n",
            "ops-console"
        ]
    );
    assert!(bench.names("groups").await.contains(&"family-app-nextcloud".to_owned()));
    assert_eq!(
        bench.names("invitations").await,
        ["invite-navidrome-a1", "invite-validated-b2", "invite-nextcloud-c3"]
    );
    assert_eq!(bench.names("outposts").await, ["authentik-outpost-proxy"]);
    for source in bench.authentik.sources() {
        let snapshot = bench.poll(&source.id.feed).await;
        assert!(snapshot.complete && !snapshot.rows.is_empty(), "{}: {:?}", source.id, snapshot.notes);
    }
}

#[tokio::test]
async fn lists_are_walked_to_their_end_whatever_the_release_calls_a_page() {
    for version in ["2025.10.4", "2026.2.4"] {
        let bench =
            Bench::with("ops-console", &[("authentik-version", version), ("authentik-users", "250")]).await;
        let users = bench.poll("users").await;
        assert_eq!((users.rows.len(), users.complete), (262, true), "{version}");
        let kids = bench.poll("groups").await;
        let nextcloud = kids.rows.iter().find(|row| &*row.name == "family-app-nextcloud").unwrap();
        assert_eq!(nextcloud.cell(5).value, Value::from("family-validated"), "{version}");
    }
}

#[tokio::test]
async fn applications_are_completed_by_way_of_their_providers_for_who_is_no_superuser() {
    for account in ["ops-console", "akadmin"] {
        let bench = Bench::with(account, &[]).await;
        let applications = bench.poll("applications").await;
        assert_eq!((applications.rows.len(), applications.complete), (6, true), "{account}");
        let state = |slug: &str| {
            let row = applications.rows.iter().find(|row| &*row.name == slug).unwrap();
            (row.cell(0).value.as_text().unwrap().to_owned(), row.health)
        };
        assert_eq!(state("prometheus"), ("open".to_owned(), Health::Warning));
        assert_eq!(state("omni"), ("gated".to_owned(), Health::Ok));
    }
}

#[tokio::test]
async fn what_a_caller_may_not_see_is_named_and_never_shown_as_open_or_empty() {
    let bench = Bench::with("ci-github", &[]).await;
    let error = bench.authentik.poll_feed("users").await.unwrap_err();
    assert_eq!(error.fault.layer, Layer::Auth);
    assert_eq!(error.fault.missing.as_deref(), Some("authentik_core.view_user"));
    let applications = bench.poll("applications").await;
    assert!(!applications.complete);
    assert!(applications.notes.iter().any(|note| note.contains("as seen by ci-github")), "{applications:?}");
    assert!(applications.rows.iter().all(|row| row.health == Health::Unknown));
    let rights = bench.authentik.rights().await.unwrap();
    let missing = &rights.missing["authentik.revoke-invitation"];
    assert_eq!(missing, "authentik_stages_invitation.view_invitation");
}

#[tokio::test]
async fn a_name_is_exact_or_nobodys() {
    let bench = Bench::new().await;
    for (kind, name, count) in [
        ("authentik.users", "aunt", 1),
        ("authentik.users", "Aunt", 0),
        ("authentik.users", "aun", 0),
        ("authentik.users", "Aunt Alma", 0),
        ("authentik.groups", "family-app-nextcloud", 1),
        ("authentik.groups", "family-app", 0),
        ("authentik.invitations", "invite-navidrome-a1", 1),
        ("authentik.applications", "omni", 1),
        ("authentik.applications", "Omni", 0),
    ] {
        let found = bench.authentik.resolve(&kind.into(), name).await.unwrap();
        assert_eq!(found.len(), count, "{kind} {name}");
    }
    let aunt = bench.target("authentik.users", "aunt").await;
    assert_eq!(aunt.identity.get("pk"), Some("9"));
    let now = bench.authentik.identify(&aunt.id).await.unwrap();
    assert!(aunt.identity.conflicts(&now).is_empty());
}

#[tokio::test]
async fn a_disconnected_outpost_is_critical() {
    let bench = Bench::with("ops-console", &[("authentik-outpost", "down")]).await;
    let row = bench.poll("outposts").await.rows.remove(0);
    assert_eq!((row.health, row.note.as_deref()), (Health::Critical, Some("no instance is connected")));
}

#[tokio::test]
async fn every_way_to_be_refused_is_told_from_the_others() {
    let bench = Bench::new().await;
    let ask = |settings: crate::config::Authentik| {
        let console = console(&settings, &bench.world);
        async move { console.poll_feed("users").await.unwrap_err().fault }
    };
    let mut wrong = bench.settings.clone();
    wrong.token = crate::config::Secret::new(crate::config::SecretSource::Memory("wrong".to_owned().into()));
    let fault = ask(wrong).await;
    assert_eq!((fault.layer, fault.what.as_str()), (Layer::Auth, "the token is not accepted"));
    let mut stranger = bench.settings.clone();
    stranger.connection.host_header = None;
    let fault = ask(stranger).await;
    assert_eq!((fault.layer, fault.raw.as_str()), (Layer::Edge, "404 page not found"));
    for (text, layer) in [
        ("authentik:challenge*1", Layer::Edge),
        ("authentik:login*1", Layer::Edge),
        ("authentik:502*1", Layer::Edge),
        ("authentik:403*1", Layer::Edge),
        ("authentik:truncated*1", Layer::App),
        ("authentik:timeout*1", Layer::Http),
    ] {
        bench.fault(text);
        assert_eq!(ask(bench.settings.clone()).await.layer, layer, "{text}");
    }
}

#[tokio::test]
async fn values_of_wrong_types_leave_nothing_that_looks_complete() {
    let bench = Bench::new().await;
    bench.fault("authentik:wrong-types");
    let users = bench.poll("users").await;
    assert!(!users.complete && users.rows.is_empty(), "{users:?}");
}

#[tokio::test]
async fn a_description_holds_what_matters_and_no_link() {
    let bench = Bench::new().await;
    for (kind, name, word) in [
        ("authentik.users", "aunt2", "no groups"),
        ("authentik.groups", "family-app-nextcloud", "nextcloud"),
        ("authentik.invitations", "invite-navidrome-a1", "family-app-navidrome"),
        ("authentik.applications", "prometheus", "open to every user"),
        ("authentik.outposts", "authentik-outpost-proxy", "oci-mgmt"),
    ] {
        let id = bench.target(kind, name).await.id;
        let (sink, mut views) = tokio::sync::mpsc::channel(1);
        let show = bench.authentik.open(&id, "describe", sink);
        let text = tokio::select! {
            ended = show => panic!("{ended:?}"),
            view = views.recv() => format!("{view:?}"),
        };
        assert!(text.contains(word), "{kind}: {text}");
        assert!(!text.contains("itoken"), "{kind}");
    }
}

#[tokio::test]
async fn the_doctor_says_who_asks_and_when_the_token_ends() {
    let bench = Bench::new().await;
    let diagnosis = bench.authentik.doctor().await;
    let says = |what: &str| {
        let found = diagnosis.findings.iter().find(|finding| finding.what == what);
        found.map(|finding| (finding.says.clone(), finding.tone)).unwrap()
    };
    assert_eq!(says("auth"), ("ops-console, no superuser".to_owned(), Tone::Ok));
    assert_eq!(says("version"), ("2026.2.4".to_owned(), Tone::Ok));
    assert!(says("token").0.starts_with("expires in 27d"), "{diagnosis:?}");
    assert!(diagnosis.healthy());

    bench.fault("authentik:timeout");
    let diagnosis = bench.authentik.doctor().await;
    assert_eq!((&*diagnosis.findings[0].what, diagnosis.healthy()), ("reach", false));
}

#[tokio::test]
async fn a_wrong_clock_is_found() {
    let bench = Bench::new().await;
    bench.fault("authentik:skew=5m");
    let diagnosis = bench.authentik.doctor().await;
    assert!(diagnosis.findings.iter().any(|finding| finding.says.contains("300 s ahead")), "{diagnosis:?}");
}

#[tokio::test]
async fn a_crash_while_writing_is_no_refusal() {
    let bench = Bench::new().await;
    let body = serde_json::json!({ "negate": true });
    let path = "/policies/bindings/b/";
    let error = bench.authentik.client.send(reqwest::Method::PATCH, path, Some(body), "").await.unwrap_err();
    let SendError::Unknown(fault) = error else { panic!("{error}") };
    assert_eq!((fault.status, fault.what.as_str()), (Some(405), "Authentik crashed on the request"));
}

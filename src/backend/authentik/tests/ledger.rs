use crate::backend::Backend as _;
use crate::model::row::{Health, Row};

use super::{Bench, console};

fn state<'r>(rows: &'r [Row], name: &str) -> (&'r str, Health) {
    let exact = rows.iter().find(|row| &*row.name == name);
    let row = exact.or_else(|| rows.iter().find(|row| row.name.starts_with(name)));
    let row = row.unwrap_or_else(|| panic!("{name}: {rows:?}"));
    (row.cell(0).value.as_text().unwrap_or_default(), row.health)
}

#[tokio::test]
async fn each_invited_person_stands_where_the_servers_data_says() {
    let bench = Bench::new().await;
    let rows = bench.poll("onboarding").await.rows;
    assert_eq!(state(&rows, "invite-navidrome-a1"), ("invited", Health::Pending));
    assert_eq!(state(&rows, "invite-nextcloud-c3"), ("burnt", Health::Warning));
    assert_eq!(state(&rows, "aunt2"), ("enrolled", Health::Pending));
    // The policy of the flow does not assign the group: it is named, and one key mends it.
    bench.world.set("authentik-policy", "broken");
    bench.world.set("authentik-enrol", "invite-navidrome-a1");
    let rows = bench.poll("onboarding").await.rows;
    assert_eq!(state(&rows, "invite"), ("unassigned", Health::Warning));
    let row = rows.iter().find(|row| &*row.name == "invite").unwrap();
    assert_eq!(row.cell(3).value, "invite-navidrome-a1".into());
    assert_eq!(row.cell(6).value, "add to family-app-navidrome (s)".into());
}

#[tokio::test]
async fn whoever_enrols_into_the_group_is_on_the_way_to_the_applications() {
    let bench = Bench::new().await;
    bench.world.set("authentik-enrol", "invite-validated-b2");
    let rows = bench.poll("onboarding").await.rows;
    assert_eq!(state(&rows, "invite"), ("validated", Health::Pending));
    bench.world.set("authentik-use", "invite nextcloud");
    assert_eq!(state(&bench.poll("onboarding").await.rows, "invite").0, "provisioned");
    // What became of the invitation is told as well.
    let invitations = bench.poll("invitations").await.rows;
    let used = invitations.iter().find(|row| &*row.name == "invite-validated-b2").unwrap();
    assert_eq!(
        (state(&invitations, "invite-validated-b2").0, used.note.as_deref()),
        ("used", Some("invite enrolled"))
    );
    let (sink, mut views) = tokio::sync::mpsc::channel(1);
    let text = tokio::select! {
        ended = bench.authentik.open(&rows[0].id, "board", sink) => panic!("{ended:?}"),
        view = views.recv() => format!("{view:?}"),
    };
    for lane in ["invited", "opened", "enrolled", "validated", "has apps", "provisioned"] {
        assert!(text.contains(&format!("title: \"{lane}\"")), "{text}");
    }
}

#[tokio::test]
async fn keys_say_when_they_end_and_accounts_whether_they_are_expected() {
    let bench = Bench::new().await;
    let tokens = bench.poll("tokens").await.rows;
    assert_eq!(state(&tokens, "ci-github-api"), ("expiring", Health::Warning));
    assert_eq!(state(&tokens, "argocd-api"), ("ok", Health::Ok));
    let accounts = bench.poll("service-accounts").await.rows;
    assert_eq!(state(&accounts, "ci-github"), ("expiring", Health::Warning));
    let mut settings = bench.settings.clone();
    settings.service_accounts = vec!["ci-github".to_owned(), "velero".to_owned()];
    let rows = console(&settings, &bench.world).poll_feed("service-accounts").await.unwrap().rows;
    assert_eq!(state(&rows, "velero"), ("missing", Health::Warning));
    assert_eq!(state(&rows, "n8n"), ("unexpected", Health::Warning));
    let stranger = Bench::with("ci-github", &[]).await;
    let own = stranger.poll("tokens").await;
    assert!(!own.complete && own.notes[0].contains("authentik_core.view_token"), "{own:?}");
}

#[tokio::test]
async fn sessions_devices_and_events_are_told_with_their_owners() {
    let bench = Bench::new().await;
    let sessions = bench.poll("sessions").await.rows;
    assert_eq!(state(&sessions, "cousin"), ("stale", Health::Warning));
    let devices = bench.poll("devices").await.rows;
    assert_eq!(devices.len(), 7);
    assert_eq!(state(&devices, "aunt/Tablet").0, "last");
    assert!(!format!("{devices:?}").contains("abcd1234efgh"), "recovery codes are shown");
    let users = bench.poll("users").await.rows;
    let designer = users.iter().find(|row| &*row.name == "designer").unwrap();
    assert_eq!(designer.cell(6).value, "passkey, totp".into());
    let events = bench.poll("events").await.rows;
    assert!(
        events.iter().any(|row| row.cell(5).value.as_text().is_some_and(|t| t.contains("does not say who")))
    );
    assert!(
        !format!("{events:?}")
            .contains(&super::super::sim::homelab::invitation_key(7, "invite-nextcloud-c3"))
    );
    let none =
        Bench::with("ops-console", &[("authentik-worker", "down"), ("authentik-tasks", "failing")]).await;
    let tasks = none.poll("tasks").await.rows;
    assert_eq!(state(&tasks, "no worker"), ("none", Health::Critical));
    assert_eq!(state(&tasks, "outposts.tasks.outpost_controller"), ("error", Health::Warning));
    assert_eq!(state(&bench.poll("flows").await.rows, "invitation-enrollment"), ("ok", Health::Ok));
    for version in ["2025.10.4", "2026.8.0"] {
        let other = Bench::with("ops-console", &[("authentik-version", version)]).await;
        assert!(other.poll("tasks").await.complete, "{version}");
    }
}

#[tokio::test]
async fn the_audit_names_what_stands_open_and_proves_it_where_it_can() {
    let bench = Bench::new().await;
    let audit = bench.poll("exposure").await;
    assert!(audit.complete && audit.notes.is_empty(), "{audit:?}");
    assert_eq!(state(&audit.rows, "prometheus"), ("open", Health::Critical));
    assert_eq!(state(&audit.rows, "ntfy"), ("hidden", Health::Warning));
    assert_eq!(state(&audit.rows, "omni"), ("closed", Health::Ok));
    assert_eq!(state(&audit.rows, "nextcloud"), ("shared", Health::Ok));
    let reds = audit.rows.iter().filter(|row| row.health == Health::Critical).count();
    assert_eq!(reds, 1);
    let (sink, mut views) = tokio::sync::mpsc::channel(1);
    let text = tokio::select! {
        ended = bench.authentik.open(&audit.rows[0].id, "matrix", sink) => panic!("{ended:?}"),
        view = views.recv() => format!("{view:?}"),
    };
    assert!(text.contains("family-validated") && text.contains("any account"), "{text}");
    // Without the right to see bindings nothing is called closed.
    let blind = Bench::with("ci-github", &[]).await;
    assert!(blind.authentik.poll_feed("exposure").await.is_err());
}

use crate::backend::Backend as _;
use crate::model::id::SourceId;
use crate::model::row::{Health, Row};
use crate::model::snapshot::Delta;

use super::{Bench, console, job};

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
    // From 2026.5 a tenant may shut what has no binding.
    let shut = [("authentik-version", "2026.8.0"), ("authentik-default-access", "off")];
    let shut = Bench::with("ops-console", &shut).await.poll("exposure").await;
    assert_eq!(state(&shut.rows, "prometheus"), ("closed", Health::Ok));
    // Without the right to see bindings nothing is called closed.
    let blind = Bench::with("ci-github", &[]).await;
    assert!(blind.authentik.poll_feed("exposure").await.is_err());
}

/// Asks the audit again, and what was handed on while people were read.
async fn again(bench: &Bench) -> (Delta, Option<Delta>) {
    let (sink, mut parts) = tokio::sync::mpsc::channel(8);
    let source = SourceId::new("authentik", "auth", "exposure");
    let delta = bench.authentik.refresh(&source, &sink).await.unwrap();
    (delta, parts.try_recv().ok())
}

#[tokio::test]
async fn the_audit_says_how_far_it_is_and_then_only_what_has_changed() {
    let bench = Bench::with("ops-console", &[("authentik-users", "250")]).await;
    let (first, early) = again(&bench).await;
    let Delta::Reset(first) = first else { panic!("{first:?}") };
    assert!(first.complete && first.notes.is_empty(), "{:?}", first.notes);
    assert_eq!(state(&first.rows, "ntfy"), ("hidden", Health::Warning));
    // What bindings alone decide is there before the people are.
    let Some(Delta::Reset(early)) = early else { panic!("{early:?}") };
    assert!(!early.complete && early.notes[0].starts_with("100 of 262 users read"), "{:?}", early.notes);
    assert_eq!(state(&early.rows, "prometheus"), ("open", Health::Critical));
    let reaches = |rows: &[Row]| rows.iter().find(|row| &*row.name == "ntfy").unwrap().cell(3).value.clone();
    assert_eq!(
        (reaches(&early.rows), reaches(&first.rows)),
        (crate::model::row::Value::Empty, 252_i64.into())
    );
    // Nothing changed: nobody is read again, and nothing is said.
    let census = bench.authentik.known().census.clone().unwrap();
    let (same, early) = again(&bench).await;
    assert!(matches!(same, Delta::Same(_)) && early.is_none(), "{same:?}");
    assert!(std::sync::Arc::ptr_eq(&census, bench.authentik.known().census.as_ref().unwrap()));
    // One binding more is one row.
    bench.world.set("authentik-bind", "grafana family-validated");
    let (change, _) = again(&bench).await;
    let Delta::Change { upserts, removes, complete: true, .. } = change else { panic!("{change:?}") };
    assert_eq!((upserts.len(), removes.len()), (1, 0));
    assert_eq!(state(&upserts, "grafana"), ("exposed", Health::Critical));
    assert!(std::sync::Arc::ptr_eq(&census, bench.authentik.known().census.as_ref().unwrap()));
    // Somebody who is a member now, or is no more, is counted again.
    let aunt2 = bench.target("authentik.users", "aunt2").await;
    bench.sent(&job("authentik.group-add", aunt2, &[("group", "family-validated")])).await.unwrap();
    let Delta::Change { upserts, .. } = again(&bench).await.0 else { panic!() };
    assert_eq!(reaches(&upserts), 253_i64.into());
    let aunt = bench.target("authentik.users", "aunt").await;
    bench.sent(&job("authentik.deactivate", aunt, &[])).await.unwrap();
    let Delta::Change { upserts, .. } = again(&bench).await.0 else { panic!() };
    assert_eq!(reaches(&upserts), 252_i64.into());
}

#[tokio::test]
async fn where_the_server_ignores_when_users_changed_all_are_read_again() {
    let bench = Bench::with("ops-console", &[("authentik-version", "2025.10.4")]).await;
    again(&bench).await;
    let census = bench.authentik.known().census.clone().unwrap();
    assert!(matches!(again(&bench).await.0, Delta::Same(_)));
    assert!(!std::sync::Arc::ptr_eq(&census, bench.authentik.known().census.as_ref().unwrap()));
}

#[tokio::test]
async fn users_are_read_once_for_all_who_want_them_and_the_first_page_is_shown_first() {
    let bench = Bench::with("ops-console", &[("authentik-users", "250")]).await;
    let (one, two) = futures_util::join!(bench.authentik.everybody(), bench.authentik.everybody());
    assert!(std::sync::Arc::ptr_eq(&one.unwrap(), &two.unwrap()));
    let (sink, mut parts) = tokio::sync::mpsc::channel(1);
    let source = SourceId::new("authentik", "auth", "users");
    let Delta::Reset(all) = bench.authentik.refresh(&source, &sink).await.unwrap() else { panic!() };
    let Some(Delta::Reset(first)) = parts.recv().await else { panic!() };
    assert_eq!((all.rows.len(), all.complete), (262, true));
    assert_eq!((first.rows.len(), first.complete), (100, false));
    assert_eq!(first.notes, ["100 of 262 users so far"]);
    bench.authentik.refresh(&source, &sink).await.unwrap();
    assert!(parts.try_recv().is_err(), "only the first time");
}

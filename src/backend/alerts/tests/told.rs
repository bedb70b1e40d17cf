//! What is told to whom, what came and went, and whether silence can be believed.

use super::*;

async fn source(lab: &Lab, feed: &str) -> Snapshot {
    let backend = lab.alertmanager();
    let source = backend.sources().into_iter().find(|source| &*source.id.feed == feed).unwrap();
    backend.poll(&source.id).await.unwrap()
}

async fn view(backend: &Arc<dyn Backend>, id: &EntityId, name: &'static str) -> View {
    let (sink, mut views) = mpsc::channel(1);
    let (backend, id) = (backend.clone(), id.clone());
    let task = tokio::spawn(async move { backend.open(&id, name, sink).await });
    match views.recv().await {
        Some(view) => view,
        None => panic!("{:?}", task.await),
    }
}

fn of_kind<'s>(list: &'s Snapshot, kind: &'static str) -> Vec<&'s Row> {
    list.rows.iter().filter(|row| row.id.kind.as_str() == kind).collect()
}

fn one<'s>(list: &'s Snapshot, kind: &'static str, name: &str) -> &'s Row {
    of_kind(list, kind).into_iter().find(|row| &*row.name == name).unwrap_or_else(|| panic!("no {name}"))
}

#[tokio::test]
async fn a_time_interval_mutes_on_a_version_that_never_says_so() {
    let lab = lab("calm").await;
    assert_eq!(word(&lab.alert("PodCrashLooping").await, "state"), "firing");
    lab.pass(12 * 3600);
    let muted = lab.alert("PodCrashLooping").await;
    assert_eq!((word(&muted, "state"), word(&muted, "quiet")), ("muted".into(), "in nights, 9h left".into()));
    assert_eq!(muted.health, Health::Off);
    let doc = text(&describe(lab.alertmanager(), &muted.id).await);
    for part in ["# why quiet", "ntfy-night is muted: in nights", "# will notify", "webhook", "route 4"] {
        assert!(doc.contains(part), "{part} in {doc}");
    }
    let list = lab.list().await;
    assert_eq!(word(one(&list, kinds::RECEIVERS, "ntfy-night"), "state"), "muted");
}

#[tokio::test]
async fn what_leads_to_nobody_is_told_as_such() {
    let lab = lab("calm").await;
    let list = lab.list().await;
    let inhibitor = named(&list, "InfoInhibitor");
    assert_eq!((word(&inhibitor, "state"), inhibitor.health), ("untold".into(), Health::Ok));
    let nobody = one(&list, kinds::RECEIVERS, "null");
    assert_eq!((word(nobody, "state"), word(nobody, "by")), ("nobody".into(), "nobody".into()));
    assert_eq!(cell(one(&list, kinds::RECEIVERS, "telegram-ops"), "routes").as_number(), Some(2.0));
    let doc = text(&describe(lab.alertmanager(), &named(&list, "CPUThrottlingHigh").id).await);
    assert!(doc.contains(r#"rule: {alertname="InfoInhibitor"} inhibits {severity="info"}"#), "{doc}");
}

#[tokio::test]
async fn groups_fold_alerts_and_lead_to_them() {
    let lab = lab("calm").await;
    lab.post(0, json!([{"labels": {"alertname": "Disk", "severity": "critical", "instance": "a"}}])).await;
    lab.post(1, json!([{"labels": {"alertname": "Disk", "severity": "critical", "instance": "b"}}])).await;
    let groups = source(&lab, "groups").await;
    let mine: Vec<&Row> = groups.rows.iter().filter(|row| word(row, "name") == "Disk").collect();
    let receivers: Vec<String> = mine.iter().map(|row| word(row, "receiver")).collect();
    assert_eq!(mine.len(), 2, "`continue` puts it into two groups: {receivers:?}");
    assert!(mine.iter().all(|row| cell(row, "alerts").as_number() == Some(2.0)), "members are united");
    let View::Tree(tree) = view(lab.alertmanager(), &mine[0].id, "tree").await else { panic!("no tree") };
    assert_eq!(tree.nodes.len(), 3);
    assert!(tree.nodes[1].id.as_ref().is_some_and(|id| id.kind.as_str() == kinds::ALERTS));
    let quiet = groups.rows.iter().find(|row| word(row, "name").contains("CertificateExpiringSoon"));
    assert_eq!(quiet.map(|row| word(row, "state")), Some("quiet".into()));
}

#[tokio::test]
async fn episodes_come_from_polls_and_reach_back_by_prometheus() {
    let lab = lab("calm").await;
    let soon = "2026-11-22T10:00:30Z";
    let flash = json!([{"labels": {"alertname": "Flash", "severity": "warning"}, "endsAt": soon}]);
    lab.post(0, flash.clone()).await;
    lab.post(1, flash).await;
    lab.list().await;
    lab.pass(60);
    lab.list().await;
    let history = source(&lab, "history").await;
    let flash = one(&history, kinds::HISTORY, "Flash");
    assert_eq!((word(flash, "state"), word(flash, "from")), ("ended".into(), "polls".into()));
    assert_eq!(cell(flash, "lasted").as_number(), Some(60.0));
    let velero: Vec<&Row> = of_kind(&history, kinds::HISTORY);
    let velero: Vec<_> = velero.into_iter().filter(|row| &*row.name == "VeleroNoRecentBackup").collect();
    assert_eq!(velero.len(), 1, "what the polls saw is not told twice");
    let doc = text(&describe(lab.alertmanager(), &flash.id).await);
    assert!(doc.contains("episodes in a day: Int(1)"), "{doc}");
}

#[tokio::test]
async fn an_episode_that_only_prometheus_remembers_is_told_too() {
    let lab = lab("calm").await;
    let backend = Alerts {
        instance: "lab".into(),
        cluster: Some(Arc::new(Cluster::new(
            &lab.config.alertmanager.iter().collect::<Vec<_>>(),
            &lab.world.clock,
        ))),
        feed: None,
        shared: Arc::new(Shared {
            clusters: Vec::new(),
            feeds: vec![Arc::new(Feed::new(&lab.config.prometheus[0], &lab.world.clock))],
            lokis: Vec::new(),
            longest: kinds::LONGEST,
            scale: Scale::default(),
            watchdog: "Watchdog".into(),
            clock: lab.world.clock.clone(),
        }),
    };
    let past = watch::told::past(&backend).await.unwrap();
    assert!(past.own.is_empty() && past.notes.is_empty(), "{:?}", past.notes);
    let names: Vec<_> =
        past.episodes().iter().map(|(one, from)| (one.labels.get("alertname").to_owned(), *from)).collect();
    assert!(names.contains(&("HighMemoryUsage".into(), "prometheus")), "{names:?}");
    assert!(!names.iter().any(|(name, _)| name == "StatefulSetNotReady"), "pending is not firing");
}

#[tokio::test]
async fn the_curve_shows_what_is_measured_and_the_threshold() {
    let lab = lab("calm").await;
    let memory = lab.alert("HighMemoryUsage").await;
    let View::Chart(chart) = view(lab.alertmanager(), &memory.id, "chart").await else { panic!("no chart") };
    assert_eq!(chart.series.len(), 2);
    assert_eq!(chart.series[1].points[0].1, Some(80.0));
    assert!(chart.series[0].points.iter().filter(|(_, value)| value.is_some()).count() > 100);
}

#[tokio::test]
async fn every_check_of_trust_has_a_row() {
    let lab = lab("calm").await;
    let list = lab.list().await;
    let held: Vec<_> =
        of_kind(&list, kinds::TRUST).iter().map(|row| (row.name.to_string(), row.health)).collect();
    assert!(held.iter().all(|(_, health)| *health == Health::Ok), "{held:?}");
    assert_eq!(held.len(), 6, "watchdog, members, cluster and notify of two: {held:?}");
    let rules = lab.rules().await;
    assert_eq!(word(one(&rules, kinds::TRUST, "rules"), "says"), "1 of 14 rules are broken");
    assert_eq!(word(one(&rules, kinds::TRUST, "sends to"), "state"), "ok");
}

#[tokio::test]
async fn a_notification_that_fails_is_seen_within_a_minute() {
    let lab = lab("calm").await;
    lab.list().await;
    lab.world.set("notify", "failing");
    lab.pass(61);
    let notify = one(&lab.list().await, kinds::TRUST, "notify alertmanager-1").clone();
    assert_eq!((word(&notify, "state"), notify.health), ("blind".into(), Health::Warning));
    assert!(word(&notify, "says").contains("failed"), "{}", word(&notify, "says"));
}

#[tokio::test]
async fn a_member_whose_counters_cannot_be_read_is_not_said_to_be_well() {
    let lab = lab("calm").await;
    lab.world.inject(Fault::on("alertmanager-1", FaultKind::Status(403)).at("/metrics"));
    let notify = one(&lab.list().await, kinds::TRUST, "notify alertmanager-1").clone();
    assert_eq!((word(&notify, "state"), notify.health), ("blind".into(), Health::Unknown));
}

#[tokio::test]
async fn a_database_whose_lock_is_held_by_an_idle_session_is_red() {
    for (scenario, word_there, health) in
        [("calm", "ok", Health::Ok), ("boot-storm", "blocked", Health::Critical)]
    {
        let lab = lab(scenario).await;
        let backend = lab.prometheus();
        let source = backend.sources().into_iter().find(|source| &*source.id.feed == "databases").unwrap();
        let list = backend.poll(&source.id).await.unwrap();
        let row = one(&list, kinds::DATABASES, "oci-mgmt:9187");
        assert_eq!((word(row, "state").as_str(), row.health), (word_there, health), "{:?}", row.note);
        let doc = text(&describe(backend, &row.id).await);
        assert!(doc.contains("pg_terminate_backend"), "{doc}");
    }
}

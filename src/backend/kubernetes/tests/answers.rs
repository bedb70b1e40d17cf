//! What is asked as a whole: contexts, installed systems, what is used; and logs of several pods at once.

use super::*;

impl Bench {
    async fn asked(&self, feed: &str) -> Snapshot {
        self.backend.poll(&SourceId::new(ID, self.backend.instance().clone(), feed)).await.unwrap()
    }
}

fn health(snapshot: &Snapshot) -> Vec<(&str, Health)> {
    snapshot.rows.iter().map(|row| (&*row.name, row.health)).collect()
}

#[tokio::test]
async fn a_context_says_whether_it_answers_and_why_not() {
    let bench = bench("cloud", 0).await;
    let good = bench.asked("contexts").await;
    assert_eq!(health(&good), [("cloud", Health::Ok)]);
    assert_eq!(good.rows[0].cell(4).value.as_text(), Some("v1.32.0"));
    bench.world.set("kubernetes-cloud.token", "revoked");
    let refused = bench.asked("contexts").await;
    assert_eq!(refused.rows[0].cell(0).value.as_text(), Some("Refused"));
    assert!(refused.rows[0].note.as_deref().unwrap().contains("the credential is not accepted"));
}

#[tokio::test]
async fn installed_systems_have_one_row_each_with_their_worst_object() {
    let cloud = bench("cloud", 0).await;
    let found = cloud.asked("health").await;
    let names: Vec<&str> = found.rows.iter().map(|row| &*row.name).collect();
    assert_eq!(names, ["cert-manager", "external-secrets", "velero", "kubevirt", "cilium", "gateway"]);
    let row = |name: &str| found.rows.iter().find(|row| &*row.name == name).unwrap();
    assert_eq!(row("cert-manager").note.as_deref(), Some("Certificate network/wildcard-lab: ends in 11d"));
    assert_eq!(row("velero").health, Health::Critical);
    assert!(row("velero").note.as_deref().unwrap().starts_with("Schedule velero/daily: last backup 26h ago"));
    assert_eq!(row("cilium").health, Health::Ok);
    let View::Doc(doc) = cloud.opened(&row("velero").id, "describe").await else { panic!("no document") };
    let Body::Table { rows, .. } = &doc.sections[1].body else { panic!("no objects") };
    assert_eq!(rows[0][0].value.as_text(), Some("Overdue"));
    assert!(
        rows.iter().any(|cells| cells[1].value.as_text() == Some("Backup")),
        "the last backup of the schedule"
    );
    let prod = bench("prod", 0).await;
    let found = prod.asked("health").await;
    let bad: Vec<_> = health(&found).into_iter().filter(|(_, health)| *health != Health::Ok).collect();
    assert!(bad.is_empty(), "{bad:?}");
    assert!(found.rows.iter().any(|row| &*row.name == "longhorn"));
}

#[tokio::test]
async fn what_may_not_be_looked_at_is_blind_and_never_good() {
    let bench = bench("cloud", 0).await;
    bench.world.set("kubernetes-cloud.deny", "list externalsecrets");
    let found = bench.asked("health").await;
    let row = found.rows.iter().find(|row| &*row.name == "external-secrets").unwrap();
    assert_eq!((row.health, row.cell(0).value.as_text()), (Health::Unknown, Some("Blind")));
}

#[tokio::test]
async fn usage_is_there_where_somebody_measures_and_said_once_where_nobody_does() {
    let bench = bench("cloud", 0).await;
    let used = bench.asked("usage").await;
    let node = used.rows.iter().find(|row| &*row.name == "oci-node-1").unwrap();
    assert!(node.cell(6).value.as_number().unwrap() > 0.8, "{node:?}");
    assert!(used.rows.iter().any(|row| row.cell(0).value.as_text() == Some("pod")));
    let uses = async |kind: &str, key: &str| {
        let View::Doc(doc) = bench.opened(&EntityId::new(kind, "cloud", key), "describe").await else {
            panic!("no document")
        };
        let Body::Facts(facts) = &doc.sections[0].body else { panic!("no facts") };
        let fact = facts.iter().find(|fact| fact.label == "uses").unwrap();
        fact.value.as_text().unwrap().to_owned()
    };
    let node = uses(kinds::NODES, "oci-node-1").await;
    assert!(node.contains(" cores (") && node.contains("Gi of memory ("), "{node}");
    let pod = bench.backend.poll(&pods()).await.unwrap().rows[0].id.key.to_string();
    assert!(uses(kinds::PODS, &pod).await.contains(" cores, "));
    bench.world.set("kubernetes.metrics", "absent");
    assert_eq!(uses(kinds::PODS, &pod).await, "not measured");
    let absent = bench.asked("usage").await;
    assert!(absent.rows.is_empty() && absent.complete);
    assert!(absent.notes[0].contains("metrics-server does not answer"));
}

#[tokio::test]
async fn a_workload_has_one_log_of_all_its_pods() {
    let bench = bench("cloud", 0).await;
    let id = EntityId::new(more::DEPLOYMENTS, "cloud", "media/comet");
    let View::Log(lines) = bench.opened(&id, "log tail=3 stamps=off").await else { panic!("no log") };
    assert_eq!(lines.len(), 3);
    assert!(lines[0].source.is_some() && lines[0].at.is_none());
    let pod = bench.backend.poll(&pods()).await.unwrap().rows[0].id.clone();
    let View::Log(lines) = bench.opened(&pod, "log filter=level=error").await else { panic!("no log") };
    assert!(!lines.is_empty() && lines.iter().all(|line| line.text.contains("level=error")));
    let rows = bench.backend.poll(&pods()).await.unwrap().rows;
    let lidarr = rows.iter().find(|row| row.name.starts_with("lidarr")).unwrap();
    let View::Log(lines) = bench.opened(&lidarr.id, "previous since=21s").await else { panic!("no log") };
    assert_eq!(lines.len(), 4, "one line every seven seconds");
    let (sink, _views) = mpsc::channel(4);
    let error = bench.backend.open(&pod, "previous", sink).await.unwrap_err();
    assert!(error.to_string().contains("previous terminated container"), "{error}");
    let (sink, _views) = mpsc::channel(4);
    let error = bench.backend.open(&pod, "log containers=nothing", sink).await.unwrap_err();
    assert!(error.to_string().contains("has no such container"), "{error}");
}

#[tokio::test]
async fn pods_and_workloads_are_found_by_namespace_and_label() {
    let bench = bench("cloud", 0).await;
    let found = |rows: &[crate::model::row::Row], kind: &str, filter: &str| -> Vec<String> {
        let kind = kinds::kinds().into_iter().find(|known| known.id.as_str() == kind).unwrap();
        let (query, now) = (crate::model::query::Query::parse(filter), bench.world.clock.now());
        assert_eq!(query.unknown_keys(&kind).count(), 0);
        let fits = rows.iter().filter(|row| query.matches(row, &kind, now));
        fits.map(|row| row.id.key.to_string()).collect()
    };
    let rows = bench.backend.poll(&pods()).await.unwrap().rows;
    let filter = "namespace:media labels:app.kubernetes.io/name=comet";
    let comet = found(&rows, kinds::PODS, filter);
    assert!(comet.len() == 1 && comet[0].starts_with("media/comet-"), "{comet:?}");
    // A label that a controller wrote for itself is not among them.
    assert!(found(&rows, kinds::PODS, "labels:pod-template-hash").is_empty());
    let rows = bench.asked("deployments").await.rows;
    assert_eq!(found(&rows, more::DEPLOYMENTS, "labels:instance=comet"), ["media/comet"]);
}

#[tokio::test]
async fn a_pod_is_entered_with_one_argument_for_each_word() {
    let bench = bench("cloud", 0).await;
    let pod = bench.backend.poll(&pods()).await.unwrap().rows[0].id.clone();
    let argv = bench.backend.terminal(&pod).unwrap();
    assert_eq!(argv[0], "kubectl");
    assert!(argv.iter().any(|word| word.starts_with("--kubeconfig=")) && argv.contains(&"exec".to_owned()));
    assert!(bench.backend.terminal(&EntityId::new(kinds::NODES, "cloud", "oci-node-1")).is_none());
    let View::Doc(doc) =
        bench.opened(&EntityId::new(more::SERVICES, "cloud", "media/comet"), "forward").await
    else {
        panic!("no document")
    };
    let Body::Lines(lines) = &doc.sections[1].body else { panic!("no commands") };
    assert!(lines[0].text.ends_with("port-forward svc/comet 8080:80"), "{}", lines[0].text);
}

//! What only argocd-server tells, over its own API: tree, difference, history, actions, logs, clusters.

use crate::model::view::{Body, Doc, View};

use super::*;

impl Bench {
    /// The first content of a view.
    async fn opened(&self, name: &str, view: &str) -> View {
        let id = EntityId::new(kinds::APPLICATIONS, "argo", format!("argocd/{name}"));
        let (sink, mut views) = mpsc::channel(4);
        tokio::select! {
            view = views.recv() => view.unwrap(),
            end = self.argo.open(&id, view, sink) => panic!("the view ended: {end:?}"),
        }
    }

    async fn doc(&self, name: &str, view: &str) -> Doc {
        match self.opened(name, view).await {
            View::Doc(doc) => doc,
            other => panic!("{other:?}"),
        }
    }
}

/// All texts of a document.
fn text(doc: &Doc) -> String {
    let mut lines = Vec::new();
    for section in &doc.sections {
        lines.push(section.heading.to_string());
        match &section.body {
            Body::Facts(facts) => {
                lines.extend(facts.iter().map(|fact| format!("{} {}", fact.label, fact.value.to_json())));
            }
            Body::Lines(texts) => lines.extend(texts.iter().map(|line| line.text.clone())),
            Body::Series(_) => {}
            Body::Table { rows, .. } => {
                let row = |cells: &Vec<crate::model::row::Cell>| {
                    cells.iter().map(|cell| cell.value.to_json().to_string()).collect::<Vec<_>>().join(" ")
                };
                lines.extend(rows.iter().map(row));
            }
        }
    }
    lines.join("\n")
}

#[tokio::test]
async fn the_tree_hangs_pods_under_what_made_them() {
    let bench = bench().await;
    let View::Tree(tree) = bench.opened("nextcloud", "tree").await else { panic!("no tree") };
    let at = tree.nodes.iter().position(|node| node.label == "Deployment nextcloud").unwrap();
    let (workload, pod) = (&tree.nodes[at], &tree.nodes[at + 1]);
    assert!(workload.state.contains("OutOfSync"), "{workload:?}");
    assert!(pod.label.starts_with("Pod nextcloud-") && pod.depth == 1, "{pod:?}");
    assert!(pod.note.contains("Running") && pod.note.contains("1/1 ready"), "{}", pod.note);
    assert_eq!(pod.id.as_ref().unwrap().kind.as_str(), "kubernetes.pods");
}

#[tokio::test]
async fn the_difference_is_unified_and_what_is_the_same_is_left_out() {
    let bench = bench().await;
    let shown = text(&bench.doc("nextcloud", "diff").await);
    assert!(shown.contains("2 of 3 objects differ from Git"), "{shown}");
    assert!(shown.contains("-       - image: registry.lab.example/nextcloud:1.0"), "{shown}");
    assert!(shown.contains("+       - image: registry.lab.example/nextcloud:1.1"), "{shown}");
    assert!(!shown.contains("Service"), "{shown}");
    assert!(text(&bench.doc("comet", "diff").await).contains("none of 3 objects differs"));
}

#[tokio::test]
async fn the_history_says_who_and_why() {
    let bench = bench().await;
    let shown = text(&bench.doc("comet", "history").await);
    assert!(shown.contains("8f2c1a4") && shown.contains("apps: newer images"), "{shown}");
    assert!(shown.contains("renovate") && !shown.contains("weekly round"), "only the first line: {shown}");
}

#[tokio::test]
async fn one_screen_keeps_the_levels_of_proof_apart() {
    let bench = bench().await;
    let shown = text(&bench.doc("lidarr", "describe").await);
    for line in ["STATIC \"renders: ", "RECONCILED \"holds: ", "RUNTIME \"broken: ", "USER \"not seen: "] {
        assert!(shown.contains(line), "{line} is not in\n{shown}");
    }
    assert!(shown.contains("CrashLoopBackOff") && shown.contains("last lines of lidarr-"), "{shown}");
    assert!(shown.contains("BackOff"), "the warning events: {shown}");
}

#[tokio::test]
async fn logs_come_through_argo_cd_with_the_pod_that_wrote_them() {
    let bench = bench().await;
    let View::Log(lines) = bench.opened("comet", "log tail=2").await else { panic!("no log") };
    assert!(lines[0].source.as_deref().unwrap().starts_with("comet-"), "{lines:?}");
    assert!(lines[0].at.is_some() && lines[0].text.contains("request"));
}

#[tokio::test]
async fn clusters_and_repositories_tell_their_connection() {
    let bench = bench().await;
    let poll = async |feed: &str| bench.argo.poll(&SourceId::new(ID, "argo", feed)).await.unwrap();
    let names = |snapshot: &Snapshot| -> Vec<(String, Health)> {
        snapshot.rows.iter().map(|row| (row.name.to_string(), row.health)).collect()
    };
    let all_good = [("in-cluster".to_owned(), Health::Ok), ("prod".to_owned(), Health::Ok)];
    assert_eq!(names(&poll("clusters").await), all_good);
    bench.world.set("home", "off");
    assert_eq!(names(&poll("clusters").await)[1], ("prod".to_owned(), Health::Critical));
    bench.world.set("argocd.repository", "lost");
    let repositories = poll("repositories").await;
    assert!(repositories.rows[0].note.as_deref().unwrap().contains("no such host"));
}

#[tokio::test]
async fn an_action_is_offered_run_once_and_seen_in_its_object() {
    let bench = bench().await;
    let op = kinds::operations().into_iter().find(|op| op.name == kinds::ACTION).unwrap();
    let job = bench.job(kinds::ACTION, "comet", &[("action", "Deployment/comet restart")]).await;
    let form = bench.argo.form(&op, std::slice::from_ref(&job.target)).await.unwrap();
    assert!(form[0].check("Deployment/comet restart").is_ok(), "{form:?}");
    assert!(form[0].check("Deployment/comet resume").is_err(), "a disabled action is not offered");
    assert_eq!(bench.argo.preflight(&job).await.unwrap().decision, Decision::Warn);
    let since = bench.world.clock.now();
    bench.operate(&job).await.0.unwrap();
    assert!(matches!(bench.argo.verify(&job, None, since).await.unwrap(), Proof::Seen(_)));
    assert_eq!(bench.lab.writes(), 1);
}

#[tokio::test]
async fn an_action_that_does_not_exist_is_refused_and_a_lost_answer_is_read_back() {
    let bench = bench().await;
    let wrong = bench.job(kinds::ACTION, "comet", &[("action", "Deployment/comet explode")]).await;
    assert_eq!(bench.argo.preflight(&wrong).await.unwrap().decision, Decision::Refuse);
    assert!(matches!(bench.operate(&wrong).await.0, Err(SendError::Refused(_))));
    let nobody = bench.job(kinds::ACTION, "comet", &[("action", "Deployment/nobody restart")]).await;
    assert!(matches!(bench.operate(&nobody).await.0, Err(SendError::NotSent(_))));
    assert_eq!(bench.lab.writes(), 0);
    for (fault, replicas) in [("lost-answer", "replicas=2"), ("swallowed", "replicas=3")] {
        let args = [("action", "Deployment/comet scale"), ("parameters", replicas)];
        let job = bench.job(kinds::ACTION, "comet", &args).await;
        let (since, writes) = (bench.world.clock.now(), bench.lab.writes());
        bench.inject(&format!("argocd:{fault}@POST /*1"));
        let outcome = bench.operate(&job).await.0;
        assert!(matches!(outcome, Err(SendError::Unknown(_))), "{fault}: {outcome:?}");
        assert_eq!(bench.lab.writes() - writes, 1, "{fault}: sent once");
        assert!(matches!(bench.argo.verify(&job, None, since).await.unwrap(), Proof::Seen(_)), "{fault}");
    }
}

//! Kinds that only the cluster knows: found by their definitions, listed with their authors' columns, described.

use crate::model::kind::Kinds;

use super::*;

async fn learnt(bench: &Bench) -> (Kinds, Vec<SourceSpec>) {
    let (kinds, sources): (Vec<_>, Vec<_>) = bench.backend.learn().await.unwrap().into_iter().unzip();
    (Kinds::new(kinds), sources)
}

#[tokio::test]
async fn custom_resources_answer_to_their_plural_and_to_short_names_that_are_free() {
    let bench = bench("cloud", 0).await;
    let (kinds, sources) = learnt(&bench).await;
    let named = |word: &str| kinds.named(word).first().map(|kind| kind.id.to_string());
    assert_eq!(named("certificates").as_deref(), Some("kubernetes.certificates"));
    assert_eq!(named("cert").as_deref(), Some("kubernetes.certificates"));
    assert_eq!(named("certificates.cert-manager.io").as_deref(), Some("kubernetes.certificates"));
    // `vm` means a guest already, and applications have a system of their own.
    assert_eq!((named("vm"), named("applications")), (None, None));
    assert!(named("httproutes").is_none(), "routes are listed anyway");
    assert!(sources.iter().all(SourceSpec::is_on_demand), "nobody asks for them unseen");
}

#[tokio::test]
async fn a_plural_that_is_taken_is_written_in_full() {
    let bench = bench("prod", 0).await;
    let (kinds, _) = learnt(&bench).await;
    let named = |word: &str| kinds.named(word).first().map(|kind| kind.id.to_string());
    assert_eq!(
        named("clusters.postgresql.cnpg.io").as_deref(),
        Some("kubernetes.clusters.postgresql.cnpg.io")
    );
    assert_eq!(named("volumes.longhorn.io").as_deref(), Some("kubernetes.volumes.longhorn.io"));
    assert_eq!(named("clusters"), None);
}

#[tokio::test]
async fn rows_have_the_columns_that_the_definition_prints() {
    let bench = bench("cloud", 0).await;
    let (kinds, sources) = learnt(&bench).await;
    let source = sources.iter().find(|source| source.id.feed.starts_with("certificates.")).unwrap();
    // A process that has not learnt anything yet finds it by the name of the source.
    let fresh = Kubernetes::new(bench.backend.cluster.clone(), bench.backend.clock.clone());
    let snapshot = fresh.poll(&source.id).await.unwrap();
    let kind = kinds.get(&source.kinds[0]).unwrap();
    let titles: Vec<&str> = kind.columns.iter().map(|column| &*column.name).collect();
    assert_eq!(titles, ["state", "name", "namespace", "secret", "expires", "why", "age"]);
    let row = snapshot.rows.iter().find(|row| &*row.name == "wildcard-lab").unwrap();
    assert_eq!(row.cells.len(), kind.columns.len());
    assert_eq!((row.health, row.cell(3).value.as_text()), (Health::Warning, Some("wildcard-lab-tls")));
    assert!(matches!(row.cell(4).value, crate::model::row::Value::Time(_)));
    let View::Doc(doc) = bench.opened(&row.id, "describe").await else { panic!("no document") };
    assert!(doc.sections.iter().any(|section| section.heading == "conditions"));
    let View::Doc(yaml) = bench.opened(&row.id, "yaml").await else { panic!("no document") };
    let Body::Lines(lines) = &yaml.sections[0].body else { panic!("no lines") };
    assert!(lines.iter().any(|line| line.text.contains("secretName: wildcard-lab-tls")));
}

#[tokio::test]
async fn a_cluster_that_does_not_tell_its_definitions_has_none_to_show() {
    let bench = bench("cloud", 0).await;
    bench.world.set("kubernetes-cloud.deny", "list customresourcedefinitions");
    let error = bench.backend.learn().await.unwrap_err();
    assert_eq!(error.fault.missing.as_deref(), Some("list customresourcedefinitions.apiextensions.k8s.io"));
}

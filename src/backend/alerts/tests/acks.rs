//! Acknowledging an alert, giving it back, and the renewal in between.

use super::super::super::Upkeep;
use super::*;

async fn acked(lab: &Lab) -> (Row, Job) {
    let row = lab.alert("HighMemoryUsage").await;
    let mut job = job(kinds::ACK, &row, &[("comment", "on it"), ("duration", "15m")]);
    let (decision, proof) = lab.run(&mut job).await;
    assert_eq!(decision, Decision::Allow);
    assert!(matches!(proof, Some(Ok(Proof::Seen(_)))), "{proof:?}");
    (lab.alert("HighMemoryUsage").await, job)
}

#[tokio::test]
async fn an_acknowledgement_is_a_short_silence_that_karma_would_know() {
    let lab = lab("calm").await;
    let (row, _) = acked(&lab).await;
    assert_eq!((word(&row, "state"), word(&row, "quiet")), ("acked".into(), "alice, 15m left: on it".into()));
    let list = lab.list().await;
    let silences = list.rows.iter().filter(|row| row.id.kind.as_str() == kinds::SILENCES);
    let mine: Vec<String> =
        silences.map(|row| word(row, "comment")).filter(|c| c.starts_with("ACK! ")).collect();
    assert_eq!(mine.len(), 1);
    assert!(mine[0].starts_with("ACK! on it [by=alice until=resolved ref="), "{}", mine[0]);
}

#[tokio::test]
async fn its_confirmation_states_the_renewal() {
    let lab = lab("calm").await;
    let job = job(kinds::ACK, &lab.alert("HighMemoryUsage").await, &[("duration", "15m")]);
    let verdict = lab.alertmanager().preflight(&job).await.unwrap();
    let says = &verdict.evidence.iter().find(|fact| fact.what == "renewal").unwrap().says;
    for part in
        ["same id and matchers", "while the alert fires", "8h", "journalled", "stops with this console"]
    {
        assert!(says.contains(part), "{part} in {says}");
    }
}

#[tokio::test]
async fn it_is_renewed_under_its_id_and_runs_out_once_the_alert_is_gone() {
    let lab = lab("calm").await;
    let (_, job) = acked(&lab).await;
    let since = lab.world.clock.now();
    let backend = lab.alertmanager();
    assert!(matches!(backend.upkeep(&job, since).await, Ok(Upkeep::Wait(_))));
    lab.pass(500);
    let Ok(Upkeep::Due(mut renewal)) = backend.upkeep(&job, since).await else { panic!("not renewed") };
    let (_, proof) = lab.run(&mut renewal).await;
    assert!(matches!(proof, Some(Ok(Proof::Seen(_)))), "{proof:?}");
    let row = lab.alert("HighMemoryUsage").await;
    assert_eq!(word(&row, "quiet"), "alice, 15m left: on it");
    assert_eq!(renewal.reason.as_deref(), Some("renews the acknowledgement of run run"));
    assert!(matches!(backend.upkeep(&job, since).await, Ok(Upkeep::Wait(_))));
    lab.pass(8 * 3600);
    assert!(matches!(backend.upkeep(&job, since).await, Ok(Upkeep::Over(why)) if why.contains("8h")));
}

#[tokio::test]
async fn giving_it_back_ends_exactly_the_one_that_was_meant() {
    let lab = lab("calm").await;
    let (row, job_acked) = acked(&lab).await;
    let mut back = job(kinds::UNACK, &row, &[]);
    let (decision, proof) = lab.run(&mut back).await;
    assert_eq!(decision, Decision::Warn, "it is told again");
    assert!(matches!(proof, Some(Ok(Proof::Seen(_)))), "{proof:?}");
    let row = lab.alert("HighMemoryUsage").await;
    assert_eq!(
        (word(&row, "state"), word(&row, "quiet")),
        ("firing".into(), "silence of alice ended <1m ago".into())
    );
    let over = lab.alertmanager().upkeep(&job_acked, lab.world.clock.now()).await;
    assert!(matches!(over, Ok(Upkeep::Over(why)) if why.contains("somebody")));
    let mut nothing = job(kinds::UNACK, &row, &[]);
    assert_eq!(lab.run(&mut nothing).await.0, Decision::Refuse);
}

#[tokio::test]
async fn a_second_acknowledgement_is_warned_of_and_neither_is_ended_by_chance() {
    let lab = lab("calm").await;
    let (row, _) = acked(&lab).await;
    let mut again = Job { operator: "bob".into(), ..job(kinds::ACK, &row, &[("duration", "10m")]) };
    assert_eq!(lab.run(&mut again).await.0, Decision::Warn);
    let back = job(kinds::UNACK, &lab.alert("HighMemoryUsage").await, &[]);
    let verdict = lab.alertmanager().preflight(&back).await.unwrap();
    assert_eq!(verdict.decision, Decision::Refuse);
    assert!(verdict.evidence[0].says.contains("several"), "{verdict:?}");
}

use crate::model::op::{Args, RunId};

use super::*;

fn checks(toml: &str) -> Checks {
    let list = Checklist::parse("mine", toml).unwrap();
    let clock = Clock::manual("2026-11-22T12:00:00Z".parse().unwrap());
    Checks::new(vec![list], clock, Arc::new(Vec::new))
}

const TOML: &str = "title = 'Mine?'\n[[step]]\ntitle = 'asked'\nask = 'probe.probes'\npass = 'state:ok'\nnext = 'there'\n\
    [[step]]\ntitle = 'looked at'\nmanual = true\n";

#[tokio::test]
async fn what_is_not_configured_is_unknown_and_a_hand_step_says_so() {
    let checks = checks(TOML);
    let list = checks.named("mine").unwrap().clone();
    let outcomes = checks.ask(&list, |_| {}).await;
    assert_eq!(outcomes[0], Outcome::new(Mark::Unknown, "no probe is configured"));
    assert_eq!(outcomes[1].mark, Mark::Open);
    let text = format!("{:?}", checks.doc(&list, &outcomes, true));
    assert!(text.contains("next: there"), "{text}");
    let target = checks.resolve(&CHECKLISTS.into(), "mine").await.unwrap().remove(0);
    let job = |step: &str| Job {
        run: RunId("run-1".into()),
        op: TICK.into(),
        target: target.clone(),
        args: Args::from([("step".to_owned(), step.to_owned())]),
        reason: None,
        operator: "ada".into(),
    };
    // A step that is asked cannot be ticked away.
    let (sink, _progress) = tokio::sync::mpsc::channel(1);
    assert!(matches!(checks.operate(&job("asked"), sink).await, Err(SendError::NotSent(_))));
    let (sink, _progress) = tokio::sync::mpsc::channel(1);
    checks.operate(&job("looked at"), sink).await.unwrap();
    assert!(matches!(
        checks.verify(&job("looked at"), None, Timestamp::UNIX_EPOCH).await,
        Ok(Proof::Seen(_))
    ));
    let outcomes = checks.ask(&list, |_| {}).await;
    assert_eq!(outcomes[1].mark, Mark::Ticked);
    assert!(
        outcomes[1].evidence[0].contains("ada") && outcomes[1].evidence[0].contains("nothing has proven it")
    );
}

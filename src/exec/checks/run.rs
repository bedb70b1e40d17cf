//! Asking a checklist, step by step.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::{StreamExt, stream};

use crate::config::checklist::{Checklist, Step};
use crate::exec::call::blocking;
use crate::exec::read;
use crate::insight::checklist::{Answer, Mark, Outcome, judge};

use super::Checks;

/// How long one source may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Sources that are asked at once.
const IN_FLIGHT: usize = 4;

impl Checks {
    /// Asks every step in order; `told` hears what is known after each.
    pub async fn ask(&self, list: &Checklist, mut told: impl FnMut(&[Outcome])) -> Vec<Outcome> {
        self.recall().await;
        let mut answers: HashMap<String, Result<Answer, String>> = HashMap::new();
        let mut outcomes: Vec<Outcome> = Vec::new();
        for (at, step) in list.steps.iter().enumerate() {
            let stopped = list.stop && outcomes.iter().any(|outcome| outcome.mark == Mark::Fail);
            let outcome = if stopped {
                Outcome::new(Mark::Skipped, "a step before it fails")
            } else if step.manual {
                self.by_hand(list, at)
            } else {
                if !answers.contains_key(&step.ask) {
                    answers.insert(step.ask.clone(), self.answer(&step.ask).await);
                }
                self.judged(step, answers.get(&step.ask))
            };
            outcomes.push(outcome);
            told(&outcomes);
        }
        self.last().insert(list.name.clone(), (self.clock.now(), outcomes.clone()));
        outcomes
    }

    fn judged(&self, step: &Step, answer: Option<&Result<Answer, String>>) -> Outcome {
        match (self.kinds.get(&step.ask.as_str().into()), answer) {
            (Some(kind), Some(Ok(answer))) => judge(step, kind, answer, self.clock.now()),
            (None, _) => Outcome::new(Mark::Unknown, format!("there is no kind `{}`", step.ask)),
            (_, Some(Err(why))) => Outcome::new(Mark::Unknown, why.clone()),
            (_, None) => Outcome::new(Mark::Unknown, "it was not asked"),
        }
    }

    /// What every source of a kind says now.
    async fn answer(&self, kind: &str) -> Result<Answer, String> {
        let made = self.made.get_or_try_init(|| async {
            let makes = self.makes.clone();
            blocking(move || Ok(makes())).await
        });
        let backends = made.await.map_err(|error: std::io::Error| error.to_string())?;
        let of = |backend: &std::sync::Arc<dyn crate::backend::Backend>| {
            let backend = backend.clone();
            backend.sources().into_iter().map(move |source| (backend.clone(), source))
        };
        let sources: Vec<_> = backends
            .iter()
            .flat_map(of)
            .filter(|(_, source)| source.kinds.iter().any(|carried| carried.as_str() == kind))
            .collect();
        if sources.is_empty() {
            let backend = kind.split('.').next().unwrap_or_default();
            return Err(format!("no {backend} is configured"));
        }
        let sources = &sources;
        let asked = stream::iter(0..sources.len()).map(|at| async move {
            let (backend, source) = &sources[at];
            read::once(&**backend, source, PATIENCE).await
        });
        let mut answer = Answer { rows: Vec::new(), complete: true, faults: Vec::new() };
        for body in asked.buffered(IN_FLIGHT).collect::<Vec<_>>().await {
            match body {
                Ok(list) => {
                    answer.complete &= list.complete;
                    answer.rows.extend(list.rows);
                }
                Err(fault) => {
                    answer.complete = false;
                    answer.faults.push(fault);
                }
            }
        }
        Ok(answer)
    }
}

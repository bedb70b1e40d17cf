//! Asking every source that carries a kind, and taking its answers in as they come.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;

use crate::backend::Backend;
use crate::config::suggest;
use crate::exec::read;
use crate::model::id::KindId;
use crate::model::kind::{KindSpec, Kinds};
use crate::model::snapshot::{Delta, Epoch, SourceSpec, Update};

use super::io::Failure;

/// How long one source may take, all its pages together.
const PATIENCE: Duration = Duration::from_secs(60);

/// The kind that a word means; more or less than one is a mistake that names the candidates.
pub fn kind<'k>(kinds: &'k Kinds, word: &str) -> Result<&'k Arc<KindSpec>, Failure> {
    match kinds.named(word).as_slice() {
        [one] => Ok(one),
        [] => {
            let full: Vec<&str> = kinds.iter().map(|kind| kind.id.as_str()).collect();
            let short = kinds.iter().map(|kind| kind.id.name());
            let near = suggest::closest(word, full.iter().copied().chain(short)).map_or_else(
                || format!("there are {}", full.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            Err(Failure::Usage(format!("there is no kind `{word}`; {near}")))
        }
        many => {
            let names: Vec<&str> = many.iter().map(|kind| kind.id.as_str()).collect();
            Err(Failure::Usage(format!("`{word}` may be {}", names.join(" or "))))
        }
    }
}

/// The sources that carry a kind, each with the instance that it belongs to.
pub fn sources(backends: &[Arc<dyn Backend>], kind: &KindId) -> Vec<(Arc<dyn Backend>, SourceSpec)> {
    let of = |backend: &Arc<dyn Backend>| {
        let backend = backend.clone();
        backend.sources().into_iter().map(move |source| (backend.clone(), source))
    };
    backends.iter().flat_map(of).filter(|(_, source)| source.kinds.contains(kind)).collect()
}

/// Asks sources at the same time; `take` gets each answer as soon as it is there.
pub async fn ask(
    sources: Vec<(Arc<dyn Backend>, SourceSpec)>,
    mut take: impl FnMut(Update) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let one = |(backend, source): (Arc<dyn Backend>, SourceSpec)| async move {
        let body = read::once(&*backend, &source, PATIENCE).await.map(Delta::Reset);
        Update { source: source.id, epoch: Epoch(1), body }
    };
    let mut pending: FuturesUnordered<_> = sources.into_iter().map(one).collect();
    while let Some(update) = pending.next().await {
        take(update)?;
    }
    Ok(())
}

/// Asks sources at the same time; `take` gets each piece of a list as soon as it is there, and nobody keeps it.
pub async fn stream(
    sources: Vec<(Arc<dyn Backend>, SourceSpec)>,
    mut take: impl FnMut(Update) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (out, mut pieces) = mpsc::channel(1);
    let one = |(backend, source): (Arc<dyn Backend>, SourceSpec)| {
        let out = out.clone();
        async move { read::pieces(&*backend, &source, PATIENCE, &out).await }
    };
    let mut pending: FuturesUnordered<_> = sources.into_iter().map(one).collect();
    loop {
        tokio::select! {
            biased;
            Some(piece) = pieces.recv() => take(piece)?,
            ended = pending.next() => if ended.is_none() { break },
        }
    }
    while let Ok(piece) = pieces.try_recv() {
        take(piece)?;
    }
    Ok(())
}

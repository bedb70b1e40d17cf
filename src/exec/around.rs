//! What other systems say of an operation: asked anew before it is sent, as what they said on a screen may be old.
//!
//! An operator reads for minutes, and a service may have moved meanwhile; its own server's check cannot know.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use crate::backend::Backend;
use crate::insight::{guard, minded};
use crate::model::id::{EntityId, KindId};
use crate::model::op::{OpSpec, Target, Verdict};
use crate::model::snapshot::{Delta, Epoch, SourceSpec, Update};
use crate::model::store::Store;

use super::read;

/// The kinds that have a say in an operation on a thing, and the thing's own where it is judged by what it carries.
pub fn kinds(op: &OpSpec, target: &EntityId) -> Vec<KindId> {
    minded::kinds(op).into_iter().chain(guard::kinds(&op.name, target)).collect()
}

/// What those kinds are now, on these instances; a source that does not answer stands as one that does not.
pub async fn look(backends: &[Arc<dyn Backend>], kinds: &[KindId], patience: Duration) -> Store {
    let carrying = |backend: &Arc<dyn Backend>| {
        let backend = backend.clone();
        backend.sources().into_iter().map(move |source| (backend.clone(), source))
    };
    let wanted = |(_, source): &(_, SourceSpec)| source.kinds.iter().any(|kind| kinds.contains(kind));
    let sources: Vec<_> = backends.iter().flat_map(carrying).filter(wanted).collect();
    let mut store = Store::new(sources.iter().map(|(_, source)| source.clone()));
    let answers = sources.iter().map(async |(backend, source)| {
        let body = read::once(&**backend, source, patience).await.map(Delta::Reset);
        Update { source: source.id.clone(), epoch: Epoch(1), body }
    });
    for update in join_all(answers).await {
        store.apply(update);
    }
    store
}

/// A server's own verdict on a target, and what the others have to say to it now.
pub async fn heard(
    backends: &[Arc<dyn Backend>],
    op: &OpSpec,
    target: &Target,
    verdict: Verdict,
    patience: Duration,
) -> Verdict {
    let kinds = kinds(op, &target.id);
    if kinds.is_empty() {
        return verdict;
    }
    let store = look(backends, &kinds, patience).await;
    guard::elsewhere(op, target, verdict, &store)
}

//! Opened views: streamed until they are shut, and not asked for at all where they are shut at once.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::app::msg::{Msg, ViewId};
use crate::model::id::EntityId;
use crate::model::snapshot::Fault;
use crate::model::view::View;

use super::call::guarded;
use super::executor::Inner;

/// How many pieces of a view wait before its stream is held back.
const PIECES: usize = 8;

impl Inner {
    /// Notes a view as open; an earlier stream into it ends.
    pub fn opened(&self, view: ViewId) -> CancellationToken {
        let token = CancellationToken::new();
        if let Some(earlier) = self.views().insert(view, token.clone()) {
            earlier.cancel();
        }
        token
    }

    /// Ends the stream of a view.
    pub fn shut(&self, view: ViewId) {
        if let Some(token) = self.views().remove(&view) {
            token.cancel();
        }
    }

    /// Streams a view until it ends by itself; whoever runs this drops it when the view is shut.
    pub async fn stream(&self, view: ViewId, id: EntityId, name: String, after: Duration) {
        // A cursor that moves on within this time costs no request.
        tokio::time::sleep(after).await;
        if let Err(fault) = self.stream_or_fault(view, &id, &name).await {
            self.show(view, Err(fault)).await;
        }
    }

    async fn stream_or_fault(&self, view: ViewId, id: &EntityId, name: &str) -> Result<(), Fault> {
        let backend = self.home_of(id)?;
        let (sink, mut pieces) = mpsc::channel(PIECES);
        let mut stream = std::pin::pin!(guarded(backend.open(id, name, sink)));
        let end = loop {
            tokio::select! {
                biased;
                Some(piece) = pieces.recv() => self.show(view, Ok(piece)).await,
                end = &mut stream => break end,
            }
        };
        while let Ok(piece) = pieces.try_recv() {
            self.show(view, Ok(piece)).await;
        }
        Ok(end??)
    }

    async fn show(&self, view: ViewId, body: Result<View, Fault>) {
        self.outbox.send(Msg::View { view, body }).await;
    }
}

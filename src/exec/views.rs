//! Opened views: streamed until they are shut, and not asked for at all where they are shut at once.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::app::msg::{Msg, ViewId};
use crate::model::id::EntityId;
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};
use crate::model::view::View;

use super::call::{blocking, guarded};
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

    /// Tells the command that opens a terminal on a row.
    pub async fn terminal(&self, id: &EntityId) {
        let argv = self.home_of(id).and_then(|backend| {
            let none = || Fault::new(Layer::App, format!("there is no terminal on {}", id.kind));
            backend.terminal(id).ok_or_else(none)
        });
        self.outbox.send(Msg::Terminal(argv)).await;
    }

    /// Tells the address of a row in a browser.
    pub async fn link(&self, id: &EntityId) {
        let link = self.home_of(id).and_then(|backend| {
            let none = || Fault::new(Layer::App, format!("{} have no page of their own", id.kind.name()));
            backend.link(id).ok_or_else(none)
        });
        self.outbox.send(Msg::Link(link)).await;
    }

    /// Writes text into a new file; one that exists is never touched.
    pub async fn save(&self, path: String, text: String, what: &str) {
        let place = path.clone();
        let (tone, text) = match blocking(move || write_new(&place, &text)).await {
            Ok(bytes) => (Tone::Info, format!("saved {what} in {path}: {bytes} bytes")),
            Err(error) => (Tone::Warn, format!("{what} was not saved in {path}: {error}")),
        };
        self.outbox.send(Msg::Notice { tone, text }).await;
    }

    async fn show(&self, view: ViewId, body: Result<View, Fault>) {
        self.outbox.send(Msg::View { view, body }).await;
    }
}

fn write_new(path: &str, text: &str) -> std::io::Result<usize> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    Ok(text.len())
}

//! Bodies as they arrive: piece by piece, or in whole lines; and what a broken transport means.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use hyper::body::Body as _;
use kube::client::Body;

use crate::backend::error::ApiError;
use crate::backend::http::classify::{self, chain};
use crate::model::snapshot::Layer;

use super::access;

/// The longest line of a stream, in bytes; objects are at most 1.5 MiB in etcd.
const LINE: usize = 8 << 20;

/// The next piece of a body; `None` at its end.
pub async fn chunk(body: &mut Body) -> Result<Option<hyper::body::Bytes>, ApiError> {
    loop {
        match poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
            None => return Ok(None),
            Some(Err(error)) => return Err(transport(&error).0),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

/// Reads a transport error; the flag says that no connection came about, so that nothing was sent.
pub fn transport(error: &kube::Error) -> (ApiError, bool) {
    if chain(error).any(|cause| cause.downcast_ref::<kube::client::AuthError>().is_some()) {
        return (access::credential(error), true);
    }
    // hyper-util's client error tells its stage only in its text.
    let unconnected = chain(error).any(|cause| cause.to_string() == "client error (Connect)");
    let innermost = classify::innermost(error);
    if let Some(tls) = chain(error).find_map(classify::tls_error) {
        let error = ApiError::new(Layer::Tls, "the certificate or handshake was not accepted")
            .raw(tls)
            .hint("check `certificate-authority-data` of the kubeconfig");
        return (error, unconnected);
    }
    if chain(error).any(|cause| cause.to_string().contains("dns error")) {
        return (ApiError::new(Layer::Dns, "the name does not resolve").raw(innermost), unconnected);
    }
    let (layer, what) =
        if unconnected { (Layer::Tcp, "no connection") } else { (Layer::Http, "the answer broke off") };
    (ApiError::new(layer, what).raw(innermost), unconnected)
}

/// An answer that keeps coming, in whole lines.
pub struct Lines {
    body: Body,
    buffer: Vec<u8>,
    done: usize,
    quiet: Duration,
}

impl Lines {
    /// Reads a body; `quiet` is how long it may stay silent.
    pub fn new(body: Body, quiet: Duration) -> Self {
        Self { body, buffer: Vec::new(), done: 0, quiet }
    }

    /// Waits for more and hands over all lines that are complete by then; `None` where the stream has ended.
    ///
    /// An end in the middle of a line drops that line: it is sent again by a watch that resumes.
    pub async fn next(&mut self) -> Result<Option<Vec<Vec<u8>>>, ApiError> {
        loop {
            let next = tokio::time::timeout(self.quiet, chunk(&mut self.body)).await;
            let Some(data) = next.map_err(|_| classify::slow(self.quiet))?? else { return Ok(None) };
            self.buffer.extend_from_slice(&data);
            let lines = self.complete();
            if !lines.is_empty() {
                return Ok(Some(lines));
            }
            if self.buffer.len() > LINE {
                let what = format!("a line longer than {} MiB", LINE >> 20);
                return Err(ApiError::new(Layer::App, what));
            }
        }
    }

    /// Takes the complete lines out of the buffer; bytes already searched are not searched again.
    fn complete(&mut self) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        let mut start = 0;
        while let Some(end) = self.buffer[self.done..].iter().position(|byte| *byte == b'\n') {
            let end = self.done + end;
            if end > start {
                lines.push(self.buffer[start..end].to_vec());
            }
            start = end + 1;
            self.done = start;
        }
        self.buffer.drain(..start);
        self.done = self.buffer.len();
        lines
    }
}

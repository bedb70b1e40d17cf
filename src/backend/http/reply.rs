//! An answer: read whole and bounded, or line by line.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;
use serde::Deserialize;

use crate::backend::error::ApiError;
use crate::backend::tls;
use crate::model::snapshot::Layer;

use super::classify;

/// A whole answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status; Proxmox uses 595–599, which no register knows.
    pub status: u16,
    /// The reason phrase, where old Proxmox servers put their only message.
    pub reason: String,
    /// The URL that answered, without its query.
    pub url: String,
    /// When the server's certificate ends.
    pub certificate_ends: Option<Timestamp>,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    /// An answer that another client has read; `certificate_ends` and `reason` stay unknown.
    pub fn assembled(status: u16, url: String, headers: HeaderMap, body: Vec<u8>) -> Self {
        Self { status, reason: String::new(), url, certificate_ends: None, headers, body }
    }

    /// Reads a response to its end, at most `limit` bytes, within `allowed` for each part.
    pub(super) async fn collect(
        mut response: reqwest::Response,
        limit: usize,
        allowed: Duration,
    ) -> Result<Self, ApiError> {
        let mut reply = Self::head(&response);
        let announced = response.content_length().and_then(|bytes| usize::try_from(bytes).ok());
        reply.body.reserve_exact(announced.unwrap_or_default().min(limit));
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if reply.body.len() + chunk.len() > limit => {
                    let what = format!("the answer is larger than {} MiB", limit >> 20);
                    return Err(ApiError::new(Layer::App, what).status(reply.status));
                }
                Ok(Some(chunk)) => reply.body.extend_from_slice(&chunk),
                Ok(None) => return Ok(reply),
                Err(error) => return Err(classify::transport(&error, allowed).status(reply.status)),
            }
        }
    }

    fn head(response: &reqwest::Response) -> Self {
        let extensions = response.extensions();
        let reason = extensions.get::<hyper::ext::ReasonPhrase>();
        let certificate = extensions.get::<reqwest::tls::TlsInfo>().and_then(|info| info.peer_certificate());
        let mut url = response.url().clone();
        url.set_query(None);
        Self {
            status: response.status().as_u16(),
            reason: reason
                .map(|r| String::from_utf8_lossy(r.as_bytes()).trim().to_owned())
                .unwrap_or_default(),
            url: url.into(),
            certificate_ends: certificate.and_then(tls::not_after),
            headers: response.headers().clone(),
            body: Vec::new(),
        }
    }

    /// True for 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The media type, without parameters, lower case.
    pub fn media_type(&self) -> String {
        let value = self.header("content-type").unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// True for a web page.
    pub fn is_html(&self) -> bool {
        self.media_type() == "text/html"
    }

    /// The server's clock, from its `Date` header.
    pub fn date(&self) -> Option<Timestamp> {
        jiff::fmt::rfc2822::parse(self.header("date")?).ok().map(|zoned| zoned.timestamp())
    }

    /// The body's bytes.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body as text, wrong bytes replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON, whose texts may be borrowed from it; the error says what came instead.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, ApiError> {
        self.read(serde_json::from_slice)
    }

    /// The body as somebody else reads it; the error says what came instead.
    pub fn read<'a, T>(
        &'a self,
        read: impl FnOnce(&'a [u8]) -> Result<T, serde_json::Error>,
    ) -> Result<T, ApiError> {
        read(&self.body).map_err(|error| self.other(&error))
    }

    fn other(&self, error: &serde_json::Error) -> ApiError {
        let what = if error.is_eof() {
            "the answer breaks off in the middle"
        } else {
            "the answer is not what was expected"
        };
        ApiError::new(Layer::App, format!("{what}: {error}")).status(self.status).raw(self.text())
    }

    /// The plain error of an unexpected status.
    pub fn unexpected(&self) -> ApiError {
        classify::status(self)
    }
}

/// An answer that keeps coming, read line by line.
#[derive(Debug)]
pub struct Stream {
    response: reqwest::Response,
    buffer: Vec<u8>,
    /// So much of the buffer is known to hold no end of a line.
    searched: usize,
    quiet: Duration,
    longest: usize,
}

/// The longest line that a stream may send, in bytes, unless a call says otherwise.
const LINE: usize = 8 << 20;

impl Stream {
    pub(super) async fn open(response: reqwest::Response, quiet: Duration) -> Result<Self, ApiError> {
        let head = Reply::head(&response);
        let wrong = !head.is_success() || head.is_html();
        if !wrong {
            return Ok(Self { response, buffer: Vec::new(), searched: 0, quiet, longest: LINE });
        }
        let reply = Reply::collect(response, 1 << 20, quiet).await?;
        Err(classify::edge(&reply).unwrap_or_else(|| classify::status(&reply)))
    }

    /// Allows lines of another length, in bytes: an archive comes as one line.
    #[must_use]
    pub fn lines_up_to(mut self, bytes: usize) -> Self {
        self.longest = bytes;
        self
    }

    /// The next line without its end; `None` where the stream has ended.
    pub async fn line(&mut self) -> Result<Option<Vec<u8>>, ApiError> {
        loop {
            let fresh = self.buffer.get(self.searched..).unwrap_or_default();
            if let Some(end) = fresh.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.buffer.drain(..=self.searched + end).collect();
                line.pop();
                self.searched = 0;
                return Ok(Some(line));
            }
            self.searched = self.buffer.len();
            if self.buffer.len() > self.longest {
                return Err(ApiError::new(
                    Layer::App,
                    format!("a line longer than {} MiB", self.longest >> 20),
                ));
            }
            let chunk = tokio::time::timeout(self.quiet, self.response.chunk()).await;
            match chunk.map_err(|_| classify::slow(self.quiet))? {
                Ok(Some(chunk)) => self.buffer.extend_from_slice(&chunk),
                Ok(None) if self.buffer.is_empty() => return Ok(None),
                Ok(None) => {
                    self.searched = 0;
                    return Ok(Some(std::mem::take(&mut self.buffer)));
                }
                Err(error) => return Err(classify::transport(&error, self.quiet)),
            }
        }
    }
}

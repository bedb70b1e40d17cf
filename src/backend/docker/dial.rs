//! The engine of another host through `ssh HOST docker system dial-stdio`: HTTP over the command's own stdin and stdout.
//!
//! One connection is kept for questions. A change goes out on a connection of its own that has answered a ping first,
//! so that a failing ssh is known to have sent nothing.

use std::process::Stdio;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::io::join;
use tokio::process::Command;
use tokio::sync::Mutex;

use crate::backend::error::{ApiError, SendError, first_line};
use crate::backend::http::{LIMIT, Reply};
use crate::model::snapshot::Layer;

/// A way to an engine through a command.
#[derive(Debug)]
pub struct Dial {
    argv: Vec<String>,
    timeout: Duration,
    kept: Mutex<Option<SendRequest<Full<Bytes>>>>,
}

impl Dial {
    /// Through ssh, which never asks for anything; the host has been checked to be one harmless word.
    pub fn ssh(host: &str, timeout: Duration) -> Self {
        let argv = [
            "ssh",
            "-o",
            "BatchMode=yes",
            "-o",
            "ConnectTimeout=8",
            "--",
            host,
            "docker",
            "system",
            "dial-stdio",
        ];
        Self::new(argv.map(str::to_owned).to_vec(), timeout)
    }

    /// Through any command that speaks for the engine.
    pub fn new(argv: Vec<String>, timeout: Duration) -> Self {
        Self { argv, timeout, kept: Mutex::default() }
    }

    /// Asks a question; a connection that died since the last one is dialled again, once.
    pub async fn read(&self, path: &str, within: Option<Duration>) -> Result<Reply, ApiError> {
        let allowed = within.unwrap_or(self.timeout);
        let mut kept = self.kept.lock().await;
        if let Some(mut sender) = kept.take().filter(|sender| !sender.is_closed())
            && let Ok(reply) = exchange(&mut sender, Method::GET, path, allowed).await
        {
            *kept = Some(sender);
            return Ok(reply);
        }
        let mut sender = self.open().await?;
        let reply = exchange(&mut sender, Method::GET, path, allowed).await?;
        *kept = Some(sender);
        Ok(reply)
    }

    /// Sends a change exactly once.
    pub async fn write(&self, path: &str, within: Option<Duration>) -> Result<Reply, SendError> {
        let unsent = |error: ApiError| SendError::NotSent(error.fault);
        let mut sender = self.open().await.map_err(unsent)?;
        exchange(&mut sender, Method::GET, "/_ping", self.timeout).await.map_err(unsent)?;
        let sent = exchange(&mut sender, Method::POST, path, within.unwrap_or(self.timeout)).await;
        sent.map_err(|error| SendError::Unknown(error.fault))
    }

    async fn open(&self) -> Result<SendRequest<Full<Bytes>>, ApiError> {
        let failed = |what: &str| ApiError::new(Layer::Tcp, format!("{}: {what}", self.name()));
        let (program, arguments) = self.argv.split_first().ok_or_else(|| failed("no command"))?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed("cannot be started").raw(error.to_string()))?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed("has no pipes"));
        };
        let shaken = tokio::time::timeout(self.timeout, handshake(TokioIo::new(join(stdout, stdin)))).await;
        let (sender, connection) = shaken
            .map_err(|_| failed("no answer in time"))?
            .map_err(|error| failed("the connection broke off").raw(error.to_string()))?;
        tokio::spawn(async move {
            // What went wrong is told to whoever waits for an answer.
            let _ = connection.await;
            drop(child);
        });
        Ok(sender)
    }

    fn name(&self) -> &str {
        self.argv.first().map_or("", String::as_str)
    }
}

async fn exchange(
    sender: &mut SendRequest<Full<Bytes>>,
    method: Method,
    path: &str,
    allowed: Duration,
) -> Result<Reply, ApiError> {
    let request = Request::builder().method(method).uri(path).header("host", "docker");
    let request = request.body(Full::default());
    let request = request.map_err(|error| ApiError::new(Layer::Config, error.to_string()))?;
    let answer = async {
        sender.ready().await?;
        let (head, body) = sender.send_request(request).await?.into_parts();
        Ok::<_, hyper::Error>((head, body.collect().await?.to_bytes()))
    };
    let slow = |_| ApiError::new(Layer::Http, format!("no answer within {} s", allowed.as_secs()));
    let (head, body) = tokio::time::timeout(allowed, answer).await.map_err(slow)?.map_err(|error| {
        ApiError::new(Layer::Tcp, "the command ended before the engine answered")
            .raw(first_line(&error.to_string()))
            .hint("run it by hand: `ssh HOST docker system dial-stdio`")
    })?;
    if body.len() > LIMIT {
        return Err(ApiError::new(Layer::App, "the answer is too large"));
    }
    Ok(Reply::assembled(head.status.as_u16(), format!("ssh:{path}"), head.headers, body.to_vec()))
}

//! Real servers, started on loopback for one test and gone with it.

use std::env;
use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use vigie::backend::error::SendError;
use vigie::backend::{self, Backend, Proof};
use vigie::config::Config;
use vigie::config::env::Env;
use vigie::config::load;
use vigie::model::id::KindId;
use vigie::model::op::{Decision, Job, RunId, Target, Verdict};
use vigie::model::row::Row;
use vigie::model::snapshot::Snapshot;
use vigie::model::time::Clock;

/// Far longer than any of them takes, on a machine that does ten other things.
const PATIENCE: Duration = Duration::from_secs(60);

/// The programs of a test, or `None` with the reason printed where one is not installed.
pub fn programs<const N: usize>(names: [&str; N]) -> Option<[PathBuf; N]> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found =
        names.map(|name| env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file()));
    for (name, program) in names.iter().zip(&found) {
        if program.is_none() {
            eprintln!(
                "skipped: {name} is not installed (apt-get install prometheus-alertmanager prometheus)"
            );
            return None;
        }
    }
    Some(found.map(Option::unwrap_or_default))
}

/// A loopback port that is free for TCP and for UDP, and that no client is given meanwhile.
///
/// Those that the system hands out by itself (from 32768 on) may become some connection's own before a server has it.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let free = |_: u32| {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = u16::try_from(20_000 + (std::process::id() * 37 + step) % 12_000).ok()?;
        let here = ("127.0.0.1", port);
        TcpListener::bind(here).ok().and(UdpSocket::bind(here).ok()).map(|_| port)
    };
    (0..1_000).find_map(free).expect("a free port")
}

/// The test's own client, besides vigie's.
pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// A server that dies with the test.
pub struct Server {
    child: Child,
    pub url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts a server and waits until it says that it is ready; its own words go to a file beside its data.
    pub async fn start(
        program: &Path,
        arguments: &[String],
        port: u16,
        folder: &Path,
        auth: Option<&str>,
    ) -> Self {
        let log = fs::File::create(folder.join(format!("{port}.log"))).unwrap();
        let child = Command::new(program)
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let server = Self { child, url: format!("http://127.0.0.1:{port}") };
        let ready = format!("{}/-/ready", server.url);
        let client = client();
        until(async || {
            let request = client.get(&ready);
            let request = auth.map_or(request.try_clone().unwrap(), |pair| {
                let (user, password) = pair.split_once(':').unwrap();
                request.basic_auth(user, Some(password))
            });
            request.send().await.is_ok_and(|answer| answer.status().is_success()).then_some(())
        })
        .await;
        server
    }
}

/// Asks again until there is an answer.
pub async fn until<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(start.elapsed() < PATIENCE, "nothing came in {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// An Alertmanager with a route tree, an inhibition and a muted route.
pub async fn alertmanager(program: &Path, folder: &Path, port: u16, extra: &[String]) -> Server {
    let config = folder.join("alertmanager.yml");
    fs::write(&config, include_str!("alertmanager.yml")).unwrap();
    let mut arguments = vec![
        format!("--config.file={}", config.display()),
        format!("--storage.path={}", folder.join(port.to_string()).display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
    ];
    arguments.extend_from_slice(extra);
    let auth = extra.iter().any(|argument| argument.starts_with("--web.config.file")).then_some("ops:s3cret");
    Server::start(program, &arguments, port, folder, auth).await
}

/// A stand-alone one.
pub async fn single(program: &Path, folder: &Path) -> Server {
    alertmanager(program, folder, free_port(), &["--cluster.listen-address=".to_owned()]).await
}

/// The alert set, posted to one member.
pub async fn post_alerts(url: &str, keep: impl Fn(&str) -> bool) {
    let set: Vec<Value> = serde_json::from_str(include_str!("alerts.json")).unwrap();
    let now = Timestamp::now();
    let alerts: Vec<Value> = set
        .iter()
        .filter(|alert| keep(alert["labels"]["alertname"].as_str().unwrap()))
        .map(|alert| {
            let starts = now - SignedDuration::from_mins(alert["minutes"].as_i64().unwrap());
            let ends = if alert["resolved"] == true {
                -SignedDuration::from_mins(1)
            } else {
                SignedDuration::from_hours(4)
            };
            json!({
                "labels": alert["labels"], "annotations": alert["annotations"],
                "startsAt": starts.to_string(), "endsAt": (now + ends).to_string(),
            })
        })
        .collect();
    let client = client();
    let answer = client.post(format!("{url}/api/v2/alerts")).json(&alerts).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
}

/// A configuration file's settings.
pub fn config(toml: &str, folder: &Path) -> Config {
    let _ = rustls::crypto::ring::default_provider().install_default();
    load::parse("config.toml", toml, folder, &Env::current()).unwrap_or_else(|reports| panic!("{reports:?}"))
}

/// vigie's backends of a configuration.
pub fn connect(config: &Config) -> Vec<Arc<dyn Backend>> {
    backend::connect(config, &Clock::System)
}

/// What `amtool` prints as JSON.
pub fn amtool(program: &Path, url: &str, arguments: &[&str]) -> Value {
    let output =
        Command::new(program).arg(format!("--alertmanager.url={url}")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}

/// One poll of a backend's source.
pub async fn poll(backend: &Arc<dyn Backend>, feed: &str) -> Snapshot {
    let source = backend.sources().into_iter().find(|source| &*source.id.feed == feed).unwrap();
    backend.poll(&source.id).await.unwrap()
}

/// The only row of a kind with a name.
pub fn row(snapshot: &Snapshot, kind: &str, name: &str) -> Row {
    let of_kind = snapshot.rows.iter().filter(|row| row.id.kind == KindId::from(kind));
    let found: Vec<&Row> = of_kind.filter(|row| &*row.name == name).collect();
    assert_eq!(
        found.len(),
        1,
        "{name} among {:?}",
        snapshot.rows.iter().map(|row| &row.name).collect::<Vec<_>>()
    );
    found[0].clone()
}

/// The text of a row's cell.
pub fn word(row: &Row, column: &str) -> String {
    value(row, column).as_text().unwrap_or_default().to_owned()
}

/// The value of a row's cell.
pub fn value<'a>(row: &'a Row, column: &str) -> &'a vigie::model::row::Value {
    let kind = backend::kinds().into_iter().find(|kind| kind.id == row.id.kind).unwrap();
    &row.cells[kind.column(column).unwrap()].value
}

/// A job on a row.
pub fn job(op: &str, row: &Row, args: &[(&str, &str)]) -> Job {
    Job {
        run: RunId("run".into()),
        op: op.into(),
        target: Target {
            id: row.id.clone(),
            name: row.name.clone(),
            identity: row.identity.clone(),
            domain: row.domain,
        },
        args: args.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        reason: None,
        operator: "alice".into(),
    }
}

/// Checks, freezes, sends and reads back, as the executor does it.
pub async fn run(backend: &Arc<dyn Backend>, mut job: Job) -> (Verdict, Result<Proof, SendError>) {
    let verdict = backend.preflight(&job).await.unwrap();
    assert_ne!(verdict.decision, Decision::Refuse, "{verdict:?}");
    job.target.identity = job.target.identity.joined(&verdict.identity);
    let now = backend.identify(&job.target.id).await.unwrap();
    assert_eq!(job.target.identity.conflicts(&now), []);
    let sent = Timestamp::now();
    let receipt = match backend.operate(&job, mpsc::channel(8).0).await {
        Ok(receipt) => receipt,
        Err(error) => return (verdict, Err(error)),
    };
    let proof = backend.verify(&job, receipt.remote.as_deref(), sent).await.unwrap();
    (verdict, Ok(proof))
}

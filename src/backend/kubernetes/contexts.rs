//! The contexts of a kubeconfig: which one this instance is, whether it answers, and which ones nobody configured.

use jiff::Timestamp;

use crate::backend::ViewSink;
use crate::backend::error::ApiError;
use crate::model::id::{EntityId, Identity, KindId};
use crate::model::kind::Format;
use crate::model::row::{Cell, Health, Row};
use crate::model::snapshot::{Layer, Snapshot};
use crate::model::time::{seconds_between, short};
use crate::model::view::{Doc, Fact, View};

use super::access::{self, Listed};
use super::client::Cluster;
use super::doc::repeat;
use super::rows::{Maker, State};
use super::{doctor, rights};

/// How often an open one is read again.
const PACE: std::time::Duration = std::time::Duration::from_secs(10);

/// A credential that ends sooner is worth a word.
const ENDING: i64 = 14 * 86_400;

/// What the configured context answers.
struct Answer {
    state: State,
    version: String,
    user: String,
    ends: Option<Timestamp>,
}

/// Every context of the file; the configured one is asked, the others are only named.
pub async fn snapshot(cluster: &Cluster, maker: &Maker, kind: &KindId, now: Timestamp) -> Snapshot {
    let listed = access::contexts(cluster.settings());
    let answer = ask(cluster, now).await;
    // A file that cannot be read leaves one row that says so.
    let listed = listed.unwrap_or_else(|_| {
        let name = cluster.settings().context.clone().unwrap_or_else(|| maker.instance.to_string());
        vec![Listed { name, cluster: String::new(), user: String::new(), used: true }]
    });
    let rows = listed.iter().map(|context| row(maker, kind, context, &answer)).collect();
    Snapshot::complete(rows, now)
}

async fn ask(cluster: &Cluster, now: Timestamp) -> Answer {
    match doctor::version(cluster).await {
        Ok(version) => {
            let user = rights::whoami(cluster).await.unwrap_or_default();
            let ends = cluster.access().await.ok().and_then(|access| access.ends);
            Answer { state: good(ends, now), version, user, ends }
        }
        Err(error) => Answer { state: bad(&error), version: String::new(), user: String::new(), ends: None },
    }
}

fn good(ends: Option<Timestamp>, now: Timestamp) -> State {
    match ends.map(|ends| seconds_between(now, ends)).filter(|left| *left < ENDING) {
        Some(left) => {
            State::new("Ending", Health::Warning).why(format!("the credential ends in {}", short(left)))
        }
        None => State::new("Answers", Health::Ok),
    }
}

fn bad(error: &ApiError) -> State {
    let word = match error.fault.layer {
        Layer::Config => "Unusable",
        Layer::Auth => "Refused",
        _ => "Unreached",
    };
    let hint = if error.fault.hint.is_empty() { String::new() } else { format!("; {}", error.fault.hint) };
    State::new(word, Health::Critical).why(format!("{error}{hint}"))
}

fn row(maker: &Maker, kind: &KindId, context: &Listed, answer: &Answer) -> Row {
    let unused = State::new("Unused", Health::Off).why("no `[[kubernetes]]` has this context");
    let state = if context.used { &answer.state } else { &unused };
    let of_used = |text: &str| if context.used { Cell::new(text) } else { Cell::empty() };
    let cells = vec![
        state.cell(),
        Cell::new(context.name.as_str()),
        Cell::new(context.cluster.as_str()),
        Cell::new(context.user.as_str()),
        of_used(&answer.version),
        of_used(&answer.user),
        Cell::new(state.why.as_str()),
        if context.used { Cell::new(answer.ends) } else { Cell::empty() },
    ];
    let id = EntityId::new(kind.clone(), maker.instance.clone(), context.name.as_str());
    let mut row = Row::new(id, context.name.as_str(), cells);
    row.health = state.health;
    row.note = (context.used && !state.why.is_empty()).then(|| state.why.as_str().into());
    row.domain = maker.domain;
    row.identity = Identity::new().with("context", context.name.as_str());
    row
}

/// Keeps the description of a context fresh.
pub async fn open(
    cluster: &Cluster,
    id: &EntityId,
    now: impl Fn() -> Timestamp,
    sink: &ViewSink,
) -> Result<(), ApiError> {
    repeat(sink, PACE, || async {
        let listed = access::contexts(cluster.settings())?;
        let context = listed.iter().find(|context| *context.name == *id.key);
        let gone =
            || ApiError::new(Layer::Config, format!("the kubeconfig has no context `{}` any more", id.key));
        let context = context.ok_or_else(gone)?;
        let mut facts =
            vec![Fact::new("cluster", context.cluster.as_str()), Fact::new("user", context.user.as_str())];
        if context.used {
            let answer = ask(cluster, now()).await;
            facts.insert(0, Fact::new("state", answer.state.word.as_str()).tone(answer.state.health.into()));
            facts.push(Fact::new("why", answer.state.why.as_str()));
            facts.push(Fact::new("kubernetes", answer.version.as_str()));
            facts.push(Fact::new("we are", answer.user.as_str()));
            facts.push(Fact::new("credential", answer.ends).format(Format::Until));
        } else {
            let line = format!("[[kubernetes]] name = \"…\" context = \"{}\"", context.name);
            facts.insert(0, Fact::new("state", "nobody configured it"));
            facts.push(Fact::new("to use it", line.as_str()));
        }
        Ok(View::Doc(Doc::default().facts("", facts)))
    })
    .await
}

//! The tables of what is watched beside the platform's own servers.

use std::sync::Arc;

use super::Validator;
use super::connection::{domain, timeout};
use crate::config::check;
use crate::config::raw::Table;
use crate::config::source::Fault;
use crate::config::watch::{Docker, DockerWay, Loki, Ntfy, Pinned};
use crate::model::argument;

/// The part of the time that a pinned service must be up, where nothing else is said.
const TARGET: f64 = 0.99;

impl Validator<'_> {
    pub(super) fn docker(&self, table: &Table<'_>, name: Arc<str>) -> Option<Docker> {
        let domain = domain(table).unwrap_or_default();
        let ways = ["socket", "url", "ssh"].into_iter().filter(|key| table.has(key)).collect::<Vec<_>>();
        if ways.len() > 1 {
            let fault = Fault::new(
                "`socket`, `url` and `ssh` exclude each other",
                "a second way to the engine",
                "keep the one that leads there",
            );
            table.note(table.key_span(ways[1]), fault);
        }
        let socket = table.text("socket").map(|path| DockerWay::Socket(self.env.path(path.value, self.base)));
        let ssh = table.checked("ssh", host).map(DockerWay::Ssh);
        let way = if table.has("url") {
            let connection = self.connection(table, name.clone(), domain, "\"http://127.0.0.1:2375\"");
            connection.map(|connection| DockerWay::Http(Box::new(connection)))
        } else {
            socket.or(ssh)
        };
        if ways.is_empty() {
            table.missing("socket", "\"/var/run/docker.sock\"");
        }
        let restart = words(table, "restart");
        Some(Docker { name, way: way?, domain, timeout: timeout(table), restart })
    }

    pub(super) fn loki(&self, table: &Table<'_>, name: Arc<str>) -> Option<Loki> {
        let domain = domain(table).unwrap_or_default();
        let connection = self.connection(table, name, domain, "\"http://127.0.0.1:3100\"");
        let auth = self.auth(table);
        let tenant = table.checked("tenant", check::word);
        let grafana =
            table.checked("grafana", check::url).map(|url| url.as_str().trim_end_matches('/').to_owned());
        let datasource = table.checked("datasource", check::word);
        Some(Loki { connection: connection?, auth, tenant, grafana: grafana.zip(datasource) })
    }

    pub(super) fn ntfy(&self, table: &Table<'_>, name: Arc<str>) -> Option<Ntfy> {
        let domain = domain(table).unwrap_or_default();
        let connection = self.connection(table, name, domain, "\"https://ntfy.example\"");
        let auth = self.auth(table);
        let topics = table.list("topics").unwrap_or_default();
        let topics = topics
            .into_iter()
            .filter_map(|text| topic(text.value).map_err(|fault| table.note(text.span, fault)).ok());
        let topics = topics.collect();
        let publish = table.checked("publish", topic);
        Some(Ntfy { connection: connection?, auth, topics, publish })
    }

    pub(super) fn pinned(&self, table: &Table<'_>, name: Arc<str>) -> Option<Pinned> {
        let kubernetes = table.required("kubernetes", "\"cloud\"", check::name);
        let namespace = table.required("namespace", "\"media\"", check::namespace);
        let pod = table.checked("pod", check::word).unwrap_or_else(|| name.to_string());
        let egress = table.checked("egress", |text| {
            let wrong =
                |_| Fault::new("this is no IP address", "an IP address", "write it like `198.51.100.10`");
            text.parse().map_err(wrong)
        });
        let egress_url = table.table("measure").and_then(|inner| {
            let made = self.connection(
                &inner,
                name.clone(),
                crate::model::row::Domain::default(),
                "\"https://ip.example\"",
            );
            inner.finish();
            made.map(Box::new)
        });
        Some(Pinned {
            name,
            kubernetes: kubernetes?.into(),
            namespace: namespace?,
            pod,
            node: table.checked("node", check::word),
            egress,
            egress_url,
            egress_query: table.checked("egress_query", check::word),
            uptime_query: table.checked("uptime_query", check::word),
            target: table.decimal("target", 0.0..=1.0).unwrap_or(TARGET),
            prometheus: table.checked("prometheus", check::name).map(Into::into),
            block: table.flag("block").unwrap_or(true),
        })
    }
}

fn words(table: &Table<'_>, key: &'static str) -> Vec<String> {
    table.list(key).unwrap_or_default().into_iter().map(|word| word.value.to_owned()).collect()
}

/// A host for ssh: one harmless word, for it stands in a command line.
fn host(text: &str) -> Result<String, Fault> {
    argument::checked(text).map_err(|_| {
        Fault::new(
            "this cannot be given to ssh",
            "a host, perhaps with a user",
            "write it like `ops@mgmt.example`",
        )
    })
}

/// A topic's name: ntfy takes letters, digits, `_` and `-`.
fn topic(text: &str) -> Result<String, Fault> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !text.is_empty() && text.len() <= 64 && text.chars().all(fits) {
        return Ok(text.to_owned());
    }
    Err(Fault::new(
        "this is no topic",
        "letters, digits, `_` and `-`",
        "write only its name, like `lab-alerts`",
    ))
}

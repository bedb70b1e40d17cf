//! The tables of the connectors, one function each.

use std::sync::Arc;
use std::time::Duration;

use super::connection::{domain, public_url, timeout, unreadable};
use super::{Validator, timespan};
use crate::config::check;
use crate::config::connector::{
    Alertmanager, ArgoCd, Ephemeral, HttpAuth, Kubernetes, Omni, Pipeline, Prometheus, Promotion,
};
use crate::config::edge::Github;
use crate::config::raw::{Located, Table};
use crate::config::source::Fault;
use crate::config::suggest;

impl Validator<'_> {
    pub(super) fn omni(&self, table: &Table<'_>, name: Arc<str>) -> Option<Omni> {
        let domain = domain(table).unwrap_or_default();
        let connection = self.connection(table, name, domain, "\"https://omni.example\"");
        let key = self.required_secret(table, "key");
        let operator_key = self.secret(table, "operator_key");
        let ephemeral = table.table("ephemeral").map(|inner| self.ephemeral(inner));
        let templates = table.list("templates").unwrap_or_default();
        let templates = templates.iter().map(|path| self.env.path(path.value, self.base)).collect();
        let ephemeral = ephemeral.flatten();
        Some(Omni { connection: connection?, key: key?, operator_key, templates, ephemeral })
    }

    fn ephemeral(&self, table: Table<'_>) -> Option<Ephemeral> {
        let prefix = table.required("prefix", "\"dev-ephemeral-\"", prefix);
        let classes = table.list("classes").unwrap_or_default();
        let classes: Vec<String> = classes.into_iter().map(|class| class.value.to_owned()).collect();
        if classes.is_empty() {
            table.missing("classes", "[\"oci-kubevirt\"]");
        }
        let template = table.text("template").map(|written| self.env.path(written.value, self.base));
        let host = table.checked("host", check::word);
        let protect = table.checked("protect", check::word);
        table.finish();
        let ephemeral = Ephemeral { prefix: prefix?, classes, template, host, protect };
        (!ephemeral.classes.is_empty()).then_some(ephemeral)
    }

    pub(super) fn kubernetes(&self, table: &Table<'_>, name: Arc<str>) -> Kubernetes {
        let kubeconfig = table.text("kubeconfig").map(|written| {
            let path = self.env.path(written.value, self.base);
            if let Some(why) = self.look.then(|| unreadable(&path)).flatten() {
                let cure = "check the path; without `kubeconfig` the files that kubectl uses are read";
                table.note(written.span, Fault::new(why, "a readable kubeconfig", cure));
            }
            path
        });
        let context = table.checked("context", check::word);
        let domain = domain(table).unwrap_or_default();
        Kubernetes { name, kubeconfig, context, domain, timeout: timeout(table) }
    }

    pub(super) fn argocd(
        &self,
        table: &Table<'_>,
        name: Arc<str>,
        clusters: &[Kubernetes],
        repositories: &[Github],
    ) -> Option<ArgoCd> {
        let cluster = cluster(table, clusters);
        let namespace = table.checked("namespace", check::namespace).unwrap_or_else(|| "argocd".to_owned());
        let domain = domain(table).or(cluster.map(|c| c.domain)).unwrap_or_default();
        let public = public_url(table);
        let wants_rest = table.has("url") || table.has("token");
        let rest = wants_rest.then(|| {
            let connection = self.connection(table, Arc::clone(&name), domain, "\"https://argocd.example\"");
            let token = self.required_secret(table, "token");
            Some((connection?, token?))
        });
        if !wants_rest {
            no_rest(table);
        }
        let promote = table.table("promote").and_then(|promote| promotion(promote, repositories));
        let kubernetes = Arc::clone(&cluster?.name);
        Some(ArgoCd {
            name,
            kubernetes,
            namespace,
            rest: rest.flatten(),
            domain,
            public_url: public,
            promote,
        })
    }

    pub(super) fn alertmanager(&self, table: &Table<'_>, name: Arc<str>) -> Option<Alertmanager> {
        let domain = domain(table).unwrap_or_default();
        let connection = self.connection(table, name, domain, "\"http://127.0.0.1:9093\"");
        let cluster = table.checked("cluster", check::name);
        let auth = self.auth(table);
        Some(Alertmanager { connection: connection?, cluster, auth })
    }

    pub(super) fn prometheus(&self, table: &Table<'_>, name: Arc<str>) -> Option<Prometheus> {
        let domain = domain(table).unwrap_or_default();
        let connection = self.connection(table, name, domain, "\"http://127.0.0.1:9090\"");
        let auth = self.auth(table);
        Some(Prometheus { connection: connection?, auth })
    }

    pub(super) fn auth(&self, table: &Table<'_>) -> HttpAuth {
        let user = table.checked("user", check::word);
        let password = self.secret(table, "password");
        let bearer = self.secret(table, "bearer");
        let half = match (table.has("user"), table.has("password")) {
            (true, false) => Some("password"),
            (false, true) => Some("user"),
            _ => None,
        };
        if let Some(missing) = half {
            let example = if missing == "user" { "\"vigie\"" } else { "{ env = \"VARIABLE\" }" };
            table.missing(missing, example);
        }
        if table.has("bearer") && (table.has("user") || table.has("password")) {
            let fault = Fault::new(
                "`bearer` and `user` with `password` exclude each other",
                "a second way to log in",
                "keep the one that the server asks for",
            );
            table.note(table.key_span("bearer"), fault);
        }
        match (user, password, bearer) {
            (Some(user), Some(password), _) => HttpAuth::Basic { user, password },
            (_, _, Some(token)) => HttpAuth::Bearer(token),
            _ => HttpAuth::None,
        }
    }
}

/// The way from one environment to the next.
fn promotion(table: Table<'_>, repositories: &[Github]) -> Option<Promotion> {
    let from = table.required("from", "\"dev\"", check::word);
    let to = table.required("to", "\"prod\"", check::word);
    let label = table.checked("label", check::word).unwrap_or_else(|| "env".to_owned());
    let longest = Duration::from_secs(30 * 24 * 3600);
    let stable =
        timespan(&table, "stable", Duration::ZERO..=longest).unwrap_or(Duration::from_secs(2 * 3600));
    let pipeline = pipeline(&table, repositories);
    if let (Some(from), Some(to)) = (&from, &to)
        && from == to
    {
        let cure = "name two environments";
        table.note(
            table.key_span("to"),
            Fault::new("a promotion that leads nowhere", "another one than `from`", cure),
        );
        table.finish();
        return None;
    }
    table.finish();
    Some(Promotion { from: from?, to: to?, label, stable, pipeline })
}

/// What GitHub Actions have to do with it; each of the keys needs the repository.
fn pipeline(table: &Table<'_>, repositories: &[Github]) -> Option<Pipeline> {
    let keys = ["github", "check", "workflow", "input"];
    let wanted = keys.iter().any(|key| table.has(key));
    let github = wanted.then(|| super::edge::repository_of(table, repositories)).flatten();
    let check = table.checked("check", check::word);
    let workflow = table.checked("workflow", check::word);
    let input = table.checked("input", check::word).unwrap_or_else(|| "sha".to_owned());
    Some(Pipeline { github: github?.into(), check, workflow, input })
}

/// Says of each key about the REST API that it has no effect without one.
fn no_rest(table: &Table<'_>) {
    for key in ["host_header", "headers", "proxy", "ca", "fingerprint", "plaintext", "timeout"] {
        if table.take(key).is_some() {
            let fault = Fault::new(
                format!("`{key}` is about the REST API, which has no `url` here"),
                "has no effect alone",
                format!("add `url` and `token`, or leave out `{key}`"),
            );
            table.note(table.key_span(key), fault);
        }
    }
    for key in ["url", "token"] {
        table.take(key);
    }
}

/// The cluster an Argo CD lives in.
fn cluster<'k>(table: &Table<'_>, clusters: &'k [Kubernetes]) -> Option<&'k Kubernetes> {
    if !table.has("kubernetes") {
        table.missing("kubernetes", "\"prod\"");
    }
    let written = table.text("kubernetes")?;
    let found = clusters.iter().find(|cluster| *cluster.name == *written.value);
    if found.is_none() {
        table.note(written.span.clone(), no_cluster(&written, clusters));
    }
    found
}

fn no_cluster(written: &Located<&str>, clusters: &[Kubernetes]) -> Fault {
    let cure = if clusters.is_empty() {
        format!("add a `[[kubernetes]]` with `name = \"{}\"`", written.value.escape_debug())
    } else {
        suggest::advice(written.value, clusters.iter().map(|cluster| &*cluster.name))
    };
    Fault::new("no `[[kubernetes]]` has this name", "the name of a `[[kubernetes]]`", cure)
}

/// The beginning of short-lived clusters' names: long enough that no other cluster is meant by accident.
fn prefix(text: &str) -> Result<String, Fault> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.len() >= 4 && text.ends_with('-') && text.chars().all(fits) {
        return Ok(text.to_owned());
    }
    let cure = "write `prefix = \"dev-ephemeral-\"`";
    Err(Fault::new(
        format!("`{text}` is no beginning of names"),
        "at least three characters and a dash",
        cure,
    ))
}

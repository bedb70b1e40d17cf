//! Reading a request's path and query: which resource, where, which of them.

use std::collections::BTreeMap;

use axum::http::Uri;
use serde_json::Value;

use crate::backend::kubernetes::resource::Resource;

use super::lab;

/// What a request is about.
#[derive(Debug, Clone)]
pub struct Place {
    /// The resource.
    pub resource: &'static Resource,
    /// The namespace in the path.
    pub namespace: Option<String>,
    /// The name in the path.
    pub name: Option<String>,
    /// `log`, `eviction`, `scale`, `status`.
    pub subresource: Option<String>,
}

impl Place {
    /// The object's key in its table.
    pub fn key(&self) -> String {
        let name = self.name.clone().unwrap_or_default();
        match &self.namespace {
            Some(namespace) => format!("{namespace}/{name}"),
            None => name,
        }
    }
}

/// Reads `/api/v1/…` and `/apis/GROUP/VERSION/…`.
pub fn place(path: &str) -> Option<Place> {
    let mut parts = path.trim_matches('/').split('/').peekable();
    let (group, version) = match parts.next()? {
        "api" => ("", parts.next()?),
        "apis" => (parts.next()?, parts.next()?),
        _ => return None,
    };
    let mut namespace = None;
    let mut word = parts.next()?;
    if word == "namespaces" {
        let name = parts.next();
        match (name, parts.next()) {
            (Some(name), Some(plural)) => {
                namespace = Some(name.to_owned());
                word = plural;
            }
            (name, None) => {
                let resource = lab::resource(group, version, "namespaces")?;
                return Some(Place {
                    resource,
                    namespace: None,
                    name: name.map(str::to_owned),
                    subresource: None,
                });
            }
            (None, Some(_)) => return None,
        }
    }
    let resource = lab::resource(group, version, word)?;
    let name = parts.next().map(str::to_owned);
    let subresource = parts.next().map(str::to_owned);
    let fits = parts.next().is_none() && (resource.namespaced || namespace.is_none());
    // An object that lives in a namespace cannot be named without it.
    let whole = name.is_none() || !resource.namespaced || namespace.is_some();
    (fits && whole).then_some(Place { resource, namespace, name, subresource })
}

/// The pairs of a query, decoded.
pub fn query(uri: &Uri) -> BTreeMap<String, String> {
    let pairs = uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(key, value)| (key.to_owned(), decoded(value))).collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let hex = |c: Option<u8>| c.and_then(|c| char::from(c).to_digit(16));
        if byte == b'%' {
            if let (Some(high), Some(low)) = (hex(rest.next()), hex(rest.next())) {
                bytes.extend(u8::try_from(high * 16 + low));
            }
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Field and label selectors, as far as consoles use them.
pub struct Filter(Vec<(String, String)>);

impl Filter {
    /// Reads both selectors of a query.
    pub fn new(query: &BTreeMap<String, String>) -> Self {
        let mut wanted = Vec::new();
        for (selector, prefix) in [("fieldSelector", "/"), ("labelSelector", "/metadata/labels/")] {
            let terms = query.get(selector).map(String::as_str).unwrap_or_default().split(',');
            for (key, value) in terms.filter_map(|term| term.split_once('=')) {
                let place = if prefix == "/" {
                    key.replace('.', "/")
                } else {
                    key.replace('~', "~0").replace('/', "~1")
                };
                wanted.push((format!("{prefix}{place}"), value.trim_start_matches('=').to_owned()));
            }
        }
        Self(wanted)
    }

    /// Lets everything through.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an object is selected.
    pub fn passes(&self, object: &str) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let object: Value = serde_json::from_str(object).unwrap_or_default();
        self.0.iter().all(|(pointer, value)| object.pointer(pointer).and_then(Value::as_str) == Some(value))
    }
}

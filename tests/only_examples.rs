//! No name or address of a real place stands in the project: a demo that reaches the internet, or a fixture with
//! somebody's host in it, is a leak.
#![allow(clippy::unwrap_used, reason = "a test's helpers may fail the test")]

mod source;

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

use source::{apart, files};

const FOLDERS: [&str; 9] = ["src", "tests", "benches", "demo", "docs", "fuzz", "themes", "keymaps", "assets"];
const FILES: [&str; 4] = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "config.example.toml"];

/// Last labels by which a dotted word is taken for a host.
const TOP_LEVEL: [&str; 22] = [
    "com", "org", "net", "io", "dev", "fr", "eu", "uk", "de", "ch", "be", "nl", "cloud", "lan", "local",
    "internal", "info", "xyz", "tech", "sh", "us", "home",
];

/// Names that are nobody's host but a part of what is spoken, and why each may stand here. A name below one may too.
const ALLOWED: [(&str, &str); 27] = [
    ("helm.sh", "annotations of Helm's hooks, which Argo CD honours"),
    ("k8s.io", "API groups, labels and image registry of Kubernetes"),
    ("kubernetes.io", "labels and annotations of Kubernetes"),
    ("argoproj.io", "API group of Argo CD"),
    ("omni.sidero.dev", "labels and resource types of Omni"),
    ("talos.dev", "labels of Talos"),
    ("goauthentik.io", "labels and scopes of Authentik"),
    ("cilium.io", "API group of Cilium"),
    ("longhorn.io", "API group of Longhorn"),
    ("metallb.io", "API group of MetalLB"),
    ("cert-manager.io", "API group of cert-manager"),
    ("cnpg.io", "API group of CloudNativePG"),
    ("velero.io", "API group of Velero"),
    ("external-secrets.io", "API group of External Secrets"),
    ("kubevirt.io", "API group of KubeVirt"),
    ("coreos.com", "API group of the Prometheus operator"),
    ("cloudflareaccess.com", "where Cloudflare Access redirects to: recognised, never asked"),
    ("cfargotunnel.com", "what names lead to when they lead to a tunnel: recognised, never asked"),
    ("api.cloudflare.com", "the only address of that service"),
    ("api.github.com", "the only address of that service"),
    ("ghcr.io", "an image registry named in pods"),
    ("quay.io", "an image registry named in pods"),
    ("docker.io", "an image registry named in pods"),
    ("github.com", "addresses of projects in documentation; nothing connects to them"),
    ("keepachangelog.com", "the format of the change log"),
    ("semver.org", "the meaning of version numbers"),
    ("catppuccin.com", "the source of a palette"),
];

/// Palettes' sources that are named once.
const SOURCES: [&str; 4] = ["www.nordtheme.com", "ethanschoonover.com", "jfly.uni-koeln.de", "www.w3.org"];

fn is_documentation(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let documentation = matches!((a, b, c), (192, 0, 2) | (198, 51, 100) | (203, 0, 113));
    documentation || address.is_loopback() || address.is_unspecified() || address.is_broadcast()
}

fn is_allowed(host: &str) -> bool {
    let below = |name: &str| host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'));
    below("example") || SOURCES.contains(&host) || ALLOWED.iter().any(|(name, _)| below(name))
}

/// A host with a public or private top-level name, as opposed to a file, a version or a field.
fn is_host(word: &str) -> bool {
    let labels: Vec<_> = word.split('.').collect();
    let valid = |label: &&str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    labels.len() > 1 && labels.iter().all(valid) && TOP_LEVEL.contains(labels.last().unwrap())
}

/// Real names and addresses in a text, with their lines.
fn leaks(text: &str) -> Vec<(usize, String)> {
    let mut leaks = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let part = |c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-' || c == '_');
        for word in text.split(part).map(|word| word.trim_matches(['.', '-'])) {
            let foreign = match word.parse::<Ipv4Addr>() {
                Ok(address) => !is_documentation(address),
                Err(_) => is_host(word) && !is_allowed(word),
            };
            if foreign {
                leaks.push((line, word.to_owned()));
            }
        }
    }
    leaks
}

/// What a file says to people and servers: the literals and comments of code, all of anything else.
fn said(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let is_code = path.extension().is_some_and(|extension| extension == "rs");
    Some(if is_code { apart(&text).1 } else { text })
}

#[test]
fn every_name_and_address_is_an_example() {
    let paths = FOLDERS.iter().flat_map(|folder| files(Path::new(folder))).chain(FILES.map(Into::into));
    let mut found = Vec::new();
    for path in paths.filter(|path| !path.ends_with("only_examples.rs")) {
        for (line, word) in said(&path).iter().flat_map(|text| leaks(text)) {
            found.push(format!("{}:{line}: {word}", path.display()));
        }
    }
    assert!(found.is_empty(), "neither an example nor allowed:\n{}", found.join("\n"));
}

#[test]
fn a_real_place_is_told_from_what_only_looks_like_one() {
    for (text, leak) in [
        ("https://pve.lab.example:8006/", None),
        ("http://127.0.0.1:8080 and 192.0.2.7/24, 0.0.0.0", None),
        ("argoproj.io/v1alpha1, app.kubernetes.io/name", None),
        ("talos 1.9.0, authentik 2026.2.4, src/main.rs, config.toml", None),
        ("see https://github.com/goauthentik/authentik", None),
        ("`10.0.0.1`", Some("10.0.0.1")),
        ("https://prometheus.home.arpa.org/", Some("prometheus.home.arpa.org")),
        ("nas.local.", Some("nas.local")),
        ("mail to admin@company.fr", Some("company.fr")),
        ("notgithub.com", Some("notgithub.com")),
    ] {
        let found: Vec<_> = leaks(text).into_iter().map(|(_, word)| word).collect();
        assert_eq!(found, Vec::from_iter(leak.map(str::to_owned)), "{text}");
    }
}

//! What else an audit should say, besides who gets in where.

use std::collections::{BTreeMap, BTreeSet};

use crate::backend::authentik::people::Groups;
use crate::backend::authentik::rows::devices::Factor;
use crate::backend::authentik::wire::{Application, Outpost, ProxyProvider};
use crate::model::row::Health;

use super::Census;

/// A remark on something that no binding shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// What it is about.
    pub what: String,
    /// What is wrong with it.
    pub why: String,
    /// How bad it is.
    pub health: Health,
}

/// What the remarks are made from; absent where it cannot be seen.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// All groups.
    pub groups: &'a Groups,
    /// Everybody, as far as it matters.
    pub census: &'a Census,
    /// All applications.
    pub applications: &'a [Application],
    /// All proxy providers.
    pub proxies: Option<&'a [ProxyProvider]>,
    /// All outposts.
    pub outposts: Option<&'a [Outpost]>,
    /// All second factors.
    pub factors: Option<&'a [Factor]>,
}

/// All remarks, the worst first.
pub fn findings(side: Side<'_>) -> Vec<Remark> {
    let mut all = Vec::new();
    all.extend(like_names(side.groups));
    all.extend(powerful_family(&side));
    all.extend(administrators_without_factor(&side));
    all.extend(applications_without_provider(side.applications));
    all.extend(side.proxies.into_iter().flatten().flat_map(|proxy| of_proxy(proxy, side.outposts)));
    all.sort_by_key(|remark| remark.health);
    all
}

fn amber(what: impl Into<String>, why: impl Into<String>) -> Remark {
    Remark { what: what.into(), why: why.into(), health: Health::Warning }
}

/// Two groups whose names differ only in case are two groups to the server and one to a reader.
fn like_names(groups: &Groups) -> Vec<Remark> {
    let mut by_name: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for group in groups.iter() {
        by_name.entry(group.name.trim().to_lowercase()).or_default().push(group.name.as_str());
    }
    let twins = by_name.into_values().filter(|names| names.len() > 1);
    twins
        .map(|names| amber(format!("group {}", names[0]), format!("{} look alike", names.join(" and "))))
        .collect()
}

/// Members of a superuser group who are family too.
fn powerful_family<'a>(side: &'a Side<'_>) -> impl Iterator<Item = Remark> + 'a {
    side.census.powerful.iter().map(|name| amber(format!("user {name}"), "family, and may do everything"))
}

fn administrators_without_factor(side: &Side<'_>) -> Vec<Remark> {
    let Some(factors) = side.factors else { return Vec::new() };
    let owners: BTreeSet<i64> = factors
        .iter()
        .filter(|factor| factor.counts())
        .filter_map(|factor| factor.device.user.pk.0)
        .collect();
    let bare = side.census.admins.iter().filter(|(pk, _)| !owners.contains(pk));
    bare.map(|(_, name)| amber(format!("user {name}"), "administrator without a second factor")).collect()
}

/// A tile that leads past Authentik protects nothing.
fn applications_without_provider(applications: &[Application]) -> Vec<Remark> {
    let bare = applications.iter().filter(|app| {
        app.provider.0.is_none() && app.launch_url.starts_with("http") && app.provider_obj.0.is_none()
    });
    bare.map(|app| amber(app.slug.as_str(), "a tile without a provider: Authentik does not guard it"))
        .collect()
}

fn of_proxy(proxy: &ProxyProvider, outposts: Option<&[Outpost]>) -> Vec<Remark> {
    let name = proxy.assigned_application_slug.some().unwrap_or(proxy.name.as_str());
    let mut remarks = Vec::new();
    if let Some(open) = proxy.skip_path_regex.some() {
        remarks.push(amber(name, format!("paths that match {open:?} ask for no login")));
    }
    if proxy.mode.as_str() == "forward_domain" {
        remarks.push(amber(name, "guards a whole domain: its bindings decide for every host behind it"));
    }
    let pk = proxy.pk.0.map(|pk| pk.to_string());
    let served = outposts
        .map(|all| all.iter().any(|outpost| outpost.providers.iter().any(|p| Some(p) == pk.as_deref())));
    if served == Some(false) {
        remarks.push(amber(name, "in no outpost: nothing guards it, and it answers nobody"));
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::authentik::exposure::Grounds;
    use crate::backend::authentik::people::tests::group;
    use crate::backend::authentik::wire::User;

    #[test]
    fn what_no_binding_shows_is_remarked() {
        let groups = Groups::new(
            vec![group("Family", &[], false), group("family", &[], false), group("admins", &[], true)],
            &[],
        );
        let users: Vec<User> = serde_json::from_str(
            r#"[{"pk":1,"username":"ada","type":"internal","is_active":true,"is_superuser":true,"groups":["admins","family"]}]"#,
        )
        .unwrap();
        let applications: Vec<Application> =
            serde_json::from_str(r#"[{"slug":"wiki","launch_url":"https://wiki.example","provider":null}]"#)
                .unwrap();
        let proxies: Vec<ProxyProvider> = serde_json::from_str(
            r#"[{"pk":3,"name":"p","assigned_application_slug":"photos","mode":"forward_domain","skip_path_regex":"^/api"}]"#,
        )
        .unwrap();
        let census = Census::take(&users, &groups, &["family".to_owned()].into(), Grounds::default());
        let side = Side {
            groups: &groups,
            census: &census,
            applications: &applications,
            proxies: Some(&proxies),
            outposts: Some(&[]),
            factors: Some(&[]),
        };
        let all: Vec<String> = findings(side).into_iter().map(|r| format!("{}: {}", r.what, r.why)).collect();
        for part in [
            "look alike",
            "may do everything",
            "second factor",
            "wiki: a tile",
            "ask for no login",
            "whole domain",
            "in no outpost",
        ] {
            assert!(all.iter().any(|line| line.contains(part)), "{part}: {all:?}");
        }
        let unseen = Side { proxies: None, outposts: None, factors: None, ..side };
        assert_eq!(findings(unseen).len(), 3);
    }
}

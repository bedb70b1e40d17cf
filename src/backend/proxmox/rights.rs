//! What the token may do: `GET /access/permissions`, and which operation asks for which privilege.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::lenient::{LaxText, Maybe};

/// Privileges by path; the value is Proxmox's propagate flag.
///
/// Rights that an ancestor propagates are already written on every listed path, so that the nearest listed path
/// decides; a token that is separated from its user sees only what was given to the token itself.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Permissions(BTreeMap<String, Maybe<BTreeMap<String, LaxText>>>);

impl Permissions {
    /// Whether a privilege holds on a path.
    pub fn allows(&self, path: &str, privilege: &str) -> bool {
        let mut at = path;
        loop {
            if let Some(granted) = self.0.get(at) {
                let flag = granted.0.as_ref().and_then(|rights| rights.get(privilege));
                return flag.is_some_and(|flag| at == path || propagates(flag));
            }
            if at == "/" {
                return false;
            }
            at = match at.rsplit_once('/') {
                Some(("", _)) | None => "/",
                Some((parent, _)) => parent,
            };
        }
    }

    /// Whether one of several privileges (`A|B`) holds on a path.
    pub fn allows_one(&self, path: &str, alternatives: &str) -> bool {
        alternatives.split('|').any(|privilege| self.allows(path, privilege))
    }

    /// Whether one of several privileges holds on this path or on any below it.
    pub fn allows_somewhere(&self, below: &str, alternatives: &str) -> bool {
        let inside = |path: &str| path.strip_prefix(below).is_some_and(|rest| rest.starts_with('/'));
        self.allows_one(below, alternatives)
            || self.0.keys().any(|path| (below == "/" || inside(path)) && self.allows_one(path, alternatives))
    }

    /// As the server writes them, for the simulated one.
    #[cfg(feature = "demo")]
    pub fn to_json(&self) -> serde_json::Value {
        let flag = |flag: &LaxText| serde_json::json!(u8::from(propagates(flag)));
        let rights = |rights: &BTreeMap<String, LaxText>| -> serde_json::Map<String, serde_json::Value> {
            rights.iter().map(|(name, value)| (name.clone(), flag(value))).collect()
        };
        let listed = self.0.iter().filter_map(|(path, granted)| Some((path.clone(), granted.0.as_ref()?)));
        listed.map(|(path, granted)| (path, serde_json::Value::Object(rights(granted)))).collect()
    }

    /// Whether nothing at all was granted, as for a fresh token of its own.
    pub fn is_empty(&self) -> bool {
        self.0.values().all(|rights| rights.0.as_ref().is_none_or(BTreeMap::is_empty))
    }
}

fn propagates(flag: &LaxText) -> bool {
    !matches!(flag.0.as_deref(), None | Some("0" | ""))
}

/// A privilege that an operation needs, and below which path it is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// The privilege; alternatives are joined with `|`.
    pub privilege: &'static str,
    /// The path below which it is given (`/vms`, `/storage`, `/nodes`, `/`).
    pub below: &'static str,
}

/// A privilege on guests.
pub const fn on_guests(privilege: &'static str) -> Need {
    Need { privilege, below: "/vms" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permissions(json: &str) -> Permissions {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_nearest_listed_path_decides() {
        let granted = permissions(
            r#"{"/":{"VM.Audit":1,"VM.PowerMgmt":1},"/vms":{"VM.Audit":1},"/vms/200":{"VM.PowerMgmt":0},
                "/pool/p":{"VM.Backup":1}}"#,
        );
        let cases = [
            ("/vms/100", "VM.Audit", true),
            ("/vms/100", "VM.PowerMgmt", false),
            ("/vms/200", "VM.PowerMgmt", true),
            ("/vms/200", "VM.Audit", false),
            ("/nodes/pve", "VM.PowerMgmt", true),
            ("/storage", "Datastore.Audit", false),
        ];
        for (path, privilege, allowed) in cases {
            assert_eq!(granted.allows(path, privilege), allowed, "{path} {privilege}");
        }
        assert!(granted.allows_somewhere("/vms", "VM.PowerMgmt"));
        assert!(!granted.allows_somewhere("/vms", "VM.Backup"));
        assert!(granted.allows_one("/vms/100", "VM.Monitor|VM.Audit"));
    }

    #[test]
    fn a_right_that_is_not_propagated_ends_at_its_path() {
        let granted = permissions(r#"{"/vms":{"VM.Audit":0}}"#);
        assert!(granted.allows("/vms", "VM.Audit") && !granted.allows("/vms/100", "VM.Audit"));
    }

    #[test]
    fn an_empty_or_odd_grant_is_none() {
        assert!(permissions(r#"{"/":{}}"#).is_empty());
        assert!(permissions(r#"{"/":[]}"#).is_empty());
        assert!(!permissions(r#"{"/":{"Sys.Audit":"1"}}"#).is_empty());
    }
}

//! The instance itself: who we are to it, what we may do, which version it has.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::value::RawValue;

use super::tables;
use crate::backend::omni::lenient::{Lenient, messages};

messages! {
    /// `CurrentUserSpec`.
    CurrentUser { identity: String, role: String, }

    /// `SysVersionSpec`.
    SysVersion { backend_version: String, instance_name: String, backend_api_version: i64, }
}

/// Permissions by name (`can_update_talos`); what is not named is not granted.
macro_rules! permissions {
    ($($(#[$meta:meta])* $name:ident)*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq)]
        pub(in crate::backend::omni) struct $name(BTreeMap<String, bool>);

        impl $name {
            /// Whether a permission is granted.
            pub(in crate::backend::omni) fn grants(&self, permission: &str) -> bool {
                self.0.get(permission) == Some(&true)
            }
        }

        impl Lenient for $name {
            fn read(raw: &RawValue) -> Option<Self> {
                BTreeMap::read(raw).map(Self)
            }
        }
    )*};
}

permissions! {
    /// `PermissionsSpec`: what may be done anywhere.
    Permissions
    /// `ClusterPermissionsSpec`: what may be done to one cluster.
    ClusterPermissions
}

tables! {
    Permissions = "virtual" / "Permissions";
    ClusterPermissions = "virtual" / "ClusterPermissions";
    CurrentUser = "virtual" / "CurrentUsers";
}

impl super::Spec for SysVersion {
    const TABLE: super::Table =
        super::Table { namespace: "ephemeral", kind: "SysVersions.system.sidero.dev" };
}

/// An account's role, in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::backend::omni) enum Role {
    /// May do nothing, or is not known to this version.
    None,
    /// An infrastructure provider's.
    InfraProvider,
    /// Reads.
    Reader,
    /// Reads, also the audit log.
    Auditor,
    /// Changes.
    Operator,
    /// Everything.
    Admin,
}

impl Role {
    /// Reads the server's word.
    pub(in crate::backend::omni) fn named(word: &str) -> Self {
        match word {
            "InfraProvider" => Self::InfraProvider,
            "Reader" => Self::Reader,
            "Auditor" => Self::Auditor,
            "Operator" => Self::Operator,
            "Admin" => Self::Admin,
            _ => Self::None,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

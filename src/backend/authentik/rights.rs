//! What the token's user may do, as far as the server tells.
//!
//! `GET /core/users/me/` names superusers, and of all rights only those of the `authentik_rbac` application. What a role
//! grants elsewhere shows only in what is answered: a list that may not be seen answers 403, a change that may not be
//! made does so when it is tried.

use std::collections::BTreeMap;

use crate::backend::error::ApiError;
use crate::model::op::Rights;

use super::Authentik;
use super::client::Ask;
use super::ops;

/// A list that an operation has to read.
pub struct Look {
    /// The list.
    pub path: &'static str,
    /// The right to read it.
    pub right: &'static str,
}

impl Authentik {
    /// The operations that cannot work, and those of which the server does not tell.
    pub(super) async fn read_rights(&self) -> Result<Rights, ApiError> {
        let me = self.me().await?;
        let mut rights = Rights::default();
        if me.is_superuser.is_true() {
            return Ok(rights);
        }
        let mut seen: BTreeMap<&str, bool> = BTreeMap::new();
        for (op, looks) in ops::looks() {
            let mut missing = None;
            for look in looks {
                let visible = match seen.get(look.path) {
                    Some(visible) => *visible,
                    None => self.may_see(look).await?,
                };
                seen.insert(look.path, visible);
                missing = missing.or((!visible).then_some(look.right));
            }
            match missing {
                Some(right) => {
                    rights.missing.insert(op.to_owned(), right.to_owned());
                }
                None => rights.unknown.push(op.to_owned()),
            }
        }
        Ok(rights)
    }

    async fn may_see(&self, look: &Look) -> Result<bool, ApiError> {
        let ask = Ask::new(look.path, look.right).filtered(&[("page_size", "1")]);
        match self.client.raw(&ask).await {
            Ok(_) => Ok(true),
            Err(error) if error.fault.missing.is_some() => Ok(false),
            Err(error) => Err(error),
        }
    }
}

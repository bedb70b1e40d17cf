//! From a name or a row to the server's own record: exact matches over a fresh list, and identities as they are now.

use crate::backend::error::ApiError;
use crate::model::id::{EntityId, Identity, KindId};
use crate::model::op::Target;
use crate::model::snapshot::Layer;

use super::client::{element, is_missing};
use super::guest::{GuestConfig, GuestKey};
use super::kinds::{BACKUPS, GUESTS, NODES, SNAPSHOTS, TASKS};
use super::rights::Permissions;
use super::wire::{Current, Resource, Resources, TaskStatus};
use super::{Proxmox, rows, watch};

impl Proxmox {
    /// All rows of a kind whose name, number or key is exactly this.
    pub(super) async fn find(&self, kind: &KindId, exact: &str) -> Result<Vec<Target>, ApiError> {
        let no_kind = || ApiError::unsupported(format!("proxmox has no kind `{kind}`"));
        let feed = watch::feed_of(kind.as_str()).ok_or_else(no_kind)?;
        if let Some(asleep) = self.asleep(kind, exact).await {
            return Ok(vec![asleep]);
        }
        if matches!(kind.as_str(), SNAPSHOTS | BACKUPS) && exact.contains('/') {
            return self.by_key(kind, exact).await;
        }
        let snapshot = self.poll_feed(feed).await?;
        if !snapshot.complete {
            let error = ApiError::new(Layer::App, "the list is incomplete, so that a name proves nothing");
            let by_key = kind.as_str() == SNAPSHOTS;
            return Err(if by_key { error.hint("name it in full, as qemu/100/NAME") } else { error });
        }
        let number = |key: &str| key.rsplit_once('/').is_some_and(|(_, number)| number == exact);
        let fits = |row: &&crate::model::row::Row| {
            row.id.kind == *kind
                && (&*row.name == exact
                    || &*row.id.key == exact
                    || (kind.as_str() == GUESTS && number(&row.id.key)))
        };
        Ok(snapshot.rows.iter().filter(fits).map(Target::from).collect())
    }

    /// What a full key names, asked of its own guest or storage: no list of everything is needed to know it.
    async fn by_key(&self, kind: &KindId, key: &str) -> Result<Vec<Target>, ApiError> {
        let id = EntityId::new(kind.clone(), self.place.instance.clone(), key);
        let identity = match self.recognise(&id).await {
            Ok(identity) => identity,
            // A key of another shape, or of something that is not there, names nothing.
            Err(error) if error.fault.layer == Layer::App && error.fault.status.is_none() => {
                return Ok(Vec::new());
            }
            Err(error) => return Err(error),
        };
        let name = key.rsplit('/').next().unwrap_or(key);
        Ok(vec![Target { id, name: name.into(), identity, domain: self.place.domain }])
    }

    /// A host that can be woken but does not answer: the configuration is all there is.
    async fn asleep(&self, kind: &KindId, exact: &str) -> Option<Target> {
        if kind.as_str() != NODES || !self.wake.contains_key(exact) {
            return None;
        }
        let silent =
            matches!(&self.client.raw("/version").await, Err(error) if error.fault.layer == Layer::Tcp);
        silent.then(|| Target {
            id: EntityId::new(kind.clone(), self.place.instance.clone(), exact),
            name: exact.into(),
            identity: Identity::new().with("node", exact),
            domain: self.place.domain,
        })
    }

    /// What the token may do.
    pub(super) async fn permissions(&self) -> Result<Permissions, ApiError> {
        self.client.get("/access/permissions").await
    }

    /// The node that a guest is on now.
    pub(super) async fn node_of(&self, guest: GuestKey) -> Result<String, ApiError> {
        let reply = self.client.raw("/cluster/resources?type=vm").await?;
        let list = reply.json::<Resources<'_>>()?.data;
        let key = guest.to_string();
        let found = |resource: &&Resource<'_>| resource.id.as_deref() == Some(&key);
        let node = list.items.iter().find(found).and_then(|resource| resource.node.as_deref());
        node.and_then(safe).map(str::to_owned).ok_or_else(|| gone(guest))
    }

    /// A guest's node and configuration, asked where it was last seen and looked for where it is not there.
    pub(super) async fn locate(&self, guest: GuestKey) -> Result<(String, GuestConfig), ApiError> {
        let known = self.memory().known(guest.vmid).and_then(|known| known.node.clone());
        if let Some(node) = known.as_deref().and_then(safe) {
            match self.config(guest, node).await {
                Err(error) if is_missing(&error) => {}
                found => return found.map(|config| (node.to_owned(), config)),
            }
        }
        let node = self.node_of(guest).await?;
        let config = self.config(guest, &node).await;
        let config = config.map_err(|error| if is_missing(&error) { gone(guest) } else { error })?;
        Ok((node, config))
    }

    /// A guest's configuration as the file on its node has it.
    pub(super) async fn config(&self, guest: GuestKey, node: &str) -> Result<GuestConfig, ApiError> {
        self.client.get(&format!("{}/config", guest.path(node))).await
    }

    /// A guest's status, live: the cluster's list lags behind it by up to 10 s.
    pub(super) async fn current(&self, key: GuestKey, node: &str) -> Result<Current, ApiError> {
        let current: Current = self.client.get(&format!("{}/status/current", key.path(node))).await?;
        self.memory().saw(key.vmid, current.state());
        Ok(current)
    }

    /// The identity of a row's thing as the server has it now.
    pub(super) async fn recognise(&self, target: &EntityId) -> Result<Identity, ApiError> {
        match target.kind.as_str() {
            GUESTS => {
                let guest = GuestKey::of(target).ok_or_else(|| no_such(target))?;
                let (node, config) = self.locate(guest).await?;
                Ok(rows::guest_identity(&target.key, &node, config.name(), config.uuid().as_deref()))
            }
            TASKS => {
                let upid = super::upid::Upid::parse(&target.key).ok_or_else(|| no_such(target))?;
                let path = format!("/nodes/{}/tasks/{}/status", upid.node, element(&upid.raw));
                let _: TaskStatus = self.client.get(&path).await?;
                Ok(Identity::new().with("task", upid.raw))
            }
            SNAPSHOTS => self.recognise_snapshot(target).await,
            BACKUPS => self.recognise_backup(target).await,
            // Only waking is done to a host, and then nobody can be asked.
            NODES => Ok(Identity::new().with("node", target.key.clone())),
            _ => Err(ApiError::unsupported(format!("nothing is done to {}", target.kind))),
        }
    }
}

/// A node's name that may stand in a path.
pub(super) fn safe(node: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    let whole = !node.is_empty() && node.chars().all(plain) && !node.starts_with(['-', '.']);
    whole.then_some(node)
}

fn gone(guest: GuestKey) -> ApiError {
    ApiError::new(Layer::App, format!("there is no {guest} any more, or the token may not see it"))
        .hint("it was removed or migrated away; refresh the list")
}

fn no_such(target: &EntityId) -> ApiError {
    ApiError::new(Layer::App, format!("`{}` is no key of {}", target.key, target.kind))
}

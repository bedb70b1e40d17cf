//! Things that hang on each other: a guest's snapshots, a pool's devices.

use crate::backend::error::ApiError;
use crate::backend::proxmox::Proxmox;
use crate::backend::proxmox::client::element;
use crate::backend::proxmox::find::safe;
use crate::backend::proxmox::guest::GuestKey;
use crate::backend::proxmox::kinds::SNAPSHOTS;
use crate::backend::proxmox::wire::{Snapshot, Vdev};
use crate::model::id::EntityId;
use crate::model::row::Tone;
use crate::model::time;
use crate::model::view::{Node, Tree};

/// Deeper than this nothing is drawn; a parent that is its own child would never end.
const DEEPEST: u16 = 32;

impl Proxmox {
    /// A guest's snapshots by their parents, with the place where it stands.
    pub(super) async fn snapshot_tree(&self, id: &EntityId) -> Result<Tree, ApiError> {
        let wrong = || ApiError::unsupported(format!("`{}` is no guest", id.key));
        let key = GuestKey::of(id).ok_or_else(wrong)?;
        let (node, _) = self.locate(key).await?;
        let taken = self.snapshots(key, &node).await?;
        let row = |name: &str| EntityId::new(SNAPSHOTS, self.place.instance.clone(), format!("{key}/{name}"));
        Ok(snapshots(&taken, self.clock.now().as_second(), row))
    }

    /// A pool's devices with their states and error counts.
    pub(super) async fn device_tree(&self, id: &EntityId) -> Result<Tree, ApiError> {
        let wrong = || ApiError::unsupported(format!("`{}` is no pool", id.key));
        let (node, pool) = id.key.split_once('/').ok_or_else(wrong)?;
        let node = safe(node).ok_or_else(wrong)?;
        let top: Vdev = self.client.get(&format!("/nodes/{node}/disks/zfs/{}", element(pool))).await?;
        let mut tree = Tree::default();
        for (label, text) in
            [("scan", &top.scan), ("status", &top.status), ("action", &top.action), ("errors", &top.errors)]
        {
            if let Some(text) = text.as_deref().filter(|text| !text.trim().is_empty()) {
                tree.nodes.push(plain(0, label, "", Tone::Dim, text.trim()));
            }
        }
        for child in &top.children.items {
            device(child, 0, &mut tree);
        }
        Ok(tree)
    }
}

fn plain(depth: u16, label: &str, state: &str, tone: Tone, note: &str) -> Node {
    Node { depth, label: label.to_owned(), state: state.to_owned(), tone, note: note.to_owned(), id: None }
}

fn device(vdev: &Vdev, depth: u16, tree: &mut Tree) {
    let state = vdev.state.as_deref().unwrap_or("unknown");
    let tone = match state {
        "ONLINE" | "AVAIL" | "INUSE" => Tone::Ok,
        "DEGRADED" => Tone::Warn,
        "unknown" => Tone::Unknown,
        _ => Tone::Error,
    };
    let errors: Vec<String> = [("read", vdev.read), ("write", vdev.write), ("checksum", vdev.cksum)]
        .into_iter()
        .filter_map(|(what, count)| {
            count.filter(|count| *count > 0).map(|count| format!("{count} {what} errors"))
        })
        .collect();
    let said = vdev.msg.as_deref().unwrap_or_default();
    let note = [errors.join(", "), said.to_owned()].join(" ");
    tree.nodes.push(plain(
        depth,
        vdev.name.as_deref().unwrap_or("?"),
        &state.to_lowercase(),
        tone,
        note.trim(),
    ));
    if depth < DEEPEST {
        for child in &vdev.children.items {
            device(child, depth + 1, tree);
        }
    }
}

/// The list is flat and unordered: each names its parent.
fn snapshots(taken: &[Snapshot], now: i64, row: impl Fn(&str) -> EntityId) -> Tree {
    let mut tree = Tree::default();
    let known = |name: &str| taken.iter().any(|snapshot| snapshot.name.as_deref() == Some(name));
    let roots =
        taken.iter().filter(|snapshot| snapshot.parent.as_deref().is_none_or(|parent| !known(parent)));
    for root in roots {
        branch(root, taken, 0, now, &row, &mut tree);
    }
    tree
}

fn branch(
    snapshot: &Snapshot,
    taken: &[Snapshot],
    depth: u16,
    now: i64,
    row: &impl Fn(&str) -> EntityId,
    tree: &mut Tree,
) {
    let Some(name) = snapshot.name.as_deref() else { return };
    let here = name == "current";
    let age = snapshot.snaptime.map(|at| format!("{} old", time::short(now - at)));
    let memory = (snapshot.vmstate == Some(true)).then(|| "with memory".to_owned());
    let text = snapshot.description.as_deref().map(str::trim).filter(|text| !text.is_empty() && !here);
    let notes: Vec<String> = [age, memory, text.map(str::to_owned)].into_iter().flatten().collect();
    let (label, state, tone) = match (here, snapshot.snapstate.as_deref()) {
        (true, _) => ("now", "", Tone::Info),
        (false, Some(state)) => (name, state, Tone::Pending),
        (false, None) => (name, "", Tone::Text),
    };
    let node = plain(depth, label, state, tone, &notes.join(" · "));
    tree.nodes.push(Node { id: (!here).then(|| row(name)), ..node });
    if depth < DEEPEST {
        let mut children: Vec<&Snapshot> = taken
            .iter()
            .filter(|child| child.parent.as_deref() == Some(name) && child.name != snapshot.name)
            .collect();
        children.sort_by_key(|child| (child.name.as_deref() == Some("current"), child.snaptime));
        for child in children {
            branch(child, taken, depth + 1, now, row, tree);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_hang_on_their_parents_and_end_where_the_guest_stands() {
        let taken: Vec<Snapshot> = serde_json::from_str(
            r#"[{"name":"current","parent":"b"},{"name":"b","parent":"a","snaptime":200,"vmstate":1},
                {"name":"c","parent":"a","snaptime":100},{"name":"a","snaptime":50,"description":"first\n"}]"#,
        )
        .unwrap();
        let tree = snapshots(&taken, 7_250, |name| EntityId::new(SNAPSHOTS, "pve", name));
        let lines: Vec<(u16, &str)> =
            tree.nodes.iter().map(|node| (node.depth, node.label.as_str())).collect();
        assert_eq!(lines, [(0, "a"), (1, "c"), (1, "b"), (2, "now")]);
        assert_eq!(tree.nodes[0].note, "2h old · first");
        assert!(tree.nodes[3].id.is_none());
    }

    #[test]
    fn a_circle_of_snapshots_ends() {
        let taken: Vec<Snapshot> = serde_json::from_str(
            r#"[{"name":"a","parent":"b"},{"name":"b","parent":"a"},{"name":"r"},{"name":"x","parent":"x"}]"#,
        )
        .unwrap();
        let tree = snapshots(&taken, 0, |name| EntityId::new(SNAPSHOTS, "pve", name));
        assert_eq!(tree.nodes.len(), 1);
    }
}

//! What a facet means on a row: a pod *is* an object, *stands on* a node, *carries* an application.

use crate::model::id::KindId;
use crate::model::row::FacetKey;

/// How a row relates to the thing that one of its facets names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bond {
    /// It is that thing.
    Is,
    /// It needs that thing: where the thing fails, so does it.
    On,
    /// That thing needs it.
    Carries,
    /// It tells of that thing (an alert, an event).
    About,
}

/// How one row relates to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Relation {
    /// Both are one thing.
    Same,
    /// The other one is needed by this one.
    Above,
    /// The other one needs this one.
    Below,
    /// The other one is what this one tells of.
    Subject,
    /// The other one tells of this one.
    Remark,
    /// Both tell of one thing.
    Beside,
}

impl Relation {
    /// The word for it, as said of the other row.
    pub fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Above => "needed",
            Self::Below => "needs it",
            Self::Subject => "is about",
            Self::Remark => "tells of it",
            Self::Beside => "beside it",
        }
    }

    /// What two bonds to one thing make of the rows; `None` where they have nothing to do with each other.
    pub fn between(this: Bond, other: Bond) -> Option<Self> {
        Some(match (this, other) {
            (Bond::Is, Bond::Is) => Self::Same,
            (Bond::On, Bond::Is) | (Bond::Is | Bond::On, Bond::Carries) => Self::Above,
            (Bond::Is, Bond::On) | (Bond::Carries, Bond::Is | Bond::On) => Self::Below,
            (Bond::About, Bond::Is) => Self::Subject,
            (Bond::Is, Bond::About) => Self::Remark,
            (Bond::About, Bond::About) => Self::Beside,
            _ => return None,
        })
    }
}

/// The bond of a facet on a row of a kind; what nobody has said anything about is only a remark.
pub fn bond(kind: &KindId, key: FacetKey) -> Bond {
    use FacetKey::{
        App, Cluster, Fingerprint, Gate, Guest, Host, Ip, Mac, MachineUuid, Name, Node, Object, Workload,
    };
    match (kind.backend(), kind.name(), key) {
        (_, _, Fingerprint)
        | ("proxmox", "nodes", Host | Name | Ip)
        | ("proxmox", "guests", MachineUuid | Mac | Guest | Host | Name | Ip)
        | ("omni", "clusters", Name | Cluster)
        | ("omni", "machines", MachineUuid | Mac | Ip | Host | Node | Name)
        | ("kubernetes", "nodes", Node | MachineUuid | Guest | Ip | Host | Name)
        | ("kubernetes", "pods", Ip)
        | ("kubernetes", "deployments" | "statefulsets" | "daemonsets" | "cronjobs", Workload)
        | ("argocd", "applications", App | Name)
        | ("authentik", "applications", App | Host)
        | ("authentik", "outposts", Gate | Name)
        | ("docker", "containers", Name)
        | ("cloudflare", "tunnels", Name)
        | ("probe", _, Host) => Bond::Is,
        ("kubernetes", "events", _) => Bond::About,
        ("kubernetes", _, Object) => Bond::Is,
        ("kubernetes", _, App | Host | Cluster | Workload)
        | ("omni", _, Cluster)
        | ("docker", _, Gate | App | Host) => Bond::Carries,
        // A run that names a host in its error could not do without it.
        ("github", "runs", Host)
        | ("kubernetes", _, Node)
        | ("vigie", "pinned", Object | Node)
        | (_, "applications", Gate | Cluster)
        | ("authentik", "outposts", Host)
        | ("probe", _, Gate) => Bond::On,
        _ => Bond::About,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bonds_to_one_thing_say_who_needs_whom() {
        let cases = [
            (Bond::Is, Bond::Is, Some(Relation::Same)),
            (Bond::On, Bond::Is, Some(Relation::Above)),
            (Bond::Is, Bond::On, Some(Relation::Below)),
            (Bond::Carries, Bond::Is, Some(Relation::Below)),
            (Bond::About, Bond::Is, Some(Relation::Subject)),
            (Bond::Is, Bond::About, Some(Relation::Remark)),
            (Bond::On, Bond::On, None),
            (Bond::Carries, Bond::Carries, None),
            (Bond::About, Bond::On, None),
        ];
        for (this, other, relation) in cases {
            assert_eq!(Relation::between(this, other), relation, "{this:?} {other:?}");
        }
    }

    #[test]
    fn a_pod_is_an_object_on_a_node_that_carries_an_application() {
        let pods = KindId::from("kubernetes.pods");
        assert_eq!(bond(&pods, FacetKey::Object), Bond::Is);
        assert_eq!(bond(&pods, FacetKey::Node), Bond::On);
        assert_eq!(bond(&pods, FacetKey::App), Bond::Carries);
        assert_eq!(bond(&"alerts.alerts".into(), FacetKey::Node), Bond::About);
        assert_eq!(bond(&"nobody.knows".into(), FacetKey::Host), Bond::About);
    }
}

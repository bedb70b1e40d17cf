//! How workloads are reached, what they keep, and where they live.

use serde::Deserialize;

use crate::backend::lenient::{Dict, Int, List, Obj, Text, Words};

use super::{Condition, Meta};

/// `v1.Service`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Service {
    /// Its metadata.
    pub metadata: Obj<Meta>,
    /// What is wanted.
    pub spec: Obj<ServiceSpec>,
    /// What was given.
    pub status: Obj<Balanced>,
}

/// `v1.ServiceSpec`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ServiceSpec {
    /// `ClusterIP`, `NodePort`, `LoadBalancer`, `ExternalName`.
    #[serde(rename = "type")]
    pub sort: Text,
    /// Its address inside.
    #[serde(rename = "clusterIP")]
    pub cluster_ip: Text,
    /// What it stands for.
    pub external_name: Text,
    /// Its ports.
    pub ports: List<Port>,
    /// Which pods are behind it.
    pub selector: Dict,
}

/// `v1.ServicePort`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Port {
    /// Its number.
    pub port: Int,
    /// `TCP`, `UDP`.
    pub protocol: Text,
}

/// The load balancer's side of a Service or an Ingress.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Balanced {
    /// What the load balancer gave.
    pub load_balancer: Obj<Balancer>,
}

/// `v1.LoadBalancerStatus`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Balancer {
    /// Its points of entry.
    pub ingress: List<Entry>,
}

/// One point of entry.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Entry {
    /// An address,
    pub ip: Text,
    /// or a name.
    pub hostname: Text,
}

impl Balancer {
    /// The first point of entry.
    pub fn first(&self) -> &str {
        self.ingress.first().map_or("", |entry| entry.ip.some().unwrap_or(&entry.hostname))
    }
}

/// `networking.k8s.io/v1` Ingress.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Ingress {
    /// Its metadata.
    pub metadata: Obj<Meta>,
    /// What is wanted.
    pub spec: Obj<IngressSpec>,
    /// What was given.
    pub status: Obj<Balanced>,
}

/// `networking.k8s.io/v1.IngressSpec`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct IngressSpec {
    /// Who serves it.
    pub ingress_class_name: Text,
    /// Its hosts.
    pub rules: List<Rule>,
    /// Its certificates.
    pub tls: List<Tls>,
}

/// A rule of an Ingress.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Rule {
    /// The host.
    pub host: Text,
}

/// The certificate of some hosts.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Tls {
    /// The secret that holds it.
    pub secret_name: Text,
}

/// `gateway.networking.k8s.io/v1` `HTTPRoute`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Route {
    /// Its metadata.
    pub metadata: Obj<Meta>,
    /// What is wanted.
    pub spec: Obj<RouteSpec>,
    /// Who took it on.
    pub status: Obj<RouteStatus>,
}

/// `HTTPRouteSpec`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RouteSpec {
    /// Its hosts.
    pub hostnames: Words,
    /// The gateways it wants to hang on.
    pub parent_refs: List<super::Reference>,
}

/// `RouteStatus`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct RouteStatus {
    /// One for each gateway.
    pub parents: List<RouteParent>,
}

/// What a gateway says of a route.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct RouteParent {
    /// Accepted, references resolved.
    pub conditions: List<Condition>,
}

/// `v1.PersistentVolumeClaim`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Claim {
    /// Its metadata.
    pub metadata: Obj<Meta>,
    /// What is wanted.
    pub spec: Obj<ClaimSpec>,
    /// What was given.
    pub status: Obj<ClaimStatus>,
}

/// `v1.PersistentVolumeClaimSpec`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ClaimSpec {
    /// Who provides it.
    pub storage_class_name: Text,
    /// The volume.
    pub volume_name: Text,
    /// `ReadWriteOnce`, `ReadWriteMany`.
    pub access_modes: Words,
}

/// `v1.PersistentVolumeClaimStatus`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ClaimStatus {
    /// `Pending`, `Bound`, `Lost`.
    pub phase: Text,
    /// `storage`.
    pub capacity: Dict,
}

/// `v1.PersistentVolume`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Volume {
    /// Its metadata.
    pub metadata: Obj<Meta>,
    /// What it is.
    pub spec: Obj<VolumeSpec>,
    /// Whose it is.
    pub status: Obj<VolumeStatus>,
}

/// `v1.PersistentVolumeSpec`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct VolumeSpec {
    /// Who provides it.
    pub storage_class_name: Text,
    /// `Retain` or `Delete`.
    pub persistent_volume_reclaim_policy: Text,
    /// `storage`.
    pub capacity: Dict,
    /// The claim.
    pub claim_ref: Obj<super::Reference>,
}

/// `v1.PersistentVolumeStatus`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct VolumeStatus {
    /// `Available`, `Bound`, `Released`, `Failed`.
    pub phase: Text,
    /// Why it failed.
    pub message: Text,
}

/// `v1.Namespace`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Namespace {
    /// Its metadata.
    pub metadata: Obj<Meta>,
    /// Active or Terminating.
    pub status: Obj<Phase>,
}

/// A status of one word.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Phase {
    /// The word.
    pub phase: Text,
    /// What holds it up.
    pub conditions: List<Condition>,
}

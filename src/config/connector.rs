//! What each connector needs, already checked: a backend that holds one of these can connect or say why not.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::edge::Rotation;
use super::secret::Secret;
use crate::model::row::Domain;

/// Whom to believe when a server shows its certificate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Trust {
    /// The certificate authorities of this machine.
    #[default]
    System,
    /// Only the certificates in this PEM file.
    Ca(PathBuf),
    /// Only the certificate with this SHA-256 of its DER form, whatever its name, issuer or dates.
    Fingerprint([u8; 32]),
}

/// What every HTTP connector takes.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The instance's name, unique over its table: `[a-z0-9][a-z0-9-]*`.
    pub name: Arc<str>,
    /// An absolute `http` or `https` URL without credentials, query, fragment or trailing slash.
    pub url: String,
    /// The `Host` header to send instead of the URL's host, for a server reached behind its router.
    pub host_header: Option<String>,
    /// Headers sent with every request, such as a Cloudflare Access service token.
    pub headers: Vec<(String, Secret)>,
    /// An `http`, `https`, `socks5` or `socks5h` proxy.
    pub proxy: Option<String>,
    /// Whom to believe when the server shows its certificate.
    pub trust: Trust,
    /// The failure domain of the server.
    pub domain: Domain,
    /// The address a browser uses, without trailing slash, where it is another one than `url`.
    pub public_url: Option<String>,
    /// Whether plain `http` beyond loopback was asked for in so many words.
    pub plaintext: bool,
    /// How long one request may take.
    pub timeout: Duration,
}

impl Connection {
    /// How long a request may take where nothing else is said.
    pub const TIMEOUT: Duration = Duration::from_secs(10);

    /// A server of which nothing is set but its name and URL.
    pub fn to(name: impl Into<Arc<str>>, url: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            url: url.into(),
            host_header: None,
            headers: Vec::new(),
            proxy: None,
            trust: Trust::System,
            domain: Domain::Unknown,
            public_url: None,
            plaintext: false,
            timeout: Self::TIMEOUT,
        }
    }

    /// The address for people: `public_url`, else `url`.
    pub fn browser_url(&self) -> &str {
        self.public_url.as_deref().unwrap_or(&self.url)
    }
}

/// One `[[proxmox]]`: a Proxmox VE cluster or host.
#[derive(Debug, Clone)]
pub struct Proxmox {
    /// Where it is.
    pub connection: Connection,
    /// An API token, `USER@REALM!TOKENID=UUID`.
    pub token: Secret,
    /// The memory that a host may give away.
    pub budget: MemoryBudget,
    /// Hosts that can be woken, with the address of the network card that listens.
    pub wake: BTreeMap<String, [u8; 6]>,
    /// Where the packet that wakes a host is sent.
    pub wake_to: SocketAddr,
    /// The command that reaches a host's shell; `{node}` stands for its name. Empty: there is none.
    pub shell: Vec<String>,
}

impl Proxmox {
    /// An instance with defaults for everything but these.
    pub fn new(connection: Connection, token: Secret) -> Self {
        Self {
            connection,
            token,
            budget: MemoryBudget::default(),
            wake: BTreeMap::new(),
            wake_to: SocketAddr::from(([255, 255, 255, 255], 9)),
            shell: ["ssh", "-t", "root@{node}"].map(str::to_owned).to_vec(),
        }
    }
}

/// A hardware address: six pairs of hex digits, joined with `:` or `-`.
pub fn hardware_address(text: &str) -> Option<[u8; 6]> {
    let pairs: Vec<&str> = text.trim().split([':', '-']).collect();
    let pairs: [&str; 6] = pairs.try_into().ok()?;
    let mut address = [0; 6];
    for (byte, pair) in address.iter_mut().zip(pairs) {
        *byte = u8::from_str_radix(pair, 16).ok().filter(|_| pair.len() == 2)?;
    }
    Some(address)
}

/// The terms of the two sums that decide whether a guest may be started; sizes in GiB.
///
/// They are the owner's, not Proxmox's: it starts anything.
#[derive(Debug, Clone, PartialEq)]
pub struct MemoryBudget {
    /// A host's nominal memory; without it there is no plan and only what is measured counts.
    pub ram: Option<f64>,
    /// What the host itself needs.
    pub host: f64,
    /// What the ZFS cache may take by plan.
    pub arc: f64,
    /// What is never given away.
    pub reserve: f64,
    /// What the ZFS cache keeps under pressure.
    pub arc_floor: f64,
    /// The part of the cache above its floor that counts as free at once.
    pub reclaim: f64,
    /// What a virtual machine costs beyond its memory.
    pub overhead: f64,
    /// The same as a part of its memory.
    pub overhead_part: f64,
    /// The part of what running guests may still take that counts in the tight sum.
    pub tight_growth: f64,
    /// What the tight sum has to leave.
    pub tight_left: f64,
}

impl Default for MemoryBudget {
    fn default() -> Self {
        Self {
            ram: None,
            host: 4.0,
            arc: 8.0,
            reserve: 4.0,
            arc_floor: 2.0,
            reclaim: 0.5,
            overhead: 0.25,
            overhead_part: 0.03,
            tight_growth: 0.3,
            tight_left: 1.0,
        }
    }
}

/// One `[[omni]]`: a Sidero Omni instance.
#[derive(Debug, Clone)]
pub struct Omni {
    /// Where it is.
    pub connection: Connection,
    /// A service account key as Omni prints it (base64), used to read.
    pub key: Secret,
    /// A service account key that may write; used only while writes are armed.
    pub operator_key: Option<Secret>,
    /// Cluster templates of `omnictl`, with which the clusters that they name are compared.
    pub templates: Vec<PathBuf>,
    /// What short-lived clusters are made of, and what may be destroyed; without it neither is done.
    pub ephemeral: Option<Ephemeral>,
}

/// The table `ephemeral` of an `[[omni]]`: short-lived clusters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ephemeral {
    /// What their names begin with; a run id follows.
    pub prefix: String,
    /// The machine classes that make their machines on demand; a cluster with any other machine is never destroyed.
    pub classes: Vec<String>,
    /// A cluster template with `${name}` in it, as `omnictl cluster template` reads them.
    pub template: Option<PathBuf>,
    /// The Omni cluster whose nodes carry their virtual machines, so that room and leftovers can be looked at.
    pub host: Option<String>,
    /// The beginning of the `namespace/name` of a pod whose node must keep a fifth of its memory free.
    pub protect: Option<String>,
}

/// One `[[kubernetes]]`: a context of a kubeconfig.
#[derive(Debug, Clone)]
pub struct Kubernetes {
    /// The instance's name, unique over its table.
    pub name: Arc<str>,
    /// The kubeconfig file; without it `KUBECONFIG` and `~/.kube/config` are read as kubectl does.
    pub kubeconfig: Option<PathBuf>,
    /// The context; without it the file's current context.
    pub context: Option<String>,
    /// The failure domain of the cluster.
    pub domain: Domain,
    /// How long one request may take.
    pub timeout: Duration,
}

/// One `[[argocd]]`: an Argo CD, read through its custom resources and, if configured, its REST API.
#[derive(Debug, Clone)]
pub struct ArgoCd {
    /// The instance's name, unique over its table.
    pub name: Arc<str>,
    /// The name of the `[[kubernetes]]` that holds the Applications.
    pub kubernetes: Arc<str>,
    /// The namespace Argo CD runs in.
    pub namespace: String,
    /// The REST API and its bearer token (a JWT).
    pub rest: Option<(Connection, Secret)>,
    /// The failure domain: its own, else that of its Kubernetes.
    pub domain: Domain,
    /// The address a browser uses, without trailing slash.
    pub public_url: Option<String>,
    /// How a change goes from one environment into the next; without it nothing is promoted.
    pub promote: Option<Promotion>,
}

/// The table `promote` of an `[[argocd]]`: two environments, told apart by a label of their applications.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promotion {
    /// The environment that goes first.
    pub from: String,
    /// The one that follows.
    pub to: String,
    /// The label that says where an application is.
    pub label: String,
    /// How long a revision has to have run well in the first.
    pub stable: Duration,
    /// What GitHub Actions have to do with it.
    pub pipeline: Option<Pipeline>,
}

/// The workflows of a [`Promotion`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline {
    /// The `[[github]]` whose repository holds them.
    pub github: Arc<str>,
    /// The file of the one whose run has to be green at the very revision.
    pub check: Option<String>,
    /// The file of the one that changes what the second environment runs; without it the application is patched.
    pub workflow: Option<String>,
    /// Its input that takes the revision.
    pub input: String,
}

/// One `[[authentik]]`: an Authentik instance.
#[derive(Debug, Clone)]
pub struct Authentik {
    /// Where it is, without `/api/v3`.
    pub connection: Connection,
    /// The key of a token with the intent `api`.
    pub token: Secret,
    /// The slug of the flow that an invitation opens.
    pub enrollment_flow: String,
    /// The key of an invitation's `fixed_data` from which the flow's policy reads the group.
    pub group_key: String,
    /// The key under `attributes` by which an enrolled user is matched to the invitation.
    pub mark: String,
    /// Groups into which nobody is ever invited.
    pub admin_groups: Vec<String>,
    /// Groups whose members count as validated, and as family in the audit.
    pub family_groups: Vec<String>,
    /// The slugs of applications that are for administrators alone.
    pub admin_apps: Vec<String>,
    /// The slugs of applications that are for the family.
    pub family_apps: Vec<String>,
    /// The accounts of programs that there should be.
    pub service_accounts: Vec<String>,
    /// Applications that keep accounts of their own, which are closed by hand.
    pub native_accounts: Vec<String>,
    /// The texts that go with a link, by language; `{link}`, `{until}`, `{group}` and `{name}` are filled in.
    pub messages: BTreeMap<String, String>,
    /// The language that is proposed.
    pub language: String,
    /// The workflow that swaps a token's key; absent where there is none.
    pub rotation: Option<Rotation>,
}

impl Authentik {
    /// An instance with defaults for everything but these.
    pub fn new(connection: Connection, token: Secret) -> Self {
        let messages = [("en", MESSAGE_EN), ("fr", MESSAGE_FR)];
        Self {
            connection,
            token,
            enrollment_flow: "invitation-enrollment".to_owned(),
            group_key: "group".to_owned(),
            mark: "vigie".to_owned(),
            admin_groups: vec!["authentik Admins".to_owned()],
            family_groups: Vec::new(),
            admin_apps: Vec::new(),
            family_apps: Vec::new(),
            service_accounts: Vec::new(),
            native_accounts: Vec::new(),
            messages: messages.map(|(language, text)| (language.to_owned(), text.to_owned())).into(),
            language: "en".to_owned(),
            rotation: None,
        }
    }
}

/// The text that goes with a link, where the configuration has none of its own.
const MESSAGE_EN: &str = "Hello! Here is your link. Open it once, on the device you will use, and not in a chat \
preview: it works a single time.\n{link}\nIt is good until {until}.";
const MESSAGE_FR: &str = "Bonjour ! Voici ton lien. Ouvre-le une seule fois, sur l'appareil que tu utiliseras, et \
pas dans l'aperçu d'une messagerie : il ne sert qu'une fois.\n{link}\nIl est valable jusqu'au {until}.";

/// How an HTTP server wants to be told who asks.
#[derive(Debug, Clone, Default)]
pub enum HttpAuth {
    /// Not at all.
    #[default]
    None,
    /// HTTP Basic.
    Basic {
        /// The user name.
        user: String,
        /// The password.
        password: Secret,
    },
    /// `Authorization: Bearer`.
    Bearer(Secret),
}

/// One `[[alertmanager]]`: an Alertmanager, perhaps a member of a cluster.
#[derive(Debug, Clone)]
pub struct Alertmanager {
    /// Where it is, with its route prefix but without `/api/v2`.
    pub connection: Connection,
    /// The high-availability cluster: members share alerts and silences.
    pub cluster: Option<String>,
    /// How it wants to be told who asks.
    pub auth: HttpAuth,
}

/// One `[[prometheus]]`: a Prometheus server.
#[derive(Debug, Clone)]
pub struct Prometheus {
    /// Where it is, with its route prefix but without `/api/v1`.
    pub connection: Connection,
    /// How it wants to be told who asks.
    pub auth: HttpAuth,
}

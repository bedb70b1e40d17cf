//! What the Docker Engine's API sends (1.41 and newer), with its own names; a field of a wrong type costs that field.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::backend::lenient::{Flag, Int, List, Maybe, Obj, Text, Words};

/// An element of `GET /containers/json?all=true`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Listed {
    /// 64 hex digits.
    pub id: Text,
    /// With a slash in front.
    pub names: Words,
    /// As it was asked for: `name:tag`, or the id of an image that has no tag any more.
    pub image: Text,
    /// `sha256:…`.
    #[serde(rename = "ImageID")]
    pub image_id: Text,
    /// `running`, `exited`, `restarting`, `paused`, `created`, `dead`.
    pub state: Text,
    /// `Up 3 hours (healthy)`.
    pub status: Text,
    /// Its own labels and those of its image.
    pub labels: Obj<BTreeMap<String, Text>>,
    /// Published ports.
    pub ports: List<Port>,
}

/// A port.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Port {
    /// The host's address.
    #[serde(rename = "IP")]
    pub ip: Text,
    /// Inside.
    pub private_port: Int,
    /// Outside, where it is published.
    pub public_port: Int,
}

/// `GET /containers/{id}/json`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Inspected {
    /// 64 hex digits.
    pub id: Text,
    /// With a slash in front.
    pub name: Text,
    /// `sha256:…` of the image.
    pub image: Text,
    /// How often the engine has restarted it by its policy.
    pub restart_count: Int,
    /// How it is.
    pub state: Obj<State>,
    /// What it was made of. Its environment is not read: it holds passwords.
    pub config: Obj<Config>,
    /// Its limits.
    pub host_config: Obj<HostConfig>,
}

/// How a container is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct State {
    /// `running`, `exited` …
    pub status: Text,
    /// Whether the kernel killed it for memory.
    #[serde(rename = "OOMKilled")]
    pub oom_killed: Flag,
    /// Its last exit code.
    pub exit_code: Int,
    /// Why it could not be started.
    pub error: Text,
    /// RFC 3339; `0001-01-01` where it never was.
    pub started_at: Text,
    /// RFC 3339.
    pub finished_at: Text,
    /// Its health check, where it has one.
    pub health: Maybe<HealthCheck>,
}

/// A health check.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct HealthCheck {
    /// `starting`, `healthy`, `unhealthy` or `none`.
    pub status: Text,
    /// Failures in a row.
    pub failing_streak: Int,
    /// The last probes.
    pub log: List<Probe>,
}

/// One probe.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Probe {
    /// When it ended.
    pub end: Text,
    /// 0 is good.
    pub exit_code: Int,
    /// What it printed.
    pub output: Text,
}

/// What a container was made of.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Config {
    /// As it was asked for.
    pub image: Text,
    /// Whether its output is one stream without frames.
    pub tty: Flag,
}

/// A container's limits.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct HostConfig {
    /// The size of its `/dev/shm`, in bytes; 64 MiB unless it was set.
    pub shm_size: Int,
    /// When it is restarted by itself.
    pub restart_policy: Obj<RestartPolicy>,
}

/// When a container is restarted by itself.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct RestartPolicy {
    /// `no`, `always`, `unless-stopped`, `on-failure`.
    pub name: Text,
}

/// An element of `GET /images/json`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Image {
    /// `sha256:…`.
    pub id: Text,
    /// `name:tag`; empty or `<none>:<none>` where a tag has moved on.
    pub repo_tags: Words,
    /// `name@sha256:…`.
    pub repo_digests: Words,
    /// Unix seconds.
    pub created: Int,
    /// Bytes.
    pub size: Int,
    /// Labels, among them the version.
    pub labels: Obj<BTreeMap<String, Text>>,
}

/// `GET /containers/{id}/stats?stream=false`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Stats {
    /// Now.
    pub cpu_stats: Obj<CpuStats>,
    /// At the sample before.
    pub precpu_stats: Obj<CpuStats>,
    /// Memory.
    pub memory_stats: Obj<MemoryStats>,
}

/// Processor time.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct CpuStats {
    /// The container's.
    pub cpu_usage: Obj<CpuUsage>,
    /// The machine's, in nanoseconds.
    pub system_cpu_usage: Int,
    /// How many processors.
    pub online_cpus: Int,
}

/// A container's processor time.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct CpuUsage {
    /// Nanoseconds.
    pub total_usage: Int,
}

/// Memory of a container.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct MemoryStats {
    /// Bytes, the page cache among them.
    pub usage: Int,
    /// What it may use, in bytes.
    pub limit: Int,
    /// Parts of it.
    pub stats: Obj<MemoryParts>,
}

/// Parts of a container's memory.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct MemoryParts {
    /// Page cache that can go at once (cgroup 2); subtracted, as `docker stats` does.
    pub inactive_file: Int,
}

impl Stats {
    /// Processors in use (1.0 is one), between the two samples; `None` where there is but one.
    pub fn cpu(&self) -> Option<f64> {
        let (now, before) = (&self.cpu_stats, &self.precpu_stats);
        let used = now.cpu_usage.total_usage.0? - before.cpu_usage.total_usage.0?;
        let passed = now.system_cpu_usage.0? - before.system_cpu_usage.0.filter(|at| *at > 0)?;
        #[allow(clippy::cast_precision_loss)]
        (passed > 0 && used >= 0)
            .then(|| used as f64 / passed as f64 * now.online_cpus.0.unwrap_or(1).max(1) as f64)
    }

    /// Bytes in use without the page cache.
    pub fn memory(&self) -> Option<i64> {
        let usage = self.memory_stats.usage.0?;
        Some((usage - self.memory_stats.stats.inactive_file.or_zero()).max(0))
    }
}

/// A line of `GET /events`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Event {
    /// `container`, `image`, `network` …
    #[serde(rename = "Type")]
    pub kind: Text,
    /// `start`, `die`, `pull`, `health_status: unhealthy` …
    #[serde(rename = "Action")]
    pub action: Text,
    /// Whom.
    #[serde(rename = "Actor")]
    pub actor: Obj<Actor>,
    /// Nanoseconds since the epoch.
    #[serde(rename = "timeNano")]
    pub time_nano: Int,
}

/// Whom an event is about.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Actor {
    /// A container's id or an image's name.
    #[serde(rename = "ID")]
    pub id: Text,
    /// Labels and facts such as `name`, `image`, `exitCode`.
    #[serde(rename = "Attributes")]
    pub attributes: Obj<BTreeMap<String, Text>>,
}

/// `GET /version`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Version {
    /// The engine's.
    pub version: Text,
    /// The API's newest.
    pub api_version: Text,
}

//! What is told of tasks.

use serde::Deserialize;

use crate::backend::proxmox::lenient::lax;

/// One entry of `GET /cluster/tasks` or `GET /nodes/{node}/tasks`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Task {
    /// Its id.
    #[serde(deserialize_with = "lax")]
    pub upid: Option<String>,
    /// Who started it.
    #[serde(deserialize_with = "lax")]
    pub user: Option<String>,
    /// With which token; active entries keep it inside `user`.
    #[serde(deserialize_with = "lax")]
    pub tokenid: Option<String>,
    /// Epoch seconds.
    #[serde(deserialize_with = "lax")]
    pub starttime: Option<i64>,
    /// Epoch seconds; absent while it runs.
    #[serde(deserialize_with = "lax")]
    pub endtime: Option<i64>,
    /// How it ended; absent or `RUNNING` while it runs.
    #[serde(deserialize_with = "lax")]
    pub status: Option<String>,
}

/// `GET /nodes/{node}/tasks/{upid}/status`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct TaskStatus {
    /// `running` or `stopped`.
    #[serde(deserialize_with = "lax")]
    pub status: Option<String>,
    /// `OK`, `WARNINGS: n` or the error; may be late after `stopped`.
    #[serde(deserialize_with = "lax")]
    pub exitstatus: Option<String>,
}

/// One line of a task's log.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct LogEntry {
    /// From 1.
    #[serde(deserialize_with = "lax")]
    pub n: Option<i64>,
    /// Its text.
    #[serde(deserialize_with = "lax")]
    pub t: Option<String>,
}

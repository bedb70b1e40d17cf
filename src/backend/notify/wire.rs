//! What ntfy sends and takes, with its own names.

use serde::Deserialize;

use crate::backend::lenient::{Int, Text, Words};

/// A line of `GET /<topics>/json`, and the answer to a publish.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Message {
    /// Its id.
    pub id: Text,
    /// Unix seconds.
    pub time: Int,
    /// `message`; others (`open`, `keepalive`, `poll_request`) are no messages.
    pub event: Text,
    /// Its topic.
    pub topic: Text,
    /// Its heading.
    pub title: Text,
    /// Its text.
    pub message: Text,
    /// 1 to 5; absent is 3.
    pub priority: Int,
    /// Tags, among them the names of emojis.
    pub tags: Words,
    /// Where a tap leads.
    pub click: Text,
}

/// An error.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Refused {
    /// `40101`, `42901` …
    pub code: Int,
    /// In words.
    pub error: Text,
}

//! One poll of a host: its containers with what only a closer look tells, and its images.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use futures_util::future::{join, join_all};
use jiff::Timestamp;

use crate::backend::error::ApiError;

use super::client::Engine;
use super::version::{Reference, is_lower, version};
use super::wire::{Image, Inspected, Listed, Stats};

/// A container and what is known of it.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// As it was listed.
    pub listed: Listed,
    /// A closer look, where one could be had.
    pub inspected: Option<Inspected>,
    /// What it takes, where it runs.
    pub stats: Option<Stats>,
    /// The version of its image.
    pub version: Option<String>,
    /// The version that it had before, where that was a higher one, and how that is known.
    pub fell: Option<Fell>,
}

/// A version that went down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fell {
    /// The higher version.
    pub from: String,
    /// When it was seen to fall; `None` where only the image that was left behind tells.
    pub at: Option<Timestamp>,
}

impl Seen {
    /// Its name without the slash.
    pub fn name(&self) -> &str {
        self.listed.names.iter().next().unwrap_or_default().trim_start_matches('/')
    }

    /// A label.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.listed.labels.get(name)?.some()
    }

    /// Its health check's word; empty where it has none.
    pub fn health(&self) -> &str {
        let inspected = self.inspected.as_ref().and_then(|seen| seen.state.health.0.as_ref());
        match inspected {
            Some(health) => health.status.as_str(),
            // `Up 3 hours (healthy)`, `Up 5 seconds (health: starting)`.
            None => match self.listed.status.split_once('(').map(|(_, rest)| rest.trim_end_matches(')')) {
                Some(word @ ("healthy" | "unhealthy")) => word,
                Some("health: starting") => "starting",
                _ => "",
            },
        }
    }
}

/// What a host said.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// Its containers.
    pub containers: Vec<Seen>,
    /// Its images.
    pub images: Vec<Image>,
    /// What could not be had.
    pub notes: Vec<String>,
}

/// The versions that containers had, by name: a container that is made anew has another id.
#[derive(Debug, Default)]
pub struct Memory(Mutex<HashMap<String, Known>>);

#[derive(Debug, Clone)]
struct Known {
    image: String,
    version: String,
    fell: Option<Fell>,
}

impl Memory {
    /// Compares a version with the one before; remembers a fall until the version is as high again.
    fn judge(&self, name: &str, image: &str, version: &str, now: Timestamp) -> Option<Fell> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.get(name).cloned();
        let fell = match before {
            Some(old) if old.image != image && is_lower(version, &old.version) => {
                let from = old
                    .fell
                    .filter(|fell| is_lower(&old.version, &fell.from))
                    .map_or(old.version, |f| f.from);
                Some(Fell { from, at: Some(now) })
            }
            Some(old) => old.fell.filter(|fell| is_lower(version, &fell.from)),
            None => None,
        };
        let entry = Known { image: image.to_owned(), version: version.to_owned(), fell: fell.clone() };
        known.insert(name.to_owned(), entry);
        fell
    }
}

/// Looks at everything.
pub async fn observe(engine: &Engine, memory: &Memory, now: Timestamp) -> Result<Observed, ApiError> {
    let (listed, images) = join(engine.containers(), engine.images()).await;
    let (listed, mut notes) = (listed?, Vec::new());
    let images = images.unwrap_or_else(|error| {
        notes.push(format!("the images cannot be listed: {error}"));
        Vec::new()
    });
    let looks = listed.into_iter().map(|listed| look(engine, listed));
    let mut containers: Vec<Seen> = join_all(looks).await;
    if let Some(missing) = containers.iter().filter(|seen| seen.inspected.is_none()).count().checked_sub(1) {
        notes.push(format!("{} containers could not be looked at closely", missing + 1));
    }
    let left = left_behind(&images);
    for seen in &mut containers {
        let Some(version) = version(&seen.listed.labels, image_of(seen)) else { continue };
        let name = Reference::read(image_of(seen)).name;
        let older = left.get(name).filter(|higher| is_lower(&version, higher));
        let remembered = memory.judge(seen.name(), &seen.listed.image_id, &version, now);
        seen.fell = remembered.or_else(|| older.map(|from| Fell { from: from.clone(), at: None }));
        seen.version = Some(version);
    }
    containers.sort_by(|a, b| a.name().cmp(b.name()));
    Ok(Observed { containers, images, notes })
}

/// The image as it was asked for; a list shows a bare id once its tag has moved on.
pub fn image_of(seen: &Seen) -> &str {
    let asked = seen.inspected.as_ref().and_then(|inspected| inspected.config.image.some());
    asked.unwrap_or(&seen.listed.image)
}

async fn look(engine: &Engine, listed: Listed) -> Seen {
    let runs = &*listed.state == "running";
    let stats = async { if runs { engine.stats(&listed.id).await.ok() } else { None } };
    let (inspected, stats) = join(engine.inspect(&listed.id), stats).await;
    Seen { inspected: inspected.ok(), stats, listed, version: None, fell: None }
}

/// The highest version of each name whose tag has moved on to another image: a pull replaced it.
fn left_behind(images: &[Image]) -> BTreeMap<String, String> {
    let mut highest: BTreeMap<String, String> = BTreeMap::new();
    let untagged = |image: &&Image| image.repo_tags.iter().all(|tag| tag.contains("<none>"));
    for image in images.iter().filter(untagged) {
        let Some(name) = image.repo_digests.iter().next().map(|digest| Reference::read(digest).name) else {
            continue;
        };
        let Some(found) = version(&image.labels, "") else { continue };
        let known = highest.entry(name.to_owned()).or_insert_with(|| found.clone());
        if is_lower(known, &found) {
            *known = found;
        }
    }
    highest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_fell_is_remembered_until_it_has_risen_again() {
        let memory = Memory::default();
        let at = Timestamp::UNIX_EPOCH;
        let judge =
            |image: &str, version: &str| memory.judge("server", image, version, at).map(|fell| fell.from);
        assert_eq!(judge("a", "2026.2.4"), None);
        assert_eq!(judge("b", "2026.2.2"), Some("2026.2.4".into()));
        assert_eq!(judge("b", "2026.2.2"), Some("2026.2.4".into()), "it stays told");
        assert_eq!(judge("c", "2026.2.1"), Some("2026.2.4".into()), "the highest one counts");
        assert_eq!(judge("d", "2026.2.4"), None);
    }

    #[test]
    fn an_image_that_lost_its_tag_tells_what_ran_before() {
        let images: Vec<Image> = serde_json::from_str(
            r#"[{"RepoTags":["<none>:<none>"],"RepoDigests":["x/server@sha256:1"],"Labels":{"org.opencontainers.image.version":"2026.2.4"}},
                {"RepoTags":[],"RepoDigests":["x/server@sha256:2"],"Labels":{"org.opencontainers.image.version":"2025.12.0"}},
                {"RepoTags":["x/server:latest"],"Labels":{"org.opencontainers.image.version":"2026.3.0"}}, 7]"#,
        )
        .map(|list: Vec<crate::backend::lenient::Maybe<Image>>| list.into_iter().filter_map(|i| i.0).collect())
        .unwrap();
        assert_eq!(left_behind(&images), BTreeMap::from([("x/server".to_owned(), "2026.2.4".to_owned())]));
    }
}

//! Resources that a cluster was taught (CRDs): which there are, what their own columns say, and how they are.

mod definition;
pub mod judge;
mod path;
pub mod systems;

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::Value as Json;

use crate::backend::error::ApiError;
use crate::backend::lenient::{Obj, Text};
use crate::model::id::{EntityId, KindId, SourceId};
use crate::model::kind::{Format, KindSpec};
use crate::model::row::{Cell, Row, Value};
use crate::model::snapshot::{Cadence, Mode, SourceSpec};
use crate::model::time::Clock;

use super::client::Cluster;
use super::resource::Resource;
use super::rows::{Maker, quantity};
use super::watch::{Feed, Follow, Project};
use super::wire::Meta;

use definition::Printed;

pub use definition::Custom;

/// Asked only while somebody looks: a cluster may have a hundred of them.
const ON_DEMAND: Mode = Mode::Poll(Cadence { focused: 10, visible: 0, hidden: 0 });

/// What a cluster was found to have, kept for as long as this process runs.
#[derive(Default)]
pub struct Learnt(Mutex<Vec<Arc<Custom>>>);

impl Learnt {
    /// Asks the cluster what it was taught, and remembers it.
    pub async fn ask(&self, cluster: &Cluster) -> Result<Vec<Arc<Custom>>, ApiError> {
        let found: Vec<Arc<Custom>> = definition::all(cluster).await?.into_iter().map(Arc::new).collect();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&found);
        Ok(found)
    }

    /// The one of a kind, where it is known by now.
    pub fn of(&self, kind: &KindId) -> Option<Arc<Custom>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|custom| custom.id == *kind).cloned()
    }

    /// The one of a source, asked for if nobody has done so yet.
    pub async fn feed(&self, cluster: &Cluster, feed: &str) -> Result<Arc<Custom>, ApiError> {
        let by_feed = |all: &[Arc<Custom>]| all.iter().find(|custom| custom.feed() == feed).cloned();
        let known = by_feed(&self.0.lock().unwrap_or_else(PoisonError::into_inner));
        match known {
            Some(known) => Ok(known),
            None => by_feed(&self.ask(cluster).await?)
                .ok_or_else(|| ApiError::unsupported(format!("this cluster has no {feed}"))),
        }
    }
}

impl Custom {
    /// The kind and the source that carries it.
    pub fn learnt(&self, maker: &Maker) -> (KindSpec, SourceSpec) {
        let source = SourceSpec {
            id: SourceId::new(super::ID, maker.instance.clone(), self.feed()),
            kinds: vec![self.id.clone()],
            mode: ON_DEMAND,
            domain: maker.domain,
        };
        (self.spec(), source)
    }

    /// A feed of its objects.
    pub fn list(
        self: &Arc<Self>,
        maker: &Arc<Maker>,
        cluster: &Arc<Cluster>,
        clock: &Clock,
    ) -> Box<dyn Follow> {
        let (custom, maker) = (self.clone(), maker.clone());
        let project: Project<Json> =
            Arc::new(move |object, now| Some(custom.row(&maker, object, now).into()));
        Box::new(Feed::new(cluster.clone(), clock.clone(), self.resource.list(None), project))
    }

    /// The row of an object: how it is, its name, what its own columns say, its age.
    pub fn row(&self, maker: &Maker, object: &Json, now: Timestamp) -> Row {
        let meta: Obj<Meta> = serde_json::from_value(object["metadata"].clone()).unwrap_or_default();
        let state = judge::judge(&self.resource.group, &self.resource.kind, object, now);
        let mut cells = vec![state.cell(), Cell::new(meta.name.as_str())];
        if self.resource.namespaced {
            cells.push(maker.cell(&meta.namespace));
        }
        cells.extend(self.printed.iter().map(|column| printed(maker, column, object)));
        cells.push(Cell::new(state.why.as_str()));
        cells.push(Cell::new(meta.creation_timestamp.time()));
        let mut row = maker.row(&self.id, &meta, &state, cells);
        row.facets = Box::new([maker.object(&meta.namespace, &meta.name)]);
        row
    }

    /// Where one of its objects is.
    pub fn path(&self, id: &EntityId) -> Result<String, ApiError> {
        self.resource.object(&id.key)
    }
}

/// What one of its own columns says of an object.
fn printed(maker: &Maker, column: &Printed, object: &Json) -> Cell {
    let Some(found) = path::find(&column.path, object) else { return Cell::empty() };
    let text = match &found {
        Json::String(text) => text.clone(),
        Json::Null => return Cell::empty(),
        other => other.to_string(),
    };
    match column.format {
        Format::Age | Format::Until => Cell::new(Text::from(text.as_str()).time()),
        _ if column.is_number => Cell::new(found.as_i64().or_else(|| quantity::whole(&text))),
        _ => Cell { value: Value::Text(maker.once(&text)), ..Cell::empty() },
    }
}

/// Where a custom resource is, by its group and plural, in whichever version the cluster prefers.
pub fn resource(group: &str, version: &str, plural: &str, kind: &str, namespaced: bool) -> Resource {
    Resource {
        group: group.to_owned().into(),
        version: version.to_owned().into(),
        plural: plural.to_owned().into(),
        kind: kind.to_owned().into(),
        namespaced,
    }
}

//! An outpost, its instances and what it protects.

use crate::backend::error::ApiError;
use crate::model::kind::Format;
use crate::model::row::{Cell, Tone};
use crate::model::view::{Doc, Fact};

use crate::backend::authentik::Authentik;
use crate::backend::authentik::rows::outposts::state;
use crate::backend::authentik::wire::OutpostHealth;

impl Authentik {
    pub(super) async fn describe_outpost(&self, key: &str) -> Result<Doc, ApiError> {
        let outpost = self.outpost(key).await?;
        let (instances, version) = futures_util::join!(self.instances(&outpost.pk), self.version());
        let server = version.map(|version| version.current.shared()).unwrap_or_default();
        let instances = instances.ok();
        let state = state(&outpost, instances.as_deref(), &server, self.now());
        let host = outpost.config.authentik_host.as_str();
        let embedded = outpost.managed.as_str() == "goauthentik.io/outposts/embedded";
        let facts = vec![
            Fact::new("state", state.word).format(Format::State).tone(Tone::from(state.health)),
            Fact::new("why", state.note.unwrap_or_default().as_str()),
            Fact::new("server's version", &*server),
            Fact::new("type", outpost.kind.as_str()),
            Fact::new("embedded", if embedded { "yes" } else { "no" }),
            Fact::new("finds the server at", host),
            Fact::new("id", outpost.pk.as_str()).tone(Tone::Dim),
        ];
        let protects = outpost.providers_obj.iter().map(|provider| {
            let application = provider.assigned_application_slug.some();
            let cell = application.map_or_else(|| Cell::toned("no application", Tone::Warn), Cell::new);
            vec![Cell::new(provider.name.as_str()), cell]
        });
        let columns = vec!["host".into(), "version".into(), "should be".into(), "last seen".into()];
        Ok(Doc::default()
            .facts("outpost", facts)
            .table("instances", columns, instances.iter().flatten().map(instance).collect())
            .table("protects", vec!["provider".into(), "application".into()], protects.collect()))
    }
}

fn instance(instance: &OutpostHealth) -> Vec<Cell> {
    vec![
        Cell::new(instance.hostname.as_str()),
        Cell::new(instance.version.as_str()),
        Cell::toned(instance.version_should.as_str(), Tone::Dim),
        Cell::new(instance.last_seen.time()),
    ]
}

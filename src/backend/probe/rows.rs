//! From what two ways met to one verdict: which layer fails first, and whether a whole gate does.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::config::{Expect, Probe as Settings};
use crate::model::id::{EntityId, Identity};
use crate::model::row::{Cell, Domain, Facet, FacetKey, Grade, Health, Row, Tone};
use crate::model::time::{seconds_between, short};

use super::Leg;
use super::decide::What;
use super::kinds::PROBES;

/// A certificate that ends sooner than this wants attention, in seconds.
const SOON: i64 = 14 * 86_400;

/// An address and what its ways met.
pub struct Walked<'a> {
    /// Its name.
    pub name: &'a Arc<str>,
    /// What it should answer.
    pub settings: &'a Settings,
    /// Through the edge.
    pub edge: Leg,
    /// Past the edge.
    pub origin: Option<Leg>,
}

/// What it comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The word.
    pub word: &'static str,
    /// How it is.
    pub health: Health,
    /// The first layer that fails; empty where none does.
    pub layer: &'static str,
    /// What that means.
    pub why: String,
}

impl Walked<'_> {
    /// Whether what was met is what should be.
    fn fits(&self, leg: &Leg) -> bool {
        let Ok(look) = &leg.met else { return false };
        match self.settings.expect {
            Expect::Open => look.what == What::Open,
            Expect::Login => look.what == What::Login,
            Expect::Access => look.what == What::Access,
            Expect::Refused => look.what == What::Refused,
        }
    }

    /// Whether the way past the edge met what stands behind what the edge should show.
    fn inner_fits(&self, leg: &Leg) -> bool {
        // Behind Access, any answer of the application or its login will do.
        let behind = self.settings.expect == Expect::Access
            && leg
                .met
                .as_ref()
                .is_ok_and(|look| matches!(look.what, What::Open | What::Login | What::Refused));
        behind || self.fits(leg)
    }

    /// Whether the login of Authentik stands behind that of Access.
    fn is_double(&self) -> bool {
        let met = |leg: &Leg| leg.met.as_ref().ok().map(|look| look.what);
        met(&self.edge) == Some(What::Access) && self.origin.as_ref().and_then(met) == Some(What::Login)
    }

    /// The verdict over both ways.
    pub fn verdict(&self) -> Verdict {
        let outer = self.fits(&self.edge);
        if outer && self.is_double() {
            let why =
                "two gates in a row: Cloudflare Access, and behind it Authentik; one is enough".to_owned();
            return Verdict { word: "edge", health: Health::Warning, layer: "edge", why };
        }
        match (outer, self.origin.as_ref().map(|leg| self.inner_fits(leg))) {
            (true, None | Some(true)) => {
                Verdict { word: "ok", health: Health::Ok, layer: "", why: String::new() }
            }
            (true, Some(false)) => {
                let why = format!(
                    "the way past the edge fails: {}",
                    self.origin.as_ref().map(told).unwrap_or_default()
                );
                Verdict {
                    word: "origin",
                    health: Health::Warning,
                    layer: self.origin.as_ref().map_or("", layer),
                    why,
                }
            }
            (false, inner) => self.failing(inner),
        }
    }

    fn failing(&self, inner: Option<bool>) -> Verdict {
        let (said, layer) = (told(&self.edge), layer(&self.edge));
        let met = self.edge.met.as_ref().ok().map(|look| look.what);
        let bad = |word, health, why| Verdict { word, health, layer, why };
        match (met, inner) {
            // Nobody is asked for anything where somebody should be.
            (Some(What::Open), _) if self.settings.expect != Expect::Open => bad(
                "exposed",
                Health::Critical,
                format!("no login is asked for, {} is expected", self.settings.expect.word()),
            ),
            (Some(What::Access), Some(true)) => bad(
                "edge",
                Health::Warning,
                format!("{said} (the origin is well): two gates in a row, one is enough"),
            ),
            (Some(What::Challenge | What::Blocked | What::RateLimited), Some(true)) => {
                bad("edge", Health::Warning, format!("{said} (the origin is well)"))
            }
            (Some(what), _) if what.is_gate() => bad("gate", Health::Critical, said),
            (_, Some(true)) => bad("edge", Health::Critical, format!("{said} (the origin is well)")),
            (Some(What::Challenge | What::Blocked | What::RateLimited | What::Access), None) => {
                bad("edge", Health::Warning, said)
            }
            (Some(what), _) if what.layer() == crate::model::snapshot::Layer::Edge => {
                bad("edge", Health::Critical, said)
            }
            (Some(What::Refused | What::Failing | What::Other | What::Moved), _) => {
                bad("app", Health::Critical, said)
            }
            (Some(_), _) => bad("origin", Health::Critical, said),
            (None, _) => bad("down", Health::Critical, said),
        }
    }
}

/// What one way met, in words.
pub fn told(leg: &Leg) -> String {
    match &leg.met {
        Ok(look) => format!("{} {}", look.status, look.what.words()),
        Err(fault) => fault.to_string(),
    }
}

fn layer(leg: &Leg) -> &'static str {
    use crate::model::snapshot::Layer;
    let layer = match &leg.met {
        Ok(look) => look.what.layer(),
        Err(fault) => fault.layer,
    };
    match layer {
        Layer::Dns => "dns",
        Layer::Tcp => "tcp",
        Layer::Tls => "tls",
        Layer::Http => "http",
        Layer::Auth => "auth",
        Layer::Edge => "edge",
        Layer::App => "app",
        Layer::Config => "config",
    }
}

/// A row for each address and, where several stand behind one gate, one for the gate.
pub fn all(walked: &[Walked<'_>], instance: &Arc<str>, now: Timestamp) -> Vec<Row> {
    let mut rows: Vec<Row> = walked.iter().map(|one| row(one, instance, now)).collect();
    let mut gates: BTreeMap<&str, Vec<&Walked<'_>>> = BTreeMap::new();
    for one in walked {
        if let Some(gate) = &one.settings.gate {
            gates.entry(gate).or_default().push(one);
        }
    }
    rows.extend(
        gates
            .iter()
            .filter(|(_, behind)| behind.len() > 1)
            .map(|(name, behind)| gate(name, behind, instance)),
    );
    rows
}

fn row(walked: &Walked<'_>, instance: &Arc<str>, now: Timestamp) -> Row {
    let mut verdict = walked.verdict();
    let ends = walked.edge.certificate;
    let left = ends.map(|ends| seconds_between(now, ends));
    if let Some(left) = left.filter(|left| verdict.health == Health::Ok && *left < SOON) {
        verdict.health = Health::Warning;
        verdict.why = format!("the certificate ends in {}", short(left));
    }
    let word = |leg: &Leg| leg.met.as_ref().map_or("no answer", |look| look.what.word());
    let ray = walked.edge.met.as_ref().map(|look| look.ray.clone()).unwrap_or_default();
    #[allow(clippy::cast_possible_truncation, reason = "a probe ends within minutes")]
    let took = (walked.edge.took * 1000.0) as i64;
    let cells = vec![
        Cell::toned(verdict.word, Tone::from(verdict.health)),
        Cell::new(&**walked.name),
        Cell::toned(walked.settings.expect.word(), Tone::Dim),
        Cell::new(word(&walked.edge)),
        Cell::new(walked.origin.as_ref().map_or("", word)),
        Cell::toned(verdict.layer, Tone::from(verdict.health)),
        Cell::new(verdict.why.as_str()),
        Cell::toned(took, Tone::Dim),
        Cell::new(ends),
        Cell::toned(walked.settings.gate.as_deref().unwrap_or_default(), Tone::Dim),
        Cell::toned(ray.as_str(), Tone::Dim),
        Cell::toned(walked.settings.edge.url.as_str(), Tone::Dim),
    ];
    let id = EntityId::new(PROBES, instance.clone(), walked.name.clone());
    let mut row = Row::new(id, walked.name.clone(), cells);
    row.health = verdict.health;
    row.note = Some(verdict.why).filter(|why| !why.is_empty()).map(Arc::from);
    row.domain = walked.settings.domain;
    row.identity = Identity::new().with("url", walked.settings.edge.url.as_str());
    row.facets = facets(walked.settings);
    row
}

/// The host that users write, in small letters.
pub fn host(settings: &Settings) -> Option<String> {
    let host = settings.edge.host_header.clone().or_else(|| {
        let url = url::Url::parse(&settings.edge.url).ok()?;
        Some(url.host_str()?.to_owned())
    });
    host.map(|host| host.to_lowercase())
}

fn facets(settings: &Settings) -> Box<[Facet]> {
    let host = host(settings).map(|host| Facet::new(FacetKey::Host, host, Grade::Likely));
    let gate = settings.gate.as_deref().map(|gate| Facet::new(FacetKey::Gate, gate, Grade::Certain));
    host.into_iter().chain(gate).collect()
}

/// Many that fail together are one failure, that of what stands before them.
fn gate(name: &str, behind: &[&Walked<'_>], instance: &Arc<str>) -> Row {
    let verdicts: Vec<Verdict> = behind.iter().map(|one| one.verdict()).collect();
    let failing: Vec<&Verdict> = verdicts.iter().filter(|v| matches!(v.health, Health::Critical)).collect();
    let (bad, all) = (failing.len(), behind.len());
    let (word, health, why) = match failing.first() {
        None => ("ok", Health::Ok, String::new()),
        Some(first) if bad == all => {
            ("gate", Health::Critical, format!("{bad}/{all} hosts fail: {}", first.why))
        }
        Some(first) => (
            "partly",
            Health::Warning,
            format!("{bad}/{all} hosts fail, so it is not the gate alone: {}", first.why),
        ),
    };
    let layer = failing.first().map_or("", |verdict| verdict.layer);
    let mut cells = vec![Cell::default(); 12];
    cells[0] = Cell::toned(word, Tone::from(health));
    cells[1] = Cell::new(format!("gate {name}").as_str());
    cells[5] = Cell::toned(layer, Tone::from(health));
    cells[6] = Cell::new(why.as_str());
    cells[9] = Cell::toned(name, Tone::Dim);
    let id = EntityId::new(PROBES, instance.clone(), format!("gate:{name}"));
    let mut row = Row::new(id, format!("gate {name}"), cells);
    row.health = health;
    row.note = Some(why).filter(|why| !why.is_empty()).map(Arc::from);
    row.domain = behind.first().map_or(Domain::Edge, |one| one.settings.domain);
    row.facets = Box::new([Facet::new(FacetKey::Gate, name, Grade::Certain)]);
    row
}

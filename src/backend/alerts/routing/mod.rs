//! Alertmanager's own configuration, evaluated here: whom an alert reaches, which rule inhibits it, and which time
//! interval keeps it quiet. No version tells all of that by its API, and 0.25 tells nothing of intervals.

mod inhibit;
mod interval;
mod route;
mod wire;

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::labels::Labels;

pub use inhibit::Inhibition;
pub use route::Route;

use interval::Interval;

/// A configuration that could be read whole: half of a route tree would tell half-truths.
#[derive(Debug, Clone)]
pub struct Routing {
    /// The root of the routes; everything matches it.
    pub root: Route,
    /// The inhibit rules in their order.
    pub inhibitions: Vec<Inhibition>,
    /// The receivers in their order.
    pub receivers: Vec<Receiver>,
    intervals: BTreeMap<String, Vec<Interval>>,
}

/// A receiver, without any address: those hold secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver {
    /// Its name.
    pub name: String,
    /// The sorts of its integrations (`webhook`, `telegram`), each with how many there are.
    pub integrations: Vec<(String, usize)>,
}

impl Receiver {
    /// Whether nobody is told by it.
    pub fn is_nobody(&self) -> bool {
        self.integrations.iter().all(|(_, count)| *count == 0)
    }

    /// `webhook, 2 telegram`; `nobody` where it has no integration.
    pub fn words(&self) -> String {
        if self.is_nobody() {
            return "nobody".to_owned();
        }
        let word = |(sort, count): &(String, usize)| match count {
            1 => sort.clone(),
            n => format!("{n} {sort}"),
        };
        self.integrations.iter().map(word).collect::<Vec<_>>().join(", ")
    }
}

/// Whether a time interval holds, and until when it stays so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It holds; the end may lie too far off to be told.
    Within(Option<Timestamp>),
    /// It does not hold.
    Outside(Option<Timestamp>),
    /// It cannot be told here; in words.
    Unclear(String),
}

/// One way that an alert's notification takes.
#[derive(Debug, Clone)]
pub struct Leg<'r> {
    /// The route that it ends at.
    pub route: &'r Route,
    /// Why nobody is told by it now; `None` where somebody is.
    pub quiet: Option<Quiet>,
}

/// Why a way leads to nobody now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Quiet {
    /// A time interval; its words and its end.
    Muted(String, Option<Timestamp>),
    /// The receiver has no integration.
    Nobody,
    /// An interval cannot be evaluated here, so that nobody knows.
    Unclear(String),
}

/// A configuration at one instant: its intervals evaluated once.
#[derive(Debug, Clone)]
pub struct Ways<'r> {
    routing: &'r Routing,
    standings: BTreeMap<&'r str, Standing>,
}

impl Routing {
    /// Reads `config.original` of `GET /status`; the error says what of it cannot be evaluated here.
    pub fn read(yaml: &str) -> Result<Self, String> {
        wire::read(yaml)
    }

    /// The inhibit rule by which one alert keeps another quiet.
    pub fn inhibition(&self, source: &Labels, target: &Labels) -> Option<&Inhibition> {
        self.inhibitions.iter().find(|rule| rule.holds(source, target))
    }

    /// Its intervals as they stand at an instant.
    pub fn at(&self, now: Timestamp) -> Ways<'_> {
        let standing = |(name, spans): (&'_ String, &Vec<Interval>)| interval::standing(name, spans, now);
        let standings = self.intervals.iter().map(|entry| (entry.0.as_str(), standing(entry))).collect();
        Ways { routing: self, standings }
    }

    fn receiver(&self, name: &str) -> Option<&Receiver> {
        self.receivers.iter().find(|receiver| receiver.name == name)
    }
}

impl<'r> Ways<'r> {
    /// The configuration behind it.
    pub fn routing(&self) -> &'r Routing {
        self.routing
    }

    /// Every way of an alert, in the order in which Alertmanager takes them.
    pub fn of(&self, labels: &Labels) -> Vec<Leg<'r>> {
        let legs = self.routing.root.ends(labels);
        legs.into_iter().map(|route| Leg { route, quiet: self.quiet(route) }).collect()
    }

    /// Why a route's receiver hears nothing now.
    pub fn quiet(&self, route: &Route) -> Option<Quiet> {
        if self.routing.receiver(&route.receiver).is_some_and(Receiver::is_nobody) {
            return Some(Quiet::Nobody);
        }
        let mut unclear = None;
        for name in &route.mute {
            match self.standing(name) {
                Standing::Within(until) => return Some(Quiet::Muted(format!("in {name}"), until)),
                Standing::Unclear(why) => unclear = Some(Quiet::Unclear(why)),
                Standing::Outside(_) => {}
            }
        }
        if route.active.is_empty() {
            return unclear;
        }
        let standings: Vec<Standing> = route.active.iter().map(|name| self.standing(name)).collect();
        if standings.iter().any(|standing| matches!(standing, Standing::Within(_))) {
            return unclear;
        }
        let why = standings.iter().find_map(|standing| match standing {
            Standing::Unclear(why) => Some(Quiet::Unclear(why.clone())),
            _ => None,
        });
        let until = standings.iter().filter_map(Standing::changes).min();
        Some(why.unwrap_or_else(|| Quiet::Muted(format!("outside {}", route.active.join(", ")), until)))
    }

    /// How an interval stands.
    fn standing(&self, name: &str) -> Standing {
        let missing = || Standing::Unclear(format!("there is no time interval {name}"));
        self.standings.get(name).cloned().unwrap_or_else(missing)
    }

    /// The integrations of a receiver in words.
    pub fn integrations(&self, receiver: &str) -> String {
        let unknown = || "not in the configuration".to_owned();
        self.routing.receiver(receiver).map_or_else(unknown, Receiver::words)
    }
}

impl Standing {
    /// When it changes next, where that is known.
    fn changes(&self) -> Option<Timestamp> {
        match self {
            Self::Within(at) | Self::Outside(at) => *at,
            Self::Unclear(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;

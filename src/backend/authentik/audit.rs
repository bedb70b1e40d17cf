//! The exposure audit against one server: what is read for it, and its answer row by row.
//!
//! Ten thousand users are a hundred pages. So what can be said without them is said first, what the rules need of them is
//! kept as a census, and while the server says that nobody has changed nobody is read again. An application is judged
//! again only where something has changed that its verdict rests on.

mod matrix;
mod people;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::backend::DeltaSink;
use crate::backend::cloudflare::front::Front;
use crate::backend::error::ApiError;
use crate::model::row::Row;
use crate::model::snapshot::{Delta, Snapshot};

use super::Authentik;
use super::access::Bindings;
use super::client::{Ask, Listed};
use super::exposure::{self, Access, Audience, Audit, Census, Engine, Guarded, Side, print};
use super::kinds::EXPOSURE;
use super::people::Groups;
use super::roll::Seen;
use super::rows::exposure as row;
use super::wire::{Application, Binding, Outpost, ProxyProvider, Tenant};

/// What is read at once, all but the people.
#[derive(Debug)]
struct Frame {
    applications: Vec<Application>,
    bindings: Option<Bindings>,
    groups: Groups,
    family: BTreeSet<String>,
    version: String,
    shut_by_default: bool,
    proxies: Option<Vec<ProxyProvider>>,
    outposts: Option<Vec<Outpost>>,
    front: Option<Front>,
    gaps: Vec<String>,
    notes: Vec<String>,
}

/// Everything that was read, and why it may not be everything.
#[derive(Debug)]
struct Gathered {
    frame: Frame,
    census: Arc<Census>,
    measured: BTreeMap<String, Vec<String>>,
    remarks: Vec<exposure::Remark>,
}

/// What was said, so that the next time only what differs is said.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// What each row rests on, as a number, by its key.
    rows: BTreeMap<Arc<str>, u64>,
    /// What the reader must know besides.
    gaps: Vec<String>,
    notes: Vec<String>,
}

impl Authentik {
    /// Reads what the audit needs: never more than four questions at once. `told` hears how far the people are read.
    async fn gather(&self, told: impl Fn(&Frame, &Seen) + Send) -> Result<Gathered, ApiError> {
        let mut frame = self.frame().await?;
        let census = self.census(&mut frame, told).await?;
        frame.groups = std::mem::take(&mut frame.groups).knowing(census.administrators.clone());
        let measured = self.measure(&census.tried, &mut frame.notes).await;
        let factors = self.recent_factors().await;
        let mut remarks = exposure::findings(Side {
            groups: &frame.groups,
            census: &census,
            applications: &frame.applications,
            proxies: frame.proxies.as_deref(),
            outposts: frame.outposts.as_deref(),
            factors: factors.as_ref().map(|factors| factors.as_slice()),
        });
        if let Some(front) = &frame.front {
            let lists = (self.settings.admin_apps.as_slice(), self.settings.family_apps.as_slice());
            remarks.extend(exposure::at_the_edge(frame.guarded(lists), front));
        }
        Ok(Gathered { frame, census, measured, remarks })
    }

    async fn frame(&self) -> Result<Frame, ApiError> {
        let proxies = Ask::new("/providers/proxy/", "authentik_providers_proxy.view_proxyprovider");
        let tenant = Ask::new("/admin/settings/", "authentik_rbac.view_system_settings");
        let (applications, bindings, groups, version, tenant, proxies, outposts, front) = futures_util::join!(
            self.applications(),
            self.bindings(),
            self.groups(),
            self.version(),
            self.client.one::<Tenant>(&tenant),
            self.client.list::<ProxyProvider>(&proxies),
            self.outposts(),
            Front::read(&self.fronts)
        );
        let (applications, groups) = (applications?, groups?);
        let mut gaps = [applications.gaps, groups.gaps].concat();
        let mut notes = Vec::new();
        let bindings = self.all_bindings(bindings, &mut gaps);
        let groups = Groups::new(groups.items, &self.settings.admin_groups);
        Ok(Frame {
            applications: applications.items,
            bindings,
            family: exposure::family(&groups, &self.settings.family_groups),
            groups,
            version: version.map(|version| version.current.to_string()).unwrap_or_default(),
            // What cannot be seen is taken for the default, under which everybody gets in.
            shut_by_default: tenant.is_ok_and(|tenant| tenant.flags.core_default_app_access.0 == Some(false)),
            proxies: seen(proxies, "proxy providers", &mut notes),
            outposts: seen(outposts, "outposts", &mut notes),
            front: self.in_front(front, &mut notes),
            gaps,
            notes,
        })
    }

    fn in_front(&self, front: Result<Front, ApiError>, notes: &mut Vec<String>) -> Option<Front> {
        match front {
            _ if self.fronts.is_empty() => None,
            Ok(front) => Some(front),
            Err(error) => {
                notes.push(format!("gates at the edge are not looked at: {error}"));
                None
            }
        }
    }

    pub(super) async fn poll_exposure(&self) -> Result<Snapshot, ApiError> {
        let gathered = self.gather(|_, _| {}).await?;
        let rows = gathered.prints();
        let rows = rows.keys().filter_map(|key| self.exposure_row(&gathered, key)).collect();
        Ok(self.told(rows, &gathered))
    }

    /// The audit again: what has changed of it, or that nothing has. While people are read for the first time, what
    /// bindings alone decide is shown with how far that has come.
    pub(super) async fn refresh_exposure(&self, parts: &DeltaSink) -> Result<Delta, ApiError> {
        let first = self.known().told.is_none();
        let gathered = self.gather(|frame, seen| {
            if first && seen.is_milestone() {
                // Whoever is too busy to look sees the next one.
                let _ = parts.try_send(Delta::Reset(self.early(frame, seen)));
            }
        });
        let gathered = gathered.await?;
        let now = Told {
            rows: gathered.prints(),
            gaps: gathered.frame.gaps.clone(),
            notes: gathered.frame.notes.clone(),
        };
        let before = self.known().told.take().filter(|before| before.is_beside(&now));
        let delta = self.difference(&gathered, &now, before);
        self.known().told = Some(now);
        Ok(delta)
    }

    fn difference(&self, gathered: &Gathered, now: &Told, before: Option<Told>) -> Delta {
        let fresh = before.is_none();
        let before = before.unwrap_or_default().rows;
        let changed = now.rows.iter().filter(|(key, print)| before.get(*key) != Some(*print));
        let upserts: Vec<Row> = changed.filter_map(|(key, _)| self.exposure_row(gathered, key)).collect();
        if fresh {
            return Delta::Reset(self.told(upserts, gathered));
        }
        let gone = before.keys().filter(|key| !now.rows.contains_key(*key));
        let removes: Vec<_> = gone.map(|key| self.place.id(EXPOSURE, key.clone())).collect();
        if upserts.is_empty() && removes.is_empty() {
            return Delta::Same(self.now());
        }
        Delta::Change { upserts, removes, observed_at: self.now(), complete: now.gaps.is_empty() }
    }

    fn told(&self, rows: Vec<Row>, gathered: &Gathered) -> Snapshot {
        let mut snapshot = self.snapshot(rows, gathered.frame.gaps.clone());
        snapshot.notes.extend(gathered.frame.notes.iter().cloned());
        snapshot
    }

    /// What can be said before people are read: nothing of whom a binding names, and nothing of how many get in.
    fn early(&self, frame: &Frame, seen: &Seen) -> Snapshot {
        let note = format!("{} of {} users read: who gets in is counted after the last", seen.read, seen.of);
        let measured = BTreeMap::new();
        let Some(bindings) = &frame.bindings else { return self.snapshot(Vec::new(), vec![note]) };
        let audit = self.audit(frame, bindings, &measured);
        let row = |app: &Application| {
            let bound = audit.enabled(app);
            if bound.iter().any(|binding| binding.user.0.is_some()) {
                return row::unknown(app, "whom its bindings name is still being read", &self.place);
            }
            let who: Vec<String> = bound.into_iter().map(Binding::who).collect();
            row::row(app, &audit.judge(app), audit.audience(app), None, &who, &self.place)
        };
        self.snapshot(frame.applications.iter().map(row).collect(), vec![note])
    }

    /// The row of a key.
    fn exposure_row(&self, gathered: &Gathered, key: &str) -> Option<Row> {
        let place = &self.place;
        if let Some(remark) = gathered.remarks.iter().find(|remark| row::key(remark) == key) {
            return Some(row::remark(remark, place));
        }
        let app = gathered.frame.applications.iter().find(|app| *app.slug == *key)?;
        let Some(bindings) = &gathered.frame.bindings else {
            return Some(row::unknown(app, "bindings cannot be seen", place));
        };
        let audit = self.audit(&gathered.frame, bindings, &gathered.measured);
        let who: Vec<String> = audit.enabled(app).into_iter().map(Binding::who).collect();
        let reaches = gathered.census.crowd.count(|p| !p.admin && audit.admits(app, p) != Access::No);
        Some(row::row(app, &audit.judge(app), audit.audience(app), Some(reaches), &who, place))
    }

    fn audit<'a>(
        &'a self,
        frame: &'a Frame,
        bindings: &'a Bindings,
        measured: &'a BTreeMap<String, Vec<String>>,
    ) -> Audit<'a> {
        Audit {
            groups: &frame.groups,
            bindings,
            engine: Engine::of(&frame.version),
            shut_by_default: frame.shut_by_default,
            version: &frame.version,
            family: &frame.family,
            lists: (&self.settings.admin_apps, &self.settings.family_apps),
            measured,
        }
    }
}

impl Told {
    /// Whether the other one says the same of what could not be seen, so that rows alone tell them apart.
    fn is_beside(&self, other: &Self) -> bool {
        (&self.gaps, &self.notes) == (&other.gaps, &other.notes)
    }
}

impl Frame {
    /// Whom bindings name.
    fn named(&self) -> BTreeSet<i64> {
        let bindings = self.bindings.as_ref();
        let bound = self.applications.iter().flat_map(|app| bindings.into_iter().flat_map(|b| b.of(app)));
        bound.filter(|binding| binding.is_enabled()).filter_map(|binding| binding.user.0).collect()
    }

    /// Applications as the edge is held against them.
    fn guarded<'a>(&'a self, lists: (&'a [String], &'a [String])) -> impl Iterator<Item = Guarded<'a>> {
        self.applications.iter().map(move |application| {
            let own =
                |proxy: &ProxyProvider| proxy.assigned_application_slug.some() == Some(&application.slug);
            Guarded {
                application,
                admin: exposure::audience(application, lists) == Audience::Admin,
                proxied: self.proxies.as_ref().map(|all| all.iter().any(own)),
            }
        })
    }
}

impl Gathered {
    /// What each row rests on, as a number, by its key.
    fn prints(&self) -> BTreeMap<Arc<str>, u64> {
        let frame = &self.frame;
        let shared = print(&(&frame.groups, self.census.print(), &frame.version, frame.shut_by_default));
        let of = |app: &Application| {
            let bound = frame.bindings.as_ref().map(|bindings| bindings.of(app));
            print(&(app, bound, self.measured.get(&*app.slug), self.measured.is_empty(), shared))
        };
        let applications = frame.applications.iter().map(|app| (Arc::from(app.slug.as_str()), of(app)));
        let remarks = self.remarks.iter().map(|remark| (Arc::from(row::key(remark)), print(&remark.health)));
        applications.chain(remarks).collect()
    }
}

fn seen<T>(listed: Result<Listed<T>, ApiError>, what: &str, notes: &mut Vec<String>) -> Option<Vec<T>> {
    match listed {
        Ok(listed) if listed.complete() => Some(listed.items),
        Ok(_) => None,
        Err(error) => {
            notes.push(format!("{what} are not looked at: {error}"));
            None
        }
    }
}

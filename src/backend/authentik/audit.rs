//! The exposure audit against one server: what is read for it, and its answer as rows and as a matrix.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, stream};

use crate::backend::error::ApiError;
use crate::model::row::{Cell, Row, Tone};
use crate::model::snapshot::Snapshot;
use crate::model::view::Matrix;

use super::Authentik;
use super::access::Bindings;
use super::client::{Ask, Listed};
use super::exposure::{self, Access, Audience, Audit, Crowd, Engine, Person, Side};
use super::people::Groups;
use super::rows::exposure as row;
use super::wire::{Application, ProxyProvider, User};

/// So many members of family groups are tried against the server itself.
const TRIED: usize = 4;

/// Everything that was read, and why it may not be everything.
#[derive(Debug)]
pub struct Gathered {
    applications: Vec<Application>,
    bindings: Option<Bindings>,
    groups: Groups,
    users: Vec<User>,
    version: String,
    measured: BTreeMap<String, Vec<String>>,
    remarks: Vec<exposure::Remark>,
    gaps: Vec<String>,
    notes: Vec<String>,
}

impl Authentik {
    /// Reads what the audit needs: never more than four questions at once.
    async fn gather(&self) -> Result<Gathered, ApiError> {
        let proxies = Ask::new("/providers/proxy/", "authentik_providers_proxy.view_proxyprovider");
        let (applications, bindings, groups, users, version) = futures_util::join!(
            self.applications(),
            self.bindings(),
            self.groups(),
            self.users(&[]),
            self.version()
        );
        let (proxies, outposts, factors) = futures_util::join!(
            self.client.list::<ProxyProvider>(&proxies),
            self.outposts(),
            self.recent_factors()
        );
        let (applications, groups, users) = (applications?, groups?, users?);
        let mut gaps = [applications.gaps, groups.gaps, users.gaps].concat();
        let bindings = self.all_bindings(bindings, &mut gaps);
        let groups = Groups::new(groups.items, &self.settings.admin_groups).knowing(&users.items);
        let (mut notes, family) = (Vec::new(), exposure::family(&groups, &self.settings.family_groups));
        let measured = self.measure(&users.items, &groups, &family, &mut notes).await;
        let proxies = seen(proxies, "proxy providers", &mut notes);
        let outposts = seen(outposts, "outposts", &mut notes);
        let side = Side {
            groups: &groups,
            users: &users.items,
            applications: &applications.items,
            proxies: proxies.as_deref(),
            outposts: outposts.as_deref(),
            factors: factors.as_ref().map(|factors| factors.as_slice()),
            family: &family,
        };
        let remarks = exposure::findings(side);
        let version = version.map(|version| version.current.to_string()).unwrap_or_default();
        let (applications, users) = (applications.items, users.items);
        Ok(Gathered { applications, bindings, groups, users, version, measured, remarks, gaps, notes })
    }

    /// Which applications the server itself lets members of the family open: one of each group, a few in all.
    async fn measure(
        &self,
        users: &[User],
        groups: &Groups,
        family: &BTreeSet<String>,
        notes: &mut Vec<String>,
    ) -> BTreeMap<String, Vec<String>> {
        let people = probands(users, groups, family);
        let numbers: Vec<i64> = people.iter().map(|user| user.pk.or_zero()).collect();
        let asked = stream::iter(numbers).map(|pk| async move { self.may_open(pk).await }).buffered(4);
        let answers: Vec<Result<Listed<Application>, ApiError>> = asked.collect().await;
        let mut measured: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (user, answer) in people.iter().zip(answers) {
            match answer {
                Ok(open) => {
                    for application in open.items {
                        let who = measured.entry(application.slug.to_string()).or_default();
                        who.push(user.username.to_string());
                    }
                }
                Err(error) => {
                    notes.push(format!("not measured for {}: {error}", user.username.as_str()));
                    break;
                }
            }
        }
        measured
    }

    /// The applications that the server lets a user open; the caller's own where the right is missing, which is why
    /// nothing that only this says is ever taken for closed.
    async fn may_open(&self, pk: i64) -> Result<Listed<Application>, ApiError> {
        let pk = pk.to_string();
        let filter = [("for_user", pk.as_str())];
        self.client
            .list(&Ask::new("/core/applications/", "authentik_core.view_user_applications").filtered(&filter))
            .await
    }

    pub(super) async fn poll_exposure(&self) -> Result<Snapshot, ApiError> {
        let gathered = self.gather().await?;
        let rows = self.exposure_rows(&gathered);
        let mut snapshot = self.snapshot(rows, gathered.gaps);
        snapshot.notes.extend(gathered.notes);
        Ok(snapshot)
    }

    fn exposure_rows(&self, gathered: &Gathered) -> Vec<Row> {
        let place = &self.place;
        let Some(bindings) = &gathered.bindings else {
            return gathered.applications.iter().map(|app| row::unknown(app, place)).collect();
        };
        let audit = self.audit(gathered, bindings);
        let crowd = gathered.crowd(&audit);
        let mut rows: Vec<Row> = gathered
            .applications
            .iter()
            .map(|app| {
                let who: Vec<String> =
                    audit.enabled(app).into_iter().map(super::wire::Binding::who).collect();
                let reaches = crowd.count(|p| !p.admin && audit.admits(app, p) != Access::No);
                row::row(app, &audit.judge(app), audit.audience(app), reaches, &who, place)
            })
            .collect();
        rows.extend(gathered.remarks.iter().map(|remark| row::remark(remark, place)));
        rows
    }

    fn audit<'a>(&'a self, gathered: &'a Gathered, bindings: &'a Bindings) -> Audit<'a> {
        Audit {
            groups: &gathered.groups,
            bindings,
            engine: Engine::of(&gathered.version),
            version: &gathered.version,
            family: exposure::family(&gathered.groups, &self.settings.family_groups),
            lists: (&self.settings.admin_apps, &self.settings.family_apps),
            measured: gathered.measured.clone(),
        }
    }

    /// Applications by groups, and how many real members of each get in.
    pub(super) async fn exposure_matrix(&self) -> Result<Matrix, ApiError> {
        let gathered = self.gather().await?;
        let bindings = gathered.bindings.as_ref().ok_or_else(|| super::find::incomplete(&gathered.gaps))?;
        let audit = self.audit(&gathered, bindings);
        Ok(gathered.matrix(&audit))
    }
}

impl Gathered {
    fn crowd(&self, audit: &Audit<'_>) -> Crowd {
        let bound = self.applications.iter().flat_map(|app| audit.enabled(app));
        let named: BTreeSet<i64> = bound.filter_map(|binding| binding.user.0).collect();
        Crowd::new(&self.users, &self.groups, &named)
    }

    fn matrix(&self, audit: &Audit<'_>) -> Matrix {
        let crowd = self.crowd(audit);
        let columns = self.columns(audit);
        let mut applications: Vec<&Application> = self.applications.iter().collect();
        applications
            .sort_by(|a, b| (audit.judge(a).health, a.slug.as_str()).cmp(&(audit.judge(b).health, &b.slug)));
        let rows = applications.into_iter().map(|app| {
            let verdict = audit.judge(app);
            let mut cells = vec![Cell::toned(verdict.word, Tone::from(verdict.health)), stranger(audit, app)];
            cells.extend(columns.iter().map(|(pk, _)| members(audit, app, pk, &crowd)));
            (app.slug.to_string(), cells)
        });
        let rows = rows.collect();
        let mut names = vec!["verdict".to_owned(), "any account".to_owned()];
        names.extend(columns.into_iter().map(|(_, name)| name));
        Matrix { columns: names, rows }
    }

    /// Groups with people in them, those for administrators last.
    fn columns(&self, audit: &Audit<'_>) -> Vec<(String, String)> {
        let peopled: BTreeSet<&str> = self
            .users
            .iter()
            .flat_map(|user| user.groups.iter().flat_map(crate::backend::lenient::Words::iter))
            .collect();
        let mut columns: Vec<(bool, String, String)> = self
            .groups
            .iter()
            .filter(|group| peopled.contains(&*group.pk) || audit.family.contains(&*group.pk))
            .map(|group| (self.groups.is_admin(&group.pk), group.name.to_string(), group.pk.to_string()))
            .collect();
        columns.sort();
        columns.into_iter().map(|(_, name, pk)| (pk, name)).collect()
    }
}

fn stranger(audit: &Audit<'_>, app: &Application) -> Cell {
    match audit.admits(app, &Person::stranger()) {
        Access::Yes => Cell::toned("yes", Tone::Error),
        Access::No => Cell::toned("no", Tone::Dim),
        Access::Depends => Cell::toned("?", Tone::Unknown),
    }
}

/// How many real members of a group get in; bad where the application is for administrators and the group is not.
fn members(audit: &Audit<'_>, app: &Application, group: &str, crowd: &Crowd) -> Cell {
    let own = |person: &Person| person.groups.contains(group);
    let all = crowd.count(own);
    let yes = crowd.count(|person| own(person) && audit.admits(app, person) == Access::Yes);
    let depends = crowd.count(|person| own(person) && audit.admits(app, person) == Access::Depends);
    let leaks =
        crowd.count(|person| own(person) && !person.admin && audit.admits(app, person) == Access::Yes);
    let text = match (yes, depends) {
        (0, 0) => return Cell::toned("-", Tone::Dim),
        (yes, 0) => format!("{yes}/{all}"),
        (yes, depends) => format!("{yes}+{depends}?/{all}"),
    };
    let tone = match (audit.audience(app), leaks, depends) {
        (Audience::Admin, 1.., _) => Tone::Error,
        (_, _, 1..) => Tone::Unknown,
        _ => Tone::Text,
    };
    Cell::toned(text.as_str(), tone)
}

/// One active member of each family group who is no administrator, nobody twice.
fn probands<'u>(users: &'u [User], groups: &Groups, family: &BTreeSet<String>) -> Vec<&'u User> {
    let mut chosen: Vec<&User> = Vec::new();
    for group in family {
        let member = users.iter().find(|user| {
            let mut direct = user.groups.iter().flat_map(crate::backend::lenient::Words::iter);
            let human = matches!(user.kind.as_str(), "internal" | "external") && user.is_active.is_true();
            let admin = user.pk.0.is_none_or(|pk| groups.is_administrator(pk));
            human && !admin && direct.any(|pk| pk == group)
        });
        match member {
            Some(user) if chosen.len() < TRIED && !chosen.iter().any(|known| known.pk == user.pk) => {
                chosen.push(user);
            }
            _ => {}
        }
    }
    chosen
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

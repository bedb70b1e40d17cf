//! The audit as a matrix: applications by groups, and how many real members of each get in.

use crate::backend::authentik::Authentik;
use crate::backend::authentik::exposure::{Access, Audience, Audit, Crowd, Person};
use crate::backend::authentik::find::incomplete;
use crate::backend::authentik::wire::Application;
use crate::backend::error::ApiError;
use crate::model::row::{Cell, Tone};
use crate::model::view::Matrix;

use super::Gathered;

impl Authentik {
    /// Applications by groups, and how many real members of each get in.
    pub(in crate::backend::authentik) async fn exposure_matrix(&self) -> Result<Matrix, ApiError> {
        let gathered = self.gather(|_, _| {}).await?;
        let frame = &gathered.frame;
        let bindings = frame.bindings.as_ref().ok_or_else(|| incomplete(&frame.gaps))?;
        let audit = self.audit(frame, bindings, &gathered.measured);
        Ok(gathered.matrix(&audit))
    }
}

impl Gathered {
    fn matrix(&self, audit: &Audit<'_>) -> Matrix {
        let crowd = &self.census.crowd;
        let columns = self.columns(audit);
        let mut applications: Vec<&Application> = self.frame.applications.iter().collect();
        applications
            .sort_by(|a, b| (audit.judge(a).health, a.slug.as_str()).cmp(&(audit.judge(b).health, &b.slug)));
        let rows = applications.into_iter().map(|app| {
            let verdict = audit.judge(app);
            let mut cells = vec![Cell::toned(verdict.word, Tone::from(verdict.health)), stranger(audit, app)];
            cells.extend(columns.iter().map(|(pk, _)| members(audit, app, pk, crowd)));
            (app.slug.to_string(), cells)
        });
        let rows = rows.collect();
        let mut names = vec!["verdict".to_owned(), "any account".to_owned()];
        names.extend(columns.into_iter().map(|(_, name)| name));
        Matrix { columns: names, rows }
    }

    /// Groups with people in them, those for administrators last.
    fn columns(&self, audit: &Audit<'_>) -> Vec<(String, String)> {
        let (groups, peopled) = (&self.frame.groups, &self.census.peopled);
        let mut columns: Vec<(bool, String, String)> = groups
            .iter()
            .filter(|group| peopled.contains(&*group.pk) || audit.family.contains(&*group.pk))
            .map(|group| (groups.is_admin(&group.pk), group.name.to_string(), group.pk.to_string()))
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

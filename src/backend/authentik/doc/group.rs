//! A group: who is in it and what it opens.

use crate::backend::error::ApiError;
use crate::model::kind::Format;
use crate::model::row::{Cell, Tone};
use crate::model::view::{Doc, DocLine, Fact};

use crate::backend::authentik::Authentik;
use crate::backend::authentik::access::Bindings;
use crate::backend::authentik::people::Groups;
use crate::backend::authentik::rows;
use crate::backend::authentik::wire::{Application, User};

impl Authentik {
    pub(super) async fn describe_group(&self, key: &str) -> Result<Doc, ApiError> {
        let group = self.group(key).await?;
        let (groups, users, applications, bindings) =
            futures_util::join!(self.groups(), self.users(&[]), self.applications(), self.bindings());
        let groups = Groups::new(groups?.items, &self.settings.admin_groups);
        let row = rows::groups::row(&group, &groups, None, &self.place);
        let admin = groups.is_admin(&group.pk);
        let inside: Vec<&str> =
            group.above().filter_map(|pk| groups.get(pk)).map(|group| group.name.as_str()).collect();
        let facts = vec![
            Fact::new("state", row.map(|row| row.cell(0).value.clone()).unwrap_or_default())
                .format(Format::State),
            Fact::new("for administrators", if admin { "yes: nobody is invited into it" } else { "no" })
                .tone(if admin { Tone::Danger } else { Tone::Text }),
            Fact::new("inside", inside.join(", ").as_str()),
            Fact::new("id", group.pk.as_str()).tone(Tone::Dim),
        ];
        let members = users.map(|users| members(&users.items, &group.members().unwrap_or_default()));
        let opens = applications.and_then(|apps| Ok(opens(&apps.items, bindings?.items, &groups, &group.pk)));
        Ok(Doc::default()
            .facts("group", facts)
            .table(
                "members",
                vec!["state".into(), "user".into(), "login".into()],
                members.clone().unwrap_or_default(),
            )
            .lines("members", unseen(members.err()))
            .table("opens", vec!["application".into(), "because".into()], opens.clone().unwrap_or_default())
            .lines("opens", unseen(opens.err())))
    }
}

fn unseen(error: Option<ApiError>) -> Vec<DocLine> {
    error.map(|error| DocLine::toned(format!("cannot be seen: {error}"), Tone::Unknown)).into_iter().collect()
}

fn members(users: &[User], pks: &[i64]) -> Vec<Vec<Cell>> {
    let row = |user: &User| {
        let state = rows::users::state(user, 0);
        vec![
            Cell::toned(state.word, Tone::from(state.health)),
            Cell::new(user.username.as_str()),
            Cell::new(user.last_login.time()),
        ]
    };
    users.iter().filter(|user| user.pk.0.is_some_and(|pk| pks.contains(&pk))).map(row).collect()
}

/// Applications with an enabled binding to the group or to something above it, of which its members are members too.
fn opens(
    applications: &[Application],
    bindings: Vec<crate::backend::authentik::wire::Binding>,
    groups: &Groups,
    pk: &str,
) -> Vec<Vec<Cell>> {
    let bindings = Bindings::new(bindings);
    let member_of = groups.with_ancestors(pk);
    let row = |application: &Application| {
        let binding = bindings.admits(application, &member_of)?;
        Some(vec![Cell::new(application.slug.as_str()), Cell::new(binding.who().as_str())])
    };
    applications.iter().filter_map(row).collect()
}

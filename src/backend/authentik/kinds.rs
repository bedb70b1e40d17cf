//! What Authentik has to show: its kinds and their columns.

mod keys;
mod upkeep;
mod watch;

use crate::model::kind::{Column, Format, KindSpec, Shape, ViewSpec, Width};

/// People and service accounts.
pub const USERS: &str = "authentik.users";
/// Groups.
pub const GROUPS: &str = "authentik.groups";
/// Invitations, and what became of those that are gone.
pub const INVITATIONS: &str = "authentik.invitations";
/// Applications and who may open them.
pub const APPLICATIONS: &str = "authentik.applications";
/// Outposts and whether they are connected.
pub const OUTPOSTS: &str = "authentik.outposts";
/// The way of each invited person, from the link to the applications.
pub const ONBOARDING: &str = "authentik.onboarding";
/// Tokens, whose keys are never read.
pub const TOKENS: &str = "authentik.tokens";
/// Accounts of programs, and those that are expected.
pub const SERVICE_ACCOUNTS: &str = "authentik.service-accounts";
/// Sessions of browsers.
pub const SESSIONS: &str = "authentik.sessions";
/// Passkeys and other second factors.
pub const DEVICES: &str = "authentik.devices";
/// Who did what.
pub const EVENTS: &str = "authentik.events";
/// Flows, their stages and what could shut everybody out of them.
pub const FLOWS: &str = "authentik.flows";
/// Workers, schedules, tasks and blueprints.
pub const TASKS: &str = "authentik.tasks";
/// Which application is open to whom, and whether it may be.
pub const EXPOSURE: &str = "authentik.exposure";

/// All kinds.
pub fn all() -> Vec<KindSpec> {
    let mut all = vec![users(), groups(), invitations(), onboarding(), applications(), outposts()];
    all.extend([keys::tokens(), keys::service_accounts(), keys::devices()]);
    all.extend([watch::sessions(), watch::events(), watch::exposure()]);
    all.extend([upkeep::flows(), upkeep::tasks()]);
    all
}

fn view(name: &'static str, title: &'static str, shape: Shape) -> ViewSpec {
    ViewSpec { name: name.into(), title: title.into(), shape }
}

fn kind(id: &'static str, singular: &'static str, aliases: &[&'static str], doc: &'static str) -> KindSpec {
    KindSpec {
        id: id.into(),
        singular: singular.into(),
        aliases: aliases.iter().map(|alias| (*alias).into()).collect(),
        doc: doc.into(),
        columns: Vec::new(),
        sort: (0, false),
        views: Vec::new(),
        drill: None,
        pane: None,
    }
}

fn state(width: u16, doc: &'static str) -> Column {
    Column::new("state", "state", Width::Fixed(width), doc).format(Format::State).priority(0)
}

fn name(least: u16, most: u16, doc: &'static str) -> Column {
    Column::new("name", "name", Width::Fit(least, most), doc).priority(0)
}

fn wide(name: &'static str, title: &'static str, width: Width, doc: &'static str) -> Column {
    Column::new(name, title, width, doc).priority(9).wide()
}

fn users() -> KindSpec {
    let columns = vec![
        state(11, "active, no groups, or inactive."),
        name(8, 24, "The user name, which is exact and case-sensitive."),
        Column::new("person", "person", Width::Fit(6, 24), "The name as it is shown to people.").priority(4),
        Column::new("type", "type", Width::Fit(8, 10), "internal, external, service or outpost.").priority(3),
        Column::new("groups", "groups", Width::Flex(14), "The groups it is a direct member of.").priority(1),
        Column::new("admin", "admin", Width::Fixed(5), "Whether it may do everything (superuser).")
            .format(Format::Flag)
            .priority(2),
        Column::new("factors", "factors", Width::Fit(3, 14), "Passkeys and other second factors.")
            .priority(2),
        Column::new("sessions", "sess", Width::Fixed(4), "Live sessions that can be seen.")
            .format(Format::Count)
            .priority(3),
        Column::new("login", "login", Width::Fixed(6), "Since its last login.")
            .format(Format::Age)
            .priority(1),
        wide("source", "source", Width::Fit(6, 16), "How it came to be: an invitation, or by hand."),
        wide("email", "email", Width::Fit(8, 32), "The mail address, which need not be unique."),
        wide("joined", "joined", Width::Fixed(6), "Since it was created.").format(Format::Age),
        wide("path", "path", Width::Fit(4, 20), "Where it stands in the directory."),
        wide("pk", "pk", Width::Fit(2, 8), "The number by which the server knows it.").format(Format::Count),
    ];
    let base = kind(USERS, "user", &["user", "people"], "People and service accounts.");
    let views = vec![view("leaving", "offboarding", Shape::Doc)];
    KindSpec { columns, views, sort: (1, false), pane: Some('4'), ..base }
}

fn groups() -> KindSpec {
    let columns = vec![
        state(8, "admin, empty, or ok."),
        name(10, 40, "The group's name."),
        Column::new("members", "members", Width::Fixed(7), "How many direct members it has.")
            .format(Format::Count)
            .priority(1),
        Column::new("inactive", "inactive", Width::Fixed(8), "How many of them are inactive.")
            .format(Format::Count)
            .priority(3),
        Column::new("superuser", "superuser", Width::Fixed(9), "Whether its members may do everything.")
            .format(Format::Flag)
            .priority(2),
        Column::new("above", "inside", Width::Flex(10), "The groups that its members belong to as well.")
            .priority(2),
        wide("roles", "roles", Width::Fixed(5), "How many roles it grants.").format(Format::Count),
        wide("pk", "pk", Width::Fit(8, 36), "The id by which the server knows it."),
    ];
    let base = kind(GROUPS, "group", &["group"], "Groups of users, and what they are inside of.");
    KindSpec { columns, sort: (1, false), ..base }
}

fn invitations() -> KindSpec {
    let columns = vec![
        state(10, "waiting, expiring (within 24 h), expired, used, or burnt: opened, and nobody enrolled."),
        name(10, 32, "The invitation's name; its link is shown only when it is made."),
        Column::new("group", "group", Width::Flex(20), "The group that the enrolment gives.").priority(1),
        Column::new(
            "by",
            "by",
            Width::Fit(4, 16),
            "Who invited: the mark's operator, else the server's user.",
        )
        .priority(2),
        Column::new("uses", "uses", Width::Fixed(5), "once, or many until it expires.").priority(3),
        Column::new("age", "age", Width::Fixed(5), "Since it was made.").format(Format::Age).priority(4),
        Column::new("expires", "expires", Width::Fixed(7), "Time until it ends.")
            .format(Format::Until)
            .priority(0),
        wide("flow", "flow", Width::Fit(6, 28), "The flow that the link opens."),
    ];
    let aliases = ["invitation", "invitations", "invites", "inv"];
    let base = kind(INVITATIONS, "invitation", &aliases, "Invitations, and what became of them.");
    KindSpec { columns, sort: (6, false), ..base }
}

fn onboarding() -> KindSpec {
    let columns = vec![
        state(13, "invited, expired, burnt, revoked, enrolled, validated, has apps, provisioned, or stuck."),
        name(8, 28, "The user name, or the invitation's name while nobody has enrolled."),
        Column::new("person", "person", Width::Fit(6, 24), "The name as it is shown to people.").priority(4),
        Column::new("invitation", "invitation", Width::Fit(8, 32), "The invitation it came by.").priority(3),
        Column::new("wants", "wants", Width::Fit(5, 24), "The group that the invitation was for.")
            .priority(2),
        Column::new("groups", "groups", Width::Flex(10), "The groups it is in now.").priority(1),
        Column::new("next", "next", Width::Flex(24), "What has to happen next.").priority(1),
        Column::new("since", "since", Width::Fixed(6), "Since the last step that is known.")
            .format(Format::Age)
            .priority(0),
        wide("source", "source", Width::Fit(6, 16), "How the account came to be."),
    ];
    let doc = "The way of each invited person, from the link to the applications.";
    let views = vec![view("board", "board", Shape::Board)];
    KindSpec { columns, views, sort: (7, true), ..kind(ONBOARDING, "person", &["onboard", "board"], doc) }
}

fn applications() -> KindSpec {
    let columns = vec![
        state(9, "open to every user, gated, or unknown where bindings cannot be seen."),
        name(8, 24, "The slug, by which the server knows it."),
        Column::new("title", "title", Width::Fit(6, 24), "The name as it is shown to people.").priority(4),
        Column::new("access", "open to", Width::Flex(14), "Who may open it: groups, users and policies.")
            .priority(1),
        Column::new("mode", "mode", Width::Fixed(4), "Whether any or all of them must agree.").priority(3),
        Column::new("provider", "provider", Width::Fit(6, 24), "How it is protected.").priority(3),
        Column::new(
            "hidden",
            "hidden",
            Width::Fixed(6),
            "Whether its tile is hidden, which protects nothing.",
        )
        .format(Format::Flag)
        .priority(5),
        wide("section", "section", Width::Fit(4, 16), "The heading under which the portal shows it."),
        wide("url", "url", Width::Fit(8, 40), "Where its tile leads."),
    ];
    let aliases = ["application", "apps", "app", "auth-apps"];
    let base = kind(APPLICATIONS, "application", &aliases, "Applications and who may open them.");
    KindSpec { columns, sort: (1, false), ..base }
}

fn outposts() -> KindSpec {
    let columns = vec![
        state(10, "up, degraded, outdated, silent, down, or unknown."),
        name(8, 32, "The outpost's name."),
        Column::new("type", "type", Width::Fixed(6), "proxy, ldap, radius or rac.").priority(3),
        Column::new("instances", "inst", Width::Fixed(5), "Connected instances of those expected.")
            .format(Format::Count)
            .priority(1),
        Column::new("version", "version", Width::Fit(7, 14), "The oldest version that is connected.")
            .priority(1),
        Column::new("apps", "apps", Width::Fixed(4), "How many applications it protects.")
            .format(Format::Count)
            .priority(3),
        Column::new("seen", "seen", Width::Fixed(6), "Since it was last heard of.")
            .format(Format::Age)
            .priority(0),
        wide("should", "should be", Width::Fit(9, 14), "The server's own version."),
        wide("host", "host", Width::Fit(8, 40), "The address at which it finds the server."),
    ];
    let base = kind(OUTPOSTS, "outpost", &["outpost"], "Outposts and whether they are connected.");
    KindSpec { columns, sort: (1, false), ..base }
}

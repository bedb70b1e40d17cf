//! What Argo CD's kinds are called, which columns they have, and what may be done to them.

use crate::backend::kubernetes::kinds::{column, kind, view};
use crate::model::kind::{Format, KindSpec, Shape, Width};
use crate::model::op::{Field, FieldKind, OpSpec, Tier, Verb};

/// Applications.
pub const APPLICATIONS: &str = "argocd.applications";

/// Compare with Git now.
pub const REFRESH: &str = "argocd.refresh";
/// Apply what is in Git.
pub const SYNC: &str = "argocd.sync";

/// Compare with Git now, with the manifests made anew.
pub const HARD_REFRESH: &str = "argocd.hard-refresh";
/// End the operation under way.
pub const TERMINATE: &str = "argocd.terminate";
/// Go back to an entry of the history.
pub const ROLLBACK: &str = "argocd.rollback";
/// Whether Argo CD syncs by itself.
pub const AUTO_SYNC: &str = "argocd.auto-sync";

/// Application sets.
pub const SETS: &str = "argocd.applicationsets";
/// Projects.
pub const PROJECTS: &str = "argocd.projects";
/// Waves of each cluster.
pub const WAVES: &str = "argocd.waves";

/// Clusters that it delivers to.
pub const CLUSTERS: &str = "argocd.clusters";
/// Repositories that it reads.
pub const REPOSITORIES: &str = "argocd.repositories";

/// Sync wave by wave.
pub const SYNC_WAVES: &str = "argocd.sync-waves";
/// An action on one object.
pub const ACTION: &str = "argocd.action";
/// Delete an application.
pub const DELETE: &str = "argocd.delete";

/// The right that every change of an Application needs.
pub const PATCH: &str = "patch applications.argoproj.io";

/// The kinds in the order of the palette.
pub fn kinds() -> Vec<KindSpec> {
    vec![applications(), waves(), sets(), projects(), clusters(), repositories()]
}

/// What may be done to them.
pub fn operations() -> Vec<OpSpec> {
    let refresh = OpSpec::on(
        APPLICATIONS,
        REFRESH,
        "refresh",
        Tier::T1,
        "Compares the application with Git now instead of at the next period.",
    );
    let sync = OpSpec::on(
        APPLICATIONS,
        SYNC,
        "sync",
        Tier::T2,
        "Applies what is in Git, with hooks and waves; removes nothing unless asked to.",
    );
    let doc =
        "Compares the application with Git now, with its manifests made anew instead of from the cache.";
    let hard = OpSpec::on(APPLICATIONS, HARD_REFRESH, "hard refresh", Tier::T1, doc);
    let mut all = vec![
        sync.right(PATCH)
            .form(vec![dry_run(), prune(), only(), options(), retry()])
            .bulk()
            .verb(Verb::Special),
        refresh.right(PATCH).bulk().warn_if_blind(),
        hard.right(PATCH).bulk().warn_if_blind(),
    ];
    all.extend(seldom());
    all
}

/// What is done to an application now and then.
fn seldom() -> Vec<OpSpec> {
    let on = |name, title, tier, doc| OpSpec::on(APPLICATIONS, name, title, tier, doc);
    let terminate = on(TERMINATE, "terminate", Tier::T2, "Ends the operation under way where it is.");
    let rollback = on(ROLLBACK, "roll back", Tier::T2, "Goes back to an earlier entry of its history.");
    let auto = on(AUTO_SYNC, "auto-sync", Tier::T2, "Switches Argo CD's own syncing on or off.");
    let action =
        on(ACTION, "action", Tier::T2, "Runs an action of Argo CD on one object (restart, scale, pause …).");
    let doc =
        "Syncs this wave's applications, waits until they are healthy, then goes on with the next wave.";
    let waves = OpSpec::on(WAVES, SYNC_WAVES, "sync waves", Tier::T2, doc);
    vec![
        terminate.right(PATCH).warn_if_blind(),
        rollback.right(PATCH).form(vec![super::ops::rollback_field()]),
        auto.right(PATCH).form(vec![switch()]),
        action
            .right("applications, action/GROUP/KIND/ACTION")
            .form(vec![super::ops::action_field(), parameters()]),
        on(DELETE, "delete", Tier::T3, DELETING).right("delete applications.argoproj.io"),
        waves.right(PATCH).form(vec![patience(), prune()]),
    ]
}

/// What an application's end means, and how it is brought about.
const DELETING: &str = "Desired state: remove the application from its parent in Git. By hand, what becomes of its \
    objects is chosen: `argocd app delete NAME --cascade --propagation-policy foreground` (they go first, then the \
    application), `--propagation-policy background` (they go by themselves), `--cascade=false` (they stay, and nobody \
    looks after them any more).";

/// All operations that need one and the same right.
pub const OPERATIONS: [&str; 7] = [REFRESH, HARD_REFRESH, SYNC, TERMINATE, ROLLBACK, AUTO_SYNC, SYNC_WAVES];

fn parameters() -> Field {
    let doc = "What the action takes, as NAME=VALUE words (replicas=2); empty for most.";
    Field::new("parameters", "parameters", FieldKind::Line, doc).optional()
}

fn patience() -> Field {
    let doc = "How long one wave may take to get healthy before the rest is left alone; at most 2 h.";
    Field::new("patience", "patience", FieldKind::Duration { max: 7200 }, doc).default("15m")
}

fn prune() -> Field {
    let doc = "Also REMOVES objects that are no longer in Git; the confirmation lists them.";
    Field::new("prune", "prune", FieldKind::Flag, doc).default("false")
}

fn only() -> Field {
    let doc = "Only these objects, as KIND/NAME words; empty is all. Hooks do not run then, and no history is written.";
    Field::new("only", "only", FieldKind::Line, doc).optional()
}

fn switch() -> Field {
    let choices = FieldKind::Choice(vec!["on".into(), "off".into()]);
    Field::new("state", "state", choices, "What it is switched to.").default("off")
}

fn dry_run() -> Field {
    let choices = FieldKind::Choice(vec!["first".into(), "only".into(), "no".into()]);
    let doc = "Asks the API server what it would do: first (and applies only if it refuses nothing), only, or not at all. \
        It occupies the application meanwhile.";
    Field::new("dry-run", "dry run", choices, doc).default("first")
}

fn options() -> Field {
    let doc = "More sync options as NAME=VALUE words (Replace=true ServerSideApply=true); the application's own are kept.";
    Field::new("options", "options", FieldKind::Line, doc).optional()
}

fn retry() -> Field {
    let doc = "How often it is tried again where something fails, 0 to 10; empty is as the application says.";
    Field::new("retry", "retry", FieldKind::Line, doc).optional()
}

fn applications() -> KindSpec {
    let columns = vec![
        column(
            "state",
            "state",
            Width::Fit(7, 13),
            "The verdict: the worst of operation, conditions, health and sync.",
        )
        .format(Format::State)
        .priority(0),
        column("name", "name", Width::Flex(16), "The application's name.").priority(0),
        column("sync", "sync", Width::Fit(6, 9), "Compared with Git: Synced, OutOfSync, Unknown.")
            .priority(2),
        column("health", "health", Width::Fit(7, 11), "How its objects are.").priority(3),
        column("wave", "wave", Width::Fit(4, 4), "Its sync wave, from the annotation on the application.")
            .format(Format::Count)
            .priority(2),
        column("revision", "rev", Width::Fit(7, 12), "The revision it was compared with, shortened.")
            .priority(3),
        column("why", "why", Width::Flex(12), "The first error, culprit or message behind the state.")
            .priority(1),
        column("op", "op", Width::Fit(4, 11), "The phase of its last operation.").priority(5),
        column("project", "project", Width::Fit(7, 14), "Its project.").priority(7),
        column("destination", "to", Width::Fit(5, 24), "The cluster and namespace it is delivered into.")
            .priority(6),
        column("auto", "auto", Width::Fit(4, 4), "Whether Argo CD syncs it by itself.")
            .format(Format::Flag)
            .priority(5),
        column(
            "since",
            "since",
            Width::Fit(4, 5),
            "How long its state has been what it is; Argo CD does not tell since when it differs.",
        )
        .format(Format::Age)
        .priority(4),
        column("reconciled", "cmp", Width::Fit(3, 4), "When it was last compared with Git.")
            .format(Format::Age)
            .priority(1),
        column("by", "by", Width::Fit(4, 14), "Who asked for its last operation.").wide(),
        column("began", "began", Width::Fit(4, 5), "When its last operation began.")
            .format(Format::Age)
            .wide(),
        column("ended", "ended", Width::Fit(4, 5), "When its last operation ended.")
            .format(Format::Age)
            .wide(),
    ];
    let doc = "Argo CD applications: sync, health, wave, revision and what they wait for.";
    let base = kind(APPLICATIONS, "application", &["application", "app", "apps"], doc);
    KindSpec { columns, views: super::views::of_applications(), pane: Some('3'), ..base }
}

fn waves() -> KindSpec {
    let columns = vec![
        column("state", "gate", Width::Fit(7, 13), "Open, Holding, or Passed over by a later wave.")
            .format(Format::State)
            .priority(0),
        column("name", "wave", Width::Flex(16), "The cluster and the wave's number.").priority(0),
        column("cluster", "cluster", Width::Fit(7, 16), "The cluster.").priority(6).wide(),
        column("number", "no", Width::Fit(2, 4), "The wave's number.")
            .format(Format::Count)
            .priority(7)
            .wide(),
        column("good", "good", Width::Fit(5, 7), "Applications that are synced and healthy, of all.")
            .format(Format::Count)
            .priority(1),
        column("why", "blocked by", Width::Flex(20), "The first application that is not good, and why.")
            .priority(1),
    ];
    let views = vec![view("board", "board", Shape::Board)];
    let doc = "Sync waves of each cluster: each one's own state, what blocks it, and whether later ones passed it over.";
    KindSpec { columns, views, ..kind(WAVES, "wave", &["wave"], doc) }
}

fn sets() -> KindSpec {
    let columns = vec![
        column("state", "state", Width::Fit(7, 14), "Up to date, rolling, or in error.")
            .format(Format::State)
            .priority(0),
        column("name", "name", Width::Flex(16), "Its name.").priority(0),
        column("applications", "apps", Width::Fit(4, 5), "How many applications it makes.")
            .format(Format::Count)
            .priority(1),
        column("strategy", "strategy", Width::Fit(8, 12), "All at once, or step by step.").priority(2),
        column("why", "why", Width::Flex(20), "The error, or the step it is at.").priority(1),
        column("age", "age", Width::Fit(3, 4), "Since its creation.").format(Format::Age).priority(3),
    ];
    let doc = "Application sets: what makes applications, and how far it is.";
    KindSpec { columns, ..kind(SETS, "application set", &["applicationset", "appset"], doc) }
}

fn projects() -> KindSpec {
    let columns = vec![
        column("state", "state", Width::Fit(6, 8), "Open, or closed by a sync window now.")
            .format(Format::State)
            .priority(0),
        column("name", "name", Width::Flex(12), "Its name.").priority(0),
        column("windows", "windows", Width::Flex(16), "When syncs are allowed or denied.").priority(1),
        column("destinations", "to", Width::Flex(12), "Where it may deliver.").priority(2),
        column("sources", "from", Width::Flex(12), "Repositories it may use.").priority(3),
        column("age", "age", Width::Fit(3, 4), "Since its creation.").format(Format::Age).priority(4),
    ];
    let doc = "Projects: sync windows, and what they allow.";
    KindSpec { columns, ..kind(PROJECTS, "project", &["project", "appproject"], doc) }
}

fn clusters() -> KindSpec {
    let columns = vec![
        column("state", "state", Width::Fit(7, 14), "Whether Argo CD reaches it.")
            .format(Format::State)
            .priority(0),
        column("name", "name", Width::Flex(12), "Its name in Argo CD.").priority(0),
        column("applications", "apps", Width::Fit(4, 5), "Applications that are delivered there.")
            .format(Format::Count)
            .priority(1),
        column("version", "version", Width::Fit(5, 8), "Its Kubernetes.").priority(2),
        column("objects", "objects", Width::Fit(5, 7), "Objects that Argo CD watches there.")
            .format(Format::Count)
            .priority(4),
        column("why", "why", Width::Flex(16), "Why it is not reached.").priority(1),
        column("server", "server", Width::Flex(16), "Its API server.").priority(3),
        column("cached", "cache", Width::Fit(4, 5), "When what it watches was read anew.")
            .format(Format::Age)
            .priority(5),
        column("tried", "tried", Width::Fit(4, 5), "When the connection was tried.")
            .format(Format::Age)
            .priority(4),
    ];
    let doc = "Clusters that Argo CD delivers to: whether it reaches them, and what it watches there.";
    KindSpec { columns, views: Vec::new(), ..kind(CLUSTERS, "cluster", &["argo-cluster"], doc) }
}

fn repositories() -> KindSpec {
    let columns = vec![
        column("state", "state", Width::Fit(7, 14), "Whether Argo CD can read it.")
            .format(Format::State)
            .priority(0),
        column("name", "name", Width::Flex(12), "Its name.").priority(0),
        column("type", "type", Width::Fit(4, 5), "git, helm or oci.").priority(3),
        column("url", "url", Width::Flex(20), "Where it is.").priority(2),
        column("why", "why", Width::Flex(16), "Why it cannot be read.").priority(1),
        column("project", "project", Width::Fit(4, 14), "The only project that may use it.")
            .priority(5)
            .wide(),
        column("tried", "tried", Width::Fit(4, 5), "When the connection was tried.")
            .format(Format::Age)
            .priority(4),
    ];
    let doc = "Repositories that Argo CD reads, with the state of the connection.";
    KindSpec { columns, views: Vec::new(), ..kind(REPOSITORIES, "repository", &["repository", "repo"], doc) }
}

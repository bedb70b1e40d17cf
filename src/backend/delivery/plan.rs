//! Which application is promoted into which, and from what to what.

use crate::backend::argocd::wire::Application;
use crate::backend::argocd::{Held, rows};
use crate::backend::error::ApiError;
use crate::config::Promotion;
use crate::model::id::EntityId;

use super::Delivery;

/// What is to be taken where.
pub struct Plan {
    /// The application as the environment before runs it.
    pub source: Application,
    /// The application that is to run the same.
    pub target: Held,
    /// The revision that is to be run.
    pub wanted: String,
}

impl Plan {
    /// What the target is told to run now.
    pub fn told(&self) -> &str {
        self.target.app.spec.source.0.as_ref().map_or("", |source| source.target_revision.as_str())
    }

    /// What the target runs now.
    pub fn runs(&self) -> &str {
        &self.target.app.status.sync.revision
    }
}

/// Reads both sides; the inner error says why there is nothing to promote here.
pub async fn read(desk: &Delivery, id: &EntityId, revision: &str) -> Result<Result<Plan, String>, ApiError> {
    let target = desk.argo.held(&id.key).await?;
    let all = desk.argo.all().await?;
    let source = match partner(&desk.promotion, &target.app, all) {
        Ok(source) => source,
        Err(why) => return Ok(Err(why)),
    };
    if target.app.spec.source.0.is_none() {
        return Ok(Err("it has several sources: which of them is promoted has to be said in Git".to_owned()));
    }
    let runs = source.status.sync.revision.as_str();
    let wanted = if revision.trim().is_empty() { runs } else { revision.trim() }.to_owned();
    Ok(if is_revision(&wanted) {
        Ok(Plan { source, target, wanted })
    } else {
        Err(format!("`{wanted}` is no revision"))
    })
}

/// A commit, tag, branch or version that fits a command line as it is.
fn is_revision(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._:@/-".contains(c);
    !text.is_empty() && !text.starts_with('-') && text.chars().all(plain)
}

/// The same application in the environment before: exactly one of the same name but for the environment.
fn partner(way: &Promotion, target: &Application, all: Vec<Application>) -> Result<Application, String> {
    let env = |app: &Application| app.metadata.labels.get(&way.label).unwrap_or_default().to_owned();
    let here = env(target);
    if here != way.to {
        return Err(format!("it is in {}, and promotions lead into {}", named(&here), way.to));
    }
    let wanted = base(&target.metadata.name, &way.to);
    let fits = |app: &Application| env(app) == way.from && base(&app.metadata.name, &way.from) == wanted;
    let mut found: Vec<Application> = all.into_iter().filter(fits).collect();
    match (found.pop(), found.len()) {
        (Some(only), 0) => Ok(only),
        (None, _) => Err(format!("{} has no application {wanted}", way.from)),
        (Some(_), more) => Err(format!("{} has {} applications {wanted}", way.from, more + 1)),
    }
}

fn named(env: &str) -> &str {
    if env.is_empty() { "no environment" } else { env }
}

/// An application's name without its environment: `traefik-prod` and `prod-traefik` are `traefik`.
fn base<'a>(name: &'a str, env: &str) -> &'a str {
    let end = name.strip_suffix(env).and_then(|name| name.strip_suffix('-'));
    let start = || name.strip_prefix(env).and_then(|name| name.strip_prefix('-'));
    end.or_else(start).unwrap_or(name)
}

/// The verdict on an application, as its row tells it.
pub fn verdict(desk: &Delivery, app: &Application) -> (String, crate::model::row::Health) {
    let state = rows::judged(app, desk.argo.stale(), desk.clock.now());
    let word = if state.why.is_empty() { state.word } else { format!("{}: {}", state.word, state.why) };
    (word, state.health)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    fn app(name: &str, env: &str) -> Application {
        serde_json::from_value(json!({"metadata": {"name": name, "labels": {"env": env}}})).unwrap()
    }

    fn way() -> Promotion {
        Promotion {
            from: "dev".into(),
            to: "prod".into(),
            label: "env".into(),
            stable: Duration::from_secs(7200),
            pipeline: None,
        }
    }

    #[test]
    fn the_partner_is_the_only_one_of_the_same_name_in_the_environment_before() {
        let all = || {
            vec![
                app("traefik-dev", "dev"),
                app("loki", "dev"),
                app("dev-grafana", "dev"),
                app("loki-dev", "dev"),
            ]
        };
        let partner = |name: &str, env: &str| {
            partner(&way(), &app(name, env), all()).map(|app| app.metadata.name.as_str().to_owned())
        };
        assert_eq!(partner("traefik-prod", "prod"), Ok("traefik-dev".to_owned()));
        assert_eq!(partner("grafana", "prod"), Ok("dev-grafana".to_owned()));
        assert!(partner("loki", "prod").unwrap_err().contains("2 applications loki"));
        assert!(partner("komga", "prod").unwrap_err().contains("no application komga"));
        assert!(partner("traefik-dev", "dev").unwrap_err().contains("lead into prod"));
        assert!(partner("odd", "").unwrap_err().contains("no environment"));
    }

    #[test]
    fn a_revision_never_becomes_an_option_or_a_shell() {
        for (text, fits) in
            [("8f2c1a4d", true), ("v1.2.3", true), ("", false), ("--force", false), ("a;b", false)]
        {
            assert_eq!(is_revision(text), fits, "{text}");
        }
    }
}

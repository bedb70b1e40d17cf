//! Resource actions: small scripts of Argo CD on one object, which only argocd-server can run.

use jiff::Timestamp;
use serde_json::Value;

use crate::backend::error::{ApiError, SendError};
use crate::backend::{Proof, Receipt};
use crate::model::kind::Text;
use crate::model::op::{Decision, Evidence, Field, FieldKind, Job, Target, Verdict};
use crate::model::row::Tone;
use crate::model::snapshot::{Fault, Layer};

use super::super::Argo;
use super::super::rest::{Object, Of, Rest};
use super::super::wire::{Application, Resource};
use super::{Held, settled};

/// Kinds that have actions at all; asking for every config map would be many calls for nothing.
const ACTIVE: [&str; 9] = [
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "Rollout",
    "CronJob",
    "Job",
    "Workflow",
    "ExternalSecret",
    "Application",
];

/// Objects that are asked for their actions.
const MOST: usize = 20;

/// The form before the actions are known.
pub fn field() -> Field {
    let doc = "The object and what is run on it, as KIND/NAME ACTION.";
    Field::new("action", "action", FieldKind::Offered, doc)
}

/// The form with the actions that the server offers for the objects of this application.
pub async fn form(argo: &Argo, target: &Target, rest_of_form: &[Field]) -> Result<Vec<Field>, ApiError> {
    let rest = rest(argo)?;
    let app = super::read_at(argo, &target.id.key).await?.app;
    let mut offered: Vec<Text> = Vec::new();
    let active = app.status.resources.iter().filter(|resource| ACTIVE.contains(&&*resource.kind));
    for resource in active.take(MOST) {
        let found = rest.actions(&Of::new(&app), &Object::new(resource)).await?;
        let possible = found.actions.iter().filter(|action| !action.disabled.is_true());
        offered.extend(
            possible.map(|action| Text::Owned(format!("{} {}", word(resource), action.name.as_str()))),
        );
    }
    if offered.is_empty() {
        return Err(ApiError::unsupported("none of its objects offers an action"));
    }
    let choice = Field { kind: FieldKind::Choice(offered), ..field() };
    Ok(std::iter::once(choice).chain(rest_of_form.iter().skip(1).cloned()).collect())
}

fn rest(argo: &Argo) -> Result<&Rest, ApiError> {
    argo.rest.as_ref().ok_or_else(|| {
        ApiError::new(Layer::Config, "actions are run by argocd-server")
            .hint("give this `[[argocd]]` the `url` and `token` of its REST API")
    })
}

fn word(resource: &Resource) -> String {
    format!("{}/{}", resource.kind.as_str(), resource.name.as_str())
}

/// What is to be run, on exactly one object.
struct Order<'a> {
    resource: &'a Resource,
    action: &'a str,
    parameters: Vec<(String, String)>,
}

fn order<'a>(job: &'a Job, app: &'a Application) -> Result<Order<'a>, String> {
    let text = job.arg("action");
    let (object, action) = text.split_once(' ').ok_or_else(|| format!("`{text}` is not KIND/NAME ACTION"))?;
    let hits: Vec<&Resource> =
        app.status.resources.iter().filter(|resource| word(resource) == object).collect();
    let [resource] = hits.as_slice() else {
        return Err(format!("`{object}` names {} objects of the application", hits.len()));
    };
    let pairs = job.arg("parameters").split_whitespace().map(|pair| {
        let (name, value) = pair.split_once('=').ok_or_else(|| format!("`{pair}` is not NAME=VALUE"))?;
        Ok::<_, String>((name.to_owned(), value.to_owned()))
    });
    Ok(Order { resource, action: action.trim(), parameters: pairs.collect::<Result<_, _>>()? })
}

pub async fn preflight(argo: &Argo, job: &Job, now: &Held) -> Result<Verdict, ApiError> {
    let rest = rest(argo)?;
    let refuse = |what: &str, why: String| Verdict { identity: now.identity(), ..Verdict::refuse(what, why) };
    let order = match order(job, &now.app) {
        Ok(order) => order,
        Err(why) => return Ok(refuse("action", why)),
    };
    let offered = rest.actions(&Of::new(&now.app), &Object::new(order.resource)).await?;
    let known = offered.actions.iter().find(|action| &*action.name == order.action);
    match known {
        None => {
            return Ok(refuse("action", format!("{} has no action {}", word(order.resource), order.action)));
        }
        Some(action) if action.disabled.is_true() => {
            return Ok(refuse("action", format!("{} does not apply to it now", order.action)));
        }
        Some(_) => {}
    }
    let effect = format!("runs {} on {}", order.action, order.resource.label());
    let says = "what it changes is not in Git: with self-heal, Argo CD may undo it";
    Ok(Verdict::allow(effect, now.identity())
        .and(Decision::Allow, Evidence::new("object", order.resource.label(), Tone::Text))
        .and(Decision::Warn, Evidence::new("Git", says, Tone::Warn)))
}

pub async fn operate(argo: &Argo, job: &Job) -> Result<Receipt, SendError> {
    let now = settled(argo, job).await?;
    let refuse = |why: String| SendError::NotSent(Fault::new(Layer::App, why));
    let rest = rest(argo).map_err(|error| SendError::NotSent(error.fault))?;
    let order = order(job, &now.app).map_err(refuse)?;
    rest.act(&Of::new(&now.app), &Object::new(order.resource), order.action, &order.parameters).await?;
    Ok(Receipt { remote: None, said: format!("{} was run", order.action), reveal: None })
}

/// Looks at the object itself; what an unknown action changes is unknown too.
pub async fn proof(argo: &Argo, job: &Job, since: Timestamp) -> Result<Proof, ApiError> {
    let app = super::read_at(argo, &job.target.id.key).await?.app;
    let order = match order(job, &app) {
        Ok(order) => order,
        Err(why) => return Ok(Proof::Absent(why)),
    };
    let live = rest(argo)?.live(&Of::new(&app), &Object::new(order.resource)).await?;
    Ok(shown(&order, &live, since))
}

fn shown(order: &Order<'_>, live: &Value, since: Timestamp) -> Proof {
    let name = order.resource.label();
    let is = |seen: bool, what: String| if seen { Proof::Seen(what) } else { Proof::Absent(what) };
    match order.action {
        "restart" => {
            let mark = "/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt";
            let at = live.pointer(mark).and_then(Value::as_str).and_then(|at| at.parse::<Timestamp>().ok());
            let newer = at.is_some_and(|at| at.as_second() >= since.as_second());
            let what = if newer { "carries a newer restart mark" } else { "carries no newer restart mark" };
            is(newer, format!("{name} {what}"))
        }
        "scale" => {
            let wanted =
                order.parameters.iter().find(|(name, _)| name == "replicas").map(|(_, value)| value.as_str());
            let now = live["spec"]["replicas"].as_i64().map(|n| n.to_string()).unwrap_or_default();
            is(wanted == Some(now.as_str()), format!("{name} is set to {now} replicas"))
        }
        "pause" | "resume" => {
            let paused = live["spec"]["paused"] == true || live["spec"]["suspend"] == true;
            let word = if paused { "paused" } else { "not paused" };
            is(paused == (order.action == "pause"), format!("{name} is {word}"))
        }
        other => Proof::Unclear(
            format!("vigie does not know what {other} changes"),
            format!("look at {name} with the view yaml"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_an_action_did_is_seen_in_the_object() {
        let resource: Resource =
            serde_json::from_value(json!({"kind": "Deployment", "name": "immich"})).unwrap();
        let since = "2026-11-20T03:00:00Z".parse().unwrap();
        let order = |action: &'static str, parameters: &[(&str, &str)]| Order {
            resource: &resource,
            action,
            parameters: parameters.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
        };
        let mark = |at: &str| json!({"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": at}}}}});
        let two = json!({"spec": {"replicas": 2}});
        let seen = [
            (order("restart", &[]), mark("2026-11-20T03:00:00Z")),
            (order("scale", &[("replicas", "2")]), two.clone()),
            (order("pause", &[]), json!({"spec": {"paused": true}})),
            (order("resume", &[]), json!({"spec": {}})),
        ];
        for (order, live) in seen {
            assert!(matches!(shown(&order, &live, since), Proof::Seen(_)), "{}", order.action);
        }
        let absent = [
            (order("restart", &[]), mark("2026-11-20T02:00:00Z")),
            (order("scale", &[("replicas", "3")]), two),
        ];
        for (order, live) in absent {
            assert!(matches!(shown(&order, &live, since), Proof::Absent(_)), "{}", order.action);
        }
        assert!(matches!(shown(&order("odd", &[]), &json!({}), since), Proof::Unclear(..)));
    }
}

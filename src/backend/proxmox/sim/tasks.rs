//! What the simulated server tells of tasks: lists that lag and hide, states, and logs.

use serde_json::{Value, json};

use super::answer::{Answer, Params};
use super::lab::{Lab, Node};
use super::task::Task;

/// Own tasks need no right, those of others do.
fn seen<'a>(lab: &'a Lab, node: &str) -> impl Iterator<Item = &'a Task> {
    let all = lab.permissions.allows(&format!("/nodes/{node}"), "Sys.Audit");
    let node = node.to_owned();
    lab.tasks
        .iter()
        .rev()
        .filter(move |task| task.field(1) == node && (all || task.user == "vigie@pve!console"))
}

fn task_entry(lab: &Lab, task: &Task, active: bool) -> Value {
    let (user, token) = task.user.split_once('!').map_or((task.user.as_str(), None), |(u, t)| (u, Some(t)));
    let over = task.is_over(lab.now);
    let mut entry = json!({ "upid": task.upid, "node": task.field(1), "type": task.field(5), "id": task.field(6),
        "starttime": task.starts, "user": if active && !over { &task.user } else { user } });
    if let Some(map) = entry.as_object_mut() {
        if let Some(token) = token.filter(|_| over || !active) {
            map.insert("tokenid".into(), json!(token));
        }
        if over {
            map.insert("endtime".into(), json!(task.ends));
            map.insert("status".into(), json!(task.exit));
        } else if active {
            map.insert("status".into(), json!("RUNNING"));
        } else {
            map.insert("pid".into(), json!(i64::from_str_radix(task.field(2), 16).unwrap_or(0)));
        }
        if !active {
            map.insert("saved".into(), json!(if over { "1" } else { "0" }));
        }
    }
    entry
}

/// About 25 of each node, those that run first.
pub fn recent(lab: &Lab) -> Answer {
    let mut entries = Vec::new();
    for node in &lab.nodes {
        let mut tasks: Vec<&Task> = seen(lab, &node.name).take(25).collect();
        tasks.sort_by_key(|task| task.is_over(lab.now));
        entries.extend(tasks.into_iter().map(|task| task_entry(lab, task, false)));
    }
    Answer::ok(&Value::Array(entries))
}

/// A node's tasks.
pub fn list(lab: &Lab, node: &Node, params: &Params) -> Answer {
    let schema = [
        "errors?",
        "limit#",
        "since#",
        "source",
        "start#",
        "statusfilter",
        "typefilter",
        "until#",
        "userfilter",
        "vmid#",
    ];
    if let Err(wrong) = params.check(&schema) {
        return wrong;
    }
    let source = params.get("source").unwrap_or("archive");
    let since = params.number("since").unwrap_or(0);
    let id = params.get("vmid");
    let fits = |task: &&Task| {
        let over = task.is_over(lab.now);
        let source = match source {
            "active" => !over,
            "all" => true,
            _ => over,
        };
        source && task.starts >= since && id.is_none_or(|id| task.field(6) == id)
    };
    let all: Vec<&Task> = seen(lab, &node.name).filter(fits).collect();
    let limit = usize::try_from(params.number("limit").unwrap_or(50)).unwrap_or(50);
    let start = usize::try_from(params.number("start").unwrap_or(0)).unwrap_or(0);
    let page = all.iter().skip(start).take(limit).map(|task| task_entry(lab, task, true)).collect();
    Answer::list(&Value::Array(page), all.len())
}

fn with_task(lab: &Lab, upid: &str, answer: impl FnOnce(&Task) -> Answer) -> Answer {
    let known = lab.tasks.iter().find(|task| task.upid == upid);
    known.map_or_else(|| Answer::parameter("upid", "no such task"), answer)
}

/// Where a task stands.
pub fn status(lab: &Lab, upid: &str) -> Answer {
    with_task(lab, upid, |task| standing(lab, task))
}

fn standing(lab: &Lab, task: &Task) -> Answer {
    let (user, token) = task.user.split_once('!').map_or((task.user.as_str(), None), |(u, t)| (u, Some(t)));
    let over = task.is_over(lab.now);
    let mut entry = json!({ "upid": task.upid, "node": task.field(1), "type": task.field(5), "id": task.field(6),
        "starttime": task.starts, "user": user, "status": if over { "stopped" } else { "running" } });
    if let Some(map) = entry.as_object_mut() {
        if let Some(token) = token {
            map.insert("tokenid".into(), json!(token));
        }
        if over {
            map.insert("exitstatus".into(), json!(task.exit));
        }
    }
    Answer::ok(&entry)
}

/// What a task has logged.
pub fn log(lab: &Lab, upid: &str, params: &Params) -> Answer {
    with_task(lab, upid, |task| lines(lab, task, params))
}

fn lines(lab: &Lab, task: &Task, params: &Params) -> Answer {
    if let Err(wrong) = params.check(&["start#", "limit#", "download?"]) {
        return wrong;
    }
    let lines = task.lines(lab.now);
    if lines.is_empty() {
        return Answer::list(&json!([{ "n": 1, "t": "no content" }]), 1);
    }
    let start = usize::try_from(params.number("start").unwrap_or(0)).unwrap_or(0);
    let limit = usize::try_from(params.number("limit").unwrap_or(50)).unwrap_or(50);
    let limit = if limit == 0 { usize::MAX } else { limit };
    let page = lines.iter().enumerate().skip(start).take(limit);
    let page: Vec<Value> = page.map(|(n, text)| json!({ "n": n + 1, "t": text })).collect();
    Answer::list(&Value::Array(page), lines.len())
}

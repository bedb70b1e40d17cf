//! A task's row.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::backend::proxmox::kinds::TASKS;
use crate::backend::proxmox::memory::Memory;
use crate::backend::proxmox::upid::{End, Upid};
use crate::backend::proxmox::wire::Task;
use crate::model::id::{EntityId, Identity, KindId};
use crate::model::row::{Cell, Health, Row, Tone};

use super::{Place, instant};

/// A failure that nobody answered within this time is history.
const RECENT: i64 = 24 * 3600;

/// Projects a list of tasks, newest first; entries without a readable id are left out.
pub fn project(tasks: &[Task], memory: &Memory, place: &Place, now: Timestamp) -> Vec<Row> {
    let kind = KindId::from(TASKS);
    let mut read: Vec<(Upid, &Task)> =
        tasks.iter().filter_map(|task| Some((Upid::parse(task.upid.as_deref()?)?, task))).collect();
    read.sort_by_key(|(upid, _)| std::cmp::Reverse(upid.start));
    let mut seen = HashSet::new();
    let mut known = HashSet::new();
    let mut rows = Vec::with_capacity(read.len());
    for (upid, task) in read {
        if !known.insert(upid.raw.clone()) {
            continue;
        }
        // A failure counts until the same thing was tried again.
        let latest = seen.insert((upid.kind.clone(), upid.id.clone()));
        rows.push(row(&upid, task, memory, place, &kind, latest, now));
    }
    rows
}

fn row(
    upid: &Upid,
    task: &Task,
    memory: &Memory,
    place: &Place,
    kind: &KindId,
    latest: bool,
    now: Timestamp,
) -> Row {
    let start = task.starttime.unwrap_or(upid.start);
    let end = task.status.as_deref().filter(|status| *status != "RUNNING").map(End::parse);
    let recent = latest && now.as_second() - start < RECENT;
    let (word, health, tone) = match &end {
        None => ("running", Health::Pending, Tone::Pending),
        Some(End::Ok) => ("ok", Health::Ok, Tone::Ok),
        Some(End::Warnings(_)) => ("warnings", Health::Ok, Tone::Warn),
        Some(End::Lost) => ("lost", if recent { Health::Warning } else { Health::Ok }, Tone::Error),
        Some(End::Error(_)) => ("failed", if recent { Health::Warning } else { Health::Ok }, Tone::Error),
    };
    let result = match &end {
        None | Some(End::Ok) => None,
        Some(End::Warnings(count)) => {
            Some(format!("{count} {}", if *count == 1 { "warning" } else { "warnings" }))
        }
        Some(End::Lost) => Some("killed, or its host went down".to_owned()),
        Some(End::Error(text)) => Some(text.clone()),
    };
    let target = target(upid, memory);
    let user = user(upid, task);
    let name = format!("{} {target}", title(&upid.kind));
    let cells = vec![
        Cell::toned(word, tone),
        Cell::new(title(&upid.kind)),
        Cell::new(target.as_str()),
        Cell::new(upid.node.as_str()),
        Cell::new(user.as_str()),
        result.as_deref().map_or_else(Cell::empty, |result| Cell::toned(result, tone)),
        Cell::new(task.endtime.map(|end| end.saturating_sub(start).max(0))),
        Cell::new(instant(start)),
    ];
    let id = EntityId { kind: kind.clone(), instance: place.instance.clone(), key: upid.raw.as_str().into() };
    let mut row = Row::new(id, name.trim_end(), cells);
    row.health = health;
    row.note = result.map(|text| text.chars().take(60).collect::<String>().into());
    row.domain = place.domain;
    row.identity = Identity::new().with("task", upid.raw.as_str());
    row
}

/// Archived entries keep the token apart, active ones inside the user.
fn user(upid: &Upid, task: &Task) -> String {
    match (task.user.as_deref(), task.tokenid.as_deref()) {
        (Some(user), Some(token)) if !token.is_empty() && !user.contains('!') => format!("{user}!{token}"),
        (Some(user), _) => user.to_owned(),
        (None, _) => upid.user.clone(),
    }
}

fn target(upid: &Upid, memory: &Memory) -> String {
    match upid.vmid() {
        Some(vmid) => {
            memory.known(vmid).map_or_else(|| upid.id.clone(), |known| format!("{} ({vmid})", known.name))
        }
        None => upid.id.clone(),
    }
}

/// A task's type in words; the type itself where there are none.
pub fn title(kind: &str) -> &str {
    match kind {
        "qmstart" | "vzstart" | "hastart" => "start",
        "qmshutdown" | "vzshutdown" => "shutdown",
        "qmstop" | "vzstop" | "hastop" => "stop",
        "qmreboot" | "vzreboot" => "reboot",
        "qmreset" => "reset",
        "qmpause" | "qmsuspend" | "vzsuspend" => "suspend",
        "qmresume" | "vzresume" => "resume",
        "qmsnapshot" | "vzsnapshot" => "snapshot",
        "qmrollback" | "vzrollback" => "rollback",
        "qmdelsnapshot" | "vzdelsnapshot" => "delete snapshot",
        "qmclone" | "vzclone" => "clone",
        "qmigrate" | "vzmigrate" | "hamigrate" => "migrate",
        "qmdestroy" | "vzdestroy" => "destroy",
        "qmcreate" | "vzcreate" => "create",
        "qmrestore" | "vzrestore" => "restore",
        "qmmove" => "move disk",
        "qmconfig" => "configure",
        "vzdump" => "backup",
        "startall" => "start all",
        "stopall" => "stop all",
        "aptupdate" => "update lists",
        "imgdel" => "delete volume",
        "srvstart" => "start service",
        "srvstop" => "stop service",
        "srvrestart" => "restart service",
        other => other,
    }
}

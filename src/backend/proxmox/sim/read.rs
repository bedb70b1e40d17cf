//! What the simulated server answers to GET.

use axum::body::Bytes;
use serde_json::{Value, json};

use crate::backend::proxmox::guest::Family;

use super::answer::{Answer, Params};
use super::lab::{BROADCAST, Guest, Lab, Node, Storage};
use super::{build, figures, hosts, keeping, tasks};

/// Routes a question; `None` where there is no such path.
pub fn get(lab: &mut Lab, path: &[&str], params: &Params) -> Option<Answer> {
    Some(match path {
        ["version"] => {
            Answer::ok(&json!({ "version": "9.1.4", "release": "9.1", "repoid": "5ac30304265fbd8e" }))
        }
        ["access", "permissions"] => permissions(lab),
        ["access", "users", user, "token", token] => token_info(user, token),
        ["cluster", "resources"] => resources(lab, params),
        ["cluster", "tasks"] => tasks::recent(lab),
        ["cluster", "log"] => hosts::said(lab, params),
        ["cluster", "mapping", "pci"] => mappings(lab),
        ["cluster", "backup"] => allowed(lab, "/", "Sys.Audit", || keeping::jobs(lab)),
        ["cluster", "nextid"] => keeping::next_id(lab, params),
        ["nodes", node, rest @ ..] => match lab.node(node).cloned() {
            Some(node) => return on_node(lab, &node, rest, params),
            None => Answer::refused(
                500,
                &format!(
                    "hostname lookup '{node}' failed - failed to get address info for: {node}: Name or service not known"
                ),
            ),
        },
        _ => return None,
    })
}

fn on_node(lab: &Lab, node: &Node, path: &[&str], params: &Params) -> Option<Answer> {
    let rights = format!("/nodes/{}", node.name);
    Some(match path {
        ["status"] => allowed(lab, &rights, "Sys.Audit", || status(lab, node)),
        ["rrddata"] => allowed(lab, &rights, "Sys.Audit", || samples(lab, node)),
        ["certificates", "info"] => hosts::certificates(lab),
        ["config"] => Answer::ok(&json!({ "wakeonlan": "BC:24:11:00:00:01", "description": "homelab" })),
        ["network"] => hosts::network(),
        ["services"] => allowed(lab, &rights, "Sys.Audit", hosts::services),
        ["disks", "list"] => allowed(lab, &rights, "Sys.Audit", || hosts::disks(params)),
        ["disks", "smart"] => allowed(lab, "/", "Sys.Audit", || hosts::smart(params)),
        ["disks", "zfs"] => allowed(lab, "/", "Sys.Audit", hosts::pools),
        ["disks", "zfs", pool] => allowed(lab, "/", "Sys.Audit", || hosts::pool(pool)),
        ["apt", "update"] => allowed(lab, &rights, "Sys.Modify", hosts::updates),
        ["hardware", "pci"] => allowed(lab, "/", "Sys.Audit|Sys.Modify", hosts::pci),
        ["journal"] => allowed(lab, &rights, "Sys.Syslog", || hosts::journal(lab, node, params)),
        ["storage", storage, "content", rest @ ..] => keeping::content(lab, node, storage, rest, params),
        ["tasks"] => tasks::list(lab, node, params),
        ["tasks", upid, "status"] => tasks::status(lab, upid),
        ["tasks", upid, "log"] => tasks::log(lab, upid, params),
        [family @ ("qemu" | "lxc")] => guests(lab, node, family),
        [family @ ("qemu" | "lxc"), vmid, rest @ ..] => match guest(lab, node, family, vmid) {
            Ok(guest) => return on_guest(lab, guest, rest, params),
            Err(answer) => answer,
        },
        _ => return None,
    })
}

fn on_guest(lab: &Lab, guest: &Guest, path: &[&str], params: &Params) -> Option<Answer> {
    let rights = format!("/vms/{}", guest.vmid);
    Some(match path {
        ["status", "current"] => allowed(lab, &rights, "VM.Audit", || current(lab, guest)),
        ["config"] => allowed(lab, &rights, "VM.Audit", || config(guest)),
        ["feature"] => allowed(lab, &rights, "VM.Audit", || keeping::feature(guest, params)),
        ["pending"] => allowed(lab, &rights, "VM.Audit", || keeping::pending(guest)),
        ["snapshot"] => allowed(lab, &rights, "VM.Audit", || keeping::snapshots(guest)),
        ["rrddata"] => allowed(lab, &rights, "VM.Audit", || guest_samples(lab, guest)),
        ["migrate"] => allowed(lab, &rights, "VM.Migrate", || keeping::migration(lab, guest, params)),
        ["agent", call] => {
            return keeping::agent(guest, call).map(|answer| {
                allowed(lab, &rights, "VM.GuestAgent.Audit|VM.GuestAgent.Unrestricted", || answer)
            });
        }
        ["interfaces"] => allowed(lab, &rights, "VM.Audit", || keeping::interfaces(guest)),
        _ => return None,
    })
}

/// Answers where the right is there.
pub fn allowed(lab: &Lab, path: &str, privilege: &str, answer: impl FnOnce() -> Answer) -> Answer {
    if lab.permissions.allows_one(path, privilege) { answer() } else { Answer::forbidden(path, privilege) }
}

/// A guest on a node; an unknown number is a missing file, not a 404.
pub fn guest<'a>(lab: &'a Lab, node: &Node, family: &str, vmid: &str) -> Result<&'a Guest, Answer> {
    let Ok(number) = vmid.parse::<u32>() else {
        return Err(Answer::parameter("vmid", &format!("type check ('integer') failed - got '{vmid}'")));
    };
    let here = |guest: &&Guest| guest.node == node.name && guest.family.word() == family;
    lab.guests.get(&number).filter(here).ok_or_else(|| {
        let folder = if family == "qemu" { "qemu-server" } else { "lxc" };
        let file = format!("nodes/{}/{folder}/{number}.conf", node.name);
        Answer::refused(500, &format!("Configuration file '{file}' does not exist"))
    })
}

fn permissions(lab: &Lab) -> Answer {
    Answer::ok(&lab.permissions.to_json())
}

fn token_info(user: &str, token: &str) -> Answer {
    if (user, token) == ("vigie@pve", "console") {
        Answer::ok(&json!({ "expire": 0, "privsep": 1, "comment": "vigie" }))
    } else {
        Answer::forbidden("/access/users", "User.Modify")
    }
}

fn sees(lab: &Lab, guest: &Guest) -> bool {
    lab.permissions.allows(&format!("/vms/{}", guest.vmid), "VM.Audit")
}

/// The list of everything, as pvestatd told it last.
fn resources(lab: &mut Lab, params: &Params) -> Answer {
    if let Err(wrong) = params.check(&["type"]) {
        return wrong;
    }
    let tick = lab.now / BROADCAST;
    let kind = params.get("type");
    if kind.is_none()
        && let Some((at, body)) = &lab.broadcast
        && *at == tick
    {
        return Answer::body(body.clone());
    }
    let wanted = |name: &str| kind.is_none_or(|kind| kind == name);
    let mut entries: Vec<Value> = Vec::new();
    if wanted("vm") {
        entries.extend(lab.guests.values().filter(|guest| sees(lab, guest)).map(|guest| listed(lab, guest)));
    }
    if wanted("node") {
        entries.extend(lab.nodes.iter().map(|node| listed_node(lab, node)));
    }
    if wanted("storage") {
        let audits = |storage: &&Storage| {
            lab.permissions
                .allows_one(&format!("/storage/{}", storage.name), "Datastore.Audit|Datastore.AllocateSpace")
        };
        entries.extend(lab.storages.iter().filter(audits).map(listed_storage));
    }
    if kind.is_none() {
        entries.extend(lab.nodes.iter().map(|node| {
            json!({ "id": format!("network/{}/zone/localnetwork", node.name), "type": "network", "node": node.name,
                "network-type": "zone", "network": "localnetwork", "status": "ok" })
        }));
    }
    let body = Bytes::from(json!({ "data": entries }).to_string());
    if kind.is_none() {
        lab.broadcast = Some((tick, body.clone()));
    }
    Answer::body(body)
}

fn listed(lab: &Lab, guest: &Guest) -> Value {
    let mut map = figures::guest(lab, guest);
    let family = guest.family.word();
    map.insert("id".into(), json!(format!("{family}/{}", guest.vmid)));
    map.insert("type".into(), json!(family));
    map.insert("node".into(), json!(guest.node));
    map.insert("status".into(), json!(guest.state));
    map.insert("maxcpu".into(), json!(guest.cores));
    map.entry("template").or_insert(json!(0));
    Value::Object(map)
}

fn listed_node(lab: &Lab, node: &Node) -> Value {
    let mut entry = json!({ "id": format!("node/{}", node.name), "type": "node", "node": node.name,
        "status": "online", "level": "", "cgroup-mode": 2 });
    if lab.permissions.allows(&format!("/nodes/{}", node.name), "Sys.Audit")
        && let Some(map) = entry.as_object_mut()
    {
        map.insert("cpu".into(), json!(figures::busy(lab, &node.name)));
        map.insert("maxcpu".into(), json!(node.threads));
        map.insert("mem".into(), json!(node.memory - lab.available(node)));
        map.insert("maxmem".into(), json!(node.memory));
        map.insert("disk".into(), json!(38_654_705_664_i64));
        map.insert("maxdisk".into(), json!(239_444_426_752_i64));
        map.insert("uptime".into(), json!(lab.now - node.booted));
    }
    entry
}

fn listed_storage(storage: &Storage) -> Value {
    json!({ "id": format!("storage/{}/{}", storage.node, storage.name), "type": "storage", "node": storage.node,
        "storage": storage.name, "plugintype": storage.kind, "status": "available", "shared": 0,
        "content": storage.content, "maxdisk": storage.size, "disk": storage.used })
}

fn status(lab: &Lab, node: &Node) -> Answer {
    let available = lab.available(node);
    let load = format!("{:.2}", figures::busy(lab, &node.name) * 10.0);
    Answer::ok(&json!({
        "uptime": lab.now - node.booted, "cpu": figures::busy(lab, &node.name), "wait": 0.0024, "idle": 0,
        "loadavg": [load, "1.02", "1.11"], "kversion": "Linux 6.17.2-2-pve #1 SMP PREEMPT_DYNAMIC PMX 6.17.2-2",
        "cpuinfo": { "cpus": node.threads, "cores": node.threads / 2, "sockets": 1, "mhz": "3800.000", "hvm": "1",
            "model": "AMD Ryzen 7 5800X 8-Core Processor" },
        "memory": { "total": node.memory, "used": node.memory - available, "available": available,
            "free": available / 5 * 4 },
        "swap": { "total": 8_589_930_496_i64, "used": 0, "free": 8_589_930_496_i64 }, "ksm": { "shared": 0 },
        "rootfs": { "total": 239_444_426_752_i64, "used": 38_654_705_664_i64, "avail": 200_789_721_088_i64 },
        "pveversion": "pve-manager/9.1.4/5ac30304265fbd8e",
    }))
}

/// One hour by the minute; the newest bucket has nothing yet.
fn samples(lab: &Lab, node: &Node) -> Answer {
    let available = lab.available(node);
    let minute = lab.now / 60 * 60;
    let bucket = |n: i64| {
        let time = minute - (59 - n) * 60;
        if n == 59 {
            return json!({ "time": time });
        }
        json!({ "time": time, "cpu": figures::busy(lab, &node.name), "maxcpu": node.threads, "loadavg": 0.9,
            "iowait": 0.002, "memtotal": node.memory, "memused": node.memory - available, "memavailable": available,
            "arcsize": build::ARC, "netin": 81_234.5, "netout": 122_334.25, "pressurecpusome": 0.11,
            "pressureiosome": 0.42, "pressureiofull": 0.31, "pressurememorysome": 0, "pressurememoryfull": 0 })
    };
    Answer::ok(&Value::Array((0..60).map(bucket).collect()))
}

fn guest_samples(lab: &Lab, guest: &Guest) -> Answer {
    let minute = lab.now / 60 * 60;
    let bucket = |n: i64| {
        let time = minute - (59 - n) * 60;
        if n == 59 || !guest.is_up() || time < guest.started {
            return json!({ "time": time });
        }
        let (cpu, used) = figures::used(lab, guest, time);
        json!({ "time": time, "cpu": cpu, "mem": used, "maxmem": guest.memory << 20,
            "memhost": guest.cost(), "netin": 42_311.2, "netout": 20_113.9, "diskread": 0, "diskwrite": 512_220.1,
            "pressureiosome": 0.6, "pressurememorysome": 0 })
    };
    Answer::ok(&Value::Array((0..60).map(bucket).collect()))
}

fn guests(lab: &Lab, node: &Node, family: &str) -> Answer {
    let here = lab.guests.values().filter(|guest| guest.node == node.name && guest.family.word() == family);
    let entry = |guest: &Guest| {
        let mut map = figures::guest(lab, guest);
        map.insert("status".into(), json!(if guest.is_up() { "running" } else { "stopped" }));
        map.insert("cpus".into(), json!(guest.cores));
        if guest.family == Family::Lxc {
            map.insert("type".into(), json!("lxc"));
        }
        Value::Object(map)
    };
    Answer::ok(&Value::Array(here.filter(|guest| sees(lab, guest)).map(entry).collect()))
}

fn current(lab: &Lab, guest: &Guest) -> Answer {
    let mut map = figures::guest(lab, guest);
    let status = if guest.is_up() { "running" } else { "stopped" };
    map.insert("status".into(), json!(status));
    map.insert("cpus".into(), json!(guest.cores));
    map.insert("ha".into(), json!({ "managed": 0 }));
    // Containers tell pressure as text, machines as numbers.
    let (some, machine) = (0.03, guest.family == Family::Qemu);
    if machine {
        map.insert("qmpstatus".into(), json!(guest.state));
    } else {
        map.insert("type".into(), json!("lxc"));
    }
    if guest.is_up() {
        let value = if machine { json!(some) } else { json!(format!("{some:.2}")) };
        for what in ["pressurecpusome", "pressureiosome", "pressurememorysome"] {
            map.insert(what.into(), value.clone());
        }
        map.insert("pid".into(), json!(3000 + guest.vmid));
        if machine {
            map.insert("running-machine".into(), json!("pc-q35-10.1+pve0"));
            map.insert("running-qemu".into(), json!("10.1.2"));
        }
    }
    if machine && guest.config.contains_key("agent") {
        map.insert("agent".into(), json!(1));
    }
    Answer::ok(&Value::Object(map))
}

fn config(guest: &Guest) -> Answer {
    let mut map = serde_json::Map::new();
    for (key, value) in &guest.config {
        // Whole numbers come as numbers, but for `memory`, which is a text in current releases.
        let number = value.parse::<i64>().map_or_else(|_| json!(value), |number| json!(number));
        map.insert(key.clone(), number);
    }
    let name = if guest.family == Family::Qemu { "name" } else { "hostname" };
    map.insert(name.into(), json!(guest.name));
    map.insert("cores".into(), json!(guest.cores));
    let memory =
        if guest.family == Family::Qemu { json!(guest.memory.to_string()) } else { json!(guest.memory) };
    map.insert("memory".into(), memory);
    if !guest.tags.is_empty() {
        map.insert("tags".into(), json!(guest.tags));
    }
    if let Some(lock) = guest.lock {
        map.insert("lock".into(), json!(lock));
    }
    if guest.template {
        map.insert("template".into(), json!(1));
    }
    map.insert("digest".into(), json!(digest(guest)));
    Answer::ok(&Value::Object(map))
}

/// What tells one state of a configuration from another.
pub fn digest(guest: &Guest) -> String {
    let text = format!("{:?}{}{}{}", guest.config, guest.tags, guest.name, guest.memory);
    format!(
        "{:040x}",
        text.bytes().fold(u64::from(guest.vmid), |seed, byte| build::mix(seed ^ u64::from(byte)))
    )
}

fn mappings(lab: &Lab) -> Answer {
    let node = lab.nodes.first().map_or("pve", |node| node.name.as_str());
    let map = format!("node={node},path=0000:01:00,id=10de:2206,subsystem-id=1043:87b2,iommugroup=16");
    if !lab.permissions.allows("/mapping/pci", "Mapping.Audit") {
        return Answer::ok(&json!([]));
    }
    Answer::ok(&json!([{ "id": "gpu0", "description": "RTX 3080", "map": [map], "digest": "11aa" }]))
}

//! What the simulated hosts are made of.

use serde_json::{Value, json};

use super::answer::{Answer, Params};
use super::lab::{GIB, Lab, Node};

/// Certificates: the cluster's own authority and the leaf it made.
pub fn certificates(lab: &Lab) -> Answer {
    let print = vec!["AB"; 32].join(":");
    Answer::ok(&json!([
        { "filename": "pve-root-ca.pem", "fingerprint": print, "notafter": lab.now + 3_000 * 86_400, "san": [] },
        { "filename": "pve-ssl.pem", "fingerprint": print, "notafter": lab.now + 540 * 86_400,
            "san": ["127.0.0.1", "localhost", "pve", "pve.lab.example"] },
    ]))
}

/// Services of a single host.
pub fn services() -> Answer {
    let service = |name: &str, desc: &str, state: &str, active: &str, unit: &str| json!({ "service": name, "name": name, "desc": desc, "state": state, "active-state": active, "unit-state": unit });
    Answer::ok(&json!([
        service("pveproxy", "PVE API Proxy Server", "running", "active", "enabled"),
        service("pvedaemon", "PVE API Daemon", "running", "active", "enabled"),
        service("pvestatd", "PVE Status Daemon", "running", "active", "enabled"),
        service("corosync", "Corosync Cluster Engine", "dead", "inactive", "disabled"),
        service("chrony", "chrony, an NTP client/server", "running", "active", "enabled"),
        service("ksmtuned", "Kernel Samepage Merging (KSM) Tuning Daemon", "failed", "failed", "enabled"),
    ]))
}

/// The network; anybody who may log in sees it.
pub fn network() -> Answer {
    Answer::ok(&json!([
        { "iface": "enp5s0", "type": "eth", "active": 1, "exists": 1, "method": "manual", "priority": 3 },
        { "iface": "vmbr0", "type": "bridge", "active": 1, "autostart": 1, "cidr": "192.0.2.2/24", "address": "192.0.2.2",
            "gateway": "192.0.2.1", "bridge_ports": "enp5s0", "bridge_stp": "off", "method": "static", "priority": 4 },
        { "iface": "wlp4s0", "type": "eth", "exists": null, "method": "manual", "priority": 5 },
    ]))
}

/// The cluster's log, the newest line first; without Sys.Syslog only one's own.
pub fn said(lab: &Lab, params: &Params) -> Answer {
    if let Err(wrong) = params.check(&["max#"]) {
        return wrong;
    }
    let all = lab.permissions.allows("/", "Sys.Syslog");
    let most = usize::try_from(params.number("max").unwrap_or(50)).unwrap_or(50);
    let tasks = lab.tasks.iter().rev().filter(|task| all || task.user.starts_with("vigie@pve")).take(most);
    let line = |(uid, task): (usize, &super::task::Task)| {
        let user = task.user.split('!').next().unwrap_or_default();
        json!({ "uid": uid, "id": format!("{uid}:pve"), "time": task.starts, "node": task.field(1), "pid": 4_711,
            "pri": if task.exit == "OK" { 6 } else { 3 }, "tag": "pvedaemon", "user": user,
            "msg": format!("starting task {}\n", task.upid) })
    };
    Answer::ok(&tasks.enumerate().map(line).collect())
}

/// Disks; without `skipsmart` the server would wake and ask each.
pub fn disks(params: &Params) -> Answer {
    if let Err(wrong) = params.check(&["skipsmart?", "include-partitions?", "type"]) {
        return wrong;
    }
    let asleep = params.flag("skipsmart");
    let disk = |path: &str, kind: &str, model: &str, gib: i64, used: &str, wearout: Value| {
        let (health, wearout) =
            if asleep { (json!("UNKNOWN"), json!("N/A")) } else { (json!("PASSED"), wearout) };
        json!({ "devpath": path, "type": kind, "model": model, "serial": format!("S{gib}"), "size": gib * GIB,
            "health": health, "wearout": wearout, "used": used, "gpt": 1, "osdid": -1, "vendor": "ATA" })
    };
    Answer::ok(&json!([
        disk("/dev/nvme0n1", "nvme", "Samsung SSD 980 PRO 1TB", 931, "ZFS", json!(94)),
        disk("/dev/sda", "hdd", "ST20000NM007D", 18_626, "ZFS", json!("N/A")),
        disk("/dev/sdb", "hdd", "ST20000NM007D", 18_626, "ZFS", json!("N/A")),
        disk("/dev/sdc", "hdd", "WD50EFRX", 4_657, "ext4", json!("N/A")),
    ]))
}

/// What one disk says of itself.
pub fn smart(params: &Params) -> Answer {
    if let Err(wrong) = params.check(&["!disk", "healthonly?"]) {
        return wrong;
    }
    let attribute = |id: &str, name: &str, raw: &str| {
        json!({ "id": id, "name": name, "flags": "PO--CK", "value": 100, "normalized": 100, "worst": 100, "threshold": 10,
            "fail": "-", "raw": raw })
    };
    Answer::ok(&match params.get("disk").unwrap_or_default() {
        "/dev/nvme0n1" => json!({ "health": "PASSED", "type": "text", "wearout": 94,
            "text": "\nSMART/Health Information (NVMe Log 0x02)\nAvailable Spare:  100%\nPercentage Used:  6%\n" }),
        _ => json!({ "health": "PASSED", "type": "ata", "attributes": [
            attribute("  5", "Reallocated_Sector_Ct", "0"), attribute("197", "Current_Pending_Sector", "8"),
            attribute("194", "Temperature_Celsius", "35 (0 21 0 0 0)")] }),
    })
}

/// ZFS pools, sizes before parity.
pub fn pools() -> Answer {
    Answer::ok(&json!([
        { "name": "rpool", "size": 992_137_445_376_i64, "alloc": 310_311_387_136_i64, "free": 681_826_058_240_i64,
            "frag": 14, "dedup": 1, "health": "ONLINE" },
        { "name": "tank", "size": 19_997_904_044_032_i64, "alloc": 8_246_337_208_320_i64, "free": 11_751_566_835_712_i64,
            "frag": 2, "dedup": 1, "health": "ONLINE" },
    ]))
}

/// A pool's devices.
pub fn pool(name: &str) -> Answer {
    let leaf = |name: &str| json!({ "name": name, "lvl": 3, "state": "ONLINE", "read": 0, "write": 0, "cksum": 0, "msg": "", "leaf": 1 });
    let disks = match name {
        "rpool" => vec![leaf("/dev/disk/by-id/nvme-Samsung_SSD_980_PRO_1TB-part3")],
        "tank" => vec![
            leaf("/dev/disk/by-id/ata-ST20000NM007D_A-part1"),
            leaf("/dev/disk/by-id/ata-ST20000NM007D_B-part1"),
        ],
        _ => return Answer::refused(500, &format!("cannot open '{name}': no such pool")),
    };
    let mirror = json!({ "name": "mirror-0", "lvl": 2, "state": "ONLINE", "read": 0, "write": 0, "cksum": 0, "msg": "",
        "leaf": 0, "children": disks });
    Answer::ok(
        &json!({ "name": name, "state": "ONLINE", "errors": "No known data errors", "lvl": 0, "leaf": 0,
        "scan": "scrub repaired 0B in 11:22:33 with 0 errors on Sun Oct 11 11:46:34 2026",
        "children": [{ "name": name, "lvl": 1, "state": "ONLINE", "read": 0, "write": 0, "cksum": 0, "msg": "",
            "leaf": 0, "children": [mirror] }] }),
    )
}

/// Packages that can be updated.
pub fn updates() -> Answer {
    Answer::ok(&json!([
        { "Package": "pve-manager", "Title": "Proxmox Virtual Environment Management Tools", "OldVersion": "9.1.4",
            "Version": "9.1.6", "Arch": "all", "Origin": "Proxmox", "Priority": "optional", "Section": "admin" },
    ]))
}

/// PCI devices; all of a graphics card is in one IOMMU group.
pub fn pci() -> Answer {
    let device = |id: &str, class: &str, name: &str, group: i64| json!({ "id": id, "class": class, "vendor": "0x10de", "device": "0x2206", "device_name": name, "iommugroup": group });
    Answer::ok(&json!([
        device("0000:01:00.0", "0x030000", "GA102 [GeForce RTX 3080]", 16),
        device("0000:01:00.1", "0x040300", "GA102 High Definition Audio Controller", 16),
        device("0000:04:00.0", "0x010802", "NVMe SSD Controller PM9A1/PM9A3/980PRO", 15),
    ]))
}

/// The journal: the first and the last entry are places in it.
pub fn journal(lab: &Lab, node: &Node, params: &Params) -> Answer {
    if let Err(wrong) = params.check(&["lastentries#", "since#", "until#", "startcursor", "endcursor"]) {
        return wrong;
    }
    let place = |at: i64| format!("s=7f0b;i={at:x};b=aa;m=1;t=2;x=3");
    if params.get("startcursor").is_some() {
        return Answer::ok(&json!([place(lab.now), place(lab.now)]));
    }
    let recent = lab.tasks.iter().rev().take(20).rev();
    let lines = recent.map(|task| {
        format!("{} {} pvedaemon[1311]: <{}> starting task {}", task.starts, node.name, task.user, task.upid)
    });
    let mut entries = vec![place(0)];
    entries.extend(lines);
    entries.push(place(lab.now));
    Answer::ok(&json!(entries))
}

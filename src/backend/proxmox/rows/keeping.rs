//! Rows of what keeps guests safe: snapshots, backups and jobs.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::backend::proxmox::kinds::{BACKUPS, COVERAGE, JOBS, SNAPSHOTS};
use crate::backend::proxmox::wire::{BackupJob, Snapshot, Volume};
use crate::model::id::{EntityId, Identity};
use crate::model::row::{Cell, Health, Row, Tone, Value};

use super::{Place, instant, size};

/// A backup older than this is worth a warning where a job covers its guest, in seconds.
const OLD: i64 = 8 * 86_400;

/// A guest as the board needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// `qemu/100`.
    pub key: Arc<str>,
    /// Its number.
    pub vmid: u32,
    /// Its name.
    pub name: Arc<str>,
    /// The host it is on.
    pub node: Arc<str>,
    /// The pool it belongs to.
    pub pool: Option<Arc<str>>,
    /// Whether it is a template, which needs no fresh backup.
    pub template: bool,
    /// Whether backing it up starts it with its devices: stopped, and some are passed through.
    pub would_start: bool,
}

/// A backup and where it lies.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The node that tells of it.
    pub node: String,
    /// The storage.
    pub storage: String,
    /// The backup.
    pub volume: Volume,
}

fn row(
    kind: &str,
    place: &Place,
    key: &str,
    name: &str,
    cells: Vec<Cell>,
    health: Health,
    note: Option<&str>,
) -> Row {
    let mut row = Row::new(EntityId::new(kind, place.instance.clone(), key), name, cells);
    row.health = health;
    row.note = note.map(Into::into);
    row.domain = place.domain;
    row
}

/// A snapshot's row; none for the place where the guest stands.
pub fn snapshot(snapshot: &Snapshot, guest: &Kept, place: &Place, identity: Identity) -> Option<Row> {
    let name = snapshot.name.as_deref().filter(|name| *name != "current")?;
    let (state, health) = match snapshot.snapstate.as_deref() {
        Some(state) => (state, Health::Pending),
        None => ("kept", Health::Ok),
    };
    let cells = vec![
        Cell::toned(state, health.into()),
        Cell::new(name),
        Cell::new(Value::Text(guest.name.clone())),
        Cell::new(i64::from(guest.vmid)),
        Cell::new(Value::Text(guest.node.clone())),
        Cell::new(snapshot.vmstate.filter(|memory| *memory)),
        Cell::new(snapshot.description.as_deref().unwrap_or_default().trim()),
        Cell::new(snapshot.snaptime.and_then(instant)),
    ];
    let mut row = row(SNAPSHOTS, place, &format!("{}/{name}", guest.key), name, cells, health, None);
    row.identity = identity;
    Some(row)
}

/// A backup's row.
pub fn backup(found: &Found, guests: &BTreeMap<u32, Kept>, place: &Place) -> Option<Row> {
    let volume = &found.volume;
    let volid = volume.volid.as_deref()?;
    let vmid = volume.vmid.and_then(|vmid| u32::try_from(vmid).ok());
    let guest = vmid.and_then(|vmid| guests.get(&vmid));
    let (state, health, note) = match (verified(volume), guest) {
        (Some("failed"), _) => ("corrupt", Health::Critical, Some("the backup server found it corrupt")),
        (Some("ok"), _) => ("verified", Health::Ok, None),
        (_, None) => ("orphan", Health::Ok, Some("its guest is gone")),
        _ => ("kept", Health::Ok, None),
    };
    let number = vmid.map_or_else(|| "?".to_owned(), |vmid| vmid.to_string());
    let name = guest.map_or(number.as_str(), |guest| &*guest.name);
    let cells = vec![
        Cell::toned(state, health.into()),
        Cell::new(name),
        Cell::new(vmid.map(i64::from)),
        Cell::new(found.storage.as_str()),
        size(volume.size),
        Cell::new(volume.protected.filter(|protected| *protected)),
        Cell::new(volume.notes.as_deref().unwrap_or_default().trim()),
        Cell::new(volid),
        Cell::new(volume.ctime.and_then(instant)),
    ];
    let mut row = row(BACKUPS, place, &format!("{}/{volid}", found.node), name, cells, health, note);
    row.identity = Identity::new().with("volume", volid).with("node", found.node.as_str());
    if let Some(size) = volume.size {
        row.identity = row.identity.with("size", size.to_string());
    }
    Some(row)
}

fn verified(volume: &Volume) -> Option<&str> {
    volume.verification.0.as_ref()?.state.as_deref()
}

/// Whether a job backs a guest up; a job that is off does not, whatever it names.
pub fn covers(job: &BackupJob, guest: &Kept) -> bool {
    let listed = |list: &Option<String>| {
        list.as_deref().is_some_and(|list| list.split(',').any(|vmid| vmid.trim() == guest.vmid.to_string()))
    };
    let chosen = job.all == Some(true) && !listed(&job.exclude)
        || listed(&job.vmid)
        || (job.pool.is_some() && job.pool.as_deref() == guest.pool.as_deref());
    let here = job.node.as_deref().is_none_or(|node| node.is_empty() || node == &*guest.node);
    job.enabled != Some(false) && chosen && here
}

/// What is known of backups as a whole.
#[derive(Debug, Clone, Default)]
pub struct Board {
    /// All backups that can be seen.
    pub backups: Vec<Found>,
    /// The jobs.
    pub jobs: Vec<BackupJob>,
    /// Why not all can be seen.
    pub blind: Option<String>,
}

/// The board's row of a guest: its last good backup, and what will make the next.
pub fn coverage(guest: &Kept, board: &Board, place: &Place, now: Timestamp) -> Row {
    let own = board.backups.iter().filter(|found| found.volume.vmid == Some(i64::from(guest.vmid)));
    let good = own.clone().filter(|found| verified(&found.volume) != Some("failed"));
    let last = good.max_by_key(|found| found.volume.ctime);
    let jobs: Vec<&BackupJob> = board.jobs.iter().filter(|job| covers(job, guest)).collect();
    let next = jobs.iter().filter_map(|job| job.next_run).min();
    let age = last.and_then(|found| found.volume.ctime).map(|at| now.as_second() - at);
    let (state, health, note) = standing(guest, age, jobs.is_empty(), board.blind.as_deref());
    let names: Vec<&str> = jobs.iter().map(|job| title(job)).collect();
    let cells = vec![
        Cell::toned(state, health.into()),
        Cell::new(Value::Text(guest.name.clone())),
        Cell::new(i64::from(guest.vmid)),
        Cell::new(last.and_then(|found| instant(found.volume.ctime?))),
        size(last.and_then(|found| found.volume.size)),
        Cell::new(last.map_or("", |found| found.storage.as_str())),
        Cell::new(last.and_then(|found| verified(&found.volume)).unwrap_or_default()),
        Cell::new(i64::try_from(own.count()).ok().filter(|count| *count > 0)),
        Cell::new(names.join(", ").as_str()),
        Cell::new(next.and_then(instant)),
    ];
    row(COVERAGE, place, &guest.key, &guest.name, cells, health, note.as_deref())
}

fn standing(
    guest: &Kept,
    age: Option<i64>,
    alone: bool,
    blind: Option<&str>,
) -> (&'static str, Health, Option<String>) {
    match (age, alone) {
        _ if guest.template => ("template", Health::Off, None),
        (None, _) if blind.is_some() => ("blind", Health::Unknown, blind.map(str::to_owned)),
        (None, true) => ("none", Health::Warning, Some("no backup, and no job that makes one".to_owned())),
        (None, false) => ("none", Health::Warning, Some("no backup yet".to_owned())),
        (Some(age), false) if age > OLD => {
            ("old", Health::Warning, Some(format!("its jobs have made none for {} days", age / 86_400)))
        }
        (Some(_), true) => ("alone", Health::Ok, Some("no enabled job covers it".to_owned())),
        (Some(_), false) => ("covered", Health::Ok, None),
    }
}

fn title(job: &BackupJob) -> &str {
    let comment = job.comment.as_deref().filter(|comment| !comment.trim().is_empty());
    comment.or(job.id.as_deref()).unwrap_or("a job")
}

/// A job's row; it warns where the job would start guests that are off.
pub fn job(job: &BackupJob, guests: &BTreeMap<u32, Kept>, place: &Place) -> Option<Row> {
    let id = job.id.as_deref()?;
    let covered: Vec<&Kept> = guests.values().filter(|guest| covers(job, guest)).collect();
    let starts: Vec<&str> =
        covered.iter().filter(|guest| guest.would_start).map(|guest| &*guest.name).collect();
    let off = job.enabled == Some(false);
    let (state, health) = match (off, starts.is_empty()) {
        (true, _) => ("off", Health::Off),
        (false, true) => ("on", Health::Ok),
        (false, false) => ("on", Health::Warning),
    };
    let note = (!off && !starts.is_empty())
        .then(|| format!("starts {} with its devices while it is backed up", starts.join(", ")));
    let guests = match (job.all, job.pool.as_deref(), job.exclude.as_deref()) {
        (Some(true), _, Some(exclude)) => format!("all but {exclude}"),
        (Some(true), _, None) => "all".to_owned(),
        (_, Some(pool), _) => format!("pool {pool}"),
        _ => job.vmid.clone().unwrap_or_default(),
    };
    let cells = vec![
        Cell::toned(state, if health == Health::Warning { Tone::Warn } else { health.into() }),
        Cell::new(title(job)),
        Cell::new(guests.as_str()),
        Cell::new(job.storage.as_deref().unwrap_or_default()),
        Cell::new(job.mode.as_deref().unwrap_or_default()),
        Cell::new(job.schedule.as_deref().unwrap_or_default()),
        Cell::new(job.next_run.filter(|_| !off).and_then(instant).map(Value::Time).unwrap_or_default()),
    ];
    let mut row = row(JOBS, place, id, title(job), cells, health, note.as_deref());
    row.identity = Identity::new().with("job", id);
    Some(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest(vmid: u32) -> Kept {
        Kept {
            key: format!("qemu/{vmid}").into(),
            vmid,
            name: format!("g{vmid}").into(),
            node: "pve".into(),
            pool: None,
            template: false,
            would_start: false,
        }
    }

    fn job(json: &str) -> BackupJob {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_job_covers_what_it_names_and_nothing_while_it_is_off() {
        let cases = [
            (r#"{"vmid":"100,110"}"#, true),
            (r#"{"vmid":"1100"}"#, false),
            (r#"{"vmid":"110","enabled":0}"#, false),
            (r#"{"vmid":"110","enabled":"1"}"#, true),
            (r#"{"all":1}"#, true),
            (r#"{"all":1,"exclude":"100, 110"}"#, false),
            (r#"{"all":1,"node":"other"}"#, false),
            (r#"{"pool":"prod"}"#, false),
        ];
        for (json, covered) in cases {
            assert_eq!(covers(&job(json), &guest(110)), covered, "{json}");
        }
        assert!(covers(&job(r#"{"pool":"prod"}"#), &Kept { pool: Some("prod".into()), ..guest(1) }));
    }

    #[test]
    fn blindness_is_never_told_as_none() {
        let place = Place { instance: "pve".into(), domain: crate::model::row::Domain::Home };
        let now = Timestamp::from_second(1_784_700_000).unwrap();
        let state = |board: &Board| coverage(&guest(110), board, &place, now).cells[0].value.clone();
        assert_eq!(state(&Board::default()), Value::text("none"));
        let blind = Board { blind: Some("cannot see backups".into()), ..Board::default() };
        assert_eq!(state(&blind), Value::text("blind"));
        let volume = Volume { vmid: Some(110), ctime: Some(1_784_690_000), ..Volume::default() };
        let found = Found { node: "pve".into(), storage: "b".into(), volume };
        let alone = Board { backups: vec![found], ..Board::default() };
        assert_eq!(state(&alone), Value::text("alone"));
        let covered = Board { jobs: vec![job(r#"{"id":"a","all":1}"#)], ..alone.clone() };
        assert_eq!(state(&covered), Value::text("covered"));
        let mut old = covered;
        old.backups[0].volume.ctime = Some(1_784_700_000 - 9 * 86_400);
        assert_eq!(state(&old), Value::text("old"));
    }

    #[test]
    fn a_job_that_starts_a_machine_with_its_devices_is_a_standing_warning() {
        let place = Place { instance: "pve".into(), domain: crate::model::row::Domain::Home };
        let guests = BTreeMap::from([(110, Kept { would_start: true, ..guest(110) })]);
        let row = super::job(&job(r#"{"id":"a","all":1}"#), &guests, &place).unwrap();
        assert_eq!(row.health, Health::Warning);
        assert!(row.note.unwrap().contains("starts g110"));
    }
}

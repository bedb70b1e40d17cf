//! Rows of `omni.machinesets`.

use std::sync::Arc;

use super::Judgement;
use super::machines::role_of;
use crate::backend::omni::feed::{Feed, Lens, Shelf, Shelved};
use crate::backend::omni::kinds::MACHINE_SETS;
use crate::backend::omni::wire::{MachineSet, MachineSetStatus, Metadata};
use crate::model::id::{EntityId, Identity};
use crate::model::row::{Cell, Health, Row, Tone};

/// What the machine sets' rows are made of.
#[derive(Debug, Default)]
pub(in crate::backend::omni) struct MachineSets {
    sets: Shelf<MachineSet>,
    statuses: Shelf<MachineSetStatus>,
}

impl Feed for MachineSets {
    const KIND: &'static str = MACHINE_SETS;

    fn shelves(&mut self) -> Vec<&mut dyn Shelved> {
        vec![&mut self.sets, &mut self.statuses]
    }

    fn ids(&self) -> Vec<Arc<str>> {
        self.sets.ids().cloned().collect()
    }

    fn row(&self, id: &str, lens: &Lens) -> Option<Row> {
        let set = self.sets.of(id)?;
        let status = self.statuses.spec(id);
        let meta = &set.metadata;
        let (word, judgement) = judge(meta, status);
        let machines = status.map(|status| format!("{}/{}", status.machines.healthy, status.machines.total));
        let class = set.spec.allocation();
        let wanted = class.map(|class| match class.allocation_type {
            1 => format!("{} ×all", class.name),
            _ => format!("{} ×{}", class.name, class.machine_count),
        });
        let cells = vec![
            Cell::toned(word, judgement.health.into()),
            Cell::new(&*meta.id),
            Cell::new(meta.label("cluster").unwrap_or_default()),
            Cell::new(role_of(meta)),
            Cell::new(machines.unwrap_or_default().as_str()),
            Cell::new(wanted.unwrap_or_default().as_str()),
            Cell::toned(status.map(|status| status.locked_updates).filter(|held| *held > 0), Tone::Info),
            Cell::new(meta.created),
        ];
        let key = EntityId::new(MACHINE_SETS, lens.instance.clone(), meta.id.clone());
        let mut row = Row::new(key, meta.id.clone(), cells);
        row.health = judgement.health;
        row.note = judgement.note.map(Arc::from);
        row.domain = lens.domain_of(&meta.labels);
        row.identity = identity(meta);
        Some(row)
    }
}

/// What makes a set that set, as it was when somebody decided.
pub(in crate::backend::omni) fn identity(meta: &Metadata) -> Identity {
    Identity::new().with("id", meta.id.clone()).with("version", meta.version.to_string())
}

fn judge(meta: &Metadata, status: Option<&MachineSetStatus>) -> (&'static str, Judgement) {
    let Some(status) = status else { return ("unknown", Judgement::new(Health::Unknown)) };
    let (word, health) = match status.phase {
        _ if meta.tearing_down() => ("destroying", Health::Pending),
        1 => ("scaling up", Health::Pending),
        2 => ("scaling down", Health::Pending),
        3 if status.ready => ("running", Health::Ok),
        3 => ("not ready", Health::Warning),
        4 => ("destroying", Health::Pending),
        5 => ("failed", Health::Critical),
        6 => ("reconfiguring", Health::Pending),
        7 => ("upgrading", Health::Pending),
        _ => ("unknown", Health::Unknown),
    };
    let mut judged = Judgement::new(health);
    if !status.error.is_empty() {
        judged.at_least(health.min(Health::Warning), status.error.as_str());
    }
    if status.locked_updates > 0 {
        judged.at_least(Health::Warning, format!("{} updates held back by locks", status.locked_updates));
    }
    (word, judged)
}

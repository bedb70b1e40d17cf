//! The tables `[[alias]]`, `[[look]]` and `[oncall]`.

use std::collections::BTreeMap;
use std::path::Path;

use super::Validator;
use crate::config::oncall::{Look, OnCall};
use crate::config::raw::Table;
use crate::config::source::Fault;

/// A larger file is no runbook, in bytes.
const LARGEST: u64 = 64 * 1024;
/// So many runbooks are read at most.
const MOST: usize = 200;

impl Validator<'_> {
    /// What is known for being on call.
    pub(super) fn oncall(&mut self, root: &Table<'_>) -> OnCall {
        let mut oncall = OnCall::default();
        for table in root.tables("alias") {
            alias(&table, &mut oncall);
            self.finish("alias", table);
        }
        for table in root.tables("look") {
            oncall.looks.extend(look(&table));
            self.finish("look", table);
        }
        if let Some(table) = root.table("oncall") {
            oncall.runbooks = self.runbooks(&table);
            self.finish("oncall", table);
        }
        oncall
    }

    /// Every Markdown file of a folder.
    fn runbooks(&self, table: &Table<'_>) -> BTreeMap<String, String> {
        let Some(folder) = table.text("runbooks") else { return BTreeMap::new() };
        let path = self.env.path(folder.value, self.base);
        if !self.look {
            return BTreeMap::new();
        }
        match read(&path) {
            Ok(found) => found,
            Err(why) => {
                let what = format!("{} cannot be read: {why}", path.display());
                table.note(folder.span, Fault::new(what, "a folder with Markdown files", "check the path"));
                BTreeMap::new()
            }
        }
    }
}

fn read(folder: &Path) -> std::io::Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder)?.take(MOST) {
        let path = entry?.path();
        let name = path.file_stem().and_then(|name| name.to_str()).map(str::to_lowercase);
        let Some(name) = name.filter(|_| path.extension().is_some_and(|ending| ending == "md")) else {
            continue;
        };
        if path.metadata()?.len() <= LARGEST {
            found.insert(name, String::from_utf8_lossy(&std::fs::read(&path)?).into_owned());
        }
    }
    Ok(found)
}

/// Either two ids, or two names of a cluster.
fn alias(table: &Table<'_>, oncall: &mut OnCall) {
    let is = table.required("is", "\"omni.machines/omni/4c4c4544-…\"", |text| Ok(text.to_owned()));
    let (id, cluster) = (table.text("id"), table.text("cluster"));
    match (id, cluster, is) {
        (Some(id), None, Some(is)) => oncall.same.push((id.value.to_owned(), is)),
        (None, Some(cluster), Some(is)) => oncall.clusters.push((cluster.value.to_owned(), is)),
        (_, _, None) => {}
        _ => {
            let cure = "write `id` for a thing, or `cluster` for another name of a cluster";
            table.note(
                table.header(),
                Fault::new("[[alias]] needs either `id` or `cluster`", "one of them", cure),
            );
        }
    }
}

fn look(table: &Table<'_>) -> Option<Look> {
    let list = |key| -> Vec<String> {
        table.list(key).unwrap_or_default().into_iter().map(|text| text.value.to_owned()).collect()
    };
    let look = Look {
        alert: list("alert"),
        kind: list("kind"),
        see: list("see"),
        log: list("log"),
        runbook: table.text("runbook").map(|text| text.value.to_owned()).unwrap_or_default(),
        say: list("say"),
    };
    if look.alert.is_empty() && look.kind.is_empty() {
        let cure = "add `alert = [\"Name*\"]` or `kind = [\"proxmox.guests\"]`";
        table.note(
            table.header(),
            Fault::new("this [[look]] is for nothing", "needs `alert` or `kind`", cure),
        );
        return None;
    }
    Some(look)
}

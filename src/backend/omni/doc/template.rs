//! How a cluster differs from the template that manages it: read only, with the lines that carry it out.
//!
//! A sync takes everything away that the template does not know, also what somebody added by hand; so what would go is
//! shown like what would come.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::backend::error::ApiError;
use crate::backend::omni::Omni;
use crate::backend::omni::client::{Client, Route};
use crate::backend::omni::difference;
use crate::backend::omni::edit::Draft;
use crate::backend::omni::template::Template;
use crate::backend::omni::wire::{
    Cluster, ConfigPatch, ExtensionsConfiguration, KernelArgs, MachineSet, MachineSetNode, Spec, Table,
};
use crate::model::kind::Format;
use crate::model::row::Tone;
use crate::model::view::{Doc, DocLine, Fact};

/// Tables whose resources of a cluster a sync makes, changes and removes.
const SYNCED: [Table; 4] =
    [ConfigPatch::TABLE, ExtensionsConfiguration::TABLE, MachineSet::TABLE, MachineSetNode::TABLE];

/// What a sync writes on the resources that it makes.
const MANAGED: &str = "omni.sidero.dev/managed-by-cluster-templates";

/// The template file of a cluster: the first that can be read and has its name, and what is wrong with the others.
fn find(paths: &[PathBuf], cluster: &str) -> (Option<(PathBuf, Template)>, Vec<DocLine>) {
    let mut wrong = Vec::new();
    for path in paths {
        let read = std::fs::read_to_string(path).map_err(|why| why.to_string());
        match read.and_then(|text| Template::parse(&text, path.parent())) {
            Ok(template) if template.name() == cluster => return (Some((path.clone(), template)), wrong),
            Ok(_) => {}
            Err(why) => wrong.push(DocLine::toned(format!("{}: {why}", path.display()), Tone::Warn)),
        }
    }
    (None, wrong)
}

/// The view; `None` where the cluster does not exist.
pub(super) async fn compare(omni: &Omni, cluster: &str) -> Result<Option<Doc>, ApiError> {
    let client = omni.client()?;
    let Some(known) = client.get_raw(Cluster::TABLE, cluster, client.reader()).await? else {
        return Ok(None);
    };
    let (found, wrong) = find(&omni.templates, cluster);
    let Some((path, template)) = found else {
        let says = "no template of this cluster is configured: `templates` of this [[omni]]";
        return Ok(Some(Doc::default().lines("", vec![DocLine::new(says)]).lines("unreadable", wrong)));
    };
    let mut there: Vec<Draft> = Draft::parse(&known).into_iter().collect();
    let mut whole = synced(client, cluster, &mut there).await?;
    let aside = template.aside();
    let wanted = template.resources(&[]);
    whole &= kernel_args(client, &wanted, &mut there).await? && aside.is_empty();
    let lines = differences(&there, &wanted);
    let (word, tone) = match (lines.is_empty(), whole) {
        (true, true) => ("in step".to_owned(), Tone::Ok),
        (true, false) if !aside.is_empty() => ("in step as far as it is compared".to_owned(), Tone::Unknown),
        (true, false) => ("not seen completely".to_owned(), Tone::Unknown),
        (false, _) => ("differs".to_owned(), Tone::Warn),
    };
    let mut facts = vec![
        Fact::new("state", word.as_str()).format(Format::State).tone(tone),
        Fact::new("template", path.to_string_lossy().as_ref()),
    ];
    if !aside.is_empty() {
        facts.push(Fact::new("not compared", aside.join(", ").as_str()).tone(Tone::Unknown));
    }
    let doc = Doc::default().facts("", facts).lines("a sync would", lines);
    Ok(Some(doc.lines("by hand", by_hand(&path)).lines("unreadable", wrong)))
}

/// The lines to copy.
fn by_hand(path: &Path) -> Vec<DocLine> {
    let path = quoted(&path.to_string_lossy());
    let lines = ["diff", "sync --dry-run", "sync"];
    lines.map(|verb| DocLine::new(format!("omnictl cluster template {verb} --file {path}"))).to_vec()
}

fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    if path.chars().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

/// Everything of a cluster that a sync would touch; whether that is all of it.
async fn synced(client: &Client, cluster: &str, there: &mut Vec<Draft>) -> Result<bool, ApiError> {
    let route = Route::selected(format!("omni.sidero.dev/cluster={cluster}"));
    let mut whole = true;
    for table in SYNCED {
        let mut lost = false;
        let mut each = |text: &str| match Draft::parse(text) {
            Some(draft) if draft.is_templates() => there.push(draft),
            Some(_) => {}
            None => lost = true,
        };
        whole &= client.list_each(table, &route, &mut each).await?;
        whole &= !lost;
    }
    Ok(whole)
}

/// The kernel arguments of the cluster's machines, which carry no label of it; those that somebody else gave a machine
/// and that the template says nothing of are not a sync's to remove. Whether all could be read.
async fn kernel_args(
    client: &Client,
    wanted: &[(String, Draft)],
    there: &mut Vec<Draft>,
) -> Result<bool, ApiError> {
    let asked_for = ids(wanted.iter().map(|(_, draft)| draft), KernelArgs::TABLE);
    let members = ids(there.iter(), MachineSetNode::TABLE);
    for machine in asked_for.union(&members) {
        let Some(text) = client.get_raw(KernelArgs::TABLE, machine, client.reader()).await? else { continue };
        let Some(mut draft) = Draft::parse(&text) else { return Ok(false) };
        if asked_for.contains(machine) || draft.annotations().contains_key(MANAGED) {
            there.push(draft);
        }
    }
    Ok(true)
}

fn ids<'a>(drafts: impl Iterator<Item = &'a Draft>, table: Table) -> BTreeSet<String> {
    let of_table = drafts.map(Draft::address).filter(|(kind, _)| *kind == table.kind);
    of_table.map(|(_, id)| id.to_owned()).collect()
}

fn differences(there: &[Draft], wanted: &[(String, Draft)]) -> Vec<DocLine> {
    let mut lines = Vec::new();
    for (what, draft) in wanted {
        match there.iter().find(|known| known.address() == draft.address()) {
            None => lines.push(DocLine::toned(format!("+ create {what}"), Tone::Ok)),
            Some(known) => {
                let found = difference::of(known, draft);
                if !found.is_empty() {
                    lines.push(DocLine::toned(format!("~ change {what}"), Tone::Info));
                    lines.extend(found.into_iter().map(|line| DocLine::new(format!("    {line}"))));
                }
            }
        }
    }
    let unknown =
        there.iter().filter(|known| !wanted.iter().any(|(_, draft)| draft.address() == known.address()));
    lines.extend(unknown.map(|known| {
        let (kind, id) = known.address();
        let kind = kind.trim_end_matches(".omni.sidero.dev");
        DocLine::toned(format!("- remove {kind} {id}, which the template does not know"), Tone::Error)
    }));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_a_shell_would_split_is_quoted() {
        assert_eq!(quoted("/home/me/prod.yaml"), "/home/me/prod.yaml");
        assert_eq!(quoted("/home/me/my's prod.yaml"), "'/home/me/my'\\''s prod.yaml'");
    }
}

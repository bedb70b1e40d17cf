//! From what was written to what is meant: each table checked as a whole, every fault noted.

mod authentik;
mod connection;
mod connectors;
mod edge;
mod oncall;
mod proxmox;
mod secret;
mod settings;
mod watch;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::checklist::Checklist;
use super::env::Env;
use super::raw::{Located, Table};
use super::source::Fault;
use super::{Config, check};

/// Turns tables into settings.
pub(super) struct Validator<'e> {
    /// The environment, for `~` and the operator's name.
    pub env: &'e Env,
    /// The directory at which relative paths start.
    pub base: &'e Path,
    /// Whether files that are named must be there.
    pub look: bool,
    /// Every key that was asked for, by table.
    pub asked: BTreeMap<&'static str, Vec<&'static str>>,
}

impl<'e> Validator<'e> {
    /// One that looks whether the files are there.
    pub fn new(env: &'e Env, base: &'e Path) -> Self {
        Self { env, base, look: true, asked: BTreeMap::new() }
    }

    /// The whole file; what could not be made sense of has been noted.
    pub fn config(&mut self, root: Table<'_>) -> Config {
        let kubernetes = self.each(&root, "kubernetes", |v, t, name| Some(v.kubernetes(t, name)));
        let github = self.each(&root, "github", |v, t, name| v.github(t, name));
        let config = Config {
            proxmox: self.each(&root, "proxmox", |v, t, name| v.proxmox(t, name)),
            omni: self.each(&root, "omni", |v, t, name| v.omni(t, name)),
            argocd: self.each(&root, "argocd", |v, t, name| v.argocd(t, name, &kubernetes, &github)),
            authentik: self.each(&root, "authentik", |v, t, name| v.authentik(t, name, &github)),
            alertmanager: self.each(&root, "alertmanager", |v, t, name| v.alertmanager(t, name)),
            prometheus: self.each(&root, "prometheus", |v, t, name| v.prometheus(t, name)),
            docker: self.each(&root, "docker", |v, t, name| v.docker(t, name)),
            loki: self.each(&root, "loki", |v, t, name| v.loki(t, name)),
            ntfy: self.each(&root, "ntfy", |v, t, name| v.ntfy(t, name)),
            pinned: self.each(&root, "pinned", |v, t, name| v.pinned(t, name)),
            cloudflare: self.each(&root, "cloudflare", |v, t, name| v.cloudflare(t, name)),
            probe: self.each(&root, "probe", |v, t, name| v.probe(t, name)),
            github,
            kubernetes,
            checklists: self.checklists(&root),
            alerts: root.table("alerts").map(|t| self.alerts(t)).unwrap_or_default(),
            oncall: self.oncall(&root),
            ui: root.table("ui").map(|t| self.ui(t)).unwrap_or_default(),
            guard: root.table("guard").map(|t| self.guard(t)).unwrap_or_default(),
            operator: root.checked("operator", check::word).unwrap_or_else(|| self.user()).into(),
            warnings: Vec::new(),
        };
        self.finish("", root);
        config
    }

    /// The checklists in files of their own; each is named after its file.
    fn checklists(&self, root: &Table<'_>) -> Vec<Checklist> {
        let files = root.list("checklists").unwrap_or_default();
        let read = |written: &Located<&str>| {
            let path = self.env.path(written.value, self.base);
            let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("checklist").to_owned();
            let text = if self.look { std::fs::read_to_string(&path) } else { return None };
            let read = match text {
                Ok(text) => Checklist::parse(&name, &text),
                Err(why) => Err(format!("it cannot be read: {why}")),
            };
            let wrong = |why: String| {
                let what = format!("{}: {why}", path.display());
                let cure = "compare it with the checklists that come with vigie";
                root.note(written.span.clone(), Fault::new(what, "a checklist", cure));
            };
            read.map_err(wrong).ok()
        };
        files.iter().filter_map(read).collect()
    }

    /// Who runs this program, if the file does not say it.
    fn user(&self) -> String {
        let user = self.env.get("USER").or_else(|| self.env.get("LOGNAME"));
        user.and_then(|user| check::word(user).ok()).unwrap_or_else(|| "vigie".to_owned())
    }

    fn finish(&mut self, title: &'static str, table: Table<'_>) {
        self.asked.entry(title).or_default().extend(table.finish());
    }

    /// Every instance of a table, each with a name that no other has.
    fn each<'s, T>(
        &mut self,
        root: &Table<'s>,
        key: &'static str,
        read: impl Fn(&Self, &Table<'s>, Arc<str>) -> Option<T>,
    ) -> Vec<T> {
        let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
        let mut made = Vec::new();
        for table in root.tables(key) {
            let name = table.required("name", "\"home\"", check::name);
            if let Some(written) = table.text("name") {
                let line = table.line_of(&written.span);
                if let Some(first) = lines.insert(written.value, line) {
                    table.note(written.span, twice(table.title(), written.value, first));
                }
            }
            // Read on without a name, so that one run tells everything that is wrong.
            made.extend(read(self, &table, name.unwrap_or_default().into()));
            self.finish(key, table);
        }
        made
    }
}

/// A length of time, written with its unit.
fn timespan(table: &Table<'_>, key: &'static str, range: RangeInclusive<Duration>) -> Option<Duration> {
    let value = table.take(key)?;
    if let Some(number) = value.get_ref().as_integer() {
        let cure = format!("write `{key} = \"{}s\"`", number.as_str());
        table.note(value.span(), Fault::new("this length of time has no unit", "a text with a unit", cure));
        return None;
    }
    table.checked(key, |text| check::duration(text, &range))
}

fn twice(title: &str, name: &str, first: usize) -> Fault {
    Fault::new(
        format!("two {title} are named `{name}`"),
        "this name is taken",
        format!("give one of them another name; the first is on line {first}"),
    )
}

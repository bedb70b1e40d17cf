//! The diagnosis on top of a description: what is known of the problem, and the ends of the logs that belong to it.

use crate::insight::diagnose::{self, LogPart};
use crate::insight::kinds::{HANDOVER, PROBLEMS, is_insight};
use crate::model::id::EntityId;
use crate::model::row::{Health, Row};
use crate::model::snapshot::Fault;
use crate::model::view::{Doc, View};

use super::App;
use super::effect::Effect;
use super::msg::ViewId;
use super::places::PlaceKey;

/// The heading of what was written around an alert.
const LOKI: &str = "Loki around";
/// So many lines of a log are kept.
const KEPT: usize = 200;

/// The page that is open, and the logs that are read for it.
#[derive(Debug)]
pub(super) struct Diagnosis {
    /// What it is about.
    id: EntityId,
    /// The view whose description it stands on.
    view: ViewId,
    /// That description, once it is there.
    base: Option<Result<Doc, Fault>>,
    /// The logs, by the views that feed them.
    logs: Vec<(ViewId, LogPart)>,
}

impl App {
    /// Begins the diagnosis of a row whose page was opened, where there is something to diagnose.
    pub(super) fn diagnose(&mut self, view: ViewId, id: &EntityId, name: &str) -> Vec<Effect> {
        let row = self.facts.store.get(id).cloned();
        let Some(row) = row.filter(|row| name == "describe" && self.is_sick(row)) else { return Vec::new() };
        let looks = diagnose::looks_for(&row, &self.looks, &self.lookout, self.sight());
        let wanted = diagnose::logs(&row, &looks, &self.lookout, self.sight());
        let mut effects = Vec::new();
        let mut logs = Vec::new();
        for id in wanted {
            let view = self.next_view();
            let row = self.facts.store.get(&id);
            let name = row.map_or(&*id.key, |row| &*row.name);
            let title =
                if diagnose::is_alert(&id) { format!("{LOKI} {name}") } else { format!("log of {name}") };
            logs.push((view, LogPart { title, ..LogPart::default() }));
            effects.push(Effect::Open { view, id, name: "log".to_owned(), after: 0 });
        }
        self.diagnosis = Some(Diagnosis { id: id.clone(), view, base: None, logs });
        effects
    }

    /// Whether there is anything to diagnose.
    fn is_sick(&self, row: &Row) -> bool {
        let kind = row.id.kind.as_str();
        match row.id.kind.backend() {
            "vigie" => kind == PROBLEMS || row.health == Health::Critical || row.health == Health::Warning,
            "alerts" => kind == "alerts.alerts",
            _ => {
                matches!(row.health, Health::Critical | Health::Warning)
                    || self.lookout.problems_of(&row.id).next().is_some()
            }
        }
    }

    /// Stops reading the logs of a page that was left.
    pub(super) fn end_diagnosis(&mut self) -> Vec<Effect> {
        let diagnosis = self.diagnosis.take();
        diagnosis.into_iter().flat_map(|d| d.logs).map(|(view, _)| Effect::Shut(view)).collect()
    }

    /// Content of a view on its way to its pane: a description gets the diagnosis on top, a log goes into it.
    pub(super) fn diagnosed(
        &mut self,
        view: ViewId,
        body: Result<View, Fault>,
    ) -> Option<Result<View, Fault>> {
        let Some(diagnosis) = &mut self.diagnosis else { return Some(body) };
        if let Some((_, part)) = diagnosis.logs.iter_mut().find(|(log, _)| *log == view) {
            match body {
                Ok(View::Log(lines)) => part.lines.extend(lines),
                Ok(_) => {}
                Err(fault) if part.title.starts_with(LOKI) => part.fault = Some(fault.what),
                Err(fault) => part.fault = Some(fault.to_string()),
            }
            let over = part.lines.len().saturating_sub(KEPT);
            part.lines.drain(..over);
            self.renew_page();
            return None;
        }
        if diagnosis.view != view {
            return Some(body);
        }
        match body {
            Ok(View::Doc(doc)) => diagnosis.base = Some(Ok(doc)),
            Ok(other) => return Some(Ok(other)),
            Err(fault) => diagnosis.base = Some(Err(fault)),
        }
        self.renew_page();
        None
    }

    /// Puts what is known now onto the open page.
    pub(super) fn renew_page(&mut self) {
        let PlaceKey::View { id, name } = self.places.key() else { return };
        if name != "describe" {
            return;
        }
        let id = id.clone();
        let own = is_insight(&id.kind);
        let base = self.diagnosis.as_ref().filter(|d| d.id == id).and_then(|d| d.base.clone());
        match (own, base) {
            (true, _) => {
                let page = self.page(&id);
                self.places.pane_mut().set_view(page);
            }
            (false, Some(base)) => {
                let (doc, fault) = match base {
                    Ok(doc) => (doc, None),
                    Err(fault) => (Doc::default(), Some(fault)),
                };
                let page = self.with_diagnosis(&id, doc);
                let pane = self.places.pane_mut();
                pane.set_view(Ok(View::Doc(page)));
                if let Some(fault) = fault {
                    pane.set_view(Err(fault));
                }
            }
            (false, None) => {}
        }
    }

    /// A description below the diagnosis of its row.
    fn with_diagnosis(&self, id: &EntityId, below: Doc) -> Doc {
        let logs: Vec<LogPart> =
            self.diagnosis.iter().flat_map(|d| d.logs.iter().map(|(_, part)| part.clone())).collect();
        let Some(row) = self.facts.store.get(id) else { return below };
        let operations = &self.facts.operations;
        let mut page = diagnose::page(row, &self.looks, &self.lookout, operations, &logs, self.sight());
        page.sections.extend(below.sections);
        page
    }

    /// The page of one of insight's own rows, or of the shift.
    pub(super) fn page(&self, id: &EntityId) -> Result<View, Fault> {
        if id.kind.as_str() == HANDOVER {
            return Ok(View::Doc(self.handover().doc()));
        }
        let own = self.lookout.page(id, self.sight()).map(|doc| {
            // What helps now stands above the signs, which prove it.
            let mut sections = doc.sections;
            let signs = sections.iter().position(|section| section.heading == "signs");
            let below = sections.split_off(signs.unwrap_or(sections.len()));
            let diagnosis = self.with_diagnosis(id, Doc::default());
            Doc { sections: sections.into_iter().chain(diagnosis.sections).chain(below).collect() }
        });
        let row = || {
            let kind = self.facts.kinds.get(&id.kind)?;
            Some(crate::ui::detail::cells(kind, self.facts.store.get(id)?))
        };
        let over =
            || Fault::new(crate::model::snapshot::Layer::App, "it is over: no sign of it is seen any more");
        own.or_else(row).map(View::Doc).ok_or_else(over)
    }
}

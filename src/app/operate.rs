//! Operations from the screen: choosing, filling in, checking, confirming; sending is the executor's.

use std::sync::Arc;

use crate::insight::{guard, minded};
use crate::model::id::{EntityId, Identity};
use crate::model::op::{
    Args, Decision, Field, FieldKind, Job, OpSpec, Reveal, Target, Targets, Tier, Verb, Verdict,
};
use crate::model::row::Tone;
use crate::model::snapshot::Fault;

use super::App;
use super::draft::{Draft, Judged, NEW_NAME};
use super::effect::Effect;
use super::gate::{self, Confirm};
use super::msg::DraftId;
use super::overlay::{Chosen, Overlay};
use super::places::PlaceKey;

impl App {
    /// Starts an operation by its name, on an exact id or a new name, else on the marks or the selection.
    pub(super) fn start_named(&mut self, name: &str, target: Option<&str>) -> Vec<Effect> {
        let Some(op) = self.facts.operations.get(name).cloned() else {
            self.tell(Tone::Warn, format!("`{name}` is not available: no such system is configured"));
            return Vec::new();
        };
        if let Targets::New { .. } = op.targets {
            return self.start_new(op, target);
        }
        let ids = match target.map(EntityId::parse) {
            Some(Some(id)) => vec![id],
            Some(None) => {
                self.tell(
                    Tone::Warn,
                    format!("`{}` is no full id (kind/instance/key)", target.unwrap_or_default()),
                );
                return Vec::new();
            }
            None => self.chosen_ids(),
        };
        self.start_on(&op, &ids)
    }

    /// The marks, or else the row under the cursor.
    fn chosen_ids(&self) -> Vec<EntityId> {
        let marked = self.places.pane().component().marked();
        if marked.is_empty() { self.selected().into_iter().collect() } else { marked }
    }

    /// The operation behind a special key of the selected row's kind.
    pub(super) fn start_verb(&mut self, verb: Verb) -> Vec<Effect> {
        let Some(id) = self.selected() else { return Vec::new() };
        let found = self.facts.operations.on(&id.kind).into_iter().find(|op| op.verb == Some(verb)).cloned();
        if let Some(op) = found {
            let ids = self.chosen_ids();
            self.start_on(&op, &ids)
        } else if verb == Verb::Special {
            vec![Effect::Terminal(id)]
        } else {
            self.tell(
                Tone::Info,
                format!("{} have no such operation; a lists those there are", id.kind.name()),
            );
            Vec::new()
        }
    }

    fn start_on(&mut self, op: &Arc<OpSpec>, ids: &[EntityId]) -> Vec<Effect> {
        if let Some(stranger) = ids.iter().find(|id| !op.acts_on(&id.kind)) {
            self.tell(Tone::Warn, format!("{} does not act on {}", op.name, stranger.kind));
            return Vec::new();
        }
        let targets: Vec<Target> = ids.iter().filter_map(|id| self.target_of(id)).collect();
        if targets.len() < ids.len() {
            self.tell(Tone::Warn, "a chosen thing is no longer there");
            return Vec::new();
        }
        if let Some(holding) = ids.iter().find_map(|id| self.ledger.holding(id)) {
            let text = format!("{}: {} is {}", holding.job.target.name, holding.job.op, holding.state.word());
            self.tell(Tone::Warn, text);
            return Vec::new();
        }
        let instance = ids.first().map_or_else(|| Arc::from(""), |id| id.instance.clone());
        let id = self.next_draft();
        self.begin(Draft::on(id, op.clone(), instance, targets), ids.len())
    }

    /// A row, or a part that only the open view lists: its identity is then what the check before sending finds.
    fn target_of(&self, id: &EntityId) -> Option<Target> {
        if let Some(row) = self.facts.store.get(id) {
            return Some((&**row).into());
        }
        let PlaceKey::View { id: whole, .. } = self.places.key() else { return None };
        let shown = id != whole && self.selected().as_ref() == Some(id);
        let row = self.facts.store.get(whole).filter(|_| shown)?;
        let name = id.key.rsplit('/').next().unwrap_or(&id.key);
        Some(Target { id: id.clone(), name: name.into(), identity: Identity::new(), domain: row.domain })
    }

    /// Something that does not exist yet: on the selected row's instance, the only one, or the one that is picked.
    fn start_new(&mut self, op: Arc<OpSpec>, name: Option<&str>) -> Vec<Effect> {
        let instances = self.instances(op.backend());
        let here = self.selected().filter(|id| id.kind.backend() == op.backend()).map(|id| id.instance);
        let instance = match (here, instances.as_slice()) {
            (Some(here), _) => here,
            (None, [only]) => only.clone(),
            (None, []) => {
                self.tell(Tone::Warn, format!("no {} is configured", op.backend()));
                return Vec::new();
            }
            (None, many) => {
                let names = many.to_vec();
                self.overlays.push(Overlay::instances(&op, names));
                return Vec::new();
            }
        };
        self.begin_new(op, instance, name)
    }

    fn begin_new(&mut self, op: Arc<OpSpec>, instance: Arc<str>, name: Option<&str>) -> Vec<Effect> {
        let id = self.next_draft();
        let mut draft = Draft::on(id, op, instance, Vec::new());
        if let Some(name) = name {
            draft.args.insert(NEW_NAME.to_owned(), name.to_owned());
        }
        self.begin(draft, 1)
    }

    fn instances(&self, backend: &str) -> Vec<Arc<str>> {
        let mut names: Vec<Arc<str>> = Vec::new();
        for source in self.facts.store.sources().filter(|source| &*source.spec.id.backend == backend) {
            if !names.contains(&source.spec.id.instance) {
                names.push(source.spec.id.instance.clone());
            }
        }
        names
    }

    /// The gate's first question; then the form, or the check where there is nothing to fill in.
    fn begin(&mut self, draft: Draft, count: usize) -> Vec<Effect> {
        let key = (Arc::from(draft.op.backend()), draft.instance.clone());
        let rights = self.facts.rights.get(&key);
        if let Err(refusal) = gate::admit(&draft.op, self.look.armed(), rights, count) {
            if let gate::Refusal::NotHere(_) = refusal {
                self.overlays.push(Overlay::confirm(&draft, self.look.now));
                return Vec::new();
            }
            self.tell(Tone::Warn, format!("{}: {refusal}", draft.op.name));
            return Vec::new();
        }
        let is_new = matches!(draft.op.targets, Targets::New { .. });
        // What others have to say is asked for anew, so that it is there when the check is.
        let others = minded::kinds(&draft.op);
        let others = (!others.is_empty()).then_some(Effect::Refresh(others));
        let effect = Effect::Form {
            draft: draft.id,
            op: draft.op.name.to_string(),
            instance: draft.instance.to_string(),
            targets: draft.targets.clone(),
        };
        if !is_new && draft.op.form.is_empty() {
            self.draft = Some(draft);
            let check = self.check();
            return others.into_iter().chain(check).collect();
        }
        self.overlays.push(Overlay::form(&draft, form_of(&draft, draft.op.form.clone())));
        self.draft = Some(draft);
        self.redrawn([effect].into_iter().chain(others).collect())
    }

    /// What the server offers arrived: the form that is already open takes it in.
    pub(super) fn on_form(&mut self, id: DraftId, body: Result<Vec<Field>, Fault>) -> Vec<Effect> {
        let Some(draft) = self.draft.as_ref().filter(|draft| draft.id == id) else { return Vec::new() };
        if let Some(Overlay::Form(form)) = self.overlays.last_mut() {
            match body {
                Ok(fields) => form.offer(form_of(draft, fields)),
                Err(fault) => form.fail(format!("what is on offer could not be asked for: {fault}")),
            }
        }
        self.preview_soon();
        self.redrawn(Vec::new())
    }

    /// A form was filled in: the check comes next.
    pub(super) fn submitted(&mut self, args: Args) -> Vec<Effect> {
        self.overlays.pop();
        let Some(draft) = &mut self.draft else { return Vec::new() };
        draft.fill(args);
        self.check()
    }

    /// Asks for the checks; the confirmation opens at once and waits for them.
    fn check(&mut self) -> Vec<Effect> {
        let operator = self.operator.clone();
        let Some(draft) = self.draft.take() else { return Vec::new() };
        let jobs = draft.jobs(&operator, None, || self.next_run());
        let effect = Effect::Preflight { draft: draft.id, jobs };
        if gate::confirmation(&draft.op, &draft.targets) != Confirm::None {
            self.toast = None;
            self.overlays.push(Overlay::confirm(&draft, self.look.now));
        }
        self.draft = Some(draft);
        self.redrawn(vec![effect])
    }

    /// A check's answer: it frees its target for the confirmation, or closes the confirmation with the reasons.
    pub(super) fn on_verdict(
        &mut self,
        id: DraftId,
        target: &EntityId,
        body: Result<Verdict, Fault>,
    ) -> Vec<Effect> {
        if self.on_preview(id, &body) {
            return Vec::new();
        }
        let now = self.look.now;
        let others = self.others_at(target);
        let Some(draft) = self.draft.as_mut().filter(|draft| draft.id == id) else { return Vec::new() };
        let verdict = body.unwrap_or_else(|fault| gate::unanswered(&fault));
        let Some(known) = draft.targets.iter().find(|known| known.id == *target) else { return Vec::new() };
        let name = known.name.clone();
        let verdict = guard::elsewhere(&draft.op, known, verdict, &self.facts.store);
        let verdict = others.into_iter().fold(verdict, |verdict, other| verdict.and(Decision::Warn, other));
        let judged = draft.judge(target.clone(), verdict.clone());
        let op = draft.op.clone();
        self.dirty = true;
        match (judged, self.overlays.last_mut()) {
            (Judged::Refused(refusal), overlay) => {
                let text = format!("{}: {refusal}", op.name);
                match overlay {
                    Some(Overlay::Confirm(confirm)) => {
                        confirm.refuse(&*name, refusal.evidence(), now);
                        self.notices.add(now, Tone::Warn, text);
                    }
                    _ => self.tell(Tone::Warn, text),
                }
                self.draft = None;
                Vec::new()
            }
            (_, Some(Overlay::Confirm(confirm))) => {
                confirm.pass(target, verdict, now);
                Vec::new()
            }
            (Judged::Allowed, _) if gate::confirmation(&op, &[]) == Confirm::None => self.confirmed(None),
            _ => Vec::new(),
        }
    }

    /// The confirmation was given: the frozen jobs go to the executor.
    pub(super) fn confirmed(&mut self, reason: Option<&str>) -> Vec<Effect> {
        let leaving = matches!(self.overlays.last(), Some(Overlay::Leave(_)));
        self.overlays.pop();
        if leaving {
            return self.quit();
        }
        let Some(draft) = self.draft.take() else { return Vec::new() };
        if !self.look.armed() && draft.op.tier > Tier::T0 {
            self.tell(Tone::Warn, "writes are no longer armed; nothing was sent");
            return Vec::new();
        }
        let operator = self.operator.clone();
        if super::known::is_line(&draft.op.name) {
            return self.record(&draft);
        }
        let jobs = draft.jobs(&operator, reason, || self.next_run());
        for job in &jobs {
            self.ledger.queue(job.clone(), self.look.now);
        }
        self.sync_pane();
        self.redrawn(vec![Effect::Operate(jobs)])
    }

    /// An operation of the console's own: a line of the journal for each target.
    fn record(&mut self, draft: &Draft) -> Vec<Effect> {
        let (op, now) = (&draft.op.name, self.look.now);
        let entry = |target: &Target| super::known::entry(op, Some(target.id.clone()), &draft.args, now);
        let effects = draft.targets.iter().filter_map(entry).map(Effect::Record).collect();
        self.redrawn(effects)
    }

    /// A layer was left without a result; so is what it was preparing.
    pub(super) fn cancelled(&mut self) -> Vec<Effect> {
        if self.overlays.is_empty() {
            return self.back();
        }
        match self.overlays.pop() {
            Some(Overlay::Form(_) | Overlay::Confirm(_)) if self.draft.is_some() => {
                self.draft = None;
                self.tell(Tone::Info, "nothing was sent");
            }
            _ => {}
        }
        self.redrawn(Vec::new())
    }

    /// The operations of the selected row, with what each needs.
    pub(super) fn pick_operation(&mut self) -> Vec<Effect> {
        let Some(id) = self.selected() else { return Vec::new() };
        if id.kind.as_str() == crate::insight::kinds::PROBLEMS {
            return self.pick_remedy(&id);
        }
        let ops: Vec<Arc<OpSpec>> = self.facts.operations.on(&id.kind).into_iter().cloned().collect();
        let name = self.facts.store.get(&id).map_or_else(|| id.key.clone(), |row| row.name.clone());
        let overlay = Overlay::operations(&name, &ops, self.facts.rights_on(&id));
        self.overlays.push(overlay);
        Vec::new()
    }

    /// What can be opened on the selected row.
    pub(super) fn pick_view(&mut self) -> Vec<Effect> {
        let Some(id) = self.selected() else { return Vec::new() };
        let Some(kind) = self.facts.kinds.get(&id.kind) else { return Vec::new() };
        let name = self.facts.store.get(&id).map_or_else(|| id.key.clone(), |row| row.name.clone());
        self.overlays.push(Overlay::views(&name, &id, &kind.views));
        Vec::new()
    }

    /// Something failed that has a harder way: it is offered, and is then checked and confirmed like any other.
    pub(super) fn offer_fallback(&mut self, job: &Job, why: &str) {
        let harder = self.facts.operations.get(&job.op).and_then(|op| op.fallback.as_deref());
        let Some(harder) = harder.and_then(|name| self.facts.operations.get(name)).cloned() else { return };
        // What the operator is in the middle of is not covered.
        if self.overlays.is_empty() && self.draft.is_none() {
            self.overlays.push(Overlay::fallback(&job.target, &harder, why));
        }
    }

    /// What else the selected row is, in other systems.
    pub(super) fn pick_related(&mut self) -> Vec<Effect> {
        let Some(row) = self.selected().and_then(|id| self.facts.store.get(&id).cloned()) else {
            return Vec::new();
        };
        let related = self.lookout().related(&row);
        if related.is_empty() {
            self.tell(Tone::Info, format!("nothing else is known to be {}", row.name));
            return Vec::new();
        }
        self.overlays.push(Overlay::related(&row.name, related));
        Vec::new()
    }

    /// Something was picked from a list.
    pub(super) fn chosen(&mut self, index: usize) -> Vec<Effect> {
        let Some(overlay) = self.overlays.pop() else { return Vec::new() };
        match overlay.chosen(index) {
            Some(Chosen::Operation(op)) => self.start_named(&op, None),
            Some(Chosen::Instance(op, instance)) => self.begin_new(op, instance, None),
            Some(Chosen::Fallback(op, id)) => self.start_named(&op, Some(&id.to_string())),
            Some(Chosen::Leave) => self.redrawn(Vec::new()),
            Some(Chosen::Row(id)) => self.go_to(&id),
            Some(Chosen::View(id, name)) => self.open_view(id, &name),
            Some(Chosen::Line(line)) => self.run_line(&line),
            None => Vec::new(),
        }
    }

    /// Shows a secret once.
    pub(super) fn reveal(&mut self, reveal: Reveal) {
        self.overlays.push(Overlay::reveal(reveal));
    }
}

/// The fields of a form; a new thing's name comes first.
fn form_of(draft: &Draft, mut fields: Vec<Field>) -> Vec<Field> {
    if let Targets::New { what, .. } = &draft.op.targets {
        let mut field = Field::new(NEW_NAME, "", FieldKind::Line, "What it is called.");
        field.title.clone_from(what);
        field.default = draft.args.get(NEW_NAME).cloned().unwrap_or_default().into();
        fields.insert(0, field);
    }
    fields
}

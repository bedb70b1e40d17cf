//! Layers over the pane: command line, finder, lists to choose from, forms, confirmations, secrets shown once.

use std::sync::Arc;

use jiff::Timestamp;

use crate::insight::link::Related;
use crate::model::action::Context;
use crate::model::id::EntityId;
use crate::model::kind::{KindSpec, ViewSpec};
use crate::model::op::{Args, Field, OpSpec, Reveal, Rights, Target, Tier};
use crate::model::row::{Grade, Row};
use crate::ui::component::Component;
use crate::ui::confirm::{Ask, Confirm};
use crate::ui::find::Find;
use crate::ui::form::Form;
use crate::ui::help::Help;
use crate::ui::palette::Palette;
use crate::ui::picker::{Item, Picker};
use crate::ui::reveal::Secret;

use super::command::Completion;
use super::draft::Draft;
use super::gate;

/// A layer.
#[derive(Debug)]
pub(super) enum Overlay {
    Palette(Palette),
    Find(Box<Find>),
    Help(Help),
    Form(Box<Form>),
    Confirm(Box<Confirm>),
    /// The question before leaving while something is armed or under way.
    Leave(Box<Confirm>),
    Reveal(Secret),
    Picker {
        picker: Picker,
        goals: Vec<Chosen>,
    },
}

/// An operation on a thing that has to do with a problem.
#[derive(Debug, Clone)]
pub(super) struct Remedy {
    /// The operation.
    pub op: Arc<OpSpec>,
    /// The thing.
    pub on: Arc<Row>,
    /// The right that is missing, where one is.
    pub missing: Option<String>,
}

/// What an item of a picker stands for.
#[derive(Debug, Clone)]
pub(super) enum Chosen {
    /// Start this operation.
    Operation(String),
    /// Carry this operation out on this instance.
    Instance(Arc<OpSpec>, Arc<str>),
    /// Start this operation on this thing.
    Fallback(String, EntityId),
    /// Do nothing.
    Leave,
    /// Go to this row.
    Row(EntityId),
    /// Open this view of this row.
    View(EntityId, String),
    /// Run this line of the command language.
    Line(String),
}

impl Overlay {
    /// The component of the layer.
    pub fn component(&self) -> &dyn Component {
        match self {
            Self::Palette(layer) => layer,
            Self::Find(layer) => &**layer,
            Self::Help(layer) => layer,
            Self::Form(layer) => &**layer,
            Self::Confirm(layer) | Self::Leave(layer) => &**layer,
            Self::Reveal(layer) => layer,
            Self::Picker { picker, .. } => picker,
        }
    }

    /// The component of the layer, to act and to draw.
    pub fn component_mut(&mut self) -> &mut dyn Component {
        match self {
            Self::Palette(layer) => layer,
            Self::Find(layer) => &mut **layer,
            Self::Help(layer) => layer,
            Self::Form(layer) => &mut **layer,
            Self::Confirm(layer) | Self::Leave(layer) => &mut **layer,
            Self::Reveal(layer) => layer,
            Self::Picker { picker, .. } => picker,
        }
    }

    /// When it changes by itself: a confirmation begins to listen.
    pub fn changes_at(&self) -> Option<Timestamp> {
        match self {
            Self::Confirm(layer) | Self::Leave(layer) => Some(layer.listens_at()),
            _ => None,
        }
    }

    /// Help for a context, and for the columns of a kind.
    pub fn help(context: Context, kind: Option<Arc<KindSpec>>) -> Self {
        Self::Help(Help::new(vec![context, Context::Global], kind))
    }

    /// The form of a draft; it waits for what the server offers.
    pub fn form(draft: &Draft, fields: Vec<Field>) -> Self {
        let names: Vec<&str> = draft.targets.iter().map(|target| &*target.name).collect();
        let title = format!("{} {}", draft.op.title, names.join(", "));
        Self::Form(Box::new(Form::new(title.trim_end(), draft.op.doc.as_ref(), fields).waiting()))
    }

    /// The confirmation of a draft; it waits for the checks.
    pub fn confirm(draft: &Draft, now: Timestamp) -> Self {
        let ask = match gate::confirmation(&draft.op, &draft.targets) {
            gate::Confirm::None | gate::Confirm::YesNo => Ask::Yes,
            gate::Confirm::Names(names) => Ask::Names(names),
            gate::Confirm::Count(count) => Ask::Count(count),
            gate::Confirm::NotHere => Ask::NotHere(draft.op.doc.to_string()),
        };
        let confirm = Confirm::new(draft.op.clone(), ask, draft.targets.clone(), draft.args.clone(), now);
        Self::Confirm(Box::new(confirm))
    }

    /// The question before leaving.
    pub fn leave(why: &str, now: Timestamp) -> Self {
        let mut op = OpSpec::on("vigie.console", "vigie.quit", "quit", Tier::T1, "");
        op.doc = format!("Leaves the console. {why}").into();
        Self::Leave(Box::new(Confirm::new(Arc::new(op), Ask::Yes, Vec::new(), Args::new(), now)))
    }

    /// A secret, once.
    pub fn reveal(reveal: Reveal) -> Self {
        Self::Reveal(Secret::new(reveal))
    }

    /// The operations of a row; those that the credential may not do say which right is missing.
    pub fn operations(name: &str, ops: &[Arc<OpSpec>], rights: Option<&Rights>) -> Self {
        let item = |op: &Arc<OpSpec>| {
            let item = Item::new(op.title.as_ref(), op.doc.as_ref()).right(op.tier.to_string());
            match rights.and_then(|rights| rights.missing.get(&*op.name)) {
                Some(right) => item.off(format!("needs {right}")),
                None => item,
            }
        };
        let picker = Picker::new(format!("operations of {name}"), ops.iter().map(item).collect()).direct();
        let goals = ops.iter().map(|op| Chosen::Operation(op.name.to_string())).collect();
        Self::Picker { picker, goals }
    }

    /// The views of a row, its description first.
    pub fn views(name: &str, id: &EntityId, views: &[ViewSpec]) -> Self {
        let names = views.iter().map(|view| (view.name.to_string(), view.title.to_string()));
        let all = std::iter::once(("describe".to_owned(), "description".to_owned())).chain(names);
        let (items, goals) =
            all.map(|(name, title)| (Item::new(name.clone(), title), Chosen::View(id.clone(), name))).unzip();
        Self::Picker { picker: Picker::new(format!("views of {name}"), items), goals }
    }

    /// The harder way after something failed; leaving it as it is comes first.
    pub fn fallback(target: &Target, harder: &OpSpec, why: &str) -> Self {
        let items = vec![
            Item::new("leave it", why),
            Item::new(harder.title.as_ref(), harder.doc.as_ref()).right(harder.tier.to_string()),
        ];
        let goals = vec![Chosen::Leave, Chosen::Fallback(harder.name.to_string(), target.id.clone())];
        Self::Picker { picker: Picker::new(format!("{}: what now?", target.name), items), goals }
    }

    /// What may be done about a problem: operations of the things that fail and of those that are looked at.
    pub fn remedies(name: &str, remedies: Vec<Remedy>) -> Self {
        let item = |remedy: &Remedy| {
            let (op, on) = (&remedy.op, &remedy.on);
            let doc = format!("{} {}: {}", on.id.kind, on.id.instance, op.doc);
            let item = Item::new(format!("{} {}", op.title, on.name), doc).right(op.tier.to_string());
            match &remedy.missing {
                Some(right) => item.off(format!("needs {right}")),
                None => item,
            }
        };
        let title = format!("what may be done about {name}");
        let picker = Picker::new(title, remedies.iter().map(item).collect()).direct();
        let goal = |remedy: Remedy| Chosen::Fallback(remedy.op.name.to_string(), remedy.on.id.clone());
        let goals = remedies.into_iter().map(goal).collect();
        Self::Picker { picker, goals }
    }

    /// The instances that an operation could be carried out on.
    pub fn instances(op: &Arc<OpSpec>, names: Vec<Arc<str>>) -> Self {
        let item = |name: &Arc<str>| Item::new(&**name, op.doc.as_ref());
        let picker = Picker::new(format!("{} where?", op.title), names.iter().map(item).collect());
        let goals = names.into_iter().map(|name| Chosen::Instance(op.clone(), name)).collect();
        Self::Picker { picker, goals }
    }

    /// The lines that a short name may stand for.
    pub fn which(word: &str, among: Vec<Completion>) -> Self {
        let item = |one: &Completion| Item::new(one.line.clone(), one.doc.clone());
        let picker = Picker::new(format!("`{word}` may be"), among.iter().map(item).collect()).direct();
        Self::Picker { picker, goals: among.into_iter().map(|one| Chosen::Line(one.line)).collect() }
    }

    /// Rows of other systems that are the same thing.
    pub fn related(name: &str, related: Vec<Related>) -> Self {
        let item = |related: &Related| {
            let relation = related.relation.word();
            let (key, value) = (related.key, &related.value);
            let mut doc =
                format!("{} {} · {relation} · {key:?} {value}", related.id.kind, related.id.instance);
            if let Some(other) = &related.conflict {
                doc = format!("CONFLICT: {other} says so too · {doc}");
            }
            Item::new(related.name.clone(), doc).right(match related.grade {
                Grade::Certain => "certain",
                Grade::Likely => "~ likely",
                Grade::Hint => "? hint",
            })
        };
        let picker = Picker::new(format!("linked to {name}"), related.iter().map(item).collect()).direct();
        let goals = related.into_iter().map(|related| Chosen::Row(related.id)).collect();
        Self::Picker { picker, goals }
    }

    /// What an item of a picker stands for.
    pub fn chosen(&self, index: usize) -> Option<Chosen> {
        if let Self::Picker { goals, .. } = self { goals.get(index).cloned() } else { None }
    }
}

//! The words of a confirmation.

use crate::config::theme::Role;
use crate::model::action::Action;
use crate::model::op::{Decision, Evidence, Target, Verdict};
use crate::model::row::Tone;
use crate::ui::component::{Component, Ctx};
use crate::ui::format::glyph;
use crate::ui::lines::{Line, labelled, wrapped};
use crate::ui::table::domain_word;
use crate::ui::text::{clean, width};

use super::Confirm;

/// More targets than this stand below the evidence, which must not be scrolled away.
const FEW: usize = 4;

impl Confirm {
    /// The operation, how many things it is for, and how dangerous it is.
    pub(super) fn title(&self) -> String {
        let what = match &self.targets[..] {
            [(target, _)] => target.name.to_string(),
            many => format!("{} targets", many.len()),
        };
        format!("{} {what} · {} · {}", self.op.title, self.op.name, self.op.tier)
    }

    /// Everything between the title and the answer.
    pub(super) fn body(&self, room: u16, ctx: &Ctx<'_>) -> Vec<Line> {
        if let Some(path) = &self.not_here {
            let mut lines = wrapped(&self.op.doc, 2, room, Role::Text);
            lines.push(Line::new());
            lines.extend(path.lines().flat_map(|text| wrapped(text, 2, room, Role::Accent)));
            return lines;
        }
        if self.closed() {
            return self.refusals(room, ctx);
        }
        let turn = |at: usize| self.ordered().then_some(at + 1);
        let targets = self.targets.iter().enumerate();
        let mut targets: Vec<Line> =
            targets.map(|(at, (target, check))| target_line(target, check.as_ref(), turn(at), ctx)).collect();
        targets.extend(self.arguments(room));
        targets.extend(self.rights(room, ctx));
        let mut parts = [self.effects(room), targets, self.evidence(room, ctx)];
        if self.targets.len() > FEW {
            parts.swap(1, 2);
        }
        let full = parts.iter().filter(|part| !part.is_empty());
        full.map(Vec::as_slice).collect::<Vec<_>>().join(&Line::new())
    }

    /// Only the reasons: there is nothing to decide.
    fn refusals(&self, room: u16, ctx: &Ctx<'_>) -> Vec<Line> {
        let mut lines = Vec::new();
        for (name, why) in &self.refusals {
            lines.push(Line::of(format!("{} is not touched:", clean(name)), Role::Error));
            lines.extend(facts(why, room, ctx));
        }
        lines
    }

    /// What will happen, in the server's own words where there are any; each sentence once.
    fn effects(&self, room: u16) -> Vec<Line> {
        let mut effects: Vec<&str> = Vec::new();
        for verdict in self.targets.iter().filter_map(|(_, check)| check.as_ref()) {
            if !verdict.effect.is_empty() && !effects.contains(&verdict.effect.as_str()) {
                effects.push(&verdict.effect);
            }
        }
        if effects.is_empty() {
            effects.push(&self.op.doc);
        }
        effects.iter().flat_map(|effect| wrapped(effect, 2, room, Role::Text)).collect()
    }

    fn arguments(&self, room: u16) -> Vec<Line> {
        let given = self.args.iter().filter(|(_, value)| !value.is_empty());
        let title = |name: &str| {
            let field = self.op.form.iter().find(|field| field.name == name);
            field.map_or_else(|| name.to_owned(), |field| field.title.to_string())
        };
        let pairs: Vec<(String, &String)> = given.map(|(name, value)| (title(name), value)).collect();
        let column = pairs.iter().map(|(title, _)| width(title)).max().unwrap_or(0).min(18);
        let column = u16::try_from(column).unwrap_or(0);
        pairs.iter().flat_map(|(title, value)| labelled(title, value, 2, column, room, Role::Text)).collect()
    }

    /// A right that the credential lacks, or that the server does not tell of.
    fn rights(&self, room: u16, ctx: &Ctx<'_>) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        for (target, _) in &self.targets {
            let key = (self.op.backend().into(), target.id.instance.clone());
            let Some(rights) = ctx.rights.get(&key) else { continue };
            if seen.contains(&&*target.id.instance) {
                continue;
            }
            seen.push(&target.id.instance);
            if let Some(right) = rights.missing.get(&*self.op.name) {
                let words = format!("the credential of {} lacks {right}", target.id.instance);
                lines.extend(wrapped(&words, 2, room, Role::Warn));
            }
        }
        lines
    }

    fn evidence(&self, room: u16, ctx: &Ctx<'_>) -> Vec<Line> {
        let mut lines = Vec::new();
        let many = self.targets.len() > 1;
        for (target, check) in &self.targets {
            let Some(verdict) = check else { continue };
            if many && !verdict.evidence.is_empty() {
                lines.push(Line::of(clean(&target.name).into_owned(), Role::Dim));
            }
            lines.extend(facts(&verdict.evidence, room, ctx));
        }
        lines
    }

    /// What can be answered now.
    pub(super) fn answer(&self, ctx: &Ctx<'_>) -> Line {
        if ctx.now < self.listens_at() {
            return Line::of("read first: no key counts for a moment", Role::Dim);
        }
        if self.waits() {
            let line = Line::of("checking with the server   ", Role::Pending);
            return self.keys(line, ctx, &[(Action::Back, "cancel")]);
        }
        let line = Line::new().at(2, "", Role::Text);
        if self.types() {
            return self.keys(line, ctx, &[(Action::Enter, "next, then send"), (Action::Back, "cancel")]);
        }
        match (&self.not_here, self.closed()) {
            (Some(_), _) => self.keys(line, ctx, &[(Action::Yes, "copy"), (Action::Back, "close")]),
            (None, true) => self.keys(line, ctx, &[(Action::Back, "close")]),
            (None, false) => self.keys(line, ctx, &[(Action::Yes, "yes"), (Action::No, "no")]),
        }
    }

    fn keys(&self, mut line: Line, ctx: &Ctx<'_>, keys: &[(Action, &'static str)]) -> Line {
        for (action, word) in keys {
            if let Some(bound) = ctx.keymap.keys_for(self.context(), action) {
                let label = crate::config::key::label(&bound, ctx.ascii);
                line = line.put(label, Role::Key).put(format!(" {word}   "), Role::Hint);
            }
        }
        line
    }
}

/// A frozen target: its turn where there is an order, the name, the id it is known by, where it lives.
fn target_line(target: &Target, check: Option<&Verdict>, turn: Option<usize>, ctx: &Ctx<'_>) -> Line {
    let tone = match check.map(|verdict| verdict.decision) {
        None => Tone::Pending,
        Some(Decision::Allow) => Tone::Ok,
        Some(Decision::Warn) => Tone::Warn,
        Some(Decision::Blind) => Tone::Unknown,
        Some(Decision::Refuse) => Tone::Error,
    };
    let place = format!("  {} {}  {}", target.id.instance, target.id.key, domain_word(target.domain));
    let turn = turn.map_or_else(String::new, |turn| format!(" {turn}."));
    Line::of(glyph(tone, ctx.ascii), tone)
        .put(turn, Role::Dim)
        .put(format!(" {}", clean(&target.name)), Role::Title)
        .put(clean(&place).into_owned(), Role::Dim)
}

fn facts(evidence: &[Evidence], room: u16, ctx: &Ctx<'_>) -> Vec<Line> {
    let widest = evidence.iter().map(|fact| width(&fact.what)).max().unwrap_or(0).min(16);
    let column = u16::try_from(widest).unwrap_or(0);
    let mut lines = Vec::new();
    for fact in evidence {
        let mut told = labelled(&fact.what, &fact.says, 4, column, room, fact.tone).into_iter();
        let sign = glyph(fact.tone, ctx.ascii);
        lines.extend(told.next().map(|first| first.before(2, sign, fact.tone)));
        lines.extend(told);
    }
    lines
}

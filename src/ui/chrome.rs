//! What stands around every pane: the header with the state of the platform, and the line of keys.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::config::key::label;
use crate::config::theme::Role;
use crate::model::action::{Action, Context};
use crate::model::row::{Domain, Tone};
use crate::model::time::seconds_between;

use super::component::Ctx;
use super::format::{Writer, glyph};
use super::summary::{Ending, Summary, Word};
use super::text::{Strip, fit, line, width};
use super::toast::Toast;

/// So many cells of a name tell in the header what ends.
const TELLS: usize = 10;

/// What the header says besides the facts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct State {
    /// The facts come from the embedded lab.
    pub demo: bool,
    /// Nothing is asked until it is resumed.
    pub paused: bool,
    /// Operations that are running.
    pub running: usize,
    /// Operations of which nobody knows what became of them.
    pub unknown: usize,
}

/// Draws the header: name, domains, alerts, mode, clock.
///
/// The clock changes with the minute only, as everything on a screen at rest.
pub fn header(buf: &mut Buffer, area: Rect, summary: &Summary, state: State, ctx: &Ctx<'_>) {
    let style = |role: Role| ctx.theme.style(role);
    let mut strip = Strip::new(buf, line(area, 0), ctx.ascii);
    let clock = ctx.now.to_zoned(ctx.zone.clone()).strftime("%H:%M").to_string();
    strip.right(&clock, style(Role::Dim)).right_gap(1);
    let (mode, role) = mode(ctx);
    strip.right(&mode, style(role)).right_gap(1);
    if state.paused {
        strip.right("paused", style(Role::Warn)).right_gap(1);
    }
    if state.unknown > 0 {
        strip.right(&format!("{} unknown", state.unknown), style(Role::Unknown)).right_gap(1);
    }
    if state.running > 0 {
        strip.right(&format!("{} running", state.running), style(Role::Pending)).right_gap(1);
    }
    if state.demo {
        strip.right("DEMO", style(Role::Accent)).right_gap(1);
    }
    // Short titles make room for what ends next: no word about a domain or the alerts may go for it.
    if let Some(end) = &summary.ends {
        let (text, role) = ending(end, ctx);
        if width(&text) + 1 + facts(summary, ctx) < usize::from(strip.left()) {
            strip.right(&text, style(role)).right_gap(1);
        }
    }
    let wide = area.width >= if summary.ends.is_some() { 100 } else { 70 };
    if area.width >= 70 {
        strip.gap(1).put("vigie", style(Role::Title)).gap(1);
    }
    for (domain, word) in &summary.domains {
        chip(&mut strip, domain_title(*domain, wide), word, ctx);
    }
    if let Some(word) = &summary.alerts {
        chip(&mut strip, if wide { "ALERTS" } else { "A" }, word, ctx);
    }
    if let Some(word) = &summary.exposure {
        chip(&mut strip, if area.width >= 100 { "EXPOSURE" } else { "EXP" }, word, ctx);
    }
}

/// What ends next: the part of its name that tells it apart, and the time that is left or over.
fn ending(end: &Ending, ctx: &Ctx<'_>) -> (String, Role) {
    let name =
        if width(&end.name) > TELLS { end.name.rsplit('-').next().unwrap_or(&end.name) } else { &*end.name };
    let name = fit(name, TELLS, ctx.ascii);
    let left = Writer::from(ctx).until(end.at);
    let more = if end.more > 0 { format!(" +{}", end.more) } else { String::new() };
    let role = if end.at <= ctx.now { Role::Warn } else { Role::Pending };
    (format!("{name} {left}{more}"), role)
}

fn domain_title(domain: Domain, wide: bool) -> &'static str {
    match (domain, wide) {
        (Domain::Home, true) => "HOME",
        (Domain::Home, false) => "H",
        (Domain::Cloud, true) => "CLOUD",
        (Domain::Cloud, false) => "C",
        (Domain::Edge, true) => "EDGE",
        (Domain::Edge, false) => "E",
        (Domain::Unknown, _) => "?",
    }
}

/// The cells that the words of the domains and of the alerts need at least.
fn facts(summary: &Summary, ctx: &Ctx<'_>) -> usize {
    let words = summary.domains.iter().map(|(_, word)| word).chain(&summary.alerts);
    let needed: usize = words.map(|word| 1 + 3 + width(&loud(word, ctx))).sum();
    needed + width(" vigie ") + 1
}

/// What a word says, with its sign where it shall be heard.
fn loud(word: &Word, ctx: &Ctx<'_>) -> String {
    match word.tone {
        Tone::Error | Tone::Warn => format!("{} {}", glyph(word.tone, ctx.ascii), word.text),
        _ => word.text.clone(),
    }
}

/// A title and its word, or nothing of it where the word would not fit: half a truth is none.
fn chip(strip: &mut Strip<'_>, title: &str, word: &Word, ctx: &Ctx<'_>) {
    let text = loud(word, ctx);
    if width(title) + width(&text) + 2 < usize::from(strip.left()) {
        strip.gap(1).put(title, ctx.theme.style(Role::Dim)).gap(1);
        strip.put(&text, ctx.theme.style(word.tone)).gap(1);
    }
}

/// Read-only, or armed with the whole minutes that are left.
fn mode(ctx: &Ctx<'_>) -> (String, Role) {
    match ctx.armed_until.map(|until| seconds_between(ctx.now, until)) {
        Some(left @ 1..) => (format!(" ARMED {}m ", (left + 59) / 60), Role::Danger),
        _ => ("ro".to_owned(), Role::Ok),
    }
}

/// Draws the line at the bottom: a message while there is one, else the keys of the focused component.
pub fn hints(
    buf: &mut Buffer,
    area: Rect,
    actions: &[Action],
    context: Context,
    toast: Option<&Toast>,
    ctx: &Ctx<'_>,
) {
    if let Some(toast) = toast.filter(|toast| toast.is_shown(ctx.now)) {
        return toast.draw(buf, area, ctx);
    }
    let mut strip = Strip::new(buf, line(area, 0), ctx.ascii);
    strip.gap(1);
    for action in actions {
        let Some(keys) = ctx.keymap.keys_for(context, action) else { continue };
        let (keys, word) = (label(&keys, ctx.ascii), word(action));
        if width(&keys) + width(&word) + 1 > usize::from(strip.left()) {
            break;
        }
        strip.put(&keys, ctx.theme.style(Role::Key)).gap(1);
        strip.put(&word, ctx.theme.style(Role::Hint)).gap(2);
    }
}

/// An action in a word or two.
pub fn word(action: &Action) -> String {
    let short = match action {
        Action::Enter => "open",
        Action::Back => "back",
        Action::Palette => "command",
        Action::CopyCell => "copy",
        Action::CopyRow => "copy text",
        Action::NextField => "next",
        Action::PreviousField => "previous",
        Action::Operations => "actions",
        Action::HomeState => "home",
        Action::Pane(_) => "pane",
        _ => return action.name().replace(['-', ':'], " "),
    };
    short.to_owned()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use jiff::SignedDuration;
    use proptest::prelude::proptest;

    use super::*;
    use crate::ui::testing::{Screen, World};

    fn head(world: &World, width: u16, state: State) -> Screen {
        let mut summary = Summary::default();
        summary.refresh(&world.ctx());
        Screen::draw(width, 1, |buf, area| {
            header(buf, area, &summary, state, &world.ctx());
            None
        })
    }

    fn foot(world: &World, actions: &[Action]) -> String {
        Screen::draw(60, 1, |buf, area| {
            hints(buf, area, actions, Context::Table, None, &world.ctx());
            None
        })
        .text()
    }

    #[test]
    fn the_header_says_how_each_domain_is() {
        let world = World::lab();
        assert_snapshot!(head(&world, 80, State::default()).text());
        assert_snapshot!(head(&world, 40, State::default()).text());
    }

    #[test]
    fn armed_writes_and_the_demo_are_always_said() {
        let mut world = World::lab();
        world.armed_until = Some(world.now + SignedDuration::from_secs(9 * 60 - 1));
        let state = State { demo: true, paused: true, running: 1, unknown: 2 };
        let screen = head(&world, 120, state);
        assert_snapshot!(screen.text());
        assert_eq!(screen.style_of("ARMED").bg, world.theme.style(Role::Danger).bg);
        for width in [40, 60, 80] {
            let text = head(&world, width, State { demo: true, ..State::default() }).text();
            assert!(text.contains("ARMED 9m") && text.contains("DEMO"), "{text}");
        }
    }

    #[test]
    fn what_ends_next_is_counted_down_in_every_header() {
        let world = World::lab();
        let end = |minutes: i64, more| Ending {
            id: crate::model::id::EntityId::new("a.b", "main", "x"),
            name: "dev-ephemeral-8841".into(),
            at: world.ago(-minutes),
            more,
        };
        for (minutes, more, text, role) in [
            (119, 0, " 8841 119m ", Role::Pending),
            (12, 1, " 8841 12m +1 ", Role::Pending),
            (-7 * 60, 0, " 8841 -7h ", Role::Warn),
        ] {
            for width in [60, 80] {
                let mut summary = Summary::default();
                summary.ends = Some(end(minutes, more));
                let screen = Screen::draw(width, 1, |buf, area| {
                    header(buf, area, &summary, State::default(), &world.ctx());
                    None
                });
                assert!(screen.text().contains(text), "{}", screen.text());
                assert_eq!(screen.style_of("8841").fg, world.theme.style(role).fg);
            }
        }
    }

    #[test]
    fn armed_writes_that_ran_out_are_read_only() {
        let mut world = World::lab();
        world.armed_until = Some(world.now);
        assert!(head(&world, 80, State::default()).text().contains(" ro "));
    }

    #[test]
    fn hints_are_printed_from_the_keymap() {
        let world = World::lab();
        let actions = [Action::Enter, Action::Describe, Action::Complete, Action::Filter, Action::Top];
        assert_eq!(foot(&world, &actions), " ↵ open  d describe  / filter  home top");
    }

    proptest! {
        #[test]
        fn any_size_can_be_drawn(width in 1_u16..130) {
            let world = World::lab();
            head(&world, width, State { demo: true, paused: true, running: 3, unknown: 1 });
        }
    }
}

//! Boards: lanes of cards, such as sync waves or onboarding.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::config::theme::Role;
use crate::model::action::{Action, Context};
use crate::model::id::EntityId;
use crate::model::view::{Board, Card};

use super::component::{Component, Ctx, Outcome, Request};
use super::format::glyph;
use super::text::{Strip, clean, line};

/// The narrowest lane.
const NARROWEST: u16 = 22;
/// Lines of a card: title, note, blank.
const CARD: u16 = 3;

/// Lanes with a cursor over their cards.
#[derive(Debug, Clone, Default)]
pub struct BoardPane {
    board: Board,
    lane: usize,
    card: usize,
    first: usize,
}

impl BoardPane {
    /// A pane of one.
    pub fn new(board: Board) -> Self {
        let mut pane = Self::default();
        pane.set(board);
        pane
    }

    /// Replaces the board; the cursor stays on its card where that has an id.
    pub fn set(&mut self, board: Board) {
        let here = self.selected();
        if self.board.lanes.is_empty() {
            self.lane = board.start;
        }
        self.board = board;
        let lanes = self.board.lanes.iter().enumerate();
        let mut places = lanes.flat_map(|(lane, l)| (0..l.cards.len()).map(move |card| (lane, card)));
        let same = |(lane, card): &(usize, usize)| self.board.lanes[*lane].cards[*card].id == here;
        if let Some(place) = here.as_ref().and_then(|_| places.find(same)) {
            (self.lane, self.card) = place;
        }
        self.keep();
    }

    fn keep(&mut self) {
        self.lane = self.lane.min(self.board.lanes.len().saturating_sub(1));
        let cards = self.board.lanes.get(self.lane).map_or(0, |lane| lane.cards.len());
        self.card = self.card.min(cards.saturating_sub(1));
    }

    fn current(&self) -> Option<&Card> {
        self.board.lanes.get(self.lane)?.cards.get(self.card)
    }

    fn moved(&mut self, action: &Action) -> bool {
        match action {
            Action::Left => self.lane = self.lane.saturating_sub(1),
            Action::Right => self.lane += 1,
            Action::Down => self.card += 1,
            Action::Up => self.card = self.card.saturating_sub(1),
            Action::Top => self.card = 0,
            Action::Bottom => self.card = usize::MAX,
            Action::PageDown | Action::HalfPageDown => self.card = self.card.saturating_add(5),
            Action::PageUp | Action::HalfPageUp => self.card = self.card.saturating_sub(5),
            _ => return false,
        }
        self.keep();
        true
    }

    fn draw_lane(&self, buf: &mut Buffer, area: Rect, index: usize, ctx: &Ctx<'_>) -> Option<Position> {
        let lane = &self.board.lanes[index];
        let style = |role: Role| ctx.theme.style(role);
        let mut head = Strip::new(buf, line(area, 0), ctx.ascii);
        head.right(&lane.count, style(Role::Dim));
        head.gap(2).put(&lane.title, ctx.theme.style(lane.tone));
        let fits = usize::from((area.height.saturating_sub(1)) / CARD).max(1);
        let focused = index == self.lane;
        let top = if focused { (self.card + 1).saturating_sub(fits) } else { 0 };
        let mut cursor = None;
        for (at, card) in lane.cards.iter().enumerate().skip(top).take(fits) {
            let y = 1 + u16::try_from(at - top).unwrap_or(u16::MAX).saturating_mul(CARD);
            let here = focused && at == self.card;
            let role = if here { Role::Selection } else { Role::Text };
            let gutter = if !here {
                " "
            } else if ctx.ascii {
                ">"
            } else {
                "▌"
            };
            Strip::new(buf, line(area, y), ctx.ascii)
                .put(gutter, style(Role::Selection))
                .gap(1)
                .put(glyph(card.tone, ctx.ascii), ctx.theme.style(card.tone))
                .gap(1)
                .put(&card.title, style(role));
            Strip::new(buf, line(area, y + 1), ctx.ascii).gap(4).put(&card.note, style(Role::Dim));
            if here && y < area.height {
                cursor = Some(line(area, y).as_position());
            }
        }
        cursor
    }
}

impl BoardPane {
    /// The card under the cursor in full, as a lane may be too narrow for it, and the lanes beside those that fit.
    fn draw_foot(&self, buf: &mut Buffer, area: Rect, fits: usize, ctx: &Ctx<'_>) {
        let all = self.board.lanes.len();
        let mut strip = Strip::new(buf, area, ctx.ascii);
        if fits < all {
            let shown = format!("lanes {} to {} of {all}", self.first + 1, all.min(self.first + fits));
            strip.right(&shown, ctx.theme.style(Role::Dim)).right_gap(2);
        }
        if let Some(card) = self.current() {
            strip.gap(2).put(&card.title, ctx.theme.style(Role::Text));
            strip.gap(2).put(&card.note, ctx.theme.style(card.tone));
        }
    }
}

impl Component for BoardPane {
    fn context(&self) -> Context {
        Context::Table
    }

    fn on(&mut self, action: &Action, _ctx: &Ctx<'_>) -> Outcome {
        match action {
            Action::Enter => match self.selected() {
                Some(id) => Outcome::emit(Request::Enter(id)),
                None => Outcome::Consumed,
            },
            Action::CopyCell => match self.current() {
                Some(card) => {
                    let text = clean(&card.title).into_owned();
                    Outcome::emit(Request::Copy { text, what: "name".to_owned() })
                }
                None => Outcome::Ignored,
            },
            action if self.moved(action) => Outcome::Consumed,
            _ => Outcome::Ignored,
        }
    }

    fn draw(&mut self, buf: &mut Buffer, area: Rect, ctx: &Ctx<'_>) -> Option<Position> {
        let foot = u16::from(area.height > 2 * CARD);
        let last = line(area, area.height.saturating_sub(1));
        let area = Rect { height: area.height - foot, ..area };
        let lanes = self.board.lanes.len();
        let fits = usize::from(area.width / NARROWEST).clamp(1, lanes.max(1));
        self.first = self.first.clamp((self.lane + 1).saturating_sub(fits), self.lane);
        let width = area.width / u16::try_from(fits).unwrap_or(1);
        let mut cursor = None;
        for (place, index) in (self.first..lanes.min(self.first + fits)).enumerate() {
            let x = area.x + u16::try_from(place).unwrap_or(0) * width;
            let gap = u16::from(width > 4);
            let at = Rect { x, width: width - gap, ..area };
            cursor = self.draw_lane(buf, at, index, ctx).or(cursor);
        }
        if foot > 0 {
            self.draw_foot(buf, last, fits, ctx);
        }
        cursor
    }

    fn hints(&self, _ctx: &Ctx<'_>) -> Vec<Action> {
        vec![Action::Enter, Action::Left, Action::Right, Action::Operations, Action::Back]
    }

    fn selected(&self) -> Option<EntityId> {
        self.current().and_then(|card| card.id.clone())
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::proptest;

    use super::*;
    use crate::model::row::Tone;
    use crate::model::view::Lane;
    use crate::ui::testing::{Screen, World, act};

    fn card(title: &str, note: &str, tone: Tone) -> Card {
        let id = Some(EntityId::new("argocd.applications", "cloud", title));
        Card { title: title.into(), note: note.into(), tone, id }
    }

    fn board() -> Board {
        let lane = |title: &str, tone, cards: Vec<Card>| Lane {
            title: title.into(),
            count: cards.len().to_string(),
            tone,
            cards,
        };
        let third =
            vec![card("prometheus", "Synced", Tone::Ok), card("loki", "Progressing 17m", Tone::Pending)];
        Board {
            lanes: vec![
                lane("wave 0", Tone::Ok, vec![card("cilium", "Synced", Tone::Ok)]),
                lane("wave 3", Tone::Pending, third),
                lane("wave 4", Tone::Warn, vec![card("nextcloud", "OutOfSync 41m", Tone::Warn)]),
            ],
            start: 0,
        }
    }

    fn pane() -> BoardPane {
        BoardPane::new(board())
    }

    #[test]
    fn lanes_stand_side_by_side() {
        let world = World::lab();
        let mut pane = pane();
        act(&mut pane, &world, &[Action::Right, Action::Down]);
        assert_snapshot!(Screen::of(&mut pane, 80, 8, &world).text());
        assert_eq!(pane.selected().map(|id| id.key.to_string()).as_deref(), Some("loki"));
    }

    #[test]
    fn a_narrow_screen_shows_the_lanes_around_the_cursor() {
        let world = World::lab();
        let mut pane = pane();
        act(&mut pane, &world, &[Action::Right, Action::Right]);
        assert_snapshot!(Screen::of(&mut pane, 46, 8, &world).text());
    }

    #[test]
    fn it_begins_where_it_was_opened_and_says_what_is_beside() {
        let world = World::lab();
        let mut pane = BoardPane::new(Board { start: 2, ..board() });
        let text = Screen::of(&mut pane, 46, 8, &world).text();
        assert!(text.contains("wave 4") && text.contains("lanes 2 to 3 of 3"), "{text}");
        act(&mut pane, &world, &[Action::Left]);
        pane.set(Board { start: 2, ..board() });
        assert_eq!(pane.lane, 1);
    }

    #[test]
    fn the_cursor_stays_on_its_card() {
        let world = World::lab();
        let mut pane = pane();
        act(&mut pane, &world, &[Action::Right, Action::Down]);
        let mut changed = board();
        let moved = changed.lanes[1].cards.remove(1);
        changed.lanes[0].cards.insert(0, moved);
        pane.set(changed);
        assert_eq!((pane.lane, pane.card), (0, 0));
    }

    proptest! {
        #[test]
        fn any_size_can_be_drawn(
            width in 1_u16..100, height in 1_u16..10, picks in proptest::collection::vec(0_usize..14, 0..12),
        ) {
            let world = World::lab();
            let mut pane = pane();
            for pick in picks {
                act(&mut pane, &world, &[Action::SIMPLE[pick].clone()]);
                Screen::of(&mut pane, width, height, &world);
            }
        }
    }
}

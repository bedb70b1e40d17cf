//! Where the operator is and has been: a stack of places with a way back and forth.

use crate::model::id::{EntityId, KindId};
use crate::ui::table::Scope;

/// What a place shows; two visits with the same key are the same place.
#[derive(Debug, Clone, PartialEq)]
pub enum PlaceKey {
    /// The overview, pane `0`.
    Overview,
    /// The rows of a kind, perhaps only those under another row.
    Kind {
        /// The kind.
        kind: KindId,
        /// Only rows under this one.
        scope: Option<Scope>,
    },
    /// A view of one row.
    View {
        /// The row.
        id: EntityId,
        /// Which of its views.
        name: String,
    },
    /// Everything that was told.
    Messages,
    /// Every run.
    Jobs,
    /// The house.
    Home,
    /// No configuration yet.
    Welcome,
}

/// A history of places, with what each holds.
#[derive(Debug)]
pub struct Places<T> {
    visited: Vec<(PlaceKey, T)>,
    at: usize,
}

/// So many places are remembered.
const REMEMBERED: usize = 32;

impl<T> Places<T> {
    /// A history that begins somewhere.
    pub fn new(key: PlaceKey, pane: T) -> Self {
        Self { visited: vec![(key, pane)], at: 0 }
    }

    /// The present place.
    pub fn key(&self) -> &PlaceKey {
        &self.visited[self.at].0
    }

    /// What the present place holds.
    pub fn pane(&self) -> &T {
        &self.visited[self.at].1
    }

    /// What the present place holds, to be changed.
    pub fn pane_mut(&mut self) -> &mut T {
        &mut self.visited[self.at].1
    }

    /// Every remembered pane.
    pub fn all_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.visited.iter_mut().map(|(_, pane)| pane)
    }

    /// Goes to a place that was visited before, keeping its state; false where it was not.
    pub fn revisit(&mut self, key: &PlaceKey) -> bool {
        let Some(found) = self.visited.iter().position(|(known, _)| known == key) else { return false };
        let place = self.visited.remove(found);
        if found <= self.at && self.at > 0 {
            self.at -= 1;
        }
        self.insert(place);
        true
    }

    /// Goes to a new place; what lay ahead is forgotten, and so is the oldest of too many.
    pub fn visit(&mut self, key: PlaceKey, pane: T) {
        self.insert((key, pane));
        if self.visited.len() > REMEMBERED {
            self.visited.remove(0);
            self.at -= 1;
        }
    }

    fn insert(&mut self, place: (PlaceKey, T)) {
        let next = (self.at + 1).min(self.visited.len());
        self.visited.insert(next, place);
        self.at = next;
    }

    /// Goes back; false at the beginning.
    pub fn back(&mut self) -> bool {
        let can = self.at > 0;
        self.at -= usize::from(can);
        can
    }

    /// Goes forward; false at the end.
    pub fn forward(&mut self) -> bool {
        let can = self.at + 1 < self.visited.len();
        self.at += usize::from(can);
        can
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(name: &str) -> PlaceKey {
        PlaceKey::Kind { kind: name.into(), scope: None }
    }

    #[test]
    fn the_way_back_leads_through_what_was_seen() {
        let mut places = Places::new(PlaceKey::Overview, 0);
        places.visit(kind("a.b"), 1);
        places.visit(kind("c.d"), 2);
        assert!(places.back() && *places.pane() == 1);
        assert!(places.back() && !places.back());
        assert!(places.forward() && *places.pane() == 1);
    }

    #[test]
    fn a_place_keeps_its_state_when_it_is_visited_again() {
        let mut places = Places::new(PlaceKey::Overview, 0);
        places.visit(kind("a.b"), 1);
        *places.pane_mut() = 7;
        assert!(places.revisit(&PlaceKey::Overview));
        assert!(places.revisit(&kind("a.b")));
        assert_eq!(*places.pane(), 7);
        assert!(places.back());
        assert_eq!(places.key(), &PlaceKey::Overview);
        assert!(!places.revisit(&kind("x.y")));
    }

    #[test]
    fn only_so_many_places_are_remembered() {
        let mut places = Places::new(PlaceKey::Overview, 0);
        for n in 1..100 {
            places.visit(kind(&format!("a.{n}")), n);
        }
        assert_eq!(*places.pane(), 99);
        assert_eq!(places.all_mut().count(), REMEMBERED);
    }
}

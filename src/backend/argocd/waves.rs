//! Waves side by side: what each one's own state is, and whether later ones went on without it.
//!
//! Argo CD gates waves only at the parent's own sync, and not reliably: so nothing here says that a wave waited. It says
//! which wave is not good, what blocks it, and whether a later one has passed it over.

use std::collections::BTreeMap;

use crate::backend::kubernetes::rows::{Maker, State};
use crate::model::id::{EntityId, Identity, KindId};
use crate::model::kind::Text;
use crate::model::row::{Cell, Health, Row, Tone, Value};
use crate::model::view::{Board, Card, Doc, DocLine, Fact, Lane};

/// The applications of one wave of one cluster.
struct Wave<'a> {
    cluster: &'a str,
    number: i64,
    members: Vec<&'a Row>,
}

impl Wave<'_> {
    fn good(&self) -> usize {
        self.members.iter().filter(|row| row.health == Health::Ok).count()
    }

    fn is_good(&self) -> bool {
        self.good() == self.members.len()
    }

    /// The member that is worst, first by name.
    fn blocking(&self) -> Option<&Row> {
        let bad = self.members.iter().filter(|row| !matches!(row.health, Health::Ok | Health::Off));
        bad.min_by(|a, b| a.health.cmp(&b.health).then_with(|| a.name.cmp(&b.name))).copied()
    }

    /// Its own state; `passed` says that a later wave is good or under way already.
    fn state(&self, passed: bool) -> State {
        let Some(blocking) = self.blocking() else { return State::new("Open", Health::Ok) };
        let note = blocking.note.as_deref().unwrap_or_default();
        let word = blocking.cell(0).value.as_text().unwrap_or_default();
        let why = format!("{}: {word} {note}", blocking.name);
        State::new(if passed { "Passed over" } else { "Holding" }, blocking.health).why(why.trim_end())
    }
}

/// The cluster and the wave of an application's row.
pub fn place(row: &Row) -> (&str, i64) {
    let destination = row.cell(9).value.as_text().unwrap_or_default();
    let cluster = destination.rsplit_once('/').map_or(destination, |(cluster, _)| cluster);
    let number = if let Value::Int(number) = row.cell(4).value { number } else { 0 };
    (cluster, number)
}

/// Groups rows of applications by cluster and wave.
fn waves(rows: &[Row]) -> Vec<Wave<'_>> {
    let mut grouped: BTreeMap<(&str, i64), Vec<&Row>> = BTreeMap::new();
    for row in rows {
        grouped.entry(place(row)).or_default().push(row);
    }
    grouped.into_iter().map(|((cluster, number), members)| Wave { cluster, number, members }).collect()
}

/// Each wave with its state.
fn judged<'a>(waves: &'a [Wave<'a>]) -> impl Iterator<Item = (&'a Wave<'a>, State)> {
    waves.iter().map(|wave| {
        let later = waves.iter().filter(|other| other.cluster == wave.cluster && other.number > wave.number);
        let goes_on = |other: &Wave<'_>| {
            other.is_good()
                || other.members.iter().any(|row| row.cell(0).value.as_text() == Some("Progressing"))
        };
        let passed = later.into_iter().any(goes_on);
        (wave, wave.state(passed))
    })
}

/// One row for each wave of each cluster.
pub fn rows(maker: &Maker, kind: &KindId, applications: &[Row]) -> Vec<Row> {
    let waves = waves(applications);
    judged(&waves).map(|(wave, state)| row(maker, kind, wave, &state)).collect()
}

fn row(maker: &Maker, kind: &KindId, wave: &Wave<'_>, state: &State) -> Row {
    let name = format!("{} wave {}", wave.cluster, wave.number);
    let cells = vec![
        state.cell(),
        Cell::new(name.as_str()),
        Cell::new(wave.cluster),
        Cell::new(wave.number),
        Cell::toned(
            format!("{}/{}", wave.good(), wave.members.len()).as_str(),
            if wave.is_good() { Tone::Ok } else { Tone::Warn },
        ),
        Cell::new(state.why.as_str()),
    ];
    let key = format!("{}/{}", wave.cluster, wave.number);
    let id = EntityId { kind: kind.clone(), instance: maker.instance.clone(), key: key.as_str().into() };
    let mut row = Row::new(id, name, cells);
    row.health = state.health;
    row.note = (!state.why.is_empty()).then(|| state.why.as_str().into());
    row.domain = wave.members.first().map_or(maker.domain, |member| member.domain);
    row.identity = Identity::new().with("wave", key);
    row
}

/// The waves of a cluster as lanes, their applications as cards, the worst on top; `key` is the wave to begin with.
pub fn board(applications: &[Row], key: &str) -> Board {
    let (cluster, number) = key.rsplit_once('/').unwrap_or((key, ""));
    let waves = waves(applications);
    let ours = || judged(&waves).filter(|(wave, _)| wave.cluster == cluster);
    let start = ours().position(|(wave, _)| wave.number.to_string() == number).unwrap_or_default();
    let lanes = ours().map(|(wave, state)| {
        let mut members = wave.members.clone();
        members.sort_by(|a, b| a.health.cmp(&b.health).then_with(|| a.name.cmp(&b.name)));
        let title = format!("{} {}", wave.number, state.word);
        let count = format!("{}/{}", wave.good(), wave.members.len());
        Lane { title, count, tone: state.health.into(), cards: members.into_iter().map(card).collect() }
    });
    Board { lanes: lanes.collect(), start }
}

/// One wave in full: its own state, then its applications, the worst on top.
pub fn doc(applications: &[Row], key: &str) -> Doc {
    let waves = waves(applications);
    let found = judged(&waves).find(|(wave, _)| format!("{}/{}", wave.cluster, wave.number) == key);
    let Some((wave, state)) = found else {
        return Doc::default()
            .lines("", vec![DocLine::toned("no application is in this wave any more", Tone::Unknown)]);
    };
    let mut facts = vec![
        Fact::new("gate", state.word.as_str()).tone(state.health.into()),
        Fact::new("good", format!("{} of {}", wave.good(), wave.members.len()).as_str()),
    ];
    if !state.why.is_empty() {
        facts.push(Fact::new("blocked by", state.why.as_str()));
    }
    let mut members = wave.members.clone();
    members.sort_by(|a, b| a.health.cmp(&b.health).then_with(|| a.name.cmp(&b.name)));
    let row = |row: &&Row| {
        let card = card(row);
        vec![Cell::new(card.title.as_str()), Cell::toned(card.note.as_str(), card.tone)]
    };
    let note = "Argo CD waits between waves only while the parent syncs, and not reliably: each wave's own state counts.";
    Doc::default()
        .facts("", facts)
        .table(
            "applications",
            ["name", "state"].map(Text::Borrowed).to_vec(),
            members.iter().map(row).collect(),
        )
        .lines("", vec![DocLine::toned(note, Tone::Dim)])
}

fn card(row: &Row) -> Card {
    let word = row.cell(0).value.as_text().unwrap_or_default();
    let note = row.note.as_deref().map_or_else(|| word.to_owned(), |note| format!("{word}: {note}"));
    Card { title: row.name.to_string(), note, tone: row.health.into(), id: Some(row.id.clone()) }
}

#[cfg(test)]
mod tests {
    use crate::model::row::Domain;

    use super::*;

    fn app(name: &str, wave: i64, health: Health) -> Row {
        let mut cells = vec![Cell::empty(); 10];
        cells[0] = Cell::new(if health == Health::Ok { "Healthy" } else { "Progressing" });
        cells[4] = Cell::new(wave);
        cells[9] = Cell::new("prod/media");
        let mut row = Row::new(EntityId::new("argocd.applications", "argo", name), name, cells);
        row.health = health;
        row
    }

    fn words(applications: &[Row]) -> Vec<String> {
        let maker = Maker::new("argo".into(), Domain::Home);
        let rows = rows(&maker, &"argocd.waves".into(), applications);
        rows.iter()
            .map(|row| {
                format!("{} {}", row.cell(3).value.as_number().unwrap(), row.cell(0).value.as_text().unwrap())
            })
            .collect()
    }

    #[test]
    fn a_wave_that_later_ones_did_not_wait_for_is_passed_over_and_not_holding() {
        let loki = app("loki", 3, Health::Warning);
        let cases = [
            (vec![app("cilium", 0, Health::Ok), app("longhorn", 1, Health::Ok)], vec!["0 Open", "1 Open"]),
            (
                vec![app("cilium", 0, Health::Ok), app("loki", 3, Health::Warning)],
                vec!["0 Open", "3 Holding"],
            ),
            (vec![loki.clone(), app("romm", 4, Health::Ok)], vec!["3 Passed over", "4 Open"]),
            (vec![loki, app("romm", 4, Health::Pending)], vec!["3 Passed over", "4 Holding"]),
        ];
        for (applications, expected) in cases {
            assert_eq!(words(&applications), expected);
        }
    }

    #[test]
    fn the_board_shows_the_worst_card_first() {
        let members = [app("b", 2, Health::Ok), app("a", 3, Health::Ok), app("loki", 3, Health::Warning)];
        let board = board(&members, "prod/3");
        let lane = &board.lanes[board.start];
        assert_eq!((lane.title.as_str(), lane.count.as_str()), ("3 Holding", "1/2"));
        assert_eq!(lane.cards[0].title, "loki");
    }
}

//! The columns: what may become of one operation, and what must be true then.

use serde::Deserialize;
use tokio::runtime::Runtime;

use super::stage::{Said, Stage, until};
use super::table::Row;

/// One way that an operation can go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Column {
    /// It is done and read back.
    Done,
    /// Its server says no.
    Refused,
    /// It never arrives, and no answer comes.
    Silent,
    /// It is carried out, and no answer comes.
    Swallowed,
    /// It is carried out, and a gateway answers 504.
    Lost,
    /// Somebody else is faster by a moment.
    Overtaken,
    /// Its target has a twin.
    Twin,
}

/// All of them, in the order in which they are played: those that wait longest first.
pub const ALL: [Column; 7] = [
    Column::Silent,
    Column::Swallowed,
    Column::Overtaken,
    Column::Done,
    Column::Lost,
    Column::Refused,
    Column::Twin,
];

type Played = Result<(), String>;

impl Column {
    /// Its name in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Silent => "silent",
            Self::Swallowed => "swallowed",
            Self::Lost => "lost",
            Self::Overtaken => "overtaken",
            Self::Twin => "twin",
        }
    }

    /// Plays a row on a lab of its own.
    pub fn play(self, row: &Row, runtime: &Runtime) -> Played {
        let stage = Stage::set(row, runtime, matches!(self, Self::Silent | Self::Swallowed))?;
        match self {
            Self::Done => done(row, &stage),
            Self::Refused => refused(row, &stage),
            Self::Silent => silent(row, &stage),
            Self::Swallowed => answerless(row, &stage, "swallowed"),
            Self::Lost => answerless(row, &stage, "lost-answer"),
            Self::Overtaken => overtaken(row, &stage),
            Self::Twin => twin(row, &stage),
        }
    }
}

/// A fact that must be so, or else what was said instead.
fn must(holds: bool, what: &str, said: &impl std::fmt::Debug) -> Played {
    if holds { Ok(()) } else { Err(format!("{what}\n{said:#?}")) }
}

fn says(said: &Said, words: &str) -> Played {
    must(said.text.contains(words), &format!("it does not say `{words}`"), said)
}

/// Exactly so often, whatever was asked since.
fn sent(row: &Row, stage: &Stage<'_>, times: usize) -> Played {
    let sent = stage.sent();
    let right = row.played.sends.is_empty() || sent == times;
    must(right, &format!("`{}` went out {sent} times", row.played.sends), &stage.writes())
}

fn done(row: &Row, stage: &Stage<'_>) -> Played {
    let played = &row.played;
    stage.shows(&played.was)?;
    let said = stage.act("ada", &played.call);
    must(said.code == 0, "it is not done", &said)?;
    says(&said, &played.proof)?;
    match &played.line {
        Some(line) => must(stage.journal().contains(line), "the journal does not hold it", &stage.journal())?,
        None => must(stage.course() == "sending done", "the journal says", &stage.course())?,
    }
    stage.shows(&played.is)?;
    sent(row, stage, played.times)
}

fn refused(row: &Row, stage: &Stage<'_>) -> Played {
    let played = &row.played;
    stage.fault(&format!("answer={}", played.refusal))?;
    let said = stage.act("ada", &played.call);
    must(said.code == 1, "it is no failure", &said)?;
    says(&said, if played.stands.is_some() { "" } else { "refused by the server" })?;
    says(&said, &played.refused)?;
    let course = stage.course();
    must(course == "sending failed", "the journal says", &course)?;
    undone(row, stage)
}

/// Nothing was done: what the world shows, and how often it was asked for.
fn undone(row: &Row, stage: &Stage<'_>) -> Played {
    stage.shows(row.played.stands.as_ref().unwrap_or(&row.played.was))?;
    sent(row, stage, 1)
}

fn silent(row: &Row, stage: &Stage<'_>) -> Played {
    let played = &row.played;
    stage.fault("timeout")?;
    let said = stage.act("ada", &played.call);
    must(matches!(said.code, 1 | 5), "it neither failed nor is unknown", &said)?;
    doubted(stage)?;
    settle(row, stage, false)?;
    undone(row, stage)
}

fn answerless(row: &Row, stage: &Stage<'_>, fault: &str) -> Played {
    let played = &row.played;
    stage.fault(fault)?;
    let said = stage.act("ada", &played.call);
    // Of several requests only the first one went out.
    let (code, done, shows, times) = match &played.half {
        Some(half) => (1, false, half, 1),
        None => (0, true, &played.is, played.times),
    };
    must(said.code == code || said.code == 5, "it is neither read back nor unknown", &said)?;
    doubted(stage)?;
    settle(row, stage, done)?;
    stage.shows(shows)?;
    sent(row, stage, times)
}

/// Without an answer nothing is known at first, and the journal says so before anybody looks.
fn doubted(stage: &Stage<'_>) -> Played {
    let course = stage.course();
    must(course.starts_with("sending unknown"), "the journal does not call it unknown first", &course)
}

/// Whoever comes next reads it back and sends nothing, until it is known what became of it.
fn settle(row: &Row, stage: &Stage<'_>, done: bool) -> Played {
    if stage.open().is_some() {
        stage.wait();
    }
    let mut last = None;
    let closed = until(|| {
        let known = stage.open().is_none();
        if !known {
            last = Some(stage.act("ada", &row.played.call));
        }
        known
    });
    let held = last.as_ref().is_none_or(|said| said.code == 4);
    must(held, "a run of unknown outcome does not hold its target", &last)?;
    must(closed, "its outcome stays unknown", &(stage.course(), last))?;
    let (course, outcome) = (stage.course(), if done { "done" } else { "failed" });
    must(course.ends_with(outcome), &format!("it is not closed as {outcome}"), &course)
}

/// Two operators at once: the second is done while the first one's request is under way.
fn overtaken(row: &Row, stage: &Stage<'_>) -> Played {
    let played = &row.played;
    stage.fault("held")?;
    let said = std::thread::scope(|scope| {
        let first = scope.spawn(|| stage.act("ada", &played.call));
        let sent = until(|| stage.sent() > 0 || first.is_finished());
        let rival = match &played.rival {
            Some(line) => stage.vigie("rival", line),
            None => stage.act("rival", &played.call),
        };
        stage.lab.world.release();
        let said = first.join().map_err(|_| "panicked".to_owned())?;
        must(sent, "it was never sent", &said)?;
        must(rival.code == 0, "the rival is not served", &rival)?;
        Ok::<_, String>(said)
    })?;
    must(said.code == 1, "it is not refused", &said)?;
    says(&said, &played.overtaken)?;
    let course = stage.course();
    must(course == "sending failed", "the journal says", &course)?;
    stage.shows(&played.then)
}

/// Nobody is touched in the place of somebody with a like name.
fn twin(row: &Row, stage: &Stage<'_>) -> Played {
    let played = &row.played;
    let call = played.twin.as_ref().ok_or("the row has no `twin`")?;
    played.twins.iter().try_for_each(|line| stage.give(line))?;
    let said = stage.act("ada", call);
    must(matches!(said.code, 0 | 4), "it is neither refused nor done", &said)?;
    says(&said, &played.shows)?;
    if said.code == 4 { must(stage.sent() == 0, "something was sent", &stage.writes()) } else { Ok(()) }
}

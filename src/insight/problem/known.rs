//! What is known and not told again: suppressed by the operator, or part of a house that was declared off.

use crate::model::journal::Declaration;

use super::{Known, Problem, Sight};

/// The key of the house as a whole, and the topic under which it is declared off.
pub const HOME: &str = crate::insight::home::TOPIC;
/// The topic under which a problem is declared known.
pub const SUPPRESS: &str = "suppress";

/// Says why a problem is not told, where there is a reason that still holds.
pub(super) fn mark(problem: Problem, sight: &Sight<'_>) -> Problem {
    let id = problem.id();
    let suppressed = sight.declared.iter().find(|d| &*d.topic == SUPPRESS && d.about.as_ref() == Some(&id));
    let house = (&*problem.key == HOME).then(|| sight.declared.iter().find(|d| &*d.topic == HOME)).flatten();
    let known = suppressed.or(house).map(of);
    Problem { known, ..problem }
}

fn of(declaration: &Declaration) -> Known {
    Known { until: declaration.until, reason: declaration.text.clone(), by: declaration.by.clone() }
}

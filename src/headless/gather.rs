//! Everything asked once, and what insight makes of it: problems, time line and hand-over for the command line.

use jiff::Timestamp;

use crate::exec::call::blocking;
use crate::insight::home;
use crate::insight::lookout::{Facts, Lookout, Settings};
use crate::model::journal::standing;
use crate::model::kind::Kinds;
use crate::model::ledger::Ledger;
use crate::model::row::Domain;
use crate::model::store::Store;

use super::ask::ask;
use super::io::Failure;
use super::session::Session;

/// The whole platform as it was seen in one look.
pub struct Gathered {
    /// The facts, with insight's own rows among them.
    pub store: Store,
    /// The look-out.
    pub lookout: Lookout,
    runs: Ledger,
    now: Timestamp,
}

impl Gathered {
    /// What the look-out works with.
    pub fn facts<'a>(&'a self, kinds: &'a Kinds) -> Facts<'a> {
        Facts { store: &self.store, kinds, runs: &self.runs, now: self.now }
    }
}

/// Asks every source of every configured system once, and looks at the answers together.
pub async fn gather(session: &Session) -> Result<Gathered, Failure> {
    let backends = session.connect(None).await?;
    let every = backends.iter().flat_map(|backend| {
        let backend = backend.clone();
        backend.sources().into_iter().map(move |source| (backend.clone(), source))
    });
    let sources: Vec<_> = every.filter(|(_, source)| !source.is_on_demand()).collect();
    let mut store = Store::new(sources.iter().map(|(_, source)| source.clone()).chain(Lookout::sources()));
    let now = session.clock.now();
    let mut lookout = Lookout::new(Settings::from(&*session.config), now);
    let journal = session.door.journal().clone();
    if let Ok(reading) = blocking(move || journal.read()).await {
        lookout.journal(reading.lines);
    }
    let runs = Ledger::default();
    ask(sources, |update| {
        let source = update.source.clone();
        let changes = store.apply(update);
        let now = session.clock.now();
        lookout.take(&source, &changes, Facts { store: &store, kinds: &session.kinds, runs: &runs, now });
        Ok(())
    })
    .await?;
    let declared = standing(lookout.lines(), now);
    let absence = home::absence(&store, &declared, now, session.clock.now());
    store.set_absence(Domain::Home, absence);
    let facts = Facts { store: &store, kinds: &session.kinds, runs: &runs, now: session.clock.now() };
    let mut updates = Vec::new();
    updates.extend(lookout.evaluate(facts));
    updates.push(lookout.timeline(facts));
    updates.push(lookout.journal_rows(facts));
    for update in updates {
        store.apply(update);
    }
    Ok(Gathered { store, lookout, runs, now: session.clock.now() })
}

//! `vigie audit`: who can open what, as a report with a date and an exit code that a pipeline can act on.

use serde::Serialize;
use tokio::sync::mpsc;

use crate::app::words::clean;
use crate::backend::Backend;
use crate::cli::{Audit, AuditReport};
use crate::exec::call::within;
use crate::model::id::KindId;
use crate::model::row::{Cell, Health, Row, Value};
use crate::model::store::Store;
use crate::model::view::{Matrix, View};

use super::ask::{ask, sources};
use super::io::{Failure, Io};
use super::listing::{Answer, RowJson, SourceJson};
use super::session::Session;

/// The kind whose rows are the verdicts.
const KIND: &str = "authentik.exposure";
/// Exit code where something stands open.
const RED: u8 = 1;
/// Exit code where not everything could be looked at.
const BLIND: u8 = 3;
/// How long the matrix may take.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// Runs `vigie audit`.
pub async fn audit(session: &Session, args: &Audit, io: &mut Io<'_>) -> Result<u8, Failure> {
    let id = KindId::from(KIND);
    let kind = session.kinds.get(&id).ok_or_else(|| Failure::Failed(format!("there is no kind {KIND}")))?;
    let backends = session.connect(Some(id.backend())).await?;
    let asked = sources(&backends, &id);
    if asked.is_empty() {
        return Err(Failure::Usage(format!(
            "no {} is configured in {}",
            id.backend(),
            session.file.display()
        )));
    }
    let mut store = Store::new(asked.iter().map(|(_, source)| source.clone()));
    let instances = asked.iter().map(|(backend, _)| backend.clone()).collect::<Vec<_>>();
    io.note(&format!("asking {} instance(s), at most four questions at once each", instances.len()));
    ask(asked, |update| {
        store.apply(update);
        Ok(())
    })
    .await?;
    let mut rows: Vec<&Row> = store.rows(&id).map(AsRef::as_ref).collect();
    rows.sort_by(|a, b| (a.health, &a.id).cmp(&(b.health, &b.id)));
    let complete = store.proves_absence(&id);
    match args.output {
        AuditReport::Json => {
            let sources = SourceJson::all(&store);
            let rows = rows.iter().map(|row| RowJson::new(row, kind)).collect();
            io.json(&Report {
                at: session.clock.now().to_string(),
                red: count(&store, &id, Health::Critical),
                amber: count(&store, &id, Health::Warning),
                answer: Answer { kind: &id, rows, sources, complete },
            })?;
        }
        AuditReport::Text => lines(&rows, io)?,
        AuditReport::Markdown => {
            markdown(session, &rows, io)?;
            for backend in &instances {
                if let Some(row) = rows.iter().find(|row| row.id.instance == *backend.instance()) {
                    match matrix(&**backend, row).await {
                        Ok(matrix) => table(&matrix, io)?,
                        Err(why) => io.note(&why),
                    }
                }
            }
        }
    }
    notes(&store, io);
    let red = count(&store, &id, Health::Critical);
    Ok(if red > 0 {
        RED
    } else if complete {
        0
    } else {
        BLIND
    })
}

/// What the reader must know of the answers.
fn notes(store: &Store, io: &mut Io<'_>) {
    for source in store.sources() {
        let fault = source.health.fault().map(ToString::to_string);
        for note in fault.iter().chain(&source.notes) {
            io.note(&format!("{}: {note}", source.spec.id));
        }
    }
}

/// The whole report as one object.
#[derive(Serialize)]
struct Report<'a> {
    /// When it was made.
    at: String,
    /// Applications that stand open.
    red: usize,
    /// What is not as it should be.
    amber: usize,
    #[serde(flatten)]
    answer: Answer<'a>,
}

fn count(store: &Store, kind: &KindId, health: Health) -> usize {
    store.rows(kind).filter(|row| row.health == health).count()
}

fn text(cell: &Cell) -> String {
    match &cell.value {
        Value::Empty => String::new(),
        Value::Text(text) => clean(text).into_owned(),
        Value::Int(n) => n.to_string(),
        other => other.to_json().to_string(),
    }
}

/// The columns of a verdict: state, name, for whom, reach, who, why.
fn verdict(row: &Row) -> [String; 6] {
    [0, 1, 2, 3, 4, 5].map(|at| text(row.cell(at)))
}

fn lines(rows: &[&Row], io: &mut Io<'_>) -> Result<(), Failure> {
    for row in rows {
        let [state, name, audience, reaches, who, why] = verdict(row);
        let about = if audience.is_empty() {
            String::new()
        } else {
            format!("  [{audience}, {reaches} people: {who}]")
        };
        io.line(format!("{state:9}  {name:20}  {why}{about}"))?;
    }
    Ok(())
}

fn markdown(session: &Session, rows: &[&Row], io: &mut Io<'_>) -> Result<(), Failure> {
    let of = |health| rows.iter().filter(|row| row.health == health).count();
    let day = session.clock.now().strftime("%F %R UTC");
    io.line(format!("# Exposure, {day}\n"))?;
    io.line(format!(
        "{} red, {} amber, {} not decided.\n",
        of(Health::Critical),
        of(Health::Warning),
        of(Health::Unknown)
    ))?;
    io.line("| verdict | what | for | reaches | who | why |\n|---|---|---|---|---|---|")?;
    for row in rows {
        let cells = verdict(row).map(|cell| cell.replace('|', "\\|"));
        io.line(format!("| {} |", cells.join(" | ")))?;
    }
    Ok(())
}

fn table(matrix: &Matrix, io: &mut Io<'_>) -> Result<(), Failure> {
    let escape = |text: &str| clean(text).replace('|', "\\|");
    let names: Vec<String> = matrix.columns.iter().map(|name| escape(name)).collect();
    io.line(format!("\n| application | {} |\n|---|{}", names.join(" | "), "---|".repeat(names.len())))?;
    for (name, cells) in &matrix.rows {
        let cells: Vec<String> = cells.iter().map(|cell| text(cell).replace('|', "\\|")).collect();
        io.line(format!("| {} | {} |", escape(name), cells.join(" | ")))?;
    }
    Ok(())
}

/// Applications by groups, as the screen shows them.
async fn matrix(backend: &dyn Backend, row: &Row) -> Result<Matrix, String> {
    let (sink, mut views) = mpsc::channel(1);
    let shown = async {
        tokio::select! {
            ended = backend.open(&row.id, "matrix", sink) => ended.map(|()| None),
            view = views.recv() => Ok(view),
        }
    };
    match within(PATIENCE, shown).await {
        Ok(Some(View::Matrix(matrix))) => Ok(matrix),
        Ok(_) => Err("the matrix did not come".to_owned()),
        Err(fault) => Err(format!("the matrix: {fault}")),
    }
}

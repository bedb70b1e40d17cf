//! `vigie handover`: the shift on one page of Markdown, for whoever comes next.

use crate::cli::Handover;
use crate::insight::handover;
use crate::model::time::parse_duration;

use super::gather::gather;
use super::io::{Failure, Io};
use super::session::Session;

/// Runs `vigie handover`; 3 where not everything could be seen.
pub async fn handover(session: &Session, args: &Handover, io: &mut Io<'_>) -> Result<u8, Failure> {
    let back = parse_duration(&args.back).filter(|back| back.as_secs() > 0).ok_or_else(|| {
        Failure::Usage(format!("--back: `{}` is no duration; write it like 8h or 1d", args.back))
    })?;
    let gathered = gather(session).await?;
    let page = handover::page(&gathered.lookout, gathered.facts(&session.kinds), back, None);
    for line in page.markdown().lines() {
        io.line(line)?;
    }
    let blind = gathered.store.sources().any(|source| source.health.fault().is_some());
    Ok(if blind { 3 } else { 0 })
}

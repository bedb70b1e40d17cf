//! How far a task is, read from its log: Proxmox tells no percentage anywhere else.

/// What a log has told so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Log {
    /// How many lines were read; the next question begins there.
    pub lines: i64,
    /// Done so far, 0..1, where the log tells.
    pub fraction: Option<f32>,
    /// The last lines, the latest at the end.
    pub tail: Vec<String>,
}

/// How many lines are kept for the case of a failure.
const TAIL: usize = 8;

impl Log {
    /// Takes a line in.
    pub fn read(&mut self, line: &str) {
        let line = line.trim_end();
        if let Some(fraction) = fraction(line) {
            self.fraction = Some(fraction);
        }
        if !line.trim().is_empty() {
            self.tail.push(line.to_owned());
            if self.tail.len() > TAIL {
                self.tail.remove(0);
            }
        }
    }

    /// What it does now, in one line.
    pub fn note(&self) -> String {
        let line = self.tail.last().map_or("", String::as_str);
        let line = ["INFO: ", "TASK "].iter().find_map(|tag| line.strip_prefix(tag)).unwrap_or(line);
        line.trim().chars().take(160).collect()
    }
}

/// The part of a whole that a line speaks of; many lines hold a percent sign that means something else.
pub fn fraction(line: &str) -> Option<f32> {
    let text = line.strip_prefix("INFO:").unwrap_or(line).trim();
    let first = text.split_whitespace().next()?;
    // vzdump: `25% (50.1 GiB of 200.0 GiB) in 1m 14s, read: …`
    if let Some(percent) = first.strip_suffix('%').and_then(number) {
        return Some(percent / 100.0);
    }
    // restore: `progress 42% (read …)`
    if let Some(rest) = text.strip_prefix("progress ") {
        return rest.split('%').next().and_then(number).map(|percent| percent / 100.0);
    }
    if !text.contains("transferred") || !text.contains(" of ") {
        return None;
    }
    // clone, disk move and mirror: `transferred 12.5 GiB of 50.0 GiB (25.00%)`
    let inside = text.rsplit_once('(').and_then(|(_, inside)| inside.split_once("%)"));
    if let Some(percent) = inside.and_then(|(percent, _)| number(percent)) {
        return Some(percent / 100.0);
    }
    // migration: `migration active, transferred 1.2 GiB of 4.0 GiB VM-state, 110.0 MiB/s`
    let (_, sizes) = text.split_once("transferred ")?;
    let (part, whole) = sizes.split_once(" of ")?;
    let (part, whole) = (bytes(part)?, bytes(whole)?);
    (whole > 0.0).then(|| (part / whole).clamp(0.0, 1.0))
}

fn number(text: &str) -> Option<f32> {
    text.trim().parse().ok().filter(|percent| (0.0..=100.0).contains(percent))
}

/// A size such as `1.2 GiB`.
fn bytes(text: &str) -> Option<f32> {
    let mut words = text.split([' ', ',']).filter(|word| !word.is_empty());
    let value: f32 = words.next()?.parse().ok()?;
    let unit = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
        .iter()
        .position(|unit| Some(*unit) == words.clone().next())?;
    Some(value * 1024_f32.powi(i32::try_from(unit).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_found_where_they_mean_progress() {
        let cases = [
            ("INFO:   1% (2.1 GiB of 200.0 GiB) in 3s, read: 717.6 MiB/s, write: 402.1 MiB/s", Some(0.01)),
            ("INFO: 100% (200.0 GiB of 200.0 GiB) in 4m 9s, read: 1.7 GiB/s, write: 4.1 KiB/s", Some(1.0)),
            ("transferred 12.5 GiB of 50.0 GiB (25.00%)", Some(0.25)),
            ("mirror-scsi0: transferred 1.0 GiB of 4.0 GiB (25.00%) in 3s", Some(0.25)),
            ("progress 42% (read 1073741824 bytes, duration 3 sec)", Some(0.42)),
            ("migration active, transferred 1.0 GiB of 4.0 GiB VM-state, 110.0 MiB/s", Some(0.25)),
            ("INFO: backup is sparse: 121.44 GiB (60%) total zero data", None),
            ("INFO: backup was done incrementally, reused 197.10 GiB (98%)", None),
            ("INFO: transferred 200.00 GiB in 249 seconds (822.5 MiB/s)", None),
            ("INFO: 7000% (", None),
            ("TASK OK", None),
            ("", None),
        ];
        for (line, wanted) in cases {
            assert_eq!(fraction(line), wanted, "{line}");
        }
    }

    #[test]
    fn a_log_keeps_its_last_lines_and_the_last_percentage() {
        let mut log = Log::default();
        for n in 0..20 {
            log.read(&format!("INFO: line {n}"));
        }
        log.read("INFO:  50% (1.0 GiB of 2.0 GiB) in 3s");
        log.read("INFO: resuming VM again");
        log.read("  ");
        assert_eq!((log.fraction, log.tail.len()), (Some(0.5), TAIL));
        assert_eq!(log.note(), "resuming VM again");
    }
}

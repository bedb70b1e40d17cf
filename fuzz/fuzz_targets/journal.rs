//! A journal of any content opens: a torn or foreign line costs that line alone.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigie::model::journal::{Line, open_runs};

fuzz_target!(|text: &str| {
    let lines: Vec<Line> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let _ = open_runs(&lines).iter().filter_map(vigie::model::journal::OpenRun::job).count();
});

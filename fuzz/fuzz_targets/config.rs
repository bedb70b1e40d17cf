//! Every text is settings or reports, never a panic.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use vigie::config::env::Env;
use vigie::config::load;

fuzz_target!(|text: &str| {
    if let Err(reports) = load::parse("fuzz.toml", text, Path::new("/"), &Env::default()) {
        let _ = reports.to_string();
    }
});

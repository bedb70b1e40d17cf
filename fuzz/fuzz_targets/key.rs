//! Whatever is written as a key either is one, and survives being printed, or is refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigie::config::key::sequence;

fuzz_target!(|text: &str| {
    if let Ok(keys) = sequence(text) {
        let printed = keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(sequence(&printed).ok(), Some(keys));
    }
});

//! Whatever Omni answers to its two lists of machines, twice in a row, costs rows at most.
#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use vigie::backend::omni::measure::Known;

fuzz_target!(|lists: (Vec<u8>, Vec<u8>)| {
    let lists = [lists.0, lists.1];
    let mut known = Known::default();
    for second in [0, 5] {
        let now = Timestamp::from_second(second).unwrap_or_default();
        assert!(known.read(&lists, now).iter().all(|row| !row.id.key.is_empty()));
    }
});

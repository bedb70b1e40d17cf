//! Nothing that a terminal could obey passes the one door for remote text, and nothing is wider than its field.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigie::ui::text::{clean, fit, width, wrap};

fuzz_target!(|input: (&str, u8)| {
    let (text, cells) = input;
    let cells = usize::from(cells);
    assert!(!clean(text).chars().any(char::is_control));
    assert!(width(&fit(text, cells, false)) <= cells);
    for line in wrap(text, cells.max(2)) {
        assert!(!line.chars().any(char::is_control));
    }
});

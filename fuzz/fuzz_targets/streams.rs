//! Lines of streams are events, things to show, or nothing: of Omni's watch and machine logs, and a container's frames.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigie::backend::{docker, omni};

fuzz_target!(|bytes: &[u8]| {
    for line in bytes.split(|byte| *byte == b'\n') {
        let _ = omni::measure::stream_line(line);
    }
    assert!(docker::read_log(bytes).iter().all(|line| !line.text.is_empty()));
});

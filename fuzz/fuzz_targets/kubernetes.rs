//! Whatever a cluster answers to a list of pods or says in a line of a watch costs rows at most.
#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use vigie::backend::kubernetes::rows::{Maker, pods};
use vigie::backend::kubernetes::wire::{Page, Pod, WatchLine};
use vigie::model::row::Domain;

fuzz_target!(|body: &[u8]| {
    let maker = Maker::new("prod".into(), Domain::Home);
    let (kind, now) = ("kubernetes.pods".into(), Timestamp::UNIX_EPOCH);
    if let Ok(page) = serde_json::from_slice::<Page<Pod>>(body) {
        for pod in &page.items.0 {
            let _ = pods::row(&maker, &kind, pod, now);
        }
    }
    let _ = serde_json::from_slice::<WatchLine<'_>>(body);
    if let Ok(pod) = serde_json::from_slice::<Pod>(body) {
        let _ = pods::row(&maker, &kind, &pod, now);
    }
});

//! Whatever a server answers to `GET /cluster/resources`, twice in a row, costs rows at most.
#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use vigie::backend::proxmox::{Memory, Place, read_resources};
use vigie::model::row::Domain;

fuzz_target!(|body: &[u8]| {
    let place = Place { instance: "pve".into(), domain: Domain::Home };
    let mut memory = Memory::default();
    for second in [0, 5] {
        let now = Timestamp::from_second(second).unwrap_or_default();
        if let Ok(snapshot) = read_resources(body, &place, &mut memory, now) {
            assert!(snapshot.rows.iter().all(|row| !row.id.key.is_empty()));
        }
    }
});

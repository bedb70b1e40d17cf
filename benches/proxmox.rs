//! What one poll of a cluster of ten hosts costs besides the network: an answer of megabytes to rows.

use std::fmt::Write;

use divan::Bencher;
use divan::counter::BytesCount;
use jiff::Timestamp;
use vigie::backend::proxmox::{Memory, Place, read_resources};
use vigie::model::row::Domain;

const SIZES: [usize; 3] = [100, 1_000, 10_000];

fn main() {
    divan::main();
}

/// An answer as PVE 9 writes it, moved on by `tick`.
fn answer(guests: usize, tick: usize) -> String {
    let mut text = String::from("{\"data\":[");
    for n in 0..guests {
        let (node, moved) = (n % 10, (n + tick) / 100);
        let _ = write!(
            text,
            "{{\"id\":\"qemu/{vmid}\",\"type\":\"qemu\",\"node\":\"pve{node:02}\",\"vmid\":{vmid},\"name\":\"web-{n:05}\",\
             \"status\":\"running\",\"template\":0,\"maxcpu\":4,\"cpu\":0.0{moved},\"maxmem\":4294967296,\"mem\":2684354560,\
             \"memhost\":4410310656,\"maxdisk\":53687091200,\"disk\":0,\"uptime\":{uptime},\"netin\":{netin},\
             \"netout\":22110033445,\"diskread\":5234112345,\"diskwrite\":48211093344,\"tags\":\"prod;web\",\"pool\":\"prod\"}},",
            vmid = 100 + n,
            uptime = 262_211 + tick,
            netin = 18_234_112_233_usize + moved * 1_000,
        );
    }
    for node in 0..10 {
        let _ = write!(
            text,
            "{{\"id\":\"node/pve{node:02}\",\"type\":\"node\",\"node\":\"pve{node:02}\",\"status\":\"online\",\"cpu\":0.06,\
             \"maxcpu\":128,\"mem\":27917287424,\"maxmem\":67321151488,\"uptime\":262431}},"
        );
    }
    text.pop();
    text.push_str("]}");
    text
}

fn place() -> Place {
    Place { instance: "pve".into(), domain: Domain::Home }
}

/// The first list of a run: nothing is known yet.
#[divan::bench(args = SIZES)]
fn first_list(bencher: Bencher<'_, '_>, guests: usize) {
    let body = answer(guests, 0);
    bencher
        .counter(BytesCount::of_str(&body))
        .bench(|| read_resources(body.as_bytes(), &place(), &mut Memory::default(), Timestamp::UNIX_EPOCH));
}

/// The same list a moment later, with a hundredth of it changed.
#[divan::bench(args = SIZES)]
fn next_list(bencher: Bencher<'_, '_>, guests: usize) {
    let (body, next) = (answer(guests, 0), answer(guests, 5));
    let mut memory = Memory::default();
    let known = read_resources(body.as_bytes(), &place(), &mut memory, Timestamp::UNIX_EPOCH);
    bencher
        .counter(BytesCount::of_str(&next))
        .bench_local(|| read_resources(next.as_bytes(), &place(), &mut memory, Timestamp::UNIX_EPOCH));
    drop(known);
}

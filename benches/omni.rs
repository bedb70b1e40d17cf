//! What one look at thousands of machines costs besides the network: lists of megabytes to rows, all of them or a few.

use divan::Bencher;
use divan::counter::BytesCount;
use jiff::Timestamp;
use vigie::backend::omni::measure::{Known, lists};

const SIZES: [usize; 3] = [100, 500, 2_000];

fn main() {
    divan::main();
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_770_000_000 + second).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn size(lists: &[Vec<u8>; 2]) -> BytesCount {
    BytesCount::new(lists.iter().map(Vec::len).sum::<usize>())
}

/// The first lists of a run: nothing is known yet.
#[divan::bench(args = SIZES)]
fn first_lists(bencher: Bencher<'_, '_>, machines: usize) {
    let lists = lists(machines, at(0));
    bencher.counter(size(&lists)).bench(|| Known::default().read(&lists, at(0)));
}

/// The whole lists a moment later, with a hundredth of the machines in another state.
#[divan::bench(args = SIZES)]
fn whole_lists_again(bencher: Bencher<'_, '_>, machines: usize) {
    let (first, next) = (lists(machines, at(0)), lists(machines, at(5)));
    let mut known = Known::default();
    known.read(&first, at(0));
    bencher.counter(size(&next)).bench_local(|| known.read(&next, at(5)));
}

/// What a poll that is held back asks for instead: the hundred that changed last.
#[divan::bench]
fn newest_hundred(bencher: Bencher<'_, '_>) {
    let mut known = Known::default();
    known.read(&lists(2_000, at(0)), at(0));
    let news = lists(100, at(5));
    bencher.counter(size(&news)).bench_local(|| known.read(&news, at(5)));
}

//! Thousands of machines: what changes is asked for, not everything again.

use super::*;

/// Two clusters of a hundred machines, and one of fifty.
const MACHINES_ADDED: usize = 250;

#[tokio::test]
async fn of_a_long_list_only_what_changed_is_asked_for_again() {
    let (world, _running, config) = sized(MACHINES_ADDED).await;
    let omni = Omni::new(&config, &world.clock);
    world.set("omni-streams", "buffered");
    let (sink, mut deltas) = mpsc::channel(8);
    let machines = source("machines");
    let told = async {
        for _ in 0..2 {
            let Delta::Reset(whole) = news(&mut deltas).await else { panic!("no list") };
            assert_eq!(whole.rows.len(), MACHINES_ADDED + 6);
        }
        assert!(matches!(news(&mut deltas).await, Delta::Same(_)));
        world.clock.advance(SignedDuration::from_secs(5));
        let Delta::Change { upserts, removes, .. } = news(&mut deltas).await else { panic!("no change") };
        assert!(removes.is_empty() && (2..=8).contains(&upserts.len()), "{} rows", upserts.len());
        let states: Vec<_> = upserts.iter().map(|row| row.cell(0).value.to_json()).collect();
        assert!(states.contains(&"rebooting".into()) && states.contains(&"running".into()), "{states:?}");
        // One that goes is missed in the count, and the whole list tells which.
        let gone = omni.poll(&machines).await.unwrap().rows.remove(0).id.key;
        world.set("omni-forget", &gone);
        let Delta::Reset(whole) = news(&mut deltas).await else { panic!("no list") };
        assert_eq!(whole.rows.len(), MACHINES_ADDED + 5);
    };
    tokio::select! {
        () = told => {}
        end = omni.watch(&machines, sink) => panic!("{end:?}"),
    }
}

#[tokio::test]
async fn a_long_watch_tells_only_what_changes() {
    let (world, _running, config) = sized(MACHINES_ADDED).await;
    let omni = Omni::new(&config, &world.clock);
    let (sink, mut deltas) = mpsc::channel(8);
    let machines = source("machines");
    let told = async {
        for _ in 0..2 {
            let Delta::Reset(whole) = news(&mut deltas).await else { panic!("no list") };
            assert_eq!(whole.rows.len(), MACHINES_ADDED + 6);
        }
        world.clock.advance(SignedDuration::from_secs(5));
        let Delta::Change { upserts, .. } = news(&mut deltas).await else { panic!("no change") };
        assert!(upserts.len() <= 8, "{} rows", upserts.len());
    };
    tokio::select! {
        () = told => {}
        end = omni.watch(&machines, sink) => panic!("{end:?}"),
    }
}

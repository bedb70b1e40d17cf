//! A guest's place among others when its host starts or stops them: `order=1,up=30,down=60`.
//!
//! Proxmox applies it only where it starts and stops guests by itself. Several guests that are marked here are taken in
//! the same order, so that what others depend on comes up first and goes down last.

use std::time::Duration;

/// The rank of guests without an order: after all others on the way up, before them on the way down.
const LAST: i64 = 1 << 30;

/// The setting `startup`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Startup {
    /// Its place, the lowest first on the way up.
    pub order: Option<u32>,
    /// How long the next one waits after this one was started.
    pub up: Option<Duration>,
    /// How long a shutdown may take.
    pub down: Option<Duration>,
}

impl Startup {
    /// Reads the property string; `order` may stand without its name, and what cannot be read is not set.
    pub fn parse(text: &str) -> Self {
        let mut startup = Self::default();
        for part in text.split(',') {
            let (key, value) = part.split_once('=').unwrap_or(("order", part));
            let number = value.trim().parse::<u32>().ok();
            let seconds = number.filter(|seconds| *seconds > 0).map(|s| Duration::from_secs(s.into()));
            match key.trim() {
                "order" => startup.order = number,
                "up" => startup.up = seconds,
                "down" => startup.down = seconds,
                _ => {}
            }
        }
        startup
    }

    /// Its rank on the way up; equal orders go by their numbers, as Proxmox takes them.
    pub fn rank(self, vmid: u32) -> i64 {
        let order = self.order.map_or(LAST, |order| i64::from(order).min(LAST - 1));
        (order << 32) + i64::from(vmid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_read_and_nonsense_sets_nothing() {
        let seconds = |n| Some(Duration::from_secs(n));
        for (text, order, up, down) in [
            ("order=1,up=30,down=60", Some(1), seconds(30), seconds(60)),
            ("3", Some(3), None, None),
            ("up=0, down=120", None, None, seconds(120)),
            ("order=any,up=-1,x=9", None, None, None),
            ("", None, None, None),
        ] {
            assert_eq!(Startup::parse(text), Startup { order, up, down }, "{text}");
        }
    }

    #[test]
    fn guests_without_an_order_come_up_last_and_equal_ones_by_their_number() {
        let rank = |text: &str, vmid| Startup::parse(text).rank(vmid);
        let mut ranks =
            [rank("", 100), rank("2", 300), rank("1", 200), rank("2", 101), rank("4294967295", 1)];
        ranks.sort_unstable();
        assert_eq!(
            ranks,
            [rank("1", 200), rank("2", 101), rank("2", 300), rank("4294967295", 1), rank("", 100)]
        );
    }
}

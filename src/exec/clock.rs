//! The time that timers are counted in: it never jumps with the wall clock, and stands still where a test wants it to.

use std::time::{Duration, Instant};

use crate::model::time::Clock;

/// Time since some fixed origin.
#[derive(Debug, Clone)]
pub struct Ticker {
    clock: Clock,
    origin: Instant,
}

impl Ticker {
    /// Follows the machine's steady clock, or a manual clock where there is one.
    pub fn new(clock: Clock) -> Self {
        Self { clock, origin: Instant::now() }
    }

    /// How much time has passed since the origin.
    pub fn now(&self) -> Duration {
        match &self.clock {
            Clock::Manual(_) => {
                let millis = self.clock.now().as_millisecond();
                Duration::from_millis(u64::try_from(millis).unwrap_or(0))
            }
            Clock::System | Clock::Shifted(_) => self.origin.elapsed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::*;

    #[test]
    fn a_manual_clock_moves_the_timers() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let ticker = Ticker::new(clock.clone());
        clock.advance(SignedDuration::from_secs(5));
        assert_eq!(ticker.now(), Duration::from_secs(5));
    }
}

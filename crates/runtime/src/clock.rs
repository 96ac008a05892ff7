//! Time: a monotonic clock for deadlines, and a wall clock for stamps.

use std::fmt;
use std::future::Future;
use std::ops::{Add, Sub};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use ouzel_model::Timestamp;

/// A point of the monotonic clock, nanoseconds since an arbitrary start. Comparable between all shards of one process;
/// never goes back, and under simulation it is virtual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Instant(u64);

impl Instant {
    /// The point `nanos` nanoseconds after the clock's start.
    pub const fn from_nanos(nanos: u64) -> Instant {
        Instant(nanos)
    }

    /// Nanoseconds since the clock's start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Milliseconds since the clock's start, rounded down.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Time passed since `earlier`; zero when `earlier` is later.
    pub fn duration_since(self, earlier: Instant) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Saturates at the end of the clock, 584 years after its start.
impl Add<Duration> for Instant {
    type Output = Instant;
    fn add(self, d: Duration) -> Instant {
        Instant(self.0.saturating_add(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)))
    }
}

/// As [`duration_since`](Instant::duration_since).
impl Sub<Instant> for Instant {
    type Output = Duration;
    fn sub(self, earlier: Instant) -> Duration {
        self.duration_since(earlier)
    }
}

/// A future that resolves at a point of the monotonic clock, never before it. Cancel-safe.
pub struct Sleep {
    pub(crate) home: SleepHome,
}

pub(crate) enum SleepHome {
    /// A timer of the reactor, of millisecond grain; boxed because it must not move.
    System(Pin<Box<tokio::time::Sleep>>),
    #[cfg(feature = "sim")]
    Sim(crate::sim::core::Sleep),
}

impl Sleep {
    pub(crate) fn system(at: Instant) -> Sleep {
        let left = at.duration_since(system_now());
        Sleep { home: SleepHome::System(Box::pin(tokio::time::sleep(left))) }
    }

    #[cfg(feature = "sim")]
    pub(crate) fn sim(timer: crate::sim::core::Sleep) -> Sleep {
        Sleep { home: SleepHome::Sim(timer) }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.home {
            SleepHome::System(timer) => timer.as_mut().poll(cx),
            #[cfg(feature = "sim")]
            SleepHome::Sim(timer) => timer.poll(cx),
        }
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sleep")
    }
}

/// CLOCK_MONOTONIC, which all threads of the machine share.
pub(crate) fn system_now() -> Instant {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    Instant(t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64)
}

pub(crate) fn system_wall_clock() -> Timestamp {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    Timestamp(t.tv_sec * 1000 + t.tv_nsec / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_saturate_at_both_ends() {
        let (a, b) = (Instant::from_nanos(5), Instant::from_nanos(9));
        assert_eq!(b - a, Duration::from_nanos(4));
        assert_eq!(a - b, Duration::ZERO);
        assert_eq!((b + Duration::MAX).as_nanos(), u64::MAX);
    }

    #[test]
    fn the_clocks_move_and_lie_in_this_century() {
        let before = system_now();
        assert!(system_now() >= before);
        assert!(system_wall_clock().0 > 1_600_000_000_000);
    }
}

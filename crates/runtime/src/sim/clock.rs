//! The clocks of one simulated machine: a monotonic one that drifts, and a wall clock that also has an offset,
//! steps and freezes. World time is the simulator's own and no node ever sees it.

/// Wall time at world time 0: 2026-01-01T00:00:00Z, in milliseconds.
pub const EPOCH_MS: i64 = 1_767_225_600_000;

/// Drift a machine's clock may have; above it NTP itself gives up slewing.
pub const DRIFT_PPM_MAX: i64 = 500;

const MILLION: i128 = 1_000_000;

/// Clocks of one machine.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// Nanoseconds the monotonic clock shows at world time 0; differs between machines so that comparing them shows.
    pub mono_base_ns: u64,
    /// Parts per million the clock runs fast (or slow), for the machine's life.
    pub drift_ppm: i64,
    /// What the wall clock is ahead of true time, steps included, in milliseconds.
    pub wall_offset_ms: i64,
    /// While set, the wall clock shows this and nothing else.
    pub frozen_ms: Option<i64>,
}

impl Clock {
    /// The monotonic clock at world time `world_ns`.
    pub fn monotonic(&self, world_ns: u64) -> u64 {
        self.mono_base_ns + scaled(world_ns, self.drift_ppm)
    }

    /// The first world time at which the monotonic clock shows at least `mono_ns`.
    pub fn world_at(&self, mono_ns: u64) -> u64 {
        let elapsed = i128::from(mono_ns.saturating_sub(self.mono_base_ns));
        let rate = MILLION + i128::from(self.drift_ppm);
        let mut world = u64::try_from(elapsed * MILLION / rate).unwrap_or(u64::MAX);
        while world < u64::MAX && self.monotonic(world) < mono_ns {
            world += 1;
        }
        world
    }

    /// The wall clock at world time `world_ns`, milliseconds since the epoch.
    pub fn wall_ms(&self, world_ns: u64) -> i64 {
        self.frozen_ms
            .unwrap_or_else(|| EPOCH_MS + self.wall_offset_ms + (scaled(world_ns, self.drift_ppm) / 1_000_000) as i64)
    }

    /// Stops the wall clock where it is, or lets it run again from true time plus its offset.
    pub fn freeze(&mut self, world_ns: u64, frozen: bool) {
        self.frozen_ms = if frozen { Some(self.wall_ms(world_ns)) } else { None };
    }
}

fn scaled(world_ns: u64, ppm: i64) -> u64 {
    let ns = i128::from(world_ns);
    u64::try_from(ns + ns * i128::from(ppm) / MILLION).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_fires_at_the_first_instant_the_clock_shows_its_time() {
        for ppm in [-500, -1, 0, 3, 500] {
            let clock = Clock { mono_base_ns: 77, drift_ppm: ppm, ..Clock::default() };
            for mono in [0, 77, 78, 1_000_000, 999_999_999_999] {
                let world = clock.world_at(mono);
                assert!(clock.monotonic(world) >= mono);
                assert!(world == 0 || clock.monotonic(world - 1) < mono, "ppm {ppm} mono {mono}");
            }
        }
    }

    #[test]
    fn wall_steps_and_freezes_leave_the_monotonic_clock_alone() {
        let mut clock = Clock::default();
        let before = clock.monotonic(5_000_000);
        clock.wall_offset_ms -= 86_400_000;
        clock.freeze(5_000_000, true);
        assert_eq!(clock.monotonic(5_000_000), before);
        assert_eq!(clock.wall_ms(9_000_000_000), EPOCH_MS - 86_400_000 + 5);
        clock.freeze(9_000_000_000, false);
        assert_eq!(clock.wall_ms(9_000_000_000), EPOCH_MS - 86_400_000 + 9_000);
    }
}

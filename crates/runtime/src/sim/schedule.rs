//! Which ready task runs next. Each shard is a lane: one core that is busy for as long as its last poll took, so shards
//! run side by side in virtual time though the world has one thread.

use std::collections::VecDeque;

use super::stream::Stream;

/// Polls a lane may take without once being idle; beyond it tasks feed each other for ever and the run fails.
/// At 2 us a poll and more, this is over a second of a core that never rests.
pub const BUSY_POLLS_MAX: u32 = 1_000_000;

/// How the next ready task is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Uniformly.
    Uniform,
    /// By random priorities with random change points (PCT; Burckhardt et al., ASPLOS'10).
    Priorities,
    /// First in, first out.
    Fifo,
}

/// A ready task: its slot in the world's table and its number, which tells it from an earlier one there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ready {
    pub slot: u32,
    pub id: u64,
    order: u64,
    priority: u32,
}

#[derive(Default)]
struct Lane {
    ready: VecDeque<Ready>,
    free_at: u64,
    busy_polls: u32,
}

/// All lanes of a world.
pub(crate) struct Scheduler {
    policy: Policy,
    dice: Stream,
    lanes: Vec<Lane>,
    order: u64,
    /// Odds of a stall of 10 ms to 30 s at a poll.
    stall_odds: f64,
}

/// A task drawn to run.
pub(crate) struct Pick {
    pub slot: u32,
    pub id: u64,
    /// Virtual nanoseconds the poll takes.
    pub cost: u64,
    /// The lane has not been idle for too many polls.
    pub livelock: bool,
}

impl Scheduler {
    pub fn new(policy: Policy, dice: Stream) -> Scheduler {
        Scheduler { policy, dice, lanes: Vec::new(), order: 0, stall_odds: 0.0 }
    }

    pub fn set_stall_odds(&mut self, odds: f64) {
        self.stall_odds = odds;
    }

    /// A new lane; its number counts from 0.
    pub fn add_lane(&mut self) -> usize {
        self.lanes.push(Lane::default());
        self.lanes.len() - 1
    }

    /// Queues a task that became ready at `now`.
    pub fn push(&mut self, lane: usize, slot: u32, id: u64, now: u64) {
        self.order += 1;
        let priority = if self.policy == Policy::Priorities { self.priority_of(id) } else { 0 };
        let lane = &mut self.lanes[lane];
        if lane.ready.is_empty() && lane.free_at <= now {
            lane.busy_polls = 0;
        }
        lane.ready.push_back(Ready { slot, id, order: self.order, priority });
    }

    /// A task keeps its priority between change points; one in 16 wakes is a change point.
    fn priority_of(&mut self, id: u64) -> u32 {
        if self.dice.chance(1.0 / 16.0) {
            self.dice.next_u64() as u32
        } else {
            super::stream::mix(id.wrapping_mul(0x9e37_79b9_7f4a_7c15)) as u32
        }
    }

    /// Forgets what a killed host had ready.
    pub fn clear(&mut self, lane: usize) {
        self.lanes[lane].ready.clear();
    }

    /// The lane runs nothing before `until`: its core is stalled, or its host paused.
    pub fn occupy(&mut self, lane: usize, until: u64) {
        let lane = &mut self.lanes[lane];
        lane.free_at = lane.free_at.max(until);
    }

    /// The lane is free at `now`, whatever occupied it.
    pub fn release(&mut self, lane: usize, now: u64) {
        self.lanes[lane].free_at = now;
    }

    /// Draws a task among the lanes that are free at `now`.
    pub fn pick(&mut self, now: u64) -> Option<Pick> {
        let (lane, place) = match self.policy {
            Policy::Uniform => self.draw_uniform(now)?,
            Policy::Priorities => self.draw_urgent(now)?,
            Policy::Fifo => self.draw_oldest(now)?,
        };
        let ready = self.lanes[lane].ready.remove(place).expect("a place that was drawn");
        let cost = self.draw_cost();
        let lane = &mut self.lanes[lane];
        lane.free_at = now + cost;
        lane.busy_polls += 1;
        Some(Pick { slot: ready.slot, id: ready.id, cost, livelock: lane.busy_polls > BUSY_POLLS_MAX })
    }

    fn draw_uniform(&mut self, now: u64) -> Option<(usize, usize)> {
        let eligible: usize = self.lanes.iter().filter(|l| l.free_at <= now).map(|l| l.ready.len()).sum();
        if eligible == 0 {
            return None;
        }
        let mut drawn = if eligible == 1 { 0 } else { self.dice.below(eligible as u64) as usize };
        for (number, lane) in self.lanes.iter().enumerate().filter(|(_, l)| l.free_at <= now) {
            if drawn < lane.ready.len() {
                return Some((number, drawn));
            }
            drawn -= lane.ready.len();
        }
        None
    }

    fn draw_urgent(&mut self, now: u64) -> Option<(usize, usize)> {
        let lanes = self.lanes.iter().enumerate().filter(|(_, l)| l.free_at <= now);
        let all = lanes.flat_map(|(number, l)| l.ready.iter().enumerate().map(move |(place, r)| (number, place, r)));
        all.min_by_key(|(_, _, r)| (u32::MAX - r.priority, r.order)).map(|(number, place, _)| (number, place))
    }

    fn draw_oldest(&mut self, now: u64) -> Option<(usize, usize)> {
        let lanes = self.lanes.iter().enumerate().filter(|(_, l)| l.free_at <= now);
        let fronts = lanes.filter_map(|(number, l)| l.ready.front().map(|r| (r.order, number)));
        fronts.min().map(|(_, number)| (number, 0))
    }

    /// 1 to 50 us, mostly a few; rarely a stall.
    fn draw_cost(&mut self) -> u64 {
        if self.stall_odds > 0.0 && self.dice.chance(self.stall_odds) {
            let long = if self.dice.chance(0.1) { 30_000_000_000 } else { 1_000_000_000 };
            return self.dice.between(10_000_000, long);
        }
        let r = self.dice.next_u64();
        1_000 + if r & 15 == 0 { (r >> 4) % 49_000 } else { (r >> 4) % 6_000 }
    }

    /// The earliest time at which a lane with a ready task is free.
    pub fn next_free(&self) -> Option<u64> {
        self.lanes.iter().filter(|l| !l.ready.is_empty()).map(|l| l.free_at).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scheduler(policy: Policy) -> Scheduler {
        let mut s = Scheduler::new(policy, Stream::new(1, "sched"));
        s.add_lane();
        s.add_lane();
        s
    }

    #[test]
    fn lanes_run_side_by_side_and_a_busy_lane_waits() {
        let mut s = scheduler(Policy::Uniform);
        for id in 0..2 {
            s.push(0, id as u32, id, 0);
            s.push(1, 10 + id as u32, 10 + id, 0);
        }
        assert!(s.pick(0).is_some() && s.pick(0).is_some());
        assert!(s.pick(0).is_none());
        let next = s.next_free().unwrap();
        assert!((1_000..=50_000).contains(&next));
        assert!(s.pick(next).is_some());
    }

    #[test]
    fn fifo_keeps_the_order_and_uniform_does_not() {
        let order = |policy| {
            let mut s = scheduler(policy);
            (0..20).for_each(|id| s.push(0, id as u32, id, 0));
            let mut now = 0;
            (0..20)
                .map(|_| {
                    now = s.next_free().unwrap().max(now);
                    s.pick(now).unwrap().id
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(order(Policy::Fifo), (0..20).collect::<Vec<_>>());
        assert_ne!(order(Policy::Uniform), (0..20).collect::<Vec<_>>());
        assert_ne!(order(Policy::Priorities), (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn a_lane_that_never_rests_is_a_livelock_and_one_that_does_is_not() {
        for rest in [0, 1] {
            let mut s = scheduler(Policy::Fifo);
            s.push(0, 0, 0, 0);
            let mut now = 0;
            let found = (0..=BUSY_POLLS_MAX).any(|_| {
                now = s.next_free().unwrap().max(now);
                let pick = s.pick(now).unwrap();
                now += rest * pick.cost;
                s.push(0, 0, 0, now);
                pick.livelock
            });
            assert_eq!(found, rest == 0);
        }
    }
}

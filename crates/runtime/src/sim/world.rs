//! The scenario's side of a world: machines, processes, faults, time.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use super::clock::{Clock, DRIFT_PPM_MAX};
use super::core::{Core, Ended, Leftover, Planted, State, Step};
use super::drive::Drive;
use super::hooks::Marks;
use super::pages::CutReport;
use super::schedule::{Policy, Scheduler};
use super::stream::Stream;
use super::tcp::Link;
use super::trace::{Event, NOBODY, Sink, Trace, What};
use crate::runtime::Runtime;

/// A machine of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostId(pub u16);

/// How to make a world.
pub struct WorldOptions {
    /// Everything follows from it.
    pub seed: u64,
    /// How tasks are drawn; by the seed when `None`.
    pub policy: Option<Policy>,
    /// Whether `buggify!` may take its rare values.
    pub buggify: bool,
    /// Planted bugs that are switched on.
    pub planted: Planted,
    /// Gets every event.
    pub sink: Option<Sink>,
}

impl WorldOptions {
    /// A world of this seed, without buggify, plants or sink.
    pub fn seeded(seed: u64) -> WorldOptions {
        WorldOptions { seed, policy: None, buggify: false, planted: Planted::new(), sink: None }
    }
}

/// A machine to be added.
pub struct HostSpec {
    /// Its name, which other hosts resolve.
    pub name: String,
    /// Bytes of its disk.
    pub disk_bytes: u64,
    /// Whether its clocks drift and are off by up to a second.
    pub clock_skew: bool,
}

impl HostSpec {
    /// A machine with 64 GiB of disk and true clocks.
    pub fn named(name: &str) -> HostSpec {
        HostSpec { name: name.to_owned(), disk_bytes: 64 << 30, clock_skew: false }
    }
}

/// A simulated world. Dropping it ends all processes.
pub struct World {
    core: Rc<Core>,
    marks: Rc<Marks>,
    clocks: std::cell::RefCell<Stream>,
}

impl World {
    /// An empty world at time 0; its marks are installed on this thread, so one world at a time.
    pub fn new(options: WorldOptions) -> World {
        let mut dice = Stream::new(options.seed, "sched");
        let drawn = match dice.below(4) {
            0 => Policy::Fifo,
            1 => Policy::Priorities,
            _ => Policy::Uniform,
        };
        let scheduler = Scheduler::new(options.policy.unwrap_or(drawn), dice);
        let core = Core::new(options.seed, scheduler, Trace::new(options.sink));
        let marks =
            Rc::new(Marks::new(Stream::new(options.seed, "buggify").next_u64(), options.buggify, options.planted));
        ouzel_model::hooks::install(Some(marks.clone()));
        World { core, marks, clocks: std::cell::RefCell::new(Stream::new(options.seed, "clock")) }
    }

    fn state(&self) -> std::cell::RefMut<'_, State> {
        self.core.state.borrow_mut()
    }

    // ---- machines and processes ----

    /// A new machine, powered, with an empty disk and no process. Its address is `10.0.0.(n+1)`.
    pub fn add_host(&self, spec: HostSpec) -> HostId {
        let mut dice = self.clocks.borrow_mut();
        let mut clock = Clock { mono_base_ns: dice.below(1 << 42), ..Clock::default() };
        if spec.clock_skew {
            clock.drift_ppm = dice.below(2 * DRIFT_PPM_MAX as u64 + 1) as i64 - DRIFT_PPM_MAX;
            clock.wall_offset_ms = dice.below(2_001) as i64 - 1_000;
        }
        HostId(self.core.add_host(&spec.name, spec.disk_bytes, clock))
    }

    /// Starts a process with `shards` shards on a machine that runs none; `build` makes each shard's root future.
    /// The machine gets power if it had none.
    pub fn start(
        &self,
        host: HostId,
        shards: u16,
        build: impl Fn(Runtime) -> Pin<Box<dyn Future<Output = ()>>> + 'static,
    ) {
        self.core.start(host.0, shards, Rc::new(build));
    }

    /// Asks the process to stop in an orderly way (`Runtime::stopping`).
    pub fn stop(&self, host: HostId) {
        self.core.stop(host.0);
    }

    /// Kills the process: tasks are gone, its kernel closes sockets, pending disk pieces stay pending.
    pub fn kill(&self, host: HostId) {
        if self.is_up(host) {
            self.core.end(host.0, Ended::Killed);
        }
    }

    /// Cuts the power of the machine: each pending piece of its disk is kept, dropped or torn, and peers hear nothing.
    pub fn power_cut(&self, host: HostId) -> CutReport {
        self.core.end(host.0, Ended::PowerCut);
        let report = self.state().hosts[host.0 as usize].drive.cut();
        self.core.record(host.0, 0, What::Fault, report.kept, report.dropped << 32 | report.torn);
        report
    }

    /// Stops the process's polls until `resume`; its clock, disk and kernel go on.
    pub fn pause(&self, host: HostId) {
        self.occupy(host, u64::MAX);
    }

    /// Ends a pause.
    pub fn resume(&self, host: HostId) {
        let now = self.core.now();
        let mut state = self.state();
        let lanes = state.hosts[host.0 as usize].lanes.clone();
        lanes.into_iter().for_each(|lane| state.scheduler.release(lane, now));
    }

    /// One shard runs nothing for `time`: a long poll, or a core taken away.
    pub fn stall(&self, host: HostId, shard: u16, time: Duration) {
        let until = self.core.now() + time.as_nanos() as u64;
        let mut state = self.state();
        let lane = state.hosts[host.0 as usize].lanes.get(usize::from(shard)).copied();
        if let Some(lane) = lane {
            state.scheduler.occupy(lane, until);
        }
    }

    fn occupy(&self, host: HostId, until: u64) {
        let mut state = self.state();
        let lanes = state.hosts[host.0 as usize].lanes.clone();
        lanes.into_iter().for_each(|lane| state.scheduler.occupy(lane, until));
    }

    /// Whether a process runs (or is paused) there.
    pub fn is_up(&self, host: HostId) -> bool {
        self.state().hosts[host.0 as usize].up
    }

    /// How the last process ended; `None` while one runs, or before the first.
    pub fn ended(&self, host: HostId) -> Option<Ended> {
        self.state().hosts[host.0 as usize].ended.clone()
    }

    /// Number of the machine's process, or of its end: a new one at each.
    pub fn life(&self, host: HostId) -> u32 {
        self.state().hosts[host.0 as usize].life
    }

    /// Tasks that shards left behind when their root futures had ended, of this process or the last.
    pub fn leftovers(&self, host: HostId) -> Vec<Leftover> {
        self.state().hosts[host.0 as usize].leftovers.clone()
    }

    /// Files and sockets that were still open when the process had ended in order and all its tasks were gone.
    pub fn leaked(&self, host: HostId) -> (usize, usize) {
        self.state().hosts[host.0 as usize].leaked
    }

    /// Ends of processes so far, of any kind: a cheap sign that [`ended`](Self::ended) may have changed.
    pub fn ends(&self) -> u64 {
        self.core.ends.get()
    }

    /// File handles that the process has open.
    pub fn open_files(&self, host: HostId) -> usize {
        self.state().hosts[host.0 as usize].drive.open_files()
    }

    /// Connections, listeners and connection requests that the process has open.
    pub fn open_sockets(&self, host: HostId) -> usize {
        self.state().network.open_of(host.0)
    }

    /// The machine's name.
    pub fn name(&self, host: HostId) -> String {
        self.state().hosts[host.0 as usize].name.clone()
    }

    /// The machine's address.
    pub fn ip(&self, host: HostId) -> std::net::Ipv4Addr {
        super::tcp::ip_of(host.0)
    }

    // ---- faults ----

    /// Looks at or changes the machine's disk: faults, latencies, capacity, damage.
    pub fn disk<R>(&self, host: HostId, work: impl FnOnce(&mut Drive) -> R) -> R {
        work(&mut self.state().hosts[host.0 as usize].drive)
    }

    /// From now on the disk completes nothing, or works again and completes what it held.
    pub fn hang_disk(&self, host: HostId, hung: bool) {
        self.fault(host, 1, u64::from(hung));
        if hung { self.disk(host, Drive::hang) } else { self.core.unhang(host.0) }
    }

    /// Changes the machine's clocks. Monotonic time is not to be set back: leave its base and drift alone after the start.
    pub fn clock<R>(&self, host: HostId, work: impl FnOnce(&mut Clock, u64) -> R) -> R {
        let now = self.core.now();
        work(&mut self.state().hosts[host.0 as usize].clock, now)
    }

    /// The directed link between two machines.
    pub fn link(&self, from: HostId, to: HostId) -> Link {
        self.state().network.link(from.0, to.0)
    }

    /// Changes a directed link. What a block held is sent again after it is lifted.
    pub fn set_link(&self, from: HostId, to: HostId, link: Link) {
        self.fault(from, 2, u64::from(to.0) << 1 | u64::from(link.blocked));
        let now = self.core.now();
        let mut state = self.state();
        let State { network, agenda, .. } = &mut *state;
        network.set_link(from.0, to.0, link, now, agenda);
    }

    /// Blocks or opens both directions between two machines.
    pub fn block(&self, one: HostId, other: HostId, blocked: bool) {
        for (from, to) in [(one, other), (other, one)] {
            let link = Link { blocked, ..self.link(from, to) };
            self.set_link(from, to, link);
        }
    }

    /// Resets open connections of the machine, each with probability `odds`, in mid-frame. How many.
    pub fn reset_connections(&self, host: HostId, odds: f64, dice: &mut Stream) -> usize {
        self.fault(host, 3, 0);
        let mut state = self.state();
        let ends = state.network.ends_of(host.0);
        let doomed: Vec<_> = ends.into_iter().filter(|_| dice.chance(odds)).collect();
        doomed.iter().for_each(|end| state.network.reset(*end));
        doomed.len()
    }

    /// Odds that an `accept` of the machine fails with EMFILE.
    pub fn set_accept_error(&self, host: HostId, odds: f64) {
        self.state().network.set_accept_error(host.0, odds);
    }

    /// Odds, per poll, that its core stalls for 10 ms to 30 s.
    pub fn set_stall_odds(&self, odds: f64) {
        self.state().scheduler.set_stall_odds(odds);
    }

    fn fault(&self, host: HostId, kind: u64, detail: u64) {
        self.core.record(host.0, 0, What::Fault, kind, detail);
    }

    // ---- time ----

    /// World time since its start. No host's clock shows it.
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.core.now())
    }

    /// Runs for `time`, or until a violation.
    pub fn advance(&self, time: Duration) {
        let until = self.now() + time;
        self.run_until(until, |_| false);
    }

    /// Runs until `done`, asked after every step, or until world time `deadline`, or until a violation. Whether it was done.
    pub fn run_until(&self, deadline: Duration, mut done: impl FnMut(&World) -> bool) -> bool {
        let limit = deadline.as_nanos() as u64;
        loop {
            if done(self) {
                return true;
            }
            if self.violated() || self.core.step(limit) == Step::Idle {
                return false;
            }
        }
    }

    // ---- what was seen ----

    /// A promise was broken: the run ends at the next step.
    pub fn violate(&self, text: String) {
        self.state().violations.push(text);
    }

    fn violated(&self) -> bool {
        !self.state().violations.is_empty()
    }

    /// Promises that were broken so far.
    pub fn violations(&self) -> Vec<String> {
        self.state().violations.clone()
    }

    /// A mark of the workload or a checker in the trace, so that the hash covers it.
    pub fn mark(&self, a: u64, b: u64) {
        self.core.record(NOBODY, 0, What::Mark, a, b);
    }

    /// Hash over every event so far.
    pub fn trace_hash(&self) -> u64 {
        self.state().trace.hash()
    }

    /// Events so far.
    pub fn events(&self) -> u64 {
        self.state().trace.events()
    }

    /// Polls so far.
    pub fn polls(&self) -> u64 {
        self.state().polls
    }

    /// The last events, oldest first.
    pub fn tail(&self) -> Vec<Event> {
        self.state().trace.tail().copied().collect()
    }

    /// Names of the `reached!` marks passed so far, in order of their names.
    pub fn reached(&self) -> Vec<&'static str> {
        self.marks.reached()
    }

    /// Hash over all disks, for the meta test.
    pub fn disks_hash(&self) -> u64 {
        let state = self.state();
        state.hosts.iter().fold(0, |hash, host| super::stream::mix(hash ^ host.drive.image.hash()))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // Tasks hold runtimes and those hold the core: dropping the tasks breaks the circle.
        self.core.discard_all();
        ouzel_model::hooks::install(None);
    }
}

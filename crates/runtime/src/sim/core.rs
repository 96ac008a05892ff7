//! The executor of a world: its tasks, its time, and what each of them may touch through a [`Place`].

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use ouzel_model::{ShardId, Timestamp};
use slab::Slab;

use super::agenda::{Agenda, Due};
use super::clock::Clock;
use super::drive::{Drive, Job};
use super::schedule::Scheduler;
use super::stream::{Stream, hash_bytes};
use super::tcp::{EndId, Network};
use super::trace::{Event, NOBODY, Trace, What};
use crate::clock::Instant;
use crate::disk::Disk;
use crate::executor::panic_message;
use crate::metrics::Registry;
use crate::net::Net;
use crate::rng::Rng;
use crate::runtime::{Home, Runtime};
use crate::sync::Latch;
use crate::task::{Class, Task, TaskCell};

/// A message to another shard arrives this late at most, nanoseconds; one in 256 arrives up to a hundred times later.
const CROSSING_NS: u64 = 20_000;

/// Makes a shard's root future.
pub(super) type Build = Rc<dyn Fn(Runtime) -> Pin<Box<dyn Future<Output = ()>>>>;

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All its root futures ended.
    Stopped,
    /// It called `Runtime::fail` with this reason.
    Failed(String),
    /// A task panicked.
    Panicked(String),
    /// The scenario killed it.
    Killed,
    /// Its machine lost power.
    PowerCut,
}

/// A task that its shard left behind when its root future had ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// The shard.
    pub shard: u16,
    /// Number of the task, as in the trace.
    pub task: u64,
    /// Its class.
    pub class: Class,
}

#[derive(Default)]
struct Woken {
    tasks: Mutex<Vec<(u32, u64)>>,
}

impl Woken {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(u32, u64)>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct TaskWaker {
    slot: u32,
    id: u64,
    queued: AtomicBool,
    woken: Arc<Woken>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // One thread: relaxed is enough, the type only has to be `Sync`.
        if !self.queued.swap(true, Ordering::Relaxed) {
            self.woken.lock().push((self.slot, self.id));
        }
    }
}

struct Entry {
    id: u64,
    host: u16,
    shard: u16,
    lane: usize,
    root: bool,
    class: Class,
    cell: Rc<TaskCell>,
    waker: Arc<TaskWaker>,
}

struct Timer {
    serial: u64,
    fired: bool,
    waker: Waker,
}

/// A machine and the process on it.
pub(super) struct Host {
    pub name: String,
    pub clock: Clock,
    pub drive: Drive,
    /// One per shard.
    pub lanes: Vec<usize>,
    /// Counts processes; a handle of an earlier one does nothing.
    pub life: u32,
    pub up: bool,
    pub boot_id: [u8; 16],
    pub entropy: Stream,
    pub ended: Option<Ended>,
    pub leftovers: Vec<Leftover>,
    /// Files and sockets still open when its last root future had ended and its tasks were gone.
    pub leaked: (usize, usize),
    /// Reason of a failure, acted on when the poll returns.
    failing: Option<Ended>,
    roots: u16,
    stops: Vec<Latch>,
    busy: Vec<[u64; 4]>,
}

pub(super) struct State {
    pub agenda: Agenda,
    pub scheduler: Scheduler,
    pub hosts: Vec<Host>,
    pub network: Network,
    pub trace: Trace,
    pub violations: Vec<String>,
    pub polls: u64,
    crossing: Stream,
    seed: u64,
    timers: Slab<Timer>,
    serial: u64,
}

/// What happened in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A task ran.
    Ran,
    /// Time moved, or events happened.
    Moved,
    /// Nothing is left to do before the limit; time is there now.
    Idle,
}

pub(super) struct Core {
    now: Cell<u64>,
    next_task: Cell<u64>,
    /// Lane, host and task of the poll that is running.
    polling: Cell<Option<(usize, u16, u64)>>,
    tasks: RefCell<Slab<Entry>>,
    woken: Arc<Woken>,
    spare: RefCell<Vec<(u32, u64)>>,
    /// Ends of processes so far.
    pub ends: Cell<u64>,
    pub state: RefCell<State>,
}

impl Core {
    pub fn new(seed: u64, scheduler: Scheduler, trace: Trace) -> Rc<Core> {
        Rc::new(Core {
            now: Cell::new(0),
            next_task: Cell::new(1),
            polling: Cell::new(None),
            tasks: RefCell::default(),
            woken: Arc::default(),
            spare: RefCell::default(),
            ends: Cell::new(0),
            state: RefCell::new(State {
                agenda: Agenda::default(),
                scheduler,
                hosts: Vec::new(),
                network: Network::new(Stream::new(seed, "net")),
                trace,
                violations: Vec::new(),
                polls: 0,
                crossing: Stream::new(seed, "crossing"),
                seed,
                timers: Slab::new(),
                serial: 0,
            }),
        })
    }

    pub fn now(&self) -> u64 {
        self.now.get()
    }

    pub fn record(&self, host: u16, shard: u16, what: What, a: u64, b: u64) {
        let task = self.polling.get().map_or(0, |(_, _, task)| task);
        let at = self.now.get();
        self.state.borrow_mut().trace.record(Event { at, host, shard, task, what, a, b });
    }

    // ---- hosts and processes ----

    pub fn add_host(&self, name: &str, disk_bytes: u64, clock: Clock) -> u16 {
        let mut state = self.state.borrow_mut();
        let host = state.network.add_machine(name);
        let seed = state.seed;
        let mut entropy = Stream::new(seed, "entropy").child(u64::from(host));
        let mut boot_id = [0; 16];
        entropy.fill(&mut boot_id);
        state.hosts.push(Host {
            name: name.to_owned(),
            clock,
            drive: Drive::new(disk_bytes, Stream::new(seed, "disk").child(u64::from(host))),
            lanes: Vec::new(),
            life: 0,
            up: false,
            boot_id,
            entropy,
            ended: None,
            leftovers: Vec::new(),
            leaked: (0, 0),
            failing: None,
            roots: 0,
            stops: Vec::new(),
            busy: Vec::new(),
        });
        host
    }

    /// Starts a process of `shards` shards on the machine, which gets power if it had none.
    pub fn start(self: &Rc<Self>, host: u16, shards: u16, build: Build) {
        assert!(shards > 0, "a broker needs a core");
        let life = {
            let mut state = self.state.borrow_mut();
            let now = self.now.get();
            let State { hosts, network, agenda, scheduler, .. } = &mut *state;
            let machine = &mut hosts[host as usize];
            assert!(!machine.up, "{} runs already", machine.name);
            if machine.ended == Some(Ended::PowerCut) {
                machine.entropy.fill(&mut machine.boot_id);
                network.power_back(host, now, agenda);
            }
            while machine.lanes.len() < usize::from(shards) {
                machine.lanes.push(scheduler.add_lane());
            }
            machine.lanes.iter().for_each(|&lane| scheduler.release(lane, now));
            machine.up = true;
            machine.life += 1;
            machine.ended = None;
            machine.leftovers.clear();
            machine.leaked = (0, 0);
            machine.roots = shards;
            machine.stops.clear();
            machine.busy = vec![[0; 4]; usize::from(shards)];
            machine.life
        };
        self.record(host, 0, What::Node, 0, u64::from(life));
        for shard in 0..shards {
            let place = Place { core: self.clone(), host, life, shard };
            let runtime = place.runtime();
            self.state.borrow_mut().hosts[host as usize].stops.push(runtime.stopping().clone());
            let build = build.clone();
            // Built inside the root task, so that a panic while building is caught like any other.
            self.spawn_at(&place, Class::Serve, async move { build(runtime).await }, true);
        }
    }

    /// Asks all shards of the process to stop in an orderly way.
    pub fn stop(&self, host: u16) {
        self.record(host, 0, What::Node, 1, 0);
        let stops = self.state.borrow().hosts[host as usize].stops.clone();
        stops.iter().for_each(Latch::set);
    }

    /// Ends the process, whatever it does.
    pub fn end(&self, host: u16, how: Ended) {
        let now = self.now.get();
        let cut = how == Ended::PowerCut;
        {
            let mut state = self.state.borrow_mut();
            let State { hosts, network, agenda, scheduler, .. } = &mut *state;
            let machine = &mut hosts[host as usize];
            let was_up = std::mem::replace(&mut machine.up, false);
            machine.life += 1;
            machine.failing = None;
            machine.stops.clear();
            machine.lanes.iter().for_each(|&lane| scheduler.clear(lane));
            if cut {
                network.power_lost(host);
            } else {
                network.process_ended(host, now, agenda);
            }
            if was_up || cut {
                machine.ended = Some(how.clone());
            }
            self.ends.set(self.ends.get() + 1);
        }
        let code = match &how {
            Ended::Stopped => 2,
            Ended::Failed(_) => 3,
            Ended::Panicked(_) => 4,
            Ended::Killed => 5,
            Ended::PowerCut => 6,
        };
        let reason =
            if let Ended::Failed(text) | Ended::Panicked(text) = &how { hash_bytes(text.as_bytes()) } else { 0 };
        self.record(host, 0, What::Node, code, reason);
        self.discard(|entry| entry.host == host);
        // Buffers of operations in flight are theirs, so the disk may settle them after the tasks are gone.
        if !cut {
            self.state.borrow_mut().hosts[host as usize].drive.process_ended();
        }
    }

    /// Drops the tasks in order of their numbers, those that destructors spawn, too.
    fn discard(&self, which: impl Fn(&Entry) -> bool) {
        loop {
            let mut found: Vec<Entry> = Vec::new();
            {
                let mut tasks = self.tasks.borrow_mut();
                let slots: Vec<usize> = tasks.iter().filter(|(_, e)| which(e)).map(|(slot, _)| slot).collect();
                found.extend(slots.into_iter().map(|slot| tasks.remove(slot)));
            }
            if found.is_empty() {
                return;
            }
            found.sort_by_key(|entry| entry.id);
            for entry in found {
                let _ = catch_unwind(AssertUnwindSafe(|| entry.cell.discard()));
            }
            self.drain_woken();
        }
    }

    pub fn discard_all(&self) {
        self.discard(|_| true);
    }

    // ---- tasks ----

    fn spawn_at(&self, place: &Place, class: Class, future: impl Future<Output = ()> + 'static, root: bool) -> Task {
        let id = self.next_task.get();
        self.next_task.set(id + 1);
        let mut tasks = self.tasks.borrow_mut();
        let vacant = tasks.vacant_entry();
        let slot = vacant.key() as u32;
        let waker = Arc::new(TaskWaker { slot, id, queued: AtomicBool::new(true), woken: self.woken.clone() });
        let cell = TaskCell::new(class, future, Waker::from(waker.clone()));
        let mut state = self.state.borrow_mut();
        let now = self.now.get();
        state.trace.record(Event {
            at: now,
            host: place.host,
            shard: place.shard,
            task: id,
            what: What::Spawn,
            a: class as u64,
            b: 0,
        });
        let lane = state.hosts[place.host as usize].lanes[place.shard as usize];
        let alive = state.hosts[place.host as usize].life == place.life;
        if alive {
            state.scheduler.push(lane, slot, id, now);
        }
        drop(state);
        vacant.insert(Entry { id, host: place.host, shard: place.shard, lane, root, class, cell: cell.clone(), waker });
        Task { cell }
    }

    /// Queues what was woken. A wake that crosses shards of one host arrives late.
    fn drain_woken(&self) {
        let mut list = self.spare.take();
        std::mem::swap(&mut list, &mut *self.woken.lock());
        if !list.is_empty() {
            let tasks = self.tasks.borrow();
            let mut state = self.state.borrow_mut();
            let State { scheduler, agenda, crossing, .. } = &mut *state;
            let now = self.now.get();
            for (slot, id) in list.drain(..) {
                let Some(entry) = tasks.get(slot as usize).filter(|e| e.id == id) else { continue };
                match self.polling.get() {
                    Some((lane, host, _)) if lane != entry.lane && host == entry.host => {
                        let late = if crossing.below(256) == 0 { 100 } else { 1 };
                        let delay = crossing.between(500, CROSSING_NS * late);
                        agenda.plan(now + delay, Due::Wake { slot, id });
                    }
                    _ => scheduler.push(entry.lane, slot, id, now),
                }
            }
        }
        *self.spare.borrow_mut() = list;
    }

    /// Does the next thing, but nothing after `limit`.
    pub fn step(&self, limit: u64) -> Step {
        let now = self.now.get();
        let mut moved = false;
        loop {
            let due = self.state.borrow_mut().agenda.pop(now);
            match due {
                Some(due) => moved |= self.happen(due),
                None => break,
            }
        }
        self.drain_woken();
        let pick = self.state.borrow_mut().scheduler.pick(now);
        if let Some(pick) = pick {
            self.run(pick.slot, pick.id, pick.cost, pick.livelock);
            return Step::Ran;
        }
        if moved {
            return Step::Moved;
        }
        let next = {
            let state = self.state.borrow();
            let event = state.agenda.next_at().unwrap_or(u64::MAX);
            event.min(state.scheduler.next_free().unwrap_or(u64::MAX))
        };
        if next > limit {
            self.now.set(limit.max(now));
            return Step::Idle;
        }
        self.now.set(next.max(now));
        Step::Moved
    }

    fn run(&self, slot: u32, id: u64, cost: u64, livelock: bool) {
        let (cell, host, shard, lane, class) = {
            let tasks = self.tasks.borrow();
            let Some(entry) = tasks.get(slot as usize).filter(|e| e.id == id) else { return };
            // Cleared before the poll: a wake during the poll queues the task again.
            entry.waker.queued.store(false, Ordering::Relaxed);
            (entry.cell.clone(), entry.host, entry.shard, entry.lane, entry.class)
        };
        self.polling.set(Some((lane, host, id)));
        self.record(host, shard, What::Poll, cost, 0);
        let polled = catch_unwind(AssertUnwindSafe(|| cell.poll()));
        drop(cell);
        let mut root_ended = false;
        if !matches!(polled, Ok(false)) {
            self.record(host, shard, What::End, 0, 0);
            let entry = self.tasks.borrow_mut().try_remove(slot as usize);
            root_ended = entry.is_some_and(|e| e.root);
        }
        self.drain_woken();
        self.polling.set(None);
        let (failing, name) = {
            let mut state = self.state.borrow_mut();
            state.polls += 1;
            let machine = &mut state.hosts[host as usize];
            machine.busy[shard as usize][class as usize] += cost;
            if let Some(misuse) = machine.drive.take_misuse() {
                let text = format!("misuse of the disk of {}: {misuse}", machine.name);
                state.violations.push(text);
            }
            let machine = &mut state.hosts[host as usize];
            (machine.failing.take(), machine.name.clone())
        };
        if livelock {
            let text = format!("livelock: shard {shard} of {name} was never idle; task {id} ran last");
            self.state.borrow_mut().violations.push(text);
        }
        match polled {
            Err(payload) => self.end(host, Ended::Panicked(panic_message(&*payload))),
            Ok(_) => match failing {
                Some(how) => self.end(host, how),
                None if root_ended => self.root_ended(host, shard),
                None => {}
            },
        }
    }

    /// A shard ends with its root future; the process with its last shard.
    fn root_ended(&self, host: u16, shard: u16) {
        let mut leftovers: Vec<Leftover> = {
            let tasks = self.tasks.borrow();
            let left = tasks.iter().filter(|(_, e)| e.host == host && e.shard == shard);
            left.map(|(_, e)| Leftover { shard, task: e.id, class: e.class }).collect()
        };
        leftovers.sort_by_key(|l| l.task);
        let last = {
            let mut state = self.state.borrow_mut();
            let machine = &mut state.hosts[host as usize];
            machine.leftovers.extend(leftovers);
            machine.roots -= 1;
            machine.roots == 0
        };
        self.discard(|e| e.host == host && e.shard == shard);
        if last {
            {
                let mut state = self.state.borrow_mut();
                let sockets = state.network.open_of(host);
                let machine = &mut state.hosts[host as usize];
                machine.leaked = (machine.drive.open_files(), sockets);
            }
            self.end(host, Ended::Stopped);
        }
    }

    /// An event happens. False when what it was about is gone.
    fn happen(&self, due: Due) -> bool {
        let mut state = self.state.borrow_mut();
        let now = self.now.get();
        let State { agenda, scheduler, hosts, network, trace, timers, .. } = &mut *state;
        let mut record = |host, what, a, b| trace.record(Event { at: now, host, shard: 0, task: 0, what, a, b });
        match due {
            Due::Timer { slot, serial } => {
                let Some(timer) = timers.get_mut(slot as usize).filter(|t| t.serial == serial) else { return false };
                timer.fired = true;
                timer.waker.wake_by_ref();
                record(NOBODY, What::Timer, serial, 0);
            }
            Due::Wake { slot, id } => {
                let tasks = self.tasks.borrow();
                let Some(entry) = tasks.get(slot as usize).filter(|e| e.id == id) else { return false };
                scheduler.push(entry.lane, slot, id, now);
            }
            Due::Disk { host, op, serial } => {
                let drive = &mut hosts[host as usize].drive;
                let Some(kind) = drive.complete(op, serial) else { return false };
                record(host, What::DiskDone, kind as u64, serial);
            }
            Due::Arrive { conn, serial, to } => {
                let arrived = network.arrive(conn, serial, to, now, agenda);
                record(NOBODY, What::NetArrive, serial << 1 | u64::from(to), arrived.map_or(0, |b| b.len() as u64));
            }
            Due::Room { conn, serial, side } => network.room(EndId { conn, serial, side }),
            Due::Reset { conn, serial, side } => {
                network.reset_end(EndId { conn, serial, side });
                record(NOBODY, What::NetState, serial << 1 | u64::from(side), 1);
            }
            Due::GiveUp { conn, serial, to, since } => network.give_up(conn, serial, to, since),
            Due::Syn { request, serial } => network.syn(request, serial, now, agenda),
            Due::SynAck { request, serial } => {
                network.syn_ack(request, serial);
                record(NOBODY, What::NetState, serial, 2);
            }
        }
        true
    }

    // ---- disk commands of the scenario ----

    pub fn unhang(&self, host: u16) {
        let mut state = self.state.borrow_mut();
        let State { agenda, hosts, .. } = &mut *state;
        for (at, op, serial) in hosts[host as usize].drive.unhang(self.now.get()) {
            agenda.plan(at, Due::Disk { host, op, serial });
        }
    }
}

/// One shard of one process, as the homes of disk, net and clock know it.
#[derive(Clone)]
pub(crate) struct Place {
    core: Rc<Core>,
    host: u16,
    life: u32,
    shard: u16,
}

impl Place {
    /// The handle that a shard's code gets.
    fn runtime(&self) -> Runtime {
        let mut hash_key = [0; 16];
        self.entropy(&mut hash_key);
        let mut seed = [0; 8];
        self.entropy(&mut seed);
        let (disk, net) = (Disk::sim(self.clone()), Net::sim(self.clone()));
        let rng = Rng::seeded(u64::from_le_bytes(seed));
        Runtime::new(ShardId(self.shard), disk, net, rng, hash_key, Registry::default(), Home::Sim(self.clone()))
    }

    fn alive(&self) -> bool {
        self.core.state.borrow().hosts[self.host as usize].life == self.life
    }

    pub(crate) fn now(&self) -> Instant {
        let state = self.core.state.borrow();
        Instant::from_nanos(state.hosts[self.host as usize].clock.monotonic(self.core.now()))
    }

    pub(crate) fn wall_clock(&self) -> Timestamp {
        let state = self.core.state.borrow();
        Timestamp(state.hosts[self.host as usize].clock.wall_ms(self.core.now()))
    }

    pub(crate) fn boot_id(&self) -> [u8; 16] {
        self.core.state.borrow().hosts[self.host as usize].boot_id
    }

    pub(crate) fn entropy(&self, buf: &mut [u8]) {
        self.core.state.borrow_mut().hosts[self.host as usize].entropy.fill(buf);
    }

    pub(crate) fn spawn(&self, class: Class, future: impl Future<Output = ()> + 'static) -> Task {
        self.core.spawn_at(self, class, future, false)
    }

    pub(crate) fn busy(&self, class: Class) -> Duration {
        let state = self.core.state.borrow();
        let busy = &state.hosts[self.host as usize].busy;
        Duration::from_nanos(busy.get(self.shard as usize).map_or(0, |b| b[class as usize]))
    }

    pub(crate) fn fail(&self, reason: String) {
        if self.alive() {
            let mut state = self.core.state.borrow_mut();
            state.hosts[self.host as usize].failing.get_or_insert(Ended::Failed(reason));
        }
    }

    pub(crate) fn stop(&self) {
        if self.alive() {
            self.core.stop(self.host);
        }
    }

    pub(crate) fn sleep_until(&self, at: Instant) -> Sleep {
        let world = self.core.state.borrow().hosts[self.host as usize].clock.world_at(at.as_nanos());
        Sleep { place: self.clone(), at: world, timer: None }
    }

    /// Hands an operation to the machine's disk; `hash` is of its payload.
    pub(crate) fn submit(&self, job: Job, hash: u64) {
        if !self.alive() {
            return;
        }
        let kind = job.kind();
        self.core.record(self.host, self.shard, What::DiskSubmit, kind as u64, hash);
        let mut state = self.core.state.borrow_mut();
        let State { agenda, hosts, .. } = &mut *state;
        let due = hosts[self.host as usize].drive.submit(job, self.shard, self.core.now());
        if let Some((at, op, serial)) = due {
            agenda.plan(at, Due::Disk { host: self.host, op, serial });
        }
    }

    /// Looks at the machine's disk; `None` when this process has ended.
    pub(crate) fn drive<R>(&self, look: impl FnOnce(&mut Drive) -> R) -> Option<R> {
        let mut state = self.core.state.borrow_mut();
        let machine = &mut state.hosts[self.host as usize];
        (machine.life == self.life).then(|| look(&mut machine.drive))
    }

    /// Works on the network as this host, at this time; `None` when this process has ended.
    pub(crate) fn network<R>(&self, work: impl FnOnce(&mut Network, u16, u64, &mut Agenda) -> R) -> Option<R> {
        let mut state = self.core.state.borrow_mut();
        let State { agenda, hosts, network, .. } = &mut *state;
        (hosts[self.host as usize].life == self.life).then(|| work(network, self.host, self.core.now(), agenda))
    }

    /// A violation of the host's own promises, found by a home.
    pub(crate) fn misuse(&self, text: String) {
        let mut state = self.core.state.borrow_mut();
        let text = format!("misuse by {}: {text}", state.hosts[self.host as usize].name);
        state.violations.push(text);
    }

    pub(crate) fn record(&self, what: What, a: u64, b: u64) {
        self.core.record(self.host, self.shard, what, a, b);
    }
}

/// A timer of the world.
pub(crate) struct Sleep {
    place: Place,
    at: u64,
    timer: Option<(u32, u64)>,
}

impl Sleep {
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let core = &self.place.core;
        if core.now() >= self.at {
            self.cancel();
            return Poll::Ready(());
        }
        let mut state = core.state.borrow_mut();
        match self.timer {
            Some((slot, _)) => {
                let timer = &mut state.timers[slot as usize];
                debug_assert!(!timer.fired, "a timer fires at its time");
                timer.waker.clone_from(cx.waker());
            }
            None => {
                state.serial += 1;
                let serial = state.serial;
                let timer = Timer { serial, fired: false, waker: cx.waker().clone() };
                let slot = state.timers.insert(timer) as u32;
                state.agenda.plan(self.at, Due::Timer { slot, serial });
                self.timer = Some((slot, serial));
            }
        }
        Poll::Pending
    }

    fn cancel(&mut self) {
        if let Some((slot, _)) = self.timer.take() {
            self.place.core.state.borrow_mut().timers.remove(slot as usize);
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// Names of the planted bugs that a run switches on.
pub type Planted = BTreeSet<String>;

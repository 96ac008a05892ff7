//! A network of machines: directed links and TCP connections over them, as a kernel shows them.
//!
//! Bytes of a connection arrive in order, cut anywhere, late; a blocked link holds them and they arrive after it heals,
//! or the sender gives up. A process that ends sends FIN, or RST when it left bytes unread; a machine that loses power
//! sends nothing, so its peers are left half-open until they send and the machine is up again.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::task::Waker;

use bytes::{Buf as _, Bytes};
use slab::Slab;

use super::agenda::{Agenda, Due};
use super::stream::{Stream, hash_bytes, mix};

/// Bytes in flight and unread in one direction before a writer waits.
const WINDOW: usize = 256 * 1024;
/// A segment at most.
const SEGMENT: usize = 64 * 1024;
/// Connections waiting for `accept` on one listener.
const BACKLOG: usize = 1024;
/// How long a kernel tries to get bytes through before it reports `TimedOut`.
const GIVE_UP_NS: u64 = 120_000_000_000;
/// How long a kernel tries to connect.
const CONNECT_NS: u64 = 127_000_000_000;
const MS: u64 = 1_000_000;

/// A directed link between two machines.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// One way, typical, nanoseconds.
    pub latency_ns: u64,
    /// Nanoseconds a byte takes.
    pub ns_per_byte: u64,
    /// Odds that a segment is lost and comes 200 ms or more later.
    pub loss: f64,
    /// Nothing passes.
    pub blocked: bool,
}

impl Default for Link {
    fn default() -> Link {
        Link { latency_ns: 200_000, ns_per_byte: 1, loss: 0.0, blocked: false }
    }
}

enum Segment {
    Data(Bytes),
    Fin,
    Rst,
}

struct Flying {
    at: u64,
    segment: Segment,
}

/// One direction of a connection.
#[derive(Default)]
struct Pipe {
    flying: VecDeque<Flying>,
    /// World time since when the head can't get through.
    held: Option<u64>,
    inbox: VecDeque<Bytes>,
    /// Bytes flying or in the inbox.
    unread: usize,
    last_at: u64,
    fin_sent: bool,
    fin_seen: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EndState {
    Open,
    /// Its owner closed it or ended; the kernel answers for it.
    Closed,
    /// Its machine lost power: nobody answers.
    Vanished,
}

struct End {
    host: u16,
    addr: SocketAddr,
    state: EndState,
    error: Option<io::ErrorKind>,
    readers: Vec<Waker>,
    writers: Vec<Waker>,
}

impl End {
    fn wake(&mut self) {
        self.readers.drain(..).chain(self.writers.drain(..)).for_each(Waker::wake);
    }
}

struct Conn {
    serial: u64,
    ends: [End; 2],
    /// `pipes[n]` leads to `ends[n]`.
    pipes: [Pipe; 2],
}

/// A connection end as its owner names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EndId {
    pub conn: u32,
    pub serial: u64,
    pub side: u8,
}

struct Listening {
    host: u16,
    port: u16,
    backlog: VecDeque<EndId>,
    acceptors: Vec<Waker>,
}

enum Answer {
    Waiting,
    Connected(EndId),
    Failed(io::ErrorKind),
}

struct Request {
    serial: u64,
    from: u16,
    to: SocketAddr,
    target: Option<u16>,
    give_up: u64,
    wait: u64,
    answer: Answer,
    waker: Option<Waker>,
}

struct Machine {
    powered: bool,
    next_port: u16,
    /// Odds that an `accept` fails with EMFILE.
    accept_error: f64,
}

/// The network.
pub(crate) struct Network {
    dice: Stream,
    serial: u64,
    conns: Slab<Conn>,
    listeners: Slab<Listening>,
    ports: BTreeMap<(u16, u16), Vec<u32>>,
    requests: Slab<Request>,
    machines: Vec<Machine>,
    /// `links[from][to]`.
    links: Vec<Vec<Link>>,
    names: BTreeMap<String, u16>,
    /// How bytes are cut: odds that a segment is cut again at a random byte.
    pub cut_odds: f64,
}

/// Address of a machine.
pub(crate) fn ip_of(host: u16) -> Ipv4Addr {
    let [high, low] = (host + 1).to_be_bytes();
    Ipv4Addr::new(10, 0, high, low)
}

fn wait(list: &mut Vec<Waker>, waker: &Waker) {
    if !list.iter().any(|w| w.will_wake(waker)) {
        list.push(waker.clone());
    }
}

impl Network {
    pub fn new(dice: Stream) -> Network {
        Network {
            dice,
            serial: 0,
            conns: Slab::new(),
            listeners: Slab::new(),
            ports: BTreeMap::new(),
            requests: Slab::new(),
            machines: Vec::new(),
            links: Vec::new(),
            names: BTreeMap::new(),
            cut_odds: 0.2,
        }
    }

    /// The next machine; its number counts from 0.
    pub fn add_machine(&mut self, name: &str) -> u16 {
        let host = self.machines.len() as u16;
        self.machines.push(Machine { powered: true, next_port: 32_768, accept_error: 0.0 });
        self.links.iter_mut().for_each(|row| row.push(Link::default()));
        self.links.push(vec![Link::default(); self.machines.len()]);
        self.links[host as usize][host as usize] =
            Link { latency_ns: 15_000, ns_per_byte: 0, loss: 0.0, blocked: false };
        self.names.insert(name.to_owned(), host);
        host
    }

    pub fn set_accept_error(&mut self, host: u16, odds: f64) {
        self.machines[host as usize].accept_error = odds;
    }

    pub fn link(&self, from: u16, to: u16) -> Link {
        self.links[from as usize][to as usize]
    }

    /// Changes a link. What a block held goes on when it is lifted.
    pub fn set_link(&mut self, from: u16, to: u16, link: Link, now: u64, agenda: &mut Agenda) {
        if from == to {
            return;
        }
        let healed = std::mem::replace(&mut self.links[from as usize][to as usize], link).blocked && !link.blocked;
        if healed {
            self.resume(now, agenda, |conn, side| conn.ends[1 - side].host == from && conn.ends[side].host == to);
        }
    }

    /// Retransmits held heads of the pipes that `which` names.
    fn resume(&mut self, now: u64, agenda: &mut Agenda, which: impl Fn(&Conn, usize) -> bool) {
        let Network { conns, dice, .. } = self;
        for (slot, conn) in conns.iter_mut() {
            for side in 0..2 {
                if conn.pipes[side].held.is_none() || !which(conn, side) {
                    continue;
                }
                // The sender's timer has backed off, in proportion to how long it was held.
                let since = conn.pipes[side].held.take().unwrap_or(now);
                let backoff = dice.below((now - since).clamp(MS, 3_000 * MS));
                let at = now + backoff;
                conn.pipes[side].last_at = conn.pipes[side].last_at.max(at);
                if let Some(head) = conn.pipes[side].flying.front_mut() {
                    head.at = head.at.max(at);
                    agenda.plan(head.at, Due::Arrive { conn: slot as u32, serial: conn.serial, to: side as u8 });
                }
            }
        }
    }

    fn delay(&mut self, from: u16, to: u16, bytes: usize) -> u64 {
        let link = self.links[from as usize][to as usize];
        let mut delay = self.dice.latency(link.latency_ns) + link.ns_per_byte * bytes as u64;
        let mut again = 200 * MS;
        while link.loss > 0.0 && self.dice.chance(link.loss) && again < 60_000 * MS {
            delay += again;
            again *= 2;
        }
        delay
    }

    // ---- names and listeners ----

    /// The machine an address means to `from`.
    fn machine_at(&self, from: u16, ip: IpAddr) -> Option<u16> {
        if ip.is_loopback() || ip.is_unspecified() {
            return Some(from);
        }
        (0..self.machines.len() as u16).find(|&host| IpAddr::V4(ip_of(host)) == ip)
    }

    pub fn resolve(&self, from: u16, name: &str) -> io::Result<IpAddr> {
        if let Ok(ip) = name.parse() {
            return Ok(ip);
        }
        match self.names.get(name) {
            Some(&host) => Ok(IpAddr::V4(ip_of(host))),
            None if name == "localhost" => Ok(IpAddr::V4(ip_of(from))),
            None => Err(io::Error::new(io::ErrorKind::NotFound, format!("no such host: {name}"))),
        }
    }

    pub fn listen(&mut self, host: u16, addr: SocketAddr) -> io::Result<(u32, SocketAddr)> {
        if self.machine_at(host, addr.ip()) != Some(host) {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        let port = if addr.port() == 0 { self.free_port(host) } else { addr.port() };
        let listening = Listening { host, port, backlog: VecDeque::new(), acceptors: Vec::new() };
        let id = self.listeners.insert(listening) as u32;
        self.ports.entry((host, port)).or_default().push(id);
        let ip = if addr.ip().is_unspecified() { IpAddr::V4(ip_of(host)) } else { addr.ip() };
        Ok((id, SocketAddr::new(ip, port)))
    }

    fn free_port(&mut self, host: u16) -> u16 {
        loop {
            let machine = &mut self.machines[host as usize];
            let port = machine.next_port;
            machine.next_port = if port == 60_999 { 32_768 } else { port + 1 };
            if !self.ports.contains_key(&(host, port)) {
                return port;
            }
        }
    }

    pub fn unlisten(&mut self, id: u32, now: u64, agenda: &mut Agenda) {
        let Some(listening) = self.listeners.try_remove(id as usize) else { return };
        let key = (listening.host, listening.port);
        if let Some(ids) = self.ports.get_mut(&key) {
            ids.retain(|&other| other != id);
            if ids.is_empty() {
                self.ports.remove(&key);
            }
        }
        for end in listening.backlog {
            self.close(end, true, now, agenda);
        }
    }

    /// The next connection; `None` when there is none yet.
    pub fn accept(&mut self, id: u32, waker: &Waker) -> Option<io::Result<EndId>> {
        let listening = self.listeners.get_mut(id as usize)?;
        if listening.backlog.is_empty() {
            wait(&mut listening.acceptors, waker);
            return None;
        }
        if self.dice.chance(self.machines[listening.host as usize].accept_error) {
            // EMFILE: the connection stays in the backlog.
            return Some(Err(io::Error::from_raw_os_error(24)));
        }
        let end = listening.backlog.pop_front();
        end.map(Ok)
    }

    // ---- connecting ----

    pub fn connect(&mut self, from: u16, to: SocketAddr, now: u64, agenda: &mut Agenda) -> (u32, u64) {
        self.serial += 1;
        let serial = self.serial;
        let target = self.machine_at(from, to.ip());
        let request = Request {
            serial,
            from,
            to,
            target,
            give_up: now + CONNECT_NS,
            wait: 1_000 * MS,
            answer: Answer::Waiting,
            waker: None,
        };
        let slot = self.requests.insert(request) as u32;
        let delay = self.delay(from, target.unwrap_or(from), 0);
        agenda.plan(now + delay, Due::Syn { request: slot, serial });
        (slot, serial)
    }

    fn request(&mut self, slot: u32, serial: u64) -> Option<&mut Request> {
        self.requests.get_mut(slot as usize).filter(|r| r.serial == serial)
    }

    /// A connection request arrives, or its retransmission.
    pub fn syn(&mut self, slot: u32, serial: u64, now: u64, agenda: &mut Agenda) {
        let Some(request) = self.request(slot, serial) else { return };
        let (from, to, target) = (request.from, request.to, request.target);
        let reachable = target.filter(|&host| {
            self.machines[host as usize].powered && !self.link(from, host).blocked && !self.link(host, from).blocked
        });
        let Some(host) = reachable else { return self.retry(slot, serial, now, agenda) };
        let back = self.delay(host, from, 0);
        let listeners = self.ports.get(&(host, to.port())).cloned().unwrap_or_default();
        if listeners.is_empty() {
            if let Some(request) = self.request(slot, serial) {
                request.answer = Answer::Failed(io::ErrorKind::ConnectionRefused);
            }
            return agenda.plan(now + back, Due::SynAck { request: slot, serial });
        }
        let listener = listeners[self.dice.below(listeners.len() as u64) as usize];
        if self.listeners[listener as usize].backlog.len() >= BACKLOG {
            return self.retry(slot, serial, now, agenda);
        }
        let port = self.free_port(from);
        self.serial += 1;
        let end = |host, addr| End {
            host,
            addr,
            state: EndState::Open,
            error: None,
            readers: Vec::new(),
            writers: Vec::new(),
        };
        let local = if from == host { to.ip() } else { IpAddr::V4(ip_of(from)) };
        let conn = Conn {
            serial: self.serial,
            ends: [end(from, SocketAddr::new(local, port)), end(host, to)],
            pipes: [Pipe::default(), Pipe::default()],
        };
        let conn = self.conns.insert(conn) as u32;
        let listening = &mut self.listeners[listener as usize];
        listening.backlog.push_back(EndId { conn, serial: self.serial, side: 1 });
        listening.acceptors.drain(..).for_each(Waker::wake);
        let connected = Answer::Connected(EndId { conn, serial: self.serial, side: 0 });
        if let Some(request) = self.request(slot, serial) {
            request.answer = connected;
        }
        agenda.plan(now + back, Due::SynAck { request: slot, serial });
    }

    fn retry(&mut self, slot: u32, serial: u64, now: u64, agenda: &mut Agenda) {
        let Some(request) = self.request(slot, serial) else { return };
        let at = now + request.wait;
        request.wait *= 2;
        if at >= request.give_up {
            request.answer = Answer::Failed(io::ErrorKind::TimedOut);
            return agenda.plan(at, Due::SynAck { request: slot, serial });
        }
        agenda.plan(at, Due::Syn { request: slot, serial });
    }

    /// The answer reached the asker.
    pub fn syn_ack(&mut self, slot: u32, serial: u64) {
        if let Some(waker) = self.request(slot, serial).and_then(|r| r.waker.take()) {
            waker.wake();
        }
        if let Some(request) = self.request(slot, serial) {
            request.give_up = 0;
        }
    }

    /// The outcome of a request, once it has arrived.
    pub fn connected(&mut self, slot: u32, serial: u64, waker: &Waker) -> Option<io::Result<EndId>> {
        let Some(request) = self.request(slot, serial) else {
            return Some(Err(io::ErrorKind::ConnectionAborted.into()));
        };
        if request.give_up != 0 {
            request.waker = Some(waker.clone());
            return None;
        }
        let outcome = match request.answer {
            Answer::Connected(end) => Ok(end),
            Answer::Failed(kind) => Err(kind.into()),
            Answer::Waiting => return None,
        };
        self.requests.remove(slot as usize);
        Some(outcome)
    }

    /// The asker went away.
    pub fn forget_request(&mut self, slot: u32, serial: u64, now: u64, agenda: &mut Agenda) {
        if self.request(slot, serial).is_none() {
            return;
        }
        if let Answer::Connected(end) = self.requests.remove(slot as usize).answer {
            self.close(end, true, now, agenda);
        }
    }

    // ---- a connection end ----

    fn conn(&mut self, id: EndId) -> Option<&mut Conn> {
        self.conns.get_mut(id.conn as usize).filter(|c| c.serial == id.serial)
    }

    /// Addresses of this end and of its peer.
    pub fn addrs(&self, id: EndId) -> Option<(SocketAddr, SocketAddr)> {
        let conn = self.conns.get(id.conn as usize).filter(|c| c.serial == id.serial)?;
        Some((conn.ends[id.side as usize].addr, conn.ends[1 - id.side as usize].addr))
    }

    /// Whether a read would return at once; else the waker is kept.
    pub fn poll_readable(&mut self, id: EndId, waker: &Waker) -> bool {
        let Some(conn) = self.conn(id) else { return true };
        let side = id.side as usize;
        let ready = !conn.pipes[side].inbox.is_empty() || conn.pipes[side].fin_seen || conn.ends[side].error.is_some();
        if !ready {
            wait(&mut conn.ends[side].readers, waker);
        }
        ready
    }

    /// Whether a write would take bytes or fail at once; else the waker is kept.
    pub fn poll_writable(&mut self, id: EndId, waker: &Waker) -> bool {
        let Some(conn) = self.conn(id) else { return true };
        let side = id.side as usize;
        let pipe = &conn.pipes[1 - side];
        let ready = pipe.unread < WINDOW || pipe.fin_sent || conn.ends[side].error.is_some();
        if !ready {
            wait(&mut conn.ends[side].writers, waker);
        }
        ready
    }

    pub fn try_read(&mut self, id: EndId, out: &mut [u8], now: u64, agenda: &mut Agenda) -> io::Result<usize> {
        let side = id.side as usize;
        let Some(conn) = self.conn(id) else { return Err(io::ErrorKind::NotConnected.into()) };
        let pipe = &mut conn.pipes[side];
        if pipe.inbox.is_empty() {
            return match conn.ends[side].error {
                Some(kind) => Err(kind.into()),
                None if pipe.fin_seen => Ok(0),
                None => Err(io::ErrorKind::WouldBlock.into()),
            };
        }
        let was_full = pipe.unread >= WINDOW;
        let mut taken = 0;
        while taken < out.len()
            && let Some(head) = pipe.inbox.front_mut()
        {
            let take = head.len().min(out.len() - taken);
            out[taken..taken + take].copy_from_slice(&head[..take]);
            head.advance(take);
            taken += take;
            if head.is_empty() {
                pipe.inbox.pop_front();
            }
        }
        pipe.unread -= taken;
        if was_full && pipe.unread < WINDOW {
            let (from, to) = (conn.ends[side].host, conn.ends[1 - side].host);
            let delay = self.delay(from, to, 0);
            agenda.plan(now + delay, Due::Room { conn: id.conn, serial: id.serial, side: 1 - id.side });
        }
        Ok(taken)
    }

    /// Sends what fits of `parts`, consuming it: the bytes taken and their hash.
    pub fn try_write(
        &mut self,
        id: EndId,
        parts: &mut VecDeque<Bytes>,
        now: u64,
        agenda: &mut Agenda,
    ) -> io::Result<(usize, u64)> {
        let side = id.side as usize;
        let Some(conn) = self.conn(id) else { return Err(io::ErrorKind::NotConnected.into()) };
        if let Some(kind) = conn.ends[side].error {
            return Err(kind.into());
        }
        let pipe = &conn.pipes[1 - side];
        if pipe.fin_sent {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let mut room = WINDOW.saturating_sub(pipe.unread);
        while parts.front().is_some_and(Bytes::is_empty) {
            parts.pop_front();
        }
        if parts.is_empty() {
            return Ok((0, 0));
        }
        if room == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let (mut taken, mut hash) = (0, 0);
        while room > 0
            && let Some(head) = parts.front_mut()
        {
            let mut take = head.len().min(room).min(SEGMENT);
            if take > 1 && self.dice.chance(self.cut_odds) {
                take = self.dice.between(1, take as u64) as usize;
            }
            let data = head.split_to(take);
            if head.is_empty() {
                parts.pop_front();
            }
            room -= take;
            taken += take;
            hash = mix(hash ^ hash_bytes(&data));
            self.send(id, Segment::Data(data), now, agenda);
        }
        Ok((taken, hash))
    }

    /// Puts a segment on its way to the peer of `id`.
    fn send(&mut self, id: EndId, segment: Segment, now: u64, agenda: &mut Agenda) {
        let (side, peer) = (id.side as usize, 1 - id.side as usize);
        let Some(conn) = self.conn(id) else { return };
        let (from, to) = (conn.ends[side].host, conn.ends[peer].host);
        let bytes = if let Segment::Data(data) = &segment { data.len() } else { 0 };
        let delay = self.delay(from, to, bytes);
        let Some(conn) = self.conn(id) else { return };
        let pipe = &mut conn.pipes[peer];
        let at = (now + delay).max(pipe.last_at + 1);
        pipe.last_at = at;
        pipe.unread += bytes;
        pipe.fin_sent |= matches!(segment, Segment::Fin | Segment::Rst);
        pipe.flying.push_back(Flying { at, segment });
        if pipe.flying.len() == 1 && pipe.held.is_none() {
            agenda.plan(at, Due::Arrive { conn: id.conn, serial: id.serial, to: peer as u8 });
        }
    }

    /// The head of the pipe to side `to` arrives. What arrived, for the trace: bytes, or 0.
    pub fn arrive(&mut self, slot: u32, serial: u64, to: u8, now: u64, agenda: &mut Agenda) -> Option<Bytes> {
        let id = EndId { conn: slot, serial, side: to };
        let side = to as usize;
        let conn = self.conns.get_mut(slot as usize).filter(|c| c.serial == serial)?;
        if conn.pipes[side].held.is_some() || conn.pipes[side].flying.front()?.at > now {
            return None;
        }
        let (from, host) = (conn.ends[1 - side].host, conn.ends[side].host);
        let lost = self.links[from as usize][host as usize].blocked || !self.machines[host as usize].powered;
        if lost {
            conn.pipes[side].held = Some(now);
            agenda.plan(now + GIVE_UP_NS, Due::GiveUp { conn: slot, serial, to, since: now });
            return None;
        }
        let head = conn.pipes[side].flying.pop_front()?;
        if let Some(next) = conn.pipes[side].flying.front() {
            agenda.plan(next.at.max(now), Due::Arrive { conn: slot, serial, to });
        }
        let end = &mut conn.ends[side];
        let pipe = &mut conn.pipes[side];
        let mut arrived = None;
        match (head.segment, end.state) {
            (Segment::Data(data), EndState::Open) if end.error.is_none() => {
                arrived = Some(data.clone());
                pipe.inbox.push_back(data);
                end.readers.drain(..).for_each(Waker::wake);
            }
            (Segment::Data(_), _) => {
                // Nobody there to read: the kernel answers with RST.
                let back = self.delay(host, from, 0);
                agenda.plan(now + back, Due::Reset { conn: slot, serial, side: 1 - to });
            }
            (Segment::Fin, _) => {
                pipe.fin_seen = true;
                end.readers.drain(..).for_each(Waker::wake);
            }
            (Segment::Rst, _) => self.reset_end(id),
        }
        self.reap(slot);
        arrived
    }

    /// The end learns that its connection is gone; some kernels throw away what it had not read.
    pub fn reset_end(&mut self, id: EndId) {
        let purge = self.dice.chance(0.5);
        let side = id.side as usize;
        let Some(conn) = self.conn(id) else { return };
        conn.ends[side].error.get_or_insert(io::ErrorKind::ConnectionReset);
        conn.ends[side].wake();
        conn.pipes[1 - side].flying.clear();
        conn.pipes[1 - side].held = None;
        if purge {
            conn.pipes[side].inbox.clear();
        }
        self.reap(id.conn);
    }

    /// A writer may look again.
    pub fn room(&mut self, id: EndId) {
        if let Some(conn) = self.conn(id) {
            conn.ends[id.side as usize].writers.drain(..).for_each(Waker::wake);
        }
    }

    /// The sender of a held pipe has tried long enough.
    pub fn give_up(&mut self, slot: u32, serial: u64, to: u8, since: u64) {
        let Some(conn) = self.conns.get_mut(slot as usize).filter(|c| c.serial == serial) else { return };
        let (side, sender) = (to as usize, 1 - to as usize);
        if conn.pipes[side].held != Some(since) {
            return;
        }
        conn.pipes[side].held = None;
        conn.pipes[side].flying.clear();
        conn.ends[sender].error.get_or_insert(io::ErrorKind::TimedOut);
        conn.ends[sender].wake();
        self.reap(slot);
    }

    /// Both directions end at this side; what was sent still arrives.
    pub fn shutdown(&mut self, id: EndId, now: u64, agenda: &mut Agenda) {
        let Some(conn) = self.conn(id) else { return };
        conn.pipes[id.side as usize].fin_seen = true;
        conn.ends[id.side as usize].wake();
        if conn.ends[id.side as usize].error.is_none() && !conn.pipes[1 - id.side as usize].fin_sent {
            self.send(id, Segment::Fin, now, agenda);
        }
    }

    /// The owner closes its end. `abort`, or bytes it did not read, make it a reset.
    pub fn close(&mut self, id: EndId, abort: bool, now: u64, agenda: &mut Agenda) {
        let side = id.side as usize;
        let Some(conn) = self.conn(id) else { return };
        if conn.ends[side].state != EndState::Open {
            return;
        }
        conn.ends[side].state = EndState::Closed;
        conn.ends[side].readers.clear();
        conn.ends[side].writers.clear();
        let unread = std::mem::take(&mut conn.pipes[side].inbox).iter().map(Bytes::len).sum::<usize>();
        conn.pipes[side].unread -= unread;
        if conn.ends[side].error.is_none() {
            if abort || unread > 0 {
                self.send(id, Segment::Rst, now, agenda);
            } else if !conn.pipes[1 - side].fin_sent {
                self.send(id, Segment::Fin, now, agenda);
            }
        }
        self.reap(id.conn);
    }

    /// Both ends see a reset now, whatever was on its way.
    pub fn reset(&mut self, id: EndId) {
        let Some(conn) = self.conn(id) else { return };
        for side in 0..2 {
            conn.ends[side].error.get_or_insert(io::ErrorKind::ConnectionReset);
            conn.ends[side].wake();
            conn.pipes[side] = Pipe { last_at: conn.pipes[side].last_at, ..Pipe::default() };
        }
        self.reap(id.conn);
    }

    /// Ends that are open or closed at the machine, in order.
    pub fn ends_of(&self, host: u16) -> Vec<EndId> {
        let mut found = Vec::new();
        for (slot, conn) in &self.conns {
            for side in 0..2 {
                if conn.ends[side].host == host && conn.ends[side].state == EndState::Open {
                    found.push(EndId { conn: slot as u32, serial: conn.serial, side: side as u8 });
                }
            }
        }
        found
    }

    /// The process of the machine ended: its kernel closes everything.
    pub fn process_ended(&mut self, host: u16, now: u64, agenda: &mut Agenda) {
        let listeners: Vec<u32> =
            self.listeners.iter().filter(|(_, l)| l.host == host).map(|(id, _)| id as u32).collect();
        listeners.into_iter().for_each(|id| self.unlisten(id, now, agenda));
        let requests: Vec<(u32, u64)> =
            self.requests.iter().filter(|(_, r)| r.from == host).map(|(slot, r)| (slot as u32, r.serial)).collect();
        requests.into_iter().for_each(|(slot, serial)| self.forget_request(slot, serial, now, agenda));
        self.ends_of(host).into_iter().for_each(|end| self.close(end, false, now, agenda));
    }

    /// The machine loses power: it sends nothing any more, and what it had in flight beyond its card is gone.
    pub fn power_lost(&mut self, host: u16) {
        self.machines[host as usize].powered = false;
        let gone: Vec<u32> = self.listeners.iter().filter(|(_, l)| l.host == host).map(|(id, _)| id as u32).collect();
        for id in gone {
            let listening = self.listeners.remove(id as usize);
            self.ports.remove(&(listening.host, listening.port));
        }
        self.requests.retain(|_, r| r.from != host);
        let ends: Vec<u32> = self
            .conns
            .iter()
            .filter(|(_, c)| c.ends.iter().any(|e| e.host == host))
            .map(|(slot, _)| slot as u32)
            .collect();
        for slot in ends {
            let conn = &mut self.conns[slot as usize];
            for side in 0..2 {
                if conn.ends[side].host == host && conn.ends[side].state != EndState::Vanished {
                    let end = &mut conn.ends[side];
                    end.state = EndState::Vanished;
                    end.readers.clear();
                    end.writers.clear();
                    let last_at = conn.pipes[side].last_at;
                    conn.pipes[side].inbox.clear();
                    // Its own segments on the wire are lost with it, and with them the order to send a reset.
                    conn.pipes[1 - side].flying.clear();
                    conn.pipes[1 - side].held = None;
                    conn.pipes[side].last_at = last_at;
                }
            }
            self.reap(slot);
        }
    }

    /// The machine has power again: what peers still send to its earlier life is answered with a reset.
    pub fn power_back(&mut self, host: u16, now: u64, agenda: &mut Agenda) {
        self.machines[host as usize].powered = true;
        self.resume(now, agenda, |conn, side| conn.ends[side].host == host);
    }

    /// Forgets a connection that no owner can see any more.
    fn reap(&mut self, slot: u32) {
        let Some(conn) = self.conns.get(slot as usize) else { return };
        let gone = |side: usize| {
            conn.ends[side].state != EndState::Open
                && (conn.pipes[1 - side].flying.is_empty() || conn.ends[1 - side].state != EndState::Open)
        };
        if gone(0) && gone(1) {
            self.conns.remove(slot as usize);
        }
    }

    /// Connections, listeners and requests of the machine.
    pub fn open_of(&self, host: u16) -> usize {
        self.ends_of(host).len()
            + self.listeners.iter().filter(|(_, l)| l.host == host).count()
            + self.requests.iter().filter(|(_, r)| r.from == host).count()
    }
}

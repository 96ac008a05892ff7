//! Every order of events of three replicas, within a budget.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use super::cluster::{Cluster, Event, Node, Packet, Payload};
use super::disk::DiskFault;
use super::laws::Broken;
use crate::{Body, Config, Role};

/// How much may happen on one path.
#[derive(Clone, Copy, Debug, Hash)]
pub struct Budget {
    /// Campaigns.
    pub elections: u8,
    /// Heartbeats of leaders.
    pub heartbeats: u8,
    /// Entries proposed.
    pub proposals: u8,
    /// Crashes, each with every prefix of its waiting writes.
    pub crashes: u8,
    /// Messages delivered a second time.
    pub doubles: u8,
    /// Events in all.
    pub depth: u16,
    /// Different states looked at, after which the search ends.
    pub states: usize,
}

/// What a search has seen.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Different states.
    pub states: usize,
    /// Events of the longest path.
    pub depth: u16,
    /// Whether the budget of states sufficed for all.
    pub complete: bool,
    /// The most entries committed.
    pub committed: usize,
}

#[derive(Clone, Hash)]
struct State {
    cluster: Cluster,
    /// On their way, in no order, each once: a message is lost by never arriving.
    packets: Vec<Rc<Packet>>,
    left: Budget,
    begun: bool,
}

#[derive(Clone, Debug)]
enum Move {
    Timer(usize),
    Propose(usize),
    /// All that waits becomes durable, and the group hears of it.
    Durable(usize),
    Crash(usize, usize),
    Arrive {
        place: usize,
        again: bool,
    },
}

/// Looks at states nearest to the start first. All timeouts are zero, so time takes no part in a state.
pub fn search(budget: Budget) -> (Found, Result<(), Broken>) {
    let config = Config { election_ms_min: 0, election_ms_max: 0, heartbeat_ms: 0, ..Config::default() };
    let mut found = Found { complete: true, ..Found::default() };
    let mut cluster = match Cluster::new(config, 3, DiskFault::None) {
        Ok(cluster) => cluster,
        Err(broken) => return (found, Err(broken)),
    };
    cluster.hints = false;
    let mut seen = BTreeSet::new();
    let mut layer = vec![State { cluster, packets: Vec::new(), left: budget, begun: false }];
    while !layer.is_empty() && found.depth < budget.depth {
        found.depth += 1;
        let mut next = Vec::new();
        for state in &layer {
            for step in state.moves() {
                let mut after = state.clone();
                if let Err(broken) = after.make(&step) {
                    return (found, Err(broken));
                }
                let mut hasher = Mix::default();
                after.hash(&mut hasher);
                if !seen.insert(hasher.finish()) {
                    continue;
                }
                found.states += 1;
                found.committed = found.committed.max(after.cluster.laws.committed.len());
                if found.states >= budget.states {
                    found.complete = false;
                    return (found, Ok(()));
                }
                next.push(after);
            }
        }
        layer = next;
    }
    (found, Ok(()))
}

impl State {
    fn moves(&self) -> Vec<Move> {
        let mut moves = Vec::new();
        for (at, node) in self.cluster.nodes.iter().enumerate() {
            let Some(group) = &node.group else { continue };
            let leads = matches!(group.role(), Role::Leader { .. });
            // Before the first election all replicas are alike, so it is the first one's.
            let may_campaign = self.left.elections > 0 && (at == 0 || self.begun);
            if if leads { self.left.heartbeats > 0 } else { may_campaign } {
                moves.push(Move::Timer(at));
            }
            if leads && self.left.proposals > 0 {
                moves.push(Move::Propose(at));
            }
            if node.disk.waiting() > 0 {
                moves.push(Move::Durable(at));
            }
            if self.left.crashes > 0 {
                moves.extend((0..=node.disk.waiting()).map(|kept| Move::Crash(at, kept)));
            }
        }
        for place in 0..self.packets.len() {
            moves.push(Move::Arrive { place, again: false });
            if self.left.doubles > 0 {
                moves.push(Move::Arrive { place, again: true });
            }
        }
        moves
    }

    fn make(&mut self, step: &Move) -> Result<(), Broken> {
        let packets = match *step {
            Move::Timer(at) => {
                let leads = self.cluster.group(at).is_some_and(|group| group.next_entry().is_some());
                let left = if leads { &mut self.left.heartbeats } else { &mut self.left.elections };
                *left -= 1;
                self.begun = true;
                self.cluster.step(at, 0, Event::Timer { random: 0 })?
            }
            Move::Propose(at) => {
                self.left.proposals -= 1;
                // Named after the proposals left, so that every entry is another one.
                let values = vec![u64::from(self.left.proposals) + 1];
                self.cluster.step(at, 0, Event::Propose { values, bytes: vec![1] })?
            }
            Move::Durable(at) => {
                let disk = &mut Rc::make_mut(&mut self.cluster.nodes[at]).disk;
                disk.sync(disk.waiting());
                self.cluster.notice(at, 0)?
            }
            Move::Crash(at, kept) => {
                self.left.crashes -= 1;
                self.cluster.crash(at, kept)?;
                self.cluster.start(at, 0, 0)?;
                Vec::new()
            }
            Move::Arrive { place, again } => {
                let packet = match again {
                    true => self.packets[place].clone(),
                    false => self.packets.remove(place),
                };
                let packet = Packet::clone(&packet);
                self.left.doubles -= u8::from(again);
                let to = packet.to;
                self.cluster.step(to, 0, Event::Arrives(packet))?
            }
        };
        for packet in packets {
            let packet = Rc::new(packet);
            if let Err(place) = self.packets.binary_search(&packet) {
                self.packets.insert(place, packet);
            }
        }
        let Cluster { nodes, .. } = &self.cluster;
        self.packets.retain(|packet| matters(&nodes[packet.to], packet));
        Ok(())
    }
}

/// Whether a packet can still change its receiver. One of a term that the receiver's disk has left can only be answered
/// by that term, and a refused vote or one for a replica that leads says nothing.
fn matters(to: &Node, packet: &Packet) -> bool {
    let Payload::Message(message, _) = &packet.what else { return true };
    let stale = message.term < to.disk.image.term;
    let pointless = match message.body {
        Body::Voted { granted } => {
            let leads = to.group.as_ref().is_some_and(|group| group.next_entry().is_some());
            message.term == to.disk.image.term && (!granted || leads)
        }
        _ => false,
    };
    !stale && !pointless
}

/// A quick hash: states are told apart by 64 bits, which for a million states confuses none with odds of 1 to 10^7.
#[derive(Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        let z = (self.0 ^ (self.0 >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        z ^ (z >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for bytes in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        let z = (self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = z.rotate_left(29) ^ (z >> 31);
    }

    fn write_u8(&mut self, word: u8) {
        self.write_u64(u64::from(word));
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    fn write_isize(&mut self, word: isize) {
        self.write_u64(word as u64);
    }
}

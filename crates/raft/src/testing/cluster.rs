//! The replicas with their disks, driven as the crate's first page asks, under the laws.

use std::rc::Rc;

use ouzel_model::{Index, NodeId};

use super::disk::{Disk, DiskFault, Entry, Image, Write};
use super::laws::{Broken, Laws, law};
use crate::{Body, Config, Group, Input, Message, Output, Outputs, Position, Role, Source, Ticket};

/// Something on the network.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Packet {
    pub from: usize,
    pub to: usize,
    pub what: Payload,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Payload {
    Message(Message, Vec<Entry>),
    /// A catch-up copy: where the source's log begins, and its committed entries.
    Copy(Position, Vec<Entry>),
}

/// What a replica is told. Durability has its own way: [`Cluster::notice`].
pub enum Event {
    Propose { values: Vec<u64>, bytes: Vec<u32> },
    Arrives(Packet),
    Timer { random: u64 },
    PeerLost(usize),
    Trimmed(Index),
}

#[derive(Clone, Hash)]
pub struct Node {
    pub disk: Disk,
    /// None while it is down.
    pub group: Option<Group>,
    /// Messages that wait for their ticket.
    held: Vec<(Ticket, Packet)>,
    committed: Index,
}

#[derive(Clone, Hash)]
pub struct Cluster {
    config: Config,
    members: Vec<NodeId>,
    /// Shared between the states of a search, which differ in one node.
    pub nodes: Vec<Rc<Node>>,
    pub laws: Rc<Laws>,
    /// Most entries a frame takes; the rest is left out.
    pub frame_entries_max: usize,
    /// Whether commit hints are written.
    pub hints: bool,
}

impl Cluster {
    pub fn new(config: Config, count: usize, fault: DiskFault) -> Result<Cluster, Broken> {
        let members: Vec<NodeId> = (0..count as i32).map(NodeId).collect();
        let disk = Disk::new(fault);
        let node = Node { disk, group: None, held: Vec::new(), committed: Index(0) };
        let nodes = (0..count).map(|_| Rc::new(node.clone())).collect();
        let mut cluster =
            Cluster { config, members, nodes, laws: Rc::default(), frame_entries_max: usize::MAX, hints: true };
        for at in 0..count {
            cluster.start(at, 0, at as u64)?;
        }
        Ok(cluster)
    }

    pub fn group(&self, at: usize) -> Option<&Group> {
        self.nodes[at].group.as_ref()
    }

    pub fn images(&self) -> Vec<&Image> {
        self.nodes.iter().map(|node| &node.disk.image).collect()
    }

    /// Starts a replica from its disk.
    pub fn start(&mut self, at: usize, now: u64, random: u64) -> Result<(), Broken> {
        let node = Rc::make_mut(&mut self.nodes[at]);
        node.disk.begin();
        node.committed = node.disk.image.commit;
        self.laws.start(self.members[at], &node.disk.image)?;
        let stored = node.disk.image.stored();
        match Group::new(now, self.config, self.members[at], &self.members, &stored, random) {
            Ok(group) => node.group = Some(group),
            Err(bad) => law!("restartable", false, "{bad}"),
        }
        Ok(())
    }

    /// The power of one node goes; the oldest `kept` waiting writes reached the disk.
    pub fn crash(&mut self, at: usize, kept: usize) -> Result<(), Broken> {
        let node = Rc::make_mut(&mut self.nodes[at]);
        node.group = None;
        node.held.clear();
        node.disk.cut(kept);
        self.laws.durable_on_quorum(&self.images())
    }

    /// The disk reports what it has; returns what leaves the node.
    pub fn notice(&mut self, at: usize, now: u64) -> Result<Vec<Packet>, Broken> {
        let node = Rc::make_mut(&mut self.nodes[at]);
        let Some(group) = &mut node.group else { return Ok(Vec::new()) };
        let ticket = node.disk.synced;
        let mut outputs = Outputs::new();
        group.step(now, Input::Durable(ticket), &mut outputs);
        let (free, held) = std::mem::take(&mut node.held).into_iter().partition(|(after, _)| *after <= ticket);
        node.held = held;
        let mut packets: Vec<Packet> = Vec::new();
        for (_, packet) in free as Vec<(Ticket, Packet)> {
            self.leave(packet, &mut packets)?;
        }
        self.carry_out(at, outputs, &[], Index(0), &mut packets)?;
        Ok(packets)
    }

    /// Steps one replica; returns what leaves the node.
    pub fn step(&mut self, at: usize, now: u64, event: Event) -> Result<Vec<Packet>, Broken> {
        let Node { group: Some(group), disk, .. } = Rc::make_mut(&mut self.nodes[at]) else { return Ok(Vec::new()) };
        let (mut outputs, mut packets) = (Outputs::new(), Vec::new());
        let (mut payload, mut before) = (Vec::new(), Index(0));
        match event {
            Event::Propose { values, bytes } => {
                if let Some((first, term)) = group.next_entry() {
                    payload = values.iter().map(|&value| Entry { term, value }).collect();
                    before = Index(first.0 - 1);
                    group.step(now, Input::Propose { first, term, bytes: &bytes }, &mut outputs);
                }
            }
            Event::Arrives(Packet { from, what: Payload::Message(message, entries), .. }) => {
                if let Body::Append(sent) = message.body {
                    (payload, before) = (entries, sent.prev.index);
                }
                group.step(now, Input::Message { from: self.members[from], message }, &mut outputs);
            }
            Event::Arrives(Packet { what: Payload::Copy(start, entries), .. }) => {
                self.copied(at, now, start, entries)?
            }
            Event::Timer { random } => group.step(now, Input::TimerFired { random }, &mut outputs),
            Event::PeerLost(peer) => group.step(now, Input::PeerLost(self.members[peer]), &mut outputs),
            Event::Trimmed(upto) => {
                // Freed is what the disk knows to be committed.
                let upto = upto.min(disk.image.commit);
                if upto > disk.image.trimmed.index {
                    disk.image.trim(upto);
                    disk.view.trim(upto);
                    group.step(now, Input::Trimmed(upto), &mut outputs);
                }
            }
        }
        self.carry_out(at, outputs, &payload, before, &mut packets)?;
        Ok(packets)
    }

    fn carry_out(
        &mut self,
        at: usize,
        outputs: Outputs,
        payload: &[Entry],
        before: Index,
        packets: &mut Vec<Packet>,
    ) -> Result<(), Broken> {
        for output in outputs {
            let node = Rc::make_mut(&mut self.nodes[at]);
            let Some(group) = &node.group else { break };
            match output {
                Output::SaveVote { term, vote, ticket } => node.disk.write(ticket, Write::Vote { term, vote }),
                Output::Append { first, last, term, source, truncate_from, ticket } => {
                    let end = node.disk.view.last();
                    law!("append-order", truncate_from.unwrap_or(end.next()) == first, "{first} behind {end}");
                    let kept = self.laws.outcomes_only || first > node.committed;
                    law!("committed-kept", kept, "writes {first}, committed {}", node.committed);
                    let entries = match source {
                        Source::Blank => vec![Entry { term, value: 0 }],
                        _ => payload[(first.0 - before.0 - 1) as usize..(last.0 - before.0) as usize].to_vec(),
                    };
                    let mut prev = node.disk.view.term_at(Index(first.0 - 1)).unwrap_or_default();
                    for (index, entry) in (first.0..).zip(&entries) {
                        law!("one-term-a-write", entry.term == term, "{entry:?} in a write of term {term}");
                        Rc::make_mut(&mut self.laws).append(Index(index), *entry, prev)?;
                        prev = term;
                    }
                    node.disk.write(ticket, Write::Append { first, entries });
                }
                Output::Send { to, mut message, after } => {
                    let mut entries = Vec::new();
                    if let Body::Append(sent) = message.body {
                        message.shorten(Index(sent.prev.index.0.saturating_add(self.frame_entries_max as u64)));
                    }
                    if let Body::Append(sent) = message.body {
                        entries = node.disk.view.slice(sent.prev.index, sent.last);
                    }
                    let what = Payload::Message(message, entries);
                    let packet = Packet { from: at, to: to.0 as usize, what };
                    match after {
                        Some(ticket) if ticket > node.disk.synced => node.held.push((ticket, packet)),
                        _ => self.leave(packet, packets)?,
                    }
                }
                Output::Commit(index) => {
                    law!("commit-order", index > node.committed, "{index} after {}", node.committed);
                    let from = std::mem::replace(&mut node.committed, index);
                    if self.hints {
                        node.disk.write(Ticket(0), Write::Commit(index));
                    }
                    let node = &self.nodes[at];
                    let images: Vec<&Image> = self.nodes.iter().map(|node| &node.disk.image).collect();
                    if let Some(group) = &node.group {
                        Rc::make_mut(&mut self.laws).commit(group, &images, &node.disk.view, from, index)?;
                    }
                }
                Output::Role(Role::Leader { .. }) => {
                    Rc::make_mut(&mut self.laws).lead(self.members[at], group, &node.disk.view)?
                }
                Output::CatchUp { peer, .. } => {
                    let view = &node.disk.view;
                    let entries = view.slice(view.trimmed.index, node.committed);
                    let what = Payload::Copy(view.trimmed, entries);
                    packets.push(Packet { from: at, to: peer.0 as usize, what });
                }
                Output::Conflict { index, .. } => law!("no-conflict", false, "{index} contradicts what is committed"),
                Output::Role(_) | Output::Deadline(_) | Output::Refused { .. } => {}
            }
        }
        let node = &self.nodes[at];
        node.group.as_ref().map_or(Ok(()), |group| self.laws.order(group, &node.disk))
    }

    fn leave(&mut self, packet: Packet, packets: &mut Vec<Packet>) -> Result<(), Broken> {
        if let Payload::Message(message, _) = &packet.what {
            let image = &self.nodes[packet.from].disk.image;
            let (from, to) = (self.members[packet.from], self.members[packet.to]);
            Rc::make_mut(&mut self.laws).sent(from, to, message, image)?;
        }
        packets.push(packet);
        Ok(())
    }

    /// A copy of a committed prefix replaces what this replica lacks of it. What it holds behind the copy's last entry
    /// stays when it holds that entry too: its acknowledgements of that part must keep.
    fn copied(&mut self, at: usize, now: u64, start: Position, entries: Vec<Entry>) -> Result<(), Broken> {
        let node = Rc::make_mut(&mut self.nodes[at]);
        let end = Index(start.index.0 + entries.len() as u64);
        if end <= node.committed || start.index <= node.committed {
            return Ok(());
        }
        node.disk.sync(node.disk.waiting());
        let image = &mut node.disk.image;
        let end_term = entries.last().map_or(start.term, |entry| entry.term);
        let tail = if image.term_at(end) == Some(end_term) { image.slice(end, image.last()) } else { Vec::new() };
        image.trimmed = start;
        image.entries = [entries, tail].concat();
        image.commit = end;
        node.held.clear();
        self.start(at, now, now)
    }
}

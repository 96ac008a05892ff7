//! The partition itself: its Raft group driven over its log, and the positions that follow from what is committed.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use bytes::Bytes;
use ouzel_log::{AppendMode, Kind, Log, LogId, LogOptions, NewEntry, Store};
use ouzel_model::config::TopicConfig;
use ouzel_model::{Index, LeaderEpoch, NodeId, Offset, PartitionId, Term, Timestamp, TopicId, TopicName};
use ouzel_raft::{Group, Input, Output, Outputs, Role, Stored};
use ouzel_runtime::Runtime;
use ouzel_runtime::sync::{Notify, oneshot};
use slab::Slab;
use smallvec::{SmallVec, smallvec};

use crate::control::Control;
use crate::producers::{ProducerBatch, Producers};

/// Key of the State record that holds term and vote.
const STATE_VOTE: u8 = 1;
/// Footer section of the producers' snapshot.
const SECTION_PRODUCERS: u8 = 1;
/// Bytes of entries read in one piece when a partition is opened.
const REPLAY_BYTES: usize = 1 << 20;

/// The entry isn't committed and this replica can't say whether it ever will be: the outcome is unknown to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("leadership ended before the batch was committed")]
pub struct Lost;

/// This replica doesn't lead, or doesn't yet: retry after a look at the metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this broker doesn't lead the partition (yet)")]
pub struct Unavailable;

/// Why a partition can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its Raft state contradicts its log.
    #[error("{topic}/{}: {source}", partition.0)]
    Raft {
        /// Its topic.
        topic: TopicName,
        /// Its number.
        partition: PartitionId,
        /// What doesn't fit.
        source: ouzel_raft::BadStored,
    },
    /// The disk failed while its entries were read: nothing is known to be lost.
    #[error("{topic}/{}: {source}", partition.0)]
    Disk {
        /// Its topic.
        topic: TopicName,
        /// Its number.
        partition: PartitionId,
        /// What the disk said.
        source: ouzel_log::ReadError,
    },
    /// Its entries aren't what was written.
    #[error("{topic}/{}: {reason}", partition.0)]
    Damaged {
        /// Its topic.
        topic: TopicName,
        /// Its number.
        partition: PartitionId,
        /// What was found.
        reason: String,
    },
}

/// Who a partition is and by which settings it works.
#[derive(Clone)]
pub struct PartitionOptions {
    /// Its topic.
    pub topic: TopicName,
    /// Its topic's id.
    pub topic_id: TopicId,
    /// Its number.
    pub partition: PartitionId,
    /// This node.
    pub node: NodeId,
    /// The topic's settings, resolved.
    pub config: Rc<TopicConfig>,
    /// Producers silent for longer are forgotten, milliseconds. Setting `producer.id.expiration.ms`.
    pub producer_expiration_ms: u64,
}

/// Where a partition's log is.
pub struct LogPlace {
    /// Its id in the journal.
    pub id: LogId,
    /// As it was found at the start; `None`: a new one.
    pub found: Option<Log>,
    /// What its tickets carry.
    pub token: u64,
    /// Its settings.
    pub options: LogOptions,
}

/// What is done when an entry commits.
pub(crate) enum Effect {
    /// Nothing: a leader's first entry.
    None,
    /// Records up to this offset, exclusive, become visible.
    Batch(Offset),
    /// A command.
    Control(Control),
}

pub(crate) struct Uncommitted {
    pub index: Index,
    pub effect: Effect,
    pub waiters: SmallVec<[oneshot::Sender<()>; 1]>,
}

pub(crate) struct State {
    pub group: Group,
    pub role: Role,
    pub outputs: Outputs,
    /// Writes under way: the log's ticket and the group's, both ascending.
    tickets: VecDeque<(ouzel_log::Ticket, ouzel_raft::Ticket)>,
    /// The log's ticket of the entry that is being proposed.
    pub proposed: Option<ouzel_log::Ticket>,
    /// Entries appended and not committed, in index order.
    pub uncommitted: VecDeque<Uncommitted>,
    pub committed: Index,
    pub high_watermark: Offset,
    pub producers: Producers,
    pub config: Rc<TopicConfig>,
    pub producer_expiration_ms: u64,
    pub closed: bool,
}

/// A partition replica. Owner shard only.
pub struct Partition {
    pub(crate) rt: Runtime,
    pub(crate) log: Log,
    token: u64,
    topic: TopicName,
    topic_id: TopicId,
    id: PartitionId,
    pub(crate) state: RefCell<State>,
    /// Woken when something new may be read.
    pub(crate) progress: Notify,
    /// Of readers that wait on many partitions.
    pub(crate) watchers: RefCell<Slab<Notify>>,
}

impl Partition {
    /// Opens a partition over a new or recovered log: reads what lies above the last snapshot and starts its group, which is of one
    /// replica and elects itself; it serves once its first entry is committed. Call [`Partition::durable`] with the log's tickets.
    pub async fn open(
        rt: &Runtime,
        store: &Store,
        place: LogPlace,
        options: PartitionOptions,
    ) -> Result<Rc<Partition>, OpenError> {
        let LogPlace { id, found, token, options: log_options } = place;
        let (log, recovered) = match found {
            Some(log) => (log, true),
            None => (store.create(id, log_options.clone(), token), false),
        };

        let damaged =
            |reason: String| OpenError::Damaged { topic: options.topic.clone(), partition: options.partition, reason };
        let unread = |source| match source {
            ouzel_log::ReadError::Io { .. } => {
                OpenError::Disk { topic: options.topic.clone(), partition: options.partition, source }
            }
            bad => damaged(bad.to_string()),
        };
        if let Some(damage) = log.damage() {
            return Err(damaged(damage));
        }
        let mut producers = Producers::default();
        for (section, bytes) in log.recovered_sections().await.map_err(unread)? {
            if section == SECTION_PRODUCERS {
                producers = Producers::restore(&bytes, millis(rt))
                    .ok_or_else(|| damaged("producer snapshot is damaged".into()))?;
            }
        }
        let committed = log.commit_index();
        let mut high_watermark = log.log_end();
        let mut uncommitted = VecDeque::new();
        let mut next = committed.min(producers.committed_index()).next().max(log.first_index());
        let now = rt.wall_clock();
        while next <= log.last_index() {
            let entries = log.entries(next, log.last_index().next(), REPLAY_BYTES).await.map_err(unread)?;
            let Some(last) = entries.last() else { return Err(damaged(format!("entry {next} is missing"))) };
            next = last.index.next();
            for entry in entries {
                let effect = replay(&mut producers, &entry, now, millis(rt)).map_err(&damaged)?;
                if entry.index > committed {
                    high_watermark = high_watermark.min(entry.base_offset);
                    uncommitted.push_back(Uncommitted { index: entry.index, effect, waiters: SmallVec::new() });
                }
            }
        }
        producers.commit(committed);
        let (term, vote) = log.state(STATE_VOTE).and_then(|bytes| decode_vote(&bytes)).unwrap_or_default();
        let stored = Stored {
            term,
            vote,
            trimmed: ouzel_raft::Position { index: log.origin().index, term: log.origin().term },
            last: log.last_index(),
            terms: log.term_table().iter().map(|row| (row.term, row.index)).collect(),
            commit: committed,
        };
        let (topic, partition) = (options.topic.clone(), options.partition);
        let group = Group::new(
            millis(rt),
            ouzel_raft::Config::default(),
            options.node,
            &[options.node],
            &stored,
            rt.rng().next_u64(),
        )
        .map_err(|source| OpenError::Raft { topic, partition, source })?;
        let state = State {
            role: group.role(),
            group,
            outputs: Outputs::new(),
            tickets: VecDeque::new(),
            proposed: None,
            uncommitted,
            committed,
            high_watermark,
            producers,
            config: options.config,
            producer_expiration_ms: options.producer_expiration_ms,
            closed: false,
        };
        let partition = Rc::new(Partition {
            rt: rt.clone(),
            log,
            token,
            topic: options.topic,
            topic_id: options.topic_id,
            id: options.partition,
            state: RefCell::new(state),
            progress: Notify::new(),
            watchers: RefCell::default(),
        });
        // Coordinators go on writing when the disk is too full for clients' records.
        partition.log.set_reserve(partition.topic.is_internal());
        // In one turn, so that no footer is written without them.
        if recovered {
            store.attach(&partition.log, token, log_options);
        }
        let weak = Rc::downgrade(&partition);
        partition.log.set_sections(Rc::new(move || {
            weak.upgrade().map_or_else(Vec::new, |p| vec![(SECTION_PRODUCERS, p.state.borrow().producers.snapshot())])
        }));
        // The only member needn't wait for an election timeout.
        partition.step(&mut partition.state.borrow_mut(), Input::TimerFired { random: rt.rng().next_u64() });
        Ok(partition)
    }

    /// Its topic.
    pub fn topic(&self) -> &TopicName {
        &self.topic
    }

    /// Its topic's id.
    pub fn topic_id(&self) -> TopicId {
        self.topic_id
    }

    /// Its number.
    pub fn id(&self) -> PartitionId {
        self.id
    }

    /// Its storage.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The current term under Kafka's name.
    pub fn leader_epoch(&self) -> LeaderEpoch {
        let state = self.state.borrow();
        match state.role {
            Role::Leader { term, .. } | Role::Candidate { term } | Role::Follower { term, .. } => term.leader_epoch(),
        }
    }

    /// Offset behind the last committed record: what readers may see ends here. Never moves back.
    pub fn high_watermark(&self) -> Offset {
        self.state.borrow().high_watermark
    }

    /// Whether it takes records and answers readers: it leads, and its first entry of the term is committed.
    pub fn serves(&self) -> bool {
        self.state.borrow().serves()
    }

    /// New settings of its topic.
    pub fn configure(&self, store: &Store, log: LogOptions, config: Rc<TopicConfig>) {
        store.attach(&self.log, self.token, log);
        self.state.borrow_mut().config = config;
    }

    /// The topic's settings.
    pub fn config(&self) -> Rc<TopicConfig> {
        self.state.borrow().config.clone()
    }

    /// Entries of this partition's log up to this ticket are durable (or, where cached, written).
    pub fn durable(&self, ticket: ouzel_log::Ticket) {
        let mut state = self.state.borrow_mut();
        let mut newest = None;
        while let Some(&(log, raft)) = state.tickets.front() {
            if log > ticket {
                break;
            }
            newest = Some(raft);
            state.tickets.pop_front();
        }
        if let Some(raft) = newest {
            self.step(&mut state, Input::Durable(raft));
        }
    }

    /// Waits until it serves, or is closed. Cancel-safe.
    pub async fn serving(&self) {
        loop {
            {
                let state = self.state.borrow();
                if state.serves() || state.closed {
                    return;
                }
            }
            self.progress.notified().await;
        }
    }

    /// Lets go of everything that waits: the topic was deleted, or the broker stops.
    pub fn close(&self) {
        let mut state = self.state.borrow_mut();
        state.closed = true;
        for entry in &mut state.uncommitted {
            entry.waiters.clear();
        }
        drop(state);
        self.notify();
    }

    fn notify(&self) {
        self.progress.notify_all();
        for (_, watcher) in self.watchers.borrow().iter() {
            watcher.notify_one();
        }
    }

    pub(crate) fn step(&self, state: &mut State, input: Input<'_>) {
        let mut outputs = std::mem::take(&mut state.outputs);
        state.group.step(millis(&self.rt), input, &mut outputs);
        state.outputs = outputs;
        self.carry_out(state);
    }

    /// Does what the group asked for, in its order.
    fn carry_out(&self, state: &mut State) {
        let mut outputs = std::mem::take(&mut state.outputs);
        for output in outputs.drain(..) {
            match output {
                Output::SaveVote { term, vote, ticket } => {
                    let written = self.log.set_state(STATE_VOTE, encode_vote(term, vote));
                    state.tickets.push_back((written, ticket));
                }
                Output::Append { first, term, source, ticket, .. } => {
                    let written = match source {
                        // The proposer handed its payload to the log in this turn already.
                        ouzel_raft::Source::Proposed => state.proposed.take().expect("only `propose` proposes"),
                        ouzel_raft::Source::Blank => {
                            state.uncommitted.push_back(Uncommitted {
                                index: first,
                                effect: Effect::None,
                                waiters: SmallVec::new(),
                            });
                            let blank = entry(first, term, Kind::Blank, self.log.log_end(), Bytes::new());
                            // A blank takes no room on the disk, so a full one doesn't refuse it.
                            self.log.append(vec![blank], AppendMode::Synced).expect("a blank is never refused")
                        }
                        ouzel_raft::Source::Received => unreachable!("a group of one has no peers"),
                    };
                    state.tickets.push_back((written, ticket));
                }
                Output::Commit(index) => self.commit(state, index),
                Output::Role(role) => state.role = role,
                Output::Refused { first, .. } => panic!("entry {first} was proposed as the group said"),
                Output::Deadline(_) => {}
                Output::Send { .. } | Output::CatchUp { .. } | Output::Conflict { .. } => {
                    unreachable!("a group of one has no peers")
                }
            }
        }
        state.outputs = outputs;
    }

    fn commit(&self, state: &mut State, index: Index) {
        assert!(
            state.committed <= index && index <= self.log.last_index(),
            "the committed index only grows, within the log"
        );
        state.committed = index;
        state.producers.commit(index);
        self.log.committed(index);
        while state.uncommitted.front().is_some_and(|e| e.index <= index) {
            let entry = state.uncommitted.pop_front().expect("just seen");
            match entry.effect {
                Effect::None => {}
                Effect::Batch(end) => {
                    assert!(end > state.high_watermark, "the high watermark never moves back");
                    state.high_watermark = end;
                }
                Effect::Control(Control::LogStart(offset)) => {
                    self.log.set_log_start(offset.min(state.high_watermark));
                }
            }
            for waiter in entry.waiters {
                // A client that left doesn't wait for its answer.
                let _ = waiter.send(());
            }
        }
        self.notify();
    }
}

impl State {
    pub(crate) fn serves(&self) -> bool {
        !self.closed && matches!(self.role, Role::Leader { first, .. } if self.committed >= first)
    }
}

/// Takes note of an entry that was there before this process; says what its commit does.
fn replay(producers: &mut Producers, entry: &ouzel_log::Entry, now: Timestamp, now_ms: u64) -> Result<Effect, String> {
    match entry.kind {
        Kind::Blank | Kind::Membership => Ok(Effect::None),
        Kind::Control => match Control::decode(&entry.payload) {
            Some(control) => Ok(Effect::Control(control)),
            None => Err(format!("entry {} holds a command this version doesn't know", entry.index)),
        },
        Kind::Batch => {
            let (batch, _) =
                ouzel_records::Batch::split_first(&entry.payload).map_err(|e| format!("entry {}: {e}", entry.index))?;
            if entry.index > producers.committed_index()
                && let Some(producer) = ProducerBatch::of(&batch)
            {
                producers.append(entry.index, &producer, entry.base_offset, now, now_ms);
            }
            Ok(Effect::Batch(batch.next_offset()))
        }
    }
}

pub(crate) fn entry(index: Index, term: Term, kind: Kind, base_offset: Offset, payload: Bytes) -> NewEntry {
    let payload = if payload.is_empty() { SmallVec::new() } else { smallvec![payload] };
    NewEntry {
        index,
        term,
        kind,
        base_offset,
        last_offset: Offset(base_offset.0 - 1),
        payload,
        max_timestamp: Timestamp(-1),
    }
}

fn encode_vote(term: Term, vote: Option<NodeId>) -> Vec<u8> {
    [&term.0.to_le_bytes()[..], &vote.map_or(-1, |n| n.0).to_le_bytes()].concat()
}

fn decode_vote(bytes: &[u8]) -> Option<(Term, Option<NodeId>)> {
    let (term, vote) = bytes.split_first_chunk::<4>()?;
    let vote = i32::from_le_bytes(vote.try_into().ok()?);
    Some((Term(u32::from_le_bytes(*term)), (vote >= 0).then_some(NodeId(vote))))
}

pub(crate) fn millis(rt: &Runtime) -> u64 {
    rt.now().as_millis()
}

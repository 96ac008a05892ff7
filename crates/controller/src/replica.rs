//! The controller's log as a Raft group of one voter: the step core decides, the log stores.
//!
//! A sole voter waits for nobody, so its clock stands still and its timer is used once, to campaign at the start.

use std::collections::VecDeque;

use ouzel_log::{AppendMode, AppendRefused, Kind, Log, NewEntry, Parts};
use ouzel_model::{Index, NodeId, Offset, Term, Timestamp, reached};
use ouzel_raft::{BadStored, Config, Group, Input, Output, Outputs, Source, Stored};

/// State of the log that holds term and vote.
const VOTE_KEY: u8 = 1;
const NOW_MS: u64 = 0;

pub(crate) struct Replica {
    group: Group,
    log: Log,
    outputs: Outputs,
    /// Writes in flight: the log's ticket and the group's, in order.
    in_flight: VecDeque<(ouzel_log::Ticket, ouzel_raft::Ticket)>,
    /// The term's Blank, while the log refuses it: index, term and the group's ticket.
    owed_blank: Option<(Index, Term, ouzel_raft::Ticket)>,
}

impl Replica {
    /// Takes up what the log holds, all of it durable, and campaigns.
    pub(crate) fn new(log: Log, node: NodeId) -> Result<Replica, BadStored> {
        let (term, vote) = decode_vote(log.state(VOTE_KEY).as_deref());
        let origin = log.origin();
        let stored = Stored {
            // A vote that can't be read leaves the log's own term, which a sole voter may go on from.
            term: term.max(log.last_term()),
            vote,
            trimmed: ouzel_raft::Position { term: origin.term, index: origin.index },
            last: log.last_index(),
            terms: log.term_table().iter().map(|row| (row.term, row.index)).collect(),
            commit: log.commit_index(),
        };
        let group = Group::new(NOW_MS, Config::default(), node, &[node], &stored, 0)?;
        let (in_flight, outputs) = (VecDeque::new(), Outputs::new());
        let mut replica = Replica { group, log, outputs, in_flight, owed_blank: None };
        let committed = replica.step(Input::TimerFired { random: 0 });
        assert!(committed.is_none(), "nothing is committed before the vote is durable");
        Ok(replica)
    }

    /// Whether proposals are taken: from when its vote and Blank are durable on.
    pub(crate) fn is_ready(&self) -> bool {
        self.group.is_ready()
    }

    /// The term it leads.
    pub(crate) fn term(&self) -> Term {
        self.group.term()
    }

    /// Appends the term's Blank if the log refused it at the start.
    pub(crate) fn append_owed(&mut self) -> Result<(), AppendRefused> {
        let Some((index, term, ticket)) = self.owed_blank else { return Ok(()) };
        let written =
            self.log.append(vec![self.entry(index, term, Kind::Blank, 0, Parts::new())], AppendMode::Synced)?;
        self.in_flight.push_back((written, ticket));
        self.owed_blank = None;
        Ok(())
    }

    /// Appends a batch of so many records; only when ready (asserted). Its index, which a later [`durable`](Self::durable)
    /// reaches.
    pub(crate) fn propose(&mut self, batch: Vec<u8>, records: u32, now: Timestamp) -> Result<Index, AppendRefused> {
        assert!(self.is_ready(), "only a leader proposes");
        let (index, term) = self.group.next_entry().expect("it leads");
        let bytes = batch.len() as u32;
        let entry = self.entry(index, term, Kind::Batch, records, Parts::from_iter([batch.into()]));
        // The log first: what it refuses, the group never hears of.
        let written = self.log.append(vec![NewEntry { max_timestamp: now, ..entry }], AppendMode::Synced)?;
        self.group.step(NOW_MS, Input::Propose { first: index, term, bytes: &[bytes] }, &mut self.outputs);
        match self.outputs.drain(..).as_slice() {
            [Output::Append { first, last, source: Source::Proposed, truncate_from: None, ticket, .. }]
                if (*first, *last) == (index, index) =>
            {
                self.in_flight.push_back((written, *ticket));
            }
            other => panic!("a sole voter's proposal is appended, not {other:?}"),
        }
        Ok(index)
    }

    /// The log's writes up to this one are durable. The new commit index (inclusive), if it moved.
    pub(crate) fn durable(&mut self, written: ouzel_log::Ticket) -> Option<Index> {
        let mut newest = None;
        while let Some(&(waits_for, ticket)) = self.in_flight.front()
            && waits_for <= written
        {
            newest = Some(ticket);
            self.in_flight.pop_front();
        }
        let committed = self.step(Input::Durable(newest?))?;
        self.log.committed(committed);
        Some(committed)
    }

    /// Frees what lies wholly below an offset, at most the committed end, and closes the newest segment, so that what is
    /// there now can go the next time.
    pub(crate) fn trim(&mut self, below: Offset) {
        self.log.set_log_start(below);
        self.log.seal_active();
        self.step(Input::Trimmed(self.log.origin().index));
    }

    fn entry(&self, index: Index, term: Term, kind: Kind, records: u32, payload: Parts) -> NewEntry {
        let base_offset = self.log.log_end();
        let last_offset = Offset(base_offset.0 + i64::from(records) - 1);
        NewEntry { index, term, base_offset, last_offset, kind, payload, max_timestamp: Timestamp(i64::MIN) }
    }

    fn step(&mut self, input: Input<'_>) -> Option<Index> {
        self.group.step(NOW_MS, input, &mut self.outputs);
        let mut committed = None;
        for output in std::mem::take(&mut self.outputs) {
            match output {
                Output::SaveVote { term, vote, ticket } => {
                    let written = self.log.set_state(VOTE_KEY, encode_vote(term, vote));
                    self.in_flight.push_back((written, ticket));
                }
                Output::Append { first, term, source: Source::Blank, truncate_from: None, ticket, .. } => {
                    self.owed_blank = Some((first, term, ticket));
                    if let Err(refused) = self.append_owed() {
                        reached!("controller: blank refused at the start");
                        tracing::warn!(%refused, "cluster metadata can't be changed until the log takes entries");
                    }
                }
                Output::Commit(index) => committed = Some(index),
                Output::Role(_) | Output::Deadline(_) => {}
                Output::Append { .. }
                | Output::Send { .. }
                | Output::CatchUp { .. }
                | Output::Refused { .. }
                | Output::Conflict { .. } => panic!("a sole voter has no use for {output:?}"),
            }
        }
        committed
    }
}

/// Term, then the node voted for or -1; little endian.
fn encode_vote(term: Term, vote: Option<NodeId>) -> Vec<u8> {
    let mut bytes = term.0.to_le_bytes().to_vec();
    bytes.extend_from_slice(&vote.map_or(-1, |node| node.0).to_le_bytes());
    bytes
}

fn decode_vote(bytes: Option<&[u8]>) -> (Term, Option<NodeId>) {
    let Some(&[a, b, c, d, e, f, g, h]) = bytes else { return (Term(0), None) };
    let vote = i32::from_le_bytes([e, f, g, h]);
    (Term(u32::from_le_bytes([a, b, c, d])), (vote >= 0).then_some(NodeId(vote)))
}

//! A coordinator with the log it writes to, for tests.
#![allow(dead_code)] // each test file uses its part

pub mod history;

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use ouzel_groups::*;
use ouzel_model::{PartitionId, ProducerId, Timestamp, TopicName};

/// The wall clock when the monotonic one says 0.
pub const EPOCH: i64 = 1_700_000_000_000;

#[derive(Clone)]
pub enum Entry {
    Record(Record, Option<ProducerId>),
    Marker(ProducerId, bool),
}

#[derive(Clone)]
pub struct World {
    pub config: Config,
    pub groups: Groups,
    pub now_ms: u64,
    /// What is committed, in order.
    pub log: Vec<Entry>,
    /// Appends that are neither committed nor refused.
    pub open: VecDeque<Append>,
    pub answers: BTreeMap<u64, GroupResponse>,
    pub asked: u64,
    /// Commit appends at once.
    pub prompt: bool,
    pub compacted: usize,
}

impl World {
    pub fn new(config: Config) -> World {
        let mut world = World {
            groups: Groups::new(config.clone()),
            config,
            now_ms: 1_000,
            log: Vec::new(),
            open: VecDeque::new(),
            answers: BTreeMap::new(),
            asked: 0,
            prompt: true,
            compacted: 0,
        };
        let effects = world.groups.loaded(world.now());
        world.take(effects);
        world
    }

    /// A group forms at once.
    pub fn quick() -> World {
        World::new(Config::dev())
    }

    pub fn now(&self) -> Now {
        Now { mono_ms: self.now_ms, wall: Timestamp(EPOCH + self.now_ms as i64) }
    }

    pub fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Reply(ReplyId(id), response) => {
                    assert!(id <= self.asked, "an answer nobody asked for");
                    assert!(self.answers.insert(id, response).is_none(), "call {id} was answered twice");
                }
                Effect::Append(append) => {
                    assert!(!append.records.is_empty());
                    assert!(self.open.back().is_none_or(|last| last.id < append.id), "appends out of order");
                    self.open.push_back(append);
                }
                Effect::Compacted => self.compacted += 1,
            }
        }
        if self.prompt {
            self.commit_all();
        }
    }

    pub fn commit_all(&mut self) {
        while let Some(append) = self.open.pop_front() {
            self.commit_one(append);
        }
    }

    pub fn commit_one(&mut self, append: Append) {
        let producer = append.transaction.map(|t| t.producer);
        self.log.extend(append.records.into_iter().map(|record| Entry::Record(record, producer)));
        let effects = self.groups.appended(self.now(), append.id, Ok(()));
        self.take(effects);
    }

    /// Refuses the oldest open append.
    pub fn refuse(&mut self) {
        let append = self.open.pop_front().expect("an append is open");
        let effects = self.groups.appended(self.now(), append.id, Err(AppendFailed::Refused));
        self.take(effects);
    }

    /// Asks without waiting.
    pub fn ask(&mut self, request: GroupRequest) -> u64 {
        self.asked += 1;
        let effects = self.groups.handle(self.now(), ReplyId(self.asked), request);
        self.take(effects);
        self.asked
    }

    pub fn answer(&mut self, id: u64) -> GroupResponse {
        self.answers.remove(&id).unwrap_or_else(|| panic!("call {id} is still held"))
    }

    pub fn is_held(&self, id: u64) -> bool {
        !self.answers.contains_key(&id)
    }

    /// Asks and has the answer at once.
    #[track_caller]
    pub fn call(&mut self, request: GroupRequest) -> GroupResponse {
        let id = self.ask(request);
        self.answer(id)
    }

    /// One check for most laws: this request gets this answer.
    #[track_caller]
    pub fn check(&mut self, request: GroupRequest, expect: GroupResponse) {
        let got = self.call(request);
        assert_eq!(got, expect);
    }

    /// Lets time pass, each deadline served when it comes.
    pub fn advance(&mut self, ms: u64) {
        let end = self.now_ms + ms;
        for _ in 0..100_000 {
            match self.groups.next_deadline() {
                Some(at) if at <= end => {
                    self.now_ms = self.now_ms.max(at);
                    let effects = self.groups.timer(self.now());
                    self.take(effects);
                }
                _ => {
                    self.now_ms = end;
                    return;
                }
            }
        }
        panic!("the coordinator's timer doesn't come to rest");
    }

    /// The coordinator fails over: all open appends are lost, the next one reads the log.
    pub fn fail_over(&mut self) {
        let effects = self.groups.resign();
        self.take(effects);
        self.open.clear();
        self.groups = replayed(&self.config, &self.log);
        let effects = self.groups.loaded(self.now());
        self.take(effects);
    }

    pub fn end_transaction(&mut self, producer: i64, committed: bool) {
        self.log.push(Entry::Marker(ProducerId(producer), committed));
        self.groups.transaction_ended(ProducerId(producer), committed);
    }

    pub fn state(&mut self, group: &str) -> &'static str {
        self.describe(group).state.name()
    }

    pub fn describe(&mut self, group: &str) -> Description {
        let GroupResponse::Describe(Ok(found)) =
            self.call(GroupRequest::Describe(DescribeGroup { group: group.into() }))
        else {
            panic!("a description is no error")
        };
        found
    }

    /// Committed offset of `t`/`partition` as OffsetFetch tells it.
    pub fn offset(&mut self, group: &str, topic: &str, partition: i32) -> Option<i64> {
        let fetch = fetch(group, &[(topic, partition)]);
        let GroupResponse::FetchOffsets(Ok(found)) = self.call(fetch) else { panic!("the fetch failed") };
        found[0].result.as_ref().expect("stable").as_ref().map(|committed| committed.offset)
    }

    #[track_caller]
    pub fn joined(&mut self, id: u64) -> Joined {
        match self.answer(id) {
            GroupResponse::Join(Ok(joined)) => joined,
            other => panic!("not joined: {other:?}"),
        }
    }

    /// A new dynamic member's id.
    #[track_caller]
    pub fn reserve(&mut self, group: &str, client: &str) -> String {
        let mut request = join(group, "", client);
        request.member_id_required = true;
        match self.call(GroupRequest::Join(request)) {
            GroupResponse::Join(Err(JoinError::MemberIdRequired(id))) => id,
            other => panic!("no id: {other:?}"),
        }
    }

    /// Forms a group of these clients and gives each its own name as assignment. In `quick` worlds.
    /// Returns member ids, the leader first, and the generation.
    #[track_caller]
    pub fn form(&mut self, group: &str, clients: &[&str]) -> (Vec<String>, i32) {
        let ids: Vec<String> = clients.iter().map(|client| self.reserve(group, client)).collect();
        self.rejoin(group, &ids, clients)
    }

    /// All of these members join once more and sync.
    #[track_caller]
    pub fn rejoin(&mut self, group: &str, ids: &[String], clients: &[&str]) -> (Vec<String>, i32) {
        let first = self.ask(GroupRequest::Join(join(group, &ids[0], clients[0])));
        let mut last: Vec<u64> = Vec::new();
        for (id, client) in ids.iter().zip(clients).skip(1) {
            last.push(self.ask(GroupRequest::Join(join(group, id, client))));
        }
        if !last.is_empty() && !self.is_held(first) {
            // The first formed a generation of its own, and is called again.
            self.answer(first);
            last.push(self.ask(GroupRequest::Join(join(group, &ids[0], clients[0]))));
        } else {
            last.push(first);
        }
        let joined: Vec<Joined> = last.into_iter().map(|id| self.joined(id)).collect();
        let (generation, leader) = (joined[0].generation, joined[0].leader.clone());
        let mut order: Vec<String> = ids.to_vec();
        order.sort_by_key(|id| *id != leader);
        let assignments: Vec<(String, Bytes)> = order.iter().map(|id| (id.clone(), Bytes::from(id.clone()))).collect();
        for id in &order {
            let mut request = sync(group, id, generation);
            if *id == leader {
                request.assignments = assignments.clone();
            }
            match self.call(GroupRequest::Sync(request)) {
                GroupResponse::Sync(Ok(synced)) => assert_eq!(synced.assignment, id.as_bytes()),
                other => panic!("not synced: {other:?}"),
            }
        }
        (order, generation)
    }
}

pub fn replayed(config: &Config, log: &[Entry]) -> Groups {
    let mut groups = Groups::new(config.clone());
    for entry in log {
        match entry {
            Entry::Record((key, value), producer) => groups.replay(key, value.as_deref(), *producer).expect("readable"),
            Entry::Marker(producer, committed) => groups.transaction_ended(*producer, *committed),
        }
    }
    groups
}

/// The live state of a coordinator that is about to serve, as records.
pub fn live_records(mut groups: Groups) -> Vec<Record> {
    let now = Now { mono_ms: 0, wall: Timestamp(0) };
    groups.loaded(now);
    let mut records = Vec::new();
    let mut effects: VecDeque<Effect> = groups.compact(now).into();
    while let Some(effect) = effects.pop_front() {
        match effect {
            Effect::Append(append) => {
                records.extend(append.records);
                effects.extend(groups.appended(now, append.id, Ok(())));
            }
            Effect::Compacted => return records,
            Effect::Reply(..) => panic!("nobody asked"),
        }
    }
    panic!("the rewrite did not end")
}

pub fn topic(name: &str) -> TopicName {
    TopicName::new(name).expect("a legal name")
}

pub fn protocols(names: &str, metadata: &'static [u8]) -> Vec<Protocol> {
    let one = |name: &str| Protocol { name: name.into(), metadata: Bytes::from_static(metadata) };
    names.split_whitespace().map(one).collect()
}

/// A subscription, version 0.
pub fn subscription(topics: &[&str]) -> Bytes {
    let mut out = vec![0, 0];
    out.extend((topics.len() as i32).to_be_bytes());
    for topic in topics {
        out.extend((topic.len() as i16).to_be_bytes());
        out.extend(topic.as_bytes());
    }
    out.extend((-1i32).to_be_bytes());
    out.into()
}

/// A join of a client that reads topic `t`. Session 10 s, rebalance 20 s.
pub fn join(group: &str, member_id: &str, client: &str) -> JoinGroup {
    let mut random = [0; 16];
    for (place, byte) in client.bytes().enumerate() {
        random[place % 16] ^= byte;
    }
    JoinGroup {
        group: group.into(),
        member_id: member_id.into(),
        instance_id: None,
        client_id: client.into(),
        client_host: "/127.0.0.1".into(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 20_000,
        protocol_type: "consumer".into(),
        protocols: vec![Protocol { name: "range".into(), metadata: subscription(&["t"]) }],
        member_id_required: false,
        can_skip_assignment: false,
        random,
    }
}

pub fn static_join(group: &str, member_id: &str, instance: &str, salt: u8) -> JoinGroup {
    JoinGroup { instance_id: Some(instance.into()), random: [salt; 16], ..join(group, member_id, "client") }
}

pub fn sync(group: &str, member_id: &str, generation: i32) -> SyncGroup {
    SyncGroup {
        group: group.into(),
        member_id: member_id.into(),
        instance_id: None,
        generation,
        protocol_type: None,
        protocol: None,
        assignments: Vec::new(),
    }
}

/// A sync of the leader, which gives each its own id.
pub fn assign(group: &str, leader: &str, generation: i32, members: &[&str]) -> GroupRequest {
    let assignments = members.iter().map(|id| (id.to_string(), Bytes::from(id.to_string()))).collect();
    GroupRequest::Sync(SyncGroup { assignments, ..sync(group, leader, generation) })
}

pub fn heartbeat(group: &str, member_id: &str, generation: i32) -> GroupRequest {
    let (group, member_id) = (group.into(), member_id.into());
    GroupRequest::Heartbeat(Heartbeat { group, member_id, instance_id: None, generation })
}

pub fn leave(group: &str, member_ids: &[&str]) -> GroupRequest {
    let leaver = |id: &&str| Leaver { member_id: id.to_string(), instance_id: None };
    GroupRequest::Leave(LeaveGroup { group: group.into(), leavers: member_ids.iter().map(leaver).collect() })
}

pub fn commit_request(group: &str, member_id: &str, generation: i32, offsets: &[(&str, i32, i64)]) -> CommitOffsets {
    let offset = |(name, partition, offset): &(&str, i32, i64)| CommitOffset {
        topic: topic(name),
        topic_id: None,
        partition: PartitionId(*partition),
        offset: *offset,
        leader_epoch: None,
        metadata: String::new(),
    };
    CommitOffsets {
        group: group.into(),
        member_id: member_id.into(),
        instance_id: None,
        generation,
        retention_ms: None,
        transaction: None,
        offsets: offsets.iter().map(offset).collect(),
    }
}

pub fn commit(group: &str, member_id: &str, generation: i32, offsets: &[(&str, i32, i64)]) -> GroupRequest {
    GroupRequest::CommitOffsets(commit_request(group, member_id, generation, offsets))
}

/// A commit of someone who isn't a member.
pub fn set_offset(group: &str, name: &str, offset: i64) -> GroupRequest {
    commit(group, "", -1, &[(name, 0, offset)])
}

pub fn committed_ok(count: usize) -> GroupResponse {
    GroupResponse::CommitOffsets(Ok(vec![Ok(()); count]))
}

pub fn fetch(group: &str, partitions: &[(&str, i32)]) -> GroupRequest {
    let one = |(name, partition): &(&str, i32)| FetchOffset {
        topic: topic(name),
        topic_id: None,
        partition: PartitionId(*partition),
    };
    GroupRequest::FetchOffsets(FetchOffsets {
        group: group.into(),
        partitions: Some(partitions.iter().map(one).collect()),
        require_stable: false,
    })
}

pub fn delete(group: &str) -> GroupRequest {
    GroupRequest::Delete(DeleteGroup { group: group.into() })
}

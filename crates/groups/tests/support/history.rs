//! Consumers against a coordinator whose appends are late, refused or lost, with the law I13 checked all along:
//! what is committed is what the log says, nothing from a fenced member gets in, generations never fall, and a partition
//! has one owner in a generation.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use ouzel_groups::*;
use ouzel_model::{PartitionId, ProducerEpoch, ProducerId};
use ouzel_wire::coordinator::{GroupMetadataKey, GroupMetadataValue, OffsetCommitKey, OffsetCommitValue};
use ouzel_wire::record::{Record as _, first_i16};

use super::*;

/// A small generator of random numbers.
#[derive(Clone)]
pub struct Rng(pub u64);

impl Rng {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }
    pub fn one_in(&mut self, odds: usize) -> bool {
        self.below(odds) == 0
    }
}

/// Partitions of topic `t`, which all consumers read.
pub const PARTITIONS: i32 = 3;

#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    Out,
    Joining(u64),
    Joined,
    Syncing(u64),
    In,
}

#[derive(Clone)]
pub struct Client {
    pub group: &'static str,
    name: String,
    instance: Option<String>,
    pub id: String,
    pub generation: i32,
    pub phase: Phase,
    members: Vec<String>,
    assignment: Vec<i32>,
    /// Who it was: a zombie may come back as that.
    past: Vec<(String, i32)>,
    version: u8,
    starts: u8,
}

/// What a commit said, by its unique offset.
#[derive(Clone)]
struct Claim {
    group: String,
    member_id: String,
    generation: i32,
    transactional: bool,
}

/// What the log says of a group at some point.
#[derive(Clone, Default)]
struct Said {
    generation: i32,
    members: Vec<String>,
    incarnation: usize,
}

#[derive(Clone)]
pub struct Sim {
    pub world: World,
    pub rng: Rng,
    pub clients: Vec<Client>,
    /// Appends the log decided on, in order; with the result until it is delivered, and the log's end after it.
    decided: VecDeque<Decided>,
    /// The coordinator has applied the log up to here.
    applied: usize,
    /// The log begins here.
    trimmed: usize,
    compacting_from: usize,
    claims: BTreeMap<i64, Claim>,
    logged: BTreeSet<i64>,
    /// Commits that wait for their answer, by call.
    committing: BTreeMap<u64, Vec<i64>>,
    said: BTreeMap<String, Said>,
    owners: BTreeMap<(String, usize, i32, i32), String>,
    /// Deletions under way, by request or by topic.
    deletions: BTreeSet<u64>,
    open_transactions: BTreeMap<i64, usize>,
    last_value: i64,
    pub commits_acked: usize,
}

type Law = Result<(), String>;
type Decided = (AppendId, Option<Result<(), AppendFailed>>, usize);
/// Group, topic, partition.
type Place = (String, String, PartitionId);

macro_rules! law {
    ($holds:expr, $($text:tt)*) => {
        if !$holds {
            return Err(format!($($text)*));
        }
    };
}

impl Client {
    /// Whether it was a member before, of another id or generation.
    pub fn is_zombie(&self) -> bool {
        !self.past.is_empty()
    }
}

impl Sim {
    pub fn new(seed: u64, config: Config, clients: &[(&'static str, bool)]) -> Sim {
        let mut world = World::new(config);
        world.prompt = false;
        let client = |(number, (group, is_static)): (usize, &(&'static str, bool))| Client {
            group,
            name: format!("c{number}"),
            instance: is_static.then(|| format!("i{number}")),
            id: String::new(),
            generation: -1,
            phase: Phase::Out,
            members: Vec::new(),
            assignment: Vec::new(),
            past: Vec::new(),
            version: 0,
            starts: 0,
        };
        Sim {
            world,
            rng: Rng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            clients: clients.iter().enumerate().map(client).collect(),
            decided: VecDeque::new(),
            applied: 0,
            trimmed: 0,
            compacting_from: 0,
            claims: BTreeMap::new(),
            logged: BTreeSet::new(),
            committing: BTreeMap::new(),
            said: BTreeMap::new(),
            owners: BTreeMap::new(),
            deletions: BTreeSet::new(),
            open_transactions: BTreeMap::new(),
            last_value: 0,
            commits_acked: 0,
        }
    }

    // ---- What consumers do.

    /// The client's next natural step.
    pub fn step_client(&mut self, place: usize) -> Law {
        match self.clients[place].phase {
            Phase::Out => self.join(place),
            Phase::Joined => self.sync(place),
            Phase::Joining(_) | Phase::Syncing(_) => Ok(()),
            Phase::In => self.heartbeat(place),
        }
    }

    pub fn join(&mut self, place: usize) -> Law {
        let client = &mut self.clients[place];
        let mut request = join(client.group, &client.id, &client.name);
        request.instance_id = client.instance.clone();
        request.member_id_required = client.instance.is_none();
        request.can_skip_assignment = !client.starts.is_multiple_of(2);
        request.random[15] ^= client.starts;
        request.random[14] ^= (client.past.len() % 200) as u8;
        request.protocols[0].metadata = [&subscription(&["t"])[..], &[client.version]].concat().into();
        let call = self.world.ask(GroupRequest::Join(request));
        self.clients[place].phase = Phase::Joining(call);
        self.observe()
    }

    pub fn sync(&mut self, place: usize) -> Law {
        let client = &self.clients[place];
        let mut request = sync(client.group, &client.id, client.generation);
        request.instance_id = client.instance.clone();
        if !client.members.is_empty() {
            let first = self.rng.below(client.members.len());
            let share = |number: usize| -> Vec<u8> {
                let mine = |p: &i32| (*p as usize + first) % client.members.len() == number;
                (0..PARTITIONS).filter(mine).map(|p| p as u8).collect()
            };
            let members = client.members.iter().enumerate();
            request.assignments = members.map(|(number, id)| (id.clone(), Bytes::from(share(number)))).collect();
        }
        let call = self.world.ask(GroupRequest::Sync(request));
        self.clients[place].phase = Phase::Syncing(call);
        self.observe()
    }

    pub fn heartbeat(&mut self, place: usize) -> Law {
        let client = &self.clients[place];
        let request = Heartbeat {
            group: client.group.into(),
            member_id: client.id.clone(),
            instance_id: client.instance.clone(),
            generation: client.generation,
        };
        let GroupResponse::Heartbeat(result) = self.world.call(GroupRequest::Heartbeat(request)) else { panic!() };
        match result {
            Ok(()) | Err(HeartbeatError::Unavailable(_)) => {}
            Err(HeartbeatError::RebalanceInProgress) => self.rejoin(place, true),
            Err(_) => self.rejoin(place, false),
        }
        self.observe()
    }

    /// Commits the client's partitions as the member it is, or as one it was.
    pub fn commit(&mut self, place: usize, zombie: bool) -> Law {
        let client = &self.clients[place];
        let me = (client.id.clone(), client.generation);
        let (id, generation) =
            if zombie && !client.past.is_empty() { client.past[self.rng.below(client.past.len())].clone() } else { me };
        let partitions = if client.assignment.is_empty() { vec![0] } else { client.assignment.clone() };
        let mut offsets: Vec<(&str, i32)> = partitions.into_iter().map(|p| ("t", p)).collect();
        if self.rng.one_in(4) {
            offsets.push(("u", 0));
        }
        let group = client.group;
        self.commit_as(group, id, generation, &offsets, None)
    }

    fn commit_as(
        &mut self,
        group: &str,
        member_id: String,
        generation: i32,
        partitions: &[(&str, i32)],
        producer: Option<i64>,
    ) -> Law {
        let mut offsets = Vec::new();
        for (name, partition) in partitions {
            self.last_value += 1;
            let (group, member_id, transactional) = (group.to_string(), member_id.clone(), producer.is_some());
            self.claims.insert(self.last_value, Claim { group, member_id, generation, transactional });
            offsets.push((*name, *partition, self.last_value));
        }
        let transaction =
            producer.map(|producer| Transaction { producer: ProducerId(producer), epoch: ProducerEpoch(0) });
        let request = CommitOffsets { transaction, ..commit_request(group, &member_id, generation, &offsets) };
        let call = self.world.ask(GroupRequest::CommitOffsets(request));
        self.committing.insert(call, offsets.iter().map(|(_, _, value)| *value).collect());
        self.observe()
    }

    pub fn leave(&mut self, place: usize) -> Law {
        let client = &self.clients[place];
        let leaver = Leaver { member_id: client.id.clone(), instance_id: client.instance.clone() };
        self.world.ask(GroupRequest::Leave(LeaveGroup { group: client.group.into(), leavers: vec![leaver] }));
        self.rejoin(place, false);
        self.observe()
    }

    /// The client reads otherwise from now on, and has to tell.
    pub fn change_subscription(&mut self, place: usize) {
        self.clients[place].version = (self.clients[place].version + 1) % 3;
        self.rejoin(place, true);
    }

    /// The client is killed and comes back, by its static name if it has one.
    pub fn restart(&mut self, place: usize) {
        self.clients[place].starts = self.clients[place].starts.wrapping_add(1);
        self.rejoin(place, false);
    }

    fn rejoin(&mut self, place: usize, keep_id: bool) {
        let client = &mut self.clients[place];
        if client.generation >= 0 {
            client.past.push((client.id.clone(), client.generation));
        }
        if !keep_id {
            client.id.clear();
            client.generation = -1;
        }
        client.phase = Phase::Out;
        client.assignment.clear();
        client.members.clear();
    }

    // ---- What the log does.

    /// The log decides on the oldest open append.
    pub fn decide(&mut self, commit: bool) -> Law {
        let Some(append) = self.world.open.pop_front() else { return Ok(()) };
        let result = if commit { Ok(()) } else { Err(AppendFailed::Refused) };
        if commit {
            self.write(&append)?;
        }
        self.decided.push_back((append.id, Some(result), self.world.log.len()));
        Ok(())
    }

    /// One of the decisions reaches the coordinator; not always the first.
    pub fn deliver(&mut self) -> Law {
        let waiting: Vec<usize> = (0..self.decided.len()).filter(|n| self.decided[*n].1.is_some()).collect();
        if waiting.is_empty() {
            return Ok(());
        }
        let (id, result, _) = &mut self.decided[waiting[self.rng.below(waiting.len().min(3))]];
        let (id, result) = (*id, result.take().expect("chosen for its result"));
        let effects = self.world.groups.appended(self.world.now(), id, result);
        while self.decided.front().is_some_and(|(_, result, _)| result.is_none()) {
            self.applied = self.decided.pop_front().expect("just seen").2;
        }
        self.world.take(effects);
        self.observe()
    }

    /// Another coordinator takes over. Some of the open appends made it into the log, nobody knows.
    pub fn fail_over(&mut self) -> Law {
        for _ in 0..self.rng.below(self.world.open.len() + 1) {
            self.decide(true)?;
        }
        let effects = self.world.groups.resign();
        self.world.take(effects);
        self.world.open.clear();
        self.observe()?;
        self.decided.clear();
        self.deletions.clear();
        self.world.compacted = 0;
        let mut groups = Groups::new(self.world.config.clone());
        let asks_at = self.rng.below(self.world.log.len() - self.trimmed + 1);
        for (place, entry) in self.world.log[self.trimmed..].iter().enumerate() {
            if place == asks_at {
                let request = fetch("g", &[("t", 0)]);
                let expect = vec![Effect::Reply(ReplyId(0), request.refused(Unavailable::Loading))];
                let got = groups.handle(self.world.now(), ReplyId(0), request);
                law!(got == expect, "served before all was loaded: {got:?}");
            }
            match entry {
                Entry::Record((key, value), producer) => groups.replay(key, value.as_deref(), *producer).unwrap(),
                Entry::Marker(producer, committed) => groups.transaction_ended(*producer, *committed),
            }
        }
        self.world.groups = groups;
        self.applied = self.world.log.len();
        let effects = self.world.groups.loaded(self.world.now());
        self.world.take(effects);
        self.observe()?;
        self.check_applied()
    }

    pub fn begin_transaction(&mut self, group: &'static str) -> Law {
        let producer = self.rng.below(2) as i64;
        self.open_transactions.entry(producer).or_insert(self.world.log.len());
        self.commit_as(group, String::new(), -1, &[("t", 0)], Some(producer))
    }

    pub fn end_transaction(&mut self) {
        let busy =
            |producer: &i64| self.world.open.iter().any(|a| a.transaction.is_some_and(|t| t.producer.0 == *producer));
        // The producer ends it when its commits are answered; none may be on its way or wait in a queue.
        let quiet = self.decided.is_empty() && self.committing.is_empty();
        let Some(producer) = self.open_transactions.keys().copied().find(|p| quiet && !busy(p)) else { return };
        self.open_transactions.remove(&producer);
        let committed = self.rng.one_in(2);
        self.world.end_transaction(producer, committed);
        self.applied = self.world.log.len();
    }

    pub fn compact(&mut self) -> Law {
        if !self.world.groups.is_compacting() {
            self.compacting_from = self.world.log.len();
            let effects = self.world.groups.compact(self.world.now());
            self.world.take(effects);
        }
        self.observe()
    }

    pub fn advance(&mut self, ms: u64) -> Law {
        self.world.advance(ms);
        self.observe()
    }

    pub fn delete_group(&mut self, group: &str) -> Law {
        let call = self.world.ask(delete(group));
        self.deletions.insert(call);
        self.observe()
    }

    pub fn fetch(&mut self, group: &str) -> Law {
        let partitions: Vec<(&str, i32)> = (0..PARTITIONS).map(|p| ("t", p)).chain([("u", 0)]).collect();
        let GroupResponse::FetchOffsets(Ok(found)) = self.world.call(fetch(group, &partitions)) else {
            return Err("an offset fetch was refused".into());
        };
        let expect = self.offsets(self.applied);
        for one in found {
            let key = (group.to_string(), one.topic.to_string(), one.partition);
            let got = one.result.expect("stable wasn't asked for").map(|committed| committed.offset);
            law!(got == expect.get(&key).copied(), "{key:?}: fetched {got:?}, the log says {:?}", expect.get(&key));
        }
        Ok(())
    }

    // ---- What must hold.

    /// An append becomes part of the log.
    fn write(&mut self, append: &Append) -> Law {
        let producer = append.transaction.map(|t| t.producer);
        for (key, value) in &append.records {
            match (first_i16(key), value) {
                (Some(1), Some(value)) => self.check_commit(value)?,
                (Some(2), value) => {
                    let group = GroupMetadataKey::decode(key).unwrap().group.to_string();
                    let said = self.said.entry(group.clone()).or_default();
                    let Some(value) = value else {
                        *said = Said { incarnation: said.incarnation + 1, ..Said::default() };
                        continue;
                    };
                    let value = GroupMetadataValue::decode(value).unwrap();
                    let (from, to) = (said.generation, value.generation);
                    law!(to == from || to == from + 1, "{group}: generation {to} after {from}");
                    let members: Vec<String> = value.members.iter().map(|m| m.member_id.to_string()).collect();
                    law!(to > from || members.len() == said.members.len(), "{group}: {to} has other members now");
                    (said.generation, said.members) = (to, members);
                }
                _ => {}
            }
        }
        self.world.log.extend(append.records.iter().map(|record| Entry::Record(record.clone(), producer)));
        Ok(())
    }

    /// The log takes a commit: it must come from a member of the generation that the log has at this place.
    fn check_commit(&mut self, value: &[u8]) -> Law {
        let offset = OffsetCommitValue::decode(value).unwrap().offset;
        if !self.logged.insert(offset) {
            return Ok(()); // a rewrite
        }
        let Claim { group, member_id, generation, transactional } = &self.claims[&offset];
        let said = self.said.get(group).cloned().unwrap_or_default();
        if *generation < 0 {
            law!(*transactional || said.members.is_empty(), "{group}: a stranger's commit beside members");
        } else {
            law!(*generation == said.generation, "{group}: {generation} committed in {}", said.generation);
            law!(said.members.contains(member_id), "{group}: {member_id} isn't in generation {generation}");
        }
        Ok(())
    }

    /// Looks at what came out, and lets the clients take their answers.
    pub fn observe(&mut self) -> Law {
        let fresh: Vec<Record> = self.world.open.iter().flat_map(|append| append.records.clone()).collect();
        for (key, value) in fresh {
            if first_i16(&key) == Some(1) && value.is_none() && self.deletions.is_empty() {
                let key = OffsetCommitKey::decode(&key).unwrap();
                let members = self.world.describe(&key.group).members.len();
                law!(&*key.topic != "t" || members == 0, "{}: a member's offset aged out", &*key.group);
            }
        }
        if std::mem::take(&mut self.world.compacted) > 0 {
            let open = self.open_transactions.values().copied().min().unwrap_or(usize::MAX);
            self.trimmed = self.trimmed.max(self.compacting_from.min(open));
        }
        let answers = std::mem::take(&mut self.world.answers);
        for (call, answer) in answers {
            self.deletions.remove(&call);
            self.take_answer(call, answer)?;
        }
        Ok(())
    }

    fn take_answer(&mut self, call: u64, answer: GroupResponse) -> Law {
        let place =
            self.clients.iter().position(|c| c.phase == Phase::Joining(call) || c.phase == Phase::Syncing(call));
        match (answer, place) {
            (GroupResponse::CommitOffsets(result), _) => {
                let values = self.committing.remove(&call).expect("a commit was asked for");
                if let Ok(results) = result {
                    law!(results.iter().all(Result::is_ok), "an offset was refused: {results:?}");
                    law!(values.iter().all(|v| self.logged.contains(v)), "{values:?} acked but not in the log");
                    self.commits_acked += 1;
                }
            }
            (GroupResponse::Join(Ok(joined)), Some(place)) => {
                let client = &mut self.clients[place];
                client.id = joined.member_id;
                client.generation = joined.generation;
                client.members = joined.members.into_iter().map(|m| m.member_id).collect();
                if joined.skip_assignment {
                    client.members.clear();
                }
                client.phase = Phase::Joined;
            }
            (GroupResponse::Join(Err(why)), Some(place)) => {
                self.rejoin(place, matches!(why, JoinError::Unavailable(_) | JoinError::RebalanceInProgress));
                if let JoinError::MemberIdRequired(id) = why {
                    self.clients[place].id = id;
                }
            }
            (GroupResponse::Sync(Ok(synced)), Some(place)) => {
                let client = &mut self.clients[place];
                client.phase = Phase::In;
                client.assignment = synced.assignment.iter().map(|p| i32::from(*p)).collect();
                let incarnation = self.said[client.group].incarnation;
                for partition in &client.assignment {
                    let key = (client.group.to_string(), incarnation, client.generation, *partition);
                    let me = client.instance.clone().unwrap_or(client.id.clone());
                    let owner = self.owners.entry(key).or_insert(me.clone());
                    law!(
                        *owner == me,
                        "{} generation {}: {partition} belongs to {owner} and {me}",
                        client.group,
                        client.generation
                    );
                }
            }
            (GroupResponse::Sync(Err(why)), Some(place)) => {
                self.rejoin(place, matches!(why, SyncError::Unavailable(_) | SyncError::RebalanceInProgress));
            }
            _ => {} // the answer to a call whose client is gone, or to one nobody looks at
        }
        Ok(())
    }

    /// Offsets as the first entries of the log have them, by a reading of its own.
    fn offsets(&self, entries: usize) -> BTreeMap<Place, i64> {
        let mut offsets: BTreeMap<_, (i64, usize)> = BTreeMap::new();
        let mut open: Vec<(ProducerId, Place, i64, usize)> = Vec::new();
        for (place, entry) in self.world.log[..entries].iter().enumerate() {
            match entry {
                Entry::Marker(producer, committed) => {
                    for (_, key, value, written) in open.extract_if(.., |(p, ..)| p == producer) {
                        if *committed && offsets.get(&key).is_none_or(|(_, other)| *other < written) {
                            offsets.insert(key, (value, written));
                        }
                    }
                }
                Entry::Record((key, value), producer) if first_i16(key) == Some(1) => {
                    let key = OffsetCommitKey::decode(key).unwrap();
                    let key = (key.group.to_string(), key.topic.to_string(), PartitionId(key.partition));
                    match (value, producer) {
                        (None, _) => {
                            offsets.remove(&key);
                            open.retain(|(_, other, ..)| *other != key);
                        }
                        (Some(value), producer) => {
                            let offset = OffsetCommitValue::decode(value).unwrap().offset;
                            match producer {
                                Some(producer) => open.push((*producer, key, offset, place)),
                                None => drop(offsets.insert(key, (offset, place))),
                            }
                        }
                    }
                }
                Entry::Record(..) => {}
            }
        }
        offsets.into_iter().map(|(key, (value, _))| (key, value)).collect()
    }

    /// The coordinator's state is what the log says, read by it or by us, whole or after its prefix was trimmed.
    pub fn check_applied(&self) -> Law {
        let log = &self.world.log[..self.applied];
        let all = self.offsets(self.applied);
        let whole = replayed(&self.world.config, log);
        let rest = replayed(&self.world.config, &log[self.trimmed.min(log.len())..]);
        for (name, groups) in [("serving", &self.world.groups), ("whole", &whole), ("trimmed", &rest)] {
            if name == "trimmed" && self.applied < self.trimmed {
                continue;
            }
            let mut got = BTreeMap::new();
            for id in groups.ids() {
                for (topic, partition, committed) in groups.committed(id) {
                    got.insert((id.to_string(), topic.to_string(), partition), committed.offset);
                }
            }
            law!(got == all, "{name}: {got:?}, but the log says {all:?}");
            law!(groups.live_bytes() == whole.live_bytes(), "{name}: other bytes than the log's");
        }
        Ok(())
    }

    /// One random step of a consumer, the log or the world.
    pub fn random_step(&mut self) -> Law {
        let place = self.rng.below(self.clients.len());
        let group = self.clients[place].group;
        match self.rng.below(100) {
            0..30 => self.step_client(place),
            30..45 => self.commit(place, false),
            45..49 => self.commit(place, true),
            49..51 => self.commit_as(group, String::new(), -1, &[("t", 1)], None),
            51..71 => self.decide(true),
            71..73 => self.decide(false),
            73..88 => self.deliver(),
            88..91 => self.fetch(group),
            91 => match self.rng.below(6) {
                0 => self.fail_over(),
                1 => self.leave(place),
                2 => self.begin_transaction(group),
                3 => self.compact(),
                4 => self.delete_group(group),
                _ => {
                    self.restart(place);
                    Ok(())
                }
            },
            92 => {
                self.change_subscription(place);
                Ok(())
            }
            93 => {
                self.end_transaction();
                self.check_applied()
            }
            94..99 => {
                let ms = [1, 500, 3_000, 3_000][self.rng.below(4)];
                self.advance(ms)
            }
            _ => {
                let ms = [6_000, 11_000, 25_000, 100_000][self.rng.below(4)];
                self.advance(ms)
            }
        }
    }

    /// The log takes all that is open, and the coordinator hears of it.
    pub fn drain(&mut self) -> Law {
        while !self.world.open.is_empty() || self.decided.iter().any(|(_, result, _)| result.is_some()) {
            self.decide(true)?;
            self.deliver()?;
        }
        Ok(())
    }

    /// Faults end: each group must come to rest with every partition owned by one living member.
    pub fn settle(&mut self) -> Law {
        for _ in 0..400 {
            for place in 0..self.clients.len() {
                self.step_client(place)?;
            }
            self.drain()?;
            self.advance(500)?;
        }
        for group in self.clients.iter().map(|c| c.group).collect::<BTreeSet<_>>() {
            let mine: Vec<&Client> = self.clients.iter().filter(|c| c.group == group).collect();
            let mut owned: Vec<i32> = mine.iter().flat_map(|c| c.assignment.clone()).collect();
            owned.sort();
            let all: Vec<i32> = (0..PARTITIONS).collect();
            let phases: Vec<&Phase> = mine.iter().map(|c| &c.phase).collect();
            law!(owned == all && phases.iter().all(|p| **p == Phase::In), "{group}: {phases:?} own {owned:?}");
        }
        self.check_applied()?;
        let effects = self.world.groups.resign();
        self.world.take(effects);
        self.observe()?;
        law!(self.committing.is_empty(), "a call was never answered");
        Ok(())
    }
}

/// Runs one seed; the error names the law that broke.
pub fn run_seed(seed: u64, steps: usize) -> Result<usize, String> {
    let config = Config {
        initial_rebalance_delay_ms: if seed.is_multiple_of(2) { 0 } else { 3_000 },
        offsets_retention_ms: if seed.is_multiple_of(3) { 20_000 } else { 10_000_000 },
        offsets_retention_check_ms: 5_000,
        append_bytes_max: 1_200,
        group_bytes_max: 1_100,
        ..Config::default()
    };
    let clients = [("g", false), ("g", true), ("g", false), ("h", true), ("h", false)];
    let mut sim = Sim::new(seed + 1, config, &clients);
    for step in 0..steps {
        sim.random_step().map_err(|why| format!("seed {seed}, step {step}: {why}"))?;
    }
    while let Some(producer) = sim.open_transactions.keys().next().copied() {
        for _ in 0..1_000 {
            sim.decide(true).and_then(|()| sim.deliver()).map_err(|why| format!("seed {seed}, at the end: {why}"))?;
        }
        sim.end_transaction();
        if sim.open_transactions.contains_key(&producer) {
            return Err(format!("seed {seed}: a transaction's commits are never answered"));
        }
    }
    sim.settle().map_err(|why| format!("seed {seed}, at rest: {why}"))?;
    Ok(sim.commits_acked)
}

//! Clients of the specimen: a random mix of appends and reads, and the auditor, who reads everything in the end.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use ouzel_runtime::sim::stream::mix;
use ouzel_runtime::sync::Latch;
use ouzel_runtime::{Class, Conn, Rng, Runtime, Task, select};

use super::PORT;
use super::protocol::{Entry, Frames, Reply, Request};
use crate::history::{Event, History, Partition, RecordId, Seen};

/// What a client waits for an answer.
const ANSWER: Duration = Duration::from_secs(5);
/// What a client waits for a connection.
const CONNECT: Duration = Duration::from_secs(2);
/// The auditor's number among the clients.
const AUDITOR: u32 = u32::MAX;

/// What clients know of the cluster.
#[derive(Clone)]
pub struct Cluster {
    /// Names of the nodes.
    pub nodes: Rc<Vec<String>>,
    /// Shards of each.
    pub shards: u16,
    /// Typical pause between two operations.
    pub pace: Duration,
    /// Where all is written down.
    pub history: History,
}

impl Cluster {
    fn partition(&self, node: usize, shard: u16) -> Partition {
        self.history.partition(&format!("{}/{shard}", self.nodes[node]))
    }
}

/// Runs `clients` clients until `stop` is set and each has ended its operation.
pub async fn load(rt: Runtime, cluster: Cluster, clients: u16, stop: Latch) {
    let spawn = |id| rt.spawn(Class::Serve, client(rt.clone(), cluster.clone(), u32::from(id), stop.clone()));
    let tasks: Vec<Task> = (0..clients).map(spawn).collect();
    for task in tasks {
        task.await;
    }
}

async fn client(rt: Runtime, cluster: Cluster, id: u32, stop: Latch) {
    let rng = rt.rng();
    let mut number = 0;
    while !stop.is_set() {
        let node = rng.below(cluster.nodes.len() as u64) as usize;
        let Some(mut session) = Session::open(&rt, &cluster.nodes[node]).await else {
            pause(&rt, &rng, cluster.pace * 10).await;
            continue;
        };
        for _ in 0..rng.below(200) {
            if stop.is_set() || !operate(&rt, &cluster, id, &mut number, node, &mut session).await {
                break;
            }
            pause(&rt, &rng, cluster.pace).await;
        }
    }
}

async fn pause(rt: &Runtime, rng: &Rng, typical: Duration) {
    let micros = typical.as_micros() as u64;
    rt.sleep(Duration::from_micros(micros / 2 + rng.below(micros.max(1)))).await;
}

/// One operation; false when the connection is of no more use.
async fn operate(
    rt: &Runtime,
    cluster: &Cluster,
    id: u32,
    number: &mut u64,
    node: usize,
    session: &mut Session,
) -> bool {
    let shard = rt.rng().below(u64::from(cluster.shards)) as u16;
    let partition = cluster.partition(node, shard);
    if rt.rng().chance(0.2) {
        let known = cluster.history.read_end(partition);
        let from = rt.rng().below(known + 1);
        return read(cluster, session, rt, id, partition, shard, from, known).await.is_some();
    }
    *number += 1;
    append(cluster, session, rt, RecordId { client: id, number: *number }, partition, shard).await
}

async fn append(
    cluster: &Cluster,
    session: &mut Session,
    rt: &Runtime,
    record: RecordId,
    partition: Partition,
    shard: u16,
) -> bool {
    let value = mix(u64::from(record.client) << 32 ^ record.number);
    cluster.history.record(Event::Produce { partition, record, value });
    let entry = Entry { client: record.client, number: record.number, value };
    let reply = session.ask(rt, Request::Append { partition: shard, entry }).await;
    let (event, go_on) = match reply {
        Some(Reply::Appended { offset }) => (Event::Acked { partition, record, offset }, true),
        Some(Reply::Refused) => (Event::Refused { partition, record }, true),
        Some(Reply::Entries { .. }) | None => (Event::Unknown { partition, record }, false),
    };
    cluster.history.record(event);
    go_on
}

/// Reads from `from` on; what came, with the end.
#[allow(clippy::too_many_arguments)]
async fn read(
    cluster: &Cluster,
    session: &mut Session,
    rt: &Runtime,
    reader: u32,
    partition: Partition,
    shard: u16,
    from: u64,
    known: u64,
) -> Option<(Vec<Seen>, u64)> {
    let Some(Reply::Entries { end, entries }) = session.ask(rt, Request::Read { partition: shard, from }).await else {
        return None;
    };
    let seen = |(offset, e): (u64, Entry)| {
        let record = RecordId { client: e.client, number: e.number };
        Seen { offset, record, value: e.value }
    };
    let records: Vec<Seen> = (from..).zip(entries).map(seen).collect();
    cluster.history.record(Event::Read { partition, reader, from, known, records: records.clone(), end });
    Some((records, end))
}

/// In a healthy cluster every partition takes one more record and then shows all it has. Sets `done` when all did.
pub async fn audit(rt: Runtime, cluster: Cluster, done: Rc<Cell<bool>>) {
    let mut number = 0;
    for node in 0..cluster.nodes.len() {
        for shard in 0..cluster.shards {
            while !audit_one(&rt, &cluster, node, shard, &mut number).await {
                rt.sleep(Duration::from_millis(100)).await;
            }
        }
    }
    done.set(true);
}

async fn audit_one(rt: &Runtime, cluster: &Cluster, node: usize, shard: u16, number: &mut u64) -> bool {
    let Some(mut session) = Session::open(rt, &cluster.nodes[node]).await else { return false };
    let partition = cluster.partition(node, shard);
    *number += 1;
    let record = RecordId { client: AUDITOR, number: *number };
    if !append(cluster, &mut session, rt, record, partition, shard).await {
        return false;
    }
    let mut all: Vec<Seen> = Vec::new();
    loop {
        let known = cluster.history.read_end(partition);
        let from = all.len() as u64;
        let Some((records, end)) = read(cluster, &mut session, rt, AUDITOR, partition, shard, from, known).await else {
            return false;
        };
        let stuck = records.is_empty() && from < end;
        all.extend(records);
        if all.len() as u64 >= end || stuck {
            cluster.history.record(Event::Scan { partition, records: all });
            return true;
        }
    }
}

/// One connection with one request in flight.
struct Session {
    conn: Conn,
    frames: Frames,
}

impl Session {
    async fn open(rt: &Runtime, node: &str) -> Option<Session> {
        let to = *rt.net().resolve(node, PORT).await.ok()?.first()?;
        let conn = select! {
            conn = rt.net().connect(to) => conn.ok()?,
            _ = rt.sleep(CONNECT) => return None,
        };
        Some(Session { conn, frames: Frames::default() })
    }

    /// `None` when nobody knows what became of the request; the connection is then of no more use.
    async fn ask(&mut self, rt: &Runtime, request: Request) -> Option<Reply> {
        let mut bytes = VecDeque::from([request.encode()]);
        let (conn, frames) = (&self.conn, &mut self.frames);
        let asked = async {
            conn.write_all_bytes(&mut bytes).await.ok()?;
            frames.next(conn).await
        };
        let body = select! {
            body = asked => body?,
            _ = rt.sleep(ANSWER) => return None,
        };
        Reply::decode(body)
    }
}

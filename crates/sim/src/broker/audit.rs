//! The auditor: in a healthy cluster it writes one more record everywhere, and reads all there is.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use ouzel_runtime::Runtime;

use super::churn::{self, SLOTS};
use super::client::{CLIENTS_MAX, Cluster};
use super::records::{batch, read, send, value};
use super::session::Session;
use super::topics::{self, FIXED, Place};
use super::upkeep::{self, EARLIEST, LATEST};
use crate::history::{Event, RecordId, Seen};

/// The auditor's number among the clients.
const AUDITOR: u32 = u32::MAX;

/// KAFKA_STORAGE_ERROR.
const STORAGE_ERROR: i16 = 56;
/// What the auditor says of a partition that answers a record with it.
pub const STORAGE_REFUSES: &str = "its storage refuses a record";
/// Looks at a damaged node, 100 ms apart, before it is given up: longer than a broker takes to come up again.
const PATIENCE: u32 = 80;
/// The same for its other partitions: by then it is up, or won't come.
const PATIENCE_THEN: u32 = 10;

/// In a healthy cluster every partition takes one more record and then shows all it has; what a damaged disk refuses is noted as
/// lost. Sets `done` when all did.
pub async fn audit(rt: Runtime, cluster: Cluster, done: Rc<Cell<bool>>) {
    let mut number = 0;
    for node in 0..cluster.nodes.len() {
        let mut patience = PATIENCE;
        for topic in &FIXED {
            for partition in 0..topic.partitions {
                let place = cluster.place(node, topic, partition);
                let name = cluster.history.name(place.partition);
                for tries in 0.. {
                    let Err(refused) = audit_one(&rt, &cluster, &place, &mut number).await else { break };
                    if tries >= patience && cluster.history.is_damaged(&name) {
                        cluster.history.record(Event::Lost { partition: place.partition, from: 0, to: u64::MAX });
                        patience = PATIENCE_THEN;
                        break;
                    }
                    *cluster.refused.borrow_mut() = format!("{name}: {refused}");
                    rt.sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
    for node in 0..cluster.nodes.len() {
        for slot in 0..SLOTS {
            for tries in 0.. {
                let Err(refused) = audit_churn(&rt, &cluster, node, slot, &mut number).await else { break };
                if tries >= PATIENCE_THEN && cluster.history.is_damaged_within(&cluster.nodes[node]) {
                    break;
                }
                *cluster.refused.borrow_mut() = format!("{} slot {slot}: {refused}", cluster.nodes[node]);
                rt.sleep(Duration::from_millis(100)).await;
            }
        }
    }
    done.set(true);
}

/// What has a name that topics come and go under, and all its partitions.
async fn audit_churn(rt: &Runtime, cluster: &Cluster, node: usize, slot: u32, number: &mut u64) -> Result<(), String> {
    let Some(mut session) = Session::open(rt, &cluster.nodes[node]).await else {
        return Err("no connection".into());
    };
    let Some(topic) = churn::settle(rt, cluster, &mut session, node, slot).await else {
        return Err("nobody can say which topic has the name".into());
    };
    for partition in 0..topic.partitions {
        let Some(place) = cluster.by_name(node, slot, partition) else { return Err("the topic changed".into()) };
        audit_one(rt, cluster, &place, number).await?;
        upkeep::producers(rt, cluster, &mut session, &place).await.ok_or("its producers aren't told")?;
    }
    Ok(())
}

async fn audit_one(rt: &Runtime, cluster: &Cluster, place: &Place, number: &mut u64) -> Result<(), String> {
    let Some(mut session) = Session::open(rt, &cluster.nodes[place.node]).await else {
        return Err("no connection".into());
    };
    if !topics::create(rt, &mut session).await {
        return Err("topics can't be created".into());
    }
    let partition = place.partition;
    *number += 1;
    let record = RecordId { client: AUDITOR, number: *number };
    let value = value(record);
    cluster.note_time(rt, place);
    cluster.history.record(Event::Produce { partition, record, value });
    let answer = send(rt, cluster, &mut session, place, -1, batch(rt, &[(record, value)], None, 0)).await;
    let Some((0, offset)) = answer else {
        cluster.history.record(Event::Unknown { partition, record });
        return Err(match answer {
            Some((STORAGE_ERROR, _)) => STORAGE_REFUSES.into(),
            answer => format!("a record isn't taken: {answer:?}"),
        });
    };
    cluster.history.record(Event::Acked { partition, record, offset: offset as u64 });
    let Some(end) = upkeep::list_offset(rt, cluster, &mut session, place, LATEST).await else {
        return Err("its end isn't told".into());
    };
    let Some(start) = upkeep::list_offset(rt, cluster, &mut session, place, EARLIEST).await else {
        return Err("its start isn't told".into());
    };
    for client in (0..CLIENTS_MAX).filter(|client| !cluster.churn.is_muted(*client, place)) {
        let told = upkeep::coordinator(rt, &mut session, client).await == Some(true)
            && upkeep::committed(rt, cluster, &mut session, client, place).await == Some(true);
        if !told && !cluster.history.is_damaged_within(&format!("{}/__consumer_offsets", cluster.nodes[place.node])) {
            return Err(format!("what group {client} committed isn't told"));
        }
    }
    scan(rt, cluster, &mut session, place, (start, end)).await
}

/// Reads all records. What a damaged disk refuses is stepped over, in steps that double.
async fn scan(
    rt: &Runtime,
    cluster: &Cluster,
    session: &mut Session,
    place: &Place,
    (start, mut end): (u64, u64),
) -> Result<(), String> {
    let partition = place.partition;
    let damaged = cluster.history.is_damaged(&cluster.history.name(partition));
    let lost = |from, to| cluster.history.record(Event::Lost { partition, from, to });
    let (mut all, mut from): (Vec<Seen>, u64) = (Vec::new(), start);
    // First offset that is refused, and the last step behind it.
    let mut refused: Option<(u64, u64)> = None;
    while from < end {
        let known = cluster.history.read_end(partition);
        match read(rt, cluster, session, AUDITOR, place, (from, known), 0).await {
            Some(Ok((records, now))) => {
                if let Some((first, _)) = refused.take() {
                    lost(first, from);
                }
                let Some(last) = records.last() else { break };
                (from, end) = (last.offset + 1, now);
                all.extend(records);
            }
            Some(Err(STORAGE_ERROR)) if damaged => {
                let (first, step) = refused.map_or((from, 1), |(first, step)| (first, 2 * step));
                refused = Some((first, step));
                from = first + step;
            }
            other => return Err(format!("no read from {from}: {:?}", other.and_then(Result::err))),
        }
    }
    if let Some((first, _)) = refused {
        lost(first, end);
    }
    cluster.history.record(Event::Scan { partition, records: all });
    Ok(())
}

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

/// In a healthy cluster every partition takes one more record and then shows all it has. Sets `done` when all did.
pub async fn audit(rt: Runtime, cluster: Cluster, done: Rc<Cell<bool>>) {
    let mut number = 0;
    for node in 0..cluster.nodes.len() {
        for topic in &FIXED {
            for partition in 0..topic.partitions {
                let place = cluster.place(node, topic, partition);
                while let Err(refused) = audit_one(&rt, &cluster, &place, &mut number).await {
                    *cluster.refused.borrow_mut() =
                        format!("{} {}/{partition}: {refused}", cluster.nodes[node], topic.name);
                    rt.sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
    for node in 0..cluster.nodes.len() {
        for slot in 0..SLOTS {
            while let Err(refused) = audit_churn(&rt, &cluster, node, slot, &mut number).await {
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
        return Err(format!("a record isn't taken: {answer:?}"));
    };
    cluster.history.record(Event::Acked { partition, record, offset: offset as u64 });
    if upkeep::list_offset(rt, cluster, &mut session, place, LATEST).await.is_none() {
        return Err("its end isn't told".into());
    }
    let Some(start) = upkeep::list_offset(rt, cluster, &mut session, place, EARLIEST).await else {
        return Err("its start isn't told".into());
    };
    for client in (0..CLIENTS_MAX).filter(|client| !cluster.churn.is_muted(*client, place)) {
        if upkeep::coordinator(rt, &mut session, client).await != Some(true)
            || upkeep::committed(rt, cluster, &mut session, client, place).await != Some(true)
        {
            return Err(format!("what group {client} committed isn't told"));
        }
    }
    let mut all: Vec<Seen> = Vec::new();
    loop {
        let known = cluster.history.read_end(partition);
        let from = start + all.len() as u64;
        let Some(Ok((records, end))) = read(rt, cluster, &mut session, AUDITOR, place, (from, known), 0).await else {
            return Err(format!("no read from {from}"));
        };
        let stuck = records.is_empty() && from < end;
        all.extend(records);
        if start + all.len() as u64 >= end || stuck {
            cluster.history.record(Event::Scan { partition, records: all });
            return Ok(());
        }
    }
}

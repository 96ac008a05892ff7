//! The server: every shard accepts; a request crosses to the shard of its partition once; that shard commits in groups.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::rc::Rc;

use ouzel_model::{planted, reached};
use ouzel_runtime::mailbox::{Receiver, ReplyTo, Sender, mailbox, reply};
use ouzel_runtime::sync::{Latch, Notify};
use ouzel_runtime::{Class, Conn, Runtime, select};

use super::PORT;
use super::journal::{BLOCK_ENTRIES_MAX, Journal};
use super::protocol::{Entry, Frames, READ_MAX, Reply, Request};

/// Requests that wait at a shard.
const INBOX: usize = 64;

type Job = (Request, ReplyTo<Reply>);
type Root = Pin<Box<dyn Future<Output = ()>>>;

/// What makes the root futures of one process of `shards` shards.
pub fn process(shards: u16) -> impl Fn(Runtime) -> Root + 'static {
    let (senders, receivers): (Vec<Sender<Job>>, Vec<Receiver<Job>>) = (0..shards).map(|_| mailbox(INBOX)).unzip();
    let receivers = RefCell::new(receivers.into_iter().map(Some).collect::<Vec<_>>());
    move |rt| {
        let inbox = receivers.borrow_mut()[usize::from(rt.shard().0)].take().expect("each shard starts once");
        Box::pin(shard(rt, senders.clone(), inbox))
    }
}

async fn shard(rt: Runtime, shards: Vec<Sender<Job>>, inbox: Receiver<Job>) {
    let ending = Latch::new();
    let owner = rt.spawn(Class::Serve, own(rt.clone(), inbox, ending.clone()));
    rt.spawn(Class::Serve, accept(rt.clone(), shards)).await;
    ending.set();
    owner.await;
}

/// A shard's log in memory, and what waits to become durable.
#[derive(Default)]
struct Log {
    entries: RefCell<Vec<Entry>>,
    waiting: RefCell<Vec<(Entry, ReplyTo<Reply>)>>,
    arrived: Notify,
}

async fn own(rt: Runtime, mut inbox: Receiver<Job>, ending: Latch) {
    let dir = PathBuf::from(format!("data/shard-{}", rt.shard().0));
    let (journal, entries) = match Journal::open(&rt, &dir).await {
        Ok(opened) => opened,
        Err(error) => match rt.fail(format!("the journal can't be opened: {error}")).await {},
    };
    let log = Rc::new(Log { entries: RefCell::new(entries), ..Log::default() });
    let committer = rt.spawn(Class::Serve, commit(rt.clone(), log.clone(), journal));
    loop {
        let job = select! {
            () = ending.wait() => None,
            job = inbox.recv() => job,
        };
        let Some((request, to)) = job else { break };
        match request {
            Request::Append { entry, .. } => {
                log.waiting.borrow_mut().push((entry, to));
                log.arrived.notify_one();
            }
            Request::Read { from, .. } => {
                let entries = log.entries.borrow();
                let part = entries.iter().skip(from as usize).take(READ_MAX).copied().collect();
                to.send(Reply::Entries { end: entries.len() as u64, entries: part });
            }
        }
    }
    committer.abort();
    committer.await;
}

async fn commit(rt: Runtime, log: Rc<Log>, mut journal: Journal) {
    loop {
        let group: Vec<(Entry, ReplyTo<Reply>)> = {
            let mut waiting = log.waiting.borrow_mut();
            let count = waiting.len().min(BLOCK_ENTRIES_MAX);
            waiting.drain(..count).collect()
        };
        if group.is_empty() {
            log.arrived.notified().await;
            continue;
        }
        if group.len() > 1 {
            reached!("specimen-group-commit");
        }
        let entries: Vec<Entry> = group.iter().map(|(entry, _)| *entry).collect();
        let early = planted!("specimen-early-ack", true, false);
        let written = if early {
            let writing = journal.append(&rt, &entries);
            publish(&log, group);
            writing.await
        } else {
            let written = journal.append(&rt, &entries).await;
            if written.is_ok() {
                publish(&log, group);
            }
            written
        };
        if let Err(error) = written {
            match rt.fail(format!("a write of the journal failed: {error}")).await {}
        }
    }
}

fn publish(log: &Log, group: Vec<(Entry, ReplyTo<Reply>)>) {
    let mut entries = log.entries.borrow_mut();
    for (entry, to) in group {
        let offset = entries.len() as u64;
        entries.push(entry);
        to.send(Reply::Appended { offset });
    }
}

async fn accept(rt: Runtime, shards: Vec<Sender<Job>>) {
    let listener = match rt.net().listen(SocketAddr::from(([0, 0, 0, 0], PORT))) {
        Ok(listener) => listener,
        Err(error) => match rt.fail(format!("can't listen: {error}")).await {},
    };
    let mut served = Vec::new();
    loop {
        let accepted: Option<io::Result<Conn>> = select! {
            _ = rt.stopping().wait() => None,
            conn = listener.accept() => Some(conn),
        };
        match accepted {
            None => break,
            Some(Ok(conn)) => {
                served.retain(|task: &ouzel_runtime::Task| !task.is_ended());
                served.push(rt.spawn(Class::Serve, serve(rt.clone(), conn, shards.clone())));
            }
            Some(Err(_)) => rt.sleep(std::time::Duration::from_millis(10)).await,
        }
    }
    drop(listener);
    for task in served {
        task.await;
    }
}

/// Answers one connection's requests in order, with several in flight.
async fn serve(rt: Runtime, conn: Conn, shards: Vec<Sender<Job>>) {
    let mut frames = Frames::default();
    loop {
        let body = select! {
            _ = rt.stopping().wait() => None,
            body = frames.next(&conn) => body,
        };
        let Some(request) = body.and_then(Request::decode) else { return };
        let Some(owner) = shards.get(usize::from(request.partition())) else { return };
        let (to, answer) = reply();
        if owner.send((request, to)).await.is_err() {
            return;
        }
        // An owner that went away may have written it or not: only a closed connection says so.
        let Ok(answer) = answer.await else { return };
        if conn.write_all_bytes(&mut VecDeque::from([answer.encode()])).await.is_err() {
            return;
        }
    }
}

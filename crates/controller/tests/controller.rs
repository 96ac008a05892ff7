//! The controller on a real journal: restarts, snapshots, and what comes of damaged files.

// Looks at files, and damages them, behind the broker's back.
#![allow(clippy::disallowed_methods)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ouzel_controller::*;
use ouzel_log::{Store, StoreConfig};
use ouzel_model::config::NO_VALUES;
use ouzel_model::{ClusterId, Index, NodeId, ShardId, TopicId};
use ouzel_runtime::testing::{TempDir, run};
use ouzel_runtime::{Class, Runtime};

const LOCAL: Local<'static> = Local { node: NodeId(1), process: &NO_VALUES };

/// Opens store and controller in `dir` and drives them.
async fn start(rt: &Runtime, dir: &Path, snapshot_commands: u64) -> Result<(Store, Controller), OpenError> {
    let mut config = StoreConfig::new(dir.to_owned(), ShardId(0), [7; 16]);
    (config.journal_file_bytes, config.storage_min_free) = (256 << 10, Some(0));
    let (store, _) = Store::open(rt, config).await.unwrap();
    let options = ControllerOptions { snapshot_commands, ..ControllerOptions::new(dir.to_owned(), NodeId(1), 42) };
    let controller = Controller::open(rt, &store, options).await?;
    let (driven, tickets) = (controller.clone(), store.clone());
    rt.spawn(Class::Serve, async move {
        loop {
            for (token, ticket) in tickets.durable().await {
                assert_eq!(token, 42);
                driven.durable(ticket);
            }
        }
    });
    Ok((store, controller))
}

async fn found(controller: &Controller) {
    let plan = |image: &Image| {
        let mut commands =
            plan_register_node(image, NodeId(1), Node { uuid: [1; 16], shards: 2, rack: None }, &Default::default());
        commands.push(Command::FoundCluster { cluster_id: ClusterId([3; 16]), features: Default::default() });
        Plan { commands, outcome: () }
    };
    controller.change(plan).await.unwrap();
}

async fn create(controller: &Controller, name: &str) -> Result<Arc<Image>, AdminError> {
    let request = [NewTopic { partitions: 3, ..NewTopic::named(name) }];
    let plan = |image: &Image| {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&(image.version() + 1).to_be_bytes());
        plan_create_topics(image, LOCAL, &request, false, &mut || TopicId(id))
    };
    let (image, outcome) = controller.change(plan).await.unwrap();
    outcome.into_iter().next().unwrap().map(|_| image)
}

fn snapshots(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(dir.join("controller")) else { return Vec::new() };
    let complete = |path: &PathBuf| path.is_file() && path.extension().is_none();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(complete).collect();
    files.sort();
    files
}

fn newest_snapshot(dir: &Path) -> u64 {
    let newest = snapshots(dir).pop();
    newest.map_or(0, |path| path.to_str().unwrap().rsplit('-').next().unwrap().parse().unwrap())
}

/// Founds a cluster in `dir` and creates so many topics one by one, then stops cleanly or just ends; the image it had.
fn fill(dir: &Path, snapshot_commands: u64, topics: usize, close: bool) -> Image {
    let dir = dir.to_owned();
    run(move |rt| async move {
        let (store, controller) = start(&rt, &dir, snapshot_commands).await.unwrap();
        found(&controller).await;
        for number in 0..topics {
            create(&controller, &format!("topic-{number}")).await.unwrap();
            // The snapshots' task gets its turns between the changes.
            while newest_snapshot(&dir) + 2 * snapshot_commands < controller.image().version() {
                rt.yield_now().await;
            }
        }
        let log = store.log(CONTROLLER_LOG).unwrap();
        for turn in 0.. {
            if (topics as u64) < 6 * snapshot_commands || log.first_index() > Index(10) {
                break;
            }
            assert!(turn < 1_000_000, "the log keeps what two snapshots cover");
            rt.yield_now().await;
        }
        if close {
            store.close().await;
        }
        Image::clone(&controller.image())
    })
}

fn reopen(dir: &Path, snapshot_commands: u64) -> Result<Image, String> {
    let dir = dir.to_owned();
    run(move |rt| async move {
        match start(&rt, &dir, snapshot_commands).await {
            Ok((_, controller)) => {
                let read = Image::clone(&controller.image());
                // The next term goes on where the last one ended.
                controller.propose(Command::SetFeature { name: "group.version".into(), level: 1 }).await.unwrap();
                assert_eq!(controller.image().version(), read.version() + 1);
                Ok(read)
            }
            Err(error) => Err(error.to_string()),
        }
    })
}

#[test]
fn what_was_answered_is_there_after_a_restart() {
    for close in [true, false] {
        let dir = TempDir::new();
        let before = fill(dir.path(), 1_000_000, 30, close);
        assert_eq!((before.topic_count(), before.version()), (30, 32));
        assert_eq!(reopen(dir.path(), 1_000_000), Ok(before), "closed: {close}");
        assert!(snapshots(dir.path()).is_empty());
    }
}

#[test]
fn a_start_reads_the_newest_snapshot_and_what_lies_behind_it() {
    let dir = TempDir::new();
    let before = fill(dir.path(), 10, 60, false);
    let kept = snapshots(dir.path());
    // A third one when the end came before it was deleted.
    assert!((2..=3).contains(&kept.len()), "{kept:?}");
    assert_eq!(reopen(dir.path(), 1_000_000).as_ref(), Ok(&before));

    // The newest one damaged: the one before it and a longer part of the log give the same.
    damage(kept.last().unwrap());
    let image = reopen(dir.path(), 1_000_000).unwrap();
    assert_eq!((image.topic_count(), image.cluster_id()), (60, before.cluster_id()));
    assert_eq!(image.version(), before.version() + 1);
}

fn damage(file: &Path) {
    let mut bytes = std::fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(file, bytes).unwrap();
}

#[test]
fn a_lost_journal_is_refused_and_not_taken_for_a_new_cluster() {
    let dir = TempDir::new();
    fill(dir.path(), 10, 30, true);
    assert!(!snapshots(dir.path()).is_empty());
    std::fs::remove_dir_all(dir.path().join("shard-0")).unwrap();
    std::fs::remove_dir_all(dir.path().join("controller/log")).ok();
    let error = reopen(dir.path(), 10).unwrap_err();
    assert!(error.contains("the journal was lost"), "{error}");
}

#[test]
fn plans_see_changes_that_are_not_durable_yet_but_nobody_is_told_of_them() {
    let dir = TempDir::new();
    let data = dir.path().to_owned();
    run(move |rt| async move {
        let (_store, controller) = start(&rt, &data, 1000).await.unwrap();
        found(&controller).await;
        let version = controller.image().version();
        let mut seen = controller.subscribe();
        let answers = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
        let mut tasks = Vec::new();
        for place in 0..3 {
            let (controller, answers) = (controller.clone(), answers.clone());
            tasks.push(rt.spawn(Class::Serve, async move {
                let outcome = create(&controller, "same").await.map(|image| image.topic_count());
                // Whatever the answer rests on is published.
                assert!(controller.image().topic("same").is_some());
                answers.borrow_mut().push((place, outcome));
            }));
        }
        assert_eq!(controller.image().version(), version);
        for task in tasks {
            task.await;
        }
        let exists = Err(AdminError::TopicExists(controller.image().topic("same").unwrap().name.clone()));
        assert_eq!(*answers.borrow(), [(0, Ok(1)), (1, exists.clone()), (2, exists)]);
        seen.changed().await.unwrap();
        assert_eq!(seen.borrow().topic_count(), 1);
        let outdated = controller.propose(Command::DeleteTopic { id: TopicId([250; 16]) }).await;
        assert_eq!(outdated, Err(ProposeError::Outdated));
    });
}

/// Random changes over several lives of one directory, each ending without a word: what was answered is always there.
#[test]
fn every_life_goes_on_where_the_last_one_ended() {
    for seed in 0..4u64 {
        let dir = TempDir::new();
        let mut expected = Image::default();
        for life in 0..5u64 {
            let (data, before) = (dir.path().to_owned(), expected.clone());
            expected = run(move |rt| async move {
                let (_store, controller) = start(&rt, &data, 7).await.unwrap();
                assert_eq!(*controller.image(), before, "seed {seed}, life {life}");
                if !before.is_founded() {
                    found(&controller).await;
                }
                let random = ouzel_runtime::Rng::seeded(seed * 100 + life);
                for _ in 0..10 + random.below(20) {
                    let name = format!("t{}", random.below(8));
                    change(&controller, random.below(3), &name, random.next_u64()).await;
                }
                Image::clone(&controller.image())
            });
        }
        assert!(expected.version() > 30, "{} changes were made: too few", expected.version());
    }
}

/// Creates, deletes or alters a topic; whether it can is the image's business.
async fn change(controller: &Controller, what: u64, name: &str, value: u64) {
    let outcome = match what {
        0 => create(controller, name).await.map(|_| ()),
        1 => {
            let plan = |image: &Image| plan_delete_topics(image, LOCAL, &[TopicRef::Name(name.into())]);
            controller.change(plan).await.unwrap().1.remove(0).map(|_| ())
        }
        _ => {
            let value = Some((value >> 1).to_string());
            let step = ConfigStep { name: "retention.ms".into(), operation: Operation::Set, value };
            let request = [(Resource::Topic(name.into()), vec![step])];
            let plan = |image: &Image| plan_incremental_alter(image, LOCAL, &request, false);
            controller.change(plan).await.unwrap().1.remove(0)
        }
    };
    if let Err(error) = outcome {
        assert!(matches!(error, AdminError::TopicExists(_) | AdminError::UnknownTopic), "{error}");
    }
}

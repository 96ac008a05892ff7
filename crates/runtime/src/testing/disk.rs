//! The law of every disk home.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

use crate::buf::ALIGN;
use crate::disk::WRITES_IN_FLIGHT_MAX;
use crate::sync::Latch;
use crate::{Buf, Class, Durability, File, Open, Runtime};

/// A home that hasn't done something after this long never will.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs all laws in the directory, which exists and is empty. Panics at the first that is broken.
pub async fn disk_suite(rt: &Runtime, dir: &Path) {
    for direct in [false, true] {
        what_was_written_is_read_back(rt, dir, direct).await;
        reads_stop_at_the_end_of_the_file(rt, dir, direct).await;
        many_operations_complete_whatever_their_number(rt, dir, direct).await;
        a_dropped_future_neither_cancels_nor_frees(rt, dir, direct).await;
        writes_complete_while_tasks_stay_ready(rt, dir, direct).await;
        a_file_dropped_with_operations_in_flight_is_safe(rt, dir, direct).await;
    }
    sizes_are_set_and_new_bytes_are_zeros(rt, dir).await;
    datasync_follows_completed_writes(rt, dir).await;
    errors_name_what_failed_and_give_the_buffer_back(rt, dir).await;
    names_are_made_renamed_listed_and_removed(rt, dir).await;
    write_atomic_replaces_whole_files(rt, dir).await;
    a_lock_has_one_holder(rt, dir).await;
    space_is_told(rt, dir).await;
    a_call_submits_without_a_poll(rt, dir).await;
}

fn create(direct: bool) -> Open {
    Open { create: true, direct, ..Open::default() }
}

async fn open(rt: &Runtime, path: &Path, direct: bool) -> File {
    let file = rt.disk().open(path, create(direct)).await.expect("a file can be made");
    assert!(direct || !file.is_direct(), "nobody asked for direct I/O");
    file
}

/// A byte that is in no [`pattern`].
const FOREIGN: u8 = 0xff;

/// A buffer whose bytes tell their place.
fn pattern(rt: &Runtime, len: usize, seed: usize) -> Buf {
    let mut buf = rt.buffers().take(len);
    for (i, byte) in buf.iter_mut().enumerate() {
        *byte = ((i + seed) % 251) as u8;
    }
    buf
}

fn follows_pattern(bytes: &[u8], seed: usize) -> bool {
    bytes.iter().enumerate().all(|(i, byte)| *byte == ((i + seed) % 251) as u8)
}

async fn what_was_written_is_read_back(rt: &Runtime, dir: &Path, direct: bool) {
    let path = dir.join("round-trip");
    let file = open(rt, &path, direct).await;
    let lens = if direct { vec![ALIGN, 16 * ALIGN, 3 << 20] } else { vec![1, 4095, ALIGN, 100_000, 3 << 20] };
    let mut pos = 0;
    let mut places = Vec::new();
    for (i, len) in lens.into_iter().enumerate() {
        let durability = if i % 2 == 0 { Durability::Sync } else { Durability::None };
        let buf = pattern(rt, len, i);
        assert!((buf.as_ptr() as usize).is_multiple_of(ALIGN), "I/O buffers are aligned");
        let (written, buf) = file.write_at(buf, pos, durability).await;
        written.expect("a write succeeds");
        assert!(buf.len() == len && follows_pattern(&buf, i), "the buffer comes back as it was");
        places.push((pos, len, i));
        pos += len as u64;
    }
    assert_eq!(file.len().await.expect("size"), pos);
    for (pos, len, seed) in places {
        let (read, buf) = file.read_at(rt.buffers().take(len), pos).await;
        assert_eq!(read.expect("a read succeeds"), len);
        assert!(follows_pattern(&buf, seed), "{len} bytes at {pos}, direct {direct}");
    }
    // Inside what is there.
    let (written, _) = file.write_at(pattern(rt, ALIGN, 77), ALIGN as u64, Durability::Sync).await;
    written.expect("an overwrite succeeds");
    let (read, buf) = file.read_at(rt.buffers().take(ALIGN), ALIGN as u64).await;
    assert!(read.expect("a read succeeds") == ALIGN && follows_pattern(&buf, 77));
    rt.disk().remove_file(&path).await.expect("removed");
}

async fn reads_stop_at_the_end_of_the_file(rt: &Runtime, dir: &Path, direct: bool) {
    let path = dir.join("end");
    let file = open(rt, &path, false).await;
    file.write_at(pattern(rt, 5000, 0), 0, Durability::None).await.0.expect("written");
    // A direct read must not meet dirty pages of the buffered write.
    file.datasync().await.expect("synced");
    drop(file);
    let file = open(rt, &path, direct).await;
    for (pos, len, expected) in [(0, 2 * ALIGN, 5000), (ALIGN as u64, ALIGN, 5000 - ALIGN), (8192, ALIGN, 0)] {
        let (read, buf) = file.read_at(rt.buffers().take(len), pos).await;
        assert_eq!(read.expect("a read succeeds"), expected, "{len} at {pos}, direct {direct}");
        assert!(follows_pattern(&buf[..expected], pos as usize));
    }
    rt.disk().remove_file(&path).await.expect("removed");
}

async fn many_operations_complete_whatever_their_number(rt: &Runtime, dir: &Path, direct: bool) {
    let path = dir.join("many");
    let file = open(rt, &path, direct).await;
    let count = 5 * WRITES_IN_FLIGHT_MAX;
    file.allocate((count * ALIGN) as u64).await.expect("allocated");
    let writes: Vec<_> = (0..count)
        .map(|i| {
            let durability = if i % 2 == 0 { Durability::None } else { Durability::Sync };
            file.write_at(pattern(rt, ALIGN, i), (i * ALIGN) as u64, durability)
        })
        .collect();
    // Awaited from the back: nobody need wait in order.
    for write in writes.into_iter().rev() {
        write.await.0.expect("a write succeeds");
    }
    file.datasync().await.expect("synced");
    let reads: Vec<_> = (0..count).map(|i| file.read_at(rt.buffers().take(ALIGN), (i * ALIGN) as u64)).collect();
    for (i, read) in reads.into_iter().enumerate() {
        let (read, buf) = read.await;
        assert!(read.expect("a read succeeds") == ALIGN && follows_pattern(&buf, i), "block {i}");
    }
    rt.disk().remove_file(&path).await.expect("removed");
}

async fn a_dropped_future_neither_cancels_nor_frees(rt: &Runtime, dir: &Path, direct: bool) {
    let path = dir.join("dropped");
    let file = open(rt, &path, direct).await;
    file.write_at(Buf::zeroed(64 * ALIGN), 0, Durability::Sync).await.0.expect("written");
    drop(file.write_at(pattern(rt, 64 * ALIGN, 9), 0, Durability::Sync));
    // Had the buffer been freed with its future, one of these would be it, and its new content would be written. A read that
    // overtakes the write may see a part of it, so the content is a byte that no pattern has.
    let mut others: Vec<Buf> = (0..8).map(|_| rt.buffers().take(64 * ALIGN)).collect();
    others.iter_mut().for_each(|buf| buf.fill(FOREIGN));
    drop(file.read_at(rt.buffers().take(64 * ALIGN), 0));
    let deadline = rt.now() + PATIENCE;
    loop {
        let (read, buf) = file.read_at(rt.buffers().take(64 * ALIGN), 0).await;
        assert_eq!(read.expect("a read succeeds"), 64 * ALIGN);
        if follows_pattern(&buf, 9) {
            break;
        }
        assert!(!buf.contains(&FOREIGN), "the write took a buffer that was given to others");
        assert!(rt.now() < deadline, "the write never happened");
        rt.sleep(Duration::from_millis(1)).await;
    }
    assert!(
        others.iter().all(|buf| buf.iter().all(|byte| *byte == FOREIGN)),
        "a dropped read wrote to others' buffers"
    );
    rt.disk().remove_file(&path).await.expect("removed");
}

async fn writes_complete_while_tasks_stay_ready(rt: &Runtime, dir: &Path, direct: bool) {
    let path = dir.join("busy");
    let file = open(rt, &path, direct).await;
    let done = Latch::new();
    let deadline = rt.now() + PATIENCE;
    let busy: Vec<_> = (0..2)
        .map(|_| {
            let (rt, done) = (rt.clone(), done.clone());
            rt.clone().spawn(Class::Serve, async move {
                while !done.is_set() {
                    assert!(rt.now() < deadline, "an operation waits for the thread to park");
                    rt.yield_now().await;
                }
            })
        })
        .collect();
    for durability in [Durability::None, Durability::Sync] {
        file.write_at(pattern(rt, ALIGN, 3), 0, durability).await.0.expect("written");
    }
    let (read, buf) = file.read_at(rt.buffers().take(ALIGN), 0).await;
    assert!(read.expect("a read succeeds") == ALIGN && follows_pattern(&buf, 3));
    file.datasync().await.expect("synced");
    assert!(busy.iter().all(|task| !task.is_ended()), "the control: both tasks were ready all the time");
    done.set();
    for task in busy {
        task.await;
    }
    rt.disk().remove_file(&path).await.expect("removed");
}

async fn a_file_dropped_with_operations_in_flight_is_safe(rt: &Runtime, dir: &Path, direct: bool) {
    let path = dir.join("orphan");
    let file = open(rt, &path, direct).await;
    let write = file.write_at(pattern(rt, 32 * ALIGN, 5), 0, Durability::Sync);
    drop(file);
    write.await.0.expect("the write has its own hold of the file");
    let bytes = rt.disk().read(&path, 1 << 20).await.expect("read");
    assert!(bytes.len() == 32 * ALIGN && follows_pattern(&bytes, 5));
    rt.disk().remove_file(&path).await.expect("removed");
}

async fn sizes_are_set_and_new_bytes_are_zeros(rt: &Runtime, dir: &Path) {
    let path = dir.join("sizes");
    let file = open(rt, &path, false).await;
    file.allocate(10_000).await.expect("allocated");
    assert_eq!(file.len().await.expect("size"), 10_000);
    file.write_at(pattern(rt, 100, 0), 0, Durability::None).await.0.expect("written");
    file.allocate(50).await.expect("allocated");
    assert_eq!(file.len().await.expect("size"), 10_000, "allocate never shrinks");
    file.set_len(60).await.expect("shrunk");
    file.set_len(100).await.expect("grown");
    let bytes = rt.disk().read(&path, 100).await.expect("read");
    assert!(follows_pattern(&bytes[..60], 0) && bytes[60..] == [0; 40], "{bytes:?}");
    rt.disk().remove_file(&path).await.expect("removed");
}

async fn datasync_follows_completed_writes(rt: &Runtime, dir: &Path) {
    let path = dir.join("datasync");
    let file = open(rt, &path, false).await;
    for i in 0..4 {
        let (a, b) = (
            file.write_at(pattern(rt, 1000, i), 0, Durability::None),
            file.write_at(pattern(rt, 1000, i), 1000, Durability::None),
        );
        a.await.0.expect("written");
        b.await.0.expect("written");
        file.datasync().await.expect("synced");
        let bytes = rt.disk().read(&path, 2000).await.expect("read");
        assert!(follows_pattern(&bytes[..1000], i) && follows_pattern(&bytes[1000..], i));
    }
    rt.disk().sync_all(dir).await.expect("synced");
    rt.disk().remove_file(&path).await.expect("removed");
}

fn names(error: &io::Error, kind: ErrorKind, name: &str) {
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(name), "{error} names no {name}");
}

async fn errors_name_what_failed_and_give_the_buffer_back(rt: &Runtime, dir: &Path) {
    let disk = rt.disk();
    let absent = dir.join("absent");
    names(&disk.open(&absent, Open::default()).await.err().expect("absent"), ErrorKind::NotFound, "absent");
    names(&disk.read(&absent, 1).await.expect_err("absent"), ErrorKind::NotFound, "absent");
    names(&disk.remove_file(&absent).await.expect_err("absent"), ErrorKind::NotFound, "absent");
    names(&disk.read_dir(&absent).await.expect_err("absent"), ErrorKind::NotFound, "absent");
    names(&disk.sync_dir(&absent).await.expect_err("absent"), ErrorKind::NotFound, "absent");
    names(&disk.rename(&absent, &dir.join("b")).await.expect_err("absent"), ErrorKind::NotFound, "absent");

    let path = dir.join("present");
    let new = Open { create_new: true, ..Open::default() };
    disk.open(&path, new).await.expect("made");
    names(&disk.open(&path, new).await.err().expect("there"), ErrorKind::AlreadyExists, "present");
    let file = disk.open(&path, Open { read_only: true, ..Open::default() }).await.expect("opened");
    let (written, buf) = file.write_at(pattern(rt, 10, 0), 0, Durability::None).await;
    written.expect_err("read only");
    assert!(follows_pattern(&buf, 0), "the buffer comes back");
    disk.remove_file(&path).await.expect("removed");
}

async fn names_are_made_renamed_listed_and_removed(rt: &Runtime, dir: &Path) {
    let disk = rt.disk();
    let base = dir.join("tree");
    disk.create_dir_all(&base.join("b/c")).await.expect("made");
    disk.create_dir_all(&base.join("b/c")).await.expect("there already");
    for name in ["z", "a", "m"] {
        let file = open(rt, &base.join(name), false).await;
        file.write_at(pattern(rt, 7, 0), 0, Durability::None).await.0.expect("written");
    }
    disk.sync_dir(&base).await.expect("synced");
    let listed = disk.read_dir(&base).await.expect("listed");
    let listed: Vec<_> = listed.iter().map(|e| (e.name.as_str(), e.is_dir)).collect();
    assert_eq!(listed, [("a", false), ("b", true), ("m", false), ("z", false)]);
    disk.rename(&base.join("z"), &base.join("a")).await.expect("renamed over another");
    disk.sync_dir(&base).await.expect("synced");
    assert!(!disk.exists(&base.join("z")).await.expect("looked"));
    assert!(disk.exists(&base.join("a")).await.expect("looked"));
    let entry = disk.read_dir(&base).await.expect("listed").remove(0);
    assert_eq!((entry.name.as_str(), entry.len), ("a", 7));
    disk.remove_file(&base.join("m")).await.expect("removed");
    disk.remove_dir_all(&base).await.expect("removed");
    assert!(!disk.exists(&base).await.expect("looked"));
}

async fn write_atomic_replaces_whole_files(rt: &Runtime, dir: &Path) {
    let disk = rt.disk();
    let path = dir.join("atomic");
    for content in [&b"first, longer"[..], b"second", b""] {
        disk.write_atomic(&path, content.to_vec()).await.expect("written");
        assert_eq!(disk.read(&path, 13).await.expect("read"), content);
    }
    assert_eq!(disk.read_dir(dir).await.expect("listed").len(), 1, "no temporary file stays");
    disk.write_atomic(&path, vec![1; 100]).await.expect("written");
    names(&disk.read(&path, 99).await.expect_err("too large"), ErrorKind::FileTooLarge, "atomic");
    assert_eq!(disk.read(&path, 100).await.expect("read").len(), 100);
    disk.remove_file(&path).await.expect("removed");
}

async fn a_lock_has_one_holder(rt: &Runtime, dir: &Path) {
    let path = dir.join("LOCK");
    let held = rt.disk().lock(&path).await.expect("locked");
    names(&rt.disk().lock(&path).await.err().expect("held"), ErrorKind::ResourceBusy, "LOCK");
    drop(held);
    drop(rt.disk().lock(&path).await.expect("free again"));
    rt.disk().remove_file(&path).await.expect("removed");
}

async fn space_is_told(rt: &Runtime, dir: &Path) {
    let space = rt.disk().space(dir).await.expect("told");
    assert!(space.total > 0 && space.free <= space.total, "{space:?}");
}

async fn a_call_submits_without_a_poll(rt: &Runtime, dir: &Path) {
    let path = dir.join("submits");
    let opening = rt.disk().open(&path, create(false));
    let deadline = rt.now() + PATIENCE;
    while !rt.disk().exists(&path).await.expect("looked") {
        assert!(rt.now() < deadline, "an open waits for its first poll");
        rt.sleep(Duration::from_millis(1)).await;
    }
    opening.await.expect("opened");
    rt.disk().remove_file(&path).await.expect("removed");
}

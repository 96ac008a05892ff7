//! A disk that runs full: writers are told, readers and commits go on, and writing goes on when there is room.

#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Dev, Dir, Said, ouzel};

const VOLUME: &str = "256M";
const CYCLES: usize = 5;

/// A small volume; unmounted at the end.
struct Volume(PathBuf);

impl Volume {
    /// An ext4 in a file, else memory; `None` where nothing may be mounted.
    fn mount(dir: &Dir) -> Option<Volume> {
        let (image, at) = (dir.0.join("image"), dir.0.join("volume"));
        std::fs::create_dir(&at).unwrap();
        let (image, at_text) = (image.to_str().unwrap(), at.to_str().unwrap());
        let size = format!("size={VOLUME}");
        let ext4: [&[&str]; 3] = [
            &["truncate", "-s", VOLUME, image],
            &["mkfs.ext4", "-q", "-F", "-m", "0", image],
            &["mount", "-o", "loop", image, at_text],
        ];
        let memory: [&[&str]; 1] = [&["mount", "-t", "tmpfs", "-o", &size, "tmpfs", at_text]];
        (run_all(&ext4) || run_all(&memory)).then_some(Volume(at))
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        run_all(&[&["umount", self.0.to_str().unwrap()]]);
    }
}

fn run_all(commands: &[&[&str]]) -> bool {
    commands.iter().all(|words| Command::new(words[0]).args(&words[1..]).output().is_ok_and(|o| o.status.success()))
}

/// Writes until the broker refuses; how many writes it took, and what it said.
fn fill(dev: &Dev, topic: &str, lines: &[u8]) -> (usize, Said) {
    for written in 0..200 {
        let said = dev.ouzel(&["topic", "produce", topic, "--format", "json"], lines);
        if said.code != 0 {
            return (written, said);
        }
    }
    panic!("the volume of {VOLUME} never runs full");
}

/// Writes until the broker takes it again: it looks at the disk once a second.
fn until_it_writes(dev: &Dev, topic: &str) {
    let taken = (0..400).any(|_| dev.ouzel(&["topic", "produce", topic], b"again\n").code == 0);
    assert!(taken, "there is room, and nothing is taken");
}

#[test]
fn a_full_disk_refuses_writers_and_serves_readers_until_there_is_room() {
    let dir = Dir::new("full");
    let Some(volume) = Volume::mount(&dir) else {
        eprintln!("skip a_full_disk: nothing may be mounted here");
        return;
    };
    let dev = Dev::start(&dir.0, &["--data", volume.0.join("data").to_str().unwrap()]);
    let lines = format!("{}\n", "x".repeat(500_000)).repeat(8).into_bytes();
    dev.check(&["topic", "produce", "kept"], "a\nb\nc\n", "");
    dev.check(&["topic", "consume", "kept", "-g", "g", "-n", "1", "-f", "%v"], "", "a");
    for cycle in 0..CYCLES {
        let topic = format!("filler-{cycle}");
        dev.check(&["topic", "create", &topic], "", &format!("created {topic}\n"));
        let (written, said) = fill(&dev, &topic, &lines);
        assert!(written > 3, "cycle {cycle}: {}", said.err);
        for part in ["E-DISK-LOW", volume.0.to_str().unwrap(), " bytes free", "storage_min_free "] {
            assert!(said.err.contains(part), "cycle {cycle}: {part} isn't in {}", said.err);
        }
        // Readers read, groups commit, what isn't written isn't there.
        dev.check(&["topic", "consume", "kept", "-o", ":end", "-n", "3", "-f", "%v"], "", "abc");
        dev.check(
            &["group", "seek", "g", "--to", "start", "--format", "json"],
            "",
            &seek(if cycle == 0 { 1 } else { 2 }, 0),
        );
        dev.check(&["topic", "consume", "kept", "-g", "g", "-n", "2", "-f", "%v"], "", "ab");
        // Room by deleting the topic, and by retention.
        match cycle % 2 {
            0 => dev.check(&["topic", "delete", &topic, "--yes"], "", &format!("deleted {topic}\n")),
            _ => {
                let set =
                    ["topic", "alter-config", &topic, "--set", "retention.bytes=1", "--set", "segment.bytes=1048576"];
                dev.check(&set, "", &format!("changed {topic}\n"));
            }
        }
        until_it_writes(&dev, "after");
    }
    assert_eq!(dev.stop("-TERM").0, 0, "it never died");
    let said = ouzel(&dir.0, "", &["verify", volume.0.join("data").to_str().unwrap()], b"");
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
}

fn seek(from: i64, to: i64) -> String {
    format!("[{{\"topic\":\"kept\",\"partition\":0,\"from\":{from},\"to\":{to}}}]\n")
}

/// The helper says what the file system's own tool says: without that a volume that isn't mounted would pass.
#[test]
fn a_mounted_volume_is_small() {
    let dir = Dir::new("small");
    if let Some(volume) = Volume::mount(&dir) {
        assert!(is_mounted(&volume.0));
    }
}

fn is_mounted(path: &Path) -> bool {
    std::fs::read_to_string("/proc/mounts").unwrap().contains(path.to_str().unwrap())
}

//! The README's walk: its own command line builds and starts a broker, clients write, the broker is killed, clients read.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::run::{cargo, root, step};
use crate::suites;

/// A release build on two cores from nothing.
const BUILD_MAX: Duration = Duration::from_secs(45 * 60);
/// A start of what is built.
const START_MAX: Duration = Duration::from_secs(60);
/// The README's command line.
const COMMAND: &str = "cargo run --release -- dev";

/// Walks; leaves no process and no data behind.
pub fn run() -> Result<()> {
    let readme = std::fs::read_to_string(root().join("README.md"))?;
    ensure!(readme.contains(COMMAND), "the README doesn't say `{COMMAND}`");
    let begin = Instant::now();
    temporary()?;
    println!("<== built, started and stopped: {:.0} s", begin.elapsed().as_secs_f64());
    let data = std::env::temp_dir().join(format!("ouzel-walk-{}", std::process::id()));
    let walked = kept(&data);
    let _ = std::fs::remove_dir_all(&data);
    walked?;
    step(
        "clients against the release",
        suites::suites().args(["--suite", "kcat", "--suite", "confluent", "--ouzel"]).arg(binary()?),
    )
}

/// With temporary data: the ready block, and the end on an interrupt, which leaves nothing.
fn temporary() -> Result<()> {
    let mut broker = Dev::start(&["--temp", "--any-port"], BUILD_MAX)?;
    ensure!(broker.block[0].ends_with(" ms · temporary data (gone on exit)"), "the block says {:?}", broker.block);
    ensure!(broker.block.iter().any(|line| line.starts_with("try   ")), "nothing to try in {:?}", broker.block);
    ouzel(&broker.brokers, &["topic", "produce", "hello"], "world\n")?;
    let read = ouzel(&broker.brokers, &["topic", "consume", "hello", "--offset", "start:end", "-f", "%v\\n"], "")?;
    ensure!(read == "world\n", "read {read:?}");
    ensure!(Command::new("kill").args(["-INT", &broker.child.id().to_string()]).status()?.success(), "kill");
    let status = broker.child.wait()?;
    ensure!(status.success(), "after an interrupt it ends with {status}");
    let last = broker.lines.iter().last();
    ensure!(last.as_deref().is_some_and(|line| line.starts_with("stopped")), "its last word is {last:?}");
    Ok(())
}

/// With data that is kept: kcat and the command line write and read, across a kill.
fn kept(data: &Path) -> Result<()> {
    let dir = data.to_str().context("a UTF-8 path")?;
    let broker = Dev::start(&["--data", dir, "--any-port"], BUILD_MAX)?;
    let brokers = broker.brokers.clone();
    ouzel(&brokers, &["topic", "produce", "hello"], "one\n")?;
    kcat(&brokers, &["-P", "-t", "hello"], "two\n")?;
    // Killed, without a farewell.
    drop(broker);
    let _again = Dev::start(
        &["--data", dir, "--kafka-addr", &brokers.replace("localhost", "127.0.0.1"), "--admin-addr", "127.0.0.1:0"],
        START_MAX,
    )?;
    let read = ouzel(&brokers, &["topic", "consume", "hello", "--offset", "start:end", "-f", "%v\\n"], "")?;
    ensure!(read == "one\ntwo\n", "ouzel reads {read:?}");
    let read = kcat(&brokers, &["-C", "-t", "hello", "-e", "-q"], "")?;
    ensure!(read == "one\ntwo\n", "kcat reads {read:?}");
    Ok(())
}

/// A broker by the README's command line; killed when dropped.
struct Dev {
    child: Child,
    block: Vec<String>,
    /// What it says after the block.
    lines: Receiver<String>,
    brokers: String,
}

impl Dev {
    fn start(args: &[&str], within: Duration) -> Result<Dev> {
        // Cargo becomes the program it runs: the child's id is the broker's.
        let words: Vec<&str> = COMMAND.split(' ').skip(1).collect();
        let mut child =
            cargo(&words).args(args).current_dir(root()).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let output = BufReader::new(child.stdout.take().context("piped")?);
        let (tell, lines) = mpsc::channel();
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        let mut dev = Dev { child, block: Vec::new(), lines, brokers: String::new() };
        let deadline = Instant::now() + within;
        // The block ends with what to try.
        while !dev.block.last().is_some_and(|line| line.contains("topic consume hello")) {
            let left = deadline.saturating_duration_since(Instant::now());
            match dev.lines.recv_timeout(left) {
                Ok(line) => dev.block.push(line),
                Err(_) => bail!("no ready block; it said {:?}", dev.block),
            }
        }
        ensure!(dev.block[0].starts_with("ready in "), "the block begins {:?}", dev.block[0]);
        let kafka = dev.block.iter().find_map(|line| line.trim().strip_prefix("kafka ")).context("no kafka line")?;
        dev.brokers = kafka.split_whitespace().next().context("no address")?.to_string();
        Ok(dev)
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The release binary that the README's command line built.
fn binary() -> Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let path = target.join("release/ouzel");
    ensure!(path.is_file(), "no {}", path.display());
    Ok(path)
}

fn ouzel(brokers: &str, args: &[&str], input: &str) -> Result<String> {
    said(Command::new(binary()?).args(["-X", &format!("brokers={brokers}")]).args(args), input)
}

fn kcat(brokers: &str, args: &[&str], input: &str) -> Result<String> {
    said(Command::new("kcat").args(["-b", brokers]).args(args), input)
}

/// Gives a command its input and takes what it prints.
fn said(command: &mut Command, input: &str) -> Result<String> {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().with_context(|| format!("{command:?}"))?;
    child.stdin.take().context("piped")?.write_all(input.as_bytes())?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "{command:?} ends with {}", output.status);
    Ok(String::from_utf8(output.stdout)?)
}

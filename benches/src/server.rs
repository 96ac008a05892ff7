//! Brokers as child processes on loopback: started, asked, and ended by the id they were started with.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::batches::{Shape, batch, produce, produce_to};
use crate::conn::{Conn, create_topic};
use crate::kafka::Kafka;

/// Ports that are never taken, however free: people's brokers live there.
const PORTS_NOT_OURS: [u16; 2] = [9092, 19292];
/// A broker that isn't up after so long ends the run.
const START_MAX: Duration = Duration::from_secs(60);
/// A broker that doesn't stop by itself after so long is killed.
const STOP_MAX: Duration = Duration::from_secs(30);

/// Which broker.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Ours.
    Ouzel {
        /// The binary.
        binary: PathBuf,
        /// More words for `ouzel start`.
        words: Vec<String>,
    },
    /// The peer.
    Kafka {
        /// Its libraries.
        kafka: Kafka,
        /// Sync after every message.
        durable: bool,
    },
}

/// Where a broker lives, started or not.
#[derive(Debug)]
pub struct Home {
    kind: Kind,
    dir: PathBuf,
    /// Where it listens.
    pub addr: SocketAddr,
    other: SocketAddr,
    /// The command that runs the broker, such as `taskset`; none if empty.
    under: Vec<String>,
}

/// A running broker; killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens.
    pub addr: SocketAddr,
}

impl Home {
    /// Makes a broker's folder ready, on free ports of 127.0.0.1. `under` are the words of a command that runs the broker; it must
    /// become the broker, as `taskset` does.
    pub fn prepare(kind: Kind, dir: PathBuf, under: &[&str]) -> Result<Home> {
        fs::create_dir_all(&dir)?;
        let (addr, other) = free_ports()?;
        if let Kind::Kafka { kafka, durable } = &kind {
            kafka.prepare(&dir, addr, other, *durable)?;
        }
        Ok(Home { kind, dir, addr, other, under: under.iter().map(|word| (*word).to_owned()).collect() })
    }

    /// Where its data lies.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Starts the process; it may not listen yet.
    pub fn start(&self) -> Result<Server> {
        let command = match &self.kind {
            Kind::Ouzel { binary, words } => {
                let mut ouzel = Command::new(binary);
                ouzel.arg("start").arg("--data").arg(self.dir.join("data"));
                ouzel.args(["--kafka-addr", &self.addr.to_string(), "--admin-addr", &self.other.to_string()]);
                ouzel.args(words);
                ouzel
            }
            Kind::Kafka { kafka, .. } => kafka.command(&self.dir),
        };
        let mut command = under(command, &self.under);
        let log = File::create(self.dir.join("server.log"))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().with_context(|| format!("{command:?}"))?;
        Ok(Server { child, addr: self.addr })
    }
}

impl Server {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until a produce to `topic` is acknowledged. The topic is made first if it has to be.
    pub fn first_ack(&mut self, topic: &str, make: bool, partition: i32) -> Result<()> {
        let end = Instant::now() + START_MAX;
        let mut made = !make;
        loop {
            let tried = self.try_ack(topic, &mut made, partition);
            let Err(error) = tried else { return Ok(()) };
            if let Some(status) = self.child.try_wait()? {
                bail!("the broker ended ({status}) before it answered");
            }
            if Instant::now() > end {
                return Err(error.context("no acknowledged produce in time"));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn try_ack(&self, topic: &str, made: &mut bool, partition: i32) -> Result<()> {
        let mut conn = Conn::open(self.addr)?;
        if !*made {
            create_topic(self.addr, topic, 1)?;
            *made = true;
        }
        let shape = Shape { records: 1, value_bytes: 100, keyed: true };
        conn.send_and_check(&produce(topic, partition, -1, batch(shape, 0))?)
    }

    /// Waits until a produce to each partition of `topic` is acknowledged.
    pub fn all_ack(&mut self, topic: &str, partitions: i32) -> Result<()> {
        let end = Instant::now() + START_MAX;
        loop {
            let Err(error) = self.try_all(topic, partitions) else { return Ok(()) };
            if let Some(status) = self.child.try_wait()? {
                bail!("the broker ended ({status}) before it answered");
            }
            if Instant::now() > end {
                return Err(error.context("not every partition acknowledged in time"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn try_all(&self, topic: &str, partitions: i32) -> Result<()> {
        let shape = Shape { records: 1, value_bytes: 100, keyed: true };
        Conn::open(self.addr)?.send_and_check(&produce_to(topic, 0..partitions, -1, &batch(shape, 0))?)
    }

    /// Kills it (SIGKILL) and waits for its end.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop).context("a killed broker's end")
    }

    /// Asks it to stop (SIGTERM) and waits.
    pub fn stop(mut self) -> Result<()> {
        let pid = self.pid().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let end = Instant::now() + STOP_MAX;
        while Instant::now() < end {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("process {pid} doesn't stop")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Gone already, or killed; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn under(command: Command, words: &[String]) -> Command {
    let Some((first, rest)) = words.split_first() else { return command };
    let mut outer = Command::new(first);
    outer.args(rest).arg(command.get_program()).args(command.get_args());
    outer
}

/// Two different free ports of 127.0.0.1.
fn free_ports() -> Result<(SocketAddr, SocketAddr)> {
    let mut held = Vec::new();
    for _ in 0..16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        if !PORTS_NOT_OURS.contains(&listener.local_addr()?.port()) {
            held.push(listener);
        }
        if let [a, b] = &held[..] {
            return Ok((a.local_addr()?, b.local_addr()?));
        }
    }
    bail!("no free ports")
}

/// Size of a file, bytes.
pub fn file_bytes(path: &Path) -> Result<u64> {
    Ok(fs::metadata(path).with_context(|| path.display().to_string())?.len())
}

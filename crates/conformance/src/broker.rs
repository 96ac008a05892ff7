//! A broker in a child process, which can be killed and started again on its data.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// A broker must serve within this time, on a machine that is busy with other things too.
const START_MAX: Duration = Duration::from_secs(60);
/// Ports for brokers: below Linux's ephemeral ports, so that nobody's outgoing connection takes one between kill and start.
const PORTS: std::ops::Range<u16> = 20_000..30_000;
/// What of the broker's log is shown after a failure, bytes.
const LOG_TAIL: u64 = 4_000;

/// A broker of our own. Killed, and its data removed, when dropped.
pub struct OwnBroker {
    dir: PathBuf,
    addr: SocketAddr,
    binary: Option<PathBuf>,
    child: Child,
}

impl OwnBroker {
    /// Starts one with fresh data: by this `ouzel` binary's `dev`, else by our own `serve`.
    pub fn start(binary: Option<&Path>) -> Result<OwnBroker> {
        let (addr, binary) = (free_addr()?, binary.map(Path::to_path_buf));
        let dir = std::env::temp_dir().join(format!("ouzel-conformance-{}-{}", std::process::id(), addr.port()));
        std::fs::create_dir_all(&dir)?;
        let child = spawn(binary.as_deref(), &dir, addr)?;
        Ok(OwnBroker { dir, addr, binary, child })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Kills it without a farewell and starts it on the same data and address.
    pub fn restart(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("the broker had ended by itself: {status}");
        }
        self.child.kill()?;
        self.child.wait()?;
        self.child = spawn(self.binary.as_deref(), &self.dir, self.addr)?;
        Ok(())
    }

    /// Why it is gone, if it is.
    pub fn ended(&mut self) -> Option<String> {
        match self.child.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(status.to_string()),
            Err(error) => Some(error.to_string()),
        }
    }

    /// The end of its log.
    pub fn log_tail(&self) -> String {
        let mut text = String::new();
        if let Ok(mut file) = File::open(self.dir.join("log")) {
            let len = file.metadata().map_or(0, |m| m.len());
            let _ = file.seek(SeekFrom::Start(len.saturating_sub(LOG_TAIL)));
            let _ = file.take(LOG_TAIL).read_to_string(&mut text);
        }
        text
    }
}

impl Drop for OwnBroker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn spawn(binary: Option<&Path>, dir: &Path, addr: SocketAddr) -> Result<Child> {
    let log = File::options().create(true).append(true).open(dir.join("log"))?;
    let mut command = match binary {
        Some(ouzel) => Command::new(ouzel),
        None => Command::new(std::env::current_exe()?),
    };
    match binary {
        Some(_) => command.args(["dev", "--verbose", "--cores", "2", "--admin-addr", "127.0.0.1:0"]),
        None => command.arg("serve"),
    };
    let mut child = command
        .arg("--data")
        .arg(dir.join("data"))
        .args(["--kafka-addr", &addr.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .context("the broker can't be started")?;
    let output = child.stdout.take().context("its output is piped")?;
    let (tell, ready) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut output, mut line) = (BufReader::new(output), String::new());
        let _ = output.read_line(&mut line);
        let _ = tell.send(line);
        // It isn't to stumble over a closed pipe.
        let _ = std::io::copy(&mut output, &mut std::io::sink());
    });
    match ready.recv_timeout(START_MAX) {
        Ok(line) if line.starts_with("ready") => Ok(child),
        other => {
            let _ = child.kill();
            let status = child.wait()?;
            let log = std::fs::read_to_string(dir.join("log")).unwrap_or_default();
            let tail: Vec<&str> = log.lines().rev().take(10).collect();
            let tail: Vec<&str> = tail.into_iter().rev().collect();
            bail!("the broker doesn't come up ({other:?}, {status}):\n{}", tail.join("\n"));
        }
    }
}

fn free_addr() -> Result<SocketAddr> {
    let span = PORTS.end - PORTS.start;
    // Several runs at a time begin at different ports.
    let first = (std::process::id() % u32::from(span)) as u16;
    for step in 0..span {
        let addr = SocketAddr::from(([127, 0, 0, 1], PORTS.start + (first + step) % span));
        if TcpListener::bind(addr).is_ok() {
            return Ok(addr);
        }
    }
    bail!("no free port in {PORTS:?}")
}

//! Apache Kafka as a peer: from Maven Central into a cache outside the tree, or one line that says why not.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// What the rows call it.
pub const NAME: &str = "Kafka 4.4.0";
const CLUSTER: &str = "MkU3OEVBNTcwNTJENDM2Qg";

/// Its libraries.
#[derive(Clone, Debug)]
pub struct Kafka {
    lib: PathBuf,
}

impl Kafka {
    /// Finds or fetches it. `Err` holds what is missing, as a sentence for the skip line.
    pub fn set_up(root: &Path, cache: &Path) -> Result<Kafka> {
        for tool in ["java", "mvn"] {
            let there = Command::new(tool).arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            ensure!(there.is_ok_and(|status| status.success()), "it needs java 17 and mvn, and there is no {tool}");
        }
        let (lib, done) = (cache.join("kafka-4.4.0/lib"), cache.join("kafka-4.4.0/complete"));
        if !done.exists() {
            fs::create_dir_all(&lib).context("make its folder")?;
            let pom = root.join("benches/peers/kafka/pom.xml");
            let mut mvn = Command::new("mvn");
            mvn.args(["-q", "-B", "-f"]).arg(pom).arg("dependency:copy-dependencies");
            mvn.arg("-DincludeScope=runtime").arg(format!("-DoutputDirectory={}", lib.display()));
            let output = mvn.output().context("run mvn")?;
            if !output.status.success() {
                let said = String::from_utf8_lossy(&output.stdout);
                let first = said.lines().find(|line| line.contains("ERROR")).unwrap_or("no reason given").to_owned();
                bail!("mvn can't fetch it: {first}");
            }
            fs::write(&done, "")?;
        }
        Ok(Kafka { lib })
    }

    fn java(&self) -> Command {
        let mut java = Command::new("java");
        java.arg("-cp").arg(format!("{}/*", self.lib.display()));
        java
    }

    /// Writes its configuration below `dir` and formats its storage.
    pub fn prepare(&self, dir: &Path, addr: SocketAddr, controller: SocketAddr, durable: bool) -> Result<()> {
        let mut text = format!(
            "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@{controller}\n\
             listeners=PLAINTEXT://{addr},CONTROLLER://{controller}\nadvertised.listeners=PLAINTEXT://{addr}\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
             controller.listener.names=CONTROLLER\nlog.dirs={}/data\nauto.create.topics.enable=false\n\
             offsets.topic.replication.factor=1\ntransaction.state.log.replication.factor=1\n\
             transaction.state.log.min.isr=1\nshare.coordinator.state.topic.replication.factor=1\n\
             share.coordinator.state.topic.min.isr=1\n",
            dir.display()
        );
        if durable {
            text.push_str("log.flush.interval.messages=1\n");
        }
        let config = dir.join("k.properties");
        fs::write(&config, text)?;
        let mut format = self.java();
        format.args(["kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c"]).arg(&config);
        let output = format.output().context("format its storage")?;
        ensure!(output.status.success(), "format: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// Starts the broker prepared in `dir`; the heap and collector its own scripts use.
    pub fn command(&self, dir: &Path) -> Command {
        let mut java = Command::new("java");
        java.args(["-Xms1g", "-Xmx1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"]);
        java.args(["-XX:InitiatingHeapOccupancyPercent=35", "-cp"]).arg(format!("{}/*", self.lib.display()));
        java.arg("kafka.Kafka").arg(dir.join("k.properties"));
        java
    }
}

//! The broker, as a process of its own.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::mpsc;

use anyhow::Result;
use ouzel_broker::{Broker, Config, logging};
use ouzel_runtime::system::{SystemOptions, run_here};

/// Shards of the broker under test: two, so that half of all requests cross from one to another.
const CORES: u16 = 2;

/// Runs a broker until it is killed; says `ready` once it serves.
pub fn serve(data: PathBuf, addr: SocketAddr) -> Result<()> {
    logging::to_stderr("info");
    let mut config = Config::dev().data_dir(data);
    config.kafka = vec![addr];
    config.kafka_may_move = false;
    config.admin = None;
    config.cores = CORES;
    config.pin = false;
    let (tell, ended) = mpsc::channel();
    run_here(SystemOptions::default(), |_| async move {
        let ran = async {
            let broker = Broker::start(config).await?;
            println!("ready");
            std::io::stdout().flush()?;
            anyhow::Ok(broker.wait()?)
        };
        let _ = tell.send(ran.await);
    })
    .map_err(anyhow::Error::msg)?;
    ended.recv()?
}

//! `ouzel start`: a broker by its configuration. Also what `ouzel dev` shares with it.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use ouzel_broker::{Broker, BrokerError, Config, ConfigError, DataDir, StartError, logging};
use ouzel_model::NodeId;
use tokio::signal::unix::{SignalKind, signal};

use crate::args::{Machine, Start};
use crate::failure::{Done, Failure};
use crate::{output, session};

pub fn run(args: Start) -> Done {
    let later =
        [("--rpc-addr", args.rpc_addr.is_some()), ("--seeds", args.seeds.is_some()), ("--rack", args.rack.is_some())];
    if let Some((flag, _)) = later.iter().find(|(_, given)| *given) {
        return Err(Failure::usage(format!("{flag} needs a cluster, and this version runs one broker alone")).into());
    }
    let config = config(&args)?;
    if args.check {
        return check(&config);
    }
    logging::to_stderr(config.log_level());
    let broker = session::block_on(Broker::start(config)).map_err(broker_failed)?;
    until_stopped(broker, |_| ())?;
    Ok(())
}

fn config(args: &Start) -> Result<Config, Failure> {
    let mut config = Config::start(DataDir::At(PathBuf::from("ouzel-data")));
    if let Some(file) = &args.config {
        config.read_file(file).map_err(config_failed)?;
    }
    if let Some(dir) = &args.data {
        config.data = DataDir::At(dir.clone());
    }
    if let Some(id) = args.node_id {
        config.node = NodeId(id);
    }
    if !args.kafka_addr.is_empty() {
        config.kafka = args.kafka_addr.iter().map(|text| listener(text)).collect::<Result<_, _>>()?;
    }
    if let Some(text) = &args.advertised_kafka_addr {
        config.advertised = Some(host_port(text)?);
    }
    if let Some(text) = &args.admin_addr {
        config.admin = Some(listener(text)?);
    }
    machine(&mut config, &args.machine)?;
    if !(args.insecure || config.insecure()) {
        closed(&config)?;
    }
    Ok(config)
}

/// Nobody has to say who they are yet, so only this machine may ask.
fn closed(config: &Config) -> Result<(), Failure> {
    let kafka = config.kafka.iter().map(|addr| ("kafka", addr));
    let admin = config.admin.iter().map(|addr| ("admin", addr));
    match kafka.chain(admin).find(|(_, addr)| !addr.ip().is_loopback()) {
        None => Ok(()),
        Some((name, addr)) => {
            let message = format!("listener `{name}` on {addr} would be open to everybody who reaches it");
            Err(Failure::config(message)
                .why("it isn't a loopback address, and clients don't have to say who they are")
                .next(format!("listen on loopback, or allow it with `--insecure` (`--{name}-addr` sets the address)")))
        }
    }
}

/// Cores, memory and settings.
pub fn machine(config: &mut Config, machine: &Machine) -> Result<(), Failure> {
    config.cores = machine.cores.unwrap_or(config.cores);
    config.memory = machine.memory.unwrap_or(config.memory);
    for pair in &machine.settings {
        config.set_pair(pair).map_err(config_failed)?;
    }
    Ok(())
}

/// An address to listen on: `127.0.0.1:9092`, `[::1]:9092`, `localhost:9092`.
pub fn listener(text: &str) -> Result<SocketAddr, Failure> {
    if let Ok(addr) = text.parse() {
        return Ok(addr);
    }
    let bad = |why: String| {
        Failure::usage(format!("`{text}` isn't an address to listen on: {why}")).next("give it as 127.0.0.1:9092")
    };
    let mut found = text.to_socket_addrs().map_err(|error| bad(error.to_string()))?;
    found.next().ok_or_else(|| bad("the name has no address".to_owned()))
}

/// What clients are told: a host, with a port or the listener's.
fn host_port(text: &str) -> Result<(String, Option<u16>), Failure> {
    let bad = || Failure::usage(format!("`{text}` isn't host or host:port"));
    let with_port = text.rsplit_once(':').is_some_and(|(host, _)| !host.contains(':') || host.ends_with(']'));
    let address: ouzel_client::Address = text.parse().map_err(|_| bad())?;
    Ok((address.host, with_port.then_some(address.port)))
}

fn check(config: &Config) -> Done {
    let DataDir::At(dir) = &config.data else { return Ok(()) };
    let mut lines = vec![format!("data      {}", dir.display()), format!("node      {}", config.node.0)];
    lines.extend(config.kafka.iter().map(|addr| format!("kafka     {addr}")));
    lines.extend(config.admin.iter().map(|addr| format!("admin     {addr}")));
    lines.push(format!("cores     {} of {}", config.cores, ouzel_runtime::system::allowed_cores()));
    lines.push(format!("memory    {} MiB", config.memory >> 20));
    lines.extend(config.settings.iter().map(|(name, value)| format!("setting   {name}={value}")));
    for addr in config.kafka.iter().chain(&config.admin) {
        // Bound and let go: whatever holds it now would hold it at the start.
        if let Err(error) = std::net::TcpListener::bind(addr) {
            return Err(Failure::config(format!("can't listen on {addr}: {error}")).into());
        }
    }
    // The nearest directory that exists must let us write below it.
    let near = dir.ancestors().find(|path| path.exists()).unwrap_or(std::path::Path::new("."));
    let near = if near.as_os_str().is_empty() { std::path::Path::new(".") } else { near };
    match std::fs::metadata(near) {
        Ok(found) if found.is_dir() && !found.permissions().readonly() => {}
        Ok(_) => return Err(Failure::config(format!("can't write below {}", near.display())).into()),
        Err(error) => return Err(Failure::config(format!("can't use {}: {error}", near.display())).into()),
    }
    output::print(&(lines.join("\n") + "\nthis configuration is good\n"));
    Ok(())
}

fn config_failed(error: ConfigError) -> Failure {
    Failure::config(error.to_string())
}

/// A broker that doesn't run, or no longer.
pub fn broker_failed(error: BrokerError) -> Failure {
    match error {
        BrokerError::Start(StartError::Node(error)) => Failure::new("E-DATA-DIR", error.to_string()),
        BrokerError::Start(error @ (StartError::Layout(_) | StartError::Cores { .. })) => {
            Failure::new("E-DATA-DIR", error.to_string())
        }
        BrokerError::Start(StartError::Listen { addr, source }) => {
            let failure = Failure::new("E-LISTEN", format!("can't listen on {addr} ({source})"));
            failure.next("stop what listens there, or choose another address with `--kafka-addr`")
        }
        BrokerError::Start(error) => Failure::new("E-START", format!("the broker doesn't come up: {error}")),
        BrokerError::Threads(error) => Failure::new("E-START", format!("can't start the broker's threads: {error}")),
        BrokerError::Failed(reason) => Failure::new("E-BROKER", format!("the broker ended: {reason}")),
    }
}

/// Waits until Ctrl-C or SIGTERM, then stops the broker in an orderly way; or until it fails. A second signal ends the
/// process at once.
///
/// `ready` is called once signals are waited for: whoever reads what it prints may send one at once.
pub fn until_stopped(broker: Broker, ready: impl FnOnce(&Broker)) -> Result<(), Failure> {
    let stopper = broker.stopper();
    let (installed, waiting) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let waited = session::block_on(async {
            let mut interrupt = signal(SignalKind::interrupt())?;
            let mut terminate = signal(SignalKind::terminate())?;
            let _ = installed.send(());
            for round in 0.. {
                ouzel_runtime::select! {
                    _ = interrupt.recv() => (),
                    _ = terminate.recv() => (),
                }
                match &stopper {
                    Some(stopper) if round == 0 => stopper.stop(),
                    _ => std::process::exit(130),
                }
            }
            Ok::<(), std::io::Error>(())
        });
        if let Err(error) = waited {
            eprintln!("note: signals can't be waited for ({error}); Ctrl-C ends the broker at once");
        }
    });
    // An error is no matter: the thread has said why there will be no signals.
    let _ = waiting.recv();
    ready(&broker);
    broker.wait().map_err(broker_failed)
}

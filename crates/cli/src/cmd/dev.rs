//! `ouzel dev`: a broker for development, and what to try with it.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ouzel_broker::{Broker, Config, CoresChanged, DataDir, logging};
use ouzel_client::{Address, Client, Options};

use crate::args::{Dev, Global};
use crate::cmd::start::{broker_failed, listener, machine, until_stopped};
use crate::failure::{Done, Failure};
use crate::{output, session};

const KAFKA_PORT: u16 = 9092;

pub fn run(global: &Global, args: Dev, started: Instant) -> Done {
    let mut config = Config::dev();
    config.data = if args.temp { DataDir::Temporary } else { DataDir::At(args.data.clone()) };
    if args.any_port {
        config = config.any_port();
    }
    if !args.kafka_addr.is_empty() {
        config.kafka = args.kafka_addr.iter().map(|text| listener(text)).collect::<Result<_, _>>()?;
        config.kafka_may_move = false;
    }
    if let Some(text) = &args.admin_addr {
        config.admin = Some(listener(text)?);
        config.admin_may_move = false;
    }
    machine(&mut config, &args.machine)?;
    if let Some(outside) = config.kafka.iter().chain(&config.admin).find(|addr| !addr.ip().is_loopback()) {
        let failure = Failure::config(format!("`ouzel dev` listens on loopback only, not on {outside}"));
        return Err(failure.next("`ouzel start --data DIR --kafka-addr ADDR --insecure` listens elsewhere").into());
    }
    if global.verbose {
        logging::to_stderr(config.log_level());
    } else if !args.temp {
        let path = args.data.join("ouzel.log");
        logging::to_file(&path, config.log_level()).map_err(|error| {
            let failure = Failure::new("E-DATA-DIR", format!("can't use data directory {}", args.data.display()));
            failure.why(error.to_string()).next("give another one with `--data DIR`, or use `--temp`")
        })?;
    }
    let broker = session::block_on(Broker::start(config)).map_err(broker_failed)?;
    answers(&broker)?;
    let kept =
        if args.temp { "temporary data removed".to_owned() } else { format!("data kept in {}", shown(&args.data)) };
    until_stopped(broker, |broker| output::print(&ready_block(broker, &args, started)))?;
    output::print(&format!("stopped · {kept}\n"));
    Ok(())
}

/// Asks the broker what a client asks first.
fn answers(broker: &Broker) -> Result<(), Failure> {
    let addr = broker.kafka_addr();
    let address = Address { host: addr.ip().to_string(), port: addr.port() };
    session::run(async move |rt| {
        let connected = Client::connect(&rt, Options::to(&[address])).await;
        connected.map(drop).map_err(|error| Failure::client("talk to the new broker", error))
    })?
}

fn ready_block(broker: &Broker, args: &Dev, started: Instant) -> String {
    let ready = broker.ready();
    let data = match args.temp {
        true => "temporary data (gone on exit)".to_owned(),
        false => format!("data kept in {} (delete it to start over)", shown(&args.data)),
    };
    let (host, port) = &ready.advertised;
    let loopback = host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    let host = if loopback { "localhost" } else { host };
    let taken = ready.kafka_taken.map(|port| format!(" ({port} is taken)")).unwrap_or_default();
    let kafka = format!("{host}:{port}{taken}");
    let admin = ready.admin.map_or_else(String::new, |addr| {
        let taken = ready.admin_taken.map(|port| format!(" ({port} is taken)")).unwrap_or_default();
        let url = format!("http://localhost:{}{taken}", addr.port());
        format!("  admin     {url:<23} /v1/status/ready, /metrics\n")
    });
    let cores = ready.cores_changed.map_or_else(String::new, |changed| {
        let CoresChanged { from, to, logs, bytes, ms } = changed;
        let cores = format!("{to} instead of {from}");
        format!("  cores     {cores:<23} {logs} logs handed over ({} KiB) in {ms} ms\n", bytes >> 10)
    });
    let own = own_name();
    // The command line goes to the usual port by itself.
    let settings = if *port == KAFKA_PORT { String::new() } else { format!(" -X brokers={host}:{port}") };
    let (produce, consume) =
        (format!("{own}{settings} topic produce hello"), format!("{own}{settings} topic consume hello"));
    let between = if own == "ouzel" && settings.is_empty() { "        " } else { "\n      " };
    format!(
        "ready in {} ms · {data}\n  kafka     {kafka:<23} any Kafka client works\n{admin}{cores}try   {produce}{between}{consume}\n",
        started.elapsed().as_millis()
    )
}

/// A path as a person would write it here.
fn shown(path: &Path) -> String {
    match path.is_relative() && !path.starts_with(".") && !path.starts_with("..") {
        true => format!("./{}", path.display()),
        false => path.display().to_string(),
    }
}

/// How this binary is called from here: `ouzel` if that finds it, else its path.
fn own_name() -> String {
    let Ok(own) = std::env::current_exe().and_then(|path| path.canonicalize()) else { return "ouzel".to_owned() };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|dir| dir.join("ouzel")).find(|path| path.is_file());
    if found.and_then(|path| path.canonicalize().ok()).as_ref() == Some(&own) {
        return "ouzel".to_owned();
    }
    let here = std::env::current_dir().and_then(|dir| dir.canonicalize()).unwrap_or_default();
    let text = match own.strip_prefix(&here) {
        Ok(below) => PathBuf::from(".").join(below).display().to_string(),
        Err(_) => own.display().to_string(),
    };
    if text.contains(|c: char| c.is_whitespace() || "'\"$&;()".contains(c)) {
        format!("'{}'", text.replace('\'', "'\\''"))
    } else {
        text
    }
}

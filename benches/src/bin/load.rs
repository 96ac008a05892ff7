//! `ouzel-load MODE ...`: one window of load against a running broker, and what it showed as `name=value` lines.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

use std::time::Duration;

use anyhow::{Context, Result, bail};
use ouzel_benches::conn::create_topic;
use ouzel_benches::load::{Mode, Options, run};

const HELP: &str = "\
ouzel-load produce|fetch|mixed|idle --broker HOST:PORT [...]
  --topic NAME         (default: a new one, `load-PID`; fetch needs one with records)
  --partitions N       (1)     --connections N (1)     --depth N: closed loop (1)
  --rate R             open loop: requests per second over all connections
  --records N          records in a batch (1)
  --value-bytes N      (100)   --keyless       --acks -1|1 (-1)
  --spread: connections write to all partitions in turn
  --warm S (1)         --seconds S (8)         --mib N: end after so much (1024)
Without --topic a topic is made; it isn't deleted.";

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let mode = match args.next().as_deref() {
        Some("produce") => Mode::Produce,
        Some("fetch") => Mode::Fetch,
        Some("mixed") => Mode::Mixed,
        Some("idle") => Mode::Idle,
        _ => {
            println!("{HELP}");
            return Ok(());
        }
    };
    let mut options = Options::new("127.0.0.1:0".parse()?, "");
    options.mode = mode;
    while let Some(name) = args.next() {
        if name == "--keyless" || name == "--spread" {
            options.shape.keyed &= name != "--keyless";
            options.spread |= name == "--spread";
            continue;
        }
        let value = args.next().with_context(|| format!("{name} needs a value"))?;
        let bad = || format!("{name} {value}");
        match name.as_str() {
            "--broker" => options.addr = value.parse().with_context(bad)?,
            "--topic" => options.topic = value,
            "--partitions" => options.partitions = value.parse().with_context(bad)?,
            "--connections" => options.connections = value.parse().with_context(bad)?,
            "--depth" => options.depth = value.parse().with_context(bad)?,
            "--rate" => options.rate = Some(value.parse().with_context(bad)?),
            "--records" => options.shape.records = value.parse().with_context(bad)?,
            "--value-bytes" => options.shape.value_bytes = value.parse().with_context(bad)?,
            "--acks" => options.acks = value.parse().with_context(bad)?,
            "--warm" => options.warm = Duration::from_secs_f64(value.parse().with_context(bad)?),
            "--seconds" => options.window = Duration::from_secs_f64(value.parse().with_context(bad)?),
            "--mib" => options.bytes_max = value.parse::<u64>().with_context(bad)? << 20,
            _ => bail!("no flag `{name}`\n{HELP}"),
        }
    }
    if options.addr.port() == 0 {
        bail!("--broker is needed\n{HELP}");
    }
    if options.topic.is_empty() {
        options.topic = format!("load-{}", std::process::id());
        create_topic(options.addr, &options.topic, options.partitions)?;
    }
    let report = run(&options, &mut |_| ())?;
    println!("topic={}\nseconds={:.3}\nrequests={}", options.topic, report.seconds, report.requests);
    println!("per_s={:.1}\nmb_per_s={:.1}\nunsent={}", report.per_s(), report.mb_per_s(), report.unsent);
    for (name, histogram) in [("answer", &report.answer), ("end_to_end", &report.end_to_end)] {
        if histogram.is_empty() {
            continue;
        }
        for (label, quantile) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999), ("p9999", 0.9999)] {
            println!("{name}_us_{label}={}", histogram.value_at_quantile(quantile));
        }
        println!("{name}_us_max={}", histogram.max());
    }
    Ok(())
}

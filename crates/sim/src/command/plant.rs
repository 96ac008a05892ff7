//! `plant`: each planted bug must be caught by the standard swarm, never by a profile made for it.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use ouzel_sim::{broker, specimen};

use super::child::{ask, broken, spread};
use super::{Args, run, seed_of};

/// The `plant` command.
pub fn plant(args: &Args) -> Result<ExitCode> {
    let base = args.get("base").map_or_else(run::commit, str::to_owned);
    let (seeds, jobs) = (args.number("seeds", 500)?, args.number("jobs", 2)?);
    let named: Vec<String> = args.words.clone();
    let plants = match args.get("subject") {
        _ if !named.is_empty() => named,
        Some("specimen") => specimen::PLANTS.map(str::to_owned).to_vec(),
        _ => broker::PLANTS.map(str::to_owned).to_vec(),
    };
    let mut missed = 0;
    for plant in &plants {
        let mut words = args.shaping();
        words.extend(["--plant".into(), plant.clone()]);
        if !args.has("load") {
            words.extend(["--load".into(), "30s".into()]);
        }
        let with = Args::parse(words.into_iter())?;
        let first = AtomicU64::new(u64::MAX);
        spread(jobs, seeds, |n| {
            if first.load(Ordering::Relaxed) < n {
                return false;
            }
            if ask(&with, seed_of(&base, n), 0).is_ok_and(|answer| !answer.law.is_empty()) {
                first.fetch_min(n, Ordering::Relaxed);
            }
            true
        });
        let n = first.into_inner();
        if n == u64::MAX {
            missed += 1;
            println!("MISSED {plant}: not caught by {seeds} seeds");
            continue;
        }
        let seed = seed_of(&base, n);
        let answer = ask(&with, seed, 0)?;
        println!("caught {plant} by seed {} of {seeds} ({seed:#x}): {}", n + 1, answer.law);
    }
    println!("{} of {} planted bugs caught", plants.len() - missed, plants.len());
    Ok(if missed == 0 { ExitCode::SUCCESS } else { broken() })
}

//! `sweep --kept`: the seeds of `crates/sim/seeds.txt`. Each once caught a bug and must pass now, or catches a planted one and must
//! go on doing so.
//!
//! One a line: seed, time under load, the planted bug or `-`, and a word on what it caught. Empty lines and lines that begin with `#`
//! don't count. A change of the workload changes what a seed does: a planted bug that slips through then wants another seed.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};

use super::child::{ask, broken, spread};
use super::{Args, parse_number};

const KEPT: &str = include_str!("../../seeds.txt");

#[derive(Clone, Copy)]
struct Kept<'a> {
    seed: u64,
    load: &'a str,
    plant: Option<&'a str>,
    what: &'a str,
}

fn read(text: &str) -> Result<Vec<Kept<'_>>> {
    let lines = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
    lines
        .map(|line| {
            let mut words = line.splitn(4, ' ');
            let mut word = || words.next().with_context(|| format!("a kept seed has four parts: {line:?}"));
            let (seed, load, plant, what) = (word()?, word()?, word()?, word()?);
            let seed = parse_number(seed).with_context(|| format!("no seed: {line:?}"))?;
            Ok(Kept { seed, load, plant: Some(plant).filter(|p| *p != "-"), what })
        })
        .collect()
}

/// The command.
pub fn sweep(args: &Args) -> Result<ExitCode> {
    let kept = read(KEPT)?;
    let wrong = AtomicU64::new(0);
    spread(args.number("jobs", 2)?, kept.len() as u64, |n| {
        let Kept { seed, load, plant, what } = kept[n as usize];
        let mut words = vec!["--load".to_owned(), load.to_owned()];
        words.extend(plant.into_iter().flat_map(|p| ["--plant".to_owned(), p.to_owned()]));
        let law = Args::parse(words.iter().cloned()).and_then(|args| ask(&args, seed, 0)).map(|answer| answer.law);
        let said = match (plant, law) {
            (None, Ok(law)) if law.is_empty() => return true,
            (Some(_), Ok(law)) if !law.is_empty() && law != "crash" => return true,
            (_, Err(error)) => format!("{error:#}"),
            (None, Ok(law)) => law,
            (Some(_), Ok(law)) => format!("not caught {law}"),
        };
        wrong.fetch_add(1, Ordering::Relaxed);
        println!(
            "FAIL {said}   kept seed {seed:#x} ({what})   cargo xtask sim run --seed {seed:#x} {}",
            words.join(" ")
        );
        true
    });
    let wrong = wrong.into_inner();
    println!("{} of {} kept seeds hold", kept.len() as u64 - wrong, kept.len());
    Ok(if wrong > 0 { broken() } else { ExitCode::SUCCESS })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kept_seeds_are_read() {
        let kept = read(KEPT).unwrap();
        assert!(kept.iter().any(|k| k.plant.is_some()) && kept.iter().any(|k| k.plant.is_none()));
        assert!(read("0x5 30s -").is_err() && read("five 30s - what").is_err());
    }
}

//! The commands, one file each, and what they share: options, scenarios, child processes.

pub mod child;
pub mod kept;
pub mod ledger;
pub mod meta;
pub mod plant;
pub mod report;
pub mod run;
pub mod shrink;
pub mod sweep;

use std::time::Duration;

use anyhow::{Context, Result, bail};
use ouzel_sim::plan;
use ouzel_sim::scenario::{LOAD, Scenario, Subject};

/// Options that take no value.
const SWITCHES: [&str; 5] = ["line", "bisect", "all", "log", "kept"];
/// Options that take one.
const VALUES: [&str; 18] = [
    "seed", "plan", "trace", "from", "until", "base", "skip", "count", "jobs", "budget", "ledger", "seeds", "out",
    "subject", "load", "plant", "noise", "cpu",
];

/// The command line behind the command's name.
#[derive(Default)]
pub struct Args {
    options: Vec<(String, String)>,
    /// Words that are no options.
    pub words: Vec<String>,
}

impl Args {
    /// Reads `--name value`, `--name=value` and `--switch`.
    pub fn parse(words: impl Iterator<Item = String>) -> Result<Args> {
        let mut args = Args::default();
        let mut words = words;
        while let Some(word) = words.next() {
            let Some(name) = word.strip_prefix("--") else {
                args.words.push(word);
                continue;
            };
            let (name, given) = match name.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (name, None),
            };
            let value = match given {
                Some(value) => value,
                None if SWITCHES.contains(&name) => String::new(),
                None => words.next().with_context(|| format!("--{name} wants a value"))?,
            };
            if !SWITCHES.contains(&name) && !VALUES.contains(&name) {
                bail!("no such option: --{name}");
            }
            args.options.push((name.to_owned(), value));
        }
        Ok(args)
    }

    /// The last value of the option.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.options.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// All values of the option.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.options.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str()).collect()
    }

    /// Whether the switch is there.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// A number, or `otherwise` without the option.
    pub fn number(&self, name: &str, otherwise: u64) -> Result<u64> {
        self.get(name).map_or(Ok(otherwise), |text| parse_number(text).with_context(|| format!("--{name} {text}")))
    }

    /// A time, if the option is there.
    pub fn time(&self, name: &str) -> Result<Option<Duration>> {
        self.get(name).map(|text| parse_time(text).with_context(|| format!("--{name} {text}"))).transpose()
    }

    /// The seed that must be given.
    pub fn seed(&self) -> Result<u64> {
        parse_number(self.get("seed").context("--seed is missing")?).context("--seed")
    }

    /// The scenario of a seed under these options.
    pub fn scenario(&self, seed: u64) -> Result<Scenario> {
        let subject = match self.get("subject") {
            None | Some("broker") => Subject::Broker,
            Some("specimen") => Subject::Specimen,
            Some(other) => bail!("no such subject: {other}"),
        };
        let mut scenario = Scenario::new(seed, subject, self.time("load")?.unwrap_or(LOAD));
        scenario.planted.extend(self.all("plant").into_iter().map(str::to_owned));
        if let Some(file) = self.get("plan") {
            let text = std::fs::read_to_string(file).with_context(|| format!("can't read {file}"))?;
            scenario.plan = plan::read(&text)?;
        }
        Ok(scenario)
    }

    /// The options that shape the scenario, for a child process or for a line to copy.
    pub fn shaping(&self) -> Vec<String> {
        let shapes = |name: &str| ["subject", "load", "plant", "plan"].contains(&name);
        let options = self.options.iter().filter(|(name, _)| shapes(name));
        options.flat_map(|(name, value)| [format!("--{name}"), value.clone()]).collect()
    }
}

fn parse_number(text: &str) -> Result<u64> {
    Ok(match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16)?,
        None => text.parse()?,
    })
}

fn parse_time(text: &str) -> Result<Duration> {
    let units = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    let (number, unit) = units.iter().find_map(|(u, f)| Some((text.strip_suffix(u)?, f))).context("no unit of time")?;
    Ok(Duration::try_from_secs_f64(number.parse::<f64>()? * unit)?)
}

/// The n-th seed of a revision.
pub fn seed_of(base: &str, n: u64) -> u64 {
    use ouzel_runtime::sim::stream::{hash_bytes, mix};
    mix(hash_bytes(base.as_bytes()) ^ mix(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_numbers_and_times_are_read() {
        let words = ["a", "--seed", "0x5eed", "--line", "--load=1.5m", "--plant", "x", "--plant", "y"];
        let args = Args::parse(words.map(str::to_owned).into_iter()).unwrap();
        assert_eq!((args.seed().unwrap(), args.has("line"), args.words[0].as_str()), (0x5eed, true, "a"));
        assert_eq!(args.time("load").unwrap(), Some(Duration::from_secs(90)));
        assert_eq!(args.all("plant"), ["x", "y"]);
        assert_eq!(parse_time("250ms").unwrap(), Duration::from_millis(250));
        for wrong in [vec!["--sed", "1"], vec!["--seed"]] {
            assert!(Args::parse(wrong.into_iter().map(str::to_owned)).is_err());
        }
    }
}

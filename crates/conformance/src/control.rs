//! What a suite has said so far, and the broker it may have restarted.

use std::path::PathBuf;

use anyhow::Result;

use crate::broker::OwnBroker;

/// Which broker suites are to talk to.
pub enum Which {
    /// The one in this binary.
    Own,
    /// This `ouzel` binary's.
    Built(PathBuf),
    /// One that somebody runs there.
    Foreign(String),
}

/// The broker a suite talks to.
pub enum Target {
    /// Started by us.
    Own(Box<OwnBroker>),
    /// Somebody's, given by `--bootstrap`: never restarted.
    Foreign(String),
}

impl Target {
    /// What was asked for.
    pub fn new(broker: &Which) -> Result<Target> {
        Ok(match broker {
            Which::Foreign(addr) => Target::Foreign(addr.clone()),
            Which::Built(binary) => Target::Own(Box::new(OwnBroker::start(Some(binary))?)),
            Which::Own => Target::Own(Box::new(OwnBroker::start(None)?)),
        })
    }

    /// Host and port.
    pub fn bootstrap(&self) -> String {
        match self {
            Target::Own(broker) => broker.addr().to_string(),
            Target::Foreign(addr) => addr.clone(),
        }
    }

    /// Kills it and starts it again; `false`: it isn't ours to kill.
    pub fn restart(&mut self) -> Result<bool> {
        match self {
            Target::Own(broker) => broker.restart().map(|()| true),
            Target::Foreign(_) => Ok(false),
        }
    }

    /// Why the broker is gone, if it is, and the end of its log.
    pub fn autopsy(&mut self) -> String {
        match self {
            Target::Own(broker) => {
                let ended = broker.ended().map_or_else(|| "still running".into(), |s| format!("ended: {s}"));
                format!("broker {ended}; its log ends:\n{}", broker.log_tail())
            }
            Target::Foreign(_) => String::new(),
        }
    }
}

/// Results of a suite.
#[derive(Default)]
pub struct Tally {
    /// Cases that passed.
    pub passed: u64,
    /// Cases that failed: name and reason, one line each.
    pub failed: Vec<String>,
    /// Cases or suites that were skipped.
    pub skipped: u64,
}

impl Tally {
    /// Takes one line of a suite's report; `false` if it is none.
    pub fn take(&mut self, line: &str) -> bool {
        if let Some(name) = line.strip_prefix("ok ") {
            println!("  ok {name}");
            self.passed += 1;
        } else if let Some(what) = line.strip_prefix("FAILED ") {
            self.fail(what.to_string());
        } else if line.starts_with("skip ") {
            println!("  {line}");
            self.skipped += 1;
        } else {
            return false;
        }
        true
    }

    /// Notes a failure.
    pub fn fail(&mut self, what: String) {
        println!("  FAILED {what}");
        self.failed.push(what);
    }

    /// The closing line.
    pub fn close(&self) {
        let skipped = if self.skipped > 0 { format!(", {} skipped", self.skipped) } else { String::new() };
        println!("{} passed, {} failed{skipped}", self.passed, self.failed.len());
    }
}

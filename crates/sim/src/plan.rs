//! What will go wrong and when: an explicit list, made from a seed or read from a file, so that it can be shrunk.
//!
//! One fault a line: `12.345s kill n1 for=300ms`, further words `to=n2`, `amount=N`, `writing` (waits up to 100 ms for a
//! write in flight on the node). Times are world time; nodes are brokers, from 0.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Kinds of faults. A scenario's swarm is a subset of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The process is killed and starts again after the time.
    Kill,
    /// The machine loses power and is back after the time.
    PowerCut,
    /// All machines of the cluster lose power at once.
    PowerCutAll,
    /// The process stops in order and starts again.
    Restart,
    /// The process stops in order, killed in a write if `writing`, and starts again after the time, with `amount` shards.
    Cores,
    /// The process's polls stop for the time.
    Pause,
    /// One shard's polls stop for the time; `amount` says which.
    Stall,
    /// The disk completes nothing for the time.
    DiskHang,
    /// The disk is slower by the factor `amount`.
    DiskSlow,
    /// Syncs and synced writes fail with odds of 1 in `amount`.
    SyncError,
    /// Reads fail with odds of 1 in `amount`.
    ReadError,
    /// The disk has `amount` bytes of space left.
    DiskFull,
    /// The node hears and reaches no other broker and no client.
    Isolate,
    /// Bytes from the node to the other are held.
    OneWay,
    /// Both directions between the two are held.
    Cut,
    /// Segments between the two are lost with odds of `amount` in 1,000.
    Loss,
    /// Half of the node's connections are reset, in mid-frame.
    Resets,
    /// Its accepts fail with odds of 1 in 2.
    AcceptError,
    /// The wall clock steps by `amount` milliseconds.
    WallStep,
    /// The wall clock stands still for the time.
    WallFreeze,
    /// A block of a file at rest is damaged; `amount` says which, and how.
    Rot,
    /// After the time a journal block falls back to what it held at the fault's begin; `amount` says which.
    Stale,
}

/// Kinds with their names, in the order they are drawn.
pub const KINDS: [(Kind, &str); 22] = [
    (Kind::Kill, "kill"),
    (Kind::PowerCut, "power-cut"),
    (Kind::PowerCutAll, "power-cut-all"),
    (Kind::Restart, "restart"),
    (Kind::Pause, "pause"),
    (Kind::Stall, "stall"),
    (Kind::DiskHang, "disk-hang"),
    (Kind::DiskSlow, "disk-slow"),
    (Kind::SyncError, "sync-error"),
    (Kind::ReadError, "read-error"),
    (Kind::DiskFull, "disk-full"),
    (Kind::Isolate, "isolate"),
    (Kind::OneWay, "one-way"),
    (Kind::Cut, "cut"),
    (Kind::Loss, "loss"),
    (Kind::Resets, "resets"),
    (Kind::AcceptError, "accept-error"),
    (Kind::WallStep, "wall-step"),
    (Kind::WallFreeze, "wall-freeze"),
    // Behind the others, so that none of theirs is drawn anew.
    (Kind::Cores, "cores"),
    (Kind::Rot, "rot"),
    (Kind::Stale, "stale"),
];

impl Kind {
    /// Its name in a plan.
    pub fn name(self) -> &'static str {
        KINDS.iter().find(|(kind, _)| *kind == self).map_or("?", |(_, name)| name)
    }
}

/// One fault with its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// World time, milliseconds.
    pub at_ms: u64,
    /// What.
    pub kind: Kind,
    /// Which broker, from 0; taken modulo their number.
    pub node: u16,
    /// The other one, where there are two.
    pub to: u16,
    /// How long, milliseconds.
    pub for_ms: u64,
    /// How much; see the kind.
    pub amount: i64,
    /// Waits for a write in flight on the node.
    pub writing: bool,
}

impl Fault {
    /// When it begins.
    pub fn at(&self) -> Duration {
        Duration::from_millis(self.at_ms)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}s {} n{}", self.at_ms / 1_000, self.at_ms % 1_000, self.kind.name(), self.node)?;
        if self.to != self.node {
            write!(f, " to=n{}", self.to)?;
        }
        if self.for_ms != 0 {
            write!(f, " for={}ms", self.for_ms)?;
        }
        if self.amount != 0 {
            write!(f, " amount={}", self.amount)?;
        }
        f.write_str(if self.writing { " writing" } else { "" })
    }
}

/// A line is no fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a fault: {0:?}")]
pub struct BadFault(pub String);

impl FromStr for Fault {
    type Err = BadFault;

    fn from_str(line: &str) -> Result<Fault, BadFault> {
        parse(line).ok_or_else(|| BadFault(line.to_owned()))
    }
}

fn parse(line: &str) -> Option<Fault> {
    let mut words = line.split_whitespace();
    let (secs, millis) = words.next()?.strip_suffix('s')?.split_once('.')?;
    let at_ms = secs.parse::<u64>().ok()? * 1_000 + millis.parse::<u64>().ok().filter(|m| *m < 1_000)?;
    let name = words.next()?;
    let kind = KINDS.iter().find(|(_, n)| *n == name)?.0;
    let node = words.next()?.strip_prefix('n')?.parse().ok()?;
    let mut fault = Fault { at_ms, kind, node, to: node, for_ms: 0, amount: 0, writing: false };
    for word in words {
        match word.split_once('=') {
            Some(("to", value)) => fault.to = value.strip_prefix('n')?.parse().ok()?,
            Some(("for", value)) => fault.for_ms = value.strip_suffix("ms")?.parse().ok()?,
            Some(("amount", value)) => fault.amount = value.parse().ok()?,
            None if word == "writing" => fault.writing = true,
            _ => return None,
        }
    }
    Some(fault)
}

/// Reads a plan; empty lines and lines that begin with `#` don't count.
pub fn read(text: &str) -> Result<Vec<Fault>, BadFault> {
    text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).map(str::parse).collect()
}

/// Writes a plan.
pub fn write(plan: &[Fault]) -> String {
    plan.iter().map(|fault| format!("{fault}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_reads_back_as_written() {
        let plan: Vec<Fault> = KINDS
            .iter()
            .enumerate()
            .map(|(i, &(kind, _))| Fault {
                at_ms: 1_001 * i as u64,
                kind,
                node: i as u16 % 3,
                to: i as u16 % 2,
                for_ms: i as u64 % 4 * 100,
                amount: i as i64 - 5,
                writing: i % 2 == 0,
            })
            .collect();
        assert_eq!(read(&format!("# a plan\n\n{}", write(&plan))), Ok(plan));
    }

    #[test]
    fn a_line_that_is_no_fault_is_named() {
        for line in ["kill n1", "1.5s explode n1", "1.500s kill 1", "1.500s kill n1 for=3s", "1.500s kill n1 softly"] {
            assert_eq!(read(line), Err(BadFault(line.into())));
        }
        assert_eq!(read("1.500s kill n1 for=3ms").unwrap()[0].at_ms, 1_500);
    }
}

//! The ledger of long sweeps, `docs/ledger/simulator.md`: a table that only grows, one row a sweep.

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::{Context, Result};

use super::sweep::Sum;

const HEAD: &str = "\
# Long sweeps of the simulator

One row is one `cargo xtask long`, appended by `ouzel-sim sweep --ledger FILE`, oldest first; rows are never changed.
*Seeds* ran under full faults, each in a process of its own; *hours* are simulated; *acked* counts records acknowledged, *cuts* power
cuts, a cut of all nodes as one; *broken* counts seeds that broke a promise; *never hit* names the `reached!` marks that no seed passed.

| commit | date | seeds | hours | acked | cuts | faults by kind | broken | never hit |
|---|---|---|---|---|---|---|---|---|
";

/// Appends the sweep's row; a file that isn't there begins with its description. `missed` are the marks that no seed passed.
pub fn append(file: &str, base: &str, sum: &Sum, missed: &[&String]) -> Result<()> {
    let at = || format!("the ledger {file}");
    let said = std::process::Command::new("date").args(["-u", "+%F"]).output().context("date")?;
    let date = String::from_utf8_lossy(&said.stdout).trim().to_owned();
    let mut ledger = std::fs::OpenOptions::new().create(true).append(true).open(file).with_context(at)?;
    let mut text = if ledger.metadata().with_context(at)?.len() == 0 { HEAD.to_owned() } else { String::new() };
    text.push_str(&row(base, &date, sum, missed));
    ledger.write_all(text.as_bytes()).with_context(at)
}

fn row(base: &str, date: &str, sum: &Sum, missed: &[&String]) -> String {
    let mut row = format!("| {base} | {date} | {} | {:.1} | {} | {} |", sum.seeds, sum.hours(), sum.acked, sum.cuts());
    let faults: Vec<String> = sum.faults.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    let missed: Vec<&str> = missed.iter().map(|mark| mark.as_str()).collect();
    let _ = writeln!(row, " {} | {} | {} |", faults.join(", "), sum.broken.len(), missed.join("; "));
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_a_cell_for_each_column() {
        let mut sum = Sum { seeds: 5, world_ms: 5_400_000, acked: 7, ..Sum::default() };
        sum.faults = [("kill", 2), ("power-cut", 3), ("power-cut-all", 1)].map(|(k, n)| (k.to_owned(), n)).into();
        sum.broken.insert(9, "I1 acked-kept".into());
        let missed = ["a: b".to_owned(), "c".to_owned()];
        let row = row("1f2e", "2026-01-02", &sum, &missed.iter().collect::<Vec<_>>());
        assert_eq!(
            row,
            "| 1f2e | 2026-01-02 | 5 | 1.5 | 7 | 4 | kill 2, power-cut 3, power-cut-all 1 | 1 | a: b; c |\n"
        );
        let columns = HEAD.lines().last().map(|line| line.matches('|').count());
        assert_eq!(columns, Some(row.matches('|').count()));
    }
}

//! Lines of the results table in `docs/benchmarks.md`.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::machine::said;
use crate::stats::Ratio;

/// One line: one metric of one row.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// The row's name.
    pub row: String,
    /// What is measured, with its unit.
    pub metric: String,
    /// Ours.
    pub ouzel: Option<f64>,
    /// The peer's.
    pub kafka: Option<f64>,
    /// Ours by the peer's.
    pub ratio: Option<Ratio>,
    /// The controls of the run, and what else belongs to the figure.
    pub notes: String,
}

impl Line {
    fn markdown(&self, date: &str, commit: &str) -> String {
        let ratio = self
            .ratio
            .map_or_else(|| "–".into(), |r| format!("{:.3} ({:.3}–{:.3}), {} pairs", r.median, r.low, r.high, r.pairs));
        let (ouzel, kafka) = (number(self.ouzel), number(self.kafka));
        format!("| {} | {} | {ouzel} | {kafka} | {ratio} | {} | {date} | {commit} |", self.row, self.metric, self.notes)
    }
}

/// Three digits that count.
fn number(value: Option<f64>) -> String {
    match value {
        None => "–".into(),
        Some(v) if v == 0.0 || v.abs() >= 100.0 => format!("{v:.0}"),
        Some(v) if v.abs() >= 10.0 => format!("{v:.1}"),
        Some(v) if v.abs() >= 1.0 => format!("{v:.2}"),
        Some(v) => format!("{v:.4}"),
    }
}

/// Prints the lines; with `append`, they go to the end of the table too.
pub fn publish(root: &Path, lines: &[Line], append: bool) -> Result<()> {
    let git = |args: &[&str]| said(Command::new("git").arg("-C").arg(root).args(args));
    let mut commit = git(&["rev-parse", "--short=10", "HEAD"]).unwrap_or_else(|_| "unknown".into());
    // A tree with changes of its own isn't that commit. The table itself may have grown.
    if git(&["status", "--porcelain", "--", ".", ":!docs/benchmarks.md"]).is_ok_and(|changes| !changes.is_empty()) {
        commit.push('+');
    }
    let date = said(Command::new("date").args(["-u", "+%F"]))?;
    let text: String = lines.iter().map(|line| line.markdown(&date, &commit) + "\n").collect();
    println!(
        "\n| row | metric | Ouzel | Kafka 4.4.0 | ratio (95 %) | notes | date | commit |\n|---|---|---|---|---|---|---|---|"
    );
    print!("{text}");
    if append {
        let path = root.join("docs/benchmarks.md");
        let mut file = OpenOptions::new().append(true).open(&path).with_context(|| path.display().to_string())?;
        file.write_all(text.as_bytes())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_measured_is_a_dash() {
        let line = Line { row: "r".into(), metric: "m".into(), ouzel: Some(1.234_5), ..Line::default() };
        assert_eq!(line.markdown("2000-01-01", "abc"), "| r | m | 1.23 | – | – |  | 2000-01-01 | abc |");
        assert_eq!(number(Some(0.012_34)), "0.0123");
        assert_eq!(number(Some(123.4)), "123");
    }
}

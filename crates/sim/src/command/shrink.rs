//! `shrink`: delta debugging over the plan of faults (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing
//! input", TSE'02), then over their times. A step stays only if the same law is broken.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use ouzel_sim::plan::{self, Fault};
use ouzel_sim::run::run;
use ouzel_sim::scenario::Scenario;

use super::Args;

/// Runs that a shrink may take.
const RUNS_MAX: u32 = 400;

/// The `shrink` command.
pub fn shrink(args: &Args) -> Result<ExitCode> {
    let scenario = args.scenario(args.seed()?)?;
    let Some(law) = broken_law(&scenario) else { bail!("the seed breaks no law: nothing to shrink") };
    let mut shrink = Shrink { scenario, law, runs: 1 };
    let before = shrink.scenario.plan.len();
    shrink.drop_faults();
    shrink.shorten();
    let text = format!(
        "# seed {:#x} breaks {} with these faults\n{}",
        shrink.scenario.seed,
        shrink.law,
        plan::write(&shrink.scenario.plan)
    );
    println!("{} faults of {before} left after {} runs", shrink.scenario.plan.len(), shrink.runs);
    match args.get("out") {
        Some(file) => std::fs::write(file, text).with_context(|| format!("can't write {file}"))?,
        None => print!("{text}"),
    }
    Ok(ExitCode::SUCCESS)
}

fn broken_law(scenario: &Scenario) -> Option<&'static str> {
    run(scenario, None).violations.first().map(|v| v.law)
}

struct Shrink {
    scenario: Scenario,
    law: &'static str,
    runs: u32,
}

impl Shrink {
    /// Keeps the plan if it breaks the same law.
    fn try_plan(&mut self, plan: Vec<Fault>) -> bool {
        if self.runs >= RUNS_MAX {
            return false;
        }
        self.runs += 1;
        let tried = Scenario { plan, ..self.scenario.clone() };
        let same = broken_law(&tried) == Some(self.law);
        if same {
            self.scenario = tried;
        }
        same
    }

    fn drop_faults(&mut self) {
        let mut parts = 2;
        while !self.scenario.plan.is_empty() {
            let plan = self.scenario.plan.clone();
            let size = plan.len().div_ceil(parts);
            let without = |n: usize| [&plan[..n * size], &plan[((n + 1) * size).min(plan.len())..]].concat();
            let dropped = (0..plan.len().div_ceil(size)).any(|n| self.try_plan(without(n)));
            if dropped {
                parts = parts.saturating_sub(1).max(2);
            } else if size == 1 {
                return;
            } else {
                parts = (parts * 2).min(plan.len());
            }
        }
    }

    fn shorten(&mut self) {
        for n in 0..self.scenario.plan.len() {
            while self.scenario.plan[n].for_ms >= 20 {
                let mut plan = self.scenario.plan.clone();
                plan[n].for_ms /= 2;
                if !self.try_plan(plan) {
                    break;
                }
            }
        }
        // The run need not go on after the last fault.
        let end = self.scenario.plan.last().map_or(1, |f| f.at().as_secs() + f.for_ms / 1_000 + 2);
        let tried = Scenario { load: std::time::Duration::from_secs(end), ..self.scenario.clone() };
        if tried.load < self.scenario.load && broken_law(&tried) == Some(self.law) {
            println!("the law breaks within --load {end}s, too");
        }
    }
}

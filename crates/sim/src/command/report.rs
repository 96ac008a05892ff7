//! What a run came to, for people and for the parent process.

use std::fmt::Write as _;

use ouzel_sim::run::Outcome;
use ouzel_sim::scenario::Scenario;

/// One line of `key=value` words: what a parent process reads.
pub fn line(scenario: &Scenario, outcome: &Outcome, cpu_ms: u64) -> String {
    let law = outcome.violations.first().map_or("", |v| v.law);
    let faults: Vec<String> = outcome.faults.iter().map(|(kind, n)| format!("{}:{n}", kind.name())).collect();
    format!(
        "RESULT\tseed={:#x}\tlaw={}\tfingerprint={:016x}\ttrace={:016x}\tworld_ms={}\tcpu_ms={cpu_ms}\tpolls={}\tacked={}\tfaults={}\treached={}",
        scenario.seed,
        law,
        outcome.fingerprint(),
        outcome.trace_hash,
        outcome.world_time.as_millis(),
        outcome.polls,
        outcome.acked,
        faults.join(","),
        outcome.reached.join(","),
    )
}

/// What a person reads when a run was good.
pub fn good(scenario: &Scenario, outcome: &Outcome, cpu_ms: u64) -> String {
    let speed = outcome.world_time.as_millis() as f64 / cpu_ms.max(1) as f64;
    format!(
        "ok   seed {:#x}  {:.1} s of world time in {:.2} s of CPU (x{speed:.0})  {} polls  {} acked  {} faults  trace {:016x}",
        scenario.seed,
        outcome.world_time.as_secs_f64(),
        cpu_ms as f64 / 1_000.0,
        outcome.polls,
        outcome.acked,
        outcome.faults.values().sum::<u64>(),
        outcome.trace_hash,
    )
}

/// What a person needs when a promise was broken; `again` are the words that run it again.
pub fn failure(scenario: &Scenario, outcome: &Outcome, commit: &str, tail: &str, again: &str) -> String {
    let mut text = String::new();
    let law = outcome.violations.first().map_or("?", |v| v.law);
    let at = outcome.world_time.as_secs_f64();
    let _ = writeln!(
        text,
        "FAIL {law}   seed {:#x}  commit {commit}  at {at:.6}s  trace {:016x}",
        scenario.seed, outcome.trace_hash
    );
    for violation in outcome.violations.iter().take(8) {
        let law = if violation.law == law { String::new() } else { format!("{}: ", violation.law) };
        let _ = writeln!(text, "  {law}{}", violation.text);
    }
    if outcome.violations.len() > 8 {
        let _ = writeln!(text, "  ... and {} more", outcome.violations.len() - 8);
    }
    for host in &outcome.hosts {
        let _ = writeln!(text, "  {host}");
    }
    let _ = writeln!(
        text,
        "  {} nodes of {} shards, {} clients; swarm: {}",
        scenario.nodes,
        scenario.shards,
        scenario.clients,
        scenario.kinds().join(" ")
    );
    let began = scenario.plan.iter().filter(|f| f.at() <= outcome.world_time).rev().take(5);
    for fault in began {
        let _ = writeln!(text, "  before it: {fault}");
    }
    let _ = writeln!(text, "  last events: {tail}      again at {commit}:");
    let from = (at - 4.0).max(0.0);
    let _ = write!(text, "  cargo xtask sim run {again} --trace t.jsonl --from {from:.0}s");
    text
}

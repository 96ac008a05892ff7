//! Instructions per record of the produce path, counted by callgrind: user space of a broker with one shard. Two runs of different
//! length; their slope has no start-up in it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::{Arm, Run};
use crate::batches::{Shape, batch, produce};
use crate::conn::{Conn, acknowledged};
use crate::report::Line;
use crate::server::Home;

/// Batches of the two runs.
const BATCHES: [usize; 2] = [1_000, 3_000];

/// Has the C library copy and fill by vector instructions: callgrind counts `rep movsb` as an instruction for each byte.
const VECTORS: &str =
    "GLIBC_TUNABLES=glibc.cpu.x86_rep_movsb_threshold=1073741824:glibc.cpu.x86_rep_stosb_threshold=1073741824";

/// Requests of the connection that are under way at once.
const DEPTH: usize = 4;

/// Counts for records of 1 KiB and of 100 B, in batches of 64 KiB.
pub fn count(name: &str, run: &Run) -> Result<Vec<Line>> {
    let shapes = [
        ("1 KiB", Shape { records: 63, value_bytes: 1024, keyed: false }),
        ("100 B", Shape { records: 600, value_bytes: 100, keyed: false }),
    ];
    shapes
        .into_iter()
        .map(|(size, shape)| {
            let mut counts = [0.0; 2];
            for (count, batches) in counts.iter_mut().zip(BATCHES) {
                *count = whole_run(run, shape, batches).with_context(|| format!("{batches} batches"))?;
            }
            let records = ((BATCHES[1] - BATCHES[0]) * shape.records) as f64;
            Ok(Line {
                row: name.into(),
                metric: format!("instructions per record of {size}"),
                ouzel: Some((counts[1] - counts[0]) / records),
                notes: "callgrind, user space, batches of 64 KiB, acks=all, synced, 1 shard; slope of two runs".into(),
                ..Line::default()
            })
        })
        .collect()
}

/// Instructions of a broker that takes so many batches and stops.
fn whole_run(run: &Run, shape: Shape, batches: usize) -> Result<f64> {
    let dir = run.work.join(format!("counted-{}-{batches}", shape.value_bytes));
    let out = dir.join("callgrind.out");
    let to = format!("--callgrind-out-file={}", out.display());
    let under = ["env", VECTORS, "valgrind", "--tool=callgrind", "-q", &to];
    // A ring of 32 MiB is whole soon after the start, and then goes in laps as it does after hours.
    let words = ["--cores", "1", "--set", "journal.file.bytes=4194304", "--set", "journal.bytes.max=33554432"];
    let home = Home::prepare(run.kind(Arm::Ouzel, true, &words)?, dir, &under)?;
    let mut server = home.start()?;
    server.first_ack("counted", true, 0)?;
    let frame = produce("counted", 0, -1, batch(shape, 0))?;
    let mut conn = Conn::open(server.addr)?;
    // Four under way, as producers do it.
    for n in 0..batches + DEPTH {
        if n < batches {
            conn.send(&frame)?;
        }
        if n >= DEPTH {
            conn.receive(|answer| acknowledged(answer, 0))?;
        }
    }
    server.stop()?;
    totals(&out)
}

fn totals(path: &Path) -> Result<f64> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let line = text.lines().find_map(|line| line.strip_prefix("totals:")).context("no totals in callgrind's output")?;
    line.trim().parse().context("callgrind's totals")
}

//! What commands print: aligned tables for people, JSON for programs, and the question before a destructive act.

use std::io::{self, BufRead, IsTerminal, Write};

use comfy_table::{CellAlignment, Table, presets};
use ouzel_client::Outcome;
use serde::Serialize;

use crate::args::Format;
use crate::failure::{Done, Failure, Failures};

/// Prints text; a closed pipe ends the process as if all had been read.
pub fn print(text: &str) {
    if !write(text.as_bytes()) {
        std::process::exit(0);
    }
}

/// Prints bytes; false once nobody reads them any more.
pub fn write(bytes: &[u8]) -> bool {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).is_ok()
}

/// Prints a value as one line of JSON, indented on a terminal.
pub fn json<T: Serialize>(value: &T) {
    let text = match io::stdout().is_terminal() {
        true => serde_json::to_string_pretty(value),
        false => serde_json::to_string(value),
    };
    print(&(text.unwrap_or_default() + "\n"));
}

/// A table: one header, rows, columns aligned. Columns whose name stands in `numbers` are aligned right.
pub fn table(header: &[&str], numbers: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(header.to_vec());
    for row in rows {
        table.add_row(row);
    }
    for (column, name) in table.column_iter_mut().zip(header) {
        column.set_padding((0, 2));
        if numbers.contains(name) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let text = table.trim_fmt();
    text + "\n"
}

/// What became of one thing.
#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    status: &'a str,
    error: Option<&'static str>,
}

/// Prints what went well, and fails with the rest. `doing` is as `create topic`, `done` as `created`.
pub fn outcomes<'a>(format: Format, doing: &str, done: &'a str, outcomes: &'a [Outcome]) -> Done {
    let failure = |outcome: &Outcome| {
        let no = outcome.result.as_ref().err()?;
        Some(Failure::refused(&format!("{doing} \"{}\"", outcome.name), no))
    };
    match format {
        Format::Json => {
            let row = |outcome: &'a Outcome| {
                let error = outcome.result.as_ref().err().map(|no| no.code.name());
                Row { name: &outcome.name, status: if error.is_none() { done } else { "failed" }, error }
            };
            let rows: Vec<Row<'a>> = outcomes.iter().map(row).collect();
            json(&rows);
        }
        Format::Text => {
            for outcome in outcomes.iter().filter(|outcome| outcome.result.is_ok()) {
                print(&format!("{done} {}\n", outcome.name));
            }
        }
    }
    Failures::check(outcomes.iter().filter_map(failure).collect())
}

/// Asks on a terminal whether to do what can't be undone; elsewhere `--yes` must have been given. `act` is as
/// `delete topic orders`.
pub fn confirm(act: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        let message = format!("this would {act}, which can't be undone");
        return Err(Failure { code: "E-CONFIRM", ..Failure::usage(message) }.next("give --yes to go on"));
    }
    if ask(&format!("This will {act}, which can't be undone. Go on?")) {
        return Ok(());
    }
    Err(Failure::new("E-CONFIRM", "nothing was done"))
}

/// A question with yes or no.
pub fn ask(question: &str) -> bool {
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

/// A number and its word.
pub fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

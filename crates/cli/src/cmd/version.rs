//! `ouzel version`.

use serde::Serialize;

use crate::args::Format;
use crate::failure::Done;
use crate::output;

#[derive(Serialize)]
struct Version {
    version: &'static str,
    os: &'static str,
    arch: &'static str,
}

pub fn run(format: Format) -> Done {
    let version =
        Version { version: env!("CARGO_PKG_VERSION"), os: std::env::consts::OS, arch: std::env::consts::ARCH };
    match format {
        Format::Text => output::print(&format!("ouzel {} ({} {})\n", version.version, version.os, version.arch)),
        Format::Json => output::json(&version),
    }
    Ok(())
}

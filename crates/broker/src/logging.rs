//! Where log lines go.

use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;

/// Log lines of `level` (`info`) and above, or what `OUZEL_LOG` says, to a file that is appended to. Once per process; a second call does nothing.
// Opened before there is a runtime.
#[allow(clippy::disallowed_methods, clippy::disallowed_types)]
pub fn to_file(path: &Path, level: &str) -> std::io::Result<()> {
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir)?;
    }
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter(level))
        .with_ansi(false)
        .with_writer(Mutex::new(file))
        .try_init();
    Ok(())
}

/// The same to standard error.
pub fn to_stderr(level: &str) {
    let _ = tracing_subscriber::fmt().with_env_filter(filter(level)).with_writer(std::io::stderr).try_init();
}

fn filter(level: &str) -> EnvFilter {
    EnvFilter::try_from_env("OUZEL_LOG").unwrap_or_else(|_| EnvFilter::new(level))
}

//! Which disk home this machine allows, found out once at start.

use std::io;
use std::path::Path;

use super::files;
use super::ring::Ring;
use super::{Open, files::Sync};
use crate::buf::Buf;

/// Which disk home to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DiskChoice {
    /// The ring where the kernel allows io_uring, else the pool.
    #[default]
    Auto,
    /// The ring; an error where io_uring is refused.
    Ring,
    /// The pool of threads.
    Pool,
}

/// What was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DiskKind {
    Ring,
    Pool,
}

/// Chooses a home, and says in one log line what is refused and what that costs. With a directory it also tries direct I/O
/// there.
pub(crate) fn choose(choice: DiskChoice, dir: Option<&Path>) -> io::Result<DiskKind> {
    let kind = match choice {
        DiskChoice::Pool => DiskKind::Pool,
        DiskChoice::Ring => {
            Ring::new().map_err(|e| io::Error::new(e.kind(), format!("io_uring is refused: {e}")))?;
            DiskKind::Ring
        }
        DiskChoice::Auto => match Ring::new() {
            Ok(_) => DiskKind::Ring,
            Err(error) => {
                tracing::warn!(%error, "io_uring is refused, disk operations go by threads: slower, and as safe");
                DiskKind::Pool
            }
        },
    };
    if let Some(dir) = dir {
        match direct_io(dir) {
            Ok(true) => {}
            Ok(false) => tracing::warn!(dir = %dir.display(), "direct I/O is refused, writes go by the page cache"),
            Err(error) => return Err(error),
        }
    }
    Ok(kind)
}

/// Whether the directory's file system takes a direct, durable write.
fn direct_io(dir: &Path) -> io::Result<bool> {
    files::create_dir_all(dir)?;
    let path = dir.join(format!(".probe-{}", std::process::id()));
    let files::Opened { fd, direct, .. } = files::open(&path, Open { create: true, direct: true, ..Open::default() })?;
    let written = if direct { files::write_at(&fd, &Buf::zeroed(4096), 0, Sync::Dsync) } else { Ok(()) };
    drop(fd);
    files::remove_file(&path)?;
    match written {
        Ok(()) => Ok(direct),
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(false),
        Err(error) => Err(error),
    }
}

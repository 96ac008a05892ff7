//! The blocking file operations: what the pool's threads run, for the pool home and, all but reads, writes and datasyncs,
//! for the ring.

use std::fs;
use std::io::{self, ErrorKind, IoSlice, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, FlockOperation, Mode, OFlags};
use rustix::io::{Errno, ReadWriteFlags};

use super::{Entry, Open, Space};
use crate::buf::ALIGN;

/// A file that was opened.
pub(super) struct Opened {
    pub(super) fd: OwnedFd,
    /// For direct I/O.
    pub(super) direct: bool,
    /// A direct write with RWF_DSYNC is one request of its device.
    pub(super) one_request_dsync: bool,
}

/// Opens a file.
pub(super) fn open(path: &Path, how: Open) -> io::Result<Opened> {
    let mut flags = OFlags::CLOEXEC;
    flags |= if how.read_only { OFlags::RDONLY } else { OFlags::RDWR };
    if how.create || how.create_new {
        flags |= OFlags::CREATE;
    }
    if how.create_new {
        flags |= OFlags::EXCL;
    }
    let mode = Mode::from_raw_mode(0o640);
    let open = |flags| rustix::fs::open(path, flags, mode).map_err(|e| named(e.into(), "open", path));
    if how.direct {
        match rustix::fs::open(path, flags | OFlags::DIRECT, mode) {
            Ok(fd) => {
                let one_request_dsync = one_request_dsync(&fd);
                return Ok(Opened { fd, direct: true, one_request_dsync });
            }
            // Refused by the file system, perhaps after the file was made: then it need not be new any more.
            Err(Errno::INVAL | Errno::OPNOTSUPP) => flags -= OFlags::EXCL,
            Err(error) => return Err(named(error.into(), "open", path)),
        }
    }
    Ok(Opened { fd: open(flags)?, direct: false, one_request_dsync: false })
}

/// Whether the file's device has no volatile write cache, or can write through it (FUA). False where that isn't told.
fn one_request_dsync(fd: &OwnedFd) -> bool {
    let Ok(stat) = rustix::fs::fstat(fd) else { return false };
    let device = format!("/sys/dev/block/{}:{}", rustix::fs::major(stat.st_dev), rustix::fs::minor(stat.st_dev));
    // A partition has its queue in the disk's folder.
    let told = |name| ["", "/.."].iter().find_map(|up| fs::read_to_string(format!("{device}{up}/queue/{name}")).ok());
    told("write_cache").is_some_and(|cache| cache.trim() == "write through")
        || told("fua").is_some_and(|fua| fua.trim() == "1")
}

/// Writes all bytes at `pos`; with `sync` they, and the size they need, are durable on return.
pub(super) fn write_at(fd: &OwnedFd, bytes: &[u8], pos: u64, sync: Sync) -> io::Result<()> {
    match write_all(fd, bytes, pos, if sync == Sync::Dsync { ReadWriteFlags::DSYNC } else { ReadWriteFlags::empty() }) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) if sync == Sync::Dsync => {
            write_all(fd, bytes, pos, ReadWriteFlags::empty())?;
            datasync(fd)
        }
        Err(error) => Err(error.into()),
        Ok(()) if sync == Sync::Datasync => datasync(fd),
        Ok(()) => Ok(()),
    }
}

/// How a write becomes durable.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sync {
    None,
    /// Each write call is durable by itself (RWF_DSYNC); for direct files.
    Dsync,
    /// fdatasync behind the writes.
    Datasync,
}

fn write_all(fd: &OwnedFd, mut bytes: &[u8], mut pos: u64, flags: ReadWriteFlags) -> Result<(), Errno> {
    while !bytes.is_empty() {
        let written = if flags.is_empty() {
            rustix::io::pwrite(fd, bytes, pos)
        } else {
            rustix::io::pwritev2(fd, &[IoSlice::new(bytes)], pos, flags)
        };
        match written {
            Ok(0) => return Err(Errno::IO),
            Ok(n) => {
                bytes = &bytes[n..];
                pos += n as u64;
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Fills `bytes` from `pos` on, short only at the end of the file.
pub(super) fn read_at(fd: &OwnedFd, bytes: &mut [u8], pos: u64, direct: bool) -> io::Result<usize> {
    let mut filled = 0;
    while filled < bytes.len() {
        match rustix::io::pread(fd, &mut bytes[filled..], pos + filled as u64) {
            Ok(0) => break,
            Ok(n) => {
                filled += n;
                // A direct read that ends inside a block has met the end of the file; going on there is not aligned.
                if direct && !n.is_multiple_of(ALIGN) {
                    break;
                }
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(filled)
}

pub(super) fn datasync(fd: &OwnedFd) -> io::Result<()> {
    Ok(rustix::fs::fdatasync(fd)?)
}

/// Space and size for `len` bytes; the size alone where the file system can't reserve.
pub(super) fn allocate(fd: &OwnedFd, len: u64) -> io::Result<()> {
    if len == 0 {
        return Ok(());
    }
    loop {
        match rustix::fs::fallocate(fd, FallocateFlags::empty(), 0, len) {
            Ok(()) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => break,
            Err(error) => return Err(error.into()),
        }
    }
    if size(fd)? < len { set_len(fd, len) } else { Ok(()) }
}

pub(super) fn set_len(fd: &OwnedFd, len: u64) -> io::Result<()> {
    Ok(rustix::fs::ftruncate(fd, len)?)
}

pub(super) fn size(fd: &OwnedFd) -> io::Result<u64> {
    Ok(rustix::fs::fstat(fd)?.st_size as u64)
}

pub(super) fn create_dir_all(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path).map_err(|e| named(e, "create directory", path))
}

pub(super) fn sync_dir(path: &Path) -> io::Result<()> {
    let dir = open_dir(path)?;
    rustix::fs::fsync(&dir).map_err(|e| named(e.into(), "sync directory", path))
}

pub(super) fn sync_all(path: &Path) -> io::Result<()> {
    let dir = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    let dir = dir.map_err(|e| named(e.into(), "open", path))?;
    rustix::fs::syncfs(&dir).map_err(|e| named(e.into(), "sync the file system of", path))
}

fn open_dir(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map_err(|e| named(e.into(), "open directory", path))
}

pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to).map_err(|e| named(e, "rename", from))
}

pub(super) fn remove_file(path: &Path) -> io::Result<()> {
    fs::remove_file(path).map_err(|e| named(e, "remove", path))
}

pub(super) fn remove_dir_all(path: &Path) -> io::Result<()> {
    fs::remove_dir_all(path).map_err(|e| named(e, "remove directory", path))
}

pub(super) fn read_dir(path: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(path).map_err(|e| named(e, "read directory", path))? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            // We make no such names; whoever put it there keeps it.
            tracing::warn!(name = ?entry.file_name(), "file name is not UTF-8, skipped");
            continue;
        };
        let meta = match entry.metadata() {
            Ok(meta) => meta,
            // Gone since the directory was read.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(named(error, "read", &path.join(name))),
        };
        entries.push(Entry { name, is_dir: meta.is_dir(), len: meta.len() });
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

pub(super) fn exists(path: &Path) -> io::Result<bool> {
    fs::exists(path).map_err(|e| named(e, "look for", path))
}

pub(super) fn read(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let file = fs::File::open(path).map_err(|e| named(e, "open", path))?;
    let mut bytes = Vec::new();
    // One byte more than allowed, to see that there is more.
    file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes).map_err(|e| named(e, "read", path))?;
    if bytes.len() as u64 > bytes_max {
        let text = format!("{}: larger than {bytes_max} bytes", path.display());
        return Err(io::Error::new(ErrorKind::FileTooLarge, text));
    }
    Ok(bytes)
}

/// The old content or the new one, whatever happens, and the new one on return.
pub(super) fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::Error::new(ErrorKind::InvalidInput, format!("{}: no file name", path.display())));
    };
    let mut temporary = name.to_owned();
    temporary.push(".tmp");
    let temporary: PathBuf = parent.join(temporary);
    let step = |e: io::Error| named(e, "write", &temporary);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC;
    let fd = rustix::fs::open(&temporary, flags, Mode::from_raw_mode(0o640)).map_err(|e| step(e.into()))?;
    write_at(&fd, bytes, 0, Sync::None).map_err(step)?;
    rustix::fs::fsync(&fd).map_err(|e| step(e.into()))?;
    rename(&temporary, path)?;
    sync_dir(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })
}

pub(super) fn space(path: &Path) -> io::Result<Space> {
    let stat = rustix::fs::statvfs(path).map_err(|e| named(e.into(), "read free space of", path))?;
    // f_bavail: what an unprivileged process may take, the reserve for root left out.
    Ok(Space { free: stat.f_bavail * stat.f_frsize, total: stat.f_blocks * stat.f_frsize })
}

/// An exclusive lock on the file, made if absent, held while the descriptor lives.
pub(super) fn lock(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC;
    let fd = rustix::fs::open(path, flags, Mode::from_raw_mode(0o640)).map_err(|e| named(e.into(), "open", path))?;
    match rustix::fs::flock(fd.as_fd(), FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(fd),
        Err(Errno::WOULDBLOCK) => {
            let text = format!("{}: locked by another process", path.display());
            Err(io::Error::new(ErrorKind::ResourceBusy, text))
        }
        Err(error) => Err(named(error.into(), "lock", path)),
    }
}

/// The same kind of error, with what was done and to which path.
fn named(error: io::Error, verb: &str, path: &Path) -> io::Error {
    io::Error::new(error.kind(), Named { error, what: format!("{verb} {}", path.display()) })
}

#[derive(Debug, thiserror::Error)]
#[error("{what}: {error}")]
struct Named {
    #[source]
    error: io::Error,
    what: String,
}

//! Files and directories. Every operation is **submitted when called** and owns what it needs: dropping its future neither
//! cancels it nor frees its buffer. Operations in flight complete in any order.
//!
//! Homes: a ring of io_uring, a pool of threads, the simulator. [`testing::disk_suite`](crate::testing::disk_suite) is the law
//! for all of them.

mod files;
mod pool;
pub(crate) mod probe;
mod ring;
#[cfg(feature = "sim")]
mod sim;

use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::buf::{ALIGN, Buf};
pub(crate) use pool::Pool;
use pool::PoolFile;
use ring::RingFile;
pub(crate) use ring::{Ring, WatchedRing};

/// Writes in flight per core; more wait inside. XFS blocks the submitter at 256 requests, and 4 rings may share a device.
pub const WRITES_IN_FLIGHT_MAX: usize = 64;

/// How to open a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Open {
    /// For reading only; writing is an error then.
    pub read_only: bool,
    /// Make the file if it is absent.
    pub create: bool,
    /// Make the file; an error if it is there.
    pub create_new: bool,
    /// Past the page cache (O_DIRECT); buffered where the file system refuses, see [`File::is_direct`].
    pub direct: bool,
}

/// Whether a write is durable when it completes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// In the kernel's or the drive's hands: lost at a power cut unless a later [`File::datasync`] covers it.
    None,
    /// The bytes, and the file size they need, survive a power cut.
    Sync,
}

/// A directory's entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name within the directory.
    pub name: String,
    /// A directory, else a file.
    pub is_dir: bool,
    /// Bytes, for a file.
    pub len: u64,
}

/// A file system's space, bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// What this process may still take.
    pub free: u64,
    /// All there is.
    pub total: u64,
}

/// The disk of one shard; clones are one.
#[derive(Clone)]
pub struct Disk {
    home: DiskHome,
}

#[derive(Clone)]
enum DiskHome {
    Ring(Ring, Pool),
    Pool(Pool),
    #[cfg(feature = "sim")]
    Sim(sim::SimDisk),
}

/// A file that is open; clones are one descriptor, closed with the last of them and of the operations in flight.
#[derive(Clone)]
pub struct File {
    inner: Rc<FileInner>,
}

struct FileInner {
    direct: bool,
    home: FileHome,
}

enum FileHome {
    Ring(RingFile),
    Pool(PoolFile),
    #[cfg(feature = "sim")]
    Sim(sim::SimFile),
}

/// An exclusive lock on a file; released on drop, and by the kernel when the process ends.
pub struct Lock {
    _home: LockHome,
}

enum LockHome {
    System {
        _fd: OwnedFd,
    },
    #[cfg(feature = "sim")]
    Sim {
        _lock: sim::SimLock,
    },
}

/// An operation that was submitted; a future of its result.
pub(crate) enum Op<T> {
    /// Completed on another thread.
    Remote(tokio::sync::oneshot::Receiver<T>),
    /// Completed on this one.
    Local(crate::sync::oneshot::Receiver<T>),
}

impl<T> Future for Op<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        // An operation always answers, unless its thread panicked: that is ours, and it is fatal.
        match self.get_mut() {
            Op::Remote(result) => Pin::new(result).poll(cx).map(|r| r.expect("a disk thread answers")),
            Op::Local(result) => Pin::new(result).poll(cx).map(|r| r.expect("the disk answers")),
        }
    }
}

enum Opening {
    System(Op<io::Result<files::Opened>>),
    #[cfg(feature = "sim")]
    Sim(Op<io::Result<sim::SimFile>>),
}

enum Locking {
    System(Op<io::Result<OwnedFd>>),
    #[cfg(feature = "sim")]
    Sim(Op<io::Result<sim::SimLock>>),
}

impl Disk {
    pub(crate) fn on_ring(ring: Ring, pool: Pool) -> Disk {
        Disk { home: DiskHome::Ring(ring, pool) }
    }

    pub(crate) fn on_pool(pool: Pool) -> Disk {
        Disk { home: DiskHome::Pool(pool) }
    }

    #[cfg(feature = "sim")]
    pub(crate) fn sim(place: crate::sim::Place) -> Disk {
        Disk { home: DiskHome::Sim(sim::SimDisk { place }) }
    }

    /// Waits for the operations begun, though handles of this disk may be left: the shard ends.
    pub(crate) fn close(&self) {
        match &self.home {
            DiskHome::Ring(ring, pool) => {
                ring.close();
                pool.close();
            }
            DiskHome::Pool(pool) => pool.close(),
            // The world decides what its disks still do.
            #[cfg(feature = "sim")]
            DiskHome::Sim(_) => {}
        }
    }

    /// Which home this is: `ring`, `pool` or `sim`.
    pub fn home_name(&self) -> &'static str {
        match &self.home {
            DiskHome::Ring(..) => "ring",
            DiskHome::Pool(..) => "pool",
            #[cfg(feature = "sim")]
            DiskHome::Sim(_) => "sim",
        }
    }

    /// Opens a file. A new one's name is durable only after [`sync_dir`](Self::sync_dir) of its directory.
    #[cfg_attr(not(feature = "sim"), allow(clippy::infallible_destructuring_match))]
    pub fn open(&self, path: &Path, how: Open) -> impl Future<Output = io::Result<File>> + 'static {
        let path = path.to_owned();
        let disk = self.clone();
        let opening = match &self.home {
            DiskHome::Ring(_, pool) | DiskHome::Pool(pool) => {
                Opening::System(pool.run(move || files::open(&path, how)))
            }
            #[cfg(feature = "sim")]
            DiskHome::Sim(disk) => Opening::Sim(disk.open(&path, how)),
        };
        async move {
            let opening = match opening {
                Opening::System(opening) => opening,
                #[cfg(feature = "sim")]
                Opening::Sim(opening) => {
                    let file = opening.await?;
                    return Ok(File {
                        inner: Rc::new(FileInner { direct: file.is_direct(), home: FileHome::Sim(file) }),
                    });
                }
            };
            let files::Opened { fd, direct, one_request_dsync } = opening.await?;
            let fd = Some(Arc::new(fd));
            let home = match disk.home {
                DiskHome::Ring(ring, pool) => {
                    FileHome::Ring(RingFile { ring, file: PoolFile { fd, pool }, one_request_dsync })
                }
                DiskHome::Pool(pool) => FileHome::Pool(PoolFile { fd, pool }),
                #[cfg(feature = "sim")]
                DiskHome::Sim(_) => unreachable!("opened above"),
            };
            Ok(File { inner: Rc::new(FileInner { direct, home }) })
        }
    }

    /// Makes the directory and those above it; one that is there is no error.
    pub fn create_dir_all(&self, path: &Path) -> impl Future<Output = io::Result<()>> + 'static {
        #[cfg(feature = "sim")]
        if let DiskHome::Sim(disk) = &self.home {
            return disk.create_dir_all(path);
        }
        self.with_path(path, files::create_dir_all)
    }

    /// Makes the directory's entries durable: names made, renamed and removed before.
    pub fn sync_dir(&self, path: &Path) -> impl Future<Output = io::Result<()>> + 'static {
        #[cfg(feature = "sim")]
        if let DiskHome::Sim(disk) = &self.home {
            return disk.sync_dir(path);
        }
        self.with_path(path, files::sync_dir)
    }

    /// Renames within a file system, replacing `to`; durable after a [`sync_dir`](Self::sync_dir) of both directories.
    pub fn rename(&self, from: &Path, to: &Path) -> impl Future<Output = io::Result<()>> + 'static {
        #[cfg(feature = "sim")]
        if let DiskHome::Sim(disk) = &self.home {
            return disk.rename(from, to);
        }
        let to = to.to_owned();
        self.with_path(from, move |from| files::rename(from, &to))
    }

    /// Removes a file's name; durable after a [`sync_dir`](Self::sync_dir).
    pub fn remove_file(&self, path: &Path) -> impl Future<Output = io::Result<()>> + 'static {
        #[cfg(feature = "sim")]
        if let DiskHome::Sim(disk) = &self.home {
            return disk.remove_file(path);
        }
        self.with_path(path, files::remove_file)
    }

    /// Removes a directory with all that is in it.
    pub fn remove_dir_all(&self, path: &Path) -> impl Future<Output = io::Result<()>> + 'static {
        #[cfg(feature = "sim")]
        if let DiskHome::Sim(disk) = &self.home {
            return disk.remove_dir_all(path);
        }
        self.with_path(path, files::remove_dir_all)
    }

    /// The directory's entries by name; names that are not UTF-8 are skipped with a log line.
    pub fn read_dir(&self, path: &Path) -> impl Future<Output = io::Result<Vec<Entry>>> + 'static {
        #[cfg(feature = "sim")]
        if let DiskHome::Sim(disk) = &self.home {
            return disk.read_dir(path);
        }
        self.with_path(path, files::read_dir)
    }

    /// Whether the name exists.
    pub fn exists(&self, path: &Path) -> impl Future<Output = io::Result<bool>> + 'static {
        #[cfg(feature = "sim")]
        if let DiskHome::Sim(disk) = &self.home {
            return disk.exists(path);
        }
        self.with_path(path, files::exists)
    }

    /// A whole file of at most `bytes_max` bytes; `FileTooLarge` beyond.
    pub fn read(&self, path: &Path, bytes_max: u64) -> impl Future<Output = io::Result<Vec<u8>>> + 'static {
        #[cfg(feature = "sim")]
        if let DiskHome::Sim(disk) = &self.home {
            return disk.read(path, bytes_max);
        }
        self.with_path(path, move |path| files::read(path, bytes_max))
    }

    /// Replaces a file by way of a temporary one (`<name>.tmp`), a sync and a rename: after a power cut it has the old content
    /// or the new one, and the new one once this has resolved.
    pub fn write_atomic(&self, path: &Path, bytes: Vec<u8>) -> impl Future<Output = io::Result<()>> + 'static {
        #[cfg(feature = "sim")]
        if let DiskHome::Sim(disk) = &self.home {
            return disk.write_atomic(path, bytes);
        }
        self.with_path(path, move |path| files::write_atomic(path, &bytes))
    }

    /// Makes all writes, sizes and names of the path's file system durable that were completed before (syncfs).
    pub fn sync_all(&self, path: &Path) -> impl Future<Output = io::Result<()>> + 'static {
        #[cfg(feature = "sim")]
        if let DiskHome::Sim(disk) = &self.home {
            return disk.sync_all(path);
        }
        self.with_path(path, files::sync_all)
    }

    /// Free and total space of the path's file system.
    pub fn space(&self, path: &Path) -> impl Future<Output = io::Result<Space>> + 'static {
        #[cfg(feature = "sim")]
        if let DiskHome::Sim(disk) = &self.home {
            return disk.space(path);
        }
        self.with_path(path, files::space)
    }

    /// Takes an exclusive lock on the file, which is made if absent; `ResourceBusy` and its name when another holds it.
    pub fn lock(&self, path: &Path) -> impl Future<Output = io::Result<Lock>> + 'static {
        let locking = match &self.home {
            #[cfg(feature = "sim")]
            DiskHome::Sim(disk) => Locking::Sim(disk.lock(path)),
            _ => Locking::System(self.with_path(path, files::lock)),
        };
        async move {
            let home = match locking {
                Locking::System(locking) => LockHome::System { _fd: locking.await? },
                #[cfg(feature = "sim")]
                Locking::Sim(locking) => LockHome::Sim { _lock: locking.await? },
            };
            Ok(Lock { _home: home })
        }
    }

    fn with_path<T: Send + 'static>(&self, path: &Path, call: impl FnOnce(&Path) -> T + Send + 'static) -> Op<T> {
        let path = path.to_owned();
        match &self.home {
            DiskHome::Ring(_, pool) | DiskHome::Pool(pool) => pool.run(move || call(&path)),
            #[cfg(feature = "sim")]
            DiskHome::Sim(_) => unreachable!("the simulator's disk has its own operations"),
        }
    }
}

impl File {
    /// Writes the whole buffer at `pos`; short writes are finished inside. On a direct file `pos` and the length are multiples
    /// of 4 KiB (asserted). A failed write leaves the range unspecified: end the broker, don't retry.
    pub fn write_at(
        &self,
        buf: Buf,
        pos: u64,
        durability: Durability,
    ) -> impl Future<Output = (io::Result<()>, Buf)> + 'static {
        self.check_aligned(buf.len(), pos);
        let sync = match (durability, self.inner.direct) {
            (Durability::None, _) => files::Sync::None,
            (Durability::Sync, true) => files::Sync::Dsync,
            (Durability::Sync, false) => files::Sync::Datasync,
        };
        match &self.inner.home {
            FileHome::Ring(file) => file.write_at(buf, pos, sync),
            FileHome::Pool(file) => file.run(move |fd| (files::write_at(fd, &buf, pos, sync), buf)),
            #[cfg(feature = "sim")]
            FileHome::Sim(file) => file.write_at(buf, pos, durability == Durability::Sync),
        }
    }

    /// Fills the buffer's length from `pos` on; the count is short only at the end of the file, and what lies beyond it in the
    /// buffer is unspecified. On a direct file `pos` and the length are multiples of 4 KiB (asserted).
    pub fn read_at(&self, buf: Buf, pos: u64) -> impl Future<Output = (io::Result<usize>, Buf)> + 'static {
        self.check_aligned(buf.len(), pos);
        let direct = self.inner.direct;
        match &self.inner.home {
            FileHome::Ring(file) => file.read_at(buf, pos, direct),
            FileHome::Pool(file) => {
                let mut buf = buf;
                file.run(move |fd| (files::read_at(fd, &mut buf, pos, direct), buf))
            }
            #[cfg(feature = "sim")]
            FileHome::Sim(file) => file.read_at(buf, pos),
        }
    }

    /// Makes the writes durable that were completed before this call, and the size they need. After an error never sync this
    /// file again: what the kernel dropped reads as clean.
    pub fn datasync(&self) -> impl Future<Output = io::Result<()>> + 'static {
        match &self.inner.home {
            FileHome::Ring(file) => file.datasync(),
            FileHome::Pool(file) => file.run(files::datasync),
            #[cfg(feature = "sim")]
            FileHome::Sim(file) => file.datasync(),
        }
    }

    /// Reserves space for the first `len` bytes and extends the size to it; never shrinks. The new bytes read as zeros.
    pub fn allocate(&self, len: u64) -> impl Future<Output = io::Result<()>> + 'static {
        #[cfg(feature = "sim")]
        if let FileHome::Sim(file) = &self.inner.home {
            return file.allocate(len);
        }
        self.pooled(move |fd| files::allocate(fd, len))
    }

    /// Sets the size; bytes added read as zeros.
    pub fn set_len(&self, len: u64) -> impl Future<Output = io::Result<()>> + 'static {
        #[cfg(feature = "sim")]
        if let FileHome::Sim(file) = &self.inner.home {
            return file.set_len(len);
        }
        self.pooled(move |fd| files::set_len(fd, len))
    }

    /// The size, bytes.
    pub fn len(&self) -> impl Future<Output = io::Result<u64>> + 'static {
        #[cfg(feature = "sim")]
        if let FileHome::Sim(file) = &self.inner.home {
            return file.len();
        }
        self.pooled(files::size)
    }

    /// Whether it is open past the page cache.
    pub fn is_direct(&self) -> bool {
        self.inner.direct
    }

    fn pooled<T: Send + 'static>(&self, call: impl FnOnce(&OwnedFd) -> T + Send + 'static) -> Op<T> {
        match &self.inner.home {
            FileHome::Ring(RingFile { file, .. }) | FileHome::Pool(file) => file.run(call),
            #[cfg(feature = "sim")]
            FileHome::Sim(_) => unreachable!("the simulator's files have their own operations"),
        }
    }

    fn check_aligned(&self, len: usize, pos: u64) {
        let fits = len.is_multiple_of(ALIGN) && pos.is_multiple_of(ALIGN as u64);
        assert!(fits || !self.inner.direct, "direct I/O of {len} bytes at {pos}");
    }
}

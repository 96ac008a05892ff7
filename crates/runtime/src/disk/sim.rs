//! The simulator's disk: each operation is a job of the machine's [`Drive`], which completes it at some virtual time.

use std::io;
use std::path::{Path, PathBuf};

use super::{Entry, Op, Open, Space};
use crate::buf::Buf;
use crate::sim::Place;
use crate::sim::drive::{Drive, Job, Kind};
use crate::sim::image::Ino;
use crate::sim::stream::{hash_bytes, mix};
use crate::sync::oneshot;
use crate::task::Class;

/// The disk of a simulated shard.
#[derive(Clone)]
pub(crate) struct SimDisk {
    pub(super) place: Place,
}

/// An open file of it.
pub(crate) struct SimFile {
    place: Place,
    handle: u32,
    ino: Ino,
    direct: bool,
}

/// A lock on a file of it.
pub(crate) struct SimLock {
    place: Place,
    ino: Ino,
}

impl Drop for SimFile {
    fn drop(&mut self) {
        self.place.drive(|drive| drive.close(self.handle));
    }
}

impl Drop for SimLock {
    fn drop(&mut self) {
        self.place.drive(|drive| drive.unlock(self.ino));
    }
}

fn call<T: 'static>(
    place: &Place,
    kind: Kind,
    hash: u64,
    work: impl FnOnce(&mut Drive) -> io::Result<T> + 'static,
    undo: impl FnOnce(&mut Drive, T) + 'static,
) -> Op<io::Result<T>> {
    let (answer, result) = oneshot();
    let call = Box::new(move |drive: io::Result<&mut Drive>| match drive {
        Err(error) => drop(answer.send(Err(error))),
        Ok(drive) => {
            let outcome = work(drive);
            if let Err(Ok(unwanted)) = answer.send(outcome) {
                undo(drive, unwanted);
            }
        }
    });
    place.submit(Job::Call { kind, call }, hash);
    Op::Local(result)
}

impl SimDisk {
    fn at_path<T: 'static>(
        &self,
        kind: Kind,
        path: &Path,
        work: impl FnOnce(&mut Drive, &Path) -> io::Result<T> + 'static,
    ) -> Op<io::Result<T>> {
        let hash = hash_bytes(path.as_os_str().as_encoded_bytes());
        let path = path.to_owned();
        call(&self.place, kind, hash, move |drive| work(drive, &path).map_err(|e| named(e, &path)), |_, _| {})
    }

    pub(super) fn open(&self, path: &Path, how: Open) -> Op<io::Result<SimFile>> {
        let (path, place) = (path.to_owned(), self.place.clone());
        let hash = hash_bytes(path.as_os_str().as_encoded_bytes());
        let open = move |drive: &mut Drive| {
            let handle = drive.open(&path, how).map_err(|e| named(e, &path))?;
            let ino = drive.handle(handle).expect("a handle that was made").ino;
            Ok(SimFile { place, handle, ino, direct: how.direct })
        };
        // The drive is borrowed here: the file must not close itself.
        call(&self.place, Kind::Meta, hash, open, |drive, file| {
            drive.close(file.handle);
            std::mem::forget(file);
        })
    }

    pub(super) fn create_dir_all(&self, path: &Path) -> Op<io::Result<()>> {
        self.at_path(Kind::Meta, path, |drive, path| drive.image.create_dir_all(path))
    }

    pub(super) fn sync_dir(&self, path: &Path) -> Op<io::Result<()>> {
        let upto = self.place.drive(|drive| drive.image.seq()).unwrap_or(0);
        self.at_path(Kind::SyncDir, path, move |drive, path| {
            let ino = drive.image.lookup(path)?;
            drive.image.sync_dir(ino, upto);
            Ok(())
        })
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) -> Op<io::Result<()>> {
        let to = to.to_owned();
        self.at_path(Kind::Meta, from, move |drive, from| drive.image.rename(from, &to))
    }

    pub(super) fn remove_file(&self, path: &Path) -> Op<io::Result<()>> {
        self.at_path(Kind::Meta, path, |drive, path| drive.image.remove_file(path))
    }

    pub(super) fn remove_dir_all(&self, path: &Path) -> Op<io::Result<()>> {
        self.at_path(Kind::Meta, path, |drive, path| drive.image.remove_dir_all(path))
    }

    pub(super) fn read_dir(&self, path: &Path) -> Op<io::Result<Vec<Entry>>> {
        self.at_path(Kind::Meta, path, |drive, path| {
            let entries = drive.image.list(path)?;
            Ok(entries.into_iter().map(|e| Entry { name: e.name, is_dir: e.is_dir, len: e.len }).collect())
        })
    }

    pub(super) fn exists(&self, path: &Path) -> Op<io::Result<bool>> {
        self.at_path(Kind::Meta, path, |drive, path| match drive.image.lookup(path) {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(false),
            Err(error) => Err(error),
        })
    }

    pub(super) fn read(&self, path: &Path, bytes_max: u64) -> Op<io::Result<Vec<u8>>> {
        self.at_path(Kind::Meta, path, move |drive, path| {
            if drive.read_fails() {
                return Err(io::Error::from_raw_os_error(5));
            }
            let ino = drive.image.lookup(path)?;
            if !drive.image.is_file(ino) {
                return Err(io::ErrorKind::IsADirectory.into());
            }
            let len = drive.image.len(ino);
            if len > bytes_max {
                let text = format!("larger than {bytes_max} bytes");
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
            }
            let mut bytes = vec![0; len as usize];
            drive.image.read(ino, 0, &mut bytes);
            Ok(bytes)
        })
    }

    /// The steps of the system's homes, each at its own time, run by a task so that a dropped future stops none.
    pub(super) fn write_atomic(&self, path: &Path, bytes: Vec<u8>) -> Op<io::Result<()>> {
        let (answer, result) = oneshot();
        let (disk, path) = (self.clone(), path.to_owned());
        self.place.spawn(Class::Serve, async move {
            let _ = answer.send(disk.replace(path, bytes).await);
        });
        Op::Local(result)
    }

    async fn replace(self, path: PathBuf, bytes: Vec<u8>) -> io::Result<()> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(named(io::ErrorKind::InvalidInput.into(), &path));
        };
        let mut temporary = name.to_owned();
        temporary.push(".tmp");
        let temporary = parent.join(temporary);
        let file = self.open(&temporary, Open { create: true, ..Open::default() }).await?;
        file.set_len(0).await?;
        let mut buf = Buf::zeroed(bytes.len());
        buf.copy_from_slice(&bytes);
        file.write_at(buf, 0, false).await.0?;
        file.datasync().await?;
        drop(file);
        self.rename(&temporary, &path).await?;
        self.sync_dir(parent).await
    }

    pub(super) fn sync_all(&self, path: &Path) -> Op<io::Result<()>> {
        let upto = self.place.drive(|drive| drive.image.seq()).unwrap_or(0);
        self.at_path(Kind::SyncAll, path, move |drive, path| {
            drive.image.lookup(path)?;
            drive.image.sync_all(upto);
            Ok(())
        })
    }

    pub(super) fn space(&self, path: &Path) -> Op<io::Result<Space>> {
        self.at_path(Kind::Meta, path, |drive, path| {
            drive.image.lookup(path)?;
            Ok(Space { free: drive.image.free(), total: drive.image.capacity() })
        })
    }

    pub(super) fn lock(&self, path: &Path) -> Op<io::Result<SimLock>> {
        let (path, place) = (path.to_owned(), self.place.clone());
        let hash = hash_bytes(path.as_os_str().as_encoded_bytes());
        let lock = move |drive: &mut Drive| {
            let ino = drive.lock(&path).map_err(|e| named(e, &path))?;
            Ok(SimLock { place, ino })
        };
        call(&self.place, Kind::Meta, hash, lock, |drive, lock| {
            drive.unlock(lock.ino);
            std::mem::forget(lock);
        })
    }
}

impl SimFile {
    pub(super) fn is_direct(&self) -> bool {
        self.direct
    }

    pub(super) fn write_at(&self, buf: Buf, pos: u64, sync: bool) -> Op<(io::Result<()>, Buf)> {
        let (answer, result) = oneshot();
        let hash = mix(hash_bytes(&buf) ^ pos ^ u64::from(self.ino).rotate_left(40));
        let read_only = self.place.drive(|drive| drive.handle(self.handle).is_none_or(|h| h.read_only));
        if read_only == Some(true) {
            let _ = answer.send((Err(io::Error::from_raw_os_error(9)), buf));
            return Op::Local(result);
        }
        if self.direct {
            self.place.drive(|drive| drive.direct_write(self.ino, pos, buf.len()));
        }
        self.place.submit(Job::Write { ino: self.ino, pos, buf, sync, answer }, hash);
        Op::Local(result)
    }

    pub(super) fn read_at(&self, buf: Buf, pos: u64) -> Op<(io::Result<usize>, Buf)> {
        let (answer, result) = oneshot();
        let unsealed = !self.direct && self.place.drive(|d| d.is_unsealed(self.ino, pos, buf.len())) == Some(true);
        if unsealed {
            let text = format!("buffered read of a direct-written block of file {} at {pos} before its end", self.ino);
            self.place.misuse(text);
        }
        let hash = mix(pos ^ u64::from(self.ino).rotate_left(40) ^ (buf.len() as u64).rotate_left(20));
        self.place.submit(Job::Read { ino: self.ino, pos, buf, cached: !self.direct, answer }, hash);
        Op::Local(result)
    }

    pub(super) fn datasync(&self) -> Op<io::Result<()>> {
        let (answer, result) = oneshot();
        let upto = self.place.drive(|drive| drive.image.seq()).unwrap_or(0);
        self.place.submit(Job::Datasync { ino: self.ino, upto, answer }, u64::from(self.ino));
        Op::Local(result)
    }

    pub(super) fn allocate(&self, len: u64) -> Op<io::Result<()>> {
        self.meta(len, move |drive, ino| drive.image.allocate(ino, len))
    }

    pub(super) fn set_len(&self, len: u64) -> Op<io::Result<()>> {
        self.meta(len, move |drive, ino| drive.image.set_len(ino, len))
    }

    pub(super) fn len(&self) -> Op<io::Result<u64>> {
        self.meta(0, |drive, ino| Ok(drive.image.len(ino)))
    }

    fn meta<T: 'static>(
        &self,
        detail: u64,
        work: impl FnOnce(&mut Drive, Ino) -> io::Result<T> + 'static,
    ) -> Op<io::Result<T>> {
        let ino = self.ino;
        let hash = mix(u64::from(ino) ^ detail.rotate_left(32));
        // The operation keeps the file, though its name and its handle may go meanwhile.
        self.place.drive(|drive| drive.image.hold(ino));
        let work = move |drive: &mut Drive| {
            let outcome = work(drive, ino);
            drive.image.release(ino);
            outcome
        };
        call(&self.place, Kind::Meta, hash, work, |_, _| {})
    }
}

/// The same kind of error, with the path it is about.
fn named(error: io::Error, path: &Path) -> io::Error {
    if error.raw_os_error().is_some() {
        error
    } else {
        io::Error::new(error.kind(), format!("{}: {error}", path.display()))
    }
}

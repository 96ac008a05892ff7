//! For tests: a shard on the calling thread, a directory that goes away, and the law of every disk home.

mod disk;

pub use disk::disk_suite;

use std::cell::RefCell;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::Runtime;
use crate::system::{self, DiskChoice, SystemOptions};

/// Runs the future on a shard of the system home, on the calling thread, and returns its result. Panics with the message of a
/// task's panic or the reason of a failure.
pub fn run<F, T>(main: impl FnOnce(Runtime) -> F + 'static) -> T
where
    F: Future<Output = T> + 'static,
    T: 'static,
{
    run_on(DiskChoice::Auto, main)
}

/// As [`run`], on the disk home given.
pub fn run_on<F, T>(disk: DiskChoice, main: impl FnOnce(Runtime) -> F + 'static) -> T
where
    F: Future<Output = T> + 'static,
    T: 'static,
{
    let result = Rc::new(RefCell::new(None));
    let slot = result.clone();
    let options = SystemOptions { disk, seed: Some(1), ..SystemOptions::default() };
    let ended = system::run_here(options, |rt| async move {
        let value = main(rt).await;
        *slot.borrow_mut() = Some(value);
    });
    if let Err(reason) = ended {
        panic!("{reason}");
    }
    result.take().expect("the root future has ended")
}

/// A directory of its own that is removed when dropped.
#[derive(Debug)]
pub struct TempDir {
    path: PathBuf,
}

impl TempDir {
    /// A fresh directory below the system's temporary one (or `OUZEL_TEST_DIR`).
    #[allow(clippy::new_without_default)]
    pub fn new() -> TempDir {
        let base = std::env::var_os("OUZEL_TEST_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
        let mut id = [0; 8];
        system::entropy(&mut id);
        let path = base.join(format!("ouzel-test-{:016x}", u64::from_le_bytes(id)));
        std::fs::create_dir_all(&path).expect("a temporary directory can be made");
        TempDir { path }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

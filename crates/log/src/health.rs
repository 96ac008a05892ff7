//! The disk's space: below `storage_min_free` appends are refused, and taken again when there is room.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use ouzel_model::{planted, reached};
use ouzel_runtime::{Class, Duration, Instant, Space};

use crate::log::AppendRefused;
use crate::store::{Core, Store, StoreConfig};

/// One look a second, and only while there are appends.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What the store knows about its disk's space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpaceState {
    /// Bytes free at the last look.
    pub free: u64,
    /// Bytes in all.
    pub total: u64,
    /// Appends are refused below this many bytes free.
    pub threshold: u64,
}

impl SpaceState {
    /// Whether appends are refused.
    pub fn refuses(&self) -> bool {
        self.free < self.threshold
    }
}

pub(crate) struct Health {
    min_free: Option<u64>,
    state: RefCell<SpaceState>,
    looked: Cell<Option<Instant>>,
    looking: Cell<bool>,
    /// Bytes admitted since the last look: at a gigabyte a second the disk would be full before the next one.
    admitted: Cell<u64>,
}

impl Health {
    pub(crate) fn new(config: &StoreConfig) -> Health {
        Health {
            min_free: config.storage_min_free,
            state: RefCell::new(SpaceState { free: u64::MAX, total: u64::MAX, threshold: 0 }),
            looked: Cell::new(None),
            looking: Cell::new(false),
            admitted: Cell::new(0),
        }
    }

    /// The last look, less what was admitted since: each byte goes to the journal and to a segment.
    fn estimate(&self) -> SpaceState {
        let state = *self.state.borrow();
        SpaceState { free: state.free.saturating_sub(2 * self.admitted.get()), ..state }
    }

    fn note(&self, space: Space) {
        let threshold = self.min_free.unwrap_or_else(|| (space.total / 20).max(1 << 30));
        *self.state.borrow_mut() = SpaceState { free: space.free, total: space.total, threshold };
    }
}

impl Store {
    /// The disk's space as of the last look, at most a second old while there are appends.
    pub fn health(&self) -> SpaceState {
        *self.0.health.state.borrow()
    }
}

impl Core {
    /// Looks at the disk's space. A look that fails changes nothing: an append's own write says more.
    pub(crate) async fn check_space(&self) {
        self.health.looked.set(Some(self.rt.now()));
        let admitted = self.health.admitted.get();
        if let Ok(space) = self.rt.disk().space(&self.config.dir).await {
            let before = self.health.state.borrow().refuses();
            if !planted!("53", before, false) {
                self.health.note(space);
                // What came while it was looked at isn't in what was seen.
                self.health.admitted.set(self.health.admitted.get() - admitted);
            }
            let state = *self.health.state.borrow();
            if before != state.refuses() {
                reached!("disk space crossed the threshold");
                let (free, threshold) = (state.free, state.threshold);
                tracing::warn!(dir = %self.config.dir.display(), free, threshold, refused = !before, "disk space");
            }
        }
    }

    pub(crate) fn admit_space(self: &Rc<Core>, bytes: u64) -> Result<(), AppendRefused> {
        let state = self.health.estimate();
        let stale = self.health.looked.get().is_none_or(|at| self.rt.now().duration_since(at) >= LOOK_EVERY)
            || state.refuses() && self.health.admitted.get() > 0;
        if stale && !self.health.looking.replace(true) {
            let core = self.clone();
            self.spawn_beside(Class::Background, async move {
                core.check_space().await;
                core.health.looking.set(false);
            });
        }
        if state.refuses() {
            return Err(AppendRefused::Full {
                path: self.config.dir.clone(),
                free: state.free,
                threshold: state.threshold,
            });
        }
        self.health.admitted.set(self.health.admitted.get() + bytes);
        Ok(())
    }
}

//! The second thread of a queue: syncs, watches the disk and the readers, deletes what nobody needs.

use crate::intake::Stopping;
use crate::options::Sync;
use crate::position::Position;
use crate::queue::Shared;
use crate::report::{Report, StopError};
use crate::segment::log_path;
use crate::writer::OpenSegment;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use stdx::files::{Access, File};

/// How often readers, disk and retention are looked at when nothing happens.
const TICK: Duration = Duration::from_secs(1);
/// How often while the intake is closed, so that it opens soon.
const TICK_BLOCKED: Duration = Duration::from_millis(50);
/// How long to wait after a failed sync before trying again.
const SYNC_RETRY: Duration = Duration::from_millis(100);
/// How often the last sync is tried when the queue stops.
const STOP_ATTEMPTS: u32 = 3;
/// How much is copied at a time when a segment is written again.
const COPY_SIZE: usize = 1 << 20;

/// Where the writer tells the keeper what there is to do.
pub(crate) struct Upkeep {
    /// Guards the list of what is to be synced.
    orders: Mutex<Orders>,
    /// The keeper waits on this.
    changed: Condvar,
    /// Whether anything is ever synced.
    syncs: bool,
}

struct Orders {
    /// Closed segments that are not synced yet, oldest first.
    closed: Vec<OpenSegment>,
    /// Segments of earlier runs, which may have ended without syncing them.
    inherited: Vec<u64>,
    current: OpenSegment,
    /// Something was written since the last sync began.
    dirty: bool,
    /// Files were made or removed since the directory was synced.
    names_changed: bool,
    n_wakes: u64,
    /// How many wait for a sync at once, see [`Upkeep::hurry`].
    n_hurried: usize,
    stopping: Stopping,
}

impl Upkeep {
    /// For a queue that writes to `current` and has the segments `inherited` from earlier runs.
    pub fn new(current: OpenSegment, inherited: Vec<u64>, sync: Sync) -> Upkeep {
        let orders = Orders {
            closed: Vec::new(),
            inherited,
            current,
            dirty: true,
            names_changed: true,
            n_wakes: 0,
            n_hurried: 0,
            stopping: Stopping::No,
        };
        let syncs = sync != Sync::Never;
        Upkeep {
            orders: Mutex::new(orders),
            changed: Condvar::new(),
            syncs,
        }
    }

    /// A chunk was written.
    pub fn wrote(&self) {
        let mut orders = self.lock();
        let first = !orders.dirty;
        orders.dirty = true;
        drop(orders);
        if first && self.syncs {
            self.changed.notify_one();
        }
    }

    /// The writer went from one segment to the next.
    pub fn rolled(&self, closed: OpenSegment, current: OpenSegment) {
        let mut orders = self.lock();
        if self.syncs {
            orders.closed.push(closed);
        }
        orders.current = current;
        orders.names_changed = true;
        orders.dirty = true;
    }

    /// Something happened that the keeper should look at now.
    pub fn wake(&self) {
        self.lock().n_wakes += 1;
        self.changed.notify_one();
    }

    /// Until [`Upkeep::calm`] syncs follow each other without a pause: somebody waits for them.
    pub fn hurry(&self) {
        self.lock().n_hurried += 1;
        self.changed.notify_one();
    }

    /// Takes one [`Upkeep::hurry`] back.
    pub fn calm(&self) {
        self.lock().n_hurried -= 1;
    }

    /// Ends the keeper; the writer must have ended before.
    pub fn stop(&self, stopping: Stopping) {
        self.lock().stopping = stopping;
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Orders> {
        self.orders
            .lock()
            .expect("no code panics while it holds the orders")
    }
}

impl Orders {
    /// Whether there is something to sync, and whether somebody waits for it.
    fn demand(&self) -> (bool, bool) {
        (self.dirty, self.n_hurried > 0)
    }
}

/// The thread that keeps.
pub(crate) struct Keeper {
    shared: Arc<Shared>,
    last_tick: Instant,
    last_sync: Instant,
    /// A sync has failed: the kernel may have forgotten that there was something to write, so a sync that succeeds
    /// now proves nothing for what was written before. It is written again first.
    suspect: bool,
    seen_wakes: u64,
}

impl Keeper {
    /// A keeper for this queue.
    pub fn new(shared: Arc<Shared>) -> Keeper {
        let now = Instant::now();
        Keeper {
            shared,
            last_tick: now,
            last_sync: now,
            suspect: false,
            seen_wakes: 0,
        }
    }

    /// Keeps until the queue stops, then syncs for the last time.
    pub fn run(mut self) {
        loop {
            match self.wait() {
                Stopping::Abort => break,
                Stopping::Flush => {
                    self.sync_at_stop();
                    break;
                }
                Stopping::No => {}
            }
            let (dirty, hurried) = self.shared.upkeep.lock().demand();
            if self
                .sync_wait(dirty, hurried)
                .is_some_and(|wait| wait.is_zero())
            {
                self.sync_or_report();
            }
            if self.tick_wait().is_zero() || self.was_woken() {
                self.shared.judge_backpressure();
                self.shared.purge();
                self.last_tick = Instant::now();
            }
        }
        self.shared.tail.end();
    }

    /// Waits for something to do.
    fn wait(&mut self) -> Stopping {
        let tick = self.tick_wait();
        let shared = Arc::clone(&self.shared);
        let orders = shared.upkeep.lock();
        let demand = orders.demand();
        let timeout = self
            .sync_wait(demand.0, demand.1)
            .map_or(tick, |sync| sync.min(tick));
        if timeout.is_zero() {
            return orders.stopping;
        }
        let quiet = |orders: &mut Orders| {
            orders.stopping == Stopping::No
                && orders.n_wakes == self.seen_wakes
                && orders.demand() == demand
        };
        let waited = shared
            .upkeep
            .changed
            .wait_timeout_while(orders, timeout, quiet);
        waited
            .expect("no code panics while it holds the orders")
            .0
            .stopping
    }

    fn was_woken(&mut self) -> bool {
        let n_wakes = self.shared.upkeep.lock().n_wakes;
        std::mem::replace(&mut self.seen_wakes, n_wakes) != n_wakes
    }

    fn tick_wait(&self) -> Duration {
        let blocked = self.shared.intake.blocked().is_some();
        let tick = if blocked { TICK_BLOCKED } else { TICK };
        tick.saturating_sub(self.last_tick.elapsed())
    }

    /// How long until the next sync; `None` when there is nothing to sync.
    fn sync_wait(&self, dirty: bool, hurried: bool) -> Option<Duration> {
        let interval = match self.shared.options.sync {
            Sync::Never => return None,
            Sync::Always => Duration::ZERO,
            Sync::Interval(_) if hurried => Duration::ZERO,
            Sync::Interval(interval) => interval,
        };
        let interval = if self.suspect {
            interval.max(SYNC_RETRY)
        } else {
            interval
        };
        dirty.then(|| interval.saturating_sub(self.last_sync.elapsed()))
    }

    fn sync_at_stop(&mut self) {
        if !self.shared.syncs() {
            return;
        }
        let mut cause = None;
        for _ in 0..STOP_ATTEMPTS {
            cause = self.sync_or_report();
            if cause.is_none() {
                return;
            }
        }
        if let Some(cause) = cause {
            self.shared.set_stop_error(StopError::Unsynced { cause });
        }
    }

    /// Syncs; the answer is why that failed, if it did.
    fn sync_or_report(&mut self) -> Option<String> {
        let result = self.sync();
        self.last_sync = Instant::now();
        let (segment, error) = result.err()?;
        self.suspect = true;
        self.shared.upkeep.lock().dirty = true;
        let cause = error.to_string();
        self.shared.report(Report::SyncFailed {
            segment,
            cause: cause.clone(),
        });
        Some(cause)
    }

    /// Makes everything durable that is written now.
    fn sync(&mut self) -> Result<(), (u64, io::Error)> {
        // Read before the list of files: whatever is written by now is in one of them.
        let target = self.shared.tail.lock().written;
        let (closed, current, names_changed) = {
            let mut orders = self.shared.upkeep.lock();
            orders.dirty = false;
            let names_changed = std::mem::take(&mut orders.names_changed);
            (orders.closed.clone(), orders.current.clone(), names_changed)
        };
        let result = self
            .sync_inherited()
            .and_then(|()| self.sync_files(&closed, &current, names_changed, target));
        let mut orders = self.shared.upkeep.lock();
        if result.is_err() {
            orders.names_changed |= names_changed;
            return result;
        }
        orders.closed.drain(..closed.len());
        drop(orders);
        self.suspect = false;
        self.shared.tail.set_durable(target);
        Ok(())
    }

    /// Syncs what earlier runs wrote, once. Cheap where there is nothing to sync, which is the rule.
    fn sync_inherited(&self) -> Result<(), (u64, io::Error)> {
        let options = &self.shared.options;
        let next = || self.shared.upkeep.lock().inherited.last().copied();
        while let Some(id) = next() {
            match options.disk.open(&log_path(&options.dir, id), Access::Read) {
                Ok(file) => self.sync_file(&*file, 0, 0).map_err(|error| (id, error))?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err((id, error)),
            }
            self.shared.upkeep.lock().inherited.pop();
        }
        Ok(())
    }

    fn sync_files(
        &self,
        closed: &[OpenSegment],
        current: &OpenSegment,
        names_changed: bool,
        target: Position,
    ) -> Result<(), (u64, io::Error)> {
        for segment in closed {
            self.sync_segment(segment, u64::MAX)
                .map_err(|error| (segment.id, error))?;
            // Only closed segments' sums: without them recovery scans, which loses nothing.
            self.sync_file(&*segment.sums, 0, u64::MAX)
                .map_err(|error| (segment.id, error))?;
        }
        let to = if current.id == target.segment {
            target.offset
        } else {
            0
        };
        self.sync_segment(current, to)
            .map_err(|error| (current.id, error))?;
        if names_changed {
            let options = &self.shared.options;
            options
                .disk
                .sync_dir(&options.dir)
                .map_err(|error| (current.id, error))?;
        }
        Ok(())
    }

    fn sync_segment(&self, segment: &OpenSegment, to: u64) -> io::Result<()> {
        let durable = self.shared.tail.lock().durable;
        let from = if durable.segment == segment.id {
            durable.offset
        } else {
            0
        };
        self.sync_file(&*segment.log, from, to)
    }

    /// Syncs `file`; after a failed sync its bytes between `from` and `to`, which are not safe yet, are written again
    /// before.
    fn sync_file(&self, file: &dyn File, from: u64, to: u64) -> io::Result<()> {
        if self.suspect {
            write_again(file, from, to)?;
        }
        file.sync()
    }
}

fn write_again(file: &dyn File, from: u64, to: u64) -> io::Result<()> {
    let mut buffer = vec![0; COPY_SIZE];
    let mut at = from;
    while at < to {
        let wanted = usize::try_from(to - at).map_or(COPY_SIZE, |left| left.min(COPY_SIZE));
        let n_read = file.read_full_at(&mut buffer[..wanted], at)?;
        if n_read == 0 {
            break;
        }
        file.write_all_at(&buffer[..n_read], at)?;
        at += n_read as u64;
    }
    Ok(())
}

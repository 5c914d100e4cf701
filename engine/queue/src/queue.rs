//! The face of a queue: open, append, wait until safe, read, stop.

use crate::block::Pool;
use crate::intake::{Intake, Stopping};
use crate::keeper::{Keeper, Upkeep};
use crate::options::{Options, Sync};
use crate::position::Position;
use crate::purge::Purging;
use crate::reader::{Hold, Reader, Start};
use crate::recover::recover;
use crate::report::{
    AppendError, Blocked, OpenError, ReaderState, Recovery, Report, State, StopError,
};
use crate::signal::Signal;
use crate::tail::{Published, ReaderInfo, Tail};
use crate::writer::Writer;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long dropping a queue that was not stopped waits for its threads.
const DROP_PATIENCE: Duration = Duration::from_secs(1);

/// A segmented log that many threads append to and many readers follow. See the head of this crate.
pub struct Queue {
    shared: Arc<Shared>,
    /// Guards the threads while they are joined.
    threads: Mutex<Option<Threads>>,
}

struct Threads {
    writer: JoinHandle<()>,
    keeper: JoinHandle<()>,
}

/// What the parts of a queue have in common.
pub(crate) struct Shared {
    pub options: Options,
    pub intake: Intake,
    pub tail: Tail,
    pub upkeep: Upkeep,
    /// Given when something was published; what readers of this queue alone wait on.
    pub signal: Signal,
    /// Memory of chunks.
    pub chunks: Arc<Pool>,
    /// Memory of what is read from disk.
    pub reads: Arc<Pool>,
    /// Why the keeper closed the intake; guards that decision.
    pub backpressure: Mutex<Option<Blocked>>,
    /// Guards the deleting of segments.
    pub purging: Mutex<Purging>,
    /// The first thing that went wrong while stopping.
    stop_error: Mutex<Option<StopError>>,
}

impl Shared {
    /// Tells the host.
    pub fn report(&self, report: Report) {
        (self.options.report)(report);
    }

    /// Whether anything is ever synced.
    pub fn syncs(&self) -> bool {
        self.options.sync != Sync::Never
    }

    /// Keeps the first error of a stop.
    pub fn set_stop_error(&self, error: StopError) {
        self.stop_error().get_or_insert(error);
    }

    fn stop_error(&self) -> MutexGuard<'_, Option<StopError>> {
        self.stop_error
            .lock()
            .expect("no code panics while it holds the error")
    }
}

impl Queue {
    /// Opens the queue in `options.dir`, makes it if it is missing, and mends what a crash left.
    pub fn open(options: Options) -> Result<(Queue, Recovery), OpenError> {
        options.check()?;
        let recovered = recover(&options)?;
        let end = recovered.recovery.end;
        let chunks: Arc<Pool> = Arc::default();
        let segments = recovered.segments;
        let oldest = segments
            .keys()
            .next()
            .map_or(end, |id| Position::new(*id, 0));
        // The last run may have ended without syncing: until the first sync nothing is known to be durable.
        let durable = if options.sync == Sync::Never {
            end
        } else {
            oldest
        };
        let inherited = segments
            .keys()
            .copied()
            .filter(|id| *id != end.segment)
            .collect();
        let shared = Arc::new(Shared {
            intake: Intake::new(end, options.segment_size, Arc::clone(&chunks)),
            tail: Tail::new(end, durable, segments),
            upkeep: Upkeep::new(recovered.segment.clone(), inherited, options.sync),
            signal: Signal::new(),
            chunks,
            reads: Arc::default(),
            backpressure: Mutex::new(None),
            purging: Mutex::default(),
            stop_error: Mutex::new(None),
            options,
        });
        shared.tail.add_signal(&shared.signal);
        shared.judge_backpressure();
        let writer = Writer::new(Arc::clone(&shared), recovered.segment);
        let threads = start(&shared, writer).map_err(OpenError::Thread)?;
        let queue = Queue {
            shared,
            threads: Mutex::new(Some(threads)),
        };
        Ok((queue, recovered.recovery))
    }

    /// Takes one record and returns the place behind it. Waits while the intake is full or closed. The record is
    /// safe only when that place is written or durable.
    pub fn append(&self, record: &[u8]) -> Result<Position, AppendError> {
        self.check(record)?;
        self.shared.intake.append(record, None)
    }

    /// Like [`Queue::append`], but waits no longer than `timeout`.
    pub fn append_within(&self, record: &[u8], timeout: Duration) -> Result<Position, AppendError> {
        self.check(record)?;
        self.shared.intake.append(record, Some(timeout))
    }

    /// Like [`Queue::append_within`], but a record that waited for slow readers only is taken when the time is over.
    /// For producers that are readers of this queue themselves: they would else wait for their own progress.
    pub fn append_past_readers(
        &self,
        record: &[u8],
        timeout: Duration,
    ) -> Result<Position, AppendError> {
        self.check(record)?;
        self.shared.intake.append_past_readers(record, timeout)
    }

    /// Where a reader that starts at `start` would begin.
    pub fn resolve(&self, start: Start) -> Position {
        crate::reader::resolve(&self.shared, "resolve", start)
    }

    fn check(&self, record: &[u8]) -> Result<(), AppendError> {
        let limit = self.shared.options.record_max;
        match record.len() {
            0 => Err(AppendError::Empty),
            length if length > limit => Err(AppendError::TooLong { length, limit }),
            _ => Ok(()),
        }
    }

    /// The place behind the last record that was appended.
    pub fn appended(&self) -> Position {
        self.shared.intake.end()
    }

    /// Everything before this is in the kernel and survives the death of the process.
    pub fn written(&self) -> Position {
        self.shared.tail.lock().written
    }

    /// Everything before this survives a loss of power, as far as [`Options::sync`] asks for that.
    pub fn durable(&self) -> Position {
        self.shared.tail.lock().durable
    }

    /// Waits until everything before `position` is written; false if that did not happen within `timeout` or before
    /// the queue ended. Thousands may wait at once: one write serves them all.
    pub fn wait_written(&self, position: Position, timeout: Duration) -> bool {
        self.wait(timeout, true, |published| published.written >= position)
    }

    /// Like [`Queue::wait_written`], until everything before `position` is durable.
    pub fn wait_durable(&self, position: Position, timeout: Duration) -> bool {
        // With an interval the write in between is soon enough anyway.
        let hurry = !matches!(self.shared.options.sync, Sync::Interval(_));
        self.wait(timeout, hurry, |published| published.durable >= position)
    }

    /// Like [`Queue::wait_durable`], but with [`Sync::Interval`] a sync follows at once, not at the end of the interval.
    /// One sync serves all who wait.
    pub fn commit(&self, position: Position, timeout: Duration) -> bool {
        self.shared.upkeep.hurry();
        let durable = self.wait(timeout, true, |published| published.durable >= position);
        self.shared.upkeep.calm();
        durable
    }

    /// With `hurry` the writer does not let records gather meanwhile.
    fn wait(&self, timeout: Duration, hurry: bool, reached: impl Fn(&Published) -> bool) -> bool {
        if !hurry || reached(&self.shared.tail.lock()) {
            return self.shared.tail.wait(timeout, reached);
        }
        self.shared.intake.hurry();
        let reached = self.shared.tail.wait(timeout, reached);
        self.shared.intake.calm();
        reached
    }

    /// A reader from `start` on. From now until it is dropped it holds back deletion and counts for backpressure.
    pub fn reader(&self, name: &str, start: Start) -> Reader {
        Reader::new(&self.shared, name, start)
    }

    /// A reader that is none of those the queue looks after: it holds back no deletion and no writer, so what it wants
    /// may be gone before it comes, which is reported. For those who only look.
    pub fn onlooker(&self, name: &str, start: Start) -> Reader {
        Reader::onlooker(&self.shared, name, start)
    }

    /// Keeps everything from `position` on from being deleted, for a reader that will come back.
    pub fn hold(&self, name: &str, position: Position) -> Hold {
        Hold::new(&self.shared, name, position)
    }

    /// From now on segments that may go are deleted. Call it when all readers and holds of the last run have entered:
    /// before, the queue cannot know what they need, and deletes nothing.
    pub fn start_purging(&self) {
        self.shared
            .purging
            .lock()
            .expect("no code panics while it deletes")
            .allowed = true;
        self.shared.upkeep.wake();
    }

    /// Looks at readers, disk and retention now, on this thread, rather than within a second.
    pub fn tidy(&self) {
        self.shared.judge_backpressure();
        self.shared.purge();
    }

    /// From now on `signal` is given whenever records are published or a segment begins. One signal may be added to
    /// several queues.
    pub fn add_signal(&self, signal: &Signal) {
        self.shared.tail.add_signal(signal);
    }

    /// The signal is not given any more.
    pub fn remove_signal(&self, signal: &Signal) {
        self.shared.tail.remove_signal(signal);
    }

    /// Bytes between `position` and the newest record that is written.
    pub fn lag_bytes(&self, position: Position) -> u64 {
        self.shared.tail.lock().lag_bytes(position)
    }

    /// How the queue is doing.
    pub fn state(&self) -> State {
        let (appended, blocked) = (self.shared.intake.end(), self.shared.intake.blocked());
        let published = self.shared.tail.lock();
        State {
            appended,
            written: published.written,
            durable: published.durable,
            blocked,
            oldest_segment: published.oldest().segment,
            n_segments: published.segments.len(),
            bytes: published.segments.values().map(|info| info.bytes).sum(),
            readers: published
                .readers
                .iter()
                .map(|reader| state_of(reader, &published))
                .collect(),
        }
    }

    /// Takes nothing more, writes everything that was appended, syncs it unless [`Sync::Never`], and ends the
    /// threads. Readers can still read what is written. Further calls give the same answer.
    pub fn stop(&self) -> Result<(), StopError> {
        self.end(Stopping::Flush)
    }

    /// Ends the threads at once, as a crash would: what is not written yet is lost.
    pub fn abort(&self) {
        let _nothing_was_promised = self.end(Stopping::Abort);
    }

    fn end(&self, stopping: Stopping) -> Result<(), StopError> {
        self.shared.intake.stop(stopping);
        let mut threads = self
            .threads
            .lock()
            .expect("no code panics while it joins the threads");
        if let Some(Threads { writer, keeper }) = threads.take() {
            let writer = writer.join();
            self.shared.upkeep.stop(self.shared.intake.stopping());
            if keeper.join().is_err() || writer.is_err() {
                self.shared.set_stop_error(StopError::Panicked);
            }
            self.shared.tail.end();
        }
        self.shared.stop_error().clone().map_or(Ok(()), Err)
    }
}

impl Drop for Queue {
    /// Writes what was appended if that takes no longer than a second; never hangs.
    fn drop(&mut self) {
        let threads = match self.threads.get_mut() {
            Ok(threads) => threads.take(),
            Err(poisoned) => poisoned.into_inner().take(),
        };
        if threads.is_none() {
            return;
        }
        self.shared.intake.stop(Stopping::Flush);
        let end = self.shared.intake.end();
        self.shared
            .tail
            .wait(DROP_PATIENCE, |published| published.written >= end);
        self.shared.intake.stop(Stopping::Abort);
        self.shared.upkeep.stop(Stopping::Abort);
    }
}

fn start(shared: &Arc<Shared>, writer: Writer) -> std::io::Result<Threads> {
    let keeper = Keeper::new(Arc::clone(shared));
    let writer = thread::Builder::new()
        .name("queue-writer".into())
        .spawn(|| writer.run())?;
    let keeper = thread::Builder::new()
        .name("queue-keeper".into())
        .spawn(|| keeper.run());
    match keeper {
        Ok(keeper) => Ok(Threads { writer, keeper }),
        Err(error) => {
            shared.intake.stop(Stopping::Abort);
            Err(error)
        }
    }
}

fn state_of(reader: &ReaderInfo, published: &Published) -> ReaderState {
    ReaderState {
        name: reader.name.to_string(),
        position: reader.position,
        released: reader.released,
        lag_bytes: published.lag_bytes(reader.position.unwrap_or(reader.released)),
    }
}

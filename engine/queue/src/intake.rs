//! Takes records from many threads and gathers them into chunks for the writer.

use crate::block::Pool;
use crate::position::Position;
use crate::report::{AppendError, Blocked};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// A chunk is handed to the writer when it has this many bytes, or sooner. Large enough that the two system calls
/// per chunk cost a record of 240 bytes less than 10 ns, small enough to stay in the second-level cache.
pub(crate) const CHUNK_SIZE: usize = 256 << 10;
/// Appending waits while this many bytes are not written yet: several milliseconds at full speed, so that opening
/// the next segment stalls nobody.
pub(crate) const UNWRITTEN_MAX: usize = 4 << 20;
/// While records keep coming, writes are at least this far apart, so that a system call serves many records. The
/// first record after a pause is written at once; so is everything while somebody waits for it to be written.
const GATHER: Duration = Duration::from_micros(300);

/// Records that will be written together, in one segment.
pub(crate) struct Sealed {
    /// Where the first of them will be.
    pub base: Position,
    /// The records.
    pub bytes: Vec<u8>,
    /// Their lengths.
    pub lengths: Vec<u32>,
    /// Whether the segment is full with them.
    pub closes_segment: bool,
}

/// How a queue ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stopping {
    /// It does not.
    No,
    /// After everything that was appended is written.
    Flush,
    /// At once.
    Abort,
}

/// What the writer is doing; decides whether an append has to wake it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WriterDoes {
    /// It writes, and will look for more by itself.
    Work,
    /// It lets records gather for a moment; a full chunk should wake it.
    Gather,
    /// It waits; any record should wake it.
    Wait,
}

/// Where producers meet the writer.
pub(crate) struct Intake {
    /// Guards everything that is not written yet; held for one copy of a record at most.
    gathering: Mutex<Gathering>,
    /// The writer waits on this for records.
    work: Condvar,
    /// Producers wait on this for space, or for the intake to open.
    room: Condvar,
    pool: Arc<Pool>,
    segment_size: u64,
}

struct Gathering {
    open: Vec<u8>,
    lengths: Vec<u32>,
    base: Position,
    sealed: VecDeque<Sealed>,
    spare_lengths: Vec<Vec<u32>>,
    /// Bytes in `open`, in `sealed` and in the writer's hands.
    unwritten: usize,
    /// Why the keeper closed the intake.
    closed: Option<Blocked>,
    /// Why the writer cannot write.
    failing: Option<Blocked>,
    stopping: Stopping,
    writer: WriterDoes,
    n_producers_waiting: usize,
    /// How many wait for something to be written.
    n_hurried: usize,
}

impl Intake {
    /// An empty intake whose first record will be at `base`.
    pub fn new(base: Position, segment_size: u64, pool: Arc<Pool>) -> Intake {
        let gathering = Gathering {
            open: Vec::with_capacity(CHUNK_SIZE),
            lengths: Vec::new(),
            base,
            sealed: VecDeque::new(),
            spare_lengths: Vec::new(),
            unwritten: 0,
            closed: None,
            failing: None,
            stopping: Stopping::No,
            writer: WriterDoes::Work,
            n_producers_waiting: 0,
            n_hurried: 0,
        };
        let gathering = Mutex::new(gathering);
        Intake {
            gathering,
            work: Condvar::new(),
            room: Condvar::new(),
            pool,
            segment_size,
        }
    }

    /// Takes one record; the answer is the place behind it. Waits for space for up to `timeout`, or for ever.
    pub fn append(
        &self,
        record: &[u8],
        timeout: Option<Duration>,
    ) -> Result<Position, AppendError> {
        let mut gathering = self.lock();
        if gathering.must_wait(record.len()) {
            gathering = self.wait_for_room(gathering, record.len(), timeout)?;
        }
        Ok(self.take(gathering, record))
    }

    /// Like [`Intake::append`], but when the time is over and only slow readers hold the intake closed, the record is
    /// taken all the same.
    pub fn append_past_readers(
        &self,
        record: &[u8],
        timeout: Duration,
    ) -> Result<Position, AppendError> {
        match self.append(record, Some(timeout)) {
            Err(AppendError::TimedOut) => {}
            answer => return answer,
        }
        let gathering = self.lock();
        if gathering.is_open_past_readers(record.len()) {
            return Ok(self.take(gathering, record));
        }
        Err(AppendError::TimedOut)
    }

    fn take(&self, mut gathering: MutexGuard<'_, Gathering>, record: &[u8]) -> Position {
        if !gathering.open.is_empty() && gathering.open.len() + record.len() > CHUNK_SIZE {
            self.seal(&mut gathering, false);
        }
        gathering.open.extend_from_slice(record);
        gathering.lengths.push(record.len() as u32);
        gathering.unwritten += record.len();
        let end = gathering.end();
        if end.offset >= self.segment_size {
            self.seal(&mut gathering, true);
        }
        let wake = gathering.should_wake_writer();
        drop(gathering);
        if wake {
            self.work.notify_one();
        }
        end
    }

    fn wait_for_room<'a>(
        &'a self,
        mut gathering: MutexGuard<'a, Gathering>,
        length: usize,
        timeout: Option<Duration>,
    ) -> Result<MutexGuard<'a, Gathering>, AppendError> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        while gathering.must_wait(length) {
            if gathering.stopping != Stopping::No {
                return Err(AppendError::Stopped);
            }
            let left = match deadline {
                Some(deadline) => deadline.saturating_duration_since(Instant::now()),
                None => Duration::MAX,
            };
            if left.is_zero() {
                return Err(AppendError::TimedOut);
            }
            gathering.n_producers_waiting += 1;
            let waited = self.room.wait_timeout(gathering, left);
            gathering = waited.expect("no code panics while it holds the intake").0;
            gathering.n_producers_waiting -= 1;
        }
        Ok(gathering)
    }

    fn seal(&self, gathering: &mut Gathering, closes_segment: bool) {
        let mut fresh = self.pool.take();
        fresh.clear();
        fresh.reserve(CHUNK_SIZE);
        let fresh_lengths = gathering.spare_lengths.pop().unwrap_or_default();
        let end = gathering.end();
        let sealed = Sealed {
            base: gathering.base,
            bytes: std::mem::replace(&mut gathering.open, fresh),
            lengths: std::mem::replace(&mut gathering.lengths, fresh_lengths),
            closes_segment,
        };
        gathering.base = if closes_segment {
            Position::new(end.segment + 1, 0)
        } else {
            end
        };
        gathering.sealed.push_back(sealed);
    }

    /// The next chunk to write; waits for one. `None` when the queue stops and nothing is left, or at once when it
    /// aborts. `last_write` is when the last chunk was written.
    pub fn next(&self, last_write: Option<Instant>) -> Option<Sealed> {
        let mut gathering = self.lock();
        let mut gathered = false;
        loop {
            gathering.writer = WriterDoes::Work;
            if gathering.stopping == Stopping::Abort {
                return None;
            }
            if gathering.sealed.is_empty() && !gathering.open.is_empty() {
                let pause = GATHER.saturating_sub(last_write.map_or(GATHER, |at| at.elapsed()));
                let hurry = gathering.n_hurried > 0 || gathering.stopping == Stopping::Flush;
                if !gathered && !hurry && !pause.is_zero() {
                    gathering.writer = WriterDoes::Gather;
                    let waited = self.work.wait_timeout(gathering, pause);
                    let (back, timeout) = waited.expect("no code panics while it holds the intake");
                    gathering = back;
                    gathered = timeout.timed_out();
                    continue;
                }
                self.seal(&mut gathering, false);
            }
            if let Some(sealed) = gathering.sealed.pop_front() {
                return Some(sealed);
            }
            if gathering.stopping == Stopping::Flush {
                return None;
            }
            gathering.writer = WriterDoes::Wait;
            let waited = self.work.wait(gathering);
            gathering = waited.expect("no code panics while it holds the intake");
        }
    }

    /// The writer has written `n_bytes`; `lengths` can be used again.
    pub fn wrote(&self, n_bytes: usize, mut lengths: Vec<u32>) {
        let mut gathering = self.lock();
        gathering.unwritten -= n_bytes;
        lengths.clear();
        gathering.spare_lengths.push(lengths);
        self.wake_producers(gathering);
    }

    /// The writer fails for this reason, or no longer.
    pub fn set_failing(&self, failing: Option<Blocked>) {
        let mut gathering = self.lock();
        gathering.failing = failing;
        self.wake_producers(gathering);
    }

    /// Closes the intake for this reason, or opens it.
    pub fn set_closed(&self, closed: Option<Blocked>) {
        let mut gathering = self.lock();
        gathering.closed = closed;
        self.wake_producers(gathering);
    }

    fn wake_producers(&self, gathering: MutexGuard<'_, Gathering>) {
        let waited_for = gathering.n_producers_waiting > 0;
        drop(gathering);
        if waited_for {
            self.room.notify_all();
        }
    }

    /// Ends the queue; a later, harsher order wins.
    pub fn stop(&self, stopping: Stopping) {
        let mut gathering = self.lock();
        gathering.stopping = gathering.stopping.max(stopping);
        drop(gathering);
        self.room.notify_all();
        self.work.notify_one();
    }

    /// Waits for `pause`, or until the queue stops; the answer is how it stops.
    pub fn pause(&self, pause: Duration) -> Stopping {
        let gathering = self.lock();
        let going_on = |gathering: &mut Gathering| gathering.stopping == Stopping::No;
        let waited = self.work.wait_timeout_while(gathering, pause, going_on);
        waited
            .expect("no code panics while it holds the intake")
            .0
            .stopping
    }

    /// Somebody waits for something to be written: until [`Intake::calm`] the writer does not let records gather.
    pub fn hurry(&self) {
        let mut gathering = self.lock();
        gathering.n_hurried += 1;
        let wake = gathering.writer == WriterDoes::Gather;
        drop(gathering);
        if wake {
            self.work.notify_one();
        }
    }

    /// The opposite of [`Intake::hurry`].
    pub fn calm(&self) {
        self.lock().n_hurried -= 1;
    }

    /// The place behind the last record.
    pub fn end(&self) -> Position {
        self.lock().end()
    }

    /// Why the intake is closed, if it is.
    pub fn blocked(&self) -> Option<Blocked> {
        let gathering = self.lock();
        gathering
            .failing
            .clone()
            .or_else(|| gathering.closed.clone())
    }

    /// How many bytes are not written yet.
    pub fn unwritten(&self) -> usize {
        self.lock().unwritten
    }

    /// How the queue ends, if it does.
    pub fn stopping(&self) -> Stopping {
        self.lock().stopping
    }

    fn lock(&self) -> MutexGuard<'_, Gathering> {
        self.gathering
            .lock()
            .expect("no code panics while it holds the intake")
    }
}

impl Gathering {
    fn end(&self) -> Position {
        self.base.plus(self.open.len() as u64)
    }

    /// A record longer than all the space is taken when there is nothing else.
    fn must_wait(&self, length: usize) -> bool {
        self.closed.is_some() || self.is_held_up(length)
    }

    fn is_held_up(&self, length: usize) -> bool {
        let full = self.unwritten + length > UNWRITTEN_MAX && self.unwritten > 0;
        full || self.failing.is_some() || self.stopping != Stopping::No
    }

    /// Whether nothing but slow readers is in the way.
    fn is_open_past_readers(&self, length: usize) -> bool {
        matches!(self.closed, None | Some(Blocked::Reader { .. })) && !self.is_held_up(length)
    }

    fn should_wake_writer(&mut self) -> bool {
        let wake = match self.writer {
            WriterDoes::Work => false,
            WriterDoes::Gather => !self.sealed.is_empty(),
            WriterDoes::Wait => true,
        };
        if wake {
            self.writer = WriterDoes::Work;
        }
        wake
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intake(segment_size: u64) -> Intake {
        Intake::new(Position::new(0, 0), segment_size, Arc::default())
    }

    #[test]
    fn records_close_a_segment_exactly_when_hindsight_would() {
        let intake = intake(10);
        for (record, end) in [(&b"abcd"[..], 4), (b"efgh", 8), (b"ij", 10)] {
            assert_eq!(intake.append(record, None), Ok(Position::new(0, end)));
        }
        assert_eq!(intake.append(b"next", None), Ok(Position::new(1, 4)));
        let first = intake.next(None).expect("a chunk");
        assert_eq!(
            (&first.bytes[..], first.closes_segment),
            (&b"abcdefghij"[..], true)
        );
        assert_eq!(first.lengths, [4, 4, 2]);
        let second = intake.next(None).expect("a chunk");
        assert_eq!(
            (second.base, &second.bytes[..]),
            (Position::new(1, 0), &b"next"[..])
        );
        assert!(!second.closes_segment);
    }

    #[test]
    fn a_chunk_has_a_limit_but_a_long_record_is_one_chunk() {
        let intake = intake(u64::MAX);
        let long = vec![1; CHUNK_SIZE + 1];
        intake.append(b"a", None).expect("taken");
        intake.append(&long, None).expect("taken");
        intake.append(b"b", None).expect("taken");
        let sizes: Vec<_> = (0..3)
            .map(|_| intake.next(None).expect("a chunk").bytes.len())
            .collect();
        assert_eq!(sizes, [1, CHUNK_SIZE + 1, 1]);
    }

    #[test]
    fn unwritten_bytes_are_bounded_and_room_comes_back() {
        let intake = intake(u64::MAX);
        let record = vec![1; UNWRITTEN_MAX / 4];
        for _ in 0..4 {
            intake.append(&record, None).expect("there is room");
        }
        assert_eq!(
            intake.append(b"x", Some(Duration::ZERO)),
            Err(AppendError::TimedOut)
        );
        let chunk = intake.next(None).expect("a chunk");
        assert_eq!(
            intake.append(b"x", Some(Duration::ZERO)),
            Err(AppendError::TimedOut)
        );
        intake.wrote(chunk.bytes.len(), chunk.lengths);
        intake
            .append(b"x", Some(Duration::ZERO))
            .expect("there is room again");
    }

    #[test]
    fn a_closed_intake_takes_nothing_until_it_opens_or_stops() {
        let intake = Arc::new(intake(u64::MAX));
        intake.set_closed(Some(Blocked::DiskFull));
        assert_eq!(
            intake.append(b"x", Some(Duration::ZERO)),
            Err(AppendError::TimedOut)
        );
        let other = Arc::clone(&intake);
        let producer = std::thread::spawn(move || other.append(b"x", None));
        intake.set_closed(None);
        assert_eq!(producer.join().expect("no panic"), Ok(Position::new(0, 1)));
        intake.set_closed(Some(Blocked::DiskFull));
        intake.stop(Stopping::Flush);
        assert_eq!(intake.append(b"y", None), Err(AppendError::Stopped));
        assert_eq!(
            intake
                .next(None)
                .expect("what was appended is still written")
                .bytes,
            b"x"
        );
        assert!(intake.next(None).is_none());
    }

    #[test]
    fn an_abort_leaves_chunks_unwritten() {
        let intake = intake(u64::MAX);
        intake.append(b"x", None).expect("taken");
        intake.stop(Stopping::Abort);
        intake.stop(Stopping::Flush);
        assert!(intake.next(None).is_none());
        assert_eq!(intake.unwritten(), 1);
        assert_eq!(intake.pause(Duration::MAX), Stopping::Abort);
    }
}

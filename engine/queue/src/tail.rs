//! What is written: the newest chunks in memory, how far writing and syncing have come, and who reads.

use crate::block::Chunk;
use crate::position::Position;
use crate::segment::SegmentInfo;
use crate::signal::Signal;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// How many bytes of the newest records stay in memory for readers near the writer. 8 MiB are a few milliseconds at
/// full speed; those who are further behind read the kernel's page cache.
const TAIL_BYTES_MAX: usize = 8 << 20;
/// What a chunk costs beside its bytes, so that many tiny chunks do not fill the memory unseen.
const CHUNK_OVERHEAD: usize = 256;

/// One reader or hold.
#[derive(Debug, Clone)]
pub(crate) struct ReaderInfo {
    /// Tells readers of the same name apart.
    pub id: u64,
    /// How it is called in reports.
    pub name: Arc<str>,
    /// What it reads next; `None` for a hold.
    pub position: Option<Position>,
    /// Everything before this may be deleted.
    pub released: Position,
}

/// The part of a queue that writer, readers and keeper share.
pub(crate) struct Tail {
    /// Guards everything that is published; held for moments only, never during a system call.
    published: Mutex<Published>,
    /// Told when `written` or `durable` has moved and somebody waits for that.
    moved: Condvar,
    /// Guards the signals to give when something was published.
    signals: Mutex<Vec<Signal>>,
}

/// What [`Tail`] guards.
#[derive(Default)]
pub(crate) struct Published {
    /// The newest chunks, without gaps between them.
    chunks: VecDeque<Arc<Chunk>>,
    chunk_bytes: usize,
    /// Everything before this is in the kernel.
    pub written: Position,
    /// Everything before this is on the disk itself, or the policy does not care.
    pub durable: Position,
    /// Nothing will move any more.
    ended: bool,
    n_waiting: usize,
    /// Every segment that exists.
    pub segments: BTreeMap<u64, SegmentInfo>,
    /// Everybody who reads or holds.
    pub readers: Vec<ReaderInfo>,
    n_readers_ever: u64,
}

/// Where the record after some position is to be had.
pub(crate) enum Place {
    /// In this chunk, from this byte on.
    Memory(Arc<Chunk>, usize),
    /// On disk.
    Disk,
    /// Nowhere yet; the reader may take this for its position, which is the same place or a later one.
    Nowhere(Position),
}

impl Tail {
    /// A tail without chunks where everything before `end` is written and everything before `durable` is durable.
    pub fn new(end: Position, durable: Position, segments: BTreeMap<u64, SegmentInfo>) -> Tail {
        let published = Published {
            written: end,
            durable,
            segments,
            ..Published::default()
        };
        Tail {
            published: Mutex::new(published),
            moved: Condvar::new(),
            signals: Mutex::default(),
        }
    }

    /// Everything that is published.
    pub fn lock(&self) -> MutexGuard<'_, Published> {
        self.published
            .lock()
            .expect("no code panics while it holds what is published")
    }

    /// Adds a chunk that was written at `now_ns`. With `durable` nobody will sync it.
    pub fn publish(&self, chunk: Arc<Chunk>, now_ns: i64, durable: bool) {
        let mut published = self.lock();
        published.written = chunk.end();
        let written = published.written;
        let info = published.segments.entry(written.segment).or_default();
        *info = SegmentInfo {
            bytes: written.offset,
            newest_ns: now_ns,
        };
        published.push(chunk);
        if durable {
            published.durable = written;
        }
        self.wake(published);
    }

    /// A new segment has begun. With `durable` nobody will sync the one before.
    pub fn begin_segment(&self, id: u64, now_ns: i64, durable: bool) {
        let mut published = self.lock();
        published.written = Position::new(id, 0);
        published.segments.insert(
            id,
            SegmentInfo {
                bytes: 0,
                newest_ns: now_ns,
            },
        );
        if durable {
            published.durable = published.written;
        }
        self.wake(published);
    }

    /// Everything before `position` is durable.
    pub fn set_durable(&self, position: Position) {
        let mut published = self.lock();
        published.durable = published.durable.max(position);
        self.wake(published);
    }

    /// Nothing will be written or synced any more; whoever waits for it need not.
    pub fn end(&self) {
        let mut published = self.lock();
        published.ended = true;
        self.wake(published);
    }

    fn wake(&self, published: MutexGuard<'_, Published>) {
        let waited_for = published.n_waiting > 0;
        drop(published);
        if waited_for {
            self.moved.notify_all();
        }
        self.signals().iter().for_each(Signal::notify);
    }

    /// Whether nothing will move any more.
    pub fn has_ended(&self) -> bool {
        self.lock().ended
    }

    /// Waits until `reached` or until nothing moves any more; the answer is whether it was reached.
    pub fn wait(&self, timeout: Duration, reached: impl Fn(&Published) -> bool) -> bool {
        let deadline = Instant::now().checked_add(timeout);
        let mut published = self.lock();
        while !reached(&published) {
            let left = match deadline {
                Some(deadline) => deadline.saturating_duration_since(Instant::now()),
                None => Duration::MAX,
            };
            if published.ended || left.is_zero() {
                return false;
            }
            published.n_waiting += 1;
            let waited = self.moved.wait_timeout(published, left);
            published = waited
                .expect("no code panics while it holds what is published")
                .0;
            published.n_waiting -= 1;
        }
        true
    }

    /// From now on `signal` is given when something is published.
    pub fn add_signal(&self, signal: &Signal) {
        self.signals().push(signal.clone());
    }

    /// The signal is not given any more.
    pub fn remove_signal(&self, signal: &Signal) {
        self.signals().retain(|other| !other.is_same(signal));
    }

    fn signals(&self) -> MutexGuard<'_, Vec<Signal>> {
        self.signals
            .lock()
            .expect("no code panics while it holds the signals")
    }
}

impl Published {
    fn push(&mut self, chunk: Arc<Chunk>) {
        self.chunk_bytes += cost(&chunk);
        self.chunks.push_back(chunk);
        while self.chunk_bytes > TAIL_BYTES_MAX && self.chunks.len() > 1 {
            let oldest = self.chunks.pop_front().expect("there is more than one");
            self.chunk_bytes -= cost(&oldest);
        }
    }

    /// Where a reader at `position` finds the next record.
    pub fn find(&self, position: Position) -> Place {
        if position >= self.written {
            return Place::Nowhere(self.written);
        }
        let idx = self.chunks.partition_point(|chunk| chunk.end() <= position);
        match self.chunks.get(idx) {
            Some(chunk) if chunk.base <= position => Place::Memory(
                Arc::clone(chunk),
                (position.offset - chunk.base.offset) as usize,
            ),
            // The chunk before ends here, so this one is next though it lies in the next segment.
            Some(chunk) if idx > 0 => Place::Memory(Arc::clone(chunk), 0),
            Some(_) => Place::Disk,
            None if idx > 0 => Place::Nowhere(self.written),
            None => Place::Disk,
        }
    }

    /// Enters a reader or hold; the answer is its id.
    pub fn enter(&mut self, name: &str, position: Option<Position>, released: Position) -> u64 {
        self.n_readers_ever += 1;
        let id = self.n_readers_ever;
        self.readers.push(ReaderInfo {
            id,
            name: name.into(),
            position,
            released,
        });
        id
    }

    /// The reader `id`, which must have entered and not left.
    pub fn reader(&mut self, id: u64) -> &mut ReaderInfo {
        let found = self.readers.iter_mut().find(|reader| reader.id == id);
        found.expect("a reader leaves only when it is dropped")
    }

    /// The reader or hold `id` is gone.
    pub fn leave(&mut self, id: u64) {
        self.readers.retain(|reader| reader.id != id);
    }

    /// The oldest place anything can be read from.
    pub fn oldest(&self) -> Position {
        self.segments
            .keys()
            .next()
            .map_or(self.written, |id| Position::new(*id, 0))
    }

    /// Bytes between `position` and the writer.
    pub fn lag_bytes(&self, position: Position) -> u64 {
        let newer = self
            .segments
            .range(position.segment..)
            .map(|(_, info)| info.bytes)
            .sum::<u64>();
        let known = self.segments.contains_key(&position.segment);
        newer.saturating_sub(if known { position.offset } else { 0 })
    }
}

fn cost(chunk: &Chunk) -> usize {
    chunk.bytes.capacity() + CHUNK_OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(segment: u64, offset: u64, len: usize) -> Arc<Chunk> {
        Arc::new(Chunk {
            base: Position::new(segment, offset),
            bytes: vec![0; len],
            pool: None,
        })
    }

    fn tail_at(segment: u64, offset: u64) -> Tail {
        Tail::new(
            Position::new(segment, offset),
            Position::default(),
            BTreeMap::new(),
        )
    }

    fn describe(tail: &Tail, position: Position) -> String {
        match tail.lock().find(position) {
            Place::Memory(chunk, from) => format!("{} + {from}", chunk.base),
            Place::Disk => "disk".into(),
            Place::Nowhere(position) => format!("nowhere {position}"),
        }
    }

    #[test]
    fn positions_are_found_in_memory_on_disk_or_not_yet() {
        let tail = tail_at(0, 50);
        assert_eq!(describe(&tail, Position::new(0, 50)), "nowhere 0:50");
        assert_eq!(describe(&tail, Position::new(0, 10)), "disk");
        tail.publish(chunk(0, 50, 10), 1, false);
        tail.publish(chunk(0, 60, 10), 2, false);
        tail.begin_segment(1, 3, false);
        for (segment, offset, place) in [
            (0, 10, "disk"),
            (0, 50, "0:50 + 0"),
            (0, 55, "0:50 + 5"),
            (0, 60, "0:60 + 0"),
            (0, 70, "nowhere 1:0"),
            (1, 0, "nowhere 1:0"),
        ] {
            assert_eq!(describe(&tail, Position::new(segment, offset)), place);
        }
        tail.publish(chunk(1, 0, 5), 4, false);
        assert_eq!(describe(&tail, Position::new(0, 70)), "1:0 + 0");
        assert_eq!(tail.lock().lag_bytes(Position::new(0, 60)), 15);
        assert_eq!(tail.lock().segments[&0].newest_ns, 2);
    }

    #[test]
    fn memory_is_bounded_for_large_and_for_tiny_chunks() {
        for len in [1, 1 << 20] {
            let tail = tail_at(0, 0);
            for i in 0..40_000u64.min((64 << 20) / len as u64) {
                tail.publish(chunk(0, i * len as u64, len), 0, false);
            }
            let published = tail.lock();
            assert!(published.chunk_bytes <= TAIL_BYTES_MAX);
            let cost: usize = published.chunks.iter().map(|chunk| cost(chunk)).sum();
            assert_eq!(cost, published.chunk_bytes);
        }
    }

    #[test]
    fn waiters_learn_of_the_position_or_of_the_end() {
        let tail = Arc::new(tail_at(0, 0));
        assert!(!tail.wait(Duration::ZERO, |published| published.written.offset > 0));
        let other = Arc::clone(&tail);
        let waiter = std::thread::spawn(move || {
            other.wait(Duration::MAX, |published| {
                published.durable >= Position::new(0, 5)
            })
        });
        tail.publish(chunk(0, 0, 5), 1, false);
        tail.set_durable(Position::new(0, 5));
        assert!(waiter.join().expect("no panic"));
        tail.end();
        assert!(!tail.wait(Duration::MAX, |published| published.written.offset > 5));
    }

    #[test]
    fn signals_are_given_until_they_are_removed() {
        let (tail, signal) = (tail_at(0, 0), Signal::new());
        tail.add_signal(&signal);
        tail.publish(chunk(0, 0, 1), 1, false);
        assert_eq!(signal.count(), 1);
        tail.remove_signal(&signal);
        tail.publish(chunk(0, 1, 1), 1, false);
        assert_eq!(signal.count(), 1);
    }
}

//! Follows the writer from a position: in memory when near, on disk when far.

use crate::block::{Block, Chunk};
use crate::fetch::{Part, SegmentReader};
use crate::position::Position;
use crate::queue::Shared;
use crate::report::{ReadError, Report};
use crate::scan;
use crate::segment::sum_path;
use crate::sums::Sums;
use crate::tail::Place;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use stdx::files::Access;

/// Where a reader starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Here. A position inside a record starts at the next one, which is reported.
    Position(Position),
    /// At the oldest record there is.
    Oldest,
    /// Behind everything that is written now.
    Newest,
    /// At the oldest chunk written at this time or later, in nanoseconds since 1970.
    Time(i64),
}

/// Reads a queue, block by block. While it lives, nothing from its [`Reader::release`]d position on is deleted.
pub struct Reader {
    shared: Arc<Shared>,
    /// Its entry among the readers; an onlooker has none.
    id: Option<u64>,
    name: Arc<str>,
    position: Position,
    /// What was read from disk and not handed out yet.
    fetched: Option<(Arc<Chunk>, VecDeque<Part>)>,
    /// The segment it reads from disk.
    segment: Option<SegmentReader>,
    /// The position came from outside and may lie inside a record.
    is_unsure: bool,
}

impl Reader {
    pub(crate) fn new(shared: &Arc<Shared>, name: &str, start: Start) -> Reader {
        let position = resolve(shared, name, start);
        let id = shared.tail.lock().enter(name, Some(position), position);
        Reader::at(shared, name, position, Some(id))
    }

    /// A reader that holds nothing back and that nobody waits for.
    pub(crate) fn onlooker(shared: &Arc<Shared>, name: &str, start: Start) -> Reader {
        let position = resolve(shared, name, start);
        Reader::at(shared, name, position, None)
    }

    fn at(shared: &Arc<Shared>, name: &str, position: Position, id: Option<u64>) -> Reader {
        Reader {
            shared: Arc::clone(shared),
            id,
            name: name.into(),
            position,
            fetched: None,
            segment: None,
            is_unsure: true,
        }
    }

    /// The next whole records, without copying while the reader is near the writer. `None` when none was written
    /// within `timeout`, or at once at the end of a queue that was stopped. What had to be skipped was reported.
    ///
    /// After an error the reader is where it was.
    pub fn next(&mut self, timeout: Duration) -> Result<Option<Block>, ReadError> {
        let deadline = Instant::now().checked_add(timeout);
        loop {
            let seen = self.shared.signal.count();
            if let Some(block) = self.try_next()? {
                return Ok(Some(block));
            }
            let left = deadline.map_or(Duration::MAX, |at| {
                at.saturating_duration_since(Instant::now())
            });
            if left.is_zero() || self.shared.tail.has_ended() {
                return Ok(None);
            }
            self.shared.signal.wait(seen, left);
        }
    }

    /// Like [`Reader::next`], without waiting. To wait for several queues, see [`crate::Queue::add_signal`].
    pub fn try_next(&mut self) -> Result<Option<Block>, ReadError> {
        loop {
            if let Some(block) = self.next_fetched() {
                return Ok(Some(block));
            }
            let place = self.shared.tail.lock().find(self.position);
            match place {
                Place::Memory(chunk, from) => {
                    let from = if self.is_unsure {
                        self.first_record(&chunk, from)
                    } else {
                        from
                    };
                    self.is_unsure = false;
                    let to = chunk.bytes.len();
                    self.advance(chunk.end());
                    if from < to {
                        return Ok(Some(Block::new(chunk, from, to)));
                    }
                }
                Place::Nowhere(position) => {
                    self.advance(position);
                    return Ok(None);
                }
                Place::Disk => {
                    let position = self.position;
                    self.fetch().map_err(|source| {
                        self.segment = None;
                        ReadError::Io { position, source }
                    })?;
                }
            }
        }
    }

    /// What [`Reader::next`] will read next.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Everything before `position` may be deleted as far as this reader is concerned. Never moves back.
    pub fn release(&self, position: Position) {
        if let Some(id) = self.id {
            release(&self.shared, id, position);
        }
    }

    /// Leaves out everything up to the newest record.
    pub fn skip_to_newest(&mut self) {
        self.fetched = None;
        self.segment = None;
        let newest = self.shared.tail.lock().written;
        self.advance(newest);
    }

    /// Where the first whole record at or behind byte `from` of `chunk` begins.
    fn first_record(&self, chunk: &Chunk, from: usize) -> usize {
        let rest = &chunk.bytes[from..];
        let found = scan::find(rest, rest.len(), &*self.shared.options.scan);
        let skipped = found.runs.first().map_or(rest.len(), |run| run.span.start);
        if skipped > 0 {
            self.report_damage(chunk.base.plus(from as u64), skipped as u64);
        }
        from + skipped
    }

    fn next_fetched(&mut self) -> Option<Block> {
        let (chunk, mut parts) = self.fetched.take()?;
        while let Some(part) = parts.pop_front() {
            match part {
                Part::Damaged(span) => {
                    let position = Position::new(chunk.base.segment, span.start);
                    self.report_damage(position, span.end - span.start);
                    self.advance(Position::new(chunk.base.segment, span.end));
                }
                Part::Records(span) => {
                    let inside = |offset: u64| (offset - chunk.base.offset) as usize;
                    let block =
                        Block::new(Arc::clone(&chunk), inside(span.start), inside(span.end));
                    self.advance(block.end());
                    if !parts.is_empty() {
                        self.fetched = Some((chunk, parts));
                    }
                    return Some(block);
                }
            }
        }
        None
    }

    /// Reads on from disk, or moves to the next segment.
    fn fetch(&mut self) -> io::Result<()> {
        let written = self.shared.tail.lock().written;
        let Some(mut segment) = self.open_segment()? else {
            self.leave_segment(written, true);
            return Ok(());
        };
        let is_last = segment.id == written.segment;
        let limit = if is_last {
            written.offset
        } else {
            segment.len()?
        };
        if self.position.offset >= limit {
            self.report_beyond_end(limit);
            self.leave_segment(written, false);
            return Ok(());
        }
        let fetched = segment.fetch(self.position.offset, limit, self.shared.reads.take())?;
        let base = Position::new(segment.id, fetched.base);
        let pool = Some(Arc::clone(&self.shared.reads));
        let chunk = Arc::new(Chunk {
            base,
            bytes: fetched.bytes,
            pool,
        });
        self.fetched = Some((chunk, fetched.parts));
        self.segment = Some(segment);
        self.is_unsure = false;
        Ok(())
    }

    /// The segment of the current position; `None` when its file is missing.
    fn open_segment(&mut self) -> io::Result<Option<SegmentReader>> {
        let id = self.position.segment;
        if let Some(segment) = self.segment.take_if(|segment| segment.id == id) {
            return Ok(Some(segment));
        }
        match SegmentReader::open(&self.shared.options, id) {
            Ok(segment) => Ok(Some(segment)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Goes to the next segment that exists.
    fn leave_segment(&mut self, written: Position, is_missing: bool) {
        self.segment = None;
        let id = self.position.segment;
        let mut published = self.shared.tail.lock();
        if is_missing && id < written.segment {
            published.segments.remove(&id);
        }
        let next = published.segments.range(id + 1..).next().map(|(id, _)| *id);
        drop(published);
        let next = next.map_or(written, |id| Position::new(id, 0));
        let first_missing = if is_missing { id } else { id + 1 };
        // When even the last segment's file is gone, that one is missing.
        let count = next
            .segment
            .saturating_sub(first_missing)
            .max(u64::from(is_missing));
        if count > 0 {
            let reader = self.name.to_string();
            self.shared.report(Report::Missing {
                reader,
                segment: first_missing,
                count,
            });
        }
        self.advance(next);
    }

    fn report_damage(&self, position: Position, length: u64) {
        let reader = self.name.to_string();
        self.shared.report(Report::Damaged {
            reader,
            position,
            length,
        });
    }

    fn report_beyond_end(&self, limit: u64) {
        // Behind the end because damage reached beyond it: that was reported already.
        if self.position.offset > limit && self.is_unsure {
            let (reader, position) = (self.name.to_string(), self.position);
            let end = Position::new(position.segment, limit);
            self.shared.report(Report::BeyondEnd {
                reader,
                position,
                end,
            });
        }
    }

    fn advance(&mut self, position: Position) {
        let is_next_segment = position.segment != self.position.segment;
        if position == self.position {
            return;
        }
        self.position = position;
        let Some(id) = self.id else { return };
        self.shared.tail.lock().reader(id).position = Some(position);
        if is_next_segment {
            self.shared.judge_backpressure();
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            leave(&self.shared, id);
        }
    }
}

/// Keeps a queue from deleting what lies behind a position, without reading: for a reader that will come back.
pub struct Hold {
    shared: Arc<Shared>,
    id: u64,
}

impl Hold {
    pub(crate) fn new(shared: &Arc<Shared>, name: &str, position: Position) -> Hold {
        let id = shared.tail.lock().enter(name, None, position);
        Hold {
            shared: Arc::clone(shared),
            id,
        }
    }

    /// Everything before `position` may be deleted as far as this hold is concerned. Never moves back.
    pub fn release(&self, position: Position) {
        release(&self.shared, self.id, position);
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        leave(&self.shared, self.id);
    }
}

fn release(shared: &Shared, id: u64, position: Position) {
    let mut published = shared.tail.lock();
    let reader = published.reader(id);
    let before = reader.released;
    reader.released = before.max(position);
    drop(published);
    if position.segment > before.segment {
        shared.upkeep.wake();
    }
}

fn leave(shared: &Shared, id: u64) {
    shared.tail.lock().leave(id);
    shared.judge_backpressure();
    shared.upkeep.wake();
}

/// The position that `start` means.
pub(crate) fn resolve(shared: &Shared, name: &str, start: Start) -> Position {
    let (written, oldest) = {
        let published = shared.tail.lock();
        (published.written, published.oldest())
    };
    match start {
        Start::Oldest => oldest,
        Start::Newest => written,
        Start::Time(time_ns) => at_time(shared, time_ns).unwrap_or(written),
        Start::Position(position) if position > written => {
            let reader = name.to_owned();
            shared.report(Report::BeyondEnd {
                reader,
                position,
                end: written,
            });
            written
        }
        Start::Position(position) => position,
    }
}

/// Where the first chunk written at `time_ns` or later begins. Bytes without sums are as old as their segment's file
/// says; a segment whose sums cannot be read counts as one without.
fn at_time(shared: &Shared, time_ns: i64) -> Option<Position> {
    let segments = shared.tail.lock().segments.clone();
    let recent = segments
        .iter()
        .filter(|(_, info)| info.newest_ns >= time_ns && info.bytes > 0);
    for (id, _) in recent {
        match chunk_at_time(shared, *id, time_ns) {
            Ok(Some(offset)) => return Some(Position::new(*id, offset)),
            Ok(None) => {}
            Err(_) => return Some(Position::new(*id, 0)),
        }
    }
    None
}

fn chunk_at_time(shared: &Shared, id: u64, time_ns: i64) -> io::Result<Option<u64>> {
    let options = &shared.options;
    let mut sums = Sums::new(
        options
            .disk
            .open(&sum_path(&options.dir, id), Access::Read)?,
    );
    let mut has_any = false;
    while let Some(head) = sums.peek()? {
        if head.time_ns >= time_ns {
            return Ok(Some(head.offset));
        }
        has_any = true;
        sums.step_over(&head);
    }
    if has_any {
        Ok(None)
    } else {
        Err(io::ErrorKind::NotFound.into())
    }
}

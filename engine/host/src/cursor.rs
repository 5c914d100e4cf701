//! An output's place in one queue: finds the next message the plugin wants, without copying it.

use matcher::Matcher;
use queue::{Block, Position, ReadError, Reader};
use schemas::view::Index;

/// So many blocks are looked through before the caller gets its turn for timers, checkpoints and a stop.
const BLOCKS_PER_SEEK: usize = 16;

/// What a look for the next wanted message has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seek {
    /// A message, to be had by [`Cursor::message`].
    Found,
    /// None so far, and there is more to look through.
    More,
    /// None; the end of the queue is reached.
    End,
}

/// Reads one queue and stops at each message the matcher wants.
pub struct Cursor {
    reader: Reader,
    block: Option<Block>,
    /// Where in the block the next unseen record begins.
    offset: usize,
    found: Option<Found>,
    index: Index,
    /// The greatest Timestamp seen, when the cursor was told to look at it.
    newest: Option<i64>,
    seen: u64,
}

/// A wanted message that was not delivered yet.
#[derive(Clone, Copy)]
struct Found {
    start: usize,
    /// Where the message itself begins, behind its frame.
    message: usize,
    end: usize,
    timestamp: Option<i64>,
    /// The cursor's index is that of this message.
    indexed: bool,
}

impl Cursor {
    /// A cursor at the reader's position; with `data_time` it looks at every Timestamp.
    pub fn new(reader: Reader, data_time: bool) -> Cursor {
        Cursor {
            reader,
            block: None,
            offset: 0,
            found: None,
            index: Index::default(),
            newest: data_time.then_some(0),
            seen: 0,
        }
    }

    /// Everything before this place was either not wanted or is delivered.
    pub fn place(&self) -> Position {
        let Some(block) = &self.block else {
            return self.reader.position();
        };
        let start = block.start();
        let offset = self.found.map_or(self.offset, |found| found.start);
        if offset >= block.bytes().len() {
            // The reader may have gone over to the next, empty segment.
            return block.end().max(self.reader.position());
        }
        Position {
            segment: start.segment,
            offset: start.offset + offset as u64,
        }
    }

    /// Looks for the next wanted message, but not through more than a few blocks at once.
    pub fn seek(&mut self, matcher: &Matcher) -> Result<Seek, ReadError> {
        for _ in 0..BLOCKS_PER_SEEK {
            if self.found.is_some() {
                return Ok(Seek::Found);
            }
            if self.at_block_end() {
                match self.reader.try_next()? {
                    Some(block) => (self.block, self.offset) = (Some(block), 0),
                    None => return Ok(Seek::End),
                }
            }
            self.scan_block(matcher);
        }
        Ok(if self.found.is_some() {
            Seek::Found
        } else {
            Seek::More
        })
    }

    fn at_block_end(&self) -> bool {
        self.block
            .as_ref()
            .is_none_or(|block| self.offset >= block.bytes().len())
    }

    fn scan_block(&mut self, matcher: &Matcher) {
        let Some(block) = &self.block else { return };
        let look_inside = matcher.needs_message() || self.newest.is_some();
        let bytes = block.bytes().get(self.offset..).unwrap_or_default();
        let base = self.offset;
        for record in schemas::frame::records(bytes) {
            let start = base + record.offset;
            let end = start + record.framed.len();
            self.offset = end;
            self.seen += 1;
            let mut timestamp = None;
            if !look_inside {
                if !matcher.always() {
                    continue;
                }
            } else {
                if self.index.outline(record.message).is_err() {
                    continue;
                }
                let view = self.index.view(record.message);
                timestamp = Some(view.timestamp());
                self.newest = self.newest.map(|newest| newest.max(view.timestamp()));
                if !matcher.matches(&view) {
                    continue;
                }
            }
            self.found = Some(Found {
                start,
                message: end - record.message.len(),
                end,
                timestamp,
                indexed: look_inside,
            });
            return;
        }
        self.offset = block.bytes().len();
    }

    /// The Timestamp of the found message, nanoseconds.
    pub fn timestamp(&mut self) -> i64 {
        let (Some(block), Some(found)) = (&self.block, &mut self.found) else {
            return i64::MAX;
        };
        *found.timestamp.get_or_insert_with(|| {
            let message = block.bytes().get(found.message..found.end);
            match message.map(|message| (self.index.outline(message), message)) {
                Some((Ok(()), message)) => self.index.view(message).timestamp(),
                _ => 0,
            }
        })
    }

    /// The framed and the bare bytes of the found message, and its index if it was looked into.
    pub fn message(&self) -> Option<(&[u8], &[u8], Option<&Index>)> {
        let (block, found) = (self.block.as_ref()?, self.found?);
        let bytes = block.bytes();
        let framed = bytes.get(found.start..found.end)?;
        let message = bytes.get(found.message..found.end)?;
        Some((framed, message, found.indexed.then_some(&self.index)))
    }

    /// The found message is done.
    pub fn take(&mut self) {
        self.found = None;
    }

    /// The greatest Timestamp seen so far, nanoseconds, if the cursor looks at it.
    pub fn newest(&self) -> Option<i64> {
        self.newest
    }

    /// Records looked at so far.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Lets the queue forget what lies before `place`.
    pub fn release(&mut self, place: Position) {
        self.reader.release(place);
    }
}

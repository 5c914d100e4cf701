//! Takes bytes as they come and gives out the messages in them, whatever stands between.

use crate::frame::{HEADER_LEN_READ_MAX, Scan, scan};
use crate::view::{Index, View};

/// A reader begins with this much buffer (or less, if messages are small) and grows in powers of two.
const SIZE_FIRST: usize = 8192;

/// What looks like a frame but holds no valid message is garbage, in which real frames may hide, so the search goes on
/// behind its first byte. A stream made of nothing but such frames, each inside the other, would have each byte decoded
/// again and again. So each byte that the reader gets pays for the useless decoding of so many bytes; when that is used
/// up, a false frame is skipped as a whole.
const DECODES_PER_BYTE: i64 = 8;

/// More bytes were pushed than a reader can hold: the greatest message and its frame header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stream buffer is full: {len} bytes, limit {limit}")]
pub struct Full {
    /// How many bytes it would have held.
    pub len: usize,
    /// How many it can hold.
    pub limit: usize,
}

/// What [`StreamReader::find`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Whether there is a message.
    pub found: bool,
    /// How many bytes were used up: garbage, and the message's frame if there was one.
    pub consumed: usize,
    /// Of `consumed`, how many bytes were garbage.
    pub skipped: usize,
    /// With how many bytes more it makes sense to try again: 0 if there are unread ones; as many as the begun message
    /// needs if its header is there; else as many as fit.
    pub need: usize,
}

/// Finds messages in a stream of frames. Its buffer is bounded by the greatest message it accepts.
#[derive(Debug, Clone)]
pub struct StreamReader {
    /// Always as long as the part of it that may be used, so that readers can fill it directly.
    buf: Vec<u8>,
    /// Everything before is used up.
    at: usize,
    /// Everything from here on is free.
    filled: usize,
    max_message_size: usize,
    /// The message found last, as offsets.
    message: Option<(usize, usize)>,
    /// Whether `index` is that of the message found last.
    decoded: bool,
    index: Index,
    /// How many bytes may still be decoded in vain, see `DECODES_PER_BYTE`.
    credit: i64,
}

impl StreamReader {
    /// A reader of messages of up to `max_message_size` bytes.
    pub fn new(max_message_size: usize) -> StreamReader {
        let limit = limit(max_message_size);
        StreamReader {
            buf: vec![0; limit.min(SIZE_FIRST)],
            at: 0,
            filled: 0,
            max_message_size,
            message: None,
            decoded: false,
            index: Index::default(),
            credit: credit_max(max_message_size),
        }
    }

    /// Appends bytes of the stream. Forgets the message found last.
    ///
    /// # Errors
    /// If they do not fit; then nothing was appended.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Full> {
        self.space(bytes.len())?[..bytes.len()].copy_from_slice(bytes);
        self.commit(bytes.len());
        Ok(())
    }

    /// All free space, of `need` bytes at least, to be filled from a file or socket; then call [`StreamReader::commit`].
    /// Forgets the message found last.
    ///
    /// # Errors
    /// If `need` bytes do not fit.
    pub fn space(&mut self, need: usize) -> Result<&mut [u8], Full> {
        let len = (self.filled - self.at).saturating_add(need);
        let limit = limit(self.max_message_size);
        if len > limit {
            return Err(Full { len, limit });
        }
        self.message = None;
        if self.at == self.filled || need > self.buf.len() - self.filled {
            self.buf.copy_within(self.at..self.filled, 0);
            self.filled -= self.at;
            self.at = 0;
        }
        let growth = self.growth(need);
        if growth > 0 {
            self.buf.reserve_exact(growth);
            self.buf.resize(self.buf.len() + growth, 0);
        }
        Ok(&mut self.buf[self.filled..])
    }

    /// By how many bytes the buffer grows when `need` more bytes are to fit, if they may.
    pub fn growth(&self, need: usize) -> usize {
        let len = (self.filled - self.at).saturating_add(need);
        if len <= self.buf.len() {
            return 0;
        }
        let limit = limit(self.max_message_size);
        let size = len.checked_next_power_of_two().unwrap_or(limit);
        size.min(limit).saturating_sub(self.buf.len())
    }

    /// Bytes of memory that the buffer takes.
    pub fn memory(&self) -> usize {
        self.buf.capacity()
    }

    /// Says how many bytes of the space were filled.
    ///
    /// # Panics
    /// If it is more than there was.
    pub fn commit(&mut self, len: usize) {
        assert!(
            len <= self.buf.len() - self.filled,
            "more bytes than there was space"
        );
        self.filled += len;
        let earned = DECODES_PER_BYTE.saturating_mul(i64::try_from(len).unwrap_or(i64::MAX));
        self.credit = self
            .credit
            .saturating_add(earned)
            .min(credit_max(self.max_message_size));
    }

    /// Looks for the next message. With `decode`, only for a valid one; else whatever stands in a frame will do.
    pub fn find(&mut self, decode: bool) -> Found {
        let begin = self.at;
        self.message = None;
        loop {
            let rest = &self.buf[self.at..self.filled];
            match scan(rest, self.max_message_size) {
                Scan::Skip(garbage) => self.at += garbage,
                Scan::Need(_) => return self.not_found(begin),
                Scan::Frame { header, message } => {
                    let (start, end) = (self.at + header, self.at + header + message);
                    if !decode || self.decode(start, end) {
                        return self.found(begin, start, end, decode);
                    }
                    self.at += if self.credit > 0 { 1 } else { end - self.at };
                }
            }
        }
    }

    /// The message found last, if nothing was pushed or looked for since.
    pub fn message(&self) -> Option<&[u8]> {
        self.message.map(|(start, end)| &self.buf[start..end])
    }

    /// As [`StreamReader::message`], only if it was decoded.
    pub fn view(&self) -> Option<View<'_>> {
        let message = self.message().filter(|_| self.decoded)?;
        Some(self.index.view(message))
    }

    /// Forgets the whole buffer, and makes `message` the message found last, if it is a valid one: answers whether it is.
    ///
    /// # Errors
    /// If it is too long for this reader.
    pub fn set_message(&mut self, message: &[u8]) -> Result<bool, Full> {
        self.clear();
        self.push(message)?;
        self.at = self.filled;
        let valid = self.decode(0, message.len());
        if valid {
            self.message = Some((0, message.len()));
            self.decoded = true;
        }
        Ok(valid)
    }

    /// Forgets everything; keeps the memory.
    pub fn clear(&mut self) {
        (self.at, self.filled) = (0, 0);
        self.message = None;
    }

    /// Whether a valid message stands there.
    fn decode(&mut self, start: usize, end: usize) -> bool {
        let message = &self.buf[start..end];
        let valid = self
            .index
            .parse(message)
            .and_then(|()| self.index.check_required())
            .is_ok();
        if !valid {
            self.credit -= message.len() as i64;
        }
        valid
    }

    fn found(&mut self, begin: usize, start: usize, end: usize, decoded: bool) -> Found {
        let skipped = self.at - begin;
        self.at = end;
        self.message = Some((start, end));
        self.decoded = decoded;
        let need = if self.at == self.filled {
            self.buf.len()
        } else {
            0
        };
        Found {
            found: true,
            consumed: end - begin,
            skipped,
            need,
        }
    }

    fn not_found(&self, begin: usize) -> Found {
        let consumed = self.at - begin;
        let need = match scan(&self.buf[self.at..self.filled], self.max_message_size) {
            Scan::Need(need) if self.header_is_whole() => need,
            _ => self.buf.len() - (self.filled - self.at),
        };
        Found {
            found: false,
            consumed,
            skipped: consumed,
            need,
        }
    }

    fn header_is_whole(&self) -> bool {
        let rest = &self.buf[self.at..self.filled];
        rest.get(1)
            .is_some_and(|&len| rest.len() >= 3 + usize::from(len))
    }
}

/// Most bytes a reader holds.
fn limit(max_message_size: usize) -> usize {
    max_message_size.saturating_add(HEADER_LEN_READ_MAX)
}

/// Most bytes that may be decoded in vain at once.
fn credit_max(max_message_size: usize) -> i64 {
    let len = i64::try_from(limit(max_message_size)).unwrap_or(i64::MAX);
    len.saturating_mul(DECODES_PER_BYTE)
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;

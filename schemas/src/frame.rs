//! Finds message boundaries in a stream, and its place again after garbage, without recursion.
//!
//! A frame on the wire: `1E`, one byte with the length of the header, the header (`08` and the length of the message as
//! varint; whatever more it holds is ignored), `1F`, the message.

use memchr::memchr;

pub use crate::stream::{Found, Full, StreamReader};
use crate::wire::{varint, varint_bytes};

/// First byte of each frame.
pub const RECORD_SEPARATOR: u8 = 0x1e;
/// Last byte before the message.
pub const UNIT_SEPARATOR: u8 = 0x1f;
/// Most bytes before the message in a frame that we write.
pub const HEADER_LEN_MAX: usize = 14;
/// Most bytes before the message in a frame that others write: the header's length is one byte.
pub const HEADER_LEN_READ_MAX: usize = 3 + 255;

/// First byte of the header: the key of the message length.
const LENGTH_KEY: u8 = 0x08;

/// What stands before a message of `len` bytes, and how many bytes of the array that is.
#[inline]
pub fn header(len: usize) -> ([u8; HEADER_LEN_MAX], usize) {
    let (varint, n) = varint_bytes(len as u64);
    let mut bytes = [0; HEADER_LEN_MAX];
    bytes[..3].copy_from_slice(&[RECORD_SEPARATOR, 1 + n as u8, LENGTH_KEY]);
    bytes[3..3 + n].copy_from_slice(&varint[..n]);
    bytes[3 + n] = UNIT_SEPARATOR;
    (bytes, 4 + n)
}

/// What stands at the beginning of some bytes, see [`scan`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scan {
    /// A whole frame.
    Frame {
        /// Bytes before the message.
        header: usize,
        /// Bytes of the message, which is not looked into.
        message: usize,
    },
    /// Perhaps a frame, but at least so many more bytes are needed.
    Need(usize),
    /// No frame: so many bytes are garbage before the next one can begin, or all of them.
    Skip(usize),
}

/// Says what stands at the beginning of `bytes`. A message of 0 bytes or more than `max_message_size` counts as garbage.
///
/// Takes time for the garbage it skips and the header it reads, never for the message.
#[inline]
pub fn scan(bytes: &[u8], max_message_size: usize) -> Scan {
    match bytes {
        [] => return Scan::Need(1),
        [RECORD_SEPARATOR] => return Scan::Need(1),
        [RECORD_SEPARATOR, ..] => {}
        _ => return Scan::Skip(garbage_len(bytes, 0)),
    }
    let header = 3 + usize::from(bytes[1]);
    // Before waiting for a long header, see whether it can be one.
    if header == 3 || bytes.get(2).is_some_and(|&key| key != LENGTH_KEY) {
        return Scan::Skip(garbage_len(bytes, 1));
    }
    if bytes.len() < header {
        return Scan::Need(header - bytes.len());
    }
    match message_len(&bytes[..header], max_message_size) {
        None => Scan::Skip(garbage_len(bytes, 1)),
        Some(message) if bytes.len() - header < message => {
            Scan::Need(message - (bytes.len() - header))
        }
        Some(message) => Scan::Frame { header, message },
    }
}

/// Reads the message length out of a whole header.
#[inline]
fn message_len(header: &[u8], max_message_size: usize) -> Option<usize> {
    let (end, header) = header.split_last()?;
    if *end != UNIT_SEPARATOR {
        return None;
    }
    let len = usize::try_from(varint(header, 3)?.0).ok()?;
    (1..=max_message_size).contains(&len).then_some(len)
}

/// Offset of the first byte at or behind `from` that can begin a frame.
#[inline]
fn garbage_len(bytes: &[u8], from: usize) -> usize {
    if bytes.get(from) == Some(&RECORD_SEPARATOR) {
        return from;
    }
    memchr(RECORD_SEPARATOR, &bytes[from..]).map_or(bytes.len(), |found| from + found)
}

/// A buffer for one message after another, with room in front for the frame header: so a message is framed without
/// being moved.
#[derive(Clone, Debug)]
pub struct FrameBuf {
    /// `HEADER_LEN_MAX` bytes of room, then the message.
    bytes: Vec<u8>,
}

impl Default for FrameBuf {
    fn default() -> FrameBuf {
        FrameBuf::new()
    }
}

impl FrameBuf {
    /// An empty buffer.
    pub fn new() -> FrameBuf {
        FrameBuf {
            bytes: vec![0; HEADER_LEN_MAX],
        }
    }

    /// Forgets the message; keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.resize(HEADER_LEN_MAX, 0);
    }

    /// Gives memory above `capacity` bytes back, for callers that had one huge message and keep the buffer.
    pub fn shrink_to(&mut self, capacity: usize) {
        self.bytes.shrink_to(capacity);
    }

    /// Where to append the message. What stands in front of it is the room for the header: append only.
    #[inline]
    pub fn message(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// The message alone, as far as it was appended.
    #[inline]
    pub fn message_bytes(&self) -> &[u8] {
        self.bytes.get(HEADER_LEN_MAX..).unwrap_or_default()
    }

    /// Length of the message in bytes, as far as it was appended.
    #[inline]
    pub fn message_len(&self) -> usize {
        self.message_bytes().len()
    }

    /// Writes the header and answers the whole frame. The message can be read, and even appended to, afterwards.
    #[inline]
    pub fn finish(&mut self) -> &[u8] {
        let len = self.message_len();
        // Nearly all messages; a header of known length is written at once.
        if (0x80..0x4000).contains(&len) {
            let (low, high) = (len as u8 | 0x80, (len >> 7) as u8);
            return self.finish_with([RECORD_SEPARATOR, 3, LENGTH_KEY, low, high, UNIT_SEPARATOR]);
        }
        let (header, n) = header(len);
        // Shorter than the room it is only if the caller took away what it must not.
        if self.bytes.len() < HEADER_LEN_MAX {
            self.bytes.resize(HEADER_LEN_MAX, 0);
        }
        let start = HEADER_LEN_MAX - n;
        self.bytes[start..HEADER_LEN_MAX].copy_from_slice(&header[..n]);
        &self.bytes[start..]
    }

    /// As [`FrameBuf::finish`]; there is a message.
    #[inline(always)]
    fn finish_with<const N: usize>(&mut self, header: [u8; N]) -> &[u8] {
        let start = HEADER_LEN_MAX - N;
        self.bytes[start..HEADER_LEN_MAX].copy_from_slice(&header);
        &self.bytes[start..]
    }
}

/// One frame of a block, see [`records`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'b> {
    /// Offset of the frame in the block.
    pub offset: usize,
    /// The whole frame.
    pub framed: &'b [u8],
    /// The message in it.
    pub message: &'b [u8],
}

/// The frames of a block that consists of whole ones; the messages are not looked into.
///
/// Garbage between frames is skipped, and so is what reaches beyond the end of the block: who must know of it compares
/// the offsets. A frame torn in the middle of a block takes what it lacks from the next one; only decoding can tell, and
/// [`StreamReader`] does.
#[inline]
pub fn records(block: &[u8]) -> Records<'_> {
    Records { block, at: 0 }
}

/// See [`records`].
#[derive(Clone, Debug)]
pub struct Records<'b> {
    block: &'b [u8],
    at: usize,
}

impl<'b> Iterator for Records<'b> {
    type Item = Record<'b>;

    #[inline]
    fn next(&mut self) -> Option<Record<'b>> {
        while self.at < self.block.len() {
            let offset = self.at;
            let rest = &self.block[offset..];
            match scan(rest, usize::MAX) {
                Scan::Frame { header, message } => {
                    self.at = offset + header + message;
                    let framed = &rest[..header + message];
                    return Some(Record {
                        offset,
                        framed,
                        message: &framed[header..],
                    });
                }
                Scan::Skip(garbage) => self.at += garbage,
                // There are no more bytes, so what looks like a frame is none.
                Scan::Need(_) => self.at += garbage_len(rest, 1),
            }
        }
        None
    }
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;

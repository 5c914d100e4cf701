//! The checksums beside a segment, `<id>.sum`: which bytes were written together, when, and what each record must be.
//!
//! The file is a row of entries, one for each chunk the writer wrote, in the order of the log. All numbers are
//! little-endian. An entry is a head of 40 bytes and 8 bytes for each record of the chunk:
//!
//! | bytes | what |
//! |---|---|
//! | 0..4 | the letters `FSUM` |
//! | 4..8 | CRC-32 (IEEE) of bytes 8..40 |
//! | 8..16 | offset of the chunk in the log |
//! | 16..24 | when it was written, nanoseconds since 1970, signed |
//! | 24..28 | length of the chunk in bytes: the sum of its records' lengths |
//! | 28..32 | number of records |
//! | 32..36 | CRC-32 of everything behind the head |
//! | 36..40 | zero |
//! | then, for each record, 0..4 | its length, frame included |
//! | 4..8 | CRC-32 of its bytes |
//!
//! Entries need not cover the whole log. Bytes that no entry covers (written by Hindsight, or just before a crash)
//! are scanned for records when they are read. With a checksum for each record, damage anywhere in a chunk, also in
//! a frame's header, costs exactly the records it lies in. Entries begin at multiples of 8, so that a reader that
//! meets a damaged entry finds the next one by its letters and checksum.

use std::io;
use std::sync::Arc;
use stdx::files::File;

/// Length of an entry's head in bytes.
const HEAD: usize = 40;
/// Length of what an entry has per record in bytes.
const PER_RECORD: usize = 8;
/// What every entry begins with.
const LETTERS: &[u8; 4] = b"FSUM";
/// How much of the file is read at a time: 64 KiB, about 8,000 records' worth.
const WINDOW: usize = 64 << 10;
/// No entry is longer than this; a head that says so is damaged. A chunk has at most 256 KiB or one record, so even
/// records of one byte stay far below.
const ENTRY_MAX: usize = 16 << 20;

/// The length and checksum of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordSum {
    /// Its length in bytes.
    pub length: u32,
    /// CRC-32 of its bytes.
    pub crc: u32,
}

impl RecordSum {
    /// What `record` must have.
    pub fn of(record: &[u8]) -> RecordSum {
        RecordSum {
            length: record.len() as u32,
            crc: crc32fast::hash(record),
        }
    }
}

/// The head of an entry, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// Where in the sums file the entry begins.
    pub at: u64,
    /// Where in the log the chunk begins.
    pub offset: u64,
    /// When it was written.
    pub time_ns: i64,
    /// Its length in bytes.
    pub length: u32,
    /// How many records it has.
    pub count: u32,
    body_crc: u32,
}

impl Head {
    /// Where in the log the chunk ends.
    pub fn end(&self) -> u64 {
        self.offset + u64::from(self.length)
    }

    /// Where in the sums file the next entry begins.
    pub fn next_at(&self) -> u64 {
        self.at + HEAD as u64 + u64::from(self.count) * PER_RECORD as u64
    }
}

/// Appends to `out` the entry for the chunk `bytes` at `offset` with records of these `lengths`.
pub(crate) fn encode(out: &mut Vec<u8>, offset: u64, time_ns: i64, bytes: &[u8], lengths: &[u32]) {
    let mut rest = bytes;
    let records = lengths.iter().map(|length| {
        let (record, behind) = rest.split_at(*length as usize);
        rest = behind;
        RecordSum::of(record)
    });
    encode_sums(out, offset, time_ns, records);
    assert!(
        rest.is_empty(),
        "the lengths of the records make up the chunk"
    );
}

/// Appends to `out` the entry for a chunk at `offset` whose records have these sums.
pub(crate) fn encode_sums(
    out: &mut Vec<u8>,
    offset: u64,
    time_ns: i64,
    records: impl Iterator<Item = RecordSum>,
) {
    let start = out.len();
    out.resize(start + HEAD, 0);
    let (mut length, mut count) = (0u32, 0u32);
    for record in records {
        out.extend_from_slice(&record.length.to_le_bytes());
        out.extend_from_slice(&record.crc.to_le_bytes());
        length += record.length;
        count += 1;
    }
    let body_crc = crc32fast::hash(&out[start + HEAD..]);
    let head = &mut out[start..start + HEAD];
    head[..4].copy_from_slice(LETTERS);
    head[8..16].copy_from_slice(&offset.to_le_bytes());
    head[16..24].copy_from_slice(&time_ns.to_le_bytes());
    head[24..28].copy_from_slice(&length.to_le_bytes());
    head[28..32].copy_from_slice(&count.to_le_bytes());
    head[32..36].copy_from_slice(&body_crc.to_le_bytes());
    let head_crc = crc32fast::hash(&head[8..]);
    head[4..8].copy_from_slice(&head_crc.to_le_bytes());
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

fn decode_head(bytes: &[u8], at: u64) -> Option<Head> {
    if &bytes[..4] != LETTERS || u32_at(bytes, 4) != crc32fast::hash(&bytes[8..HEAD]) {
        return None;
    }
    let head = Head {
        at,
        offset: u64_at(bytes, 8),
        time_ns: u64_at(bytes, 16) as i64,
        length: u32_at(bytes, 24),
        count: u32_at(bytes, 28),
        body_crc: u32_at(bytes, 32),
    };
    let len = (head.count as usize)
        .checked_mul(PER_RECORD)?
        .checked_add(HEAD)?;
    let in_range = head.offset.checked_add(u64::from(head.length)).is_some();
    (in_range && len <= ENTRY_MAX).then_some(head)
}

/// Walks over the entries of one sums file.
pub(crate) struct Sums {
    file: Arc<dyn File>,
    /// Where the next entry is looked for.
    at: u64,
    window: Vec<u8>,
    window_at: u64,
}

impl Sums {
    /// Starts at the first entry.
    pub fn new(file: Arc<dyn File>) -> Sums {
        Sums {
            file,
            at: 0,
            window: Vec::new(),
            window_at: 0,
        }
    }

    /// The next entry's head, without moving on; `None` where the file ends. Damaged entries are stepped over.
    pub fn peek(&mut self) -> io::Result<Option<Head>> {
        let mut at = self.at;
        while let Some(bytes) = self.bytes(at, HEAD)? {
            let head = decode_head(bytes, at);
            self.at = at;
            if head.is_some() {
                return Ok(head);
            }
            at += PER_RECORD as u64;
        }
        Ok(None)
    }

    /// Moves behind the entry of `head`.
    pub fn step_over(&mut self, head: &Head) {
        self.at = head.next_at();
    }

    /// The sums of the records of `head`, appended to `out`; false when the entry is damaged or incomplete.
    pub fn records(&mut self, head: &Head, out: &mut Vec<RecordSum>) -> io::Result<bool> {
        let len = head.count as usize * PER_RECORD;
        let Some(body) = self.bytes(head.at + HEAD as u64, len)? else {
            return Ok(false);
        };
        if crc32fast::hash(body) != head.body_crc {
            return Ok(false);
        }
        let start = out.len();
        let record = |sum: &[u8]| RecordSum {
            length: u32_at(sum, 0),
            crc: u32_at(sum, 4),
        };
        out.extend(body.chunks_exact(PER_RECORD).map(record));
        let total: u64 = out[start..]
            .iter()
            .map(|record| u64::from(record.length))
            .sum();
        if total != u64::from(head.length) {
            out.truncate(start);
            return Ok(false);
        }
        Ok(true)
    }

    /// `len` bytes of the file from `at` on, if it has them.
    fn bytes(&mut self, at: u64, len: usize) -> io::Result<Option<&[u8]>> {
        let inside = |window_at: u64, window_len: usize| {
            let from = usize::try_from(at.checked_sub(window_at)?).ok()?;
            (from.checked_add(len)? <= window_len).then_some(from)
        };
        if inside(self.window_at, self.window.len()).is_none() {
            self.window.resize(WINDOW.max(len), 0);
            self.window_at = at;
            let n_read = self.file.read_full_at(&mut self.window, at);
            self.window.truncate(*n_read.as_ref().unwrap_or(&0));
            n_read?;
        }
        let from = inside(self.window_at, self.window.len());
        Ok(from.map(|from| &self.window[from..from + len]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use stdx::faulty::FaultyDisk;
    use stdx::files::{Access, Disk};

    fn entry(offset: u64, records: &[&[u8]]) -> Vec<u8> {
        let lengths: Vec<u32> = records.iter().map(|record| record.len() as u32).collect();
        let mut out = Vec::new();
        encode(&mut out, offset, -7, &records.concat(), &lengths);
        out
    }

    fn sums(bytes: &[u8]) -> Sums {
        let disk = FaultyDisk::new();
        disk.put(Path::new("/0.sum"), bytes);
        Sums::new(disk.open(Path::new("/0.sum"), Access::Read).expect("there"))
    }

    /// Offset, length and number of readable records of every entry.
    fn walk(bytes: &[u8]) -> Vec<(u64, u32, usize)> {
        let mut sums = sums(bytes);
        let mut found = Vec::new();
        while let Some(head) = sums.peek().expect("readable") {
            let mut records = Vec::new();
            sums.records(&head, &mut records).expect("readable");
            found.push((head.offset, head.length, records.len()));
            sums.step_over(&head);
        }
        found
    }

    #[test]
    fn the_bytes_are_as_the_head_of_this_file_says() {
        let bytes = entry(0x0102, &[b"ab", b"c"]);
        assert_eq!(bytes.len(), 40 + 2 * 8);
        assert_eq!(&bytes[..4], b"FSUM");
        assert_eq!(bytes[8..16], [2, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[16..24], (-7i64).to_le_bytes());
        assert_eq!(bytes[24..32], [3, 0, 0, 0, 2, 0, 0, 0]);
        assert_eq!(bytes[36..40], [0; 4]);
        assert_eq!(bytes[40..44], [2, 0, 0, 0]);
        assert_eq!(bytes[44..48], crc32fast::hash(b"ab").to_le_bytes());
    }

    #[test]
    fn entries_come_back_in_order() {
        let bytes = [
            entry(0, &[b"ab", b"c"]),
            entry(3, &[b"defg"]),
            entry(9, &[b"x"]),
        ]
        .concat();
        assert_eq!(walk(&bytes), [(0, 3, 2), (3, 4, 1), (9, 1, 1)]);
        assert_eq!(walk(b""), []);
    }

    #[test]
    fn a_damaged_head_costs_its_entry_only() {
        for byte in 0..40 {
            let mut bytes = [entry(0, &[b"ab"]), entry(2, &[b"c"]), entry(3, &[b"d"])].concat();
            bytes[48 + byte] ^= 0x10;
            assert_eq!(walk(&bytes), [(0, 2, 1), (3, 1, 1)], "byte {byte}");
        }
    }

    #[test]
    fn a_damaged_body_is_noticed() {
        for byte in 40..48 {
            let mut bytes = [entry(0, &[b"ab"]), entry(2, &[b"c"])].concat();
            bytes[byte] ^= 1;
            assert_eq!(walk(&bytes), [(0, 2, 0), (2, 1, 1)], "byte {byte}");
        }
    }

    #[test]
    fn a_torn_last_entry_is_no_entry_or_has_no_records() {
        let whole = [entry(0, &[b"ab"]), entry(2, &[b"c"])].concat();
        for len in 48..whole.len() {
            let found = walk(&whole[..len]);
            assert_eq!(found[0], (0, 2, 1));
            assert!(
                found.len() == 1 || found[1].2 == 0,
                "cut at {len}: {found:?}"
            );
        }
    }

    #[test]
    fn an_entry_longer_than_the_window_is_read() {
        let record: &[u8] = b"x";
        let bytes = [
            entry(0, &vec![record; WINDOW]),
            entry(WINDOW as u64, &[b"y"]),
        ]
        .concat();
        assert_eq!(
            walk(&bytes),
            [(0, WINDOW as u32, WINDOW), (WINDOW as u64, 1, 1)]
        );
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300), at in 0usize..300) {
            let mut bytes = bytes;
            let good = entry(5, &[b"ab"]);
            let at = at.min(bytes.len());
            bytes.splice(at..at, good);
            walk(&bytes);
        }
    }
}

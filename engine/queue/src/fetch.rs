//! Reads a segment back from disk, checks every record, and finds the good ones among damage.

use crate::options::{Options, ScanFn};
use crate::scan::{self, Found};
use crate::segment::{log_path, sum_path};
use crate::sums::{RecordSum, Sums};
use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use stdx::files::{Access, File};

/// How much of a segment is read at a time. Chunks are read whole, so it may be a little more.
pub(crate) const READ_SIZE: usize = 1 << 20;

/// What some bytes of a segment are; the ranges are offsets in the segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// Whole, undamaged records.
    Records(Range<u64>),
    /// Bytes to skip; they may even lie behind the end of the file.
    Damaged(Range<u64>),
}

/// What was read at a time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fetched {
    /// Where in the segment the bytes begin.
    pub base: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What they are, in order, from the wanted offset on and without gaps.
    pub parts: VecDeque<Part>,
}

/// One segment, open for reading from some offset forwards.
pub(crate) struct SegmentReader {
    /// Its number.
    pub id: u64,
    log: Arc<dyn File>,
    sums: Option<Sums>,
    scan: ScanFn,
    record_max: usize,
    records: Vec<RecordSum>,
}

/// What is to be read next.
enum Plan {
    /// From here on there are records with the sums gathered in `records`.
    Summed(u64),
    /// Up to here there are no sums.
    Bare(u64),
}

impl SegmentReader {
    /// Opens segment `id`. It need not have sums.
    pub fn open(options: &Options, id: u64) -> io::Result<SegmentReader> {
        let log = options
            .disk
            .open(&log_path(&options.dir, id), Access::Read)?;
        let sums = match options.disk.open(&sum_path(&options.dir, id), Access::Read) {
            Ok(file) => Some(Sums::new(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let (scan, record_max) = (Arc::clone(&options.scan), options.record_max);
        Ok(SegmentReader {
            id,
            log,
            sums,
            scan,
            record_max,
            records: Vec::new(),
        })
    }

    /// How long the segment is now.
    pub fn len(&self) -> io::Result<u64> {
        self.log.len()
    }

    /// Reads on from `offset`, which is not before that of the last call; the segment ends at `limit`, which must lie
    /// behind `offset`. There is always progress. After an error the reader must be opened anew. `buffer` is memory
    /// to use.
    pub fn fetch(&mut self, offset: u64, limit: u64, buffer: Vec<u8>) -> io::Result<Fetched> {
        match self.plan(offset, limit)? {
            Plan::Summed(start) => self.fetch_summed(start, offset, buffer),
            Plan::Bare(end) => self.fetch_bare(offset, end, buffer),
        }
    }

    fn plan(&mut self, offset: u64, limit: u64) -> io::Result<Plan> {
        let Some(sums) = &mut self.sums else {
            return Ok(Plan::Bare(limit));
        };
        while let Some(head) = sums.peek()? {
            if head.offset >= limit {
                break;
            }
            if head.end() <= offset {
                sums.step_over(&head);
                continue;
            }
            if head.offset > offset {
                return Ok(Plan::Bare(head.offset));
            }
            self.records.clear();
            let readable = sums.records(&head, &mut self.records)?;
            sums.step_over(&head);
            if !readable {
                return Ok(Plan::Bare(head.end().min(limit)));
            }
            gather(
                sums,
                head.end(),
                limit,
                (head.end() - offset) as usize,
                &mut self.records,
            )?;
            return Ok(Plan::Summed(head.offset));
        }
        Ok(Plan::Bare(limit))
    }

    fn fetch_summed(&mut self, start: u64, offset: u64, buffer: Vec<u8>) -> io::Result<Fetched> {
        let mut at = start;
        let behind = |record: &RecordSum| {
            at += u64::from(record.length);
            at > offset
        };
        let first = self
            .records
            .iter()
            .position(behind)
            .expect("the chunk reaches behind offset");
        let base = at - u64::from(self.records[first].length);
        let records = &self.records[first..];
        let len: u64 = records.iter().map(|record| u64::from(record.length)).sum();
        let bytes = read(&*self.log, base, len, buffer)?;
        let mut parts = VecDeque::new();
        let mut from = base;
        for record in records {
            let to = from + u64::from(record.length);
            let inside = bytes.get((from - base) as usize..(to - base) as usize);
            // A start inside a record is no place from which one can read.
            let good =
                from >= offset && inside.is_some_and(|bytes| RecordSum::of(bytes) == *record);
            push(&mut parts, good, from.max(offset)..to);
            from = to;
        }
        Ok(Fetched { base, bytes, parts })
    }

    fn fetch_bare(&mut self, offset: u64, end: u64, buffer: Vec<u8>) -> io::Result<Fetched> {
        let (bytes, found) = scan_file(
            &*self.log,
            offset..end,
            self.record_max,
            true,
            &*self.scan,
            buffer,
        )?;
        let mut parts = VecDeque::new();
        if found.end == 0 {
            push(&mut parts, false, offset..end);
        }
        let place = |span: &Range<usize>| offset + span.start as u64..offset + span.end as u64;
        let runs = found.runs.iter().map(|run| (place(&run.span), true));
        let mut all: Vec<_> = runs
            .chain(found.damaged.iter().map(|span| (place(span), false)))
            .collect();
        all.sort_by_key(|(span, _)| span.start);
        all.into_iter()
            .for_each(|(span, good)| push(&mut parts, good, span));
        Ok(Fetched {
            base: offset,
            bytes,
            parts,
        })
    }
}

/// Adds the sums of the chunks that follow without a gap, until about [`READ_SIZE`] bytes are together.
fn gather(
    sums: &mut Sums,
    mut end: u64,
    limit: u64,
    mut n_bytes: usize,
    records: &mut Vec<RecordSum>,
) -> io::Result<()> {
    while n_bytes < READ_SIZE
        && let Some(next) = sums.peek()?
        && next.offset == end
        && next.end() <= limit
        && sums.records(&next, records)?
    {
        sums.step_over(&next);
        end = next.end();
        n_bytes += next.length as usize;
    }
    Ok(())
}

/// Extends the last part or begins another.
fn push(parts: &mut VecDeque<Part>, good: bool, span: Range<u64>) {
    match (parts.back_mut(), good) {
        (Some(Part::Records(last)), true) | (Some(Part::Damaged(last)), false) => {
            last.end = span.end
        }
        (_, true) => parts.push_back(Part::Records(span)),
        (_, false) => parts.push_back(Part::Damaged(span)),
    }
}

/// Up to `len` bytes of `file` from `at` on, in the memory of `buffer`.
pub(crate) fn read(file: &dyn File, at: u64, len: u64, mut buffer: Vec<u8>) -> io::Result<Vec<u8>> {
    // Damaged sums may promise more than there is; that must not cost memory.
    let len = len.min(file.len()?.saturating_sub(at));
    buffer.resize(usize::try_from(len).map_err(io::Error::other)?, 0);
    let n_read = file.read_full_at(&mut buffer, at)?;
    buffer.truncate(n_read);
    Ok(buffer)
}

/// Finds records from the start of `range` on: at least one, or damage, unless `range` ends in a record that is not
/// whole. With `resync` even that is damage, byte by byte, and whole records behind it are found: a reader, which
/// cannot set bytes aside, delivers what looks whole; recovery, which can, does not guess. Reads no more than twice `record_max` at a time; what it
/// read is in the answer.
pub(crate) fn scan_file(
    file: &dyn File,
    range: Range<u64>,
    record_max: usize,
    resync: bool,
    scan: &dyn Fn(&[u8]) -> scan::Scan,
    mut buffer: Vec<u8>,
) -> io::Result<(Vec<u8>, Found)> {
    let window_max = READ_SIZE.max(2 * record_max) as u64;
    let mut window = READ_SIZE as u64;
    loop {
        let wanted = window.min(range.end - range.start);
        buffer = read(file, range.start, wanted, buffer)?;
        let is_all = wanted == range.end - range.start || (buffer.len() as u64) < wanted;
        let decisive = if is_all {
            if resync { buffer.len() } else { 0 }
        } else if window >= window_max {
            // Behind every byte of the first half there is room for the longest record.
            buffer.len() / 2
        } else {
            0
        };
        let found = scan::find(&buffer, decisive, scan);
        if found.end > 0 || is_all {
            return Ok((buffer, found));
        }
        window = (window * 2).min(window_max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::Scan;
    use crate::sums;
    use std::path::Path;
    use stdx::faulty::FaultyDisk;

    /// Records are `<digit><that many letters>`.
    fn digit_scan(bytes: &[u8]) -> Scan {
        match bytes[0] {
            digit @ b'0'..=b'9' if bytes.len() > usize::from(digit - b'0') => {
                Scan::Record(usize::from(digit - b'0') + 1)
            }
            b'0'..=b'9' => Scan::Partial,
            _ => Scan::Skip(1),
        }
    }

    fn open(log: &[u8], sums: Option<&[u8]>) -> SegmentReader {
        let disk = FaultyDisk::new();
        disk.put(Path::new("/q/0.log"), log);
        if let Some(sums) = sums {
            disk.put(Path::new("/q/0.sum"), sums);
        }
        let mut options = Options::new("/q", Arc::new(digit_scan));
        options.disk = Arc::new(disk);
        SegmentReader::open(&options, 0).expect("there")
    }

    fn sums_of(chunks: &[(u64, &[&[u8]])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (offset, records) in chunks {
            sums::encode_sums(
                &mut out,
                *offset,
                0,
                records.iter().map(|record| RecordSum::of(record)),
            );
        }
        out
    }

    /// Reads everything and describes it: `+` good, `-` damaged.
    fn walk(mut reader: SegmentReader, mut offset: u64) -> String {
        let (mut text, limit) = (String::new(), reader.len().expect("a length"));
        while offset < limit {
            let fetched = reader.fetch(offset, limit, Vec::new()).expect("readable");
            for part in fetched.parts {
                let (sign, span) = match part {
                    Part::Records(span) => ('+', span),
                    Part::Damaged(span) => ('-', span),
                };
                assert_eq!(span.start, offset, "parts follow each other");
                offset = span.end;
                text += &format!("{sign}{}..{} ", span.start, span.end);
            }
        }
        text
    }

    #[test]
    fn chunks_that_follow_each_other_are_read_together() {
        let sums = sums_of(&[(0, &[b"1a", b"2bc"]), (5, &[b"1d"])]);
        assert_eq!(walk(open(b"1a2bc1d", Some(&sums)), 0), "+0..7 ");
        assert_eq!(walk(open(b"1a2bc1d", Some(&sums)), 2), "+2..7 ");
        assert_eq!(walk(open(b"1a2bc1d", Some(&sums)), 3), "-3..5 +5..7 ");
    }

    #[test]
    fn without_sums_records_are_scanned_for() {
        assert_eq!(walk(open(b"1a2bc1d", None), 0), "+0..7 ");
        assert_eq!(
            walk(open(b"1axx2bc9d", None), 0),
            "+0..2 -2..4 +4..7 -7..9 "
        );
    }

    #[test]
    fn gaps_between_sums_are_scanned() {
        let sums = sums_of(&[(0, &[b"1a"]), (5, &[b"1d"])]);
        assert_eq!(
            walk(open(b"1a2bc1dxx", Some(&sums)), 0),
            "+0..2 +2..5 +5..7 -7..9 "
        );
    }

    #[test]
    fn damage_costs_only_the_damaged_records_wherever_it_is() {
        let sums = sums_of(&[(0, &[b"1a", b"2bc", b"1d"])]);
        for (log, text) in [
            (b"1b2bc1d", "-0..2 +2..7 "),
            (b"9a2bc1d", "-0..2 +2..7 "),
            (b"1a2xx1d", "+0..2 -2..5 +5..7 "),
            (b"1a\0\0\0\0\0", "+0..2 -2..7 "),
        ] {
            assert_eq!(walk(open(log, Some(&sums)), 0), text);
        }
    }

    #[test]
    fn a_log_shorter_than_its_sums_is_damaged_where_it_ends() {
        let sums = sums_of(&[(0, &[b"1a", b"2bc"])]);
        assert_eq!(walk(open(b"1a2b", Some(&sums)), 0), "+0..2 -2..5 ");
        let sums = sums_of(&[(0, &[b"1a"]), (2, &[b"2bc"])]);
        assert_eq!(walk(open(b"1a2b", Some(&sums)), 0), "+0..2 -2..5 ");
    }

    #[test]
    fn a_chunk_whose_sums_are_damaged_is_scanned() {
        let mut sums = sums_of(&[(0, &[b"1a", b"2bc"]), (5, &[b"1d"])]);
        sums[44] ^= 1;
        assert_eq!(walk(open(b"1a2bc1d", Some(&sums)), 0), "+0..5 +5..7 ");
    }

    #[test]
    fn a_record_longer_than_a_read_is_found_and_endless_partial_ones_end() {
        let long = |bytes: &[u8]| match bytes[0] {
            b'L' if bytes.len() >= 3 * READ_SIZE => Scan::Record(3 * READ_SIZE),
            b'L' | b'P' => Scan::Partial,
            _ => Scan::Skip(1),
        };
        let mut log = vec![b'L'; 3 * READ_SIZE];
        log.resize(12 * READ_SIZE, b'P');
        let mut reader = open(&log, None);
        reader.scan = Arc::new(long);
        reader.record_max = 3 * READ_SIZE;
        let text = walk(reader, 0);
        assert!(text.starts_with("+0..3145728 -3145728.."), "{text}");
        assert!(text.ends_with("..12582912 ") && text.len() < 200, "{text}");
    }
}

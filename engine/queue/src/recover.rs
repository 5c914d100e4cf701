//! Opens a queue after a crash: keeps every whole record, cuts the torn tail, reports the rest.
//!
//! Only the last segment is looked at, and of it only what no checksum covers, or, when all is covered, as many of the
//! newest chunks as it takes to meet a good record. Damage further back is found, and reported, when it is read. A
//! segment that lost anything is closed and the next one begun, so that no position ever names two records.

use crate::fetch::{read, scan_file};
use crate::options::Options;
use crate::position::Position;
use crate::report::{OpenError, Recovery};
use crate::segment::{self, SegmentInfo, log_path, sum_path, torn_path};
use crate::sums::{self, Head, RecordSum, Sums};
use crate::writer::OpenSegment;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use stdx::files::{Access, File};

/// How much of a torn tail is copied at a time.
const COPY_SIZE: u64 = 1 << 20;

/// A queue that can be written to and read again.
pub(crate) struct Recovered {
    /// Every segment.
    pub segments: BTreeMap<u64, SegmentInfo>,
    /// The one to go on in.
    pub segment: OpenSegment,
    /// What was found and done.
    pub recovery: Recovery,
}

/// Opens the directory of `options`, or makes it.
pub(crate) fn recover(options: &Options) -> Result<Recovered, OpenError> {
    let (disk, dir) = (&*options.disk, &*options.dir);
    disk.create_dir_all(dir)
        .map_err(|error| failed("make", dir, error))?;
    let mut segments = segment::list(disk, dir).map_err(|error| failed("list", dir, error))?;
    let mut recovery = Recovery::default();
    let Some(id) = segments.last_key_value().map(|(id, _)| *id) else {
        let first = if options.at_least == Position::default() {
            0
        } else {
            options.at_least.segment + 1
        };
        return begin(options, segments, recovery, first);
    };
    let mut last = LastSegment::open(options, id)
        .map_err(|error| failed("open", &log_path(dir, id), error))?;
    last.mend(&mut recovery)
        .map_err(|error| failed("recover", &log_path(dir, id), error))?;
    let end = Position::new(id, last.log_len);
    segments
        .entry(id)
        .and_modify(|info| info.bytes = last.log_len);
    let lost = recovery.torn.is_some() || recovery.missing_bytes > 0;
    if lost || last.log_len >= options.segment_size || options.at_least > end {
        return begin(
            options,
            segments,
            recovery,
            id.max(options.at_least.segment) + 1,
        );
    }
    recovery.end = end;
    recovery.n_segments = segments.len();
    Ok(Recovered {
        segments,
        segment: last.into_open(),
        recovery,
    })
}

fn begin(
    options: &Options,
    mut segments: BTreeMap<u64, SegmentInfo>,
    mut recovery: Recovery,
    id: u64,
) -> Result<Recovered, OpenError> {
    let created = OpenSegment::create(&*options.disk, &options.dir, id);
    let segment = created.map_err(|error| failed("make", &log_path(&options.dir, id), error))?;
    segments.insert(
        id,
        SegmentInfo {
            bytes: 0,
            newest_ns: options.clock.now_ns(),
        },
    );
    recovery.end = Position::new(id, 0);
    recovery.n_segments = segments.len();
    Ok(Recovered {
        segments,
        segment,
        recovery,
    })
}

fn failed(doing: &'static str, path: &Path, source: io::Error) -> OpenError {
    OpenError::Io {
        doing,
        path: path.to_owned(),
        source,
    }
}

/// The newest segment while it is mended.
struct LastSegment<'o> {
    options: &'o Options,
    id: u64,
    log: Arc<dyn File>,
    log_len: u64,
    sums: Arc<dyn File>,
    sums_len: u64,
    modified_ns: i64,
}

impl<'o> LastSegment<'o> {
    fn open(options: &'o Options, id: u64) -> io::Result<LastSegment<'o>> {
        let (disk, dir) = (&*options.disk, &*options.dir);
        let modified_ns = disk.modified_ns(&log_path(dir, id))?;
        let log = disk.open(&log_path(dir, id), Access::Write)?;
        let sums = disk.open(&sum_path(dir, id), Access::Write)?;
        let log_len = log.len()?;
        Ok(LastSegment {
            options,
            id,
            log,
            log_len,
            sums,
            sums_len: 0,
            modified_ns,
        })
    }

    fn into_open(self) -> OpenSegment {
        OpenSegment {
            id: self.id,
            log: self.log,
            sums: self.sums,
            sums_len: self.sums_len,
        }
    }

    fn mend(&mut self, recovery: &mut Recovery) -> io::Result<()> {
        let heads = self.heads(recovery)?;
        self.sums_len = heads.last().map_or(0, Head::next_at);
        let covered = heads.last().map_or(0, Head::end);
        let mut end = None;
        if covered < self.log_len {
            recovery.scanned_bytes = self.log_len - covered;
            end = self.scan_uncovered(covered, recovery)?;
        }
        let end = match end {
            Some(end) => end,
            None => self.verify_backwards(&heads)?,
        };
        if self.sums.len()? != self.sums_len {
            self.sums.truncate(self.sums_len)?;
        }
        // What lies behind the last record is torn, not damaged.
        recovery
            .damaged
            .retain(|(position, _)| position.offset < end);
        if end < self.log_len {
            self.cut(end, recovery)
        } else {
            Ok(())
        }
    }

    /// The entries of the sums file that say something about bytes that exist, in order.
    fn heads(&self, recovery: &mut Recovery) -> io::Result<Vec<Head>> {
        let mut sums = Sums::new(Arc::clone(&self.sums));
        let (mut heads, mut covered, mut claimed) = (Vec::new(), 0, 0);
        while let Some(head) = sums.peek()? {
            sums.step_over(&head);
            if head.offset < covered || head.length == 0 {
                continue;
            }
            claimed = head.end();
            if head.offset < self.log_len {
                covered = head.end();
                heads.push(head);
            }
        }
        recovery.missing_bytes = u64::saturating_sub(claimed, self.log_len);
        Ok(heads)
    }

    /// Finds records behind the last checksum and gives them theirs; the answer is where the last of them ends.
    fn scan_uncovered(&mut self, covered: u64, recovery: &mut Recovery) -> io::Result<Option<u64>> {
        let (mut at, mut end, mut bytes) = (covered, None, Vec::new());
        while at < self.log_len {
            let (record_max, scan) = (self.options.record_max, &*self.options.scan);
            let range = at..self.log_len;
            let found;
            (bytes, found) = scan_file(&*self.log, range, record_max, false, scan, bytes)?;
            for run in &found.runs {
                self.add_sums(
                    at + run.span.start as u64,
                    &bytes[run.span.clone()],
                    &run.lengths,
                );
                end = Some(at + run.span.end as u64);
            }
            for span in &found.damaged {
                let position = Position::new(self.id, at + span.start as u64);
                recovery.damaged.push((position, span.len() as u64));
            }
            if found.end == 0 {
                break;
            }
            at += found.end as u64;
        }
        Ok(end)
    }

    /// Records that get no sums because the disk is full are scanned again another time: nothing is lost.
    fn add_sums(&mut self, offset: u64, bytes: &[u8], lengths: &[u32]) {
        let mut entry = Vec::new();
        sums::encode(&mut entry, offset, self.modified_ns, bytes, lengths);
        if self.sums.write_all_at(&entry, self.sums_len).is_ok() {
            self.sums_len += entry.len() as u64;
        }
    }

    /// Looks for the newest good record among those that have checksums; the answer is where it ends. What the
    /// checksums know behind it is forgotten.
    fn verify_backwards(&mut self, heads: &[Head]) -> io::Result<u64> {
        let mut sums = Sums::new(Arc::clone(&self.sums));
        for head in heads.iter().rev() {
            let mut records = Vec::new();
            if !sums.records(head, &mut records)? {
                // Nothing is known about these bytes; the reader will scan them.
                self.sums_len = head.next_at();
                return Ok(head.end().min(self.log_len));
            }
            let n_good = self.n_up_to_last_good(head, &records)?;
            if n_good == records.len() {
                self.sums_len = head.next_at();
                return Ok(head.end());
            }
            self.sums_len = head.at;
            if n_good > 0 {
                return self.shorten(head, &records[..n_good]);
            }
        }
        self.sums_len = 0;
        Ok(0)
    }

    /// How many of the `records` of `head` there are up to the last that is as it must be.
    fn n_up_to_last_good(&self, head: &Head, records: &[RecordSum]) -> io::Result<usize> {
        let bytes = read(&*self.log, head.offset, u64::from(head.length), Vec::new())?;
        let (mut from, mut n_good) = (0, 0);
        for (idx, record) in records.iter().enumerate() {
            let to = from + record.length as usize;
            if bytes
                .get(from..to)
                .is_some_and(|bytes| RecordSum::of(bytes) == *record)
            {
                n_good = idx + 1;
            }
            from = to;
        }
        Ok(n_good)
    }

    fn shorten(&mut self, head: &Head, records: &[RecordSum]) -> io::Result<u64> {
        let mut entry = Vec::new();
        sums::encode_sums(
            &mut entry,
            head.offset,
            head.time_ns,
            records.iter().copied(),
        );
        self.sums.write_all_at(&entry, head.at)?;
        self.sums_len = head.at + entry.len() as u64;
        Ok(head.offset
            + records
                .iter()
                .map(|record| u64::from(record.length))
                .sum::<u64>())
    }

    /// Moves everything behind `end` to the `.torn` file. If it cannot be saved it stays where it is.
    fn cut(&mut self, end: u64, recovery: &mut Recovery) -> io::Result<()> {
        recovery.torn = Some((Position::new(self.id, end), self.log_len - end));
        recovery.torn_saved = self.save_torn(end).is_ok();
        if recovery.torn_saved {
            self.log.truncate(end)?;
            self.log_len = end;
        }
        Ok(())
    }

    fn save_torn(&self, from: u64) -> io::Result<()> {
        let path = torn_path(&self.options.dir, self.id);
        let torn = self.options.disk.open(&path, Access::Write)?;
        let (mut at, mut to, mut bytes) = (from, torn.len()?, Vec::new());
        while at < self.log_len {
            bytes = read(&*self.log, at, COPY_SIZE.min(self.log_len - at), bytes)?;
            if bytes.is_empty() {
                break;
            }
            torn.write_all_at(&bytes, to)?;
            at += bytes.len() as u64;
            to += bytes.len() as u64;
        }
        torn.sync()
    }
}

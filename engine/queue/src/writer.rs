//! Writes chunks, begins the next segment, and does not give up when the disk fails.

use crate::block::Chunk;
use crate::intake::{CHUNK_SIZE, Sealed, Stopping};
use crate::position::Position;
use crate::queue::Shared;
use crate::report::{Blocked, Report, StopError};
use crate::segment::{log_path, sum_path};
use crate::sums;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use stdx::backoff::{Backoff, Schedule};
use stdx::files::{Access, Disk, File};

/// How the writer waits between attempts while the disk fails: from 10 ms, in case it was a hiccup, to 1 s, so that
/// space that was freed is used soon.
const RETRY: Schedule = Schedule {
    first: Duration::from_millis(10),
    longest: Duration::from_secs(1),
    attempts: None,
};
/// How many more attempts a failing write gets when the queue is stopped, so that stopping does not last for ever.
const STOP_ATTEMPTS: u32 = 3;
/// Chunks shorter than this are copied to their size when they are published, so that a slow stream of records does
/// not fill the memory with nearly empty buffers.
const COPY_BELOW: usize = CHUNK_SIZE / 4;

/// The segment that is written to.
#[derive(Clone)]
pub(crate) struct OpenSegment {
    /// Its number.
    pub id: u64,
    /// Its records.
    pub log: Arc<dyn File>,
    /// Its checksums.
    pub sums: Arc<dyn File>,
    /// How long the sums file is.
    pub sums_len: u64,
}

impl OpenSegment {
    /// Makes the empty segment `id`. Leftovers of an attempt that failed halfway are emptied.
    pub fn create(disk: &dyn Disk, dir: &Path, id: u64) -> io::Result<OpenSegment> {
        let log = disk.open(&log_path(dir, id), Access::Write)?;
        let sums = disk.open(&sum_path(dir, id), Access::Write)?;
        for file in [&log, &sums] {
            if !file.is_empty()? {
                file.truncate(0)?;
            }
        }
        Ok(OpenSegment {
            id,
            log,
            sums,
            sums_len: 0,
        })
    }
}

/// The thread that writes.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    segment: OpenSegment,
    /// The sums entry of the chunk in hand; kept for its memory.
    entry: Vec<u8>,
}

/// The queue stops and the disk still fails, for this reason.
struct GaveUp(String);

impl Writer {
    /// A writer that goes on in `segment`.
    pub fn new(shared: Arc<Shared>, segment: OpenSegment) -> Writer {
        Writer {
            shared,
            segment,
            entry: Vec::new(),
        }
    }

    /// Writes until the queue stops.
    pub fn run(mut self) {
        let mut last_write = None;
        while let Some(sealed) = self.shared.intake.next(last_write) {
            let base = sealed.base;
            if let Err(GaveUp(cause)) = self.write(sealed) {
                self.leave_unwritten(base, cause);
                break;
            }
            last_write = Some(Instant::now());
        }
    }

    fn write(&mut self, sealed: Sealed) -> Result<(), GaveUp> {
        let Sealed {
            base,
            bytes,
            lengths,
            closes_segment,
        } = sealed;
        let now_ns = self.shared.options.clock.now_ns();
        self.entry.clear();
        sums::encode(&mut self.entry, base.offset, now_ns, &bytes, &lengths);
        self.insist(base, |writer| {
            writer.segment.log.write_all_at(&bytes, base.offset)?;
            writer
                .segment
                .sums
                .write_all_at(&writer.entry, writer.segment.sums_len)
        })?;
        self.segment.sums_len += self.entry.len() as u64;
        let n_bytes = bytes.len();
        let durable = !self.shared.syncs();
        self.shared
            .tail
            .publish(self.chunk(base, bytes), now_ns, durable);
        self.shared.intake.wrote(n_bytes, lengths);
        self.shared.upkeep.wrote();
        if closes_segment {
            self.roll(base)
        } else {
            Ok(())
        }
    }

    fn chunk(&self, base: Position, bytes: Vec<u8>) -> Arc<Chunk> {
        let pool = &self.shared.chunks;
        if bytes.len() >= COPY_BELOW {
            return Arc::new(Chunk {
                base,
                bytes,
                pool: Some(Arc::clone(pool)),
            });
        }
        let copy = bytes.as_slice().to_vec();
        pool.give(bytes);
        Arc::new(Chunk {
            base,
            bytes: copy,
            pool: None,
        })
    }

    /// Begins the next segment. Syncing the old one is the keeper's work.
    fn roll(&mut self, base: Position) -> Result<(), GaveUp> {
        let id = base.segment + 1;
        self.insist(Position::new(id, 0), |writer| {
            let options = &writer.shared.options;
            let next = OpenSegment::create(&*options.disk, &options.dir, id)?;
            let closed = std::mem::replace(&mut writer.segment, next);
            writer.shared.upkeep.rolled(closed, writer.segment.clone());
            Ok(())
        })?;
        let durable = !self.shared.syncs();
        self.shared
            .tail
            .begin_segment(id, self.shared.options.clock.now_ns(), durable);
        self.shared.judge_backpressure();
        Ok(())
    }

    /// Does `work` again and again until it succeeds; the intake is closed meanwhile.
    fn insist(
        &mut self,
        position: Position,
        mut work: impl FnMut(&mut Writer) -> io::Result<()>,
    ) -> Result<(), GaveUp> {
        let mut backoff = Backoff::new(RETRY);
        let mut n_attempts_left = STOP_ATTEMPTS;
        let mut last_cause = String::new();
        while let Err(error) = work(self) {
            let cause = error.to_string();
            if cause != last_cause {
                self.fail(position, &error);
                last_cause = cause.clone();
            }
            let wait = backoff.next_wait().expect("the schedule has no end");
            match self.shared.intake.pause(wait) {
                Stopping::No => {}
                Stopping::Flush if n_attempts_left > 0 => n_attempts_left -= 1,
                Stopping::Flush | Stopping::Abort => return Err(GaveUp(cause)),
            }
        }
        if backoff.n_waits() > 0 {
            self.shared.intake.set_failing(None);
            let n_failures = backoff.n_waits();
            self.shared.report(Report::WriteRecovered {
                position,
                n_failures,
            });
        }
        Ok(())
    }

    fn fail(&self, position: Position, error: &io::Error) {
        let cause = error.to_string();
        let full = matches!(
            error.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        );
        let blocked = if full {
            Blocked::DiskFull
        } else {
            Blocked::WriteError(cause.clone())
        };
        self.shared.intake.set_failing(Some(blocked));
        self.shared.report(Report::WriteFailed { position, cause });
    }

    /// Leaves the files as they were after the last chunk that was published, as far as the disk allows; recovery
    /// would do the same.
    fn leave_unwritten(&mut self, from: Position, cause: String) {
        let written = self.shared.tail.lock().written;
        if written.segment == self.segment.id {
            let _best_effort = self.segment.log.truncate(written.offset);
            let _best_effort = self.segment.sums.truncate(self.segment.sums_len);
        }
        let bytes = self.shared.intake.unwritten() as u64;
        if bytes > 0 {
            self.shared
                .set_stop_error(StopError::Unwritten { from, bytes, cause });
        }
    }
}

//! What the operator may choose for a queue.

use crate::position::Position;
use crate::report::{OpenError, Report};
use crate::scan::Scan;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use stdx::clock::{Clock, RealClock};
use stdx::files::{Disk, RealDisk};

/// Says what lies at the start of some bytes; how a queue finds records where it has no checksums. It must not panic
/// on any bytes. The better it looks (also into the message), the more damage is found.
pub type ScanFn = Arc<dyn Fn(&[u8]) -> Scan + Send + std::marker::Sync>;

/// Is told what happens to a queue, on the thread where it happens; should be quick, must not panic and must not call
/// the queue.
pub type ReportFn = Arc<dyn Fn(Report) + Send + std::marker::Sync>;

/// When records are brought to the disk itself, so that they survive a loss of power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sync {
    /// At once. Records that come while a sync is under way share the next one.
    Always,
    /// As often as this. At least 1 ms.
    Interval(Duration),
    /// When the kernel sees fit. `durable` then follows `written`.
    Never,
}

/// How a queue is opened.
#[derive(Clone)]
pub struct Options {
    /// The directory with the segments; made if it is missing. No other queue may use it at the same time.
    pub dir: PathBuf,
    /// A segment that has this many bytes or more after a record is closed and the next begins.
    /// Default 64 MiB (Hindsight's `output_size`), minimum 1.
    pub segment_size: u64,
    /// Longest record in bytes, frame included; longer ones are refused. Default 16 MiB, minimum 1, maximum 1 GiB.
    pub record_max: usize,
    /// When records become durable. Default [`Sync::Interval`] of one second.
    pub sync: Sync,
    /// How many segments the slowest reader's read position may lie behind before the intake is closed; it opens
    /// when the slowest reader has reached the writer's segment. Default 0: no limit.
    pub backpressure: u64,
    /// The intake is closed while fewer bytes than this are free on the file system. Default 0: no limit.
    pub disk_free_min: u64,
    /// Segments that everybody has released are kept for replay while they have at most this many bytes together.
    /// Default `None`: see `keep_age`. `Some(u64::MAX)` keeps all.
    pub keep_bytes: Option<u64>,
    /// Segments that everybody has released are kept for replay while their last record is younger than this.
    /// Default `None`. With neither limit they are deleted at once; with both the stricter one holds. While no
    /// reader lives, nothing is deleted unless one of the two limits is given.
    pub keep_age: Option<Duration>,
    /// Deletes the oldest segments, **also unread ones**, while all segments together have more bytes than this.
    /// Default `None`: never.
    pub max_bytes: Option<u64>,
    /// Deletes segments, **also unread ones**, whose last record is older than this. Default `None`: never.
    pub max_age: Option<Duration>,
    /// The highest position that any checkpoint names; opening makes sure that no new record gets a lower one, even
    /// if a loss of power has taken the records in between. Default `0:0`.
    pub at_least: Position,
    /// Finds records where no checksum covers them.
    pub scan: ScanFn,
    /// Is told what happens. Default: nobody.
    pub report: ReportFn,
    /// Where the files live. Default: the real disk.
    pub disk: Arc<dyn Disk>,
    /// What time it is. Default: the real clock.
    pub clock: Arc<dyn Clock>,
}

/// The hard limit of [`Options::record_max`]: lengths are 32 bits wide in the sums file.
const RECORD_MAX_LIMIT: usize = 1 << 30;

impl Options {
    /// The defaults for a queue in `dir`.
    pub fn new(dir: impl Into<PathBuf>, scan: ScanFn) -> Options {
        Options {
            dir: dir.into(),
            segment_size: 64 << 20,
            record_max: 16 << 20,
            sync: Sync::Interval(Duration::from_secs(1)),
            backpressure: 0,
            disk_free_min: 0,
            keep_bytes: None,
            keep_age: None,
            max_bytes: None,
            max_age: None,
            at_least: Position::default(),
            scan,
            report: Arc::new(|_| {}),
            disk: Arc::new(RealDisk),
            clock: Arc::new(RealClock::new()),
        }
    }

    /// Refuses values outside their ranges.
    pub(crate) fn check(&self) -> Result<(), OpenError> {
        let bad = |what| Err(OpenError::Option(what));
        if self.segment_size == 0 {
            return bad("segment_size must be at least 1 byte");
        }
        if self.record_max == 0 || self.record_max > RECORD_MAX_LIMIT {
            return bad("record_max must be between 1 byte and 1 GiB");
        }
        if matches!(self.sync, Sync::Interval(interval) if interval < Duration::from_millis(1)) {
            return bad("the sync interval must be at least 1 ms");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_out_of_range_are_named() {
        let options = || Options::new("/x", Arc::new(|_| Scan::Partial));
        assert!(options().check().is_ok());
        let cases: [(Options, &str); 4] = [
            (
                Options {
                    segment_size: 0,
                    ..options()
                },
                "segment_size",
            ),
            (
                Options {
                    record_max: 0,
                    ..options()
                },
                "record_max",
            ),
            (
                Options {
                    record_max: 2 << 30,
                    ..options()
                },
                "record_max",
            ),
            (
                Options {
                    sync: Sync::Interval(Duration::ZERO),
                    ..options()
                },
                "sync interval",
            ),
        ];
        for (options, word) in cases {
            let text = options.check().expect_err(word).to_string();
            assert!(text.contains(word), "{text}");
        }
    }
}

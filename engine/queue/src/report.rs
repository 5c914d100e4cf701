//! What a queue says: errors to its callers, reports to the host, its state to whoever asks.

use crate::position::Position;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a record was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The queue was stopped; it takes nothing any more.
    #[error("the queue is stopped")]
    Stopped,
    /// The intake stayed closed or full for as long as the caller wanted to wait. Trying again may help.
    #[error("the queue took nothing in time")]
    TimedOut,
    /// The record is longer than `record_max`.
    #[error("a record of {length} bytes exceeds the limit of {limit}")]
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A record has at least one byte.
    #[error("a record without bytes")]
    Empty,
}

/// Why a queue could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file or directory could not be used.
    #[error("cannot {doing} {path}: {source}", path = path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// An option is out of its range.
    #[error("{0}")]
    Option(&'static str),
    /// The two threads of the queue could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
}

/// Why a reader got nothing. Its position is unchanged; trying again may help.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The segment could not be read.
    #[error("cannot read the queue at {position}: {source}")]
    Io {
        /// Where the reader stands.
        position: Position,
        /// What the system says.
        source: io::Error,
    },
}

/// Why a stop was not clean.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StopError {
    /// These records were appended but could not be written; nobody was told that they are safe.
    #[error("{bytes} bytes from {from} on could not be written: {cause}")]
    Unwritten {
        /// Where they would have begun.
        from: Position,
        /// How many bytes they have.
        bytes: u64,
        /// What the system says.
        cause: String,
    },
    /// Everything is in the kernel, but the last sync failed.
    #[error("the last sync failed: {cause}")]
    Unsynced {
        /// What the system says.
        cause: String,
    },
    /// A thread of the queue has panicked, which is a defect of the queue.
    #[error("a thread of the queue has panicked")]
    Panicked,
}

/// Why the intake is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocked {
    /// A reader is too far behind.
    Reader {
        /// Its name.
        name: String,
        /// How many segments it is behind.
        segments: u64,
    },
    /// Fewer than `disk_free_min` bytes are free.
    DiskFree {
        /// How many bytes are free.
        free: u64,
        /// How many there must be.
        wanted: u64,
    },
    /// The disk is full; the writer tries again.
    DiskFull,
    /// Writing fails for another reason; the writer tries again.
    WriteError(String),
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Blocked::Reader { name, segments } => {
                write!(f, "reader '{name}' is {segments} segments behind")
            }
            Blocked::DiskFree { free, wanted } => {
                write!(f, "{free} bytes are free on the disk, fewer than {wanted}")
            }
            Blocked::DiskFull => write!(f, "the disk is full"),
            Blocked::WriteError(cause) => write!(f, "writing fails: {cause}"),
        }
    }
}

/// Something that happened to a queue and that somebody may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// Bytes that are no undamaged record were skipped (data at risk).
    Damaged {
        /// Who met them; `recovery` for those found when the queue was opened.
        reader: String,
        /// Where they begin.
        position: Position,
        /// How many there are.
        length: u64,
    },
    /// A reader skipped segments that do not exist (data at risk).
    Missing {
        /// Who skipped them.
        reader: String,
        /// The first that is missing.
        segment: u64,
        /// How many are missing.
        count: u64,
    },
    /// A reader was to start behind the end of its segment; it goes on at the end (data at risk).
    BeyondEnd {
        /// Which reader.
        reader: String,
        /// Where it was.
        position: Position,
        /// Where it goes on.
        end: Position,
    },
    /// A write failed; the intake is closed until it works (data at risk).
    WriteFailed {
        /// Where in the queue.
        position: Position,
        /// What the system says.
        cause: String,
    },
    /// Writing works again.
    WriteRecovered {
        /// Where in the queue.
        position: Position,
        /// How often it had failed.
        n_failures: u32,
    },
    /// A sync failed; what it was for will be written and synced again (data at risk).
    SyncFailed {
        /// The segment whose sync failed.
        segment: u64,
        /// What the system says.
        cause: String,
    },
    /// The intake was closed.
    BackpressureApplied(Blocked),
    /// The intake is open again.
    BackpressureReleased,
    /// A segment that everybody has released was deleted.
    Deleted {
        /// Which one.
        segment: u64,
        /// Its bytes.
        bytes: u64,
    },
    /// A segment was deleted because of `max_bytes` or `max_age` though somebody had not released it (data lost).
    DeletedUnread {
        /// Which one.
        segment: u64,
        /// Its bytes.
        bytes: u64,
        /// Who had not released it.
        readers: Vec<String>,
    },
    /// A segment could not be deleted; it will be tried again.
    DeleteFailed {
        /// Which one.
        segment: u64,
        /// What the system says.
        cause: String,
    },
    /// A segment was closed while nobody reads the queue and no option limits what is kept: it will grow.
    NobodyReads {
        /// Bytes of all segments.
        bytes: u64,
    },
}

impl Report {
    /// Whether data are at risk or lost, so that somebody must act.
    pub fn is_error(&self) -> bool {
        use Report::*;
        match self {
            Damaged { .. } | Missing { .. } | BeyondEnd { .. } | DeletedUnread { .. } => true,
            WriteFailed { .. } | SyncFailed { .. } => true,
            WriteRecovered { .. } | BackpressureApplied(_) | BackpressureReleased => false,
            Deleted { .. } | DeleteFailed { .. } | NobodyReads { .. } => false,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Report::*;
        match self {
            Damaged {
                reader,
                position,
                length,
            } => {
                write!(f, "{reader} skipped {length} damaged bytes at {position}")
            }
            Missing {
                reader,
                count,
                segment,
            } => {
                write!(
                    f,
                    "{reader} skipped {count} missing files from {segment}.log on"
                )
            }
            BeyondEnd {
                reader,
                position,
                end,
            } => {
                write!(
                    f,
                    "{reader} was at {position}, behind the end of its segment; now at {end}"
                )
            }
            WriteFailed { position, cause } => {
                write!(
                    f,
                    "cannot write at {position}, the intake is closed: {cause}"
                )
            }
            SyncFailed { segment, cause } => {
                write!(
                    f,
                    "cannot sync {segment}.log, it will be written again: {cause}"
                )
            }
            DeletedUnread {
                segment,
                bytes,
                readers,
            } => {
                let readers = readers.join(", ");
                write!(
                    f,
                    "deleted {segment}.log ({bytes} bytes) before it was read by {readers}"
                )
            }
            WriteRecovered { .. } | BackpressureApplied(_) | BackpressureReleased => {
                self.fmt_news(f)
            }
            Deleted { .. } | DeleteFailed { .. } | NobodyReads { .. } => self.fmt_news(f),
        }
    }
}

impl Report {
    /// The text of those that are no error; the others have theirs above.
    fn fmt_news(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Report::*;
        match self {
            WriteRecovered {
                position,
                n_failures,
            } => {
                write!(
                    f,
                    "writing works again at {position} after {n_failures} failures"
                )
            }
            BackpressureApplied(blocked) => write!(f, "applying backpressure ({blocked})"),
            BackpressureReleased => write!(f, "releasing backpressure"),
            Deleted { segment, bytes } => write!(f, "deleted {segment}.log ({bytes} bytes)"),
            DeleteFailed { segment, cause } => write!(f, "cannot delete {segment}.log: {cause}"),
            NobodyReads { bytes } => {
                write!(
                    f,
                    "nobody reads this queue and nothing limits it; it has {bytes} bytes"
                )
            }
            _ => Ok(()),
        }
    }
}

/// What opening found and did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovery {
    /// Where the next record will be.
    pub end: Position,
    /// How many segments there are.
    pub n_segments: usize,
    /// How many bytes of the last segment had no checksums and were scanned for records.
    pub scanned_bytes: u64,
    /// Places of bytes between records that are no record, with their lengths; they stay in the file.
    pub damaged: Vec<(Position, u64)>,
    /// The torn tail that was cut: its place and length.
    pub torn: Option<(Position, u64)>,
    /// Whether the torn tail was saved to `<id>.torn`. If that failed it was left where it was.
    pub torn_saved: bool,
    /// How many bytes the checksums know of that the segment no longer has: written before the crash, never synced.
    pub missing_bytes: u64,
}

impl Recovery {
    /// Whether anything was lost or cut.
    pub fn is_clean(&self) -> bool {
        self.damaged.is_empty() && self.torn.is_none() && self.missing_bytes == 0
    }
}

/// How a queue is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Behind the last appended record.
    pub appended: Position,
    /// Everything before this is in the kernel.
    pub written: Position,
    /// Everything before this survives a loss of power, as far as the sync policy asks for it.
    pub durable: Position,
    /// Why the intake is closed, if it is.
    pub blocked: Option<Blocked>,
    /// The oldest segment that exists.
    pub oldest_segment: u64,
    /// How many segments exist.
    pub n_segments: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Everybody who reads or holds.
    pub readers: Vec<ReaderState>,
}

/// How a reader is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderState {
    /// Its name.
    pub name: String,
    /// What it will read next; `None` for a hold, which does not read.
    pub position: Option<Position>,
    /// Everything before this may be deleted as far as it is concerned.
    pub released: Position,
    /// Bytes between its position (a hold's release) and the writer.
    pub lag_bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_name_the_place_and_the_reader() {
        let position = Position::new(3, 40);
        let report = Report::Damaged {
            reader: "output.x".into(),
            position,
            length: 7,
        };
        assert_eq!(
            report.to_string(),
            "output.x skipped 7 damaged bytes at 3:40"
        );
        assert!(report.is_error());
        let report = Report::Missing {
            reader: "output.x".into(),
            segment: 4,
            count: 2,
        };
        assert_eq!(
            report.to_string(),
            "output.x skipped 2 missing files from 4.log on"
        );
        let blocked = Blocked::Reader {
            name: "output.x".into(),
            segments: 9,
        };
        let report = Report::BackpressureApplied(blocked);
        assert_eq!(
            report.to_string(),
            "applying backpressure (reader 'output.x' is 9 segments behind)"
        );
        assert!(!report.is_error());
    }
}

//! The segmented, durable log between the stages; it knows bytes and positions, never what a message means.
//!
//! # What it promises
//!
//! - Records come out in the order in which they went in, byte for byte; a record never changes after
//!   [`Queue::append`].
//! - A record that [`Queue::written`] has reached is in the kernel and survives the death of the process. That
//!   happens within 10 ms of `append`, mostly within a fraction of a millisecond, unless the disk does not keep up.
//! - A record that [`Queue::durable`] has reached survives a loss of power, as far as [`Sync`] asks for that.
//! - Readers see a record only once it is in the kernel.
//! - After a crash every whole record is kept, a torn tail is cut and set aside in `<id>.torn`, and everything that
//!   is lost is reported with its place. Damage costs the damaged records and no others.
//! - A full or failing disk blocks the intake; it loses nothing that was acknowledged, and work goes on by itself
//!   when the disk does.
//!
//! # What it does not promise
//!
//! - `append` alone acknowledges nothing: a record is safe when the position it returned is written or durable.
//! - Bytes that no checksum covers (written by Hindsight, or in the last moment before a crash) are taken as they
//!   are where [`Options::scan`] finds a record. A scan that looks into the message finds more damage.
//!
//! # The way of a record
//!
//! `intake.rs` gathers records into a chunk in memory; `writer.rs` writes the whole chunk with one call, its
//! checksums (`sums.rs`) with a second, and publishes it in `tail.rs`, where every near reader shares it. Far readers
//! (`reader.rs`, `fetch.rs`) read it back from disk. `keeper.rs` syncs, closes and opens the intake
//! (`backpressure.rs`) and deletes what everybody has released (`purge.rs`). `recover.rs` opens what a crash left.
//!
//! # Example
//!
//! ```
//! use queue::{Options, Queue, Scan, Start};
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! // Records here are lines; Foresight's are framed Heka messages.
//! let line = |bytes: &[u8]| match bytes.iter().position(|byte| *byte == b'\n') {
//!     Some(end) => Scan::Record(end + 1),
//!     None => Scan::Partial,
//! };
//! let (queue, _recovery) = Queue::open(Options::new(dir.path(), Arc::new(line)))?;
//! let mut reader = queue.reader("example", Start::Oldest);
//! let end = queue.append(b"hello\n")?;
//! let block = reader.next(Duration::from_secs(10))?.expect("one record was appended");
//! assert_eq!((block.bytes(), block.end()), (&b"hello\n"[..], end));
//! reader.release(block.end());
//! queue.stop()?;
//! # Ok(())
//! # }
//! ```

mod backpressure;
mod block;
mod fetch;
mod intake;
mod keeper;
mod options;
mod position;
mod purge;
mod queue;
mod reader;
mod recover;
mod report;
mod scan;
mod segment;
mod signal;
mod sums;
mod tail;
mod writer;

pub use block::Block;
pub use options::{Options, ReportFn, ScanFn, Sync};
pub use position::{Position, PositionError};
pub use queue::Queue;
pub use reader::{Hold, Reader, Start};
pub use report::{
    AppendError, Blocked, OpenError, ReadError, ReaderState, Recovery, Report, State, StopError,
};
pub use scan::Scan;
pub use signal::Signal;

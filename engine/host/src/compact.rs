//! `foresight compact`: small Parquet files of a lake become large ones, partition by partition.
//!
//! Whenever it is ended, no row is lost, and the next run completes what was begun. In a partition first a journal is put
//! that names the old files, then the new file, whose name is made of theirs and their bytes; then the old ones are removed,
//! and at last the journal. Between the second and the third step readers see rows twice, but never less than all: that is
//! why the new file comes first. What compactions put beside the data begins with `_`, which readers of lakes leave out.
//!
//! Only files of some age are touched. An output that was ended while it carried a file carries it again under the same key;
//! if the file had become a part of another one meanwhile, its rows would be there twice.

mod claim;
mod journal;
mod lake;
mod partition;
mod plan;

use std::fmt;
use std::io::Write;
use std::time::Duration;

use lake::Lake;
use partition::Partition;

pub use lake::Trouble;

/// What to compact, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The lake: a folder, or `s3://bucket/prefix`.
    pub store: String,
    /// Only partitions whose keys begin so.
    pub prefix: String,
    /// New files have up to so many bytes, as far as compression lets one foresee it.
    pub target_size: u64,
    /// Files of fewer bytes are small.
    pub small: u64,
    /// So many small files that fit together become one; fewer stay.
    pub min_files: usize,
    /// Only files that were put at least so long ago, by the store's clock.
    pub older_than: Duration,
    /// Bytes of memory to work with, about.
    pub memory: usize,
    /// How new files are compressed.
    pub compression: String,
    /// Whether only to tell what would be done.
    pub dry_run: bool,
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Partitions that were looked at.
    pub n_partitions: u64,
    /// Small files that became parts of others.
    pub n_old: u64,
    /// What they became.
    pub n_new: u64,
    /// Rows of these.
    pub n_rows: u64,
    /// Bytes of the small files.
    pub bytes_old: u64,
    /// Bytes of the new ones.
    pub bytes_new: u64,
    /// Partitions in which somebody else was at work.
    pub n_busy: u64,
    /// Files and partitions that were left alone because something is wrong with them.
    pub n_faults: u64,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (old, new) = (megabytes(self.bytes_old), megabytes(self.bytes_new));
        write!(
            f,
            "{} partitions: {} files, {old}, became {}, {new}, with {} rows; {} partitions busy, {} faults",
            self.n_partitions, self.n_old, self.n_new, self.n_rows, self.n_busy, self.n_faults
        )
    }
}

/// Bytes for people.
fn megabytes(bytes: u64) -> String {
    format!("{:.2} MiB", bytes as f64 / f64::from(1 << 20))
}

/// Compacts a lake; tells what it does on `out`, and what is wrong with files and partitions on `reports`.
///
/// # Errors
/// When the options make no sense, or the store cannot be listed.
pub fn compact(
    options: &Options,
    out: &mut dyn Write,
    reports: &mut dyn Write,
) -> Result<Summary, Trouble> {
    columnar::merge::check_compression(&options.compression)
        .map_err(|reason| Trouble::new(&options.compression, reason))?;
    let lake = Lake::open(&options.store)?;
    compact_lake(&lake, options, out, reports)
}

/// What is seen of a partition while the store is listed.
#[derive(Default)]
struct Seen {
    folder: String,
    n_small: usize,
    /// Whether something lies there that a compaction left.
    is_begun: bool,
}

impl Seen {
    fn of(folder: &str) -> Seen {
        Seen {
            folder: folder.to_owned(),
            ..Seen::default()
        }
    }
}

fn compact_lake(
    lake: &Lake,
    options: &Options,
    out: &mut dyn Write,
    reports: &mut dyn Write,
) -> Result<Summary, Trouble> {
    let mut summary = Summary::default();
    let mut listing = lake.listing(&options.prefix);
    let mut seen: Option<Seen> = None;
    loop {
        let entry = lake.next(&mut listing, &options.store)?;
        let (folder, name) = match &entry {
            Some(entry) => entry.key.rsplit_once('/').unwrap_or(("", &entry.key)),
            None => ("", ""),
        };
        if seen
            .as_ref()
            .is_some_and(|seen| entry.is_none() || seen.folder != folder)
            && let Some(done) = seen.take()
        {
            visit(&done, lake, options, &mut summary, (out, reports));
        }
        let Some(entry) = &entry else {
            return Ok(summary);
        };
        let seen = seen.get_or_insert_with(|| Seen::of(folder));
        seen.n_small += usize::from(partition::is_data(name) && entry.size < options.small);
        seen.is_begun |= name.starts_with(claim::PREFIX);
    }
}

fn visit(
    seen: &Seen,
    lake: &Lake,
    options: &Options,
    summary: &mut Summary,
    (out, reports): (&mut dyn Write, &mut dyn Write),
) {
    // What begins so is nobody's partition: readers leave it out.
    let is_hidden = seen
        .folder
        .split('/')
        .any(|part| part.starts_with(['_', '.']));
    if is_hidden
        || !seen
            .folder
            .starts_with(options.prefix.trim_end_matches('/'))
    {
        return;
    }
    summary.n_partitions += 1;
    if seen.n_small < options.min_files && !seen.is_begun {
        return;
    }
    let mut partition = Partition {
        lake,
        folder: &seen.folder,
        options,
        summary,
        out,
        reports,
    };
    if let Err(trouble) = partition.compact() {
        summary.n_faults += 1;
        let _ = writeln!(reports, "{trouble}");
    }
}

#[cfg(test)]
mod tests;

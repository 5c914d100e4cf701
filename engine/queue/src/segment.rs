//! One numbered file of records and its companions: their names, and how they are listed.
//!
//! `<id>.log` holds framed records one behind the other and nothing else, so that Hindsight's tools read it.
//! `<id>.sum` holds its checksums (see `sums.rs`); a segment without it can be read all the same.
//! `<id>.torn` holds what recovery cut from the end of the segment; nothing reads it.

use crate::position::number;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use stdx::files::Disk;

/// What is known about a segment without opening it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct SegmentInfo {
    /// Its length; for the last segment, how much of it is written.
    pub bytes: u64,
    /// When it was last written, in nanoseconds since 1970.
    pub newest_ns: i64,
}

/// The file with the records of segment `id`.
pub(crate) fn log_path(dir: &Path, id: u64) -> PathBuf {
    dir.join(format!("{id}.log"))
}

/// The file with the checksums of segment `id`.
pub(crate) fn sum_path(dir: &Path, id: u64) -> PathBuf {
    dir.join(format!("{id}.sum"))
}

/// The file with what was cut from segment `id`.
pub(crate) fn torn_path(dir: &Path, id: u64) -> PathBuf {
    dir.join(format!("{id}.torn"))
}

/// All segments of `dir`. Files with other names are left alone, also such as `007.log`, which no queue makes.
pub(crate) fn list(disk: &dyn Disk, dir: &Path) -> io::Result<BTreeMap<u64, SegmentInfo>> {
    let mut segments = BTreeMap::new();
    for name in disk.list(dir)? {
        let Some(id) = name.strip_suffix(".log").and_then(number) else {
            continue;
        };
        let path = log_path(dir, id);
        if path
            .file_name()
            .is_some_and(|canonical| canonical == name.as_str())
        {
            let info = SegmentInfo {
                bytes: disk.len(&path)?,
                newest_ns: disk.modified_ns(&path)?,
            };
            segments.insert(id, info);
        }
    }
    Ok(segments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stdx::faulty::FaultyDisk;

    #[test]
    fn only_segments_are_listed() {
        let disk = FaultyDisk::new();
        for name in [
            "0.log",
            "12.log",
            "12.sum",
            "007.log",
            "x.log",
            ".log",
            "+1.log",
            "3.log.tmp",
        ] {
            disk.put(&Path::new("/q").join(name), b"abc");
        }
        let segments = list(&disk, Path::new("/q")).expect("listed");
        assert_eq!(segments.keys().copied().collect::<Vec<_>>(), [0, 12]);
        assert_eq!(segments[&12].bytes, 3);
    }
}

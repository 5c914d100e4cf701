//! One file of a spool while it grows: a small buffer, a handle that may be closed meanwhile, and never a torn record.

use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice, Write};
use std::path::Path;

/// Bytes kept before they go to the kernel; a longer record goes there at once. Small, because there may be thousands of
/// files, and a system call for each page is little beside what fills it.
pub(super) const BUFFER: usize = 4096;

/// A file that grows.
#[derive(Debug)]
pub(super) struct Part {
    /// Its name.
    pub(super) name: String,
    /// When it was begun, in seconds since 1970.
    pub(super) begun_s: i64,
    /// The count of writes at its last one.
    pub(super) used: u64,
    /// Whether it is to be finished before the next message.
    pub(super) is_full: bool,
    file: Option<File>,
    /// Bytes that the kernel has.
    written: u64,
    unwritten: Vec<u8>,
    /// Whether the kernel has bytes that the disk may not have.
    is_dirty: bool,
}

impl Part {
    /// A file with so many bytes, which is not open.
    pub(super) fn new(name: String, begun_s: i64, written: u64) -> Part {
        Part {
            name,
            begun_s,
            used: 0,
            is_full: false,
            file: None,
            written,
            unwritten: Vec::new(),
            is_dirty: false,
        }
    }

    /// Its length with what is not yet written.
    pub(super) fn size(&self) -> u64 {
        self.written + self.unwritten.len() as u64
    }

    pub(super) fn is_open(&self) -> bool {
        self.file.is_some()
    }

    /// Whether it has a buffer now.
    pub(super) fn has_buffer(&self) -> bool {
        self.unwritten.capacity() > 0
    }

    fn open(&mut self, dir: &Path) -> io::Result<&mut File> {
        if self.file.is_none() {
            let opened = OpenOptions::new()
                .append(true)
                .create(true)
                .open(dir.join(&self.name))?;
            self.file = Some(opened);
        }
        Ok(self.file.as_mut().expect("it was opened above"))
    }

    /// Adds a record, wholly or not at all.
    pub(super) fn append(&mut self, dir: &Path, record: &[u8]) -> io::Result<()> {
        if self.unwritten.len() + record.len() <= BUFFER {
            self.open(dir)?;
            self.unwritten.reserve_exact(BUFFER - self.unwritten.len());
            self.unwritten.extend_from_slice(record);
            return Ok(());
        }
        self.push_out(dir, record)
    }

    /// Hands everything to the kernel.
    pub(super) fn flush(&mut self, dir: &Path) -> io::Result<()> {
        match self.unwritten.is_empty() {
            true => Ok(()),
            false => self.push_out(dir, &[]),
        }
    }

    fn push_out(&mut self, dir: &Path, record: &[u8]) -> io::Result<()> {
        let unwritten = std::mem::take(&mut self.unwritten);
        let written = self.written;
        let file = self.open(dir)?;
        if let Err(error) = write_both(file, &unwritten, record) {
            // If this fails too, the first error is the one that says why; the next start cuts what is torn.
            let _ = file.set_len(written);
            self.unwritten = unwritten;
            return Err(error);
        }
        self.written += (unwritten.len() + record.len()) as u64;
        self.is_dirty = true;
        Ok(())
    }

    /// Brings everything to the disk.
    pub(super) fn sync(&mut self, dir: &Path) -> io::Result<()> {
        self.flush(dir)?;
        if self.is_dirty {
            let was_open = self.is_open();
            self.open(dir)?.sync_data()?;
            self.is_dirty = false;
            if !was_open {
                self.file = None;
            }
        }
        Ok(())
    }

    /// Hands everything to the kernel and gives the handle back.
    pub(super) fn close(&mut self, dir: &Path) -> io::Result<()> {
        self.flush(dir)?;
        self.file = None;
        self.unwritten = Vec::new();
        Ok(())
    }
}

fn write_both(file: &mut File, first: &[u8], second: &[u8]) -> io::Result<()> {
    let mut parts = [IoSlice::new(first), IoSlice::new(second)];
    let mut rest = &mut parts[..];
    // Drops empty ones at the begin.
    IoSlice::advance_slices(&mut rest, 0);
    while !rest.is_empty() {
        match file.write_vectored(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => IoSlice::advance_slices(&mut rest, n),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_out_in_order_whatever_their_size_and_though_the_file_is_closed_meanwhile() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut part = Part::new("a".into(), 0, 0);
        let mut expected = Vec::new();
        for n in 0..200_usize {
            let record = vec![n as u8; n * 61 % 9000];
            part.append(folder.path(), &record).expect("written");
            expected.extend(record);
            assert_eq!(part.size(), expected.len() as u64);
            if n % 7 == 0 {
                part.close(folder.path()).expect("closed");
                assert!(!part.is_open() && !part.has_buffer());
            }
        }
        part.sync(folder.path()).expect("synced");
        assert_eq!(
            std::fs::read(folder.path().join("a")).expect("read"),
            expected
        );
    }

    #[test]
    fn a_full_disk_leaves_no_part_of_a_record() {
        let mut part = Part::new("full".into(), 0, 0);
        let dev = Path::new("/dev");
        assert!(part.append(dev, &[1; BUFFER + 1]).is_err());
        assert_eq!(part.size(), 0);
        part.append(dev, &[1; 10]).expect("kept in memory");
        assert!(part.append(dev, &[1; BUFFER]).is_err() && part.flush(dev).is_err());
        assert_eq!(part.size(), 10);
    }
}

//! A file that only grows, record by record: opened again after a crash, it loses its torn last record and no other.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use schemas::frame::{Scan, scan};

/// Bytes kept before they go to the kernel.
pub const BUFFER_SIZE: usize = 64 * 1024;
/// How much of a file is looked at in one step while its end is repaired.
const BLOCK: usize = 256 * 1024;
/// The largest message a frame can claim before it counts as garbage: larger than any engine accepts.
const MAX_MESSAGE: usize = 64 * 1024 * 1024;

/// Where one record of a file ends and the next begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frames {
    /// After each line end.
    Lines,
    /// After each framed Heka message.
    Heka,
    /// Nobody knows: nothing is ever cut.
    None,
}

/// A file open for appending.
pub struct AppendFile {
    path: PathBuf,
    frames: Frames,
    file: Option<File>,
    /// Bytes of the file that the kernel has.
    written: u64,
    unwritten: Vec<u8>,
}

impl AppendFile {
    /// Opens or creates `path`. A torn last record is cut off and kept beside it, in `path.torn`.
    ///
    /// # Errors
    /// The system's.
    pub fn open(path: &Path, frames: Frames) -> io::Result<AppendFile> {
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).open(path)?;
        let len = file.metadata()?.len();
        let whole = whole_len(&file, len, frames)?;
        if whole < len {
            keep_torn(&file, path, whole)?;
            file.set_len(whole)?;
        }
        Ok(AppendFile {
            path: path.to_owned(),
            frames,
            file: Some(file),
            written: whole,
            unwritten: Vec::with_capacity(BUFFER_SIZE),
        })
    }

    /// Adds the parts of one record. They reach the kernel together; a failed call leaves none of them.
    ///
    /// # Errors
    /// The system's.
    pub fn write<'p>(&mut self, parts: impl Iterator<Item = &'p [u8]>) -> io::Result<()> {
        let start = self.unwritten.len();
        let mut parts = parts;
        let added = parts.try_for_each(|part| {
            self.unwritten.extend_from_slice(part);
            Ok::<(), io::Error>(())
        });
        if self.unwritten.len() > BUFFER_SIZE {
            // What came before goes first, so that a failure never divides this record from the others.
            if let Err(error) = self.push_out(start) {
                let own = self.unwritten.len() - start.min(self.unwritten.len());
                self.unwritten.truncate(self.unwritten.len() - own);
                return Err(error);
            }
            if self.unwritten.len() > BUFFER_SIZE {
                return self.flush_record();
            }
        }
        added
    }

    /// A record larger than the buffer goes out at once, wholly or not at all.
    fn flush_record(&mut self) -> io::Result<()> {
        let result = self.flush();
        if result.is_err() {
            self.unwritten.clear();
        }
        self.unwritten.shrink_to(BUFFER_SIZE);
        result
    }

    /// Hands everything to the kernel, where it is safe from the end of the program.
    ///
    /// # Errors
    /// The system's; what was not written is kept for the next attempt.
    pub fn flush(&mut self) -> io::Result<()> {
        self.push_out(self.unwritten.len())
    }

    /// Writes the first `count` bytes of the buffer. When the kernel takes only a part of them, the file is cut back,
    /// so that it never ends in the middle of a record.
    fn push_out(&mut self, count: usize) -> io::Result<()> {
        if count == 0 {
            return Ok(());
        }
        let file = self.file.as_mut().ok_or_else(closed)?;
        if let Err(error) = file.write_all(&self.unwritten[..count]) {
            // If this fails too, the first error is the one that says why; the next start cuts what is torn.
            let _ = file.set_len(self.written);
            return Err(error);
        }
        self.written += count as u64;
        self.unwritten.drain(..count);
        Ok(())
    }

    /// The length of the file with what is not yet written.
    pub fn size(&self) -> u64 {
        self.written + self.unwritten.len() as u64
    }

    /// Waits until everything is on the disk, safe from a power failure.
    ///
    /// # Errors
    /// The system's.
    pub fn sync(&mut self) -> io::Result<()> {
        self.flush()?;
        self.file.as_ref().ok_or_else(closed)?.sync_data()
    }

    /// Gives the finished file its new name, on disk before this returns, and goes on with an empty one under the old
    /// name. An existing file is not overwritten.
    ///
    /// # Errors
    /// `AlreadyExists`; the system's. The file stays open and as it was.
    pub fn rotate(&mut self, to: &Path) -> io::Result<()> {
        self.sync()?;
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        renameat_with(CWD, &self.path, CWD, to, RenameFlags::NOREPLACE)?;
        sync_folder(to)?;
        let mut fresh = AppendFile::open(&self.path, self.frames)?;
        self.file = fresh.file.take();
        self.written = fresh.written;
        Ok(())
    }

    /// Writes everything and closes.
    ///
    /// # Errors
    /// The system's; the file is closed all the same.
    pub fn close(&mut self) -> io::Result<()> {
        let flushed = self.flush();
        self.file = None;
        self.unwritten = Vec::new();
        flushed
    }

    /// Whether `close` was called.
    pub fn is_closed(&self) -> bool {
        self.file.is_none()
    }
}

impl Drop for AppendFile {
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

/// Makes a file appear under its name at once and wholly: writes it aside, syncs it and renames it.
///
/// # Errors
/// The system's; nothing is left behind under `path`.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let aside = beside(path, ".tmp");
    let mut file = File::create(&aside)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    std::fs::rename(&aside, path)?;
    sync_folder(path)
}

/// Brings the names in the folder that holds `path` to the disk.
///
/// # Errors
/// The system's.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

/// `path` with more at its end.
fn beside(path: &Path, more: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(more);
    name.into()
}

/// How many bytes from the start are whole records.
fn whole_len(file: &File, len: u64, frames: Frames) -> io::Result<u64> {
    match frames {
        Frames::None => Ok(len),
        Frames::Lines => after_last_line_end(file, len),
        Frames::Heka => after_last_frame(file, len),
    }
}

fn after_last_line_end(file: &File, len: u64) -> io::Result<u64> {
    let mut block = vec![0; BLOCK];
    let mut end = len;
    while end > 0 {
        let start = end.saturating_sub(BLOCK as u64);
        let bytes = &mut block[..(end - start) as usize];
        file.read_exact_at(bytes, start)?;
        if let Some(at) = memchr::memrchr(b'\n', bytes) {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// Walks from frame to frame. Garbage between frames stays in the file, where every reader skips it; only what comes
/// after the last whole frame is torn.
fn after_last_frame(file: &File, len: u64) -> io::Result<u64> {
    let mut block = vec![0; BLOCK];
    let (mut have, mut start, mut whole) = (0, 0u64, 0u64);
    loop {
        let room = block.len() - have;
        let more = room.min((len - start) as usize - have);
        file.read_exact_at(&mut block[have..have + more], start + have as u64)?;
        have += more;
        let (used, need, last) = walk(&block[..have]);
        if let Some(last) = last {
            whole = start + last as u64;
        }
        if used == 0 && (start + have as u64) == len {
            return Ok(whole);
        }
        block.copy_within(used..have, 0);
        have -= used;
        start += used as u64;
        if start == len {
            return Ok(whole);
        }
        if need > block.len() {
            block.resize(need, 0);
        }
    }
}

/// Goes over the frames in `bytes`: how many bytes were used, how many the next frame needs in all, and where the
/// last whole frame ended.
fn walk(bytes: &[u8]) -> (usize, usize, Option<usize>) {
    let (mut at, mut last) = (0, None);
    while at < bytes.len() {
        match scan(&bytes[at..], MAX_MESSAGE) {
            Scan::Frame { header, message } => {
                at += header + message;
                last = Some(at);
            }
            Scan::Skip(garbage) => at += garbage,
            Scan::Need(more) => return (at, bytes.len() - at + more, last),
        }
    }
    (at, 0, last)
}

/// Copies what is cut off into `path.torn`, behind what earlier crashes left there.
fn keep_torn(file: &File, path: &Path, whole: u64) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut torn = options
        .append(true)
        .create(true)
        .open(beside(path, ".torn"))?;
    let mut source = file;
    source.seek(SeekFrom::Start(whole))?;
    io::copy(&mut source, &mut torn)?;
    torn.sync_data()
}

fn closed() -> io::Error {
    io::Error::from_raw_os_error(libc::EBADF)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(message: &[u8]) -> Vec<u8> {
        let (header, len) = schemas::frame::header(message.len());
        [&header[..len], message].concat()
    }

    fn open(path: &Path, frames: Frames) -> AppendFile {
        AppendFile::open(path, frames).expect("opens")
    }

    fn one(bytes: &[u8]) -> std::iter::Once<&[u8]> {
        std::iter::once(bytes)
    }

    #[test]
    fn a_torn_line_is_cut_and_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out.log");
        std::fs::write(&path, "one\ntwo\nthr").expect("written");
        let mut file = open(&path, Frames::Lines);
        assert_eq!(file.size(), 8);
        file.write(one(b"three\n")).expect("written");
        drop(file);
        assert_eq!(std::fs::read(&path).expect("read"), b"one\ntwo\nthree\n");
        let torn = std::fs::read(folder.path().join("out.log.torn"));
        assert_eq!(torn.expect("kept"), b"thr");
    }

    #[test]
    fn every_cut_of_a_heka_file_keeps_its_whole_frames() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out.heka");
        let frames = [framed(b"first"), framed(&[7; 300]), framed(b"")];
        let messages: Vec<Vec<u8>> = frames[..2].to_vec();
        let bytes = messages.concat();
        for cut in 0..=bytes.len() {
            std::fs::write(&path, &bytes[..cut]).expect("written");
            let whole = [0, messages[0].len(), bytes.len()];
            let expected = whole.into_iter().rfind(|&end| end <= cut).expect("zero");
            assert_eq!(
                open(&path, Frames::Heka).size(),
                expected as u64,
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn frames_across_blocks_and_larger_than_blocks_are_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out.heka");
        let mut bytes = Vec::new();
        for size in [BLOCK / 2, BLOCK, 3 * BLOCK, 10, BLOCK - 3] {
            bytes.extend(framed(&vec![1; size]));
        }
        let whole = bytes.len();
        bytes.extend(&framed(&vec![2; BLOCK * 2])[..BLOCK + 5]);
        std::fs::write(&path, &bytes).expect("written");
        assert_eq!(open(&path, Frames::Heka).size(), whole as u64);
    }

    #[test]
    fn garbage_before_frames_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out.heka");
        let bytes = [b"garbage".as_slice(), &framed(b"message")].concat();
        std::fs::write(&path, &bytes).expect("written");
        assert_eq!(open(&path, Frames::Heka).size(), bytes.len() as u64);
    }

    #[test]
    fn rotation_names_the_finished_file_and_starts_afresh() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out.log");
        let done = folder.path().join("done.log");
        let mut file = open(&path, Frames::Lines);
        file.write(one(b"one\n")).expect("written");
        file.rotate(&done).expect("rotated");
        assert_eq!(file.size(), 0);
        file.write(one(b"two\n")).expect("written");
        let taken = file.rotate(&done).expect_err("the name is taken");
        assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
        file.close().expect("closed");
        assert_eq!(std::fs::read(&done).expect("read"), b"one\n");
        assert_eq!(std::fs::read(&path).expect("read"), b"two\n");
    }

    #[test]
    fn records_larger_than_the_buffer_go_through() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out.log");
        let mut file = open(&path, Frames::None);
        let large = vec![b'x'; BUFFER_SIZE * 3];
        file.write(one(b"small")).expect("written");
        file.write([&large[..], b"end"].into_iter())
            .expect("written");
        assert_eq!(file.size(), 5 + large.len() as u64 + 3);
        file.flush().expect("flushed");
        assert_eq!(std::fs::metadata(&path).expect("there").len(), file.size());
    }

    #[test]
    fn a_whole_file_appears_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("part");
        write_whole(&path, b"content").expect("written");
        assert_eq!(std::fs::read(&path).expect("read"), b"content");
        assert_eq!(std::fs::read_dir(folder.path()).expect("read").count(), 1);
    }

    #[test]
    fn a_full_disk_leaves_no_torn_record() {
        let mut file = open(Path::new("/dev/full"), Frames::None);
        let large = vec![b'x'; BUFFER_SIZE + 1];
        assert!(file.write(one(&large)).is_err());
        assert_eq!(file.size(), 0);
        file.write(one(b"small")).expect("buffered");
        assert!(file.flush().is_err());
        assert_eq!(file.size(), 5);
    }
}

//! Open, append, sync, rename, delete: on a disk, or on a test's faulty disk.

use crate::clock::system_time_ns;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::Path;
use std::sync::Arc;

/// What a file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading; a missing file is an error.
    Read,
    /// Reading and writing; a missing file is made, an existing one keeps its bytes.
    Write,
}

/// An open file. Every call names its offset, so one handle serves several threads.
pub trait File: Send + Sync {
    /// Reads up to `buffer.len()` bytes from `offset` on; 0 means that the file ends there.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes from `offset` on and returns how many bytes were taken, which may be fewer than all.
    /// Writing behind the end fills the space between with zeros.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;

    /// Returns once the file's bytes and length would survive a loss of power.
    fn sync(&self) -> io::Result<()>;

    /// Cuts the file, or lengthens it with zeros, to `len` bytes.
    fn truncate(&self, len: u64) -> io::Result<()>;

    /// How many bytes the file has.
    fn len(&self) -> io::Result<u64>;

    /// Whether the file has no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Fills `buffer` as far as the file reaches and returns how far that was.
    fn read_full_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut n_read = 0;
        while n_read < buffer.len() {
            match self.read_at(&mut buffer[n_read..], offset + n_read as u64) {
                Ok(0) => break,
                Ok(n) => n_read += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(n_read)
    }

    /// Writes all of `bytes`. After an error any part of them may have been written.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut n_written = 0;
        while n_written < bytes.len() {
            match self.write_at(&bytes[n_written..], offset + n_written as u64) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => n_written += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// A place where files live.
pub trait Disk: Send + Sync {
    /// Opens the file at `path`.
    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn File>>;

    /// Gives the file at `from` the name `to`, in place of whatever had that name, in one step.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Deletes the file at `path`.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// The names of everything in the directory `dir`, in no order. Names that are not UTF-8 are left out.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Makes the directory `dir` and those above it (mode 0750) unless they exist.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()>;

    /// Returns once the names made, changed and removed in `dir` would survive a loss of power.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// The length of the file at `path` in bytes.
    fn len(&self, path: &Path) -> io::Result<u64>;

    /// When the file at `path` was last written, in nanoseconds since 1970.
    fn modified_ns(&self, path: &Path) -> io::Result<i64>;

    /// How many bytes an ordinary user may still write to the file system that holds `path`.
    fn free_space(&self, path: &Path) -> io::Result<u64>;
}

/// The machine's own file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

struct RealFile(fs::File);

impl File for RealFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.0.write_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
}

impl Disk for RealDisk {
    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn File>> {
        let writes = access == Access::Write;
        let file = fs::OpenOptions::new()
            .read(true)
            .write(writes)
            .create(writes)
            .open(path)?;
        Ok(Arc::new(RealFile(file)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for item in fs::read_dir(dir)? {
            names.extend(item?.file_name().into_string());
        }
        Ok(names)
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o750)
            .create(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        fs::File::open(dir)?.sync_all()
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        Ok(fs::metadata(path)?.len())
    }

    fn modified_ns(&self, path: &Path) -> io::Result<i64> {
        Ok(system_time_ns(fs::metadata(path)?.modified()?))
    }

    fn free_space(&self, path: &Path) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(path)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}

/// Puts `bytes` into the file `path` so that whoever opens it finds the old content or the new, never a mixture:
/// they are written to `<path>.tmp`, which then takes the place of `path`. With `sync` the new content also
/// survives a loss of power once this returns. After an error `path` has its old content.
pub fn write_atomically(disk: &dyn Disk, path: &Path, bytes: &[u8], sync: bool) -> io::Result<()> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".tmp");
    let aside = Path::new(&aside);
    let file = disk.open(aside, Access::Write)?;
    // A remainder of an earlier attempt. Not done for nothing: ext4 writes a file that was cut to nothing out when it is closed.
    if !file.is_empty()? {
        file.truncate(0)?;
    }
    file.write_all_at(bytes, 0)?;
    if sync {
        file.sync()?;
    }
    disk.rename(aside, path)?;
    match path.parent() {
        Some(dir) if sync => disk.sync_dir(if dir.as_os_str().is_empty() {
            ".".as_ref()
        } else {
            dir
        }),
        _ => Ok(()),
    }
}

/// Everything that is in the file `path`. A file longer than `len_max` bytes is an error.
pub fn read_all(disk: &dyn Disk, path: &Path, len_max: u64) -> io::Result<Vec<u8>> {
    let file = disk.open(path, Access::Read)?;
    let len = file.len()?;
    if len > len_max {
        let text = format!("the file has {len} bytes, more than the {len_max} allowed");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    let mut bytes = vec![0; usize::try_from(len).map_err(io::Error::other)?];
    let n_read = file.read_full_at(&mut bytes, 0)?;
    bytes.truncate(n_read);
    Ok(bytes)
}

/// Lets the process open as many files and connections as the system allows; the soft limit of most systems is 1,024.
/// Where it may not be raised it stays.
pub fn raise_descriptor_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _as_it_is = setrlimit(Resource::Nofile, limit);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faulty::{Fault, FaultyDisk, Point};
    use std::path::PathBuf;

    /// What every disk must do, whatever it is made of.
    fn check(disk: &dyn Disk, dir: &Path) {
        let dir = dir.join("a/b");
        disk.create_dir_all(&dir).expect("a directory");
        disk.create_dir_all(&dir)
            .expect("an existing directory is fine");
        let path = dir.join("one");
        let missing = disk.open(&path, Access::Read).err().expect("missing");
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);

        let file = disk.open(&path, Access::Write).expect("made");
        assert!(file.is_empty().expect("length"));
        file.write_all_at(b"hello", 0).expect("written");
        file.write_all_at(b"x", 7).expect("written behind the end");
        let mut buffer = [9; 10];
        assert_eq!(file.read_full_at(&mut buffer, 0).expect("read"), 8);
        assert_eq!(&buffer[..8], b"hello\0\0x");
        assert_eq!(file.read_at(&mut buffer, 8).expect("the end"), 0);
        file.truncate(3).expect("cut");
        file.sync().expect("synced");
        assert_eq!(disk.len(&path).expect("length"), 3);
        let again = disk.open(&path, Access::Write).expect("opened again");
        assert_eq!(
            again.len().expect("length"),
            3,
            "opening for writing keeps the bytes"
        );

        let other = dir.join("two");
        disk.rename(&path, &other).expect("renamed");
        disk.sync_dir(&dir).expect("synced");
        assert_eq!(disk.list(&dir).expect("names"), ["two"]);
        assert!(disk.free_space(&dir).expect("space") > 0);
        assert!(disk.modified_ns(&other).expect("a time") > 0);
        disk.remove(&other).expect("removed");
        assert_eq!(disk.list(&dir).expect("names"), Vec::<String>::new());
        assert_eq!(
            disk.remove(&other).expect_err("gone").kind(),
            io::ErrorKind::NotFound
        );
    }

    #[test]
    fn both_disks_do_the_same() {
        let dir = tempfile::tempdir().expect("a directory for the test");
        check(&RealDisk, dir.path());
        check(&FaultyDisk::new(), Path::new("/somewhere"));
    }

    #[test]
    fn an_atomic_write_replaces_all_or_nothing() {
        let disk = FaultyDisk::new();
        let path = PathBuf::from("/d/state");
        disk.create_dir_all(Path::new("/d")).expect("a directory");
        write_atomically(&disk, &path, b"a long first state", true).expect("written");
        for point in [Point::Open, Point::Write, Point::Sync, Point::Rename] {
            disk.arm(point, Fault::Error(io::ErrorKind::Other), 1);
            write_atomically(&disk, &path, b"second", true).expect_err("the fault");
            disk.disarm();
            assert_eq!(
                read_all(&disk, &path, 100).expect("read"),
                b"a long first state"
            );
        }
        write_atomically(&disk, &path, b"second", true).expect("written");
        disk.power_loss(1);
        assert_eq!(read_all(&disk, &path, 100).expect("read"), b"second");
        assert_eq!(disk.list(Path::new("/d")).expect("names"), ["state"]);
    }

    #[test]
    fn an_atomic_write_of_a_bare_name_syncs_the_working_directory() {
        let disk = FaultyDisk::new();
        write_atomically(&disk, Path::new("bare"), b"x", true).expect("written");
        assert_eq!(read_all(&disk, Path::new("bare"), 1).expect("read"), b"x");
    }

    #[test]
    fn reading_all_has_a_limit() {
        let disk = FaultyDisk::new();
        write_atomically(&disk, Path::new("/f"), b"12345", false).expect("written");
        assert_eq!(read_all(&disk, Path::new("/f"), 5).expect("read"), b"12345");
        let error = read_all(&disk, Path::new("/f"), 4)
            .expect_err("too long")
            .to_string();
        assert_eq!(error, "the file has 5 bytes, more than the 4 allowed");
    }
}

//! A disk in memory for tests: it fails where it is told to, fills up, and loses what was not synced.
//!
//! A file has the bytes that readers see now, and the bytes that would survive a loss of power. `sync` makes the
//! second equal to the first; `sync_dir` does the same for names. At a loss of power each write since the last sync
//! survives whole, in part or not at all, independent of the others, and a failed `sync` forgets that there was
//! something to write, as Linux does: what it did not write is only safe after it was written again and synced.

use crate::files::{Access, Disk, File};
use crate::seed::Random;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

/// The operations that can be told to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// Opening or making a file.
    Open,
    /// Making a file that did not exist (after [`Point::Open`]).
    Create,
    /// Reading from a file.
    Read,
    /// Writing to a file.
    Write,
    /// Writing behind the end of a file, which needs new space (after [`Point::Write`]).
    Allocate,
    /// Syncing a file.
    Sync,
    /// Syncing a directory.
    SyncDir,
    /// Renaming a file.
    Rename,
    /// Deleting a file.
    Remove,
    /// Cutting a file.
    Truncate,
    /// Listing a directory.
    List,
}

/// How an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// With this error, and without effect.
    Error(io::ErrorKind),
    /// There is no space left; nothing is written.
    NoSpace,
    /// A write takes only up to this many bytes, and says so.
    Short(usize),
}

/// How often an operation was called, and how it is to fail.
#[derive(Debug, Default)]
struct Failpoint {
    n_calls: u64,
    armed: Option<(Fault, u64)>,
    /// Only files whose name ends like this fail.
    suffix: String,
}

#[derive(Debug, Default)]
struct Node {
    bytes: Vec<u8>,
    /// What a loss of power leaves for certain.
    safe: Vec<u8>,
    /// What was done since then, in order.
    unsynced: Vec<Change>,
    modified_ns: i64,
}

#[derive(Debug)]
enum Change {
    Write {
        offset: usize,
        bytes: Vec<u8>,
    },
    Truncate(usize),
    /// A write that a failed sync has dropped: visible now, lost at the next loss of power.
    Dropped,
}

type NodeRef = Arc<Mutex<Node>>;

#[derive(Default)]
struct State {
    names: BTreeMap<PathBuf, NodeRef>,
    safe_names: BTreeMap<PathBuf, NodeRef>,
    dirs: BTreeSet<PathBuf>,
    failpoints: BTreeMap<Point, Failpoint>,
    capacity: Option<u64>,
    time_ns: i64,
}

/// The disk. Clones are the same disk.
#[derive(Clone, Default)]
pub struct FaultyDisk {
    /// Guards names, failpoints and capacity; locked before any node.
    state: Arc<Mutex<State>>,
}

struct FaultyFile {
    disk: FaultyDisk,
    path: PathBuf,
    node: NodeRef,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .expect("no code of this disk panics while it holds a lock")
}

impl FaultyDisk {
    /// An empty disk without limit that does not fail.
    pub fn new() -> FaultyDisk {
        FaultyDisk::default()
    }

    /// Lets the next `times` calls of `point` fail with `fault`.
    pub fn arm(&self, point: Point, fault: Fault, times: u64) {
        self.arm_for(point, fault, times, "");
    }

    /// Like [`FaultyDisk::arm`], for paths that end with `suffix`.
    pub fn arm_for(&self, point: Point, fault: Fault, times: u64, suffix: &str) {
        let mut state = lock(&self.state);
        let failpoint = state.failpoints.entry(point).or_default();
        failpoint.armed = Some((fault, times));
        failpoint.suffix = suffix.to_owned();
    }

    /// Nothing fails any more.
    pub fn disarm(&self) {
        lock(&self.state)
            .failpoints
            .values_mut()
            .for_each(|failpoint| failpoint.armed = None);
    }

    /// How often `point` was called.
    pub fn n_calls(&self, point: Point) -> u64 {
        lock(&self.state)
            .failpoints
            .get(&point)
            .map_or(0, |failpoint| failpoint.n_calls)
    }

    /// How many failures of `point` are still to come.
    pub fn n_armed(&self, point: Point) -> u64 {
        let state = lock(&self.state);
        state
            .failpoints
            .get(&point)
            .and_then(|point| point.armed)
            .map_or(0, |(_, times)| times)
    }

    /// How many bytes all files together may have; `None` is no limit.
    pub fn set_capacity(&self, capacity: Option<u64>) {
        lock(&self.state).capacity = capacity;
    }

    /// How many bytes all files together have.
    pub fn used(&self) -> u64 {
        used(&lock(&self.state))
    }

    /// The bytes of the file `path`, past all failpoints; `None` when it is missing.
    pub fn bytes(&self, path: &Path) -> Option<Vec<u8>> {
        lock(&self.state)
            .names
            .get(path)
            .map(|node| lock(node).bytes.clone())
    }

    /// Makes the file `path` consist of `bytes`, past all failpoints and safe from loss of power.
    pub fn put(&self, path: &Path, bytes: &[u8]) {
        let mut state = lock(&self.state);
        let node = Node {
            bytes: bytes.to_vec(),
            safe: bytes.to_vec(),
            ..Node::default()
        };
        let node = Arc::new(Mutex::new(node));
        state.names.insert(path.to_owned(), Arc::clone(&node));
        state.safe_names.insert(path.to_owned(), node);
    }

    /// The power fails and comes back: of what was not synced, `seed` decides what is left. Files that are still
    /// open belong to the past; nobody should use them.
    pub fn power_loss(&self, seed: u64) {
        let mut random = Random::from_seed(seed);
        let mut state = lock(&self.state);
        let names = std::mem::take(&mut state.names);
        let safe_names = std::mem::take(&mut state.safe_names);
        let every: BTreeSet<&PathBuf> = names.keys().chain(safe_names.keys()).collect();
        let mut left = BTreeMap::new();
        for path in every {
            let side = if random.one_in(2) {
                &names
            } else {
                &safe_names
            };
            if let Some(node) = side.get(path) {
                left.insert(path.clone(), node.clone());
            }
        }
        for node in left.values_mut() {
            let bytes = survive(&lock(node), &mut random);
            let modified_ns = lock(node).modified_ns;
            let survivor = Node {
                safe: bytes.clone(),
                bytes,
                unsynced: Vec::new(),
                modified_ns,
            };
            *node = Arc::new(Mutex::new(survivor));
        }
        state.safe_names = left.clone();
        state.names = left;
    }

    fn fail_at(&self, point: Point, path: &Path) -> io::Result<Option<usize>> {
        let mut state = lock(&self.state);
        let failpoint = state.failpoints.entry(point).or_default();
        failpoint.n_calls += 1;
        let applies = path.to_string_lossy().ends_with(&failpoint.suffix);
        let Some((fault, times)) = failpoint
            .armed
            .as_mut()
            .filter(|(_, times)| applies && *times > 0)
        else {
            return Ok(None);
        };
        *times -= 1;
        match *fault {
            Fault::Error(kind) => Err(kind.into()),
            Fault::NoSpace => Err(io::ErrorKind::StorageFull.into()),
            Fault::Short(len) => Ok(Some(len)),
        }
    }

    /// How many of `wanted` new bytes there is space for; none at all is an error.
    fn allocate(&self, wanted: usize) -> io::Result<usize> {
        let state = lock(&self.state);
        let Some(capacity) = state.capacity else {
            return Ok(wanted);
        };
        let free = usize::try_from(capacity.saturating_sub(used(&state))).unwrap_or(usize::MAX);
        if free == 0 && wanted > 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(wanted.min(free))
    }
}

fn used(state: &State) -> u64 {
    state
        .names
        .values()
        .map(|node| lock(node).bytes.len() as u64)
        .sum()
}

/// What a loss of power leaves of a file.
fn survive(node: &Node, random: &mut Random) -> Vec<u8> {
    let mut bytes = node.safe.clone();
    for change in &node.unsynced {
        match change {
            Change::Truncate(len) => bytes.resize(*len, 0),
            Change::Write {
                offset,
                bytes: written,
            } => match random.below(4) {
                0 => {}
                1 => put_at(
                    &mut bytes,
                    *offset,
                    &written[..random.below(written.len() as u64) as usize],
                ),
                _ => put_at(&mut bytes, *offset, written),
            },
            Change::Dropped => {}
        }
    }
    bytes
}

fn put_at(bytes: &mut Vec<u8>, offset: usize, written: &[u8]) {
    if written.is_empty() {
        return;
    }
    let end = offset + written.len();
    bytes.resize(bytes.len().max(end), 0);
    bytes[offset..end].copy_from_slice(written);
}

fn missing(path: &Path) -> io::Error {
    io::Error::new(
        io::ErrorKind::NotFound,
        format!("{} does not exist", path.display()),
    )
}

impl Disk for FaultyDisk {
    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn File>> {
        self.fail_at(Point::Open, path)?;
        let found = lock(&self.state).names.get(path).cloned();
        let node = match (found, access) {
            (Some(node), _) => node,
            (None, Access::Read) => return Err(missing(path)),
            (None, Access::Write) => {
                self.fail_at(Point::Create, path)?;
                let node = NodeRef::default();
                lock(&self.state)
                    .names
                    .insert(path.to_owned(), Arc::clone(&node));
                node
            }
        };
        Ok(Arc::new(FaultyFile {
            disk: self.clone(),
            path: path.to_owned(),
            node,
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.fail_at(Point::Rename, to)?;
        let mut state = lock(&self.state);
        let node = state.names.remove(from).ok_or_else(|| missing(from))?;
        state.names.insert(to.to_owned(), node);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.fail_at(Point::Remove, path)?;
        lock(&self.state)
            .names
            .remove(path)
            .map(|_| ())
            .ok_or_else(|| missing(path))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.fail_at(Point::List, dir)?;
        let state = lock(&self.state);
        let inside = state.names.keys().filter(|path| path.parent() == Some(dir));
        let names = inside.filter_map(|path| path.file_name()?.to_str().map(str::to_owned));
        Ok(names.collect())
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        lock(&self.state).dirs.insert(dir.to_owned());
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.fail_at(Point::SyncDir, dir)?;
        let mut state = lock(&self.state);
        let dir = if dir == Path::new(".") {
            Path::new("")
        } else {
            dir
        };
        state
            .safe_names
            .retain(|path, _| path.parent() != Some(dir));
        let inside = state
            .names
            .iter()
            .filter(|(path, _)| path.parent() == Some(dir));
        let inside: Vec<_> = inside
            .map(|(path, node)| (path.clone(), node.clone()))
            .collect();
        state.safe_names.extend(inside);
        Ok(())
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        self.bytes(path)
            .map(|bytes| bytes.len() as u64)
            .ok_or_else(|| missing(path))
    }

    fn modified_ns(&self, path: &Path) -> io::Result<i64> {
        let state = lock(&self.state);
        state
            .names
            .get(path)
            .map(|node| lock(node).modified_ns)
            .ok_or_else(|| missing(path))
    }

    fn free_space(&self, _path: &Path) -> io::Result<u64> {
        let state = lock(&self.state);
        Ok(state
            .capacity
            .map_or(u64::MAX, |capacity| capacity.saturating_sub(used(&state))))
    }
}

impl FaultyFile {
    /// The disk's own clock: it ticks once per write.
    fn tick(&self) -> i64 {
        let mut state = lock(&self.disk.state);
        state.time_ns += 1;
        state.time_ns
    }
}

impl File for FaultyFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.disk.fail_at(Point::Read, &self.path)?;
        let node = lock(&self.node);
        let start = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(node.bytes.len());
        let len = buffer.len().min(node.bytes.len() - start);
        buffer[..len].copy_from_slice(&node.bytes[start..start + len]);
        Ok(len)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let mut len = bytes.len();
        if let Some(short) = self.disk.fail_at(Point::Write, &self.path)? {
            len = len.min(short);
        }
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        let grown = (offset + len).saturating_sub(lock(&self.node).bytes.len());
        if grown > 0 {
            self.disk.fail_at(Point::Allocate, &self.path)?;
            len -= grown - self.disk.allocate(grown)?;
        }
        let modified_ns = self.tick();
        let mut node = lock(&self.node);
        put_at(&mut node.bytes, offset, &bytes[..len]);
        node.unsynced.push(Change::Write {
            offset,
            bytes: bytes[..len].to_vec(),
        });
        node.modified_ns = modified_ns;
        Ok(len)
    }

    fn sync(&self) -> io::Result<()> {
        let failed = self.disk.fail_at(Point::Sync, &self.path);
        let mut node = lock(&self.node);
        if let Err(error) = failed {
            node.unsynced
                .iter_mut()
                .for_each(|change| *change = Change::Dropped);
            return Err(error);
        }
        if node
            .unsynced
            .iter()
            .any(|change| matches!(change, Change::Dropped))
        {
            let mut safe = std::mem::take(&mut node.safe);
            for change in std::mem::take(&mut node.unsynced) {
                match change {
                    Change::Write { offset, bytes } => put_at(&mut safe, offset, &bytes),
                    Change::Truncate(len) => safe.resize(len, 0),
                    Change::Dropped => {}
                }
            }
            node.safe = safe;
        } else {
            node.unsynced.clear();
            node.safe = node.bytes.clone();
        }
        Ok(())
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.disk.fail_at(Point::Truncate, &self.path)?;
        let len = usize::try_from(len).map_err(io::Error::other)?;
        let modified_ns = self.tick();
        let mut node = lock(&self.node);
        node.bytes.resize(len, 0);
        node.unsynced.push(Change::Truncate(len));
        node.modified_ns = modified_ns;
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(lock(&self.node).bytes.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(disk: &FaultyDisk, path: &str) -> Arc<dyn File> {
        disk.open(Path::new(path), Access::Write).expect("opened")
    }

    #[test]
    fn synced_bytes_survive_every_loss_of_power_and_unsynced_ones_some() {
        let mut lengths = BTreeSet::new();
        for seed in 0..64 {
            let disk = FaultyDisk::new();
            let file = open(&disk, "/d/f");
            file.write_all_at(b"safe", 0).expect("written");
            file.sync().expect("synced");
            disk.sync_dir(Path::new("/d")).expect("synced");
            file.write_all_at(b"unsafe", 4).expect("written");
            disk.power_loss(seed);
            let left = disk.bytes(Path::new("/d/f")).expect("its name was synced");
            assert!(
                b"safeunsafe".starts_with(&left) && left.len() >= 4,
                "{left:?}"
            );
            lengths.insert(left.len());
        }
        assert!(
            lengths.contains(&4) && lengths.contains(&10) && lengths.len() > 3,
            "{lengths:?}"
        );
    }

    #[test]
    fn a_later_write_may_survive_an_earlier_one() {
        let mut n_holes = 0;
        for seed in 0..64 {
            let disk = FaultyDisk::new();
            let file = open(&disk, "/d/f");
            disk.sync_dir(Path::new("/d")).expect("synced");
            file.write_all_at(b"one", 0).expect("written");
            file.write_all_at(b"two", 3).expect("written");
            disk.power_loss(seed);
            let left = disk.bytes(Path::new("/d/f")).expect("its name was synced");
            n_holes += u32::from(left == b"\0\0\0two");
        }
        assert!((1..64).contains(&n_holes));
    }

    #[test]
    fn a_name_that_was_not_synced_may_vanish_and_a_removed_one_come_back() {
        let (mut n_vanished, mut n_back) = (0, 0);
        for seed in 0..64 {
            let disk = FaultyDisk::new();
            disk.put(Path::new("/d/old"), b"x");
            open(&disk, "/d/new").sync().expect("synced");
            disk.remove(Path::new("/d/old")).expect("removed");
            disk.power_loss(seed);
            n_vanished += u32::from(disk.bytes(Path::new("/d/new")).is_none());
            n_back += u32::from(disk.bytes(Path::new("/d/old")).is_some());
        }
        assert!((1..64).contains(&n_vanished) && (1..64).contains(&n_back));
    }

    #[test]
    fn a_failed_sync_is_not_made_good_by_a_second_one_but_by_writing_again() {
        let disk = FaultyDisk::new();
        let file = open(&disk, "/d/f");
        disk.sync_dir(Path::new("/d")).expect("synced");
        file.write_all_at(b"abc", 0).expect("written");
        disk.arm(Point::Sync, Fault::Error(io::ErrorKind::Other), 1);
        file.sync().expect_err("armed");
        file.sync().expect("says it is fine");
        assert_eq!(
            disk.bytes(Path::new("/d/f")).expect("there"),
            b"abc",
            "still visible"
        );
        let other = disk.clone();
        file.write_all_at(b"abc", 0).expect("written again");
        file.sync().expect("synced");
        other.power_loss(0);
        assert_eq!(disk.bytes(Path::new("/d/f")).expect("there"), b"abc");
    }

    #[test]
    fn a_full_disk_takes_what_fits_then_nothing() {
        let disk = FaultyDisk::new();
        disk.set_capacity(Some(5));
        let file = open(&disk, "/f");
        assert_eq!(file.write_at(b"abcdefg", 0).expect("in part"), 5);
        let error = file.write_at(b"fg", 5).expect_err("full");
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert_eq!(file.write_at(b"AB", 0).expect("no new space needed"), 2);
        assert_eq!(disk.free_space(Path::new("/")).expect("space"), 0);
        disk.set_capacity(Some(7));
        file.write_all_at(b"fg", 5).expect("space again");
        assert_eq!(disk.used(), 7);
    }

    #[test]
    fn failpoints_count_and_run_out_and_can_be_for_some_files() {
        let disk = FaultyDisk::new();
        disk.arm_for(Point::Write, Fault::Short(1), 2, ".log");
        assert_eq!(
            open(&disk, "/a.sum")
                .write_at(b"xyz", 0)
                .expect("not this file"),
            3
        );
        let log = open(&disk, "/a.log");
        assert_eq!(log.write_at(b"xyz", 0).expect("short"), 1);
        assert_eq!(disk.n_armed(Point::Write), 1);
        assert_eq!(log.write_at(b"yz", 1).expect("short"), 1);
        assert_eq!(log.write_at(b"z", 2).expect("whole"), 1);
        assert_eq!(disk.n_calls(Point::Write), 4);
        disk.arm(Point::Create, Fault::NoSpace, 1);
        assert!(disk.open(Path::new("/new"), Access::Write).is_err());
        assert!(
            disk.open(Path::new("/a.log"), Access::Write).is_ok(),
            "it exists"
        );
    }
}

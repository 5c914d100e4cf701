//! The open databases of the program: each file is in memory once, however many plugins use it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::SystemTime;

use maxminddb::Reader;

/// A database in memory.
pub type Database = Reader<Vec<u8>>;

/// The most that all open databases may have, in bytes; the largest that MaxMind sells has about one gigabyte.
const MAX_TOTAL: u64 = 4 << 30;

/// Which state of which file it is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    path: PathBuf,
    device: u64,
    inode: u64,
    size: u64,
    modified: Option<SystemTime>,
}

static OPEN: Mutex<BTreeMap<Version, Weak<Database>>> = Mutex::new(BTreeMap::new());

/// Opens a database, or finds it open.
///
/// # Errors
/// The system's; when the file is no MaxMind database; when it is larger than may be held.
pub fn open(path: &Path) -> io::Result<Arc<Database>> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other(format!("{} is no file", path.display())));
    }
    let version = Version {
        path: path.to_owned(),
        device: metadata.dev(),
        inode: metadata.ino(),
        size: metadata.len(),
        modified: metadata.modified().ok(),
    };
    // Held while the file is read, so that plugins that start together read it once.
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    open.retain(|_, database| database.strong_count() > 0);
    if let Some(database) = open.get(&version).and_then(Weak::upgrade) {
        return Ok(database);
    }
    let held: u64 = open.keys().map(|version| version.size).sum();
    if held.saturating_add(version.size) > MAX_TOTAL {
        let words = format!("open databases would have more than {MAX_TOTAL} bytes");
        return Err(io::Error::other(words));
    }
    let database = Arc::new(read(path, version.size)?);
    open.insert(version, Arc::downgrade(&database));
    Ok(database)
}

fn read(path: &Path, size: u64) -> io::Result<Database> {
    let mut bytes = Vec::with_capacity(size as usize);
    File::open(path)?.take(size).read_to_end(&mut bytes)?;
    Reader::from_source(bytes)
        .map_err(|error| io::Error::other(format!("{}: {error}", path.display())))
}

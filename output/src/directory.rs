//! A folder as a store of objects: each appears at once and wholly, and is on the disk when it counts as delivered.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::destination::{Body, Destination, Entry, Failure, Page, Piece, Store, Work, check_key};
use crate::rights::FileRights;

/// Entries of a page.
const PAGE: usize = 10_000;

/// How deep folders are looked into; keys of [`crate::destination::KEY_MAX`] bytes are not deeper.
const DEPTH_MAX: usize = 512;

/// What the names of unfinished files begin with.
const ASIDE: &str = ".tmp-";

/// A folder.
#[derive(Debug)]
pub struct Directory {
    root: PathBuf,
    rights: FileRights,
}

/// Makes names of unfinished files differ, for all stores of the process: two may be in the same folder.
static COUNT: AtomicU64 = AtomicU64::new(0);

impl Directory {
    /// A store in `root`, which is made when the first object comes.
    pub fn new(root: impl Into<PathBuf>) -> Directory {
        let root = root.into();
        // The folder that holds the store is synced too, and a name alone does not say which that is.
        let root = std::path::absolute(&root).unwrap_or(root);
        Directory {
            root,
            rights: FileRights::default(),
        }
    }

    /// The same, where files and folders that are made get these rights.
    pub fn with_rights(self, rights: FileRights) -> Directory {
        Directory { rights, ..self }
    }

    fn path(&self, key: &str) -> Result<PathBuf, Failure> {
        check_key(key)?;
        Ok(self.root.join(key))
    }

    fn put_now(&self, key: &str, body: &Body) -> Result<(), Failure> {
        let path = self.path(key)?;
        let folder = path.parent().unwrap_or(&self.root);
        create_folders(folder, &self.rights).map_err(|error| Failure::of_file(folder, &error))?;
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let aside = folder.join(format!("{ASIDE}{}-{number}", std::process::id()));
        let kept = write(&aside, body, &self.rights).and_then(|()| {
            fs::rename(&aside, &path).map_err(|error| Failure::of_file(&path, &error))?;
            sync_folder(folder).map_err(|error| Failure::of_file(folder, &error))
        });
        if kept.is_err() {
            // The reason is told already; what is left has a name that no listing shows.
            let _ = fs::remove_file(&aside);
        }
        kept
    }

    /// The folder stays, because somebody may be about to put something into it.
    fn remove_now(&self, key: &str) -> Result<(), Failure> {
        let path = self.path(key)?;
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Failure::of_file(&path, &error)),
        }
        let folder = path.parent().unwrap_or(&self.root);
        sync_folder(folder).map_err(|error| Failure::of_file(folder, &error))
    }

    fn list_now(&self, prefix: &str, after: &str) -> Result<Page, Failure> {
        let mut walk = Walk {
            prefix,
            after,
            entries: Vec::new(),
        };
        let is_last = walk.folder(&self.root, "", 0)?;
        Ok(Page {
            entries: walk.entries,
            is_last,
        })
    }

    fn read_now(
        &self,
        key: &str,
        from: u64,
        len: u64,
        version: Option<&str>,
    ) -> Result<Piece, Failure> {
        let path = self.path(key)?;
        let failed = |error: io::Error| Failure::of_file(&path, &error);
        let mut file = File::open(&path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let found = format!(
            "{}-{}-{}",
            metadata.ino(),
            metadata.mtime(),
            metadata.mtime_nsec()
        );
        if version.is_some_and(|version| version != found) {
            return Err(Failure::lasting(format!(
                "{}: was replaced while it was read",
                path.display()
            )));
        }
        file.seek(SeekFrom::Start(from)).map_err(failed)?;
        let mut bytes = Vec::new();
        file.take(len).read_to_end(&mut bytes).map_err(failed)?;
        Ok(Piece {
            bytes,
            version: found,
        })
    }
}

impl Destination for Directory {
    fn put<'a>(&'a self, key: &'a str, body: &'a Body) -> Work<'a, ()> {
        // Runs on a worker that may wait; the runtime lets the others go on.
        Box::pin(async move { tokio::task::block_in_place(|| self.put_now(key, body)) })
    }
}

impl Store for Directory {
    fn list<'a>(&'a self, prefix: &'a str, after: &'a str) -> Work<'a, Page> {
        Box::pin(async move { self.list_now(prefix, after) })
    }

    fn read<'a>(
        &'a self,
        key: &'a str,
        from: u64,
        len: u64,
        version: Option<&'a str>,
    ) -> Work<'a, Piece> {
        Box::pin(async move { self.read_now(key, from, len, version) })
    }

    fn remove<'a>(&'a self, key: &'a str) -> Work<'a, ()> {
        Box::pin(async move { self.remove_now(key) })
    }
}

fn write(path: &Path, body: &Body, rights: &FileRights) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::of_file(path, &error);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    if rights.file_mode.is_some() {
        // Nobody else sees anything before the rights are right.
        options.mode(0o600);
    }
    let mut file = options.open(path).map_err(failed)?;
    match body {
        Body::Bytes(bytes) => file.write_all(bytes).map_err(failed)?,
        Body::File(source) => {
            let told = |error: io::Error| Failure::of_file(source, &error);
            let mut source = File::open(source).map_err(told)?;
            io::copy(&mut source, &mut file).map_err(failed)?;
        }
    }
    rights.apply(path, rights.file_mode).map_err(failed)?;
    file.sync_all().map_err(failed)
}

/// Makes folders, and brings their names to the disk.
fn create_folders(folder: &Path, rights: &FileRights) -> io::Result<()> {
    let missing: Vec<&Path> = folder
        .ancestors()
        .take_while(|path| !path.exists())
        .collect();
    for path in missing.into_iter().rev() {
        match fs::create_dir(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Err(_) => {}
            Ok(()) => rights.apply(path, rights.folder_mode)?,
        }
        if let Some(parent) = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
        {
            sync_folder(parent)?;
        }
    }
    Ok(())
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Goes through folders in the order of the keys.
struct Walk<'w> {
    prefix: &'w str,
    after: &'w str,
    entries: Vec<Entry>,
}

impl Walk<'_> {
    /// Adds what lies in a folder whose keys begin with `base`; false when the page is full.
    fn folder(&mut self, folder: &Path, base: &str, depth: usize) -> Result<bool, Failure> {
        for (key, path) in self.sorted(folder, base)? {
            match key.ends_with('/') {
                true if depth < DEPTH_MAX => {
                    if !self.folder(&path, &key, depth + 1)? {
                        return Ok(false);
                    }
                }
                true => {}
                false if self.entries.len() == PAGE => return Ok(false),
                false => self.entries.extend(entry(key, &path)),
            }
        }
        Ok(true)
    }

    /// Keys and paths of what is wanted in a folder; a folder's key has a slash at its end, as its objects' have.
    fn sorted(&self, folder: &Path, base: &str) -> Result<Vec<(String, PathBuf)>, Failure> {
        let found = match fs::read_dir(folder) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Failure::of_file(folder, &error)),
        };
        let mut wanted = Vec::new();
        for item in found {
            let item = item.map_err(|error| Failure::of_file(folder, &error))?;
            let Ok(name) = item.file_name().into_string() else {
                continue;
            };
            // Links to folders are followed, but not those that point to nothing.
            let Ok(metadata) = fs::metadata(item.path()) else {
                continue;
            };
            if name.starts_with(ASIDE) {
                continue;
            }
            let is_folder = metadata.is_dir();
            let key = format!("{base}{name}{}", if is_folder { "/" } else { "" });
            if (is_folder || metadata.is_file()) && self.wants(&key, is_folder) {
                wanted.push((key, item.path()));
            }
        }
        wanted.sort();
        Ok(wanted)
    }

    fn wants(&self, key: &str, is_folder: bool) -> bool {
        if !is_folder {
            return key.starts_with(self.prefix) && key > self.after;
        }
        let may_begin = key.starts_with(self.prefix) || self.prefix.starts_with(key);
        may_begin && (key > self.after || self.after.starts_with(key))
    }
}

fn entry(key: String, path: &Path) -> Option<Entry> {
    // One that was removed meanwhile is left out.
    let metadata = fs::metadata(path).ok()?;
    Some(Entry {
        key,
        size: metadata.len(),
        modified_s: metadata.mtime(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_has_the_order_of_the_keys_and_no_unfinished_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Directory::new(folder.path().join("new"));
        assert_eq!(
            store.list_now("", ""),
            Ok(Page {
                entries: vec![],
                is_last: true
            })
        );
        let keys = ["a.b", "a/b", "a/c/d", "a0", "b"];
        for key in keys.iter().rev() {
            let body = Body::Bytes(key.as_bytes().into());
            store.put_now(key, &body).expect("it is kept");
        }
        fs::write(folder.path().join("new/a/.tmp-1-1"), "half").expect("written");
        let list = |prefix: &str, after: &str| -> Vec<String> {
            let page = store.list_now(prefix, after).expect("listed");
            assert!(page.is_last);
            page.entries.into_iter().map(|entry| entry.key).collect()
        };
        assert_eq!(list("", ""), keys);
        assert_eq!(list("a/", ""), ["a/b", "a/c/d"]);
        assert_eq!(list("a", "a/b"), ["a/c/d", "a0"]);
        assert_eq!(list("a/c/d", ""), ["a/c/d"]);
        assert_eq!(list("", "b"), [""; 0]);
    }

    #[test]
    fn files_and_folders_get_their_rights() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let own = fs::metadata(folder.path()).expect("there").gid();
        let rights = FileRights {
            file_mode: Some(0o640),
            folder_mode: Some(0o2750),
            group: Some(own),
        };
        let store = Directory::new(folder.path()).with_rights(rights);
        let body = Body::Bytes(b"x"[..].into());
        store.put_now("users/ann/x", &body).expect("kept");
        let mode = |path: &str| {
            let found = fs::metadata(folder.path().join(path)).expect("there");
            (found.permissions().mode() & 0o7777, found.gid())
        };
        assert_eq!(mode("users"), (0o2750, own));
        assert_eq!(mode("users/ann"), (0o2750, own));
        assert_eq!(mode("users/ann/x"), (0o640, own));
    }

    #[test]
    fn a_full_page_says_so_and_the_next_goes_on() {
        let folder = tempfile::tempdir().expect("a folder");
        for n in 0..=PAGE {
            fs::write(folder.path().join(format!("{n:06}")), "").expect("written");
        }
        let store = Directory::new(folder.path());
        let first = store.list_now("", "").expect("listed");
        assert_eq!((first.entries.len(), first.is_last), (PAGE, false));
        let last = &first.entries.last().expect("a full page").key;
        let rest = store.list_now("", last).expect("listed");
        assert_eq!((rest.entries.len(), rest.is_last), (1, true));
    }
}

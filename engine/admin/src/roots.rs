//! Directories that pages may look into, and nothing beside them.

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use serde::Serialize;

use crate::engine::Refusal;
use crate::options::Root;

/// Entries of one directory that are looked at.
const ENTRIES_MAX: usize = 100_000;

/// Entries of a page.
const PAGE: usize = 500;

/// The largest part of a file that is shown, bytes.
pub const FILE_MAX: u64 = 4 << 20;

/// One entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Whether it is a directory.
    pub is_dir: bool,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was changed, milliseconds since 1970.
    pub changed_ms: i64,
}

/// What is in a directory: a page of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Listing {
    /// Directories first, then files, each by name.
    pub entries: Vec<Entry>,
    /// Whether there are more than are ever listed.
    pub is_cut: bool,
    /// Asks for the next page.
    pub next: Option<String>,
}

/// The root of this name.
///
/// # Errors
/// There is none.
pub fn root<'r>(roots: &'r [Root], name: &str) -> Result<&'r Root, Refusal> {
    let found = roots.iter().find(|root| root.name == name);
    found.ok_or_else(|| Refusal::Missing(format!("there is no directory called {name}")))
}

/// What lies in the directory `path` below a root, behind the page whose `next` is `after`.
///
/// # Errors
/// It is not there, or lies outside.
pub fn list(root: &Root, path: &str, after: &str) -> Result<Listing, Refusal> {
    let dir = inside(root, path)?;
    let entries = std::fs::read_dir(&dir).map_err(|error| missing(path, &error))?;
    let mut entries = entries.filter_map(Result::ok);
    let looked_at = entries.by_ref().take(ENTRIES_MAX);
    let mut places: Vec<(String, std::fs::DirEntry)> = looked_at
        .map(|entry| (place(&entry), entry))
        .filter(|(place, _)| place.as_str() > after)
        .collect();
    places.sort_by(|(a, _), (b, _)| a.cmp(b));
    let more = places.len() > PAGE;
    places.truncate(PAGE);
    Ok(Listing {
        next: places.last().filter(|_| more).map(|(at, _)| at.clone()),
        entries: places.into_iter().filter_map(|(_, e)| shown(&e)).collect(),
        is_cut: entries.next().is_some(),
    })
}

/// Where an entry stands in a listing: directories first, then by name.
fn place(entry: &std::fs::DirEntry) -> String {
    let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
    let order = if is_dir { 'd' } else { 'f' };
    format!("{order}{}", entry.file_name().to_string_lossy())
}

/// An entry as it is shown. Links are shown as what they are and lead nowhere.
fn shown(entry: &std::fs::DirEntry) -> Option<Entry> {
    let metadata = entry.metadata().ok()?;
    let changed = metadata.modified().ok()?;
    let since = changed.duration_since(std::time::UNIX_EPOCH).ok();
    Some(Entry {
        name: entry.file_name().to_string_lossy().into_owned(),
        is_dir: metadata.is_dir(),
        bytes: metadata.len(),
        changed_ms: since.map_or(0, |since| {
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        }),
    })
}

/// The first [`FILE_MAX`] bytes of a file below a root.
///
/// # Errors
/// It is not there, is no file, or lies outside.
pub fn read(root: &Root, path: &str) -> Result<Vec<u8>, Refusal> {
    let file = inside(root, path)?;
    if !file.is_file() {
        return Err(Refusal::Missing(format!("{path} is no file")));
    }
    let mut bytes = Vec::new();
    File::open(&file)
        .and_then(|file| file.take(FILE_MAX).read_to_end(&mut bytes))
        .map_err(|error| missing(path, &error))?;
    Ok(bytes)
}

fn inside(root: &Root, path: &str) -> Result<PathBuf, Refusal> {
    let relative = Path::new(path);
    let is_plain = |part: Component| matches!(part, Component::Normal(_));
    if path.contains('\0') || !relative.components().all(is_plain) {
        return Err(Refusal::Wrong(format!(
            "{path} is no path below the directory"
        )));
    }
    let base = root.path.canonicalize();
    let base = base.map_err(|error| missing(&root.name, &error))?;
    let full = base.join(relative).canonicalize();
    let full = full.map_err(|error| missing(path, &error))?;
    match full.starts_with(&base) {
        true => Ok(full),
        false => Err(Refusal::Missing(format!(
            "{path} leads out of the directory"
        ))),
    }
}

fn missing(path: &str, error: &std::io::Error) -> Refusal {
    Refusal::Missing(format!("{path}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_beside_the_root_is_shown() {
        let dir = tempfile::tempdir().expect("a directory");
        let home = dir.path().join("home");
        std::fs::create_dir_all(home.join("sub")).expect("created");
        std::fs::write(home.join("b.txt"), "text").expect("written");
        std::fs::write(dir.path().join("secret"), "no").expect("written");
        std::os::unix::fs::symlink(dir.path(), home.join("link")).expect("linked");
        let home = Root {
            name: "home".into(),
            path: home,
        };
        let listing = list(&home, "", "").expect("it is there");
        let names: Vec<&str> = listing.entries.iter().map(|e| e.name.as_str()).collect();
        assert_eq!(names, ["sub", "b.txt", "link"]);
        assert_eq!(read(&home, "b.txt").expect("it is there"), b"text");
        for path in [
            "..",
            "../secret",
            "/etc/passwd",
            "link/secret",
            "sub/../../secret",
            "b\0",
            "no",
            "sub",
        ] {
            assert!(read(&home, path).is_err(), "{path}");
        }
        assert!(list(&home, "..", "").is_err() && list(&home, "link", "").is_err());
        assert!(root(std::slice::from_ref(&home), "other").is_err());
    }

    #[test]
    fn a_long_listing_comes_in_pages() {
        let dir = tempfile::tempdir().expect("a directory");
        for n in 0..PAGE + 7 {
            std::fs::write(dir.path().join(format!("{n:04}")), "").expect("written");
        }
        std::fs::create_dir(dir.path().join("zz")).expect("created");
        let root = Root {
            name: "r".into(),
            path: dir.path().into(),
        };
        let first = list(&root, "", "").expect("listed");
        assert_eq!((first.entries.len(), first.is_cut), (PAGE, false));
        assert_eq!(first.entries[0].name, "zz");
        let next = first.next.expect("there are more");
        let rest = list(&root, "", &next).expect("listed");
        assert_eq!((rest.entries.len(), rest.next), (8, None));
        assert_eq!(rest.entries[7].name, format!("{:04}", PAGE + 6));
    }
}

//! Directories that pages may look into, and nothing beside them.

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use serde::Serialize;

use crate::engine::Refusal;
use crate::options::Root;

/// Entries of one directory that are listed.
const ENTRIES_MAX: usize = 2_000;

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

/// What is in a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Listing {
    /// Directories first, then files, each by name.
    pub entries: Vec<Entry>,
    /// Whether there are more than are listed.
    pub is_cut: bool,
}

/// The root of this name.
///
/// # Errors
/// There is none.
pub fn root<'r>(roots: &'r [Root], name: &str) -> Result<&'r Root, Refusal> {
    let found = roots.iter().find(|root| root.name == name);
    found.ok_or_else(|| Refusal::Missing(format!("there is no directory called {name}")))
}

/// What lies in the directory `path` below a root.
///
/// # Errors
/// It is not there, or lies outside.
pub fn list(root: &Root, path: &str) -> Result<Listing, Refusal> {
    let dir = inside(root, path)?;
    let entries = std::fs::read_dir(&dir).map_err(|error| missing(path, &error))?;
    let mut listing = Listing::default();
    for entry in entries.filter_map(Result::ok) {
        if listing.entries.len() >= ENTRIES_MAX {
            listing.is_cut = true;
            break;
        }
        // Links are shown as what they are and lead nowhere.
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        let changed = metadata
            .modified()
            .ok()
            .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        listing.entries.push(Entry {
            name: entry.file_name().to_string_lossy().into_owned(),
            is_dir: metadata.is_dir(),
            bytes: metadata.len(),
            changed_ms: changed.map_or(0, |since| {
                i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
            }),
        });
    }
    let key = |entry: &Entry| (!entry.is_dir, entry.name.clone());
    listing.entries.sort_by_key(key);
    Ok(listing)
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
        let listing = list(&home, "").expect("it is there");
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
        assert!(list(&home, "..").is_err() && list(&home, "link").is_err());
        assert!(root(std::slice::from_ref(&home), "other").is_err());
    }
}

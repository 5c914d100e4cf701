//! Whose plugin is whose: a file with the name of the user who deployed each.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use stdx::files::{RealDisk, write_atomically};

/// Plugins whose owner is remembered.
const OWNED_MAX: usize = 100_000;

/// The owners of plugins, by name.
pub struct Owners {
    path: PathBuf,
    /// Guards the map and the writing of its file.
    owners: Mutex<BTreeMap<String, String>>,
}

impl Owners {
    /// What `path` says; a file that is missing or damaged says nothing.
    pub fn open(path: &Path) -> Owners {
        let owners = std::fs::read(path)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok());
        Owners {
            path: path.to_path_buf(),
            owners: Mutex::new(owners.unwrap_or_default()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.owners.lock().expect("nothing panics under this lock")
    }

    /// Who owns a plugin.
    pub fn of(&self, plugin: &str) -> Option<String> {
        self.lock().get(plugin).cloned()
    }

    /// All owners.
    pub fn all(&self) -> BTreeMap<String, String> {
        self.lock().clone()
    }

    /// Makes a user the owner of a plugin.
    ///
    /// # Errors
    /// The file cannot be written, or there are too many.
    pub fn set(&self, plugin: &str, user: &str) -> io::Result<()> {
        let mut owners = self.lock();
        if owners.len() >= OWNED_MAX && !owners.contains_key(plugin) {
            return Err(io::Error::other("too many plugins have owners"));
        }
        owners.insert(plugin.into(), user.into());
        let text = serde_json::to_vec_pretty(&*owners)?;
        write_atomically(&RealDisk, &self.path, &text, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_remembered() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("owners.json");
        let owners = Owners::open(&path);
        assert_eq!(owners.of("analysis.a"), None);
        owners.set("analysis.a", "ann").expect("written");
        assert_eq!(Owners::open(&path).of("analysis.a").as_deref(), Some("ann"));
        std::fs::write(&path, "{").expect("written");
        assert!(Owners::open(&path).all().is_empty());
    }
}

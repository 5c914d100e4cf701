//! Which namespaces the edge takes: all, those in a list, or those that have a folder of schemas.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How old the list of folders may get.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// A set of namespaces.
#[derive(Clone, Debug)]
pub struct Namespaces(Source);

#[derive(Clone, Debug)]
enum Source {
    Any,
    Listed(Arc<BTreeSet<String>>),
    Folders(Arc<Folders>),
}

#[derive(Debug)]
struct Folders {
    path: PathBuf,
    also: BTreeSet<String>,
    /// Guards what was found at the last look.
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    at: Instant,
    names: BTreeSet<String>,
}

impl Namespaces {
    /// Every namespace.
    pub fn any() -> Namespaces {
        Namespaces(Source::Any)
    }

    /// These only.
    pub fn listed(names: BTreeSet<String>) -> Namespaces {
        Namespaces(Source::Listed(Arc::new(names)))
    }

    /// Those that have a folder in `path`, and these. A folder that is added counts within ten seconds.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn folders(path: PathBuf, also: BTreeSet<String>) -> Result<Namespaces, String> {
        let names =
            read(&path).map_err(|error| format!("cannot be read: {}: {error}", path.display()))?;
        let seen = Mutex::new(Seen {
            at: Instant::now(),
            names,
        });
        Ok(Namespaces(Source::Folders(Arc::new(Folders {
            path,
            also,
            seen,
        }))))
    }

    /// Whether `name` is one of them.
    pub fn contain(&self, name: &str) -> bool {
        match &self.0 {
            Source::Any => !name.is_empty(),
            Source::Listed(names) => names.contains(name),
            Source::Folders(folders) => folders.also.contains(name) || folders.have(name),
        }
    }
}

impl Folders {
    fn have(&self, name: &str) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.at.elapsed() >= LOOK_AGAIN {
            seen.at = Instant::now();
            // While the folder is being replaced, what was there counts.
            if let Ok(names) = read(&self.path) {
                seen.names = names;
            }
        }
        seen.names.contains(name)
    }
}

fn read(path: &std::path::Path) -> std::io::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        if entry.path().is_dir() {
            names.insert(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_contain_what_they_say() {
        assert!(Namespaces::any().contain("x"));
        assert!(!Namespaces::any().contain(""));
        let listed = Namespaces::listed(BTreeSet::from(["a".to_string()]));
        assert!(listed.contain("a") && !listed.contain("b"));
    }

    #[test]
    fn folders_are_namespaces() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(dir.path().join("telemetry")).expect("created");
        std::fs::write(dir.path().join("file"), "").expect("written");
        let also = BTreeSet::from(["more".to_string()]);
        let folders = Namespaces::folders(dir.path().into(), also).expect("readable");
        assert!(folders.contain("telemetry") && folders.contain("more"));
        assert!(!folders.contain("file") && !folders.contain("other"));
        let missing = Namespaces::folders(dir.path().join("none"), BTreeSet::new());
        assert!(missing.expect_err("missing").contains("cannot be read"));
    }
}

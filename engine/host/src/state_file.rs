//! A plugin's preserved state on disk: one file, replaced as a whole, that also says to which place it belongs.

use std::path::{Path, PathBuf};

use queue::Position;
use stdx::files::{RealDisk, write_atomically};

/// Where the state of one plugin is kept.
#[derive(Debug, Clone)]
pub struct StateFile {
    path: PathBuf,
    sync: bool,
}

/// What was found at the start.
#[derive(Debug, Default)]
pub struct Found {
    /// The bytes of the file, if there is one.
    pub bytes: Option<Vec<u8>>,
    /// The place the state belongs to, if the file says so (Hindsight's own files do not).
    pub position: Option<Position>,
}

impl StateFile {
    /// The file `<output_path>/<type>.<name>.data`; with `sync` each write is forced to the disk.
    pub fn new(output_path: &Path, plugin: &str, sync: bool) -> StateFile {
        StateFile {
            path: output_path.join(format!("{plugin}.data")),
            sync,
        }
    }

    /// Reads the file; a file that cannot be read is an error, a missing one is not.
    pub fn read(&self) -> Result<Found, String> {
        let bytes = match std::fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Found::default());
            }
            Err(error) => return Err(format!("reading {}: {error}", self.path.display())),
        };
        let position = sandbox::preserve::position(&bytes).and_then(|text| text.parse().ok());
        Ok(Found {
            bytes: Some(bytes),
            position,
        })
    }

    /// Whether a state was ever saved.
    pub fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Replaces the file as a whole.
    pub fn write(&self, bytes: &[u8]) -> Result<(), String> {
        write_atomically(&RealDisk, &self.path, bytes, self.sync)
            .map_err(|error| format!("writing {}: {error}", self.path.display()))
    }

    /// Puts a state that could not be restored aside, so that it can be looked at, and is not tried again.
    pub fn set_aside(&self) -> Result<(), String> {
        std::fs::rename(&self.path, self.path.with_extension("data.bad"))
            .map_err(|error| format!("renaming {}: {error}", self.path.display()))
    }
}

//! The audit log: who changed what, from where and how it went; one JSON object a line.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::Caller;
use crate::text;

/// When the file is longer than this it becomes `<name>.old` and a new one begins.
const FILE_MAX: u64 = 16 << 20;

/// What is read of the end of the file to show it.
const SHOWN_BYTES: u64 = 256 << 10;

/// Longest text of one entry, bytes.
const TEXT_MAX: usize = 4 << 10;

/// One thing that somebody did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, RFC 3339.
    pub time: String,
    /// Who.
    pub user: String,
    /// From where.
    pub address: String,
    /// What, such as `deploy`.
    pub action: String,
    /// With what, such as the plugin's name.
    pub object: String,
    /// `ok`, or why not.
    pub result: String,
}

/// The log.
pub struct Audit {
    path: PathBuf,
    /// Guards the file.
    file: Mutex<Option<File>>,
}

impl Audit {
    /// The log in this file.
    pub fn new(path: &Path) -> Audit {
        Audit {
            path: path.to_path_buf(),
            file: Mutex::new(None),
        }
    }

    /// Writes one entry; what cannot be written is told in the engine's log.
    pub fn note(&self, caller: &Caller, action: &str, object: &str, result: Result<(), String>) {
        let entry = Entry {
            time: text::time(text::now_ms()),
            user: caller.name.clone(),
            address: caller.address.to_string(),
            action: action.into(),
            object: text::cut(object.as_bytes(), TEXT_MAX),
            result: match result {
                Ok(()) => "ok".into(),
                Err(reason) => text::cut(reason.as_bytes(), TEXT_MAX),
            },
        };
        let Entry {
            user,
            action,
            object,
            result,
            ..
        } = &entry;
        tracing::info!(target: "admin", "{user}: {action} {object}: {result}");
        if let Err(error) = self.append(&entry) {
            tracing::error!(target: "admin", "writing {}: {error}", self.path.display());
        }
    }

    fn append(&self, entry: &Entry) -> io::Result<()> {
        let mut held = self.file.lock().expect("nothing panics under this lock");
        if let Some(file) = &*held
            && file.metadata()?.len() > FILE_MAX
        {
            *held = None;
            std::fs::rename(&self.path, self.path.with_extension("old"))?;
        }
        if held.is_none() {
            let mut options = OpenOptions::new();
            *held = Some(options.create(true).append(true).open(&self.path)?);
        }
        let line = serde_json::to_string(entry)? + "\n";
        match &mut *held {
            Some(file) => file.write_all(line.as_bytes()),
            None => Ok(()),
        }
    }

    /// The last entries, newest first.
    pub fn list(&self, limit: usize) -> Vec<Entry> {
        let read = || -> io::Result<Vec<u8>> {
            let mut file = File::open(&self.path)?;
            let begin = file.metadata()?.len().saturating_sub(SHOWN_BYTES);
            file.seek(SeekFrom::Start(begin))?;
            let mut text = Vec::new();
            file.take(SHOWN_BYTES).read_to_end(&mut text)?;
            Ok(text)
        };
        let text = read().unwrap_or_default();
        let lines = text.split(|byte| *byte == b'\n').rev();
        lines
            .filter_map(|line| serde_json::from_slice(line).ok())
            .take(limit)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Role;
    use super::*;

    #[test]
    fn what_was_done_can_be_read_again() {
        let dir = tempfile::tempdir().expect("a directory");
        let audit = Audit::new(&dir.path().join("audit.log"));
        assert!(audit.list(10).is_empty());
        let caller = Caller {
            name: "ann".into(),
            role: Role::Author,
            token: String::new(),
            address: [127, 0, 0, 1].into(),
        };
        audit.note(&caller, "stop", "analysis.a\n{}", Ok(()));
        audit.note(&caller, "deploy", "analysis.b", Err("no".into()));
        let list = audit.list(10);
        assert_eq!(list.len(), 2);
        assert_eq!(
            (list[0].action.as_str(), list[0].result.as_str()),
            ("deploy", "no")
        );
        assert_eq!(list[1].object, "analysis.a\n{}");
        assert_eq!(audit.list(1).len(), 1);
    }
}

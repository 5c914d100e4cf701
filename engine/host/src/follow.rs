//! Waits until something changes in the directory of a file.

use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use notify::{RecursiveMode, Watcher};

/// Notices of changes. Where the system offers none, waiting just takes its time.
pub struct Watch {
    changes: Receiver<()>,
    /// Ends the watching when dropped.
    _watcher: Option<notify::RecommendedWatcher>,
}

impl Watch {
    /// Watches the directory of `file`.
    pub fn new(file: &Path) -> Watch {
        // One notice is enough: whoever gets it looks at everything.
        let (sender, changes) = sync_channel(1);
        let tell = move |event: notify::Result<notify::Event>| {
            if !event.is_ok_and(|event| event.kind.is_access()) {
                let _ = sender.try_send(());
            }
        };
        let dir = file
            .parent()
            .filter(|dir| !dir.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let watcher = notify::recommended_watcher(tell).and_then(|mut watcher| {
            watcher
                .watch(dir, RecursiveMode::NonRecursive)
                .map(|()| watcher)
        });
        Watch {
            changes,
            _watcher: watcher.ok(),
        }
    }

    /// Waits for a change, at most `timeout`.
    pub fn wait(&self, timeout: Duration) {
        if let Err(RecvTimeoutError::Disconnected) = self.changes.recv_timeout(timeout) {
            std::thread::sleep(timeout);
        }
    }
}

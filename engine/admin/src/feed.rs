//! Where the engine hands over what moves: blocks of messages, and snapshots.

use std::sync::{Arc, Mutex};

use schemas::frame;
use schemas::view::Index;

use crate::alerts::Alerts;
use crate::engine::Queue;
use crate::history::History;
use crate::payloads::Payloads;
use crate::snapshot::Snapshot;
use crate::text;
use crate::watch::Watches;

/// Everything that the pages show and that came from the engine.
pub struct Feed {
    /// The newest payloads.
    pub payloads: Payloads,
    /// The last alerts.
    pub alerts: Alerts,
    /// Samples over time.
    pub history: History,
    /// Live looks.
    pub watches: Watches,
    /// Guards the last two snapshots.
    snapshots: Mutex<(Arc<Snapshot>, Arc<Snapshot>)>,
    /// Guards the index that blocks are read with, one at a time.
    index: Mutex<Index>,
}

impl Feed {
    /// Without anything but the alerts of earlier runs.
    pub fn new(alerts: Alerts) -> Feed {
        Feed {
            payloads: Payloads::default(),
            alerts,
            history: History::default(),
            watches: Watches::default(),
            snapshots: Mutex::default(),
            index: Mutex::new(Index::default()),
        }
    }

    /// Makes a snapshot the current one.
    pub fn publish(&self, snapshot: Snapshot) {
        self.history.take(&snapshot);
        let mut snapshots = self
            .snapshots
            .lock()
            .expect("nothing panics under this lock");
        let before = std::mem::replace(&mut snapshots.1, Arc::new(snapshot));
        snapshots.0 = before;
    }

    /// The current snapshot.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.last_two().1
    }

    /// The snapshot before the current one, and the current one.
    pub fn last_two(&self) -> (Arc<Snapshot>, Arc<Snapshot>) {
        self.snapshots
            .lock()
            .expect("nothing panics under this lock")
            .clone()
    }

    /// Whether the blocks of this queue are wanted. Those of the analysis queue always are, for payloads and alerts.
    pub fn wants(&self, queue: Queue) -> bool {
        queue == Queue::Analysis || self.watches.wants(queue)
    }

    /// Looks at a block of framed messages.
    pub fn take_block(&self, queue: Queue, block: &[u8]) {
        let mut index = self.index.lock().expect("nothing panics under this lock");
        let is_watched = self.watches.wants(queue);
        let now_ms = text::now_ms();
        for record in frame::records(block) {
            // What lies in a queue was checked before it was appended.
            if index.outline(record.message).is_err() {
                continue;
            }
            let view = index.view(record.message);
            let kind = view.type_().filter(|_| queue == Queue::Analysis);
            match kind {
                Some(b"inject_payload") => self.payloads.take(&view, now_ms),
                Some(b"alert") => self.alerts.take(&view),
                _ => {}
            }
            if is_watched {
                self.watches.show(queue, &view);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use schemas::message::{Field, Message};

    use super::*;

    fn framed(kind: &str) -> Vec<u8> {
        let mut message = Message::new([1; 16], 1);
        message.type_ = Some(kind.into());
        message.payload = Some(b"x".to_vec());
        message.fields = vec![Field::string("payload_name", "n")];
        let bytes = message.to_bytes();
        let (header, len) = frame::header(bytes.len());
        [&header[..len], &bytes].concat()
    }

    #[test]
    fn payloads_and_alerts_are_kept_of_the_analysis_queue() {
        let dir = tempfile::tempdir().expect("a directory");
        let feed = Feed::new(Alerts::open(&dir.path().join("alerts")));
        let block = [framed("inject_payload"), framed("alert"), framed("other")].concat();
        feed.take_block(Queue::Input, &block);
        assert!(feed.payloads.list().is_empty() && feed.alerts.last() == 0);
        feed.take_block(Queue::Analysis, &block);
        assert_eq!((feed.payloads.list().len(), feed.alerts.last()), (1, 1));
        assert!(feed.wants(Queue::Analysis) && !feed.wants(Queue::Input));
        let all = matcher::Matcher::parse("TRUE").expect("an expression");
        let mut look = feed.watches.begin(Queue::Input, all).expect("room");
        assert!(feed.wants(Queue::Input));
        feed.take_block(Queue::Input, &[block, b"garbage".to_vec()].concat());
        let mut seen = 0;
        while look.messages.try_recv().is_ok() {
            seen += 1;
        }
        assert_eq!(seen, 3);
    }
}

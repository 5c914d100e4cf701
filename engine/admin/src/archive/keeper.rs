//! The thread that keeps the past of graphs: every few minutes each one that has changed, before its rows leave the buffer.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::cbuf::Graph;
use crate::feed::Feed;
use crate::payloads::Listed;
use crate::text;

use super::Archive;

/// How often is looked which graphs are due.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// A graph is kept so often, or when half of its buffer is new.
const KEEP_EVERY: Duration = Duration::from_secs(600);

/// Graphs that one look keeps at most, so that it ends soon; the others are due at the next one.
const AT_ONCE_MAX: usize = 200;

/// How long the last look may take when the engine ends.
const LAST_LOOK: Duration = Duration::from_secs(5);

/// Which payload of a graph was kept, and when the next one shall be.
struct Kept {
    generation: u64,
    due: Instant,
}

/// Keeps graphs until it is dropped; then what has changed is kept once more.
pub struct Keeper {
    /// Ends the thread when it is dropped.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Begins to keep the graphs of `feed`.
    ///
    /// # Errors
    /// There can be no thread.
    pub fn start(archive: Arc<Archive>, feed: Arc<Feed>) -> std::io::Result<Keeper> {
        let (stop, stopped) = channel();
        let work = move || {
            let mut kept = HashMap::new();
            while archive.is_on() {
                let is_last = stopped.recv_timeout(LOOK_EVERY) != Err(RecvTimeoutError::Timeout);
                look(&archive, &feed, &mut kept, is_last);
                if is_last {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("admin history".into());
        Ok(Keeper {
            stop: Some(stop),
            thread: Some(thread.spawn(work)?),
        })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // A panic there has been told and ends nothing else.
            let _ = thread.join();
        }
    }
}

/// Keeps the graphs that are due; at the end all that have changed, as far as the time allows.
fn look(archive: &Archive, feed: &Feed, kept: &mut HashMap<String, Kept>, is_last: bool) {
    let begun = Instant::now();
    let now_s = text::now_ms() / 1000;
    archive.forget_old(now_s);
    let mut listed = feed.payloads.list();
    listed.retain(|one| one.kind == "cbuf" || one.kind == "cbufd");
    let is_due = |one: &&Listed| {
        let before = kept.get(&one.id);
        before.is_none_or(|k| k.generation != one.generation && (is_last || k.due <= begun))
    };
    let at_once = if is_last { usize::MAX } else { AT_ONCE_MAX };
    let due: Vec<Listed> = listed
        .iter()
        .filter(is_due)
        .take(at_once)
        .cloned()
        .collect();
    for one in due {
        if is_last && begun.elapsed() > LAST_LOOK {
            tracing::warn!(target: "admin", "the past of some graphs was not kept in time");
            break;
        }
        // What is damaged is told when somebody looks.
        let Ok((generation, graph)) = feed.payloads.read(&one.id, false) else {
            continue;
        };
        if let Err(error) = archive.keep(&one.id, &graph, now_s) {
            tracing::warn!(target: "admin", "keeping the past of {}: {error}", one.id);
        }
        let due = begun + pause(&graph);
        kept.insert(one.id, Kept { generation, due });
    }
    kept.retain(|id, _| listed.binary_search_by(|one| one.id.cmp(id)).is_ok());
}

/// How long a graph may wait: rows must not leave its buffer meanwhile.
fn pause(graph: &Graph) -> Duration {
    let half = graph.seconds_per_row * graph.rows as i64 / 2;
    KEEP_EVERY.min(Duration::from_secs(half.unsigned_abs()))
}

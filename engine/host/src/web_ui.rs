//! The web UI's side in the engine: it gets snapshots and what moves, and its questions are answered.

mod desk;
mod private;
mod survey;
mod trial;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use admin::access::owners::Owners;
use admin::alerts::Alerts;
use admin::engine::Queue as Which;
use admin::{Feed, Options, Server};
use queue::{Queue, Reader, Start};

use crate::engine::Engine;
use crate::shared::Shared;
use desk::Desk;
use survey::Survey;

/// How often the queues are looked at. Blocks gather meanwhile and are read where they lie in memory.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Who looks and is so far behind, in bytes, leaves out what is between: it never makes the engine read from the disk
/// what nobody may look at.
const BEHIND_MAX: u64 = 64 << 20;

/// Snapshots are made this often, and a second later for each of so many plugins.
const SNAPSHOT_EVERY: Duration = Duration::from_secs(1);
const PLUGINS_PER_SECOND: usize = 2_000;

/// The running web UI; it ends when this is dropped.
pub struct WebUi {
    feed: Arc<Feed>,
    survey: Survey,
    due: Instant,
    stop: Arc<AtomicBool>,
    looker: Option<JoinHandle<()>>,
    /// Ends with this.
    _server: Server,
}

impl WebUi {
    /// Starts the web UI that the configuration asks for.
    ///
    /// # Errors
    /// Why it cannot start.
    pub fn start(shared: &Arc<Shared>, options: Options) -> Result<WebUi, String> {
        let dir = options.state.clone();
        std::fs::create_dir_all(&dir)
            .map_err(|error| format!("creating {}: {error}", dir.display()))?;
        let feed = Arc::new(Feed::new(Alerts::open(&dir.join("alerts.json"))));
        let owners = Arc::new(Owners::open(&dir.join("owners.json")));
        let desk = Arc::new(Desk::new(shared.clone(), &dir));
        let server = Server::start(options, feed.clone(), desk, owners.clone())?;
        tracing::info!(target: "admin", "the web UI is at {}", server.url());
        let stop = Arc::new(AtomicBool::new(false));
        let looker = look(shared.clone(), feed.clone(), stop.clone())
            .map_err(|error| format!("starting a thread of the web UI: {error}"))?;
        Ok(WebUi {
            feed,
            survey: Survey::new(owners),
            due: Instant::now(),
            stop,
            looker: Some(looker),
            _server: server,
        })
    }

    /// Shows how the engine is now, if it is time.
    pub fn show(&mut self, engine: &Engine) {
        if Instant::now() < self.due {
            return;
        }
        let snapshot = self.survey.take(engine);
        let more = Duration::from_secs((snapshot.plugins.len() / PLUGINS_PER_SECOND) as u64);
        self.due = Instant::now() + SNAPSHOT_EVERY + more;
        self.feed.publish(snapshot);
    }
}

impl Drop for WebUi {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(looker) = self.looker.take() {
            // A panic there has been told and ends nothing else.
            let _ = looker.join();
        }
    }
}

/// The thread that reads both queues for the pages.
fn look(
    shared: Arc<Shared>,
    feed: Arc<Feed>,
    stop: Arc<AtomicBool>,
) -> std::io::Result<JoinHandle<()>> {
    let onlooker = |queue: &Queue| queue.onlooker("admin", Start::Newest);
    let mut analysis = onlooker(&shared.analysis_queue);
    let mut input = onlooker(&shared.input_queue);
    let work = move || {
        while !stop.load(Ordering::Acquire) {
            take(
                &feed,
                Which::Analysis,
                &shared.analysis_queue,
                &mut analysis,
            );
            match feed.wants(Which::Input) {
                true => take(&feed, Which::Input, &shared.input_queue, &mut input),
                false => input.skip_to_newest(),
            }
            std::thread::sleep(LOOK_EVERY);
        }
    };
    std::thread::Builder::new()
        .name("admin feed".into())
        .spawn(work)
}

fn take(feed: &Feed, which: Which, queue: &Queue, reader: &mut Reader) {
    if queue.lag_bytes(reader.position()) > BEHIND_MAX {
        reader.skip_to_newest();
    }
    let end = queue.written();
    while reader.position() < end {
        match reader.try_next() {
            Ok(Some(block)) => feed.take_block(which, block.bytes()),
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(target: "admin", "{error}");
                return reader.skip_to_newest();
            }
        }
    }
}

//! The threads that talk to stores for all plugins, and waits of plugins that end when the plugin has to.

use std::pin::pin;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use sandbox::{Handle, Kind};
use tokio::runtime::Runtime;
use tokio::time::timeout;

/// Threads for the network; what waits for a disk gets others.
const THREADS: usize = 2;

/// The longest time between two looks at whether the plugin has to stop.
const STEP: Duration = Duration::from_millis(100);

/// How long an output may still wait in one call after a stop: it may have to hand over its last data. Shorter than the 10
/// seconds after which the engine interrupts it, so that an unreachable store is no fault of the plugin.
const GRACE: Duration = Duration::from_secs(8);

/// The runtime that all stores share.
///
/// # Errors
/// What the system says when it gives no threads.
pub fn runtime() -> Result<&'static Runtime, String> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    let made = RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("store")
            .enable_all()
            .build()
            .map_err(|error| format!("the threads for stores could not be started: {error}"))
    });
    made.as_ref().map_err(Clone::clone)
}

/// Says for how long a plugin's native function may wait.
#[derive(Clone)]
pub struct Patience(Option<(Handle, Kind)>);

impl Patience {
    /// A plugin's: an input stops at once, an output gets a grace period in each wait.
    pub fn of_plugin(handle: Handle, kind: Kind) -> Patience {
        Patience(Some((handle, kind)))
    }

    /// Waits for as long as it takes; for commands, which a signal ends.
    pub fn endless() -> Patience {
        Patience(None)
    }

    fn lasts(&self, since: Instant) -> bool {
        match &self.0 {
            Some((handle, kind)) => {
                !handle.stopped() || (*kind != Kind::Input && since.elapsed() < GRACE)
            }
            None => true,
        }
    }

    /// Waits on this thread for `work`; `None` when the plugin has to stop.
    pub fn wait<T>(&self, runtime: &Runtime, work: impl Future<Output = T>) -> Option<T> {
        let since = Instant::now();
        runtime.block_on(async {
            let mut work = pin!(work);
            loop {
                match timeout(STEP, &mut work).await {
                    Ok(done) => return Some(done),
                    Err(_) if self.lasts(since) => {}
                    Err(_) => return None,
                }
            }
        })
    }
}

impl std::fmt::Debug for Patience {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Patience").field(&self.0.is_some()).finish()
    }
}

//! Blocks of the input queue go to the plugins that want them; workers run each plugin's share and append to the analysis queue.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use queue::{Position, Signal};

use crate::analysis_plugin::{AnalysisPlugin, Cage, Ended, Job, Turn};
use crate::fault;
use crate::router::{Batch, Routed, Router};
use crate::shared::{Mode, Shared, StopState};
use crate::ticker::Timers;

/// No more workers than this, however many plugins are stuck: Hindsight's own limit of analysis threads.
pub const WORKERS_MAX: usize = 64;

/// A worker without work looks up this often for timers and a stop, though nothing woke it.
const IDLE_WAIT_MAX: Duration = Duration::from_millis(1000);

/// A worker above the configured number ends after so long without work.
const SPARE_WORKER_IDLE: Duration = Duration::from_secs(10);

/// A plugin that is behind reads so many blocks before another plugin gets its turn.
const CATCH_UP_BLOCKS: usize = 4;

/// The stage: one router, one run queue, some workers.
pub struct AnalysisStage {
    shared: Arc<Shared>,
    /// Guards the routing; held for one batch by the worker that routes.
    router: Mutex<Router>,
    /// Guards the list of plugins that wait for a worker.
    run_queue: Mutex<VecDeque<Arc<AnalysisPlugin>>>,
    signal: Signal,
    timers: Timers<AnalysisPlugin>,
    workers: AtomicUsize,
    busy: AtomicUsize,
    /// Grows whenever a worker finishes something; tells the supervisor whether the stage moves.
    turns: AtomicU64,
    /// Handles of the workers' threads, joined at the end.
    threads: Mutex<Vec<std::thread::JoinHandle<()>>>,
    drained: AtomicBool,
}

impl AnalysisStage {
    /// A stage whose router reads from `reader`; `signal` must be the one the input queue notifies.
    pub fn new(shared: Arc<Shared>, reader: queue::Reader, signal: Signal) -> Arc<Self> {
        let router = Router::new(reader, shared.mode == Mode::Replay);
        Arc::new(AnalysisStage {
            shared,
            router: Mutex::new(router),
            run_queue: Mutex::new(VecDeque::new()),
            signal,
            timers: Timers::default(),
            workers: AtomicUsize::new(0),
            busy: AtomicUsize::new(0),
            turns: AtomicU64::new(0),
            threads: Mutex::new(Vec::new()),
            drained: AtomicBool::new(false),
        })
    }

    /// Starts the configured number of workers.
    pub fn start(self: &Arc<Self>) {
        for _ in 0..self.shared.config.analysis_threads {
            self.add_worker();
        }
    }

    fn add_worker(self: &Arc<Self>) {
        let number = self.workers.fetch_add(1, Ordering::AcqRel);
        let stage = self.clone();
        let spawned = std::thread::Builder::new()
            .name(format!("analysis{number}"))
            .spawn(move || stage.work());
        match spawned {
            Ok(thread) => self
                .threads
                .lock()
                .expect("nothing panics under this lock")
                .push(thread),
            Err(error) => {
                self.workers.fetch_sub(1, Ordering::AcqRel);
                tracing::error!(target: "analysis_plugins", "starting a worker: {error}");
            }
        }
    }

    fn router(&self) -> MutexGuard<'_, Router> {
        self.router
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn run_queue(&self) -> MutexGuard<'_, VecDeque<Arc<AnalysisPlugin>>> {
        self.run_queue
            .lock()
            .expect("nothing panics under this lock")
    }

    /// Takes a plugin in; it catches up by itself and then joins the common batches.
    pub fn add(&self, plugin: Arc<AnalysisPlugin>) {
        if self.shared.mode == Mode::Run {
            let every = Duration::from_secs(plugin.config().settings.ticker_interval_s);
            self.timers
                .add(Arc::downgrade(&plugin), every, plugin.name());
        }
        let mut router = self.router();
        if plugin.place() == Some(router.position()) {
            plugin.in_step();
        }
        router.add(plugin.clone());
        drop(router);
        if plugin.is_behind() && plugin.wake() {
            self.schedule(plugin);
        }
    }

    /// Takes a plugin out and ends it in order; returns the place where a next instance shall start.
    pub fn remove(&self, name: &str) -> Option<Position> {
        let plugin = self.router().remove(name)?;
        plugin.end();
        Some(self.finish(&plugin))
    }

    /// Whether any plugin is loaded.
    pub fn has_plugins(&self) -> bool {
        self.router().plugins().next().is_some()
    }

    /// The plugins that are loaded.
    pub fn plugins(&self) -> Vec<Arc<AnalysisPlugin>> {
        self.router().plugins().cloned().collect()
    }

    /// Messages routed so far and the time it took.
    pub fn measured(&self) -> (u64, Duration) {
        self.router().measured()
    }

    /// Where the router stands, and the places of all plugins that stand elsewhere.
    pub fn places(&self) -> (Position, HashMap<String, Position>) {
        let router = self.router();
        let elsewhere = router.plugins().filter_map(|plugin| {
            let place = plugin.place().filter(|place| *place != router.position())?;
            Some((plugin.name().to_string(), place))
        });
        (router.position(), elsewhere.collect())
    }

    /// Lets the queue forget what no plugin and no saved state needs.
    pub fn release(&self) {
        let mut router = self.router();
        let needed =
            router
                .plugins()
                .filter_map(|plugin| match (plugin.place(), plugin.state_floor()) {
                    (Some(place), Some(floor)) => Some(place.min(floor)),
                    (place, floor) => place.or(floor),
                });
        let floor = needed
            .min()
            .map_or(router.position(), |needed| needed.min(router.position()));
        router.reader().release(floor);
    }

    fn schedule(&self, plugin: Arc<AnalysisPlugin>) {
        self.run_queue().push_back(plugin);
        self.signal.notify();
    }

    /// A worker: runs plugins that have work, routes when there is none, waits when there is nothing to route.
    fn work(self: Arc<Self>) {
        let mut idle_since = Instant::now();
        loop {
            let seen = self.signal.count();
            if self.shared.stop.is_stopping() || self.drained.load(Ordering::Acquire) {
                break;
            }
            let timer_wait = self.push_due_timers();
            if self.work_once() {
                self.turns.fetch_add(1, Ordering::Relaxed);
                idle_since = Instant::now();
                continue;
            }
            let spare = self.workers.load(Ordering::Acquire) > self.shared.config.analysis_threads;
            if spare && idle_since.elapsed() > SPARE_WORKER_IDLE {
                break;
            }
            self.signal.wait(seen, timer_wait.min(IDLE_WAIT_MAX));
        }
        self.workers.fetch_sub(1, Ordering::AcqRel);
    }

    /// One piece of work; false when there is none.
    fn work_once(&self) -> bool {
        self.busy.fetch_add(1, Ordering::AcqRel);
        let next = self.run_queue().pop_front();
        let worked = match next {
            Some(plugin) => {
                self.run_guarded(&plugin);
                true
            }
            None => self.route_guarded(),
        };
        self.busy.fetch_sub(1, Ordering::AcqRel);
        worked
    }

    /// Routes; a panic there is a fault of the engine itself, which then stops rather than hang.
    fn route_guarded(&self) -> bool {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.route())).unwrap_or_else(|panic| {
            tracing::error!(target: "analysis_plugins", "routing: {}", fault::panic_text(&*panic));
            self.shared.system_failed();
            self.shared.request_shutdown();
            false
        })
    }

    fn route(&self) -> bool {
        let Ok(mut router) = self.router.try_lock() else {
            return false;
        };
        // A replay keeps the order of messages and timers across plugins: one batch at a time.
        if self.shared.mode == Mode::Replay && self.busy.load(Ordering::Acquire) > 1 {
            return false;
        }
        let mut scheduled = Vec::new();
        let routed = router.route(&mut |plugin| scheduled.push(plugin.clone()));
        if let Some(now_ns) = router.data_time() {
            self.shared.saw_time(now_ns);
        }
        drop(router);
        let work = match routed {
            Ok(Routed::Work) => true,
            Ok(Routed::Nothing) => {
                self.note_drained();
                false
            }
            Err(error) => {
                tracing::error!(target: "input_reader", "{error}");
                false
            }
        };
        if work {
            self.shared.checkpoint_moved();
        }
        let others = scheduled.len() > 1;
        self.run_queue().extend(scheduled);
        if others {
            self.signal.notify();
        }
        work
    }

    /// In a drain: the stage is done when the inputs have ended and nothing is left anywhere.
    fn note_drained(&self) {
        let draining = self.shared.stop.state() == StopState::Draining;
        if draining && self.busy.load(Ordering::Acquire) == 1 && self.run_queue().is_empty() {
            let router = self.router();
            let behind = router
                .plugins()
                .any(|plugin| plugin.is_behind() && !plugin.has_ended());
            let at_end = router.position() >= self.shared.input_queue.appended();
            drop(router);
            if at_end && !behind {
                self.drained.store(true, Ordering::Release);
                self.signal.notify();
            }
        }
    }

    /// Runs a plugin; a panic of ours ends that plugin only.
    fn run_guarded(&self, plugin: &Arc<AnalysisPlugin>) {
        let run = std::panic::AssertUnwindSafe(|| self.run(plugin));
        if let Err(panic) = std::panic::catch_unwind(run) {
            self.terminate(plugin, &fault::panic_text(&*panic));
        }
    }

    fn run(&self, plugin: &Arc<AnalysisPlugin>) {
        let turn = plugin.next_turn();
        if matches!(turn, Turn::Rest) {
            return;
        }
        let mut guard = plugin.cage();
        let Some(cage) = guard.as_mut() else { return };
        let ended = match turn {
            Turn::Job(Job::Messages(batch, hits)) => plugin.run_messages(cage, &batch, &hits),
            Turn::Job(Job::Tick(now_ns)) => plugin.run_timer(cage, now_ns),
            Turn::Job(Job::Save) => self.save(plugin, cage),
            Turn::CatchUp(from) => self.catch_up(plugin, cage, from),
            Turn::Rest => Ended::No,
        };
        let ended = if ended == Ended::No {
            self.save_if_due(plugin, cage)
        } else {
            ended
        };
        drop(guard);
        plugin.job_done();
        self.shared.checkpoint_moved();
        match ended {
            Ended::No => self.reschedule(plugin),
            Ended::Terminated(reason) => self.terminate(plugin, &reason),
            Ended::Stopped => {}
        }
    }

    /// Back into the run queue, behind the others, if more waits.
    fn reschedule(&self, plugin: &Arc<AnalysisPlugin>) {
        if plugin.stays_scheduled() {
            self.run_queue().push_back(plugin.clone());
        }
    }

    fn save_if_due(&self, plugin: &Arc<AnalysisPlugin>, cage: &mut Cage) -> Ended {
        if plugin.save_due(cage, cage.at) {
            return self.save(plugin, cage);
        }
        Ended::No
    }

    /// Saves the state; what the plugin has injected so far is in the kernel first.
    fn save(&self, plugin: &Arc<AnalysisPlugin>, cage: &mut Cage) -> Ended {
        self.shared.flush(&self.shared.analysis_queue);
        match plugin.save(cage) {
            Ok(()) => Ended::No,
            Err(reason) => {
                tracing::error!(target: "plugin", plugin = plugin.name(), "saving the state: {reason}");
                Ended::No
            }
        }
    }

    /// Lets a plugin that is behind read some blocks by itself, but never past the router.
    fn catch_up(&self, plugin: &Arc<AnalysisPlugin>, cage: &mut Cage, from: Position) -> Ended {
        let mut from = from;
        for _ in 0..CATCH_UP_BLOCKS {
            let limit = self.router().position();
            if from >= limit {
                return self.rejoin(plugin, cage, from);
            }
            match self.read_behind(plugin, cage, from, limit) {
                Ok((place, Ended::No)) => from = place,
                Ok((_, ended)) => return ended,
                Err(error) => {
                    return Ended::Terminated(format!("reading the input queue: {error}"));
                }
            }
            plugin.caught_up_to(from);
        }
        Ended::No
    }

    fn rejoin(&self, plugin: &Arc<AnalysisPlugin>, cage: &mut Cage, from: Position) -> Ended {
        let router = self.router();
        if router.position() <= from {
            plugin.in_step();
            cage.catch_up = None;
        }
        Ended::No
    }

    /// Reads one block from `from` and runs the messages the plugin wants; returns the place behind it.
    fn read_behind(
        &self,
        plugin: &Arc<AnalysisPlugin>,
        cage: &mut Cage,
        from: Position,
        limit: Position,
    ) -> Result<(Position, Ended), queue::ReadError> {
        if cage
            .catch_up
            .as_ref()
            .is_none_or(|reader| reader.position() != from)
        {
            let start = queue::Start::Position(from);
            cage.catch_up = Some(self.shared.input_queue.reader(plugin.name(), start));
        }
        let reader = cage.catch_up.as_mut().expect("was just made");
        let Some(block) = reader.try_next()? else {
            // The rest up to the router was lost to damage; it has been reported.
            return Ok((limit, Ended::No));
        };
        let end = block.end().min(limit);
        let ended = self.run_block(plugin, cage, &block, end);
        Ok((end, ended))
    }

    fn run_block(
        &self,
        plugin: &Arc<AnalysisPlugin>,
        cage: &mut Cage,
        block: &queue::Block,
        end: Position,
    ) -> Ended {
        let batch = Batch::of_block(block.clone(), end);
        let hits = batch.matching(plugin.matcher());
        plugin.run_messages(cage, &batch, &hits)
    }

    /// Gives timers that are due to their plugins; returns how long until the next.
    fn push_due_timers(&self) -> Duration {
        if self.shared.mode == Mode::Replay {
            return IDLE_WAIT_MAX;
        }
        let now = Instant::now();
        let now_ns = self.shared.timer_ns();
        let next = self.timers.take_due(now, |plugin| {
            if plugin.push(Job::Tick(now_ns)) {
                self.run_queue().push_back(plugin);
            }
        });
        next.map_or(IDLE_WAIT_MAX, |next| next.saturating_duration_since(now))
    }

    /// Ends a plugin by its own fault.
    fn terminate(&self, plugin: &Arc<AnalysisPlugin>, reason: &str) {
        plugin.end();
        self.router().remove(plugin.name());
        // Dropped here, in the thread that ran it; a plugin stuck elsewhere keeps its cage.
        if let Some(mut cage) = plugin.try_cage() {
            cage.take();
        }
        fault::terminated(&self.shared, plugin.config(), reason);
        self.shared.checkpoint_moved();
    }

    /// Ends a plugin in order, waiting for the worker that has it, but not for ever.
    fn finish(&self, plugin: &Arc<AnalysisPlugin>) -> Position {
        let router = self.router().position();
        if !fault::wait_for_call(&plugin.handle, || plugin.try_cage().is_some()) {
            fault::stuck(&self.shared, plugin.config());
            return router;
        }
        self.shared.flush(&self.shared.analysis_queue);
        let (ended, place) = plugin.finish(self.shared.timer_ns(), router);
        if let Ended::Terminated(reason) = ended {
            fault::terminated(&self.shared, plugin.config(), &reason);
        }
        place
    }

    /// Whether a plugin runs now, or anything has run since there were `turns_before` turns.
    pub fn has_moved(&self, turns_before: u64) -> bool {
        self.busy.load(Ordering::Acquire) > 0 || self.turns.load(Ordering::Relaxed) != turns_before
    }

    /// Called by the supervisor: saves states that are due, takes stuck plugins out, adds a worker when all are held up.
    pub fn supervise(self: &Arc<Self>, turns_before: u64) -> u64 {
        let plugins = self.plugins();
        let router = self.router().position();
        for plugin in &plugins {
            let due = plugin.try_cage().is_some_and(|cage| {
                cage.as_ref()
                    .is_some_and(|cage| plugin.save_due(cage, router))
            });
            if due && plugin.push(Job::Save) {
                self.schedule(plugin.clone());
            }
            if plugin
                .config()
                .settings
                .stuck_after
                .is_some_and(|after| fault::is_stuck(&plugin.handle, after))
            {
                plugin.end();
                self.router().remove(plugin.name());
                fault::stuck(&self.shared, plugin.config());
            }
        }
        let turns = self.turns.load(Ordering::Relaxed);
        let held_up = self.busy.load(Ordering::Acquire) >= self.workers.load(Ordering::Acquire);
        if turns == turns_before && held_up && self.workers.load(Ordering::Acquire) < WORKERS_MAX {
            self.add_worker();
        }
        turns
    }

    /// Whether a drain is complete.
    pub fn is_drained(&self) -> bool {
        self.drained.load(Ordering::Acquire)
    }

    /// Makes idle workers look at the stop state.
    pub fn wake(&self) {
        self.signal.notify();
    }

    /// Waits for the workers to end; they must have been told to stop, or the drain must be complete.
    pub fn join(&self) {
        self.signal.notify();
        let plugins = self.plugins();
        plugins.iter().for_each(|plugin| plugin.handle.stop());
        for thread in self
            .threads
            .lock()
            .expect("nothing panics under this lock")
            .drain(..)
        {
            fault::join_or_leave(thread, || plugins.iter().for_each(|p| p.handle.interrupt()));
        }
    }

    /// After the checkpoints were taken: a last timer_event and the state of every plugin.
    pub fn finish_all(&self) {
        for plugin in self.plugins() {
            plugin.end();
            self.finish(&plugin);
        }
    }
}

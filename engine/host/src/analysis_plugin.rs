//! One analysis plugin: its jobs, its place in the input queue, its sandbox and its preserved state.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use matcher::Matcher;
use queue::{Position, Reader};
use sandbox::{Answer, Sandbox};

use crate::config::Plugin;
use crate::router::{Batch, Hit};
use crate::state_file::StateFile;
use crate::statistics::{BlockTimer, Statistics};
use crate::ticker::DataTimer;

/// So many batches may wait for one plugin; with more it leaves the common batches and reads the queue by itself,
/// so that it holds up neither the others nor their memory.
const JOBS_MAX: usize = 3;

/// A plugin makes its progress known after so many messages at the latest.
const PROGRESS_EVERY: usize = 256;

/// The message so many further on is fetched into the processor's cache meanwhile.
const PREFETCH_AHEAD: usize = 2;

/// One piece of work for a plugin.
pub enum Job {
    /// The plugin's share of a batch.
    Messages(Arc<Batch>, Vec<Hit>),
    /// A timer is due.
    Tick(i64),
    /// Save the state now.
    Save,
}

/// What waits for a plugin and where it is; guarded by one mutex that is taken per job.
struct Pending {
    jobs: VecDeque<Job>,
    /// A worker has the plugin or will take it.
    scheduled: bool,
    /// Everything before this place is processed; valid while a job runs.
    running: Option<Position>,
    /// The plugin reads by itself from here on until it is in step again.
    behind: Option<Position>,
    /// No more work is taken.
    ended: bool,
    /// Work was left undone when the plugin ended.
    cut: bool,
}

/// The sandbox and what belongs to its state; a worker holds it while it runs the plugin.
pub struct Cage {
    /// The Lua state.
    pub sandbox: Sandbox,
    /// Everything before this place is part of the state.
    pub at: Position,
    /// Reads the queue while the plugin is behind.
    pub catch_up: Option<Reader>,
    state: Option<StateFile>,
    dirty: bool,
    /// A call was broken off, so the state must not be saved any more.
    spoiled: bool,
    saved_at: Position,
    saved_when: Instant,
    /// Until this place the messages were processed before a crash, so what they inject is in the queue already.
    replay_until: Option<Position>,
}

/// A plugin between loading and its end.
pub struct AnalysisPlugin {
    config: Arc<Plugin>,
    matcher: Matcher,
    /// Counters and times.
    pub statistics: Statistics,
    /// Ends calls from outside and tells how long one runs.
    pub handle: sandbox::Handle,
    pending: Mutex<Pending>,
    /// The lowest place that must stay in the queue because the saved state starts there.
    floor: Mutex<Option<Position>>,
    cage: Mutex<Option<Cage>>,
    muted: Arc<AtomicBool>,
    /// Looked at between two messages, so that a stop need not wait for the whole batch.
    stopping: AtomicBool,
    data_timer: DataTimer,
}

/// What a worker shall do with a plugin next.
pub enum Turn {
    /// A job was taken.
    Job(Job),
    /// Nothing waits but the plugin is behind: read on from there.
    CatchUp(Position),
    /// Nothing to do; the plugin is no longer scheduled.
    Rest,
}

/// How a piece of work ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// Go on.
    No,
    /// By an error of the plugin; the reason.
    Terminated(String),
    /// By order.
    Stopped,
}

/// What a new plugin starts with.
pub struct Start {
    /// The place from which it reads.
    pub at: Position,
    /// Up to here its messages were processed before, but are missing in its state.
    pub replay_until: Option<Position>,
    /// Where its state is kept, if it preserves any.
    pub state: Option<StateFile>,
    /// The switch that makes `inject_message` do nothing during a repetition.
    pub muted: Arc<AtomicBool>,
}

impl AnalysisPlugin {
    /// A plugin that is behind at `start.at` until it has caught up with the router.
    pub fn new(config: Arc<Plugin>, matcher: Matcher, sandbox: Sandbox, start: Start) -> Arc<Self> {
        let saves = config.settings.preserve_interval.is_some();
        let floor = start.state.as_ref().filter(|_| saves).map(|_| start.at);
        Arc::new(AnalysisPlugin {
            handle: sandbox.handle(),
            matcher,
            statistics: Statistics::default(),
            pending: Mutex::new(Pending {
                jobs: VecDeque::new(),
                scheduled: false,
                running: None,
                behind: Some(start.at),
                ended: false,
                cut: false,
            }),
            floor: Mutex::new(floor),
            cage: Mutex::new(Some(Cage {
                sandbox,
                at: start.at,
                catch_up: None,
                state: start.state,
                dirty: false,
                spoiled: false,
                saved_at: start.at,
                saved_when: Instant::now(),
                replay_until: start.replay_until,
            })),
            muted: start.muted,
            stopping: AtomicBool::new(false),
            data_timer: DataTimer::new(config.settings.ticker_interval_s as i64),
            config,
        })
    }

    /// `analysis.NAME`.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// The plugin's configuration.
    pub fn config(&self) -> &Arc<Plugin> {
        &self.config
    }

    /// Which messages it wants.
    pub fn matcher(&self) -> &Matcher {
        &self.matcher
    }

    /// In a replay: whether its timer fires at this Timestamp.
    pub fn data_timer_due(&self, now_ns: i64) -> bool {
        self.data_timer.fires(now_ns)
    }

    /// In a replay: the Timestamp at which its timer fires next.
    pub fn data_timer_next(&self) -> i64 {
        self.data_timer.next_ns()
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().expect("nothing panics under this lock")
    }

    /// Takes a share of a batch; returns whether the plugin must be scheduled.
    pub fn hand_over(&self, batch: Arc<Batch>, hits: Vec<Hit>) -> bool {
        let mut pending = self.pending();
        if pending.ended || pending.behind.is_some() {
            return false;
        }
        if pending.jobs.len() >= JOBS_MAX {
            pending.behind = Some(batch.start());
            return false;
        }
        pending.jobs.push_back(Job::Messages(batch, hits));
        !std::mem::replace(&mut pending.scheduled, true)
    }

    /// Adds a job that is not about messages; returns whether the plugin must be scheduled.
    pub fn push(&self, job: Job) -> bool {
        let mut pending = self.pending();
        let full = pending.jobs.len() > JOBS_MAX;
        if pending.ended || full {
            return false;
        }
        pending.jobs.push_back(job);
        !std::mem::replace(&mut pending.scheduled, true)
    }

    /// Schedules a plugin that is behind; returns whether it must be put into the run queue.
    pub fn wake(&self) -> bool {
        let mut pending = self.pending();
        !pending.ended && !std::mem::replace(&mut pending.scheduled, true)
    }

    /// What to do next; called by the worker that has the plugin.
    pub fn next_turn(&self) -> Turn {
        let mut pending = self.pending();
        if pending.ended {
            pending.jobs.clear();
        }
        if let Some(job) = pending.jobs.pop_front() {
            if let Job::Messages(batch, _) = &job {
                pending.running = Some(batch.start());
            }
            return Turn::Job(job);
        }
        match pending.behind.filter(|_| !pending.ended) {
            Some(from) => {
                pending.running = Some(from);
                Turn::CatchUp(from)
            }
            None => {
                pending.scheduled = false;
                Turn::Rest
            }
        }
    }

    /// The job is done.
    pub fn job_done(&self) {
        self.pending().running = None;
    }

    /// Whether more waits, so that the plugin goes to the end of the run queue; if not, it is no longer scheduled.
    pub fn stays_scheduled(&self) -> bool {
        let mut pending = self.pending();
        let more = !pending.ended && (!pending.jobs.is_empty() || pending.behind.is_some());
        pending.scheduled = more;
        more
    }

    /// The plugin has read up to `place` by itself.
    pub fn caught_up_to(&self, place: Position) {
        let mut pending = self.pending();
        pending.behind = Some(place);
        pending.running = None;
    }

    /// The plugin joins the common batches again; the caller holds the router, which stands where the plugin stands.
    pub fn in_step(&self) {
        self.pending().behind = None;
    }

    /// Everything before this place is processed; `None` when the plugin stands where the router stands.
    pub fn place(&self) -> Option<Position> {
        let pending = self.pending();
        let first_job = pending.jobs.iter().find_map(|job| match job {
            Job::Messages(batch, _) => Some(batch.start()),
            _ => None,
        });
        pending.running.or(first_job).or(pending.behind)
    }

    /// Whether the plugin reads the queue by itself.
    pub fn is_behind(&self) -> bool {
        self.pending().behind.is_some()
    }

    /// How many jobs wait.
    pub fn jobs(&self) -> usize {
        self.pending().jobs.len()
    }

    /// The place from which the queue must be kept for this plugin, if its state needs more than its place.
    pub fn state_floor(&self) -> Option<Position> {
        *self.floor.lock().expect("nothing panics under this lock")
    }

    /// No more work: what waits is dropped.
    pub fn end(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        let mut pending = self.pending();
        let idle = pending.jobs.is_empty() && pending.running.is_none() && pending.behind.is_none();
        pending.cut |= !idle;
        pending.ended = true;
        pending.jobs.clear();
    }

    /// Whether the plugin has ended.
    pub fn has_ended(&self) -> bool {
        self.pending().ended
    }

    /// The sandbox; waits for the worker that has it.
    pub fn cage(&self) -> MutexGuard<'_, Option<Cage>> {
        // A panic inside a plugin's call has ended that plugin; its cage is not used again.
        self.cage
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The sandbox, if no worker has it.
    pub fn try_cage(&self) -> Option<MutexGuard<'_, Option<Cage>>> {
        self.cage.try_lock().ok()
    }

    /// Runs the plugin's share of a batch.
    pub fn run_messages(&self, cage: &mut Cage, batch: &Batch, hits: &[Hit]) -> Ended {
        let mut timer = BlockTimer::start();
        let mut ended = Ended::No;
        for (done, hit) in hits.iter().enumerate() {
            if self.stopping.load(Ordering::Relaxed) {
                ended = Ended::Stopped;
                break;
            }
            if let Some(soon) = hits.get(done + PREFETCH_AHEAD) {
                batch.prefetch(soon);
            }
            if done % PROGRESS_EVERY == PROGRESS_EVERY - 1 {
                self.pending().running = Some(cage.at);
            }
            ended = match hit {
                Hit::Message(hit) => match batch.message(hit) {
                    // A state that was saved after the router's place was recorded has this message already.
                    Some((_, _, behind)) if behind <= cage.at => Ended::No,
                    Some((framed, message, behind)) => {
                        self.process(cage, &mut timer, framed, message, behind)
                    }
                    None => Ended::No,
                },
                Hit::Tick(now_ns) => self.run_timer(cage, *now_ns),
            };
            if ended != Ended::No {
                break;
            }
        }
        if ended == Ended::No {
            cage.at = cage.at.max(batch.end());
        }
        timer.finish(&self.statistics);
        self.statistics.take_over(&cage.sandbox.stats());
        ended
    }

    /// Processes one message and moves the cage's place behind it.
    pub fn process(
        &self,
        cage: &mut Cage,
        timer: &mut BlockTimer,
        framed: &[u8],
        message: &[u8],
        behind: Position,
    ) -> Ended {
        if cage.replay_until.is_some() {
            self.repeat(cage, behind);
        }
        let answer = timer.call(|| cage.sandbox.process_message(message, framed, None));
        let (code, text) = match answer {
            Answer::Status { code, message } => (code, message),
            Answer::Terminated(reason) => return Ended::Terminated(reason),
            Answer::Stopped => {
                // The message is half done: a state saved now would belong to no place.
                cage.spoiled = true;
                return Ended::Stopped;
            }
        };
        cage.at = behind;
        cage.dirty = true;
        if let Some(text) = text.filter(|_| code < 0) {
            let text = String::from_utf8_lossy(&text);
            tracing::warn!(target: "plugin", plugin = self.name(), "received: {code} msg: {text}");
        }
        Ended::No
    }

    /// While messages are repeated whose effects are known, what the plugin injects is dropped.
    fn repeat(&self, cage: &mut Cage, behind: Position) {
        let still = cage.replay_until.is_some_and(|until| behind <= until);
        self.muted.store(still, Ordering::Release);
        if !still {
            cage.replay_until = None;
        }
    }

    /// Calls timer_event.
    pub fn run_timer(&self, cage: &mut Cage, now_ns: i64) -> Ended {
        self.muted.store(false, Ordering::Release);
        let before = Instant::now();
        let answer = cage
            .sandbox
            .timer_event(now_ns / 1_000_000_000 * 1_000_000_000, false);
        let took = before.elapsed();
        cage.dirty = true;
        self.statistics.update(|counts| {
            counts.timing.add(took.as_nanos() as f64);
            counts.timing_total += took;
        });
        match answer {
            Ok(()) => Ended::No,
            Err(reason) => Ended::Terminated(reason),
        }
    }

    /// Whether the state should be saved: it changed and is old, or its place holds back old segments.
    pub fn save_due(&self, cage: &Cage, router: Position) -> bool {
        let Some(interval) = self.config.settings.preserve_interval else {
            return false;
        };
        let old = cage.dirty && cage.saved_when.elapsed() >= interval;
        cage.state.is_some() && (old || cage.saved_at.segment < router.segment.min(cage.at.segment))
    }

    /// Saves the state together with its place. What the plugin injected must be in the kernel before.
    pub fn save(&self, cage: &mut Cage) -> Result<(), String> {
        let Some(state) = cage.state.as_ref().filter(|_| !cage.spoiled) else {
            return Ok(());
        };
        let bytes = cage.sandbox.preserve(&cage.at.to_string())?;
        state.write(&bytes)?;
        cage.dirty = false;
        cage.saved_at = cage.at;
        cage.saved_when = Instant::now();
        if self.config.settings.preserve_interval.is_some() {
            *self.floor.lock().expect("nothing panics under this lock") = Some(cage.at);
        }
        Ok(())
    }

    /// Ends the plugin in order: a last timer_event, then the state is saved.
    ///
    /// `router` is where the next instance shall start if no work was left undone.
    pub fn finish(&self, now_ns: i64, router: Position) -> (Ended, Position) {
        let Some(mut cage) = self.cage().take() else {
            return (Ended::No, router);
        };
        if !self.pending().cut {
            cage.at = cage.at.max(router);
        }
        self.pending().running = Some(cage.at);
        (self.close(&mut cage, now_ns), cage.at)
    }

    fn close(&self, cage: &mut Cage, now_ns: i64) -> Ended {
        if let Err(reason) = cage.sandbox.timer_event(now_ns, true) {
            return Ended::Terminated(reason);
        }
        self.statistics.take_over(&cage.sandbox.stats());
        match self.save(cage) {
            Ok(()) => Ended::Stopped,
            Err(reason) => Ended::Terminated(reason),
        }
    }
}

//! One output plugin on its thread: oldest message of both queues first, delivered, answered, committed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use matcher::Matcher;
use queue::Signal;
use sandbox::{Answer, DeadLetter, Sandbox};
use stdx::backoff::Backoff;

use crate::config::Plugin;
use crate::cursor::{Cursor, Seek};
use crate::dead_letter;
use crate::delivery::{Delivery, Places};
use crate::hosts::Here;
use crate::shared::{Mode, Shared, StopState};
use crate::statistics::{BlockTimer, Statistics};
use crate::ticker::{DataTimer, first_expiry};

/// What was delivered is made known so often at least: files flushed, then the checkpoint moved.
const PUBLISH_EVERY: Duration = Duration::from_millis(10);

/// The clock is looked at after at most so many messages.
const CLOCK_STRIDE_MAX: u32 = 256;

/// The stride is chosen so that messages between two looks at the clock take about this long.
const CLOCK_STRIDE_TIME: Duration = Duration::from_micros(500);

/// An idle output looks up this often though nothing woke it.
const IDLE_WAIT_MAX: Duration = Duration::from_secs(1);

/// A state is saved at most so often ...
const SAVE_EVERY_MIN: Duration = Duration::from_millis(50);

/// ... and less often when it is large: saving may take one part in so many of the time.
const SAVE_SHARE: u32 = 20;

/// A full tracker of acknowledgements is looked at again this often.
const FULL_WAIT: Duration = Duration::from_millis(20);

/// What other threads see of an output plugin.
pub struct OutputPlugin {
    /// The plugin's configuration.
    pub config: Arc<Plugin>,
    /// Counters and times.
    pub statistics: Statistics,
    /// Ends calls from outside.
    pub handle: sandbox::Handle,
    /// Wakes the thread.
    pub signal: Signal,
    /// Guards the places up to which everything is delivered and flushed.
    places: Mutex<Places>,
    stop: AtomicBool,
    ended: Mutex<Option<OutputEnd>>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl OutputPlugin {
    /// The visible side of an output that starts at `places`.
    pub fn new(
        config: Arc<Plugin>,
        handle: sandbox::Handle,
        signal: Signal,
        places: Places,
    ) -> Arc<Self> {
        Arc::new(OutputPlugin {
            config,
            statistics: Statistics::default(),
            handle,
            signal,
            places: Mutex::new(places),
            stop: AtomicBool::new(false),
            ended: Mutex::new(None),
            thread: Mutex::new(None),
        })
    }

    /// Everything before is delivered.
    pub fn places(&self) -> Places {
        *self.places.lock().expect("nothing panics under this lock")
    }

    /// How its thread ended, if it has.
    pub fn ended(&self) -> Option<OutputEnd> {
        self.ended
            .lock()
            .expect("nothing panics under this lock")
            .clone()
    }

    /// Remembers how the thread ended.
    pub fn set_ended(&self, end: OutputEnd) {
        *self.ended.lock().expect("nothing panics under this lock") = Some(end);
    }

    /// Asks the plugin to end.
    pub fn request_stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.handle.stop();
        self.signal.notify();
    }

    /// Keeps the thread, to be joined at the end.
    pub fn set_thread(&self, thread: std::thread::JoinHandle<()>) {
        *self.thread.lock().expect("nothing panics under this lock") = Some(thread);
    }

    /// Takes the thread for joining.
    pub fn take_thread(&self) -> Option<std::thread::JoinHandle<()>> {
        self.thread
            .lock()
            .expect("nothing panics under this lock")
            .take()
    }
}

/// How an output's thread ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputEnd {
    /// By order, or because a drain is complete.
    Stopped,
    /// By an error of the plugin.
    Terminated(String),
}

/// The thread's side: the sandbox and the two cursors.
pub struct OutputRunner {
    /// What all stages share.
    pub shared: Arc<Shared>,
    /// The visible side.
    pub plugin: Arc<OutputPlugin>,
    /// The Lua state.
    pub sandbox: Sandbox,
    /// Which messages the plugin wants.
    pub matcher: Matcher,
    /// Place in the input queue, if it reads it.
    pub input: Option<Cursor>,
    /// Place in the analysis queue, if it reads it.
    pub analysis: Option<Cursor>,
    /// What is delivered; shared with `update_checkpoint`.
    pub delivery: Arc<Mutex<Delivery>>,
    /// Where the message lies that the plugin is given; shared with its host.
    pub here: Arc<Here>,
    /// The state file, if the plugin preserves its state.
    pub state: Option<crate::state_file::StateFile>,
    /// The clock of the loop.
    pub pace: Pace,
    /// The sequence id of the next message.
    pub sequence: u64,
    /// When the state was saved last.
    pub saved: Instant,
    /// How long that took.
    pub save_took: Duration,
}

/// When the loop looks at the clock, and what is due then.
pub struct Pace {
    stride: u32,
    until_look: u32,
    last_look: Instant,
    publish_at: Instant,
    tick_at: Option<Instant>,
    ticker: Duration,
    data_timer: DataTimer,
}

impl Pace {
    /// The pace of a plugin with this ticker interval.
    pub fn new(ticker_s: u64, name: &str) -> Pace {
        let now = Instant::now();
        let ticker = Duration::from_secs(ticker_s);
        Pace {
            stride: 1,
            until_look: 1,
            last_look: now,
            publish_at: now + PUBLISH_EVERY,
            tick_at: (ticker_s > 0).then(|| now + first_expiry(ticker, name)),
            ticker,
            data_timer: DataTimer::new(ticker_s as i64),
        }
    }

    /// Whether it is time to look at the clock; fewer looks when messages are quick.
    fn look(&mut self) -> Option<Instant> {
        self.until_look -= 1;
        if self.until_look > 0 {
            return None;
        }
        let now = Instant::now();
        let took = now - self.last_look;
        self.stride = if took < CLOCK_STRIDE_TIME {
            (self.stride * 2).min(CLOCK_STRIDE_MAX)
        } else {
            (self.stride / 2).max(1)
        };
        self.until_look = self.stride;
        self.last_look = now;
        Some(now)
    }
}

/// Which queue the next message comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    Input,
    Analysis,
}

/// What the loop has to do next.
enum Next {
    /// Deliver this one.
    Message(From),
    /// Look on, after timers and checkpoints had their turn.
    Later,
    /// Wait.
    Nothing,
}

impl OutputRunner {
    /// Runs until the end; the plugin's last timer_event and its state are done when it returns.
    pub fn run(mut self) -> OutputEnd {
        let worked = self.work().and_then(|()| self.finish());
        match worked.and_then(|()| self.publish()) {
            Ok(()) => OutputEnd::Stopped,
            Err(reason) => {
                // What was delivered before the fault stays delivered.
                if let Err(error) = self.publish() {
                    let name = &self.plugin.config.name;
                    tracing::error!(target: "plugin", plugin = %name, "flushing its files: {error}");
                }
                OutputEnd::Terminated(reason)
            }
        }
    }

    fn work(&mut self) -> Result<(), String> {
        let mut timer = BlockTimer::start();
        // How often the signal was given before the last look, where that look found nothing.
        let mut seen = None;
        loop {
            if self.is_stopping() {
                break;
            }
            match self.next_message()? {
                Next::Message(from) => {
                    seen = None;
                    self.deliver(from, &mut timer)?;
                }
                Next::Later => {
                    self.skipped();
                    self.due(Instant::now())?;
                }
                Next::Nothing => {
                    // Looks once more, so that what came before the count was read is not waited for.
                    let Some(seen) = seen.take() else {
                        seen = Some(self.plugin.signal.count());
                        continue;
                    };
                    std::mem::replace(&mut timer, BlockTimer::start())
                        .finish(&self.plugin.statistics);
                    if self.idle(seen)? {
                        break;
                    }
                    timer = BlockTimer::start();
                    continue;
                }
            }
            self.data_tick()?;
            if let Some(now) = self.pace.look() {
                self.due(now)?;
                std::mem::replace(&mut timer, BlockTimer::start()).finish(&self.plugin.statistics);
            }
        }
        timer.finish(&self.plugin.statistics);
        Ok(())
    }

    fn is_stopping(&self) -> bool {
        self.plugin.stop.load(Ordering::Acquire) || self.shared.stop.is_stopping()
    }

    /// Finds the next wanted message in both queues and picks the older; the input queue wins a tie.
    ///
    /// A queue whose next message is not found yet is waited for, so that its older messages come first.
    fn next_message(&mut self) -> Result<Next, String> {
        // Without a buffer nothing is ever under way.
        if self.plugin.config.async_buffer_size > 0 && self.delivery().is_full() {
            return Ok(Next::Nothing);
        }
        let seek = |cursor: &mut Option<Cursor>, matcher: &Matcher| match cursor {
            Some(cursor) => cursor
                .seek(matcher)
                .map_err(|error| format!("reading a queue: {error}")),
            None => Ok(Seek::End),
        };
        let input = seek(&mut self.input, &self.matcher)?;
        let analysis = seek(&mut self.analysis, &self.matcher)?;
        Ok(match (input, analysis) {
            (Seek::More, _) | (_, Seek::More) => Next::Later,
            (Seek::End, Seek::End) => Next::Nothing,
            (Seek::Found, Seek::End) => Next::Message(From::Input),
            (Seek::End, Seek::Found) => Next::Message(From::Analysis),
            (Seek::Found, Seek::Found) => {
                let time = |cursor: &mut Option<Cursor>| cursor.as_mut().map(Cursor::timestamp);
                let older = time(&mut self.analysis) < time(&mut self.input);
                Next::Message(if older { From::Analysis } else { From::Input })
            }
        })
    }

    fn delivery(&self) -> std::sync::MutexGuard<'_, Delivery> {
        self.delivery
            .lock()
            .expect("nothing panics under this lock")
    }

    fn cursor(&mut self, from: From) -> Option<&mut Cursor> {
        match from {
            From::Input => self.input.as_mut(),
            From::Analysis => self.analysis.as_mut(),
        }
    }

    /// Where both cursors stand.
    fn places(&self) -> Places {
        let place =
            |cursor: &Option<Cursor>| cursor.as_ref().map(Cursor::place).unwrap_or_default();
        Places {
            input: place(&self.input),
            analysis: place(&self.analysis),
        }
    }

    /// Hands the found message to the plugin until it gives an answer other than retry.
    fn deliver(&mut self, from: From, timer: &mut BlockTimer) -> Result<(), String> {
        let mut backoff: Option<Backoff> = None;
        loop {
            let cursor = match from {
                From::Input => self.input.as_ref(),
                From::Analysis => self.analysis.as_ref(),
            };
            let Some(cursor) = cursor else { return Ok(()) };
            let Some((framed, message, index)) = cursor.message() else {
                return Ok(());
            };
            self.here.set(from == From::Analysis, cursor.place());
            let sandbox = &mut self.sandbox;
            let sequence = self.sequence;
            let answer =
                timer.call(|| sandbox.process_indexed(message, framed, index, Some(sequence)));
            let (code, text) = match answer {
                Answer::Status { code, message } => (code, message),
                Answer::Terminated(reason) => return Err(reason),
                Answer::Stopped => return Ok(()),
            };
            if code == -3 {
                if !self.wait_for_retry(from, &mut backoff, text.as_deref())? {
                    return Ok(());
                }
                continue;
            }
            return self.answered(from, code, text.as_deref());
        }
    }

    /// Moves on after an answer.
    fn answered(&mut self, from: From, code: i32, text: Option<&[u8]>) -> Result<(), String> {
        let sequence = self.sequence;
        self.sequence += 1;
        if code == -1 {
            self.failed(from, text);
        }
        if let Some(cursor) = self.cursor(from) {
            cursor.take();
        }
        let places = self.places();
        let mut delivery = self.delivery();
        match code {
            0 => delivery.sent(places),
            -4 => delivery.batched(places),
            -5 if self.plugin.config.async_buffer_size == 0 => {
                return Err("cannot use async checkpointing without a configured buffer".into());
            }
            -5 => delivery.in_transit(sequence, places),
            _ => delivery.passed(places),
        }
        Ok(())
    }

    /// A message the plugin gave up: logged, and kept as a dead letter when the configuration says so.
    fn failed(&mut self, from: From, text: Option<&[u8]>) {
        let text = text
            .map(String::from_utf8_lossy)
            .unwrap_or_default()
            .into_owned();
        tracing::warn!(target: "plugin", plugin = %self.plugin.config.name, "received: -1 msg: {text}");
        if !self.plugin.config.settings.dead_letter {
            return;
        }
        let cursor = match from {
            From::Input => self.input.as_ref(),
            From::Analysis => self.analysis.as_ref(),
        };
        if let Some((_, message, _)) = cursor.and_then(Cursor::message) {
            let letter = DeadLetter::Message(message);
            dead_letter::keep(&self.shared, &self.plugin.config.name, letter, &text);
        }
    }

    /// Waits before the same message is tried again; timers still fire.
    ///
    /// False when the message was given up or the plugin has to end.
    fn wait_for_retry(
        &mut self,
        from: From,
        backoff: &mut Option<Backoff>,
        text: Option<&[u8]>,
    ) -> Result<bool, String> {
        let schedule = self.plugin.config.settings.retry;
        let backoff = backoff.get_or_insert_with(|| Backoff::new(schedule));
        let Some(wait) = backoff.next_wait() else {
            let reason = text.map(String::from_utf8_lossy).unwrap_or_default();
            let reason = format!(
                "given up after {} attempts: {reason}",
                backoff.n_waits() + 1
            );
            self.answered(from, -1, Some(reason.as_bytes()))?;
            return Ok(false);
        };
        let text = text.map(String::from_utf8_lossy).unwrap_or_default();
        tracing::debug!(
            target: "plugin",
            plugin = %self.plugin.config.name,
            "retry message {} err: {text}",
            self.sequence
        );
        let until = Instant::now() + wait;
        while Instant::now() < until {
            if self.is_stopping() {
                return Ok(false);
            }
            let seen = self.plugin.signal.count();
            let left = until.saturating_duration_since(Instant::now());
            self.due(Instant::now())?;
            self.plugin
                .signal
                .wait(seen, left.min(Duration::from_millis(100)));
        }
        Ok(true)
    }

    /// Messages that the plugin does not want are done with.
    fn skipped(&mut self) {
        let places = self.places();
        self.delivery().passed(places);
    }

    /// Nothing to deliver: makes everything known, fires timers, waits. True when a drain is complete.
    fn idle(&mut self, seen: u64) -> Result<bool, String> {
        let is_full = self.delivery().is_full();
        if !is_full {
            self.skipped();
        }
        let places = self.places();
        self.publish()?;
        let now = Instant::now();
        self.due(now)?;
        self.data_tick()?;
        if self.is_drained(places) {
            return Ok(true);
        }
        let full = if is_full { FULL_WAIT } else { IDLE_WAIT_MAX };
        let wait = self
            .pace
            .tick_at
            .map_or(full, |at| at.saturating_duration_since(now).min(full));
        self.plugin.signal.wait(seen, wait);
        Ok(false)
    }

    /// In a drain: whether no other stage can add anything and both queues are read to their end.
    fn is_drained(&self, places: Places) -> bool {
        let read = |cursor: &Option<Cursor>, place, end| cursor.is_none() || place >= end;
        self.shared.stop.state() >= StopState::Draining
            && self.shared.analysis_done()
            && read(
                &self.input,
                places.input,
                self.shared.input_queue.appended(),
            )
            && read(
                &self.analysis,
                places.analysis,
                self.shared.analysis_queue.appended(),
            )
    }

    /// What the clock says: the timer, and making known what was delivered.
    fn due(&mut self, now: Instant) -> Result<(), String> {
        if self.shared.mode == Mode::Run && self.pace.tick_at.is_some_and(|at| at <= now) {
            self.pace.tick_at = Some(now + self.pace.ticker);
            self.timer_event(self.shared.timer_ns())?;
        }
        if self.pace.publish_at <= now {
            self.pace.publish_at = now + PUBLISH_EVERY;
            self.publish()?;
        }
        Ok(())
    }

    /// In a replay: the timer follows the Timestamp of the messages.
    fn data_tick(&mut self) -> Result<(), String> {
        if self.shared.mode == Mode::Run {
            return Ok(());
        }
        let newest = |cursor: &Option<Cursor>| cursor.as_ref().and_then(Cursor::newest);
        let now_ns = newest(&self.input).max(newest(&self.analysis)).unwrap_or(0);
        if now_ns > 0 && self.pace.data_timer.fires(now_ns) {
            self.timer_event(now_ns)?;
        }
        Ok(())
    }

    fn timer_event(&mut self, now_ns: i64) -> Result<(), String> {
        let before = Instant::now();
        self.sandbox
            .timer_event(now_ns / 1_000_000_000 * 1_000_000_000, false)?;
        let took = before.elapsed();
        self.plugin.statistics.update(|counts| {
            counts.timing.add(took.as_nanos() as f64);
            counts.timing_total += took;
        });
        Ok(())
    }

    /// Makes known what is delivered: first the plugin's files reach the kernel, then the places move.
    fn publish(&mut self) -> Result<(), String> {
        // Also while nothing arrives: what a plugin gathers or has under way for an hour is seen meanwhile.
        self.count();
        let committed = self.delivery().committed();
        if committed == self.plugin.places() {
            return Ok(());
        }
        // Before the state too: at the next start its places count.
        self.sandbox.flush_files()?;
        if !self.state_goes_along(committed)? {
            return Ok(());
        }
        *self
            .plugin
            .places
            .lock()
            .expect("nothing panics under this lock") = committed;
        if let Some(cursor) = &mut self.input {
            cursor.release(committed.input);
        }
        if let Some(cursor) = &mut self.analysis {
            cursor.release(committed.analysis);
        }
        self.shared.checkpoint_moved();
        Ok(())
    }

    /// The places of a plugin that preserves its state move only together with the state, so that after a crash both
    /// agree. While messages are gathered or under way no state belongs to the committed places: then they wait,
    /// but no longer than the interval of preservation.
    fn state_goes_along(&mut self, committed: Places) -> Result<bool, String> {
        let (Some(_), Some(interval)) =
            (&self.state, self.plugin.config.settings.preserve_interval)
        else {
            return Ok(true);
        };
        if self.delivery().at() != committed {
            return Ok(self.saved.elapsed() >= interval);
        }
        if self.saved.elapsed() < (self.save_took * SAVE_SHARE).clamp(SAVE_EVERY_MIN, interval) {
            return Ok(false);
        }
        self.save(committed)?;
        Ok(true)
    }

    fn save(&mut self, places: Places) -> Result<(), String> {
        let Some(state) = &self.state else {
            return Ok(());
        };
        let started = Instant::now();
        let bytes = self.sandbox.preserve(&OutputRunner::text_of(places))?;
        state.write(&bytes)?;
        self.saved = Instant::now();
        self.save_took = started.elapsed();
        Ok(())
    }

    /// How places are written into a state file.
    pub fn text_of(places: Places) -> String {
        format!("{} {}", places.input, places.analysis)
    }

    /// The places a preserved state belongs to, if its file says so.
    pub fn places_of(state: &[u8]) -> Option<Places> {
        let text = sandbox::preserve::position(state)?;
        let (input, analysis) = text.split_once(' ')?;
        Some(Places {
            input: input.parse().ok()?,
            analysis: analysis.parse().ok()?,
        })
    }

    fn count(&mut self) {
        let stats = self.sandbox.stats();
        self.plugin.statistics.take_over(&stats);
        let seen = |cursor: &Option<Cursor>| cursor.as_ref().map_or(0, Cursor::seen);
        let seen = seen(&self.input) + seen(&self.analysis);
        self.plugin.statistics.update(|counts| counts.seen = seen);
    }

    /// The last timer_event, then the state.
    fn finish(&mut self) -> Result<(), String> {
        self.sandbox.timer_event(self.shared.timer_ns(), true)?;
        let committed = self.delivery().committed();
        self.sandbox.flush_files()?;
        self.save(committed)
    }
}

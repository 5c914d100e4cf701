//! The engine as a whole: starts the stages, watches over them, records checkpoints, stops everything in order.

use std::collections::{BTreeMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use queue::{Position, Queue, Signal, Start};
use sandbox::{Checkpoint, Handle, Sandbox};

use crate::analysis_plugin::{AnalysisPlugin, Start as AnalysisStart};
use crate::analysis_stage::AnalysisStage;
use crate::checkpoints::Recorder;
use crate::config::{InitialPosition, Kind, Plugin};
use crate::create;
use crate::cursor::Cursor;
use crate::delivery::{Delivery, Places};
use crate::fault;
use crate::hosts::{AnalysisHost, Here, OutputHost};
use crate::input_plugin::{self, InputEnd, InputHost, InputPlugin};
use crate::load::{Event, LoadDir};
use crate::output_plugin::{OutputEnd, OutputPlugin, OutputRunner, Pace};
use crate::progress::Progress;
use crate::shared::{Mode, Shared, StopState};
use crate::snapshot::Samples;
use crate::state_file::StateFile;
use crate::web_ui::WebUi;

/// The stages are looked after this often.
const SUPERVISE_EVERY: Duration = Duration::from_millis(250);

/// Analysis plugins of which none works are looked after this often: there may be thousands.
const LOOK_AT_IDLE_EVERY: Duration = Duration::from_secs(2);

/// The statistics are written this often, as with Hindsight.
const STATISTICS_EVERY: Duration = Duration::from_secs(6);

/// All stages with their plugins.
pub struct Engine {
    pub(crate) shared: Arc<Shared>,
    pub(crate) analysis: Arc<AnalysisStage>,
    pub(crate) inputs: BTreeMap<String, Arc<InputPlugin>>,
    pub(crate) outputs: BTreeMap<String, Arc<OutputPlugin>>,
    recorder: Recorder,
    load: Option<LoadDir>,
    web_ui: Option<WebUi>,
    /// Set while the plugins present at the start are loaded.
    starting: bool,
    show_progress: bool,
    turns: u64,
    /// When the analysis plugins were looked after last.
    analysis_seen: Instant,
}

impl Engine {
    /// Joins the stages; no plugin is loaded yet.
    pub fn new(
        shared: Arc<Shared>,
        recorder: Recorder,
        load: Option<LoadDir>,
        show_progress: bool,
    ) -> Engine {
        let signal = Signal::new();
        shared.input_queue.add_signal(&signal);
        let place = recorder
            .router_place()
            .map_or(Start::Oldest, Start::Position);
        let reader = shared.input_queue.reader("analysis", place);
        let analysis = AnalysisStage::new(shared.clone(), reader, signal);
        Engine {
            shared,
            analysis,
            inputs: BTreeMap::new(),
            outputs: BTreeMap::new(),
            recorder,
            load,
            web_ui: None,
            starting: true,
            show_progress,
            turns: 0,
            analysis_seen: Instant::now(),
        }
    }

    /// Shows the engine on the pages of the web UI from now on.
    pub fn show_on(&mut self, web_ui: WebUi) {
        self.web_ui = Some(web_ui);
    }

    /// Loads what lies in the run directories and starts the stages; inputs come last.
    pub fn start(&mut self) {
        let shared = &self.shared.clone();
        let (to_write, made) = std::sync::mpsc::channel::<Arc<Plugin>>();
        std::thread::scope(|scope| {
            // The plugins do not wait for their runtime configurations; one thread writes them beside the loading.
            scope.spawn(move || made.iter().for_each(|plugin| write_rtc(shared, &plugin)));
            self.start_analysis_plugins(to_write);
            self.analysis.start();
            self.start_plugins(Kind::Output);
        });
        self.start_plugins(Kind::Input);
        self.starting = false;
        // All readers of the last run have entered, so what nobody needs may go from now on.
        self.shared.input_queue.start_purging();
        self.shared.analysis_queue.start_purging();
        let analysis = self.analysis.plugins();
        let analysis: HashSet<&str> = analysis.iter().map(|plugin| plugin.name()).collect();
        let (inputs, outputs) = (&self.inputs, &self.outputs);
        self.recorder.forget_vanished(|name| {
            inputs.contains_key(name) || outputs.contains_key(name) || analysis.contains(name)
        });
    }

    fn start_plugins(&mut self, kind: Kind) {
        for cfg in crate::load::run_configs(&self.shared.config.run_dir(kind)) {
            self.start_plugin(kind, &cfg);
        }
    }

    /// Loads the analysis plugins, which may be many, several at once; they join the stage in the order of their names.
    /// Those that were made go to `to_write`.
    fn start_analysis_plugins(&self, to_write: Sender<Arc<Plugin>>) {
        let configs = crate::load::run_configs(&self.shared.config.run_dir(Kind::Analysis));
        let loaded = crate::parallel::map(&configs, |cfg| {
            let config = load_config(&self.shared, Kind::Analysis, cfg)?;
            let made = self.make_analysis(config.clone());
            let plugin = made_or_told(&self.shared, &config, made)?;
            to_write
                .send(config)
                .expect("the writer waits for the end of this channel");
            Some(plugin)
        });
        for plugin in loaded.into_iter().flatten() {
            self.analysis.add(plugin);
        }
    }

    /// Loads one plugin; a fault stops this plugin only.
    fn start_plugin(&mut self, kind: Kind, cfg: &Path) {
        let Some(config) = load_config(&self.shared, kind, cfg) else {
            return;
        };
        let made = match kind {
            Kind::Input => self.start_input(config.clone()),
            Kind::Analysis => self
                .make_analysis(config.clone())
                .map(|plugin| self.analysis.add(plugin)),
            Kind::Output => self.start_output(config.clone()),
        };
        if made_or_told(&self.shared, &config, made).is_some() {
            write_rtc(&self.shared, &config);
        }
    }

    fn start_input(&mut self, config: Arc<Plugin>) -> Result<(), String> {
        let checkpoint = self.recorder.input_checkpoint(&config.name);
        let plugin = InputPlugin::new(config.clone(), checkpoint);
        let shared = self.shared.clone();
        let host = {
            let (shared, plugin) = (shared.clone(), plugin.clone());
            move || -> Box<dyn sandbox::Host> {
                Box::new(InputHost {
                    shared: shared.clone(),
                    plugin: plugin.clone(),
                })
            }
        };
        let state = create::state_file(&shared, &config);
        let found = create::read_state(state.as_ref(), &config);
        let thread_plugin = plugin.clone();
        // The main chunk of an input may take its time, so it runs on the plugin's own thread.
        let work = move || {
            let state_bytes = state.as_ref().zip(found.bytes);
            match create::sandbox(&shared, &config, host, state_bytes) {
                Ok(sandbox) => run_input(&shared, &thread_plugin, sandbox, state.as_ref()),
                Err(reason) => fault::not_created(&shared, &config, &reason),
            }
            thread_plugin.set_ended();
        };
        plugin.set_thread(spawn(&plugin.config.name, work)?);
        self.inputs.insert(plugin.config.name.clone(), plugin);
        Ok(())
    }

    fn make_analysis(&self, config: Arc<Plugin>) -> Result<Arc<AnalysisPlugin>, String> {
        let matcher = create::matcher(&config)?;
        let state = create::state_file(&self.shared, &config);
        let found = create::read_state(state.as_ref(), &config);
        let muted = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let host = || -> Box<dyn sandbox::Host> {
            let (shared, name) = (self.shared.clone(), config.name.clone());
            Box::new(AnalysisHost {
                shared,
                name,
                muted: muted.clone(),
            })
        };
        let state_bytes = state.as_ref().zip(found.bytes);
        let mut sandbox = create::sandbox(&self.shared, &config, host, state_bytes)?;
        let recorded = self.analysis_place(&config);
        // A state that is saved only at a clean stop stands where the plugin stopped, or is older than what is kept.
        let saves = config.settings.preserve_interval.is_some();
        let of_state = found.position.filter(|_| saves);
        let at = of_state
            .unwrap_or(recorded)
            .min(self.shared.input_queue.appended());
        if saves {
            create::first_state(&mut sandbox, state.as_ref(), &at.to_string())?;
        }
        let replay_until = (at < recorded).then_some(recorded);
        let start = AnalysisStart {
            at,
            replay_until,
            state,
            muted,
        };
        Ok(AnalysisPlugin::new(config, matcher, sandbox, start))
    }

    /// Where an analysis plugin goes on: its own record, else where its fellows stand, else as configured.
    fn analysis_place(&self, config: &Plugin) -> Position {
        let queue = &self.shared.input_queue;
        let recorded = self
            .recorder
            .analysis_place(&config.name)
            .filter(|_| self.starting);
        recorded.unwrap_or_else(|| match config.settings.initial_position {
            InitialPosition::Hindsight if self.starting => self
                .recorder
                .router_place()
                .unwrap_or_else(|| queue.resolve(Start::Oldest)),
            InitialPosition::Hindsight => self.analysis.places().0,
            other => queue.resolve(start_of(other)),
        })
    }

    fn start_output(&mut self, config: Arc<Plugin>) -> Result<(), String> {
        let matcher = create::matcher(&config)?;
        let state = create::state_file(&self.shared, &config);
        let found = create::read_state(state.as_ref(), &config);
        let recorded = self.output_places(&config);
        let saves = config.settings.preserve_interval.is_some();
        let saved = found.bytes.as_deref().filter(|_| saves);
        let places = saved.and_then(OutputRunner::places_of).unwrap_or(recorded);
        let delivery = Arc::new(Mutex::new(Delivery::new(places)));
        let here = Arc::new(Here::default());
        let host = || -> Box<dyn sandbox::Host> {
            let (shared, name) = (self.shared.clone(), config.name.clone());
            Box::new(OutputHost {
                shared,
                name,
                delivery: delivery.clone(),
                here: here.clone(),
                keeps_dead_letters: config.settings.dead_letter,
            })
        };
        let state_bytes = state.as_ref().zip(found.bytes);
        let mut sandbox = create::sandbox(&self.shared, &config, host, state_bytes)?;
        let place = OutputRunner::text_of(places);
        if saves {
            create::first_state(&mut sandbox, state.as_ref(), &place)?;
        }
        let signal = Signal::new();
        let plugin = OutputPlugin::new(config.clone(), sandbox.handle(), signal, places);
        let runner = OutputRunner {
            shared: self.shared.clone(),
            plugin: plugin.clone(),
            sandbox,
            matcher,
            input: self.cursor(
                &config,
                &self.shared.input_queue,
                places.input,
                &plugin.signal,
            ),
            analysis: self.cursor(
                &config,
                &self.shared.analysis_queue,
                places.analysis,
                &plugin.signal,
            ),
            delivery,
            here,
            state,
            pace: Pace::new(config.settings.ticker_interval_s, &config.name),
            sequence: 1,
            saved: Instant::now(),
            save_took: Duration::ZERO,
        };
        let shared = self.shared.clone();
        plugin.set_thread(spawn(&config.name, move || run_output(&shared, runner))?);
        self.outputs.insert(config.name.clone(), plugin);
        Ok(())
    }

    fn cursor(
        &self,
        config: &Plugin,
        queue: &Queue,
        at: Position,
        signal: &Signal,
    ) -> Option<Cursor> {
        let read = config.settings.read_queue;
        let is_input = std::ptr::eq(queue, &self.shared.input_queue);
        if !(if is_input {
            read.reads_input()
        } else {
            read.reads_analysis()
        }) {
            return None;
        }
        queue.add_signal(signal);
        let reader = queue.reader(&config.name, Start::Position(at));
        Some(Cursor::new(reader, self.shared.mode == Mode::Replay))
    }

    /// Where an output goes on: its own record, else as configured.
    fn output_places(&self, config: &Plugin) -> Places {
        let place = |queue: &Queue, of_queue: &str| {
            let recorded = self.recorder.output_place(of_queue, &config.name);
            recorded
                .map(|place| place.min(queue.appended()))
                .unwrap_or_else(|| match config.settings.initial_position {
                    InitialPosition::Hindsight if self.starting => queue.resolve(Start::Oldest),
                    InitialPosition::Hindsight => queue.appended(),
                    other => queue.resolve(start_of(other)),
                })
        };
        Places {
            input: place(&self.shared.input_queue, "input"),
            analysis: place(&self.shared.analysis_queue, "analysis"),
        }
    }

    /// Looks after the engine until it has to end.
    pub fn supervise(&mut self, told_to_stop: impl Fn() -> bool) {
        let tick = self.shared.config.checkpoint_interval;
        let mut progress = Progress::new(self.show_progress);
        let mut samples = Samples::default();
        let mut supervised = Instant::now();
        let mut statistics = Instant::now();
        loop {
            self.shared.stop.sleep(tick, StopState::Stopping);
            if told_to_stop() || self.shared.shutdown_requested() || self.shared.stop.is_stopping()
            {
                return;
            }
            self.apply_load_events();
            self.record(false);
            if supervised.elapsed() >= SUPERVISE_EVERY {
                supervised = Instant::now();
                self.look_after();
                progress.show(self);
                self.show();
            }
            if statistics.elapsed() >= STATISTICS_EVERY {
                let used = samples.write(self, statistics.elapsed());
                self.hold_new_analysis(used);
                statistics = Instant::now();
            }
            if self.shared.mode == Mode::Replay && self.cascade() {
                return;
            }
        }
    }

    fn show(&mut self) {
        if let Some(mut web_ui) = self.web_ui.take() {
            web_ui.show(self);
            self.web_ui = Some(web_ui);
        }
    }

    /// While the analysis threads are as busy as the configuration allows, new analysis plugins wait.
    fn hold_new_analysis(&mut self, used_percent: i32) {
        let limit = i32::from(self.shared.config.analysis_utilization_limit);
        if let Some(load) = &mut self.load {
            load.hold_new_analysis(limit > 0 && used_percent >= limit);
        }
    }

    fn look_after(&mut self) {
        // Where nothing runs, only states can have become due.
        if self.analysis.has_moved(self.turns) || self.analysis_seen.elapsed() >= LOOK_AT_IDLE_EVERY
        {
            self.analysis_seen = Instant::now();
            self.turns = self.analysis.supervise(self.turns);
            // Without any reader the messages stay for one that comes later.
            if !self.outputs.is_empty() || self.analysis.has_plugins() {
                self.analysis.release();
            }
        }
        let shared = self.shared.clone();
        self.outputs.retain(|_, output| {
            let after = output.config.settings.stuck_after;
            let is_stuck = after.is_some_and(|after| fault::is_stuck(&output.handle, after));
            if is_stuck {
                // It may be a program it started or a wait that can be broken off; then the thread ends after all.
                output.handle.interrupt();
                fault::stuck(&shared, &output.config);
            }
            !is_stuck
        });
        self.reap_outputs();
    }

    /// Takes outputs out whose thread has ended.
    fn reap_outputs(&mut self) {
        let recorder = &mut self.recorder;
        self.outputs.retain(|name, output| {
            let Some(end) = output.ended() else {
                return true;
            };
            recorder.keep_output(output);
            let settings = &output.config.settings;
            if matches!(end, OutputEnd::Terminated(_)) && settings.remove_checkpoints_on_terminate {
                recorder.forget_output(name);
            }
            false
        });
    }

    /// In a replay: lets the end of the inputs run through the stages; true when all is done.
    fn cascade(&mut self) -> bool {
        let ended = self.inputs.values().all(|input| input.has_ended());
        if ended && self.shared.stop.state() == StopState::Running {
            tracing::info!(target: "hindsight", "input plugins have exited; cascading shutdown initiated");
            self.shared.flush(&self.shared.input_queue);
            self.shared.stop.advance(StopState::Draining);
            self.analysis.wake();
        }
        if self.analysis.is_drained() && !self.shared.analysis_done() {
            self.analysis.join();
            self.analysis.finish_all();
            self.shared.flush(&self.shared.analysis_queue);
            self.shared.set_analysis_done();
            self.outputs
                .values()
                .for_each(|output| output.signal.notify());
        }
        self.reap_outputs();
        self.shared.analysis_done() && self.outputs.is_empty()
    }

    /// Stops everything in order and records where it stands.
    pub fn stop(mut self) {
        self.shared.stop.advance(StopState::Stopping);
        self.web_ui = None;
        self.inputs.values().for_each(|input| input.request_stop());
        for input in std::mem::take(&mut self.inputs).into_values() {
            let checkpoint = stop_input(&self.shared, &input);
            self.recorder.keep_input(&input.config.name, checkpoint);
        }
        if !self.shared.analysis_done() {
            self.analysis.join();
            self.analysis.finish_all();
        }
        self.outputs
            .values()
            .for_each(|output| output.request_stop());
        for (name, output) in std::mem::take(&mut self.outputs) {
            stop_output(&self.shared, &output);
            self.recorder.keep_output(&output);
            if matches!(output.ended(), Some(OutputEnd::Terminated(_)))
                && output.config.settings.remove_checkpoints_on_terminate
            {
                self.recorder.forget_output(&name);
            }
        }
        self.record(true);
        for queue in [&self.shared.input_queue, &self.shared.analysis_queue] {
            if let Err(error) = queue.stop() {
                tracing::error!(target: "output", "{error}");
                self.shared.system_failed();
            }
        }
    }

    fn record(&mut self, last: bool) {
        let result = self.recorder.record(
            &self.shared,
            &self.analysis,
            &self.inputs,
            &self.outputs,
            last,
        );
        if let Err(error) = result {
            tracing::error!(target: "checkpoint_writer", "{error}");
        }
    }

    /// Does what the load directory asks for.
    fn apply_load_events(&mut self) {
        let Some(load) = &mut self.load else { return };
        for event in load.poll() {
            match event {
                Event::Start { kind, name, cfg } => {
                    self.stop_plugin(kind, &name, false);
                    self.start_plugin(kind, &cfg);
                }
                Event::Stop { kind, name } => self.stop_plugin(kind, &name, true),
            }
        }
    }

    /// Stops one plugin without disturbing the others; `for_good` drops an output's checkpoints.
    fn stop_plugin(&mut self, kind: Kind, name: &str, for_good: bool) {
        match kind {
            Kind::Input => {
                if let Some(input) = self.inputs.remove(name) {
                    input.request_stop();
                    let checkpoint = stop_input(&self.shared, &input);
                    self.recorder.keep_input(name, checkpoint);
                }
            }
            Kind::Analysis => {
                if let Some(place) = self.analysis.remove(name) {
                    self.recorder.keep_analysis(name, place);
                }
            }
            Kind::Output => {
                if let Some(output) = self.outputs.remove(name) {
                    output.request_stop();
                    stop_output(&self.shared, &output);
                    self.recorder.keep_output(&output);
                }
                if for_good {
                    self.recorder.forget_output(name);
                }
            }
        }
    }
}

/// Reads the configuration of a plugin; what is wrong with it is told.
fn load_config(shared: &Shared, kind: Kind, cfg: &Path) -> Option<Arc<Plugin>> {
    let plugin = match Plugin::load(&shared.config, kind, cfg) {
        Ok(plugin) => Arc::new(plugin),
        Err(faults) => {
            let reason = faults.to_string();
            tracing::error!(target: "config_parser", "loading {} failed: {reason}", cfg.display());
            shared.plugin_failed(kind);
            fault::note(&cfg.with_extension("err"), &reason);
            return None;
        }
    };
    for notice in &plugin.notices {
        tracing::warn!(target: "config_parser", "{notice}");
    }
    tracing::info!(target: "plugin", plugin = %plugin.name, "starting");
    Some(plugin)
}

/// Tells why a plugin was not made.
fn made_or_told<T>(shared: &Shared, plugin: &Plugin, made: Result<T, String>) -> Option<T> {
    made.map_err(|reason| fault::not_created(shared, plugin, &reason))
        .ok()
}

/// Writes the runtime configuration of a plugin that was made.
fn write_rtc(shared: &Shared, plugin: &Plugin) {
    if let Err(error) = crate::rtc::write(&shared.config, plugin, shared.log_level) {
        tracing::error!(target: "plugin", plugin = %plugin.name, "writing the .rtc file: {error}");
    }
}

fn start_of(place: InitialPosition) -> Start {
    match place {
        InitialPosition::Hindsight | InitialPosition::Oldest => Start::Oldest,
        InitialPosition::Newest => Start::Newest,
        InitialPosition::Time(ns) => Start::Time(ns),
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, String> {
    std::thread::Builder::new()
        .name(name.to_string())
        .spawn(work)
        .map_err(|error| format!("starting its thread: {error}"))
}

/// Where processors are short, who reads the queues comes before who fills them, by so many steps of niceness: readers that
/// keep up find their messages in memory, and purged segments leave their pages to the next ones. A step is about a quarter
/// of the share, so that an input still has its part on a machine that is busy with other things.
const INPUT_NICENESS: i32 = 4;

/// The thread of an input plugin.
fn run_input(
    shared: &Shared,
    plugin: &InputPlugin,
    mut sandbox: Sandbox,
    state: Option<&StateFile>,
) {
    plugin.set_handle(sandbox.handle());
    if let Err(error) = stdx::thread::give_way(INPUT_NICENESS) {
        tracing::warn!(target: "input_plugins", "{}: letting others run first: {error}", plugin.config.name);
    }
    let run = AssertUnwindSafe(|| input_plugin::run(shared, plugin, &mut sandbox));
    let end = std::panic::catch_unwind(run)
        .unwrap_or_else(|panic| InputEnd::Terminated(fault::panic_text(&*panic)));
    let end = match (end, state) {
        (InputEnd::Done, Some(state)) => save_input(&mut sandbox, state),
        (end, _) => end,
    };
    if let InputEnd::Terminated(reason) = end {
        fault::terminated(shared, &plugin.config, &reason);
    }
}

fn save_input(sandbox: &mut Sandbox, state: &StateFile) -> InputEnd {
    match sandbox.preserve("").and_then(|bytes| state.write(&bytes)) {
        Ok(()) => InputEnd::Done,
        Err(reason) => InputEnd::Terminated(reason),
    }
}

/// The thread of an output plugin.
fn run_output(shared: &Shared, runner: OutputRunner) {
    let plugin = runner.plugin.clone();
    let end = std::panic::catch_unwind(AssertUnwindSafe(|| runner.run()))
        .unwrap_or_else(|panic| OutputEnd::Terminated(fault::panic_text(&*panic)));
    if let OutputEnd::Terminated(reason) = &end {
        fault::terminated(shared, &plugin.config, reason);
    }
    plugin.set_ended(end);
    shared.checkpoint_moved();
}

/// Waits for an input to end; returns its last checkpoint.
fn stop_input(shared: &Shared, input: &InputPlugin) -> Checkpoint {
    if let Some(thread) = input.take_thread() {
        let interrupt = || input.handle().iter().for_each(Handle::interrupt);
        if !fault::join_or_leave(thread, interrupt) {
            fault::stuck(shared, &input.config);
        }
    }
    input.checkpoint()
}

/// Waits for an output to end.
fn stop_output(shared: &Shared, output: &OutputPlugin) {
    if let Some(thread) = output.take_thread()
        && !fault::join_or_leave(thread, || output.handle.interrupt())
    {
        fault::stuck(shared, &output.config);
    }
}

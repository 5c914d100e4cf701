//! One measured process: its wall time, its processor time and its memory, read from the kernel's own books.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How often the books of a running process are read. The kernel keeps the maximum of the memory itself, so only what grows
/// in the very last interval is missed; of the processor time it tells hundredths of a second.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(10);
/// How often a file that a plugin will write is looked for.
const FILE_INTERVAL: Duration = Duration::from_micros(200);
/// How long to wait for such a file before the run counts as failed.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// The file that takes what the process prints.
const LOG: &str = "log";

/// What a process used from its start to its end.
#[derive(Clone, Debug)]
pub struct Usage {
    /// When it was started, by the clock that dates files.
    pub started: SystemTime,
    /// From before the start until after the end.
    pub wall: Duration,
    /// User and system time of all its threads.
    pub cpu: Duration,
    /// The most memory that was resident, in bytes; mapped files count while they are mapped.
    pub peak_memory: u64,
    /// How much processor time, in the kernel's ticks, it had used so long after the start.
    ticks: Vec<(Duration, u64)>,
}

impl Usage {
    /// How long after its start it had used `share` (0 to 1) of its processor time.
    pub fn used(&self, share: f64) -> Duration {
        let (_, total) = self.ticks.last().copied().unwrap_or_default();
        let reached = |(_, ticks): &&(Duration, u64)| *ticks as f64 >= share * total as f64;
        self.ticks
            .iter()
            .find(reached)
            .map_or(self.wall, |(at, _)| *at)
    }
}

/// Runs `command` to its end in `directory`.
///
/// # Errors
/// When it cannot be started or ends with anything but success; the error shows the end of what it printed.
pub fn run_to_end(command: &mut Command, directory: &Path) -> Result<Usage> {
    let cpu_before = children_cpu()?;
    let (started, clock) = (SystemTime::now(), Instant::now());
    let mut child = spawn(command, directory)?;
    let (pid, ended) = (child.id(), AtomicBool::new(false));
    let (status, wall, (peak_memory, ticks)) = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(pid, clock, &ended));
        let status = child.wait();
        let wall = clock.elapsed();
        ended.store(true, Ordering::Relaxed);
        (
            status,
            wall,
            watcher.join().expect("the watcher has no way to panic"),
        )
    });
    let status = status?;
    ensure!(
        status.success(),
        "the engine ended with {status}:\n{}",
        log_end(directory)
    );
    let cpu = children_cpu()?.saturating_sub(cpu_before);
    Ok(Usage {
        started,
        wall,
        cpu,
        peak_memory,
        ticks,
    })
}

/// A process that runs until it is stopped; dropping it kills it.
pub struct Live {
    child: Child,
    directory: std::path::PathBuf,
    /// When it was started.
    pub started: Instant,
}

impl Live {
    /// Starts `command` in `directory`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(command: &mut Command, directory: &Path) -> Result<Live> {
        let started = Instant::now();
        let child = spawn(command, directory)?;
        Ok(Live {
            child,
            directory: directory.to_owned(),
            started,
        })
    }

    /// Waits until `there` says so and returns the time since the start.
    ///
    /// # Errors
    /// When the process ends before, or after [`PATIENCE`].
    pub fn wait_until(&mut self, what: &str, there: impl Fn(&Path) -> bool) -> Result<Duration> {
        loop {
            if there(&self.directory) {
                return Ok(self.started.elapsed());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!(
                    "ended with {status} before {what}:\n{}",
                    log_end(&self.directory)
                );
            }
            if self.started.elapsed() > PATIENCE {
                bail!("waited in vain for {what}:\n{}", log_end(&self.directory));
            }
            std::thread::sleep(FILE_INTERVAL);
        }
    }

    /// Resident memory now, in bytes.
    ///
    /// # Errors
    /// When the process has gone.
    pub fn memory(&self) -> Result<u64> {
        status_bytes(self.child.id(), "VmRSS:").context("the engine has gone")
    }

    /// Processor time used so far by the threads that live now.
    ///
    /// # Errors
    /// When the process has gone.
    pub fn cpu(&self) -> Result<Duration> {
        let mut nanoseconds = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = match fs::read_to_string(task?.path().join("schedstat")) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                text => text?,
            };
            let first = text.split(' ').next().unwrap_or_default();
            nanoseconds += first
                .parse::<u64>()
                .context("schedstat begins with a number")?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// Asks it to stop, waits, and says how long that took.
    ///
    /// # Errors
    /// When it does not end with success.
    pub fn stop(mut self) -> Result<Duration> {
        let asked = Instant::now();
        self.signal(Signal::SIGTERM)?;
        let status = self.child.wait()?;
        ensure!(
            status.success(),
            "stopped with {status}:\n{}",
            log_end(&self.directory)
        );
        Ok(asked.elapsed())
    }

    /// Ends it as a crash would.
    ///
    /// # Errors
    /// When it ended otherwise.
    pub fn kill(mut self) -> Result<()> {
        self.signal(Signal::SIGKILL)?;
        let status = self.child.wait()?;
        ensure!(
            status.signal() == Some(Signal::SIGKILL as i32),
            "ended by itself with {status}"
        );
        Ok(())
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.child.id()).context("process ids are small")?;
        Ok(kill(Pid::from_raw(pid), signal)?)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // Both fail when it has ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(command: &mut Command, directory: &Path) -> Result<Child> {
    let log = File::create(directory.join(LOG))?;
    command
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .with_context(|| format!("starting {command:?}"))
}

fn children_cpu() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let microseconds = |time: nix::sys::time::TimeVal| {
        Duration::from_secs(time.tv_sec().unsigned_abs())
            + Duration::from_micros(time.tv_usec().unsigned_abs())
    };
    Ok(microseconds(usage.user_time()) + microseconds(usage.system_time()))
}

/// The peak of the memory, and the course of the processor time, of a process until it has `ended`.
fn watch(pid: u32, clock: Instant, ended: &AtomicBool) -> (u64, Vec<(Duration, u64)>) {
    let (mut peak, mut course) = (0, Vec::new());
    while !ended.load(Ordering::Relaxed) {
        peak = status_bytes(pid, "VmHWM:").unwrap_or(peak).max(peak);
        course.extend(ticks(pid).map(|ticks| (clock.elapsed(), ticks)));
        std::thread::sleep(SAMPLE_INTERVAL);
    }
    (peak, course)
}

/// User and system time of a process with all threads it ever had: the 14th and 15th word of its `stat`.
fn ticks(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second word is the program's name in parentheses and may hold anything.
    let (_, after_name) = stat.rsplit_once(") ")?;
    let mut times = after_name.split(' ').skip(11);
    Some(times.next()?.parse::<u64>().ok()? + times.next()?.parse::<u64>().ok()?)
}

/// A line such as `VmRSS:     2300 kB` of the process's status.
fn status_bytes(pid: u32, key: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    line.trim()
        .strip_suffix(" kB")?
        .parse::<u64>()
        .ok()
        .map(|kibibytes| kibibytes * 1024)
}

/// The last lines that the process printed.
fn log_end(directory: &Path) -> String {
    const LINES: usize = 10;
    let text = fs::read(directory.join(LOG)).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

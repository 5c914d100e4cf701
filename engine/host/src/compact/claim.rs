//! One compaction at a time in a partition: an object that says who works there, and is renewed as long as that one lives.
//!
//! Who wants a partition puts a claim of its own and then lists all. If there is another that is alive it takes its own back.
//! Of two that come at once, at least the later one to list sees the other's, so never both go on; this asks nothing of a
//! store but that lists show what was put. Whether a claim is alive is told by the store's own clock, and on the same machine
//! by whether the process is still there.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use output::destination::{Body, Entry};
use serde_json::{Value, json};
use stdx::clock::{Clock, RealClock};

use super::lake::{Lake, Trouble, hex, key_in};

/// What the names of all objects begin with that a compaction puts beside the data; readers of lakes leave out what begins so.
pub(super) const PREFIX: &str = "_compact-";

const ENDING: &str = ".claim";

/// A claim is as long alive after it was put or renewed.
const LEASE: Duration = Duration::from_secs(120);

/// It is renewed so often.
const RENEW_EVERY: Duration = Duration::from_secs(20);

/// Bytes of a claim, at most.
const CLAIM_MAX: u64 = 4096;

/// A partition that is ours until this is dropped.
pub(super) struct Claim {
    lake: Lake,
    key: String,
    /// When it was put, by the store's clock, in seconds since 1970.
    pub now_s: i64,
    /// When it was last renewed, by ours, in nanoseconds since 1970.
    renewed: Arc<AtomicI64>,
    keeper: Option<(Sender<()>, JoinHandle<()>)>,
}

/// Whether the object is a claim.
pub(super) fn is_claim(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(ENDING)
}

impl Claim {
    /// Claims a folder; `None` when somebody else has it.
    pub fn acquire(lake: &Lake, folder: &str) -> Result<Option<Claim>, Trouble> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|error| Trouble::new(folder, error.to_string()))?;
        let key = key_in(folder, &format!("{PREFIX}{}{ENDING}", hex(&random)));
        let body = Body::Bytes(process(std::process::id()).to_string().into_bytes().into());
        let renewed = Arc::new(AtomicI64::new(now_ns()));
        lake.put(&key, &body)?;
        let mut claim = Claim {
            lake: lake.clone(),
            key,
            now_s: 0,
            renewed,
            keeper: None,
        };
        if !claim.is_alone(folder)? {
            return Ok(None);
        }
        claim.keep(body)?;
        Ok(Some(claim))
    }

    /// Looks for other claims, and removes those of the dead.
    fn is_alone(&mut self, folder: &str) -> Result<bool, Trouble> {
        let prefix = key_in(folder, PREFIX);
        let mut listing = self.lake.listing(&prefix);
        let mut others = Vec::new();
        let mut own = None;
        while let Some(entry) = self.lake.next(&mut listing, &prefix)? {
            match () {
                () if entry.key == self.key => own = Some(entry),
                () if entry.key.ends_with(ENDING) => others.push(entry),
                () => {}
            }
        }
        let missing = || Trouble::new(&self.key, "was put, and is not in the list");
        self.now_s = own.ok_or_else(missing)?.modified_s;
        for other in others {
            if !self.is_dead(&other)? {
                return Ok(false);
            }
            self.lake.remove(&other.key)?;
        }
        Ok(true)
    }

    fn is_dead(&self, other: &Entry) -> Result<bool, Trouble> {
        if self.now_s - other.modified_s > LEASE.as_secs() as i64 {
            return Ok(true);
        }
        // One that cannot be read may have been taken back just now; the next run finds out.
        let Ok(read) = self.lake.read(&other.key, 0, CLAIM_MAX, None) else {
            return Ok(false);
        };
        let Ok(found) = serde_json::from_slice::<Value>(&read.bytes) else {
            return Ok(false);
        };
        let own = process(std::process::id());
        let is_here = !own["boot"].is_null() && own["boot"] == found["boot"];
        let is_seen = !own["pids"].is_null() && own["pids"] == found["pids"];
        let pid = found["pid"]
            .as_u64()
            .and_then(|pid| u32::try_from(pid).ok());
        Ok(is_here && is_seen && pid.is_some_and(|pid| process(pid) != found))
    }

    /// Renews the claim from a thread of its own.
    fn keep(&mut self, body: Body) -> Result<(), Trouble> {
        let (stop, stopped) = channel::<()>();
        let (lake, key, renewed) = (
            self.lake.clone(),
            self.key.clone(),
            Arc::clone(&self.renewed),
        );
        let work = move || {
            while stopped.recv_timeout(RENEW_EVERY) == Err(RecvTimeoutError::Timeout) {
                let now = now_ns();
                // One that came too late once, for the machine slept, must not come back to life.
                if is_late(&renewed) {
                    return;
                }
                if lake.put(&key, &body).is_ok() && !is_late(&renewed) {
                    renewed.store(now, Ordering::Release);
                }
            }
        };
        let keeper = std::thread::Builder::new().name("claim".into()).spawn(work);
        let keeper = keeper.map_err(|error| Trouble::new(&self.key, error.to_string()))?;
        self.keeper = Some((stop, keeper));
        Ok(())
    }

    /// Whether the partition is still ours; asked before each step that others must not take at the same time.
    pub fn check(&self) -> Result<(), Trouble> {
        match is_late(&self.renewed) {
            true => Err(Trouble::new(
                &self.key,
                "could not be renewed in time; somebody else may work here",
            )),
            false => Ok(()),
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some((stop, keeper)) = self.keeper.take() {
            drop(stop);
            let _ = keeper.join();
        }
        // What stays is taken for dead soon.
        let _ = self.lake.remove(&self.key);
    }
}

fn now_ns() -> i64 {
    RealClock::new().now_ns()
}

/// Half of the lease, so that a step that is begun has the other half. The time of day also goes on while the machine sleeps.
fn is_late(renewed: &AtomicI64) -> bool {
    let age = now_ns() - renewed.load(Ordering::Acquire);
    !(0..LEASE.as_nanos() as i64 / 2).contains(&age)
}

/// What tells a process from all others that were and will be: the boot, the set of numbers, the number, and when it began.
/// Of one that has ended the last is missing.
fn process(pid: u32) -> Value {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    let pids = std::fs::read_link("/proc/self/ns/pid");
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name of the program may have spaces and parentheses.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let is_over = matches!(fields.first(), Some(&("Z" | "X")));
    json!({
        "boot": boot.ok().map(|boot| boot.trim().to_owned()),
        "pids": pids.ok().map(|pids| pids.to_string_lossy().into_owned()),
        "pid": pid,
        "began": fields.get(19).filter(|_| !is_over),
    })
}

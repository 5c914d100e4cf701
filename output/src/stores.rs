//! The buckets that plugins have open at the moment, for whoever shows what lies in them.
//!
//! A plugin opens a bucket with settings and credentials of its own; who looks into it here looks with those. Only names,
//! sizes and times are shown, a page of one level at a time.

use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use tokio::time::timeout;

use crate::destination::Failure;
use crate::runtime::runtime;
use crate::s3::{Bucket, Level};

/// How long a look may take.
const LOOK_TIME: Duration = Duration::from_secs(15);

/// A bucket that is open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Opened {
    /// Who opened it.
    pub plugin: String,
    /// Where it is, as `s3://bucket/prefix`.
    pub address: String,
    /// The owner in the plugin's configuration.
    pub owner: Option<String>,
    /// Whether its objects are for everybody, by their access control list.
    pub is_public: bool,
}

/// Guards the list; those that are closed are left out when it is looked at. It is as long as plugins hold buckets, each
/// of which counts as memory of the plugin.
static OPEN: Mutex<Vec<(Opened, Weak<Bucket>)>> = Mutex::new(Vec::new());

fn open() -> MutexGuard<'static, Vec<(Opened, Weak<Bucket>)>> {
    let mut open = OPEN.lock().expect("nothing panics under this lock");
    open.retain(|(_, bucket)| bucket.strong_count() > 0);
    open
}

/// Notes that a bucket was opened.
pub fn add(opened: Opened, bucket: &Arc<Bucket>) {
    open().push((opened, Arc::downgrade(bucket)));
}

/// The buckets that are open, each once.
pub fn list() -> Vec<Opened> {
    let mut list: Vec<Opened> = open().iter().map(|(opened, _)| opened.clone()).collect();
    list.sort();
    list.dedup();
    list
}

/// What lies in an open bucket directly below `folder`, which is empty or ends with a slash; `after` is the `next` of the
/// page before. `None` when no plugin has it open. Waits for the answer.
///
/// # Errors
/// What the store says, or that it says nothing.
pub fn level(wanted: &Opened, folder: &str, after: &str) -> Option<Result<Level, Failure>> {
    let found = open().iter().find_map(|(opened, bucket)| {
        let bucket = bucket.upgrade()?;
        (opened == wanted).then_some(bucket)
    });
    let bucket = found?;
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(reason) => return Some(Err(Failure::passing(reason))),
    };
    let silent = || {
        let seconds = LOOK_TIME.as_secs();
        Failure::passing(format!("no answer within {seconds} seconds"))
    };
    let look = async { timeout(LOOK_TIME, bucket.level(folder, after)).await };
    Some(runtime.block_on(look).unwrap_or_else(|_| Err(silent())))
}

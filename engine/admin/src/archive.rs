//! The past of graphs on the disk, by day, within limits of age and size: what their buffers no longer hold, or lost.
//!
//! `<dir>/<YYYY-MM-DD>/<hash of the id>.cbuf` is one day of one graph, itself a `cbuf`: rows of at least a minute, marks, and
//! the id in its first line. A file is written aside and renamed, so it is there as it was or as it shall be; a day is
//! forgotten whole. Nothing here is on the way of messages: a thread of its own reads the newest payloads now and then.

mod keeper;
mod rows;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use stdx::files::{RealDisk, read_all, write_atomically};
use xxhash_rust::xxh64::xxh64;

use crate::cbuf::{self, Graph};
use crate::text;

pub use keeper::Keeper;

/// Seconds of a day.
const DAY_S: i64 = 86_400;

/// The largest file that is written or read, bytes: a day of a graph with all columns that a buffer may have.
const FILE_MAX: u64 = 32 << 20;

/// What a file takes on the disk is a multiple of this, bytes; so many small files count as what they are.
const BLOCK: u64 = 4 << 10;

/// Rows may be so far ahead of the clock, days: messages come from clocks that are wrong.
const AHEAD_DAYS: i64 = 1;

/// How much of the past is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Days; 0 keeps nothing.
    pub days: u32,
    /// Bytes of all files together.
    pub bytes: u64,
}

impl Default for Limits {
    /// Two weeks and a day, so that a week can be compared with the one before.
    fn default() -> Limits {
        Limits {
            days: 15,
            bytes: 512 << 20,
        }
    }
}

/// The past of all graphs.
pub struct Archive {
    dir: PathBuf,
    limits: Limits,
    /// Guards the bytes of each day, by days since 1970, and with them the files.
    days: Mutex<BTreeMap<i64, u64>>,
    /// Whether it was told that there is no room.
    is_full: AtomicBool,
}

impl Archive {
    /// What earlier runs have kept in `dir`. Nothing is created before there is something to keep.
    pub fn open(dir: &Path, limits: Limits) -> Archive {
        Archive::open_at(dir, limits, text::now_ms() / 1000)
    }

    /// As [`Archive::open`]; `now_s` is the time in seconds since 1970.
    fn open_at(dir: &Path, limits: Limits, now_s: i64) -> Archive {
        let archive = Archive {
            dir: dir.to_path_buf(),
            limits,
            days: Mutex::new(found_days(dir)),
            is_full: AtomicBool::new(false),
        };
        archive.forget_old(now_s);
        archive
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<i64, u64>> {
        self.days.lock().expect("nothing panics under this lock")
    }

    /// Whether anything is kept at all.
    pub fn is_on(&self) -> bool {
        self.limits.days > 0
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.lock().values().sum()
    }

    /// Keeps the complete rows and the marks of a graph; `now_s` is the time in seconds since 1970.
    ///
    /// # Errors
    /// The disk says no; the other days of the graph were kept.
    pub fn keep(&self, id: &str, graph: &Graph, now_s: i64) -> io::Result<()> {
        let today = now_s.div_euclid(DAY_S);
        let wanted = today - i64::from(self.limits.days)..=today + AHEAD_DAYS;
        let mut outcome = Ok(());
        for part in rows::by_day(&rows::complete(graph)) {
            let day = part.time.div_euclid(DAY_S);
            if wanted.contains(&day)
                && let Err(error) = self.keep_day(id, day, part)
            {
                outcome = Err(error);
            }
        }
        outcome
    }

    /// Adds what is new of one day to its file.
    fn keep_day(&self, id: &str, day: i64, part: Graph) -> io::Result<()> {
        let path = self.path(id, day);
        let mut days = self.lock();
        let before = read(&path);
        let old = before.as_ref().map_or(0, |(bytes, _)| bytes.len() as u64);
        let graph = match &before {
            Some((_, before)) => rows::merged(before, part),
            None => part,
        };
        let text = graph.to_text(id);
        if before.is_some_and(|(bytes, _)| bytes == text.as_bytes()) {
            return Ok(());
        }
        let more = on_disk(text.len() as u64).saturating_sub(on_disk(old));
        if text.len() as u64 > FILE_MAX || !self.make_room(&mut days, day, more) {
            self.tell_full(id);
            return Ok(());
        }
        std::fs::create_dir_all(self.day_dir(day))?;
        write_atomically(&RealDisk, &path, text.as_bytes(), false)?;
        let bytes = days.entry(day).or_default();
        *bytes = (*bytes + on_disk(text.len() as u64)).saturating_sub(on_disk(old));
        Ok(())
    }

    /// Forgets the oldest days until there is room for `more` bytes of `day`; whether there is.
    fn make_room(&self, days: &mut BTreeMap<i64, u64>, day: i64, more: u64) -> bool {
        while days.values().sum::<u64>() + more > self.limits.bytes {
            match days.first_key_value() {
                Some((&oldest, _)) if oldest < day => self.forget(days, oldest),
                _ => return false,
            }
        }
        true
    }

    fn tell_full(&self, id: &str) {
        if !self.is_full.swap(true, Ordering::Relaxed) {
            let Limits { bytes, .. } = self.limits;
            tracing::warn!(target: "admin", "the past of graphs such as {id} is not kept: it does not fit into admin_history_bytes, {bytes}");
        }
    }

    /// Forgets the days that are older than the limit; `now_s` is the time in seconds since 1970.
    pub fn forget_old(&self, now_s: i64) {
        let first = now_s.div_euclid(DAY_S) - i64::from(self.limits.days);
        let mut days = self.lock();
        while let Some((&oldest, _)) = days.first_key_value()
            && (oldest < first || !self.is_on())
        {
            self.forget(&mut days, oldest);
        }
    }

    fn forget(&self, days: &mut BTreeMap<i64, u64>, day: i64) {
        let dir = self.day_dir(day);
        if let Err(error) = std::fs::remove_dir_all(&dir) {
            tracing::warn!(target: "admin", "deleting {}: {error}", dir.display());
        }
        days.remove(&day);
    }

    /// What is kept of a graph from `from` until before `until`, seconds since 1970; without rows when there is nothing.
    /// Days whose rows are of another length than those of the newest day are left out.
    pub fn past(&self, id: &str, from: i64, until: i64) -> Graph {
        let wanted = from.div_euclid(DAY_S)..=until.saturating_sub(1).div_euclid(DAY_S);
        let days: Vec<i64> = match wanted.is_empty() {
            true => Vec::new(),
            false => self.lock().range(wanted).map(|(day, _)| *day).collect(),
        };
        let mut parts = days
            .iter()
            .rev()
            .filter_map(|day| read(&self.path(id, *day)));
        let Some((_, mut past)) = parts.next() else {
            return Graph::default();
        };
        for (_, earlier) in parts {
            past = rows::merged(&earlier, past);
        }
        rows::between(&past, from, until)
    }

    fn day_dir(&self, day: i64) -> PathBuf {
        self.dir.join(day_name(day))
    }

    fn path(&self, id: &str, day: i64) -> PathBuf {
        let file = format!("{:016x}.cbuf", xxh64(id.as_bytes(), 0));
        self.day_dir(day).join(file)
    }
}

/// The days that lie in a directory, and their bytes.
fn found_days(dir: &Path) -> BTreeMap<i64, u64> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let bytes_of = |dir: &Path| {
        let files = std::fs::read_dir(dir).into_iter().flatten().flatten();
        let sizes = files.filter_map(|file| file.metadata().ok());
        sizes.map(|file| on_disk(file.len())).sum()
    };
    let named = entries.filter_map(|entry| {
        let name = entry.file_name();
        Some((day_of(name.to_str()?)?, bytes_of(&entry.path())))
    });
    named.collect()
}

fn day_name(day: i64) -> String {
    let date = text::time(day.saturating_mul(DAY_S * 1000));
    date.split('T').next().unwrap_or_default().to_owned()
}

fn day_of(name: &str) -> Option<i64> {
    let begin: jiff::Timestamp = format!("{name}T00:00:00Z").parse().ok()?;
    let day = begin.as_second().div_euclid(DAY_S);
    // Directories of other names are not ours.
    (day_name(day) == name).then_some(day)
}

fn on_disk(bytes: u64) -> u64 {
    bytes.div_ceil(BLOCK) * BLOCK
}

/// A file, as bytes and as a graph. What is damaged is nothing, and is written anew.
fn read(path: &Path) -> Option<(Vec<u8>, Graph)> {
    let bytes = read_all(&RealDisk, path, FILE_MAX).ok()?;
    let graph = cbuf::parse(&bytes).ok()?;
    (graph.rows as i64 <= DAY_S).then_some((bytes, graph))
}

#[cfg(test)]
mod tests;

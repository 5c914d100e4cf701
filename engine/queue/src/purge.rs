//! Deletes segments that every reader has released, or that are too old or too many.

use crate::position::Position;
use crate::queue::Shared;
use crate::report::Report;
use crate::segment::{SegmentInfo, log_path, sum_path, torn_path};
use crate::tail::Published;
use std::io;
use std::path::Path;
use std::time::Duration;

/// Why a segment may go.
#[derive(Debug, PartialEq, Eq)]
enum Reason {
    /// Everybody has released it and it need not be kept for replay.
    Released,
    /// It is too old, or there is too much; these have not released it.
    Forced(Vec<String>),
}

impl Shared {
    /// Deletes what may go, oldest first. Does nothing before [`crate::Queue::start_purging`].
    pub(crate) fn purge(&self) {
        // Guards the deleting, which two threads must not do at once.
        let mut purging = self
            .purging
            .lock()
            .expect("no code panics while it deletes");
        if !purging.allowed {
            return;
        }
        let now_ns = self.options.clock.now_ns();
        loop {
            let next = self.next_to_delete(&self.tail.lock(), now_ns);
            let Some((id, info, reason)) = next else {
                break;
            };
            if let Err(error) = self.delete(id) {
                if !std::mem::replace(&mut purging.failing, true) {
                    self.report(Report::DeleteFailed {
                        segment: id,
                        cause: error.to_string(),
                    });
                }
                return;
            }
            purging.failing = false;
            self.tail.lock().segments.remove(&id);
            let (segment, bytes) = (id, info.bytes);
            self.report(match reason {
                Reason::Released => Report::Deleted { segment, bytes },
                Reason::Forced(readers) => Report::DeletedUnread {
                    segment,
                    bytes,
                    readers,
                },
            });
        }
        self.warn_of_growth(&mut purging);
    }

    fn next_to_delete(
        &self,
        published: &Published,
        now_ns: i64,
    ) -> Option<(u64, SegmentInfo, Reason)> {
        let (id, info) = published
            .segments
            .first_key_value()
            .map(|(id, info)| (*id, *info))?;
        if id >= published.written.segment {
            return None;
        }
        let unreleased = unreleased_by(published, id, info);
        let reason = if self.must_go(published, info, now_ns) {
            if unreleased.is_empty() {
                Reason::Released
            } else {
                Reason::Forced(unreleased)
            }
        } else if unreleased.is_empty() && self.is_replay_over(published, info, now_ns) {
            Reason::Released
        } else {
            return None;
        };
        Some((id, info, reason))
    }

    /// Whether the oldest segment breaks `max_bytes` or `max_age`.
    fn must_go(&self, published: &Published, info: SegmentInfo, now_ns: i64) -> bool {
        let too_much = self
            .options
            .max_bytes
            .is_some_and(|max| total(published) > max);
        too_much
            || self
                .options
                .max_age
                .is_some_and(|max| is_older(info, now_ns, max))
    }

    /// Whether the oldest segment, which everybody has released, is no longer to be kept for replay.
    fn is_replay_over(&self, published: &Published, info: SegmentInfo, now_ns: i64) -> bool {
        let (keep_bytes, keep_age) = (self.options.keep_bytes, self.options.keep_age);
        if keep_bytes.is_none() && keep_age.is_none() {
            return !published.readers.is_empty();
        }
        let too_much = keep_bytes.is_some_and(|keep| released_bytes(published) > keep);
        too_much || keep_age.is_some_and(|keep| is_older(info, now_ns, keep))
    }

    /// Sums first: a segment without sums can still be read, sums without a segment are litter.
    fn delete(&self, id: u64) -> io::Result<()> {
        let options = &self.options;
        let paths: [fn(&Path, u64) -> _; 3] = [sum_path, torn_path, log_path];
        for path in paths {
            match options.disk.remove(&path(&options.dir, id)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Says once per segment that a queue nobody reads grows without limit.
    fn warn_of_growth(&self, purging: &mut Purging) {
        let options = &self.options;
        let limits = [options.keep_bytes, options.max_bytes];
        let ages = [options.keep_age, options.max_age];
        let limited = limits.iter().any(Option::is_some) || ages.iter().any(Option::is_some);
        let published = self.tail.lock();
        let newest = published.written.segment;
        let first = *purging.warned_at.get_or_insert(newest);
        if limited || !published.readers.is_empty() || first == newest {
            return;
        }
        purging.warned_at = Some(newest);
        let bytes = total(&published);
        drop(published);
        self.report(Report::NobodyReads { bytes });
    }
}

/// What purging remembers.
#[derive(Debug, Default)]
pub(crate) struct Purging {
    /// The host has entered its readers, so what they need is known.
    pub allowed: bool,
    /// The last deletion failed and was reported.
    failing: bool,
    /// The writer's segment when somebody was last warned that nobody reads.
    warned_at: Option<u64>,
}

fn total(published: &Published) -> u64 {
    published.segments.values().map(|info| info.bytes).sum()
}

fn is_older(info: SegmentInfo, now_ns: i64, age: Duration) -> bool {
    u128::try_from(now_ns.saturating_sub(info.newest_ns)).is_ok_and(|ns| ns > age.as_nanos())
}

fn unreleased_by(published: &Published, id: u64, info: SegmentInfo) -> Vec<String> {
    let end = Position::new(id, info.bytes);
    let unreleased = published
        .readers
        .iter()
        .filter(|reader| reader.released < end);
    unreleased.map(|reader| reader.name.to_string()).collect()
}

/// Bytes of the closed segments that everybody has released.
fn released_bytes(published: &Published) -> u64 {
    let floor = published.readers.iter().map(|reader| reader.released).min();
    let closed = published.segments.range(..published.written.segment);
    let released = closed
        .filter(|(id, info)| floor.is_none_or(|floor| floor >= Position::new(**id, info.bytes)));
    released.map(|(_, info)| info.bytes).sum()
}

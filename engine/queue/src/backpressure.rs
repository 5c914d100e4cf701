//! When writers must wait for readers or for disk.

use crate::queue::Shared;
use crate::report::{Blocked, Report};
use crate::tail::Published;

impl Shared {
    /// Closes or opens the intake, as readers and disk are now.
    pub(crate) fn judge_backpressure(&self) {
        if self.options.backpressure == 0 && self.options.disk_free_min == 0 {
            return;
        }
        // Guards the decision, so that an older one never overtakes a newer.
        let mut blocked = self
            .backpressure
            .lock()
            .expect("no code panics while it judges");
        let now = self.reason_to_block(blocked.is_some());
        if *blocked == now {
            return;
        }
        let report = match (&*blocked, &now) {
            (None, Some(reason)) => Some(Report::BackpressureApplied(reason.clone())),
            (Some(_), None) => Some(Report::BackpressureReleased),
            _ => None,
        };
        self.intake.set_closed(now.clone());
        *blocked = now;
        drop(blocked);
        if let Some(report) = report {
            self.report(report);
        }
    }

    fn reason_to_block(&self, is_blocked: bool) -> Option<Blocked> {
        // Once closed, the intake opens only when the slowest reader has come to the writer's segment: otherwise it
        // would open and close with every segment.
        let segments_max = if is_blocked {
            0
        } else {
            self.options.backpressure
        };
        let lagging = self.slowest_behind(segments_max);
        lagging.or_else(|| self.disk_too_full())
    }

    fn slowest_behind(&self, segments_max: u64) -> Option<Blocked> {
        if self.options.backpressure == 0 {
            return None;
        }
        let published = self.tail.lock();
        let (segments, name) = slowest(&published)?;
        (segments > segments_max).then_some(Blocked::Reader { name, segments })
    }

    fn disk_too_full(&self) -> Option<Blocked> {
        let wanted = self.options.disk_free_min;
        if wanted == 0 {
            return None;
        }
        // A file system that does not say how much is free is taken for roomy: the write itself will tell.
        let free = self
            .options
            .disk
            .free_space(&self.options.dir)
            .unwrap_or(u64::MAX);
        (free < wanted).then_some(Blocked::DiskFree { free, wanted })
    }
}

/// The live reader that is most segments behind. Without a reader nobody is behind; holds do not read.
fn slowest(published: &Published) -> Option<(u64, String)> {
    let reading = published
        .readers
        .iter()
        .filter_map(|reader| Some((reader.position?, reader)));
    let (position, reader) = reading.min_by_key(|(position, _)| *position)?;
    let segments = published.written.segment.saturating_sub(position.segment);
    Some((segments, reader.name.to_string()))
}

//! How often the edge answered what.

use std::sync::atomic::{AtomicU64, Ordering};

use super::submission::Refusal;

/// The kinds of answers, in the order of the counters.
const NAMES: [&str; 11] = [
    "taken",
    "method",
    "no_length",
    "uri_too_long",
    "content_too_long",
    "bad",
    "unknown",
    "too_many",
    "slow",
    "busy",
    "backend",
];

/// Answers by kind.
#[derive(Debug, Default)]
pub struct Counters([AtomicU64; NAMES.len()]);

impl Counters {
    /// Counts an answer: `None` for a submission that was taken.
    pub fn count(&self, refusal: Option<Refusal>) {
        let kind = match refusal {
            None => 0,
            Some(Refusal::Method) => 1,
            Some(Refusal::NoLength) => 2,
            Some(Refusal::UriTooLong) => 3,
            Some(Refusal::ContentTooLong) => 4,
            Some(Refusal::Bad(_)) => 5,
            Some(Refusal::Unknown) => 6,
            Some(Refusal::TooMany) => 7,
            Some(Refusal::Slow) => 8,
            Some(Refusal::Busy) => 9,
            Some(Refusal::Backend) => 10,
        };
        self.0[kind].fetch_add(1, Ordering::Relaxed);
    }

    /// The counters that are not zero, as `taken 5, bad 2`.
    pub fn text(&self) -> String {
        let counts = NAMES.iter().zip(&self.0);
        let counts = counts.filter_map(|(name, count)| match count.load(Ordering::Relaxed) {
            0 => None,
            n => Some(format!("{name} {n}")),
        });
        counts.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_happened_is_told() {
        let counters = Counters::default();
        assert_eq!(counters.text(), "");
        counters.count(None);
        counters.count(Some(Refusal::Busy));
        counters.count(None);
        assert_eq!(counters.text(), "taken 2, busy 1");
    }
}

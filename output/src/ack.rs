//! Up to which message all is safe, though answers come out of order.
//!
//! An output that delivers asynchronously acknowledges messages by sequence id in any order.
//! The tracker keeps one entry per message in flight and moves its mark only over an unbroken run of acknowledged
//! entries, so a crash can repeat a message but never lose one that an earlier, unanswered message stood before.

use std::collections::VecDeque;

/// Remembers the places of messages in flight and says below which place everything is acknowledged.
///
/// `P` is a place in the queues: the checkpoint that holds once the message and all before it are acknowledged.
#[derive(Debug)]
pub struct AckTracker<P> {
    entries: VecDeque<Entry<P>>,
    first_sequence: u64,
    in_flight: usize,
}

#[derive(Debug)]
struct Entry<P> {
    place: P,
    acknowledged: bool,
}

/// What became of an acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acked<P> {
    /// The mark moved: everything up to this place is acknowledged.
    SafeUpTo(P),
    /// Taken, but an earlier message is still in flight.
    Held,
    /// The sequence id was never sent, or was acknowledged before.
    Unknown,
}

impl<P: Copy> Default for AckTracker<P> {
    fn default() -> Self {
        AckTracker {
            entries: VecDeque::new(),
            first_sequence: 1,
            in_flight: 0,
        }
    }
}

impl<P: Copy> AckTracker<P> {
    /// An empty tracker; the first message sent is expected to have sequence id 1 or any later one.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many messages wait for their acknowledgement.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// How many entries are held, acknowledged ones behind an unanswered one included.
    pub fn held(&self) -> usize {
        self.entries.len()
    }

    /// Records that the message `sequence` is in flight; `place` holds once it and all before it are acknowledged.
    ///
    /// Sequence ids must grow.
    /// Ids that were skipped (messages answered at once) are filled in as acknowledged.
    pub fn sent(&mut self, sequence: u64, place: P) {
        if self.entries.is_empty() {
            self.first_sequence = sequence;
        }
        let mut next = self.first_sequence + self.entries.len() as u64;
        debug_assert!(sequence >= next, "sequence ids must grow");
        while next < sequence {
            let place = self.entries.back().map_or(place, |last| last.place);
            self.entries.push_back(Entry {
                place,
                acknowledged: true,
            });
            next += 1;
        }
        self.entries.push_back(Entry {
            place,
            acknowledged: false,
        });
        self.in_flight += 1;
    }

    /// Moves the mark along over a message that needs no acknowledgement of its own.
    ///
    /// Returns whether `place` is safe at once, that is, whether nothing is in flight.
    /// Otherwise the place is taken over by the newest entry and becomes safe together with it.
    pub fn passed(&mut self, place: P) -> bool {
        match self.entries.back_mut() {
            None => true,
            Some(last) => {
                last.place = place;
                false
            }
        }
    }

    /// Takes the acknowledgement of one message.
    pub fn acknowledge(&mut self, sequence: u64) -> Acked<P> {
        let Some(entry) = sequence
            .checked_sub(self.first_sequence)
            .and_then(|idx| self.entries.get_mut(idx as usize))
            .filter(|entry| !entry.acknowledged)
        else {
            return Acked::Unknown;
        };
        entry.acknowledged = true;
        self.in_flight -= 1;
        match self.advance() {
            Some(place) => Acked::SafeUpTo(place),
            None => Acked::Held,
        }
    }

    fn advance(&mut self) -> Option<P> {
        let mut safe = None;
        while let Some(first) = self.entries.front().filter(|entry| entry.acknowledged) {
            safe = Some(first.place);
            self.entries.pop_front();
            self.first_sequence += 1;
        }
        safe
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_order_moves_each_time() {
        let mut tracker = AckTracker::new();
        tracker.sent(1, 10);
        tracker.sent(2, 20);
        assert_eq!(tracker.acknowledge(1), Acked::SafeUpTo(10));
        assert_eq!(tracker.acknowledge(2), Acked::SafeUpTo(20));
        assert_eq!(tracker.in_flight(), 0);
    }

    #[test]
    fn out_of_order_waits_for_the_oldest() {
        let mut tracker = AckTracker::new();
        for sequence in 1..=3 {
            tracker.sent(sequence, sequence * 10);
        }
        assert_eq!(tracker.acknowledge(3), Acked::Held);
        assert_eq!(tracker.acknowledge(2), Acked::Held);
        assert_eq!(tracker.acknowledge(1), Acked::SafeUpTo(30));
        assert_eq!(tracker.held(), 0);
    }

    #[test]
    fn unknown_and_repeated_are_refused() {
        let mut tracker = AckTracker::new();
        tracker.sent(5, 50);
        assert_eq!(tracker.acknowledge(4), Acked::Unknown);
        assert_eq!(tracker.acknowledge(6), Acked::Unknown);
        assert_eq!(tracker.acknowledge(5), Acked::SafeUpTo(50));
        assert_eq!(tracker.acknowledge(5), Acked::Unknown);
    }

    #[test]
    fn skipped_ids_do_not_hold_the_mark() {
        let mut tracker = AckTracker::new();
        tracker.sent(1, 10);
        tracker.sent(4, 40);
        assert_eq!(tracker.acknowledge(1), Acked::SafeUpTo(10));
        assert_eq!(tracker.acknowledge(4), Acked::SafeUpTo(40));
    }

    #[test]
    fn a_passed_message_is_safe_with_the_one_before_it() {
        let mut tracker = AckTracker::new();
        assert!(tracker.passed(5));
        tracker.sent(1, 10);
        assert!(!tracker.passed(15));
        assert_eq!(tracker.acknowledge(1), Acked::SafeUpTo(15));
        assert!(tracker.passed(20));
    }

    /// Against a naive model: the mark is the highest place below which everything is acknowledged.
    #[test]
    fn agrees_with_a_naive_model_in_any_order() {
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = move || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed
        };
        for _ in 0..200 {
            let n = 1 + random() % 40;
            let mut tracker = AckTracker::new();
            let mut open: Vec<u64> = (1..=n).collect();
            (1..=n).for_each(|sequence| tracker.sent(sequence, sequence));
            let mut mark = 0;
            while !open.is_empty() {
                let sequence = open.swap_remove((random() % open.len() as u64) as usize);
                if let Acked::SafeUpTo(place) = tracker.acknowledge(sequence) {
                    mark = place;
                }
                let oldest = open.iter().min().copied().unwrap_or(n + 1);
                assert_eq!(mark, oldest - 1);
            }
        }
    }
}

//! What an output has delivered: from the answers of process_message to the places that may be forgotten.

use output::ack::{AckTracker, Acked};
use queue::Position;

/// At most so many messages of one output may wait for their acknowledgement, whatever `async_buffer_size` says;
/// bounds the tracker to a few dozen MiB.
pub const IN_FLIGHT_MAX: usize = 1 << 20;

/// A place in both queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Places {
    /// In the input queue.
    pub input: Position,
    /// In the analysis queue.
    pub analysis: Position,
}

/// Follows one output plugin's deliveries.
#[derive(Debug)]
pub struct Delivery {
    /// Everything before is delivered and may be forgotten once the plugin's files are flushed.
    committed: Places,
    /// Everything before was handed to the plugin.
    at: Places,
    batching: bool,
    acks: AckTracker<Places>,
}

impl Delivery {
    /// Starts at `places`.
    pub fn new(places: Places) -> Delivery {
        Delivery {
            committed: places,
            at: places,
            batching: false,
            acks: AckTracker::new(),
        }
    }

    /// Everything before is delivered.
    pub fn committed(&self) -> Places {
        self.committed
    }

    /// Everything before was handed to the plugin.
    pub fn at(&self) -> Places {
        self.at
    }

    /// Messages that wait for their acknowledgement.
    pub fn in_flight(&self) -> usize {
        self.acks.in_flight()
    }

    /// Whether the tracker of acknowledgements can take no more.
    pub fn is_full(&self) -> bool {
        self.acks.held() >= IN_FLIGHT_MAX
    }

    /// The plugin has taken everything before `places`, the last of it for good (answer 0).
    pub fn sent(&mut self, places: Places) {
        self.batching = false;
        self.passed(places);
    }

    /// The plugin needs nothing more of what lies before `places` (skipped, failed or not wanted).
    pub fn passed(&mut self, places: Places) {
        self.at = places;
        if !self.batching && self.acks.passed(places) {
            self.committed = places;
        }
    }

    /// The plugin gathers; nothing moves until it commits the batch (answer -4).
    pub fn batched(&mut self, places: Places) {
        self.batching = true;
        self.at = places;
    }

    /// The message `sequence` is under way (answer -5).
    pub fn in_transit(&mut self, sequence: u64, places: Places) {
        self.at = places;
        self.acks.sent(sequence, places);
    }

    /// `update_checkpoint(sequence, ...)`: one message under way has arrived.
    pub fn acknowledge(&mut self, sequence: u64) {
        if let Acked::SafeUpTo(places) = self.acks.acknowledge(sequence) {
            self.committed = places;
        }
    }

    /// `update_checkpoint()`: the batch gathered so far has arrived.
    pub fn commit_batch(&mut self) {
        if std::mem::take(&mut self.batching) {
            self.passed(self.at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offset: u64) -> Places {
        Places {
            input: Position { segment: 0, offset },
            analysis: Position::default(),
        }
    }

    #[test]
    fn sent_and_skipped_messages_commit_at_once() {
        let mut delivery = Delivery::new(at(0));
        delivery.sent(at(10));
        assert_eq!(delivery.committed(), at(10));
        delivery.passed(at(20));
        assert_eq!(delivery.committed(), at(20));
    }

    #[test]
    fn a_batch_holds_the_checkpoint_until_it_is_sent() {
        let mut delivery = Delivery::new(at(0));
        delivery.batched(at(10));
        delivery.passed(at(20));
        assert_eq!(delivery.committed(), at(0));
        delivery.sent(at(30));
        assert_eq!(delivery.committed(), at(30));
    }

    #[test]
    fn a_batch_is_committed_by_update_checkpoint_up_to_what_was_handed_over() {
        let mut delivery = Delivery::new(at(0));
        delivery.commit_batch();
        assert_eq!(delivery.committed(), at(0));
        delivery.batched(at(10));
        delivery.passed(at(20));
        delivery.commit_batch();
        assert_eq!(delivery.committed(), at(20));
    }

    #[test]
    fn acknowledgements_out_of_order_never_pass_an_unanswered_message() {
        let mut delivery = Delivery::new(at(0));
        delivery.in_transit(1, at(10));
        delivery.in_transit(2, at(20));
        delivery.passed(at(25));
        delivery.acknowledge(2);
        assert_eq!(delivery.committed(), at(0));
        delivery.acknowledge(1);
        assert_eq!(delivery.committed(), at(25));
    }

    #[test]
    fn what_follows_the_last_acknowledgement_commits_without_another() {
        let mut delivery = Delivery::new(at(0));
        delivery.in_transit(1, at(10));
        delivery.acknowledge(1);
        delivery.passed(at(50));
        assert_eq!(delivery.committed(), at(50));
    }
}

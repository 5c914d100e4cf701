//! Which offsets may be committed: those of messages whose work is done, and of partitions that are still ours.
//!
//! A message counts as done when the plugin asks for the next one: it has injected what came of it by then.

/// A partition of a topic with an offset.
pub type Place = (String, i32, i64);

/// How far each partition was read.
#[derive(Debug, Default)]
pub struct Offsets {
    /// In the order of topic and partition.
    positions: Vec<Position>,
    /// The partition of the newest message, which is not done yet.
    open: Option<usize>,
    /// Where the last message was found: they come in runs.
    last: usize,
}

#[derive(Debug)]
struct Position {
    topic: String,
    partition: i32,
    /// The offset behind the newest message that was received.
    received: i64,
    /// The offset behind the newest message that is done; -1 for none.
    done: i64,
    /// What was handed to the broker last; -1 for nothing.
    committed: i64,
}

impl Offsets {
    /// A message was received; the one before it must be done.
    pub fn receive(&mut self, topic: &str, partition: i32, offset: i64) {
        debug_assert!(self.open.is_none(), "the message before is not done");
        let i = self.find(topic, partition);
        self.positions[i].received = offset + 1;
        self.open = Some(i);
        self.last = i;
    }

    fn find(&mut self, topic: &str, partition: i32) -> usize {
        let is_it = |at: &Position| at.partition == partition && at.topic == topic;
        if self.positions.get(self.last).is_some_and(is_it) {
            return self.last;
        }
        let order = |at: &Position| (at.topic.as_str(), at.partition).cmp(&(topic, partition));
        self.positions.binary_search_by(order).unwrap_or_else(|i| {
            let position = Position {
                topic: topic.into(),
                partition,
                received: -1,
                done: -1,
                committed: -1,
            };
            self.positions.insert(i, position);
            i
        })
    }

    /// The newest message is done.
    pub fn finish(&mut self) {
        if let Some(i) = self.open.take() {
            self.positions[i].done = self.positions[i].received;
        }
    }

    /// What is done and not committed.
    pub fn due(&self) -> Vec<Place> {
        let due = self.positions.iter().filter(|at| at.done > at.committed);
        due.map(|at| (at.topic.clone(), at.partition, at.done))
            .collect()
    }

    /// The offsets are handed to the broker.
    pub fn commit(&mut self, places: &[Place]) {
        self.set_committed(places, |_, offset| offset);
    }

    /// The broker did not take the offsets; unless later ones were handed to it, they are due again.
    pub fn take_back(&mut self, places: &[Place]) {
        self.set_committed(places, |now, offset| if now == offset { -1 } else { now });
    }

    fn set_committed(&mut self, places: &[Place], new: impl Fn(i64, i64) -> i64) {
        for (topic, partition, offset) in places {
            let is_it = |at: &&mut Position| at.topic == *topic && at.partition == *partition;
            if let Some(at) = self.positions.iter_mut().find(is_it) {
                at.committed = new(at.committed, *offset);
            }
        }
    }

    /// Forgets a partition that is no longer ours.
    pub fn forget(&mut self, topic: &str, partition: i32) {
        self.open = None;
        self.positions
            .retain(|at| at.partition != partition || at.topic != topic);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(topic: &str, partition: i32, offset: i64) -> Place {
        (topic.into(), partition, offset)
    }

    #[test]
    fn a_message_is_due_when_the_next_is_asked_for() {
        let mut offsets = Offsets::default();
        offsets.receive("t", 0, 41);
        assert!(offsets.due().is_empty());
        offsets.finish();
        assert_eq!(offsets.due(), [place("t", 0, 42)]);
        offsets.commit(&[place("t", 0, 42)]);
        assert!(offsets.due().is_empty());
    }

    #[test]
    fn what_the_broker_refused_is_due_again_unless_more_was_sent() {
        let mut offsets = Offsets::default();
        offsets.receive("t", 0, 0);
        offsets.finish();
        offsets.commit(&[place("t", 0, 1)]);
        offsets.take_back(&[place("t", 0, 1)]);
        assert_eq!(offsets.due(), [place("t", 0, 1)]);
        offsets.receive("t", 0, 1);
        offsets.finish();
        offsets.commit(&[place("t", 0, 2)]);
        offsets.take_back(&[place("t", 0, 1)]);
        assert!(offsets.due().is_empty());
    }

    #[test]
    fn a_partition_that_went_away_is_never_committed() {
        let mut offsets = Offsets::default();
        for (topic, partition) in [("b", 1), ("a", 7), ("b", 0)] {
            offsets.receive(topic, partition, 9);
            offsets.finish();
        }
        offsets.receive("b", 1, 10);
        offsets.forget("b", 1);
        offsets.finish();
        assert_eq!(offsets.due(), [place("a", 7, 10), place("b", 0, 10)]);
        offsets.receive("b", 1, 3);
        offsets.finish();
        assert_eq!(offsets.due()[2], place("b", 1, 4));
    }

    #[test]
    fn going_back_is_not_due() {
        let mut offsets = Offsets::default();
        offsets.receive("t", 0, 99);
        offsets.finish();
        offsets.commit(&offsets.due());
        offsets.receive("t", 0, 50);
        offsets.finish();
        assert!(offsets.due().is_empty());
    }
}

//! The queue and a toy queue (a list of records with their places) do the same random things and must agree, also
//! after crashes, losses of power and faults of the disk.

use crate::support::*;
use proptest::prelude::*;
use queue::{Position, Queue, Reader, Start, Sync};
use std::io::ErrorKind;
use stdx::faulty::{Fault, Point};

/// What can happen.
#[derive(Debug, Clone)]
enum Action {
    /// Append some records of this filling; wait until they are written if so.
    Append {
        n: usize,
        filling: usize,
        wait: bool,
    },
    /// Wait until everything is durable (where the policy syncs at all).
    WaitDurable,
    /// Reader `reader` reads up to this many blocks.
    Read { reader: usize, n_blocks: usize },
    /// Reader `reader` releases what it has read; its checkpoint moves.
    Release { reader: usize },
    /// The queue deletes what it may.
    Tidy,
    /// The disk fails in passing.
    Fault {
        point: Point,
        fault: Fault,
        times: u64,
    },
    /// Stopped and opened again; the readers go on at their checkpoints.
    Restart,
    /// Killed and opened again.
    Kill,
    /// The machine loses power.
    PowerLoss { seed: u64 },
}

const N_READERS: usize = 2;

fn action() -> impl Strategy<Value = Action> {
    let fault = prop_oneof![
        Just((Point::Write, Fault::Short(3))),
        Just((Point::Write, Fault::Error(ErrorKind::Other))),
        Just((Point::Allocate, Fault::NoSpace)),
        Just((Point::Create, Fault::NoSpace)),
    ];
    prop_oneof![
        8 => (1usize..30, 0usize..300, any::<bool>())
            .prop_map(|(n, filling, wait)| Action::Append { n, filling, wait }),
        2 => Just(Action::WaitDurable),
        6 => (0..N_READERS, 1usize..6).prop_map(|(reader, n_blocks)| Action::Read { reader, n_blocks }),
        4 => (0..N_READERS).prop_map(|reader| Action::Release { reader }),
        2 => Just(Action::Tidy),
        1 => (fault, 1u64..3).prop_map(|((point, fault), times)| Action::Fault { point, fault, times }),
        1 => Just(Action::Restart),
        1 => Just(Action::Kill),
        2 => any::<u64>().prop_map(|seed| Action::PowerLoss { seed }),
    ]
}

/// A record as the toy queue has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    start: Position,
    record: Vec<u8>,
}

/// The toy queue, and the real one.
struct Model {
    world: World,
    sync: Sync,
    queue: Queue,
    readers: Vec<Reader>,
    /// Where each reader goes on after a restart.
    checkpoints: [Position; N_READERS],
    records: Vec<Kept>,
    n_appended: u64,
}

/// What readers found: each record with its place.
fn places(reader: &mut Reader, n_blocks: usize) -> Vec<Kept> {
    let mut found = Vec::new();
    for _ in 0..n_blocks {
        let Some(block) = reader.try_next().expect("readable") else {
            break;
        };
        let mut offset = 0;
        for record in split(block.bytes()) {
            let start = block.position(offset);
            offset += record.len();
            found.push(Kept { start, record });
        }
        assert_eq!(block.end(), block.position(offset));
    }
    found
}

impl Model {
    fn new(sync: Sync) -> Model {
        let world = World::new();
        let checkpoints = [Position::default(); N_READERS];
        let (queue, readers) = open(&world, sync, checkpoints);
        Model {
            world,
            sync,
            queue,
            readers,
            checkpoints,
            records: Vec::new(),
            n_appended: 0,
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Append { n, filling, wait } => self.append(n, filling, wait),
            Action::WaitDurable if self.sync == Sync::Always => {
                assert!(self.queue.wait_durable(self.queue.appended(), LONG));
            }
            Action::WaitDurable => {}
            Action::Read { reader, n_blocks } => self.read(reader, n_blocks),
            Action::Release { reader } => {
                self.checkpoints[reader] = self.readers[reader].position();
                self.readers[reader].release(self.checkpoints[reader]);
            }
            Action::Tidy => self.queue.tidy(),
            Action::Fault {
                point,
                fault,
                times,
            } => self.world.disk.arm(point, fault, times),
            Action::Restart => {
                self.world.disk.disarm();
                self.queue.stop().expect("clean");
                self.reopen(usize::MAX);
            }
            Action::Kill => {
                self.queue.abort();
                let written = self.queue.written();
                self.world.disk.disarm();
                self.reopen(self.records.partition_point(|kept| kept.start < written));
            }
            Action::PowerLoss { seed } => {
                self.queue.abort();
                let durable = self.queue.durable();
                self.world.disk.disarm();
                self.world.disk.power_loss(seed);
                self.reopen(self.records.partition_point(|kept| kept.start < durable));
            }
        }
    }

    fn append(&mut self, n: usize, filling: usize, wait: bool) {
        for _ in 0..n {
            let record = numbered(self.n_appended, filling);
            let end = self.queue.append(&record).expect("taken");
            let start = Position::new(end.segment, end.offset - record.len() as u64);
            assert!(
                self.records.last().is_none_or(|last| last.start < start),
                "positions grow"
            );
            self.records.push(Kept { start, record });
            self.n_appended += 1;
        }
        if wait {
            assert!(self.queue.wait_written(self.queue.appended(), LONG));
        }
    }

    /// A reader finds exactly what comes next in the toy queue.
    fn read(&mut self, reader: usize, n_blocks: usize) {
        let from = self.readers[reader].position();
        let found = places(&mut self.readers[reader], n_blocks);
        let first = self.records.partition_point(|kept| kept.start < from);
        assert_eq!(
            found,
            self.records[first..first + found.len()],
            "reader {reader} from {from}"
        );
    }

    /// Opens the queue again. The first `n_safe` records must all be there unless every reader has released them, of
    /// the others any in their order.
    fn reopen(&mut self, n_safe: usize) {
        self.readers.clear();
        (self.queue, self.readers) = open(&self.world, self.sync, self.checkpoints);
        let left = places(&mut self.queue.reader("check", Start::Oldest), usize::MAX);
        let floor = *self.checkpoints.iter().min().expect("there are readers");
        let (mut n_found, mut kept) = (0, Vec::new());
        for (idx, record) in self.records.drain(..).enumerate() {
            let is_left = left.get(n_found) == Some(&record);
            n_found += usize::from(is_left);
            // What was deleted may come back with a loss of power; so the list never forgets what was released.
            let is_released = record.start < floor;
            assert!(is_left || is_released || idx >= n_safe, "lost {record:?}");
            if is_left || is_released {
                kept.push(record);
            }
        }
        assert_eq!(
            n_found,
            left.len(),
            "made up or out of order: {:?}",
            left.get(n_found)
        );
        self.records = kept;
    }
}

fn open(world: &World, sync: Sync, checkpoints: [Position; N_READERS]) -> (Queue, Vec<Reader>) {
    let at_least = checkpoints.into_iter().max().expect("there are readers");
    let (queue, _) = world.open_with(|options| {
        options.sync = sync;
        options.at_least = at_least;
    });
    let reader = |position| queue.reader("reader", Start::Position(position));
    let readers = checkpoints.into_iter().map(reader).collect();
    queue.start_purging();
    (queue, readers)
}

fn check(sync: Sync, actions: Vec<Action>) {
    let mut model = Model::new(sync);
    for action in actions {
        model.act(action);
    }
    model.world.disk.disarm();
    assert!(model.queue.wait_written(model.queue.appended(), LONG));
    (0..N_READERS).for_each(|reader| model.read(reader, usize::MAX));
    let end = model.queue.appended();
    assert!(model.readers.iter().all(|reader| reader.position() >= end));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, max_shrink_iters: 200, ..Default::default() })]

    #[test]
    fn the_queue_does_what_a_list_would_when_it_syncs_only_at_the_end(
        actions in proptest::collection::vec(action(), 1..40)
    ) {
        check(Sync::Interval(LONG * 60), actions);
    }

    #[test]
    fn the_queue_does_what_a_list_would_when_it_always_syncs(
        actions in proptest::collection::vec(action(), 1..40)
    ) {
        check(Sync::Always, actions);
    }
}

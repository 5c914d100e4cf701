//! Records that become the body of one batch, and what is known of the messages they were made of.

use std::time::Instant;

use sandbox::MessagePlace;
use xxhash_rust::xxh64::xxh64;

use super::Origin;

/// What is known of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    /// What the engine knows it by.
    pub(super) sequence: u64,
    /// Where it lies.
    pub(super) place: Option<MessagePlace>,
    /// Of its bytes.
    hash: u64,
    /// Where its record ends.
    end: usize,
    /// Where its copy ends.
    original_end: usize,
}

impl Piece {
    pub(super) fn of(origin: &Origin<'_>) -> Piece {
        Piece {
            sequence: origin.sequence,
            place: origin.place,
            hash: xxh64(origin.message, 0),
            end: 0,
            original_end: 0,
        }
    }
}

/// Some records.
#[derive(Debug, Clone, Default)]
pub(super) struct Gathering {
    /// One behind the other.
    pub(super) body: Vec<u8>,
    /// The messages, as far as they are kept.
    originals: Vec<u8>,
    /// One for each record.
    pub(super) pieces: Vec<Piece>,
    /// When the first came.
    pub(super) begun: Option<Instant>,
}

impl Gathering {
    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    pub(super) fn add(&mut self, record: &[u8], original: &[u8], mut piece: Piece) {
        self.begun.get_or_insert_with(Instant::now);
        self.body.extend_from_slice(record);
        self.originals.extend_from_slice(original);
        (piece.end, piece.original_end) = (self.body.len(), self.originals.len());
        self.pieces.push(piece);
    }

    fn begins(&self, i: usize) -> (usize, usize) {
        let before = i.checked_sub(1).map(|i| &self.pieces[i]);
        before.map_or((0, 0), |piece| (piece.end, piece.original_end))
    }

    fn record(&self, i: usize) -> &[u8] {
        &self.body[self.begins(i).0..self.pieces[i].end]
    }

    /// The copy of a message; empty if it was not kept.
    pub(super) fn original(&self, i: usize) -> &[u8] {
        &self.originals[self.begins(i).1..self.pieces[i].original_end]
    }

    /// The first half of the records, and the rest.
    pub(super) fn halves(&self) -> (Gathering, Gathering) {
        let half = self.pieces.len() / 2;
        let (mut first, mut second) = (Gathering::default(), Gathering::default());
        for (i, piece) in self.pieces.iter().enumerate() {
            let target = if i < half { &mut first } else { &mut second };
            target.add(self.record(i), self.original(i), *piece);
        }
        (first, second)
    }

    pub(super) fn memory(&self) -> usize {
        let pieces = self.pieces.capacity() * size_of::<Piece>();
        self.body.capacity() + self.originals.capacity() + pieces
    }
}

/// What tells a batch from all others: in each queue the places of its first and its last message, and a hash of all messages,
/// since queues that are made anew have the same places. The hash does not depend on their order, which between two queues may
/// differ after a crash.
pub(super) fn key(stream: &str, pieces: &[Piece]) -> String {
    let mut key = stream.to_owned();
    for (letter, in_analysis) in [('i', false), ('a', true)] {
        let places = pieces.iter().filter_map(|piece| piece.place);
        let mut places = places.filter(|place| place.in_analysis == in_analysis);
        if let Some(first) = places.next() {
            let last = places.next_back().unwrap_or(first);
            key.push_str(&format!(
                "{letter}{}.{}-{}.{}_",
                first.segment, first.offset, last.segment, last.offset
            ));
        }
    }
    let hash = pieces
        .iter()
        .fold(0_u64, |sum, piece| sum.wrapping_add(piece.hash));
    key.push_str(&format!("{hash:016x}"));
    key
}

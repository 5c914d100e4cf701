//! Gathers messages into batches and delivers these, until each message has an answer: it has arrived, or the destination does
//! not want it.
//!
//! A batch ends by size, count or age. Its key says which messages of the queues are in it, so a destination that has taken a
//! batch can leave it out when it comes again, also after a crash: the engine begins again at the first message without an
//! answer, which begins a batch, and where a batch ended by age is remembered in a file ([`ends`]). A batch that is refused is
//! sent again in halves, until only those messages are given up that are refused alone.

mod ends;
mod gathering;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sandbox::MessagePlace;
use tokio::runtime::Runtime;

use crate::courier::{Courier, Pace, Parcel, Receipt, Troubles};
use crate::destination::{Body, Destination, Outlook};
use crate::packing::Packing;

use ends::Ends;
use gathering::{Gathering, Piece, key};

/// Batches that are under way or wait, for each delivery at once: while one is sent the next is ready.
const PENDING_PER_DELIVERY: usize = 2;

/// Memory of a batch that is under way beside its bytes, about.
const BATCH_MEMORY: usize = 512;

/// When a batch ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A batch is no larger, in bytes, unless a single record is.
    pub size: usize,
    /// It has so many records at most.
    pub count: usize,
    /// It is sent when it is so old.
    pub age: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            size: 256 * 1024,
            count: 1000,
            age: Duration::from_secs(1),
        }
    }
}

/// How batches are made.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// When one ends.
    pub limits: Limits,
    /// What their bodies are compressed with.
    pub packing: Packing,
    /// What all keys begin with: which of all streams of messages this is.
    pub stream: String,
    /// Where it is remembered which batches ended early; none to forget it.
    pub ends: Option<PathBuf>,
    /// Whether the messages themselves are kept until they have an answer.
    pub keeps_originals: bool,
}

/// A message that a record was made of.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'m> {
    /// What the engine knows it by.
    pub sequence: u64,
    /// Where it lies in the queues.
    pub place: Option<MessagePlace>,
    /// Its bytes, without a frame.
    pub message: &'m [u8],
}

/// A message that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its bytes, if they were kept.
    pub message: Vec<u8>,
    /// Why.
    pub reason: String,
}

/// What has happened to messages since it was told last.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Messages with their answer: what the engine knows them by, and whether they arrived.
    pub done: Vec<(u64, bool)>,
    /// Those that did not.
    pub letters: Vec<Letter>,
    /// What an operator should know.
    pub problems: Vec<String>,
}

/// A batch that is under way.
struct Sealed {
    gathered: Gathering,
    /// Bytes that the courier keeps beside those of `gathered`.
    packed: usize,
}

/// Messages on their way to one destination.
pub struct Batches {
    courier: Courier,
    options: Options,
    /// Batches without an answer, at most.
    pending_max: usize,
    open: Gathering,
    /// By their keys.
    under_way: HashMap<String, Sealed>,
    ends: Ends,
    answers: Answers,
    /// Why nothing more can be delivered.
    broken: Option<String>,
    n_arrived: u64,
    n_refused: u64,
    memory: usize,
}

impl Batches {
    /// Nothing yet, for `destination`.
    ///
    /// # Errors
    /// The system's, about the file of ends.
    pub fn new(
        runtime: &'static Runtime,
        destination: Arc<dyn Destination>,
        pace: Pace,
        options: Options,
    ) -> std::io::Result<Batches> {
        Ok(Batches {
            pending_max: pace.concurrency.max(1) * PENDING_PER_DELIVERY,
            courier: Courier::new(runtime, destination, pace),
            open: Gathering::default(),
            under_way: HashMap::new(),
            ends: Ends::open(options.ends.clone())?,
            answers: Answers::default(),
            broken: None,
            n_arrived: 0,
            n_refused: 0,
            memory: 0,
            options,
        })
    }

    /// Whether another batch may be under way.
    pub fn has_room(&self) -> bool {
        self.under_way.len() < self.pending_max
    }

    /// Adds the record of a message, which is newer than all before; one without a byte has arrived. The batch is sent when it
    /// is full.
    pub fn add(&mut self, record: &[u8], origin: Origin<'_>) {
        if record.is_empty() {
            self.answers.done.push((origin.sequence, true));
            return;
        }
        let limits = self.options.limits;
        if !self.open.is_empty() && self.open.body.len() + record.len() > limits.size {
            self.seal();
        }
        let original = match self.options.keeps_originals {
            true => origin.message,
            false => b"",
        };
        self.open.add(record, original, Piece::of(&origin));
        let is_full = self.open.body.len() >= limits.size || self.open.pieces.len() >= limits.count;
        if is_full || origin.place.is_some_and(|place| self.ends.is_one(place)) {
            self.seal();
        }
    }

    /// Sends what is gathered, though the batch is not full.
    pub fn seal_early(&mut self) {
        let Some(last) = self.open.pieces.last() else {
            return;
        };
        if let Some(place) = last.place
            && let Err(error) = self.ends.add(place)
        {
            let text = format!("after a crash a batch may come again in another form: {error}");
            self.answers.problems.push(text);
        }
        self.seal();
    }

    /// Sends what has become too old, and takes receipts in.
    pub fn tick(&mut self) {
        if self
            .open
            .begun
            .is_some_and(|begun| begun.elapsed() >= self.options.limits.age)
            && self.has_room()
        {
            self.seal_early();
        }
        while let Some(receipt) = self.courier.receipt() {
            self.settled(receipt);
        }
    }

    /// Waits for a receipt and takes it in; false when nothing is under way. Whoever stops waiting misses nothing.
    pub async fn next(&mut self) -> bool {
        match self.courier.next_receipt().await {
            Some(receipt) => {
                self.settled(receipt);
                true
            }
            None => false,
        }
    }

    /// What has happened since it was asked last.
    pub fn take_answers(&mut self) -> Answers {
        std::mem::take(&mut self.answers)
    }

    /// Why nothing more can be delivered, if that is so: the pace gave up on a failure that is not about the data.
    pub fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// What went wrong so far.
    pub fn troubles(&self) -> Troubles {
        self.courier.troubles()
    }

    /// Messages that have no answer.
    pub fn pending(&self) -> usize {
        let under_way = self
            .under_way
            .values()
            .map(|sealed| sealed.gathered.pieces.len());
        under_way.sum::<usize>() + self.open.pieces.len()
    }

    /// Messages that have arrived, and those that were given up.
    pub fn counts(&self) -> (u64, u64) {
        (self.n_arrived, self.n_refused)
    }

    /// Bytes of memory it holds, about.
    pub fn memory(&self) -> usize {
        self.memory + self.open.memory() + self.ends.memory()
    }

    fn seal(&mut self) {
        let gathered = std::mem::take(&mut self.open);
        self.send(gathered);
    }

    fn send(&mut self, mut gathered: Gathering) {
        let key = key(&self.options.stream, &gathered.pieces);
        gathered.body.shrink_to_fit();
        let body: Arc<[u8]> = match self.options.packing {
            Packing::None => gathered.body.as_slice().into(),
            packing => {
                let mut packed = Vec::new();
                packing
                    .pack(gathered.body.as_slice(), &mut packed)
                    .expect("memory takes and gives all bytes");
                packed.into()
            }
        };
        let sealed = Sealed {
            packed: body.len(),
            gathered,
        };
        self.memory += sealed.memory();
        self.courier.send(Parcel {
            key: key.clone(),
            body: Body::Bytes(body),
            prepare: None,
            name: key.clone(),
        });
        self.under_way.insert(key, sealed);
    }

    fn settled(&mut self, receipt: Receipt) {
        let Some(sealed) = self.under_way.remove(&receipt.name) else {
            return;
        };
        self.memory -= sealed.memory();
        let gathered = sealed.gathered;
        match receipt.outcome {
            Ok(()) => {
                self.n_arrived += gathered.pieces.len() as u64;
                let done = gathered.pieces.iter().map(|piece| (piece.sequence, true));
                self.answers.done.extend(done);
            }
            Err(failure) if failure.outlook == Outlook::Lasting => {
                self.broken = Some(failure.reason);
            }
            Err(failure) if failure.outlook == Outlook::Refused && gathered.pieces.len() > 1 => {
                let (first, second) = gathered.halves();
                self.send(first);
                self.send(second);
            }
            Err(failure) => {
                self.n_refused += gathered.pieces.len() as u64;
                for (i, piece) in gathered.pieces.iter().enumerate() {
                    self.answers.done.push((piece.sequence, false));
                    self.answers.letters.push(Letter {
                        message: gathered.original(i).to_vec(),
                        reason: failure.reason.clone(),
                    });
                }
            }
        }
    }
}

impl Sealed {
    fn memory(&self) -> usize {
        BATCH_MEMORY + self.packed + self.gathered.memory()
    }
}

#[cfg(test)]
mod tests;

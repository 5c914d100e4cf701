//! The writers of one plugin and what they have in memory together, so that the largest makes room for the others.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use crate::writer::Writer;

/// All writers of a plugin; clones are the same pool.
#[derive(Clone)]
pub struct Pool(Arc<Shared>);

struct Shared {
    places: Mutex<Places>,
    /// What all have in memory together. One thread at a time uses a plugin's writers.
    memory: AtomicUsize,
    budget: AtomicUsize,
}

/// Writers by place; a place that nobody has is given to the next.
#[derive(Default)]
struct Places {
    entries: Vec<Option<Entry>>,
    free: Vec<usize>,
}

struct Entry {
    writer: Arc<Mutex<Counted>>,
    figures: Figures,
}

/// What is known of a writer without a look at it.
#[derive(Clone, Copy, PartialEq)]
struct Figures {
    /// What [`Writer::memory`] said.
    memory: usize,
    /// Whether rows of it can become a row group.
    can_shrink: bool,
}

/// A writer with what its pool knows of it.
struct Counted {
    writer: Writer,
    figures: Figures,
}

/// A writer in its pool, which it leaves when this is dropped.
pub struct Member(Share);

/// A writer of the pool that somebody else owns.
pub struct Largest(Share);

/// A writer and its place in the pool.
struct Share {
    pool: Pool,
    place: usize,
    writer: Arc<Mutex<Counted>>,
}

impl Figures {
    fn of(writer: &Writer) -> Figures {
        Figures {
            memory: writer.memory(),
            can_shrink: writer.can_shrink(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    /// An empty pool whose writers may have `budget` bytes in memory.
    pub fn new(budget: usize) -> Pool {
        Pool(Arc::new(Shared {
            places: Mutex::default(),
            memory: AtomicUsize::new(0),
            budget: AtomicUsize::new(budget),
        }))
    }

    /// Takes a writer in.
    pub fn join(&self, writer: Writer) -> Member {
        let figures = Figures::of(&writer);
        let writer = Arc::new(Mutex::new(Counted { writer, figures }));
        let entry = Entry {
            writer: Arc::clone(&writer),
            figures,
        };
        let mut places = lock(&self.0.places);
        self.count(0, figures.memory);
        let place = places.free.pop().unwrap_or(places.entries.len());
        match places.entries.get_mut(place) {
            Some(free) => *free = Some(entry),
            None => places.entries.push(Some(entry)),
        }
        drop(places);
        Member(Share {
            pool: self.clone(),
            place,
            writer,
        })
    }

    /// Bytes that all writers have in memory.
    pub fn memory(&self) -> usize {
        self.0.memory.load(Ordering::Relaxed)
    }

    /// Bytes that they may have.
    pub fn budget(&self) -> usize {
        self.0.budget.load(Ordering::Relaxed)
    }

    /// Sets what they may have.
    pub fn set_budget(&self, budget: usize) {
        self.0.budget.store(budget, Ordering::Relaxed);
    }

    /// Whether they have more than they may.
    pub fn is_over(&self) -> bool {
        self.memory() > self.budget()
    }

    /// The writer with the most in memory among those whose rows can become a row group.
    pub fn largest(&self) -> Option<Largest> {
        let places = lock(&self.0.places);
        // One that is in use is being given a row by a function further out.
        let is_free = |entry: &Entry| {
            let is_used = matches!(entry.writer.try_lock(), Err(TryLockError::WouldBlock));
            entry.figures.can_shrink && !is_used
        };
        let entries = places.entries.iter().enumerate();
        let able = entries
            .filter_map(|(place, entry)| Some((place, entry.as_ref()?)))
            .filter(|(_, entry)| is_free(entry));
        let (place, entry) = able.max_by_key(|(_, entry)| entry.figures.memory)?;
        Some(Largest(Share {
            pool: self.clone(),
            place,
            writer: Arc::clone(&entry.writer),
        }))
    }

    /// A writer that had `before` bytes in memory has `now`.
    fn count(&self, before: usize, now: usize) {
        self.0.memory.fetch_add(now, Ordering::Relaxed);
        self.0.memory.fetch_sub(before, Ordering::Relaxed);
    }
}

impl Share {
    /// Lets `use_it` use the writer, and counts it again. Nobody else waits for the pool meanwhile: what is used may run the
    /// garbage collector, which drops other writers. Also whether the writer's figures have changed.
    fn with<T>(&self, use_it: impl FnOnce(&mut Writer) -> T) -> (T, bool) {
        let mut counted = lock(&self.writer);
        let outcome = use_it(&mut counted.writer);
        let now = Figures::of(&counted.writer);
        let has_changed = now != counted.figures;
        // Most rows change nothing: their columns had room.
        if has_changed {
            let before = std::mem::replace(&mut counted.figures, now);
            if let Some(Some(entry)) = lock(&self.pool.0.places).entries.get_mut(self.place) {
                entry.figures = now;
                self.pool.count(before.memory, now.memory);
            }
        }
        (outcome, has_changed)
    }
}

impl Member {
    /// Its pool.
    pub fn pool(&self) -> &Pool {
        &self.0.pool
    }

    /// Lets `use_it` use the writer, and counts its memory again.
    pub fn with<T>(&self, use_it: impl FnOnce(&mut Writer) -> T) -> T {
        self.0.with(use_it).0
    }

    /// As [`Member::with`]; and whether what the pool knows of the writer has changed.
    pub fn with_change<T>(&self, use_it: impl FnOnce(&mut Writer) -> T) -> (T, bool) {
        self.0.with(use_it)
    }
}

impl Largest {
    /// As [`Member::with`].
    pub fn with<T>(&self, use_it: impl FnOnce(&mut Writer) -> T) -> T {
        self.0.with(use_it).0
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let share = &self.0;
        let mut places = lock(&share.pool.0.places);
        let entry = places.entries.get_mut(share.place).and_then(Option::take);
        if let Some(entry) = &entry {
            share.pool.count(entry.figures.memory, 0);
            places.free.push(share.place);
        }
    }
}

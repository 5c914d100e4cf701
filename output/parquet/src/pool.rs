//! The writers of one plugin and what they have in memory together, so that the largest makes room for the others.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use crate::writer::Writer;

/// All writers of a plugin; clones are the same pool.
#[derive(Clone)]
pub struct Pool(Arc<Mutex<Inner>>);

struct Inner {
    /// By place; a place that nobody has is given to the next.
    entries: Vec<Option<Entry>>,
    free: Vec<usize>,
    memory: usize,
    budget: usize,
}

struct Entry {
    writer: Arc<Mutex<Writer>>,
    /// What [`Writer::memory`] said last.
    memory: usize,
    /// Whether rows of it can become a row group.
    can_shrink: bool,
}

/// A writer in its pool, which it leaves when this is dropped.
pub struct Member {
    pool: Pool,
    place: usize,
    writer: Arc<Mutex<Writer>>,
}

/// A writer of the pool that somebody else owns.
pub struct Largest {
    pool: Pool,
    place: usize,
    writer: Arc<Mutex<Writer>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    /// An empty pool whose writers may have `budget` bytes in memory.
    pub fn new(budget: usize) -> Pool {
        Pool(Arc::new(Mutex::new(Inner {
            entries: Vec::new(),
            free: Vec::new(),
            memory: 0,
            budget,
        })))
    }

    /// Takes a writer in.
    pub fn join(&self, writer: Writer) -> Member {
        let memory = writer.memory();
        let writer = Arc::new(Mutex::new(writer));
        let entry = Entry {
            writer: Arc::clone(&writer),
            memory,
            can_shrink: false,
        };
        let mut inner = lock(&self.0);
        inner.memory += memory;
        let place = inner.free.pop().unwrap_or(inner.entries.len());
        match inner.entries.get_mut(place) {
            Some(free) => *free = Some(entry),
            None => inner.entries.push(Some(entry)),
        }
        drop(inner);
        Member {
            pool: self.clone(),
            place,
            writer,
        }
    }

    /// Bytes that all writers have in memory.
    pub fn memory(&self) -> usize {
        lock(&self.0).memory
    }

    /// Bytes that they may have.
    pub fn budget(&self) -> usize {
        lock(&self.0).budget
    }

    /// Sets what they may have.
    pub fn set_budget(&self, budget: usize) {
        lock(&self.0).budget = budget;
    }

    /// Whether they have more than they may.
    pub fn is_over(&self) -> bool {
        let inner = lock(&self.0);
        inner.memory > inner.budget
    }

    /// The writer with the most in memory among those whose rows can become a row group.
    pub fn largest(&self) -> Option<Largest> {
        let inner = lock(&self.0);
        // One that is in use is being given a row by a function further out.
        let is_free = |entry: &Entry| {
            entry.can_shrink && !matches!(entry.writer.try_lock(), Err(TryLockError::WouldBlock))
        };
        let entries = inner.entries.iter().enumerate();
        let able = entries
            .filter_map(|(place, entry)| Some((place, entry.as_ref()?)))
            .filter(|(_, entry)| is_free(entry));
        let (place, entry) = able.max_by_key(|(_, entry)| entry.memory)?;
        Some(Largest {
            pool: self.clone(),
            place,
            writer: Arc::clone(&entry.writer),
        })
    }

    /// Lets `use_it` use the writer at `place`, and counts it again. Nobody else waits for the pool meanwhile: what is used may
    /// run the garbage collector, which drops other writers.
    fn with<T>(
        &self,
        place: usize,
        writer: &Mutex<Writer>,
        use_it: impl FnOnce(&mut Writer) -> T,
    ) -> T {
        let mut writer = lock(writer);
        let outcome = use_it(&mut writer);
        let mut inner = lock(&self.0);
        let (memory, can_shrink) = (writer.memory(), writer.can_shrink());
        if let Some(Some(entry)) = inner.entries.get_mut(place) {
            let before = std::mem::replace(&mut entry.memory, memory);
            entry.can_shrink = can_shrink;
            inner.memory = inner.memory + memory - before;
        }
        outcome
    }
}

impl Member {
    /// Its pool.
    pub fn pool(&self) -> Pool {
        self.pool.clone()
    }

    /// What the writer had in memory when it was counted last.
    pub fn memory(&self) -> usize {
        let inner = lock(&self.pool.0);
        let entry = inner.entries.get(self.place).and_then(Option::as_ref);
        entry.map_or(0, |entry| entry.memory)
    }

    /// Lets `use_it` use the writer, and counts its memory again.
    pub fn with<T>(&self, use_it: impl FnOnce(&mut Writer) -> T) -> T {
        self.pool.with(self.place, &self.writer, use_it)
    }
}

impl Largest {
    /// As [`Member::with`].
    pub fn with<T>(&self, use_it: impl FnOnce(&mut Writer) -> T) -> T {
        self.pool.with(self.place, &self.writer, use_it)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut inner = lock(&self.pool.0);
        let entry = inner.entries.get_mut(self.place).and_then(Option::take);
        if let Some(entry) = &entry {
            inner.memory -= entry.memory;
            inner.free.push(self.place);
        }
    }
}

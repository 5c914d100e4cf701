//! Compiled schemas, shared by all plugins of the process: those that validate by the same text use the same one.
//!
//! A loader has a hundred schemas, which take twenty times their text when they are compiled; each plugin is counted the texts
//! alone. What is compiled is bounded for the process as a whole, and a schema that was not used for long is compiled again
//! when it is needed.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use super::{Cost, Schema};
use crate::document::{Document, Options, Unlimited};

/// Memory of all compiled schemas of the process that are kept, in bytes; [`Schema::memory`] says what each takes.
pub const SHARED_MAX: usize = 128 << 20;

/// Schemas that are kept, at most; bounds the search for the one to drop.
const SCHEMAS_MAX: usize = 4_096;

struct Entry {
    text: Arc<[u8]>,
    schema: Arc<Schema>,
    used: u64,
}

/// The schemas by the hashes of their texts. Two texts with the same hash take turns.
struct Shared {
    entries: HashMap<u64, Entry>,
    memory: usize,
    max: usize,
    uses: u64,
}

impl Shared {
    fn new(max: usize) -> Shared {
        Shared {
            entries: HashMap::new(),
            memory: 0,
            max,
            uses: 0,
        }
    }

    fn get(&mut self, hash: u64, text: &[u8]) -> Option<Arc<Schema>> {
        self.uses += 1;
        let entry = self.entries.get_mut(&hash)?;
        if *entry.text != *text {
            return None;
        }
        entry.used = self.uses;
        Some(Arc::clone(&entry.schema))
    }

    fn put(&mut self, hash: u64, text: &Arc<[u8]>, schema: &Arc<Schema>) {
        self.remove(hash);
        self.uses += 1;
        self.memory += schema.memory();
        let entry = Entry {
            text: Arc::clone(text),
            schema: Arc::clone(schema),
            used: self.uses,
        };
        self.entries.insert(hash, entry);
        while self.memory > self.max || self.entries.len() > SCHEMAS_MAX {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used);
            let Some((&oldest, _)) = oldest else { break };
            self.remove(oldest);
        }
    }

    fn remove(&mut self, hash: u64) {
        if let Some(entry) = self.entries.remove(&hash) {
            self.memory -= entry.schema.memory();
        }
    }
}

static SHARED: LazyLock<Mutex<Shared>> = LazyLock::new(|| Mutex::new(Shared::new(SHARED_MAX)));

/// With a key of its own in each process, so that nobody can make texts of one hash.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

fn lock() -> MutexGuard<'static, Shared> {
    SHARED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A schema by its text.
#[derive(Debug)]
pub struct SharedSchema {
    text: Arc<[u8]>,
    hash: u64,
    cost: Cost,
}

impl SharedSchema {
    /// Compiles the schema in `document`, whose text is given, unless it is there already.
    ///
    /// # Errors
    /// As [`Schema::compile`].
    pub fn new(text: Vec<u8>, document: &Document) -> Result<SharedSchema, String> {
        let cost = Schema::cost(document)?;
        let shared = SharedSchema {
            hash: HASHER.hash_one(&text),
            text: text.into(),
            cost,
        };
        if lock().get(shared.hash, &shared.text).is_none() {
            let schema = Arc::new(Schema::compile(document)?);
            lock().put(shared.hash, &shared.text, &schema);
        }
        Ok(shared)
    }

    /// Bytes that it takes by itself.
    pub fn memory(&self) -> usize {
        self.text.len()
    }

    /// The compiled schema, and what it took to compile it again if it was dropped meanwhile.
    ///
    /// # Errors
    /// As [`Schema::compile`]; not for a text that was compiled before.
    pub fn get(&self) -> Result<(Arc<Schema>, Option<Cost>), String> {
        if let Some(schema) = lock().get(self.hash, &self.text) {
            return Ok((schema, None));
        }
        let options = Options {
            validate_utf8: true,
            stop_when_done: false,
        };
        let document = Document::parse(self.text.to_vec(), options, &mut Unlimited)
            .map_err(|_| "the schema is no JSON any more".to_string())?;
        let schema = Arc::new(Schema::compile(&document)?);
        lock().put(self.hash, &self.text, &schema);
        Ok((schema, Some(self.cost)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(text: &str) -> (Arc<[u8]>, Arc<Schema>) {
        let options = Options {
            validate_utf8: true,
            stop_when_done: false,
        };
        let parsed = Document::parse(text.as_bytes().to_vec(), options, &mut Unlimited);
        let Ok(document) = parsed else {
            panic!("{text} is JSON");
        };
        let schema = Schema::compile(&document).expect("it is a schema");
        (text.as_bytes().into(), Arc::new(schema))
    }

    #[test]
    fn the_schema_that_was_not_used_for_longest_goes() {
        let (text, first) = schema("{\"type\":\"object\"}");
        let mut shared = Shared::new(2 * first.memory());
        for hash in 1..=2 {
            shared.put(hash, &text, &first);
        }
        assert!(shared.get(1, &text).is_some());
        shared.put(3, &text, &first);
        assert!(shared.get(2, &text).is_none());
        assert!(shared.get(1, &text).is_some() && shared.get(3, &text).is_some());
        assert_eq!(shared.memory, 2 * first.memory());
    }

    #[test]
    fn texts_of_one_hash_are_told_apart() {
        let (text, first) = schema("{\"type\":\"object\"}");
        let (other, second) = schema("{\"type\":\"array\"}");
        let mut shared = Shared::new(usize::MAX);
        shared.put(1, &text, &first);
        assert!(shared.get(1, &other).is_none());
        shared.put(1, &other, &second);
        assert!(shared.get(1, &text).is_none());
        assert_eq!(shared.memory, second.memory());
    }

    #[test]
    fn plugins_with_the_same_text_share_what_is_compiled() {
        let text = "{\"type\":\"string\",\"maxLength\":12345}";
        let options = Options {
            validate_utf8: true,
            stop_when_done: false,
        };
        let make = || {
            let parsed = Document::parse(text.as_bytes().to_vec(), options, &mut Unlimited);
            let Ok(document) = parsed else {
                panic!("{text} is JSON");
            };
            SharedSchema::new(text.into(), &document).expect("it is a schema")
        };
        let (one, other) = (make().get(), make().get());
        let ((one, _), (other, _)) = (one.expect("it is one"), other.expect("it is one"));
        assert!(Arc::ptr_eq(&one, &other));
    }
}

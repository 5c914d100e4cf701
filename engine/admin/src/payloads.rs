//! The newest payload of each plugin, type and name, kept as bytes and read only when somebody looks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use schemas::view::View;
use serde::Serialize;

use crate::cbuf::{self, CbufError, Graph};
use crate::text;

/// Payloads that are kept at most: ten times the graphs that the engine is built for.
pub const ENTRIES_MAX: usize = 10_000;

/// Bytes that all of them may have together.
pub const BYTES_MAX: usize = 256 << 20;

/// What is left when a limit was reached, so that room is not made again and again.
const ENTRIES_KEPT: usize = ENTRIES_MAX / 16 * 15;
const BYTES_KEPT: usize = BYTES_MAX / 16 * 15;

/// Changes of one `cbufd` that wait to be added up; then they are, though nobody looks.
const CHANGES_MAX: usize = 64;

/// Bytes of such changes.
const CHANGE_BYTES_MAX: usize = 1 << 20;

/// Type and name longer than this are cut, bytes.
const NAME_MAX: usize = 256;

/// What is known of one payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// How it is asked for: `<plugin>/<type>/<name>`, with everything but letters, digits and `._-` as `%XX`.
    pub id: String,
    /// The plugin.
    pub logger: String,
    /// Its type, such as `cbuf`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub bytes: usize,
    /// When it came, milliseconds since 1970.
    pub at_ms: i64,
    /// Grows with every payload of the engine; that of the last one of this.
    pub generation: u64,
}

struct Entry {
    logger: Box<[u8]>,
    kind: Box<[u8]>,
    name: Box<[u8]>,
    /// The newest payload.
    bytes: Arc<Vec<u8>>,
    /// Of a `cbufd`: changes that are not yet added to `graph`.
    changes: Vec<Arc<Vec<u8>>>,
    change_bytes: usize,
    /// What was read last, and of which generation it was.
    graph: Option<(u64, Arc<Graph>)>,
    at_ms: i64,
    generation: u64,
}

#[derive(Default)]
struct Kept {
    entries: HashMap<Box<[u8]>, Entry>,
    bytes: usize,
    generation: u64,
    /// The key of the payload at hand.
    key: Vec<u8>,
}

/// All payloads.
#[derive(Default)]
pub struct Payloads {
    /// Guards the entries; never held while a payload is read.
    kept: Mutex<Kept>,
}

/// Why a payload cannot be shown as a graph.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// There is none of this id.
    #[error("there is no payload with this id")]
    Missing,
    /// It is of another type.
    #[error("the payload is no circular buffer")]
    NoGraph,
    /// It is damaged.
    #[error(transparent)]
    Damaged(#[from] CbufError),
}

impl Payloads {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().expect("nothing panics under this lock")
    }

    /// Keeps the payload of a message of Type `inject_payload`.
    pub fn take(&self, view: &View<'_>, now_ms: i64) {
        let Some(payload) = view.payload() else {
            return;
        };
        let field = |name: &[u8]| view.value(name, 0, 0).and_then(|value| value.as_bytes());
        let cut = |part: &'_ [u8]| part.len().min(NAME_MAX);
        let logger = view.logger().unwrap_or_default();
        let kind = field(b"payload_type").unwrap_or(b"txt");
        let name = field(b"payload_name").unwrap_or_default();
        let [logger, kind, name] = [logger, kind, name].map(|part| &part[..cut(part)]);
        let mut kept = self.lock();
        let mut key = std::mem::take(&mut kept.key);
        key.clear();
        for part in [logger, kind, name] {
            key.extend_from_slice(part);
            key.push(0);
        }
        kept.generation += 1;
        let generation = kept.generation;
        if let Some(entry) = kept.entries.get_mut(key.as_slice()) {
            let before = entry.size();
            entry.renew(payload, now_ms, generation);
            let after = entry.size();
            kept.bytes = kept.bytes + after - before;
        } else {
            let mut entry = Entry {
                logger: logger.into(),
                kind: kind.into(),
                name: name.into(),
                bytes: Arc::default(),
                changes: Vec::new(),
                change_bytes: 0,
                graph: None,
                at_ms: now_ms,
                generation,
            };
            entry.renew(payload, now_ms, generation);
            kept.bytes += entry.size();
            kept.entries.insert(key.clone().into(), entry);
        }
        kept.key = key;
        kept.make_room();
    }

    /// All payloads, by plugin and name.
    pub fn list(&self) -> Vec<Listed> {
        self.list_since(0)
    }

    /// Those that came after `generation`.
    pub fn list_since(&self, generation: u64) -> Vec<Listed> {
        let kept = self.lock();
        let newer = kept
            .entries
            .values()
            .filter(|entry| entry.generation > generation);
        let mut list: Vec<Listed> = newer.map(Entry::listed).collect();
        drop(kept);
        list.sort_by(|a, b| a.id.cmp(&b.id));
        list
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.lock().entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The generation of the newest payload.
    pub fn generation(&self) -> u64 {
        self.lock().generation
    }

    /// The newest payload of this id, with what is known of it.
    pub fn get(&self, id: &str) -> Option<(Listed, Arc<Vec<u8>>)> {
        let key = key_of(id)?;
        let kept = self.lock();
        let entry = kept.entries.get(key.as_slice())?;
        Some((entry.listed(), Arc::clone(&entry.bytes)))
    }

    /// The graph of this id and its generation. It is read here, outside of the lock, and kept until the next payload.
    ///
    /// # Errors
    /// There is none, or it is none.
    pub fn graph(&self, id: &str) -> Result<(u64, Arc<Graph>), GraphError> {
        self.read(id, true)
    }

    /// As [`Payloads::graph`]; only with `remember` the graph of a `cbuf` is kept until the next payload.
    ///
    /// # Errors
    /// There is none, or it is none.
    pub fn read(&self, id: &str, remember: bool) -> Result<(u64, Arc<Graph>), GraphError> {
        let key = key_of(id).ok_or(GraphError::Missing)?;
        let (generation, bytes) = {
            let mut kept = self.lock();
            let entry = kept
                .entries
                .get_mut(key.as_slice())
                .ok_or(GraphError::Missing)?;
            if let Some((generation, graph)) = &entry.graph
                && *generation == entry.generation
            {
                return Ok((*generation, Arc::clone(graph)));
            }
            match &*entry.kind {
                b"cbuf" => (entry.generation, Arc::clone(&entry.bytes)),
                b"cbufd" => {
                    entry.add_changes()?;
                    let (generation, graph) = entry.graph.as_ref().ok_or(GraphError::Missing)?;
                    return Ok((*generation, Arc::clone(graph)));
                }
                _ => return Err(GraphError::NoGraph),
            }
        };
        let graph = Arc::new(cbuf::parse(&bytes)?);
        if remember
            && let Some(entry) = self.lock().entries.get_mut(key.as_slice())
            && entry.generation == generation
        {
            entry.graph = Some((generation, Arc::clone(&graph)));
        }
        Ok((generation, graph))
    }
}

impl Kept {
    /// When a limit is reached, drops what came longest ago, a part of everything at once.
    fn make_room(&mut self) {
        if self.entries.len() <= ENTRIES_MAX && self.bytes <= BYTES_MAX {
            return;
        }
        let mut ages: Vec<(u64, usize)> = self
            .entries
            .values()
            .map(|entry| (entry.generation, entry.size()))
            .collect();
        ages.sort_unstable();
        let (mut entries, mut bytes) = (ages.len(), self.bytes);
        let mut last_gone = 0;
        for (generation, size) in ages {
            if entries <= ENTRIES_KEPT && bytes <= BYTES_KEPT {
                break;
            }
            (entries, bytes, last_gone) = (entries - 1, bytes - size, generation);
        }
        self.entries.retain(|_, entry| entry.generation > last_gone);
        self.bytes = bytes;
    }
}

impl Entry {
    fn size(&self) -> usize {
        self.bytes.len() + self.change_bytes
    }

    fn renew(&mut self, payload: &[u8], now_ms: i64, generation: u64) {
        // The memory of the last payload is used again unless somebody reads it right now.
        match Arc::get_mut(&mut self.bytes) {
            Some(bytes) => {
                bytes.clear();
                bytes.extend_from_slice(payload);
            }
            None => self.bytes = Arc::new(payload.to_vec()),
        }
        (self.at_ms, self.generation) = (now_ms, generation);
        if &*self.kind == b"cbufd" {
            self.change_bytes += payload.len();
            self.changes.push(Arc::new(payload.to_vec()));
            if self.changes.len() >= CHANGES_MAX || self.change_bytes >= CHANGE_BYTES_MAX {
                // What is damaged is told when somebody looks.
                let _ = self.add_changes();
            }
        }
    }

    /// Adds the waiting changes up; those that are damaged are lost.
    fn add_changes(&mut self) -> Result<(), CbufError> {
        let mut outcome = Ok(());
        let mut graph = self.graph.take().map(|(_, graph)| graph);
        for changes in self.changes.drain(..) {
            let before = graph.as_deref().cloned();
            match cbuf::add_changes(before, &changes) {
                Ok(after) => graph = Some(Arc::new(after)),
                Err(error) => outcome = Err(error),
            }
        }
        self.change_bytes = 0;
        self.graph = graph.map(|graph| (self.generation, graph));
        outcome
    }

    fn listed(&self) -> Listed {
        let parts = [&self.logger, &self.kind, &self.name];
        let [logger, kind, name] = parts.map(|part| text::shown(part));
        Listed {
            id: parts.map(|part| text::escaped(part)).join("/"),
            logger,
            kind,
            name,
            bytes: self.bytes.len(),
            at_ms: self.at_ms,
            generation: self.generation,
        }
    }
}

fn unescaped(part: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(part.len());
    let mut bytes = part.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            _ => byte,
        });
    }
    Some(out)
}

/// The key of the entry that an id stands for.
fn key_of(id: &str) -> Option<Vec<u8>> {
    let mut key = Vec::with_capacity(id.len() + 3);
    let mut parts = id.split('/');
    for _ in 0..3 {
        key.extend(unescaped(parts.next()?)?);
        key.push(0);
    }
    parts.next().is_none().then_some(key)
}

/// A file name for a payload: what is no letter, digit, dot or dash becomes `_`.
pub fn file_name(listed: &Listed) -> String {
    let name = format!("{}.{}.{}", listed.logger, listed.name, listed.kind);
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    name.chars()
        .map(|c| if plain(c) { c } else { '_' })
        .collect()
}

#[cfg(test)]
mod tests;

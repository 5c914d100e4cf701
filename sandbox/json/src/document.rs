//! A parsed JSON document: all of its values in one array, their texts in the buffer they were read from.
//!
//! The members of a container lie side by side, before the container itself; those of an object as key, value, key, value.
//! A value that is removed leaves a hole behind, so that the places of all others stay what they are.

mod read;
mod write;

use std::collections::BTreeMap;

use sandbox::native::Error;

pub use read::{Options, SyntaxError};

/// Deepest nesting that is read.
pub const MAX_DEPTH: usize = 10_000;

/// Longest text that is read, in bytes: places in it are 32-bit numbers.
pub const MAX_TEXT: usize = u32::MAX as usize;

/// One value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Node {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A whole number that was written as one.
    Integer(i64),
    /// A whole number beyond those of [`Node::Integer`].
    Unsigned(u64),
    /// Any other number.
    Double(f64),
    /// A text: where it begins in the buffer, and its length.
    String(u32, u32),
    /// Where the items begin, and how many places they take.
    Array(u32, u32),
    /// Where the members begin, and how many there are; each takes two places.
    Object(u32, u32),
    /// A hole.
    Removed,
}

/// Who is asked before memory is taken and while the text is read.
pub trait Limits {
    /// Whether so many more bytes may be taken.
    ///
    /// # Errors
    /// When they may not.
    fn memory(&mut self, bytes: usize) -> Result<(), Error>;

    /// Charges work.
    ///
    /// # Errors
    /// When there is no budget left.
    fn charge(&mut self, steps: u32) -> Result<(), Error>;
}

/// No limits at all.
#[derive(Clone, Copy, Debug)]
pub struct Unlimited;

impl Limits for Unlimited {
    fn memory(&mut self, _: usize) -> Result<(), Error> {
        Ok(())
    }

    fn charge(&mut self, _: u32) -> Result<(), Error> {
        Ok(())
    }
}

/// Why there is no document.
#[derive(Debug)]
pub enum Failure {
    /// The text is no JSON.
    Syntax(SyntaxError),
    /// It would take too much.
    Limit(Error),
}

/// A document; values are known by their places.
#[derive(Debug)]
pub struct Document {
    nodes: Vec<Node>,
    text: Vec<u8>,
    root: u32,
    /// Deepest nesting of arrays and objects.
    depth: usize,
    /// Some value was removed.
    has_holes: bool,
    /// The keys of objects that lost a member, by where the members begin, in the order in which they are written: the last
    /// one takes the place of the one that went, as with RapidJSON's `RemoveMember`.
    orders: BTreeMap<u32, Vec<u32>>,
}

impl Default for Document {
    /// The document `null`.
    fn default() -> Document {
        Document {
            nodes: vec![Node::Null],
            text: Vec::new(),
            root: 0,
            depth: 0,
            has_holes: false,
            orders: BTreeMap::new(),
        }
    }
}

impl Document {
    /// Reads a document. The text is kept: strings stay where they are, escapes are replaced in place.
    ///
    /// # Errors
    /// When it is no JSON, or too large.
    pub fn parse(
        text: Vec<u8>,
        options: Options,
        limits: &mut dyn Limits,
    ) -> Result<Document, Failure> {
        read::read(text, options, limits)
    }

    /// The place of the whole.
    pub fn root(&self) -> u32 {
        self.root
    }

    /// How many places there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are no places; there always are.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Deepest nesting of arrays and objects.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Bytes of the longest pointer to a value, without escapes.
    pub fn longest_path(&self) -> usize {
        /// A slash and the digits of most indexes.
        const INDEX_LEN: usize = 8;
        let mut longest = 0;
        let mut open = vec![(self.root(), 0)];
        while let Some((place, len)) = open.pop() {
            longest = longest.max(len);
            match self.node(place) {
                Node::Array(first, n) => {
                    let containers = self.items(first, n).filter(|&item| self.is_container(item));
                    open.extend(containers.map(|item| (item, len + INDEX_LEN)));
                    longest = longest.max(len + INDEX_LEN);
                }
                Node::Object(first, n) => {
                    for (key, value) in self.members(first, n) {
                        let len = len + 1 + key.len();
                        longest = longest.max(len);
                        if self.is_container(value) {
                            open.push((value, len));
                        }
                    }
                }
                _ => {}
            }
        }
        longest
    }

    fn is_container(&self, place: u32) -> bool {
        matches!(self.node(place), Node::Array(..) | Node::Object(..))
    }

    /// Bytes the document takes.
    pub fn memory(&self) -> usize {
        let orders = self.orders.values();
        let keys: usize = orders.map(|keys| keys.capacity() * size_of::<u32>()).sum();
        self.nodes.capacity() * size_of::<Node>()
            + self.text.capacity()
            + keys
            + self.orders.len() * size_of::<Vec<u32>>()
    }

    /// The value at a place.
    #[inline]
    pub fn node(&self, place: u32) -> Node {
        self.nodes
            .get(place as usize)
            .copied()
            .unwrap_or(Node::Removed)
    }

    /// The address of a place, which no other has while the document lives.
    pub(crate) fn address(&self, place: u32) -> usize {
        self.nodes.as_ptr() as usize + place as usize * size_of::<Node>()
    }

    /// The bytes of a text.
    #[inline]
    pub fn text(&self, at: u32, len: u32) -> &[u8] {
        &self.text[at as usize..][..len as usize]
    }

    /// What all texts lie in.
    pub(crate) fn texts(&self) -> &[u8] {
        &self.text
    }

    /// The items of an array, as their places.
    pub fn items(&self, first: u32, len: u32) -> impl Iterator<Item = u32> + '_ {
        (first..first + len).filter(move |&place| !self.is_hole(place))
    }

    /// The members of an object, as their keys and places.
    pub fn members(&self, first: u32, len: u32) -> impl Iterator<Item = (&[u8], u32)> {
        (0..len)
            .map(move |i| (first + 2 * i, first + 2 * i + 1))
            .filter(move |&(_, value)| !self.is_hole(value))
            .map(move |(key, value)| (self.key(key), value))
    }

    /// How many items or members there are in a container.
    pub fn count(&self, place: u32) -> usize {
        match self.node(place) {
            Node::Array(_, len) | Node::Object(_, len) if !self.has_holes => len as usize,
            Node::Array(first, len) => self.items(first, len).count(),
            Node::Object(first, len) => self.members(first, len).count(),
            _ => 0,
        }
    }

    /// The place of a member of an object; the first one of its name.
    #[inline]
    pub fn member(&self, place: u32, name: &[u8]) -> Option<u32> {
        let Node::Object(first, len) = self.node(place) else {
            return None;
        };
        (0..len)
            .map(|i| first + 2 * i)
            .find(|&key| {
                // Lengths are compared first: most keys differ in it.
                matches!(self.nodes[key as usize], Node::String(at, len)
                    if len as usize == name.len() && self.text(at, len) == name)
                    && !self.is_hole(key + 1)
            })
            .map(|key| key + 1)
    }

    /// The place of an item of an array, counted from 0.
    pub fn item(&self, place: u32, i: usize) -> Option<u32> {
        let Node::Array(first, len) = self.node(place) else {
            return None;
        };
        if self.has_holes {
            return self.items(first, len).nth(i);
        }
        (i < len as usize).then(|| first + i as u32)
    }

    /// Takes a value out of its container; its new place. What lies within it stays where it is.
    pub fn take(&mut self, container: u32, place: u32) -> u32 {
        if let Node::Object(first, len) = self.node(container) {
            let order = self.orders.entry(first);
            let keys = order.or_insert_with(|| (0..len).map(|i| first + 2 * i).collect());
            if let Some(at) = keys.iter().position(|&key| key + 1 == place) {
                keys.swap_remove(at);
            }
        }
        let node = std::mem::replace(&mut self.nodes[place as usize], Node::Removed);
        self.has_holes = true;
        self.nodes.push(node);
        self.nodes.len() as u32 - 1
    }

    /// A copy of a value as a document of its own.
    pub fn copy(&self, place: u32) -> Document {
        let mut copy = Document {
            nodes: Vec::new(),
            text: Vec::new(),
            root: 0,
            depth: self.depth,
            has_holes: false,
            orders: BTreeMap::new(),
        };
        let root = self.copy_scalar(place, &mut copy.text);
        copy.nodes.push(root);
        // Places in the copy that still speak of places in the original.
        let mut open = vec![0];
        while let Some(at) = open.pop() {
            let (from, is_object) = match copy.nodes[at] {
                Node::Array(first, len) => ((first, len), false),
                Node::Object(first, len) => ((first, len), true),
                _ => continue,
            };
            let first = copy.nodes.len();
            let mut push = |place| {
                let node = self.copy_scalar(place, &mut copy.text);
                if matches!(node, Node::Array(..) | Node::Object(..)) {
                    open.push(copy.nodes.len());
                }
                copy.nodes.push(node);
            };
            if is_object {
                for i in 0..from.1 {
                    let Some(key) = self.key_place(from.0, i) else {
                        break;
                    };
                    push(key);
                    push(key + 1);
                }
            } else {
                self.items(from.0, from.1).for_each(push);
            }
            let n_places = (copy.nodes.len() - first) as u32;
            copy.nodes[at] = match is_object {
                true => Node::Object(first as u32, n_places / 2),
                false => Node::Array(first as u32, n_places),
            };
        }
        copy
    }

    /// Appends the value as JSON text, as RapidJSON's writer does; stops when `out` is longer than `limit`.
    pub fn write(&self, place: u32, limit: usize, out: &mut Vec<u8>) {
        write::write(self, place, limit, out);
    }

    /// The place of the `i`th key of an object, in the order in which it is written; none behind the last one.
    #[inline]
    fn key_place(&self, first: u32, i: u32) -> Option<u32> {
        match self.has_holes.then(|| self.orders.get(&first)).flatten() {
            Some(keys) => keys.get(i as usize).copied(),
            None => Some(first + 2 * i),
        }
    }

    fn copy_scalar(&self, place: u32, text: &mut Vec<u8>) -> Node {
        match self.node(place) {
            Node::String(at, len) => {
                let copied = text.len() as u32;
                text.extend_from_slice(self.text(at, len));
                Node::String(copied, len)
            }
            other => other,
        }
    }

    #[inline]
    pub(crate) fn is_hole(&self, place: u32) -> bool {
        self.has_holes && self.node(place) == Node::Removed
    }

    #[inline]
    fn key(&self, place: u32) -> &[u8] {
        match self.node(place) {
            Node::String(at, len) => self.text(at, len),
            _ => b"",
        }
    }
}

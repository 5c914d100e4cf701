//! The message a plugin is looking at, and what `read_message` remembers from one message to the next.
#![allow(unsafe_code)]

use std::cell::{Cell, UnsafeCell};

use schemas::{Index, Value, View};

/// Names that the cache of `read_message` holds; a power of two. Plugins read a handful.
pub(crate) const NAMES: usize = 16;

/// Places of the cache in which one name may lie; a power of two.
const WAYS: usize = 4;

/// What a name given to `read_message` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Uuid,
    Timestamp,
    Type,
    Logger,
    Severity,
    Payload,
    EnvVersion,
    Pid,
    Hostname,
    Raw,
    Framed,
    Size,
    /// `Fields[...]`, see [`field_name`].
    Field,
}

/// What stands before and behind the name of a field.
const OPEN: &[u8] = b"Fields[";
const CLOSE: &[u8] = b"]";

/// The name of the field that `name`, which [`Part::parse`] has taken for one, asks for.
#[inline(always)]
fn field_name(name: &[u8]) -> &[u8] {
    &name[OPEN.len()..name.len() - CLOSE.len()]
}

impl Part {
    /// Understands a name; none for one that is not supported.
    pub(crate) fn parse(name: &[u8]) -> Option<Part> {
        Some(match name {
            b"Uuid" => Part::Uuid,
            b"Timestamp" => Part::Timestamp,
            b"Type" => Part::Type,
            b"Logger" => Part::Logger,
            b"Severity" => Part::Severity,
            b"Payload" => Part::Payload,
            b"EnvVersion" => Part::EnvVersion,
            b"Pid" => Part::Pid,
            b"Hostname" => Part::Hostname,
            b"raw" => Part::Raw,
            b"framed" => Part::Framed,
            b"size" => Part::Size,
            _ => {
                name.strip_prefix(OPEN)?.strip_suffix(CLOSE)?;
                Part::Field
            }
        })
    }
}

/// What `read_message` returns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Read<'m> {
    Nil,
    Bytes(&'m [u8]),
    Number(f64),
    Bool(bool),
}

impl<'m> From<Option<&'m [u8]>> for Read<'m> {
    #[inline(always)]
    fn from(bytes: Option<&'m [u8]>) -> Read<'m> {
        bytes.map_or(Read::Nil, Read::Bytes)
    }
}

impl<'m> From<Option<Value<'m>>> for Read<'m> {
    #[inline(always)]
    fn from(value: Option<Value<'m>>) -> Read<'m> {
        match value {
            None => Read::Nil,
            Some(Value::String(bytes) | Value::Bytes(bytes)) => Read::Bytes(bytes),
            Some(Value::Integer(number)) => Read::Number(number as f64),
            Some(Value::Double(number)) => Read::Number(number),
            Some(Value::Bool(truth)) => Read::Bool(truth),
        }
    }
}

/// Reads a part of a message seen through its index; `framed` is the message with its frame, if it has one.
// Inlined, because an answer that is put together in memory and then read as a whole stalls the processor.
#[inline(always)]
pub(crate) fn read<'m>(
    view: &View<'m>,
    framed: Option<&'m [u8]>,
    part: Part,
    name: &[u8],
    (nth, idx): (usize, usize),
) -> Read<'m> {
    match part {
        Part::Uuid => view.uuid().into(),
        Part::Timestamp => Read::Number(view.timestamp() as f64),
        Part::Type => view.type_().into(),
        Part::Logger => view.logger().into(),
        Part::Severity => Read::Number(f64::from(view.severity())),
        Part::Payload => view.payload().into(),
        Part::EnvVersion => view.env_version().into(),
        Part::Pid => view
            .pid()
            .map_or(Read::Nil, |pid| Read::Number(f64::from(pid))),
        Part::Hostname => view.hostname().into(),
        Part::Raw => Read::Bytes(view.bytes()),
        Part::Framed => framed.into(),
        Part::Size => Read::Number(view.bytes().len() as f64),
        Part::Field => view.value(field_name(name), nth, idx).into(),
    }
}

/// A name that `read_message` was called with.
#[derive(Clone, Copy)]
struct Name {
    /// Address of the interned string; the string itself is kept alive, so no other can have it.
    address: usize,
    part: Part,
}

/// The bytes that are being processed.
#[derive(Clone, Copy)]
struct Bytes {
    message: *const [u8],
    framed: *const [u8],
}

thread_local! {
    /// One index for all sandboxes of a thread: it is filled anew for each message.
    static INDEX: UnsafeCell<Index> = UnsafeCell::default();
}

/// The message of the running `process_message`, if one runs.
#[derive(Default)]
pub(crate) struct Current {
    bytes: Cell<Option<Bytes>>,
    /// The index of the message: the host's, or that of the thread once the plugin has read something.
    index: Cell<Option<*const Index>>,
    names: [Cell<Option<Name>>; NAMES],
    /// Names learned so far; says which of several goes.
    learned: Cell<usize>,
}

/// Takes the message away when the call is over.
pub(crate) struct Showing<'c>(&'c Current);

impl Drop for Showing<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.bytes.set(None);
        self.0.index.set(None);
    }
}

impl Current {
    /// Shows a message, with its index if that is known, to the plugin until the result is dropped.
    ///
    /// # Safety
    /// Both slices and the index outlive the result, and no other message is shown on this thread meanwhile.
    #[inline]
    pub(crate) unsafe fn show(
        &self,
        message: &[u8],
        framed: &[u8],
        index: Option<&Index>,
    ) -> Showing<'_> {
        self.bytes.set(Some(Bytes { message, framed }));
        self.index.set(index.map(std::ptr::from_ref));
        Showing(self)
    }

    /// Runs `with` on the message, parsed on the first use, and its framed form; none if no message is being processed.
    #[inline(always)]
    pub(crate) fn with<T>(&self, with: impl FnOnce(View<'_>, &[u8]) -> T) -> Option<T> {
        let index = match self.index.get() {
            Some(index) => index,
            None => self.outline()?,
        };
        let bytes = self.bytes.get()?;
        // SAFETY: `show` was promised that the slices and a given index are alive while the bytes are set; the thread's
        // index is filled only while a message has none, and no other message is shown meanwhile.
        let (message, framed, index) = unsafe { (&*bytes.message, &*bytes.framed, &*index) };
        Some(with(index.view(message), framed))
    }

    /// Fills the thread's index for the message.
    #[inline(never)]
    fn outline(&self) -> Option<*const Index> {
        let bytes = self.bytes.get()?;
        let index = INDEX.with(UnsafeCell::get);
        // SAFETY: the message is alive. The index is the thread's own, and nobody looks at it: this message has had none
        // so far, and no other is shown on this thread.
        let outlined = unsafe { (*index).outline(&*bytes.message) };
        if outlined.is_err() {
            // The queue holds whole messages only; a broken one is shown as one without anything in it.
            self.bytes.set(Some(Bytes {
                message: &[],
                ..bytes
            }));
        }
        self.index.set(Some(index));
        Some(index)
    }

    /// Whether a message is being processed.
    pub(crate) fn is_some(&self) -> bool {
        self.bytes.get().is_some()
    }

    /// What the interned string at `address` stands for, if that is known.
    #[inline(always)]
    pub(crate) fn known(&self, address: usize) -> Option<Part> {
        let place = first_place(address);
        (0..WAYS).find_map(|way| match self.names[place ^ way].get() {
            Some(known) if known.address == address => Some(known.part),
            _ => None,
        })
    }

    /// The place, below [`NAMES`], for a name that is not known: a free one, or that of a name that has to go.
    pub(crate) fn place_for(&self, address: usize) -> usize {
        let first = first_place(address);
        let free = (0..WAYS).find(|way| self.names[first ^ way].get().is_none());
        let way = free.unwrap_or(self.learned.get() % WAYS);
        self.learned.set(self.learned.get().wrapping_add(1));
        first ^ way
    }

    /// Remembers what the interned string at `address` stands for; it stays alive as long as it has this place.
    pub(crate) fn learn(&self, place: usize, address: usize, part: Part) {
        self.names[place].set(Some(Name { address, part }));
    }
}

/// The first place in the cache at which an interned string is looked for.
#[inline(always)]
fn first_place(address: usize) -> usize {
    // Strings are aligned to 8 and seldom closer than 24 bytes to each other.
    (address >> 4) % NAMES
}

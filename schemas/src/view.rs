//! A message being read, without copying: an index of where its parts are, and a view that reads them from the bytes.
//!
//! Any protobuf encoding of `proto/heka.proto` is accepted: parts in any order, headers more than once (the last one
//! wins), number lists packed or not, tags that nobody knows. Refused are groups, known tags with a wrong wire type, a
//! Uuid that is not of 16 bytes, and a field without a name.
//!
//! [`Index::parse`] checks the whole depth of the message, so that a view never meets broken bytes. It allocates only
//! while its list of fields grows, that is, not in steady state.

pub use crate::field::{FieldView, Value, ValueType, Values};
use crate::field::{field_name, is_first_name, parse_field, single_value};
use crate::wire::{self, MESSAGE_LEN_MAX, Span};

/// Severity of a message that has none.
pub const SEVERITY_DEFAULT: i32 = 7;

/// Shorter than this no message can be: it takes 18 bytes of Uuid and 2 of Timestamp.
pub const MESSAGE_LEN_MIN: usize = 20;

/// An index keeps room for this many fields from message to message. One message with many more makes it grow (by 8
/// bytes for each 2 bytes of message at worst), and must not hold that memory forever.
const FIELDS_KEPT: usize = 4096;

/// Why bytes are not a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Fewer bytes than the two required headers take.
    #[error("invalid message, too short")]
    TooShort,
    /// More bytes than an offset of 32 bits can name.
    #[error("invalid message, too long: {len} bytes")]
    TooLong {
        /// Length of the message in bytes.
        len: usize,
    },
    /// A part is broken: cut off, of a wrong wire type, or with a wrong length or content.
    #[error("error in tag: {tag} wiretype: {wire_type} offset: {offset}")]
    Part {
        /// Tag of the part, 10 for whatever is wrong inside a field.
        tag: u32,
        /// Wire type of the part.
        wire_type: u32,
        /// Offset in the message at which the part begins.
        offset: usize,
    },
    /// A required header is missing.
    #[error("missing required field uuid: {} timestamp: {}", found(*.uuid), found(*.timestamp))]
    Missing {
        /// Whether there is a Uuid.
        uuid: bool,
        /// Whether there is a Timestamp.
        timestamp: bool,
    },
}

fn found(found: bool) -> &'static str {
    if found { "found" } else { "not found" }
}

impl DecodeError {
    /// How far into the message the reader came before it met the error, in bytes.
    pub fn offset(&self) -> usize {
        match self {
            DecodeError::Part { offset, .. } => *offset,
            _ => 0,
        }
    }
}

/// Checks a message in its whole depth, including that the two required headers are there.
///
/// # Errors
/// Says what is wrong, and where; see [`DecodeError`].
pub fn validate(message: &[u8]) -> Result<(), DecodeError> {
    if message.len() < MESSAGE_LEN_MIN {
        return Err(DecodeError::TooShort);
    }
    let mut headers = Headers::default();
    walk(message, &mut headers, |span| {
        parse_field(message, span).is_some()
    })?;
    headers.check_required()
}

/// Where the parts of one message are. Make one, use it for message after message.
#[derive(Default, Clone, Debug)]
pub struct Index {
    headers: Headers,
    /// Where each field is; what is in it is read when somebody asks, as most fields are never asked for.
    fields: Vec<Span>,
    /// Length of the message that was parsed, to notice a view on another.
    message_len: usize,
    /// A field has more than one name, so that the first need not be the one that counts.
    names_repeat: bool,
}

impl Index {
    /// Finds the parts of `message` and checks its whole depth. The required headers may be missing, see
    /// [`Index::check_required`].
    ///
    /// # Errors
    /// If the message is broken; the index is then that of an empty message.
    pub fn parse(&mut self, message: &[u8]) -> Result<(), DecodeError> {
        let mut names_repeat = false;
        self.walk(message, |span| {
            let entry = parse_field(message, span);
            names_repeat |= entry.is_some_and(|entry| !is_first_name(message, span, entry.name));
            entry.is_some()
        })?;
        self.names_repeat = names_repeat;
        Ok(())
    }

    /// Finds the parts of a message that was checked before, without looking into its fields: half the work of
    /// [`Index::parse`]. A field that is broken all the same is not there, and of a field with more than one name,
    /// which no encoder writes, the first counts.
    ///
    /// # Errors
    /// If a part does not end within the message; the index is then that of an empty message.
    #[inline]
    pub fn outline(&mut self, message: &[u8]) -> Result<(), DecodeError> {
        self.walk(message, |_| true)
    }

    #[inline(always)]
    fn walk(
        &mut self,
        message: &[u8],
        mut is_whole: impl FnMut(Span) -> bool,
    ) -> Result<(), DecodeError> {
        self.clear();
        let fields = &mut self.fields;
        let parsed = walk(message, &mut self.headers, |span| {
            fields.push(span);
            is_whole(span)
        });
        if let Err(error) = parsed {
            self.clear();
            return Err(error);
        }
        self.message_len = message.len();
        Ok(())
    }

    /// Tells whether the headers that each message must have, Uuid and Timestamp, were there.
    ///
    /// # Errors
    /// Names the header that is missing.
    pub fn check_required(&self) -> Result<(), DecodeError> {
        self.headers.check_required()
    }

    /// Joins the index to the bytes that it was made of.
    ///
    /// # Panics
    /// If `message` is not as long as the message parsed last, which is then not the same.
    #[inline]
    pub fn view<'m>(&'m self, message: &'m [u8]) -> View<'m> {
        assert_eq!(
            message.len(),
            self.message_len,
            "a view on a message that was not parsed"
        );
        View {
            bytes: message,
            index: self,
        }
    }

    fn clear(&mut self) {
        self.headers = Headers::default();
        self.fields.clear();
        if self.fields.capacity() > FIELDS_KEPT {
            self.fields.shrink_to(FIELDS_KEPT);
        }
        self.message_len = 0;
        self.names_repeat = false;
    }
}

/// Where the headers are; numbers are read at once. A span that ends at 0 means that there is none, as no part can end
/// before its key.
#[derive(Default, Clone, Copy, Debug)]
struct Headers {
    uuid: Span,
    type_: Span,
    logger: Span,
    payload: Span,
    env_version: Span,
    hostname: Span,
    timestamp: Option<i64>,
    severity: Option<i32>,
    pid: Option<i32>,
}

impl Headers {
    fn check_required(&self) -> Result<(), DecodeError> {
        let (uuid, timestamp) = (self.uuid.end != 0, self.timestamp.is_some());
        if uuid && timestamp {
            Ok(())
        } else {
            Err(DecodeError::Missing { uuid, timestamp })
        }
    }
}

/// Goes over all parts of a message once: notes the headers, hands out the fields, which answer whether they are whole.
#[inline]
fn walk(
    message: &[u8],
    headers: &mut Headers,
    mut field: impl FnMut(Span) -> bool,
) -> Result<(), DecodeError> {
    if message.len() > MESSAGE_LEN_MAX {
        return Err(DecodeError::TooLong { len: message.len() });
    }
    let mut at = in_order(message, headers, &mut field);
    while at < message.len() {
        match part(message, at, headers, &mut field) {
            Some(end) => at = end,
            None => return Err(error_at(message, at)),
        }
    }
    Ok(())
}

/// Reads the parts of a message as far as they come in the order of [`crate::encode`] and are short, as nearly all do;
/// answers where that ends. A test for each part in turn is easier on the processor than a jump for each: it guesses all of
/// them right.
#[inline(always)]
fn in_order(message: &[u8], headers: &mut Headers, field: &mut impl FnMut(Span) -> bool) -> usize {
    let mut at = 0;
    if let Some(span) = short(message, at, 0x0A).filter(|span| span.len() == 16) {
        (headers.uuid, at) = (span, span.end as usize);
    }
    if let Some((value, end)) = keyed_number(message, at, 0x10) {
        (headers.timestamp, at) = (Some(value as i64), end);
    }
    if let Some(span) = short(message, at, 0x1A) {
        (headers.type_, at) = (span, span.end as usize);
    }
    if let Some(span) = short(message, at, 0x22) {
        (headers.logger, at) = (span, span.end as usize);
    }
    if let Some((value, end)) = keyed_number(message, at, 0x28) {
        (headers.severity, at) = (Some(value as i32), end);
    }
    if let Some(span) = short(message, at, 0x32) {
        (headers.payload, at) = (span, span.end as usize);
    }
    if let Some(span) = short(message, at, 0x3A) {
        (headers.env_version, at) = (span, span.end as usize);
    }
    if let Some((value, end)) = keyed_number(message, at, 0x40) {
        (headers.pid, at) = (Some(value as i32), end);
    }
    if let Some(span) = short(message, at, 0x4A) {
        (headers.hostname, at) = (span, span.end as usize);
    }
    // A field that is not whole is met, and told, by who goes on from here.
    while let Some(span) = short(message, at, 0x52).filter(|span| field(*span)) {
        at = span.end as usize;
    }
    at
}

/// The span of the part at `at`, if it has this key and less than 128 bytes.
#[inline(always)]
fn short(message: &[u8], at: usize, key: u8) -> Option<Span> {
    let [first, len, rest @ ..] = message.get(at..)? else {
        return None;
    };
    if *first != key || *len >= 0x80 || rest.len() < usize::from(*len) {
        return None;
    }
    let start = at as u32 + 2;
    let end = start + u32::from(*len);
    Some(Span { start, end })
}

/// The number at `at`, if it has this key, and the offset behind it.
#[inline(always)]
fn keyed_number(message: &[u8], at: usize, key: u8) -> Option<(u64, usize)> {
    if *message.get(at)? != key {
        return None;
    }
    wire::varint(message, at + 1)
}

/// Reads the part at `at` and answers the offset behind it, or `None` if it is broken.
#[inline(always)]
fn part(
    message: &[u8],
    at: usize,
    headers: &mut Headers,
    field: &mut impl FnMut(Span) -> bool,
) -> Option<usize> {
    let (key, at) = wire::key(message, at)?;
    // Key = tag << 3 | wire type, as in proto/heka.proto.
    match key {
        0x0A => text(message, at, &mut headers.uuid).filter(|_| headers.uuid.len() == 16),
        0x10 => number(message, at).map(|(value, end)| {
            headers.timestamp = Some(value);
            end
        }),
        0x1A => text(message, at, &mut headers.type_),
        0x22 => text(message, at, &mut headers.logger),
        0x28 => number(message, at).map(|(value, end)| {
            headers.severity = Some(value as i32);
            end
        }),
        0x32 => text(message, at, &mut headers.payload),
        0x3A => text(message, at, &mut headers.env_version),
        0x40 => number(message, at).map(|(value, end)| {
            headers.pid = Some(value as i32);
            end
        }),
        0x4A => text(message, at, &mut headers.hostname),
        0x52 => {
            let span = wire::length_delimited(message, at)?;
            field(span).then_some(span.end as usize)
        }
        _ if key >> 3 <= 10 => None,
        _ => wire::skip(message, key, at),
    }
}

#[inline(always)]
fn text(message: &[u8], at: usize, header: &mut Span) -> Option<usize> {
    *header = wire::length_delimited(message, at)?;
    Some(header.end as usize)
}

#[inline(always)]
fn number(message: &[u8], at: usize) -> Option<(i64, usize)> {
    wire::varint(message, at).map(|(value, end)| (value as i64, end))
}

#[cold]
fn error_at(message: &[u8], offset: usize) -> DecodeError {
    // A key that cannot be read is told by its first byte.
    let key = wire::key(message, offset).map_or(u32::from(message[offset]), |(key, _)| key);
    DecodeError::Part {
        tag: key >> 3,
        wire_type: key & 7,
        offset,
    }
}

/// A message being read: cheap to copy, and as long-lived as the bytes and the index.
#[derive(Clone, Copy, Debug)]
pub struct View<'m> {
    bytes: &'m [u8],
    index: &'m Index,
}

impl<'m> View<'m> {
    /// The whole message, encoded, without frame.
    #[inline]
    pub fn bytes(&self) -> &'m [u8] {
        self.bytes
    }

    /// The 16 bytes of the Uuid.
    #[inline]
    pub fn uuid(&self) -> Option<&'m [u8]> {
        self.header(self.index.headers.uuid)
    }

    /// Nanoseconds since 1970, 0 if the message does not say.
    #[inline]
    pub fn timestamp(&self) -> i64 {
        self.index.headers.timestamp.unwrap_or(0)
    }

    /// What kind of message it is.
    #[inline]
    pub fn type_(&self) -> Option<&'m [u8]> {
        self.header(self.index.headers.type_)
    }

    /// Where it comes from.
    #[inline]
    pub fn logger(&self) -> Option<&'m [u8]> {
        self.header(self.index.headers.logger)
    }

    /// Syslog severity, [`SEVERITY_DEFAULT`] if the message does not say.
    #[inline]
    pub fn severity(&self) -> i32 {
        self.index.headers.severity.unwrap_or(SEVERITY_DEFAULT)
    }

    /// Syslog severity, only if the message says it.
    #[inline]
    pub fn severity_given(&self) -> Option<i32> {
        self.index.headers.severity
    }

    /// Free text.
    #[inline]
    pub fn payload(&self) -> Option<&'m [u8]> {
        self.header(self.index.headers.payload)
    }

    /// Version of the sender's environment.
    #[inline]
    pub fn env_version(&self) -> Option<&'m [u8]> {
        self.header(self.index.headers.env_version)
    }

    /// Process id of the sender.
    #[inline]
    pub fn pid(&self) -> Option<i32> {
        self.index.headers.pid
    }

    /// Name of the sender's machine.
    #[inline]
    pub fn hostname(&self) -> Option<&'m [u8]> {
        self.header(self.index.headers.hostname)
    }

    /// How many fields there are.
    #[inline]
    pub fn fields_len(&self) -> usize {
        self.index.fields.len()
    }

    /// All fields, in the order of the message.
    #[inline]
    pub fn fields(&self) -> impl Iterator<Item = FieldView<'m>> + use<'m> {
        let bytes = self.bytes;
        self.index
            .fields
            .iter()
            .filter_map(move |span| FieldView::parse(bytes, *span))
    }

    /// The name of each field with its place, which [`View::field_at`] takes; the rest of the field is not read.
    #[inline]
    pub fn field_names(&self) -> impl Iterator<Item = (usize, &'m [u8])> + use<'m, '_> {
        let names = self.index.fields.iter().map(|span| self.field_name(*span));
        names
            .enumerate()
            .filter_map(|(place, name)| Some((place, name?)))
    }

    /// The field at this place; `None` if it is broken, or there are not so many.
    #[inline]
    pub fn field_at(&self, place: usize) -> Option<FieldView<'m>> {
        FieldView::parse(self.bytes, *self.index.fields.get(place)?)
    }

    /// The `nth` field, from 0, of those that have this name.
    #[inline]
    pub fn field(&self, name: &[u8], nth: usize) -> Option<FieldView<'m>> {
        let mut left = nth;
        for span in &self.index.fields {
            if self.field_name(*span) == Some(name) {
                if left == 0 {
                    return FieldView::parse(self.bytes, *span);
                }
                left -= 1;
            }
        }
        None
    }

    /// The `idx`th value of the `nth` field that has this name, both from 0: as [`View::field`] and its value give it, but
    /// faster for the first value of the first field.
    #[inline(always)]
    pub fn value(&self, name: &[u8], nth: usize, idx: usize) -> Option<Value<'m>> {
        if nth != 0 || idx != 0 || name.len() >= 0x80 || self.index.names_repeat {
            return self.any_value(name, nth, idx);
        }
        for span in &self.index.fields {
            let bytes = &self.bytes[..span.end as usize];
            let field = &bytes[span.start as usize..];
            let [0x0A, len, rest @ ..] = field else {
                return self.any_value(name, nth, idx);
            };
            // Names of one length mostly differ in their first byte already.
            let begins = name.first().is_none_or(|first| rest.first() == Some(first));
            if usize::from(*len) == name.len() && begins && rest.starts_with(name) {
                let value = single_value(field, 2 + name.len());
                return value.or_else(|| self.any_value(name, nth, idx));
            }
        }
        None
    }

    #[cold]
    fn any_value(&self, name: &[u8], nth: usize, idx: usize) -> Option<Value<'m>> {
        self.field(name, nth)?.value(idx)
    }

    #[inline(always)]
    fn field_name(&self, span: Span) -> Option<&'m [u8]> {
        if self.index.names_repeat {
            return FieldView::parse(self.bytes, span).map(|field| field.name());
        }
        field_name(self.bytes, span)
    }

    #[inline]
    fn header(&self, span: Span) -> Option<&'m [u8]> {
        (span.end != 0).then(|| span.of(self.bytes))
    }
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;

//! From message to bytes: appends the parts of a message to a buffer, in the layout that Hindsight writes.
//!
//! The caller writes headers in the order of [`Encoder`]'s methods, then the fields. Nothing is checked or ordered here;
//! protobuf allows any order, but tools that compare bytes, and Hindsight's own decoder, want this one: in a field first
//! the name, then the value type (none for strings), the representation and last the values. Lists of numbers are packed,
//! single numbers are not, strings and bytes repeat their tag.
//!
//! A length that is known only afterwards gets one byte of room. If it needs more, what follows is moved up. So there is
//! no second buffer, and no allocation beyond the growth of the one that the caller keeps.

use crate::field::ValueType;
use crate::wire::{push_varint, varint_bytes, varint_len};

/// Appends one message to a buffer.
///
/// With a limit ([`Encoder::with_limit`]), a part that would exceed it is not written, nor is any after it, and
/// [`Encoder::exceeded`] says so: the caller looks once, when it is done.
#[derive(Debug)]
pub struct Encoder<'b> {
    out: &'b mut Vec<u8>,
    /// The buffer never gets longer than this.
    len_max: usize,
    exceeded: bool,
}

/// Where a length must be filled in, see [`Encoder::field_begin`].
#[must_use = "the length is filled in by the matching end"]
#[derive(Debug)]
pub struct Mark {
    /// Offset of the byte that is kept free for the length.
    at: usize,
}

impl<'b> Encoder<'b> {
    /// Appends to `out`, as much as it takes.
    pub fn new(out: &'b mut Vec<u8>) -> Encoder<'b> {
        Encoder {
            out,
            len_max: usize::MAX,
            exceeded: false,
        }
    }

    /// Appends at most `limit` bytes to `out`.
    pub fn with_limit(out: &'b mut Vec<u8>, limit: usize) -> Encoder<'b> {
        let len_max = out.len().saturating_add(limit);
        Encoder {
            out,
            len_max,
            exceeded: false,
        }
    }

    /// Whether the limit was too small: what is in the buffer is then no message.
    pub fn exceeded(&self) -> bool {
        self.exceeded
    }

    /// Header Uuid.
    #[inline]
    pub fn uuid(&mut self, uuid: &[u8; 16]) {
        if self.room(18) {
            self.out.extend_from_slice(&[0x0A, 16]);
            self.out.extend_from_slice(uuid);
        }
    }

    /// Header Timestamp, in nanoseconds since 1970.
    #[inline]
    pub fn timestamp(&mut self, timestamp: i64) {
        self.number(0x10, timestamp);
    }

    /// Header Type.
    #[inline]
    pub fn type_(&mut self, type_: &[u8]) {
        self.text(0x1A, type_);
    }

    /// Header Logger.
    #[inline]
    pub fn logger(&mut self, logger: &[u8]) {
        self.text(0x22, logger);
    }

    /// Header Severity.
    #[inline]
    pub fn severity(&mut self, severity: impl Into<i64>) {
        self.number(0x28, severity.into());
    }

    /// Header Payload.
    #[inline]
    pub fn payload(&mut self, payload: &[u8]) {
        self.text(0x32, payload);
    }

    /// Header EnvVersion.
    #[inline]
    pub fn env_version(&mut self, env_version: &[u8]) {
        self.text(0x3A, env_version);
    }

    /// Header Pid. A negative one takes ten bytes.
    #[inline]
    pub fn pid(&mut self, pid: impl Into<i64>) {
        self.number(0x40, pid.into());
    }

    /// Header Hostname.
    #[inline]
    pub fn hostname(&mut self, hostname: &[u8]) {
        self.text(0x4A, hostname);
    }

    /// Begins a field; its type, representation and values follow, then [`Encoder::field_end`].
    #[inline]
    pub fn field_begin(&mut self, name: &[u8]) -> Mark {
        let mark = self.begin(0x52);
        self.text(0x0A, name);
        mark
    }

    /// Ends the field that `mark` stands for.
    #[inline]
    pub fn field_end(&mut self, mark: Mark) {
        self.end(mark);
    }

    /// Type of the field's values. That of strings is the default and is not written.
    #[inline]
    pub fn value_type(&mut self, value_type: ValueType) {
        if value_type != ValueType::String && self.room(2) {
            self.out.extend_from_slice(&[0x10, value_type as u8]);
        }
    }

    /// How to read the field's values.
    #[inline]
    pub fn representation(&mut self, representation: &[u8]) {
        self.text(0x1A, representation);
    }

    /// One string; for a list, call it for each.
    #[inline]
    pub fn string_value(&mut self, value: &[u8]) {
        self.text(0x22, value);
    }

    /// One value of bytes; for a list, call it for each.
    #[inline]
    pub fn bytes_value(&mut self, value: &[u8]) {
        self.text(0x2A, value);
    }

    /// Begins a value of bytes whose content the caller appends through [`Encoder::append`] or [`Encoder::buffer`].
    #[inline]
    pub fn bytes_value_begin(&mut self) -> Mark {
        self.begin(0x2A)
    }

    /// Ends the value of bytes that `mark` stands for.
    #[inline]
    pub fn bytes_value_end(&mut self, mark: Mark) {
        self.end(mark);
    }

    /// The only integer of a field.
    #[inline]
    pub fn integer_value(&mut self, value: i64) {
        self.number(0x30, value);
    }

    /// The only double of a field.
    #[inline]
    pub fn double_value(&mut self, value: f64) {
        if self.room(9) {
            self.out.push(0x39);
            self.out.extend_from_slice(&value.to_le_bytes());
        }
    }

    /// The only truth value of a field.
    #[inline]
    pub fn bool_value(&mut self, value: bool) {
        if self.room(2) {
            self.out.extend_from_slice(&[0x40, u8::from(value)]);
        }
    }

    /// Begins a packed list of integers, doubles or truth values. The values follow with the `packed_` methods, then
    /// [`Encoder::packed_end`]. Hindsight packs lists of two and more, and writes a list of one as a single value.
    ///
    /// # Panics
    /// For strings and bytes, which protobuf cannot pack.
    #[inline]
    pub fn packed_begin(&mut self, value_type: ValueType) -> Mark {
        assert!(
            !matches!(value_type, ValueType::String | ValueType::Bytes),
            "strings and bytes are never packed"
        );
        self.begin(value_type.packed_key() as u8)
    }

    /// One integer of a packed list.
    #[inline]
    pub fn packed_integer(&mut self, value: i64) {
        if self.room(varint_len(value as u64)) {
            push_varint(self.out, value as u64);
        }
    }

    /// One double of a packed list.
    #[inline]
    pub fn packed_double(&mut self, value: f64) {
        self.append(&value.to_le_bytes());
    }

    /// One truth value of a packed list.
    #[inline]
    pub fn packed_bool(&mut self, value: bool) {
        self.append(&[u8::from(value)]);
    }

    /// Ends the packed list that `mark` stands for.
    #[inline]
    pub fn packed_end(&mut self, mark: Mark) {
        self.end(mark);
    }

    /// Appends a whole field with one string. The length is known beforehand, so nothing is moved: the right way for
    /// long values.
    #[inline]
    pub fn string_field(&mut self, name: &[u8], value: &[u8]) {
        let len = text_len(name) + text_len(value);
        if len < 0x80 {
            if self.room(2 + len) {
                self.out.reserve(2 + len);
                self.short_field_head(len, name);
                self.out.extend_from_slice(&[0x22, value.len() as u8]);
                self.out.extend_from_slice(value);
            }
        } else if self.room(1 + varint_len(len as u64) + len) {
            self.out.push(0x52);
            push_varint(self.out, len as u64);
            self.text(0x0A, name);
            self.text(0x22, value);
        }
    }

    /// Appends a whole field with one value of bytes that lies in pieces. As with [`Encoder::string_field`] nothing is
    /// moved.
    pub fn bytes_field<'p>(&mut self, name: &[u8], pieces: impl Iterator<Item = &'p [u8]> + Clone) {
        let len: usize = pieces.clone().map(<[u8]>::len).sum();
        let value_len = 1 + varint_len(len as u64) + len;
        let field_len = text_len(name) + 2 + value_len;
        if self.room(1 + varint_len(field_len as u64) + field_len) {
            self.out.push(0x52);
            push_varint(self.out, field_len as u64);
            self.text(0x0A, name);
            self.value_type(ValueType::Bytes);
            self.out.push(0x2A);
            push_varint(self.out, len as u64);
            pieces.for_each(|piece| self.out.extend_from_slice(piece));
        }
    }

    /// Appends a whole field with one double.
    #[inline]
    pub fn double_field(&mut self, name: &[u8], value: f64) {
        let mut rest = [0x10, ValueType::Double as u8, 0x39, 0, 0, 0, 0, 0, 0, 0, 0];
        rest[3..].copy_from_slice(&value.to_le_bytes());
        if self.short_field(name, rest) {
            return;
        }
        let mark = self.field_begin(name);
        self.append(&rest);
        self.field_end(mark);
    }

    /// Appends a whole field with one integer.
    #[inline]
    pub fn integer_field(&mut self, name: &[u8], value: i64) {
        let mark = self.field_begin(name);
        self.value_type(ValueType::Integer);
        self.integer_value(value);
        self.field_end(mark);
    }

    /// Appends a whole field with one truth value.
    #[inline]
    pub fn bool_field(&mut self, name: &[u8], value: bool) {
        let rest = [0x10, ValueType::Bool as u8, 0x40, u8::from(value)];
        if self.short_field(name, rest) {
            return;
        }
        let mark = self.field_begin(name);
        self.append(&rest);
        self.field_end(mark);
    }

    /// Appends a field of less than 128 bytes that consists of its name and `rest`; false if it is longer.
    #[inline(always)]
    fn short_field<const N: usize>(&mut self, name: &[u8], rest: [u8; N]) -> bool {
        let len = 2 + name.len() + N;
        if len >= 0x80 {
            return false;
        }
        if self.room(2 + len) {
            self.out.reserve(2 + len);
            self.short_field_head(len, name);
            self.out.extend_from_slice(&rest);
        }
        true
    }

    /// The beginning of a field whose length fits into one byte, up to the end of its name.
    #[inline(always)]
    fn short_field_head(&mut self, len: usize, name: &[u8]) {
        let head = [0x52, len as u8, 0x0A, name.len() as u8];
        self.out.extend_from_slice(&head);
        self.out.extend_from_slice(name);
    }

    /// Appends bytes as they are, between the begin and the end of a value of bytes.
    #[inline]
    pub fn append(&mut self, bytes: &[u8]) {
        if self.room(bytes.len()) {
            self.out.extend_from_slice(bytes);
        }
    }

    /// The buffer itself, for content that others append; they must not take anything away. What they append beyond the
    /// limit is noticed at the end of the value.
    #[inline]
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        self.out
    }

    /// Whether `len` more bytes may be appended.
    #[inline(always)]
    fn room(&mut self, len: usize) -> bool {
        self.exceeded |= self.out.len().saturating_add(len) > self.len_max;
        !self.exceeded
    }

    #[inline]
    fn text(&mut self, key: u8, text: &[u8]) {
        if text.len() < 0x80 {
            if self.room(2 + text.len()) {
                self.out.reserve(2 + text.len());
                self.out.extend_from_slice(&[key, text.len() as u8]);
                self.out.extend_from_slice(text);
            }
            return;
        }
        let (len, n) = varint_bytes(text.len() as u64);
        if self.room(1 + n + text.len()) {
            self.out.push(key);
            self.out.extend_from_slice(&len[..n]);
            self.out.extend_from_slice(text);
        }
    }

    #[inline]
    fn number(&mut self, key: u8, number: i64) {
        if (0..0x80).contains(&number) {
            self.append(&[key, number as u8]);
            return;
        }
        if self.room(1 + varint_len(number as u64)) {
            self.out.push(key);
            push_varint(self.out, number as u64);
        }
    }

    #[inline]
    fn begin(&mut self, key: u8) -> Mark {
        if self.room(2) {
            self.out.extend_from_slice(&[key, 0]);
        }
        Mark {
            at: self.out.len().saturating_sub(1),
        }
    }

    /// Fills in the length of what was appended since `mark`.
    #[inline]
    fn end(&mut self, mark: Mark) {
        // The content may have come through `buffer`, past the limit.
        if !self.room(0) {
            return;
        }
        let len = self.out.len() - mark.at - 1;
        if len < 0x80 {
            self.out[mark.at] = len as u8;
        } else {
            self.end_long(mark.at, len);
        }
    }

    /// As `end`, for a length that needs more than the byte kept free.
    fn end_long(&mut self, at: usize, len: usize) {
        let (varint, n) = varint_bytes(len as u64);
        if self.room(n - 1) {
            let content = at + 1..self.out.len();
            self.out.resize(self.out.len() + n - 1, 0);
            self.out.copy_within(content, at + n);
            self.out[at..at + n].copy_from_slice(&varint[..n]);
        }
    }
}

/// How many bytes a string or bytes value takes with its key and length.
#[inline]
fn text_len(text: &[u8]) -> usize {
    1 + varint_len(text.len() as u64) + text.len()
}

#[cfg(test)]
#[path = "encode_tests.rs"]
mod tests;

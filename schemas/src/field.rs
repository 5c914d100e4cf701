//! A named, typed, repeated value, read in place.

use crate::wire::{self, Span};

/// Which kind of values a field holds; the numbers are those on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ValueType {
    /// Text, though any bytes are allowed.
    #[default]
    String = 0,
    /// Bytes that are not text.
    Bytes = 1,
    /// Whole numbers of 64 bits.
    Integer = 2,
    /// Floating-point numbers of 64 bits.
    Double = 3,
    /// Truth values.
    Bool = 4,
}

impl ValueType {
    /// The type with this number on the wire.
    pub fn from_number(number: i64) -> Option<ValueType> {
        Some(match number {
            0 => ValueType::String,
            1 => ValueType::Bytes,
            2 => ValueType::Integer,
            3 => ValueType::Double,
            4 => ValueType::Bool,
            _ => return None,
        })
    }

    /// Tag of the list that holds values of this type.
    #[inline]
    pub(crate) fn tag(self) -> u32 {
        4 + self as u32
    }

    /// Key of one value of this type.
    #[inline]
    pub(crate) fn key(self) -> u32 {
        let wire_type = match self {
            ValueType::String | ValueType::Bytes => wire::LENGTH,
            ValueType::Integer | ValueType::Bool => wire::VARINT,
            ValueType::Double => wire::FIXED64,
        };
        self.tag() << 3 | wire_type
    }

    /// Key of a packed list of values of this type; for strings and bytes, which are never packed, [`ValueType::key`].
    #[inline]
    pub(crate) fn packed_key(self) -> u32 {
        self.tag() << 3 | wire::LENGTH
    }
}

/// One value of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'m> {
    /// Text, though any bytes are allowed.
    String(&'m [u8]),
    /// Bytes that are not text.
    Bytes(&'m [u8]),
    /// A whole number.
    Integer(i64),
    /// A floating-point number.
    Double(f64),
    /// A truth value.
    Bool(bool),
}

impl<'m> Value<'m> {
    /// The bytes of a string or bytes value.
    #[inline]
    pub fn as_bytes(&self) -> Option<&'m [u8]> {
        match self {
            Value::String(bytes) | Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The number of an integer or double value, as Lua sees it: integers above 2^53 are rounded.
    #[inline]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Integer(number) => Some(*number as f64),
            Value::Double(number) => Some(*number),
            _ => None,
        }
    }
}

/// Where the parts of a field are in the message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub name: Span,
    /// Offset of the key of the first value of the field's own type; the end of the field if there is none.
    pub first_value: u32,
    /// Offset of the first byte of the field.
    pub start: u32,
    pub value_type: ValueType,
}

/// Reads the parts of the field at `span`, and checks all of it. `None` if it is broken or has no name.
// Inlined, because an entry that is answered in memory piece by piece and then copied as a whole stalls the processor:
// that took a third of the time of parsing.
#[inline(always)]
pub(crate) fn parse_field(message: &[u8], span: Span) -> Option<Entry> {
    // Nothing in a field may reach beyond its end.
    let bytes = &message[..span.end as usize];
    let mut entry = Entry {
        name: Span::default(),
        first_value: span.end,
        start: span.start,
        value_type: ValueType::String,
    };
    let mut at = span.start as usize;
    let mut first_tag = 0;
    while at < bytes.len() {
        let start = at;
        let (key, behind_key) = wire::key(bytes, at)?;
        match key {
            0x0A => {
                entry.name = wire::length_delimited(bytes, behind_key)?;
                at = entry.name.end as usize;
                continue;
            }
            0x10 => {
                let (number, end) = wire::varint(bytes, behind_key)?;
                // As protobuf has it: a number that nobody knows counts as absent.
                entry.value_type =
                    ValueType::from_number(i64::from(number as i32)).unwrap_or_default();
                at = end;
                continue;
            }
            0x22 | 0x2A => at = wire::length_delimited(bytes, behind_key)?.end as usize,
            0x30 | 0x40 => at = wire::varint(bytes, behind_key)?.1,
            0x39 => at = wire::fixed(bytes, behind_key, 8)?,
            0x32 | 0x3A | 0x42 => at = check_packed(bytes, key, behind_key)?,
            0x1A => {
                at = wire::length_delimited(bytes, behind_key)?.end as usize;
                continue;
            }
            _ if key >> 3 <= 8 => return None,
            _ => {
                at = wire::skip(bytes, key, behind_key)?;
                continue;
            }
        }
        if first_tag == 0 {
            first_tag = key >> 3;
            entry.first_value = start as u32;
        }
    }
    if first_tag != 0 && first_tag != entry.value_type.tag() {
        entry.first_value = find_value(bytes, entry.first_value as usize, entry.value_type) as u32;
    }
    // A name may be empty, but its key is there.
    (entry.name.end != 0).then_some(entry)
}

/// The name of the field at `span`. The name comes first in every field that any encoder writes.
#[inline(always)]
pub(crate) fn field_name(message: &[u8], span: Span) -> Option<&[u8]> {
    let bytes = &message[..span.end as usize];
    let at = span.start as usize;
    if bytes.get(at) == Some(&0x0A) {
        return wire::length_delimited(bytes, at + 1).map(|name| name.of(bytes));
    }
    parse_field(message, span).map(|entry| entry.name.of(bytes))
}

/// The value of a field that begins with its name and has one value and nothing behind it: what nearly every field looks
/// like. `None` for any other, which has to be read in full.
///
/// Answers piece by piece, without an [`Entry`] in between: that would be written to memory and read back.
#[inline(always)]
pub(crate) fn single_value(bytes: &[u8], behind_name: usize) -> Option<Value<'_>> {
    let rest = bytes.get(behind_name..)?;
    match *rest {
        [0x22, len, ref text @ ..] if len < 0x80 && text.len() == usize::from(len) => {
            Some(Value::String(text))
        }
        [0x10, 3, 0x39, ref double @ ..] => {
            let double: [u8; 8] = double.try_into().ok()?;
            Some(Value::Double(f64::from_le_bytes(double)))
        }
        [0x10, 2, 0x30, ref number @ ..] => match wire::varint(number, 0)? {
            (value, end) if end == number.len() => Some(Value::Integer(value as i64)),
            _ => None,
        },
        [0x10, 4, 0x40, truth] if truth < 0x80 => Some(Value::Bool(truth != 0)),
        _ => None,
    }
}

/// Whether `name` is what [`field_name`] reads.
#[inline(always)]
pub(crate) fn is_first_name(message: &[u8], span: Span, name: Span) -> bool {
    let at = span.start as usize;
    let bytes = &message[..span.end as usize];
    bytes.get(at) != Some(&0x0A) || wire::length_delimited(bytes, at + 1) == Some(name)
}

/// Checks that a packed list consists of whole values; answers the offset behind it.
fn check_packed(bytes: &[u8], key: u32, at: usize) -> Option<usize> {
    let span = wire::length_delimited(bytes, at)?;
    let values = span.of(bytes);
    if key == ValueType::Double.packed_key() {
        return values.len().is_multiple_of(8).then_some(span.end as usize);
    }
    let mut at = 0;
    while at < values.len() {
        at = wire::varint(values, at)?.1;
    }
    Some(span.end as usize)
}

/// Offset of the first key at or behind `at` that holds values of this type, or the end. The field was checked before.
#[cold]
fn find_value(bytes: &[u8], mut at: usize, value_type: ValueType) -> usize {
    while let Some((key, behind_key)) = wire::key(bytes, at) {
        if key >> 3 == value_type.tag() {
            return at;
        }
        match wire::skip(bytes, key, behind_key) {
            Some(end) => at = end,
            None => break,
        }
    }
    bytes.len()
}

/// A field being read: cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct FieldView<'m> {
    /// The message up to the end of the field.
    bytes: &'m [u8],
    entry: Entry,
}

impl<'m> FieldView<'m> {
    /// Reads the field at `span`; `None` if it is broken.
    #[inline]
    pub(crate) fn parse(message: &'m [u8], span: Span) -> Option<FieldView<'m>> {
        let entry = parse_field(message, span)?;
        Some(FieldView {
            bytes: &message[..span.end as usize],
            entry,
        })
    }

    /// Its name.
    #[inline]
    pub fn name(&self) -> &'m [u8] {
        self.entry.name.of(self.bytes)
    }

    /// Which kind of values it holds.
    #[inline]
    pub fn value_type(&self) -> ValueType {
        self.entry.value_type
    }

    /// How to read the values, for example their unit.
    pub fn representation(&self) -> Option<&'m [u8]> {
        let mut at = self.entry.start as usize;
        let mut found = None;
        while let Some((key, behind_key)) = wire::key(self.bytes, at) {
            if key == 0x1A {
                found = Some(wire::length_delimited(self.bytes, behind_key)?.of(self.bytes));
            }
            at = wire::skip(self.bytes, key, behind_key)?;
        }
        found
    }

    /// The `idx`th value, from 0.
    #[inline]
    pub fn value(&self, idx: usize) -> Option<Value<'m>> {
        self.values().nth(idx)
    }

    /// All values of the field's type, in the order of the message.
    #[inline]
    pub fn values(&self) -> Values<'m> {
        let at = self.entry.first_value as usize;
        Values {
            bytes: self.bytes,
            at,
            packed_end: at,
            value_type: self.entry.value_type,
        }
    }

    /// How many values it has.
    pub fn len(&self) -> usize {
        self.values().count()
    }

    /// Whether it has no value at all.
    pub fn is_empty(&self) -> bool {
        self.values().next().is_none()
    }
}

/// The values of a field, see [`FieldView::values`].
#[derive(Clone, Debug)]
pub struct Values<'m> {
    /// The message up to the end of the field.
    bytes: &'m [u8],
    /// Where to read on: a value if before `packed_end`, else a key.
    at: usize,
    packed_end: usize,
    value_type: ValueType,
}

impl<'m> Iterator for Values<'m> {
    type Item = Value<'m>;

    #[inline]
    fn next(&mut self) -> Option<Value<'m>> {
        if self.at < self.packed_end {
            return self.read();
        }
        while self.at < self.bytes.len() {
            let (key, at) = wire::key(self.bytes, self.at)?;
            if key == self.value_type.key() {
                self.at = at;
                return self.read();
            }
            if key == self.value_type.packed_key() {
                let span = wire::length_delimited(self.bytes, at)?;
                (self.at, self.packed_end) = (span.start as usize, span.end as usize);
                if span.len() > 0 {
                    return self.read();
                }
            } else {
                self.at = wire::skip(self.bytes, key, at)?;
            }
        }
        None
    }

    /// Jumps over the doubles of a packed list, so that reading a list by position costs the same at each one.
    #[inline]
    fn nth(&mut self, idx: usize) -> Option<Value<'m>> {
        let mut left = idx;
        while left > 0 {
            let doubles = (self.packed_end.saturating_sub(self.at)) / 8;
            if self.value_type == ValueType::Double && doubles > 0 {
                let step = doubles.min(left);
                self.at += 8 * step;
                left -= step;
            } else {
                self.next()?;
                left -= 1;
            }
        }
        self.next()
    }
}

impl<'m> Values<'m> {
    /// Reads the value at `at`.
    #[inline]
    fn read(&mut self) -> Option<Value<'m>> {
        let (bytes, at) = (self.bytes, self.at);
        Some(match self.value_type {
            ValueType::String | ValueType::Bytes => {
                let span = wire::length_delimited(bytes, at)?;
                self.at = span.end as usize;
                let value = span.of(bytes);
                if self.value_type == ValueType::String {
                    Value::String(value)
                } else {
                    Value::Bytes(value)
                }
            }
            ValueType::Integer | ValueType::Bool => {
                let (number, end) = wire::varint(bytes, at)?;
                self.at = end;
                if self.value_type == ValueType::Integer {
                    Value::Integer(number as i64)
                } else {
                    Value::Bool(number != 0)
                }
            }
            ValueType::Double => {
                let value = bytes.get(at..)?.first_chunk::<8>()?;
                self.at = at + 8;
                Value::Double(f64::from_le_bytes(*value))
            }
        })
    }
}

//! The values of a document as the validator sees them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::{Deref, Range};

use jsonschema::JsonType;
use jsonschema::json::{Array, Json, JsonNumber, Node, NodeIdentity, Object};
use serde_json::Value as Serde;

use super::meter::{step, step_text, violation};
use crate::document::{self, Document};

/// A document while it is validated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Looked<'d> {
    document: &'d Document,
    /// All its texts as one, if that is UTF-8: then none of them has to be looked at once more.
    utf8: Option<&'d str>,
}

impl<'d> Looked<'d> {
    pub(super) fn new(document: &'d Document) -> Looked<'d> {
        Looked {
            document,
            utf8: std::str::from_utf8(document.texts()).ok(),
        }
    }

    /// A text, with replacement characters for what is no UTF-8.
    #[inline]
    fn string(&self, at: u32, len: u32) -> Cow<'d, str> {
        step_text(len as usize);
        let range = at as usize..(at + len) as usize;
        match self.utf8.and_then(|all| all.get(range)) {
            Some(text) => Cow::Borrowed(text),
            None => String::from_utf8_lossy(self.document.text(at, len)),
        }
    }
}

impl Deref for Looked<'_> {
    type Target = Document;

    #[inline]
    fn deref(&self) -> &Document {
        self.document
    }
}

/// The representation: values of documents.
#[derive(Debug)]
pub(super) struct Documents;

/// A value of a document, or a name of a member, which some keywords look at as if it were a value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'d> {
    At(&'d Looked<'d>, u32),
    Name(&'d str),
}

impl<'d> Value<'d> {
    pub(super) fn of(document: &'d Looked<'d>, place: u32) -> Value<'d> {
        Value::At(document, place)
    }

    #[inline]
    fn node(&self) -> document::Node {
        match self {
            Value::At(document, place) => document.node(*place),
            // Only its kind matters.
            Value::Name(_) => document::Node::String(0, 0),
        }
    }

    /// Its bytes, if it is a text.
    #[inline]
    fn bytes(&self) -> Option<&'d [u8]> {
        match *self {
            Value::At(document, place) => match document.node(place) {
                document::Node::String(at, len) => Some(document.text(at, len)),
                _ => None,
            },
            Value::Name(name) => Some(name.as_bytes()),
        }
    }
}

impl Json for Documents {
    type Node<'a> = Value<'a>;
    type PreparedKey = String;
    type StringBuffer = String;

    // Members are looked for one by one.
    const KEYS_PER_LOOKUP: usize = 4;
    const ACYCLIC: bool = true;

    fn prepare_key(key: &str) -> String {
        key.to_owned()
    }

    fn with_string_node<T>(
        buffer: &mut String,
        string: &str,
        look: impl FnOnce(Value<'_>) -> T,
    ) -> T {
        buffer.clear();
        buffer.push_str(string);
        look(Value::Name(buffer))
    }
}

/// A number of a document.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Integer(i64),
    Unsigned(u64),
    Double(f64),
}

impl JsonNumber for Number {
    fn as_u64(&self) -> Option<u64> {
        match *self {
            Number::Integer(number) => number.try_into().ok(),
            Number::Unsigned(number) => Some(number),
            Number::Double(_) => None,
        }
    }

    fn as_i64(&self) -> Option<i64> {
        match *self {
            Number::Integer(number) => Some(number),
            _ => None,
        }
    }

    fn as_f64(&self) -> Option<f64> {
        Some(match *self {
            Number::Integer(number) => number as f64,
            Number::Unsigned(number) => number as f64,
            Number::Double(number) => number,
        })
    }

    fn as_str(&self) -> Cow<'_, str> {
        Cow::Owned(self.to_number().to_string())
    }

    fn to_number(&self) -> Cow<'_, serde_json::Number> {
        Cow::Owned(match *self {
            Number::Integer(number) => number.into(),
            Number::Unsigned(number) => number.into(),
            Number::Double(number) => {
                serde_json::Number::from_f64(number).expect("a document has finite numbers only")
            }
        })
    }

    fn is_integer(&self) -> bool {
        match *self {
            Number::Integer(_) | Number::Unsigned(_) => true,
            Number::Double(number) => number.fract() == 0.0,
        }
    }

    fn is_written_as_integer(&self) -> bool {
        !matches!(self, Number::Double(_))
    }
}

impl<'a> Node<'a, Documents> for Value<'a> {
    type Object = Members<'a>;
    type Array = Items<'a>;
    type Number = Number;

    #[inline]
    fn as_object(&self) -> Option<Members<'a>> {
        step(1);
        match (self, self.node()) {
            (&Value::At(document, place), document::Node::Object(first, len)) => Some(Members {
                document,
                place,
                first,
                len,
            }),
            _ => None,
        }
    }

    #[inline]
    fn as_array(&self) -> Option<Items<'a>> {
        step(1);
        match (self, self.node()) {
            (&Value::At(document, place), document::Node::Array(first, len)) => Some(Items {
                document,
                place,
                first,
                len,
            }),
            _ => None,
        }
    }

    #[inline]
    fn as_string(&self) -> Option<Cow<'a, str>> {
        match *self {
            Value::Name(name) => {
                step_text(name.len());
                Some(Cow::Borrowed(name))
            }
            Value::At(document, place) => match document.node(place) {
                document::Node::String(at, len) => Some(document.string(at, len)),
                _ => None,
            },
        }
    }

    #[inline]
    fn as_number(&self) -> Option<Number> {
        step(1);
        Some(match self.node() {
            document::Node::Integer(number) => Number::Integer(number),
            document::Node::Unsigned(number) => Number::Unsigned(number),
            document::Node::Double(number) => Number::Double(number),
            _ => return None,
        })
    }

    fn as_boolean(&self) -> Option<bool> {
        step(1);
        match self.node() {
            document::Node::Boolean(truth) => Some(truth),
            _ => None,
        }
    }

    fn is_null(&self) -> bool {
        step(1);
        matches!(self.node(), document::Node::Null | document::Node::Removed)
    }

    #[inline]
    fn json_type(&self) -> JsonType {
        step(1);
        match self.node() {
            document::Node::Null | document::Node::Removed => JsonType::Null,
            document::Node::Boolean(_) => JsonType::Boolean,
            document::Node::Integer(_)
            | document::Node::Unsigned(_)
            | document::Node::Double(_) => JsonType::Number,
            document::Node::String(..) => JsonType::String,
            document::Node::Array(..) => JsonType::Array,
            document::Node::Object(..) => JsonType::Object,
        }
    }

    /// Nests no deeper than the schema that `expected` is a part of.
    fn equals_value(&self, expected: &Serde) -> bool {
        step(1);
        match (expected, self.json_type()) {
            (Serde::Null, JsonType::Null) => true,
            (Serde::Bool(truth), _) => self.as_boolean() == Some(*truth),
            (Serde::Number(number), _) => self.as_number().is_some_and(|own| {
                jsonschema::json::cmp::equal(
                    &Serde::Number(own.to_number().into_owned()),
                    &Serde::Number(number.clone()),
                )
            }),
            (Serde::String(text), JsonType::String) => self.bytes() == Some(text.as_bytes()),
            (Serde::Array(expected), _) => self.as_array().is_some_and(|own| {
                own.len() == expected.len()
                    && own
                        .elements()
                        .zip(expected)
                        .all(|(own, expected)| own.equals_value(expected))
            }),
            (Serde::Object(expected), _) => self.as_object().is_some_and(|own| {
                own.len() == expected.len()
                    && expected.iter().all(|(key, expected)| {
                        own.get(key).is_some_and(|own| own.equals_value(expected))
                    })
            }),
            _ => false,
        }
    }

    /// Nothing: each error is made with it, and they are told by the places that they name. What compares values does it by
    /// [`Node::equals_value`] and [`Array::is_unique`].
    fn to_value(&self) -> Cow<'a, Serde> {
        violation();
        Cow::Owned(Serde::Null)
    }

    #[inline]
    fn identity(&self) -> Option<NodeIdentity> {
        Some(match self {
            Value::At(document, place) => NodeIdentity::new(document.address(*place)),
            Value::Name(name) => NodeIdentity::new(name.as_ptr() as usize),
        })
    }
}

/// The members of an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Members<'d> {
    document: &'d Looked<'d>,
    place: u32,
    first: u32,
    len: u32,
}

impl<'a> Object<'a, Documents> for Members<'a> {
    type Node = Value<'a>;
    type MemberName = Cow<'a, str>;
    type MembersIter = MembersIter<'a>;

    fn len(&self) -> usize {
        self.document.count(self.place)
    }

    #[inline]
    fn get(&self, key: &String) -> Option<Value<'a>> {
        /// Members whose names are compared in one step.
        const MEMBERS_PER_STEP: u64 = 8;
        step(1 + u64::from(self.len) / MEMBERS_PER_STEP);
        let place = self.document.member(self.place, key.as_bytes())?;
        Some(Value::At(self.document, place))
    }

    #[inline]
    fn members(&self) -> MembersIter<'a> {
        MembersIter {
            document: self.document,
            first: self.first,
            rest: 0..self.len,
        }
    }
}

/// The members of an object, one after the other.
#[derive(Debug)]
pub(super) struct MembersIter<'d> {
    document: &'d Looked<'d>,
    first: u32,
    rest: Range<u32>,
}

impl<'d> Iterator for MembersIter<'d> {
    type Item = (Cow<'d, str>, Value<'d>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (document, first) = (self.document, self.first);
        let mut keys = self.rest.by_ref().map(|i| first + 2 * i);
        let key = keys.find(|key| !document.is_hole(key + 1))?;
        let name = match document.node(key) {
            document::Node::String(at, len) => document.string(at, len),
            _ => Cow::Borrowed(""),
        };
        Some((name, Value::At(document, key + 1)))
    }
}

/// The items of an array.
#[derive(Clone, Copy, Debug)]
pub(super) struct Items<'d> {
    document: &'d Looked<'d>,
    place: u32,
    first: u32,
    len: u32,
}

impl<'a> Array<'a, Documents> for Items<'a> {
    type Node = Value<'a>;
    type ElementsIter = ItemsIter<'a>;

    fn len(&self) -> usize {
        self.document.count(self.place)
    }

    #[inline]
    fn elements(&self) -> ItemsIter<'a> {
        ItemsIter {
            document: self.document,
            rest: self.first..self.first + self.len,
        }
    }

    fn is_unique(&self) -> bool {
        duplicates(self.document, self.first, self.len).is_none()
    }
}

/// The items of an array, one after the other.
#[derive(Debug)]
pub(super) struct ItemsIter<'d> {
    document: &'d Looked<'d>,
    rest: Range<u32>,
}

impl<'d> Iterator for ItemsIter<'d> {
    type Item = Value<'d>;

    #[inline]
    fn next(&mut self) -> Option<Value<'d>> {
        let place = self
            .rest
            .by_ref()
            .find(|&place| !self.document.is_hole(place))?;
        step(1);
        Some(Value::At(self.document, place))
    }
}

/// The first two items of an array that are equal, counted from 0.
pub(super) fn duplicates(document: &Document, first: u32, len: u32) -> Option<(usize, usize)> {
    let mut seen = HashMap::new();
    for (i, place) in document.items(first, len).enumerate() {
        let mut text = Vec::new();
        canonical(document, place, &mut text);
        if let Some(before) = seen.insert(text, i) {
            return Some((before, i));
        }
    }
    None
}

/// Appends bytes that are the same for equal values only: members in the order of their names, numbers by their value.
fn canonical(document: &Document, place: u32, out: &mut Vec<u8>) {
    step(1);
    match document.node(place) {
        document::Node::Object(first, len) => {
            let mut members: Vec<_> = document.members(first, len).collect();
            members.sort_by_key(|&(key, _)| key);
            out.push(b'{');
            for (key, value) in members {
                text(key, out);
                canonical(document, value, out);
            }
            out.push(b'}');
        }
        document::Node::Array(first, len) => {
            out.push(b'[');
            for item in document.items(first, len) {
                canonical(document, item, out);
            }
            out.push(b']');
        }
        document::Node::String(at, len) => text(document.text(at, len), out),
        document::Node::Double(number) if is_whole(number) => {
            out.extend_from_slice(format!("i{}", number as i64).as_bytes());
        }
        document::Node::Double(number) => {
            out.push(b'd');
            out.extend_from_slice(&number.to_bits().to_le_bytes());
        }
        document::Node::Integer(number) => out.extend_from_slice(format!("i{number}").as_bytes()),
        document::Node::Unsigned(number) => out.extend_from_slice(format!("i{number}").as_bytes()),
        document::Node::Boolean(truth) => out.push(if truth { b't' } else { b'f' }),
        document::Node::Null | document::Node::Removed => out.push(b'n'),
    }
}

fn is_whole(number: f64) -> bool {
    /// Up to here whole doubles are whole numbers of 64 bits.
    const WHOLE_MAX: f64 = 9e18;
    number.fract() == 0.0 && number.abs() < WHOLE_MAX
}

fn text(bytes: &[u8], out: &mut Vec<u8>) {
    step_text(bytes.len());
    out.push(b's');
    out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    out.extend_from_slice(bytes);
}

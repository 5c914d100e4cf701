//! A message being built or kept: headers and fields, owned.
//!
//! For tests, tools and dead letters. On the data path messages stay bytes, see [`crate::view`] and [`crate::encode`].

use crate::encode::Encoder;
use crate::field::{FieldView, Value, ValueType};
use crate::view::{DecodeError, Index, View};

/// A whole message. Text is bytes, as plugins may put any bytes into it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    /// Identifier; without one the message is not valid.
    pub uuid: Option<[u8; 16]>,
    /// Nanoseconds since 1970.
    pub timestamp: i64,
    /// What kind of message it is.
    pub type_: Option<Vec<u8>>,
    /// Where it comes from.
    pub logger: Option<Vec<u8>>,
    /// Syslog severity; readers take an absent one for 7.
    pub severity: Option<i32>,
    /// Free text.
    pub payload: Option<Vec<u8>>,
    /// Version of the sender's environment.
    pub env_version: Option<Vec<u8>>,
    /// Process id of the sender.
    pub pid: Option<i32>,
    /// Name of the sender's machine.
    pub hostname: Option<Vec<u8>>,
    /// Everything else, in order; names may repeat.
    pub fields: Vec<Field>,
}

/// A named, typed, repeated value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: Vec<u8>,
    /// How to read the values, for example their unit.
    pub representation: Option<Vec<u8>>,
    /// Its values.
    pub value: FieldValue,
}

/// The values of a field: any number of one type.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldValue {
    /// Text, though any bytes are allowed.
    String(Vec<Vec<u8>>),
    /// Bytes that are not text.
    Bytes(Vec<Vec<u8>>),
    /// Whole numbers.
    Integer(Vec<i64>),
    /// Floating-point numbers.
    Double(Vec<f64>),
    /// Truth values.
    Bool(Vec<bool>),
}

impl Default for FieldValue {
    fn default() -> FieldValue {
        FieldValue::String(Vec::new())
    }
}

impl Message {
    /// A message with the two headers that each one must have.
    pub fn new(uuid: [u8; 16], timestamp: i64) -> Message {
        Message {
            uuid: Some(uuid),
            timestamp,
            ..Message::default()
        }
    }

    /// Decodes a message.
    ///
    /// # Errors
    /// If the bytes are not a message, or a required header is missing.
    pub fn decode(bytes: &[u8]) -> Result<Message, DecodeError> {
        let mut index = Index::default();
        index.parse(bytes)?;
        index.check_required()?;
        Ok(Message::from(index.view(bytes)))
    }

    /// Appends the encoded message, in Hindsight's layout.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut encoder = Encoder::new(out);
        if let Some(uuid) = &self.uuid {
            encoder.uuid(uuid);
        }
        encoder.timestamp(self.timestamp);
        some(&self.type_, |text| encoder.type_(text));
        some(&self.logger, |text| encoder.logger(text));
        if let Some(severity) = self.severity {
            encoder.severity(severity);
        }
        some(&self.payload, |text| encoder.payload(text));
        some(&self.env_version, |text| encoder.env_version(text));
        if let Some(pid) = self.pid {
            encoder.pid(pid);
        }
        some(&self.hostname, |text| encoder.hostname(text));
        for field in &self.fields {
            field.encode(&mut encoder);
        }
    }

    /// The encoded message.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode(&mut out);
        out
    }

    /// The first field with this name.
    pub fn field(&self, name: &[u8]) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

fn some(text: &Option<Vec<u8>>, write: impl FnOnce(&[u8])) {
    if let Some(text) = text {
        write(text);
    }
}

impl From<View<'_>> for Message {
    fn from(view: View<'_>) -> Message {
        let owned = |text: Option<&[u8]>| text.map(<[u8]>::to_vec);
        Message {
            uuid: view.uuid().and_then(|uuid| uuid.try_into().ok()),
            timestamp: view.timestamp(),
            type_: owned(view.type_()),
            logger: owned(view.logger()),
            severity: view.severity_given(),
            payload: owned(view.payload()),
            env_version: owned(view.env_version()),
            pid: view.pid(),
            hostname: owned(view.hostname()),
            fields: view.fields().map(Field::from).collect(),
        }
    }
}

impl Field {
    /// A field with one string.
    pub fn string(name: &str, value: impl AsRef<[u8]>) -> Field {
        Field::with(name, FieldValue::String(vec![value.as_ref().to_vec()]))
    }

    /// A field with one value of bytes.
    pub fn bytes(name: &str, value: impl AsRef<[u8]>) -> Field {
        Field::with(name, FieldValue::Bytes(vec![value.as_ref().to_vec()]))
    }

    /// A field with one integer.
    pub fn integer(name: &str, value: i64) -> Field {
        Field::with(name, FieldValue::Integer(vec![value]))
    }

    /// A field with one double.
    pub fn double(name: &str, value: f64) -> Field {
        Field::with(name, FieldValue::Double(vec![value]))
    }

    /// A field with one truth value.
    pub fn bool(name: &str, value: bool) -> Field {
        Field::with(name, FieldValue::Bool(vec![value]))
    }

    /// A field with these values.
    pub fn with(name: &str, value: FieldValue) -> Field {
        Field {
            name: name.as_bytes().to_vec(),
            representation: None,
            value,
        }
    }

    fn encode(&self, encoder: &mut Encoder<'_>) {
        let mark = encoder.field_begin(&self.name);
        encoder.value_type(self.value.value_type());
        some(&self.representation, |text| encoder.representation(text));
        self.value.encode(encoder);
        encoder.field_end(mark);
    }
}

impl From<FieldView<'_>> for Field {
    fn from(field: FieldView<'_>) -> Field {
        Field {
            name: field.name().to_vec(),
            representation: field.representation().map(<[u8]>::to_vec),
            value: FieldValue::from(field),
        }
    }
}

impl FieldValue {
    /// The type of the values.
    pub fn value_type(&self) -> ValueType {
        match self {
            FieldValue::String(_) => ValueType::String,
            FieldValue::Bytes(_) => ValueType::Bytes,
            FieldValue::Integer(_) => ValueType::Integer,
            FieldValue::Double(_) => ValueType::Double,
            FieldValue::Bool(_) => ValueType::Bool,
        }
    }

    fn encode(&self, encoder: &mut Encoder<'_>) {
        match self {
            FieldValue::String(values) => values.iter().for_each(|v| encoder.string_value(v)),
            FieldValue::Bytes(values) => values.iter().for_each(|v| encoder.bytes_value(v)),
            FieldValue::Integer(values) => match values[..] {
                [value] => encoder.integer_value(value),
                _ => self.encode_packed(encoder, values, Encoder::packed_integer),
            },
            FieldValue::Double(values) => match values[..] {
                [value] => encoder.double_value(value),
                _ => self.encode_packed(encoder, values, Encoder::packed_double),
            },
            FieldValue::Bool(values) => match values[..] {
                [value] => encoder.bool_value(value),
                _ => self.encode_packed(encoder, values, Encoder::packed_bool),
            },
        }
    }

    /// Encodes a list of numbers; an empty one leaves no trace but its type.
    fn encode_packed<'b, T: Copy>(
        &self,
        encoder: &mut Encoder<'b>,
        values: &[T],
        push: impl Fn(&mut Encoder<'b>, T),
    ) {
        if values.is_empty() {
            return;
        }
        let mark = encoder.packed_begin(self.value_type());
        for &value in values {
            push(encoder, value);
        }
        encoder.packed_end(mark);
    }
}

impl From<FieldView<'_>> for FieldValue {
    fn from(field: FieldView<'_>) -> FieldValue {
        let values = field.values();
        let owned = |value: Value<'_>| value.as_bytes().map(<[u8]>::to_vec);
        match field.value_type() {
            ValueType::String => FieldValue::String(values.filter_map(owned).collect()),
            ValueType::Bytes => FieldValue::Bytes(values.filter_map(owned).collect()),
            ValueType::Integer => FieldValue::Integer(
                values
                    .filter_map(|value| match value {
                        Value::Integer(number) => Some(number),
                        _ => None,
                    })
                    .collect(),
            ),
            ValueType::Double => FieldValue::Double(values.filter_map(|v| v.as_f64()).collect()),
            ValueType::Bool => FieldValue::Bool(
                values
                    .filter_map(|value| match value {
                        Value::Bool(truth) => Some(truth),
                        _ => None,
                    })
                    .collect(),
            ),
        }
    }
}

#[cfg(test)]
#[path = "message_tests.rs"]
pub(crate) mod tests;

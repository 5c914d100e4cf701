//! Tests of `message.rs`: there and back, and against `prost`.

use proptest::prelude::*;
use prost::Message as _;

use super::*;
use crate::proto;

/// Any message.
pub(crate) fn message() -> impl Strategy<Value = Message> {
    let text = || prop::option::of(prop::collection::vec(any::<u8>(), 0..40));
    let headers = (text(), text(), text(), text(), text());
    let numbers = (any::<i64>(), any::<Option<i32>>(), any::<Option<i32>>());
    let fields = prop::collection::vec(field(), 0..6);
    (any::<[u8; 16]>(), headers, numbers, fields).prop_map(|(uuid, headers, numbers, fields)| {
        let (type_, logger, payload, env_version, hostname) = headers;
        let (timestamp, severity, pid) = numbers;
        let uuid = Some(uuid);
        Message {
            uuid,
            timestamp,
            type_,
            logger,
            severity,
            payload,
            env_version,
            pid,
            hostname,
            fields,
        }
    })
}

fn field() -> impl Strategy<Value = Field> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..200);
    (bytes(), prop::option::of(bytes()), value()).prop_map(|(name, representation, value)| Field {
        name,
        representation,
        value,
    })
}

fn value() -> impl Strategy<Value = FieldValue> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..200);
    prop_oneof![
        prop::collection::vec(bytes(), 0..4).prop_map(FieldValue::String),
        prop::collection::vec(bytes(), 0..4).prop_map(FieldValue::Bytes),
        prop::collection::vec(any::<i64>(), 0..40).prop_map(FieldValue::Integer),
        // Without NaN, which is not equal to itself.
        prop::collection::vec(-1e300f64..1e300, 0..40).prop_map(FieldValue::Double),
        prop::collection::vec(any::<bool>(), 0..200).prop_map(FieldValue::Bool),
    ]
}

proptest! {
    #[test]
    fn what_we_encode_we_decode(message in message()) {
        prop_assert_eq!(Message::decode(&message.to_bytes()), Ok(message));
    }

    #[test]
    fn what_we_encode_prost_decodes(message in message()) {
        let bytes = message.to_bytes();
        crate::validate(&bytes).expect("it is a message");
        let oracle = proto::Message::decode(&bytes[..]).expect("it is protobuf");
        prop_assert_eq!(&oracle.uuid[..], &message.uuid.expect("it has one")[..]);
        prop_assert_eq!(oracle.timestamp, message.timestamp);
        prop_assert_eq!(&oracle.r#type, &message.type_);
        prop_assert_eq!(&oracle.logger, &message.logger);
        prop_assert_eq!(oracle.severity, message.severity);
        prop_assert_eq!(&oracle.payload, &message.payload);
        prop_assert_eq!(&oracle.env_version, &message.env_version);
        prop_assert_eq!(oracle.pid, message.pid);
        prop_assert_eq!(&oracle.hostname, &message.hostname);
        prop_assert_eq!(oracle.fields.len(), message.fields.len());
        for (theirs, ours) in oracle.fields.iter().zip(&message.fields) {
            prop_assert_eq!(&theirs.name, &ours.name);
            prop_assert_eq!(&theirs.representation, &ours.representation);
            let values = match theirs.value_type() as i32 {
                0 => FieldValue::String(theirs.value_string.clone()),
                1 => FieldValue::Bytes(theirs.value_bytes.clone()),
                2 => FieldValue::Integer(theirs.value_integer.clone()),
                3 => FieldValue::Double(theirs.value_double.clone()),
                _ => FieldValue::Bool(theirs.value_bool.clone()),
            };
            prop_assert_eq!(&values, &ours.value);
        }
    }
}

#[test]
fn lists_of_one_are_written_as_single_values() {
    let mut message = Message::new([7; 16], 0);
    message.fields = vec![
        Field::integer("a", 1),
        Field::double("b", 1.0),
        Field::bool("c", true),
    ];
    let bytes = message.to_bytes();
    let tail = &bytes[20..];
    assert_eq!(&tail[..9], b"\x52\x07\x0a\x01a\x10\x02\x30\x01");
    assert_eq!(&tail[9..16], b"\x52\x0e\x0a\x01b\x10\x03");
    assert_eq!(&tail[25..], b"\x52\x07\x0a\x01c\x10\x04\x40\x01");
}

#[test]
fn fields_are_found_by_name() {
    let mut message = Message::new([7; 16], 0);
    message.fields = vec![
        Field::string("a", "1"),
        Field::bytes("b", [2]),
        Field::string("a", "3"),
    ];
    assert_eq!(message.field(b"a"), Some(&Field::string("a", "1")));
    assert_eq!(message.field(b"b"), Some(&Field::bytes("b", [2])));
    assert_eq!(message.field(b"c"), None);
}

#[test]
fn a_message_without_its_required_headers_is_not_decoded() {
    let message = Message {
        uuid: None,
        ..Message::default()
    };
    assert_eq!(
        Message::decode(&message.to_bytes()),
        Err(DecodeError::Missing {
            uuid: false,
            timestamp: true
        })
    );
}

//! Tests of `json.rs`: what it looks like, and that nothing is lost.

use base64::Engine as _;
use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;
use crate::message::{Field, FieldValue, Message};
use crate::view::Index;

fn to_json(message: &Message) -> String {
    let bytes = message.to_bytes();
    let mut index = Index::default();
    index.parse(&bytes).expect("we encoded it");
    let mut out = Vec::new();
    write_message(&index.view(&bytes), &mut out).expect("memory takes everything");
    String::from_utf8(out).expect("JSON is UTF-8")
}

fn check(message: &Message, expected: Expect) {
    expected.assert_eq(&to_json(message));
}

#[test]
fn a_full_message() {
    let uuid = *b"\x00\x11\x22\x33\x44\x55\x46\x77\xa8\x99\xaa\xbb\xcc\xdd\xee\xff";
    let mut message = Message::new(uuid, 1_500_000_000_123_456_789);
    message.type_ = Some(b"a \"quoted\" type\n".to_vec());
    message.logger = Some("caf\u{e9}\u{1}".into());
    message.severity = Some(6);
    message.payload = Some(b"\xff\xfe".to_vec());
    message.env_version = Some(Vec::new());
    message.pid = Some(-5);
    message.hostname = Some(b"web1".to_vec());
    let doubles = vec![0.25, 1.0, 1e300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    let mut took = Field::with("took", FieldValue::Double(doubles));
    took.representation = Some(b"s".to_vec());
    message.fields = vec![
        Field::string("status", "200"),
        Field::bytes("raw", b"\x00\x80"),
        Field::with("big", FieldValue::Integer(vec![i64::MIN, i64::MAX])),
        took,
        Field::bool("ok", true),
        Field::with("none", FieldValue::String(vec![])),
    ];
    check(
        &message,
        expect![[
            r#"{"Uuid":"00112233-4455-4677-a899-aabbccddeeff","Timestamp":1500000000123456789,"Type":"a \"quoted\" type\n","Logger":"café\u0001","Severity":6,"Payload":{"base64":"//4="},"EnvVersion":"","Pid":-5,"Hostname":"web1","Fields":[{"name":"status","value":["200"]},{"name":"raw","value_type":1,"value":[{"base64":"AIA="}]},{"name":"big","value_type":2,"value":[-9223372036854775808,9223372036854775807]},{"name":"took","value_type":3,"representation":"s","value":[0.25,1.0,1e+300,{"double":"nan"},{"double":"inf"},{"double":"-inf"}]},{"name":"ok","value_type":4,"value":[true]},{"name":"none","value":[]}]}"#
        ]],
    );
}

#[test]
fn an_empty_message() {
    check(&Message::default(), expect![[r#"{"Timestamp":0}"#]]);
}

fn bytes_of(json: &Json) -> Vec<u8> {
    match json {
        Json::String(text) => text.clone().into_bytes(),
        other => {
            let text = other["base64"]
                .as_str()
                .expect("what is no text is in base64");
            STANDARD.decode(text).expect("we encoded it")
        }
    }
}

/// Reads a message back, as the documentation of the module says.
fn from_json(json: &Json) -> Message {
    let text = |key: &str| json.get(key).map(bytes_of);
    let number = |key: &str| {
        json.get(key)
            .map(|n| n.as_i64().expect("an integer") as i32)
    };
    let fields = json.get("Fields").and_then(Json::as_array);
    Message {
        uuid: text("Uuid").and_then(|uuid| uuid::parse(&uuid)),
        timestamp: json["Timestamp"].as_i64().expect("an integer"),
        type_: text("Type"),
        logger: text("Logger"),
        severity: number("Severity"),
        payload: text("Payload"),
        env_version: text("EnvVersion"),
        pid: number("Pid"),
        hostname: text("Hostname"),
        fields: fields.into_iter().flatten().map(field_from_json).collect(),
    }
}

fn field_from_json(json: &Json) -> Field {
    let values = json["value"].as_array().expect("always a list");
    let value = match json
        .get("value_type")
        .map_or(0, |n| n.as_i64().expect("an integer"))
    {
        0 => FieldValue::String(values.iter().map(bytes_of).collect()),
        1 => FieldValue::Bytes(values.iter().map(bytes_of).collect()),
        2 => FieldValue::Integer(values.iter().filter_map(Json::as_i64).collect()),
        3 => FieldValue::Double(values.iter().filter_map(Json::as_f64).collect()),
        _ => FieldValue::Bool(values.iter().filter_map(Json::as_bool).collect()),
    };
    let representation = json.get("representation").map(bytes_of);
    Field {
        name: bytes_of(&json["name"]),
        representation,
        value,
    }
}

proptest! {
    #[test]
    fn every_message_can_be_had_back(message in crate::message::tests::message()) {
        let json: Json = serde_json::from_str(&to_json(&message)).expect("it is JSON");
        let back = from_json(&json);
        // JSON readers may be off by the last digit of a double, so these are compared in the test above.
        let without_doubles = |mut message: Message| {
            message.fields.retain(|field| !matches!(field.value, FieldValue::Double(_)));
            message
        };
        prop_assert_eq!(without_doubles(back), without_doubles(message));
    }
}

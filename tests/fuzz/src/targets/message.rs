//! Fuzzes the reading of a message, against what `prost` makes of the same bytes.

use prost::Message as _;
use schemas::message::{Field, FieldValue, Message};
use schemas::{Index, Value, View, proto};

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "message",
    about: "a Heka message: checks, view, rendering, and decoding against prost",
    run,
    seeds,
    words: &[
        b"\x0a\x10",
        b"\x10",
        b"\x52",
        b"\x0a\x00",
        b"\x10\x02",
        b"\x32",
        b"\x3a",
        b"\x42",
        b"\x22",
        b"\x2a",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    ],
    n_smoke: 20_000,
};

fn run(bytes: &[u8]) {
    let mut index = Index::default();
    let parsed = index.parse(bytes).is_ok();
    let valid = schemas::validate(bytes).is_ok();
    if valid {
        assert!(
            parsed && index.check_required().is_ok(),
            "valid, but cannot be read"
        );
    }
    if !parsed {
        return;
    }
    let view = index.view(bytes);
    touch(&view);
    let oracle = proto::Message::decode(bytes).expect("what we can read, prost can read");
    compare(&view, &oracle);
    if valid {
        round_trip(bytes);
    }
}

/// Everything that can be asked of a view must have an answer.
fn touch(view: &View<'_>) {
    for field in view.fields() {
        assert_eq!(
            field.values().count(),
            field.len(),
            "the number of values is not their number"
        );
        assert!(
            field.value(field.len()).is_none(),
            "a value behind the last one"
        );
        assert!(
            view.field(field.name(), 0).is_some(),
            "a field that cannot be found by its name"
        );
        let _ = (
            field.value(usize::MAX),
            view.field(field.name(), usize::MAX),
            field.representation(),
        );
    }
    let mut out = Vec::new();
    schemas::text::write_message(view, &mut out).expect("a vector takes everything");
    schemas::json::write_message(view, &mut out).expect("a vector takes everything");
}

fn compare(view: &View<'_>, oracle: &proto::Message) {
    if view.uuid().is_some() {
        assert_eq!(view.uuid(), Some(&oracle.uuid[..]), "uuid");
    }
    assert_eq!(view.timestamp(), oracle.timestamp, "timestamp");
    assert_eq!(view.type_(), oracle.r#type.as_deref(), "type");
    assert_eq!(view.logger(), oracle.logger.as_deref(), "logger");
    assert_eq!(view.severity(), oracle.severity(), "severity");
    assert_eq!(view.payload(), oracle.payload.as_deref(), "payload");
    assert_eq!(
        view.env_version(),
        oracle.env_version.as_deref(),
        "env_version"
    );
    assert_eq!(view.pid(), oracle.pid, "pid");
    assert_eq!(view.hostname(), oracle.hostname.as_deref(), "hostname");
    assert_eq!(view.fields_len(), oracle.fields.len(), "number of fields");
    for (field, expected) in view.fields().zip(&oracle.fields) {
        assert_eq!(field.name(), expected.name, "name of a field");
        assert_eq!(
            field.representation(),
            expected.representation.as_deref(),
            "representation"
        );
        let values: Vec<Value<'_>> = field.values().collect();
        assert!(
            same(&values, &oracle_values(field.value_type() as i64, expected)),
            "values of a field"
        );
    }
}

fn oracle_values(value_type: i64, field: &proto::Field) -> Vec<Value<'_>> {
    match value_type {
        0 => field
            .value_string
            .iter()
            .map(|v| Value::String(v))
            .collect(),
        1 => field.value_bytes.iter().map(|v| Value::Bytes(v)).collect(),
        2 => field
            .value_integer
            .iter()
            .map(|&v| Value::Integer(v))
            .collect(),
        3 => field
            .value_double
            .iter()
            .map(|&v| Value::Double(v))
            .collect(),
        _ => field.value_bool.iter().map(|&v| Value::Bool(v)).collect(),
    }
}

/// Equality, in which a number that is none equals itself.
fn same(ours: &[Value<'_>], theirs: &[Value<'_>]) -> bool {
    let pair = |(a, b): (&Value<'_>, &Value<'_>)| match (a, b) {
        (Value::Double(a), Value::Double(b)) => a.to_bits() == b.to_bits(),
        _ => a == b,
    };
    ours.len() == theirs.len() && ours.iter().zip(theirs).all(pair)
}

/// What is decoded and encoded again must be a message, and stay the same from then on.
fn round_trip(bytes: &[u8]) {
    let message = Message::decode(bytes).expect("a valid message can be decoded");
    let once = message.to_bytes();
    let again = Message::decode(&once)
        .expect("what we encode is a message")
        .to_bytes();
    assert_eq!(once, again, "encoding does not settle");
}

fn seeds() -> Vec<Vec<u8>> {
    let empty = Message::new([1; 16], 1);
    let mut full = Message::new([0xff; 16], -1);
    full.type_ = Some(b"type".to_vec());
    full.logger = Some(b"logger".to_vec());
    full.severity = Some(3);
    full.payload = Some(b"payload \x00\xff".to_vec());
    full.env_version = Some(b"1".to_vec());
    full.pid = Some(-1);
    full.hostname = Some(b"host".to_vec());
    full.fields = vec![
        Field::string("s", "text"),
        Field::bytes("b", [0, 255]),
        Field::integer("i", i64::MIN),
        Field::double("d", f64::NAN),
        Field::bool("t", true),
        Field::with("is", FieldValue::Integer(vec![1, -1, 300])),
        Field::with("ds", FieldValue::Double(vec![0.5, f64::INFINITY])),
        Field::with("ts", FieldValue::Bool(vec![true, false])),
        Field::string("s", "again"),
    ];
    let other_order =
        b"\x10\x01\x52\x06\x22\x01x\x0a\x01n\x98\x06\x01\x0a\x10uuuuuuuuuuuuuuuu".to_vec();
    let unpacked =
        b"\x0a\x10uuuuuuuuuuuuuuuu\x10\x01\x52\x09\x0a\x01n\x10\x02\x30\x01\x30\x02".to_vec();
    vec![
        empty.to_bytes(),
        full.to_bytes(),
        other_order,
        unpacked,
        b"\x0a\x10".to_vec(),
    ]
}

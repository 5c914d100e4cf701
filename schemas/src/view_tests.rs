//! Tests of `view.rs` and `field.rs`, with `prost` as the oracle.

use proptest::prelude::*;
use prost::Message as _;

use super::*;
use crate::proto;
use crate::wire::push_varint;

/// A message in the shape of the oracle; its identifier has 16 bytes, all else is arbitrary.
fn message() -> impl Strategy<Value = proto::Message> {
    let text = || prop::option::of(prop::collection::vec(any::<u8>(), 0..40));
    let headers = (text(), text(), text(), text(), text());
    let numbers = (any::<i64>(), any::<Option<i32>>(), any::<Option<i32>>());
    let fields = prop::collection::vec(field(), 0..6);
    (any::<[u8; 16]>(), headers, numbers, fields).prop_map(|(uuid, headers, numbers, fields)| {
        let (r#type, logger, payload, env_version, hostname) = headers;
        let (timestamp, severity, pid) = numbers;
        proto::Message {
            uuid: uuid.to_vec(),
            timestamp,
            r#type,
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

/// A field in which any of the five lists may have values, whatever its type says.
fn field() -> impl Strategy<Value = proto::Field> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..200);
    let texts = || prop::collection::vec(bytes(), 0..3);
    let lists = (
        texts(),
        texts(),
        prop::collection::vec(any::<i64>(), 0..20),
        prop::collection::vec(any::<f64>(), 0..20),
        prop::collection::vec(any::<bool>(), 0..5),
    );
    // A few names only, so that they repeat.
    let name = prop_oneof!["[ab]{0,2}".prop_map(String::into_bytes), bytes()];
    (
        name,
        prop::option::of(-1..6),
        prop::option::of(bytes()),
        lists,
    )
        .prop_map(|(name, value_type, representation, lists)| proto::Field {
            name,
            value_type,
            representation,
            value_string: lists.0,
            value_bytes: lists.1,
            value_integer: lists.2,
            value_double: lists.3,
            value_bool: lists.4,
        })
}

/// One key and value, as bytes, with what its tag and wire type are.
fn element(key: u32, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    push_varint(&mut out, u64::from(key));
    out.extend_from_slice(content);
    out
}

fn number(value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    push_varint(&mut out, value);
    out
}

fn delimited(content: &[u8]) -> Vec<u8> {
    [&number(content.len() as u64)[..], content].concat()
}

/// The elements of a field: any order, tags repeated, lists packed or not or both, unknown tags between.
fn field_elements() -> impl Strategy<Value = Vec<u8>> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..20);
    let packed = |number_of: fn(u64) -> Vec<u8>| {
        prop::collection::vec(any::<u64>(), 0..4).prop_map(move |list| {
            delimited(&list.into_iter().flat_map(number_of).collect::<Vec<_>>())
        })
    };
    let fixed = |number: u64| number.to_le_bytes().to_vec();
    let one = prop_oneof![
        bytes().prop_map(|name| element(0x0A, &delimited(&name))),
        (0u64..7).prop_map(|value_type| element(0x10, &number(value_type))),
        bytes().prop_map(|text| element(0x1A, &delimited(&text))),
        bytes().prop_map(|text| element(0x22, &delimited(&text))),
        bytes().prop_map(|text| element(0x2A, &delimited(&text))),
        any::<u64>().prop_map(|value| element(0x30, &number(value))),
        packed(number).prop_map(|list| element(0x32, &list)),
        any::<u64>().prop_map(move |value| element(0x39, &fixed(value))),
        packed(|value| value.to_le_bytes().to_vec()).prop_map(|list| element(0x3A, &list)),
        any::<u64>().prop_map(|value| element(0x40, &number(value))),
        packed(number).prop_map(|list| element(0x42, &list)),
        unknown(9),
    ];
    prop::collection::vec(one, 0..12)
        .prop_map(|elements| [element(0x0A, &delimited(b"name")), elements.concat()].concat())
}

/// An element with a tag from `tag` on, of any wire type but groups.
fn unknown(tag: u32) -> impl Strategy<Value = Vec<u8>> {
    (
        tag..1 << 28,
        prop::sample::select(vec![0, 1, 2, 5]),
        any::<u64>(),
    )
        .prop_map(|(tag, wire_type, value)| {
            let content = match wire_type {
                0 => number(value),
                1 => value.to_le_bytes().to_vec(),
                2 => delimited(&value.to_le_bytes()[..(value % 9) as usize]),
                _ => (value as u32).to_le_bytes().to_vec(),
            };
            element(tag << 3 | wire_type, &content)
        })
}

/// The elements of a message: any order, headers repeated, unknown tags between.
fn message_elements() -> impl Strategy<Value = Vec<u8>> {
    let text = |key| {
        prop::collection::vec(any::<u8>(), 0..20)
            .prop_map(move |text| element(key, &delimited(&text)))
    };
    let varint = |key| any::<u64>().prop_map(move |value| element(key, &number(value)));
    let one = prop_oneof![
        1 => any::<[u8; 16]>().prop_map(|uuid| element(0x0A, &delimited(&uuid))),
        1 => varint(0x10),
        1 => text(0x1A),
        1 => text(0x22),
        1 => varint(0x28),
        1 => text(0x32),
        1 => text(0x3A),
        1 => varint(0x40),
        1 => text(0x4A),
        3 => field_elements().prop_map(|field| element(0x52, &delimited(&field))),
        1 => unknown(11),
    ];
    prop::collection::vec(one, 0..12).prop_map(|elements| elements.concat())
}

/// Whether the view says what the oracle says, part by part.
fn assert_same(bytes: &[u8], oracle: &proto::Message) {
    let mut index = Index::default();
    index.parse(bytes).expect("the oracle could read it");
    let view = index.view(bytes);
    assert_eq!(view.bytes(), bytes);
    assert_eq!(view.uuid().unwrap_or_default(), &oracle.uuid[..]);
    assert_eq!(view.timestamp(), oracle.timestamp);
    assert_eq!(view.type_(), oracle.r#type.as_deref());
    assert_eq!(view.logger(), oracle.logger.as_deref());
    assert_eq!(
        (view.severity(), view.severity_given()),
        (oracle.severity(), oracle.severity)
    );
    assert_eq!(view.payload(), oracle.payload.as_deref());
    assert_eq!(view.env_version(), oracle.env_version.as_deref());
    assert_eq!(view.pid(), oracle.pid);
    assert_eq!(view.hostname(), oracle.hostname.as_deref());
    assert_eq!(view.fields_len(), oracle.fields.len());
    for (field, oracle) in view.fields().zip(&oracle.fields) {
        assert_same_field(field, oracle);
    }
    assert_fields_are_found(&view, oracle);
}

fn assert_same_field(field: FieldView<'_>, oracle: &proto::Field) {
    assert_eq!(field.name(), oracle.name);
    assert_eq!(field.value_type() as i32, oracle.value_type() as i32);
    assert_eq!(field.representation(), oracle.representation.as_deref());
    let expected = oracle_values(oracle);
    // Doubles are compared by their bits: any may be NaN.
    let bits = |value: Value<'_>| format!("{value:?}");
    let values: Vec<String> = field.values().map(bits).collect();
    assert_eq!(
        values,
        expected
            .iter()
            .map(|value| bits(*value))
            .collect::<Vec<_>>()
    );
    assert_eq!(field.len(), expected.len());
    assert_eq!(field.is_empty(), expected.is_empty());
    for idx in 0..=expected.len() {
        assert_eq!(
            field.value(idx).map(bits),
            expected.get(idx).map(|value| bits(*value))
        );
    }
}

fn oracle_values(oracle: &proto::Field) -> Vec<Value<'_>> {
    use proto::field::ValueType;
    match oracle.value_type() {
        ValueType::String => oracle
            .value_string
            .iter()
            .map(|v| Value::String(v))
            .collect(),
        ValueType::Bytes => oracle.value_bytes.iter().map(|v| Value::Bytes(v)).collect(),
        ValueType::Integer => oracle
            .value_integer
            .iter()
            .map(|v| Value::Integer(*v))
            .collect(),
        ValueType::Double => oracle
            .value_double
            .iter()
            .map(|v| Value::Double(*v))
            .collect(),
        ValueType::Bool => oracle.value_bool.iter().map(|v| Value::Bool(*v)).collect(),
    }
}

/// Whether each field is found by name and number.
fn assert_fields_are_found(view: &View<'_>, oracle: &proto::Message) {
    for name in oracle
        .fields
        .iter()
        .map(|field| &field.name[..])
        .chain([&b"nowhere"[..]])
    {
        let expected: Vec<usize> = (0..oracle.fields.len())
            .filter(|idx| oracle.fields[*idx].name == name)
            .collect();
        for nth in 0..=expected.len() {
            let place = |field: FieldView<'_>| field.name().as_ptr();
            let wanted = expected
                .get(nth)
                .and_then(|idx| view.fields().nth(*idx))
                .map(place);
            assert_eq!(view.field(name, nth).map(place), wanted);
            for idx in 0..3 {
                let value = view.field(name, nth).and_then(|field| field.value(idx));
                // As text, since NaN is no equal of itself.
                let found = view.value(name, nth, idx);
                assert_eq!(format!("{found:?}"), format!("{value:?}"));
            }
        }
    }
}

/// Reads everything there is to read; only panics count.
fn read_all(bytes: &[u8]) {
    let _ = validate(bytes);
    let mut index = Index::default();
    if index.parse(bytes).is_err() {
        assert_eq!(index.fields.len(), 0);
        return;
    }
    let view = index.view(bytes);
    for field in view.fields() {
        let _ = (field.name(), field.representation(), field.values().count());
        assert_eq!(field.value(field.len()), None);
    }
}

proptest! {
    #[test]
    fn what_prost_encodes_is_read_as_it_was(message in message()) {
        let bytes = message.encode_to_vec();
        assert_same(&bytes, &message);
        prop_assert_eq!(validate(&bytes), Ok(()));
    }

    #[test]
    fn parts_in_any_order_are_read_as_prost_reads_them(bytes in message_elements()) {
        let oracle = proto::Message::decode(&bytes[..]).expect("every element is valid");
        assert_same(&bytes, &oracle);
    }

    #[test]
    fn a_message_cut_anywhere_is_read_as_prost_reads_it(message in message()) {
        let bytes = message.encode_to_vec();
        for len in 0..bytes.len() {
            let cut = &bytes[..len];
            match proto::Message::decode(cut) {
                Ok(oracle) => assert_same(cut, &oracle),
                Err(_) => prop_assert!(Index::default().parse(cut).is_err(), "cut at {}", len),
            }
            let _ = validate(cut);
        }
    }

    #[test]
    fn changed_bytes_never_panic(
        message in message(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = message.encode_to_vec();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        read_all(&bytes);
        // Whatever we accept, prost accepts, and reads the same.
        if Index::default().parse(&bytes).is_ok() {
            let oracle = proto::Message::decode(&bytes[..]).expect("we could read it");
            assert_same(&bytes, &oracle);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        read_all(&bytes);
    }

    #[test]
    fn an_index_keeps_nothing_of_the_message_before(before in message(), message in message_elements()) {
        let before = before.encode_to_vec();
        let (mut used, mut fresh) = (Index::default(), Index::default());
        used.parse(&before).expect("prost wrote it");
        used.parse(&message).expect("every element is valid");
        fresh.parse(&message).expect("every element is valid");
        prop_assert_eq!(format!("{used:?}"), format!("{fresh:?}"));
    }
}

/// The shortest message there is.
fn shortest() -> Vec<u8> {
    [&element(0x0A, &delimited(&[7; 16]))[..], &[0x10, 1]].concat()
}

fn error_of(bytes: &[u8]) -> String {
    validate(bytes).expect_err("it is broken").to_string()
}

#[test]
fn the_shortest_message_is_valid() {
    let bytes = shortest();
    assert_eq!(bytes.len(), MESSAGE_LEN_MIN);
    assert_eq!(validate(&bytes), Ok(()));
    assert_eq!(error_of(&bytes[..19]), "invalid message, too short");
    assert_eq!(error_of(b""), "invalid message, too short");
}

#[test]
fn headers_have_their_defaults() {
    let mut index = Index::default();
    index
        .parse(b"")
        .expect("no bytes are a message without headers");
    let view = index.view(b"");
    assert_eq!(
        (view.uuid(), view.timestamp(), view.severity(), view.pid()),
        (None, 0, 7, None)
    );
    assert_eq!(
        (view.type_(), view.payload(), view.fields_len()),
        (None, None, 0)
    );
    assert_eq!(
        index.check_required(),
        Err(DecodeError::Missing {
            uuid: false,
            timestamp: false
        })
    );
}

#[test]
fn an_empty_header_is_not_an_absent_one() {
    let bytes = [&shortest()[..], &[0x1A, 0]].concat();
    let mut index = Index::default();
    index.parse(&bytes).expect("it is valid");
    let view = index.view(&bytes);
    assert_eq!((view.type_(), view.logger()), (Some(&b""[..]), None));
}

#[test]
fn missing_headers_are_named() {
    let uuid = element(0x0A, &delimited(&[7; 16]));
    let hostname = element(0x4A, &delimited(b"a host with a long name"));
    assert_eq!(
        error_of(&[&uuid[..], &hostname].concat()),
        "missing required field uuid: found timestamp: not found"
    );
    assert_eq!(
        error_of(&[&hostname[..], &[0x10, 1]].concat()),
        "missing required field uuid: not found timestamp: found"
    );
    assert_eq!(
        error_of(&hostname),
        "missing required field uuid: not found timestamp: not found"
    );
}

#[test]
fn errors_say_where_the_broken_part_begins() {
    let broken = |part: &[u8]| error_of(&[&shortest()[..], part].concat());
    // Wrong wire type, length beyond the end, a varint without end, a Uuid of three bytes.
    assert_eq!(broken(&[0x18, 1]), "error in tag: 3 wiretype: 0 offset: 20");
    assert_eq!(
        broken(&[0x1A, 2, b'x']),
        "error in tag: 3 wiretype: 2 offset: 20"
    );
    assert_eq!(
        broken(&[0x40, 0x80]),
        "error in tag: 8 wiretype: 0 offset: 20"
    );
    assert_eq!(
        broken(&[0x0A, 3, 1, 2, 3]),
        "error in tag: 1 wiretype: 2 offset: 20"
    );
    // Groups, tag 0, and a key without end.
    assert_eq!(
        broken(&[0x5B, 0x5C]),
        "error in tag: 11 wiretype: 3 offset: 20"
    );
    assert_eq!(
        broken(&[0x00, 0x00]),
        "error in tag: 0 wiretype: 0 offset: 20"
    );
    assert_eq!(
        broken(&[0x1A, 0, 0xFF]),
        "error in tag: 31 wiretype: 7 offset: 22"
    );
    // Whatever is wrong inside a field is told of the field.
    for inside in [
        &[][..],
        &[0x22, 1, b'v'],
        &[0x0A, 5, b'n'],
        &[0x0A, 1, b'n', 0x10],
        &[0x0A, 1, b'n', 0x20, 1],
        &[0x0A, 1, b'n', 0x39, 1, 2, 3],
        &[0x0A, 1, b'n', 0x3A, 7, 1, 2, 3, 4, 5, 6, 7],
        &[0x0A, 1, b'n', 0x32, 1, 0x80],
        &[0x0A, 1, b'n', 0x42, 2, 0x01, 0x80],
        &[0x0A, 1, b'n', 0x53, 0x54],
    ] {
        let field = element(0x52, &delimited(inside));
        assert_eq!(
            broken(&field),
            "error in tag: 10 wiretype: 2 offset: 20",
            "{inside:?}"
        );
    }
}

#[test]
fn a_field_may_have_an_empty_name_and_no_value() {
    let bytes = element(0x52, &delimited(&[0x0A, 0]));
    let mut index = Index::default();
    index.parse(&bytes).expect("it is valid");
    let view = index.view(&bytes);
    let field = view.field(b"", 0).expect("the empty name is a name");
    assert_eq!(field.value_type(), ValueType::String);
    assert!(field.is_empty());
}

#[test]
fn a_long_list_of_doubles_is_read_by_position() {
    let list: Vec<f64> = (0..1000).map(f64::from).collect();
    let field = proto::Field {
        name: b"list".to_vec(),
        value_type: Some(3),
        value_double: list.clone(),
        ..Default::default()
    };
    let bytes = proto::Message {
        fields: vec![field],
        ..Default::default()
    }
    .encode_to_vec();
    let bytes = &bytes[2 + 2..]; // Without the empty Uuid and the Timestamp.
    let mut index = Index::default();
    index.parse(bytes).expect("prost wrote it");
    let view = index.view(bytes);
    let field = view.field(b"list", 0).expect("it is there");
    for (idx, number) in list.iter().enumerate() {
        assert_eq!(field.value(idx), Some(Value::Double(*number)));
    }
    assert_eq!(field.value(1000), None);
    assert_eq!(field.value(usize::MAX), None);
}

#[test]
fn an_index_gives_back_what_one_huge_message_made_it_take() {
    let huge = element(0x52, &delimited(&[0x0A, 0])).repeat(4 * FIELDS_KEPT);
    let mut index = Index::default();
    index.parse(&huge).expect("it is valid");
    assert_eq!(index.view(&huge).fields_len(), 4 * FIELDS_KEPT);
    index.parse(&shortest()).expect("it is valid");
    assert!(index.fields.capacity() <= FIELDS_KEPT);
    // What the comment at `FIELDS_KEPT` reckons with.
    assert_eq!(size_of::<Span>(), 8);
}

#[test]
#[should_panic(expected = "a view on a message that was not parsed")]
fn a_view_on_another_message_is_noticed() {
    let mut index = Index::default();
    index.parse(&shortest()).expect("it is valid");
    index.view(b"another");
}

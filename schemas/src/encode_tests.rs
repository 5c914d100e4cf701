//! Tests of `encode.rs`: the layout byte by byte, the limit, and lengths that need more room.

use expect_test::{Expect, expect};
use proptest::prelude::*;
use prost::Message as _;

use super::*;
use crate::proto;

/// Shows what was encoded as hexadecimal bytes.
fn check(encode: impl FnOnce(&mut Encoder<'_>), expected: Expect) {
    let mut out = Vec::new();
    encode(&mut Encoder::new(&mut out));
    let hex: Vec<String> = out.iter().map(|byte| format!("{byte:02x}")).collect();
    expected.assert_eq(&hex.join(" "));
}

/// Every kind of part once; the whole is a valid message.
fn everything(encoder: &mut Encoder<'_>) {
    encoder.uuid(&[7; 16]);
    encoder.timestamp(-1);
    encoder.type_(b"type");
    encoder.logger(b"logger");
    encoder.severity(3);
    encoder.payload(&[0xff; 300]);
    encoder.env_version(b"1");
    encoder.pid(-5);
    encoder.hostname(b"host");
    encoder.string_field(b"long", &[b'x'; 20_000]);
    encoder.double_field(b"double", 0.5);
    encoder.integer_field(b"integer", i64::MIN);
    encoder.bool_field(b"bool", true);
    let field = encoder.field_begin(b"bytes");
    encoder.value_type(ValueType::Bytes);
    encoder.representation(b"raw");
    let value = encoder.bytes_value_begin();
    encoder.append(&[1; 200]);
    encoder.buffer().extend_from_slice(&[2; 200]);
    encoder.bytes_value_end(value);
    encoder.bytes_value(b"second");
    encoder.field_end(field);
    let field = encoder.field_begin(b"list");
    encoder.value_type(ValueType::Integer);
    let list = encoder.packed_begin(ValueType::Integer);
    (-100..100).for_each(|value| encoder.packed_integer(value));
    encoder.packed_end(list);
    encoder.field_end(field);
}

#[test]
fn headers_are_laid_out_as_hindsight_does() {
    check(
        |e| e.uuid(&[7; 16]),
        expect!["0a 10 07 07 07 07 07 07 07 07 07 07 07 07 07 07 07 07"],
    );
    check(
        |e| e.timestamp(1_500_000_000_000_000_000),
        expect!["10 80 80 d8 d8 d7 c1 c4 e8 14"],
    );
    check(|e| e.type_(b"abc"), expect!["1a 03 61 62 63"]);
    check(|e| e.logger(b""), expect!["22 00"]);
    check(|e| e.severity(7), expect!["28 07"]);
    check(|e| e.payload(b"p"), expect!["32 01 70"]);
    check(|e| e.env_version(b"v"), expect!["3a 01 76"]);
    check(|e| e.pid(4711), expect!["40 e7 24"]);
    check(|e| e.pid(-1), expect!["40 ff ff ff ff ff ff ff ff ff 01"]);
    check(|e| e.hostname(b"h"), expect!["4a 01 68"]);
}

#[test]
fn single_values_are_not_packed() {
    check(
        |e| e.string_field(b"n", b"v"),
        expect!["52 06 0a 01 6e 22 01 76"],
    );
    check(
        |e| e.integer_field(b"n", 2),
        expect!["52 07 0a 01 6e 10 02 30 02"],
    );
    check(
        |e| e.bool_field(b"n", true),
        expect!["52 07 0a 01 6e 10 04 40 01"],
    );
    check(
        |e| e.double_field(b"n", 1.0),
        expect!["52 0e 0a 01 6e 10 03 39 00 00 00 00 00 00 f0 3f"],
    );
}

#[test]
fn representation_comes_between_type_and_values() {
    check(
        |e| {
            let field = e.field_begin(b"n");
            e.value_type(ValueType::Bytes);
            e.representation(b"r");
            e.bytes_value(b"v");
            e.bytes_value(b"w");
            e.field_end(field);
        },
        expect!["52 0e 0a 01 6e 10 01 1a 01 72 2a 01 76 2a 01 77"],
    );
    check(
        |e| {
            let field = e.field_begin(b"n");
            e.value_type(ValueType::String);
            e.representation(b"r");
            e.string_value(b"v");
            e.field_end(field);
        },
        expect!["52 09 0a 01 6e 1a 01 72 22 01 76"],
    );
}

#[test]
fn lists_of_numbers_are_packed() {
    check(
        |e| {
            let list = e.packed_begin(ValueType::Integer);
            [0, 1, 300]
                .into_iter()
                .for_each(|value| e.packed_integer(value));
            e.packed_end(list);
        },
        expect!["32 04 00 01 ac 02"],
    );
    check(
        |e| {
            let list = e.packed_begin(ValueType::Double);
            [0.0, 1.0]
                .into_iter()
                .for_each(|value| e.packed_double(value));
            e.packed_end(list);
        },
        expect!["3a 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00 f0 3f"],
    );
    check(
        |e| {
            let list = e.packed_begin(ValueType::Bool);
            [true, false]
                .into_iter()
                .for_each(|value| e.packed_bool(value));
            e.packed_end(list);
        },
        expect!["42 02 01 00"],
    );
}

#[test]
#[should_panic(expected = "never packed")]
fn strings_cannot_be_packed() {
    let mut out = Vec::new();
    let _ = Encoder::new(&mut out).packed_begin(ValueType::String);
}

#[test]
fn everything_is_read_back_by_prost() {
    let mut out = Vec::new();
    everything(&mut Encoder::new(&mut out));
    crate::validate(&out).expect("it is a message");
    let message = proto::Message::decode(&out[..]).expect("it is protobuf");
    assert_eq!(
        (message.timestamp, message.severity, message.pid),
        (-1, Some(3), Some(-5))
    );
    assert_eq!(message.payload.as_deref(), Some(&[0xff; 300][..]));
    let [long, double, integer, bool, bytes, list] = &message.fields[..] else {
        panic!("{} fields instead of 6", message.fields.len());
    };
    assert_eq!(long.value_string, [vec![b'x'; 20_000]]);
    assert_eq!(double.value_double, [0.5]);
    assert_eq!(integer.value_integer, [i64::MIN]);
    assert_eq!(bool.value_bool, [true]);
    assert_eq!(bytes.representation.as_deref(), Some(&b"raw"[..]));
    assert_eq!(
        bytes.value_bytes,
        [[[1; 200], [2; 200]].concat(), b"second".to_vec()]
    );
    assert_eq!(list.value_integer, (-100..100).collect::<Vec<i64>>());
}

#[test]
fn what_is_in_the_buffer_before_stays_and_does_not_count() {
    let mut out = b"before".to_vec();
    let mut encoder = Encoder::with_limit(&mut out, 5);
    encoder.type_(b"abc");
    assert!(!encoder.exceeded());
    assert_eq!(out, b"before\x1a\x03abc");
}

#[test]
fn every_limit_too_small_is_noticed_and_kept() {
    let mut out = Vec::new();
    everything(&mut Encoder::new(&mut out));
    let needed = out.len();
    // What comes through `buffer` is out of the encoder's hands.
    let unchecked = 200;
    for limit in (0..700).chain(needed - 700..needed) {
        out.clear();
        let mut encoder = Encoder::with_limit(&mut out, limit);
        everything(&mut encoder);
        assert!(encoder.exceeded(), "limit {limit}");
        assert!(out.len() <= limit + unchecked, "limit {limit}");
    }
    out.clear();
    let mut encoder = Encoder::with_limit(&mut out, needed);
    everything(&mut encoder);
    assert!(!encoder.exceeded());
}

proptest! {
    #[test]
    fn lengths_of_any_size_are_filled_in(outer in 0usize..40_000, inner in 0usize..20_000) {
        let mut out = Vec::new();
        let mut encoder = Encoder::new(&mut out);
        let field = encoder.field_begin(&vec![b'n'; outer]);
        encoder.value_type(ValueType::Bytes);
        let value = encoder.bytes_value_begin();
        encoder.append(&vec![b'v'; inner]);
        encoder.bytes_value_end(value);
        encoder.field_end(field);
        let message = proto::Message::decode(&out[..]).expect("it is protobuf");
        prop_assert_eq!(&message.fields[0].name, &vec![b'n'; outer]);
        prop_assert_eq!(&message.fields[0].value_bytes, &[vec![b'v'; inner]]);
    }

    #[test]
    fn a_string_field_at_once_is_the_same_as_in_parts(
        name in prop::collection::vec(any::<u8>(), 0..300),
        value in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let (mut at_once, mut in_parts) = (Vec::new(), Vec::new());
        Encoder::new(&mut at_once).string_field(&name, &value);
        let mut encoder = Encoder::new(&mut in_parts);
        let field = encoder.field_begin(&name);
        encoder.string_value(&value);
        encoder.field_end(field);
        prop_assert_eq!(at_once, in_parts);
    }
}

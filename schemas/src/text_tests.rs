//! Tests of `text.rs`.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::message::{Field, FieldValue, Message};
use crate::view::Index;

fn check(message: &Message, expected: Expect) {
    let bytes = message.to_bytes();
    let mut index = Index::default();
    index.parse(&bytes).expect("we encoded it");
    let mut out = Vec::new();
    write_message(&index.view(&bytes), &mut out).expect("memory takes everything");
    expected.assert_eq(&String::from_utf8_lossy(&out));
}

fn timestamp(nanoseconds: i64) -> String {
    let mut out = Vec::new();
    write_timestamp(nanoseconds, &mut out).expect("memory takes everything");
    String::from_utf8(out).expect("it is ASCII")
}

fn double(number: f64) -> String {
    let mut out = Vec::new();
    write_double(number, &mut out).expect("memory takes everything");
    String::from_utf8(out).expect("it is ASCII")
}

#[test]
fn a_full_message() {
    let uuid = *b"\x00\x11\x22\x33\x44\x55\x46\x77\xa8\x99\xaa\xbb\xcc\xdd\xee\xff";
    let mut message = Message::new(uuid, 1_767_323_045_678_901_234);
    message.type_ = Some(b"nginx.access".to_vec());
    message.logger = Some(b"input.nginx".to_vec());
    message.severity = Some(3);
    message.payload = Some(b"two\nlines".to_vec());
    message.env_version = Some(b"1.2".to_vec());
    message.pid = Some(-1);
    message.hostname = Some(b"web1".to_vec());
    let mut took = Field::with("took", FieldValue::Double(vec![0.1, 2.0]));
    took.representation = Some(b"s".to_vec());
    message.fields = vec![
        Field::with(
            "names",
            FieldValue::String(vec![b"a".to_vec(), b"".to_vec(), b"b".to_vec()]),
        ),
        Field::with(
            "raw",
            FieldValue::Bytes(vec![b"a\\b \x00\x1f~\x7f\xff".to_vec(), b"c".to_vec()]),
        ),
        Field::with("status", FieldValue::Integer(vec![200, -1, i64::MAX])),
        took,
        Field::with("ok", FieldValue::Bool(vec![true, false])),
        Field::with("none", FieldValue::Integer(vec![])),
    ];
    check(
        &message,
        expect![[r#"
            :Uuid: 00112233-4455-4677-a899-aabbccddeeff
            :Timestamp: 2026-01-02T03:04:05.678901234Z
            :Type: nginx.access
            :Logger: input.nginx
            :Severity: 3
            :Payload: two
            lines
            :EnvVersion: 1.2
            :Pid: -1
            :Hostname: web1
            :Fields:
                | name: names type: 0 representation: <nil> value: a||b
                | name: raw type: 1 representation: <nil> value: a\\b \x00\x1f~\x7f\xff|c
                | name: status type: 2 representation: <nil> value: 200|-1|9223372036854775807
                | name: took type: 3 representation: s value: 0.10000000000000001|2
                | name: ok type: 4 representation: <nil> value: true|false
                | name: none type: 2 representation: <nil> value: 

        "#]],
    );
}

#[test]
fn an_empty_message() {
    check(
        &Message::default(),
        expect![[r#"
            :Uuid: <nil>
            :Timestamp: 1970-01-01T00:00:00.000000000Z
            :Type: <nil>
            :Logger: <nil>
            :Severity: 7
            :Payload: <nil>
            :EnvVersion: <nil>
            :Pid: <nil>
            :Hostname: <nil>
            :Fields:

        "#]],
    );
}

#[test]
fn timestamps_of_any_size() {
    assert_eq!(timestamp(-1), "1969-12-31T23:59:59.999999999Z");
    assert_eq!(
        timestamp(951_782_400_000_000_000),
        "2000-02-29T00:00:00.000000000Z"
    );
    assert_eq!(
        timestamp(951_868_799_999_999_999),
        "2000-02-29T23:59:59.999999999Z"
    );
    assert_eq!(
        timestamp(951_868_800_000_000_000),
        "2000-03-01T00:00:00.000000000Z"
    );
    assert_eq!(
        timestamp(4_107_542_400_000_000_000),
        "2100-03-01T00:00:00.000000000Z"
    );
    assert_eq!(timestamp(i64::MAX), "2262-04-11T23:47:16.854775807Z");
    assert_eq!(timestamp(i64::MIN), "1677-09-21T00:12:43.145224192Z");
}

#[test]
fn dates_follow_each_other_without_gap() {
    // From 1677 to 2262, all that a timestamp can say: each day is the next of the one before.
    let mut before = date(-106_753);
    for days in -106_752..=106_752 {
        let (year, month, day) = date(days);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let next = match before {
            (year, 12, 31) => (year + 1, 1, 1),
            (_, 2, last) if (last == 28 && !leap) || last == 29 => (year, 3, 1),
            (_, 4 | 6 | 9 | 11, 30) | (_, 1 | 3 | 5 | 7 | 8 | 10, 31) => (year, before.1 + 1, 1),
            (year, month, day) => (year, month, day + 1),
        };
        assert_eq!((year, month, day), next, "{days} days");
        before = (year, month, day);
    }
}

#[test]
fn doubles_are_written_as_c_does() {
    for (number, expected) in [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (100.0, "100"),
        (123_456.789, "123456.789"),
        (0.1, "0.10000000000000001"),
        (0.001, "0.001"),
        (0.0001, "0.0001"),
        (0.00001, "1.0000000000000001e-05"),
        (1e16, "10000000000000000"),
        (1e17, "1e+17"),
        (1.5e300, "1.5000000000000001e+300"),
        (5e-324, "4.9406564584124654e-324"),
        (f64::MAX, "1.7976931348623157e+308"),
        (1.0 / 3.0, "0.33333333333333331"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
        (f64::NAN, "nan"),
        (-f64::NAN, "-nan"),
    ] {
        assert_eq!(double(number), expected);
    }
}

proptest! {
    #[test]
    fn doubles_come_back(bits in any::<u64>()) {
        let number = f64::from_bits(bits);
        let back: f64 = double(number).parse().expect("it is a number");
        prop_assert!(back == number || number.is_nan());
    }
}

//! Random trees and messages for the property tests, drawn from so few names and values that they often meet.

use proptest::prelude::*;
use proptest::sample::select;
use schemas::message::{Field, FieldValue, Message};

use crate::expr::{
    FieldName, FieldTest, Node, Number, NumberHeader, Relation, Test, TextHeader, TextTest, Tree,
};

fn relation() -> impl Strategy<Value = Relation> {
    select(vec![
        Relation::Equal,
        // Twice, as the index lives of equalities.
        Relation::Equal,
        Relation::NotEqual,
        Relation::Less,
        Relation::LessOrEqual,
        Relation::Greater,
        Relation::GreaterOrEqual,
    ])
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    select(vec![
        &b""[..],
        b"a",
        b"b",
        b"ab",
        b"a.b",
        b"it's \"\\\"",
        b"\xff\n]",
        b"%d",
        b"(a)",
    ])
    .prop_map(<[u8]>::to_vec)
}

fn number() -> impl Strategy<Value = Number> {
    let interesting = vec![0, 1, -1, 2, 7, 1 << 53, (1 << 53) + 1, i64::MAX, i64::MIN];
    prop_oneof![
        select(interesting).prop_map(Number::Integer),
        select(vec![0.5, -2.5, 1e300, 9.3e18, f64::INFINITY, 2f64.powi(53)])
            .prop_map(Number::from_double),
    ]
}

fn text_test() -> impl Strategy<Value = TextTest> {
    let pattern = prop_oneof![
        text(),
        select(vec![
            &b"^a"[..],
            b"b$",
            b"[ab]+",
            b"a*",
            b"[",
            b"%f[%w]b",
            b"a-b",
            b".",
            b"(a)."
        ])
        .prop_map(<[u8]>::to_vec),
    ];
    prop_oneof![
        (relation(), text()).prop_map(|(relation, text)| TextTest::Compare(relation, text.into())),
        (pattern, any::<bool>(), any::<bool>()).prop_map(|(text, plain, negated)| {
            TextTest::Pattern {
                text: text.into(),
                plain,
                negated,
            }
        }),
    ]
}

fn field_test() -> impl Strategy<Value = FieldTest> {
    prop_oneof![
        text_test().prop_map(FieldTest::Text),
        (relation(), number()).prop_map(|(relation, number)| FieldTest::Number(relation, number)),
        (any::<bool>(), any::<bool>()).prop_map(|(equal, value)| FieldTest::Bool { equal, value }),
        any::<bool>().prop_map(FieldTest::Absent),
    ]
}

fn test() -> impl Strategy<Value = Test> {
    use TextHeader::{EnvVersion, Hostname, Logger, Payload, Type, Uuid};
    let text_header = || select(vec![Type, Type, Logger, Hostname, EnvVersion, Payload]);
    let number_header = select(vec![
        NumberHeader::Timestamp,
        NumberHeader::Severity,
        NumberHeader::Pid,
    ]);
    let field = (
        select(vec![&b"x"[..], b"y", b"", b"long name ' x"]),
        0..2u8,
        0..3u8,
    )
        .prop_map(|(name, nth, element)| FieldName {
            name: name.into(),
            nth,
            element: element / 2,
        });
    prop_oneof![
        1 => any::<bool>().prop_map(Test::Constant),
        4 => (text_header(), text_test()).prop_map(|(header, test)| Test::Text(header, test)),
        1 => text_test().prop_map(|test| Test::Text(Uuid, test)),
        1 => (text_header(), any::<bool>()).prop_map(|(header, nil)| Test::NoText(header, nil)),
        2 => (number_header, relation(), number())
            .prop_map(|(header, relation, number)| Test::Number(header, relation, number)),
        1 => any::<bool>().prop_map(Test::NoPid),
        6 => (field, field_test()).prop_map(|(field, test)| Test::Field(field, test)),
    ]
}

/// A tree of up to a dozen tests.
pub fn trees() -> impl Strategy<Value = Tree> {
    let leaf = test().prop_map(|test| vec![Node::Test(test)]);
    leaf.prop_recursive(4, 12, 2, |side| {
        (side.clone(), any::<bool>(), side).prop_map(|(mut nodes, and, right)| {
            let (left_root, offset) = (nodes.len() - 1, nodes.len());
            nodes.extend(right.into_iter().map(|node| match node {
                Node::And(left, right) => Node::And(left + offset, right + offset),
                Node::Or(left, right) => Node::Or(left + offset, right + offset),
                test => test,
            }));
            let right_root = nodes.len() - 1;
            nodes.push(match and {
                true => Node::And(left_root, right_root),
                false => Node::Or(left_root, right_root),
            });
            nodes
        })
    })
    .prop_map(|nodes| Tree { nodes })
}

fn field_value() -> impl Strategy<Value = FieldValue> {
    let integers = select(vec![
        0,
        1,
        -1,
        2,
        7,
        1 << 53,
        (1 << 53) + 1,
        i64::MAX,
        i64::MIN,
    ]);
    let doubles = select(vec![
        0.0,
        1.0,
        0.5,
        -2.5,
        2f64.powi(53),
        f64::NAN,
        f64::INFINITY,
    ]);
    prop_oneof![
        prop::collection::vec(text(), 1..3).prop_map(FieldValue::String),
        prop::collection::vec(text(), 1..3).prop_map(FieldValue::Bytes),
        prop::collection::vec(integers, 1..3).prop_map(FieldValue::Integer),
        prop::collection::vec(doubles, 1..3).prop_map(FieldValue::Double),
        prop::collection::vec(any::<bool>(), 1..3).prop_map(FieldValue::Bool),
    ]
}

/// A message with some of the headers and a few fields, names repeated now and then.
pub fn messages() -> impl Strategy<Value = Message> {
    let header = || prop::option::weighted(0.8, text());
    let headers = (header(), header(), header(), header(), header());
    let severity = prop::option::of(select(vec![0, 1, 2, 7]));
    let pid = prop::option::of(select(vec![0, 1, -1, 7]));
    let timestamp = select(vec![0, 1, 7, (1 << 53) + 1, i64::MAX]);
    let name = select(vec!["x", "x", "y", "", "long name ' x", "other"]);
    let fields = prop::collection::vec((name, field_value()), 0..5);
    (headers, severity, pid, timestamp, fields).prop_map(
        |((type_, logger, payload, env_version, hostname), severity, pid, timestamp, fields)| {
            let fields = fields
                .into_iter()
                .map(|(name, value)| Field::with(name, value))
                .collect();
            let uuid = Some(*b"ab0123456789abcd");
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
        },
    )
}

//! Evaluation against the shortest definition of it, and the parser against everything.

use std::cmp::Ordering;

use proptest::prelude::*;
use schemas::message::{Field, FieldValue, Message};
use schemas::view::Index;
use stdx::pattern::{Compiled, Steps};

use crate::Matcher;
use crate::expr::{
    FieldName, FieldTest, Node, Number, NumberHeader, Relation, Test, TextHeader, TextTest, Tree,
};
use crate::random::{messages, trees};

/// What the tree says of the message, by the book: recursive, on owned values.
fn holds(tree: &Tree, node: usize, message: &Message) -> bool {
    match &tree.nodes()[node] {
        Node::And(left, right) => holds(tree, *left, message) && holds(tree, *right, message),
        Node::Or(left, right) => holds(tree, *left, message) || holds(tree, *right, message),
        Node::Test(test) => test_holds(test, message),
    }
}

fn test_holds(test: &Test, message: &Message) -> bool {
    match test {
        Test::Constant(value) => *value,
        Test::Text(header, test) => match (text(message, *header), test) {
            (Some(text), test) => text_holds(test, &text),
            (None, TextTest::Pattern { negated, .. }) => *negated,
            (None, TextTest::Compare(relation, _)) => matches!(
                relation,
                Relation::NotEqual | Relation::Less | Relation::LessOrEqual
            ),
        },
        Test::NoText(header, absent) => text(message, *header).is_none() == *absent,
        Test::Number(header, relation, number) => {
            let value = match header {
                NumberHeader::Timestamp => message.timestamp,
                NumberHeader::Severity => message.severity.unwrap_or(7).into(),
                NumberHeader::Pid => message.pid.unwrap_or(i32::MIN).into(),
            };
            number_holds(*relation, compare(Number::Integer(value), *number))
        }
        Test::NoPid(absent) => message.pid.is_none() == *absent,
        Test::Field(name, test) => field_holds(name, test, message),
    }
}

fn text(message: &Message, header: TextHeader) -> Option<Vec<u8>> {
    match header {
        TextHeader::Uuid => message.uuid.map(|uuid| uuid.to_vec()),
        TextHeader::Type => message.type_.clone(),
        TextHeader::Logger => message.logger.clone(),
        TextHeader::Hostname => message.hostname.clone(),
        TextHeader::EnvVersion => message.env_version.clone(),
        TextHeader::Payload => message.payload.clone(),
    }
}

fn text_holds(test: &TextTest, text: &[u8]) -> bool {
    match test {
        TextTest::Compare(relation, other) => number_holds(*relation, Some(text.cmp(&other[..]))),
        TextTest::Pattern {
            text: pattern,
            plain,
            negated,
        } => {
            let found = match plain {
                true => {
                    pattern.is_empty()
                        || text.windows(pattern.len()).any(|part| part == &pattern[..])
                }
                false => Compiled::new(pattern)
                    .is_match(text, &mut Steps(u64::MAX))
                    .expect("an endless budget"),
            };
            found != *negated
        }
    }
}

fn number_holds(relation: Relation, ordering: Option<Ordering>) -> bool {
    match relation {
        Relation::Equal => ordering == Some(Ordering::Equal),
        Relation::NotEqual => ordering != Some(Ordering::Equal),
        Relation::Less => ordering == Some(Ordering::Less),
        Relation::LessOrEqual => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
        Relation::Greater => ordering == Some(Ordering::Greater),
        Relation::GreaterOrEqual => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
    }
}

/// Compares numbers through 128-bit integers, in halves: all finite doubles drawn are multiples of a half.
fn compare(left: Number, right: Number) -> Option<Ordering> {
    let halves = |number| match number {
        Number::Integer(number) => Some(i128::from(number) * 2),
        Number::Double(number) if number.abs() < 1e30 => Some((number * 2.0) as i128),
        Number::Double(_) => None,
    };
    match (halves(left), halves(right), left, right) {
        (Some(left), Some(right), ..) => Some(left.cmp(&right)),
        (.., Number::Integer(left), Number::Double(right)) => (left as f64).partial_cmp(&right),
        (.., Number::Double(left), Number::Integer(right)) => left.partial_cmp(&(right as f64)),
        (.., Number::Double(left), Number::Double(right)) => left.partial_cmp(&right),
        (.., Number::Integer(left), Number::Integer(right)) => Some(left.cmp(&right)),
    }
}

fn field_holds(name: &FieldName, test: &FieldTest, message: &Message) -> bool {
    let named = |field: &&Field| field.name == name.name[..];
    let field = message.fields.iter().filter(named).nth(name.nth.into());
    let element = usize::from(name.element);
    let value = field.and_then(|field| match &field.value {
        FieldValue::String(values) | FieldValue::Bytes(values) => {
            values.get(element).cloned().map(Drawn::Text)
        }
        FieldValue::Integer(values) => values
            .get(element)
            .map(|value| Drawn::Number(Number::Integer(*value))),
        FieldValue::Double(values) => values
            .get(element)
            .map(|value| Drawn::Number(Number::Double(*value))),
        FieldValue::Bool(values) => values.get(element).copied().map(Drawn::Bool),
    });
    match (test, value) {
        (FieldTest::Absent(absent), value) => value.is_none() == *absent,
        (FieldTest::Text(test), Some(Drawn::Text(text))) => text_holds(test, &text),
        (FieldTest::Number(relation, number), Some(Drawn::Number(value))) => {
            number_holds(*relation, compare(value, *number))
        }
        (FieldTest::Bool { equal, value }, Some(Drawn::Bool(found))) => (found == *value) == *equal,
        (FieldTest::Bool { equal, value }, Some(Drawn::Number(found))) => {
            let wanted = Number::Integer((*value).into());
            (compare(found, wanted) == Some(Ordering::Equal)) == *equal
        }
        _ => false,
    }
}

enum Drawn {
    Text(Vec<u8>),
    Number(Number),
    Bool(bool),
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn evaluates_by_the_book(tree in trees(), messages in prop::collection::vec(messages(), 1..6)) {
        let matcher = Matcher::parse(tree.to_bytes()).expect("what is written can be read");
        // One index for all: the hints of the matcher go wrong now and then.
        let mut index = Index::default();
        for message in &messages {
            let bytes = message.to_bytes();
            index.parse(&bytes).expect("just encoded");
            let expected = holds(&tree, tree.root(), message);
            prop_assert_eq!(matcher.matches(&index.view(&bytes)), expected, "{} on {:?}", matcher, message);
            if !matcher.needs_message() {
                prop_assert_eq!(matcher.always(), expected);
            }
        }
    }

    #[test]
    fn plain_form_reads_back_as_the_same_tree(tree in trees()) {
        let written = tree.to_bytes();
        let read = Matcher::parse(&written).expect("what is written can be read");
        prop_assert_eq!(read.tree(), &tree, "{}", String::from_utf8_lossy(&written));
    }

    #[test]
    fn random_bytes_are_no_expression_but_no_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..80),
        pieces in prop::collection::vec(prop::sample::select(vec![
            "Type", "Uuid", "Timestamp", "Fields[", "x]", "[1]", "==", "!=", "=~", "~=", "<", "'a'", "'", "\"",
            "NIL", "TRUE", "&&", "||", "(", ")", "%", " ", "5", ".5", "e", "-", "\\", "2020-01-01T00:00:00Z", "Pid",
        ]), 0..16),
    ) {
        for text in [bytes, pieces.concat().into_bytes()] {
            if let Err(error) = Matcher::parse(&text) {
                prop_assert!(error.offset <= text.len());
                let _ = format!("{error:#}");
            }
        }
    }

    #[test]
    fn mutated_expressions_never_panic(
        tree in trees(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3u8), 1..4),
    ) {
        let mut text = tree.to_bytes();
        for (place, byte, edit) in edits {
            let at = place.index(text.len() + 1);
            match edit {
                0 => text.insert(at, byte),
                1 if at < text.len() => { text.remove(at); }
                _ => text.truncate(at),
            }
        }
        match Matcher::parse(&text) {
            Ok(matcher) => {
                let again = Matcher::parse(matcher.tree().to_bytes()).expect("plain form");
                prop_assert_eq!(again.tree(), matcher.tree());
            }
            Err(error) => prop_assert!(error.offset <= text.len()),
        }
    }

    #[test]
    fn integers_and_doubles_compare_without_rounding(integer: i64, near in -3..=3i64, half: bool) {
        let double = integer.saturating_add(near) as f64 + if half { 0.5 } else { 0.0 };
        let exact = {
            let whole = double.trunc() as i128;
            i128::from(integer).cmp(&whole).then(0.0.partial_cmp(&double.fract()).expect("finite"))
        };
        for relation in [Relation::Equal, Relation::Less, Relation::GreaterOrEqual] {
            let number = Number::from_double(double);
            prop_assert_eq!(number.compare_integer(relation, integer), relation.holds(exact));
            let other_way = Number::Integer(integer).compare_double(relation, double);
            prop_assert_eq!(other_way, relation.holds(exact.reverse()));
        }
    }

    #[test]
    fn numbers_are_read_exactly(integer: i64, zeros in 0..4usize) {
        let read = |text: String| crate::parse::parse_number(text.as_bytes());
        prop_assert_eq!(read(integer.to_string()), Number::Integer(integer));
        let decimals = "0".repeat(zeros + 1);
        prop_assert_eq!(read(format!("{integer}.{decimals}")), Number::Integer(integer));
        let digits = format!("{integer}{}e-{zeros}", "0".repeat(zeros));
        prop_assert_eq!(read(digits), Number::Integer(integer));
    }
}

#[test]
fn numbers_that_fit_no_integer() {
    let read = |text: &str| crate::parse::parse_number(text.as_bytes());
    assert_eq!(
        read("9223372036854775808"),
        Number::Double(9_223_372_036_854_775_808.0)
    );
    assert_eq!(read("-9223372036854775808"), Number::Integer(i64::MIN));
    assert_eq!(read("1e18"), Number::Integer(1_000_000_000_000_000_000));
    assert_eq!(read("1e19"), Number::Double(1e19));
    assert_eq!(read("1e999999999999"), Number::Double(f64::INFINITY));
    assert_eq!(read("-1e400"), Number::Double(f64::NEG_INFINITY));
    assert_eq!(read("1e-999999999999"), Number::Integer(0));
    assert_eq!(read("0e999999999999"), Number::Integer(0));
    assert_eq!(read("0.5"), Number::Double(0.5));
    assert_eq!(read("-0"), Number::Integer(0));
    let long = format!("1{}", "0".repeat(100_000));
    assert_eq!(read(&long), Number::Double(f64::INFINITY));
    let small = format!("0.{}5e100001", "0".repeat(100_000));
    assert_eq!(read(&small), Number::Integer(5));
}

//! Fuzzes the language of message matchers: parsing, printing, evaluation.

use matcher::Matcher;
use schemas::Index;
use schemas::message::{Field, FieldValue, Message};

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "matcher",
    about: "message_matcher expressions",
    run,
    seeds,
    words: &[
        b"Type",
        b"Fields[x]",
        b"Payload",
        b"Severity",
        b"Timestamp",
        b"Uuid",
        b"Pid",
        b" == ",
        b" != ",
        b" =~ ",
        b" !~ ",
        b" <= ",
        b" >= ",
        b"NIL",
        b"TRUE",
        b"FALSE",
        b"&&",
        b"||",
        b"(",
        b")",
        b"'a'",
        b"\"b\"",
        b"'%",
        b"[0]",
        b"[255]",
        b"1e308",
        b"-1.5",
        b"'2015-01-01T00:00:00Z'",
    ],
    n_smoke: 20_000,
};

fn run(bytes: &[u8]) {
    let Ok(matcher) = Matcher::parse(bytes) else {
        return;
    };
    let messages = messages();
    let answers: Vec<bool> = messages
        .iter()
        .map(|message| ask(&matcher, message))
        .collect();
    if std::str::from_utf8(bytes).is_err() {
        // Printing makes text of it, which other bytes do not survive.
        return;
    }
    let printed = matcher.to_string();
    let again = Matcher::parse(printed.as_bytes()).expect("what a matcher prints can be parsed");
    for (message, answer) in messages.iter().zip(answers) {
        assert_eq!(
            ask(&again, message),
            answer,
            "the printed matcher means something else: {printed}"
        );
    }
}

fn ask(matcher: &Matcher, message: &[u8]) -> bool {
    let mut index = Index::default();
    index.parse(message).expect("the messages are good");
    matcher.matches(&index.view(message))
}

fn messages() -> Vec<Vec<u8>> {
    let empty = Message::new([1; 16], 0);
    let mut full = Message::new([2; 16], 1_500_000_000_123_456_789);
    full.type_ = Some(b"type".to_vec());
    full.payload = Some(b"aaaaaaaaaaaaaaaaaaaaaaaaaaaab(c)%".to_vec());
    full.severity = Some(3);
    full.pid = Some(42);
    full.fields = vec![
        Field::string("x", "abc"),
        Field::with("x", FieldValue::Integer(vec![1, i64::MAX, i64::MIN])),
        Field::double("d", f64::NAN),
        Field::bool("t", true),
    ];
    vec![empty.to_bytes(), full.to_bytes()]
}

fn seeds() -> Vec<Vec<u8>> {
    [
        "TRUE",
        "Type == 'type' && Fields[x] == 1",
        "Fields[x][0][1] >= 9223372036854775807 || Fields[d] < 0.5e-3",
        "Payload =~ '^a.-%(c%)' || Payload !~ 'x'% || Logger == NIL",
        "Timestamp >= '2017-07-14T02:40:00.5+01:00' && Timestamp < 1600000000000000000",
        "(Type == \"a\\\"b\" || (FALSE && TRUE)) && Severity <= 6",
        "Fields[t] == TRUE || Fields[missing] != NIL || Pid != 42 || Uuid > 'a'",
        "Type ~= 'x'",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

//! The index against asking every matcher, and what it looks at.

use proptest::prelude::*;
use schemas::message::{Field, Message};
use schemas::view::Index;

use super::*;
use crate::random::{messages, trees};

fn parsed(expressions: &[&str]) -> Vec<Matcher> {
    expressions
        .iter()
        .map(|text| Matcher::parse(text).expect(text))
        .collect()
}

fn build(matchers: &[Matcher]) -> MatcherIndex {
    MatcherIndex::build((0..).zip(matchers))
}

fn matching(index: &MatcherIndex, message: &Message, scratch: &mut Scratch) -> Vec<u32> {
    let bytes = message.to_bytes();
    let mut parts = Index::default();
    parts.parse(&bytes).expect("just encoded");
    let mut out = vec![99];
    index.matching(&parts.view(&bytes), scratch, &mut out);
    out
}

fn message(type_: &str, fields: Vec<Field>) -> Message {
    let mut message = Message::new([0; 16], 0);
    message.type_ = Some(type_.into());
    message.fields = fields;
    message
}

/// How many groups the last message made candidates.
fn candidates(index: &MatcherIndex, message: &Message) -> usize {
    let mut scratch = Scratch::default();
    matching(index, message, &mut scratch);
    scratch.candidates.len()
}

#[test]
fn an_empty_index_wants_nothing() {
    let index = MatcherIndex::default();
    assert!(!index.needs_message() && !index.needs_fields() && index.always().is_empty());
    assert_eq!(
        matching(&index, &message("a", vec![]), &mut Scratch::default()),
        [0; 0]
    );
}

#[test]
fn ids_are_sorted_and_repeat_as_given() {
    let matchers = parsed(&[
        "Type == 'a'",
        "TRUE",
        "Fields[x] != NIL",
        "Type == 'a' || TRUE",
    ]);
    let ids = [9, 5, 1, 5];
    let index = MatcherIndex::build(ids.into_iter().zip(&matchers));
    let found = matching(
        &index,
        &message("a", vec![Field::bool("x", true)]),
        &mut Scratch::default(),
    );
    assert_eq!(found, [1, 5, 5, 9]);
    assert_eq!(index.always(), [5, 5]);
}

#[test]
fn what_an_index_needs() {
    let needs = |expressions: &[&str]| {
        let index = build(&parsed(expressions));
        (
            index.needs_message(),
            index.needs_fields(),
            index.always().len(),
        )
    };
    assert_eq!(needs(&["TRUE", "FALSE"]), (false, false, 1));
    assert_eq!(needs(&["TRUE", "Type == 'a'"]), (true, false, 1));
    assert_eq!(needs(&["Severity < 3 && Fields[x] == 1"]), (true, true, 0));
}

#[test]
fn constants_need_no_evaluation() {
    let index = build(&parsed(&["FALSE", "TRUE && TRUE", "FALSE && Type == 'a'"]));
    assert!(index.groups.is_empty());
    assert_eq!(index.always(), [1]);
}

#[test]
fn covers_are_found_through_and_and_or() {
    let covered = |expression: &str| build(&parsed(&[expression])).without_cover.is_empty();
    assert!(covered("Type == 'a'"));
    assert!(covered("Severity < 3 && Type == 'a'"));
    assert!(covered("Type == 'a' || Logger == 'b'"));
    assert!(covered("(Type == 'a' || Fields[x] == 1) && Payload =~ 'x'"));
    assert!(covered(
        "Type == 'a' && Severity < 3 || Hostname == 'h' && Pid != NIL"
    ));
    assert!(covered("Fields[x][1][2] == 'v' || FALSE"));
    assert!(covered("Payload == 'p' || EnvVersion == 'e'"));
    assert!(!covered("Type != 'a'"));
    assert!(!covered("Type == 'a' || Severity < 3"));
    assert!(!covered("Type =~ 'a'"));
    assert!(!covered("Fields[x] == NIL"));
    assert!(!covered("Severity == 1"));
}

#[test]
fn the_rarest_equality_finds_a_matcher() {
    let texts: Vec<String> = (0..500)
        .map(|n| format!("Type == 'a' && Fields[x] == {n}"))
        .collect();
    let matchers: Vec<Matcher> = texts
        .iter()
        .map(|text| Matcher::parse(text).expect("well formed"))
        .collect();
    let index = build(&matchers);
    assert_eq!(
        candidates(&index, &message("a", vec![Field::integer("x", 77)])),
        1
    );
    assert_eq!(
        candidates(&index, &message("a", vec![Field::double("x", 77.0)])),
        1
    );
    assert_eq!(candidates(&index, &message("a", vec![])), 0);
    let found = matching(
        &index,
        &message("a", vec![Field::double("x", 77.0)]),
        &mut Scratch::default(),
    );
    assert_eq!(found, [77]);
}

#[test]
fn headers_are_preferred_to_fields() {
    let index = build(&parsed(&[
        "Fields[x] == 1 && Type == 'a'",
        "Fields[y] == 2 && Type == 'b'",
    ]));
    assert!(index.fields.is_empty());
    assert_eq!(candidates(&index, &message("a", vec![])), 1);
}

#[test]
fn the_same_expression_is_evaluated_once() {
    let matchers = parsed(&[
        "Type=='a'&&Pid!=1",
        "Type == 'a' && (Pid != 1)",
        "Severity < 9",
        "Severity<9.0",
    ]);
    let index = build(&matchers);
    assert_eq!(index.groups.len(), 2);
    let found = matching(&index, &message("a", vec![]), &mut Scratch::default());
    assert_eq!(found, [0, 1, 2, 3]);
}

#[test]
fn repeated_fields_and_elements_are_told_apart() {
    let index = build(&parsed(&[
        "Fields[x] == 'a'",
        "Fields[x][1] == 'a'",
        "Fields[x][0][1] == 'a'",
        "Fields[x] == 'a' || Fields[x][1] == 'a'",
    ]));
    let with = |first: &str, second: &str| {
        let fields = vec![Field::string("x", first), Field::string("x", second)];
        matching(&index, &message("t", fields), &mut Scratch::default())
    };
    assert_eq!(with("a", "b"), [0, 3]);
    assert_eq!(with("b", "a"), [1, 3]);
    assert_eq!(with("a", "a"), [0, 1, 3]);
    assert_eq!(with("b", "b"), [0; 0]);
}

#[test]
fn names_of_any_length_are_found() {
    for length in [0, 1, 62, 63, 64, 200] {
        let name = "n".repeat(length);
        let index = build(&parsed(&[&format!("Fields[{name}] == 'v'")]));
        let found = message("t", vec![Field::string(&name, "v")]);
        assert_eq!(
            matching(&index, &found, &mut Scratch::default()),
            [0],
            "{length}"
        );
        let longer = message("t", vec![Field::string(&(name + "n"), "v")]);
        assert_eq!(
            matching(&index, &longer, &mut Scratch::default()),
            [0; 0],
            "{length}"
        );
    }
}

#[test]
fn given_up_patterns_are_counted_for_every_member() {
    let matchers = parsed(&[
        "Payload =~ 'a-a-a-a-a-b'",
        "Payload =~ 'a-a-a-a-a-b'",
        "Payload =~ 'a'",
    ]);
    let index = build(&matchers);
    let mut message = message("t", vec![]);
    message.payload = Some(b"a".repeat(20_000));
    assert_eq!(matching(&index, &message, &mut Scratch::default()), [2]);
    let counts: Vec<u64> = matchers.iter().map(Matcher::patterns_exceeded).collect();
    assert_eq!(counts, [1, 1, 0]);
}

#[test]
fn steady_state_needs_no_room() {
    let matchers = parsed(&[
        "Type == 'a'",
        "Fields[x] == 1",
        "Pid == NIL",
        "Type == 'a' || Type == 'b'",
    ]);
    let index = build(&matchers);
    let bytes = message("a", vec![Field::integer("x", 1)]).to_bytes();
    let mut parts = Index::default();
    parts.parse(&bytes).expect("just encoded");
    let (mut scratch, mut out) = (Scratch::default(), Vec::new());
    index.matching(&parts.view(&bytes), &mut scratch, &mut out);
    let room = (
        scratch.seen.capacity(),
        scratch.candidates.capacity(),
        out.capacity(),
    );
    for _ in 0..100 {
        index.matching(&parts.view(&bytes), &mut scratch, &mut out);
        assert_eq!(out, [0, 1, 2, 3]);
    }
    assert_eq!(
        room,
        (
            scratch.seen.capacity(),
            scratch.candidates.capacity(),
            out.capacity()
        )
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn same_as_asking_everyone(
        trees in prop::collection::vec(trees(), 0..40),
        more in prop::collection::vec(trees(), 0..10),
        messages in prop::collection::vec(messages(), 1..8),
    ) {
        let read = |trees: &[Tree]| -> Vec<Matcher> {
            trees.iter().map(|tree| Matcher::parse(tree.to_bytes()).expect("plain form")).collect()
        };
        // One scratch for two indexes: what it remembers of one means nothing to the other.
        let mut scratch = Scratch::default();
        let sets = [read(&trees), read(&more)];
        let indexes = [build(&sets[0]), build(&sets[1])];
        for message in &messages {
            let bytes = message.to_bytes();
            let mut parts = Index::default();
            parts.parse(&bytes).expect("just encoded");
            let view = parts.view(&bytes);
            for (matchers, index) in sets.iter().zip(&indexes) {
                let asked = (0..).zip(matchers).filter(|(_, matcher)| matcher.matches(&view));
                let expected: Vec<u32> = asked.map(|(id, _)| id).collect();
                prop_assert_eq!(matching(index, message, &mut scratch), expected);
            }
        }
    }
}

//! The compiled machine against a plain interpreter of the same trees, on random patterns and subjects.

use std::sync::Arc;

use proptest::prelude::*;

use crate::emit;
use crate::ir::Ir;
use crate::machine::{self, Host, Record, Scratch};
use crate::program::Program;
use crate::set::ByteSet;
use crate::tree::{Capture, Constant, Home, Maker, Rule, Shape, Tree};
use crate::verify;

/// Nodes that the interpreter may look at before a case is given up.
const FUEL: u32 = 2_000;

/// Few letters, so that matches are frequent.
const LETTERS: &[u8] = b"aaabbc";

/// Subjects for each pattern.
const N_SUBJECTS: usize = 40;

/// A pattern to be made.
#[derive(Clone, Debug)]
enum Plan {
    Literal(Vec<u8>),
    Set(Vec<u8>),
    Any(i64),
    Truth(bool),
    Sequence(Box<Plan>, Box<Plan>),
    Choice(Box<Plan>, Box<Plan>),
    Difference(Box<Plan>, Box<Plan>),
    AtLeast(Box<Plan>, u32),
    AtMost(Box<Plan>, u32),
    Not(Box<Plan>),
    And(Box<Plan>),
    Behind(Box<Plan>),
    Call(usize),
    Grammar(Vec<Plan>),
    Capture(u8, Box<Plan>),
}

fn plans() -> impl Strategy<Value = Plan> {
    let text = |max| prop::collection::vec(prop::sample::select(LETTERS.to_vec()), 1..=max);
    let leaf = prop_oneof![
        4 => text(3).prop_map(Plan::Literal),
        3 => text(2).prop_map(Plan::Set),
        1 => (-1..3_i64).prop_map(Plan::Any),
        1 => any::<bool>().prop_map(Plan::Truth),
        3 => (0..3_usize).prop_map(Plan::Call),
    ];
    leaf.prop_recursive(6, 40, 4, |inner| {
        let one = || inner.clone().prop_map(Box::new);
        prop_oneof![
            4 => (one(), one()).prop_map(|(a, b)| Plan::Sequence(a, b)),
            4 => (one(), one()).prop_map(|(a, b)| Plan::Choice(a, b)),
            1 => (one(), one()).prop_map(|(a, b)| Plan::Difference(a, b)),
            3 => (one(), 0..3_u32).prop_map(|(a, n)| Plan::AtLeast(a, n)),
            2 => (one(), 1..3_u32).prop_map(|(a, n)| Plan::AtMost(a, n)),
            1 => one().prop_map(Plan::Not),
            1 => one().prop_map(Plan::And),
            1 => one().prop_map(Plan::Behind),
            2 => prop::collection::vec(inner.clone(), 1..4).prop_map(Plan::Grammar),
            3 => (0..4_u8, one()).prop_map(|(kind, a)| Plan::Capture(kind, a)),
        ]
    })
}

/// Sequences of choices of sequences of short texts: what matches often, and goes back often.
fn phrases() -> impl Strategy<Value = Plan> {
    let text = prop::collection::vec(prop::sample::select(LETTERS.to_vec()), 1..=2);
    let word = (text.prop_map(Plan::Literal), 0..8_u8).prop_map(|(word, suffix)| {
        let word = Box::new(word);
        match suffix {
            0 | 1 => Plan::AtMost(word, 1),
            2 => Plan::AtLeast(word, 0),
            3 => Plan::Capture(0, word),
            _ => *word,
        }
    });
    let chain = |plan: BoxedStrategy<Plan>, join: fn(Box<Plan>, Box<Plan>) -> Plan| {
        prop::collection::vec(plan, 1..4).prop_map(move |parts| {
            let joined = parts
                .into_iter()
                .reduce(|a, b| join(Box::new(a), Box::new(b)));
            joined.expect("there is one part at least")
        })
    };
    let sequence = chain(word.boxed(), Plan::Sequence);
    let choice = chain(sequence.boxed(), Plan::Choice);
    let repeated = (choice, 0..6_u8).prop_map(|(plan, suffix)| match suffix {
        0 => Plan::AtLeast(Box::new(plan), 0),
        1 => Plan::AtMost(Box::new(plan), 2),
        _ => plan,
    });
    chain(repeated.boxed(), Plan::Sequence)
}

fn rule_name(n: usize) -> Constant {
    Constant::Bytes([b'r', n as u8][..].into())
}

/// Makes the pattern; what would be refused is replaced by something that is not.
fn make(maker: &Maker<'_>, plan: &Plan, n_rules: usize) -> Tree {
    let part = |plan: &Plan| make(maker, plan, n_rules);
    match plan {
        Plan::Literal(bytes) => maker.literal(bytes),
        Plan::Set(bytes) => maker.set(ByteSet::of(bytes)),
        Plan::Any(n) => maker.any(*n),
        Plan::Truth(truth) => maker.truth(*truth),
        Plan::Sequence(a, b) => maker.sequence(part(a), part(b)),
        Plan::Choice(a, b) => maker.choice(part(a), part(b)),
        Plan::Difference(a, b) => maker.difference(part(a), part(b)),
        Plan::AtLeast(body, n) => match part(body) {
            body if body.info.nullable => maker.at_least(maker.sequence(maker.any(1), body), *n),
            body => maker.at_least(body, *n),
        },
        Plan::AtMost(body, n) => maker.at_most(part(body), *n),
        Plan::Not(body) => maker.not(part(body)),
        Plan::And(body) => maker.and(part(body)),
        Plan::Behind(body) => {
            let body = part(body);
            match body.info.fixed_length.filter(|_| !body.info.has_captures) {
                Some(length) => maker.behind(body, length),
                None => maker.behind(maker.literal(b"a"), 1),
            }
        }
        Plan::Call(_) if n_rules == 0 => maker.literal(b"b"),
        Plan::Call(n) => maker.call(rule_name(n % n_rules)),
        Plan::Grammar(bodies) => grammar(maker, bodies),
        Plan::Capture(kind, body) => maker.capture(
            match kind {
                0 => Capture::Simple,
                1 => Capture::Group(None),
                2 => Capture::Table,
                _ => Capture::Runtime(Constant::Nil),
            },
            part(body),
        ),
    }
}

fn grammar(maker: &Maker<'_>, bodies: &[Plan]) -> Tree {
    let rule = |(n, body)| Rule {
        name: rule_name(n),
        body: make(maker, body, bodies.len()),
    };
    let rules: Vec<Rule> = bodies.iter().enumerate().map(rule).collect();
    match verify::verify::<()>(&rules, &mut |_| Ok(())) {
        Ok(initial) => maker.grammar(rules.into(), initial),
        Err(_) => maker.literal(b"c"),
    }
}

/// A capture as both sides see it.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    kind: String,
    from: usize,
    to: usize,
    within: Vec<Seen>,
}

/// What a function does with its match in these tests: it refuses those of odd length, and returns one value.
fn accepts(from: usize, to: usize) -> bool {
    (to - from).is_multiple_of(2)
}

fn returned(from: usize, to: usize) -> Seen {
    let value = Seen {
        kind: "value".into(),
        from: to,
        to,
        within: Vec::new(),
    };
    Seen {
        kind: "Group(None)".into(),
        from,
        to,
        within: vec![value],
    }
}

/// The plain interpreter.
struct Interpreter<'i> {
    subject: &'i [u8],
    fuel: u32,
}

/// The fuel is used up.
#[derive(Debug)]
struct Tired;

impl Interpreter<'_> {
    fn run(
        &mut self,
        tree: &Tree,
        pos: usize,
        rules: &[Rule],
        seen: &mut Vec<Seen>,
    ) -> Result<Option<usize>, Tired> {
        self.fuel = self.fuel.checked_sub(1).ok_or(Tired)?;
        let rest = &self.subject[pos..];
        let n_seen = seen.len();
        let end = match &tree.shape {
            Shape::Set(set) => rest
                .first()
                .filter(|byte| set.contains(**byte))
                .map(|_| pos + 1),
            Shape::Any(n) => (rest.len() >= *n as usize).then(|| pos + *n as usize),
            Shape::Literal(bytes) => rest.starts_with(bytes).then(|| pos + bytes.len()),
            Shape::True => Some(pos),
            Shape::False => None,
            Shape::Sequence(a, b) => match self.run(a, pos, rules, seen)? {
                Some(pos) => self.run(b, pos, rules, seen)?,
                None => None,
            },
            Shape::Choice(a, b) => match self.run(a, pos, rules, seen)? {
                None => self.run(b, pos, rules, seen)?,
                end => end,
            },
            Shape::AtLeast(body, min) => self.repeat(body, pos, rules, seen, (*min, u32::MAX))?,
            Shape::AtMost(body, max) => self.repeat(body, pos, rules, seen, (0, *max))?,
            Shape::Not(body) => match self.run(body, pos, rules, seen)? {
                None => Some(pos),
                Some(_) => None,
            },
            Shape::And(body) => {
                let end = self.run(body, pos, rules, seen)?.map(|_| pos);
                seen.truncate(n_seen);
                end
            }
            Shape::Behind(body, length) => match pos.checked_sub(*length as usize) {
                Some(pos) => self.run(body, pos, rules, seen)?,
                None => None,
            },
            Shape::Call(name) => {
                let rule = rules.iter().find(|rule| rule.name == *name);
                let rule = rule.expect("calls were resolved");
                self.run(&rule.body, pos, rules, seen)?
            }
            Shape::Grammar(rules) => self.run(&rules[0].body, pos, rules, seen)?,
            Shape::Capture(capture, body) => self.capture(capture, body, pos, rules, seen)?,
        };
        if end.is_none() {
            seen.truncate(n_seen);
        }
        Ok(end)
    }

    fn repeat(
        &mut self,
        body: &Tree,
        mut pos: usize,
        rules: &[Rule],
        seen: &mut Vec<Seen>,
        (min, max): (u32, u32),
    ) -> Result<Option<usize>, Tired> {
        let mut n = 0;
        while n < max {
            match self.run(body, pos, rules, seen)? {
                Some(end) => pos = end,
                None => break,
            }
            n += 1;
        }
        Ok((n >= min).then_some(pos))
    }

    fn capture(
        &mut self,
        capture: &Capture,
        body: &Tree,
        pos: usize,
        rules: &[Rule],
        seen: &mut Vec<Seen>,
    ) -> Result<Option<usize>, Tired> {
        let mut within = Vec::new();
        let Some(end) = self.run(body, pos, rules, &mut within)? else {
            return Ok(None);
        };
        if matches!(capture, Capture::Runtime(_)) {
            if !accepts(pos, end) {
                return Ok(None);
            }
            seen.push(returned(pos, end));
            return Ok(Some(end));
        }
        seen.push(Seen {
            kind: format!("{capture:?}"),
            from: pos,
            to: end,
            within,
        });
        Ok(Some(end))
    }
}

/// A machine's host without Lua.
struct TestHost;

impl Host for TestHost {
    type Error = String;

    fn charge(&mut self, _: u32) -> Result<(), String> {
        Ok(())
    }

    fn allow(&mut self, _: usize) -> Result<(), String> {
        Ok(())
    }

    fn overflow(&self) -> String {
        "overflow".into()
    }

    fn close_runtime(
        &mut self,
        records: &mut Vec<Record>,
        open: usize,
        pos: usize,
        values: &mut u32,
    ) -> Result<Option<usize>, String> {
        let from = records[open].at as usize;
        records.truncate(open);
        if !accepts(from, pos) {
            return Ok(None);
        }
        machine::append_values(records, (*values, *values + 1), from..pos);
        *values += 1;
        Ok(Some(pos))
    }
}

/// The records as captures, from `at` to the end or to the end of the capture around them.
fn seen(program: &Program, records: &[Record], at: &mut usize) -> Vec<Seen> {
    let mut all = Vec::new();
    while let Some(record) = records.get(*at).filter(|record| !record.is_close()) {
        *at += 1;
        let kind = match record.kind(program) {
            Some(crate::program::Kind::Table(_)) => "Table".into(),
            Some(kind) => format!("{kind:?}"),
            None => "value".into(),
        };
        let mut capture = Seen {
            kind,
            from: record.at as usize,
            to: record.end(),
            within: Vec::new(),
        };
        if !record.is_full() {
            capture.within = seen(program, records, at);
            capture.to = records[*at].end();
            *at += 1;
        }
        all.push(capture);
    }
    all
}

fn compile(tree: &Tree) -> Program {
    let mut ir = Ir::of(tree).expect("calls stand in grammars");
    ir.analyse::<()>(&mut |_| Ok(())).expect("never refused");
    emit::emit(&ir, tree.home())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000.max(ProptestConfig::default().cases), ..ProptestConfig::default() })]

    #[test]
    fn the_machine_and_the_interpreter_agree(
        plan in prop_oneof![plans(), phrases()],
        subjects in prop::collection::vec(
            prop::collection::vec(prop::sample::select(LETTERS.to_vec()), 0..9),
            N_SUBJECTS,
        ),
        start in 0..3_usize,
    ) {
        let home = Arc::new(Home::default());
        let tree = make(&Maker(&home), &plan, 0);
        let program = compile(&tree);
        for subject in &subjects {
            let start = start.min(subject.len());
            let mut interpreter = Interpreter { subject, fuel: FUEL };
            let mut expected = Vec::new();
            let Ok(end) = interpreter.run(&tree, start, &[], &mut expected) else {
                continue;
            };
            let mut scratch = Scratch::default();
            let found =
                machine::run(&program, subject, start, 1 << 16, &mut scratch, &mut TestHost);
            prop_assert_eq!(found, Ok(end), "{:?} on {:?}", program, subject);
            if end.is_some() {
                let captures = seen(&program, &scratch.records, &mut 0);
                prop_assert_eq!(captures, expected, "{:?} on {:?}", program, subject);
            }
        }
    }
}

#[test]
fn all_trees_are_counted_off_again() {
    let home = Arc::new(Home::default());
    let maker = Maker(&home);
    let mut tree = maker.literal(b"x");
    for _ in 0..100_000 {
        tree = maker.sequence(tree, maker.literal(b"abc"));
    }
    let bytes = || home.bytes.load(std::sync::atomic::Ordering::Relaxed);
    assert!(bytes() > 100_000 * 3);
    // Freed without recursion.
    drop(tree);
    assert_eq!(bytes(), 0);
}

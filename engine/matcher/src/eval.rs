//! Expression and message in, yes or no out.
//!
//! A tree becomes a list of tests, each with two places to go on. Evaluation is a loop over the list that allocates
//! nothing; `TRUE` and `FALSE` are places, not tests, so a constant costs nothing.

use std::cell::Cell;

use schemas::view::{FieldView, Value, View};
use stdx::pattern::{Compiled, Steps};

use crate::expr::{
    FieldName, FieldTest, Node, Number, NumberHeader, Relation, Test, TextHeader, TextTest, Tree,
};
use crate::{PATTERN_STEPS, PATTERN_STEPS_PER_BYTE};

/// The place to go on where the answer is yes.
const ACCEPT: u32 = u32::MAX;
/// The place to go on where the answer is no.
const REJECT: u32 = u32::MAX - 1;

/// An expression ready to be evaluated.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    steps: Vec<Step>,
    /// The first step, [`ACCEPT`] or [`REJECT`].
    entry: u32,
}

#[derive(Debug, Clone)]
struct Step {
    probe: Probe,
    if_true: u32,
    if_false: u32,
}

/// A test with everything prepared.
#[derive(Debug, Clone)]
enum Probe {
    Text(TextHeader, TextProbe),
    NoText(TextHeader, bool),
    Number(NumberHeader, Relation, Number),
    NoPid(bool),
    Field(FieldProbe),
}

#[derive(Debug, Clone)]
enum TextProbe {
    Compare(Relation, Box<[u8]>),
    Pattern { pattern: Compiled, negated: bool },
}

#[derive(Debug, Clone)]
struct FieldProbe {
    field: FieldName,
    question: Question,
}

#[derive(Debug, Clone)]
enum Question {
    Text(TextProbe),
    Number(Relation, Number),
    Bool { equal: bool, value: bool },
    Absent(bool),
}

/// Counts the patterns that exceeded their budget in one evaluation.
pub(crate) type Exceeded = Cell<u32>;

impl Program {
    pub fn compile(tree: &Tree) -> Program {
        let mut program = Program {
            steps: Vec::new(),
            entry: REJECT,
        };
        program.entry = program.emit(tree, tree.root(), ACCEPT, REJECT);
        program
    }

    /// Emits a node that goes on at these places, and says where it begins. The right side comes first, because the
    /// left one jumps to it.
    fn emit(&mut self, tree: &Tree, node: usize, if_true: u32, if_false: u32) -> u32 {
        match &tree.nodes()[node] {
            Node::And(left, right) => {
                let right = self.emit(tree, *right, if_true, if_false);
                self.emit(tree, *left, right, if_false)
            }
            Node::Or(left, right) => {
                let right = self.emit(tree, *right, if_true, if_false);
                self.emit(tree, *left, if_true, right)
            }
            Node::Test(Test::Constant(true)) => if_true,
            Node::Test(Test::Constant(false)) => if_false,
            // Whatever the answer, as in `Type == 'a' || TRUE`.
            Node::Test(_) if if_true == if_false => if_true,
            Node::Test(test) => {
                self.steps.push(Step {
                    probe: Probe::of(test),
                    if_true,
                    if_false,
                });
                (self.steps.len() - 1) as u32
            }
        }
    }

    /// The answer, if it is the same for every message.
    pub fn constant(&self) -> Option<bool> {
        match self.entry {
            ACCEPT => Some(true),
            REJECT => Some(false),
            _ => None,
        }
    }

    /// Whether the answer may depend on fields.
    pub fn needs_fields(&self) -> bool {
        self.constant().is_none()
            && self
                .steps
                .iter()
                .any(|step| matches!(step.probe, Probe::Field(_)))
    }

    #[inline]
    pub fn matches(&self, view: &View<'_>, exceeded: &Exceeded) -> bool {
        let mut at = self.entry;
        while let Some(step) = self.steps.get(at as usize) {
            at = if step.probe.holds(view, exceeded) {
                step.if_true
            } else {
                step.if_false
            };
        }
        at == ACCEPT
    }
}

impl Probe {
    fn of(test: &Test) -> Probe {
        match test {
            Test::Constant(_) => unreachable!("a constant is a place, not a test"),
            Test::Text(header, test) => Probe::Text(*header, TextProbe::of(test)),
            Test::NoText(header, absent) => Probe::NoText(*header, *absent),
            Test::Number(header, relation, number) => Probe::Number(*header, *relation, *number),
            Test::NoPid(absent) => Probe::NoPid(*absent),
            Test::Field(field, test) => Probe::Field(FieldProbe {
                field: field.clone(),
                question: Question::of(test),
            }),
        }
    }

    #[inline]
    fn holds(&self, view: &View<'_>, exceeded: &Exceeded) -> bool {
        match self {
            Probe::Text(header, test) => match text_header(view, *header) {
                Some(text) => test.holds(text, exceeded),
                None => test.holds_for_nil(),
            },
            Probe::NoText(header, absent) => text_header(view, *header).is_none() == *absent,
            Probe::Number(header, relation, number) => {
                number.compare_integer(*relation, number_header(view, *header))
            }
            Probe::NoPid(absent) => (number_header(view, NumberHeader::Pid) == NIL_PID) == *absent,
            Probe::Field(probe) => probe.holds(view, exceeded),
        }
    }
}

/// What a message without Pid compares as, in Hindsight and in its messages.
const NIL_PID: i64 = i32::MIN as i64;

#[inline]
pub(crate) fn text_header<'m>(view: &View<'m>, header: TextHeader) -> Option<&'m [u8]> {
    match header {
        TextHeader::Uuid => view.uuid(),
        TextHeader::Type => view.type_(),
        TextHeader::Logger => view.logger(),
        TextHeader::Hostname => view.hostname(),
        TextHeader::EnvVersion => view.env_version(),
        TextHeader::Payload => view.payload(),
    }
}

#[inline]
fn number_header(view: &View<'_>, header: NumberHeader) -> i64 {
    match header {
        NumberHeader::Timestamp => view.timestamp(),
        NumberHeader::Severity => view.severity().into(),
        NumberHeader::Pid => view.pid().map_or(NIL_PID, i64::from),
    }
}

impl TextProbe {
    fn of(test: &TextTest) -> TextProbe {
        match test {
            TextTest::Compare(relation, text) => TextProbe::Compare(*relation, text.clone()),
            TextTest::Pattern {
                text,
                plain,
                negated,
            } => {
                let pattern = if *plain {
                    Compiled::text(text)
                } else {
                    Compiled::new(text)
                };
                TextProbe::Pattern {
                    pattern,
                    negated: *negated,
                }
            }
        }
    }

    #[inline]
    fn holds(&self, text: &[u8], exceeded: &Exceeded) -> bool {
        match self {
            TextProbe::Compare(Relation::Equal, wanted) => text == &wanted[..],
            TextProbe::Compare(Relation::NotEqual, wanted) => text != &wanted[..],
            TextProbe::Compare(relation, other) => relation.holds(text.cmp(other)),
            TextProbe::Pattern { pattern, negated } => found(pattern, text, exceeded) != *negated,
        }
    }

    /// A header that is not there matches no pattern, not even the empty one.
    fn holds_for_nil(&self) -> bool {
        match self {
            TextProbe::Compare(relation, _) => relation.holds_for_nil(),
            TextProbe::Pattern { negated, .. } => *negated,
        }
    }
}

/// Whether the pattern is in the text. If its budget ends before that is known it is not, and that is counted.
fn found(pattern: &Compiled, text: &[u8], exceeded: &Exceeded) -> bool {
    let mut budget = Steps(PATTERN_STEPS + PATTERN_STEPS_PER_BYTE * text.len() as u64);
    pattern.is_match(text, &mut budget).unwrap_or_else(|_| {
        exceeded.set(exceeded.get() + 1);
        false
    })
}

impl FieldProbe {
    #[inline]
    fn holds(&self, view: &View<'_>, exceeded: &Exceeded) -> bool {
        let value = self
            .find(view)
            .and_then(|field| field.value(self.field.element.into()));
        match (&self.question, value) {
            (Question::Absent(absent), value) => value.is_none() == *absent,
            (_, None) => false,
            (Question::Text(test), Some(value)) => value
                .as_bytes()
                .is_some_and(|text| test.holds(text, exceeded)),
            (Question::Number(relation, number), Some(value)) => match value {
                Value::Integer(value) => number.compare_integer(*relation, value),
                Value::Double(value) => number.compare_double(*relation, value),
                Value::String(_) | Value::Bytes(_) | Value::Bool(_) => false,
            },
            (
                Question::Bool {
                    equal,
                    value: wanted,
                },
                Some(value),
            ) => {
                let wanted_number = f64::from(u8::from(*wanted));
                match value {
                    Value::Bool(value) => (value == *wanted) == *equal,
                    Value::Integer(value) => (value == i64::from(*wanted)) == *equal,
                    Value::Double(value) => (value == wanted_number) == *equal,
                    Value::String(_) | Value::Bytes(_) => false,
                }
            }
        }
    }

    #[inline]
    fn find<'m>(&self, view: &View<'m>) -> Option<FieldView<'m>> {
        view.field(&self.field.name, self.field.nth.into())
    }
}

impl Question {
    fn of(test: &FieldTest) -> Question {
        match test {
            FieldTest::Text(test) => Question::Text(TextProbe::of(test)),
            FieldTest::Number(relation, number) => Question::Number(*relation, *number),
            FieldTest::Bool { equal, value } => Question::Bool {
                equal: *equal,
                value: *value,
            },
            FieldTest::Absent(absent) => Question::Absent(*absent),
        }
    }
}

//! The tree of an expression; the only list of operators.

use std::cmp::Ordering;

/// A parsed expression: tests joined by `&&` and `||`, in postfix order, so that the root comes last.
///
/// It has at most [`MAX_TESTS`](crate::MAX_TESTS) tests, which bounds its depth: functions on it may recurse.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    pub(crate) nodes: Vec<Node>,
}

/// One node of a [`Tree`]; children are indexes into its list.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// Left and right.
    And(usize, usize),
    /// Left or right.
    Or(usize, usize),
    /// A leaf.
    Test(Test),
}

/// One question to a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// `TRUE` or `FALSE`.
    Constant(bool),
    /// A header that holds text, or the Uuid.
    Text(TextHeader, TextTest),
    /// A header that holds a number.
    Number(NumberHeader, Relation, Number),
    /// A text header is there (`false`) or not (`true`).
    NoText(TextHeader, bool),
    /// The Pid is there (`false`) or not (`true`).
    NoPid(bool),
    /// A field.
    Field(FieldName, FieldTest),
}

/// Headers whose value is text, and the Uuid, whose value is 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names of the headers say it")]
pub enum TextHeader {
    Uuid,
    Type,
    Logger,
    Hostname,
    EnvVersion,
    Payload,
}

/// Headers whose value is a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the headers say it")]
pub enum NumberHeader {
    Timestamp,
    Severity,
    Pid,
}

/// The relational operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Relation {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A number as written: exact if it is whole and fits, else the nearest double.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Number {
    Integer(i64),
    Double(f64),
}

/// What is asked of text.
#[derive(Debug, Clone, PartialEq)]
pub enum TextTest {
    /// Compared byte by byte.
    Compare(Relation, Box<[u8]>),
    /// Searched for a Lua pattern, or for plain text.
    Pattern {
        /// What stands between the quotes.
        text: Box<[u8]>,
        /// Whether a `%` behind the quote says that nothing in it is special.
        plain: bool,
        /// `!~`: true if it is not found.
        negated: bool,
    },
}

/// Which value of which field: `Fields[name][nth][element]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FieldName {
    /// The name; may be empty.
    pub name: Box<[u8]>,
    /// Which of the fields with this name, from 0.
    pub nth: u8,
    /// Which of its values, from 0.
    pub element: u8,
}

/// What is asked of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldTest {
    /// The value is a string or bytes, and passes.
    Text(TextTest),
    /// The value is an integer or a double, and passes.
    Number(Relation, Number),
    /// The value is this truth value, or the number 1 or 0 that stands for it.
    Bool {
        /// `==` if true, `!=` if false.
        equal: bool,
        /// The truth value.
        value: bool,
    },
    /// The value is there (`false`) or not (`true`).
    Absent(bool),
}

impl TextHeader {
    /// The name as it is written.
    pub fn name(self) -> &'static str {
        match self {
            TextHeader::Uuid => "Uuid",
            TextHeader::Type => "Type",
            TextHeader::Logger => "Logger",
            TextHeader::Hostname => "Hostname",
            TextHeader::EnvVersion => "EnvVersion",
            TextHeader::Payload => "Payload",
        }
    }
}

impl NumberHeader {
    /// The name as it is written.
    pub fn name(self) -> &'static str {
        match self {
            NumberHeader::Timestamp => "Timestamp",
            NumberHeader::Severity => "Severity",
            NumberHeader::Pid => "Pid",
        }
    }
}

impl Relation {
    /// The operator as it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Relation::Equal => "==",
            Relation::NotEqual => "!=",
            Relation::Less => "<",
            Relation::LessOrEqual => "<=",
            Relation::Greater => ">",
            Relation::GreaterOrEqual => ">=",
        }
    }

    /// Whether the relation holds between two things that compare so.
    #[inline]
    pub fn holds(self, ordering: Ordering) -> bool {
        match self {
            Relation::Equal => ordering.is_eq(),
            Relation::NotEqual => ordering.is_ne(),
            Relation::Less => ordering.is_lt(),
            Relation::LessOrEqual => ordering.is_le(),
            Relation::Greater => ordering.is_gt(),
            Relation::GreaterOrEqual => ordering.is_ge(),
        }
    }

    /// What the relation says of a header that is not there: it is unequal to any text, and less.
    #[inline]
    pub fn holds_for_nil(self) -> bool {
        self.holds(Ordering::Less)
    }
}

impl Number {
    /// Whether `value` stands in this relation to the number, without rounding.
    #[inline]
    pub fn compare_integer(self, relation: Relation, value: i64) -> bool {
        match self {
            Number::Integer(number) => relation.holds(value.cmp(&number)),
            Number::Double(number) => relation.holds(integer_to_double(value, number)),
        }
    }

    /// As [`Number::compare_integer`], for a double. What is not a number is unequal to all, and nothing else.
    #[inline]
    pub fn compare_double(self, relation: Relation, value: f64) -> bool {
        if value.is_nan() {
            return relation == Relation::NotEqual;
        }
        match self {
            Number::Integer(number) => relation.holds(integer_to_double(number, value).reverse()),
            Number::Double(number) if value < number => relation.holds(Ordering::Less),
            Number::Double(number) if value > number => relation.holds(Ordering::Greater),
            Number::Double(_) => relation.holds(Ordering::Equal),
        }
    }

    /// The number that a double stands for: an integer if it is whole and fits.
    pub fn from_double(value: f64) -> Number {
        match value.fract() == 0.0 && (-TWO_63..TWO_63).contains(&value) {
            true => Number::Integer(value as i64),
            false => Number::Double(value),
        }
    }
}

/// The first double that no `i64` reaches.
const TWO_63: f64 = 9_223_372_036_854_775_808.0;

/// Compares the numbers themselves; neither is rounded. The double is a number.
fn integer_to_double(integer: i64, double: f64) -> Ordering {
    if double >= TWO_63 {
        return Ordering::Less;
    }
    if double < -TWO_63 {
        return Ordering::Greater;
    }
    let whole = double.trunc();
    // The cast is exact: `whole` lies within the range of `i64`.
    let by_whole = integer.cmp(&(whole as i64));
    by_whole
        .then_with(|| {
            if double > whole {
                Ordering::Less
            } else {
                Ordering::Equal
            }
        })
        .then_with(|| {
            if double < whole {
                Ordering::Greater
            } else {
                Ordering::Equal
            }
        })
}

impl Tree {
    /// The nodes in postfix order; the root is the last.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Index of the root.
    pub(crate) fn root(&self) -> usize {
        self.nodes.len() - 1
    }

    /// The tests, from left to right.
    pub fn tests(&self) -> impl Iterator<Item = &Test> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Test(test) => Some(test),
            _ => None,
        })
    }

    /// The expression in its plainest form; parsing it gives the same tree.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(self.root(), true, &mut out);
        out
    }

    /// As [`Tree::to_bytes`], but the same for trees that differ only in how equal operators are grouped.
    pub(crate) fn flat_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(self.root(), false, &mut out);
        out
    }

    fn write(&self, node: usize, grouped: bool, out: &mut Vec<u8>) {
        let (left, operator, right) = match &self.nodes[node] {
            Node::Test(test) => return test.write(out),
            Node::And(left, right) => (*left, b" && ", *right),
            Node::Or(left, right) => (*left, b" || ", *right),
        };
        let regrouped = match (&self.nodes[node], &self.nodes[right]) {
            (Node::And(..), Node::And(..)) | (Node::Or(..), Node::Or(..)) => grouped,
            _ => false,
        };
        self.write_side(left, self.or_in_and(node, left), grouped, out);
        out.extend_from_slice(operator);
        self.write_side(
            right,
            regrouped || self.or_in_and(node, right),
            grouped,
            out,
        );
    }

    fn or_in_and(&self, parent: usize, child: usize) -> bool {
        matches!(
            (&self.nodes[parent], &self.nodes[child]),
            (Node::And(..), Node::Or(..))
        )
    }

    fn write_side(&self, child: usize, parentheses: bool, grouped: bool, out: &mut Vec<u8>) {
        if parentheses {
            out.push(b'(');
        }
        self.write(child, grouped, out);
        if parentheses {
            out.push(b')');
        }
    }
}

impl Test {
    /// The test as it is written in an expression.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Test::Constant(value) => out.extend_from_slice(constant(*value)),
            Test::Text(header, test) => {
                out.extend_from_slice(header.name().as_bytes());
                test.write(out);
            }
            Test::Number(header, relation, number) => {
                out.extend_from_slice(header.name().as_bytes());
                write_number(*relation, *number, out);
            }
            Test::NoText(header, absent) => {
                out.extend_from_slice(header.name().as_bytes());
                write_equality(*absent, b"NIL", out);
            }
            Test::NoPid(absent) => {
                out.extend_from_slice(b"Pid");
                write_equality(*absent, b"NIL", out);
            }
            Test::Field(field, test) => {
                field.write(out);
                test.write(out);
            }
        }
    }
}

impl TextTest {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            TextTest::Compare(relation, text) => {
                write_relation(*relation, out);
                write_string(text, out);
            }
            TextTest::Pattern {
                text,
                plain,
                negated,
            } => {
                out.extend_from_slice(if *negated { b" !~ " } else { b" =~ " });
                write_string(text, out);
                out.extend_from_slice(if *plain { b"%" } else { b"" });
            }
        }
    }
}

impl FieldName {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"Fields[");
        out.extend_from_slice(&self.name);
        out.push(b']');
        if self.nth != 0 || self.element != 0 {
            out.extend_from_slice(format!("[{}]", self.nth).as_bytes());
        }
        if self.element != 0 {
            out.extend_from_slice(format!("[{}]", self.element).as_bytes());
        }
    }
}

impl FieldTest {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            FieldTest::Text(test) => test.write(out),
            FieldTest::Number(relation, number) => write_number(*relation, *number, out),
            FieldTest::Bool { equal, value } => write_equality(*equal, constant(*value), out),
            FieldTest::Absent(absent) => write_equality(*absent, b"NIL", out),
        }
    }
}

fn constant(value: bool) -> &'static [u8] {
    if value { b"TRUE" } else { b"FALSE" }
}

fn write_relation(relation: Relation, out: &mut Vec<u8>) {
    out.push(b' ');
    out.extend_from_slice(relation.symbol().as_bytes());
    out.push(b' ');
}

fn write_equality(equal: bool, word: &[u8], out: &mut Vec<u8>) {
    write_relation(
        if equal {
            Relation::Equal
        } else {
            Relation::NotEqual
        },
        out,
    );
    out.extend_from_slice(word);
}

fn write_number(relation: Relation, number: Number, out: &mut Vec<u8>) {
    write_relation(relation, out);
    let text = match number {
        Number::Integer(number) => number.to_string(),
        // The grammar has no word for it, but a number too large for a double.
        Number::Double(number) if number.is_infinite() => {
            if number > 0.0 {
                "1e999".to_owned()
            } else {
                "-1e999".to_owned()
            }
        }
        Number::Double(number) => format!("{number:e}"),
    };
    out.extend_from_slice(text.as_bytes());
}

fn write_string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'\'');
    for byte in text {
        if matches!(byte, b'\'' | b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'\'');
}

//! From text to tree, or to an error that points at the character.
//!
//! The grammar is Hindsight's, with what was broken in it mended: operators bind the same everywhere, every index
//! from 0 to 255 is accepted, and the offset of a timestamp may have a colon and counts with the right sign.
//! Parentheses are kept on a stack of ours: an expression of nothing else takes memory, not the thread's stack.

use crate::error::{ParseError, Warning};
use crate::expr::{
    FieldName, FieldTest, Node, Number, NumberHeader, Relation, Test, TextHeader, TextTest, Tree,
};
use crate::time::{Rfc3339, parse_rfc3339};
use crate::upstream;
use crate::{MAX_EXPRESSION, MAX_STRING, MAX_TESTS};

const COMPARISONS: &str = "one of == != >= > <= <";
const OPERATORS: &str = "one of == != >= > <= < =~ !~";
const HEADERS: &str = "a test: Uuid, Timestamp, Type, Logger, Hostname, EnvVersion, Payload, Severity, Pid, Fields[name], TRUE or FALSE";

/// What [`parse`] finds.
pub(crate) struct Parsed {
    pub tree: Tree,
    pub warnings: Vec<Warning>,
}

/// The parts from which the tree is built, in the order of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Symbol {
    /// Number of the test, from the left.
    Test(usize),
    And,
    Or,
    Open,
    Close,
}

/// Reads a whole expression.
pub(crate) fn parse(text: &[u8]) -> Result<Parsed, ParseError> {
    let mut parser = Parser {
        text,
        at: 0,
        leftover: false,
        warnings: Vec::new(),
    };
    parser.check_text()?;
    let (symbols, tests) = parser.expression()?;
    let tree = build(&symbols, &tests);
    let mut warnings = parser.warnings;
    if let Some(upstream) = upstream::other_meaning(&symbols, &tests, &tree) {
        let upstream = String::from_utf8_lossy(&upstream.to_bytes()).into_owned();
        warnings.insert(0, Warning::Precedence { upstream });
    }
    Ok(Parsed { tree, warnings })
}

/// Makes the tree; the symbols are known to be well formed.
fn build(symbols: &[Symbol], tests: &[Test]) -> Tree {
    let mut postfix = Postfix::default();
    let mut waiting = Vec::new();
    for symbol in symbols {
        match symbol {
            Symbol::Test(number) => postfix.test(tests[*number].clone()),
            Symbol::Open => waiting.push(Symbol::Open),
            Symbol::Close => {
                while let Some(operator) = waiting.pop().filter(|top| *top != Symbol::Open) {
                    postfix.operator(operator);
                }
            }
            Symbol::And | Symbol::Or => {
                let first = |top: &mut Symbol| *top == Symbol::And || *top == *symbol;
                while let Some(operator) = waiting.pop_if(first) {
                    postfix.operator(operator);
                }
                waiting.push(*symbol);
            }
        }
    }
    while let Some(operator) = waiting.pop() {
        postfix.operator(operator);
    }
    postfix.finish()
}

/// A tree that grows from postfix order.
#[derive(Default)]
pub(crate) struct Postfix {
    nodes: Vec<Node>,
    operands: Vec<usize>,
}

impl Postfix {
    pub fn test(&mut self, test: Test) {
        self.push(Node::Test(test));
    }

    /// Joins the last two operands; an open parenthesis joins nothing.
    pub fn operator(&mut self, operator: Symbol) {
        let mut operand = || {
            self.operands
                .pop()
                .expect("each operator stands between two operands")
        };
        match operator {
            Symbol::And => {
                let (right, left) = (operand(), operand());
                self.push(Node::And(left, right));
            }
            Symbol::Or => {
                let (right, left) = (operand(), operand());
                self.push(Node::Or(left, right));
            }
            Symbol::Test(_) | Symbol::Open | Symbol::Close => {}
        }
    }

    fn push(&mut self, node: Node) {
        self.operands.push(self.nodes.len());
        self.nodes.push(node);
    }

    pub fn finish(self) -> Tree {
        Tree { nodes: self.nodes }
    }
}

/// An operator between a header and its value.
#[derive(Clone, Copy)]
enum Operator {
    Relation(Relation),
    Pattern { negated: bool },
}

/// What follows an operator.
enum Value {
    Text(Box<[u8]>),
    Number(Number),
    Bool(bool),
    Nil,
}

struct Parser<'t> {
    text: &'t [u8],
    at: usize,
    /// Whether a number was read that Hindsight, which forgets to clear it, may take for an index left out later.
    leftover: bool,
    warnings: Vec<Warning>,
}

type Result<T, E = ParseError> = std::result::Result<T, E>;

impl<'t> Parser<'t> {
    /// Refuses what no test could hold.
    fn check_text(&self) -> Result<()> {
        if self.text.len() > MAX_EXPRESSION {
            let found = format!("{} bytes", self.text.len());
            let expected = format!("an expression of at most {MAX_EXPRESSION} bytes");
            return Err(self.error(MAX_EXPRESSION, found, &expected, None));
        }
        match memchr::memchr(0, self.text) {
            Some(at) => Err(self.error(at, "a zero byte".to_owned(), "text", None)),
            None => Ok(()),
        }
    }

    fn expression(&mut self) -> Result<(Vec<Symbol>, Vec<Test>)> {
        let (mut symbols, mut tests, mut open) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            self.space();
            while self.eat(b"(") {
                open.push(self.at - 1);
                symbols.push(Symbol::Open);
                self.space();
            }
            if tests.len() == MAX_TESTS {
                let expected = format!("the end after {MAX_TESTS} tests");
                return Err(self.error_here(&expected, Some("split the work between plugins")));
            }
            symbols.push(Symbol::Test(tests.len()));
            tests.push(self.test()?);
            self.space();
            while !open.is_empty() && self.eat(b")") {
                open.pop();
                symbols.push(Symbol::Close);
                self.space();
            }
            if self.at == self.text.len() && open.is_empty() {
                return Ok((symbols, tests));
            }
            symbols.push(self.operator_between_tests(open.last().copied())?);
        }
    }

    fn operator_between_tests(&mut self, open: Option<usize>) -> Result<Symbol> {
        if self.eat(b"&&") {
            return Ok(Symbol::And);
        }
        if self.eat(b"||") {
            return Ok(Symbol::Or);
        }
        let Some(open) = open else {
            return Err(self.error_here("&&, || or the end", self.hint_between_tests()));
        };
        let unclosed = format!(
            "the parenthesis at character {} is not closed",
            self.character(open)
        );
        let hint = match self.at == self.text.len() {
            true => Some(unclosed.as_str()),
            false => self.hint_between_tests(),
        };
        Err(self.error_here("&&, || or )", hint))
    }

    fn hint_between_tests(&self) -> Option<&'static str> {
        let rest = &self.text[self.at..];
        let before = self.text[..self.at].trim_ascii_end();
        match rest {
            [b'&', ..] => Some("did you mean &&?"),
            [b'|', ..] => Some("did you mean ||?"),
            [b')', ..] => Some("no parenthesis is open"),
            [b'%', ..] if matches!(before.last(), Some(b'\'' | b'"')) => {
                Some("% must follow the quote of a pattern directly")
            }
            _ => match self.word() {
                word if word.eq_ignore_ascii_case(b"and") => Some("did you mean &&?"),
                word if word.eq_ignore_ascii_case(b"or") => Some("did you mean ||?"),
                [] => None,
                _ => Some("two tests need && or || between them"),
            },
        }
    }

    fn test(&mut self) -> Result<Test> {
        let start = self.at;
        let word = self.word();
        self.at += word.len();
        let text = match word {
            b"TRUE" => return Ok(Test::Constant(true)),
            b"FALSE" => return Ok(Test::Constant(false)),
            b"Timestamp" => return self.timestamp(),
            b"Severity" => return self.number_header(NumberHeader::Severity),
            b"Pid" => return self.number_header(NumberHeader::Pid),
            b"Fields" => return self.field(),
            b"Uuid" => TextHeader::Uuid,
            b"Type" => TextHeader::Type,
            b"Logger" => TextHeader::Logger,
            b"Hostname" => TextHeader::Hostname,
            b"EnvVersion" => TextHeader::EnvVersion,
            b"Payload" => TextHeader::Payload,
            _ => {
                self.at = start;
                return Err(self.error_here(HEADERS, hint_for_test(word, &self.text[start..])));
            }
        };
        self.text_header(text)
    }

    fn text_header(&mut self, header: TextHeader) -> Result<Test> {
        let operator = self.operator(OPERATORS)?;
        let Operator::Relation(relation) = operator else {
            return Ok(Test::Text(header, self.pattern(operator)?));
        };
        let start = self.at;
        let expected = match self.allows_nil(relation) && header != TextHeader::Uuid {
            true => "a quoted string or NIL",
            false => "a quoted string",
        };
        match self.value(expected)? {
            Value::Text(text) if header == TextHeader::Uuid => Ok(Test::Text(
                header,
                TextTest::Compare(relation, self.uuid(text)),
            )),
            Value::Text(text) => Ok(Test::Text(header, TextTest::Compare(relation, text))),
            Value::Nil if header == TextHeader::Uuid => {
                Err(self.wrong(start, expected, "every message has a Uuid"))
            }
            Value::Nil => self.nil(start, expected, relation, |absent| {
                Test::NoText(header, absent)
            }),
            Value::Number(_) => Err(self.wrong(start, expected, "put it in quotes")),
            Value::Bool(_) => Err(self.wrong(start, expected, "only a field can be TRUE or FALSE")),
        }
    }

    /// A Uuid is 16 raw bytes; its text form stands for them.
    fn uuid(&mut self, text: Box<[u8]>) -> Box<[u8]> {
        match schemas::uuid::parse(&text) {
            Some(raw) if text.len() == schemas::uuid::TEXT_LEN => {
                self.warnings.push(Warning::UuidText);
                raw.into()
            }
            _ => text,
        }
    }

    fn number_header(&mut self, header: NumberHeader) -> Result<Test> {
        let relation = self.relation(COMPARISONS)?;
        let start = self.at;
        let nil = header == NumberHeader::Pid && self.allows_nil(relation);
        let expected = if nil { "a number or NIL" } else { "a number" };
        match self.value(expected)? {
            Value::Number(number) => Ok(Test::Number(header, relation, number)),
            Value::Nil if header == NumberHeader::Severity => {
                Err(self.wrong(start, expected, "a message without Severity has Severity 7"))
            }
            Value::Nil => self.nil(start, expected, relation, Test::NoPid),
            Value::Text(_) => Err(self.wrong(start, expected, "leave the quotes out")),
            Value::Bool(_) => Err(self.wrong(start, expected, "only a field can be TRUE or FALSE")),
        }
    }

    fn timestamp(&mut self) -> Result<Test> {
        const EXPECTED: &str =
            "a number of nanoseconds or a quoted time like '2015-04-11T17:30:26Z'";
        let relation = self.relation(COMPARISONS)?;
        let start = self.at;
        let number = match self.value(EXPECTED)? {
            Value::Number(number) => number,
            Value::Text(_) => Number::Integer(self.time(start)?),
            Value::Nil => return Err(self.wrong(start, EXPECTED, "every message has a Timestamp")),
            Value::Bool(_) => return Err(self.wrong(start, EXPECTED, "")),
        };
        Ok(Test::Number(NumberHeader::Timestamp, relation, number))
    }

    /// The time in the string that begins at `start` and ends here, in nanoseconds.
    fn time(&mut self, start: usize) -> Result<i64> {
        let quoted = &self.text[start + 1..self.at - 1];
        self.leftover = true;
        match parse_rfc3339(quoted) {
            Ok(Rfc3339 {
                nanoseconds,
                offset_minutes,
            }) => {
                if offset_minutes != 0 {
                    let timestamp = String::from_utf8_lossy(quoted).into_owned();
                    self.warnings.push(Warning::TimeOffset { timestamp });
                }
                Ok(nanoseconds)
            }
            Err((at, expected)) => {
                self.at = start + 1 + at;
                Err(self.error_here(
                    expected,
                    Some("a time looks like '2015-04-11T17:30:26.5+01:00'"),
                ))
            }
        }
    }

    fn field(&mut self) -> Result<Test> {
        let name = self.field_name()?;
        let operator = self.operator("[ or one of == != >= > <= < =~ !~")?;
        let Operator::Relation(relation) = operator else {
            return Ok(Test::Field(name, FieldTest::Text(self.pattern(operator)?)));
        };
        let start = self.at;
        let expected = match self.allows_nil(relation) {
            true => "a quoted string, a number, TRUE, FALSE or NIL",
            false => "a quoted string or a number",
        };
        let test = match self.value(expected)? {
            Value::Text(text) => FieldTest::Text(TextTest::Compare(relation, text)),
            Value::Number(number) => FieldTest::Number(relation, number),
            Value::Nil => {
                return self.nil(start, expected, relation, |absent| {
                    Test::Field(name, FieldTest::Absent(absent))
                });
            }
            Value::Bool(value) => {
                return self.nil(start, expected, relation, |equal| {
                    Test::Field(name, FieldTest::Bool { equal, value })
                });
            }
        };
        Ok(Test::Field(name, test))
    }

    fn field_name(&mut self) -> Result<FieldName> {
        if !self.eat(b"[") {
            let hint = "a field is written Fields[name], without a space before the bracket";
            return Err(self.error_here("[", Some(hint)));
        }
        let Some(len) = memchr::memchr(b']', &self.text[self.at..]) else {
            let hint = format!(
                "the bracket at character {} is not closed",
                self.character(self.at - 1)
            );
            self.at = self.text.len();
            return Err(self.error_here("]", Some(&hint)));
        };
        let name = self.text[self.at..self.at + len].into();
        self.at += len + 1;
        let leftover = self.leftover;
        let nth = self.index()?;
        let element = match nth {
            Some(_) => self.index()?,
            None => None,
        };
        if leftover && element.is_none() && !self.warnings.contains(&Warning::LeftoverIndex) {
            self.warnings.push(Warning::LeftoverIndex);
        }
        Ok(FieldName {
            name,
            nth: nth.unwrap_or(0),
            element: element.unwrap_or(0),
        })
    }

    fn index(&mut self) -> Result<Option<u8>> {
        const EXPECTED: &str = "an index from 0 to 255";
        if !self.eat(b"[") {
            return Ok(None);
        }
        let digits = self.run(|byte| byte.is_ascii_digit());
        let index = std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| digits.parse().ok());
        let Some(index) = index else {
            return Err(self.error_here(EXPECTED, None));
        };
        if digits.len() > 1 && digits[0] == b'0' {
            return Err(self.error_here(EXPECTED, Some("without leading zeros")));
        }
        self.at += digits.len();
        if !self.eat(b"]") {
            return Err(self.error_here("]", None));
        }
        self.leftover |= index != 0;
        Ok(Some(index))
    }

    fn relation(&mut self, expected: &str) -> Result<Relation> {
        let before = self.at;
        match self.operator(expected)? {
            Operator::Relation(relation) => Ok(relation),
            Operator::Pattern { .. } => {
                self.at = before;
                self.space();
                Err(self.error_here(expected, Some("only text can be matched with a pattern")))
            }
        }
    }

    /// An operator, and the space on both of its sides.
    fn operator(&mut self, expected: &str) -> Result<Operator> {
        const ALL: [(&[u8], Operator); 8] = [
            (b"==", Operator::Relation(Relation::Equal)),
            (b"!=", Operator::Relation(Relation::NotEqual)),
            (b">=", Operator::Relation(Relation::GreaterOrEqual)),
            (b">", Operator::Relation(Relation::Greater)),
            (b"<=", Operator::Relation(Relation::LessOrEqual)),
            (b"<", Operator::Relation(Relation::Less)),
            (b"=~", Operator::Pattern { negated: false }),
            (b"!~", Operator::Pattern { negated: true }),
        ];
        self.space();
        match ALL
            .iter()
            .find(|(symbol, _)| self.text[self.at..].starts_with(symbol))
        {
            Some((symbol, operator)) => {
                self.at += symbol.len();
                self.space();
                Ok(*operator)
            }
            None => Err(self.error_here(expected, hint_for_operator(&self.text[self.at..]))),
        }
    }

    /// The string behind `=~` or `!~`, and its `%`.
    fn pattern(&mut self, operator: Operator) -> Result<TextTest> {
        const EXPECTED: &str = "a quoted pattern";
        let start = self.at;
        let Value::Text(text) = self.value(EXPECTED)? else {
            return Err(self.wrong(start, EXPECTED, "a pattern stands in quotes"));
        };
        let plain = self.eat(b"%");
        let negated = matches!(operator, Operator::Pattern { negated: true });
        if !plain && let Some(error) = stdx::pattern::Compiled::new(&text).error() {
            let pattern = String::from_utf8_lossy(&text).into_owned();
            self.warnings.push(Warning::BadPattern { pattern, error });
        }
        Ok(TextTest::Pattern {
            text,
            plain,
            negated,
        })
    }

    /// Any value; `expected` is for the error that says that there is none.
    fn value(&mut self, expected: &str) -> Result<Value> {
        match self.text.get(self.at) {
            Some(quote @ (b'\'' | b'"')) => Ok(Value::Text(self.string(*quote)?)),
            Some(b'+' | b'-' | b'0'..=b'9') => self.number(expected),
            _ => {
                let word = self.word();
                let value = match word {
                    b"NIL" => Value::Nil,
                    b"TRUE" => Value::Bool(true),
                    b"FALSE" => Value::Bool(false),
                    _ => return Err(self.error_here(expected, hint_for_value(word))),
                };
                self.at += word.len();
                Ok(value)
            }
        }
    }

    fn string(&mut self, quote: u8) -> Result<Box<[u8]>> {
        let start = self.at;
        let mut at = start + 1;
        let mut text = Vec::new();
        loop {
            match self.text[at..] {
                [b'\\', escaped @ (b'\\' | b'\'' | b'"'), ..] => {
                    text.push(escaped);
                    at += 2;
                }
                [byte, ..] if byte == quote => break,
                [byte, ..] => {
                    text.push(byte);
                    at += 1;
                }
                [] => return Err(self.unclosed(start, quote)),
            }
        }
        if text.len() > MAX_STRING {
            let found = format!("a string of {} bytes", text.len());
            let expected = format!("a string of at most {MAX_STRING} bytes");
            return Err(self.error(start, found, &expected, None));
        }
        self.at = at + 1;
        Ok(text.into())
    }

    fn unclosed(&self, start: usize, quote: u8) -> ParseError {
        let mut hint = format!(
            "the string that begins at character {} is not closed",
            self.character(start)
        );
        if self.text.trim_ascii_end().ends_with(&[b'\\', quote]) {
            hint.push_str("; a backslash is written \\\\");
        }
        let expected = format!("a closing {}", char::from(quote));
        self.error(
            self.text.len(),
            "the end".to_owned(),
            &expected,
            Some(&hint),
        )
    }

    fn number(&mut self, expected: &str) -> Result<Value> {
        let start = self.at;
        let end = number_end(self.text, start);
        let Some(end) = end else {
            return Err(self.error_here(expected, Some("a sign needs digits behind it")));
        };
        self.at = end;
        let hint = match self.text[end..] {
            [b'0'..=b'9', ..] => Some("a number has no leading zeros"),
            [b'.', ..] => Some("a point needs digits behind it"),
            [b'e' | b'E', ..] => Some("an exponent needs digits"),
            [b'x' | b'X', ..] => Some("numbers are decimal"),
            _ => None,
        };
        match hint {
            Some(hint) => Err(self.error_here("the end of the number", Some(hint))),
            None => Ok(Value::Number(parse_number(&self.text[start..end]))),
        }
    }

    fn allows_nil(&self, relation: Relation) -> bool {
        matches!(relation, Relation::Equal | Relation::NotEqual)
    }

    /// A test of `NIL`, `TRUE` or `FALSE`, which are only equal or not.
    fn nil(
        &self,
        start: usize,
        expected: &str,
        relation: Relation,
        test: impl FnOnce(bool) -> Test,
    ) -> Result<Test> {
        match self.allows_nil(relation) {
            true => Ok(test(relation == Relation::Equal)),
            false => Err(self.wrong(
                start,
                expected,
                "NIL, TRUE and FALSE go with == and != only",
            )),
        }
    }

    /// Which character begins at an offset, from 1; what is not UTF-8 is taken as well as may be.
    fn character(&self, offset: usize) -> usize {
        let before = &self.text[..offset.min(self.text.len())];
        1 + before
            .iter()
            .filter(|byte| !matches!(byte, 0x80..=0xbf))
            .count()
    }

    fn space(&mut self) {
        self.at += self
            .run(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
            .len();
    }

    fn eat(&mut self, symbol: &[u8]) -> bool {
        let found = self.text[self.at..].starts_with(symbol);
        if found {
            self.at += symbol.len();
        }
        found
    }

    fn word(&self) -> &'t [u8] {
        self.run(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    }

    /// The bytes from here on that all belong to a kind.
    fn run(&self, kind: impl Fn(u8) -> bool) -> &'t [u8] {
        run(&self.text[self.at..], kind)
    }

    /// A value of a kind that cannot stand where it begins.
    fn wrong(&self, start: usize, expected: &str, hint: &str) -> ParseError {
        let found = found(&self.text[start..]);
        self.error(
            start,
            found,
            expected,
            Some(hint).filter(|hint| !hint.is_empty()),
        )
    }

    fn error_here(&self, expected: &str, hint: Option<&str>) -> ParseError {
        self.error(self.at, found(&self.text[self.at..]), expected, hint)
    }

    fn error(
        &self,
        offset: usize,
        found: String,
        expected: &str,
        hint: Option<&str>,
    ) -> ParseError {
        let (line, column) = excerpt(self.text, offset);
        let character = self.character(offset);
        let expected = expected.to_owned();
        ParseError {
            offset,
            character,
            found,
            expected,
            hint: hint.map(str::to_owned),
            line,
            column,
        }
    }
}

/// The bytes at the start that all belong to a kind.
fn run(text: &[u8], kind: impl Fn(u8) -> bool) -> &[u8] {
    let end = text
        .iter()
        .position(|byte| !kind(*byte))
        .unwrap_or(text.len());
    &text[..end]
}

/// Names what stands at the start of `rest`.
fn found(rest: &[u8]) -> String {
    /// Longest piece of the expression that is repeated in an error.
    const SHOWN: usize = 24;
    let Some(first) = rest.first() else {
        return "the end".to_owned();
    };
    let piece = match first {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => {
            run(rest, |byte| byte.is_ascii_alphanumeric() || byte == b'_')
        }
        b'=' | b'~' | b'!' | b'<' | b'>' | b'&' | b'|' => {
            run(rest, |byte| b"=~!<>&|".contains(&byte))
        }
        quote @ (b'\'' | b'"') => {
            let end = memchr::memchr(*quote, &rest[1..]).map_or(rest.len(), |at| at + 2);
            &rest[..end]
        }
        _ => &rest[..1],
    };
    let shown = piece[..piece.len().min(SHOWN)]
        .escape_ascii()
        .to_string()
        .replace("\\'", "'");
    let more = if piece.len() > SHOWN { "…" } else { "" };
    format!("`{shown}{more}`")
}

/// The line around an offset, not too long, with everything unprintable made visible, and the column in it.
fn excerpt(text: &[u8], offset: usize) -> (String, usize) {
    /// Characters shown on each side of the place.
    const AROUND: usize = 40;
    let offset = offset.min(text.len());
    let from = offset.saturating_sub(AROUND);
    let to = text.len().min(offset + AROUND);
    let show = |bytes: &[u8]| -> String {
        let printable = |byte: &u8| {
            if matches!(byte, b' '..=b'~') {
                char::from(*byte)
            } else {
                '.'
            }
        };
        bytes.iter().map(printable).collect()
    };
    (show(&text[from..to]), offset - from)
}

fn hint_for_test(word: &[u8], rest: &[u8]) -> Option<&'static str> {
    const KNOWN: [(&str, &str); 14] = [
        ("Uuid", "did you mean Uuid?"),
        ("Timestamp", "did you mean Timestamp?"),
        ("Type", "did you mean Type?"),
        ("Logger", "did you mean Logger?"),
        ("Hostname", "did you mean Hostname?"),
        ("EnvVersion", "did you mean EnvVersion?"),
        ("Payload", "did you mean Payload?"),
        ("Severity", "did you mean Severity?"),
        ("Pid", "did you mean Pid?"),
        ("Fields", "did you mean Fields[name]?"),
        ("TRUE", "did you mean TRUE?"),
        ("FALSE", "did you mean FALSE?"),
        ("Host", "did you mean Hostname?"),
        ("Env", "did you mean EnvVersion?"),
    ];
    if rest.starts_with(b"!") || word.eq_ignore_ascii_case(b"not") {
        return Some("there is no negation; use != or !~");
    }
    if word == b"NIL" {
        return Some("NIL stands behind == or != only");
    }
    match KNOWN
        .iter()
        .find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()))
    {
        Some((_, hint)) => Some(hint),
        None if word.is_empty() => None,
        None => Some("a field is written Fields[name]"),
    }
}

fn hint_for_operator(rest: &[u8]) -> Option<&'static str> {
    match rest {
        [b'~', b'=', ..] => Some("did you mean =~ (matches a pattern) or != (is not equal)?"),
        [b'~', ..] => Some("did you mean =~?"),
        [b'=', b'>', ..] => Some("did you mean >=?"),
        [b'=', b'<', ..] => Some("did you mean <=?"),
        [b'=', ..] => Some("did you mean ==?"),
        [b'!', ..] => Some("did you mean != or !~?"),
        [b'[', ..] => Some("only Fields[name] takes an index, and at most two"),
        [b'.', ..] => Some("a field is written Fields[name]"),
        _ => None,
    }
}

fn hint_for_value(word: &[u8]) -> Option<&'static str> {
    match word {
        [] => None,
        word if word.eq_ignore_ascii_case(b"nil") || word.eq_ignore_ascii_case(b"null") => {
            Some("did you mean NIL?")
        }
        word if word.eq_ignore_ascii_case(b"true") => Some("did you mean TRUE?"),
        word if word.eq_ignore_ascii_case(b"false") => Some("did you mean FALSE?"),
        _ => Some("text stands in quotes"),
    }
}

/// Where the number at `start` ends, or nothing if there is none.
fn number_end(text: &[u8], start: usize) -> Option<usize> {
    let digits = |at: usize| at + run(&text[at..], |byte| byte.is_ascii_digit()).len();
    let signed = |at: usize| at + usize::from(matches!(text.get(at), Some(b'+' | b'-')));
    let first = signed(start);
    let mut end = match text.get(first)? {
        b'0' => first + 1,
        b'1'..=b'9' => digits(first),
        _ => return None,
    };
    if text.get(end) == Some(&b'.') && digits(end + 1) > end + 1 {
        end = digits(end + 1);
    }
    if let Some(b'e' | b'E') = text.get(end) {
        let exponent = signed(end + 1);
        if digits(exponent) > exponent {
            end = digits(exponent);
        }
    }
    Some(end)
}

/// Reads a number that obeys the grammar: exactly if it is whole and fits in 64 bits, else as the nearest double.
pub(crate) fn parse_number(text: &[u8]) -> Number {
    if let Some(integer) = exact_integer(text) {
        return Number::Integer(integer);
    }
    let text = std::str::from_utf8(text).expect("a number is ASCII");
    Number::from_double(
        text.parse()
            .expect("the grammar of numbers is part of Rust's"),
    )
}

/// The integer that a decimal number is, be it written `5`, `5.0` or `1.5e3`.
fn exact_integer(text: &[u8]) -> Option<i64> {
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let mantissa_end = text.iter().position(|byte| matches!(byte, b'e' | b'E'));
    let (mantissa, exponent) = text.split_at(mantissa_end.unwrap_or(text.len()));
    let exponent: i32 = match exponent {
        [] => 0,
        [_, digits @ ..] => std::str::from_utf8(digits).ok()?.parse().ok()?,
    };
    let point = memchr::memchr(b'.', mantissa).unwrap_or(mantissa.len());
    let decimals = mantissa.len().saturating_sub(point + 1);
    let mut digits: Vec<u8> = mantissa
        .iter()
        .copied()
        .filter(|byte| *byte != b'.')
        .collect();
    let mut shift = exponent.checked_sub(i32::try_from(decimals).ok()?)?;
    while digits.last() == Some(&b'0') {
        digits.pop();
        shift = shift.checked_add(1)?;
    }
    if digits.is_empty() {
        return Some(0);
    }
    let mut value: i128 = 0;
    // More digits than an i64 has cannot fit, so nothing overflows here.
    for digit in digits.iter().skip_while(|digit| **digit == b'0') {
        value = value
            .checked_mul(10)?
            .checked_add(i128::from(digit - b'0'))?;
    }
    let scale = 10_i128.checked_pow(u32::try_from(shift).ok()?)?;
    let value = value.checked_mul(scale)?;
    i64::try_from(if negative { -value } else { value }).ok()
}

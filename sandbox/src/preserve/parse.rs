//! Reads the statements of a state file as data. They look like Lua, but none is ever run as code.

use std::borrow::Cow;

/// The deepest nesting of tables a state file may hold. A path has one key per level, so the file grows with the
/// square of the depth; and both directions need a few stack slots per level, of which Lua has 8000.
pub const MAX_DEPTH: usize = 1000;
/// The most arguments of a constructor or method; the longest known list has six.
const MAX_ARGS: usize = 32;
/// The most numbers in a list, the longest known being a window of 4096.
const MAX_LIST: usize = 1 << 16;
/// Names longer than this belong to nobody; the bound keeps error texts short.
const MAX_NAME: usize = 128;

/// A value that stands in the file as it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal<'f> {
    /// `nil`, only as an argument.
    Nil,
    /// `true` or `false`.
    Bool(bool),
    /// Any number; `0/0` and `1/0` stand for those that have no digits.
    Number(f64),
    /// The bytes of a string, escapes resolved.
    String(Cow<'f, [u8]>),
    /// `{1, 2, 0/0}`, only as an argument.
    List(Vec<f64>),
}

/// `_G["a"][1]`: the keys that lead from the globals to a value, one or more.
pub type Path<'f> = Vec<Literal<'f>>;

/// A call of a constructor or method with literal arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct CallOf<'f> {
    /// `circular_buffer.new`, or the bare name of a method.
    pub name: &'f str,
    /// The arguments.
    pub args: Vec<Literal<'f>>,
}

/// What is on the right of `=`.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'f> {
    /// A plain value.
    Literal(Literal<'f>),
    /// `{}`
    Table,
    /// `{nil}`, an empty table that is known to be an array.
    Array,
    /// The same table or userdata as the one at another path.
    Reference(Path<'f>),
    /// A new userdata.
    New(CallOf<'f>),
}

/// One statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement<'f> {
    /// The file holds state of this version; a plugin with another one starts afresh.
    Version(f64),
    /// `path = value`
    Assign(Path<'f>, Value<'f>),
    /// `if path == nil then path = constructor(...) end`
    Create(Path<'f>, CallOf<'f>),
    /// `path:method(...)`
    Method(Path<'f>, CallOf<'f>),
}

/// What is wrong in a state file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct SyntaxError {
    /// The line, counted from 1.
    pub line: usize,
    /// What was expected, or which bound was crossed.
    pub what: String,
}

/// Reads one statement after the other.
pub struct Parser<'f> {
    text: &'f [u8],
    at: usize,
    line: usize,
}

impl<'f> Parser<'f> {
    /// Starts at the first byte of a file.
    pub fn new(text: &'f [u8]) -> Parser<'f> {
        Parser {
            text,
            at: 0,
            line: 1,
        }
    }

    /// The line of the next byte, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The next statement; `None` at the end of the file.
    ///
    /// # Errors
    /// The line, and what was expected there.
    pub fn statement(&mut self) -> Result<Option<Statement<'f>>, SyntaxError> {
        self.space();
        if self.at == self.text.len() {
            return Ok(None);
        }
        if self.word("if") {
            return self.condition().map(Some);
        }
        let path = self.path()?;
        self.space();
        if self.symbol(b':') {
            let name = self.name()?;
            let args = self.args()?;
            return Ok(Some(Statement::Method(path, CallOf { name, args })));
        }
        self.expect(b'=')?;
        Ok(Some(Statement::Assign(path, self.value()?)))
    }

    /// Both conditional statements, after their `if`.
    fn condition(&mut self) -> Result<Statement<'f>, SyntaxError> {
        self.space();
        if self.word("_PRESERVATION_VERSION") {
            self.words(&["and", "_PRESERVATION_VERSION", "~="])?;
            let version = self.number()?;
            self.words(&["then", "return", "end"])?;
            return Ok(Statement::Version(version));
        }
        let tested = self.path()?;
        self.words(&["==", "nil", "then"])?;
        self.space();
        let path = self.path()?;
        if path != tested {
            return Err(self.wrong("the path that was compared with nil"));
        }
        self.space();
        self.expect(b'=')?;
        self.space();
        let name = self.dotted_name()?;
        let args = self.args()?;
        self.words(&["end"])?;
        Ok(Statement::Create(path, CallOf { name, args }))
    }

    fn value(&mut self) -> Result<Value<'f>, SyntaxError> {
        self.space();
        match self.peek() {
            Some(b'{') => self.empty_table(),
            Some(b'_') => Ok(Value::Reference(self.path()?)),
            Some(c) if c.is_ascii_alphabetic() && !self.at_constant() => {
                let name = self.dotted_name()?;
                let args = self.args()?;
                Ok(Value::New(CallOf { name, args }))
            }
            _ => Ok(Value::Literal(self.literal()?)),
        }
    }

    fn empty_table(&mut self) -> Result<Value<'f>, SyntaxError> {
        self.expect(b'{')?;
        self.space();
        let array = self.word("nil");
        self.space();
        if !self.symbol(b'}') {
            return Err(self.wrong("'}' (only empty tables can be written in one line)"));
        }
        Ok(if array { Value::Array } else { Value::Table })
    }

    fn path(&mut self) -> Result<Path<'f>, SyntaxError> {
        if !self.word("_G") {
            return Err(self.wrong("'_G'"));
        }
        let mut path = Path::with_capacity(4);
        while self.symbol(b'[') {
            if path.len() == MAX_DEPTH {
                return Err(self.error(format!("tables nest deeper than {MAX_DEPTH} levels")));
            }
            self.space();
            path.push(self.key()?);
            self.space();
            self.expect(b']')?;
        }
        if path.is_empty() {
            return Err(self.wrong("'[' after '_G'"));
        }
        Ok(path)
    }

    fn key(&mut self) -> Result<Literal<'f>, SyntaxError> {
        match self.literal()? {
            Literal::Nil => Err(self.error("a key cannot be nil".into())),
            Literal::Number(n) if n.is_nan() => {
                Err(self.error("a key cannot be not-a-number".into()))
            }
            key => Ok(key),
        }
    }

    fn args(&mut self) -> Result<Vec<Literal<'f>>, SyntaxError> {
        self.space();
        self.expect(b'(')?;
        let mut args = Vec::new();
        self.space();
        if self.symbol(b')') {
            return Ok(args);
        }
        loop {
            if args.len() == MAX_ARGS {
                return Err(self.error(format!("more than {MAX_ARGS} arguments")));
            }
            self.space();
            args.push(match self.peek() {
                Some(b'{') => Literal::List(self.list()?),
                _ => self.literal()?,
            });
            self.space();
            if self.symbol(b')') {
                return Ok(args);
            }
            self.expect(b',')?;
        }
    }

    fn list(&mut self) -> Result<Vec<f64>, SyntaxError> {
        self.expect(b'{')?;
        let mut numbers = Vec::new();
        self.space();
        if self.symbol(b'}') {
            return Ok(numbers);
        }
        loop {
            if numbers.len() == MAX_LIST {
                return Err(self.error(format!("more than {MAX_LIST} numbers in a list")));
            }
            numbers.push(self.number()?);
            self.space();
            if self.symbol(b'}') {
                return Ok(numbers);
            }
            self.expect(b',')?;
        }
    }

    fn literal(&mut self) -> Result<Literal<'f>, SyntaxError> {
        match self.peek() {
            Some(quote @ (b'"' | b'\'')) => Ok(Literal::String(self.string(quote)?)),
            _ if self.word("true") => Ok(Literal::Bool(true)),
            _ if self.word("false") => Ok(Literal::Bool(false)),
            _ if self.word("nil") => Ok(Literal::Nil),
            _ => Ok(Literal::Number(self.number()?)),
        }
    }

    /// A number, or the quotient of two, which is how infinities are written.
    fn number(&mut self) -> Result<f64, SyntaxError> {
        self.space();
        let first = self.decimal()?;
        if self.symbol(b'/') {
            let second = self.decimal()?;
            return Ok(first / second);
        }
        Ok(first)
    }

    fn decimal(&mut self) -> Result<f64, SyntaxError> {
        let start = self.at;
        self.symbol(b'-');
        while let Some(c) = self.peek() {
            let after_exponent = matches!(self.text[self.at - 1.min(self.at)], b'e' | b'E');
            let part = c.is_ascii_digit()
                || matches!(c, b'.' | b'e' | b'E')
                || (matches!(c, b'+' | b'-') && after_exponent && self.at > start);
            if !part {
                break;
            }
            self.at += 1;
        }
        let digits = std::str::from_utf8(&self.text[start..self.at]).unwrap_or("");
        digits.parse().map_err(|_| {
            self.at = start;
            self.wrong("a value")
        })
    }

    /// A string between two `quote`s. Borrowed when it has no escapes.
    fn string(&mut self, quote: u8) -> Result<Cow<'f, [u8]>, SyntaxError> {
        self.at += 1;
        let start = self.at;
        let mut resolved: Option<Vec<u8>> = None;
        let mut copied = start;
        loop {
            let rest = &self.text[self.at..];
            let Some(skip) = memchr::memchr3(quote, b'\\', b'\n', rest) else {
                return Err(self.error("a string without end".into()));
            };
            self.at += skip;
            match rest[skip] {
                b'\\' => {
                    let out = resolved.get_or_insert_default();
                    out.extend_from_slice(&self.text[copied..self.at]);
                    let c = self.escape()?;
                    resolved.get_or_insert_default().push(c);
                    copied = self.at;
                }
                b'\n' => return Err(self.error("a string that ends with its line".into())),
                _ => break,
            }
        }
        let tail = &self.text[copied..self.at];
        self.at += 1;
        Ok(match resolved {
            None => Cow::Borrowed(tail),
            Some(mut out) => {
                out.extend_from_slice(tail);
                Cow::Owned(out)
            }
        })
    }

    /// What follows a backslash, as Lua 5.1 reads it: a character that means nothing special stands for itself.
    fn escape(&mut self) -> Result<u8, SyntaxError> {
        self.at += 1;
        let Some(c) = self.peek() else {
            return Err(self.error("a string without end".into()));
        };
        if c.is_ascii_digit() {
            return self.decimal_escape();
        }
        self.at += 1;
        Ok(match c {
            b'a' => 7,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            b'\n' => {
                self.line += 1;
                b'\n'
            }
            other => other,
        })
    }

    fn decimal_escape(&mut self) -> Result<u8, SyntaxError> {
        let mut code = 0u32;
        for _ in 0..3 {
            match self.peek() {
                Some(c) if c.is_ascii_digit() => code = code * 10 + u32::from(c - b'0'),
                _ => break,
            }
            self.at += 1;
        }
        u8::try_from(code).map_err(|_| self.error("an escape beyond 255".into()))
    }

    fn name(&mut self) -> Result<&'f str, SyntaxError> {
        self.take_name(|c| c == b'_' || c.is_ascii_alphanumeric())
    }

    fn dotted_name(&mut self) -> Result<&'f str, SyntaxError> {
        self.take_name(|c| c == b'_' || c == b'.' || c.is_ascii_alphanumeric())
    }

    fn take_name(&mut self, belongs: impl Fn(u8) -> bool) -> Result<&'f str, SyntaxError> {
        let rest = &self.text[self.at..];
        let len = rest.iter().take_while(|&&c| belongs(c)).count();
        let text = std::str::from_utf8(&rest[..len]).unwrap_or("");
        if text.is_empty() || len > MAX_NAME || text.as_bytes()[0].is_ascii_digit() {
            return Err(self.wrong("a name"));
        }
        self.at += len;
        Ok(text)
    }

    fn at_constant(&mut self) -> bool {
        let at = self.at;
        let found = self.word("true") || self.word("false") || self.word("nil");
        self.at = at;
        found
    }

    /// Takes `word` when it stands here as a whole.
    fn word(&mut self, word: &str) -> bool {
        let rest = &self.text[self.at..];
        let whole = rest.starts_with(word.as_bytes())
            && !rest
                .get(word.len())
                .is_some_and(|&c| c == b'_' || c.is_ascii_alphanumeric());
        if whole {
            self.at += word.len();
        }
        whole
    }

    fn words(&mut self, words: &[&str]) -> Result<(), SyntaxError> {
        for word in words {
            self.space();
            let is_sign = word.starts_with(['=', '~']);
            let rest = &self.text[self.at..];
            if is_sign && rest.starts_with(word.as_bytes()) {
                self.at += word.len();
            } else if is_sign || !self.word(word) {
                return Err(self.wrong(&format!("'{word}'")));
            }
        }
        Ok(())
    }

    fn symbol(&mut self, symbol: u8) -> bool {
        let here = self.peek() == Some(symbol);
        self.at += usize::from(here);
        here
    }

    fn expect(&mut self, symbol: u8) -> Result<(), SyntaxError> {
        if self.symbol(symbol) {
            return Ok(());
        }
        Err(self.wrong(&format!("'{}'", char::from(symbol))))
    }

    /// Skips blanks, line ends, semicolons and comments.
    fn space(&mut self) {
        while let Some(c) = self.peek() {
            match c {
                b'\n' => self.line += 1,
                b' ' | b'\t' | b'\r' | b';' => {}
                b'-' if self.text[self.at..].starts_with(b"--") => {
                    let rest = &self.text[self.at..];
                    self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                    continue;
                }
                _ => return,
            }
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn wrong(&self, expected: &str) -> SyntaxError {
        let near = match self.peek() {
            None => "the end of the file".into(),
            Some(_) => {
                let end = self.text.len().min(self.at + 16);
                let text = String::from_utf8_lossy(&self.text[self.at..end]);
                let line = text.lines().next().unwrap_or("");
                format!("'{}'", line.replace(char::is_control, "?"))
            }
        };
        self.error(format!("expected {expected} near {near}"))
    }

    fn error(&self, what: String) -> SyntaxError {
        SyntaxError {
            line: self.line,
            what,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(text: &[u8]) -> Result<Vec<Statement<'_>>, SyntaxError> {
        let mut parser = Parser::new(text);
        let mut statements = Vec::new();
        while let Some(statement) = parser.statement()? {
            statements.push(statement);
        }
        Ok(statements)
    }

    fn text(bytes: &[u8]) -> Literal<'_> {
        Literal::String(Cow::Borrowed(bytes))
    }

    fn value(text: &str) -> Value<'_> {
        let line = format!("_G[\"k\"] = {text}\n").into_bytes().leak();
        match all(line).expect("a good line").remove(0) {
            Statement::Assign(_, value) => value,
            other => panic!("not an assignment: {other:?}"),
        }
    }

    fn error(line: &str) -> String {
        all(line.as_bytes()).expect_err("a bad line").to_string()
    }

    #[test]
    fn the_version_line_of_hindsight() {
        let line = b"if _PRESERVATION_VERSION and _PRESERVATION_VERSION ~= 3 then return end\n";
        assert_eq!(all(line), Ok(vec![Statement::Version(3.0)]));
    }

    #[test]
    fn plain_values() {
        assert_eq!(value("1"), Value::Literal(Literal::Number(1.0)));
        assert_eq!(value("-2.5e-3"), Value::Literal(Literal::Number(-0.0025)));
        assert_eq!(value("1/0"), Value::Literal(Literal::Number(f64::INFINITY)));
        assert_eq!(
            value("-1/0"),
            Value::Literal(Literal::Number(f64::NEG_INFINITY))
        );
        assert!(matches!(value("0/0"), Value::Literal(Literal::Number(n)) if n.is_nan()));
        assert_eq!(value("true"), Value::Literal(Literal::Bool(true)));
        assert_eq!(value("{}"), Value::Table);
        assert_eq!(value("{nil}"), Value::Array);
        assert_eq!(value("_G[1]"), Value::Reference(vec![Literal::Number(1.0)]));
    }

    #[test]
    fn every_escape_of_lua_51() {
        let line = b"_G[\"k\"] = \"a\\\nb\\n\\r\\t\\0001\\065\\\"\\\\\\/\\s\x00\xff'\"";
        let expected = b"a\nb\n\r\t\x001A\"\\/s\x00\xff'";
        let statements = all(line).expect("a good line");
        let Statement::Assign(_, Value::Literal(found)) = &statements[0] else {
            panic!("not an assignment of a literal");
        };
        assert_eq!(*found, text(expected));
    }

    #[test]
    fn userdata_lines() {
        let file = b"if _G[\"d\"][\"c b\"] == nil then _G[\"d\"][\"c b\"] = circular_buffer.new(2, 1, 60) end\n\
            _G[\"d\"][\"c b\"]:set_header(1, \"n\", \"count\", \"sum\")\n";
        let path = vec![text(b"d"), text(b"c b")];
        let new = CallOf {
            name: "circular_buffer.new",
            args: [2.0, 1.0, 60.0].map(Literal::Number).to_vec(),
        };
        let set_header = CallOf {
            name: "set_header",
            args: vec![
                Literal::Number(1.0),
                text(b"n"),
                text(b"count"),
                text(b"sum"),
            ],
        };
        let expected = vec![
            Statement::Create(path.clone(), new),
            Statement::Method(path, set_header),
        ];
        assert_eq!(all(file), Ok(expected));
    }

    #[test]
    fn lists_of_numbers_are_arguments() {
        let add = |list: Vec<f64>| {
            let args = vec![Literal::List(list)];
            Statement::Method(vec![text(b"w")], CallOf { name: "add", args })
        };
        let file = b"_G[\"w\"]:add({1, -2.5e3,1/0})\n_G[\"w\"]:add({ })\n";
        let expected = vec![add(vec![1.0, -2500.0, f64::INFINITY]), add(vec![])];
        assert_eq!(all(file), Ok(expected));
        assert!(error("_G['w']:add({1, 'x'})").contains("expected a value"));
        assert!(error("_G['w']:add({1, {2}})").contains("expected a value"));
        assert!(error("_G['w']:add({1").contains("expected ','"));
        assert!(error("_G['w'] = {1}").contains("expected '}'"));
        let long = format!("_G['w']:add({{{}}})", vec!["1"; MAX_LIST + 1].join(","));
        assert!(error(&long).contains("more than 65536 numbers"));
    }

    #[test]
    fn the_test_file_of_hindsight_in_small() {
        let file = b"-- a comment\n_G[\"data\"] = _G[\"dataRef\"]\n\
            if _G[\"dataRef\"] == nil then _G[\"dataRef\"] = ud.new('ud2') end\n\
            _G[\"cycleb\"][\"a\"][\"b\"] = _G[\"cycleb\"]\n";
        assert_eq!(all(file).expect("good").len(), 3);
    }

    #[test]
    fn code_is_no_statement() {
        assert_eq!(
            error("os.execute('x')"),
            "line 1: expected '_G' near 'os.execute('x')'"
        );
        assert_eq!(
            error("\n_G['a'] = 1 + 1"),
            "line 2: expected '_G' near '+ 1'"
        );
        assert!(error("_G['a'] = function() end").contains("expected '_G'"));
        assert!(error("_G['a'] = {1, 2}").starts_with("line 1: expected '}'"));
        assert!(error("_G = 1").starts_with("line 1: expected '['"));
        assert!(error("if _G['a'] == nil then _G['b'] = x.new() end").contains("the path"));
        assert!(error("_G['a'] = \"x").contains("string without end"));
        assert!(error("_G['a'] = \"x\n\"").contains("ends with its line"));
        assert!(error("_G['a'] = \"\\256\"").contains("beyond 255"));
        assert!(error("_G[0/0] = 1").contains("not-a-number"));
        assert!(error("_G[nil] = 1").contains("nil"));
        assert!(error("_G['a']:m(x.y())").contains("expected a value"));
    }

    #[test]
    fn bounds_hold() {
        let deep = format!("_G{} = 1", "[1]".repeat(MAX_DEPTH + 1));
        assert!(error(&deep).contains("nest deeper"));
        let many = format!("_G[1]:m({})", vec!["1"; MAX_ARGS + 1].join(","));
        assert!(error(&many).contains("more than 32 arguments"));
        let long = format!("_G[1]:{}()", "m".repeat(MAX_NAME + 1));
        assert!(error(&long).contains("expected a name"));
    }

    proptest! {
        #[test]
        fn any_bytes_end_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = all(&bytes);
        }

        #[test]
        fn nearly_good_files_end_without_panic(
            parts in proptest::collection::vec(proptest::sample::select(vec![
                "_G", "[", "]", "\"a\"", "=", "==", "if ", "then ", "nil", " end", "{", "}", "1", "-", "/", ".",
                "e", ":", "(", ")", ",", "\n", "\\", "--", "_PRESERVATION_VERSION", "~=", "x.new", "'", "return",
            ]), 0..40)
        ) {
            let _ = all(parts.concat().as_bytes());
        }

        #[test]
        fn quoted_strings_come_back(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut line = b"_G[\"k\"] = ".to_vec();
            crate::lib_string::format::quoted(&bytes, &mut line);
            let statements = all(&line).expect("a good line");
            prop_assert_eq!(&statements[0], &Statement::Assign(vec![text(b"k")], Value::Literal(text(&bytes))));
        }
    }
}

//! Reads a document as RapidJSON does: the same grammar, the same words and places of errors. Without recursion.

use super::{Document, Failure, Limits, MAX_DEPTH, MAX_TEXT, Node};
use crate::scan::{decimal, escape, hex4, join_surrogates, plain_end, skip_space, utf8};

/// Bytes read between two looks at the budget.
const BYTES_PER_CHARGE: usize = 4096;

/// Bytes read for one step of the budget. Hindsight charges nothing for them, so a document of some megabytes must fit into
/// the default budget.
const BYTES_PER_STEP: usize = 16;

/// How a text is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Strings must be UTF-8; otherwise they may hold any bytes.
    pub validate_utf8: bool,
    /// What follows the value does not matter.
    pub stop_when_done: bool,
}

/// Why a text is no JSON, in RapidJSON's words.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SyntaxError {
    /// Where in the text, in bytes from 0.
    pub offset: usize,
    /// What is wrong.
    pub text: &'static str,
}

mod wrong {
    pub(super) const EMPTY: &str = "The document is empty.";
    pub(super) const ROOT_NOT_SINGULAR: &str =
        "The document root must not be followed by other values.";
    pub(super) const VALUE: &str = "Invalid value.";
    pub(super) const NAME: &str = "Missing a name for object member.";
    pub(super) const COLON: &str = "Missing a colon after a name of object member.";
    pub(super) const COMMA_OR_BRACE: &str = "Missing a comma or '}' after an object member.";
    pub(super) const COMMA_OR_BRACKET: &str = "Missing a comma or ']' after an array element.";
    pub(super) const HEX: &str = "Incorrect hex digit after \\u escape in string.";
    pub(super) const SURROGATE: &str = "The surrogate pair in string is invalid.";
    pub(super) const ESCAPE: &str = "Invalid escape character in string.";
    pub(super) const QUOTE: &str = "Missing a closing quotation mark in string.";
    pub(super) const ENCODING: &str = "Invalid encoding in string.";
    pub(super) const TOO_BIG: &str = "Number too big to be stored in double.";
    pub(super) const FRACTION: &str = "Miss fraction part in number.";
    pub(super) const EXPONENT: &str = "Miss exponent in number.";
    pub(super) const TERMINATED: &str = "Terminate parsing due to Handler error.";
}

fn syntax(offset: usize, text: &'static str) -> Failure {
    Failure::Syntax(SyntaxError { offset, text })
}

/// A container whose members are being read.
#[derive(Clone, Copy)]
struct Frame {
    is_object: bool,
    /// Where its members begin among those that wait.
    start: usize,
}

struct Reader<'l> {
    text: Vec<u8>,
    at: usize,
    options: Options,
    limits: &'l mut dyn Limits,
    charged: usize,
    nodes: Vec<Node>,
    /// Members of open containers.
    waiting: Vec<Node>,
    frames: Vec<Frame>,
    depth: usize,
}

pub(super) fn read(
    text: Vec<u8>,
    options: Options,
    limits: &mut dyn Limits,
) -> Result<Document, Failure> {
    if text.len() > MAX_TEXT {
        return Err(syntax(0, wrong::TERMINATED));
    }
    let mut reader = Reader {
        text,
        at: 0,
        options,
        limits,
        charged: 0,
        nodes: Vec::new(),
        waiting: Vec::new(),
        frames: Vec::new(),
        depth: 0,
    };
    reader.run()?;
    let root = reader.waiting.pop().expect("one value was read");
    reader.nodes.push(root);
    Ok(Document {
        root: reader.nodes.len() as u32 - 1,
        nodes: reader.nodes,
        text: reader.text,
        depth: reader.depth,
        has_holes: false,
        orders: std::collections::BTreeMap::new(),
    })
}

impl Reader<'_> {
    fn run(&mut self) -> Result<(), Failure> {
        self.skip_space();
        if self.peek() == 0 {
            return Err(syntax(self.at, wrong::EMPTY));
        }
        loop {
            if self.value()? {
                continue;
            }
            if self.at - self.charged > BYTES_PER_CHARGE {
                let steps = ((self.at - self.charged) / BYTES_PER_STEP) as u32;
                self.limits.charge(steps).map_err(Failure::Limit)?;
                self.charged = self.at;
            }
            if !self.next()? {
                break;
            }
        }
        if !self.options.stop_when_done {
            self.skip_space();
            if self.peek() != 0 {
                return Err(syntax(self.at, wrong::ROOT_NOT_SINGULAR));
            }
        }
        Ok(())
    }

    #[inline]
    fn skip_space(&mut self) {
        self.at = skip_space(&self.text, self.at);
    }

    /// The byte at hand; a NUL at the end, and as upstream a NUL is the end.
    #[inline]
    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    /// Reads a value, or the beginning of a container up to its first value, in which case there is one to read next.
    #[inline]
    fn value(&mut self) -> Result<bool, Failure> {
        let node = match self.peek() {
            b'"' => self.string()?,
            b'{' => return self.open(true),
            b'[' => return self.open(false),
            b't' => self.word(b"true", Node::Boolean(true))?,
            b'f' => self.word(b"false", Node::Boolean(false))?,
            b'n' => self.word(b"null", Node::Null)?,
            _ => self.number()?,
        };
        self.push(node)?;
        Ok(false)
    }

    #[inline]
    fn push(&mut self, node: Node) -> Result<(), Failure> {
        if self.waiting.len() == self.waiting.capacity() {
            self.ask(self.waiting.capacity())?;
        }
        self.waiting.push(node);
        Ok(())
    }

    /// Asks for the memory of so many more values, before an array grows.
    #[cold]
    fn ask(&mut self, n_nodes: usize) -> Result<(), Failure> {
        let held = self.nodes.capacity() + self.waiting.capacity() + n_nodes;
        let bytes = held * size_of::<Node>() + self.text.capacity();
        self.limits.memory(bytes).map_err(Failure::Limit)
    }

    fn open(&mut self, is_object: bool) -> Result<bool, Failure> {
        self.at += 1;
        if self.frames.len() >= MAX_DEPTH {
            return Err(syntax(self.at, wrong::TERMINATED));
        }
        self.frames.push(Frame {
            is_object,
            start: self.waiting.len(),
        });
        self.depth = self.depth.max(self.frames.len());
        self.skip_space();
        if self.peek() == if is_object { b'}' } else { b']' } {
            self.at += 1;
            self.close()?;
            return Ok(false);
        }
        if is_object {
            self.key()?;
        }
        Ok(true)
    }

    /// Moves the members of the innermost container to their places; the container takes their place among those that wait.
    fn close(&mut self) -> Result<(), Failure> {
        let Frame { is_object, start } = self.frames.pop().expect("a container is open");
        let n_places = self.waiting.len() - start;
        if self.nodes.capacity() - self.nodes.len() < n_places {
            self.ask(self.nodes.capacity().max(n_places))?;
        }
        let first = self.nodes.len() as u32;
        self.nodes.extend_from_slice(&self.waiting[start..]);
        self.waiting.truncate(start);
        let node = match is_object {
            true => Node::Object(first, (n_places / 2) as u32),
            false => Node::Array(first, n_places as u32),
        };
        self.push(node)
    }

    /// What stands behind a value: closes containers up to the next value; false when the whole was read.
    #[inline]
    fn next(&mut self) -> Result<bool, Failure> {
        while let Some(&Frame { is_object, .. }) = self.frames.last() {
            self.skip_space();
            match (self.peek(), is_object) {
                (b',', _) => {
                    self.at += 1;
                    self.skip_space();
                    if is_object {
                        self.key()?;
                    }
                    return Ok(true);
                }
                (b'}', true) | (b']', false) => {
                    self.at += 1;
                    self.close()?;
                }
                (_, true) => return Err(syntax(self.at, wrong::COMMA_OR_BRACE)),
                (_, false) => return Err(syntax(self.at, wrong::COMMA_OR_BRACKET)),
            }
        }
        Ok(false)
    }

    /// A key, its colon and the space behind.
    #[inline]
    fn key(&mut self) -> Result<(), Failure> {
        if self.peek() != b'"' {
            return Err(syntax(self.at, wrong::NAME));
        }
        let key = self.string()?;
        self.push(key)?;
        self.skip_space();
        if self.peek() != b':' {
            return Err(syntax(self.at, wrong::COLON));
        }
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    fn word(&mut self, word: &[u8], node: Node) -> Result<Node, Failure> {
        let rest = &self.text[self.at..];
        let same = rest.iter().zip(word).take_while(|(a, b)| a == b).count();
        self.at += same;
        if same < word.len() {
            return Err(syntax(self.at, wrong::VALUE));
        }
        Ok(node)
    }

    #[inline]
    fn string(&mut self) -> Result<Node, Failure> {
        let start = self.at + 1;
        let end = plain_end(&self.text, start);
        self.check_encoding(start, end)?;
        let end = match self.text.get(end) {
            Some(b'"') => {
                self.at = end + 1;
                end
            }
            _ => self.escaped(end)?,
        };
        Ok(Node::String(start as u32, (end - start) as u32))
    }

    /// Reads the rest of a string, moving it to where `to` is, the first byte that is not plain; where it ends then.
    fn escaped(&mut self, mut to: usize) -> Result<usize, Failure> {
        let mut at = to;
        loop {
            match self.text.get(at) {
                Some(b'"') => break,
                Some(b'\\') => (at, to) = self.escape(at, to)?,
                None | Some(0) => return Err(syntax(at, wrong::QUOTE)),
                Some(_) => return Err(syntax(at, wrong::ENCODING)),
            }
            let end = plain_end(&self.text, at);
            self.check_encoding(at, end)?;
            self.text.copy_within(at..end, to);
            to += end - at;
            at = end;
        }
        self.at = at + 1;
        Ok(to)
    }

    /// Replaces the escape at `at`, writing to `to`; what comes behind each.
    fn escape(&mut self, at: usize, to: usize) -> Result<(usize, usize), Failure> {
        let letter = self.text.get(at + 1).copied().unwrap_or(0);
        if letter != b'u' {
            let byte = escape(letter).ok_or_else(|| syntax(at, wrong::ESCAPE))?;
            self.text[to] = byte;
            return Ok((at + 2, to + 1));
        }
        let hex = |from: usize| {
            let digits = self.text.get(from..).and_then(hex4);
            digits.ok_or_else(|| syntax(at, wrong::HEX))
        };
        let mut code_point = hex(at + 2)?;
        let mut end = at + 6;
        if (0xd800..=0xdbff).contains(&code_point) {
            if self.text.get(end..end + 2) != Some(b"\\u") {
                return Err(syntax(at, wrong::SURROGATE));
            }
            let low = hex(end + 2)?;
            if !(0xdc00..=0xdfff).contains(&low) {
                return Err(syntax(at, wrong::SURROGATE));
            }
            code_point = join_surrogates(code_point, low);
            end += 6;
        }
        let (bytes, len) = utf8(code_point);
        self.text[to..to + len].copy_from_slice(&bytes[..len]);
        Ok((end, to + len))
    }

    #[inline]
    fn check_encoding(&self, start: usize, end: usize) -> Result<(), Failure> {
        if self.options.validate_utf8
            && let Err(error) = std::str::from_utf8(&self.text[start..end])
        {
            return Err(syntax(start + error.valid_up_to(), wrong::ENCODING));
        }
        Ok(())
    }

    #[inline]
    fn number(&mut self) -> Result<Node, Failure> {
        let start = self.at;
        let number = decimal(&self.text, start);
        let first = start + usize::from(number.negative);
        if number.n_whole == 0 {
            return Err(syntax(first, wrong::VALUE));
        }
        if number.n_whole > 1 && self.text[first] == b'0' {
            // The number is the zero alone, and what follows it is wrong.
            self.at = first + 1;
            return Ok(Node::Integer(0));
        }
        let point = first + number.n_whole;
        if self.text.get(point) == Some(&b'.') && !number.has_fraction {
            return Err(syntax(point + 1, wrong::FRACTION));
        }
        if let Some(b'e' | b'E') = self.text.get(number.end) {
            let sign = matches!(self.text.get(number.end + 1), Some(b'+' | b'-'));
            let digits = number.end + 1 + usize::from(sign);
            return Err(syntax(digits, wrong::EXPONENT));
        }
        self.at = number.end;
        if number.whole && number.exact {
            let whole = match number.negative {
                false => i64::try_from(number.digits).ok(),
                true => 0_i64.checked_sub_unsigned(number.digits),
            };
            if let Some(whole) = whole {
                return Ok(Node::Integer(whole));
            }
        }
        self.large_number(start, &number)
    }

    fn large_number(&self, start: usize, number: &crate::scan::Decimal) -> Result<Node, Failure> {
        if number.whole && number.n_whole <= 20 && !number.negative {
            let text = std::str::from_utf8(&self.text[start..number.end]);
            if let Some(Ok(number)) = text.ok().map(str::parse) {
                return Ok(Node::Unsigned(number));
            }
        }
        let value = number.value(&self.text, start);
        if value.is_infinite() {
            return Err(syntax(start, wrong::TOO_BIG));
        }
        Ok(Node::Double(value))
    }
}

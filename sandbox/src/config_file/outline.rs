//! Finds the lines on which the keys of table constructors stand in a configuration text.
//!
//! Lua does not say where a nested key was written. This reads the text once more as a list of tokens,
//! recognises `name = { key = …, ["key"] = …, … }`, and remembers the place of every such key.
//! It is a help for error messages only: what it does not recognise has the line of the table around it.

use rustc_hash::FxHashMap;

use crate::value::Key;

/// Deepest nesting that is followed; values nested deeper are an error anyway.
const MAX_FRAMES: usize = 2 * super::MAX_DEPTH;

/// Where a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Line, from 1.
    pub line: u32,
    /// How many keys were recognised before it.
    pub order: usize,
}

/// The places of all keys that were recognised, by the way to them.
pub(super) struct Outline {
    places: FxHashMap<Vec<Key>, Place>,
}

impl Outline {
    /// Reads `text`, which Lua has already accepted.
    pub fn read(text: &[u8]) -> Outline {
        let mut reader = Reader {
            tokens: Lexer::new(text).collect(),
            at: 0,
            frames: Vec::new(),
            places: FxHashMap::default(),
        };
        while reader.at < reader.tokens.len() && reader.frames.len() < MAX_FRAMES {
            reader.step();
        }
        Outline {
            places: reader.places,
        }
    }

    /// The place of the key at the end of `path`.
    pub fn find(&self, path: &[Key]) -> Option<Place> {
        self.places.get(path).copied()
    }
}

/// One bracket that is open.
enum Frame {
    /// A table constructor. `path` is the way to it where it is known; `next` is the index of the
    /// next item without a key; `fresh` says that a field begins here.
    Table {
        path: Option<Vec<Key>>,
        next: i64,
        fresh: bool,
    },
    /// Any other bracket; commas inside it do not separate fields.
    Other,
}

struct Reader {
    tokens: Vec<(Token, u32)>,
    at: usize,
    frames: Vec<Frame>,
    places: FxHashMap<Vec<Key>, Place>,
}

impl Reader {
    /// Takes one token, or one assignment's or field's head together with the brace that opens its value.
    fn step(&mut self) {
        match self.frames.last() {
            None => self.statement(),
            Some(Frame::Table { fresh: true, .. }) => self.field(),
            Some(_) => self.plain(),
        }
    }

    /// Outside all brackets: `a = {` and `a.b["c"] = {`.
    fn statement(&mut self) {
        let line = self.line();
        let Some((path, length)) = self.target() else {
            return self.plain();
        };
        self.at += length;
        self.found(path.clone(), line);
        self.open_value(Some(path));
    }

    /// At the begin of a field: its key, or the next index, then its value.
    fn field(&mut self) {
        if self.peek(0) == Some(&Token::Symbol(b'}')) {
            return self.plain();
        }
        let line = self.line();
        let written = self.field_key();
        let Some(Frame::Table { path, next, fresh }) = self.frames.last_mut() else {
            return;
        };
        *fresh = false;
        let computed = written.is_none() && self.tokens[self.at].0 == Token::Symbol(b'[');
        if computed {
            return;
        }
        let key = match written {
            Some((key, length)) => {
                self.at += length;
                key
            }
            None => {
                *next += 1;
                Key::Integer(*next - 1)
            }
        };
        let path = path
            .as_ref()
            .map(|path| path.iter().cloned().chain([key]).collect::<Vec<Key>>());
        if let Some(path) = &path {
            self.found(path.clone(), line);
        }
        self.open_value(path);
    }

    /// `name =` or `[literal] =`, with its length in tokens.
    fn field_key(&self) -> Option<(Key, usize)> {
        match (self.peek(0)?, self.peek(1)?) {
            (Token::Word(name), Token::Symbol(b'=')) => Some((Key::Name(name.clone()), 2)),
            (Token::Symbol(b'['), Token::Literal(key)) => {
                let closed = self.peek(2)? == &Token::Symbol(b']');
                (closed && self.peek(3)? == &Token::Symbol(b'=')).then(|| (key.clone(), 4))
            }
            _ => None,
        }
    }

    /// `name (.name | [literal])* =`, with its length in tokens.
    fn target(&self) -> Option<(Vec<Key>, usize)> {
        let Token::Word(first) = self.peek(0)? else {
            return None;
        };
        let mut path = vec![Key::Name(first.clone())];
        let mut length = 1;
        while path.len() < super::MAX_DEPTH {
            match (self.peek(length)?, self.peek(length + 1)?) {
                (Token::Symbol(b'='), _) => return Some((path, length + 1)),
                (Token::Symbol(b'.'), Token::Word(name)) => {
                    path.push(Key::Name(name.clone()));
                    length += 2;
                }
                (Token::Symbol(b'['), Token::Literal(key))
                    if self.peek(length + 2) == Some(&Token::Symbol(b']')) =>
                {
                    path.push(key.clone());
                    length += 3;
                }
                _ => return None,
            }
        }
        None
    }

    /// If the value is a table constructor, enters it.
    fn open_value(&mut self, path: Option<Vec<Key>>) {
        if self.peek(0) == Some(&Token::Symbol(b'{')) {
            self.frames.push(Frame::Table {
                path,
                next: 1,
                fresh: true,
            });
            self.at += 1;
        }
    }

    /// A token that only matters when it is a bracket or ends a field.
    fn plain(&mut self) {
        match self.peek(0) {
            Some(Token::Symbol(b'{')) => {
                self.frames.push(Frame::Table {
                    path: None,
                    next: 1,
                    fresh: true,
                });
            }
            Some(Token::Symbol(b'(' | b'[')) => self.frames.push(Frame::Other),
            Some(Token::Symbol(b'}' | b')' | b']')) => drop(self.frames.pop()),
            Some(Token::Symbol(b',' | b';')) => {
                if let Some(Frame::Table { fresh, .. }) = self.frames.last_mut() {
                    *fresh = true;
                }
            }
            _ => {}
        }
        self.at += 1;
    }

    fn found(&mut self, path: Vec<Key>, line: u32) {
        let order = self.places.len();
        self.places.insert(path, Place { line, order });
    }

    fn peek(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.at + ahead).map(|(token, _)| token)
    }

    fn line(&self) -> u32 {
        self.tokens.get(self.at).map_or(0, |(_, line)| *line)
    }
}

/// The parts of Lua that matter here.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// A name or keyword.
    Word(Vec<u8>),
    /// A whole number or a plain string, as a key; other numbers and strings have an empty name.
    Literal(Key),
    /// One character; of `==`, `~=`, `<=` and `>=` a `~`, so that `=` always means assignment.
    Symbol(u8),
}

/// Cuts a text into tokens, each with its line. Comments and white space are left out.
struct Lexer<'t> {
    text: &'t [u8],
    at: usize,
    line: u32,
}

impl Iterator for Lexer<'_> {
    type Item = (Token, u32);

    fn next(&mut self) -> Option<(Token, u32)> {
        self.skip_blank();
        let line = self.line;
        let token = match *self.text.get(self.at)? {
            b'"' | b'\'' => self.quoted(),
            b'0'..=b'9' => self.number(),
            c if c == b'_' || c.is_ascii_alphabetic() => self.word(),
            b'[' if self.long_open().is_some() => self.long_string(),
            c => self.symbol(c),
        };
        Some((token, line))
    }
}

impl<'t> Lexer<'t> {
    fn new(text: &'t [u8]) -> Lexer<'t> {
        let at = if text.first() == Some(&b'#') {
            end_of_line(text, 0)
        } else {
            0
        };
        Lexer { text, at, line: 1 }
    }

    fn skip_blank(&mut self) {
        loop {
            match (self.byte(0), self.byte(1)) {
                (Some(b'\n'), _) => {
                    self.line += 1;
                    self.at += 1;
                }
                (Some(c), _) if c.is_ascii_whitespace() || c == 0x0b => self.at += 1,
                (Some(b'-'), Some(b'-')) => self.comment(),
                _ => return,
            }
        }
    }

    fn comment(&mut self) {
        self.at += 2;
        match self.long_open() {
            Some(_) => drop(self.long_string()),
            None => self.at = end_of_line(self.text, self.at),
        }
    }

    /// The number of `=` of a long bracket that opens here.
    fn long_open(&self) -> Option<usize> {
        if self.byte(0) != Some(b'[') {
            return None;
        }
        let level = self.text[self.at + 1..]
            .iter()
            .take_while(|c| **c == b'=')
            .count();
        (self.byte(1 + level) == Some(b'[')).then_some(level)
    }

    fn long_string(&mut self) -> Token {
        let level = self.long_open().unwrap_or(0);
        let begin = self.at + level + 2;
        let close: Vec<u8> = [b"]".as_slice(), &vec![b'='; level], b"]"].concat();
        let rest = &self.text[begin..];
        let length = memchr::memmem::find(rest, &close).unwrap_or(rest.len());
        let body = &rest[..length];
        self.line += memchr::memchr_iter(b'\n', body).count() as u32;
        self.at = (begin + length + close.len()).min(self.text.len());
        let body = body.strip_prefix(b"\r").unwrap_or(body);
        Token::Literal(Key::Name(body.strip_prefix(b"\n").unwrap_or(body).to_vec()))
    }

    fn quoted(&mut self) -> Token {
        let quote = self.text[self.at];
        let begin = self.at + 1;
        self.at = begin;
        let mut plain = true;
        while let Some(c) = self.byte(0) {
            if c == quote {
                break;
            }
            let step = if c == b'\\' { 2 } else { 1 };
            plain &= step == 1;
            let end = (self.at + step).min(self.text.len());
            self.line += self.text[self.at..end]
                .iter()
                .filter(|c| **c == b'\n')
                .count() as u32;
            self.at = end;
        }
        let body = if plain {
            self.text[begin..self.at].to_vec()
        } else {
            Vec::new()
        };
        self.at = (self.at + 1).min(self.text.len());
        Token::Literal(Key::Name(body))
    }

    fn number(&mut self) -> Token {
        let part = |c: &&u8| c.is_ascii_alphanumeric() || **c == b'.';
        let length = self.text[self.at..].iter().take_while(part).count();
        let digits = &self.text[self.at..self.at + length];
        self.at += length;
        let whole = std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| digits.parse().ok());
        Token::Literal(whole.map_or(Key::Name(Vec::new()), Key::Integer))
    }

    fn word(&mut self) -> Token {
        let part = |c: &&u8| **c == b'_' || c.is_ascii_alphanumeric();
        let length = self.text[self.at..].iter().take_while(part).count();
        let word = self.text[self.at..self.at + length].to_vec();
        self.at += length;
        Token::Word(word)
    }

    fn symbol(&mut self, first: u8) -> Token {
        let compares = matches!(first, b'=' | b'~' | b'<' | b'>') && self.byte(1) == Some(b'=');
        self.at += if compares { 2 } else { 1 };
        Token::Symbol(if compares { b'~' } else { first })
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }
}

fn end_of_line(text: &[u8], from: usize) -> usize {
    memchr::memchr(b'\n', &text[from..]).map_or(text.len(), |length| from + length)
}

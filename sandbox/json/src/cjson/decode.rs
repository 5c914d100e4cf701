//! `cjson.decode`: one pass over the text, straight into Lua's tables and strings.

use sandbox::native::{Builder, Call, Error};

use super::number;
use super::settings::Decoding;
use crate::scan::{decimal, escape, hex4, join_surrogates, plain_end, skip_space, utf8};

/// Bytes read between two looks at the budget.
const BYTES_PER_CHARGE: usize = 4096;

/// `decode(text)`
pub(super) fn decode(call: &mut Call<'_>) -> Result<usize, Error> {
    if call.arg_count() != 1 {
        return Err(Error::argument(1, "expected 1 argument"));
    }
    let text = call.check_bytes(1)?;
    let settings = Decoding::read(call)?;
    // No JSON text begins with a NUL, or has one in second place.
    if text.len() >= 2 && (text[0] == 0 || text[1] == 0) {
        return Err(Error::new("JSON parser does not support UTF-16 or UTF-32"));
    }
    let mut builder = Builder::new(call)?;
    let mut decoder = Decoder {
        text,
        at: 0,
        settings,
        charged: 0,
        scratch: Vec::new(),
    };
    decoder.run(&mut builder)?;
    builder.finish();
    Ok(1)
}

struct Decoder<'t> {
    text: &'t [u8],
    at: usize,
    settings: Decoding,
    /// Bytes that the budget knows of.
    charged: usize,
    /// A string with escapes.
    scratch: Vec<u8>,
}

/// What stood where a value was read.
enum Step {
    /// A whole value.
    Value,
    /// A container begins.
    Opened,
}

impl<'t> Decoder<'t> {
    fn run(&mut self, builder: &mut Builder<'_, '_, 't>) -> Result<(), Error> {
        loop {
            match self.value(builder)? {
                Step::Opened if self.closes_at_once(builder)? => {}
                Step::Opened => {
                    if builder.in_object() {
                        self.key(builder)?;
                    }
                    continue;
                }
                Step::Value => {}
            }
            if self.charge_and_close(builder)? {
                return Ok(());
            }
        }
    }

    /// What stands behind a value: closes containers up to the next value; true at the end of the text.
    #[inline]
    fn charge_and_close(&mut self, builder: &mut Builder<'_, '_, 't>) -> Result<bool, Error> {
        if self.at - self.charged > BYTES_PER_CHARGE {
            builder.charge((self.at - self.charged) as u32)?;
            self.charged = self.at;
        }
        loop {
            if builder.depth() == 0 {
                self.end()?;
                return Ok(true);
            }
            self.at = skip_space(self.text, self.at);
            match (self.peek(), builder.in_object()) {
                (b',', true) => {
                    self.at += 1;
                    self.key(builder)?;
                    return Ok(false);
                }
                (b',', false) => {
                    self.at += 1;
                    return Ok(false);
                }
                (b'}', true) | (b']', false) => {
                    self.at += 1;
                    builder.end()?;
                }
                (_, true) => return Err(self.unexpected("comma or object end")),
                (_, false) => return Err(self.unexpected("comma or array end")),
            }
        }
    }

    /// Only white space may follow. As upstream, a NUL ends the text.
    fn end(&mut self) -> Result<(), Error> {
        self.at = skip_space(self.text, self.at);
        if self.peek() != 0 {
            return Err(self.unexpected("the end"));
        }
        Ok(())
    }

    /// The byte at hand; a NUL at the end.
    #[inline]
    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    #[inline]
    fn value(&mut self, builder: &mut Builder<'_, '_, 't>) -> Result<Step, Error> {
        self.at = skip_space(self.text, self.at);
        match self.peek() {
            b'"' => self.string(builder)?,
            b'{' => {
                self.descend(builder)?;
                builder.object_begin()?;
                return Ok(Step::Opened);
            }
            b'[' => {
                self.descend(builder)?;
                builder.array_begin()?;
                return Ok(Step::Opened);
            }
            b'0'..=b'9' | b'-' => self.number(builder)?,
            b't' if self.word(b"true") => builder.boolean(true)?,
            b'f' if self.word(b"false") => builder.boolean(false)?,
            b'n' if self.word(b"null") => {
                if self.settings.null {
                    builder.null()?;
                } else {
                    builder.nil()?;
                }
            }
            b'+' | b'n' | b'N' | b'i' | b'I' if self.settings.invalid_numbers => {
                self.number(builder)?;
            }
            _ => return Err(self.unexpected("value")),
        }
        Ok(Step::Value)
    }

    fn word(&mut self, word: &[u8]) -> bool {
        let found = self.text[self.at..].starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    /// Steps over the bracket of a container that begins here.
    #[inline]
    fn descend(&mut self, builder: &mut Builder<'_, '_, 't>) -> Result<(), Error> {
        self.at += 1;
        let depth = builder.depth() + 1;
        if depth > self.settings.max_depth || !builder.has_room() {
            return Err(Error::new(format!(
                "Found too many nested data structures ({depth}) at character {}",
                self.at
            )));
        }
        Ok(())
    }

    /// Whether the container that has just begun is empty; it is closed then.
    #[inline]
    fn closes_at_once(&mut self, builder: &mut Builder<'_, '_, 't>) -> Result<bool, Error> {
        self.at = skip_space(self.text, self.at);
        let close = if builder.in_object() { b'}' } else { b']' };
        if self.peek() != close {
            return Ok(false);
        }
        self.at += 1;
        builder.end()?;
        Ok(true)
    }

    /// A key and its colon.
    #[inline]
    fn key(&mut self, builder: &mut Builder<'_, '_, 't>) -> Result<(), Error> {
        self.at = skip_space(self.text, self.at);
        if self.peek() != b'"' {
            return Err(self.unexpected("object key string"));
        }
        let start = self.at + 1;
        let end = plain_end(self.text, start);
        if self.text.get(end) == Some(&b'"') {
            self.at = end + 1;
            builder.key(&self.text[start..end])?;
        } else {
            self.escaped(start, end)
                .map_err(|wrong| self.wrong_string("object key string", wrong))?;
            builder.key_once(&self.scratch)?;
        }
        if self.peek() != b':' {
            self.at = skip_space(self.text, self.at);
            if self.peek() != b':' {
                return Err(self.unexpected("colon"));
            }
        }
        self.at += 1;
        Ok(())
    }

    #[inline]
    fn string(&mut self, builder: &mut Builder<'_, '_, 't>) -> Result<(), Error> {
        let start = self.at + 1;
        let end = plain_end(self.text, start);
        if self.text.get(end) == Some(&b'"') {
            self.at = end + 1;
            return builder.string(&self.text[start..end]);
        }
        self.escaped(start, end)
            .map_err(|wrong| self.wrong_string("value", wrong))?;
        builder.string(&self.scratch)
    }

    /// Reads the rest of a string into the scratch buffer, where `at` is the first byte that is not plain.
    fn escaped(&mut self, start: usize, mut at: usize) -> Result<(), Wrong> {
        self.scratch.clear();
        self.scratch.extend_from_slice(&self.text[start..at]);
        loop {
            match self.text.get(at) {
                None | Some(0) => {
                    return Err(Wrong {
                        at,
                        what: "unexpected end of string",
                    });
                }
                Some(b'"') => break,
                Some(b'\\') => at = self.escape(at)?,
                // Control characters are let through, as upstream does.
                Some(&byte) => {
                    self.scratch.push(byte);
                    at += 1;
                }
            }
            let end = plain_end(self.text, at);
            self.scratch.extend_from_slice(&self.text[at..end]);
            at = end;
        }
        self.at = at + 1;
        Ok(())
    }

    /// Appends what the escape at `at` stands for; where it ends.
    fn escape(&mut self, at: usize) -> Result<usize, Wrong> {
        let letter = self.text.get(at + 1).copied().unwrap_or(0);
        if letter != b'u' {
            let byte = escape(letter).ok_or(Wrong {
                at,
                what: "invalid escape code",
            })?;
            self.scratch.push(byte);
            return Ok(at + 2);
        }
        let (code_point, len) = unicode_escape(&self.text[at..]).ok_or(Wrong {
            at,
            what: "invalid unicode escape code",
        })?;
        let (bytes, n) = utf8(code_point);
        self.scratch.extend_from_slice(&bytes[..n]);
        Ok(at + len)
    }

    #[inline]
    fn number(&mut self, builder: &mut Builder<'_, '_, 't>) -> Result<(), Error> {
        let start = self.at;
        let number = decimal(self.text, start);
        let next = self.text.get(number.end).copied().unwrap_or(0);
        // "0x", "-nan", "+1": what strtod reads beyond decimal numbers; and numbers that are none.
        let odd = number.n_whole == 0 || next | 0x20 == b'x' || self.leading_zero(&number);
        if odd {
            return self.odd_number(builder);
        }
        self.at = number.end;
        builder.number(number.value(self.text, start))
    }

    fn leading_zero(&self, number: &crate::scan::Decimal) -> bool {
        number.n_whole > 1 && self.text[self.at + usize::from(number.negative)] == b'0'
    }

    #[cold]
    fn odd_number(&mut self, builder: &mut Builder<'_, '_, 't>) -> Result<(), Error> {
        match number::odd(&self.text[self.at..], self.settings.invalid_numbers) {
            Some((value, len)) => {
                self.at += len;
                builder.number(value)
            }
            None => Err(self.unexpected("value")),
        }
    }

    #[cold]
    fn wrong_string(&self, expected: &str, wrong: Wrong) -> Error {
        error(expected, wrong.what, wrong.at)
    }

    /// The error about what stands here.
    #[cold]
    fn unexpected(&mut self, expected: &str) -> Error {
        self.at = skip_space(self.text, self.at);
        let at = self.at;
        let found = match self.peek() {
            b'{' => "T_OBJ_BEGIN",
            b'}' => "T_OBJ_END",
            b'[' => "T_ARR_BEGIN",
            b']' => "T_ARR_END",
            b',' => "T_COMMA",
            b':' => "T_COLON",
            0 => "T_END",
            b'"' => match self.escaped(at + 1, at + 1) {
                Ok(()) => "T_STRING",
                Err(wrong) => return error(expected, wrong.what, wrong.at),
            },
            b't' if self.word(b"true") => "T_BOOLEAN",
            b'f' if self.word(b"false") => "T_BOOLEAN",
            b'n' if self.word(b"null") => "T_NULL",
            first => self.number_found(first),
        };
        error(expected, found, at)
    }

    fn number_found(&self, first: u8) -> &'static str {
        let rest = &self.text[self.at..];
        let invalid = self.settings.invalid_numbers;
        let is_number = matches!(first, b'0'..=b'9' | b'-');
        let is_odd = invalid && number::looks_invalid(rest);
        match number::odd(rest, invalid) {
            Some(_) if is_number || is_odd => "T_NUMBER",
            None if is_number || is_odd => "invalid number",
            _ => "invalid token",
        }
    }
}

/// Why a string is none, and where.
struct Wrong {
    at: usize,
    what: &'static str,
}

fn error(expected: &str, found: &str, at: usize) -> Error {
    Error::new(format!(
        "Expected {expected} but found {found} at character {}",
        at + 1
    ))
}

/// The code point of the escape `\uXXXX`, or of two that are a pair of surrogates; and its length.
fn unicode_escape(text: &[u8]) -> Option<(u32, usize)> {
    let first = hex4(text.get(2..)?)?;
    match first {
        0xd800..=0xdbff => {
            let second = hex4(text.get(6..)?.strip_prefix(b"\\u")?)?;
            (0xdc00..=0xdfff)
                .contains(&second)
                .then(|| (join_surrogates(first, second), 12))
        }
        0xdc00..=0xdfff => None,
        _ => Some((first, 6)),
    }
}

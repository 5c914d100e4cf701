//! `cjson.encode`: one walk over a Lua value, straight into a buffer.

use std::cell::Cell;

use sandbox::native::{Call, Error, Item, Type, Walker};

use super::number;
use super::order;
use super::settings::{Encoding, Invalid};
use crate::scan::unescaped_end;

/// Buffer that a thread keeps between calls, in bytes; larger ones are given back.
const KEPT_BUFFER: usize = 1024 * 1024;

/// Bytes that may be written between two looks at the limits.
const BYTES_PER_CHECK: usize = 4096;

thread_local! {
    /// One buffer for all sandboxes of a thread; out while something is being encoded.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// `encode(value)`
pub(super) fn encode(call: &mut Call<'_>) -> Result<usize, Error> {
    if call.arg_count() != 1 {
        return Err(Error::argument(1, "expected 1 argument"));
    }
    let settings = Encoding::read(call)?;
    let mut out = BUFFER.take();
    out.clear();
    let limit = call.output_limit();
    call.push_value(1)?;
    let encoded = Walker::new(call).and_then(|walker| {
        let mut encoder = Encoder {
            walker,
            settings,
            limit,
            out: &mut out,
            checked: 0,
            levels: Vec::new(),
            order: Vec::new(),
        };
        encoder.run()
    });
    let pushed = encoded.and_then(|()| call.push_bytes(&out));
    if out.capacity() > KEPT_BUFFER {
        out = Vec::new();
    }
    BUFFER.set(out);
    pushed.map(|()| 1)
}

/// A table that is being written.
#[derive(Clone, Copy)]
enum Level {
    /// An array as long as the keys come in order.
    Array(Array),
    /// An array with holes, or out of order: its items are asked for one by one.
    Listed { next: i32, len: i32 },
    /// An object; whether it has an entry already.
    Object { first: bool },
    /// An object whose keys are listed and put in order.
    Ordered(Ordered),
}

#[derive(Clone, Copy)]
struct Ordered {
    /// Where its part of the order begins.
    start: usize,
    /// Where in the order we are.
    next: usize,
    /// Where its part of the order ends.
    end: usize,
}

#[derive(Clone, Copy)]
struct Array {
    /// The key that is expected.
    next: u32,
    /// Where its text begins.
    start: usize,
    /// All keys are known to come in order.
    sure: bool,
}

struct Encoder<'c, 'a, 'o> {
    walker: Walker<'c, 'a>,
    settings: Encoding,
    limit: usize,
    out: &'o mut Vec<u8>,
    /// Length of the text at the last look at the limits.
    checked: usize,
    levels: Vec<Level>,
    /// For each ordered object that is open, the numbers of its keys.
    order: Vec<u8>,
}

impl Encoder<'_, '_, '_> {
    fn run(&mut self) -> Result<(), Error> {
        self.value()?;
        while let Some(&level) = self.levels.last() {
            let going = match level {
                Level::Array(array) => self.array_item(array)?,
                Level::Listed { next, len } => self.listed_item(next, len)?,
                Level::Object { first } => self.object_entry(first)?,
                Level::Ordered(ordered) => self.ordered_entry(ordered)?,
            };
            if going {
                self.value()?;
            }
        }
        self.check()
    }

    /// Writes the value at hand, and enters tables up to the first value that is none.
    #[inline]
    fn value(&mut self) -> Result<(), Error> {
        loop {
            if self.out.len() - self.checked > BYTES_PER_CHECK {
                self.check()?;
            }
            match self.walker.value() {
                Item::String(text) => {
                    check_length(self.out.len(), text.len(), self.limit)?;
                    if text.len() > BYTES_PER_CHECK {
                        self.check_memory(text.len())?;
                    }
                    write_string(text, self.out);
                }
                Item::Number(number) => self.number(number)?,
                Item::Boolean(true) => self.out.extend_from_slice(b"true"),
                Item::Boolean(false) => self.out.extend_from_slice(b"false"),
                Item::Nil | Item::Null => self.out.extend_from_slice(b"null"),
                Item::Table => {
                    if self.open()? {
                        continue;
                    }
                }
                Item::Other(kind) => return Err(refused(kind, "type not supported")),
            }
            return Ok(());
        }
    }

    /// Enters the table at hand; whether there is a value to write next.
    #[inline]
    fn open(&mut self) -> Result<bool, Error> {
        // What an array has written is taken back if it is none after all: this must not happen to tables in it, or tables
        // within tables would be written twice at each level.
        if let Some(&Level::Array(array)) = self.levels.last()
            && !array.sure
            && !self.make_sure(array)?
        {
            return Ok(false);
        }
        let depth = self.levels.len() + 1;
        if depth > self.settings.max_depth || !self.walker.has_room() {
            return Err(Error::new(format!(
                "Cannot serialise, excessive nesting ({depth})"
            )));
        }
        self.walker.open()?;
        let start = self.out.len();
        if !self.walker.step() {
            let brackets = if self.walker.is_empty_array() {
                b"[]"
            } else {
                b"{}"
            };
            self.out.extend_from_slice(brackets);
            return Ok(false);
        }
        if let Item::Number(_) = self.walker.key() {
            let array = Array {
                next: 1,
                start,
                sure: false,
            };
            self.out.push(b'[');
            self.levels.push(Level::Array(array));
            return self.array_key(array);
        }
        self.out.push(b'{');
        self.open_object()
    }

    /// Begins with the entries of the entered table; true, since there are some.
    fn open_object(&mut self) -> Result<bool, Error> {
        let Some(n_keys) = self.walker.list_keys(order::KEYS_MAX) else {
            self.levels.push(Level::Object { first: true });
            return self.object_entry(true);
        };
        self.walker.charge(n_keys as u32)?;
        let start = self.order.len();
        order::append(n_keys, |i| self.walker.listed_key(i), &mut self.order);
        let ordered = Ordered {
            start,
            next: start,
            end: self.order.len(),
        };
        self.levels.push(Level::Ordered(ordered));
        self.ordered_entry(ordered)
    }

    /// Goes to the next entry of an object in order and writes its key; false at its end.
    #[inline]
    fn ordered_entry(&mut self, ordered: Ordered) -> Result<bool, Error> {
        let Ordered { start, next, end } = ordered;
        if next == end {
            self.out.push(b'}');
            self.levels.pop();
            self.order.truncate(start);
            self.walker.close();
            return Ok(false);
        }
        *self.levels.last_mut().expect("an object is open") = Level::Ordered(Ordered {
            next: next + 1,
            ..ordered
        });
        let i = usize::from(self.order[next]);
        self.walker.look_at_listed(i, end - start);
        self.key(next == start)?;
        Ok(true)
    }

    /// Looks at all keys of the entered array; false if it turns out to be none.
    #[cold]
    fn make_sure(&mut self, array: Array) -> Result<bool, Error> {
        let (sure, n_keys) = self.walker.keys_count_on(array.next);
        self.walker.charge(n_keys)?;
        if !sure {
            return self.restart(array.start);
        }
        *self.levels.last_mut().expect("an array is open") = Level::Array(Array {
            sure: true,
            ..array
        });
        Ok(true)
    }

    /// Steps to the next item of an array; false at its end, or when it turns out to be none.
    #[inline]
    fn array_item(&mut self, array: Array) -> Result<bool, Error> {
        if !self.walker.step() {
            self.out.push(b']');
            self.levels.pop();
            return Ok(false);
        }
        self.array_key(array)
    }

    #[inline]
    fn array_key(&mut self, array: Array) -> Result<bool, Error> {
        if self.walker.key() != Item::Number(f64::from(array.next)) {
            return self.restart(array.start);
        }
        if array.next > 1 {
            self.out.push(b',');
        }
        *self.levels.last_mut().expect("an array is open") = Level::Array(Array {
            next: array.next + 1,
            ..array
        });
        Ok(true)
    }

    /// What was written as an array is taken back, and the whole table looked at.
    #[cold]
    fn restart(&mut self, start: usize) -> Result<bool, Error> {
        self.out.truncate(start);
        self.checked = self.checked.min(start);
        self.levels.pop();
        match self.array_len()? {
            Some(len) => {
                self.out.push(b'[');
                self.levels.push(Level::Listed { next: 1, len });
            }
            None => {
                self.walker.restart();
                self.out.push(b'{');
                self.levels.push(Level::Object { first: true });
            }
        }
        Ok(false)
    }

    /// Places that the entered table has as an array; none if it is an object.
    fn array_len(&mut self) -> Result<Option<i32>, Error> {
        let (mut max, mut n_items) = (0.0_f64, 0_u64);
        self.walker.restart();
        while self.walker.step_inside() {
            self.walker.charge(1)?;
            match self.walker.key() {
                Item::Number(key) if key >= 1.0 && key.trunc() == key => {
                    max = max.max(key);
                    n_items += 1;
                }
                _ => return Ok(None),
            }
        }
        let Encoding {
            sparse_ratio,
            sparse_safe,
            ..
        } = self.settings;
        let too_sparse =
            sparse_ratio > 0 && max > (n_items * sparse_ratio) as f64 && max > sparse_safe as f64;
        if too_sparse && self.settings.sparse_convert {
            return Ok(None);
        }
        if too_sparse || max > f64::from(i32::MAX) {
            return Err(refused(Type::Table, "excessively sparse array"));
        }
        Ok(Some(max as i32))
    }

    /// Goes to the next place of an array with holes; false at its end.
    fn listed_item(&mut self, next: i32, len: i32) -> Result<bool, Error> {
        if next > len {
            self.out.push(b']');
            self.levels.pop();
            self.walker.close();
            return Ok(false);
        }
        if next > 1 {
            self.out.push(b',');
        }
        let level = self.levels.last_mut().expect("an array is open");
        *level = Level::Listed {
            next: next.saturating_add(1),
            len,
        };
        self.walker.look_at(next);
        Ok(true)
    }

    /// Steps to the next entry of an object and writes its key; false at its end.
    #[inline]
    fn object_entry(&mut self, first: bool) -> Result<bool, Error> {
        if !self.walker.step() {
            self.out.push(b'}');
            self.levels.pop();
            return Ok(false);
        }
        *self.levels.last_mut().expect("an object is open") = Level::Object { first: false };
        self.key(first)?;
        Ok(true)
    }

    #[inline]
    fn key(&mut self, first: bool) -> Result<(), Error> {
        if !first {
            self.out.push(b',');
        }
        match self.walker.key() {
            Item::String(key) => {
                check_length(self.out.len(), key.len(), self.limit)?;
                write_string(key, self.out);
                self.out.push(b':');
            }
            Item::Number(key) => {
                self.out.push(b'"');
                self.number(key)?;
                self.out.extend_from_slice(b"\":");
            }
            Item::Boolean(_) => return Err(wrong_key(Type::Boolean)),
            Item::Table => return Err(wrong_key(Type::Table)),
            Item::Null => return Err(wrong_key(Type::LightUserdata)),
            Item::Nil => return Err(wrong_key(Type::Nil)),
            Item::Other(kind) => return Err(wrong_key(kind)),
        }
        Ok(())
    }

    #[inline]
    fn number(&mut self, number: f64) -> Result<(), Error> {
        if number.is_finite() {
            number::write(number, self.settings.precision, self.out);
            return Ok(());
        }
        let text: &[u8] = match self.settings.invalid_numbers {
            Invalid::Refused => {
                return Err(refused(Type::Number, "must not be NaN or Infinity"));
            }
            Invalid::Null => b"null",
            Invalid::Written if number.is_nan() => b"NaN",
            Invalid::Written if number < 0.0 => b"-Infinity",
            Invalid::Written => b"Infinity",
        };
        self.out.extend_from_slice(text);
        Ok(())
    }

    /// Charges what was written since the last time, and holds it against the limits.
    fn check(&mut self) -> Result<(), Error> {
        let len = self.out.len();
        check_length(len, 0, self.limit)?;
        self.walker.charge((len - self.checked) as u32)?;
        self.checked = len;
        self.check_memory(0)
    }

    /// Asks for the memory of the text with `more` bytes: for itself, and for its copy in Lua.
    fn check_memory(&self, more: usize) -> Result<(), Error> {
        let len = self.out.len().saturating_add(more);
        self.walker.call().check_memory(len.saturating_mul(2))
    }
}

fn check_length(len: usize, more: usize, limit: usize) -> Result<(), Error> {
    if len.saturating_add(more) > limit {
        return Err(Error::new("strbuf output_limit exceeded"));
    }
    Ok(())
}

fn refused(kind: Type, why: &str) -> Error {
    Error::new(format!("Cannot serialise {}: {why}", kind.name()))
}

fn wrong_key(kind: Type) -> Error {
    refused(kind, "table key must be a number or string")
}

#[inline]
fn write_string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut at = 0;
    loop {
        let end = unescaped_end(text, at);
        out.extend_from_slice(&text[at..end]);
        let Some(&byte) = text.get(end) else {
            break;
        };
        write_escaped(byte, out);
        at = end + 1;
    }
    out.push(b'"');
}

fn write_escaped(byte: u8, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let letter = match byte {
        b'"' | b'\\' | b'/' => byte,
        8 => b'b',
        9 => b't',
        10 => b'n',
        12 => b'f',
        13 => b'r',
        _ => {
            out.extend_from_slice(b"\\u00");
            out.push(DIGITS[usize::from(byte >> 4)]);
            out.push(DIGITS[usize::from(byte & 15)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', letter]);
}

//! From the records of a match to Lua values.

use std::cell::Cell;

use sandbox::native::{Call, Error, Type};

use crate::machine::Record;
use crate::program::{Kind, Piece, Program};

/// Captures within each other, in all matches that are running within each other on a thread. Each takes native stack.
const MAX_NESTING: u32 = 1_000;

/// Captures that the string of `patt / string` can refer to, the whole match included.
const FORMAT_CAPTURES_MAX: usize = 10;

/// Digits of numbers that a double holds exactly whatever they are.
const DIGITS_MAX: usize = 15;

/// Bytes that are copied for one step of the budget.
const BYTES_PER_STEP: usize = 64;

/// Arguments of `match` before those for `Carg`.
const FIXED_ARGUMENTS: u32 = 3;

/// The place of the subject among the arguments of `match`.
pub(crate) const SUBJECT: i32 = 2;

thread_local! {
    /// Captures of matches further out that are being built while Lua runs.
    static NESTING: Cell<u32> = const { Cell::new(0) };
}

/// Where a match keeps its Lua values on the stack.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    /// The table of the program's constants.
    pub(crate) constants: i32,
    /// The table of values that Lua returned during the match.
    pub(crate) values: i32,
}

/// Builds values; a cursor on the records.
pub(crate) struct Builder<'b, 'c> {
    call: &'b mut Call<'c>,
    program: &'b Program,
    records: &'b [Record],
    subject: &'c [u8],
    places: Places,
    at: usize,
    nesting: u32,
}

/// What `%1` in `patt / string` may stand for.
enum Part {
    Text(usize, usize),
    /// The values of the capture at this record.
    Capture(usize),
}

impl<'b, 'c> Builder<'b, 'c> {
    pub(crate) fn new(
        call: &'b mut Call<'c>,
        program: &'b Program,
        records: &'b [Record],
        subject: &'c [u8],
        places: Places,
    ) -> Builder<'b, 'c> {
        Builder {
            call,
            program,
            records,
            subject,
            places,
            at: 0,
            nesting: NESTING.get(),
        }
    }

    /// Pushes the values of all captures; how many.
    pub(crate) fn push_all(mut self) -> Result<usize, Error> {
        let mut n = 0;
        while self.at < self.records.len() {
            n += self.push()?;
        }
        Ok(n)
    }

    /// Calls the function of the runtime capture that begins at record `open`; the results lie above what was on the stack.
    pub(crate) fn call_runtime(mut self, open: usize, pos: usize) -> Result<(), Error> {
        self.at = open;
        let Some(Kind::Runtime(function)) = self.kind() else {
            unreachable!("a runtime capture was begun");
        };
        self.call.reserve(4, "too many runtime captures")?;
        self.push_constant(*function)?;
        self.call.push_value(SUBJECT)?;
        self.call.push_integer(pos as i64 + 1)?;
        let n = self.push_nested(false)?;
        self.run(n + 2, -1)
    }

    fn kind(&self) -> Option<&'b Kind> {
        self.records[self.at].kind(self.program)
    }

    fn push_constant(&mut self, number: u32) -> Result<(), Error> {
        self.call
            .raw_get_index(self.places.constants, i64::from(number) + 1)
    }

    fn push_text(&mut self, from: usize, to: usize) -> Result<(), Error> {
        self.call.push_bytes(&self.subject[from..to])
    }

    /// Calls the function below `n_args` arguments.
    fn run(&mut self, n_args: usize, n_results: i32) -> Result<(), Error> {
        let outer = NESTING.replace(self.nesting);
        let outcome = self.call.call(n_args, n_results);
        NESTING.set(outer);
        outcome
    }

    /// Pushes the values of the capture here and goes past it; how many.
    fn push(&mut self) -> Result<usize, Error> {
        self.call.reserve(4, "too many captures")?;
        self.call.charge(1)?;
        let record = self.records[self.at];
        if let Some(number) = record.value() {
            self.at += 1;
            self.call.raw_get_index(self.places.values, number.into())?;
            return Ok(1);
        }
        let kind = self.kind().expect("the cursor is never at an end");
        match kind {
            Kind::Position => {
                self.at += 1;
                self.call.push_integer(i64::from(record.at) + 1)?;
                Ok(1)
            }
            Kind::Constant(number) => {
                self.at += 1;
                self.push_constant(*number)?;
                Ok(1)
            }
            Kind::Argument(n) => {
                self.at += 1;
                self.argument(*n)
            }
            Kind::Simple if record.is_full() => {
                self.at += 1;
                self.push_text(record.at as usize, record.end())?;
                Ok(1)
            }
            Kind::Group(Some(_)) => {
                self.skip();
                Ok(0)
            }
            _ => self.push_outer(kind),
        }
    }

    /// The captures that hold others.
    fn push_outer(&mut self, kind: &'b Kind) -> Result<usize, Error> {
        if self.nesting >= MAX_NESTING {
            return Err(Error::new("subcapture nesting too deep"));
        }
        self.nesting += 1;
        let n = match kind {
            Kind::Simple => self.simple(),
            Kind::Group(_) => self.push_nested(false),
            Kind::BackReference(name) => self.back_reference(*name),
            Kind::Table(n_fields) => self.table(*n_fields),
            Kind::Substitution => self.text(Self::substitution),
            Kind::Format(pieces) => match &pieces[..] {
                [Piece::Text(text)] => {
                    self.skip();
                    self.call.push_bytes(text).map(|()| 1)
                }
                _ => self.text(Self::format),
            },
            Kind::Fold(function) => self.fold(*function),
            Kind::Select(n) => self.select(*n),
            Kind::Query(table) => self.query(*table),
            Kind::Function(function) => self.function(*function),
            Kind::ToNumber(function) => self.numeral(*function),
            _ => unreachable!("{kind:?} holds nothing"),
        };
        self.nesting -= 1;
        n
    }

    fn argument(&mut self, n: u32) -> Result<usize, Error> {
        let i = n + FIXED_ARGUMENTS;
        if i as usize > self.call.arg_count() {
            let text = format!("reference to absent extra argument #{n}");
            return Err(Error::new(text));
        }
        self.call.push_value(i as i32)?;
        Ok(1)
    }

    /// Goes past the capture here.
    fn skip(&mut self) {
        let mut depth = 0;
        loop {
            let record = self.records[self.at];
            self.at += 1;
            if record.is_close() {
                depth -= 1;
            } else if !record.is_full() {
                depth += 1;
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// Pushes the values of the captures within the one here and goes past it; the whole match too if `and_whole`, or if
    /// there are none. It comes last.
    fn push_nested(&mut self, and_whole: bool) -> Result<usize, Error> {
        let record = self.records[self.at];
        self.at += 1;
        if record.is_full() {
            self.push_text(record.at as usize, record.end())?;
            return Ok(1);
        }
        let mut n = 0;
        while !self.records[self.at].is_close() {
            n += self.push()?;
        }
        let end = self.records[self.at].end();
        self.at += 1;
        if and_whole || n == 0 {
            self.call.reserve(1, "too many captures")?;
            self.push_text(record.at as usize, end)?;
            n += 1;
        }
        Ok(n)
    }

    /// Pushes the first value within the capture here.
    fn push_first(&mut self) -> Result<(), Error> {
        let n = self.push_nested(false)?;
        if n > 1 {
            self.call.pop(n - 1);
        }
        Ok(())
    }

    fn simple(&mut self) -> Result<usize, Error> {
        let n = self.push_nested(true)?;
        // The whole match comes first.
        self.call.insert(-(n as i32));
        Ok(n)
    }

    fn back_reference(&mut self, name: u32) -> Result<usize, Error> {
        let here = self.at;
        let Some(group) = self.find_back(name)? else {
            self.push_constant(name)?;
            let text = self.call.text_at(-1).unwrap_or_else(|| b"(null)".to_vec());
            let text = [b"back reference '", &text[..], b"' not found"].concat();
            return Err(Error::bytes(text));
        };
        self.at = group;
        let n = self.push_nested(false)?;
        self.at = here + 1;
        Ok(n)
    }

    /// The last group of that name that ends before the record here, and is not within one that does so too.
    fn find_back(&mut self, name: u32) -> Result<Option<usize>, Error> {
        let mut n = self.at;
        let mut passed = 0;
        let mut found = None;
        while n > 0 && found.is_none() {
            n -= 1;
            passed += 1;
            if self.records[n].is_close() {
                let end = n;
                let mut depth = 1;
                while depth > 0 {
                    n -= 1;
                    let record = self.records[n];
                    if record.is_close() {
                        depth += 1;
                    } else if !record.is_full() {
                        depth -= 1;
                    }
                }
                passed += (end - n) as u32;
            } else if !self.records[n].is_full() {
                // The beginning of a capture that this one is within.
                continue;
            }
            let kind = self.records[n].kind(self.program);
            if matches!(kind, Some(Kind::Group(Some(known))) if *known == name) {
                found = Some(n);
            }
        }
        self.call.charge(passed)?;
        Ok(found)
    }

    fn table(&mut self, n_fields: u32) -> Result<usize, Error> {
        self.call.push_table(0, n_fields as usize)?;
        let table = self.call.top();
        let is_empty = self.records[self.at].is_full();
        self.at += 1;
        if is_empty {
            return Ok(1);
        }
        let mut length = 0;
        while !self.records[self.at].is_close() {
            if let Some(Kind::Group(Some(name))) = self.kind() {
                let record = self.records[self.at];
                if record.is_full() {
                    self.at += 1;
                    self.call.charge(1)?;
                    let text = &self.subject[record.at as usize..record.end()];
                    let key = *name as i32 + 1;
                    self.call
                        .raw_set_text(table, self.places.constants, key, text)?;
                    continue;
                }
                self.call.reserve(4, "too many captures")?;
                self.push_constant(*name)?;
                self.push_first()?;
                self.call.raw_set(table)?;
                continue;
            }
            let n = self.push()? as i64;
            for i in (1..=n).rev() {
                self.call.raw_set_index(table, length + i)?;
            }
            length += n;
        }
        self.at += 1;
        Ok(1)
    }

    fn fold(&mut self, function: u32) -> Result<usize, Error> {
        let is_full = self.records[self.at].is_full();
        self.at += 1;
        let n = if is_full || self.records[self.at].is_close() {
            0
        } else {
            self.push()?
        };
        if n == 0 {
            return Err(Error::new("no initial value for fold capture"));
        }
        self.call.pop(n - 1);
        while !self.records[self.at].is_close() {
            self.push_constant(function)?;
            self.call.insert(-2);
            let n = self.push()?;
            self.run(n + 1, 1)?;
        }
        self.at += 1;
        Ok(1)
    }

    fn select(&mut self, n: u32) -> Result<usize, Error> {
        if n == 0 {
            self.skip();
            return Ok(0);
        }
        let n_values = self.push_nested(false)?;
        let Some(above) = n_values.checked_sub(n as usize) else {
            return Err(Error::new(format!("no capture '{n}'")));
        };
        self.call.pop(above);
        let first = self.call.top() + 1 - n as i32;
        self.call.insert(first);
        self.call.truncate(first);
        Ok(1)
    }

    fn query(&mut self, table: u32) -> Result<usize, Error> {
        self.push_first()?;
        let key = self.call.top();
        self.push_constant(table)?;
        self.call.get(key + 1, key)?;
        if self.call.is_nil(-1) {
            self.call.truncate(key - 1);
            return Ok(0);
        }
        self.call.insert(key);
        self.call.truncate(key);
        Ok(1)
    }

    /// Plain digits are turned into a number here, everything else by the function itself.
    fn numeral(&mut self, function: u32) -> Result<usize, Error> {
        let record = self.records[self.at];
        let text = &self.subject[record.at as usize..record.end()];
        let is_plain = record.is_full()
            && (1..=DIGITS_MAX).contains(&text.len())
            && text.iter().all(u8::is_ascii_digit);
        if !is_plain {
            return self.function(function);
        }
        self.at += 1;
        let number = text
            .iter()
            .fold(0, |number, digit| 10 * number + i64::from(digit - b'0'));
        self.call.push_integer(number)?;
        Ok(1)
    }

    fn function(&mut self, function: u32) -> Result<usize, Error> {
        let below = self.call.top();
        self.push_constant(function)?;
        let n = self.push_nested(false)?;
        self.run(n, -1)?;
        Ok((self.call.top() - below) as usize)
    }

    /// Pushes a text that is put together by `append`.
    fn text(
        &mut self,
        append: fn(&mut Self, &mut Vec<u8>) -> Result<(), Error>,
    ) -> Result<usize, Error> {
        let mut out = Vec::new();
        append(self, &mut out)?;
        self.call.push_bytes(&out)?;
        Ok(1)
    }

    fn append(&mut self, out: &mut Vec<u8>, from: usize, to: usize) -> Result<(), Error> {
        self.append_bytes(out, &self.subject[from..to])
    }

    fn append_bytes(&mut self, out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Error> {
        self.make_room(out, bytes.len())?;
        out.extend_from_slice(bytes);
        Ok(())
    }

    /// Asks for the memory and the time to append `n` more bytes.
    fn make_room(&mut self, out: &[u8], n: usize) -> Result<(), Error> {
        self.call.charge((n / BYTES_PER_STEP) as u32)?;
        // What is gathered may double when it grows.
        self.call.check_memory(2 * (out.len() + n))
    }

    /// Appends the first value of the capture here and goes past it; how many there were.
    fn append_value(&mut self, out: &mut Vec<u8>, what: &str) -> Result<usize, Error> {
        match self.kind() {
            Some(Kind::Substitution) => self.nested(|this| this.substitution(out)).map(|()| 1),
            Some(Kind::Format(_)) => self.nested(|this| this.format(out)).map(|()| 1),
            _ => {
                let n = self.push()?;
                if n == 0 {
                    return Ok(0);
                }
                if n > 1 {
                    self.call.pop(n - 1);
                }
                if !matches!(self.call.type_of(-1), Type::String | Type::Number) {
                    let text = format!("invalid {what} value (a {})", self.call.type_name(-1));
                    return Err(Error::new(text));
                }
                self.make_room(out, self.call.raw_len(-1))?;
                match self.call.bytes_at(-1) {
                    Some(text) => out.extend_from_slice(text),
                    None => out.extend(self.call.text_at(-1).unwrap_or_default()),
                }
                self.call.pop(1);
                Ok(n)
            }
        }
    }

    /// Goes one level deeper.
    fn nested<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.nesting >= MAX_NESTING {
            return Err(Error::new("subcapture nesting too deep"));
        }
        self.nesting += 1;
        let result = work(self);
        self.nesting -= 1;
        result
    }

    fn substitution(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let record = self.records[self.at];
        self.at += 1;
        let mut copied = record.at as usize;
        if record.is_full() {
            return self.append(out, copied, record.end());
        }
        while !self.records[self.at].is_close() {
            let next = self.records[self.at].at as usize;
            self.append(out, copied, next)?;
            copied = match self.append_value(out, "replacement")? {
                // Without a value the text stays.
                0 => next,
                _ => self.records[self.at - 1].end(),
            };
        }
        let end = self.records[self.at].end();
        self.at += 1;
        self.append(out, copied, end)
    }

    fn format(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let Some(Kind::Format(pieces)) = self.kind() else {
            unreachable!("called at a format");
        };
        let mut parts = Vec::new();
        self.parts(&mut parts)?;
        let after = self.at;
        for piece in pieces {
            let number = match piece {
                Piece::Text(text) => {
                    self.append_bytes(out, text)?;
                    continue;
                }
                Piece::Capture(number) => *number,
            };
            match parts.get(usize::from(number)) {
                None => {
                    let text = format!("invalid capture index ({number})");
                    return Err(Error::new(text));
                }
                Some(Part::Text(from, to)) => self.append(out, *from, *to)?,
                Some(Part::Capture(at)) => {
                    self.at = *at;
                    if self.append_value(out, "capture")? == 0 {
                        let text = format!("no values in capture index {number}");
                        return Err(Error::new(text));
                    }
                }
            }
        }
        self.at = after;
        Ok(())
    }

    /// Gathers what the capture here and the simple ones within it are made of, and goes past it.
    fn parts(&mut self, parts: &mut Vec<Part>) -> Result<(), Error> {
        let record = self.records[self.at];
        self.at += 1;
        let own = parts.len();
        parts.push(Part::Text(record.at as usize, record.end()));
        if record.is_full() {
            return Ok(());
        }
        while !self.records[self.at].is_close() {
            if parts.len() >= FORMAT_CAPTURES_MAX {
                self.skip();
            } else if matches!(self.kind(), Some(Kind::Simple)) {
                self.parts(parts)?;
            } else {
                parts.push(Part::Capture(self.at));
                self.skip();
            }
        }
        parts[own] = Part::Text(record.at as usize, self.records[self.at].end());
        self.at += 1;
        Ok(())
    }
}

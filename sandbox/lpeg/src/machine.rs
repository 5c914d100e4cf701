//! The matching machine: runs a program over a subject, with a stack of choices and calls, and records captures.

use crate::program::{Kind, Op, Program};

/// Work between two looks at the budget: jumps back, calls and failures; and stretches of bytes.
const STEPS_PER_CHARGE: i64 = 1_000;

/// Bytes that a search passes over for one step.
const BYTES_PER_STEP: usize = 32;

/// Bytes that a search looks at one by one before it calls for a search that is fast over long stretches.
const SHORT: usize = 16;

/// Marks a frame as that of a call.
const CALL: u32 = u32::MAX;

/// The `kind` of a record that ends a capture.
const CLOSE: u32 = u32::MAX;

/// The `kind` of a record of a value that Lua returned during the match.
const DYNAMIC: u32 = u32::MAX - 1;

/// The `kind` of a record that begins a group of such values.
const GROUP: u32 = u32::MAX - 2;

/// Frames and records that a scratch keeps for the next match.
const KEPT: usize = 4_096;

/// A record of a capture: a whole one, the beginning or the end of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// Where it begins; for an end, where it ends.
    pub(crate) at: u32,
    /// 0 for a beginning or an end; otherwise its length plus 1, or the number of the value.
    size: u32,
    kind: u32,
}

impl Record {
    const fn open(kind: u32, at: u32) -> Record {
        Record { at, size: 0, kind }
    }

    const fn close(at: u32) -> Record {
        Record {
            at,
            size: 0,
            kind: CLOSE,
        }
    }

    /// A value that Lua returned, by its number from 1.
    pub(crate) const fn dynamic(number: u32, at: u32) -> Record {
        Record {
            at,
            size: number,
            kind: DYNAMIC,
        }
    }

    /// Whether it ends a capture.
    pub(crate) fn is_close(&self) -> bool {
        self.kind == CLOSE
    }

    /// Whether it is a capture of its own.
    pub(crate) fn is_full(&self) -> bool {
        self.size != 0
    }

    /// The number of the value, if Lua returned it.
    pub(crate) fn value(&self) -> Option<u32> {
        (self.kind == DYNAMIC).then_some(self.size)
    }

    /// What it is; none for ends and values.
    pub(crate) fn kind<'p>(&self, program: &'p Program) -> Option<&'p Kind> {
        match self.kind {
            GROUP => Some(&Kind::Group(None)),
            kind => program.kinds.get(kind as usize),
        }
    }

    /// Where a full one or an end ends.
    pub(crate) fn end(&self) -> usize {
        match self.kind {
            CLOSE | DYNAMIC => self.at as usize,
            _ => (self.at + self.size.saturating_sub(1)) as usize,
        }
    }
}

/// Where a choice goes on, or a call returns to.
#[derive(Clone, Copy, Debug)]
struct Frame {
    pos: u32,
    target: u32,
    records: u32,
    values: u32,
}

/// Memory that matches use one after the other.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    stack: Vec<Frame>,
    pub(crate) records: Vec<Record>,
}

impl Scratch {
    /// Makes it ready for the next match.
    pub(crate) fn clear(&mut self) {
        self.stack.clear();
        self.records.clear();
        self.stack.shrink_to(KEPT);
        self.records.shrink_to(KEPT);
    }
}

/// What a match asks for.
pub(crate) trait Host {
    /// Why it cannot go on.
    type Error;

    /// Charges steps to the budget.
    fn charge(&mut self, steps: u32) -> Result<(), Self::Error>;

    /// Asks whether so many bytes may be held.
    fn allow(&mut self, bytes: usize) -> Result<(), Self::Error>;

    /// The backtrack stack is full.
    fn overflow(&self) -> Self::Error;

    /// Ends the runtime capture whose beginning is record `open`: takes the records from there on away and appends those
    /// of the values that Lua returned. Returns the new position; `None` for a failure. `values` counts the values.
    fn close_runtime(
        &mut self,
        records: &mut Vec<Record>,
        open: usize,
        pos: usize,
        values: &mut u32,
    ) -> Result<Option<usize>, Self::Error>;
}

/// Runs a program from `start`; where the match ended, or `None`. The records are in the scratch.
///
/// `stack_max` frames may be on the stack.
pub(crate) fn run<H: Host>(
    program: &Program,
    subject: &[u8],
    start: usize,
    stack_max: usize,
    scratch: &mut Scratch,
    host: &mut H,
) -> Result<Option<usize>, H::Error> {
    let machine = Machine {
        program,
        subject,
        stack_max,
        stack: &mut scratch.stack,
        records: &mut scratch.records,
        host,
        pc: 0,
        pos: start,
        values: 0,
        steps: 0,
    };
    machine.run()
}

struct Machine<'m, H> {
    program: &'m Program,
    subject: &'m [u8],
    stack_max: usize,
    stack: &'m mut Vec<Frame>,
    records: &'m mut Vec<Record>,
    host: &'m mut H,
    pc: usize,
    pos: usize,
    values: u32,
    steps: i64,
}

impl<H: Host> Machine<'_, H> {
    fn run(mut self) -> Result<Option<usize>, H::Error> {
        let ops = &self.program.ops[..];
        loop {
            let op = ops[self.pc];
            self.pc += 1;
            let goes_on = match op {
                Op::End => {
                    self.charge()?;
                    return Ok(Some(self.pos));
                }
                Op::Skip => self.take(1),
                Op::Byte(byte) => self.take_if(|next| next == byte),
                Op::Set(set) => {
                    let set = &self.program.sets[set as usize];
                    self.take_if(|next| set[usize::from(next)])
                }
                Op::Any(n) => self.take(n),
                Op::Literal(number) => self.literal(number),
                Op::Span(set) => self.span(set, 0),
                Op::SpanSome(set) => self.span(set, 1),
                Op::TestAny(to) => self.test(to, |_| true),
                Op::TestByte(byte, to) => self.test(to, |next| next == byte),
                Op::TestSet(set, to) => {
                    let set = &self.program.sets[set as usize];
                    self.test(to, |next| set[usize::from(next)])
                }
                Op::NotSet(set) => {
                    let set = &self.program.sets[set as usize];
                    self.peek().is_none_or(|next| !set[usize::from(next)])
                }
                Op::Switch(number) => {
                    let table = &self.program.switches[number as usize];
                    self.pc = table[self.peek().map_or(256, usize::from)] as usize;
                    true
                }
                Op::Open(kind) => self.record(Record::open(kind, self.pos as u32))?,
                Op::Close => self.close()?,
                Op::Full(kind, length) => {
                    let record = Record {
                        at: self.pos as u32 - length,
                        size: length + 1,
                        kind,
                    };
                    self.record(record)?
                }
                Op::Behind(n) => match self.pos.checked_sub(n as usize) {
                    Some(pos) => {
                        self.pos = pos;
                        true
                    }
                    None => false,
                },
                Op::To1(_) | Op::To2(..) | Op::To3(..) | Op::ToEnd | Op::Before(_) => {
                    self.search(op)
                }
                Op::Fail => false,
                Op::CloseRuntime => self.close_runtime()?,
                _ => self.control(op)?,
            };
            if !goes_on && !self.back()? {
                return Ok(None);
            }
        }
    }

    /// Instructions that move through the program.
    #[inline(always)]
    fn control(&mut self, op: Op) -> Result<bool, H::Error> {
        match op {
            Op::Jump(to) => {
                self.pc = to as usize;
                self.step()?;
            }
            Op::Call(to) => {
                self.push(CALL, self.pc as u32)?;
                self.pc = to as usize;
                self.step()?;
            }
            Op::Return => {
                let frame = self.pop();
                self.pc = frame.target as usize;
            }
            Op::Choice(to) => self.push(self.pos as u32, to)?,
            Op::Commit(to) => {
                self.pop();
                self.pc = to as usize;
            }
            Op::PartialCommit(to) => {
                let (pos, records) = (self.pos as u32, self.records.len() as u32);
                let frame = self.stack.last_mut().expect("a choice was set before");
                frame.pos = pos;
                frame.records = records;
                frame.values = self.values;
                self.pc = to as usize;
                self.step()?;
            }
            Op::BackCommit(to) => {
                let frame = self.pop();
                self.restore(frame);
                self.pc = to as usize;
            }
            Op::FailTwice => {
                self.pop();
                return Ok(false);
            }
            other => unreachable!("{other:?} is run elsewhere"),
        }
        Ok(true)
    }

    #[inline(always)]
    fn peek(&self) -> Option<u8> {
        self.subject.get(self.pos).copied()
    }

    #[inline(always)]
    fn take(&mut self, n: u32) -> bool {
        let fits = n as usize <= self.subject.len() - self.pos;
        if fits {
            self.pos += n as usize;
        }
        fits
    }

    #[inline(always)]
    fn take_if(&mut self, fits: impl Fn(u8) -> bool) -> bool {
        let fits = self.peek().is_some_and(fits);
        self.pos += usize::from(fits);
        fits
    }

    #[inline(always)]
    fn test(&mut self, to: u32, fits: impl Fn(u8) -> bool) -> bool {
        if !self.peek().is_some_and(fits) {
            self.pc = to as usize;
        }
        true
    }

    #[inline(always)]
    fn literal(&mut self, number: u32) -> bool {
        let literal = &self.program.literals[number as usize];
        let fits = self.subject[self.pos..].starts_with(literal);
        if fits {
            self.pos += literal.len();
        }
        fits
    }

    #[inline(always)]
    fn span(&mut self, set: u32, min: usize) -> bool {
        let set = &self.program.sets[set as usize];
        let rest = &self.subject[self.pos..];
        let n = rest
            .iter()
            .position(|&byte| !set[usize::from(byte)])
            .unwrap_or(rest.len());
        self.pos += n;
        self.steps += (n / BYTES_PER_STEP) as i64;
        n >= min
    }

    /// Goes forward to the next of some bytes or strings, or to the end.
    #[inline(always)]
    fn search(&mut self, op: Op) -> bool {
        let rest = &self.subject[self.pos..];
        let n = match op {
            Op::To1(a) => find(rest, |byte| byte == a, |rest| memchr::memchr(a, rest)),
            Op::To2(a, b) => find(
                rest,
                |byte| byte == a || byte == b,
                |rest| memchr::memchr2(a, b, rest),
            ),
            Op::To3(a, b, c) => find(
                rest,
                |byte| byte == a || byte == b || byte == c,
                |rest| memchr::memchr3(a, b, c, rest),
            ),
            Op::Before(number) => self.program.finders[number as usize].find(rest),
            _ => None,
        };
        let n = n.unwrap_or(rest.len());
        self.pos += n;
        self.steps += (n / BYTES_PER_STEP) as i64;
        true
    }

    fn close(&mut self) -> Result<bool, H::Error> {
        let pos = self.pos as u32;
        match self.records.last_mut() {
            // Nothing was captured within it: the beginning becomes the whole.
            Some(open) if open.size == 0 && open.kind != CLOSE => {
                open.size = pos - open.at + 1;
                Ok(true)
            }
            _ => self.record(Record::close(pos)),
        }
    }

    #[cold]
    fn close_runtime(&mut self) -> Result<bool, H::Error> {
        self.charge()?;
        let open = find_open(self.records);
        let pos = self
            .host
            .close_runtime(self.records, open, self.pos, &mut self.values)?;
        match pos {
            Some(pos) => self.pos = pos,
            None => return Ok(false),
        }
        Ok(true)
    }

    #[inline(always)]
    fn record(&mut self, record: Record) -> Result<bool, H::Error> {
        if self.records.len() == self.records.capacity() {
            self.grow_records()?;
        }
        self.records.push(record);
        Ok(true)
    }

    #[cold]
    fn grow_records(&mut self) -> Result<(), H::Error> {
        let more = self.records.capacity().max(32);
        self.host.allow(2 * more * size_of::<Record>())?;
        self.records.reserve(more);
        Ok(())
    }

    #[inline(always)]
    fn push(&mut self, pos: u32, target: u32) -> Result<(), H::Error> {
        if self.stack.len() >= self.stack_max {
            return Err(self.host.overflow());
        }
        if self.stack.len() == self.stack.capacity() {
            self.grow_stack()?;
        }
        self.stack.push(Frame {
            pos,
            target,
            records: self.records.len() as u32,
            values: self.values,
        });
        Ok(())
    }

    #[cold]
    fn grow_stack(&mut self) -> Result<(), H::Error> {
        let more = self.stack.capacity().max(32);
        self.host.allow(2 * more * size_of::<Frame>())?;
        self.stack.reserve(more);
        Ok(())
    }

    #[inline(always)]
    fn pop(&mut self) -> Frame {
        self.stack.pop().expect("the program pops what it pushed")
    }

    #[inline(always)]
    fn restore(&mut self, frame: Frame) {
        self.pos = frame.pos as usize;
        self.records.truncate(frame.records as usize);
        self.values = frame.values;
    }

    /// Goes back to the latest choice; false if there is none.
    #[inline(always)]
    fn back(&mut self) -> Result<bool, H::Error> {
        self.step()?;
        while let Some(frame) = self.stack.pop() {
            if frame.pos != CALL {
                self.restore(frame);
                self.pc = frame.target as usize;
                return Ok(true);
            }
        }
        self.charge()?;
        Ok(false)
    }

    #[inline(always)]
    fn step(&mut self) -> Result<(), H::Error> {
        self.steps += 1;
        if self.steps >= STEPS_PER_CHARGE {
            return self.charge();
        }
        Ok(())
    }

    fn charge(&mut self) -> Result<(), H::Error> {
        let steps = std::mem::take(&mut self.steps);
        self.host.charge(u32::try_from(steps).unwrap_or(u32::MAX))
    }
}

/// The first byte that fits: near ones by looking, far ones by searching.
#[inline(always)]
fn find(
    bytes: &[u8],
    fits: impl Fn(u8) -> bool,
    search: impl Fn(&[u8]) -> Option<usize>,
) -> Option<usize> {
    let (near, far) = bytes.split_at(bytes.len().min(SHORT));
    match near.iter().position(|&byte| fits(byte)) {
        None if !far.is_empty() => search(far).map(|n| n + near.len()),
        near => near,
    }
}

/// The record that begins the innermost capture that is still open.
pub(crate) fn find_open(records: &[Record]) -> usize {
    let mut closed = 0;
    for (n, record) in records.iter().enumerate().rev() {
        if record.is_close() {
            closed += 1;
        } else if !record.is_full() {
            if closed == 0 {
                return n;
            }
            closed -= 1;
        }
    }
    unreachable!("every end has its beginning")
}

/// Appends what stands for the values `from + 1` to `to` that Lua returned for a stretch of the subject: an unnamed group
/// of them.
pub(crate) fn append_values(
    records: &mut Vec<Record>,
    (from, to): (u32, u32),
    stretch: std::ops::Range<usize>,
) {
    let end = stretch.end as u32;
    records.push(Record::open(GROUP, stretch.start as u32));
    records.extend((from..to).map(|n| Record::dynamic(n + 1, end)));
    records.push(Record::close(end));
}

/// Ends the capture whose beginning is the last that is open.
pub(crate) fn append_close(records: &mut Vec<Record>, at: usize) {
    records.push(Record::close(at as u32));
}

//! Lua 5.1 patterns on bytes, without Lua: no recursion, no heap, and a budget that ends a pattern bomb.
//!
//! The matcher walks the pattern's bytes and keeps what it may have to try again on a small stack of its own.
//! One pattern item pushes at most one frame, so the stack is bounded by the pattern, never by the subject.
//! What can grow without bound is time (`.-.-.-x` is cubic): every step is charged to a [`Budget`].
//!
//! As in Lua 5.1, a pattern ends at its first zero byte (`%z` matches zero bytes), and what is malformed
//! is found only when matching gets there: `("a"):find("b[")` is `nil`, `("b"):find("b[")` is an error.
//!
//! ```
//! use stdx::pattern::{Capture, Steps, find_at};
//!
//! let found = find_at(b"key = value", b"(%w+) = (%w+)", 0, &mut Steps(1000)).unwrap().unwrap();
//! assert_eq!((found.start, found.end, found.len()), (0, 11, 2));
//! assert_eq!(found.get(1), Some(Capture::Span(6, 11)));
//! ```

mod prepared;

use memchr::{memchr, memmem, memrchr};

pub use prepared::Prepared;

/// Captures one pattern may have: Lua's `LUA_MAXCAPTURES`, part of the language.
pub const MAX_CAPTURES: usize = 32;

/// Captures and quantified items one pattern may have before it is too complex: LuaJIT's depth is 200, and a
/// matcher's pattern of 255 bytes holds at most 127. It bounds the stack this module puts on the thread's stack.
pub const MAX_DEPTH: usize = 256;

/// Longest subject or pattern, in bytes: places are kept as `u32`, the two highest values mark captures.
pub const MAX_LENGTH: usize = u32::MAX as usize - 2;

/// Steps collected before the budget is asked: one step is a few nanoseconds, asking costs about as much.
const BATCH: u32 = 256;

/// The bytes that make `string.find` treat its second argument as a pattern.
const SPECIALS: &[u8] = b"^$*+?.([%-";

/// Pays for matching; the sandbox's budget, or [`Steps`].
pub trait Budget {
    /// Takes `steps` from the budget, or says that it is gone. Called about every 256 steps and once at the end.
    fn charge(&mut self, steps: u32) -> Result<(), Exceeded>;
}

/// The budget is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceeded;

/// A budget that is just a number of steps left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps(pub u64);

impl Budget for Steps {
    fn charge(&mut self, steps: u32) -> Result<(), Exceeded> {
        match self.0.checked_sub(u64::from(steps)) {
            Some(left) => {
                self.0 = left;
                Ok(())
            }
            None => {
                self.0 = 0;
                Err(Exceeded)
            }
        }
    }
}

/// Why a pattern could not be matched to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// The pattern breaks the language; the text is Lua 5.1's own.
    #[error("{0}")]
    Malformed(&'static str),
    /// The budget ended before the match did.
    #[error("pattern matching exceeded its budget")]
    Exceeded,
    /// More than [`MAX_DEPTH`] captures and quantifiers, or more than [`MAX_LENGTH`] bytes.
    #[error("pattern too complex")]
    TooComplex,
}

impl From<Exceeded> for PatternError {
    fn from(_: Exceeded) -> Self {
        PatternError::Exceeded
    }
}

const ENDS_WITH_PERCENT: PatternError =
    PatternError::Malformed("malformed pattern (ends with '%')");
const MISSING_BRACKET: PatternError = PatternError::Malformed("malformed pattern (missing ']')");
const MISSING_FRONTIER_SET: PatternError =
    PatternError::Malformed("missing '[' after '%f' in pattern");
const UNBALANCED: PatternError = PatternError::Malformed("unbalanced pattern");
const INVALID_CAPTURE_INDEX: PatternError = PatternError::Malformed("invalid capture index");
const INVALID_PATTERN_CAPTURE: PatternError = PatternError::Malformed("invalid pattern capture");
const TOO_MANY_CAPTURES: PatternError = PatternError::Malformed("too many captures");
const UNFINISHED_CAPTURE: PatternError = PatternError::Malformed("unfinished capture");

/// What one capture holds. Offsets count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capture {
    /// `(...)`: the bytes from the first offset up to the second.
    Span(usize, usize),
    /// `()`: a place in the subject (Lua shows it plus one).
    Position(usize),
}

/// Where a pattern matched, and what its captures hold.
#[derive(Debug, Clone, Default)]
pub struct Captures {
    /// Offset of the first byte of the match.
    pub start: usize,
    /// Offset behind the last byte of the match.
    pub end: usize,
    slots: Slots,
}

impl Captures {
    /// How many captures the pattern has; 0 means that Lua hands out the whole match instead.
    pub fn len(&self) -> usize {
        self.slots.level
    }

    /// Whether the pattern has no captures.
    pub fn is_empty(&self) -> bool {
        self.slots.level == 0
    }

    /// The capture number `i`, from 0; `None` when the pattern has fewer.
    pub fn get(&self, i: usize) -> Option<Capture> {
        let slot = self.slots.opened().get(i)?;
        let start = slot.start as usize;
        Some(match slot.len {
            POSITION => Capture::Position(start),
            len => Capture::Span(start, start + len as usize),
        })
    }
}

/// Finds the first match at or after `init` (no match when `init` lies behind the end). A leading `^` ties it to `init`.
pub fn find_at(
    subject: &[u8],
    pattern: &[u8],
    init: usize,
    budget: &mut impl Budget,
) -> Result<Option<Captures>, PatternError> {
    match pattern.first() {
        Some(b'^') => match_here(subject, &pattern[1..], init, budget),
        _ => scan(subject, pattern, init, budget),
    }
}

/// Finds the first match at or after `init`; a leading `^` is an ordinary character, as in `gmatch`.
pub fn scan(
    subject: &[u8],
    pattern: &[u8],
    init: usize,
    budget: &mut impl Budget,
) -> Result<Option<Captures>, PatternError> {
    start(subject, pattern, Parentheses::Capture, init, false, budget)
}

/// Matches exactly at `at`, without looking further; a leading `^` is an ordinary character.
pub fn match_here(
    subject: &[u8],
    pattern: &[u8],
    at: usize,
    budget: &mut impl Budget,
) -> Result<Option<Captures>, PatternError> {
    start(subject, pattern, Parentheses::Capture, at, true, budget)
}

/// Whether `string.find` searches for this pattern as plain text.
pub fn is_plain(pattern: &[u8]) -> bool {
    !until_zero(pattern).iter().any(|b| SPECIALS.contains(b))
}

/// Finds plain text at or after `init` in linear time; the offset of its first byte.
pub fn find_plain(
    subject: &[u8],
    text: &[u8],
    init: usize,
    budget: &mut impl Budget,
) -> Result<Option<usize>, PatternError> {
    let Some(rest) = subject.get(init..) else {
        return Ok(None);
    };
    let found = find_text(rest, text);
    let looked_at = found.unwrap_or(rest.len()) + text.len();
    budget.charge(u32::try_from(looked_at / SWEPT_PER_STEP).unwrap_or(u32::MAX))?;
    Ok(found.map(|at| init + at))
}

/// So many false starts are looked at before the search that is linear in any case is set up; setting it up costs more
/// than a short search.
const FALSE_STARTS: usize = 8;

/// Where `text` first stands in `bytes`.
fn find_text(bytes: &[u8], text: &[u8]) -> Option<usize> {
    let Some((first, rest)) = text.split_first() else {
        return Some(0);
    };
    let mut from = 0;
    for _ in 0..FALSE_STARTS {
        let at = from + memchr::memchr(*first, bytes.get(from..)?)?;
        if bytes[at + 1..].starts_with(rest) {
            return Some(at);
        }
        from = at + 1;
    }
    memmem::find(&bytes[from..], text).map(|at| from + at)
}

/// Whether parentheses make captures, as in Lua, or are ordinary characters, as in a message matcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parentheses {
    Capture,
    Literal,
}

/// A pattern of a message matcher, made ready once: parentheses are ordinary characters, nothing is captured.
#[derive(Debug, Clone)]
pub struct Compiled {
    plan: Plan,
}

/// How a [`Compiled`] pattern is searched for.
#[derive(Debug, Clone)]
enum Plan {
    /// It has no special byte: plain text.
    Text(Box<memmem::Finder<'static>>),
    /// The part behind `^`, matched at the start only.
    Anchored(Box<[u8]>),
    /// Matched anywhere.
    Anywhere(Box<[u8]>),
    /// It is malformed, so nothing matches it.
    Never(PatternError),
}

impl Compiled {
    /// Prepares a pattern. One that is malformed is accepted and never matches; [`Compiled::error`] says why.
    pub fn new(pattern: &[u8]) -> Compiled {
        let pattern = until_zero(pattern);
        if !pattern.iter().any(|b| *b != b'(' && SPECIALS.contains(b)) {
            return Compiled::text(pattern);
        }
        let (body, anchored) = match pattern.strip_prefix(b"^") {
            Some(body) => (body, true),
            None => (pattern, false),
        };
        let plan = match check(body) {
            Err(error) => Plan::Never(error),
            Ok(()) if anchored => Plan::Anchored(body.into()),
            Ok(()) => Plan::Anywhere(body.into()),
        };
        Compiled { plan }
    }

    /// Prepares plain text, in which no byte is special.
    pub fn text(text: &[u8]) -> Compiled {
        let finder = memmem::Finder::new(text).into_owned();
        Compiled {
            plan: Plan::Text(Box::new(finder)),
        }
    }

    /// Why nothing can match this pattern; `None` for a good one.
    pub fn error(&self) -> Option<PatternError> {
        match self.plan {
            Plan::Never(error) => Some(error),
            _ => None,
        }
    }

    /// Whether the pattern matches somewhere in the subject. The only errors are `Exceeded` and `TooComplex`.
    pub fn is_match(&self, subject: &[u8], budget: &mut impl Budget) -> Result<bool, PatternError> {
        let (body, anchored) = match &self.plan {
            Plan::Text(finder) => {
                budget.charge((subject.len() / SWEPT_PER_STEP) as u32)?;
                return Ok(finder.find(subject).is_some());
            }
            Plan::Never(_) => return Ok(false),
            Plan::Anchored(body) => (body, true),
            Plan::Anywhere(body) => (body, false),
        };
        let found = start(subject, body, Parentheses::Literal, 0, anchored, budget)?;
        Ok(found.is_some())
    }
}

/// Walks a whole pattern whose parentheses are ordinary characters and reports what matching would trip over.
fn check(pattern: &[u8]) -> Result<(), PatternError> {
    let mut depth = 0;
    let mut p = 0;
    while p < pattern.len() {
        p = match pattern[p..] {
            [b'%', b'b', ..] => pattern.get(p + 3).map(|_| p + 4).ok_or(UNBALANCED)?,
            [b'%', b'f', ..] => frontier_set_end(pattern, p + 2)?,
            _ => item_end(pattern, p)?,
        };
        if matches!(pattern.get(p), Some(b'*' | b'+' | b'?' | b'-')) {
            depth += 1;
        }
    }
    if depth > MAX_DEPTH {
        Err(PatternError::TooComplex)
    } else {
        Ok(())
    }
}

/// A pattern up to its first zero byte, where Lua 5.1 sees its end.
fn until_zero(pattern: &[u8]) -> &[u8] {
    memchr(0, pattern).map_or(pattern, |end| &pattern[..end])
}

/// Prepares the machine with a stack as large as this pattern can need, and runs it.
fn start(
    subject: &[u8],
    pattern: &[u8],
    parentheses: Parentheses,
    at: usize,
    anchored: bool,
    budget: &mut impl Budget,
) -> Result<Option<Captures>, PatternError> {
    if at > subject.len() {
        return Ok(None);
    }
    let pattern = until_zero(pattern);
    if subject.len() > MAX_LENGTH || pattern.len() > MAX_LENGTH {
        return Err(PatternError::TooComplex);
    }
    let slots = Slots::default();
    let mut machine = Machine {
        subject,
        pattern,
        parentheses,
        slots,
        pending: pattern.len() as u32 / 8,
        budget,
    };
    let depth = pattern
        .iter()
        .filter(|b| matches!(b, b'(' | b')' | b'*' | b'+' | b'?' | b'-'));
    let end = match depth.take(MAX_DEPTH).count() {
        0..=8 => machine.search(at, anchored, &mut Stack::new(&mut [Frame::Open; 8])),
        9..=32 => machine.search(at, anchored, &mut Stack::new(&mut [Frame::Open; 32])),
        _ => machine.search(at, anchored, &mut Stack::new(&mut [Frame::Open; MAX_DEPTH])),
    }?;
    machine.budget.charge(machine.pending)?;
    match end {
        Some((start, end)) => Ok(Some(Captures {
            start,
            end,
            slots: machine.slots.finished()?,
        })),
        None => Ok(None),
    }
}

/// Length of a capture that is still open.
const UNFINISHED: u32 = u32::MAX;
/// Length of a position capture.
const POSITION: u32 = u32::MAX - 1;

/// One capture while matching: where it starts, and its length or one of the two marks.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    start: u32,
    len: u32,
}

/// The captures that are open or closed at this point of the match.
#[derive(Debug, Clone, Default)]
struct Slots {
    all: [Slot; MAX_CAPTURES],
    level: usize,
}

impl Slots {
    fn opened(&self) -> &[Slot] {
        &self.all[..self.level]
    }

    fn open(&mut self, at: usize, len: u32) -> Result<(), PatternError> {
        let slot = self.all.get_mut(self.level).ok_or(TOO_MANY_CAPTURES)?;
        *slot = Slot {
            start: at as u32,
            len,
        };
        self.level += 1;
        Ok(())
    }

    /// Closes the innermost open capture at `at` and says which it was.
    fn close(&mut self, at: usize) -> Result<usize, PatternError> {
        let which = self
            .opened()
            .iter()
            .rposition(|slot| slot.len == UNFINISHED);
        let which = which.ok_or(INVALID_PATTERN_CAPTURE)?;
        self.all[which].len = at as u32 - self.all[which].start;
        Ok(which)
    }

    /// The capture that the digit of a back-reference names.
    fn referred(&self, digit: u8) -> Result<Slot, PatternError> {
        let slot = digit
            .checked_sub(b'1')
            .and_then(|i| self.opened().get(usize::from(i)));
        match slot {
            Some(slot) if slot.len != UNFINISHED => Ok(*slot),
            _ => Err(INVALID_CAPTURE_INDEX),
        }
    }

    fn finished(self) -> Result<Slots, PatternError> {
        match self.opened().iter().any(|slot| slot.len == UNFINISHED) {
            true => Err(UNFINISHED_CAPTURE),
            false => Ok(self),
        }
    }
}

/// What to undo or to try again when the rest of the pattern does not match.
#[derive(Debug, Clone, Copy)]
enum Frame {
    /// Forget the capture opened last.
    Open,
    /// Open this capture again.
    Close(u32),
    /// `x?`: go on with the pattern at `next` without `x`.
    Without { next: u32, s: u32 },
    /// `x*`, `x+`: give back bytes; the rest may start anywhere from `low` to `high`.
    Longest { next: u32, low: u32, high: u32 },
    /// `x-`: take one more byte; the rest was tried at `s`.
    Shortest { item: u32, next: u32, s: u32 },
}

/// The frames, in an array that lives on the thread's stack.
struct Stack<'f> {
    frames: &'f mut [Frame],
    depth: usize,
}

impl<'f> Stack<'f> {
    fn new(frames: &'f mut [Frame]) -> Self {
        Stack { frames, depth: 0 }
    }

    fn push(&mut self, frame: Frame) -> Result<(), PatternError> {
        let place = self
            .frames
            .get_mut(self.depth)
            .ok_or(PatternError::TooComplex)?;
        *place = frame;
        self.depth += 1;
        Ok(())
    }

    fn pop(&mut self) -> Option<Frame> {
        self.depth = self.depth.checked_sub(1)?;
        Some(self.frames[self.depth])
    }
}

/// What one pattern item leads to: the rest of the pattern at a place, or nothing.
type Next = Result<Option<(usize, usize)>, PatternError>;

/// Bytes that a loop over single bytes looks at in the time of one step.
const LOOPED_PER_STEP: usize = 4;
/// Bytes that a vectorised search looks at in the time of one step.
const SWEPT_PER_STEP: usize = 32;

/// One attempt to match one pattern.
struct Machine<'a, B> {
    subject: &'a [u8],
    pattern: &'a [u8],
    parentheses: Parentheses,
    slots: Slots,
    /// Steps not yet charged.
    pending: u32,
    budget: &'a mut B,
}

impl<B: Budget> Machine<'_, B> {
    #[inline]
    fn step(&mut self, steps: usize) -> Result<(), PatternError> {
        self.pending = self.pending.saturating_add(steps as u32);
        if self.pending >= BATCH {
            self.budget.charge(self.pending)?;
            self.pending = 0;
        }
        Ok(())
    }

    /// Tries one place, or this place and all behind it; start and end of the match.
    fn search(
        &mut self,
        at: usize,
        anchored: bool,
        stack: &mut Stack<'_>,
    ) -> Result<Option<(usize, usize)>, PatternError> {
        // What `.*` cannot reach from here, no later start reaches either.
        if anchored || matches!(self.pattern, [b'.', b'*' | b'-', ..]) {
            return Ok(self.attempt(at, stack)?.map(|end| (at, end)));
        }
        let first = self.obligatory(0)?;
        let mut s = at;
        loop {
            if let Some(single) = &first {
                let skipped = single.next_in(&self.subject[s..]);
                self.step(skipped.unwrap_or(self.subject.len() - s) / single.per_step())?;
                let Some(skipped) = skipped else {
                    return Ok(None);
                };
                s += skipped;
            }
            if let Some(end) = self.attempt(s, stack)? {
                return Ok(Some((s, end)));
            }
            if s == self.subject.len() {
                return Ok(None);
            }
            s += 1;
        }
    }

    /// The single byte that any match of the pattern from `p` on must begin with, where that is plain to see.
    fn obligatory(&self, p: usize) -> Result<Option<Single>, PatternError> {
        let simple = match self.pattern[p..] {
            [] | [b'$'] | [b'%', b'b' | b'f', ..] => false,
            [b'(' | b')', ..] => self.parentheses == Parentheses::Literal,
            [b'%', digit, ..] if digit.is_ascii_digit() => self.parentheses == Parentheses::Literal,
            _ => true,
        };
        if !simple {
            return Ok(None);
        }
        let end = item_end(self.pattern, p)?;
        match self.pattern.get(end) {
            Some(b'*' | b'?' | b'-') => Ok(None),
            _ => Ok(Some(Single::of(&self.pattern[p..end]))),
        }
    }

    /// Matches the whole pattern at `s`; the end of the match.
    fn attempt(&mut self, s: usize, stack: &mut Stack<'_>) -> Result<Option<usize>, PatternError> {
        self.slots.level = 0;
        stack.depth = 0;
        let (mut p, mut s) = (0, s);
        while p < self.pattern.len() {
            self.step(1)?;
            let next = match self.advance(p, s, stack)? {
                Some(next) => Some(next),
                None => self.back_up(stack)?,
            };
            match next {
                Some(next) => (p, s) = next,
                None => return Ok(None),
            }
        }
        Ok(Some(s))
    }

    /// Matches the pattern item at `p`, with its quantifier, at `s`.
    fn advance(&mut self, p: usize, s: usize, stack: &mut Stack<'_>) -> Next {
        let captures = self.parentheses == Parentheses::Capture;
        match self.pattern[p..] {
            [b'(', b')', ..] if captures => self.open(p + 2, s, POSITION, stack),
            [b'(', ..] if captures => self.open(p + 1, s, UNFINISHED, stack),
            [b')', ..] if captures => {
                let which = self.slots.close(s)?;
                stack.push(Frame::Close(which as u32))?;
                Ok(Some((p + 1, s)))
            }
            [b'$'] => Ok((s == self.subject.len()).then_some((p + 1, s))),
            [b'%', b'b', ..] => self.balance(p, s),
            [b'%', b'f', ..] => self.frontier(p, s),
            [b'%', digit, ..] if captures && digit.is_ascii_digit() => {
                self.back_reference(digit, p, s)
            }
            _ => self.item(p, s, stack),
        }
    }

    fn open(&mut self, next: usize, s: usize, len: u32, stack: &mut Stack<'_>) -> Next {
        self.slots.open(s, len)?;
        stack.push(Frame::Open)?;
        Ok(Some((next, s)))
    }

    /// A single-byte item: a character, a class or a set, with or without a quantifier.
    #[inline]
    fn item(&mut self, p: usize, s: usize, stack: &mut Stack<'_>) -> Next {
        let end = item_end(self.pattern, p)?;
        let single = self.single(p, end)?;
        let here = self.subject.get(s).is_some_and(|b| single.matches(*b));
        match self.pattern.get(end) {
            Some(b'?') if here => {
                stack.push(Frame::Without {
                    next: end as u32 + 1,
                    s: s as u32,
                })?;
                Ok(Some((end + 1, s + 1)))
            }
            Some(b'?') => Ok(Some((end + 1, s))),
            Some(b'*') => self.longest(&single, end + 1, s, s, stack),
            Some(b'+') if here => self.longest(&single, end + 1, s + 1, s + 1, stack),
            Some(b'+') => Ok(None),
            Some(b'-') => self.shortest(p, end + 1, s, stack),
            _ => Ok(here.then_some((end, s + 1))),
        }
    }

    /// The item between two places of the pattern, its reading charged: a set may be as long as a pattern.
    #[inline]
    fn single(&mut self, p: usize, end: usize) -> Result<Single, PatternError> {
        if end - p > 8 {
            self.step((end - p) / 8)?;
        }
        Ok(Single::of(&self.pattern[p..end]))
    }

    /// `x*`: takes all it can from `s`; the rest may start from `low` on.
    fn longest(
        &mut self,
        single: &Single,
        next: usize,
        low: usize,
        s: usize,
        stack: &mut Stack<'_>,
    ) -> Next {
        let taken = single.run_in(&self.subject[s..]);
        self.step(taken / single.per_step())?;
        self.give_back(next, low, s + taken, stack)
    }

    /// Tries the rest at the last place from `low` to `high` where it can begin, and remembers those before.
    fn give_back(&mut self, next: usize, low: usize, high: usize, stack: &mut Stack<'_>) -> Next {
        let mut s = high;
        if let Some(byte) = literal(self.pattern, next, self.parentheses) {
            let last = (high + 1).min(self.subject.len());
            let found = memrchr(byte, &self.subject[low..last]);
            self.step(found.map_or(last - low, |at| last - low - at) / SWEPT_PER_STEP)?;
            let Some(found) = found else {
                return Ok(None);
            };
            s = low + found;
        }
        if s > low {
            stack.push(Frame::Longest {
                next: next as u32,
                low: low as u32,
                high: s as u32 - 1,
            })?;
        }
        Ok(Some((next, s)))
    }

    /// `x-`: tries the rest at the first place from `s` on where it can begin, and remembers those behind.
    fn shortest(&mut self, item: usize, next: usize, s: usize, stack: &mut Stack<'_>) -> Next {
        let mut s = s;
        if let Some(byte) = literal(self.pattern, next, self.parentheses) {
            let single = self.single(item, next - 1)?;
            let rest = &self.subject[s..];
            let found = match single {
                Single::Any => memchr(byte, rest),
                _ => rest.iter().position(|b| *b == byte || !single.matches(*b)),
            };
            self.step(found.unwrap_or(rest.len()) / single.per_step())?;
            match found {
                Some(at) if rest[at] == byte => s += at,
                _ => return Ok(None),
            }
        }
        stack.push(Frame::Shortest {
            item: item as u32,
            next: next as u32,
            s: s as u32,
        })?;
        Ok(Some((next, s)))
    }

    /// Undoes frames up to one that offers another way; `None` when there is none left.
    fn back_up(&mut self, stack: &mut Stack<'_>) -> Next {
        while let Some(frame) = stack.pop() {
            self.step(1)?;
            let next = match frame {
                Frame::Open => {
                    self.slots.level -= 1;
                    None
                }
                Frame::Close(which) => {
                    self.slots.all[which as usize].len = UNFINISHED;
                    None
                }
                Frame::Without { next, s } => Some((next as usize, s as usize)),
                Frame::Longest { next, low, high } => {
                    self.give_back(next as usize, low as usize, high as usize, stack)?
                }
                Frame::Shortest { item, next, s } => {
                    self.take_one_more(item as usize, next as usize, s as usize, stack)?
                }
            };
            if next.is_some() {
                return Ok(next);
            }
        }
        Ok(None)
    }

    fn take_one_more(&mut self, item: usize, next: usize, s: usize, stack: &mut Stack<'_>) -> Next {
        let single = self.single(item, next - 1)?;
        match self.subject.get(s) {
            Some(b) if single.matches(*b) => self.shortest(item, next, s + 1, stack),
            _ => Ok(None),
        }
    }

    /// `%bxy`: from an `x` to the `y` that balances it.
    fn balance(&mut self, p: usize, s: usize) -> Next {
        let [_, _, open, close, ..] = self.pattern[p..] else {
            return Err(UNBALANCED);
        };
        if self.subject.get(s) != Some(&open) {
            return Ok(None);
        }
        let mut nested = 0;
        let end = self.subject[s..].iter().position(|b| {
            // The closing byte is looked at first: `%bxx` ends at the next x.
            if *b == close && nested > 0 {
                nested -= 1;
            } else if *b == open {
                nested += 1;
            }
            nested == 0
        });
        self.step(end.unwrap_or(self.subject.len() - s) / LOOPED_PER_STEP)?;
        Ok(end.map(|at| (p + 4, s + at + 1)))
    }

    /// `%f[set]`: the byte before is not in the set and the byte here is; outside the subject lie zero bytes.
    fn frontier(&mut self, p: usize, s: usize) -> Next {
        let end = frontier_set_end(self.pattern, p + 2)?;
        let set = self.single(p + 2, end)?;
        let before = s.checked_sub(1).map_or(0, |before| self.subject[before]);
        let here = self.subject.get(s).copied().unwrap_or(0);
        Ok((!set.matches(before) && set.matches(here)).then_some((end, s)))
    }

    /// `%1`: the bytes of an earlier capture once more. A position capture never repeats.
    fn back_reference(&mut self, digit: u8, p: usize, s: usize) -> Next {
        let slot = self.slots.referred(digit)?;
        if slot.len == POSITION {
            return Ok(None);
        }
        let (from, len) = (slot.start as usize, slot.len as usize);
        let again = self.subject[s..].starts_with(&self.subject[from..from + len]);
        self.step(len / SWEPT_PER_STEP)?;
        Ok(again.then_some((p + 2, s + len)))
    }
}

/// Where the set that must follow `%f` ends.
fn frontier_set_end(pattern: &[u8], p: usize) -> Result<usize, PatternError> {
    match pattern.get(p) {
        Some(b'[') => item_end(pattern, p),
        _ => Err(MISSING_FRONTIER_SET),
    }
}

/// Where the single-byte item at `p` ends: behind a character, an escape or a set.
#[inline]
fn item_end(pattern: &[u8], p: usize) -> Result<usize, PatternError> {
    match pattern[p] {
        b'%' if p + 1 == pattern.len() => Err(ENDS_WITH_PERCENT),
        b'%' => Ok(p + 2),
        b'[' => set_end(pattern, p),
        _ => Ok(p + 1),
    }
}

/// Where the set at `p` ends. Its first character is a member even if it is `]`.
fn set_end(pattern: &[u8], p: usize) -> Result<usize, PatternError> {
    let mut at = p + 1;
    if pattern.get(at) == Some(&b'^') {
        at += 1;
    }
    loop {
        at += match pattern.get(at) {
            None => return Err(MISSING_BRACKET),
            Some(b'%') if at + 1 < pattern.len() => 2,
            Some(_) => 1,
        };
        if pattern.get(at) == Some(&b']') {
            return Ok(at + 1);
        }
    }
}

/// The byte that must stand first where the pattern goes on at `p`, if it is a plain character.
fn literal(pattern: &[u8], p: usize, parentheses: Parentheses) -> Option<u8> {
    let (byte, end) = match pattern[p..] {
        [b'(' | b')', ..] if parentheses == Parentheses::Capture => return None,
        [b'%', byte, ..] if byte.is_ascii_punctuation() => (byte, p + 2),
        [] | [b'$'] | [b'%' | b'[' | b'.', ..] => return None,
        [byte, ..] => (byte, p + 1),
    };
    match pattern.get(end) {
        Some(b'*' | b'?' | b'-') => None,
        _ => Some(byte),
    }
}

/// Which bytes one item of a pattern matches.
#[derive(Debug, Clone, Copy)]
enum Single {
    Any,
    Byte(u8),
    /// Bytes with one of these class bits, or all the others.
    Class(u16, bool),
    Set(Set),
}

impl Single {
    /// Reads an item whose end is known.
    #[inline]
    fn of(item: &[u8]) -> Single {
        match *item {
            [b'.'] => Single::Any,
            [b'%', letter] => match class(letter) {
                Some((mask, inverted)) => Single::Class(mask, inverted),
                None => Single::Byte(letter),
            },
            [b'[', ..] => Single::Set(Set::of(item)),
            _ => Single::Byte(item[0]),
        }
    }

    #[inline]
    fn matches(&self, byte: u8) -> bool {
        match self {
            Single::Any => true,
            Single::Byte(wanted) => byte == *wanted,
            Single::Class(mask, inverted) => has_class(byte, *mask) != *inverted,
            Single::Set(set) => set.contains(byte),
        }
    }

    /// Bytes that the searches below look at in the time of one step.
    fn per_step(&self) -> usize {
        match self {
            Single::Any | Single::Byte(_) => SWEPT_PER_STEP,
            Single::Class(..) | Single::Set(_) => LOOPED_PER_STEP,
        }
    }

    /// How many bytes at the start of `bytes` match.
    fn run_in(&self, bytes: &[u8]) -> usize {
        let end = match self {
            Single::Any => None,
            Single::Byte(wanted) => bytes.iter().position(|b| b != wanted),
            Single::Class(mask, inverted) => {
                bytes.iter().position(|b| has_class(*b, *mask) == *inverted)
            }
            Single::Set(set) => bytes.iter().position(|b| !set.contains(*b)),
        };
        end.unwrap_or(bytes.len())
    }

    /// How many bytes lie before the first that matches.
    fn next_in(&self, bytes: &[u8]) -> Option<usize> {
        match self {
            Single::Any => (!bytes.is_empty()).then_some(0),
            Single::Byte(wanted) => memchr(*wanted, bytes),
            _ => bytes.iter().position(|b| self.matches(*b)),
        }
    }
}

/// The bytes of a `[set]`, one bit each.
#[derive(Debug, Clone, Copy, Default)]
struct Set([u64; 4]);

impl Set {
    /// Reads a set, from its `[` to its `]`.
    fn of(item: &[u8]) -> Set {
        let body = &item[1..item.len() - 1];
        let (body, inverted) = match body.strip_prefix(b"^") {
            Some(body) => (body, true),
            None => (body, false),
        };
        let mut set = Set::default();
        let mut rest = body;
        while let Some((&first, tail)) = rest.split_first() {
            rest = match (first, tail) {
                (b'%', [letter, tail @ ..]) => {
                    set.add_class(*letter);
                    tail
                }
                // After a range that ends with `%`, as in `[+-%%]`, Lua takes the closing bracket for the escaped byte.
                (b'%', []) => {
                    set.add_range(b']', b']');
                    tail
                }
                (first, [b'-', last, tail @ ..]) => {
                    set.add_range(first, *last);
                    tail
                }
                _ => {
                    set.add_range(first, first);
                    tail
                }
            };
        }
        if inverted {
            Set(set.0.map(|word| !word))
        } else {
            set
        }
    }

    #[inline]
    fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 != 0
    }

    fn add_range(&mut self, first: u8, last: u8) {
        for byte in first..=last {
            self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
        }
    }

    fn add_class(&mut self, letter: u8) {
        let Some((mask, inverted)) = class(letter) else {
            return self.add_range(letter, letter);
        };
        let bits = &CLASS_BITS[mask.trailing_zeros() as usize];
        for (word, bits) in self.0.iter_mut().zip(bits) {
            *word |= if inverted { !bits } else { *bits };
        }
    }
}

const ALPHA: u16 = 1;
const CONTROL: u16 = 1 << 1;
const DIGIT: u16 = 1 << 2;
const LOWER: u16 = 1 << 3;
const PUNCTUATION: u16 = 1 << 4;
const SPACE: u16 = 1 << 5;
const UPPER: u16 = 1 << 6;
const ALPHANUMERIC: u16 = 1 << 7;
const HEXADECIMAL: u16 = 1 << 8;
const ZERO: u16 = 1 << 9;

/// The class a letter behind `%` names, and whether it is turned round by a capital. Others stand for themselves.
#[inline]
fn class(letter: u8) -> Option<(u16, bool)> {
    let mask = match letter.to_ascii_lowercase() {
        b'a' => ALPHA,
        b'c' => CONTROL,
        b'd' => DIGIT,
        b'l' => LOWER,
        b'p' => PUNCTUATION,
        b's' => SPACE,
        b'u' => UPPER,
        b'w' => ALPHANUMERIC,
        b'x' => HEXADECIMAL,
        b'z' => ZERO,
        _ => return None,
    };
    Some((mask, letter.is_ascii_uppercase()))
}

#[inline]
fn has_class(byte: u8, mask: u16) -> bool {
    CLASSES[usize::from(byte)] & mask != 0
}

/// The classes of each byte, as in the C locale.
static CLASSES: [u16; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = classes_of(byte as u8);
        byte += 1;
    }
    classes
};

/// The bytes of each class, as a set.
static CLASS_BITS: [[u64; 4]; 10] = {
    let mut bits = [[0; 4]; 10];
    let mut at = 0;
    while at < 10 * 256 {
        let (class, byte) = (at / 256, at % 256);
        if classes_of(byte as u8) >> class & 1 != 0 {
            bits[class][byte / 64] |= 1 << (byte % 64);
        }
        at += 1;
    }
    bits
};

const fn classes_of(byte: u8) -> u16 {
    let mut mask = 0;
    if byte.is_ascii_lowercase() {
        mask |= LOWER | ALPHA | ALPHANUMERIC;
    }
    if byte.is_ascii_uppercase() {
        mask |= UPPER | ALPHA | ALPHANUMERIC;
    }
    if byte.is_ascii_digit() {
        mask |= DIGIT | ALPHANUMERIC;
    }
    if byte.is_ascii_hexdigit() {
        mask |= HEXADECIMAL;
    }
    if byte.is_ascii_punctuation() {
        mask |= PUNCTUATION;
    }
    if byte.is_ascii_control() {
        mask |= CONTROL;
    }
    if matches!(byte, b' ' | 9..=13) {
        mask |= SPACE;
    }
    if byte == 0 {
        mask |= ZERO;
    }
    mask
}

#[cfg(test)]
#[path = "pattern_tests.rs"]
mod tests;

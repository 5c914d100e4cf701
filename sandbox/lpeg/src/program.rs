//! A compiled pattern: instructions of the matching machine and the tables they point into.

use std::sync::Arc;

use memchr::memmem::Finder;

use crate::set::ByteSet;
use crate::tree::{Constant, Home};

/// A place in the program.
pub(crate) type Address = u32;

/// An instruction. "Fails" means: goes back to the latest choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// The subject matches.
    End,
    Fail,
    /// Forgets the latest choice and fails.
    FailTwice,
    /// Takes a byte that was looked at before.
    Skip,
    /// Takes so many bytes or fails.
    Any(u32),
    Byte(u8),
    Set(u32),
    Literal(u32),
    /// Takes bytes of a set as long as there are some.
    Span(u32),
    /// As `Span`, one at least.
    SpanSome(u32),
    /// Takes everything before the next of one, two or three bytes, or up to the end.
    To1(u8),
    To2(u8, u8),
    To3(u8, u8, u8),
    /// Takes everything.
    ToEnd,
    /// Takes everything before the next place where a literal stands, or up to the end.
    Before(u32),
    /// Goes to an address unless there is a byte.
    TestAny(Address),
    /// Goes to an address unless this byte is next.
    TestByte(u8, Address),
    /// Goes to an address unless a byte of the set is next.
    TestSet(u32, Address),
    /// Fails if a byte of the set is next.
    NotSet(u32),
    /// Goes to the address that the next byte says.
    Switch(u32),
    Jump(Address),
    /// Calls a rule.
    Call(Address),
    Return,
    /// Sets a choice: after a failure it goes on at the address.
    Choice(Address),
    /// Forgets the latest choice and goes to the address.
    Commit(Address),
    /// Moves the latest choice here and goes to the address.
    PartialCommit(Address),
    /// Goes back to where the latest choice was set, forgets it and the captures since, and goes to the address.
    BackCommit(Address),
    /// Goes so many bytes back or fails.
    Behind(u32),
    /// Begins a capture.
    Open(u32),
    /// Ends the latest capture that is open.
    Close,
    /// Notes a capture of so many bytes that end here.
    Full(u32, u32),
    /// Ends a capture that calls Lua now.
    CloseRuntime,
}

/// What the records of captures point to.
#[derive(Debug)]
pub(crate) enum Kind {
    Position,
    /// Place of the value among the constants.
    Constant(u32),
    Argument(u32),
    Simple,
    /// Equal names have the same place.
    Group(Option<u32>),
    BackReference(u32),
    /// Named groups that a table probably holds.
    Table(u32),
    Substitution,
    Fold(u32),
    Format(Vec<Piece>),
    Select(u32),
    Query(u32),
    Function(u32),
    /// A function that is Lua's own `tonumber`.
    ToNumber(u32),
    Runtime(u32),
}

/// A piece of the string in `patt / string`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(Vec<u8>),
    /// A capture by its number; 0 is the whole match.
    Capture(u8),
}

/// A set in the form in which it is asked fastest.
pub(crate) type SetTable = [bool; 256];

/// The last entry is for the end of the subject.
pub(crate) type SwitchTable = [Address; 257];

/// A compiled pattern.
pub(crate) struct Program {
    /// What the patterns of its state share.
    pub(crate) home: Arc<Home>,
    pub(crate) ops: Vec<Op>,
    pub(crate) sets: Vec<SetTable>,
    pub(crate) literals: Vec<Box<[u8]>>,
    pub(crate) finders: Vec<Finder<'static>>,
    pub(crate) switches: Vec<SwitchTable>,
    pub(crate) kinds: Vec<Kind>,
    /// Lua values, each once.
    pub(crate) constants: Vec<Constant>,
    /// Whether Lua is called during the match.
    pub(crate) has_runtime: bool,
}

impl Program {
    /// Bytes that the program takes.
    pub(crate) fn memory(&self) -> usize {
        let literals: usize = self.literals.iter().map(|literal| literal.len()).sum();
        let finders: usize = self
            .finders
            .iter()
            .map(|finder| finder.needle().len() + size_of::<Finder<'static>>())
            .sum();
        size_of::<Program>()
            + self.ops.len() * size_of::<Op>()
            + self.sets.len() * size_of::<SetTable>()
            + self.literals.len() * size_of::<Box<[u8]>>()
            + literals
            + finders
            + self.switches.len() * size_of::<SwitchTable>()
            + self.kinds.len() * size_of::<Kind>()
            + self.constants.len() * size_of::<Constant>()
    }
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, op) in self.ops.iter().enumerate() {
            writeln!(f, "{at:4} {op:?}")?;
        }
        Ok(())
    }
}

/// Cuts the string of `patt / string`: `%0` to `%9` are captures, `%` makes any other byte plain.
pub(crate) fn pieces(format: &Arc<[u8]>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut text = Vec::new();
    let mut bytes = format.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'%' => match bytes.next() {
                Some(digit @ b'0'..=b'9') => {
                    if !text.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut text)));
                    }
                    pieces.push(Piece::Capture(digit - b'0'));
                }
                Some(&plain) => text.push(plain),
                // The C library takes the NUL that ends the string.
                None => text.push(0),
            },
            _ => text.push(byte),
        }
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    pieces
}

/// The table of a set.
pub(crate) fn set_table(set: &ByteSet) -> SetTable {
    std::array::from_fn(|byte| set.contains(byte as u8))
}

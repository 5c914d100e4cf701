//! The `struct` module: values as bytes in the layout of C structures, and back (version 0.2 of Roberto Ierusalimschy's).

use sandbox::native::{Call, Error, Function, Registry, Type, function};

use crate::work::make_room;

/// The widest integer of `i` and `I`, in bytes.
const MAX_INTEGER: usize = 32;
/// The alignment of `!` alone, in bytes.
const MAX_ALIGN: usize = 8;

const FUNCTIONS: &[(&str, Function)] = &[
    ("pack", function(pack)),
    ("size", function(size)),
    ("unpack", function(unpack)),
];

/// Offers `struct`.
pub fn register(registry: &mut Registry) {
    registry.add("struct", function(open));
}

fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(FUNCTIONS)?;
    Ok(1)
}

/// One option of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// A byte of padding.
    Padding,
    /// An integer of so many bytes.
    Integer {
        /// From 0 to 32.
        size: usize,
        /// Whether it can be negative.
        signed: bool,
    },
    /// A `float`.
    Float,
    /// A `double`.
    Double,
    /// So many bytes of a string; 0 stands for all of them.
    Bytes(usize),
    /// A string and a NUL.
    Text,
}

impl Item {
    /// Bytes it takes, 0 when that depends on the value.
    fn size(self) -> usize {
        match self {
            Item::Padding => 1,
            Item::Integer { size, .. } => size,
            Item::Float => 4,
            Item::Double => 8,
            Item::Bytes(size) => size,
            Item::Text => 0,
        }
    }
}

/// Reads a format, one item after another, and keeps byte order and alignment.
struct Format<'f> {
    rest: &'f [u8],
    big: bool,
    align: usize,
}

impl<'f> Format<'f> {
    /// The format in argument 1, which ends at a NUL, as in C.
    fn at_first_argument(call: &Call<'f>) -> Result<Format<'f>, Error> {
        let text = call.check_bytes(1)?;
        let end = text.iter().position(|&c| c == 0).unwrap_or(text.len());
        Ok(Format {
            rest: &text[..end],
            big: cfg!(target_endian = "big"),
            align: 1,
        })
    }

    /// The next item.
    fn next(&mut self, call: &mut Call<'_>) -> Result<Option<Item>, Error> {
        while let Some((&option, rest)) = self.rest.split_first() {
            call.charge(1)?;
            self.rest = rest;
            if let Some(item) = self.item(option)? {
                return Ok(Some(item));
            }
            self.control(option)?;
        }
        Ok(None)
    }

    fn item(&mut self, option: u8) -> Result<Option<Item>, Error> {
        let signed = option.is_ascii_lowercase();
        let integer = |size| Item::Integer { size, signed };
        Ok(Some(match option {
            b'b' | b'B' => integer(1),
            b'h' | b'H' => integer(2),
            b'l' | b'L' | b'T' => integer(8),
            b'i' | b'I' => integer(self.integer_size()?),
            b'f' => Item::Float,
            b'd' => Item::Double,
            b'x' => Item::Padding,
            b'c' => Item::Bytes(self.number()?.unwrap_or(1)),
            b's' => Item::Text,
            _ => return Ok(None),
        }))
    }

    fn integer_size(&mut self) -> Result<usize, Error> {
        let size = self.number()?.unwrap_or(4);
        if size > MAX_INTEGER {
            let words = format!("integral size {size} is larger than limit of {MAX_INTEGER}");
            return Err(Error::new(words));
        }
        Ok(size)
    }

    /// The decimal number that follows an option, if there is one.
    fn number(&mut self) -> Result<Option<usize>, Error> {
        let n_digits = self.rest.iter().take_while(|c| c.is_ascii_digit()).count();
        let (digits, rest) = self.rest.split_at(n_digits);
        if digits.is_empty() {
            return Ok(None);
        }
        self.rest = rest;
        let number = digits.iter().try_fold(0_i32, |number, digit| {
            number.checked_mul(10)?.checked_add(i32::from(digit - b'0'))
        });
        match number {
            Some(number) => Ok(Some(number as usize)),
            None => Err(Error::new("integral size overflow")),
        }
    }

    /// An option that describes what follows.
    fn control(&mut self, option: u8) -> Result<(), Error> {
        match option {
            b' ' => {}
            b'<' => self.big = false,
            b'>' => self.big = true,
            b'!' => {
                let align = self.number()?.unwrap_or(MAX_ALIGN);
                if !align.is_power_of_two() {
                    let words = format!("alignment {align} is not a power of 2");
                    return Err(Error::new(words));
                }
                self.align = align;
            }
            _ => {
                let shown = option.escape_ascii();
                let words = format!("invalid format option '{shown}'");
                return Err(Error::argument(1, words));
            }
        }
        Ok(())
    }

    /// Bytes of padding before `item` at `position`.
    fn padding(&self, item: Item, position: usize) -> usize {
        let size = item.size().min(self.align);
        match item {
            Item::Bytes(_) | Item::Text => 0,
            _ if size == 0 => 0,
            // Sizes that are no powers of two are masked like the others, as in C.
            _ => (size.wrapping_sub(position & (size - 1))) & (size - 1),
        }
    }
}

/// `pack(format, ...)`
fn pack(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut format = Format::at_first_argument(call)?;
    let mut output = Vec::new();
    let mut argument = 2;
    while let Some(item) = format.next(call)? {
        let padding = format.padding(item, output.len());
        make_room(call, &mut output, padding + item.size().min(MAX_INTEGER))?;
        output.resize(output.len() + padding, 0);
        if item == Item::Padding {
            output.push(0);
            continue;
        }
        pack_value(call, &format, item, argument, &mut output)?;
        argument += 1;
    }
    crate::work::push_output(call, output)?;
    Ok(1)
}

fn pack_value(
    call: &Call<'_>,
    format: &Format<'_>,
    item: Item,
    argument: i32,
    output: &mut Vec<u8>,
) -> Result<(), Error> {
    match item {
        Item::Padding => {}
        Item::Integer { size, .. } => {
            put_integer(call.check_number(argument)?, size, format.big, output);
        }
        Item::Float => {
            let bytes = (call.check_number(argument)? as f32).to_le_bytes();
            put_bytes(bytes, format.big, output);
        }
        Item::Double => put_bytes(
            call.check_number(argument)?.to_le_bytes(),
            format.big,
            output,
        ),
        Item::Bytes(size) => {
            let text = call.check_bytes(argument)?;
            let wanted = if size == 0 { text.len() } else { size };
            let Some(part) = text.get(..wanted) else {
                return Err(Error::argument(argument, "string too short"));
            };
            make_room(call, output, part.len())?;
            output.extend_from_slice(part);
        }
        Item::Text => {
            let text = call.check_bytes(argument)?;
            make_room(call, output, text.len() + 1)?;
            output.extend_from_slice(text);
            output.push(0);
        }
    }
    Ok(())
}

fn put_bytes<const N: usize>(mut little: [u8; N], big: bool, output: &mut Vec<u8>) {
    if big {
        little.reverse();
    }
    output.extend_from_slice(&little);
}

/// Writes a number as a 64-bit integer; bytes beyond these are 0.
fn put_integer(number: f64, size: usize, big: bool, output: &mut Vec<u8>) {
    let value = match number < 0.0 {
        true => number as i64 as u64,
        false => number as u64,
    };
    let mut little = [0; MAX_INTEGER];
    little[..8].copy_from_slice(&value.to_le_bytes());
    let written = &mut little[..size];
    if big {
        written.reverse();
    }
    output.extend_from_slice(written);
}

/// `unpack(format, bytes[, position])`: the values, and the position behind the last.
fn unpack(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut format = Format::at_first_argument(call)?;
    let bytes = call.check_bytes(2)?;
    let start = call.opt_integer(3)?.unwrap_or(1);
    if start < 1 {
        return Err(Error::argument(3, "offset must be 1 or greater"));
    }
    let mut position = (start - 1) as usize;
    let first = call.top();
    while let Some(item) = format.next(call)? {
        position = position.saturating_add(format.padding(item, position));
        let rest = bytes.get(position..).unwrap_or_default();
        if position > bytes.len() || item.size() > rest.len() {
            return Err(Error::argument(2, "data string too short"));
        }
        position += unpack_value(call, item, rest, format.big, first)?;
    }
    call.push_number((position + 1) as f64)?;
    Ok((call.top() - first) as usize)
}

/// Pushes the value at the start of `rest`, which has as many bytes as the item; returns how many it took.
fn unpack_value(
    call: &mut Call<'_>,
    item: Item,
    rest: &[u8],
    big: bool,
    first: i32,
) -> Result<usize, Error> {
    match item {
        Item::Padding => {}
        Item::Integer { size, signed } => {
            call.push_number(get_integer(&rest[..size], big, signed))?;
        }
        Item::Float => call.push_number(f32::from_bits(get_bits(&rest[..4], big) as u32).into())?,
        Item::Double => call.push_number(f64::from_bits(get_bits(&rest[..8], big)))?,
        Item::Bytes(0) => return unpack_counted(call, rest, first),
        Item::Bytes(size) => call.push_bytes(&rest[..size])?,
        Item::Text => {
            let Some(end) = rest.iter().position(|&c| c == 0) else {
                return Err(Error::new("unfinished string in data"));
            };
            crate::work::charge(call, end, 64)?;
            call.push_bytes(&rest[..end])?;
            return Ok(end + 1);
        }
    }
    Ok(item.size())
}

/// Replaces the number on top by a string of as many bytes.
fn unpack_counted(call: &mut Call<'_>, rest: &[u8], first: i32) -> Result<usize, Error> {
    let count = match call.top() > first && call.type_of(-1) != Type::Nil {
        true => call.to_number(-1),
        false => None,
    };
    let Some(count) = count else {
        return Err(Error::new("format 'c0' needs a previous size"));
    };
    if !(0.0..=rest.len() as f64).contains(&count) {
        return Err(Error::argument(2, "data string too short"));
    }
    let size = count as usize;
    call.pop(1);
    call.push_bytes(&rest[..size])?;
    Ok(size)
}

/// The lowest 64 bits of an integer.
fn get_bits(bytes: &[u8], big: bool) -> u64 {
    let join = |bits: u64, &byte: &u8| bits << 8 | u64::from(byte);
    match big {
        true => bytes.iter().fold(0, join),
        false => bytes.iter().rev().fold(0, join),
    }
}

fn get_integer(bytes: &[u8], big: bool, signed: bool) -> f64 {
    let bits = get_bits(bytes, big);
    if !signed {
        return bits as f64;
    }
    match bytes.len() {
        0 => 0.0,
        size @ 1..8 => {
            let unused = 64 - 8 * size;
            ((bits << unused) as i64 >> unused) as f64
        }
        _ => bits as i64 as f64,
    }
}

/// `size(format)`
fn size(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut format = Format::at_first_argument(call)?;
    let mut position = 0_usize;
    while let Some(item) = format.next(call)? {
        match item {
            Item::Text => return Err(Error::argument(1, "option 's' has no fixed size")),
            Item::Bytes(0) => return Err(Error::argument(1, "option 'c0' has no fixed size")),
            _ => {}
        }
        position += format.padding(item, position) + item.size();
    }
    call.push_number(position as f64)?;
    Ok(1)
}

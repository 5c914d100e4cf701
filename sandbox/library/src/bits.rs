//! The modules `bit` (LuaJIT's own, which is LuaBitOp) and `bit32` (Lua 5.2's): operations on the bits of 32-bit numbers.

use sandbox::native::{Builtin, Call, Error, Function, Registry, function};

/// Bits of a number.
const WIDTH: i64 = 32;

const BIT32: &[(&str, Function)] = &[
    ("arshift", function(arshift)),
    ("band", function(band)),
    ("bnot", function(bnot)),
    ("bor", function(bor)),
    ("btest", function(btest)),
    ("bxor", function(bxor)),
    ("extract", function(extract)),
    ("lrotate", function(lrotate)),
    ("lshift", function(lshift)),
    ("replace", function(replace)),
    ("rrotate", function(rrotate)),
    ("rshift", function(rshift)),
];

/// Offers `bit` and `bit32`.
pub fn register(registry: &mut Registry) {
    registry.add("bit", function(open_bit));
    registry.add("bit32", function(open_bit32));
}

fn open_bit(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_builtin(Builtin::Bit)?;
    Ok(1)
}

fn open_bit32(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(BIT32)?;
    Ok(1)
}

/// Argument `i` modulo 2^32; what follows the point is cut, and what is no finite number is 0.
fn check_bits(call: &Call<'_>, i: i32) -> Result<u32, Error> {
    let number = call.check_number(i)?.trunc();
    Ok(number.rem_euclid(4_294_967_296.0) as u32)
}

/// A distance to shift by; beyond the width it makes no difference.
fn check_distance(call: &Call<'_>, i: i32) -> Result<i64, Error> {
    Ok(call.check_integer(i)?.clamp(-WIDTH, WIDTH))
}

fn push(call: &mut Call<'_>, bits: u32) -> Result<usize, Error> {
    call.push_number(bits.into())?;
    Ok(1)
}

/// Joins all arguments, beginning with `first`.
fn fold(call: &mut Call<'_>, first: u32, join: fn(u32, u32) -> u32) -> Result<u32, Error> {
    let n_args = call.arg_count() as i32;
    call.charge(n_args.unsigned_abs())?;
    (1..=n_args).try_fold(first, |bits, i| Ok(join(bits, check_bits(call, i)?)))
}

fn band(call: &mut Call<'_>) -> Result<usize, Error> {
    let bits = fold(call, u32::MAX, |a, b| a & b)?;
    push(call, bits)
}

fn bor(call: &mut Call<'_>) -> Result<usize, Error> {
    let bits = fold(call, 0, |a, b| a | b)?;
    push(call, bits)
}

fn bxor(call: &mut Call<'_>) -> Result<usize, Error> {
    let bits = fold(call, 0, |a, b| a ^ b)?;
    push(call, bits)
}

fn btest(call: &mut Call<'_>) -> Result<usize, Error> {
    let bits = fold(call, u32::MAX, |a, b| a & b)?;
    call.push_bool(bits != 0)?;
    Ok(1)
}

fn bnot(call: &mut Call<'_>) -> Result<usize, Error> {
    let bits = check_bits(call, 1)?;
    push(call, !bits)
}

/// Shifts left by a distance that may be negative; zeros come in.
fn shift(bits: u32, distance: i64) -> u32 {
    match distance {
        0..WIDTH => bits << distance,
        _ if -WIDTH < distance && distance < 0 => bits >> -distance,
        _ => 0,
    }
}

fn lshift(call: &mut Call<'_>) -> Result<usize, Error> {
    let bits = shift(check_bits(call, 1)?, check_distance(call, 2)?);
    push(call, bits)
}

fn rshift(call: &mut Call<'_>) -> Result<usize, Error> {
    let bits = shift(check_bits(call, 1)?, -check_distance(call, 2)?);
    push(call, bits)
}

fn arshift(call: &mut Call<'_>) -> Result<usize, Error> {
    let (bits, distance) = (check_bits(call, 1)?, check_distance(call, 2)?);
    let shifted = match distance {
        ..0 => shift(bits, -distance),
        _ => (bits as i32 >> distance.min(WIDTH - 1)) as u32,
    };
    push(call, shifted)
}

fn lrotate(call: &mut Call<'_>) -> Result<usize, Error> {
    let (bits, distance) = (check_bits(call, 1)?, call.check_integer(2)?);
    push(call, bits.rotate_left(distance.rem_euclid(WIDTH) as u32))
}

fn rrotate(call: &mut Call<'_>) -> Result<usize, Error> {
    let (bits, distance) = (check_bits(call, 1)?, call.check_integer(2)?);
    push(call, bits.rotate_right(distance.rem_euclid(WIDTH) as u32))
}

/// First bit and mask of the field that arguments `i` (first bit) and `i + 1` (width, 1 if not given) describe.
fn check_field(call: &Call<'_>, i: i32) -> Result<(i64, u32), Error> {
    let first = call.check_integer(i)?;
    let width = call.opt_integer(i + 1)?.unwrap_or(1);
    if first < 0 {
        return Err(Error::argument(i, "field cannot be negative"));
    }
    if width <= 0 {
        return Err(Error::argument(i + 1, "width must be positive"));
    }
    if first.saturating_add(width) > WIDTH {
        return Err(Error::new("trying to access non-existent bits"));
    }
    Ok((first, u32::MAX >> (WIDTH - width)))
}

/// `extract(bits, first[, width])`
fn extract(call: &mut Call<'_>) -> Result<usize, Error> {
    let bits = check_bits(call, 1)?;
    let (first, mask) = check_field(call, 2)?;
    push(call, bits >> first & mask)
}

/// `replace(bits, field, first[, width])`
fn replace(call: &mut Call<'_>) -> Result<usize, Error> {
    let (bits, field) = (check_bits(call, 1)?, check_bits(call, 2)?);
    let (first, mask) = check_field(call, 3)?;
    push(call, bits & !(mask << first) | (field & mask) << first)
}

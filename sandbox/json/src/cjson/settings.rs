//! The settings of `cjson`, one table per Lua state, and the functions that show and change them.

use sandbox::native::{Call, Error, Type};

/// Positions in the table of settings.
mod at {
    pub(super) const DECODE_INVALID_NUMBERS: i64 = 1;
    pub(super) const DECODE_MAX_DEPTH: i64 = 2;
    pub(super) const DECODE_NULL: i64 = 3;
    pub(super) const ENCODE_INVALID_NUMBERS: i64 = 4;
    pub(super) const ENCODE_MAX_DEPTH: i64 = 5;
    pub(super) const ENCODE_NUMBER_PRECISION: i64 = 6;
    pub(super) const SPARSE_CONVERT: i64 = 7;
    pub(super) const SPARSE_RATIO: i64 = 8;
    pub(super) const SPARSE_SAFE: i64 = 9;
}

/// Lua CJSON's defaults, in the order of [`at`].
const DEFAULTS: [i64; 9] = [1, 1000, 0, 0, 1000, 14, 0, 2, 10];

/// Largest value of a setting without a bound of its own: C's `INT_MAX`, as upstream's error texts say.
const INT_MAX: i64 = i32::MAX as i64;

/// Most digits that tell any two doubles apart.
const PRECISION_MAX: i64 = 17;

/// How `decode` works.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decoding {
    /// Take NaN, infinities, hexadecimal numbers, leading zeros and plus signs.
    pub(super) invalid_numbers: bool,
    pub(super) max_depth: usize,
    /// `null` becomes `cjson.null` instead of nil.
    pub(super) null: bool,
}

/// What becomes of NaN and the infinities.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Invalid {
    Refused,
    Written,
    Null,
}

/// How `encode` works.
#[derive(Clone, Copy, Debug)]
pub(super) struct Encoding {
    pub(super) invalid_numbers: Invalid,
    pub(super) max_depth: usize,
    /// Significant digits of a number.
    pub(super) precision: usize,
    /// Arrays that are too sparse become objects instead of an error.
    pub(super) sparse_convert: bool,
    /// An array is too sparse with more than so many places for each item; 0 for never.
    pub(super) sparse_ratio: u64,
    /// Arrays with at most so many places are never too sparse.
    pub(super) sparse_safe: u64,
}

/// Pushes a table with the defaults.
pub(super) fn push_defaults(call: &mut Call<'_>) -> Result<(), Error> {
    call.push_table(DEFAULTS.len(), 0)?;
    for (i, value) in (1..).zip(DEFAULTS) {
        call.push_integer(value)?;
        call.raw_set_index(-2, i)?;
    }
    Ok(())
}

impl Decoding {
    pub(super) fn read(call: &mut Call<'_>) -> Result<Decoding, Error> {
        let [invalid_numbers, max_depth, null] = read(call, at::DECODE_INVALID_NUMBERS)?;
        Ok(Decoding {
            invalid_numbers: invalid_numbers != 0,
            max_depth: max_depth as usize,
            null: null != 0,
        })
    }
}

impl Encoding {
    pub(super) fn read(call: &mut Call<'_>) -> Result<Encoding, Error> {
        let [invalid_numbers, max_depth, precision, convert, ratio, safe] =
            read(call, at::ENCODE_INVALID_NUMBERS)?;
        Ok(Encoding {
            invalid_numbers: match invalid_numbers {
                0 => Invalid::Refused,
                1 => Invalid::Written,
                _ => Invalid::Null,
            },
            max_depth: max_depth as usize,
            precision: precision as usize,
            sparse_convert: convert != 0,
            sparse_ratio: ratio as u64,
            sparse_safe: safe as u64,
        })
    }
}

/// Reads settings that lie side by side.
fn read<const N: usize>(call: &mut Call<'_>, first: i64) -> Result<[i64; N], Error> {
    let mut values = [0; N];
    call.push_upvalue(1)?;
    for (i, value) in (first..).zip(&mut values) {
        call.raw_get_index(-1, i)?;
        *value = call.number_at(-1).unwrap_or(0.0) as i64;
        call.pop(1);
    }
    call.pop(1);
    Ok(values)
}

fn write(call: &mut Call<'_>, i: i64, value: i64) -> Result<(), Error> {
    call.push_upvalue(1)?;
    call.push_integer(value)?;
    call.raw_set_index(-2, i)?;
    call.pop(1);
    Ok(())
}

fn too_many(call: &Call<'_>, n_args: usize) -> Result<(), Error> {
    if call.arg_count() > n_args {
        return Err(Error::argument(
            n_args as i32 + 1,
            "found too many arguments",
        ));
    }
    Ok(())
}

/// Whether there is an argument `arg`, rather than a result that was pushed to its place.
fn is_given(call: &Call<'_>, arg: i32) -> bool {
    arg as usize <= call.arg_count()
}

/// A setting that is a whole number: sets it when argument `arg` is given, and pushes it.
fn integer(call: &mut Call<'_>, arg: i32, i: i64, range: (i64, i64)) -> Result<(), Error> {
    let (min, max) = range;
    if is_given(call, arg)
        && let Some(value) = call.opt_integer(arg)?
    {
        if !(min..=max).contains(&value) {
            let text = format!("expected integer between {min} and {max}");
            return Err(Error::argument(1, text));
        }
        write(call, i, value)?;
    }
    let [value] = read(call, i)?;
    call.push_integer(value)
}

/// A setting with names: sets it when argument `arg` is given, and pushes it. The first two are false and true as well.
fn choice(call: &mut Call<'_>, arg: i32, i: i64, names: &[&str]) -> Result<(), Error> {
    if !is_given(call, arg) {
        // Only shown.
    } else if call.type_of(arg) == Type::Boolean {
        let truth = call.is_true(arg);
        write(call, i, truth.into())?;
    } else if !call.is_none_or_nil(arg) {
        let given = call.check_bytes(arg)?;
        let Some(value) = names.iter().position(|name| name.as_bytes() == given) else {
            let given = String::from_utf8_lossy(given);
            return Err(Error::argument(arg, format!("invalid option '{given}'")));
        };
        write(call, i, value as i64)?;
    }
    match read(call, i)? {
        [value @ (0 | 1)] => call.push_bool(value == 1),
        [value] => call.push_bytes(names[value as usize]),
    }
}

const OFF_ON: &[&str] = &["off", "on"];
const OFF_ON_NULL: &[&str] = &["off", "on", "null"];

/// `decode_invalid_numbers([setting])`
pub(super) fn decode_invalid_numbers(call: &mut Call<'_>) -> Result<usize, Error> {
    too_many(call, 1)?;
    choice(call, 1, at::DECODE_INVALID_NUMBERS, OFF_ON)?;
    Ok(1)
}

/// `decode_max_depth([depth])`
pub(super) fn decode_max_depth(call: &mut Call<'_>) -> Result<usize, Error> {
    too_many(call, 1)?;
    integer(call, 1, at::DECODE_MAX_DEPTH, (1, INT_MAX))?;
    Ok(1)
}

/// `decode_null([setting])`
pub(super) fn decode_null(call: &mut Call<'_>) -> Result<usize, Error> {
    too_many(call, 1)?;
    choice(call, 1, at::DECODE_NULL, OFF_ON)?;
    Ok(1)
}

/// `encode_invalid_numbers([setting])`
pub(super) fn encode_invalid_numbers(call: &mut Call<'_>) -> Result<usize, Error> {
    too_many(call, 1)?;
    choice(call, 1, at::ENCODE_INVALID_NUMBERS, OFF_ON_NULL)?;
    Ok(1)
}

/// `encode_max_depth([depth])`
pub(super) fn encode_max_depth(call: &mut Call<'_>) -> Result<usize, Error> {
    too_many(call, 1)?;
    integer(call, 1, at::ENCODE_MAX_DEPTH, (1, INT_MAX))?;
    Ok(1)
}

/// `encode_number_precision([digits])`
pub(super) fn encode_number_precision(call: &mut Call<'_>) -> Result<usize, Error> {
    too_many(call, 1)?;
    integer(call, 1, at::ENCODE_NUMBER_PRECISION, (1, PRECISION_MAX))?;
    Ok(1)
}

/// `encode_sparse_array([convert [, ratio [, safe]]])`
pub(super) fn encode_sparse_array(call: &mut Call<'_>) -> Result<usize, Error> {
    too_many(call, 3)?;
    choice(call, 1, at::SPARSE_CONVERT, OFF_ON)?;
    integer(call, 2, at::SPARSE_RATIO, (0, INT_MAX))?;
    integer(call, 3, at::SPARSE_SAFE, (0, INT_MAX))?;
    Ok(3)
}

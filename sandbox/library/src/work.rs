//! How codecs stay within a plugin's limits: work is charged by the byte, output is gathered piece by piece.

use sandbox::native::{Call, Error};

/// What is compressed or expanded between two looks at the limits, in bytes. At the slowest speed of any codec here this
/// takes a few milliseconds.
pub const PIECE: usize = 64 * 1024;

/// Charges `steps_per_kib` steps for each 1024 of `n_bytes`, and one more.
///
/// # Errors
/// When the call has to end; must be passed on.
pub fn charge(call: &mut Call<'_>, n_bytes: usize, steps_per_kib: usize) -> Result<(), Error> {
    let steps = n_bytes.saturating_mul(steps_per_kib) / 1024 + 1;
    call.charge(u32::try_from(steps).unwrap_or(u32::MAX))
}

/// Makes room for `extra` more bytes in `output`, if the plugin may have them twice: once here, and once more as the Lua
/// string that is made of them.
///
/// # Errors
/// `not enough memory`
pub fn make_room(call: &Call<'_>, output: &mut Vec<u8>, extra: usize) -> Result<(), Error> {
    let wanted = output.len().saturating_add(extra);
    call.check_memory(wanted.saturating_mul(2))?;
    if output.capacity() < wanted {
        // Doubling what is small and adding a quarter to what is large keeps the copies few and the waste bounded.
        let grown = output.len() + (output.len() / 4).max(extra);
        output.reserve_exact(grown - output.len());
    }
    Ok(())
}

/// Pushes what was gathered as a string.
///
/// # Errors
/// At the memory limit.
pub fn push_output(call: &mut Call<'_>, output: Vec<u8>) -> Result<(), Error> {
    call.check_memory(output.capacity().saturating_add(output.len()))?;
    call.push_bytes(output)
}

/// A whole number argument as C's `int`, which is what upstream's modules read: larger ones are cut to the range.
///
/// # Errors
/// As [`Call::check_number`].
pub fn opt_int(call: &Call<'_>, i: i32, default: i32) -> Result<i32, Error> {
    Ok(call.opt_integer(i)?.map_or(default, |number| {
        number.clamp(i32::MIN.into(), i32::MAX.into()) as i32
    }))
}

//! Running checksums: closures that keep the sum and the number of bytes so far.

use sandbox::native::{Call, Error, Function, Type, function};

use crate::work::charge;

/// A byte takes less than a nanosecond.
const STEPS_PER_KIB: usize = 128;
/// The modulus of Adler-32.
const ADLER_BASE: u64 = 65_521;
/// So many bytes can be added before the sums of Adler-32 leave 32 bits (RFC 1950; zlib's NMAX).
const ADLER_BATCH: usize = 5552;

/// A kind of checksum.
trait Sum {
    /// The sum of no bytes.
    const FIRST: u32;

    /// The sum after `bytes`, when it was `sum` before.
    fn add(sum: u32, bytes: &[u8]) -> u32;

    /// The sum of two texts joined, from the sums of both and the length of the second.
    fn combine(first: u32, second: u32, len: u64) -> u32;
}

struct Crc32;

impl Sum for Crc32 {
    const FIRST: u32 = 0;

    fn add(sum: u32, bytes: &[u8]) -> u32 {
        let mut hasher = crc32fast::Hasher::new_with_initial(sum);
        hasher.update(bytes);
        hasher.finalize()
    }

    fn combine(first: u32, second: u32, len: u64) -> u32 {
        let mut hasher = crc32fast::Hasher::new_with_initial(first);
        hasher.combine(&crc32fast::Hasher::new_with_initial_len(second, len));
        hasher.finalize()
    }
}

struct Adler32;

impl Sum for Adler32 {
    const FIRST: u32 = 1;

    fn add(sum: u32, bytes: &[u8]) -> u32 {
        let (mut low, mut high) = (u64::from(sum & 0xffff), u64::from(sum >> 16));
        for batch in bytes.chunks(ADLER_BATCH) {
            for &byte in batch {
                low += u64::from(byte);
                high += low;
            }
            low %= ADLER_BASE;
            high %= ADLER_BASE;
        }
        (high << 16 | low) as u32
    }

    fn combine(first: u32, second: u32, len: u64) -> u32 {
        let parts = |sum: u32| (u64::from(sum & 0xffff), u64::from(sum >> 16));
        let ((low_1, high_1), (low_2, high_2)) = (parts(first), parts(second));
        // The second sum began at 1 instead of at the first's low half, which each of its bytes added to the high half.
        let low = (low_1 + low_2 + ADLER_BASE - 1) % ADLER_BASE;
        let added = (low_1 + ADLER_BASE - 1) % ADLER_BASE * (len % ADLER_BASE);
        let high = (high_1 + high_2 + added) % ADLER_BASE;
        (high << 16 | low) as u32
    }
}

/// `crc32()`
pub(super) fn crc32(call: &mut Call<'_>) -> Result<usize, Error> {
    push_sum::<Crc32>(call, function(running::<Crc32>))
}

/// `adler32()`
pub(super) fn adler32(call: &mut Call<'_>) -> Result<usize, Error> {
    push_sum::<Adler32>(call, function(running::<Adler32>))
}

fn push_sum<S: Sum>(call: &mut Call<'_>, running: Function) -> Result<usize, Error> {
    call.push_number(S::FIRST.into())?;
    call.push_number(0.0)?;
    call.push_closure(running, 2)?;
    Ok(1)
}

/// `sum([text or another sum])`: the checksum and the number of bytes so far.
fn running<S: Sum>(call: &mut Call<'_>) -> Result<usize, Error> {
    let text = match call.type_of(1) {
        Type::None | Type::Function => &[][..],
        _ => call.check_bytes(1)?,
    };
    charge(call, text.len(), STEPS_PER_KIB)?;
    let (mut sum, mut len) = (upvalue(call, 1)? as u32, upvalue(call, 2)?);
    if call.type_of(1) == Type::Function {
        let (second, second_len) = call_other(call)?;
        sum = S::combine(sum, second, second_len as u64);
        len += second_len;
    } else {
        sum = S::add(sum, text);
        len += text.len() as f64;
    }
    call.push_number(sum.into())?;
    call.set_upvalue(1);
    call.push_number(len)?;
    call.set_upvalue(2);
    call.push_number(sum.into())?;
    call.push_number(len)?;
    Ok(2)
}

fn upvalue(call: &mut Call<'_>, i: u8) -> Result<f64, Error> {
    call.push_upvalue(i)?;
    let number = call.number_at(-1).unwrap_or_default();
    call.pop(1);
    Ok(number)
}

/// Asks the checksum in argument 1 for its sum and length.
fn call_other(call: &mut Call<'_>) -> Result<(u32, f64), Error> {
    call.push_value(1)?;
    call.call(0, 2)?;
    let numbers = (call.to_number(-2), call.to_number(-1));
    call.pop(2);
    match numbers {
        (Some(sum), Some(len)) => Ok((sum as u32, len)),
        _ => Err(Error::argument(
            1,
            "expected function to return two numbers",
        )),
    }
}

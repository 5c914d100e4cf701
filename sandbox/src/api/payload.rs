//! `add_to_payload`, `inject_payload` and `output`: text that a plugin gathers.

use std::io::Write as _;

use super::inject;
use crate::native::{Call, Error, Type};

/// `add_to_payload(args...)`, also `output`
pub(super) fn add_to_payload(call: &mut Call<'_>) -> Result<usize, Error> {
    if call.arg_count() == 0 {
        return Err(Error::argument(0, "must have at least one argument"));
    }
    append_arguments(call, 1)?;
    Ok(0)
}

/// `inject_payload([type [, name [, args...]]])`: makes a message of what was gathered.
pub(super) fn inject_payload(call: &mut Call<'_>) -> Result<usize, Error> {
    let n_args = call.arg_count();
    let mut payload_type: &[u8] = b"txt";
    if n_args > 0 {
        payload_type = string_argument(call, 1, "payload_type")?;
    }
    let mut payload_name = None;
    if n_args > 1 {
        payload_name = Some(string_argument(call, 2, "payload_name")?);
    }
    if n_args > 2 {
        append_arguments(call, 3)?;
    }
    if call.shared().payload.borrow().is_empty() {
        return Ok(0);
    }
    inject::inject_gathered(call, payload_type, payload_name)?;
    Ok(0)
}

fn string_argument<'a>(call: &Call<'a>, i: i32, name: &str) -> Result<&'a [u8], Error> {
    if call.type_of(i) != Type::String {
        return Err(Error::new(format!(
            "inject_payload() {name} argument must be a string"
        )));
    }
    call.check_bytes(i)
}

/// Appends the arguments from `first` on to the payload. What was appended before an error stays.
fn append_arguments(call: &mut Call<'_>, first: i32) -> Result<(), Error> {
    let shared = call.shared();
    let mut payload = shared.payload.borrow_mut();
    for i in first..=call.arg_count() as i32 {
        append(call, i, &mut payload)?;
        shared.note_output(payload.len());
        if payload.len() > call.output_limit() {
            payload.clear();
            payload.shrink_to(call.output_limit());
            return Err(Error::new("output_limit exceeded"));
        }
    }
    Ok(())
}

fn append(call: &Call<'_>, i: i32, out: &mut Vec<u8>) -> Result<(), Error> {
    match call.type_of(i) {
        Type::Number => write_number(call.check_number(i)?, out),
        Type::String => {
            let text = call.check_bytes(i)?;
            let len = out.len().saturating_add(text.len());
            if len > call.output_limit() {
                call.shared().note_output(len);
                return Err(Error::new("output_limit exceeded"));
            }
            out.extend_from_slice(text);
        }
        Type::Nil => out.extend_from_slice(b"nil"),
        Type::Boolean => out.extend_from_slice(if call.is_true(i) { b"true" } else { b"false" }),
        Type::Userdata => match call.write_object(i, out) {
            Some(Ok(())) => {}
            Some(Err(text)) => return Err(Error::argument(i, text)),
            None => return Err(Error::argument(i, "unknown userdata type")),
        },
        _ => return Err(Error::argument(i, "unsupported type")),
    }
    Ok(())
}

/// Decimals that a payload shows at most.
const DECIMALS: f64 = 1e8;

/// Appends a number as Hindsight's payloads show it: up to eight decimals, without trailing zeros; beyond the range of
/// a C `int` 17 significant digits, with an exponent where that is shorter.
pub fn write_number(number: f64, out: &mut Vec<u8>) {
    if number.is_nan() {
        return out.extend_from_slice(b"nan");
    }
    if number.is_infinite() {
        return out.extend_from_slice(if number > 0.0 { b"inf" } else { b"-inf" });
    }
    if number > f64::from(i32::MAX) || number < f64::from(i32::MIN) {
        return write_significant(number, out);
    }
    let size = number.abs();
    let mut whole = size as u64;
    let scaled = (size - whole as f64) * DECIMALS;
    let mut fraction = scaled as u64;
    let rest = scaled - fraction as f64;
    // An exact half goes up to an even digit, as in Hindsight, whose rule also lifts a fraction of zero.
    if rest > 0.5 || rest == 0.5 && (fraction == 0 || fraction % 2 == 1) {
        fraction += 1;
    }
    if fraction >= DECIMALS as u64 {
        (whole, fraction) = (whole + 1, 0);
    }
    if number < 0.0 {
        out.push(b'-');
    }
    write!(out, "{whole}").expect("writing to memory cannot fail");
    if fraction > 0 {
        write!(out, ".{fraction:08}").expect("writing to memory cannot fail");
        while out.last() == Some(&b'0') {
            out.pop();
        }
    }
}

/// Appends a number with 17 significant digits, as C's `%.17g` does.
fn write_significant(number: f64, out: &mut Vec<u8>) {
    let text = format!("{number:.16e}");
    let (digits, exponent) = text.split_once('e').expect("this format has an exponent");
    let exponent: i32 = exponent.parse().expect("an exponent is a small number");
    // Only large numbers come here, so the exponent is positive.
    if exponent < 17 {
        let decimals = (16 - exponent) as usize;
        let plain = format!("{number:.decimals$}");
        let plain = if plain.contains('.') {
            trim(&plain)
        } else {
            &plain
        };
        out.extend_from_slice(plain.as_bytes());
    } else {
        write!(out, "{}e+{exponent:02}", trim(digits)).expect("writing to memory cannot fail");
    }
}

/// Without zeros at the end of the fraction.
fn trim(number: &str) -> &str {
    number.trim_end_matches('0').trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::write_number;

    fn text(number: f64) -> String {
        let mut out = Vec::new();
        write_number(number, &mut out);
        String::from_utf8(out).expect("numbers are ASCII")
    }

    #[test]
    fn numbers_look_like_hindsights() {
        let cases = [
            (0.333_333_333_333, "0.33333333"),
            (1e-9, "0"),
            (-0.0, "0"),
            (0.999_999_999, "1"),
            (1.5, "1.5"),
            (-2.25, "-2.25"),
            (100.0, "100"),
            (2_147_483_647.0, "2147483647"),
            (2_147_483_648.0, "2147483648"),
            (-2_147_483_648.0, "-2147483648"),
            (1e10, "10000000000"),
            (10_000_000_000.5, "10000000000.5"),
            (1_428_523_950_000_000_000.0, "1.42852395e+18"),
            (1e100, "1e+100"),
            (f64::NAN, "nan"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        for (number, expected) in cases {
            assert_eq!(text(number), expected);
        }
    }
}

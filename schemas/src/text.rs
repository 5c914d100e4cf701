//! A message as text for people, in the form that `lsb_heka_cat` prints.
//!
//! ```text
//! :Uuid: 00112233-4455-4677-a899-aabbccddeeff
//! :Timestamp: 2026-01-02T03:04:05.678901234Z
//! :Type: nginx.access
//! :Logger: <nil>
//! :Severity: 7
//! :Payload: <nil>
//! :EnvVersion: <nil>
//! :Pid: 4711
//! :Hostname: web1
//! :Fields:
//!     | name: status type: 2 representation: <nil> value: 200|404
//! ```
//!
//! and an empty line. Text goes out as it is; bytes values have everything that is not printable ASCII as `\xNN`.
//! Timestamps are exact to the nanosecond.

use std::io::{self, Write};

use crate::uuid;
use crate::view::{FieldView, Value, View};

const NANOSECONDS_PER_SECOND: i64 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// What stands for a header that the message does not have.
const NIL: &[u8] = b"<nil>";

/// Writes one message.
///
/// # Errors
/// Those of `out`.
pub fn write_message(view: &View<'_>, out: &mut impl Write) -> io::Result<()> {
    out.write_all(b":Uuid: ")?;
    match view.uuid().and_then(uuid::parse) {
        Some(raw) => out.write_all(&uuid::format(&raw))?,
        None => out.write_all(NIL)?,
    }
    out.write_all(b"\n:Timestamp: ")?;
    write_timestamp(view.timestamp(), out)?;
    write_text("\n:Type: ", view.type_(), out)?;
    write_text("\n:Logger: ", view.logger(), out)?;
    write!(out, "\n:Severity: {}", view.severity())?;
    write_text("\n:Payload: ", view.payload(), out)?;
    write_text("\n:EnvVersion: ", view.env_version(), out)?;
    match view.pid() {
        Some(pid) => write!(out, "\n:Pid: {pid}")?,
        None => write_text("\n:Pid: ", None, out)?,
    }
    write_text("\n:Hostname: ", view.hostname(), out)?;
    out.write_all(b"\n:Fields:\n")?;
    for field in view.fields() {
        write_field(&field, out)?;
    }
    out.write_all(b"\n")
}

fn write_text(label: &str, text: Option<&[u8]>, out: &mut impl Write) -> io::Result<()> {
    out.write_all(label.as_bytes())?;
    out.write_all(text.unwrap_or(NIL))
}

fn write_field(field: &FieldView<'_>, out: &mut impl Write) -> io::Result<()> {
    out.write_all(b"    | name: ")?;
    out.write_all(field.name())?;
    write!(out, " type: {} ", field.value_type() as u8)?;
    write_text("representation: ", field.representation(), out)?;
    out.write_all(b" value: ")?;
    for (idx, value) in field.values().enumerate() {
        if idx > 0 {
            out.write_all(b"|")?;
        }
        write_value(value, out)?;
    }
    out.write_all(b"\n")
}

fn write_value(value: Value<'_>, out: &mut impl Write) -> io::Result<()> {
    match value {
        Value::String(text) => out.write_all(text),
        Value::Bytes(bytes) => write_escaped(bytes, out),
        Value::Integer(number) => write!(out, "{number}"),
        Value::Double(number) => write_double(number, out),
        Value::Bool(truth) => write!(out, "{truth}"),
    }
}

fn write_escaped(bytes: &[u8], out: &mut impl Write) -> io::Result<()> {
    for &byte in bytes {
        match byte {
            b'\\' => out.write_all(b"\\\\")?,
            b' '..=b'~' => out.write_all(&[byte])?,
            _ => write!(out, "\\x{byte:02x}")?,
        }
    }
    Ok(())
}

/// Writes nanoseconds since 1970 as `2026-01-02T03:04:05.678901234Z`, for any 64-bit number.
///
/// # Errors
/// Those of `out`.
pub fn write_timestamp(timestamp: i64, out: &mut impl Write) -> io::Result<()> {
    let seconds = timestamp.div_euclid(NANOSECONDS_PER_SECOND);
    let nanoseconds = timestamp.rem_euclid(NANOSECONDS_PER_SECOND);
    let (year, month, day) = date(seconds.div_euclid(SECONDS_PER_DAY));
    let second = seconds.rem_euclid(SECONDS_PER_DAY);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    write!(
        out,
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanoseconds:09}Z"
    )
}

/// Year, month and day of the Gregorian calendar, `days` after 1970-01-01.
fn date(days: i64) -> (i64, i64, i64) {
    // Years are counted from the first of March, so that the leap day is the last one of its year; 719,468 days lie
    // between 0000-03-01 and 1970-01-01, and 146,097 days make 400 years.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let leap_days = day_of_era / 1460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // From March on, months have 30.6 days on average, and this fits each of them.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    (400 * era + year_of_era + i64::from(month <= 2), month, day)
}

/// Writes a double as C's `%.17g` does: 17 significant digits, trailing zeros removed.
///
/// # Errors
/// Those of `out`.
pub fn write_double(number: f64, out: &mut impl Write) -> io::Result<()> {
    if !number.is_finite() {
        let sign = if number.is_sign_negative() { "-" } else { "" };
        return write!(out, "{sign}{}", if number.is_nan() { "nan" } else { "inf" });
    }
    // Sign, 17 digits, point, and an exponent of up to 5 characters: 24.
    let mut buf = [0u8; 32];
    let mut cursor = io::Cursor::new(&mut buf[..]);
    write!(cursor, "{:.16e}", number.abs())?;
    let len = cursor.position() as usize;
    let text = std::str::from_utf8(&buf[..len]).expect("formatted numbers are ASCII");
    let (mantissa, exponent) = text
        .split_once('e')
        .expect("scientific form has an exponent");
    let exponent: i32 = exponent.parse().expect("the exponent was just written");
    if number.is_sign_negative() {
        out.write_all(b"-")?;
    }
    if (-4..17).contains(&exponent) {
        write_fixed(mantissa, exponent, out)
    } else {
        let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
        let sign = if exponent < 0 { '-' } else { '+' };
        write!(out, "{mantissa}e{sign}{:02}", exponent.abs())
    }
}

/// Writes `d.dddd` times ten to the power of `exponent`, from -4 to 16, without an exponent.
fn write_fixed(mantissa: &str, exponent: i32, out: &mut impl Write) -> io::Result<()> {
    let (first, rest) = mantissa.split_at(1);
    let rest = rest.trim_start_matches('.').trim_end_matches('0');
    if exponent < 0 {
        // One zero before the point, and one behind it for each power of ten below the first.
        out.write_all(&b"0.000"[..(1 - exponent) as usize])?;
        return write!(out, "{first}{rest}");
    }
    // Digits that were trimmed off before the point come back as zeros.
    let exponent = exponent as usize;
    let (whole, fraction) = rest.split_at(exponent.min(rest.len()));
    let point = if fraction.is_empty() { "" } else { "." };
    write!(out, "{first}{whole:0<exponent$}{point}{fraction}")
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;

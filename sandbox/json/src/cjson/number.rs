//! The numbers of `cjson` beyond plain decimal ones: what C's `strtod` reads, and what C's `%.14g` writes.

use crate::scan::decimal;

/// Whether a number begins here that JSON does not have but [`odd`] may read: a plus sign, a leading zero, a hexadecimal
/// number, infinity or NaN.
pub(super) fn looks_invalid(text: &[u8]) -> bool {
    if text.first() == Some(&b'+') {
        return true;
    }
    let text = text.strip_prefix(b"-").unwrap_or(text);
    match text {
        [b'0', next, ..] => next.is_ascii_digit() || next | 0x20 == b'x',
        [first, ..] if *first > b'9' => {
            let begins = |word: &[u8]| text.len() >= 3 && text[..3].eq_ignore_ascii_case(word);
            begins(b"inf") || begins(b"nan")
        }
        _ => false,
    }
}

/// Reads any number that C's `strtod` would, and its length; those that JSON does not have only if `invalid` allows.
pub(super) fn odd(text: &[u8], invalid: bool) -> Option<(f64, usize)> {
    if !invalid && looks_invalid(text) {
        return None;
    }
    let sign = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    let negative = text.first() == Some(&b'-');
    let rest = &text[sign..];
    let (value, len) = hexadecimal(rest)
        .or_else(|| word(rest))
        .or_else(|| plain(rest))?;
    Some((if negative { -value } else { value }, sign + len))
}

fn plain(text: &[u8]) -> Option<(f64, usize)> {
    if text.first() == Some(&b'-') {
        return None;
    }
    let number = decimal(text, 0);
    if number.n_whole == 0 && !number.has_fraction {
        return None;
    }
    Some((number.value(text, 0), number.end))
}

fn word(text: &[u8]) -> Option<(f64, usize)> {
    let begins =
        |word: &[u8]| text.len() >= word.len() && text[..word.len()].eq_ignore_ascii_case(word);
    if begins(b"infinity") {
        return Some((f64::INFINITY, 8));
    }
    if begins(b"inf") {
        return Some((f64::INFINITY, 3));
    }
    if !begins(b"nan") {
        return None;
    }
    // "nan(chars)" is one number too.
    let chars = text.get(4..).filter(|_| text.get(3) == Some(&b'('));
    let in_brackets = chars.and_then(|chars| {
        let n = chars
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
            .count();
        (chars.get(n) == Some(&b')')).then_some(n)
    });
    Some((f64::NAN, in_brackets.map_or(3, |n| 3 + n + 2)))
}

/// Largest power of two that matters; beyond it everything is infinity or zero.
const POWER_MAX: i64 = 1 << 20;

/// `0x1F`, `0x1.8p3`; none if no hexadecimal number begins here.
fn hexadecimal(text: &[u8]) -> Option<(f64, usize)> {
    let [b'0', b'x' | b'X', ..] = text else {
        return None;
    };
    let mut at = 2;
    let mut bits: u64 = 0;
    let mut power: i64 = 0;
    let mut n_digits = 0;
    let mut fraction = false;
    while let Some(&byte) = text.get(at) {
        if byte == b'.' && !fraction {
            fraction = true;
            at += 1;
            continue;
        }
        let Some(digit) = char::from(byte).to_digit(16) else {
            break;
        };
        if bits >> 58 == 0 {
            bits = bits << 4 | u64::from(digit);
            power -= if fraction { 4 } else { 0 };
        } else {
            // What no longer fits can only break ties.
            bits |= u64::from(digit != 0);
            power += if fraction { 0 } else { 4 };
        }
        n_digits += 1;
        at += 1;
    }
    if n_digits == 0 {
        return None;
    }
    if let Some((written, end)) = binary_exponent(text, at) {
        power += written;
        at = end;
    }
    Some((scale(bits as f64, power), at))
}

fn binary_exponent(text: &[u8], at: usize) -> Option<(i64, usize)> {
    let (b'p' | b'P') = text.get(at)? else {
        return None;
    };
    let sign = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
    let negative = text.get(at + 1) == Some(&b'-');
    let start = at + 1 + sign;
    let n = text[start..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let value = text[start..start + n].iter().fold(0, |value: i64, byte| {
        (value * 10 + i64::from(byte - b'0')).min(POWER_MAX)
    });
    (n > 0).then_some((if negative { -value } else { value }, start + n))
}

/// `value * 2^power`, in steps that stay within what doubles hold.
fn scale(mut value: f64, power: i64) -> f64 {
    let mut left = power.clamp(-POWER_MAX, POWER_MAX);
    while left != 0 && value != 0.0 && value.is_finite() {
        let step = left.clamp(-1000, 1000);
        value *= 2f64.powi(step as i32);
        left -= step;
    }
    value
}

/// A text of up to so many digits that a double is told apart by is what C writes with as many or more, up to this; small
/// numbers below the normal ones have fewer digits that mean something.
const SHORTEST_MAX: usize = 15;

/// Appends a finite number as C's `printf("%.*g")` does.
pub(super) fn write(number: f64, precision: usize, out: &mut Vec<u8>) {
    /// Whole numbers below are written as they are: with 14 digits none of them has an exponent.
    const WHOLE_MAX: f64 = 1e14;
    if precision == 14 && number.abs() < WHOLE_MAX && number.trunc() == number {
        if number == 0.0 && number.is_sign_negative() {
            out.push(b'-');
        }
        out.extend_from_slice(itoa::Buffer::new().format(number as i64).as_bytes());
        return;
    }
    let (digits, len, exponent) = significant(number.abs(), precision);
    if number.is_sign_negative() {
        out.push(b'-');
    }
    write_digits(&digits[..len], exponent, precision as i32, out);
}

/// Digits of a number, at most 17.
type Digits = [u8; 17];

/// The decimal digits without zeros at the end, how many they are, and the power of ten of the first.
fn significant(number: f64, precision: usize) -> (Digits, usize, i32) {
    if number == 0.0 {
        return ([b'0'; 17], 1, 0);
    }
    let mut buffer = zmij::Buffer::new();
    let (digits, len, exponent) = split(buffer.format_finite(number).as_bytes());
    let is_normal = number >= f64::MIN_POSITIVE;
    if is_normal && precision <= SHORTEST_MAX && len <= precision {
        return (digits, len, exponent);
    }
    // Rounding what was rounded before could go wrong, so the exact digits are asked for.
    split(format!("{:.*e}", precision - 1, number).as_bytes())
}

/// Takes a decimal text with or without point and exponent apart.
fn split(text: &[u8]) -> (Digits, usize, i32) {
    let mut digits = [b'0'; 17];
    let mut len = 0;
    let mut exponent: i32 = -1;
    let mut seen_point = false;
    for (i, &byte) in text.iter().enumerate() {
        match byte {
            b'.' => seen_point = true,
            b'e' | b'E' => {
                let written = std::str::from_utf8(&text[i + 1..]).expect("a number is ASCII");
                exponent += written.parse::<i32>().expect("a number's exponent");
                break;
            }
            b'0' if len == 0 => exponent -= i32::from(seen_point),
            digit => {
                if len < digits.len() {
                    digits[len] = digit;
                }
                len += 1;
                exponent += i32::from(!seen_point);
            }
        }
    }
    let mut len = len.min(digits.len());
    while len > 1 && digits[len - 1] == b'0' {
        len -= 1;
    }
    (digits, len, exponent)
}

fn write_digits(digits: &[u8], exponent: i32, precision: i32, out: &mut Vec<u8>) {
    let len = digits.len() as i32;
    let zeros = |n: i32| std::iter::repeat_n(b'0', n.max(0) as usize);
    if exponent < -4 || exponent >= precision {
        out.push(digits[0]);
        if len > 1 {
            out.push(b'.');
            out.extend_from_slice(&digits[1..]);
        }
        let sign = if exponent < 0 { '-' } else { '+' };
        out.extend_from_slice(format!("e{sign}{:02}", exponent.abs()).as_bytes());
    } else if exponent < 0 {
        out.extend_from_slice(b"0.");
        out.extend(zeros(-exponent - 1));
        out.extend_from_slice(digits);
    } else if len <= exponent + 1 {
        out.extend_from_slice(digits);
        out.extend(zeros(exponent + 1 - len));
    } else {
        let (whole, fraction) = digits.split_at(exponent as usize + 1);
        out.extend_from_slice(whole);
        out.push(b'.');
        out.extend_from_slice(fraction);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(number: f64, precision: usize) -> String {
        let mut out = Vec::new();
        write(number, precision, &mut out);
        String::from_utf8(out).expect("a number is ASCII")
    }

    #[test]
    fn numbers_are_written_as_c_does() {
        for (number, expected) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-12345678901234.0, "-12345678901234"),
            (99999999999999.0, "99999999999999"),
            (100000000000000.0, "1e+14"),
            (123456789012345.0, "1.2345678901234e+14"),
            (0.1, "0.1"),
            (1.0 / 3.0, "0.33333333333333"),
            (2.0 / 3.0, "0.66666666666667"),
            (1e-4, "0.0001"),
            (1.5e-5, "1.5e-05"),
            (1e300, "1e+300"),
            (1.7976931348623157e308, "1.7976931348623e+308"),
            (4.9e-324, "4.9406564584125e-324"),
            (123.456, "123.456"),
            (0.5, "0.5"),
            (99999999999999.5, "1e+14"),
            (9.99999999999995, "10"),
            (1428523950000000000.0, "1.42852395e+18"),
        ] {
            assert_eq!(text(number, 14), expected);
        }
        assert_eq!(text(0.1, 17), "0.10000000000000001");
        assert_eq!(text(3.0, 1), "3");
        assert_eq!(text(1234.0, 2), "1.2e+03");
        assert_eq!(text(1428523950000000001.0, 17), "1.42852395e+18");
        assert_eq!(text(123456789.0, 3), "1.23e+08");
    }

    #[test]
    fn odd_numbers_are_read_as_strtod_does() {
        let read = |text: &str| odd(text.as_bytes(), true);
        assert_eq!(read("0x1F"), Some((31.0, 4)));
        assert_eq!(read("-0X1.8p3z"), Some((-12.0, 8)));
        assert_eq!(read("0x"), Some((0.0, 1)));
        assert_eq!(read("0x1p99999999999"), Some((f64::INFINITY, 15)));
        assert_eq!(
            read("0xffffffffffffffffff").map(|n| n.0),
            Some(4722366482869645213695.0)
        );
        assert_eq!(read("+5"), Some((5.0, 2)));
        assert_eq!(read("007"), Some((7.0, 3)));
        assert_eq!(read("-.5"), Some((-0.5, 3)));
        assert_eq!(read("1."), Some((1.0, 2)));
        assert_eq!(read("Infinity]"), Some((f64::INFINITY, 8)));
        assert_eq!(read("-infi"), Some((f64::NEG_INFINITY, 4)));
        assert!(read("nAn").is_some_and(|(value, len)| value.is_nan() && len == 3));
        assert_eq!(read("nan(x_1)").map(|n| n.1), Some(8));
        assert_eq!(read("nan(x").map(|n| n.1), Some(3));
        for none in ["", "-", "+", "--1", "+-1", ".", "-.", "e5", "x", "na", "in"] {
            assert_eq!(read(none), None, "{none:?}");
        }
        for invalid in ["+1", "0x1", "01", "nan", "-inf", "-0x1", "-00"] {
            assert_eq!(odd(invalid.as_bytes(), false), None, "{invalid}");
        }
        assert_eq!(odd(b"-1.", false), Some((-1.0, 3)));
        assert_eq!(odd(b"0", false), Some((0.0, 1)));
    }
}

//! One conversion of `string.format`: reading its flags, and writing a number, a string or a quoted string.
#![allow(unsafe_code)]

use std::io::Write;

/// More flags than there are different ones means that one is repeated.
const MAX_FLAGS: usize = 5;
/// No number needs more: 309 digits before the point of the largest double, 99 after it, sign and point.
const MAX_FLOAT: usize = 512;

/// A conversion such as `%-5.2f`, taken apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spec {
    /// `-`: pad on the right.
    pub left: bool,
    /// `+`: a sign in front of positive numbers.
    pub plus: bool,
    /// ` `: a blank in front of positive numbers.
    pub blank: bool,
    /// `#`: the alternative form (`0x`, a leading `0`, a point).
    pub alternative: bool,
    /// `0`: pad numbers with zeros.
    pub zero: bool,
    /// The least number of bytes.
    pub width: usize,
    /// Digits after the point, least digits of an integer, or most bytes of a string.
    pub precision: Option<usize>,
    /// The letter.
    pub conversion: u8,
}

impl Spec {
    /// Reads what follows the `%`; says how many bytes it took.
    ///
    /// # Errors
    /// Lua's own text for flags or widths out of bounds.
    pub fn parse(text: &[u8]) -> Result<(Spec, usize), &'static str> {
        let mut spec = Spec::default();
        let mut at = 0;
        while spec.flag(text.get(at).copied()) {
            at += 1;
            if at > MAX_FLAGS {
                return Err("invalid format (repeated flags)");
            }
        }
        spec.width = two_digits(text, &mut at);
        if text.get(at) == Some(&b'.') {
            at += 1;
            spec.precision = Some(two_digits(text, &mut at));
        }
        let conversion = text.get(at).copied().unwrap_or(0);
        if conversion.is_ascii_digit() {
            return Err("invalid format (width or precision too long)");
        }
        spec.conversion = conversion;
        Ok((spec, (at + 1).min(text.len())))
    }

    fn flag(&mut self, c: Option<u8>) -> bool {
        match c {
            Some(b'-') => self.left = true,
            Some(b'+') => self.plus = true,
            Some(b' ') => self.blank = true,
            Some(b'#') => self.alternative = true,
            Some(b'0') => self.zero = true,
            _ => return false,
        }
        true
    }

    /// Whether the conversion is a bare letter (`%d`), by far the most frequent case.
    fn is_plain(&self) -> bool {
        self.width == 0
            && self.precision.is_none()
            && !(self.left || self.plus || self.blank || self.alternative || self.zero)
    }

    fn sign(&self, negative: bool) -> &'static [u8] {
        match (negative, self.plus, self.blank) {
            (true, _, _) => b"-",
            (false, true, _) => b"+",
            (false, false, true) => b" ",
            _ => b"",
        }
    }
}

fn two_digits(text: &[u8], at: &mut usize) -> usize {
    let mut value = 0;
    for _ in 0..2 {
        match text.get(*at) {
            Some(c) if c.is_ascii_digit() => value = value * 10 + usize::from(c - b'0'),
            _ => break,
        }
        *at += 1;
    }
    value
}

/// `%d` and `%i`. Fractions are cut off; numbers beyond 64 bits are written in full, as LuaJIT does.
pub fn integer(spec: &Spec, value: f64, out: &mut Vec<u8>) {
    // The bounds are exact in a double; at and above 2^63 the cast would saturate.
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value) {
        let whole = value as i64;
        digits(spec, spec.sign(whole < 0), whole.unsigned_abs(), 10, out);
    } else {
        let whole = Spec {
            precision: Some(0),
            conversion: b'f',
            ..*spec
        };
        float(&whole, value, out);
    }
}

/// `%u`, `%o`, `%x` and `%X`: the number modulo 2^64.
pub fn unsigned(spec: &Spec, value: f64, out: &mut Vec<u8>) {
    let whole = if value >= 9_223_372_036_854_775_808.0 {
        value as u64
    } else {
        value as i64 as u64
    };
    let (radix, prefix): (u64, &[u8]) = match spec.conversion {
        b'o' => (8, b""),
        b'x' => (16, b"0x"),
        b'X' => (16, b"0X"),
        _ => (10, b""),
    };
    let prefix = if spec.alternative && whole != 0 {
        prefix
    } else {
        b""
    };
    digits(spec, prefix, whole, radix, out);
}

fn digits(spec: &Spec, prefix: &[u8], value: u64, radix: u64, out: &mut Vec<u8>) {
    let alphabet: &[u8; 16] = if spec.conversion == b'X' {
        b"0123456789ABCDEF"
    } else {
        b"0123456789abcdef"
    };
    let mut buffer = [0u8; 24];
    let mut at = buffer.len();
    let mut rest = value;
    while rest > 0 {
        at -= 1;
        buffer[at] = alphabet[(rest % radix) as usize];
        rest /= radix;
    }
    let text = &buffer[at..];
    let mut least = spec.precision.unwrap_or(1);
    if spec.alternative && radix == 8 {
        least = least.max(text.len() + 1);
    }
    if spec.is_plain() && !text.is_empty() {
        out.extend_from_slice(prefix);
        out.extend_from_slice(text);
    } else {
        padded_digits(spec, prefix, text, least, out);
    }
}

fn padded_digits(spec: &Spec, prefix: &[u8], text: &[u8], least: usize, out: &mut Vec<u8>) {
    let mut zeros = least.saturating_sub(text.len());
    let len = prefix.len() + zeros + text.len();
    let pad = spec.width.saturating_sub(len);
    if spec.zero && !spec.left && spec.precision.is_none() {
        zeros += pad;
    } else if !spec.left {
        out.extend(std::iter::repeat_n(b' ', pad));
    }
    out.extend_from_slice(prefix);
    out.extend(std::iter::repeat_n(b'0', zeros));
    out.extend_from_slice(text);
    if spec.left {
        out.extend(std::iter::repeat_n(b' ', pad));
    }
}

/// `%e`, `%E`, `%f`, `%g`, `%G`, `%a` and `%A`: what the C library writes, except that "not a number" has no sign.
pub fn float(spec: &Spec, value: f64, out: &mut Vec<u8>) {
    let value = if value.is_nan() { f64::NAN } else { value };
    if spec.conversion == b'f' && value.is_finite() {
        return fixed(spec, value, out);
    }
    let mut control = [0u8; 16];
    control_string(spec, value.is_finite(), &mut control);
    let mut buffer = [0u8; MAX_FLOAT];
    // SAFETY: the control string ends with a zero byte, has exactly one conversion and that takes a double; the
    // buffer's length is passed along.
    let len = unsafe {
        libc::snprintf(
            buffer.as_mut_ptr().cast(),
            buffer.len(),
            control.as_ptr().cast(),
            value,
        )
    };
    let len = usize::try_from(len).unwrap_or(0).min(buffer.len() - 1);
    out.extend_from_slice(&buffer[..len]);
}

/// The C control string of `spec`. Infinities are not padded with zeros.
fn control_string(spec: &Spec, finite: bool, control: &mut [u8; 16]) {
    let mut rest = &mut control[..];
    let mut flags = [0u8; 5];
    let mut n = 0;
    for (set, c) in [
        (spec.left, b'-'),
        (spec.plus, b'+'),
        (spec.blank, b' '),
        (spec.alternative, b'#'),
        (spec.zero && finite, b'0'),
    ] {
        if set {
            flags[n] = c;
            n += 1;
        }
    }
    let letter = char::from(spec.conversion);
    let written = rest
        .write_all(b"%")
        .and_then(|()| rest.write_all(&flags[..n]));
    let written = written.and_then(|()| match (spec.width, spec.precision) {
        (0, None) => write!(rest, "{letter}"),
        (width, None) => write!(rest, "{width}{letter}"),
        (0, Some(precision)) => write!(rest, ".{precision}{letter}"),
        (width, Some(precision)) => write!(rest, "{width}.{precision}{letter}"),
    });
    written.expect("five flags, two digits twice and two signs fit into sixteen bytes");
}

/// `%f` by Rust's own exact printing, which is quicker than the C library's.
fn fixed(spec: &Spec, value: f64, out: &mut Vec<u8>) {
    let precision = spec.precision.unwrap_or(6);
    let start = out.len();
    let magnitude = value.abs();
    out.extend_from_slice(spec.sign(value.is_sign_negative()));
    let sign = out.len() - start;
    write!(out, "{magnitude:.precision$}").expect("writing to memory cannot fail");
    if precision == 0 && spec.alternative {
        out.push(b'.');
    }
    let pad = spec.width.saturating_sub(out.len() - start);
    if pad == 0 {
        return;
    }
    let (at, fill) = match (spec.left, spec.zero) {
        (true, _) => (out.len(), b' '),
        (false, true) => (start + sign, b'0'),
        (false, false) => (start, b' '),
    };
    out.splice(at..at, std::iter::repeat_n(fill, pad));
}

/// `%s`: at most `precision` bytes of `text`, padded to `width`.
pub fn string(spec: &Spec, text: &[u8], out: &mut Vec<u8>) {
    let text = match spec.precision {
        Some(most) => &text[..text.len().min(most)],
        None => text,
    };
    let pad = spec.width.saturating_sub(text.len());
    if !spec.left {
        out.extend(std::iter::repeat_n(b' ', pad));
    }
    out.extend_from_slice(text);
    if spec.left {
        out.extend(std::iter::repeat_n(b' ', pad));
    }
}

/// `%q`: `text` as a Lua string constant, in the form Lua 5.1 gives it.
pub fn quoted(text: &[u8], out: &mut Vec<u8>) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    for &c in text {
        match c {
            b'"' | b'\\' | b'\n' => out.extend_from_slice(&[b'\\', c]),
            b'\r' => out.extend_from_slice(b"\\r"),
            0 => out.extend_from_slice(b"\\000"),
            _ => out.push(c),
        }
    }
    out.push(b'"');
}

/// The bytes [`quoted`] writes for `text`.
pub fn quoted_len(text: &[u8]) -> usize {
    let extra = text.iter().map(|c| match c {
        b'"' | b'\\' | b'\n' | b'\r' => 1,
        0 => 3,
        _ => 0,
    });
    text.len() + extra.sum::<usize>() + 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_c(control: &str, value: f64) -> String {
        let control = std::ffi::CString::new(control).expect("no zero");
        let mut buffer = [0u8; MAX_FLOAT];
        // SAFETY: one conversion, which takes a double; the buffer's length is passed along.
        let len = unsafe {
            libc::snprintf(
                buffer.as_mut_ptr().cast(),
                buffer.len(),
                control.as_ptr(),
                value,
            )
        };
        String::from_utf8_lossy(&buffer[..len as usize]).into_owned()
    }

    fn integer_from_c(control: &str, value: i64) -> String {
        let control = std::ffi::CString::new(control).expect("no zero");
        let mut buffer = [0u8; MAX_FLOAT];
        // SAFETY: one conversion, which takes a 64-bit integer; the buffer's length is passed along.
        let len = unsafe {
            libc::snprintf(
                buffer.as_mut_ptr().cast(),
                buffer.len(),
                control.as_ptr(),
                value,
            )
        };
        String::from_utf8_lossy(&buffer[..len as usize]).into_owned()
    }

    fn ours(spec: &str, value: f64) -> String {
        let (spec, used) = Spec::parse(&spec.as_bytes()[1..]).expect("a good spec");
        assert!(used > 0);
        let mut out = b"x".to_vec();
        match spec.conversion {
            b'd' | b'i' => integer(&spec, value, &mut out),
            b'u' | b'o' | b'x' | b'X' => unsigned(&spec, value, &mut out),
            _ => float(&spec, value, &mut out),
        }
        String::from_utf8(out).expect("ascii").split_off(1)
    }

    const FLAGS: [&str; 14] = [
        "", "-", "+", " ", "#", "0", "-+", "+0", " 0", "-#", "#0", "-0", "+ ", "-+ #0",
    ];
    const WIDTHS: [&str; 8] = ["", "1", "5", "20", ".0", ".3", "12.4", "2.17"];

    #[test]
    fn floats_agree_with_the_c_library() {
        let mut values = vec![
            0.0, -0.0, 0.5, 1.5, 2.5, -2.5, 0.125, 0.375, 1e15, 1e22, 1e300, 5e-324,
        ];
        values.extend([
            1.0 / 3.0,
            -123.456,
            f64::MAX,
            f64::INFINITY,
            f64::NEG_INFINITY,
            0.1,
            9.995,
        ]);
        for conversion in ["e", "E", "f", "g", "G", "a"] {
            for flags in FLAGS {
                for width in WIDTHS {
                    let spec = format!("%{flags}{width}{conversion}");
                    for &value in &values {
                        assert_eq!(
                            ours(&spec, value),
                            from_c(&spec, value),
                            "{spec} of {value}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn integers_agree_with_the_c_library() {
        for conversion in ["d", "i", "u", "o", "x", "X"] {
            for flags in FLAGS {
                for width in WIDTHS {
                    let spec = format!("%{flags}{width}{conversion}");
                    let long = format!("%{flags}{width}l{conversion}");
                    for value in [0, 1, -1, 42, -42, 255, 1 << 52, -(1 << 53)] {
                        let expected = match conversion {
                            // Signs mean nothing to an unsigned conversion.
                            "u" | "o" | "x" | "X" => {
                                integer_from_c(&long.replace(['+', ' '], ""), value)
                            }
                            _ => integer_from_c(&long, value),
                        };
                        assert_eq!(ours(&spec, value as f64), expected, "{spec} of {value}");
                    }
                }
            }
        }
        assert_eq!(ours("%d", 3.7), "3");
        assert_eq!(ours("%d", -3.7), "-3");
        assert_eq!(ours("%d", 1e20), "100000000000000000000");
        assert_eq!(ours("%x", 18_446_744_073_709_549_568.0), "fffffffffffff800");
        assert_eq!(ours("%f", -f64::NAN), "nan");
    }

    #[test]
    fn specs_out_of_bounds_are_refused() {
        assert_eq!(
            Spec::parse(b"------d"),
            Err("invalid format (repeated flags)")
        );
        let too_long = Err("invalid format (width or precision too long)");
        assert_eq!(Spec::parse(b"100d"), too_long);
        assert_eq!(Spec::parse(b".100d"), too_long);
        assert_eq!(
            Spec::parse(b"").map(|(spec, used)| (spec.conversion, used)),
            Ok((0, 0))
        );
    }

    #[test]
    fn strings_are_cut_and_padded() {
        let mut out = Vec::new();
        string(&Spec::parse(b"-5.2s").expect("good").0, b"abc", &mut out);
        string(&Spec::parse(b"5s").expect("good").0, b"a\0c", &mut out);
        assert_eq!(out, b"ab     a\0c");
    }

    #[test]
    fn quoting_is_that_of_lua_51() {
        let mut out = Vec::new();
        let text = b"a\"b\\c\nd\re\0f1";
        quoted(text, &mut out);
        assert_eq!(out, b"\"a\\\"b\\\\c\\\nd\\re\\000f1\"");
        assert_eq!(out.len(), quoted_len(text));
    }
}

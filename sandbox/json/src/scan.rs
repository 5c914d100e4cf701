//! What both readers of JSON share: the end of plain text in a string, escapes, and numbers.

/// A byte in each of the eight lanes of a word.
const fn lanes(byte: u8) -> u64 {
    byte as u64 * 0x0101_0101_0101_0101
}

const HIGH: u64 = lanes(0x80);

/// Lanes that are 0 get their high bit; above the first such lane others may have it too.
#[inline]
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(lanes(1)) & !word & HIGH
}

/// Lanes below 0x20, as exact as [`zeros`].
#[inline]
const fn controls(word: u64) -> u64 {
    word.wrapping_sub(lanes(0x20)) & !word & HIGH
}

/// Lanes with a quote, a backslash or a control character, as exact as [`zeros`].
#[inline]
const fn special(word: u64) -> u64 {
    zeros(word ^ lanes(b'"')) | zeros(word ^ lanes(b'\\')) | controls(word)
}

/// Where, from `at` on, the next quote, backslash or control character stands; the text's length if nowhere.
#[inline]
pub(crate) fn plain_end(text: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = text.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*chunk);
        let found = special(word);
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(&byte) = text.get(at) {
        if byte == b'"' || byte == b'\\' || byte < 0x20 {
            return at;
        }
        at += 1;
    }
    text.len()
}

/// As [`plain_end`], but `end` if it stands nowhere before. Whole words are read beyond `end`, as far as there is text: most
/// strings are short and lie among others.
#[inline]
pub(crate) fn plain_end_before(text: &[u8], end: usize, mut at: usize) -> usize {
    while at < end {
        let Some(chunk) = text.get(at..).and_then(<[u8]>::first_chunk::<8>) else {
            return plain_end(&text[..end], at);
        };
        let found = special(u64::from_le_bytes(*chunk));
        if found != 0 {
            return end.min(at + (found.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    end
}

/// Where the first byte from `at` on stands that `cjson` escapes: quote, backslash, slash, control or delete characters.
#[inline]
pub(crate) fn unescaped_end(text: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = text.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*chunk);
        let found = zeros(word ^ lanes(b'"'))
            | zeros(word ^ lanes(b'\\'))
            | zeros(word ^ lanes(b'/'))
            | zeros(word ^ lanes(0x7f))
            | controls(word);
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(&byte) = text.get(at) {
        if matches!(byte, b'"' | b'\\' | b'/' | 0x7f) || byte < 0x20 {
            return at;
        }
        at += 1;
    }
    text.len()
}

/// Where the next byte that is no white space stands.
#[inline]
pub(crate) fn skip_space(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = text.get(at) {
        at += 1;
    }
    at
}

/// The byte that a one-letter escape stands for.
#[inline]
pub(crate) fn escape(letter: u8) -> Option<u8> {
    Some(match letter {
        b'"' | b'\\' | b'/' => letter,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        _ => return None,
    })
}

/// Four hexadecimal digits.
pub(crate) fn hex4(text: &[u8]) -> Option<u32> {
    let digits = text.first_chunk::<4>()?;
    digits.iter().try_fold(0, |value, &digit| {
        let digit = char::from(digit).to_digit(16)?;
        Some(value << 4 | digit)
    })
}

/// Writes a code point (a lone surrogate too, as upstream's RapidJSON does) as UTF-8; how many bytes of the result count.
pub(crate) fn utf8(code_point: u32) -> ([u8; 4], usize) {
    let low = |shift: u32| (code_point >> shift & 0x3f) as u8 | 0x80;
    match code_point {
        0..=0x7f => ([code_point as u8, 0, 0, 0], 1),
        0x80..=0x7ff => ([(code_point >> 6) as u8 | 0xc0, low(0), 0, 0], 2),
        0x800..=0xffff => ([(code_point >> 12) as u8 | 0xe0, low(6), low(0), 0], 3),
        _ => (
            [(code_point >> 18) as u8 | 0xf0, low(12), low(6), low(0)],
            4,
        ),
    }
}

/// The code point of two surrogates.
pub(crate) fn join_surrogates(high: u32, low: u32) -> u32 {
    ((high & 0x3ff) << 10 | (low & 0x3ff)) + 0x10000
}

/// Powers of ten that doubles hold exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// Largest whole number up to which all are doubles.
const EXACT_MAX: u64 = 1 << 53;

/// A decimal number as it stands in a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Decimal {
    /// Where it ends.
    pub(crate) end: usize,
    /// Its digits as a whole number; meaningless if `exact` is not set.
    pub(crate) digits: u64,
    /// Power of ten of `digits`.
    pub(crate) exponent: i64,
    pub(crate) negative: bool,
    /// All digits fit into `digits`.
    pub(crate) exact: bool,
    /// Neither a fraction nor an exponent was written.
    pub(crate) whole: bool,
    /// Digits before the point.
    pub(crate) n_whole: usize,
    /// The point has digits behind it, if there is one.
    pub(crate) has_fraction: bool,
}

/// Reads `-?digits*(.digits*)?([eE][+-]?digits+)?` at `at`; an exponent without digits is left to stand behind the number.
#[inline]
pub(crate) fn decimal(text: &[u8], at: usize) -> Decimal {
    let negative = text.get(at) == Some(&b'-');
    let mut at = at + usize::from(negative);
    let start = at;
    let mut digits: u64 = 0;
    while let Some(&byte @ b'0'..=b'9') = text.get(at) {
        digits = digits.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
        at += 1;
    }
    let n_whole = at - start;
    let mut n_fraction = 0;
    let mut whole = true;
    if text.get(at) == Some(&b'.') {
        whole = false;
        at += 1;
        let fraction = at;
        while let Some(&byte @ b'0'..=b'9') = text.get(at) {
            digits = digits.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
            at += 1;
        }
        n_fraction = at - fraction;
    }
    let mut exponent = -(n_fraction as i64);
    if let Some(b'e' | b'E') = text.get(at)
        && let Some((written, end)) = written_exponent(text, at + 1)
    {
        whole = false;
        at = end;
        exponent += written;
    }
    Decimal {
        end: at,
        digits,
        exponent,
        negative,
        exact: n_whole + n_fraction <= 19,
        whole,
        n_whole,
        has_fraction: n_fraction > 0,
    }
}

/// Exponents beyond this are all the same: infinity or zero, whatever the digits (which take up the text's length).
const EXPONENT_MAX: i64 = 1 << 40;

#[cold]
fn written_exponent(text: &[u8], mut at: usize) -> Option<(i64, usize)> {
    let negative = text.get(at) == Some(&b'-');
    if let Some(b'-' | b'+') = text.get(at) {
        at += 1;
    }
    let start = at;
    let mut value: i64 = 0;
    while let Some(&byte @ b'0'..=b'9') = text.get(at) {
        value = (value * 10 + i64::from(byte - b'0')).min(EXPONENT_MAX);
        at += 1;
    }
    (at > start).then_some((if negative { -value } else { value }, at))
}

impl Decimal {
    /// The number that was read from `text[start..]`, rounded to the nearest double.
    #[inline]
    pub(crate) fn value(&self, text: &[u8], start: usize) -> f64 {
        if self.exact && self.digits <= EXACT_MAX && self.exponent.unsigned_abs() < 23 {
            // Both factors are exact, so the one rounding is the right one.
            let power = POWERS[self.exponent.unsigned_abs() as usize];
            let digits = self.digits as f64;
            let value = if self.exponent < 0 {
                digits / power
            } else {
                digits * power
            };
            return if self.negative { -value } else { value };
        }
        self.value_slow(text, start)
    }

    #[cold]
    fn value_slow(&self, text: &[u8], start: usize) -> f64 {
        // Without digits after the point Rust wants none of it; so it reads "5." as well as ".5".
        let number = std::str::from_utf8(&text[start..self.end]).expect("only ASCII was read");
        number.parse().unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> f64 {
        decimal(text.as_bytes(), 0).value(text.as_bytes(), 0)
    }

    #[test]
    fn plain_text_ends_where_something_special_stands() {
        for len in 0..40 {
            for special in [b'"', b'\\', 0, 0x1f, b'\n'] {
                let mut text = vec![b'x'; len];
                text.extend_from_slice(&[0x80, 0xff, b' ', b'!', 0x20, 0x7f, special, b'"', 1]);
                assert_eq!(plain_end(&text, 0), len + 6, "{len} {special}");
            }
            assert_eq!(plain_end(&vec![b'y'; len], 0), len);
        }
        assert_eq!(plain_end(b"ab", 7), 2);
        // What stands behind the end does not matter, nor how much.
        for after in ["", "\"", "zzzzzz\"zz", "zzzzzzzzzzzzzzzz"] {
            for len in 0..20 {
                let text = [vec![b'y'; len], after.into()].concat();
                assert_eq!(plain_end_before(&text, len, 0), len, "{len} {after}");
                if len > 3 {
                    let text = [&text[..3], b"\\", &text[4..]].concat();
                    assert_eq!(plain_end_before(&text, len, 0), 3, "{len} {after}");
                    assert_eq!(plain_end_before(&text, len, 4), len, "{len} {after}");
                }
            }
        }
    }

    #[test]
    fn unescaped_text_ends_at_each_byte_that_is_escaped() {
        for byte in 0..=255u8 {
            let escaped = byte < 0x20 || matches!(byte, b'"' | b'\\' | b'/' | 0x7f);
            for len in [0, 3, 8, 21] {
                let mut text = vec![b'a'; len];
                text.push(byte);
                text.extend_from_slice(b"0123456789/");
                let end = if escaped { len } else { len + 11 };
                assert_eq!(unescaped_end(&text, 0), end, "{byte} after {len}");
            }
        }
    }

    #[test]
    fn numbers_are_rounded_right() {
        for text in [
            "0",
            "-0",
            "1",
            "-1.5",
            "9007199254740993",
            "1e22",
            "1e23",
            "123456789012345678901234567890",
            "2.2250738585072014e-308",
            "4.9e-324",
            "1.7976931348623157e308",
            "1e400",
            "-1e400",
            "0.1",
            "3.141592653589793238462643383279",
            "1e-400",
            "100000000000000000000000e-23",
            "9223372036854775807",
            "18446744073709551615",
            "8.5e+07",
            "0.000001",
            "5e-1",
        ] {
            let expected: f64 = text.parse().expect("a number");
            assert_eq!(number(text).to_bits(), expected.to_bits(), "{text}");
        }
        assert_eq!(number("5."), 5.0);
        assert_eq!(number("-.5"), -0.5);
        assert_eq!(number("1e99999999999999999999"), f64::INFINITY);
    }

    #[test]
    fn an_exponent_needs_digits() {
        assert_eq!(decimal(b"1e", 0).end, 1);
        assert_eq!(decimal(b"1e+", 0).end, 1);
        assert_eq!(decimal(b"1.e5", 0).end, 4);
        assert_eq!(decimal(b"-", 0).end, 1);
        assert_eq!(decimal(b"x1", 1).digits, 1);
    }

    #[test]
    fn surrogates_and_code_points() {
        assert_eq!(hex4(b"00e9"), Some(0xe9));
        assert_eq!(hex4(b"D83d\""), Some(0xd83d));
        assert_eq!(hex4(b"00g9"), None);
        assert_eq!(hex4(b"00"), None);
        let (bytes, len) = utf8(join_surrogates(0xd83d, 0xde00));
        assert_eq!(&bytes[..len], "😀".as_bytes());
        for c in ['\0', 'a', 'é', '€', '\u{10ffff}'] {
            let (bytes, len) = utf8(c as u32);
            assert_eq!(&bytes[..len], c.to_string().as_bytes());
        }
    }
}

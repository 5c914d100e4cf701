//! Writes numbers as Lua's `tostring` does, without making a string of Lua for each.

/// Powers of ten that are exact in 64 bits.
const TEN: u64 = 10;

/// Significant digits of Lua's numbers, `%.14g`.
const DIGITS: u32 = 14;

/// Whole numbers are exact in a `u64` below this; larger ones, fractions and what is no number go to Lua.
const WHOLE_MAX: f64 = 18_446_744_073_709_551_616.0;

/// Appends `number` as `%.14g` writes it, if it is a whole number below 2^64; otherwise nothing, and false.
pub(crate) fn push_whole(number: f64, out: &mut Vec<u8>) -> bool {
    let size = number.abs();
    let whole = size as u64;
    if !(size < WHOLE_MAX && size == whole as f64) {
        return false;
    }
    if number.is_sign_negative() {
        out.push(b'-');
    }
    if whole < TEN.pow(DIGITS) {
        push_digits(whole, out);
    } else {
        push_rounded(whole, out);
    }
    true
}

fn push_digits(mut whole: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (whole % TEN) as u8;
        whole /= TEN;
        if whole == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// A number of more than 14 digits: rounded, with an exponent and without zeros at the end.
fn push_rounded(whole: u64, out: &mut Vec<u8>) {
    let cut = whole.ilog10() + 1 - DIGITS;
    let unit = TEN.pow(cut);
    let (mut kept, rest) = (whole / unit, whole % unit);
    let mut exponent = DIGITS - 1 + cut;
    // An exact half goes to the even digit, as in C.
    if rest > unit / 2 || rest == unit / 2 && kept % 2 == 1 {
        kept += 1;
    }
    if kept == TEN.pow(DIGITS) {
        (kept, exponent) = (kept / TEN, exponent + 1);
    }
    while kept % TEN == 0 {
        kept /= TEN;
    }
    let start = out.len();
    push_digits(kept, out);
    if out.len() > start + 1 {
        out.insert(start + 1, b'.');
    }
    out.extend_from_slice(b"e+");
    push_digits(exponent.into(), out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lib_string::test_state::state;
    use crate::limits::Limits;
    use crate::sandbox::Kind;
    use proptest::prelude::*;

    fn ours(number: f64) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        push_whole(number, &mut out).then_some(out)
    }

    fn check(numbers: &[f64]) {
        let lua = state(Kind::Output, Limits::default());
        for &number in numbers {
            let theirs = lua.with_call(|call| {
                call.push_number(number)?;
                Ok(call.text_at(-1).expect("it is a number"))
            });
            let theirs = theirs.expect("a number has a text");
            if let Some(ours) = ours(number) {
                let (ours, theirs) = (ours.escape_ascii(), theirs.escape_ascii());
                assert_eq!(ours.to_string(), theirs.to_string(), "{number:e}");
            }
        }
    }

    #[test]
    fn whole_numbers_look_as_luas() {
        let mut numbers = vec![
            0.0,
            -0.0,
            1.0,
            -1.0,
            10.0,
            1.6e18,
            99_999_999_999_999.0,
            1e14,
        ];
        // Exact halves, with an even and an odd digit in front, and what rounds up to a power of ten.
        numbers.extend([
            100_000_000_000_005.0,
            100_000_000_000_015.0,
            999_999_999_999_995.0,
        ]);
        numbers.extend([9_007_199_254_740_993.0, 18_446_744_073_709_549_568.0, 1e19]);
        (0..20).for_each(|n| numbers.push(10f64.powi(n) - 1.0));
        check(&numbers);
    }

    #[test]
    fn others_are_left_to_lua() {
        for number in [
            0.5,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            1e20,
            1e-300,
        ] {
            assert_eq!(ours(number), None, "{number}");
        }
    }

    proptest! {
        #[test]
        fn any_whole_number_looks_as_luas(whole in any::<i64>(), shift in 0u32..63, half in any::<bool>()) {
            // Fifteen digits of which the last is 5 are exact halves.
            let number = (whole >> shift) as f64;
            let tie = (number % 1e14).trunc() * 10.0 + 5.0;
            check(&[if half { tie } else { number }]);
        }
    }
}

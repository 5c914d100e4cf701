//! Numbers as C's `%g` prints them, which is what Hindsight's files hold and Lua shows.

/// `number` with at most `digits` significant digits, without trailing zeros, as `%.<digits>g`.
pub fn general(number: f64, digits: usize) -> String {
    if !number.is_finite() {
        let name = if number.is_nan() { "nan" } else { "inf" };
        return if number == f64::NEG_INFINITY {
            format!("-{name}")
        } else {
            name.to_string()
        };
    }
    let scientific = format!("{number:.*e}", digits - 1);
    let (mantissa, exponent) = scientific
        .split_once('e')
        .expect("the format has an exponent");
    let exponent: i32 = exponent.parse().expect("the exponent is a number");
    let places = digits as i32 - 1 - exponent;
    if exponent < -4 || places < 0 {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", trimmed(mantissa), exponent.abs());
    }
    trimmed(&format!("{number:.*}", places as usize)).to_string()
}

/// Without the zeros, and then the point, at the end of a fraction.
fn trimmed(text: &str) -> &str {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prints_as_c_does() {
        let cases = [
            (0.0, "0"),
            (-0.0, "-0"),
            (40.0, "40"),
            (0.1, "0.10000000000000001"),
            (1e16, "10000000000000000"),
            (1e17, "1e+17"),
            (1.5e300, "1.5000000000000001e+300"),
            (1e-4, "0.0001"),
            (1e-5, "1.0000000000000001e-05"),
            (123_456_789.5, "123456789.5"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        for (number, expected) in cases {
            assert_eq!(general(number, 17), expected);
        }
        assert_eq!(general(1e15, 14), "1e+15");
        assert_eq!(general(0.1, 14), "0.1");
        assert_eq!(general(100.0, 14), "100");
    }

    proptest! {
        #[test]
        fn seventeen_digits_keep_every_number(bits in any::<u64>()) {
            let number = f64::from_bits(bits);
            prop_assume!(number.is_finite());
            prop_assert_eq!(general(number, 17).parse::<f64>().expect("a number").to_bits(), bits);
        }
    }
}

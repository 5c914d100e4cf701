//! 64 MiB, as people write it.

use std::fmt;
use std::str::FromStr;

/// A number of bytes that is written with a unit: `64 MiB`, `1.5 GB`, `4096`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Size(pub u64);

/// Why a text is not a size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a size: {problem} (expected for example '64 MiB' or '1000000')")]
pub struct SizeError {
    text: String,
    problem: &'static str,
}

/// Names and values of the units; the first name of a value is the one [`Size`] prints.
const UNITS: [(&str, u64); 14] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("T", 1 << 40),
    ("G", 1 << 30),
    ("M", 1 << 20),
    ("K", 1 << 10),
    ("", 1),
];

impl FromStr for Size {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Size, SizeError> {
        let fail = |problem| SizeError {
            text: text.to_owned(),
            problem,
        };
        let trimmed = text.trim();
        let digits = trimmed
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(trimmed.len());
        let (number, unit) = trimmed.split_at(digits);
        let unit = unit.trim();
        let (_, factor) = UNITS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(unit))
            .ok_or_else(|| fail("its unit is unknown"))?;
        multiply(number, *factor).map(Size).map_err(fail)
    }
}

/// `number` times `factor` without a detour over floating point, so that no byte is lost.
fn multiply(number: &str, factor: u64) -> Result<u64, &'static str> {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if part.len() > 9 || part.contains('.') {
        return Err("its fraction is not a number of up to nine digits");
    }
    let whole: u64 = whole
        .parse()
        .map_err(|_| "it does not begin with a number in range")?;
    let part_value: u128 = if part.is_empty() {
        0
    } else {
        part.parse().expect("only digits")
    };
    let scale = 10u128.pow(part.len() as u32);
    let bytes = u128::from(whole) * u128::from(factor) + part_value * u128::from(factor) / scale;
    u64::try_from(bytes).map_err(|_| "it is too large")
}

impl fmt::Display for Size {
    /// The largest binary unit that shows every byte: `64 MiB`, but `1000 B`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = |unit: &&(&str, u64)| self.0 >= unit.1 && self.0.is_multiple_of(unit.1);
        let (name, factor) = UNITS[..5].iter().find(exact).unwrap_or(&("B", 1));
        write!(f, "{} {name}", self.0 / factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_people_write() {
        for (text, bytes) in [
            ("64 MiB", 64 << 20),
            ("64MiB", 64 << 20),
            (" 64 mib ", 64 << 20),
            ("64M", 64 << 20),
            ("1.5 KiB", 1536),
            ("1 KB", 1000),
            ("2.000000001 GB", 2_000_000_001),
            ("0", 0),
            ("123", 123),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, problem) in [
            ("", "it does not begin with a number in range"),
            ("MiB", "it does not begin with a number in range"),
            ("-1", "its unit is unknown"),
            ("1 parsec", "its unit is unknown"),
            ("1.2.3", "its fraction is not a number of up to nine digits"),
            ("99999999 TiB", "it is too large"),
            (
                "18446744073709551616",
                "it does not begin with a number in range",
            ),
        ] {
            let error = text.parse::<Size>().expect_err(text).to_string();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn prints_every_byte() {
        for (bytes, text) in [
            (0, "0 B"),
            (1000, "1000 B"),
            (1 << 20, "1 MiB"),
            (1536, "1536 B"),
        ] {
            assert_eq!(Size(bytes).to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(bytes: u64) {
            prop_assert_eq!(Size(bytes).to_string().parse(), Ok(Size(bytes)));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<Size>();
        }
    }
}

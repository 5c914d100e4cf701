//! A place in a queue: segment id and offset.

use std::fmt;
use std::str::FromStr;

/// A place between two records: the byte `offset` of the segment `segment`. Positions are ordered as the records
/// are. The end of one segment and the start of the next are two positions, though no record lies between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
    /// The number in the segment's file name.
    pub segment: u64,
    /// Bytes from the start of the segment.
    pub offset: u64,
}

impl Position {
    /// The place `offset` bytes into `segment`.
    pub const fn new(segment: u64, offset: u64) -> Position {
        Position { segment, offset }
    }

    /// The place `length` bytes further on in the same segment.
    pub(crate) const fn plus(self, length: u64) -> Position {
        Position {
            segment: self.segment,
            offset: self.offset + length,
        }
    }
}

impl fmt::Display for Position {
    /// `segment:offset`, as `hindsight.cp` has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.segment, self.offset)
    }
}

/// Why a text is not a position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a position (expected segment:offset, for example 3:4096)")]
pub struct PositionError(String);

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Position, PositionError> {
        let parse = || {
            let (segment, offset) = text.split_once(':')?;
            Some(Position::new(number(segment)?, number(offset)?))
        };
        parse().ok_or_else(|| PositionError(text.to_owned()))
    }
}

/// Digits only: `u64::from_str` would also take a plus sign.
pub(crate) fn number(digits: &str) -> Option<u64> {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        digits.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_parses_as_in_hindsight_cp() {
        let position = Position::new(3, 4096);
        assert_eq!(position.to_string(), "3:4096");
        assert_eq!("3:4096".parse(), Ok(position));
        for bad in [
            "",
            "3",
            "3:",
            ":3",
            "3:-1",
            "+3:1",
            "3:4:5",
            " 3:4",
            "99999999999999999999:0",
        ] {
            let error = bad.parse::<Position>().expect_err(bad).to_string();
            assert!(error.contains("expected segment:offset"), "{error}");
        }
    }

    #[test]
    fn segments_count_before_offsets() {
        assert!(Position::new(1, 0) > Position::new(0, u64::MAX));
        assert!(Position::new(1, 1) > Position::new(1, 0));
    }
}

//! What is wrong with an expression, where, and what was meant perhaps; and what upstream would have made of a good one.

use std::fmt;

/// Why an expression is not one: the place, what stands there, and what could stand there.
///
/// `{}` writes one line; `{:#}` adds the expression's line with a mark under the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// Offset of the character, in bytes from the start of the expression.
    pub offset: usize,
    /// Which character of the expression it is, from 1.
    pub character: usize,
    /// What stands there.
    pub found: String,
    /// What could stand there.
    pub expected: String,
    /// What was meant perhaps.
    pub hint: Option<String>,
    /// The line of the expression, and the place in it, in characters.
    pub(crate) line: String,
    pub(crate) column: usize,
}

impl std::error::Error for ParseError {}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ParseError {
            character,
            found,
            expected,
            ..
        } = self;
        write!(
            f,
            "at character {character}: found {found}, expected {expected}"
        )?;
        if let Some(hint) = &self.hint {
            write!(f, "; {hint}")?;
        }
        if f.alternate() {
            write!(
                f,
                "\n  {}\n  {:width$}^",
                self.line,
                "",
                width = self.column
            )?;
        }
        Ok(())
    }
}

/// Where a good expression means something else than it did to Hindsight, or cannot do what it seems to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// Operators behind a closing parenthesis bind as they do elsewhere; Hindsight bound them otherwise.
    #[error(
        "operators behind a parenthesis now bind as they should; Hindsight evaluated: {upstream}"
    )]
    Precedence {
        /// What Hindsight evaluated.
        upstream: String,
    },
    /// The offset of a timestamp is applied with its sign; Hindsight turned it round.
    #[error(
        "the offset of {timestamp} is now applied with its sign; Hindsight took it the other way round"
    )]
    TimeOffset {
        /// The timestamp as written.
        timestamp: String,
    },
    /// An index that is left out is 0; Hindsight may have taken one from an earlier test or from the parts of a time.
    #[error(
        "an index that is left out is 0; Hindsight may have taken over a number from an earlier index or time"
    )]
    LeftoverIndex,
    /// The text form of a Uuid is compared as the 16 bytes it stands for; Hindsight never found it equal.
    #[error(
        "the text form of a Uuid is compared as its 16 bytes; Hindsight compared the text with the bytes"
    )]
    UuidText,
    /// The pattern is malformed: nothing matches it, as in Hindsight.
    #[error("nothing matches the pattern '{pattern}': {error}")]
    BadPattern {
        /// The pattern as written.
        pattern: String,
        /// What is wrong with it.
        error: stdx::pattern::PatternError,
    },
}

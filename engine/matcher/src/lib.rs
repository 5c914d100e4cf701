//! The message_matcher language, and an index over many matchers.
//!
//! A [`Matcher`] is one expression, parsed and ready: it says of a message yes or no. A [`MatcherIndex`] says which of
//! many matchers want a message, at a cost that grows with those and not with all.
//!
//! ```
//! use matcher::{Matcher, MatcherIndex, Scratch};
//! use schemas::message::Message;
//! use schemas::view::Index;
//!
//! let errors = Matcher::parse("Type == 'nginx.error' && Severity <= 3")?;
//! let all = Matcher::parse("TRUE")?;
//! let index = MatcherIndex::build([(7, &errors), (3, &all)]);
//!
//! let mut message = Message::new([1; 16], 1_500_000_000_000_000_000);
//! message.type_ = Some(b"nginx.error".to_vec());
//! message.severity = Some(2);
//! let bytes = message.to_bytes();
//! let mut parts = Index::default();
//! parts.parse(&bytes).expect("just encoded");
//!
//! let mut wanted = Vec::new();
//! index.matching(&parts.view(&bytes), &mut Scratch::default(), &mut wanted);
//! assert_eq!(wanted, [3, 7]);
//!
//! let error = Matcher::parse("Type ~= 'nginx.error'").unwrap_err();
//! assert!(error.to_string().contains("did you mean =~"));
//! # Ok::<(), matcher::ParseError>(())
//! ```
//!
//! # The language
//! Tests are joined by `&&` and `||` and grouped by parentheses. A test is `TRUE`, `FALSE`, or a header or field, an
//! operator and a value:
//!
//! | left | operators and values |
//! |---|---|
//! | `Type Logger Hostname EnvVersion Payload` | `== != < <= > >=` a string, `=~ !~` a pattern, `== !=` `NIL` |
//! | `Uuid` | as these, without `NIL`; 16 raw bytes, or their text form |
//! | `Timestamp` | `== != < <= > >=` nanoseconds or `'2015-04-11T17:30:26.5+01:00'` |
//! | `Severity` | `== != < <= > >=` a number |
//! | `Pid` | the same, and `== !=` `NIL` |
//! | `Fields[name][nth][element]` | all of a string, a pattern, a number, and `== !=` `TRUE FALSE NIL` |
//!
//! - Strings stand in single or double quotes; `\'`, `\"` and `\\` stand for the character, any other backslash for
//!   itself. Patterns are Lua's, but parentheses are ordinary characters; `%` behind the quote makes all of it so.
//! - A header that is not there is unequal to every string, less than each, and matches no pattern. A *field* that is
//!   not there fails every test, `!=` and `!~` too, except `== NIL`. A field of another type fails every test.
//!   `TRUE` and `FALSE` equal the numbers 1 and 0. A message without Severity has Severity 7.
//! - Numbers are compared exactly: integers with 64 bits, doubles as the numbers they are.
//! - A malformed pattern matches nothing. Nor does one that takes more than its budget ([`PATTERN_STEPS`]), which is
//!   counted: [`Matcher::patterns_exceeded`].

#![forbid(unsafe_code)]

mod error;
mod eval;
pub mod expr;
mod index;
mod parse;
mod time;
mod upstream;

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod random;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use schemas::view::View;

pub use error::{ParseError, Warning};
pub use index::{MatcherIndex, Scratch};

/// Tests in one expression, as in Hindsight. It bounds the depth of a tree, so functions on trees may recurse.
pub const MAX_TESTS: usize = 128;

/// Bytes in one string of an expression, after its escapes, as in Hindsight.
pub const MAX_STRING: usize = 255;

/// Bytes in one expression. Hindsight has no such limit, but no expression that it accepts need be longer; parsing
/// takes memory in proportion.
pub const MAX_EXPRESSION: usize = 1 << 20;

/// Steps that one pattern may take on one message: about five milliseconds, then it counts as not found. Matching runs
/// on the router's thread, where nobody else could end it.
pub const PATTERN_STEPS: u64 = 1 << 20;

/// Steps added for each byte of the text that is searched, so that a long payload alone exceeds nothing.
pub const PATTERN_STEPS_PER_BYTE: u64 = 8;

/// One expression, ready to be asked. Clones are cheap and share their counter.
#[derive(Debug, Clone)]
pub struct Matcher {
    inner: Arc<Inner>,
}

/// What the clones of a matcher, and the indexes made of it, share.
#[derive(Debug)]
struct Inner {
    source: Box<[u8]>,
    tree: expr::Tree,
    program: eval::Program,
    warnings: Vec<Warning>,
    exceeded: AtomicU64,
}

impl Inner {
    /// Cold: patterns seldom exceed their budget.
    #[cold]
    fn count_exceeded(&self, count: u32) {
        self.exceeded.fetch_add(count.into(), Relaxed);
    }
}

impl Matcher {
    /// Parses an expression.
    ///
    /// # Errors
    /// Points at the character where the expression is wrong.
    pub fn parse(expression: impl AsRef<[u8]>) -> Result<Matcher, ParseError> {
        let source = expression.as_ref();
        let parse::Parsed { tree, warnings } = parse::parse(source)?;
        let program = eval::Program::compile(&tree);
        let exceeded = AtomicU64::new(0);
        let inner = Inner {
            source: source.into(),
            tree,
            program,
            warnings,
            exceeded,
        };
        Ok(Matcher {
            inner: Arc::new(inner),
        })
    }

    /// Whether the matcher wants this message. Allocates nothing.
    #[inline]
    pub fn matches(&self, view: &View<'_>) -> bool {
        let exceeded = eval::Exceeded::default();
        let matches = self.inner.program.matches(view, &exceeded);
        if exceeded.get() > 0 {
            self.inner.count_exceeded(exceeded.get());
        }
        matches
    }

    /// The expression as it was given.
    pub fn source(&self) -> &[u8] {
        &self.inner.source
    }

    /// The parsed expression.
    pub fn tree(&self) -> &expr::Tree {
        &self.inner.tree
    }

    /// Where the expression means something else than it did to Hindsight, or cannot do what it seems to.
    pub fn warnings(&self) -> &[Warning] {
        &self.inner.warnings
    }

    /// How often a pattern was given up because it took more than its budget.
    pub fn patterns_exceeded(&self) -> u64 {
        self.inner.exceeded.load(Relaxed)
    }

    /// Whether the answer depends on the message at all. If not, [`Matcher::always`] is the answer.
    pub fn needs_message(&self) -> bool {
        self.inner.program.constant().is_none()
    }

    /// Whether the answer depends on fields.
    pub fn needs_fields(&self) -> bool {
        self.inner.program.needs_fields()
    }

    /// Whether every message is wanted, as by `TRUE`.
    pub fn always(&self) -> bool {
        self.inner.program.constant() == Some(true)
    }
}

/// The parsed expression in its plainest form; bytes that are not UTF-8 are replaced. See [`expr::Tree::to_bytes`].
impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.inner.tree.to_bytes()))
    }
}

//! Where finished data goes: what every destination does, and what may go wrong there.

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// The longest key, in bytes; S3's own limit.
pub const KEY_MAX: usize = 1024;

/// The longest part of a key between two slashes, in bytes, so that it can be the name of a file.
pub const KEY_PART_MAX: usize = 255;

/// What a destination is busy with.
pub type Work<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

/// Finished data.
#[derive(Debug, Clone)]
pub enum Body {
    /// In memory.
    Bytes(Arc<[u8]>),
    /// A file that nobody changes any more.
    File(PathBuf),
}

impl Body {
    /// Its length in bytes.
    ///
    /// # Errors
    /// When the file cannot be looked at.
    pub fn len(&self) -> Result<u64, Failure> {
        match self {
            Body::Bytes(bytes) => Ok(bytes.len() as u64),
            Body::File(path) => match std::fs::metadata(path) {
                Ok(metadata) => Ok(metadata.len()),
                Err(error) => Err(Failure::of_file(path, &error)),
            },
        }
    }

    /// Whether there is nothing in it.
    ///
    /// # Errors
    /// As [`Body::len`].
    pub fn is_empty(&self) -> Result<bool, Failure> {
        Ok(self.len()? == 0)
    }
}

/// What another attempt may bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outlook {
    /// It may go well: the network, a busy server.
    Passing,
    /// The same, until somebody puts the place right: a bucket that does not exist, rights that are missing.
    Lasting,
    /// The same for ever: the destination does not want this very data.
    Refused,
}

/// Why a destination did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Failure {
    /// What another attempt may bring.
    pub outlook: Outlook,
    /// What happened, without secrets.
    pub reason: String,
    /// How long the destination wants to be left alone, if it says so.
    pub rest: Option<Duration>,
}

impl Failure {
    /// A failure with this outlook.
    pub fn new(outlook: Outlook, reason: impl Into<String>) -> Failure {
        Failure {
            outlook,
            reason: reason.into(),
            rest: None,
        }
    }

    /// A failure that may be over at the next attempt.
    pub fn passing(reason: impl Into<String>) -> Failure {
        Failure::new(Outlook::Passing, reason)
    }

    /// A failure that comes again until somebody puts the place right.
    pub fn lasting(reason: impl Into<String>) -> Failure {
        Failure::new(Outlook::Lasting, reason)
    }

    /// A failure that comes again with this data however often it is tried.
    pub fn refused(reason: impl Into<String>) -> Failure {
        Failure::new(Outlook::Refused, reason)
    }

    /// What the system says of a file. One that is missing stays so.
    pub fn of_file(path: &Path, error: &std::io::Error) -> Failure {
        let outlook = match error.kind() {
            std::io::ErrorKind::NotFound => Outlook::Lasting,
            _ => Outlook::Passing,
        };
        Failure::new(outlook, format!("{}: {error}", path.display()))
    }

    /// Whether the next attempt is sure to fail, too.
    pub fn lasts(&self) -> bool {
        self.outlook >= Outlook::Lasting
    }
}

/// Takes finished data, each piece under a key.
///
/// What every destination promises, and the tests in `tests/s3` check for each of them: when [`Destination::put`] has
/// succeeded the data survives the end of this program and of the machine; nobody sees a part of it; and to put the same
/// under the same key again changes nothing, so that whoever does not know whether it went well may repeat it.
pub trait Destination: Send + Sync {
    /// Delivers `body` as `key`; ends within bounded time.
    fn put<'a>(&'a self, key: &'a str, body: &'a Body) -> Work<'a, ()>;
}

/// A destination whose data can be looked at again, and removed.
pub trait Store: Destination {
    /// The entries whose keys begin with `prefix` and come after `after`, in the order of their bytes; a page of them.
    fn list<'a>(&'a self, prefix: &'a str, after: &'a str) -> Work<'a, Page>;

    /// Up to `len` bytes from `from` on; fewer only where the object ends. With a `version` it must still be that one.
    fn read<'a>(
        &'a self,
        key: &'a str,
        from: u64,
        len: u64,
        version: Option<&'a str>,
    ) -> Work<'a, Piece>;

    /// Removes an object for good. It is no failure that there is none.
    fn remove<'a>(&'a self, key: &'a str) -> Work<'a, ()>;
}

/// What a listing says of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: String,
    /// Its length in bytes.
    pub size: u64,
    /// When it was put, in seconds since 1970.
    pub modified_s: i64,
}

/// Some entries of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// In the order of their keys.
    pub entries: Vec<Entry>,
    /// Whether no more come after them.
    pub is_last: bool,
}

/// A part of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Piece {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What tells this object from another one that is put under the same key.
    pub version: String,
}

/// An error and what brought it about.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    /// Causes that are shown; errors are not nested deeper than that.
    const DEPTH: usize = 8;
    let chain = std::iter::successors(Some(error), |error| error.source()).take(DEPTH);
    let mut words: Vec<String> = chain.map(ToString::to_string).collect();
    words.dedup();
    words.join(": ")
}

/// Refuses keys that cannot be kept everywhere.
///
/// # Errors
/// When a key is empty or too long, or a part of it cannot be the name of a file.
pub fn check_key(key: &str) -> Result<(), Failure> {
    let is_good = |part: &str| !matches!(part, "" | "." | "..") && part.len() <= KEY_PART_MAX;
    if key.len() <= KEY_MAX && !key.contains('\0') && key.split('/').all(is_good) {
        return Ok(());
    }
    let shown: String = key.chars().take(80).collect();
    Err(Failure::refused(format!(
        "the key {shown:?} must have 1 to {KEY_MAX} bytes, and between slashes 1 to {KEY_PART_MAX}, not '.' or '..'"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_could_leave_a_folder_are_refused() {
        for good in ["a", "a/b.c", "year=2026/ä", "..."] {
            assert_eq!(check_key(good), Ok(()), "{good}");
        }
        let long = "x".repeat(KEY_PART_MAX + 1);
        let longer = "x/".repeat(KEY_MAX / 2) + "x";
        for bad in [
            "", "/a", "a/", "a//b", "..", "a/../b", "./a", "a\0b", &long, &longer,
        ] {
            let failure = check_key(bad).expect_err(bad);
            assert_eq!(failure.outlook, Outlook::Refused);
        }
    }
}

//! Which bucket, where, and how it is talked to.

use std::time::Duration;

use super::credentials::Source;
use crate::rights::ObjectRights;

/// The region when neither the configuration nor the SDK's chain knows one.
pub(super) const REGION: &str = "us-east-1";

/// Bytes of a part unless told otherwise; smaller objects go up with one request.
pub const PART_SIZE: u64 = 16 << 20;

/// The smallest part that S3 takes.
pub const PART_SIZE_MIN: u64 = 5 << 20;

/// The largest part that S3 takes.
pub const PART_SIZE_MAX: u64 = 5 << 30;

/// Until an answer has to begin, unless told otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// Everything that is known of a store in S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The bucket.
    pub bucket: String,
    /// What all keys begin with: empty, or with a slash at its end.
    pub prefix: String,
    /// The server, such as `http://127.0.0.1:9000`; none for AWS.
    pub endpoint: Option<String>,
    /// The region; none for what the SDK's chain says.
    pub region: Option<String>,
    /// Whether the bucket stands in the path and not in the host's name.
    pub path_style: bool,
    /// Where credentials come from.
    pub credentials: Source,
    /// Until an answer has to begin.
    pub timeout: Duration,
    /// Larger objects go up in parts of so many bytes.
    pub part_size: u64,
    /// Whether checksums go with everything; some servers do not know them.
    pub checksums: bool,
    /// What goes with each object.
    pub rights: ObjectRights,
}

impl Settings {
    /// The defaults for `s3://bucket/prefix`.
    ///
    /// # Errors
    /// As [`bucket_and_prefix`].
    pub fn new(url: &str) -> Result<Settings, String> {
        let (bucket, prefix) = bucket_and_prefix(url)?;
        Ok(Settings {
            bucket,
            prefix,
            endpoint: None,
            region: None,
            path_style: false,
            credentials: Source::Chain,
            timeout: TIMEOUT,
            part_size: PART_SIZE,
            checksums: true,
            rights: ObjectRights::default(),
        })
    }
}

/// The bucket and the prefix of `s3://bucket/prefix`; the prefix is empty or has a slash at its end.
///
/// # Errors
/// When it is no such address.
pub fn bucket_and_prefix(url: &str) -> Result<(String, String), String> {
    let rest = url.strip_prefix("s3://").unwrap_or_default();
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if bucket.is_empty() || !bucket.chars().all(is_name) {
        // The text is not shown: somebody may have written a secret there.
        return Err("a store in S3 is written s3://bucket/prefix".into());
    }
    let prefix = prefix.trim_matches('/');
    let slash = if prefix.is_empty() { "" } else { "/" };
    Ok((bucket.to_owned(), format!("{prefix}{slash}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_bucket_and_perhaps_a_prefix() {
        let parts = |url| bucket_and_prefix(url);
        let pair = |bucket: &str, prefix: &str| Ok((bucket.to_owned(), prefix.to_owned()));
        assert_eq!(parts("s3://lake"), pair("lake", ""));
        assert_eq!(parts("s3://lake/"), pair("lake", ""));
        assert_eq!(parts("s3://lake.x/a/b"), pair("lake.x", "a/b/"));
        assert_eq!(parts("s3://lake/a/"), pair("lake", "a/"));
        for bad in [
            "",
            "s3://",
            "s3:///a",
            "http://lake/a",
            "s3://user:secret@lake",
        ] {
            assert!(parts(bad).is_err(), "{bad}");
        }
    }
}

//! What went wrong, in words for the log that hold no secret, and whether to try again.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::destination::{Failure, Outlook, causes};

/// The most characters of a server's words that are shown.
const SHOWN: usize = 300;

/// Codes with a status of 400 that a later attempt may not meet: the network, the clock, or credentials that are renewed.
const MAY_PASS: &[&str] = &[
    "BadDigest",
    "ExpiredToken",
    "IncompleteBody",
    "InvalidToken",
    "NoSuchUpload",
    "RequestTimeTooSkewed",
    "RequestTimeout",
    "TokenRefreshRequired",
    "XAmzContentChecksumMismatch",
    "XAmzContentSHA256Mismatch",
];

/// Codes that speak of the object and not of the bucket: it will not be taken tomorrow either.
const OF_THE_DATA: &[&str] = &[
    "EntityTooLarge",
    "EntityTooSmall",
    "InvalidArgument",
    "KeyTooLongError",
    "MetadataTooLarge",
];

/// Whether the request began to read where the object has nothing more.
pub(super) fn is_behind_the_end<E>(error: &SdkError<E, HttpResponse>) -> bool {
    error
        .raw_response()
        .is_some_and(|response| response.status().as_u16() == 416)
}

/// Whether the status says that all went well, but the body is not what it should be, and no error either. Servers that only
/// resemble S3 answer so; S3 itself may put an error behind such a status, which then has a code.
pub(super) fn is_not_understood<E>(error: &SdkError<E, HttpResponse>) -> bool
where
    E: ProvideErrorMetadata,
{
    match error {
        SdkError::ServiceError(answer) => {
            answer.raw().status().is_success() && answer.err().code().is_none()
        }
        SdkError::ResponseError(answer) => answer.raw().status().is_success(),
        _ => false,
    }
}

/// The failure that an error of the SDK stands for.
pub(super) fn told<E>(error: SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let reason = match &error {
        SdkError::ServiceError(answer) => {
            let code = answer.err().code().unwrap_or("error");
            let message = answer.err().message().unwrap_or("no reason given");
            format!("{code} ({}): {message}", answer.raw().status().as_u16())
        }
        other => causes(other),
    };
    let reason: String = reason.chars().take(SHOWN).collect();
    Failure::new(outlook_of(&error), reason)
}

fn outlook_of<E>(error: &SdkError<E, HttpResponse>) -> Outlook
where
    E: ProvideErrorMetadata,
{
    match error {
        SdkError::ServiceError(answer) => {
            outlook(answer.raw().status().as_u16(), answer.err().code())
        }
        SdkError::ConstructionFailure(_) => Outlook::Lasting,
        _ => Outlook::Passing,
    }
}

/// What a status and the code that comes with it leave to hope for.
fn outlook(status: u16, code: Option<&str>) -> Outlook {
    let is_in = |list: &[&str]| code.is_some_and(|code| list.contains(&code));
    match status {
        400 if is_in(MAY_PASS) => Outlook::Passing,
        400 | 413 if is_in(OF_THE_DATA) => Outlook::Refused,
        404 if code == Some("NoSuchUpload") => Outlook::Passing,
        400 | 404 | 405 | 411 | 412 | 413 | 414 => Outlook::Lasting,
        // Also those that say no: an operator may give the right, and credentials are renewed.
        _ => Outlook::Passing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_says_what_to_hope_for() {
        for (status, code, expected) in [
            (500, None, Outlook::Passing),
            (503, Some("SlowDown"), Outlook::Passing),
            (403, Some("ExpiredToken"), Outlook::Passing),
            (400, Some("ExpiredToken"), Outlook::Passing),
            (404, Some("NoSuchUpload"), Outlook::Passing),
            (404, Some("NoSuchBucket"), Outlook::Lasting),
            (400, Some("InvalidBucketName"), Outlook::Lasting),
            (400, Some("EntityTooLarge"), Outlook::Refused),
            (400, Some("InvalidArgument"), Outlook::Refused),
            (413, Some("EntityTooLarge"), Outlook::Refused),
        ] {
            assert_eq!(outlook(status, code), expected, "{status} {code:?}");
        }
    }
}

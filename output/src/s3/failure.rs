//! What went wrong, in words for the log that hold no secret, and whether to try again.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::destination::Failure;

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

/// Whether the request began to read where the object has nothing more.
pub(super) fn is_behind_the_end<E>(error: &SdkError<E, HttpResponse>) -> bool {
    error
        .raw_response()
        .is_some_and(|response| response.status().as_u16() == 416)
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
    Failure {
        lasting: is_lasting(&error),
        reason: reason.chars().take(SHOWN).collect(),
    }
}

fn is_lasting<E>(error: &SdkError<E, HttpResponse>) -> bool
where
    E: ProvideErrorMetadata,
{
    let SdkError::ServiceError(answer) = error else {
        return matches!(error, SdkError::ConstructionFailure(_));
    };
    match answer.raw().status().as_u16() {
        400 => !answer
            .err()
            .code()
            .is_some_and(|code| MAY_PASS.contains(&code)),
        404 => answer.err().code() != Some("NoSuchUpload"),
        405 | 411 | 412 | 413 | 414 => true,
        // Also those that say no: an operator may give the right, and credentials are renewed.
        _ => false,
    }
}

/// An error and what brought it about.
fn causes(error: &dyn std::error::Error) -> String {
    /// Causes that are shown; errors are not nested deeper than that.
    const DEPTH: usize = 8;
    let chain = std::iter::successors(Some(error), |error| error.source()).take(DEPTH);
    let mut words: Vec<String> = chain.map(ToString::to_string).collect();
    words.dedup();
    words.join(": ")
}

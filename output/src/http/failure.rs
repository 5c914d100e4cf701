//! What an answer that is no success means.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::header::{HeaderMap, RETRY_AFTER};
use hyper::http::StatusCode;

use crate::destination::{Failure, Outlook};

/// Statuses that speak of the body alone: bad request, content too large, unprocessable content.
const OF_THE_DATA: [u16; 3] = [400, 413, 422];

/// Statuses below 500 that may be over soon: timeout, conflict (with the same request, still under way), too early, too many
/// requests.
const MAY_PASS: [u16; 4] = [408, 409, 425, 429];

/// The most characters of a server's words that are shown.
const SHOWN: usize = 200;

/// The failure that an answer stands for; `refused` are further statuses that speak of the body.
pub(super) fn told(
    status: StatusCode,
    headers: &HeaderMap,
    text: &[u8],
    refused: &[u16],
) -> Failure {
    let words: String = String::from_utf8_lossy(text)
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(SHOWN)
        .collect();
    let words = words.trim();
    let between = if words.is_empty() { "" } else { ": " };
    let mut failure = Failure::new(
        outlook(status.as_u16(), refused),
        format!("{status}{between}{words}"),
    );
    let after = headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok());
    failure.rest = after.and_then(|text| rest(text, SystemTime::now()));
    failure
}

fn outlook(status: u16, refused: &[u16]) -> Outlook {
    match status {
        _ if refused.contains(&status) || OF_THE_DATA.contains(&status) => Outlook::Refused,
        _ if MAY_PASS.contains(&status) => Outlook::Passing,
        // Redirects are not followed, rights may be given, addresses put right: by somebody.
        300..=499 => Outlook::Lasting,
        _ => Outlook::Passing,
    }
}

/// Reads `Retry-After`: seconds, or a date.
fn rest(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    let now = now.duration_since(UNIX_EPOCH).ok()?;
    let until = Duration::from_secs(u64::try_from(until.as_second()).ok()?);
    Some(until.saturating_sub(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_what_to_hope_for() {
        for (status, expected) in [
            (400, Outlook::Refused),
            (413, Outlook::Refused),
            (422, Outlook::Refused),
            (415, Outlook::Refused),
            (408, Outlook::Passing),
            (409, Outlook::Passing),
            (429, Outlook::Passing),
            (500, Outlook::Passing),
            (503, Outlook::Passing),
            (301, Outlook::Lasting),
            (401, Outlook::Lasting),
            (403, Outlook::Lasting),
            (404, Outlook::Lasting),
        ] {
            assert_eq!(outlook(status, &[415]), expected, "{status}");
        }
    }

    #[test]
    fn a_rest_is_a_number_or_a_date() {
        let now = UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(rest("120", now), Some(Duration::from_secs(120)));
        let date = "Sun, 06 Nov 1994 08:50:37 GMT";
        assert_eq!(rest(date, now), Some(Duration::from_secs(60)));
        assert_eq!(
            rest("Sun, 06 Nov 1994 08:49:37 GMT", now),
            Some(Duration::ZERO)
        );
        for bad in ["", "-1", "soon", "1e9"] {
            assert_eq!(rest(bad, now), None, "{bad}");
        }
    }

    #[test]
    fn a_servers_words_are_short_and_on_one_line() {
        let text = format!("no\nway{}", "x".repeat(1000));
        let failure = told(
            StatusCode::BAD_REQUEST,
            &HeaderMap::new(),
            text.as_bytes(),
            &[],
        );
        assert!(
            failure.reason.starts_with("400 Bad Request: no way"),
            "{}",
            failure.reason
        );
        assert!(failure.reason.len() < 250);
    }
}

//! One submission: is it taken, and the message that is made of it.

use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use hyper::body::Bytes;
use hyper::header::{CONTENT_LENGTH, HeaderMap};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode, Version};
use schemas::encode::Encoder;
use schemas::frame::FrameBuf;

use super::settings::{ClientIp, Settings};

/// The namespace with a rule of its own, see [`Settings::require_v4`].
const TELEMETRY: &str = "telemetry";

/// The header with the chain of proxies; the last entry is the nearest.
const FORWARDED: &str = "x-forwarded-for";

/// Why a submission is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Neither POST nor PUT.
    Method,
    /// The length of the body is not told beforehand.
    NoLength,
    /// Path and query are too long.
    UriTooLong,
    /// The body is too long.
    ContentTooLong,
    /// The request makes no sense; the text says why.
    Bad(&'static str),
    /// Nothing is taken at this path.
    Unknown,
    /// Too many at once.
    TooMany,
    /// The body did not come in time.
    Slow,
    /// The queue takes nothing at the moment.
    Busy,
    /// A backend that the client waits for refused.
    Backend,
}

impl Refusal {
    /// The answer's status.
    pub fn status(self, settings: &Settings) -> StatusCode {
        match self {
            Refusal::UriTooLong | Refusal::ContentTooLong if settings.accept_too_long => {
                StatusCode::ACCEPTED
            }
            Refusal::Method => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::NoLength => StatusCode::LENGTH_REQUIRED,
            Refusal::UriTooLong => StatusCode::URI_TOO_LONG,
            Refusal::ContentTooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::Bad(_) => StatusCode::BAD_REQUEST,
            Refusal::Unknown => StatusCode::NOT_FOUND,
            Refusal::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Refusal::Slow => StatusCode::REQUEST_TIMEOUT,
            Refusal::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Backend => StatusCode::BAD_GATEWAY,
        }
    }

    /// What the client is told.
    pub fn text(self) -> &'static str {
        match self {
            Refusal::Method => "method not allowed: use POST or PUT",
            Refusal::NoLength => "length required: send Content-Length",
            Refusal::UriTooLong => "path and query too long",
            Refusal::ContentTooLong => "body too large",
            Refusal::Bad(why) => why,
            Refusal::Unknown => "not found",
            Refusal::TooMany => "too many submissions",
            Refusal::Slow => "the body did not come in time",
            Refusal::Busy => "cannot store the submission now, try again later",
            Refusal::Backend => "a backend did not take the submission",
        }
    }
}

/// A submission whose head is in order.
#[derive(Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Length of the body in bytes.
    pub content_length: u64,
    /// The path without escapes.
    pub path: Vec<u8>,
}

/// Looks at the head. The order of the checks is that of the public edge: method, length told, path too long, body too
/// long; then what only the path can tell.
///
/// # Errors
/// See [`Refusal`].
pub fn check(parts: &Parts, exact: Option<u64>, settings: &Settings) -> Result<Accepted, Refusal> {
    if parts.method != Method::POST && parts.method != Method::PUT {
        return Err(Refusal::Method);
    }
    let content_length = exact
        .filter(|_| parts.headers.contains_key(CONTENT_LENGTH))
        .ok_or(Refusal::NoLength)?;
    let uri_len = parts
        .uri
        .path_and_query()
        .map_or(0, |target| target.as_str().len());
    if uri_len > settings.max_uri_size {
        return Err(Refusal::UriTooLong);
    }
    if content_length > settings.max_content_size {
        return Err(Refusal::ContentTooLong);
    }
    let path = decode(parts.uri.path()).ok_or(Refusal::Bad("malformed escape in the path"))?;
    let namespace = namespace(&path, settings).ok_or(Refusal::Unknown)?;
    if settings.require_v4 && namespace == TELEMETRY && !has_v4(parts.uri.query()) {
        return Err(Refusal::Bad("telemetry submissions need v=4"));
    }
    Ok(Accepted {
        content_length,
        path,
    })
}

/// The known namespace in the path.
fn namespace<'p>(path: &'p [u8], settings: &Settings) -> Option<&'p str> {
    let rest = path.strip_prefix(settings.prefix.as_bytes())?;
    let end = rest.iter().position(|&b| b == b'/')?;
    let name = std::str::from_utf8(&rest[..end]).ok()?;
    settings.namespaces.contain(name).then_some(name)
}

fn has_v4(query: Option<&str>) -> bool {
    query.is_some_and(|query| query.split('&').any(|pair| pair == "v=4"))
}

/// Replaces `%XX` by the byte; `None` when that is no hexadecimal number, or the byte is NUL.
fn decode(path: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        let byte = if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            (digit(bytes.next())? * 16 + digit(bytes.next())?) as u8
        } else {
            byte
        };
        if byte == 0 {
            return None;
        }
        out.push(byte);
    }
    Some(out)
}

/// The client's address: for limits, and for nothing else.
pub fn client(peer: IpAddr, headers: &HeaderMap, from: ClientIp) -> IpAddr {
    let forwarded = || {
        let last = headers.get_all(FORWARDED).iter().next_back()?;
        last.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
    };
    match from {
        ClientIp::Peer => peer,
        ClientIp::Forwarded => forwarded().unwrap_or(peer),
    }
}

/// What is the same in all messages of a listener.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// Header Hostname.
    pub hostname: Vec<u8>,
    /// Header Pid.
    pub pid: i64,
}

/// Encodes the message of a submission.
///
/// Headers: a random Uuid, the time at which the body was complete, Type and Logger as set. Fields: `remote_addr`, `uri`
/// without escapes and query, `args` if there is a query, `protocol`, the kept headers that are present, and last
/// `content` as bytes.
pub fn encode(
    out: &mut FrameBuf,
    submission: &Submission<'_>,
    settings: &Settings,
    origin: &Origin,
    uuid: &[u8; 16],
) {
    out.clear();
    let mut encoder = Encoder::new(out.message());
    encoder.uuid(uuid);
    encoder.timestamp(now_ns());
    encoder.type_(settings.type_.as_bytes());
    encoder.logger(settings.logger.as_bytes());
    encoder.pid(origin.pid);
    encoder.hostname(&origin.hostname);
    if settings.client_ip {
        encoder.string_field(b"remote_addr", submission.peer.to_string().as_bytes());
    }
    encoder.string_field(b"uri", submission.path);
    let parts = submission.parts;
    if let Some(args) = parts.uri.query() {
        encoder.string_field(b"args", args.as_bytes());
    }
    encoder.string_field(b"protocol", protocol(parts.version));
    for (header, name) in &settings.headers {
        let mut values = parts.headers.get_all(header).iter();
        let (first, second) = (values.next(), values.next());
        match (first, second) {
            (None, _) => {}
            (Some(value), None) => encoder.string_field(name.as_bytes(), value.as_bytes()),
            (Some(first), Some(second)) => {
                let all: Vec<&[u8]> = [first, second]
                    .into_iter()
                    .chain(values)
                    .map(|value| value.as_bytes())
                    .collect();
                encoder.string_field(name.as_bytes(), &all.join(&b", "[..]));
            }
        }
    }
    encoder.bytes_field(
        b"content",
        submission.content.iter().map(|piece| &piece[..]),
    );
}

/// A submission that has arrived.
#[derive(Debug)]
pub struct Submission<'s> {
    /// The other end of the connection.
    pub peer: IpAddr,
    /// The head.
    pub parts: &'s Parts,
    /// The path without escapes.
    pub path: &'s [u8],
    /// The body as it came, in pieces.
    pub content: &'s [Bytes],
}

fn protocol(version: Version) -> &'static [u8] {
    match version {
        Version::HTTP_10 => b"HTTP/1.0",
        _ => b"HTTP/1.1",
    }
}

fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
    })
}

#[cfg(test)]
#[path = "submission_tests.rs"]
mod tests;

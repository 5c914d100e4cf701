//! Bytes of messages as text for people: never more than asked for, never invalid.

/// The bytes as text; what is no UTF-8 becomes the replacement character.
pub fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The first `max` bytes as text, with an ellipsis if something is missing.
pub fn cut(bytes: &[u8], max: usize) -> String {
    if bytes.len() <= max {
        return shown(bytes);
    }
    let mut text = String::from_utf8_lossy(&bytes[..max]).into_owned();
    text.push('…');
    text
}

/// Milliseconds since 1970.
pub fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

/// A time as RFC 3339, to the millisecond.
pub fn time(ms: i64) -> String {
    match jiff::Timestamp::from_millisecond(ms) {
        Ok(time) => format!("{time:.3}"),
        Err(_) => ms.to_string(),
    }
}

/// A part of an id or of a path, plain enough for any address: letters, digits and `._-` stay, everything else becomes `%XX`.
pub fn escaped(part: &[u8]) -> String {
    let mut out = String::with_capacity(part.len());
    for byte in part {
        if byte.is_ascii_alphanumeric() || b"._-".contains(byte) {
            out.push(char::from(*byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_where_it_must_be() {
        assert_eq!(cut(b"abc", 3), "abc");
        assert_eq!(cut(b"abcd", 3), "abc…");
        assert_eq!(cut("äb".as_bytes(), 1), "\u{fffd}…");
        assert_eq!(shown(b"\xff"), "\u{fffd}");
    }

    #[test]
    fn a_time_is_text() {
        assert_eq!(time(1_500_000_000_123), "2017-07-14T02:40:00.123Z");
        assert_eq!(time(i64::MAX), i64::MAX.to_string());
    }
}

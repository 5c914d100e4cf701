//! Message identifiers: 16 raw bytes, or 36 characters of text.

/// Length of the raw form in bytes.
pub const RAW_LEN: usize = 16;
/// Length of the text form in characters.
pub const TEXT_LEN: usize = 36;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Where the text form has its hyphens.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// Reads an identifier in either form; `None` for anything else.
pub fn parse(uuid: &[u8]) -> Option<[u8; RAW_LEN]> {
    match uuid.len() {
        RAW_LEN => uuid.try_into().ok(),
        TEXT_LEN => parse_text(uuid),
        _ => None,
    }
}

fn parse_text(text: &[u8]) -> Option<[u8; RAW_LEN]> {
    let mut raw = [0; RAW_LEN];
    let mut at = 0;
    for byte in &mut raw {
        if HYPHENS.contains(&at) {
            if text[at] != b'-' {
                return None;
            }
            at += 1;
        }
        *byte = hex_digit(text[at])? << 4 | hex_digit(text[at + 1])?;
        at += 2;
    }
    Some(raw)
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

/// The text form, in lower case: `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`.
pub fn format(raw: &[u8; RAW_LEN]) -> [u8; TEXT_LEN] {
    let mut text = [b'-'; TEXT_LEN];
    let mut at = 0;
    for byte in raw {
        if HYPHENS.contains(&at) {
            at += 1;
        }
        text[at] = HEX[usize::from(byte >> 4)];
        text[at + 1] = HEX[usize::from(byte & 0x0f)];
        at += 2;
    }
    text
}

/// Makes an identifier of version 4 from random bytes. The caller owns the generator.
///
/// The variant nibble is always `a`, as Hindsight writes it: a valid choice of the four that the standard allows.
#[inline]
pub fn v4(random: [u8; RAW_LEN]) -> [u8; RAW_LEN] {
    let mut uuid = random;
    uuid[6] = uuid[6] & 0x0f | 0x40;
    uuid[8] = uuid[8] & 0x0f | 0xa0;
    uuid
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_known_identifier_has_its_known_text() {
        let raw = *b"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff";
        let text = b"00112233-4455-6677-8899-aabbccddeeff";
        assert_eq!(&format(&raw), text);
        assert_eq!(parse(text), Some(raw));
        assert_eq!(parse(&text.to_ascii_uppercase()), Some(raw));
        assert_eq!(parse(&raw), Some(raw));
    }

    #[test]
    fn what_is_no_identifier_is_refused() {
        for wrong in [
            &b""[..],
            b"00112233445566778899aabbccddeeff",
            b"00112233-4455-6677-8899-aabbccddeef",
            b"00112233-4455-6677-8899-aabbccddeefff",
            b"00112233-4455-6677-8899-aabbccddeefg",
            b"001122334-455-6677-8899-aabbccddeeff",
            b"+0112233-4455-6677-8899-aabbccddeeff",
        ] {
            assert_eq!(parse(wrong), None, "{}", wrong.escape_ascii());
        }
    }

    #[test]
    fn version_and_variant_are_set_whatever_the_random_bytes_are() {
        assert_eq!(
            &format(&v4([0xff; 16])),
            b"ffffffff-ffff-4fff-afff-ffffffffffff"
        );
        assert_eq!(
            &format(&v4([0x00; 16])),
            b"00000000-0000-4000-a000-000000000000"
        );
    }

    proptest! {
        #[test]
        fn text_comes_back(raw in any::<[u8; 16]>()) {
            prop_assert_eq!(parse(&format(&raw)), Some(raw));
        }

        #[test]
        fn no_text_panics(text in prop::collection::vec(any::<u8>(), 36)) {
            parse(&text);
        }
    }
}

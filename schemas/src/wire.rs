//! Protobuf's varints, keys and lengths: the primitives under [`crate::view`] and [`crate::encode`].

/// Wire type of varints.
pub(crate) const VARINT: u32 = 0;
/// Wire type of eight little-endian bytes.
pub(crate) const FIXED64: u32 = 1;
/// Wire type of a length and as many bytes.
pub(crate) const LENGTH: u32 = 2;
/// Wire type of four little-endian bytes.
pub(crate) const FIXED32: u32 = 5;

/// A 64-bit number takes at most this many groups of seven bits.
pub(crate) const VARINT_LEN_MAX: usize = 10;

/// A part of a message; `u32` halves the index, and no message is longer than [`MESSAGE_LEN_MAX`].
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset behind the last byte.
    pub end: u32,
}

/// Longest message whose parts [`Span`] can name.
pub(crate) const MESSAGE_LEN_MAX: usize = u32::MAX as usize;

impl Span {
    /// The bytes it stands for.
    #[inline]
    pub fn of(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.start as usize..self.end as usize]
    }

    /// How many bytes it stands for.
    #[inline]
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }
}

/// Reads a varint at `at`; answers it and the offset behind it. `None` if it does not end or exceeds 64 bits.
#[inline(always)]
pub(crate) fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let first = *bytes.get(at)?;
    if first < 0x80 {
        return Some((u64::from(first), at + 1));
    }
    varint_long(bytes, at)
}

/// A varint of two bytes or more: eight bytes at once where there are so many, since Timestamps take nine.
#[inline]
fn varint_long(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let rest = bytes.get(at..)?;
    let Some((chunk, _)) = rest.split_first_chunk::<8>() else {
        return varint_by_bytes(rest, 0, 0).map(|(value, len)| (value, at + len));
    };
    let chunk = u64::from_le_bytes(*chunk);
    let ends = !chunk & 0x8080_8080_8080_8080;
    if ends == 0 {
        return varint_by_bytes(rest, join_groups(chunk), 8).map(|(value, len)| (value, at + len));
    }
    // All bits up to the first byte that ends a varint.
    let mask = ends ^ (ends - 1);
    Some((
        join_groups(chunk & mask),
        at + mask.count_ones() as usize / 8,
    ))
}

/// Joins the lower seven bits of eight bytes.
#[inline]
fn join_groups(chunk: u64) -> u64 {
    let pairs = (chunk & 0x007f_007f_007f_007f) | ((chunk & 0x7f00_7f00_7f00_7f00) >> 1);
    let fours = (pairs & 0x0000_3fff_0000_3fff) | ((pairs & 0x3fff_0000_3fff_0000) >> 2);
    (fours & 0x0fff_ffff) | ((fours & 0x0fff_ffff_0000_0000) >> 4)
}

/// Reads on at byte `idx` of a varint whose bytes before have `value`; answers it and how many bytes it takes.
fn varint_by_bytes(bytes: &[u8], mut value: u64, mut idx: usize) -> Option<(u64, usize)> {
    while idx < VARINT_LEN_MAX {
        let byte = *bytes.get(idx)?;
        value |= u64::from(byte & 0x7f) << (7 * idx);
        idx += 1;
        if byte < 0x80 {
            // The tenth byte holds the 64th bit and nothing else.
            return (idx < VARINT_LEN_MAX || byte < 2).then_some((value, idx));
        }
    }
    None
}

/// Reads a key (tag and wire type) at `at`; answers it and the offset behind it.
#[inline(always)]
pub(crate) fn key(bytes: &[u8], at: usize) -> Option<(u32, usize)> {
    let first = *bytes.get(at)?;
    if first < 0x80 {
        return Some((u32::from(first), at + 1));
    }
    let (key, at) = varint_long(bytes, at)?;
    Some((u32::try_from(key).ok()?, at))
}

/// Reads a length at `at` and answers where the bytes behind it are.
#[inline(always)]
pub(crate) fn length_delimited(bytes: &[u8], at: usize) -> Option<Span> {
    let (len, start) = varint(bytes, at)?;
    if len > (bytes.len() - start) as u64 {
        return None;
    }
    // Callers have checked that `bytes` is no longer than `MESSAGE_LEN_MAX`.
    Some(Span {
        start: start as u32,
        end: (start + len as usize) as u32,
    })
}

/// Answers the offset behind the value of an element with this key. Groups are refused: they nest, and nobody writes
/// them any more.
#[inline]
pub(crate) fn skip(bytes: &[u8], key: u32, at: usize) -> Option<usize> {
    if key >> 3 == 0 {
        return None;
    }
    match key & 7 {
        VARINT => varint(bytes, at).map(|(_, end)| end),
        LENGTH => length_delimited(bytes, at).map(|span| span.end as usize),
        FIXED64 => fixed(bytes, at, 8),
        FIXED32 => fixed(bytes, at, 4),
        _ => None,
    }
}

/// Answers the offset behind `len` bytes at `at`.
#[inline]
pub(crate) fn fixed(bytes: &[u8], at: usize, len: usize) -> Option<usize> {
    (bytes.len() - at >= len).then_some(at + len)
}

/// How many bytes `value` takes as a varint.
#[inline]
pub(crate) fn varint_len(value: u64) -> usize {
    // Seven bits a byte; `| 1` because zero takes a byte, too.
    (70 - (value | 1).leading_zeros() as usize) / 7
}

/// Appends `value` as a varint.
#[inline]
pub(crate) fn push_varint(out: &mut Vec<u8>, value: u64) {
    if value < 0x80 {
        out.push(value as u8);
        return;
    }
    let (bytes, len) = varint_bytes(value);
    // A copy of fixed length, and then less, is faster than one of the right length.
    let end = out.len() + len;
    out.extend_from_slice(&bytes);
    out.truncate(end);
}

/// `value` as a varint, and how many bytes of the array it takes; the others are of no meaning.
#[inline(always)]
pub(crate) fn varint_bytes(value: u64) -> ([u8; VARINT_LEN_MAX], usize) {
    let len = varint_len(value);
    // The bit that says that more follows is set in all bytes, and taken off the last.
    let more = 0x8080_8080_8080_8080;
    let lower = if len <= 8 {
        split_groups(value) | more & !(0x80 << (8 * (len - 1)))
    } else {
        split_groups(value) | more
    };
    let mut bytes = [0; VARINT_LEN_MAX];
    bytes[..8].copy_from_slice(&lower.to_le_bytes());
    bytes[8] = (value >> 56) as u8 & 0x7f | if len > 9 { 0x80 } else { 0 };
    bytes[9] = (value >> 63) as u8;
    (bytes, len)
}

/// The lower 56 bits in groups of seven, one in each byte: the opposite of [`join_groups`].
#[inline(always)]
fn split_groups(value: u64) -> u64 {
    let fours = (value & 0x0fff_ffff) | ((value & 0x00ff_ffff_f000_0000) << 4);
    let pairs = (fours & 0x0000_3fff_0000_3fff) | ((fours & 0x0fff_c000_0fff_c000) << 2);
    (pairs & 0x007f_007f_007f_007f) | ((pairs & 0x3f80_3f80_3f80_3f80) << 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn varints_come_back(value in any::<u64>(), shift in 0u32..64) {
            let value = value >> shift;
            let mut out = Vec::new();
            push_varint(&mut out, value);
            let mut theirs = Vec::new();
            prost::encoding::encode_varint(value, &mut theirs);
            prop_assert_eq!(&out, &theirs);
            prop_assert_eq!(out.len(), varint_len(value));
            prop_assert_eq!(varint(&out, 0), Some((value, out.len())));
            for len in 0..out.len() {
                prop_assert_eq!(varint(&out[..len], 0), None);
            }
        }

        #[test]
        fn varints_agree_with_prost(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
            let mut rest = &bytes[..];
            let theirs = prost::encoding::decode_varint(&mut rest).ok();
            prop_assert_eq!(varint(&bytes, 0).map(|(value, _)| value), theirs);
        }
    }

    #[test]
    fn a_varint_of_more_than_64_bits_is_refused() {
        let mut bytes = [0xff; 10];
        bytes[9] = 0x01;
        assert_eq!(varint(&bytes, 0), Some((u64::MAX, 10)));
        bytes[9] = 0x02;
        assert_eq!(varint(&bytes, 0), None);
        bytes[9] = 0x80;
        assert_eq!(varint(&bytes, 0), None);
    }

    #[test]
    fn groups_and_tag_zero_are_not_skipped() {
        let bytes = [0; 16];
        for wire_type in [3, 4, 6, 7] {
            assert_eq!(skip(&bytes, 20 << 3 | wire_type, 0), None);
        }
        assert_eq!(skip(&bytes, 0, 0), None);
        assert_eq!(skip(&bytes, 20 << 3 | FIXED64, 8), Some(16));
        assert_eq!(skip(&bytes, 20 << 3 | FIXED64, 9), None);
        assert_eq!(skip(&bytes, 20 << 3 | FIXED32, 12), Some(16));
        assert_eq!(skip(&bytes, 20 << 3 | FIXED32, 16), None);
    }
}

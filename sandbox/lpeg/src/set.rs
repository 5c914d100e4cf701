//! Sets of bytes, as 256 bits.

/// A set of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct ByteSet([u64; 4]);

impl ByteSet {
    /// No byte.
    pub(crate) const EMPTY: ByteSet = ByteSet([0; 4]);
    /// Every byte.
    pub(crate) const FULL: ByteSet = ByteSet([u64::MAX; 4]);

    /// The bytes that occur in `bytes`.
    pub(crate) fn of(bytes: &[u8]) -> ByteSet {
        let mut set = ByteSet::EMPTY;
        for &byte in bytes {
            set.insert(byte);
        }
        set
    }

    /// The bytes for which `is_in` is true.
    pub(crate) fn filter(is_in: impl Fn(u8) -> bool) -> ByteSet {
        let mut set = ByteSet::EMPTY;
        for byte in 0..=u8::MAX {
            if is_in(byte) {
                set.insert(byte);
            }
        }
        set
    }

    /// Puts a byte in.
    pub(crate) fn insert(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    /// Whether a byte is in.
    pub(crate) fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }

    /// Bytes of either.
    pub(crate) fn union(&self, other: &ByteSet) -> ByteSet {
        self.zip(other, |a, b| a | b)
    }

    /// Bytes of this one that are not in the other.
    pub(crate) fn minus(&self, other: &ByteSet) -> ByteSet {
        self.zip(other, |a, b| a & !b)
    }

    /// Bytes that are not in this one.
    pub(crate) fn complement(&self) -> ByteSet {
        ByteSet::FULL.minus(self)
    }

    /// Whether no byte is in both.
    pub(crate) fn is_disjoint(&self, other: &ByteSet) -> bool {
        self.zip(other, |a, b| a & b) == ByteSet::EMPTY
    }

    /// How many bytes are in.
    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The bytes in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u8> + '_ {
        (0..=u8::MAX).filter(|&byte| self.contains(byte))
    }

    /// The only byte, if there is just one.
    pub(crate) fn single(&self) -> Option<u8> {
        if self.len() == 1 {
            self.iter().next()
        } else {
            None
        }
    }

    fn zip(&self, other: &ByteSet, join: impl Fn(u64, u64) -> u64) -> ByteSet {
        let mut words = self.0;
        for (word, &with) in words.iter_mut().zip(&other.0) {
            *word = join(*word, with);
        }
        ByteSet(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_and_its_complement_share_nothing_and_miss_nothing() {
        let set = ByteSet::of(b"\0az\xff");
        assert_eq!(set.len(), 4);
        assert_eq!(set.iter().collect::<Vec<_>>(), b"\0az\xff");
        assert!(set.is_disjoint(&set.complement()));
        assert_eq!(set.union(&set.complement()), ByteSet::FULL);
        assert_eq!(set.minus(&ByteSet::of(b"z")), ByteSet::of(b"\0a\xff"));
    }

    #[test]
    fn only_one_byte_is_single() {
        assert_eq!(ByteSet::of(b"q").single(), Some(b'q'));
        assert_eq!(ByteSet::of(b"qr").single(), None);
        assert_eq!(ByteSet::EMPTY.single(), None);
    }
}

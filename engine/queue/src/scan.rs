//! Finds records where no checksum tells where they are.

use std::ops::Range;

/// What lies at the start of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scan {
    /// A whole record of this many bytes, all of which are there. At least 1.
    Record(usize),
    /// The start of a record; more bytes are needed to say more.
    Partial,
    /// This many bytes that belong to no record. At least 1.
    Skip(usize),
}

/// What a stretch of bytes was found to be made of, in order and without gaps up to `end`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// The lengths of the records, run by run.
    pub runs: Vec<Run>,
    /// Stretches that belong to no record.
    pub damaged: Vec<Range<usize>>,
    /// How far the bytes were understood: a possible record begins here that does not end in them.
    pub end: usize,
}

/// Records that follow each other without a gap.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// Where the first begins and the last ends.
    pub span: Range<usize>,
    /// Their lengths.
    pub lengths: Vec<u32>,
}

/// Finds every record in `bytes`. `scan` is called at most once per byte, whatever it answers. A partial record that
/// begins before `decisive` cannot become whole, so its first byte is damage; at a later one the search ends.
pub(crate) fn find(bytes: &[u8], decisive: usize, scan: &dyn Fn(&[u8]) -> Scan) -> Found {
    let mut found = Found::default();
    while found.end < bytes.len() {
        let rest = &bytes[found.end..];
        match scan(rest) {
            Scan::Record(length) if (1..=rest.len()).contains(&length) => found.add_record(length),
            Scan::Record(_) | Scan::Partial if found.end < decisive => found.add_damage(1),
            Scan::Record(_) | Scan::Partial => break,
            Scan::Skip(length) => found.add_damage(length.clamp(1, rest.len())),
        }
    }
    found
}

impl Found {
    fn add_record(&mut self, length: usize) {
        let (start, end) = (self.end, self.end + length);
        match self.runs.last_mut() {
            Some(run) if run.span.end == start => {
                run.span.end = end;
                run.lengths.push(length as u32);
            }
            _ => self.runs.push(Run {
                span: start..end,
                lengths: vec![length as u32],
            }),
        }
        self.end = end;
    }

    fn add_damage(&mut self, length: usize) {
        let (start, end) = (self.end, self.end + length);
        match self.damaged.last_mut() {
            Some(last) if last.end == start => last.end = end,
            _ => self.damaged.push(start..end),
        }
        self.end = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Records are `<digit><that many letters>`.
    fn scan(bytes: &[u8]) -> Scan {
        match bytes[0] {
            digit @ b'0'..=b'9' if bytes.len() > usize::from(digit - b'0') => {
                Scan::Record(usize::from(digit - b'0') + 1)
            }
            b'0'..=b'9' => Scan::Partial,
            _ => Scan::Skip(1),
        }
    }

    #[test]
    fn runs_damage_and_the_unfinished_end() {
        let found = find(b"2ab1cxx0y3zz", 0, &scan);
        assert_eq!(found.runs.len(), 2);
        assert_eq!(
            (found.runs[0].span.clone(), &found.runs[0].lengths[..]),
            (0..5, &[3, 2][..])
        );
        assert_eq!(
            (found.runs[1].span.clone(), &found.runs[1].lengths[..]),
            (7..8, &[1][..])
        );
        assert_eq!((found.damaged, found.end), (vec![5..7, 8..9], 9));
    }

    #[test]
    fn a_partial_record_that_cannot_become_whole_is_damage() {
        let found = find(b"9a1b9c", 6, &scan);
        assert_eq!(
            (found.damaged, found.runs[0].span.clone()),
            (vec![0..2, 4..6], 2..4)
        );
        assert_eq!(find(b"9a1b9c", 1, &scan).end, 4);
    }

    #[test]
    fn a_scan_that_lies_neither_panics_nor_loops() {
        assert_eq!(find(b"abc", 0, &|_| Scan::Record(9)).end, 0);
        assert_eq!(find(b"abc", 0, &|_| Scan::Record(0)).end, 0);
        assert_eq!(find(b"abc", 0, &|_| Scan::Skip(0)).damaged, vec![0..3]);
        assert_eq!(
            find(b"abc", 0, &|_| Scan::Skip(usize::MAX)).damaged,
            vec![0..3]
        );
    }

    proptest! {
        #[test]
        fn every_byte_is_accounted_for_once(bytes in proptest::collection::vec(b'0'..b'f', 0..200), decisive in 0usize..250) {
            let found = find(&bytes, decisive, &scan);
            let mut parts: Vec<_> = found.runs.iter().map(|run| run.span.clone()).collect();
            parts.extend(found.damaged.iter().cloned());
            parts.sort_by_key(|part| part.start);
            let mut at = 0;
            for part in parts {
                prop_assert_eq!(part.start, at);
                at = part.end;
            }
            prop_assert_eq!(at, found.end);
            for run in &found.runs {
                let total: u32 = run.lengths.iter().sum();
                prop_assert_eq!(total as usize, run.span.len());
            }
        }
    }
}

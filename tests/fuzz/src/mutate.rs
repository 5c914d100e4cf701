//! Changes an input a little, or a lot, as a seed says.

use stdx::seed::Random;

/// Longest input; long enough for every limit of the targets, short enough to be quick.
pub const LEN_MAX: usize = 16 << 10;
/// Most changes at a time.
const CHANGES_MAX: u64 = 8;
/// Values at which lengths, counts and types change their meaning.
const EDGES: [u8; 10] = [0, 1, 0x0a, 0x1e, 0x1f, 0x7f, 0x80, 0xfe, 0xff, b'%'];

/// An input made from one of `inputs` (never empty) with some changes; `words` are pieces that mean something.
pub fn mutated(inputs: &[Vec<u8>], words: &[&[u8]], random: &mut Random) -> Vec<u8> {
    let mut bytes = pick(inputs, random).clone();
    // Formats with lengths and checksums are soon beyond repair, so often one change must do.
    let n_changes = if random.one_in(2) {
        1
    } else {
        1 + random.below(CHANGES_MAX)
    };
    for _ in 0..n_changes {
        change(&mut bytes, inputs, words, random);
        bytes.truncate(LEN_MAX);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, inputs: &[Vec<u8>], words: &[&[u8]], random: &mut Random) {
    let (start, end) = span(bytes.len(), random);
    match random.below(10) {
        0 => flip_bit(bytes, random),
        1 => set(bytes, random, |random| random.bits() as u8),
        2 => set(bytes, random, |random| {
            EDGES[random.below(EDGES.len() as u64) as usize]
        }),
        3 => nudge(bytes, random),
        4 => drop(bytes.drain(start..end)),
        5 => insert(bytes, start, pick::<&[u8]>(words, random)),
        6 => repeat(bytes, start, end, random),
        7 => bytes.truncate(start),
        8 => splice(bytes, start, pick::<Vec<u8>>(inputs, random), random),
        _ => insert(
            bytes,
            start,
            &random.bits().to_le_bytes()[..random.below(8) as usize],
        ),
    }
}

fn pick<'a, T>(of: &'a [T], random: &mut Random) -> &'a T {
    &of[random.below(of.len() as u64) as usize]
}

/// A stretch of the input, short more often than long.
fn span(len: usize, random: &mut Random) -> (usize, usize) {
    let start = random.below(len as u64 + 1) as usize;
    let longest = if random.one_in(4) { len } else { 16 };
    let end = (start + random.below(longest as u64 + 1) as usize).min(len);
    (start, end)
}

fn set(bytes: &mut [u8], random: &mut Random, value: impl Fn(&mut Random) -> u8) {
    let at = random.below(bytes.len() as u64) as usize;
    let value = value(random);
    if let Some(byte) = bytes.get_mut(at) {
        *byte = value;
    }
}

fn flip_bit(bytes: &mut [u8], random: &mut Random) {
    let (at, bit) = (random.below(bytes.len() as u64) as usize, random.below(8));
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << bit;
    }
}

fn nudge(bytes: &mut [u8], random: &mut Random) {
    let (at, by) = (
        random.below(bytes.len() as u64) as usize,
        random.below(9) as u8,
    );
    if let Some(byte) = bytes.get_mut(at) {
        *byte = byte.wrapping_add(by).wrapping_sub(4);
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, what: &[u8]) {
    bytes.splice(at..at, what.iter().copied());
}

fn repeat(bytes: &mut Vec<u8>, start: usize, end: usize, random: &mut Random) {
    let times = if random.one_in(10) { 500 } else { 3 };
    let piece = bytes[start..end].repeat(random.below(times) as usize);
    insert(bytes, end, &piece);
}

/// The first part of the input and the last part of another.
fn splice(bytes: &mut Vec<u8>, at: usize, other: &[u8], random: &mut Random) {
    bytes.truncate(at);
    let from = random.below(other.len() as u64 + 1) as usize;
    bytes.extend_from_slice(&other[from..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_inputs() {
        let inputs = vec![b"abcdef".to_vec(), Vec::new()];
        let make = |seed| {
            let mut random = Random::from_seed(seed);
            (0..200)
                .map(|_| mutated(&inputs, &[b"word"], &mut random))
                .collect::<Vec<_>>()
        };
        assert_eq!(make(1), make(1));
        assert_ne!(make(1), make(2));
    }

    #[test]
    fn inputs_stay_short() {
        let inputs = vec![vec![0; LEN_MAX]];
        let mut random = Random::from_seed(3);
        assert!((0..500).all(|_| mutated(&inputs, &[b"w"], &mut random).len() <= LEN_MAX));
    }
}

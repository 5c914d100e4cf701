//! Time series as short words, for search and comparison: SAX.
//!
//! J. Lin, E. Keogh, S. Lonardi, B. Chiu, "A symbolic representation of time series, with implications for streaming
//! algorithms" (2003). A series is normalised and cut into frames; each frame's mean becomes a letter, such that letters are
//! equally frequent among normally distributed values. Here A is the lowest letter, and `#` stands for a frame without values.

pub mod lua;

use crate::running_stats::RunningStats;

/// The fewest letters of an alphabet.
pub const MIN_CARDINALITY: u8 = 2;
/// The most letters.
pub const MAX_CARDINALITY: u8 = 16;
/// The longest series of a word.
pub const MAX_VALUES: i32 = 4096;
/// The longest word of a series.
pub const MAX_LETTERS: i32 = 2048;
/// Series that deviate less count as constant.
const CONSTANT: f64 = 1e-2;
/// The letter of a frame without values.
const NO_VALUES: u8 = b'#';

/// The positive among the quantiles 1/c, 2/c, ... of the normal distribution, for alphabets of c = 2 to 16 letters; the
/// others are their negatives, and 0 where c is even.
const QUANTILES: &[&[f64]] = &[
    &[],
    &[0.4307273],
    &[0.6744898],
    &[0.2533471, 0.8416212],
    &[0.4307273, 0.9674216],
    &[0.1800124, 0.5659488, 1.0675705],
    &[0.3186394, 0.6744898, 1.1503494],
    &[0.1397103, 0.4307273, 0.7647097, 1.2206403],
    &[0.2533471, 0.5244005, 0.8416212, 1.2815516],
    &[0.1141853, 0.3487557, 0.6045853, 0.9084579, 1.3351777],
    &[0.2104284, 0.4307273, 0.6744898, 0.9674216, 1.3829941],
    &[
        0.0965586, 0.2933812, 0.5024022, 0.7363159, 1.0200762, 1.4260769,
    ],
    &[
        0.1800124, 0.3661064, 0.5659488, 0.7916386, 1.0675705, 1.4652338,
    ],
    &[
        0.0836517, 0.2533471, 0.4307273, 0.6229257, 0.8416212, 1.1107716, 1.5010859,
    ],
    &[
        0.1573107, 0.3186394, 0.4887764, 0.6744898, 0.8871466, 1.1503494, 1.5341205,
    ],
];

/// The bounds between the letters of an alphabet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Alphabet(u8);

impl Alphabet {
    /// Bound `i`, between letters `i` and `i + 1`, counted from 0.
    fn bound(self, i: u8) -> f64 {
        let positive = QUANTILES[usize::from(self.0 - MIN_CARDINALITY)];
        let n_bounds = self.0 - 1;
        let n_positive = positive.len() as u8;
        if i < n_positive {
            -positive[usize::from(n_positive - 1 - i)]
        } else if i < n_bounds - n_positive {
            0.0
        } else {
            positive[usize::from(i - (n_bounds - n_positive))]
        }
    }

    /// The letter of a normalised mean, from 0. Bounds have three decimals here, cut, in single precision, as everywhere where
    /// SAX is used.
    fn letter(self, mean: f64) -> u8 {
        let cut = |bound: f64| f64::from(((bound * 1e3).trunc() / 1e3) as f32);
        let below = (0..self.0 - 1).find(|&i| mean < cut(self.bound(i)));
        below.unwrap_or(self.0 - 1)
    }

    /// The least distance of values with these letters. Three decimals, rounded, in single precision.
    fn distance(self, a: u8, b: u8) -> f64 {
        let (low, high) = (a.min(b), a.max(b));
        if high - low <= 1 {
            return 0.0;
        }
        let distance = self.bound(high - 1) - self.bound(low);
        f64::from(((distance * 1e3).round() / 1e3) as f32)
    }
}

/// A word.
#[derive(Clone, Debug)]
pub struct Word {
    alphabet: Alphabet,
    /// Letters from 0; `None` for a frame without values.
    letters: Vec<Option<u8>>,
    /// How many values the word stands for; 0 when that is not known.
    n_values: usize,
}

impl PartialEq for Word {
    /// The same letters of the same alphabet.
    fn eq(&self, other: &Word) -> bool {
        self.alphabet == other.alphabet && self.letters == other.letters
    }
}

/// How far apart two words are at least.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distance {
    /// In all.
    pub total: f64,
    /// Where the first lies above the second.
    pub above: f64,
    /// Where it lies below.
    pub below: f64,
}

impl Word {
    /// The word of `n_letters` (a divisor of the number of values) for a series.
    pub fn of_series<'v>(
        values: impl ExactSizeIterator<Item = &'v f64> + Clone,
        n_letters: usize,
        cardinality: u8,
    ) -> Word {
        let alphabet = Alphabet(cardinality);
        let mut stats = RunningStats::default();
        values.clone().for_each(|&value| stats.add(value));
        let (n_values, deviation) = (values.len(), stats.usd());
        let frame_size = n_values / n_letters;
        let mut values = values.copied();
        let letters = (0..n_letters).map(|_| {
            let frame = values.by_ref().take(frame_size);
            let (mut sum, mut n) = (0.0, 0.0);
            for value in frame.filter(|value| !value.is_nan()) {
                sum += value;
                n += 1.0;
            }
            let mean = if sum.is_infinite() {
                sum
            } else if deviation < CONSTANT {
                0.0
            } else {
                (sum - n * stats.mean) / (n * deviation)
            };
            // The sum is NaN for both infinities.
            (n > 0.0 && !sum.is_nan()).then(|| alphabet.letter(mean))
        });
        Word {
            alphabet,
            letters: letters.collect(),
            n_values,
        }
    }

    /// The word with these letters, such as `AABBC`; `None` when they are not of the alphabet or it does not exist.
    pub fn of_text(text: &[u8], cardinality: u8) -> Option<Word> {
        if !(MIN_CARDINALITY..=MAX_CARDINALITY).contains(&cardinality) || text.is_empty() {
            return None;
        }
        let letter = |&c: &u8| match c {
            NO_VALUES => Some(None),
            _ => c
                .checked_sub(b'A')
                .filter(|&letter| letter < cardinality)
                .map(Some),
        };
        Some(Word {
            alphabet: Alphabet(cardinality),
            letters: text.iter().map(letter).collect::<Option<_>>()?,
            n_values: 0,
        })
    }

    /// Says how many values the word stands for.
    pub fn with_values(self, n_values: usize) -> Word {
        Word { n_values, ..self }
    }

    /// How many values it stands for; 0 when that is not known.
    pub fn n_values(&self) -> usize {
        self.n_values
    }

    /// How many letters it has.
    pub fn n_letters(&self) -> usize {
        self.letters.len()
    }

    /// How many letters the alphabet has.
    pub fn cardinality(&self) -> u8 {
        self.alphabet.0
    }

    /// Appends the letters.
    pub fn write(&self, out: &mut Vec<u8>) {
        let letters = self.letters.iter();
        out.extend(letters.map(|letter| letter.map_or(NO_VALUES, |letter| b'A' + letter)));
    }

    /// The distance to another word; `None` when they cannot be compared, because alphabets, lengths or numbers of values
    /// differ. A frame without values is as far away as a letter can be.
    pub fn distance(&self, other: &Word) -> Option<Distance> {
        let n_letters = self.letters.len();
        let known = self.n_values != 0 && other.n_values != 0;
        if self.alphabet != other.alphabet
            || n_letters != other.letters.len()
            || (known && self.n_values != other.n_values)
        {
            return None;
        }
        let n_values = match self.n_values.max(other.n_values) {
            0 => n_letters,
            n => n,
        };
        let (mut above, mut below) = (0.0, 0.0);
        for pair in self.letters.iter().zip(&other.letters) {
            let (a, b) = match pair {
                (Some(a), Some(b)) => (*a, *b),
                (Some(a), None) => (*a, self.farthest(*a)),
                (None, Some(b)) => (self.farthest(*b), *b),
                (None, None) => continue,
            };
            let squared = self.alphabet.distance(a, b).powi(2);
            match a > b {
                true => above += squared,
                false => below += squared,
            }
        }
        let compression = (n_values as f64 / n_letters as f64).sqrt();
        Some(Distance {
            total: compression * (above + below).sqrt(),
            above: compression * above.sqrt(),
            below: compression * below.sqrt(),
        })
    }

    /// The letter farthest away; the lowest of two.
    fn farthest(&self, letter: u8) -> u8 {
        let last = self.alphabet.0 - 1;
        if last - letter > letter { last } else { 0 }
    }
}

/// The newest values of a series, and their word.
#[derive(Clone, Debug)]
pub struct Window {
    /// A ring; the oldest lies at `oldest`. NaN where there is none yet.
    values: Vec<f64>,
    oldest: usize,
    word: Word,
}

impl Window {
    /// A window of as many values as `values` (which are NaN), and a word of `n_letters`, a divisor of that.
    pub fn new(values: Vec<f64>, n_letters: usize, cardinality: u8) -> Window {
        let word = Word::of_series(values.iter(), n_letters, cardinality);
        Window {
            values,
            oldest: 0,
            word,
        }
    }

    /// Adds values in place of the oldest ones.
    pub fn add(&mut self, values: &[f64]) {
        let new = values.len().saturating_sub(self.values.len());
        for &value in &values[new..] {
            self.values[self.oldest] = value;
            self.oldest = (self.oldest + 1) % self.values.len();
        }
        let ordered = Ordered {
            values: &self.values,
            next: self.oldest,
            left: self.values.len(),
        };
        self.word = Word::of_series(ordered, self.word.n_letters(), self.word.cardinality());
    }

    /// Forgets all values.
    pub fn clear(&mut self) {
        self.values.fill(f64::NAN);
        self.add(&[]);
    }

    /// The word of the values.
    pub fn word(&self) -> &Word {
        &self.word
    }

    /// The values from the oldest on.
    pub fn values(&self) -> impl Iterator<Item = f64> {
        let (newer, older) = self.values.split_at(self.oldest);
        older.iter().chain(newer).copied()
    }
}

/// The values of a ring, from the oldest on.
#[derive(Clone)]
struct Ordered<'v> {
    values: &'v [f64],
    next: usize,
    left: usize,
}

impl<'v> Iterator for Ordered<'v> {
    type Item = &'v f64;

    fn next(&mut self) -> Option<&'v f64> {
        self.left = self.left.checked_sub(1)?;
        let value = &self.values[self.next];
        self.next = (self.next + 1) % self.values.len();
        Some(value)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Ordered<'_> {}

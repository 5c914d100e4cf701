//! Shape: how far the word of the newest period is from that of the period before.
//!
//! J. Lin, E. Keogh, S. Lonardi, B. Chiu, "A symbolic representation of time series, with implications for streaming
//! algorithms" (2003): the smallest distance that the normalised series can have. Blind for level and size, so it goes well
//! with another detector. Cost: two periods, once for each letter.

use super::ring::Ring;
use super::{Algorithm, Param, Reader, WINDOW_MAX, Writer};
use crate::sax::Word;

pub const PARAMS: &[Param] = &[
    Param::whole("period", 1440.0, 4.0, WINDOW_MAX / 2.0),
    Param::whole("letters", 24.0, 2.0, WINDOW_MAX / 4.0),
    Param::whole("cardinality", 6.0, 2.0, 16.0),
    Param::real("threshold", 20.0, 1e-3, 1e6),
];

/// What is wrong with the parameters.
pub fn check(params: &[f64]) -> Option<&'static str> {
    (params[0] % params[1] != 0.0).then_some("period must be evenly divisible by letters")
}

/// The detector.
pub struct Shape {
    values: Ring,
    period: usize,
    letters: usize,
    cardinality: u8,
    threshold: f64,
    /// Values until the next letter is complete.
    left: usize,
    score: f64,
}

impl Shape {
    pub fn new(params: &[f64]) -> Shape {
        let (period, letters) = (params[0] as usize, params[1] as usize);
        Shape {
            values: Ring::new(2 * period),
            period,
            letters,
            cardinality: params[2] as u8,
            threshold: params[3],
            left: period / letters,
            score: 0.0,
        }
    }
}

impl Algorithm for Shape {
    fn add(&mut self, _: i64, value: f64) -> f64 {
        self.values.push(value);
        self.left -= 1;
        if self.left > 0 {
            return self.score;
        }
        self.left = self.period / self.letters;
        if !self.values.is_full() {
            return 0.0;
        }
        let (letters, cardinality) = (self.letters, self.cardinality);
        let (before, newest) = self.values.as_slice().split_at(self.period);
        let word = |values: &[f64]| Word::of_series(values.iter(), letters, cardinality);
        let distance = word(newest).distance(&word(before));
        self.score = distance.map_or(0.0, |distance| {
            let sign = if distance.above >= distance.below {
                1.0
            } else {
                -1.0
            };
            sign * distance.total / self.threshold
        });
        self.score
    }

    fn clear(&mut self) {
        self.values.clear();
        self.left = self.period / self.letters;
        self.score = 0.0;
    }

    fn memory(&self) -> usize {
        self.values.memory() + 4 * self.letters
    }

    fn cost(&self) -> usize {
        // Shared by the values of a letter.
        4 * self.letters
    }

    fn write(&self, out: &mut Writer<'_>) {
        self.values.write(out);
        out.time(self.left as i64);
        out.number(self.score);
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Option<()> {
        self.values.read(from)?;
        self.left = from.count(self.period / self.letters)?.max(1);
        self.score = from.finite()?;
        Some(())
    }
}

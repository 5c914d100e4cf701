//! The newest values of a series, from the oldest on.

use std::collections::VecDeque;

use super::{Reader, Writer};

/// At most so many values.
pub struct Ring {
    values: VecDeque<f64>,
    size: usize,
}

impl Ring {
    /// An empty ring for `size` values.
    pub fn new(size: usize) -> Ring {
        Ring {
            values: VecDeque::new(),
            size,
        }
    }

    /// Adds a value; the one that has to go for it.
    pub fn push(&mut self, value: f64) -> Option<f64> {
        let gone = match self.values.len() < self.size {
            true => None,
            false => self.values.pop_front(),
        };
        self.values.push_back(value);
        gone
    }

    /// Whether it has all its values.
    pub fn is_full(&self) -> bool {
        self.values.len() == self.size
    }

    /// The values in one piece.
    pub fn as_slice(&mut self) -> &[f64] {
        self.values.make_contiguous()
    }

    /// The values, from the oldest on.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = f64> + '_ {
        self.values.iter().copied()
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.values.clear();
    }

    /// Bytes that it takes when it is full.
    pub fn memory(&self) -> usize {
        // It grows by doubling.
        16 * self.size
    }

    /// Writes the values.
    pub fn write(&self, out: &mut Writer<'_>) {
        out.numbers(self.iter());
    }

    /// Takes over what was written.
    pub fn read(&mut self, from: &mut Reader<'_>) -> Option<()> {
        self.values = from.numbers(self.size)?.into();
        Some(())
    }
}

/// The mean of some values, 0 for none.
pub fn mean(values: &[f64]) -> f64 {
    match values.len() {
        0 => 0.0,
        n => values.iter().sum::<f64>() / n as f64,
    }
}

/// The standard deviation of what the values are a sample of, 0 for fewer than two.
pub fn deviation(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (values.len() - 1) as f64).sqrt()
}

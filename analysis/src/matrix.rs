//! Rows of numbers, and how alike they are.

pub mod lua;

use crate::binding::take;
use crate::running_stats::RunningStats;
use crate::serialized::Serialized;

/// Bytes of the measures in front of the numbers.
const HEADER: usize = 8;

/// What a matrix holds.
pub trait Element: Copy + PartialEq + Send + 'static {
    /// Its word in `new`, and the name of the class.
    const NAMES: [&'static str; 2];
    /// What new matrices are filled with.
    const EMPTY: Self;
    /// The sum; whole numbers stay in their range.
    fn plus(self, other: Self) -> Self;
    /// Of a Lua number.
    fn of_number(number: f64) -> Self;
    /// As a Lua number.
    fn number(self) -> f64;
    /// Of four bytes, the least significant first.
    fn of_bytes(bytes: [u8; 4]) -> Self;
    /// As four bytes.
    fn bytes(self) -> [u8; 4];
}

impl Element for i32 {
    const NAMES: [&'static str; 2] = ["int", "trink.streaming_algorithms.matrix_int"];
    const EMPTY: i32 = 0;

    fn plus(self, other: i32) -> i32 {
        self.saturating_add(other)
    }

    fn of_number(number: f64) -> i32 {
        number as i32
    }

    fn number(self) -> f64 {
        self.into()
    }

    fn of_bytes(bytes: [u8; 4]) -> i32 {
        i32::from_le_bytes(bytes)
    }

    fn bytes(self) -> [u8; 4] {
        self.to_le_bytes()
    }
}

impl Element for f32 {
    const NAMES: [&'static str; 2] = ["float", "trink.streaming_algorithms.matrix_flt"];
    const EMPTY: f32 = f32::NAN;

    fn plus(self, other: f32) -> f32 {
        if self.is_nan() { other } else { self + other }
    }

    fn of_number(number: f64) -> f32 {
        number as f32
    }

    fn number(self) -> f64 {
        self.into()
    }

    fn of_bytes(bytes: [u8; 4]) -> f32 {
        f32::from_le_bytes(bytes)
    }

    fn bytes(self) -> [u8; 4] {
        self.to_le_bytes()
    }
}

/// What [`Matrix::merge`] does with each number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// Adds the other one; NaN adds nothing.
    Add,
    /// Takes the other one.
    Set,
}

/// Which row [`Matrix::most_alike`] looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// The one with the highest coefficient.
    Max,
    /// The one with the lowest.
    Min,
}

/// A matrix.
#[derive(Clone, Debug)]
pub struct Matrix<T> {
    rows: usize,
    columns: usize,
    numbers: Vec<T>,
}

impl<T: Element> Matrix<T> {
    /// A matrix of `rows`, filled with `numbers`, which are [`Element::EMPTY`] and as many as its cells.
    pub fn new(rows: usize, numbers: Vec<T>) -> Matrix<T> {
        let columns = numbers.len() / rows;
        assert!(columns > 0 && numbers.len() == rows * columns, "whole rows");
        Matrix {
            rows,
            columns,
            numbers,
        }
    }

    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many columns it has.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The number in a row and column, both from 0.
    pub fn get(&self, row: usize, column: usize) -> T {
        self.numbers[row * self.columns + column]
    }

    /// Adds to a number; the sum.
    pub fn add(&mut self, row: usize, column: usize, number: T) -> T {
        let place = &mut self.numbers[row * self.columns + column];
        *place = place.plus(number);
        *place
    }

    /// Sets a number.
    pub fn set(&mut self, row: usize, column: usize, number: T) {
        self.numbers[row * self.columns + column] = number;
    }

    /// The numbers of a row.
    pub fn row(&self, row: usize) -> &[T] {
        &self.numbers[row * self.columns..][..self.columns]
    }

    /// Empties a row.
    pub fn clear_row(&mut self, row: usize) {
        self.numbers[row * self.columns..][..self.columns].fill(T::EMPTY);
    }

    /// The sum of a row, without NaN.
    pub fn sum(&self, row: usize) -> f64 {
        let numbers = self.row(row).iter().map(|number| number.number());
        numbers.filter(|number| !number.is_nan()).sum()
    }

    /// Merges the cells that both matrices have.
    pub fn merge(&mut self, other: &Matrix<T>, how: Merge) {
        let columns = self.columns.min(other.columns);
        for row in 0..self.rows.min(other.rows) {
            let ours = self.numbers[row * self.columns..][..columns].iter_mut();
            for (number, &other) in ours.zip(other.row(row)) {
                *number = merged(*number, other, how);
            }
        }
    }

    /// As [`Matrix::merge`] with itself.
    pub fn merge_self(&mut self, how: Merge) {
        for number in &mut self.numbers {
            *number = merged(*number, *number, how);
        }
    }

    /// Of all other rows the one with the highest or lowest Pearson correlation coefficient to `row`: the coefficient and
    /// the row. NaN counts as 0. Rows without any deviation have no coefficient; `None` when there is none at all.
    pub fn most_alike(&self, row: usize, which: Match) -> Option<(f64, usize)> {
        let stats = self.stats(row);
        let coefficients = (0..self.rows)
            .filter(|&other| other != row)
            .filter_map(|other| Some((self.coefficient((row, &stats), other)?, other)));
        let better = |new: f64, old: f64| match which {
            Match::Max => new > old,
            Match::Min => new < old,
        };
        coefficients.reduce(|old, new| if better(new.0, old.0) { new } else { old })
    }

    fn stats(&self, row: usize) -> RunningStats {
        let mut stats = RunningStats::default();
        for number in self.row(row) {
            stats.add(zero_for_nan(number.number()));
        }
        stats
    }

    fn coefficient(&self, (row, stats): (usize, &RunningStats), other: usize) -> Option<f64> {
        let others = self.stats(other);
        let deviations = stats.usd() * others.usd();
        if deviations == 0.0 {
            return None;
        }
        let pairs = self.row(row).iter().zip(self.row(other));
        let products = pairs.map(|(a, b)| zero_for_nan(a.number() * b.number()));
        let n = self.columns as f64;
        let covariance = products.sum::<f64>() - n * stats.mean * others.mean;
        let coefficient = covariance / (n * stats.usd() * others.usd());
        coefficient.is_finite().then_some(coefficient)
    }
}

impl<T: Element> Serialized for Matrix<T> {
    fn byte_len(&self) -> usize {
        HEADER + 4 * self.numbers.len()
    }

    /// Appends rows, columns and all numbers, least significant byte first.
    fn write(&self, out: &mut Vec<u8>) {
        for measure in [self.rows, self.columns] {
            out.extend_from_slice(&(measure as u32).to_le_bytes());
        }
        for number in &self.numbers {
            out.extend_from_slice(&number.bytes());
        }
    }

    /// Takes over what was written of a matrix of the same measures; `None` when it is something else, and nothing has
    /// changed then.
    fn read(&mut self, mut bytes: &[u8]) -> Option<()> {
        if bytes.len() != self.byte_len() {
            return None;
        }
        for measure in [self.rows, self.columns] {
            let found = u32::from_le_bytes(take(&mut bytes)?);
            if found as usize != measure {
                return None;
            }
        }
        for number in &mut self.numbers {
            *number = T::of_bytes(take(&mut bytes)?);
        }
        Some(())
    }
}

fn merged<T: Element>(number: T, other: T, how: Merge) -> T {
    match how {
        Merge::Add if other.number().is_nan() => number,
        Merge::Add => number.plus(other),
        Merge::Set => other,
    }
}

fn zero_for_nan(number: f64) -> f64 {
    if number.is_nan() { 0.0 } else { number }
}

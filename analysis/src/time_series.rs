//! One time series of whole numbers in a sliding window.

pub mod lua;

use crate::binding::take;
use crate::running_stats::RunningStats;
use crate::serialized::Serialized;

/// Bytes around the numbers in the written form: newest time, duration of a row, number of rows, and four behind the numbers,
/// because upstream measures a C structure that ends with padding.
const FRAME: usize = 24;

/// What is computed over a part of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    /// The sum.
    Sum,
    /// The smallest value; 2147483647 of none.
    Min,
    /// The largest value; -2147483648 of none.
    Max,
    /// The mean; 0 of none.
    Avg,
    /// The standard deviation of what the values are a sample of.
    Sd,
    /// The standard deviation of the values themselves.
    Usd,
}

impl Statistic {
    /// Their words, in the order of the variants.
    pub const NAMES: [&'static str; 6] = ["sum", "min", "max", "avg", "sd", "usd"];
    /// All of them, in the order of [`Statistic::NAMES`].
    pub const ALL: [Statistic; 6] = [
        Statistic::Sum,
        Statistic::Min,
        Statistic::Max,
        Statistic::Avg,
        Statistic::Sd,
        Statistic::Usd,
    ];
}

/// What [`TimeSeries::merge`] does with each value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// Adds it.
    Add,
    /// Takes it.
    Set,
}

/// The series.
#[derive(Clone, Debug)]
pub struct TimeSeries {
    /// Duration of a row in nanoseconds.
    ns_per_row: u64,
    /// The start of the newest row in nanoseconds, a multiple of the duration.
    current_time: u64,
    /// A row lies at its number (time by duration) modulo the number of rows.
    values: Vec<i32>,
}

impl TimeSeries {
    /// A series of rows of `ns_per_row` nanoseconds; `values` are as many zeros as it has rows. The window begins at 0.
    pub fn new(ns_per_row: u64, values: Vec<i32>) -> TimeSeries {
        assert!(ns_per_row > 0 && values.len() > 1, "checked by the caller");
        let newest = ns_per_row.saturating_mul(values.len() as u64 - 1);
        TimeSeries {
            ns_per_row,
            current_time: newest - newest % ns_per_row,
            values,
        }
    }

    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.values.len()
    }

    /// Duration of a row in nanoseconds.
    pub fn ns_per_row(&self) -> u64 {
        self.ns_per_row
    }

    /// The start of the newest row in nanoseconds.
    pub fn current_time(&self) -> u64 {
        self.current_time
    }

    /// The start of the oldest row in nanoseconds.
    pub fn start_time(&self) -> u64 {
        let window = self.ns_per_row.saturating_mul(self.rows() as u64 - 1);
        self.current_time.saturating_sub(window)
    }

    fn index(&self, row: u64) -> usize {
        (row % self.rows() as u64) as usize
    }

    /// The place of a time; `None` outside of the window.
    fn find(&self, ns: u64) -> Option<usize> {
        let row = ns / self.ns_per_row;
        let age = (self.current_time / self.ns_per_row).checked_sub(row)?;
        (age < self.rows() as u64).then(|| self.index(row))
    }

    /// As [`TimeSeries::find`], but the window moves to newer times.
    fn advance(&mut self, ns: u64) -> Option<usize> {
        let (newest, row) = (self.current_time / self.ns_per_row, ns / self.ns_per_row);
        if row <= newest {
            return self.find(ns);
        }
        let n = (row - newest).min(self.rows() as u64) as usize;
        let first = self.index(newest.wrapping_add(1));
        let to_end = n.min(self.rows() - first);
        self.values[first..first + to_end].fill(0);
        self.values[..n - to_end].fill(0);
        self.current_time = ns - ns % self.ns_per_row;
        Some(self.index(row))
    }

    /// How many rows would be emptied if a time were added.
    pub fn newer_rows(&self, ns: u64) -> usize {
        let (newest, row) = (self.current_time / self.ns_per_row, ns / self.ns_per_row);
        row.saturating_sub(newest).min(self.rows() as u64) as usize
    }

    /// Adds to the value of a time, within the range of a whole number of 32 bits; the sum, or `None` when it is too old.
    pub fn add(&mut self, ns: u64, value: i32) -> Option<i32> {
        let place = self.advance(ns)?;
        self.values[place] = self.values[place].saturating_add(value);
        Some(self.values[place])
    }

    /// Sets the value of a time; `None` when it is too old.
    pub fn set(&mut self, ns: u64, value: i32) -> Option<i32> {
        let place = self.advance(ns)?;
        self.values[place] = value;
        Some(value)
    }

    /// The value of a time; `None` outside of the window.
    pub fn get(&self, ns: u64) -> Option<i32> {
        self.find(ns).map(|place| self.values[place])
    }

    /// `n` values from a time on, or from the oldest; `None` when they do not all lie in the window.
    pub fn range(&self, start: Option<u64>, n: usize) -> Option<impl Iterator<Item = i32> + Clone> {
        let start = start.unwrap_or(self.start_time());
        let first = self.find(start)?;
        let left = self.current_time / self.ns_per_row - start / self.ns_per_row + 1;
        let (before, after) = self.values.split_at(first);
        let values = after.iter().chain(before).copied();
        (n as u64 <= left).then(|| values.take(n))
    }

    /// The statistic of some values, and how many took part: zeros only if they are included.
    pub fn statistic(
        values: impl Iterator<Item = i32>,
        statistic: Statistic,
        include_zero: bool,
    ) -> (f64, usize) {
        let (mut sum, mut min, mut max) = (0.0, i32::MAX, i32::MIN);
        let mut stats = RunningStats::default();
        let mut n = 0;
        for value in values.filter(|&value| value != 0 || include_zero) {
            n += 1;
            sum += f64::from(value);
            min = min.min(value);
            max = max.max(value);
            stats.add(value.into());
        }
        let result = match statistic {
            Statistic::Sum => sum,
            Statistic::Min => min.into(),
            Statistic::Max => max.into(),
            Statistic::Avg if n == 0 => 0.0,
            Statistic::Avg => sum / n as f64,
            Statistic::Sd => stats.sd(),
            Statistic::Usd => stats.usd(),
        };
        (result, n)
    }

    /// Merges all rows of a series whose rows last as long or longer.
    pub fn merge(&mut self, other: &TimeSeries, how: Merge) {
        let (start, newest) = (other.start_time(), other.current_time);
        let rows = (start / other.ns_per_row)..=(newest / other.ns_per_row);
        for row in rows {
            // The product is a time in the other's window.
            let ns = row * other.ns_per_row;
            let value = other.get(ns).unwrap_or(0);
            match how {
                Merge::Add => self.add(ns, value),
                Merge::Set => self.set(ns, value),
            };
        }
    }

    /// As [`TimeSeries::merge`] with itself.
    pub fn merge_self(&mut self, how: Merge) {
        if how == Merge::Add {
            for value in &mut self.values {
                *value = value.saturating_mul(2);
            }
        }
    }
}

impl Serialized for TimeSeries {
    fn byte_len(&self) -> usize {
        FRAME + 4 * self.rows()
    }

    /// Appends newest time, duration of a row, number of rows, the values, and four zeros.
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.current_time.to_le_bytes());
        out.extend_from_slice(&self.ns_per_row.to_le_bytes());
        out.extend_from_slice(&(self.rows() as u32).to_le_bytes());
        for value in &self.values {
            out.extend_from_slice(&value.to_le_bytes());
        }
        out.extend_from_slice(&[0; 4]);
    }

    /// Takes over what was written of a series of the same measures; `None` when it is something else, and nothing has
    /// changed then.
    fn read(&mut self, mut bytes: &[u8]) -> Option<()> {
        if bytes.len() != self.byte_len() {
            return None;
        }
        let current_time = u64::from_le_bytes(take(&mut bytes)?);
        let ns_per_row = u64::from_le_bytes(take(&mut bytes)?);
        let rows = u32::from_le_bytes(take(&mut bytes)?);
        if ns_per_row != self.ns_per_row || rows as usize != self.rows() {
            return None;
        }
        self.current_time = current_time - current_time % ns_per_row;
        for value in &mut self.values {
            *value = i32::from_le_bytes(take(&mut bytes)?);
        }
        Some(())
    }
}

//! Rate of change: the mean of the newest values against the mean of those before, measured in deviations of the history.
//!
//! The rule of Heka's anomaly module (`roc`). Cost: the window and the history for each value.

use super::ring::{Ring, deviation, mean};
use super::{Algorithm, Param, Reader, WINDOW_MAX, Writer};

pub const PARAMS: &[Param] = &[
    Param::whole("window", 15.0, 1.0, WINDOW_MAX),
    Param::whole("history", 120.0, 2.0, WINDOW_MAX),
    Param::real("threshold", 3.0, 0.1, 1e6),
];

/// The detector.
pub struct Rate {
    values: Ring,
    window: usize,
    threshold: f64,
}

impl Rate {
    pub fn new(params: &[f64]) -> Rate {
        let window = params[0] as usize;
        Rate {
            values: Ring::new(2 * window + params[1] as usize),
            window,
            threshold: params[2],
        }
    }
}

impl Algorithm for Rate {
    fn add(&mut self, _: i64, value: f64) -> f64 {
        self.values.push(value);
        if !self.values.is_full() {
            return 0.0;
        }
        let window = self.window;
        let values = self.values.as_slice();
        let (before, newest) = values.split_at(values.len() - window);
        let (history, previous) = before.split_at(before.len() - window);
        let change = mean(newest) - mean(previous);
        ratio(change, deviation(history)) / self.threshold
    }

    fn clear(&mut self) {
        self.values.clear();
    }

    fn memory(&self) -> usize {
        self.values.memory()
    }

    fn cost(&self) -> usize {
        self.values.memory() / 16
    }

    fn write(&self, out: &mut Writer<'_>) {
        self.values.write(out);
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Option<()> {
        self.values.read(from)
    }
}

/// How many deviations a change is. A series that never changed has no measure for the first change: it counts as far.
pub fn ratio(change: f64, deviation: f64) -> f64 {
    /// Beyond every threshold that makes sense.
    const FAR: f64 = 1e9;
    if change == 0.0 {
        return 0.0;
    }
    (change / deviation).clamp(-FAR, FAR)
}

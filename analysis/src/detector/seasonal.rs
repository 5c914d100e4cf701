//! Seasonal averages: each part of the season, such as each hour of the week, has its own mean and deviation.
//!
//! Exponentially weighted over seasons (S. W. Roberts, "Control chart tests based on geometric moving averages", 1959). What
//! came in one visit of a part is taken in when the part is over, so a fault does not hide itself; and no further from the
//! mean than the threshold, so that it spoils little of the next season. The deviation of a part is blended with that of the
//! whole series, because a part has few visits. Between the middles of two parts the mean goes straight from one to the
//! other. Small deviations that last are found by an average of the newest `smooth` standardised values. Cost: constant.

use super::{Algorithm, Param, Reader, SECOND, Writer};

pub const PARAMS: &[Param] = &[
    Param::real("season", 604_800.0, 1.0, 1e9),
    Param::real("part", 3600.0, 1.0, 1e9),
    Param::real("threshold", 6.0, 0.1, 1e6),
    Param::real("weight", 0.3, 0.001, 1.0),
    Param::whole("seasons", 2.0, 1.0, 1000.0),
    Param::whole("smooth", 6.0, 1.0, 1e6),
    Param::real("floor", 0.01, 0.0, 10.0),
];

/// The most parts that a season may have.
const PARTS_MAX: f64 = 4096.0;
/// Visits of a part after which its own deviation counts as much as that of the series.
const VISITS_HALF: f64 = 4.0;
/// Values over which the deviation of the series is averaged.
const SERIES_MEMORY: f64 = 5000.0;

/// What is wrong with the parameters.
pub fn check(params: &[f64]) -> Option<&'static str> {
    let n = params[0] / params[1];
    (!(2.0..=PARTS_MAX).contains(&n) || n.fract() != 0.0)
        .then_some("season must be 2 to 4096 times part")
}

/// One part of the season.
#[derive(Clone, Copy, Default)]
struct Part {
    visits: f64,
    mean: f64,
    variance: f64,
}

/// The values of the part that it is now.
#[derive(Clone, Copy, Default)]
struct Visit {
    n: f64,
    sum: f64,
    squares: f64,
}

/// The detector.
pub struct Seasonal {
    params: [f64; 7],
    parts: Vec<Part>,
    visit: Visit,
    /// The part of the visit; the number of parts for none.
    now: usize,
    /// Deviation of the whole series from its parts' means.
    variance: f64,
    n_variance: f64,
    smoothed: f64,
    /// Of the newest value; told, not preserved.
    bounds: Option<[f64; 2]>,
}

impl Seasonal {
    pub fn new(params: &[f64]) -> Seasonal {
        let mut own = [0.0; 7];
        own.copy_from_slice(&params[..7]);
        let n_parts = (params[0] / params[1]) as usize;
        Seasonal {
            params: own,
            parts: vec![Part::default(); n_parts],
            visit: Visit::default(),
            now: n_parts,
            variance: 0.0,
            n_variance: 0.0,
            smoothed: 0.0,
            bounds: None,
        }
    }

    /// What is expected at a time: between the middles of this part and the nearer one beside it.
    fn expected(&self, at: usize, share: f64) -> f64 {
        let n = self.parts.len();
        let own = self.parts[at].mean;
        let beside = match share < 0.5 {
            true => self.parts[(at + n - 1) % n],
            false => self.parts[(at + 1) % n],
        };
        if beside.visits == 0.0 {
            return own;
        }
        own + (beside.mean - own) * (share - 0.5).abs()
    }

    /// Takes the visit into its part.
    fn close_visit(&mut self) {
        let visit = std::mem::take(&mut self.visit);
        if visit.n == 0.0 || self.now >= self.parts.len() {
            return;
        }
        let part = &mut self.parts[self.now];
        let weight = (1.0 / (part.visits + 1.0)).max(self.params[3]);
        part.mean += weight * (visit.sum / visit.n - part.mean);
        part.variance += weight * (visit.squares / visit.n - part.variance);
        part.visits += 1.0;
    }

    fn deviation(&self, part: &Part, expected: f64) -> f64 {
        let own = part.visits / (part.visits + VISITS_HALF);
        let variance = own * part.variance + (1.0 - own) * self.variance;
        variance.sqrt().max(self.params[6] * expected.abs())
    }

    /// Adds a value to the visit: itself, and its distance from what was expected.
    fn take_in(&mut self, value: f64, distance: f64) {
        self.visit.n += 1.0;
        self.visit.sum += value;
        self.visit.squares += distance * distance;
    }
}

impl Algorithm for Seasonal {
    fn add(&mut self, ns: i64, value: f64) -> f64 {
        let [season, part_size, threshold, _, seasons, smooth, _] = self.params;
        let place = (ns as f64 / SECOND).rem_euclid(season) / part_size;
        let at = (place as usize).min(self.parts.len() - 1);
        if at != self.now {
            self.close_visit();
            self.now = at;
        }
        let part = self.parts[at];
        self.bounds = None;
        if part.visits == 0.0 {
            // The first season: the distance from the visit's own mean says how much values differ.
            let mean = match self.visit.n {
                0.0 => value,
                n => self.visit.sum / n,
            };
            self.take_in(value, value - mean);
            return 0.0;
        }
        let expected = self.expected(at, place - at as f64);
        let distance = value - expected;
        let deviation = self.deviation(&part, expected);
        let z = super::rate::ratio(distance, deviation);
        let clipped = z.clamp(-threshold, threshold) * deviation;
        self.n_variance = (self.n_variance + 1.0).min(SERIES_MEMORY);
        self.variance += (clipped * clipped - self.variance) / self.n_variance;
        self.take_in(expected + clipped + (part.mean - expected), clipped);
        if part.visits < seasons {
            return 0.0;
        }
        let room = threshold * deviation;
        self.bounds = Some([expected - room, expected + room]);
        let weight = 2.0 / (smooth + 1.0);
        self.smoothed += weight * (z.clamp(-threshold, threshold) - self.smoothed);
        // The deviation of such an average of independent values is that of one, times this.
        let of_smoothed = self.smoothed / (weight / (2.0 - weight)).sqrt();
        let strongest = if z.abs() >= of_smoothed.abs() {
            z
        } else {
            of_smoothed
        };
        strongest / threshold
    }

    fn bounds(&self) -> Option<[f64; 2]> {
        self.bounds
    }

    fn clear(&mut self) {
        self.bounds = None;
        self.parts.fill(Part::default());
        self.visit = Visit::default();
        self.now = self.parts.len();
        (self.variance, self.n_variance, self.smoothed) = (0.0, 0.0, 0.0);
    }

    fn memory(&self) -> usize {
        self.parts.len() * size_of::<Part>()
    }

    fn cost(&self) -> usize {
        2
    }

    fn write(&self, out: &mut Writer<'_>) {
        let Visit { n, sum, squares } = self.visit;
        for number in [
            n,
            sum,
            squares,
            self.variance,
            self.n_variance,
            self.smoothed,
        ] {
            out.number(number);
        }
        out.time(self.now as i64);
        for part in &self.parts {
            out.number(part.visits);
            out.number(part.mean);
            out.number(part.variance);
        }
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Option<()> {
        self.visit = Visit {
            n: from.finite()?,
            sum: from.finite()?,
            squares: from.finite()?,
        };
        self.variance = from.finite().filter(|variance| *variance >= 0.0)?;
        self.n_variance = from.finite()?;
        self.smoothed = from.finite()?;
        self.now = from.count(self.parts.len())?;
        for part in &mut self.parts {
            *part = Part {
                visits: from.finite()?,
                mean: from.finite()?,
                variance: from.finite().filter(|variance| *variance >= 0.0)?,
            };
        }
        Some(())
    }
}

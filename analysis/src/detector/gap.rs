//! Gap: nothing came for much longer than gaps usually are.
//!
//! Gaps between values above 0 go into an estimate of their `quantile` (R. Jain, I. Chlamtac, "The P² algorithm", 1985); the
//! threshold is `factor` times the quantile and the resolution together, as in Mozilla's doctype monitor. A value of 0 only
//! looks. The score is negative: fewer than usual. Cost: constant.

use super::{Algorithm, Param, Reader, SECOND, Writer};
use crate::p2::{QUANTILE_LEN, Quantile};
use crate::serialized::Serialized;

pub const PARAMS: &[Param] = &[
    Param::real("quantile", 0.99, 0.01, 0.999),
    Param::real("factor", 5.0, 1.0, 1e6),
    Param::real("resolution", 60.0, 1e-9, 1e9),
    Param::whole("gaps", 20.0, 5.0, 1e9),
    Param::real("longest", 3600.0, 1e-9, 1e9),
];

/// The detector.
pub struct Gap {
    quantile: Quantile,
    params: [f64; 5],
    n_gaps: f64,
    /// `i64::MIN` for never.
    last_ns: i64,
}

impl Gap {
    pub fn new(params: &[f64]) -> Gap {
        Gap {
            quantile: Quantile::new(params[0] as f32),
            params: [params[0], params[1], params[2], params[3], params[4]],
            n_gaps: 0.0,
            last_ns: i64::MIN,
        }
    }

    fn threshold(&self) -> Option<f64> {
        let [_, factor, resolution, gaps, longest] = self.params;
        let usual = self.quantile.estimate(2);
        let threshold = factor * (usual + resolution);
        (self.n_gaps >= gaps && threshold <= longest).then_some(threshold)
    }
}

impl Algorithm for Gap {
    fn add(&mut self, ns: i64, value: f64) -> f64 {
        if self.last_ns == i64::MIN {
            if value > 0.0 {
                self.last_ns = ns;
            }
            return 0.0;
        }
        let gap = (ns.saturating_sub(self.last_ns).max(0)) as f64 / SECOND;
        let score = self.threshold().map_or(0.0, |threshold| gap / threshold);
        if value > 0.0 && ns > self.last_ns {
            // An outage says nothing of what is usual.
            if score < 1.0 {
                self.quantile.add(gap);
                self.n_gaps += 1.0;
            }
            self.last_ns = ns;
        }
        -score
    }

    fn clear(&mut self) {
        self.quantile.clear();
        self.n_gaps = 0.0;
        self.last_ns = i64::MIN;
    }

    fn memory(&self) -> usize {
        QUANTILE_LEN
    }

    fn cost(&self) -> usize {
        4
    }

    fn write(&self, out: &mut Writer<'_>) {
        let mut bytes = Vec::with_capacity(QUANTILE_LEN);
        self.quantile.write(&mut bytes);
        out.bytes(&bytes);
        out.number(self.n_gaps);
        out.time(self.last_ns);
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Option<()> {
        self.quantile.read(from.bytes(QUANTILE_LEN)?)?;
        self.n_gaps = from.finite()?;
        self.last_ns = from.time()?;
        Some(())
    }
}

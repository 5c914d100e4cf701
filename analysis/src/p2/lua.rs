//! The `streaming_algorithms.p2` module.

use sandbox::native::{Call, Class, Error, Function, Object, function};

use super::{Histogram, MIN_BUCKETS, QUANTILE_LEN, QUANTILE_MARKERS, Quantile};
use crate::binding::{charge, check, check_count, filled, push_member};
use crate::serialized::{self, Serialized, fromstring, tostring};

/// Markers that are moved for one step of the plugin's budget.
const MARKERS_PER_STEP: usize = 4;

const QUANTILE_METAMETHODS: &[(&str, Function)] = &[("__tostring", function(tostring::<Quantile>))];
const QUANTILE_METHODS: &[(&str, Function)] = &[
    ("__tostring", function(tostring::<Quantile>)),
    ("add", function(quantile_add)),
    ("clear", function(quantile_clear)),
    ("count", function(quantile_count)),
    ("estimate", function(quantile_estimate)),
    ("fromstring", function(fromstring::<Quantile>)),
];

const HISTOGRAM_METAMETHODS: &[(&str, Function)] =
    &[("__tostring", function(tostring::<Histogram>))];
const HISTOGRAM_METHODS: &[(&str, Function)] = &[
    ("__tostring", function(tostring::<Histogram>)),
    ("add", function(histogram_add)),
    ("clear", function(histogram_clear)),
    ("count", function(histogram_count)),
    ("estimate", function(histogram_estimate)),
    ("fromstring", function(fromstring::<Histogram>)),
];

/// Pushes the module.
///
/// # Errors
/// At the memory limit.
pub fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    let functions = [
        ("histogram", function(new_histogram)),
        ("quantile", function(new_quantile)),
    ];
    push_member(call, "streaming_algorithms", "p2", &functions)
}

impl Object for Quantile {
    fn class() -> Class {
        Class {
            name: "trink.streaming_algorithms.p2.quantile",
            methods: QUANTILE_METHODS,
            metamethods: QUANTILE_METAMETHODS,
        }
    }

    fn memory(&self) -> usize {
        QUANTILE_LEN
    }

    fn preserve(&self, key: &[u8], out: &mut Vec<u8>) -> Option<Result<(), String>> {
        let constructor = format!("streaming_algorithms.p2.quantile({:?})", self.p());
        serialized::preserve(self, key, &constructor, out);
        Some(Ok(()))
    }
}

impl Object for Histogram {
    fn class() -> Class {
        Class {
            name: "trink.streaming_algorithms.p2.histogram",
            methods: HISTOGRAM_METHODS,
            metamethods: HISTOGRAM_METAMETHODS,
        }
    }

    fn memory(&self) -> usize {
        self.byte_len()
    }

    fn preserve(&self, key: &[u8], out: &mut Vec<u8>) -> Option<Result<(), String>> {
        let constructor = format!("streaming_algorithms.p2.histogram({})", self.buckets());
        serialized::preserve(self, key, &constructor, out);
        Some(Ok(()))
    }
}

fn new_quantile(call: &mut Call<'_>) -> Result<usize, Error> {
    check_count(call, 1)?;
    let quantile = call.check_number(1)?;
    check(0.0 < quantile && quantile < 1.0, 1, "0 < quantile < 1")?;
    call.push_object(Quantile::new(quantile as f32))?;
    Ok(1)
}

fn new_histogram(call: &mut Call<'_>) -> Result<usize, Error> {
    check_count(call, 1)?;
    let buckets = call.check_number(1)?;
    let allowed = f64::from(MIN_BUCKETS) <= buckets && buckets < f64::from(u16::MAX);
    check(allowed, 1, "4 <= buckets < 65535")?;
    let n_markers = buckets as usize + 1;
    let heights = filled(call, n_markers, 0.0)?;
    let positions = filled(call, n_markers, 0.0)?;
    call.push_object(Histogram::new(heights, positions))?;
    Ok(1)
}

/// Argument 2 as the number of a marker, below `end`; what follows the point is cut.
fn check_marker(call: &Call<'_>, end: usize) -> Result<usize, Error> {
    let marker = call.check_number(2)?;
    check(
        marker >= 0.0 && marker < end as f64,
        2,
        "marker out of range",
    )?;
    Ok(marker as usize)
}

fn quantile_add(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut quantile = call.check_object_mut::<Quantile>(1)?;
    check_count(call, 2)?;
    let estimate = quantile.add(call.check_number(2)?);
    call.push_number(estimate)?;
    Ok(1)
}

fn quantile_clear(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut quantile = call.check_object_mut::<Quantile>(1)?;
    check_count(call, 1)?;
    quantile.clear();
    Ok(0)
}

fn quantile_count(call: &mut Call<'_>) -> Result<usize, Error> {
    let quantile = call.check_object::<Quantile>(1)?;
    check_count(call, 2)?;
    let marker = check_marker(call, QUANTILE_MARKERS)?;
    call.push_number(quantile.count(marker) as f64)?;
    Ok(1)
}

fn quantile_estimate(call: &mut Call<'_>) -> Result<usize, Error> {
    let quantile = call.check_object::<Quantile>(1)?;
    check_count(call, 2)?;
    let marker = check_marker(call, QUANTILE_MARKERS)?;
    call.push_number(quantile.estimate(marker))?;
    Ok(1)
}

fn histogram_add(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut histogram = call.check_object_mut::<Histogram>(1)?;
    check_count(call, 2)?;
    let number = call.check_number(2)?;
    charge(call, histogram.buckets() / MARKERS_PER_STEP)?;
    histogram.add(number);
    Ok(0)
}

fn histogram_clear(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut histogram = call.check_object_mut::<Histogram>(1)?;
    check_count(call, 1)?;
    charge(call, histogram.buckets() / MARKERS_PER_STEP)?;
    histogram.clear();
    Ok(0)
}

fn histogram_count(call: &mut Call<'_>) -> Result<usize, Error> {
    let histogram = call.check_object::<Histogram>(1)?;
    check_count(call, 2)?;
    let marker = check_marker(call, histogram.buckets() + 1)?;
    call.push_number(histogram.count(marker) as f64)?;
    Ok(1)
}

fn histogram_estimate(call: &mut Call<'_>) -> Result<usize, Error> {
    let histogram = call.check_object::<Histogram>(1)?;
    check_count(call, 2)?;
    let marker = check_marker(call, histogram.buckets() + 1)?;
    call.push_number(histogram.estimate(marker))?;
    Ok(1)
}

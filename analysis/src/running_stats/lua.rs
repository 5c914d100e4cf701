//! The `streaming_algorithms.running_stats` module.

use sandbox::native::{Call, Class, Error, Function, Object, function};

use super::RunningStats;
use crate::binding::{check, check_count, push_member};
use crate::serialized::{self, fromstring, tostring};

const METAMETHODS: &[(&str, Function)] = &[("__tostring", function(tostring::<RunningStats>))];

const METHODS: &[(&str, Function)] = &[
    ("__tostring", function(tostring::<RunningStats>)),
    ("add", function(add)),
    ("avg", function(avg)),
    ("clear", function(clear)),
    ("count", function(count)),
    ("fromstring", function(fromstring::<RunningStats>)),
    ("sd", function(sd)),
    ("usd", function(usd)),
    ("variance", function(variance)),
];

/// Pushes the module.
///
/// # Errors
/// At the memory limit.
pub fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    push_member(
        call,
        "streaming_algorithms",
        "running_stats",
        &[("new", function(new))],
    )
}

impl Object for RunningStats {
    fn class() -> Class {
        Class {
            name: "trink.streaming_algorithms.running_stats",
            methods: METHODS,
            metamethods: METAMETHODS,
        }
    }

    fn preserve(&self, key: &[u8], out: &mut Vec<u8>) -> Option<Result<(), String>> {
        serialized::preserve(self, key, "streaming_algorithms.running_stats.new()", out);
        Some(Ok(()))
    }
}

fn new(call: &mut Call<'_>) -> Result<usize, Error> {
    check(call.arg_count() == 0, 0, "this function takes no arguments")?;
    call.push_object(RunningStats::default())?;
    Ok(1)
}

fn add(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut stats = call.check_object_mut::<RunningStats>(1)?;
    check_count(call, 2)?;
    stats.add(call.check_number(2)?);
    call.push_number(stats.mean)?;
    Ok(1)
}

fn push(call: &mut Call<'_>, number: impl Fn(&RunningStats) -> f64) -> Result<usize, Error> {
    let stats = call.check_object::<RunningStats>(1)?;
    check_count(call, 1)?;
    call.push_number(number(&stats))?;
    Ok(1)
}

fn avg(call: &mut Call<'_>) -> Result<usize, Error> {
    push(call, |stats| stats.mean)
}

fn count(call: &mut Call<'_>) -> Result<usize, Error> {
    push(call, |stats| stats.count)
}

fn sd(call: &mut Call<'_>) -> Result<usize, Error> {
    push(call, RunningStats::sd)
}

fn usd(call: &mut Call<'_>) -> Result<usize, Error> {
    push(call, RunningStats::usd)
}

fn variance(call: &mut Call<'_>) -> Result<usize, Error> {
    push(call, RunningStats::variance)
}

fn clear(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut stats = call.check_object_mut::<RunningStats>(1)?;
    check_count(call, 1)?;
    *stats = RunningStats::default();
    Ok(0)
}

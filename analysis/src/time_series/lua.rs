//! The `streaming_algorithms.time_series` module.

use sandbox::native::{Call, Class, Error, Function, Object, function};

use super::{Merge, Statistic, TimeSeries};
use crate::binding::{
    charge, check, check_count, check_counts, check_int, check_option, filled, push_member,
};
use crate::matrix_profile::{self, Profile};
use crate::serialized::{self, Serialized, fromstring, tostring};

/// Values that are looked at for one step of the plugin's budget.
const VALUES_PER_STEP: usize = 4;

const METAMETHODS: &[(&str, Function)] = &[("__tostring", function(tostring::<TimeSeries>))];

const METHODS: &[(&str, Function)] = &[
    ("__tostring", function(tostring::<TimeSeries>)),
    ("add", function(add)),
    ("current_time", function(current_time)),
    ("fromstring", function(fromstring::<TimeSeries>)),
    ("get", function(get)),
    ("get_configuration", function(get_configuration)),
    ("get_range", function(get_range)),
    ("matrix_profile", function(matrix_profile)),
    ("merge", function(merge)),
    ("set", function(set)),
    ("stats", function(stats)),
];

/// Pushes the module.
///
/// # Errors
/// At the memory limit.
pub fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    push_member(
        call,
        "streaming_algorithms",
        "time_series",
        &[("new", function(new))],
    )
}

impl Object for TimeSeries {
    fn class() -> Class {
        Class {
            name: "trink.streaming_algorithms.time_series_int",
            methods: METHODS,
            metamethods: METAMETHODS,
        }
    }

    fn memory(&self) -> usize {
        self.byte_len()
    }

    fn preserve(&self, key: &[u8], out: &mut Vec<u8>) -> Option<Result<(), String>> {
        let (rows, ns) = (self.rows(), self.ns_per_row());
        let constructor = format!("streaming_algorithms.time_series.new({rows}, {ns})");
        serialized::preserve(self, key, &constructor, out);
        Some(Ok(()))
    }
}

/// `new(rows, ns_per_row)`
fn new(call: &mut Call<'_>) -> Result<usize, Error> {
    check_count(call, 2)?;
    let rows = check_int(call, 1)?;
    check(rows > 1, 1, "must be > 1")?;
    let ns = call.check_number(2)?;
    check(
        (1.0..=u64::MAX as f64).contains(&ns),
        2,
        "must be 1 - UINT64_MAX",
    )?;
    let values = filled(call, rows as usize, 0)?;
    charge(call, rows as usize / VALUES_PER_STEP)?;
    call.push_object(TimeSeries::new(ns as u64, values))?;
    Ok(1)
}

/// Argument 2 as a time in nanoseconds.
fn check_ns(call: &Call<'_>) -> Result<u64, Error> {
    let ns = call.check_number(2)?;
    check(
        (0.0..=u64::MAX as f64).contains(&ns),
        2,
        "must be 0 - UINT64_MAX",
    )?;
    Ok(ns as u64)
}

/// Argument 2 as the start of a sequence, nil for the oldest row.
fn check_start(call: &Call<'_>) -> Result<Option<u64>, Error> {
    match call.is_nil(2) {
        true => Ok(None),
        false => check_ns(call).map(Some),
    }
}

/// Argument 3 as the length of a sequence.
fn check_length(call: &Call<'_>, series: &TimeSeries) -> Result<usize, Error> {
    let n = usize::try_from(check_int(call, 3)?).unwrap_or(usize::MAX);
    check(n <= series.rows(), 3, "invalid sequence length")?;
    Ok(n)
}

fn push_optional(call: &mut Call<'_>, value: Option<i32>) -> Result<usize, Error> {
    match value {
        Some(value) => call.push_integer(value.into())?,
        None => call.push_nil()?,
    }
    Ok(1)
}

fn add(call: &mut Call<'_>) -> Result<usize, Error> {
    change(call, TimeSeries::add)
}

fn set(call: &mut Call<'_>) -> Result<usize, Error> {
    change(call, TimeSeries::set)
}

fn change(
    call: &mut Call<'_>,
    work: impl Fn(&mut TimeSeries, u64, i32) -> Option<i32>,
) -> Result<usize, Error> {
    let mut series = call.check_object_mut::<TimeSeries>(1)?;
    check_count(call, 3)?;
    let ns = check_ns(call)?;
    let value = check_int(call, 3)?;
    charge(call, series.newer_rows(ns) / VALUES_PER_STEP)?;
    let value = work(&mut series, ns, value);
    push_optional(call, value)
}

fn get(call: &mut Call<'_>) -> Result<usize, Error> {
    let series = call.check_object::<TimeSeries>(1)?;
    check_count(call, 2)?;
    let value = series.get(check_ns(call)?);
    push_optional(call, value)
}

fn current_time(call: &mut Call<'_>) -> Result<usize, Error> {
    let series = call.check_object::<TimeSeries>(1)?;
    check_count(call, 1)?;
    call.push_number(series.current_time() as f64)?;
    Ok(1)
}

fn get_configuration(call: &mut Call<'_>) -> Result<usize, Error> {
    let series = call.check_object::<TimeSeries>(1)?;
    check_count(call, 1)?;
    call.push_number(series.rows() as f64)?;
    call.push_number(series.ns_per_row() as f64)?;
    Ok(2)
}

/// Pushes a table of numbers.
fn push_numbers(
    call: &mut Call<'_>,
    n: usize,
    numbers: impl Iterator<Item = f64>,
) -> Result<usize, Error> {
    charge(call, n)?;
    call.check_memory(n.saturating_mul(8))?;
    call.push_table(n, 0)?;
    for (i, number) in (1..).zip(numbers) {
        call.push_number(number)?;
        call.raw_set_index(-2, i)?;
    }
    Ok(1)
}

/// `get_range(ns or nil, length)`
fn get_range(call: &mut Call<'_>) -> Result<usize, Error> {
    let series = call.check_object::<TimeSeries>(1)?;
    check_count(call, 3)?;
    let start = check_start(call)?;
    let n = check_length(call, &series)?;
    match series.range(start, n) {
        Some(values) => push_numbers(call, n, values.map(f64::from)),
        None => Ok(0),
    }
}

/// `stats(ns or nil, length[, type[, include_zero]])`
fn stats(call: &mut Call<'_>) -> Result<usize, Error> {
    check_counts(call, 3..=5)?;
    let series = call.check_object::<TimeSeries>(1)?;
    let start = check_start(call)?;
    let n = check_length(call, &series)?;
    let statistic = Statistic::ALL[check_option(call, 4, Some(0), &Statistic::NAMES)?];
    let include_zero = call.is_true(5);
    charge(call, n / VALUES_PER_STEP)?;
    let Some(values) = series.range(start, n) else {
        return Ok(0);
    };
    let (result, n) = TimeSeries::statistic(values, statistic, include_zero);
    call.push_number(result)?;
    call.push_number(n as f64)?;
    Ok(2)
}

/// `merge(series[, "add" or "set"])`
fn merge(call: &mut Call<'_>) -> Result<usize, Error> {
    check_counts(call, 2..=3)?;
    let mut series = call.check_object_mut::<TimeSeries>(1)?;
    let other = match call.raw_equal(1, 2) {
        true => None,
        false => Some(call.check_object::<TimeSeries>(2)?),
    };
    let how = match check_option(call, 3, Some(0), &["add", "set"])? {
        0 => Merge::Add,
        _ => Merge::Set,
    };
    charge(call, series.rows())?;
    let Some(other) = other else {
        series.merge_self(how);
        return Ok(0);
    };
    let finer = series.ns_per_row() <= other.ns_per_row();
    let text = "the resolution of the time series being merged must be greater than or equal to the destination";
    check(finer, 3, text)?;
    charge(call, other.rows())?;
    series.merge(&other, how);
    Ok(0)
}

/// `matrix_profile(ns or nil, length, window, percent[, result])`
fn matrix_profile(call: &mut Call<'_>) -> Result<usize, Error> {
    const RESULTS: [&str; 4] = ["anomaly", "anomaly_current", "mp", "mpi"];
    let series = call.check_object::<TimeSeries>(1)?;
    let start = check_start(call)?;
    let n = check_int(call, 3)?;
    let m = check_int(call, 4)?;
    let fits = usize::try_from(n).is_ok_and(|n| n <= series.rows()) && n / 4 >= m;
    check(fits, 3, "invalid sequence length")?;
    check(m > 3, 4, "invalid sub-sequence length")?;
    let percent = call.check_number(5)?;
    check(percent > 0.0 && percent <= 100.0, 5, "invalid percent")?;
    let result = check_option(call, 6, Some(0), &RESULTS)?;
    let (n, m) = (n as usize, m as usize);
    let Some(values) = series.range(start, n) else {
        return Ok(0);
    };
    call.check_memory(matrix_profile::memory(n))?;
    let values: Vec<f64> = values.map(f64::from).collect();
    let profile = Profile::compute(&values, m, percent, |steps| charge(call, steps))?;
    let n_windows = profile.distances.len();
    match RESULTS[result] {
        "mp" => push_numbers(call, n_windows, profile.distances.into_iter()),
        "mpi" => push_numbers(
            call,
            n_windows,
            profile.nearest.into_iter().map(|i| i as f64),
        ),
        current => {
            let first = if current == "anomaly" {
                0
            } else {
                n_windows - m
            };
            let start = start.unwrap_or(series.start_time());
            push_discord(
                call,
                &profile,
                first,
                start - start % series.ns_per_row(),
                series.ns_per_row(),
            )
        }
    }
}

/// Pushes the time of the discord and how far it stands out; nothing when there is none.
fn push_discord(
    call: &mut Call<'_>,
    profile: &Profile,
    first: usize,
    start: u64,
    ns_per_row: u64,
) -> Result<usize, Error> {
    let Some(discord) = profile.discord(first) else {
        return Ok(0);
    };
    let ns = start.saturating_add(ns_per_row.saturating_mul(discord.start as u64));
    call.push_number(ns as f64)?;
    call.push_number(discord.percent)?;
    call.push_number(discord.above_median)?;
    Ok(3)
}

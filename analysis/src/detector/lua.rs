//! The `detector` module.

use sandbox::native::{Call, Class, Error, Function, Object, Type, function};

use super::histogram::BINS_MAX;
use super::{
    Detector, HistogramChange, KINDS, Kind, MEMBERS_MAX, Param, Verdict, bhattacharyya, pearson,
    rank_sum,
};
use crate::binding::{
    charge, check, check_count, check_counts, push_written, write_fromstring, write_new,
};

/// The longest sample of the test.
const SAMPLE_MAX: i64 = 4096;

/// The kind that has others as its members.
const CONSENSUS: &[u8] = b"consensus";

const METHODS: &[(&str, Function)] = &[
    ("__tostring", function(tostring)),
    ("add", function(add)),
    ("bounds", function(bounds)),
    ("clear", function(clear)),
    ("fromstring", function(fromstring)),
    ("scores", function(scores)),
];

const METAMETHODS: &[(&str, Function)] = &[("__tostring", function(tostring))];

const HISTOGRAM_METAMETHODS: &[(&str, Function)] = &[("__tostring", function(histogram_tostring))];

const HISTOGRAM_METHODS: &[(&str, Function)] = &[
    ("__tostring", function(histogram_tostring)),
    ("add", function(histogram_add)),
    ("clear", function(histogram_clear)),
    ("fromstring", function(histogram_fromstring)),
];

/// Pushes the module, which is also the global `detector`, by which states name it.
///
/// # Errors
/// At the memory limit.
pub fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(&[
        ("bhattacharyya", function(push_bhattacharyya)),
        ("histogram", function(new_histogram)),
        ("kinds", function(kinds)),
        ("mann_whitney_u", function(mann_whitney_u)),
        ("new", function(new)),
        ("pearson", function(push_pearson)),
    ])?;
    Ok(1)
}

impl Object for Detector {
    fn class() -> Class {
        Class {
            name: "foresight.detector",
            methods: METHODS,
            metamethods: METAMETHODS,
        }
    }

    fn memory(&self) -> usize {
        Detector::memory(self)
    }

    fn preserve(&self, key: &[u8], out: &mut Vec<u8>) -> Option<Result<(), String>> {
        write_new(key, "detector.new(\"cusum\")", out);
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        write_fromstring(key, "", &bytes, "", out);
        Some(Ok(()))
    }
}

impl Object for HistogramChange {
    fn class() -> Class {
        Class {
            name: "foresight.detector.histogram",
            methods: HISTOGRAM_METHODS,
            metamethods: HISTOGRAM_METAMETHODS,
        }
    }

    fn memory(&self) -> usize {
        HistogramChange::memory(self)
    }

    fn preserve(&self, key: &[u8], out: &mut Vec<u8>) -> Option<Result<(), String>> {
        write_new(key, "detector.histogram(2)", out);
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        write_fromstring(key, "", &bytes, "", out);
        Some(Ok(()))
    }
}

/// The number under a name in the table at 2, if there is a table and the name in it.
fn option(call: &mut Call<'_>, name: &str) -> Result<Option<f64>, Error> {
    if call.is_none_or_nil(2) {
        return Ok(None);
    }
    call.raw_get_field(2, name)?;
    let value = call.number_at(-1);
    let right = value.is_some() || call.is_nil(-1);
    call.pop(1);
    match right {
        true => Ok(value),
        false => Err(Error::argument(2, format!("{name} must be a number"))),
    }
}

/// All keys of the table at 2 must be among these names.
fn check_names(call: &mut Call<'_>, names: &[&str]) -> Result<(), Error> {
    if call.is_none_or_nil(2) {
        return Ok(());
    }
    call.check_table(2)?;
    call.for_each(2, |call| {
        let known = call
            .bytes_at(-2)
            .is_some_and(|key| names.iter().any(|name| name.as_bytes() == key));
        if known {
            return Ok(());
        }
        let key = call.text_at(-2).unwrap_or_default();
        let key = String::from_utf8_lossy(&key).into_owned();
        Err(Error::argument(2, format!("unknown parameter '{key}'")))
    })
}

/// `new(kind[, parameters])`
fn new(call: &mut Call<'_>) -> Result<usize, Error> {
    check_counts(call, 1..=2)?;
    let name = call.check_bytes(1)?;
    if name == CONSENSUS {
        return new_consensus(call);
    }
    let Some(kind) = Kind::find(name) else {
        let name = String::from_utf8_lossy(name);
        return Err(Error::argument(1, format!("unknown kind '{name}'")));
    };
    let names: Vec<&str> = kind.all_params().map(|param| param.name).collect();
    check_names(call, &names)?;
    let mut params = Vec::new();
    for param in kind.all_params() {
        params.push(option(call, param.name)?.unwrap_or(param.default));
    }
    let detector = Detector::new(kind, params).map_err(|text| Error::argument(2, text))?;
    call.push_object(detector)?;
    Ok(1)
}

/// `new("consensus", {detectors = {...}, need = 2, within = 3600, refractory = 3600})`: takes over what the members know.
fn new_consensus(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_table(2)?;
    check_names(call, &["detectors", "need", "refractory", "within"])?;
    call.raw_get_field(2, "detectors")?;
    if call.type_of(-1) != Type::Table {
        return Err(Error::argument(
            2,
            "detectors must be an array of detectors",
        ));
    }
    let list = call.top();
    let n = call.raw_len(list);
    if n == 0 || n > MEMBERS_MAX {
        return Err(Error::argument(
            2,
            format!("1 to {MEMBERS_MAX} detectors expected"),
        ));
    }
    let mut detectors = Vec::new();
    for i in 1..=n as i64 {
        call.raw_get_index(list, i)?;
        let mut bytes = Vec::new();
        let found = call.with_object(-1, |detector: &Detector| detector.write(&mut bytes));
        if found.is_none() {
            return Err(Error::argument(
                2,
                "detectors must be an array of detectors",
            ));
        }
        call.check_memory(2 * bytes.len())?;
        detectors.extend(Detector::read(&bytes));
        call.pop(1);
    }
    let need = option(call, "need")?.unwrap_or((n as f64 / 2.0).floor() + 1.0);
    let within = option(call, "within")?.unwrap_or(3600.0);
    let refractory = option(call, "refractory")?.unwrap_or(3600.0);
    let consensus = Detector::consensus(detectors, need as usize, within, refractory);
    call.push_object(consensus.map_err(|text| Error::argument(2, text))?)?;
    Ok(1)
}

fn push_verdict(call: &mut Call<'_>, verdict: Verdict) -> Result<usize, Error> {
    call.push_number(verdict.score)?;
    call.push_bool(verdict.alert)?;
    Ok(2)
}

/// Argument 2 as a time in nanoseconds.
fn check_ns(call: &Call<'_>) -> Result<i64, Error> {
    let ns = call.check_number(2)?;
    check(ns.is_finite(), 2, "a time in nanoseconds expected")?;
    Ok(ns as i64)
}

/// `d:add(ns, value)`: the score, and whether an alert begins.
fn add(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut detector = call.check_object_mut::<Detector>(1)?;
    check_count(call, 3)?;
    let (ns, value) = (check_ns(call)?, call.check_number(3)?);
    charge(call, detector.cost())?;
    let verdict = detector.add(ns, value);
    drop(detector);
    push_verdict(call, verdict)
}

/// `d:bounds()`: between which values the newest one was normal, or nil.
fn bounds(call: &mut Call<'_>) -> Result<usize, Error> {
    let bounds = call.check_object::<Detector>(1)?.bounds();
    let Some(bounds) = bounds else {
        call.push_nil()?;
        return Ok(1);
    };
    for bound in bounds {
        call.push_number(bound)?;
    }
    Ok(bounds.len())
}

/// `d:scores()`: an array of the members' names and newest scores.
fn scores(call: &mut Call<'_>) -> Result<usize, Error> {
    let scores: Vec<_> = call.check_object::<Detector>(1)?.scores().collect();
    call.push_table(scores.len(), 0)?;
    for (i, (name, score)) in (1..).zip(scores) {
        call.push_table(0, 2)?;
        call.push_bytes(name)?;
        call.raw_set_field(-2, "kind")?;
        call.push_number(score)?;
        call.raw_set_field(-2, "score")?;
        call.raw_set_index(-2, i)?;
    }
    Ok(1)
}

fn clear(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_object_mut::<Detector>(1)?.clear();
    Ok(0)
}

fn tostring(call: &mut Call<'_>) -> Result<usize, Error> {
    let detector = call.check_object::<Detector>(1)?;
    check_count(call, 1)?;
    push_written(call, detector.memory(), |out| detector.write(out))
}

fn fromstring(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut detector = call.check_object_mut::<Detector>(1)?;
    check_count(call, 2)?;
    let bytes = call.check_bytes(2)?;
    charge(call, bytes.len())?;
    call.check_memory(4 * bytes.len())?;
    *detector = Detector::read(bytes).ok_or("invalid serialization")?;
    drop(detector);
    call.recount(1)?;
    Ok(0)
}

/// `kinds()`: the parameters of each kind, `{name = {parameter = default, ...}, ...}`.
fn kinds(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_table(0, KINDS.len())?;
    for kind in &KINDS {
        call.push_table(0, kind.params.len() + 2)?;
        for Param { name, default, .. } in kind.all_params() {
            call.push_number(*default)?;
            call.raw_set_field(-2, name)?;
        }
        call.raw_set_field(-2, kind.name)?;
    }
    Ok(1)
}

/// Argument `i` as an array of at most `max` finite numbers.
fn numbers(call: &mut Call<'_>, i: i32, max: i64) -> Result<Vec<f64>, Error> {
    call.check_table(i)?;
    let n = call.raw_len(i) as i64;
    if n > max {
        return Err(Error::argument(
            i,
            format!("at most {max} numbers expected"),
        ));
    }
    call.charge(n as u32)?;
    let mut values = Vec::new();
    for k in 1..=n {
        call.raw_get_index(i, k)?;
        let value = call.number_at(-1).filter(|value| value.is_finite());
        values
            .push(value.ok_or_else(|| Error::argument(i, "an array of finite numbers expected"))?);
        call.pop(1);
    }
    Ok(values)
}

fn pair(call: &mut Call<'_>) -> Result<(Vec<f64>, Vec<f64>), Error> {
    check_count(call, 2)?;
    let (a, b) = (
        numbers(call, 1, BINS_MAX as i64)?,
        numbers(call, 2, BINS_MAX as i64)?,
    );
    check(
        a.len() == b.len() && !a.is_empty(),
        2,
        "arrays of the same length expected",
    )?;
    Ok((a, b))
}

fn push_pearson(call: &mut Call<'_>) -> Result<usize, Error> {
    let (a, b) = pair(call)?;
    call.push_number(pearson(&a, &b))?;
    Ok(1)
}

fn push_bhattacharyya(call: &mut Call<'_>) -> Result<usize, Error> {
    let (a, b) = pair(call)?;
    call.push_number(bhattacharyya(&a, &b))?;
    Ok(1)
}

/// `mann_whitney_u(x, y)`: U of x and the one-sided probability, or nil.
fn mann_whitney_u(call: &mut Call<'_>) -> Result<usize, Error> {
    check_count(call, 2)?;
    let (x, y) = (numbers(call, 1, SAMPLE_MAX)?, numbers(call, 2, SAMPLE_MAX)?);
    charge(call, 16 * (x.len() + y.len()))?;
    match rank_sum(&x, &y) {
        Some(outcome) => {
            call.push_number(outcome.u)?;
            call.push_number(outcome.p)?;
            Ok(2)
        }
        None => {
            call.push_nil()?;
            Ok(1)
        }
    }
}

/// `histogram(bins[, {rows = 24, count = 1000, pearson = 0.3, bhattacharyya = 0.9, refractory = 3600}])`
fn new_histogram(call: &mut Call<'_>) -> Result<usize, Error> {
    check_counts(call, 1..=2)?;
    let n_bins = call.check_number(1)?;
    check_names(
        call,
        &["bhattacharyya", "count", "pearson", "refractory", "rows"],
    )?;
    let n_rows = option(call, "rows")?.unwrap_or(24.0);
    let min_count = option(call, "count")?.unwrap_or(1000.0);
    let limits = [
        option(call, "pearson")?.unwrap_or(0.3),
        option(call, "bhattacharyya")?.unwrap_or(0.9),
    ];
    let refractory = option(call, "refractory")?.unwrap_or(3600.0);
    let made = HistogramChange::new(
        n_bins as usize,
        n_rows as usize,
        min_count,
        limits,
        refractory,
    );
    call.push_object(made.map_err(|text| Error::argument(2, text))?)?;
    Ok(1)
}

fn histogram_add(call: &mut Call<'_>) -> Result<usize, Error> {
    check_count(call, 3)?;
    let n_bins = call.check_object::<HistogramChange>(1)?.n_bins();
    let ns = check_ns(call)?;
    let counts = numbers(call, 3, BINS_MAX as i64)?;
    check(counts.len() == n_bins, 3, "a number for each bin expected")?;
    let mut histogram = call.check_object_mut::<HistogramChange>(1)?;
    charge(call, 2 * n_bins * histogram.n_rows())?;
    let verdict = histogram.add(ns, &counts);
    drop(histogram);
    push_verdict(call, verdict)
}

fn histogram_clear(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_object_mut::<HistogramChange>(1)?.clear();
    Ok(0)
}

fn histogram_tostring(call: &mut Call<'_>) -> Result<usize, Error> {
    let histogram = call.check_object::<HistogramChange>(1)?;
    check_count(call, 1)?;
    push_written(call, histogram.memory(), |out| histogram.write(out))
}

fn histogram_fromstring(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut histogram = call.check_object_mut::<HistogramChange>(1)?;
    check_count(call, 2)?;
    let bytes = call.check_bytes(2)?;
    charge(call, bytes.len())?;
    call.check_memory(2 * bytes.len())?;
    *histogram = HistogramChange::read(bytes).ok_or("invalid serialization")?;
    drop(histogram);
    call.recount(1)?;
    Ok(0)
}

//! Fuzzes the reading of written sketches, filters, series and words.

use analysis::bloom_filter::{BloomFilter, Shape};
use analysis::circular_buffer::{Cell, CircularBuffer, Format};
use analysis::cm_sketch::{self, CountMinSketch};
use analysis::cuckoo;
use analysis::cuckoo_filter::CuckooFilter;
use analysis::cuckoo_filter_expire::CuckooFilterExpire;
use analysis::filter::{Deletes, Filter};
use analysis::hyperloglog::HyperLogLog;
use analysis::matrix::{Match, Matrix};
use analysis::matrix_profile::Profile;
use analysis::p2::{Histogram, Quantile};
use analysis::running_stats::RunningStats;
use analysis::sax::Word;
use analysis::serialized::Serialized;
use analysis::time_series::{Merge, TimeSeries};

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "analysis",
    about: "written sketches, filters, series and words",
    run,
    seeds,
    words: &[
        b" nan",
        b" inf",
        b" -inf",
        b" 1e308",
        b" 60",
        b"9223372036854775807",
        b"-9223372036854775808",
        b"HYLL",
        b"\x80",
        b"\x00\x00\x00\x00\x00\x00\xf8\x7f",
        b"\xff\xff\xff\xff\xff\xff\xff\xff",
        b"AB#",
    ],
    n_smoke: 20_000,
};

/// The first byte chooses what the others are read as.
fn run(bytes: &[u8]) {
    let Some((&kind, bytes)) = bytes.split_first() else {
        return;
    };
    match kind % 11 {
        0 => circular_buffer(bytes),
        1 => hyperloglog(bytes),
        2 => bloom_filter(bytes),
        3 => cuckoo_filter(bytes),
        4 => cuckoo_filter_expire(bytes),
        5 => cm_sketch(bytes),
        6 => quantiles(bytes),
        7 => matrices(bytes),
        8 => time_series(bytes),
        9 => running_stats(bytes),
        _ => words(bytes),
    }
}

/// As many bytes as wanted, those at hand first.
fn sized(bytes: &[u8], len: usize) -> Vec<u8> {
    let mut all = bytes.to_vec();
    all.resize(len, 0);
    all
}

fn circular_buffer(text: &[u8]) {
    let cells = || vec![Cell::EMPTY; 6];
    let mut buffer = CircularBuffer::new(3, 60, cells());
    if buffer.read_state(text, cells()).is_err() {
        return;
    }
    let mut written = Vec::new();
    buffer.write_state(&mut written);
    let mut again = CircularBuffer::new(3, 60, cells());
    again
        .read_state(&written, cells())
        .expect("what we write can be read");
    let mut second = Vec::new();
    again.write_state(&mut second);
    assert_eq!(second, written, "states change when they are written");
    buffer.format = Format::Cbufd;
    buffer.advance(1e18);
    buffer.write_output(usize::MAX, &mut written);
}

fn hyperloglog(bytes: &[u8]) {
    let mut sketch = HyperLogLog::default();
    let mut all = sketch.as_bytes().to_vec();
    let n = bytes.len().min(all.len() - 4);
    all[4..4 + n].copy_from_slice(&bytes[..n]);
    if sketch.read(&all).is_ok() {
        assert_eq!(sketch.as_bytes(), all);
        sketch.add(b"key");
        assert!(!sketch.add(b"key"), "the same key twice");
        sketch.count();
    }
}

fn bloom_filter(bytes: &[u8]) {
    let shape = Shape::new(100, 0.01);
    let mut filter = BloomFilter::new(shape, vec![0; shape.byte_len()]);
    filter
        .read(Some(7), &sized(bytes, shape.byte_len()))
        .expect("the right length");
    filter.add(b"key");
    assert!(filter.query(b"key"));
}

fn cuckoo_filter(bytes: &[u8]) {
    let mut filter = CuckooFilter::new(vec![Default::default(); cuckoo::bucket_count(64)]);
    let bytes = sized(bytes, filter.byte_len());
    filter.read(&bytes).expect("the right length");
    let mut written = Vec::new();
    filter.write(&mut written);
    assert_eq!(written, bytes);
    if filter.add(b"key").is_ok() {
        assert!(filter.query(b"key") && filter.delete(b"key"));
    }
}

fn cuckoo_filter_expire(bytes: &[u8]) {
    let mut filter =
        CuckooFilterExpire::new(vec![Default::default(); cuckoo::bucket_count(512)], 1);
    let bytes = sized(bytes, filter.byte_len());
    filter.read(&bytes, None).expect("the right length");
    for ns in [0.0, 1e13, 2e13, 1e18] {
        if filter.add(b"key", ns).is_ok() && ns > 0.0 {
            assert!(filter.query(b"key").is_some());
        }
    }
    assert_eq!(filter.count(), 1, "all others have expired");
}

fn cm_sketch(bytes: &[u8]) {
    let shape = cm_sketch::Shape::new(0.1, 0.1).expect("it exists");
    let mut sketch = CountMinSketch::new(shape, vec![0; shape.counters()]);
    sketch
        .read(&sized(bytes, sketch.byte_len()))
        .expect("the right length");
    for n in [1, i32::MAX, i32::MIN, -1] {
        sketch.update(b"key", n);
    }
}

fn quantiles(bytes: &[u8]) {
    let mut quantile = Quantile::new(0.5);
    let mut bytes = sized(bytes, analysis::p2::QUANTILE_LEN);
    bytes[2..6].copy_from_slice(&0.5f32.to_le_bytes());
    if quantile.read(&bytes).is_some() {
        for number in [0.0, 1.0, -1e308, 1e308, f64::NAN] {
            quantile.add(number);
        }
        quantile.count(4);
    }
    let mut histogram = Histogram::new(vec![0.0; 5], vec![0.0; 5]);
    bytes.truncate(histogram.byte_len());
    if histogram.read(&bytes).is_some() {
        histogram.add(1.0);
        histogram.count(4);
    }
}

fn matrices(bytes: &[u8]) {
    let mut matrix = Matrix::new(3, vec![0f32; 9]);
    let mut bytes = sized(bytes, matrix.byte_len());
    bytes[..8].copy_from_slice(&[3, 0, 0, 0, 3, 0, 0, 0]);
    matrix.read(&bytes).expect("the right measures");
    let alike = matrix.most_alike(0, Match::Max);
    assert!(alike.is_none_or(|(coefficient, row)| coefficient.is_finite() && row != 0));
    let mut whole = Matrix::new(3, vec![0i32; 9]);
    whole.read(&bytes).expect("the right measures");
    whole.merge_self(analysis::matrix::Merge::Add);
    whole.most_alike(2, Match::Min);
}

fn time_series(bytes: &[u8]) {
    let mut series = TimeSeries::new(60, vec![0; 16]);
    let mut bytes = sized(bytes, series.byte_len());
    bytes[8..20].copy_from_slice(&[60, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0]);
    series.read(&bytes).expect("the right measures");
    let mut other = TimeSeries::new(7, vec![0; 4]);
    other.merge(&series, Merge::Add);
    if let Some(values) = series.range(None, 16) {
        let values: Vec<f64> = values.map(f64::from).collect();
        let profile = Profile::compute(&values, 4, 100.0, |_| Ok::<(), ()>(()));
        profile.expect("no budget").discord(0);
    }
}

fn running_stats(bytes: &[u8]) {
    let mut stats = RunningStats::default();
    let stats = stats.read(&sized(bytes, stats.byte_len())).map(|()| stats);
    if let Some(mut stats) = stats {
        stats.add(1.0);
        stats.sd();
    }
}

fn words(bytes: &[u8]) {
    let Some((&cardinality, text)) = bytes.split_first() else {
        return;
    };
    if let Some(word) = Word::of_text(text, cardinality) {
        let mut written = Vec::new();
        word.write(&mut written);
        assert_eq!(written, text);
        let distance = word.distance(&word).expect("words of one kind");
        assert!(distance.total == 0.0);
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = (0u8..11).map(|kind| vec![kind]).collect();
    seeds[0]
        .extend_from_slice(b"1700000040 0 1 nan 2.5 -inf 3 4 1700000040 1 nan 1699999980 nan 2");
    seeds[10].extend_from_slice(b"\x04AB#D");
    for (kind, seed) in seeds.iter_mut().enumerate().skip(1).take(9) {
        seed.extend((0..120u8).map(|i| i.wrapping_mul(kind as u8)));
    }
    seeds
}

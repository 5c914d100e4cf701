//! Figures, their medians, and the table they are printed in.

use std::fmt::Write;

/// One measured quantity of one benchmark, with a value per engine.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What it is, with its unit: "messages/s".
    pub name: String,
    /// Whether a larger value is the better one.
    pub more_is_better: bool,
    /// A value per engine, in the order of the engines; `None` where it does not apply.
    pub values: Vec<Option<f64>>,
}

impl Figure {
    /// A figure of which less is better.
    pub fn less(name: impl Into<String>, values: Vec<Option<f64>>) -> Figure {
        Figure {
            name: name.into(),
            more_is_better: false,
            values,
        }
    }

    /// A figure of which more is better.
    pub fn more(name: impl Into<String>, values: Vec<Option<f64>>) -> Figure {
        Figure {
            name: name.into(),
            more_is_better: true,
            values,
        }
    }

    /// How many times better the first engine is than the second.
    pub fn ratio(&self) -> Option<f64> {
        let (&[Some(ours), Some(peer)], true) = (self.values.as_slice(), self.values.len() == 2)
        else {
            return None;
        };
        Some(if self.more_is_better {
            ours / peer
        } else {
            peer / ours
        })
    }
}

/// The middle of `values`; the mean of the two middle ones when their number is even, `None` without any.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        len if len % 2 == 1 => Some(sorted[middle]),
        _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
    }
}

/// The value below which `share` (0 to 1) of the values lie, by the nearest rank.
pub fn percentile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

/// The head of the table.
pub fn head(engines: &[&str]) -> String {
    let mut line = format!("{:<16} {:<28}", "benchmark", "figure");
    for engine in engines {
        write!(line, " {engine:>12}").expect("writing to a string");
    }
    if engines.len() == 2 {
        line.push_str("  times better");
    }
    line
}

/// One line of the table.
pub fn line(benchmark: &str, figure: &Figure) -> String {
    let mut line = format!("{benchmark:<16} {:<28}", figure.name);
    for value in &figure.values {
        write!(line, " {:>12}", number(*value)).expect("writing to a string");
    }
    if let Some(ratio) = figure.ratio() {
        write!(line, "  {ratio:>12.2}").expect("writing to a string");
    }
    line
}

/// Four digits that mean something, thousands grouped.
fn number(value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(value) if value.abs() >= 1000.0 => grouped(value),
        Some(value) if value.abs() >= 100.0 => format!("{value:.0}"),
        Some(value) if value.abs() >= 10.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.3}"),
    }
}

fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (idx, digit) in digits.chars().enumerate() {
        if idx > 0 && digit != '-' && (digits.len() - idx) % 3 == 0 && !out.ends_with('-') {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_percentiles() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(percentile(&hundred, 0.5), Some(50.0));
        assert_eq!(percentile(&hundred, 0.99), Some(99.0));
        assert_eq!(percentile(&[7.0], 0.99), Some(7.0));
        assert_eq!(percentile(&[], 0.5), None);
    }

    #[test]
    fn a_ratio_says_how_many_times_the_first_is_better() {
        assert_eq!(
            Figure::more("messages/s", vec![Some(6.0), Some(2.0)]).ratio(),
            Some(3.0)
        );
        assert_eq!(
            Figure::less("ns/message", vec![Some(2.0), Some(6.0)]).ratio(),
            Some(3.0)
        );
        assert_eq!(Figure::less("ns/message", vec![Some(2.0)]).ratio(), None);
        assert_eq!(
            Figure::less("ns/message", vec![Some(2.0), None]).ratio(),
            None
        );
    }

    #[test]
    fn numbers_are_short() {
        let texts =
            [1_234_567.8, 1000.0, 123.4, 12.34, 1.234, 0.0].map(|value| number(Some(value)));
        assert_eq!(
            texts,
            ["1,234,568", "1,000", "123", "12.3", "1.234", "0.000"]
        );
        assert_eq!(number(Some(-123_456.0)), "-123,456");
        assert_eq!(number(None), "-");
    }
}

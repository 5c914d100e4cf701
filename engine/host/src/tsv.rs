//! Writes `plugins.tsv` and `utilization.tsv`, which plugins and tools read.
//!
//! Both begin with a line of column names; columns are separated by tabs; each file is replaced in one step.

use std::fmt::Write;
use std::io;
use std::path::Path;

use stdx::files::{RealDisk, write_atomically};

use crate::statistics::Counts;

/// What `utilization.tsv` says about one plugin or one analysis thread, over the last sample.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UtilizationRow {
    /// `<type>.<name>`, or `analysis<N>` for a thread.
    pub name: String,
    /// Messages it processed; for an input, messages it injected.
    pub messages: u64,
    /// The shares; `None` for inputs, which print -1.
    pub shares: Option<Shares>,
}

/// Shares in percent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shares {
    /// Of its thread's time, or of what a thread or an output could process.
    pub utilization: i32,
    /// Of its own time: the matcher.
    pub matching: i32,
    /// Of its own time: process_message.
    pub processing: i32,
    /// Of its own time: timer_event.
    pub timing: i32,
}

const PLUGIN_COLUMNS: [&str; 15] = [
    "Plugin",
    "Inject Message Count",
    "Inject Message Bytes",
    "Process Message Count",
    "Process Message Failures",
    "Current Memory",
    "Max Memory",
    "Max Output",
    "Max Instructions",
    "Message Matcher Avg (ns)",
    "Message Matcher SD (ns)",
    "Process Message Avg (ns)",
    "Process Message SD (ns)",
    "Timer Event Avg (ns)",
    "Timer Event SD (ns)",
];

const UTILIZATION_COLUMNS: [&str; 6] = [
    "Plugin",
    "Messages Processed",
    "% Utilization",
    "% Message Matcher",
    "% Process Message",
    "% Timer Event",
];

/// The text of `plugins.tsv`: a line for each plugin, by name.
pub fn plugins(rows: &[(String, Counts)]) -> String {
    let mut out = PLUGIN_COLUMNS.join("\t") + "\n";
    for (name, row) in rows {
        let counts = [
            row.injects,
            row.inject_bytes,
            row.messages,
            row.failures,
            row.memory,
            row.memory_max,
            row.output_max,
            row.instructions_max,
        ];
        out.push_str(name);
        for count in counts {
            write!(out, "\t{count}").expect("a String takes any text");
        }
        for times in [row.matching, row.processing, row.timing] {
            let (mean, deviation) = (printable(times.mean()), printable(times.sd()));
            write!(out, "\t{mean:.0}\t{deviation:.0}").expect("a String takes any text");
        }
        out.push('\n');
    }
    out
}

/// Readers expect digits, so what is no number is printed as 0 (and -0 as 0).
fn printable(number: f64) -> f64 {
    if number.is_finite() && number > 0.0 {
        number
    } else {
        0.0
    }
}

/// The text of `utilization.tsv`.
pub fn utilization(rows: &[UtilizationRow]) -> String {
    let mut out = UTILIZATION_COLUMNS.join("\t") + "\n";
    for row in rows {
        let shares = row.shares.unwrap_or(Shares {
            utilization: -1,
            matching: -1,
            processing: -1,
            timing: -1,
        });
        let Shares {
            utilization,
            matching,
            processing,
            timing,
        } = shares;
        let (name, messages) = (&row.name, row.messages);
        writeln!(
            out,
            "{name}\t{messages}\t{utilization}\t{matching}\t{processing}\t{timing}"
        )
        .expect("a String takes any text");
    }
    out
}

/// `part` of `whole` in percent, rounded on one further digit; 0 of nothing is 0.
/// A half is rounded up only after an odd number, as Hindsight does.
pub fn percent(part: u64, whole: u64) -> i32 {
    if whole == 0 {
        return 0;
    }
    let thousandths =
        i32::try_from(u128::from(part) * 1000 / u128::from(whole)).unwrap_or(i32::MAX);
    let (percent, rest) = (thousandths / 10, thousandths % 10);
    percent + i32::from(rest > 5 || (rest == 5 && percent % 2 == 1))
}

/// Replaces both files in `output_path`.
///
/// # Errors
/// Whatever the disk says; the second file is written even if the first cannot be.
pub fn write(
    output_path: &Path,
    plugin_rows: &[(String, Counts)],
    rows: &[UtilizationRow],
) -> io::Result<()> {
    let replace = |name: &str, text: String| {
        write_atomically(&RealDisk, &output_path.join(name), text.as_bytes(), false)
    };
    let first = replace("plugins.tsv", plugins(plugin_rows));
    replace("utilization.tsv", utilization(rows)).and(first)
}

#[cfg(test)]
mod tests {
    use stdx::stats::Stats;

    use super::*;

    #[test]
    fn plugins_have_fifteen_columns() {
        let times = |values: &[f64]| {
            let mut times = Stats::new();
            values.iter().for_each(|value| times.add(*value));
            times
        };
        let counts = Counts {
            injects: 1,
            inject_bytes: 2,
            messages: 3,
            failures: 4,
            memory: 5,
            memory_max: 6,
            output_max: 7,
            instructions_max: 8,
            matching: times(&[2.0, 16.8]),
            processing: times(&[f64::NAN]),
            timing: times(&[-0.0]),
            ..Counts::default()
        };
        let none = Counts::default();
        let text = plugins(&[("analysis.a".into(), counts), ("input.b".into(), none)]);
        let lines: Vec<&str> = text.lines().collect();
        let header = "Plugin\tInject Message Count\tInject Message Bytes\tProcess Message Count\t\
            Process Message Failures\tCurrent Memory\tMax Memory\tMax Output\tMax Instructions\t\
            Message Matcher Avg (ns)\tMessage Matcher SD (ns)\tProcess Message Avg (ns)\t\
            Process Message SD (ns)\tTimer Event Avg (ns)\tTimer Event SD (ns)";
        assert_eq!(lines[0], header);
        assert_eq!(
            lines[1],
            "analysis.a\t1\t2\t3\t4\t5\t6\t7\t8\t9\t10\t0\t0\t0\t0"
        );
        assert_eq!(
            lines[2],
            "input.b\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0"
        );
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn utilization_has_six_columns() {
        let shares = Some(Shares {
            utilization: 50,
            matching: 1,
            processing: 2,
            timing: 3,
        });
        let text = utilization(&[
            UtilizationRow {
                name: "input.a".into(),
                messages: 7,
                shares: None,
            },
            UtilizationRow {
                name: "analysis0".into(),
                messages: 8,
                shares,
            },
        ]);
        let expected = "Plugin\tMessages Processed\t% Utilization\t% Message Matcher\t% Process Message\t% Timer Event\n\
            input.a\t7\t-1\t-1\t-1\t-1\nanalysis0\t8\t50\t1\t2\t3\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn percents_are_rounded_as_hindsight_does() {
        let cases = [
            (0, 0, 0),
            (5, 0, 0),
            (1, 1, 100),
            (1, 3, 33),
            (2, 3, 67),
            (5, 1000, 0),
            (15, 1000, 2),
            (25, 1000, 2),
        ];
        for (part, whole, expected) in cases {
            assert_eq!(percent(part, whole), expected, "{part} of {whole}");
        }
        assert_eq!(percent(u64::MAX, 1), i32::MAX / 10 + 1);
    }

    #[test]
    fn both_files_are_replaced() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        for _ in 0..2 {
            write(dir.path(), &[], &[]).expect("the directory is ours");
        }
        let read =
            |name: &str| std::fs::read_to_string(dir.path().join(name)).expect("the file is there");
        assert_eq!(read("plugins.tsv"), plugins(&[]));
        assert_eq!(read("utilization.tsv"), utilization(&[]));
        assert_eq!(
            std::fs::read_dir(dir.path())
                .expect("the directory is ours")
                .count(),
            2
        );
    }
}

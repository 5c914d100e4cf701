//! Reads the text of circular buffers (`cbuf`) and of their changes (`cbufd`) as plugins put them into payloads.
//!
//! The first line is JSON: the time of the first row, rows, columns, seconds per row, the columns' names, units and
//! aggregations, and annotations. A `cbuf` goes on with one line of numbers for each row, oldest first; a `cbufd` only with
//! rows that changed, each with its time in front. The text comes from plugins, so nothing in it is believed.

use serde::{Deserialize, Serialize};

/// Longest first line, bytes: it holds all annotations.
pub const HEADER_MAX: usize = 4 << 20;

/// Most columns, as the module allows.
pub const COLUMNS_MAX: usize = 256;

/// Most cells: 32 MiB of numbers.
pub const CELLS_MAX: usize = 4 << 20;

/// Most annotations that are kept of one graph; the newest ones.
pub const ANNOTATIONS_MAX: usize = 2_000;

/// Times are kept within some 100,000 years, so that sums of them cannot overflow.
const TIME_MAX: i64 = 1 << 42;

/// Why a text is no circular buffer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CbufError {
    /// The first line.
    #[error("the first line is no header of a circular buffer: {0}")]
    Header(String),
    /// A number in the header is out of its range.
    #[error("{name} is {value}, expected {expected}")]
    Range {
        /// Which.
        name: &'static str,
        /// What it is.
        value: i64,
        /// What it may be.
        expected: &'static str,
    },
    /// A line of numbers.
    #[error("line {line}: {what}")]
    Line {
        /// Which, from 1.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it counts.
    #[serde(default)]
    pub unit: String,
    /// How values of one row are joined: `sum`, `min`, `max` or `none`.
    #[serde(default)]
    pub aggregation: String,
}

/// A mark on a column at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Annotation {
    /// When, milliseconds since 1970.
    pub x: i64,
    /// The column, from 1.
    pub col: usize,
    /// `A` or `a` for an alert, `I` or `i` for information.
    #[serde(rename = "shortText", default)]
    pub short_text: String,
    /// What it says.
    #[serde(default)]
    pub text: String,
}

/// A circular buffer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Graph {
    /// Time of the first row, seconds since 1970.
    pub time: i64,
    /// Time between rows, seconds.
    pub seconds_per_row: i64,
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: Vec<Column>,
    /// Marks.
    pub annotations: Vec<Annotation>,
    /// The cells, row by row; NaN where nothing was counted.
    pub cells: Vec<f64>,
}

#[derive(Deserialize)]
struct Header {
    time: f64,
    rows: i64,
    columns: i64,
    seconds_per_row: i64,
    #[serde(default)]
    column_info: Vec<Column>,
    #[serde(default)]
    annotations: Vec<Annotation>,
}

/// Reads a `cbuf`. Missing rows are empty.
///
/// # Errors
/// What is wrong with it, and where.
pub fn parse(text: &[u8]) -> Result<Graph, CbufError> {
    let (mut graph, body) = header(text)?;
    let width = graph.columns.len();
    for (at, line) in lines(body).enumerate() {
        let number = at + 2;
        if at >= graph.rows {
            return Err(line_error(number, "more rows than the header says"));
        }
        numbers(line, number, &mut graph.cells[at * width..(at + 1) * width])?;
    }
    Ok(graph)
}

/// Adds a `cbufd` to what was gathered of it before.
///
/// # Errors
/// As [`parse`]; what was gathered stays as it was.
pub fn add_changes(before: Option<Graph>, text: &[u8]) -> Result<Graph, CbufError> {
    let (mut graph, body) = header(text)?;
    if let Some(before) = before {
        carry_over(before, &mut graph);
    }
    let width = graph.columns.len();
    let ways: Vec<fn(f64, f64) -> f64> = graph
        .columns
        .iter()
        .map(|column| way(&column.aggregation))
        .collect();
    for (at, line) in lines(body).enumerate() {
        let number = at + 2;
        let time_end = line.iter().position(|byte| *byte == b'\t');
        let (time, rest) = line.split_at(time_end.unwrap_or(line.len()));
        let time = value(time).ok_or(line_error(number, "no time in front"))?;
        let row = (time as i64)
            .saturating_sub(graph.time)
            .div_euclid(graph.seconds_per_row);
        let row = usize::try_from(row).ok().filter(|row| *row < graph.rows);
        let mut changes = vec![f64::NAN; width];
        numbers(rest.get(1..).unwrap_or_default(), number, &mut changes)?;
        let Some(row) = row else { continue };
        let cells = &mut graph.cells[row * width..(row + 1) * width];
        for ((cell, change), way) in cells.iter_mut().zip(changes).zip(&ways) {
            *cell = joined(*cell, change, way);
        }
    }
    Ok(graph)
}

/// Takes over the rows and marks that both windows have.
fn carry_over(before: Graph, now: &mut Graph) {
    let alike =
        before.columns.len() == now.columns.len() && before.seconds_per_row == now.seconds_per_row;
    if !alike {
        return;
    }
    let width = now.columns.len();
    let shift = (now.time - before.time) / now.seconds_per_row;
    for row in 0..now.rows {
        let Some(old) = usize::try_from(row as i64 + shift)
            .ok()
            .filter(|old| *old < before.rows)
        else {
            continue;
        };
        now.cells[row * width..(row + 1) * width]
            .copy_from_slice(&before.cells[old * width..(old + 1) * width]);
    }
    let begin = now.time.saturating_mul(1000);
    let mut marks: Vec<Annotation> = before
        .annotations
        .into_iter()
        .filter(|mark| mark.x >= begin)
        .collect();
    marks.append(&mut now.annotations);
    now.annotations = newest(marks);
}

fn way(aggregation: &str) -> fn(f64, f64) -> f64 {
    match aggregation {
        "sum" => |old, new| old + new,
        "min" => f64::min,
        "max" => f64::max,
        _ => |_, new| new,
    }
}

fn joined(old: f64, change: f64, way: &fn(f64, f64) -> f64) -> f64 {
    match (old.is_nan(), change.is_nan()) {
        (_, true) => old,
        (true, false) => change,
        (false, false) => way(old, change),
    }
}

fn header(text: &[u8]) -> Result<(Graph, &[u8]), CbufError> {
    let limit = text.len().min(HEADER_MAX);
    let end = text[..limit]
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(limit);
    let line = String::from_utf8_lossy(&text[..end]);
    let header: Header =
        serde_json::from_str(&line).map_err(|error| CbufError::Header(error.to_string()))?;
    let time = header.time as i64;
    let in_range = |name, value, range: std::ops::RangeInclusive<i64>, expected| {
        if range.contains(&value) {
            Ok(value)
        } else {
            Err(CbufError::Range {
                name,
                value,
                expected,
            })
        }
    };
    in_range("time", time, -TIME_MAX..=TIME_MAX, "a time")?;
    in_range("rows", header.rows, 1..=CELLS_MAX as i64, "1 to 4194304")?;
    in_range(
        "columns",
        header.columns,
        1..=COLUMNS_MAX as i64,
        "1 to 256",
    )?;
    in_range(
        "seconds_per_row",
        header.seconds_per_row,
        1..=TIME_MAX >> 23,
        "at least 1, at most 524288",
    )?;
    let cells = header.rows * header.columns;
    in_range(
        "rows * columns",
        cells,
        1..=CELLS_MAX as i64,
        "at most 4194304",
    )?;
    let width = header.columns as usize;
    let mut columns = header.column_info;
    columns.truncate(width);
    while columns.len() < width {
        let name = format!("Column_{}", columns.len() + 1);
        columns.push(Column {
            name,
            unit: String::new(),
            aggregation: "sum".into(),
        });
    }
    let known = header
        .annotations
        .into_iter()
        .filter(|mark| (1..=width).contains(&mark.col))
        .collect();
    let graph = Graph {
        time,
        seconds_per_row: header.seconds_per_row,
        rows: header.rows as usize,
        columns,
        annotations: newest(known),
        cells: vec![f64::NAN; cells as usize],
    };
    Ok((graph, text.get(end + 1..).unwrap_or_default()))
}

fn newest(mut marks: Vec<Annotation>) -> Vec<Annotation> {
    marks.sort_by_key(|mark| (mark.x, mark.col));
    marks.split_off(marks.len().saturating_sub(ANNOTATIONS_MAX))
}

fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    body.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
}

/// Reads the numbers of a line into `cells`; the line must have exactly as many.
fn numbers(line: &[u8], number: usize, cells: &mut [f64]) -> Result<(), CbufError> {
    let mut parts = line.split(|byte| *byte == b'\t');
    for cell in cells.iter_mut() {
        let part = parts
            .next()
            .ok_or(line_error(number, "fewer numbers than columns"))?;
        *cell = value(part).ok_or(line_error(number, "not a number"))?;
    }
    match parts.next() {
        Some(_) => Err(line_error(number, "more numbers than columns")),
        None => Ok(()),
    }
}

fn value(part: &[u8]) -> Option<f64> {
    std::str::from_utf8(part).ok()?.trim().parse().ok()
}

fn line_error(line: usize, what: &'static str) -> CbufError {
    CbufError::Line { line, what }
}

impl Graph {
    /// The graph as a `cbuf`, with the id of its payload in the first line.
    pub fn to_text(&self, id: &str) -> String {
        use std::fmt::Write;
        let mut out = format!(
            "{{\"id\":{},\"time\":{},\"rows\":{},\"columns\":{},\"seconds_per_row\":{},\"column_info\":{},\"annotations\":{}}}\n",
            to_json(&id),
            self.time,
            self.rows,
            self.columns.len(),
            self.seconds_per_row,
            to_json(&self.columns),
            to_json(&self.annotations),
        );
        for row in self.cells.chunks(self.columns.len().max(1)) {
            for (at, cell) in row.iter().enumerate() {
                let gap = if at == 0 { "" } else { "\t" };
                let written = match cell.is_nan() {
                    true => write!(out, "{gap}nan"),
                    false => write!(out, "{gap}{cell}"),
                };
                written.expect("a String takes any text");
            }
            out.push('\n');
        }
        out
    }

    /// The graph as JSON: its columns as lists of numbers, `null` where there is none; rows older than `since` (seconds
    /// since 1970) are left out.
    pub fn to_json(&self, since: Option<i64>) -> String {
        let skipped = since.map_or(0, |since| {
            let rows = since.saturating_sub(self.time) / self.seconds_per_row;
            usize::try_from(rows).unwrap_or(0).min(self.rows)
        });
        let width = self.columns.len();
        let mut out = String::with_capacity((self.rows - skipped) * width * 8 + 256);
        let time = self.time + skipped as i64 * self.seconds_per_row;
        out.push_str(&format!(
            "{{\"time\":{time},\"seconds_per_row\":{},\"rows\":{},\"total_rows\":{},\"columns\":{},\"annotations\":{},\"values\":[",
            self.seconds_per_row,
            self.rows - skipped,
            self.rows,
            to_json(&self.columns),
            to_json(&self.annotations),
        ));
        for column in 0..width {
            out.push_str(if column == 0 { "[" } else { ",[" });
            for row in skipped..self.rows {
                if row > skipped {
                    out.push(',');
                }
                push_number(&mut out, self.cells[row * width + column]);
            }
            out.push(']');
        }
        out.push_str("]}");
        out
    }
}

fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("lists of strings and numbers are JSON")
}

/// Writes a number, whole ones without a fraction.
fn push_number(out: &mut String, number: f64) {
    use std::fmt::Write;
    let written = if !number.is_finite() {
        out.write_str("null")
    } else if number.fract() == 0.0 && number.abs() < 1e15 {
        write!(out, "{}", number as i64)
    } else {
        write!(out, "{number}")
    };
    written.expect("a String takes any text");
}

#[cfg(test)]
mod tests;

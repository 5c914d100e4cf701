//! Time series in a sliding window: rows of fixed duration, columns with names, and what changed since the last look.
//!
//! The text forms are those of Hindsight: see [`CircularBuffer::write_cbuf`] and [`CircularBuffer::write_state`].

pub mod lua;
mod text;

use std::collections::BTreeMap;

/// The most columns.
pub const MAX_COLUMNS: usize = 256;
/// The most letters of a column's name.
const MAX_NAME: usize = 15;
/// The most letters of a column's unit.
const MAX_UNIT: usize = 7;
/// About what an annotation takes beside its text, in bytes.
const ANNOTATION_OVERHEAD: usize = 96;

/// How values of a column are combined, within one buffer by `set` and among buffers by deltas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Aggregation {
    /// The total.
    #[default]
    Sum,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// They are not: the column has no deltas.
    None,
}

impl Aggregation {
    /// Their words, in the order of the variants.
    pub const NAMES: [&'static str; 4] = ["sum", "min", "max", "none"];
    /// All of them, in the order of [`Aggregation::NAMES`].
    pub const ALL: [Aggregation; 4] = [
        Aggregation::Sum,
        Aggregation::Min,
        Aggregation::Max,
        Aggregation::None,
    ];

    /// Its word.
    pub fn name(self) -> &'static str {
        Aggregation::NAMES[self as usize]
    }
}

/// What the output of a buffer shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// All values.
    #[default]
    Cbuf,
    /// What changed since the last output.
    Cbufd,
}

impl Format {
    /// Their words, in the order of the variants.
    pub const NAMES: [&'static str; 2] = ["cbuf", "cbufd"];
}

/// The name of a column and what stands in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Letters, digits and underscores.
    pub name: String,
    /// Letters, digits, `/`, `*` and underscores.
    pub unit: String,
    /// How values are combined.
    pub aggregation: Aggregation,
}

impl Header {
    /// Cuts name and unit to their lengths and replaces what may not stand in them.
    pub fn new(name: &[u8], unit: &[u8], aggregation: Aggregation) -> Header {
        Header {
            name: clean(name, MAX_NAME, b""),
            unit: clean(unit, MAX_UNIT, b"/*"),
            aggregation,
        }
    }
}

fn clean(text: &[u8], max: usize, also: &[u8]) -> String {
    let letters = text.iter().take_while(|&&c| c != 0).take(max);
    letters
        .map(|&c| match c.is_ascii_alphanumeric() || also.contains(&c) {
            true => char::from(c),
            false => '_',
        })
        .collect()
}

/// One value and how it changed.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// The value, NaN for none.
    pub value: f64,
    /// The sum of changes, or the last value; NaN for no change.
    pub delta: f64,
}

impl Cell {
    /// Without value and change.
    pub const EMPTY: Cell = Cell {
        value: f64::NAN,
        delta: f64::NAN,
    };
}

/// Which of the two numbers of a cell is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The value.
    Value,
    /// The change.
    Delta,
}

impl Part {
    fn of(self, cell: &Cell) -> f64 {
        match self {
            Part::Value => cell.value,
            Part::Delta => cell.delta,
        }
    }
}

/// A remark at a row and column.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Annotation {
    alert: bool,
    /// Printable ASCII and the control characters that JSON has short escapes for.
    text: Vec<u8>,
    /// Whether the next delta shows it.
    delta: bool,
}

/// The buffer.
#[derive(Clone, Debug)]
pub struct CircularBuffer {
    rows: usize,
    columns: usize,
    /// Duration of a row in seconds.
    seconds_per_row: i64,
    /// The start of the newest row, a multiple of the row's duration.
    current_time: i64,
    /// Row by row; a row lies at its number (time by duration) modulo the number of rows.
    cells: Vec<Cell>,
    headers: Vec<Header>,
    /// What the output shows.
    pub format: Format,
    /// By the row's time and the column.
    annotations: BTreeMap<(i64, usize), Annotation>,
    annotation_bytes: usize,
}

impl CircularBuffer {
    /// A buffer of `rows` (at least 2) of `seconds_per_row` each; `cells` are as many empty ones as it has. The window begins
    /// at 0 seconds.
    pub fn new(rows: usize, seconds_per_row: i64, cells: Vec<Cell>) -> CircularBuffer {
        let columns = cells.len() / rows;
        assert!(
            rows > 1 && columns > 0 && seconds_per_row > 0,
            "checked by the caller"
        );
        assert_eq!(cells.len(), rows * columns, "whole rows");
        let header = |i: usize| {
            Header::new(
                format!("Column_{}", i + 1).as_bytes(),
                b"count",
                Aggregation::Sum,
            )
        };
        CircularBuffer {
            rows,
            columns,
            seconds_per_row,
            current_time: seconds_per_row * (rows as i64 - 1),
            cells,
            headers: (0..columns).map(header).collect(),
            format: Format::Cbuf,
            annotations: BTreeMap::new(),
            annotation_bytes: 0,
        }
    }

    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many columns it has.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Duration of a row in seconds.
    pub fn seconds_per_row(&self) -> i64 {
        self.seconds_per_row
    }

    /// The start of the newest row in seconds.
    pub fn current_time(&self) -> i64 {
        self.current_time
    }

    /// The start of the oldest row in seconds.
    pub fn start_time(&self) -> i64 {
        let window = self.seconds_per_row * (self.rows as i64 - 1);
        self.current_time.saturating_sub(window)
    }

    /// The header of a column (counted from 0).
    pub fn header(&self, column: usize) -> &Header {
        &self.headers[column]
    }

    /// Replaces the header of a column.
    pub fn set_header(&mut self, column: usize, header: Header) {
        self.headers[column] = header;
    }

    /// Bytes that it holds.
    pub fn memory(&self) -> usize {
        self.cells.len() * size_of::<Cell>()
            + self.columns * (size_of::<Header>() + MAX_NAME + MAX_UNIT)
            + self.annotation_bytes
    }

    /// The start of the row that a time in nanoseconds belongs to.
    fn row_time(&self, ns: f64) -> i64 {
        let time = (ns / 1e9) as i64;
        time - time % self.seconds_per_row
    }

    /// The row of a time; `None` outside of the window.
    pub fn row(&self, ns: f64) -> Option<usize> {
        let time = self.row_time(ns);
        let inside = time >= self.start_time() && time <= self.current_time;
        inside.then(|| self.row_at(time))
    }

    fn row_at(&self, time: i64) -> usize {
        (time / self.seconds_per_row).rem_euclid(self.rows as i64) as usize
    }

    /// The row of a time, to which the window moves if it is newer; `None` when it is too old. The second value is how many
    /// cells were emptied.
    pub fn advance(&mut self, ns: f64) -> (Option<usize>, usize) {
        let time = self.row_time(ns);
        if time <= self.current_time {
            return (self.row(ns), 0);
        }
        let newer = time.saturating_sub(self.current_time) / self.seconds_per_row;
        let n = self.rows.min(usize::try_from(newer).unwrap_or(usize::MAX));
        let first = (self.row_at(self.current_time) + 1) % self.rows;
        let to_end = n.min(self.rows - first);
        self.empty_rows(first, to_end);
        self.empty_rows(0, n - to_end);
        self.current_time = time;
        self.drop_old_annotations();
        (Some(self.row_at(time)), n * self.columns)
    }

    fn empty_rows(&mut self, first: usize, n: usize) {
        let cells = first * self.columns..(first + n) * self.columns;
        self.cells[cells].fill(Cell::EMPTY);
    }

    /// The number in a row and column.
    pub fn get(&self, row: usize, column: usize, part: Part) -> f64 {
        part.of(&self.cells[row * self.columns + column])
    }

    /// The numbers of a column from one row to another, which may lie before it: then over the end.
    pub fn range(&self, column: usize, rows: [usize; 2], part: Part) -> impl Iterator<Item = f64> {
        let [first, last] = rows;
        let n = (last + self.rows - first) % self.rows + 1;
        (0..n).map(move |i| self.get((first + i) % self.rows, column, part))
    }

    /// Adds to a value; the new one.
    ///
    /// # Errors
    /// `cannot uninitialize a value`, `add produced a NAN`; nothing has changed then.
    pub fn add(&mut self, row: usize, column: usize, value: f64) -> Result<f64, &'static str> {
        let cell = &mut self.cells[row * self.columns + column];
        let old = cell.value;
        let new = if old.is_nan() { value } else { old + value };
        if new.is_nan() && !old.is_nan() {
            return Err(match value.is_nan() {
                true => "cannot uninitialize a value",
                false => "add produced a NAN",
            });
        }
        cell.value = new;
        if old != new {
            match self.headers[column].aggregation {
                Aggregation::Sum => add_delta(cell, value),
                Aggregation::Min | Aggregation::Max => cell.delta = new,
                Aggregation::None => {}
            }
        }
        Ok(new)
    }

    /// Sets a value; for `min` and `max` only when it is smaller or larger. The value that is there then.
    ///
    /// # Errors
    /// `cannot uninitialize a value`; nothing has changed then.
    pub fn set(&mut self, row: usize, column: usize, value: f64) -> Result<f64, &'static str> {
        let cell = &mut self.cells[row * self.columns + column];
        let old = cell.value;
        if value.is_nan() && !old.is_nan() {
            return Err("cannot uninitialize a value");
        }
        let (wanted, delta) = match self.headers[column].aggregation {
            Aggregation::Sum if old.is_finite() => (true, Some(value - old)),
            Aggregation::Sum => (true, Some(value)),
            Aggregation::Min => (old.is_nan() || value < old, None),
            Aggregation::Max => (old.is_nan() || value > old, None),
            Aggregation::None => {
                cell.value = value;
                return Ok(value);
            }
        };
        if wanted {
            cell.value = value;
            match delta {
                None => cell.delta = value,
                Some(0.0) if old.is_finite() => {}
                Some(delta) => add_delta(cell, delta),
            }
        }
        Ok(cell.value)
    }

    /// Forgets all changes.
    pub fn reset_deltas(&mut self) {
        self.cells.iter_mut().for_each(|cell| cell.delta = f64::NAN);
    }

    /// Remarks on a row and column, in place of an earlier remark; nothing outside of the window. `delta`: whether the next
    /// output of changes shows it.
    pub fn annotate(&mut self, ns: f64, column: usize, alert: bool, text: &[u8], delta: bool) {
        if self.row(ns).is_none() {
            return;
        }
        let printable = |&c: &u8| match c {
            b' '..=b'~' | 8 | b'\t' | b'\n' | 12 | b'\r' => c,
            _ => b' ',
        };
        let text: Vec<u8> = text.iter().map(printable).collect();
        self.annotation_bytes += ANNOTATION_OVERHEAD + text.len();
        let annotation = Annotation { alert, text, delta };
        let key = (self.row_time(ns), column);
        if let Some(old) = self.annotations.insert(key, annotation) {
            self.annotation_bytes -= ANNOTATION_OVERHEAD + old.text.len();
        }
    }

    fn drop_old_annotations(&mut self) {
        let start = self.start_time();
        while let Some(entry) = self.annotations.first_entry() {
            if entry.key().0 >= start {
                return;
            }
            self.annotation_bytes -= ANNOTATION_OVERHEAD + entry.remove().text.len();
        }
    }
}

fn add_delta(cell: &mut Cell, change: f64) {
    cell.delta = if cell.delta.is_nan() {
        change
    } else {
        cell.delta + change
    };
}

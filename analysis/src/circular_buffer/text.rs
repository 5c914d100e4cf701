//! The text forms of a circular buffer: what payloads show, and what state files keep.

use std::io::Write as _;

use sandbox::native::write_number;

use super::{Cell, CircularBuffer, Format};

/// Writing to memory cannot fail.
const MEMORY: &str = "writing to memory cannot fail";

/// Why a state could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// So many values instead of the second number.
    TooFew(usize, usize),
    /// Something else behind so many values.
    TooMany(usize),
    /// A row of changes is not whole.
    Delta,
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Malformed::TooFew(found, expected) => {
                write!(
                    f,
                    "fromstring() too few values: {found}, expected {expected}"
                )
            }
            Malformed::TooMany(n) => write!(f, "fromstring() too many values, more than: {n}"),
            Malformed::Delta => f.write_str("fromstring() invalid delta"),
        }
    }
}

impl CircularBuffer {
    /// Appends the buffer in its [`Format`], and stops soon when `out` is longer than `limit`. A line of JSON tells the
    /// shape; then a line per row has the values of its columns, from the oldest on. Of changes, only rows with some are
    /// written, their time in front; then they count as seen. Nothing at all is written when nothing changed.
    pub fn write_output(&mut self, limit: usize, out: &mut Vec<u8>) {
        let start = out.len();
        self.drop_old_annotations();
        self.write_header(out);
        let annotations = self.write_annotations(out);
        out.extend_from_slice(b"]}\n");
        match self.format {
            Format::Cbuf => self.write_cbuf(limit, out),
            Format::Cbufd => {
                let head = out.len();
                self.write_cbufd(limit, out);
                if out.len() == head && annotations == 0 {
                    out.truncate(start);
                }
            }
        }
    }

    fn write_header(&self, out: &mut Vec<u8>) {
        let (time, rows, columns) = (self.start_time(), self.rows, self.columns);
        let seconds = self.seconds_per_row;
        write!(
            out,
            "{{\"time\":{time},\"rows\":{rows},\"columns\":{columns},\"seconds_per_row\":{seconds},\"column_info\":["
        )
        .expect(MEMORY);
        for (i, header) in self.headers.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            let (name, unit) = (&header.name, &header.unit);
            let aggregation = header.aggregation.name();
            write!(
                out,
                "{comma}{{\"name\":\"{name}\",\"unit\":\"{unit}\",\"aggregation\":\"{aggregation}\"}}"
            )
            .expect(MEMORY);
        }
        out.extend_from_slice(b"],\"annotations\":[");
    }

    /// Appends the annotations that the format shows, as JSON objects; their number. Changes count as seen then.
    fn write_annotations(&mut self, out: &mut Vec<u8>) -> usize {
        let mut n = 0;
        for (&(time, column), annotation) in &mut self.annotations {
            if self.format == Format::Cbufd && !std::mem::take(&mut annotation.delta) {
                continue;
            }
            let comma = if n == 0 { "" } else { "," };
            let (ms, column) = (time.saturating_mul(1000), column + 1);
            let kind = if annotation.alert { 'a' } else { 'i' };
            write!(
                out,
                "{comma}{{\"x\":{ms},\"col\":{column},\"shortText\":\"{kind}\",\"text\":\""
            )
            .expect(MEMORY);
            write_json(&annotation.text, out);
            out.extend_from_slice(b"\"}");
            n += 1;
        }
        n
    }

    /// The rows from the oldest to the newest.
    fn oldest_first(&self) -> impl Iterator<Item = usize> + use<> {
        let (rows, newest) = (self.rows, self.row_at(self.current_time));
        (1..=rows).map(move |i| (newest + i) % rows)
    }

    fn write_cbuf(&self, limit: usize, out: &mut Vec<u8>) {
        for row in self.oldest_first() {
            let cells = &self.cells[row * self.columns..][..self.columns];
            for (column, cell) in cells.iter().enumerate() {
                if column > 0 {
                    out.push(b'\t');
                }
                write_number(cell.value, out);
            }
            out.push(b'\n');
            if out.len() > limit {
                return;
            }
        }
    }

    fn write_cbufd(&mut self, limit: usize, out: &mut Vec<u8>) {
        let mut time = self.start_time();
        for row in self.oldest_first() {
            let cells = &mut self.cells[row * self.columns..][..self.columns];
            if cells.iter().any(|cell| !cell.delta.is_nan()) {
                write!(out, "{time}").expect(MEMORY);
                for cell in cells {
                    out.push(b'\t');
                    write_number(cell.delta, out);
                    cell.delta = f64::NAN;
                }
                out.push(b'\n');
                if out.len() > limit {
                    return;
                }
            }
            time = time.saturating_add(self.seconds_per_row);
        }
    }

    /// Appends what [`CircularBuffer::read_state`] reads: the time and row of the newest row, all values in the order of
    /// memory, and the rows with changes, each behind its time. All digits are written, unlike in Hindsight's own states.
    pub fn write_state(&self, out: &mut Vec<u8>) {
        let newest = self.row_at(self.current_time);
        write!(out, "{} {newest}", self.current_time).expect(MEMORY);
        for cell in &self.cells {
            out.push(b' ');
            write_exact(cell.value, out);
        }
        let mut time = self.start_time();
        for row in self.oldest_first() {
            let cells = &self.cells[row * self.columns..][..self.columns];
            if cells.iter().any(|cell| !cell.delta.is_nan()) {
                write!(out, " {time}").expect(MEMORY);
                for cell in cells {
                    out.push(b' ');
                    write_exact(cell.delta, out);
                }
            }
            time = time.saturating_add(self.seconds_per_row);
        }
    }

    /// Takes over values that were written, into `cells`, which are as many empty ones as the buffer has.
    ///
    /// # Errors
    /// What is wrong with them; nothing has changed then.
    pub fn read_state(&mut self, text: &[u8], mut cells: Vec<Cell>) -> Result<(), Malformed> {
        assert_eq!(cells.len(), self.cells.len(), "checked by the caller");
        let mut words = text
            .split(|&c| c.is_ascii_whitespace() || c == 11)
            .filter(|word| !word.is_empty());
        let time: i64 = words.next().and_then(number).unwrap_or(0);
        // The row follows from the time.
        words.next();
        let expected = cells.len();
        for (i, cell) in cells.iter_mut().enumerate() {
            let value = words.next().and_then(number);
            cell.value = value.ok_or(Malformed::TooFew(i, expected))?;
        }
        let old = std::mem::replace(&mut self.cells, cells);
        let old_time =
            std::mem::replace(&mut self.current_time, time - time % self.seconds_per_row);
        let read = self.read_deltas(words);
        if read.is_err() {
            (self.cells, self.current_time) = (old, old_time);
        }
        self.drop_old_annotations();
        read
    }

    /// Reads rows of changes, each behind its time; those outside of the window are skipped.
    fn read_deltas<'t>(
        &mut self,
        mut words: impl Iterator<Item = &'t [u8]>,
    ) -> Result<(), Malformed> {
        while let Some(word) = words.next() {
            let Some(time) = number::<f64>(word) else {
                return Err(Malformed::TooMany(self.cells.len()));
            };
            let row = self.row(time * 1e9);
            for column in 0..self.columns {
                let delta = words.next().and_then(number).ok_or(Malformed::Delta)?;
                if let Some(row) = row {
                    self.cells[row * self.columns + column].delta = delta;
                }
            }
        }
        Ok(())
    }

    /// Appends the statements that restore the annotations of the buffer that the expression `key` stands for.
    pub fn write_annotate_statements(&self, key: &[u8], out: &mut Vec<u8>) {
        for (&(time, column), annotation) in &self.annotations {
            out.extend_from_slice(key);
            let ns = i128::from(time) * 1_000_000_000;
            let kind = if annotation.alert { "alert" } else { "info" };
            write!(out, ":annotate({ns}, {}, \"{kind}\", ", column + 1).expect(MEMORY);
            crate::binding::write_quoted(&annotation.text, out);
            writeln!(out, ", {})", annotation.delta).expect(MEMORY);
        }
    }
}

fn number<T: std::str::FromStr>(word: &[u8]) -> Option<T> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// Appends the shortest digits that are read as the same number; C's `strtod` reads them too.
fn write_exact(number: f64, out: &mut Vec<u8>) {
    match () {
        () if number.is_nan() => out.extend_from_slice(b"nan"),
        () if number.fract() == 0.0 && number.abs() < 1e15 => {
            write!(out, "{number}").expect(MEMORY)
        }
        () => write!(out, "{number:?}").expect(MEMORY),
    }
}

/// Appends text as it stands in a JSON string of Hindsight: a slash is escaped too.
fn write_json(text: &[u8], out: &mut Vec<u8>) {
    for &c in text {
        match c {
            b'\\' | b'"' | b'/' => out.extend_from_slice(&[b'\\', c]),
            8 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            12 => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            _ => out.push(c),
        }
    }
}

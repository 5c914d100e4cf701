//! The `circular_buffer` module.

use std::cell::RefCell;

use sandbox::native::{Call, Class, Error, Function, Object, Scope, function};

use super::{Aggregation, Cell, CircularBuffer, Format, Header, MAX_COLUMNS, Part};
use crate::binding::{charge, check, check_int, check_option, filled, write_new};

/// Cells that are read or written for one step of the plugin's budget.
const CELLS_PER_STEP: usize = 4;

/// Cells that are emptied at once for one step: eight days of seconds in six columns must fit into the default budget.
const EMPTIED_PER_STEP: usize = 64;

const METHODS: &[(&str, Function)] = &[
    ("add", function(add)),
    ("annotate", function(annotate)),
    ("current_time", function(current_time)),
    ("format", function(format)),
    ("fromstring", function(fromstring)),
    ("get", function(get)),
    ("get_configuration", function(get_configuration)),
    ("get_delta", function(get_delta)),
    ("get_header", function(get_header)),
    ("get_range", function(get_range)),
    ("get_range_delta", function(get_range_delta)),
    ("reset_delta", function(reset_delta)),
    ("set", function(set)),
    ("set_header", function(set_header)),
];

/// Pushes the module.
///
/// # Errors
/// At the memory limit.
pub fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(&[("new", function(new)), ("version", function(version))])?;
    Ok(1)
}

/// A buffer in a cell, because its output marks changes as seen.
pub struct Shared(RefCell<CircularBuffer>);

impl Object for Shared {
    fn class() -> Class {
        Class {
            name: "mozsvc.circular_buffer",
            methods: METHODS,
            metamethods: &[],
        }
    }

    fn memory(&self) -> usize {
        self.0.borrow().memory()
    }

    fn output(&self, scope: &Scope<'_>, out: &mut Vec<u8>) -> Option<Result<(), String>> {
        self.0.borrow_mut().write_output(scope.output_limit(), out);
        Some(Ok(()))
    }

    fn preserve(&self, key: &[u8], out: &mut Vec<u8>) -> Option<Result<(), String>> {
        write_statements(&self.0.borrow(), key, out);
        Some(Ok(()))
    }
}

fn write_statements(buffer: &CircularBuffer, key: &[u8], out: &mut Vec<u8>) {
    let (rows, columns) = (buffer.rows(), buffer.columns());
    let seconds = buffer.seconds_per_row();
    write_new(
        key,
        &format!("circular_buffer.new({rows}, {columns}, {seconds})"),
        out,
    );
    let statement = |method: &str, out: &mut Vec<u8>| {
        out.extend_from_slice(key);
        out.extend_from_slice(method.as_bytes());
    };
    for column in 0..columns {
        let header = buffer.header(column);
        let (name, unit) = (&header.name, &header.unit);
        let aggregation = header.aggregation.name();
        let number = column + 1;
        let arguments = format!("{number}, \"{name}\", \"{unit}\", \"{aggregation}\"");
        statement(&format!(":set_header({arguments})\n"), out);
    }
    if buffer.format == Format::Cbufd {
        statement(":format(\"cbufd\")\n", out);
    }
    statement(":fromstring(\"", out);
    buffer.write_state(out);
    out.extend_from_slice(b"\")\n");
    buffer.write_annotate_statements(key, out);
}

fn new(call: &mut Call<'_>) -> Result<usize, Error> {
    check(call.arg_count() == 3, 0, "incorrect number of arguments")?;
    let rows = check_int(call, 1)?;
    check(rows > 1, 1, "rows must be > 1")?;
    let columns = check_int(call, 2)?;
    let allowed = columns > 0 && columns <= MAX_COLUMNS as i32;
    check(allowed, 2, "columns must be > 0 and <= 256")?;
    let seconds_per_row = check_int(call, 3)?;
    check(seconds_per_row > 0, 3, "seconds_per_row is out of range")?;
    let n = (rows as usize).saturating_mul(columns as usize);
    let cells = filled(call, n, Cell::EMPTY)?;
    charge(call, n / EMPTIED_PER_STEP)?;
    let buffer = CircularBuffer::new(rows as usize, seconds_per_row.into(), cells);
    call.push_object(Shared(RefCell::new(buffer)))?;
    Ok(1)
}

fn version(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_bytes("1.0.2")?;
    Ok(1)
}

/// Looks at the buffer, argument 1 of at least `n`.
fn with<T>(
    call: &mut Call<'_>,
    n: usize,
    work: impl FnOnce(&mut Call<'_>, &CircularBuffer) -> Result<T, Error>,
) -> Result<T, Error> {
    let shared = call.check_object::<Shared>(1)?;
    check(call.arg_count() >= n, 0, "incorrect number of arguments")?;
    work(call, &shared.0.borrow())
}

/// Changes the buffer, argument 1 of at least `n`.
fn with_mut<T>(
    call: &mut Call<'_>,
    n: usize,
    work: impl FnOnce(&mut Call<'_>, &mut CircularBuffer) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut shared = call.check_object_mut::<Shared>(1)?;
    check(call.arg_count() >= n, 0, "incorrect number of arguments")?;
    work(call, shared.0.get_mut())
}

/// Argument `i` as a column, from 0.
fn check_column(call: &Call<'_>, buffer: &CircularBuffer, i: i32) -> Result<usize, Error> {
    let column = usize::try_from(check_int(call, i)?).unwrap_or(0);
    check(
        (1..=buffer.columns()).contains(&column),
        i,
        "column out of range",
    )?;
    Ok(column - 1)
}

fn push_optional(call: &mut Call<'_>, number: Option<f64>) -> Result<usize, Error> {
    match number {
        Some(number) => call.push_number(number)?,
        None => call.push_nil()?,
    }
    Ok(1)
}

fn add(call: &mut Call<'_>) -> Result<usize, Error> {
    change(call, CircularBuffer::add)
}

fn set(call: &mut Call<'_>) -> Result<usize, Error> {
    change(call, CircularBuffer::set)
}

/// `add` or `set`; the window moves first. Pushes what is there then.
fn change(
    call: &mut Call<'_>,
    work: fn(&mut CircularBuffer, usize, usize, f64) -> Result<f64, &'static str>,
) -> Result<usize, Error> {
    let (value, moved) = with_mut(call, 4, |call, buffer| {
        let ns = call.check_number(2)?;
        let (row, emptied) = buffer.advance(ns);
        if emptied > 0 {
            charge(call, emptied / EMPTIED_PER_STEP)?;
        }
        let column = check_column(call, buffer, 3)?;
        let value = call.check_number(4)?;
        let value = match row {
            Some(row) => Some(work(buffer, row, column, value)?),
            None => None,
        };
        Ok((value, emptied > 0))
    })?;
    if moved {
        // Annotations went with their rows.
        call.recount(1)?;
    }
    push_optional(call, value)
}

fn get(call: &mut Call<'_>) -> Result<usize, Error> {
    get_part(call, Part::Value)
}

fn get_delta(call: &mut Call<'_>) -> Result<usize, Error> {
    get_part(call, Part::Delta)
}

fn get_part(call: &mut Call<'_>, part: Part) -> Result<usize, Error> {
    with(call, 3, |call, buffer| {
        let row = buffer.row(call.check_number(2)?);
        let column = check_column(call, buffer, 3)?;
        push_optional(call, row.map(|row| buffer.get(row, column, part)))
    })
}

fn get_range(call: &mut Call<'_>) -> Result<usize, Error> {
    get_range_part(call, Part::Value)
}

fn get_range_delta(call: &mut Call<'_>) -> Result<usize, Error> {
    get_range_part(call, Part::Delta)
}

/// `get_range(column[, start[, end]])`
fn get_range_part(call: &mut Call<'_>, part: Part) -> Result<usize, Error> {
    with(call, 2, |call, buffer| {
        let column = check_column(call, buffer, 2)?;
        let start = call.opt_number(3)?;
        let start = start.unwrap_or(buffer.start_time() as f64 * 1e9);
        let end = call.opt_number(4)?;
        let end = end.unwrap_or(buffer.current_time() as f64 * 1e9);
        check(end >= start, 4, "end must be >= start")?;
        let (Some(first), Some(last)) = (buffer.row(start), buffer.row(end)) else {
            call.push_nil()?;
            return Ok(1);
        };
        charge(call, buffer.rows() / CELLS_PER_STEP)?;
        call.check_memory(buffer.rows().saturating_mul(8))?;
        call.push_table(buffer.rows(), 0)?;
        for (i, number) in (1..).zip(buffer.range(column, [first, last], part)) {
            call.push_number(number)?;
            call.raw_set_index(-2, i)?;
        }
        Ok(1)
    })
}

fn get_configuration(call: &mut Call<'_>) -> Result<usize, Error> {
    with(call, 1, |call, buffer| {
        call.push_number(buffer.rows() as f64)?;
        call.push_number(buffer.columns() as f64)?;
        call.push_integer(buffer.seconds_per_row())?;
        Ok(3)
    })
}

fn current_time(call: &mut Call<'_>) -> Result<usize, Error> {
    with(call, 0, |call, buffer| {
        call.push_number(buffer.current_time() as f64 * 1e9)?;
        Ok(1)
    })
}

/// `set_header(column, name[, unit[, aggregation]])`
fn set_header(call: &mut Call<'_>) -> Result<usize, Error> {
    with_mut(call, 3, |call, buffer| {
        let column = check_column(call, buffer, 2)?;
        let name = call.check_bytes(3)?;
        let unit = call.opt_bytes(4)?.unwrap_or(b"count");
        let aggregation = check_option(call, 5, Some(0), &Aggregation::NAMES)?;
        let header = Header::new(name, unit, Aggregation::ALL[aggregation]);
        buffer.set_header(column, header);
        call.push_number((column + 1) as f64)?;
        Ok(1)
    })
}

fn get_header(call: &mut Call<'_>) -> Result<usize, Error> {
    with(call, 2, |call, buffer| {
        let header = buffer.header(check_column(call, buffer, 2)?);
        call.push_bytes(&header.name)?;
        call.push_bytes(&header.unit)?;
        call.push_bytes(header.aggregation.name())?;
        Ok(3)
    })
}

/// `annotate(ns, column, type, text[, delta])`
fn annotate(call: &mut Call<'_>) -> Result<usize, Error> {
    with_mut(call, 5, |call, buffer| {
        let ns = call.check_number(2)?;
        let column = check_column(call, buffer, 3)?;
        let alert = check_option(call, 4, None, &["info", "alert"])? == 1;
        let text = call.check_bytes(5)?;
        let delta = match call.is_none_or_nil(6) {
            true => true,
            false => call
                .bool_at(6)
                .ok_or_else(|| Error::argument(6, "delta must be boolean"))?,
        };
        call.check_memory(text.len())?;
        charge(call, text.len() / CELLS_PER_STEP)?;
        buffer.annotate(ns, column, alert, text, delta);
        Ok(())
    })?;
    call.recount(1)?;
    Ok(0)
}

fn format(call: &mut Call<'_>) -> Result<usize, Error> {
    with_mut(call, 2, |call, buffer| {
        check(call.arg_count() == 2, 0, "incorrect number of arguments")?;
        buffer.format = match check_option(call, 2, None, &Format::NAMES)? {
            0 => Format::Cbuf,
            _ => Format::Cbufd,
        };
        Ok(())
    })?;
    call.push_value(1)?;
    Ok(1)
}

fn fromstring(call: &mut Call<'_>) -> Result<usize, Error> {
    with_mut(call, 2, |call, buffer| {
        let text = call.check_bytes(2)?;
        let n = buffer.rows() * buffer.columns();
        charge(call, n.saturating_add(text.len()))?;
        let cells = filled(call, n, Cell::EMPTY)?;
        let read = buffer.read_state(text, cells);
        read.map_err(|error| Error::new(error.to_string()))
    })?;
    call.recount(1)?;
    Ok(0)
}

fn reset_delta(call: &mut Call<'_>) -> Result<usize, Error> {
    with_mut(call, 1, |call, buffer| {
        charge(call, buffer.rows() * buffer.columns() / CELLS_PER_STEP)?;
        buffer.reset_deltas();
        Ok(0)
    })
}

//! Circular buffers against a map from times to values, and their states there and back.

use std::collections::BTreeMap;

use analysis::circular_buffer::{Aggregation, Cell, CircularBuffer, Format, Header, Part};
use proptest::prelude::*;

const ROWS: usize = 5;
const COLUMNS: usize = 2;
const SECONDS: i64 = 10;

fn buffer() -> CircularBuffer {
    CircularBuffer::new(ROWS, SECONDS, vec![Cell::EMPTY; ROWS * COLUMNS])
}

fn output(buffer: &mut CircularBuffer) -> String {
    let mut out = Vec::new();
    buffer.write_output(usize::MAX, &mut out);
    String::from_utf8(out).expect("text")
}

fn state(buffer: &CircularBuffer) -> Vec<u8> {
    let mut out = Vec::new();
    buffer.write_state(&mut out);
    out
}

proptest! {
    #[test]
    fn values_are_those_of_a_map(
        steps in proptest::collection::vec((0i64..400, 0usize..COLUMNS, -5i32..5), 0..60)
    ) {
        let mut buffer = buffer();
        let mut values: BTreeMap<(i64, usize), f64> = BTreeMap::new();
        let mut newest = SECONDS * (ROWS as i64 - 1);
        for (time, column, value) in steps {
            let row_time = time - time % SECONDS;
            newest = newest.max(row_time);
            let start = newest - SECONDS * (ROWS as i64 - 1);
            values.retain(|&(time, _), _| time >= start);
            let (row, _) = buffer.advance(time as f64 * 1e9);
            prop_assert_eq!(row.is_some(), row_time >= start);
            if let Some(row) = row {
                let sum = values.entry((row_time, column)).or_insert(0.0);
                *sum += f64::from(value);
                prop_assert_eq!(buffer.add(row, column, value.into()), Ok(*sum));
            }
            prop_assert_eq!(buffer.current_time(), newest);
            for column in 0..COLUMNS {
                let rows = [buffer.row(start as f64 * 1e9), buffer.row(newest as f64 * 1e9)];
                let rows = rows.map(|row| row.expect("in the window"));
                let found: Vec<f64> = buffer.range(column, rows, Part::Value).collect();
                for (i, found) in found.iter().enumerate() {
                    let expected = values.get(&(start + i as i64 * SECONDS, column));
                    prop_assert!(expected.map_or(found.is_nan(), |expected| found == expected));
                }
                prop_assert_eq!(found.len(), ROWS);
            }
        }
    }

    #[test]
    fn deltas_of_sums_add_up_to_the_values(
        steps in proptest::collection::vec((0i64..50, -5i32..5, any::<bool>(), any::<bool>()), 0..60)
    ) {
        let mut buffer = buffer();
        let mut total = [0.0; ROWS];
        for (time, value, add, look) in steps {
            let row = buffer.row(time as f64 * 1e9).expect("in the window");
            let value = f64::from(value);
            match add {
                true => buffer.add(row, 0, value),
                false => buffer.set(row, 0, value),
            }.expect("no NaN");
            if look {
                for (row, total) in total.iter_mut().enumerate() {
                    let delta = buffer.get(row, 0, Part::Delta);
                    *total += if delta.is_nan() { 0.0 } else { delta };
                }
                buffer.reset_deltas();
            }
        }
        for (row, total) in total.iter().enumerate() {
            let (value, delta) = (buffer.get(row, 0, Part::Value), buffer.get(row, 0, Part::Delta));
            let rest = if delta.is_nan() { 0.0 } else { delta };
            prop_assert!(value.is_nan() || value == total + rest);
        }
    }

    #[test]
    fn states_come_back(
        values in proptest::collection::vec((0i64..60, 0usize..COLUMNS, any::<f64>()), 0..30)
    ) {
        let mut first = buffer();
        for (time, column, value) in values {
            if let (Some(row), _) = first.advance(time as f64 * 1e9) {
                let _ = first.add(row, column, value);
            }
        }
        let mut second = buffer();
        second.read_state(&state(&first), vec![Cell::EMPTY; ROWS * COLUMNS]).expect("read");
        prop_assert_eq!(state(&second), state(&first));
        prop_assert_eq!(output(&mut second), output(&mut first));
        first.format = Format::Cbufd;
        second.format = Format::Cbufd;
        prop_assert_eq!(output(&mut second), output(&mut first));
        prop_assert_eq!(output(&mut first), "");
    }

    #[test]
    fn any_state_is_read_or_refused(text in "[-0-9naif. ex\t]{0,120}", ns in any::<f64>()) {
        let mut buffer = buffer();
        let before = state(&buffer);
        if buffer.read_state(text.as_bytes(), vec![Cell::EMPTY; ROWS * COLUMNS]).is_err() {
            prop_assert_eq!(state(&buffer), before);
        }
        buffer.advance(ns);
        buffer.annotate(ns, 0, true, b"text", true);
        let _ = output(&mut buffer);
    }
}

#[test]
fn a_state_far_from_now_can_be_used() {
    for time in [i64::MIN, -1, 0, 7, i64::MAX] {
        let mut buffer = buffer();
        let text = format!("{time} 0{}", " 1".repeat(ROWS * COLUMNS));
        buffer
            .read_state(text.as_bytes(), vec![Cell::EMPTY; ROWS * COLUMNS])
            .expect("read");
        let _ = output(&mut buffer);
        let _ = state(&buffer);
        for ns in [0.0, -1e30, 1e30, f64::NAN] {
            buffer.advance(ns);
            assert_eq!(output(&mut buffer).lines().count(), 1 + ROWS);
        }
    }
}

#[test]
fn headers_are_cleaned() {
    let header = Header::new(
        "Größe in KiB/s per host".as_bytes(),
        b"m/s*2 and more",
        Aggregation::Min,
    );
    assert_eq!(header.name, "Gr____e_in_KiB_");
    assert_eq!(header.unit, "m/s*2_a");
}

#[test]
fn annotations_count_and_go_with_their_rows() {
    let mut buffer = buffer();
    let empty = buffer.memory();
    buffer.annotate(0.0, 0, false, b"first", true);
    let one = buffer.memory();
    assert!(one > empty + 5);
    buffer.annotate(0.0, 0, true, b"other", true);
    assert_eq!(buffer.memory(), one, "replaced");
    buffer.annotate(90e9, 0, true, b"outside", true);
    assert_eq!(buffer.memory(), one);
    buffer.advance(50e9);
    assert_eq!(buffer.memory(), empty);
}

//! A message as one JSON object, exact and without loss, written as it goes.
//!
//! The keys are those of the tables that plugins see, and absent headers are absent:
//!
//! ```json
//! {"Uuid":"00112233-4455-4677-a899-aabbccddeeff","Timestamp":1500000000123456789,"Type":"nginx.access","Pid":4711,
//!  "Fields":[{"name":"status","value_type":2,"value":[200]},
//!            {"name":"took","value_type":3,"representation":"s","value":[0.25]}]}
//! ```
//!
//! - `Fields` is a list, as names may repeat. `value_type` is the number on the wire (0 string, 1 bytes, 2 integer,
//!   3 double, 4 bool) and absent for strings; `value` is always a list.
//! - Integers have all their 64 bits: read them with a reader that does not turn them into doubles.
//! - Text and bytes that are UTF-8 are JSON strings. All others are `{"base64":"..."}` (standard alphabet, padded).
//! - Doubles that JSON has no number for are `{"double":"nan"}`, `{"double":"inf"}` and `{"double":"-inf"}`.

use std::io::{self, Write};

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;

use crate::uuid;
use crate::view::{FieldView, Value, ValueType, View};

/// Writes one message, without a line feed behind it.
///
/// # Errors
/// Those of `out`.
pub fn write_message(view: &View<'_>, out: &mut impl Write) -> io::Result<()> {
    out.write_all(b"{")?;
    if let Some(raw) = view.uuid().and_then(uuid::parse) {
        out.write_all(b"\"Uuid\":\"")?;
        out.write_all(&uuid::format(&raw))?;
        out.write_all(b"\",")?;
    }
    write!(out, "\"Timestamp\":{}", view.timestamp())?;
    write_header(",\"Type\":", view.type_(), out)?;
    write_header(",\"Logger\":", view.logger(), out)?;
    if let Some(severity) = view.severity_given() {
        write!(out, ",\"Severity\":{severity}")?;
    }
    write_header(",\"Payload\":", view.payload(), out)?;
    write_header(",\"EnvVersion\":", view.env_version(), out)?;
    if let Some(pid) = view.pid() {
        write!(out, ",\"Pid\":{pid}")?;
    }
    write_header(",\"Hostname\":", view.hostname(), out)?;
    if view.fields_len() > 0 {
        write_list(",\"Fields\":[", view.fields(), out, |field, out| {
            write_field(&field, out)
        })?;
    }
    out.write_all(b"}")
}

fn write_header(key: &str, text: Option<&[u8]>, out: &mut impl Write) -> io::Result<()> {
    let Some(text) = text else { return Ok(()) };
    out.write_all(key.as_bytes())?;
    write_text(text, out)
}

fn write_field(field: &FieldView<'_>, out: &mut impl Write) -> io::Result<()> {
    out.write_all(b"{\"name\":")?;
    write_text(field.name(), out)?;
    if field.value_type() != ValueType::String {
        write!(out, ",\"value_type\":{}", field.value_type() as u8)?;
    }
    write_header(",\"representation\":", field.representation(), out)?;
    write_list(",\"value\":[", field.values(), out, write_value)?;
    out.write_all(b"}")
}

/// Writes `begin`, the items with commas between, and the closing bracket.
fn write_list<T, W: Write>(
    begin: &str,
    items: impl Iterator<Item = T>,
    out: &mut W,
    write_item: impl Fn(T, &mut W) -> io::Result<()>,
) -> io::Result<()> {
    out.write_all(begin.as_bytes())?;
    for (idx, item) in items.enumerate() {
        if idx > 0 {
            out.write_all(b",")?;
        }
        write_item(item, out)?;
    }
    out.write_all(b"]")
}

fn write_value(value: Value<'_>, out: &mut impl Write) -> io::Result<()> {
    match value {
        Value::String(text) | Value::Bytes(text) => write_text(text, out),
        Value::Integer(number) => write!(out, "{number}"),
        Value::Double(number) => write_double(number, out),
        Value::Bool(truth) => write!(out, "{truth}"),
    }
}

fn write_text(text: &[u8], out: &mut impl Write) -> io::Result<()> {
    match std::str::from_utf8(text) {
        Ok(text) => Ok(serde_json::to_writer(out, text)?),
        Err(_) => write!(
            out,
            "{{\"base64\":\"{}\"}}",
            Base64Display::new(text, &STANDARD)
        ),
    }
}

fn write_double(number: f64, out: &mut impl Write) -> io::Result<()> {
    if number.is_finite() {
        return Ok(serde_json::to_writer(out, &number)?);
    }
    let name = match number {
        f64::INFINITY => "inf",
        f64::NEG_INFINITY => "-inf",
        _ => "nan",
    };
    write!(out, "{{\"double\":\"{name}\"}}")
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;

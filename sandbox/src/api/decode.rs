//! `decode_message` and `encode_message`: between the bytes of a message and a Lua table.

use schemas::{FieldView, Index, Value, ValueType, View};

use super::encode::encode_table;
use super::inject::with_buffer;
use crate::native::{Call, Error, Type};

/// `decode_message(bytes)`
pub(super) fn decode_message(call: &mut Call<'_>) -> Result<usize, Error> {
    if call.arg_count() != 1 {
        return Err(Error::argument(0, "incorrect number of arguments"));
    }
    if call.type_of(1) != Type::Userdata {
        let message = call.check_bytes(1)?;
        return push_message(call, message);
    }
    let mut message = Vec::new();
    match call.write_zero_copy(1, &mut message) {
        Some(Ok(())) => push_message(call, &message),
        Some(Err(_)) => Err(Error::new("invalid zero copy return")),
        None => Err(Error::new("no zero copy support")),
    }
}

fn push_message(call: &mut Call<'_>, message: &[u8]) -> Result<usize, Error> {
    schemas::validate(message).map_err(|error| error.to_string())?;
    let mut index = Index::default();
    index.parse(message).map_err(|error| error.to_string())?;
    push_view(call, &index.view(message))?;
    Ok(1)
}

fn push_view(call: &mut Call<'_>, view: &View<'_>) -> Result<(), Error> {
    call.push_table(0, 10)?;
    let texts = [
        ("Uuid", view.uuid()),
        ("Type", view.type_()),
        ("Logger", view.logger()),
        ("Payload", view.payload()),
        ("EnvVersion", view.env_version()),
        ("Hostname", view.hostname()),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            call.push_bytes(text)?;
            call.raw_set_field(-2, name)?;
        }
    }
    let numbers = [
        ("Timestamp", Some(view.timestamp() as f64)),
        ("Severity", view.severity_given().map(f64::from)),
        ("Pid", view.pid().map(f64::from)),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            call.push_number(number)?;
            call.raw_set_field(-2, name)?;
        }
    }
    if view.fields_len() > 0 {
        push_fields(call, view)?;
        call.raw_set_field(-2, "Fields")?;
    }
    Ok(())
}

fn push_fields(call: &mut Call<'_>, view: &View<'_>) -> Result<(), Error> {
    call.push_table(view.fields_len(), 0)?;
    for (i, field) in view.fields().enumerate() {
        call.charge(1)?;
        push_field(call, &field)?;
        call.raw_set_index(-2, i as i64 + 1)?;
    }
    Ok(())
}

fn push_field(call: &mut Call<'_>, field: &FieldView<'_>) -> Result<(), Error> {
    call.push_table(0, 4)?;
    call.push_bytes(field.name())?;
    call.raw_set_field(-2, "name")?;
    if field.value_type() != ValueType::String {
        call.push_number(f64::from(field.value_type() as u8))?;
        call.raw_set_field(-2, "value_type")?;
    }
    if let Some(representation) = field.representation() {
        call.push_bytes(representation)?;
        call.raw_set_field(-2, "representation")?;
    }
    call.push_table(1, 0)?;
    for (i, value) in field.values().enumerate() {
        match value {
            Value::String(bytes) | Value::Bytes(bytes) => call.push_bytes(bytes)?,
            Value::Integer(number) => call.push_integer(number)?,
            Value::Double(number) => call.push_number(number)?,
            Value::Bool(truth) => call.push_bool(truth)?,
        }
        call.raw_set_index(-2, i as i64 + 1)?;
    }
    call.raw_set_field(-2, "value")
}

/// `encode_message(table [, framed])`
pub(super) fn encode_message(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_table(1)?;
    let framed = call.is_true(2);
    let shared = call.shared();
    shared.payload.borrow_mut().clear();
    with_buffer(|buffer| {
        encode_table(call, 1, buffer.message())?
            .map_err(|why| Error::new(format!("encode_message() failed: {why}")))?;
        shared.note_output(buffer.message_len());
        call.push_bytes(if framed {
            buffer.finish()
        } else {
            buffer.message_bytes()
        })
    })?;
    Ok(1)
}

//! `inject_message`: a plugin makes a message.

use std::cell::Cell;

use schemas::encode::Encoder;
use schemas::frame::FrameBuf;

use super::encode::{encode_table, now_ns};
use crate::limits;
use crate::native::{Call, Error, Type};
use crate::sandbox::{Checkpoint, InjectError, Kind, MAX_CHECKPOINT};
use crate::stream_reader::Reader;
use crate::vm::Shared;

/// Buffer that a thread keeps between messages; larger ones are given back.
const KEPT_BUFFER: usize = 1024 * 1024;

thread_local! {
    /// One buffer for all sandboxes of a thread; out while a message is being built.
    static BUFFER: Cell<Option<FrameBuf>> = const { Cell::new(None) };
}

/// Runs `with` with the thread's empty buffer.
pub(super) fn with_buffer<T>(with: impl FnOnce(&mut FrameBuf) -> T) -> T {
    let mut buffer = BUFFER.take().unwrap_or_default();
    buffer.clear();
    let result = with(&mut buffer);
    if buffer.message_len() > KEPT_BUFFER {
        buffer.clear();
        buffer.shrink_to(KEPT_BUFFER);
    }
    BUFFER.set(Some(buffer));
    result
}

/// `inject_message(table)` of analysis and output plugins.
pub(super) fn inject_message(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_table(1)?;
    let shared = call.shared();
    take_turn(shared)?;
    shared.payload.borrow_mut().clear();
    inject_table(call, None)?;
    Ok(0)
}

/// `inject_message(message [, checkpoint])` of input plugins.
pub(super) fn inject_message_input(call: &mut Call<'_>) -> Result<usize, Error> {
    let shared = call.shared();
    let mut slot = shared.checkpoint.take();
    let result = match read_checkpoint(call, &mut slot) {
        Ok(given) => inject_input(call, given.then_some(&slot)),
        Err(error) => Err(error),
    };
    shared.checkpoint.replace(slot);
    result.map(|()| 0)
}

fn inject_input(call: &mut Call<'_>, checkpoint: Option<&Checkpoint>) -> Result<(), Error> {
    let shared = call.shared();
    match call.type_of(1) {
        Type::Table => {
            shared.payload.borrow_mut().clear();
            inject_table(call, checkpoint)
        }
        Type::String => {
            let message = call.check_bytes(1)?;
            if schemas::validate(message).is_err() {
                let text = "inject_message() attempted to inject a invalid protobuf string";
                return Err(Error::new(text));
            }
            inject_bytes(shared, message, checkpoint)
        }
        Type::Nil | Type::None => {
            let why = "inject_message() message cannot be nil without a checkpoint update";
            let checkpoint = checkpoint.ok_or(why)?;
            let sent = shared.host.borrow_mut().checkpoint_only(checkpoint);
            check(shared, sent)
        }
        Type::Userdata if call.is_object::<Reader>(1) => {
            let reader = call.check_object::<Reader>(1)?;
            let message = reader
                .message()
                .ok_or("inject_message() attempted to inject a nil message")?;
            inject_bytes(shared, message, checkpoint)
        }
        other => Err(Error::new(format!(
            "inject_message() unsupported message type: {}",
            other.name()
        ))),
    }
}

/// Reads argument 2 into `slot`; false if it is none.
fn read_checkpoint(call: &Call<'_>, slot: &mut Checkpoint) -> Result<bool, Error> {
    match call.type_of(2) {
        Type::None | Type::Nil => Ok(false),
        Type::Number => {
            let number = call.check_number(2)?;
            *slot = Checkpoint::Number(number);
            Ok(!number.is_nan())
        }
        Type::String => {
            let text = call.check_bytes(2)?;
            let text = &text[..memchr::memchr(0, text).unwrap_or(text.len())];
            if text.len() > MAX_CHECKPOINT {
                call.log(3, "checkpoint string exceeds 8192");
                return Err(Error::new("inject_message() failed: checkpoint update"));
            }
            match slot {
                Checkpoint::Text(kept) => {
                    kept.clear();
                    kept.extend_from_slice(text);
                }
                _ => *slot = Checkpoint::Text(text.to_vec()),
            }
            Ok(true)
        }
        other => Err(Error::new(format!(
            "inject_message() unsupported checkpoint type: {}",
            other.name()
        ))),
    }
}

/// Encodes argument 1 and gives it to the host.
fn inject_table(call: &mut Call<'_>, checkpoint: Option<&Checkpoint>) -> Result<(), Error> {
    with_buffer(|buffer| {
        encode_table(call, 1, buffer.message())?
            .map_err(|why| Error::new(format!("inject_message() failed: {why}")))?;
        let shared = call.shared();
        shared.note_output(buffer.message_len());
        send(shared, buffer, checkpoint)
    })
}

/// Gives ready bytes to the host.
fn inject_bytes(
    shared: &Shared,
    message: &[u8],
    checkpoint: Option<&Checkpoint>,
) -> Result<(), Error> {
    with_buffer(|buffer| {
        buffer.message().extend_from_slice(message);
        send(shared, buffer, checkpoint)
    })
}

/// Makes a message of the payload gathered so far, which is empty then.
pub(super) fn inject_gathered(
    call: &mut Call<'_>,
    payload_type: &[u8],
    payload_name: Option<&[u8]>,
) -> Result<(), Error> {
    let (shared, limit) = (call.shared(), call.output_limit());
    let mut payload = shared.payload.borrow_mut();
    let injected = take_turn(shared).and_then(|()| {
        with_buffer(|buffer| {
            let mut encoder = Encoder::with_limit(buffer.message(), limit);
            encoder.uuid(&shared.uuid());
            encoder.timestamp(now_ns());
            encoder.type_(b"inject_payload");
            encoder.logger(shared.name.as_bytes());
            encoder.payload(&payload);
            encoder.pid(shared.pid);
            encoder.hostname(shared.hostname.as_bytes());
            encoder.string_field(b"payload_type", payload_type);
            if let Some(name) = payload_name {
                encoder.string_field(b"payload_name", name);
            }
            if encoder.exceeded() {
                // With what goes around it, it is longer than the limit at least.
                shared.note_output(payload.len().max(limit.saturating_add(1)));
                return Err(Error::new("inject_message() failed: exceeded output_limit"));
            }
            send(shared, buffer, None)
        })
    });
    payload.clear();
    injected
}

/// Counts an injection of the running call, and refuses it beyond the limit.
fn take_turn(shared: &Shared) -> Result<(), Error> {
    if shared.kind != Kind::Analysis {
        return Ok(());
    }
    match shared.injects_left.get() {
        0 => Err(Error::new(
            "inject_message() failed: injection limit exceeded",
        )),
        left => {
            shared.injects_left.set(left - 1);
            Ok(())
        }
    }
}

fn send(
    shared: &Shared,
    buffer: &mut FrameBuf,
    checkpoint: Option<&Checkpoint>,
) -> Result<(), Error> {
    let message_len = buffer.message_len();
    let framed = buffer.finish();
    let message = &framed[framed.len() - message_len..];
    let sent = shared.host.borrow_mut().inject(framed, message, checkpoint);
    check(shared, sent)?;
    shared.injects.set(shared.injects.get() + 1);
    shared
        .inject_bytes
        .set(shared.inject_bytes.get() + message_len as u64);
    Ok(())
}

/// Turns the host's answer into the plugin's.
fn check(shared: &Shared, sent: Result<(), InjectError>) -> Result<(), Error> {
    match sent {
        Ok(()) => Ok(()),
        Err(InjectError::Rejected(code)) => Err(Error::new(format!(
            "inject_message() failed: rejected by the callback rv: {code}"
        ))),
        Err(InjectError::Stopped) => {
            limits::stop_now(shared);
            Err(Error::ended())
        }
    }
}

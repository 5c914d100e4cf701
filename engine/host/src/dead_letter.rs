//! What an output gave up: kept as a new message with the original bytes, or the path of the file that has them, and the reason.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sandbox::DeadLetter;
use schemas::frame::FrameBuf;
use schemas::message::{Field, Message};

use crate::shared::Shared;

/// Type of the messages made here. One that fails again is only logged, so that dead letters cannot breed.
pub const TYPE: &[u8] = b"foresight.dead_letter";

/// How long a dead letter waits for slow readers of the queue, among which its own output may be.
const WAIT: Duration = Duration::from_millis(100);

/// Appends a dead letter to the input queue.
///
/// Its fields: `plugin`, `reason`, and `message`, the original bytes without their frame, or `file`, a path.
pub fn keep(shared: &Shared, plugin: &str, letter: DeadLetter<'_>, reason: &str) {
    let mut index = schemas::view::Index::default();
    if let DeadLetter::Message(message) = letter
        && index.parse(message).is_ok()
        && index.view(message).type_() == Some(TYPE)
    {
        tracing::error!(target: "plugin", plugin, "a dead letter failed itself and is dropped: {reason}");
        return;
    }
    let framed = build(shared, plugin, letter, reason);
    if let Err(error) = shared.input_queue.append_past_readers(&framed, WAIT) {
        tracing::error!(target: "plugin", plugin, "a dead letter could not be kept: {error}");
    }
}

fn build(shared: &Shared, plugin: &str, original: DeadLetter<'_>, reason: &str) -> Vec<u8> {
    let mut letter = Message::new(random_uuid(), now_ns());
    letter.type_ = Some(TYPE.to_vec());
    letter.logger = Some(plugin.as_bytes().to_vec());
    letter.hostname = Some(shared.config.hostname.clone().into_bytes());
    letter.pid = Some(shared.config.pid);
    letter.severity = Some(3);
    letter.payload = Some(reason.as_bytes().to_vec());
    letter.fields = vec![
        Field::string("plugin", plugin),
        Field::string("reason", reason),
        match original {
            DeadLetter::Message(message) => Field::bytes("message", message),
            DeadLetter::File(path) => Field::string("file", path),
        },
    ];
    let mut frame = FrameBuf::new();
    letter.encode(frame.message());
    frame.finish().to_vec()
}

/// A dead letter is rare, so its UUID may cost a system call; without randomness the time must do.
fn random_uuid() -> [u8; 16] {
    let mut random = [0; 16];
    if getrandom::fill(&mut random).is_err() {
        random[..8].copy_from_slice(&now_ns().to_be_bytes());
    }
    schemas::uuid::v4(random)
}

fn now_ns() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

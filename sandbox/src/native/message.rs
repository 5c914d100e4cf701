//! How native functions come to the bytes of a message: of the one that is being processed, or of the one a stream reader has
//! found.

use schemas::View;

use super::{Call, Error};
use crate::message::{Part, Read, read};
use crate::stream_reader::Reader;

/// A text part of a message.
#[derive(Clone, Copy, Debug)]
pub struct MessagePart<'n> {
    /// `Payload`, `Fields[name]`, as `read_message` takes it.
    pub name: &'n [u8],
    /// Which of several fields of this name, from 0.
    pub field: usize,
    /// Which of several values of the field, from 0.
    pub array: usize,
}

impl Call<'_> {
    /// Whether the running function was called by `process_message`, so that there is a message.
    pub fn has_message(&self) -> bool {
        self.shared().message.is_some()
    }

    /// Lets `look` see the message that is being processed; none if there is none.
    pub fn with_message<T>(&self, look: impl FnOnce(&View<'_>) -> T) -> Option<T> {
        self.shared().message.with(|view, _| look(&view))
    }

    /// Argument `i` must be a stream reader.
    ///
    /// # Errors
    /// When it is none.
    pub fn check_stream_reader(&self, i: i32) -> Result<(), Error> {
        self.check_object::<Reader>(i).map(drop)
    }

    /// A copy of a part of the message that is being processed, or of the message that the stream reader at argument
    /// `reader` has found; none if the message does not have it or it is no text.
    ///
    /// # Errors
    /// When the argument is no stream reader; at the memory limit.
    pub fn message_bytes(
        &self,
        reader: Option<i32>,
        at: MessagePart<'_>,
    ) -> Result<Option<Vec<u8>>, Error> {
        let Some(part) = Part::parse(at.name) else {
            return Ok(None);
        };
        let place = (at.field, at.array);
        let copy = |value: Read<'_>| match value {
            Read::Bytes(bytes) => {
                self.check_memory(bytes.len())?;
                Ok(Some(bytes.to_vec()))
            }
            _ => Ok(None),
        };
        let Some(reader) = reader else {
            let message = &self.shared().message;
            let copied =
                message.with(|view, framed| copy(read(&view, Some(framed), part, at.name, place)));
            return copied.unwrap_or(Ok(None));
        };
        match self.check_object::<Reader>(reader)?.view() {
            Some(view) => copy(read(&view, None, part, at.name, place)),
            None => Ok(None),
        }
    }
}

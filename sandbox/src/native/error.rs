//! Why a native function failed, as the string that Lua code will see.

use std::any::Any;
use std::borrow::Cow;

use stdx::pattern::{Exceeded, PatternError};

use super::Call;
use crate::limits::{self, Ended};
use crate::vm::{NO_MEMORY, slot};

/// The failure of a native function. In Lua it is a plain string, as Hindsight's plugins expect.
#[derive(Debug)]
pub struct Error(Repr);

#[derive(Debug)]
enum Repr {
    /// With the place of the Lua code that called the function in front.
    Text(Cow<'static, [u8]>),
    /// Just as it is.
    Bare(Cow<'static, [u8]>),
    /// A wrong argument.
    Argument(i32, Cow<'static, str>),
    /// The error object lies in the registry.
    Raised,
    Memory,
    /// The budget is used up, or the call is interrupted.
    Ended,
}

impl Error {
    /// An error whose text gets the place of the calling Lua code (`file:line: `) in front, as `luaL_error` does.
    pub fn new(text: impl Into<Cow<'static, str>>) -> Error {
        let bytes = match text.into() {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
        Error(Repr::Text(bytes))
    }

    /// As [`Error::new`], from bytes that need not be UTF-8.
    pub fn bytes(text: impl Into<Vec<u8>>) -> Error {
        Error(Repr::Text(Cow::Owned(text.into())))
    }

    /// An error whose text gets nothing in front.
    pub fn bare(text: impl Into<Vec<u8>>) -> Error {
        Error(Repr::Bare(Cow::Owned(text.into())))
    }

    /// `bad argument #i to 'function' (text)`.
    pub fn argument(i: i32, text: impl Into<Cow<'static, str>>) -> Error {
        Error(Repr::Argument(i, text.into()))
    }

    /// `not enough memory`.
    pub fn memory() -> Error {
        Error(Repr::Memory)
    }

    /// The call has used up its instructions or was interrupted; Lua code cannot catch it.
    pub(crate) fn ended() -> Error {
        Error(Repr::Ended)
    }

    /// The error object lies in the registry.
    pub(crate) fn raised() -> Error {
        Error(Repr::Raised)
    }

    pub(super) fn from_panic(panic: &(dyn Any + Send)) -> Error {
        let text = match panic.downcast_ref::<String>() {
            Some(text) => text.as_str(),
            None => panic.downcast_ref::<&str>().copied().unwrap_or("unknown"),
        };
        Error::new(format!("internal error: {text}"))
    }

    /// Pushes the error object and drops the rest.
    pub(crate) fn push(self, call: &mut Call<'_>) {
        call.make_room_for_error();
        match self.0 {
            Repr::Text(text) => call.push_with_place(&text),
            Repr::Bare(text) => call.push_raw_bytes(&text),
            Repr::Argument(i, text) => {
                let text = call.argument_text(i, &text);
                call.push_with_place(text.as_bytes());
            }
            Repr::Raised => call.push_slot(slot::ERROR),
            Repr::Memory => call.push_raw_bytes(NO_MEMORY.as_bytes()),
            Repr::Ended => {
                let ended = call.shared().budget.ended();
                let ended = if ended == Ended::No {
                    Ended::Limit
                } else {
                    ended
                };
                call.push_with_place(limits::text(ended).as_bytes());
            }
        }
    }
}

impl From<Exceeded> for Error {
    fn from(_: Exceeded) -> Error {
        Error::ended()
    }
}

impl From<PatternError> for Error {
    fn from(error: PatternError) -> Error {
        match error {
            PatternError::Exceeded => Error::ended(),
            other => Error::new(other.to_string()),
        }
    }
}

impl From<&'static str> for Error {
    fn from(text: &'static str) -> Error {
        Error::new(text)
    }
}

impl From<String> for Error {
    fn from(text: String) -> Error {
        Error::new(text)
    }
}

//! `create_message_matcher`: a matcher that an output, or an input for its stream reader, makes for itself.

use crate::native::{Call, Class, Error, Function, Object, function};
use crate::sandbox::CompiledMatcher;
use crate::stream_reader::Reader;

/// What a compiled matcher takes of memory for each byte of its expression, at most: the shortest
/// tests, such as `Pid<0`, make the largest programs for their length.
const MEMORY_PER_BYTE: usize = 32;

/// Bytes of an expression that are parsed in about the time of one instruction.
const BYTES_PER_STEP: usize = 8;

/// A compiled matcher in Lua's hands.
struct Matcher {
    compiled: Box<dyn CompiledMatcher>,
    expression_len: usize,
}

const METHODS: &[(&str, Function)] = &[("eval", function(eval))];

impl Object for Matcher {
    fn memory(&self) -> usize {
        self.expression_len.saturating_mul(MEMORY_PER_BYTE)
    }

    fn class() -> Class {
        Class {
            name: "lsb.message_matcher",
            methods: METHODS,
            metamethods: &[],
        }
    }
}

/// `create_message_matcher(expression)`
pub(super) fn create_message_matcher(call: &mut Call<'_>) -> Result<usize, Error> {
    let expression = call.check_bytes(1)?;
    let expression_len = expression.len();
    call.check_memory(expression_len.saturating_mul(MEMORY_PER_BYTE))?;
    call.charge((expression_len / BYTES_PER_STEP) as u32)?;
    let compiled = call.shared().host.borrow_mut().compile_matcher(expression);
    match compiled {
        Ok(matcher) => call.push_object(Matcher {
            compiled: matcher,
            expression_len,
        })?,
        Err(text) => {
            call.log(4, &format!("message matcher: {text}"));
            return Err(Error::new("invalid message matcher expression"));
        }
    }
    Ok(1)
}

/// `matcher:eval([reader])`: whether the current message matches, or the one that a stream reader has found.
fn eval(call: &mut Call<'_>) -> Result<usize, Error> {
    let matcher = call.check_object::<Matcher>(1)?;
    if !call.is_none(2) {
        let reader = call.check_object::<Reader>(2)?;
        let view = reader.view().ok_or("no active message")?;
        call.push_bool(matcher.compiled.matches(&view))?;
        return Ok(1);
    }
    let matches = call
        .shared()
        .message
        .with(|view, _| matcher.compiled.matches(&view));
    call.push_bool(matches.ok_or("no active message")?)?;
    Ok(1)
}

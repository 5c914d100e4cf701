//! `create_message_matcher`: a matcher that an output makes for itself.

use crate::native::{Call, Class, Error, Function, Object, function};
use crate::sandbox::CompiledMatcher;

/// A compiled matcher in Lua's hands.
struct Matcher(Box<dyn CompiledMatcher>);

const METHODS: &[(&str, Function)] = &[("eval", function(eval))];

impl Object for Matcher {
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
    let compiled = call.shared().host.borrow_mut().compile_matcher(expression);
    match compiled {
        Ok(matcher) => call.push_object(Matcher(matcher))?,
        Err(text) => {
            call.log(4, &format!("message matcher: {text}"));
            return Err(Error::new("invalid message matcher expression"));
        }
    }
    Ok(1)
}

/// `matcher:eval()`: whether the current message matches.
fn eval(call: &mut Call<'_>) -> Result<usize, Error> {
    let matcher = call.check_object::<Matcher>(1)?;
    let matches = call
        .shared()
        .message
        .with(|view, _| matcher.0.matches(&view));
    call.push_bool(matches.ok_or("no active message")?)?;
    Ok(1)
}

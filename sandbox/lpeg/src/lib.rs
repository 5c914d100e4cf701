//! The `lpeg` module: parsing expression grammars compiled to a small program and run on a budget.

mod api;
mod captures;
mod emit;
mod ir;
mod machine;
mod matching;
mod pattern;
mod program;
mod set;
mod tree;
mod verify;

use sandbox::native::{Call, Error, Registry, function};

/// Offers all modules of this crate: `lpeg`.
pub fn register(registry: &mut Registry) {
    registry.add("lpeg", function(open));
}

fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    pattern::make_home(call)?;
    call.push_library(api::FUNCTIONS)?;
    Ok(1)
}

#[cfg(test)]
mod tests;

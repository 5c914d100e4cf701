//! Lua's math library, with the additions Hindsight plugins expect.
//!
//! All functions are LuaJIT's own, which compiles them, beside `erf`, `erfc` and the old name `mod` for `fmod`.
#![allow(unsafe_code)]

use crate::native::{Builtin, Call, Error, Function, function};

const ADDED: &[(&str, Function)] = &[("erf", function(erf)), ("erfc", function(erfc))];

/// Pushes the library. The plugin's random numbers get a seed of their own.
pub(crate) fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_builtin(Builtin::Math)?;
    call.set_functions(-1, ADDED)?;
    call.raw_get_field(-1, "fmod")?;
    call.raw_set_field(-2, "mod")?;
    call.raw_get_field(-1, "randomseed")?;
    let seed = call.random_u64();
    // What a double holds exactly.
    call.push_number((seed >> 11) as f64)?;
    call.call(1, 0)?;
    Ok(1)
}

fn erf(call: &mut Call<'_>) -> Result<usize, Error> {
    let x = call.check_number(1)?;
    // SAFETY: a pure function of the C library.
    call.push_number(unsafe { c_erf(x) })?;
    Ok(1)
}

fn erfc(call: &mut Call<'_>) -> Result<usize, Error> {
    let x = call.check_number(1)?;
    // SAFETY: a pure function of the C library.
    call.push_number(unsafe { c_erfc(x) })?;
    Ok(1)
}

// The same functions that Hindsight's Lua calls, so that results are equal to the last bit.
unsafe extern "C" {
    #[link_name = "erf"]
    fn c_erf(x: f64) -> f64;
    #[link_name = "erfc"]
    fn c_erfc(x: f64) -> f64;
}

#[cfg(test)]
mod tests {
    use crate::lib_string::test_state::run;

    #[test]
    fn the_error_function_and_its_complement() {
        run("local m = require 'math'
            assert(m.erf(0) == 0 and m.erfc(0) == 1 and m.erf(1/0) == 1)
            assert(string.format('%.15g', m.erf(0.5)) == '0.520499877813047')
            assert(string.format('%.15g', m.erfc(0.5)) == '0.479500122186953')
            local ok, e = pcall(m.erf, 'x')
            assert(not ok and e:find('number expected, got string', 1, true), e)");
    }

    #[test]
    fn the_old_name_of_fmod() {
        run("assert(math.mod == math.fmod and math.mod(7, 3) == 1 and math.pow(2, 3) == 8)");
    }

    #[test]
    fn every_state_has_its_own_random_numbers() {
        let first = run("return table.concat({math.random(2^31), math.random(2^31)}, ' ')");
        let second = run("return table.concat({math.random(2^31), math.random(2^31)}, ' ')");
        assert_ne!(first, second);
    }
}

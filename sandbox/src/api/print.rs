//! `print`: a plugin's debug line in the engine's log.

use crate::native::{Call, Error};

/// The log level at which plugins' lines are written.
const DEBUG: u8 = 7;

/// `print(...)`: writes its arguments, separated by tabs, to the log at level 7, and forgets the payload gathered so far.
pub(super) fn print(call: &mut Call<'_>) -> Result<usize, Error> {
    let shared = call.shared();
    shared.payload.borrow_mut().clear();
    if shared.log_level < DEBUG || call.arg_count() == 0 {
        return Ok(0);
    }
    let mut line = Vec::new();
    for i in 1..=call.arg_count() as i32 {
        if i > 1 {
            line.push(b'\t');
        }
        // The plugin's own `tostring`, should it have one.
        call.push_global("tostring")?;
        call.push_value(i)?;
        call.call(1, 1)?;
        let text = call
            .bytes_at(-1)
            .ok_or("'tostring' must return a string to 'print'")?;
        line.extend_from_slice(text);
        call.pop(1);
        if line.len() > call.output_limit() {
            return Err(Error::new("output_limit exceeded"));
        }
    }
    call.log(DEBUG, &printable(&line));
    Ok(0)
}

/// The line up to the first NUL, with a space for every byte that does not print, so that no plugin can forge log lines.
fn printable(line: &[u8]) -> String {
    let end = memchr::memchr(0, line).unwrap_or(line.len());
    let shown = |&byte: &u8| {
        if byte == b' ' || byte.is_ascii_graphic() {
            char::from(byte)
        } else {
            ' '
        }
    };
    line[..end].iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn what_does_not_print_becomes_a_space() {
        assert_eq!(printable(b"a\tb\nc\x7f\xffd"), "a b c  d");
        assert_eq!(printable(b"a\0b"), "a");
    }
}

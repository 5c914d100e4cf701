//! Reads Rust source just well enough: which bytes are code, and where functions begin and end.

/// The text with every comment, string and character literal replaced by spaces; line ends stay.
pub fn code_only(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match literal_end(bytes, at) {
            Some(end) => end.min(bytes.len()),
            None => {
                at += 1;
                continue;
            }
        };
        for byte in &mut out[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// If a comment or literal begins at `at`, where it ends.
fn literal_end(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    if rest.starts_with(b"//") {
        return Some(at + find(rest, b"\n").unwrap_or(rest.len()));
    }
    if rest.starts_with(b"/*") {
        return Some(at + block_comment(rest));
    }
    let after_word = at > 0 && is_word(bytes[at - 1]);
    if !after_word && (rest[0] == b'r' || rest.starts_with(b"br")) {
        let hashes_at = if rest[0] == b'b' { 2 } else { 1 };
        let hashes = rest[hashes_at..]
            .iter()
            .take_while(|byte| **byte == b'#')
            .count();
        if rest.get(hashes_at + hashes) == Some(&b'"') {
            let mut close = vec![b'"'];
            close.extend(std::iter::repeat_n(b'#', hashes));
            let inside = hashes_at + hashes + 1;
            return Some(
                at + inside
                    + find(&rest[inside..], &close).map_or(rest.len(), |found| found + close.len()),
            );
        }
    }
    match rest[0] {
        b'"' => Some(at + quoted(rest, b'"')),
        b'\'' => char_literal(rest).map(|length| at + length),
        _ => None,
    }
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    at
}

fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    at
}

/// A character, not a lifetime: 'x' or an escape.
fn char_literal(rest: &[u8]) -> Option<usize> {
    if rest.get(1) == Some(&b'\\') {
        return Some(quoted(rest, b'\''));
    }
    let text = std::str::from_utf8(&rest[1..rest.len().min(6)]);
    let text = text
        .or_else(|error| std::str::from_utf8(&rest[1..1 + error.valid_up_to()]))
        .ok()?;
    let length = text.chars().next()?.len_utf8();
    (rest.get(1 + length) == Some(&b'\'')).then_some(length + 2)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Lines of `code` (see [`code_only`]) on which `word` stands by itself, counted from 1.
pub fn lines_with_word(code: &str, word: &str) -> Vec<usize> {
    let has = |line: &str| {
        line.match_indices(word).any(|(at, _)| {
            let before = at.checked_sub(1).map(|before| line.as_bytes()[before]);
            let after = line.as_bytes().get(at + word.len()).copied();
            let first_is_word = word.as_bytes().first().copied().is_some_and(is_word);
            let last_is_word = word.as_bytes().last().copied().is_some_and(is_word);
            !(first_is_word && before.is_some_and(is_word)
                || last_is_word && after.is_some_and(is_word))
        })
    };
    code.lines()
        .enumerate()
        .filter(|(_, line)| has(line))
        .map(|(at, _)| at + 1)
        .collect()
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of the word `fn`.
    pub line: usize,
    /// Lines from there to the closing brace.
    pub length: usize,
}

/// All functions of `code` (see [`code_only`]), inner ones too.
pub fn functions(code: &str) -> Vec<Function> {
    let bytes = code.as_bytes();
    let starts = code
        .match_indices("fn ")
        .filter(|(at, _)| *at == 0 || !is_word(bytes[at - 1]));
    starts.filter_map(|(at, _)| function_at(code, at)).collect()
}

fn function_at(code: &str, at: usize) -> Option<Function> {
    let rest = &code[at + 3..];
    let name: String = rest
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    if name.is_empty() {
        return None; // a function type
    }
    let open = body_start(rest)?;
    let mut depth = 0usize;
    for (offset, byte) in rest.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            let line = code[..at].matches('\n').count() + 1;
            let length = rest[..offset].matches('\n').count() + 1;
            return Some(Function { name, line, length });
        }
    }
    None
}

/// Where the body's brace stands; `None` for a declaration without one.
fn body_start(signature: &str) -> Option<usize> {
    let mut round = 0i32;
    for (at, byte) in signature.bytes().enumerate() {
        match byte {
            b'(' | b'[' => round += 1,
            b')' | b']' => round -= 1,
            b'{' if round == 0 => return Some(at),
            b';' if round == 0 => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_no_code() {
        let text = "a // b\n\"c \\\" d\" e /* f /* g */ h */ i 'j' '\\'' 'k r#\"l \" m\"# n b\"o\" br\"p\" 'é' q";
        let code = code_only(text);
        assert_eq!(
            code.split_whitespace().collect::<Vec<_>>(),
            ["a", "e", "i", "'k", "n", "b", "q"]
        );
        assert_eq!(code.lines().count(), text.lines().count());
    }

    #[test]
    fn a_lifetime_is_code() {
        assert_eq!(
            code_only("fn f<'a>(x: &'a str) {}"),
            "fn f<'a>(x: &'a str) {}"
        );
    }

    #[test]
    fn words_stand_alone() {
        assert_eq!(
            lines_with_word("unsafe {\nunsafe_code\nx_unsafe\n(unsafe)", "unsafe"),
            [1, 4]
        );
        assert_eq!(lines_with_word("a todo!() b\nmytodo!()", "todo!"), [1]);
    }

    #[test]
    fn functions_have_their_length() {
        let code =
            "fn a() {\n    fn b() {}\n}\ntrait T {\n    fn c(x: [u8; 2]);\n}\ntype F = fn (u8);\n";
        let found = functions(code);
        let found: Vec<_> = found
            .iter()
            .map(|f| (f.name.as_str(), f.line, f.length))
            .collect();
        assert_eq!(found, [("a", 1, 3), ("b", 2, 1)]);
    }
}

//! A configuration without its private keys, those that begin with `_`: what everybody may see of it.

use std::fmt::Write;

use sandbox::config_file;
use sandbox::value::{Key, Table, Value};

/// What stands in place of a private value.
const HIDDEN: &str = "nil -- private";

/// The text as everybody may see it. One that mentions nothing private stays as it is; of others only what they set is
/// shown, because comments and expressions could hold what is private.
pub fn public(text: &[u8]) -> String {
    if !mentions_private(text) {
        return String::from_utf8_lossy(text).into_owned();
    }
    match config_file::evaluate(text) {
        Ok(file) => {
            let mut out = String::from("-- private keys are hidden, comments are left out\n");
            for entry in file.table.iter() {
                let name = entry.key.to_string();
                assignment(&mut out, &name, &entry.key, &entry.value, 0);
                out.push('\n');
            }
            out
        }
        Err(_) => "-- this configuration has faults and private keys, so it is not shown\n".into(),
    }
}

/// Whether a name that begins with `_` may stand in the text.
fn mentions_private(text: &[u8]) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut before = b' ';
    for byte in text {
        if *byte == b'_' && !is_part(before) {
            return true;
        }
        before = *byte;
    }
    false
}

fn is_private(key: &Key) -> bool {
    matches!(key, Key::Name(name) if name.starts_with(b"_"))
}

fn assignment(out: &mut String, name: &str, key: &Key, value: &Value, depth: usize) {
    write!(out, "{name} = ").expect("a String takes any text");
    match is_private(key) {
        true => out.push_str(HIDDEN),
        false => literal(out, value, depth),
    }
}

/// Tables are at most `config_file::MAX_DEPTH` deep, so this may recurse.
fn literal(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Table(table) => members(out, table, depth),
        Value::String(bytes) => quoted(out, bytes),
        Value::Bool(truth) => out.push_str(&truth.to_string()),
        Value::Number(number) => out.push_str(&number.to_string()),
    }
}

fn members(out: &mut String, table: &Table, depth: usize) {
    out.push_str("{\n");
    for entry in table.iter() {
        let name = match &entry.key {
            Key::Integer(number) => format!("[{number}]"),
            Key::Name(name) => {
                let mut quoted_name = String::from("[");
                quoted(&mut quoted_name, name);
                quoted_name + "]"
            }
        };
        out.push_str(&"  ".repeat(depth + 1));
        assignment(out, &name, &entry.key, &entry.value, depth + 1);
        // A comma behind a hidden value would belong to the comment.
        out.push_str(if is_private(&entry.key) { "\n" } else { ",\n" });
    }
    out.push_str(&"  ".repeat(depth));
    out.push('}');
}

fn quoted(out: &mut String, bytes: &[u8]) {
    out.push('"');
    for c in String::from_utf8_lossy(bytes).chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {
                write!(out, "\\{:03}", u32::from(c)).expect("a String takes any text")
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_private_stays_as_it_is() {
        let text = "-- a comment\nmy_key = 'x'\n";
        assert_eq!(public(text.as_bytes()), text);
    }

    #[test]
    fn private_values_are_hidden_at_any_depth() {
        let text = "-- _password is secret1\n_a = 'secret2'\nb = { _c = [[secret3]], d = { _e = 'secret4' }, 'f\"' }\n";
        let shown = public(text.as_bytes());
        assert!(!shown.contains("secret"), "{shown}");
        assert!(
            shown.contains("_a = nil -- private") && shown.contains("\"f\\\"\""),
            "{shown}"
        );
        assert!(public(b"_a = 'secret' +").starts_with("-- this configuration has faults"));
    }
}

//! Reads and writes `hindsight.cp`, the places of all writers and readers, as lines of Lua.
//!
//! ```text
//! _G['input'] = '0:5480'                 end of the input queue: segment and byte
//! _G['analysis'] = '0:2232'              end of the analysis queue
//! _G['input->analysis0'] = '0:5480'      the slowest analysis plugin of a thread (Hindsight's name)
//! _G['input->analysis.NAME'] = '0:5480'  one analysis plugin
//! _G['input->output.NAME'] = '0:1'       one output plugin, in each queue it reads
//! _G['input.NAME'] = 40                  what an input plugin gave: a number or a string
//! ```
//!
//! Every value stands on one line. In strings we escape `\`, quotes, line ends and NUL; Hindsight forgets `'`,
//! so a reader takes the last quote of the line for the closing one. A line that cannot be read is reported
//! and does not cost the others.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use queue::Position;
use sandbox::Kind;
use stdx::files::{RealDisk, write_atomically};

use crate::config::kind_name;
use crate::number::general;

/// Name of the file in `output_path`.
pub const FILE_NAME: &str = "hindsight.cp";

/// Significant digits that keep every number.
const EXACT_DIGITS: usize = 17;

/// Longest part of a damaged line that is reported.
const SHOWN_MAX: usize = 120;

/// A checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Any bytes; the places of readers and writers are texts too.
    Text(Vec<u8>),
    /// A number of an input plugin.
    Number(f64),
}

/// A line that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Its number, from 1.
    pub line: usize,
    /// Its begin, with what is not printable escaped.
    pub text: String,
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{FILE_NAME}:{}: not a checkpoint: {}",
            self.line, self.text
        )
    }
}

/// All checkpoints by key.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Checkpoints {
    values: BTreeMap<String, Value>,
}

/// The key of the place of `reader`, such as `analysis.foo`, in the queue `queue`, which is `input` or `analysis`.
pub fn reader_key(queue: &str, reader: &str) -> String {
    format!("{queue}->{reader}")
}

impl Checkpoints {
    /// Reads the file in `output_path`; where there is none, there are no checkpoints.
    ///
    /// # Errors
    /// Whatever the disk says, except that the file is missing. Damaged lines are no error.
    pub fn read(output_path: &Path) -> io::Result<(Checkpoints, Vec<Damage>)> {
        match std::fs::read(output_path.join(FILE_NAME)) {
            Ok(bytes) => Ok(Checkpoints::parse(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Default::default()),
            Err(error) => Err(error),
        }
    }

    /// Reads the text of a file.
    pub fn parse(bytes: &[u8]) -> (Checkpoints, Vec<Damage>) {
        let mut all = Checkpoints::default();
        let mut damages = Vec::new();
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.trim_ascii().is_empty() || line.trim_ascii_start().starts_with(b"--") {
                continue;
            }
            match parse_line(line) {
                Some((key, value)) => drop(all.values.insert(key, value)),
                None => {
                    let shown = &line[..line.len().min(SHOWN_MAX)];
                    damages.push(Damage {
                        line: index + 1,
                        text: shown.escape_ascii().to_string(),
                    });
                }
            }
        }
        (all, damages)
    }

    /// The text of the file, in the order of the keys.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.values.len() * 48);
        for (key, value) in &self.values {
            out.extend_from_slice(b"_G[");
            quote(&mut out, key.as_bytes());
            out.extend_from_slice(b"] = ");
            match value {
                Value::Text(text) => quote(&mut out, text),
                Value::Number(number) => out.extend_from_slice(number_text(*number).as_bytes()),
            }
            out.push(b'\n');
        }
        out
    }

    /// Replaces the file in `output_path` in one step. With `sync` it survives a loss of power.
    ///
    /// # Errors
    /// Whatever the disk says; the old file is then still there.
    pub fn write(&self, output_path: &Path, sync: bool) -> io::Result<()> {
        write_atomically(
            &RealDisk,
            &output_path.join(FILE_NAME),
            &self.to_bytes(),
            sync,
        )
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key)
    }

    /// The value of `key` as a place in a queue.
    pub fn position(&self, key: &str) -> Option<Position> {
        match self.values.get(key)? {
            Value::Text(text) => parse_position(text),
            Value::Number(_) => None,
        }
    }

    /// Sets `key`.
    pub fn set(&mut self, key: impl Into<String>, value: Value) {
        self.values.insert(key.into(), value);
    }

    /// Sets `key` to a place in a queue.
    pub fn set_position(&mut self, key: impl Into<String>, position: Position) {
        self.set(key, Value::Text(position.to_string().into_bytes()));
    }

    /// Removes `key`, and says whether it was there.
    pub fn remove(&mut self, key: &str) -> bool {
        self.values.remove(key).is_some()
    }

    /// All keys with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Removes the checkpoints of plugins for which `exists` says no and of threads from `threads` on.
    /// Returns their keys.
    pub fn remove_vanished(
        &mut self,
        threads: usize,
        exists: impl Fn(Kind, &str) -> bool,
    ) -> Vec<String> {
        let vanished = |key: &str| {
            let owner = key.split_once("->").map_or(key, |(_, reader)| reader);
            if let Some(thread) = owner
                .strip_prefix("analysis")
                .and_then(|n| n.parse::<usize>().ok())
            {
                return thread >= threads;
            }
            let Some((kind, stem)) = owner.split_once('.') else {
                return false;
            };
            let kind = crate::config::KINDS
                .into_iter()
                .find(|known| kind_name(*known) == kind);
            kind.is_none_or(|kind| !exists(kind, stem))
        };
        let gone: Vec<String> = self
            .values
            .keys()
            .filter(|key| vanished(key))
            .cloned()
            .collect();
        gone.iter().for_each(|key| drop(self.values.remove(key)));
        gone
    }
}

/// `_G['key'] = value`, with either kind of quotes.
fn parse_line(line: &[u8]) -> Option<(String, Value)> {
    let rest = line.trim_ascii().strip_prefix(b"_G[")?;
    let quote = *rest.first().filter(|byte| matches!(byte, b'\'' | b'"'))?;
    let rest = &rest[1..];
    let end = memmem(rest, &[quote, b']', b' ', b'=', b' '])?;
    let key = String::from_utf8(unescape(&rest[..end])?).ok()?;
    Some((key, parse_value(rest[end + 5..].trim_ascii())?))
}

fn parse_value(text: &[u8]) -> Option<Value> {
    let first = *text.first()?;
    if matches!(first, b'\'' | b'"') {
        let body = text[1..].strip_suffix(&[first])?;
        return unescape(body).map(Value::Text);
    }
    let text = std::str::from_utf8(text).ok()?;
    let number = match text {
        "0/0" | "-(0/0)" | "nan" | "-nan" => f64::NAN,
        "1/0" | "inf" => f64::INFINITY,
        "-1/0" | "-inf" => f64::NEG_INFINITY,
        digits => digits.parse().ok()?,
    };
    Some(Value::Number(number))
}

/// Lua has no words for these numbers, but expressions.
fn number_text(number: f64) -> String {
    match number {
        nan if nan.is_nan() => "0/0".to_string(),
        f64::INFINITY => "1/0".to_string(),
        f64::NEG_INFINITY => "-1/0".to_string(),
        number => general(number, EXACT_DIGITS),
    }
}

fn quote(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'\'');
    for byte in text {
        match byte {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            0 => out.extend_from_slice(b"\\000"),
            b'\'' | b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            other => out.push(*other),
        }
    }
    out.push(b'\'');
}

/// Undoes Lua's escapes; a quote without a backslash stands for itself. `None` when the text ends in a backslash.
fn unescape(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let (&escaped, after) = rest.split_first()?;
        let digits = rest
            .iter()
            .take(3)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if digits > 0 {
            let code = rest[..digits]
                .iter()
                .fold(0_u16, |code, digit| code * 10 + u16::from(digit - b'0'));
            out.push(u8::try_from(code).ok()?);
            rest = &rest[digits..];
            continue;
        }
        rest = after;
        out.push(match escaped {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'a' => 7,
            b'b' => 8,
            b'f' => 12,
            b'v' => 11,
            other => other,
        });
    }
    Some(out)
}

/// `id:offset`; large numbers of Hindsight are rounded, such as `1e+15`.
fn parse_position(text: &[u8]) -> Option<Position> {
    let (segment, offset) = std::str::from_utf8(text).ok()?.split_once(':')?;
    let number = |digits: &str| -> Option<u64> {
        digits.parse().ok().or_else(|| {
            let rounded: f64 = digits.parse().ok()?;
            (rounded >= 0.0 && rounded < u64::MAX as f64).then_some(rounded as u64)
        })
    };
    Some(Position {
        segment: number(segment)?,
        offset: number(offset)?,
    })
}

fn memmem(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Checkpoints {
        let (checkpoints, damages) = Checkpoints::parse(text.as_bytes());
        assert_eq!(damages, []);
        checkpoints
    }

    /// The lines of the spec, as Hindsight wrote them.
    const HINDSIGHTS: &str = "_G['input->analysis0'] = '0:5480'\n_G['analysis'] = '0:2232'\n\
        _G['input'] = '12:5480'\n_G['input->output.tcp'] = '11:7'\n_G['analysis->output.tcp'] = '3:4'\n\
        _G['input.file'] = 40\n_G['input.frac'] = 0.10000000000000001\n_G['input.kafka'] = 'a\\nb\\\\c\\\"d'\n";

    #[test]
    fn hindsights_own_file_is_read() {
        let all = parse(HINDSIGHTS);
        assert_eq!(all.iter().count(), 8);
        assert_eq!(
            all.position("input"),
            Some(Position {
                segment: 12,
                offset: 5480
            })
        );
        assert_eq!(
            all.position(&reader_key("input", "output.tcp")),
            Some(Position {
                segment: 11,
                offset: 7
            })
        );
        assert_eq!(all.get("input.file"), Some(&Value::Number(40.0)));
        assert_eq!(all.get("input.frac"), Some(&Value::Number(0.1)));
        assert_eq!(
            all.get("input.kafka"),
            Some(&Value::Text(b"a\nb\\c\"d".to_vec()))
        );
        assert_eq!(all.position("input.kafka"), None);
    }

    #[test]
    fn an_unescaped_quote_is_recovered() {
        let all = parse("_G['input.a'] = 'it's'\n_G['input.b'] = '''\n_G['input.c'] = ''\n");
        assert_eq!(all.get("input.a"), Some(&Value::Text(b"it's".to_vec())));
        assert_eq!(all.get("input.b"), Some(&Value::Text(b"'".to_vec())));
        assert_eq!(all.get("input.c"), Some(&Value::Text(Vec::new())));
    }

    #[test]
    fn a_damaged_line_is_reported_and_the_others_are_kept() {
        let text = b"_G['a'] = 1\ngarbage \xff\n_G['b'] = '2\n_G['c'] = 3x\n_G['d'] = \n_G['e'] = 'x\\'\n_G['f'] = 6\n_G['g";
        let (all, damages) = Checkpoints::parse(text);
        let lines: Vec<usize> = damages.iter().map(|damage| damage.line).collect();
        assert_eq!(lines, [2, 3, 4, 5, 6, 8]);
        assert_eq!(
            all.iter().map(|(key, _)| key).collect::<Vec<_>>(),
            ["a", "f"]
        );
        assert_eq!(
            damages[0].to_string(),
            "hindsight.cp:2: not a checkpoint: garbage \\xff"
        );
    }

    #[test]
    fn a_quote_that_opens_and_closes_at_once_is_damage() {
        for text in ["_G['] = ']", "_G['] = '", "_G[\"] = 1", "_G['", "_G["] {
            let (all, damages) = Checkpoints::parse(text.as_bytes());
            assert_eq!((all.iter().count(), damages.len()), (0, 1), "{text}");
        }
    }

    #[test]
    fn the_written_form_is_what_plugins_parse() {
        let mut all = Checkpoints::default();
        all.set_position(
            "input",
            Position {
                segment: 1,
                offset: 2,
            },
        );
        all.set_position(
            reader_key("input", "analysis.a"),
            Position {
                segment: 0,
                offset: 99,
            },
        );
        all.set("input.s", Value::Text(b"a'\"\\\n\r\x001".to_vec()));
        all.set("input.n", Value::Number(1e17));
        let expected = "_G['input'] = '1:2'\n_G['input->analysis.a'] = '0:99'\n_G['input.n'] = 1e+17\n\
            _G['input.s'] = 'a\\'\\\"\\\\\\n\\r\\0001'\n";
        assert_eq!(String::from_utf8_lossy(&all.to_bytes()), expected);
    }

    #[test]
    fn rounded_positions_are_read() {
        let all = parse("_G['input'] = '1e+15:100000'\n_G['x'] = '1:-5'\n_G['y'] = '5'\n");
        assert_eq!(
            all.position("input"),
            Some(Position {
                segment: 1_000_000_000_000_000,
                offset: 100_000
            })
        );
        assert_eq!((all.position("x"), all.position("y")), (None, None));
    }

    #[test]
    fn vanished_plugins_and_threads_go() {
        let mut all = parse(
            "_G['input'] = '0:1'\n_G['analysis'] = '0:1'\n_G['input->analysis0'] = '0:1'\n\
             _G['input->analysis1'] = '0:1'\n_G['input->analysis.here'] = '0:1'\n_G['input->output.gone'] = '0:1'\n\
             _G['analysis->output.gone'] = '0:1'\n_G['input.here'] = 1\n_G['input.gone'] = 1\n_G['input.here.x'] = 1\n",
        );
        let gone = all.remove_vanished(1, |_, stem| stem == "here");
        let expected = [
            "analysis->output.gone",
            "input->analysis1",
            "input->output.gone",
            "input.gone",
            "input.here.x",
        ];
        assert_eq!(gone, expected);
        assert_eq!(all.iter().count(), 5);
    }

    #[test]
    fn a_missing_file_has_no_checkpoints_and_a_written_one_comes_back() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (empty, _) = Checkpoints::read(dir.path()).expect("a missing file is no error");
        assert_eq!(empty, Checkpoints::default());
        let all = parse(HINDSIGHTS);
        all.write(dir.path(), true).expect("the directory is ours");
        assert_eq!(
            Checkpoints::read(dir.path()).expect("the file is there").0,
            all
        );
    }

    #[test]
    fn numbers_without_digits_survive() {
        for number in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            let mut all = Checkpoints::default();
            all.set("input.n", Value::Number(number));
            let (back, _) = Checkpoints::parse(&all.to_bytes());
            let Some(Value::Number(back)) = back.get("input.n") else {
                panic!("the number is there")
            };
            assert_eq!(number.is_nan(), back.is_nan());
            assert!(number.is_nan() || number == *back);
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..40).prop_map(Value::Text),
            "[0-9]{1,3}:[0-9]{1,9}".prop_map(|text| Value::Text(text.into_bytes())),
            any::<i32>().prop_map(|number| Value::Number(number.into())),
            any::<f64>()
                .prop_filter("not NaN", |number| !number.is_nan())
                .prop_map(Value::Number),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(values in proptest::collection::btree_map("[a-z.>'\"\\\\-]{1,20}", value(), 0..20)) {
            let all = Checkpoints { values };
            let (back, damages) = Checkpoints::parse(&all.to_bytes());
            prop_assert_eq!(damages, vec![]);
            prop_assert_eq!(back, all);
        }

        #[test]
        fn lua_reads_it_too(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut all = Checkpoints::default();
            all.set("input.a", Value::Text(text.clone()));
            let line = all.to_bytes();
            let assignment = [b"x = ".as_slice(), &line[line.windows(3).position(|w| w == b" = ").expect("an =") + 3..]].concat();
            let file = sandbox::config_file::evaluate(&assignment).expect("the line is Lua");
            prop_assert_eq!(file.table.get("x").and_then(sandbox::value::Value::as_bytes), Some(text.as_slice()));
        }

        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Checkpoints::parse(&bytes);
        }

        #[test]
        fn a_cut_file_keeps_its_whole_lines(cut in 0..HINDSIGHTS.len()) {
            let (all, damages) = Checkpoints::parse(&HINDSIGHTS.as_bytes()[..cut]);
            let whole = HINDSIGHTS[..cut].matches('\n').count();
            prop_assert!(all.iter().count() >= whole && damages.len() <= 1);
        }
    }
}

//! What every Rust file must be: opened by a sentence, free of unsafe code and unfinished work, in short functions.

use crate::scan::{code_only, functions, lines_with_word};
use crate::{Complaint, File, Tree};

/// The only place with unsafe code.
const UNSAFE_HOME: &str = "sandbox/src/";

/// Longest function in lines.
const FUNCTION_MAX: usize = 70;

/// Functions that were longer when the rule came: path, name, lines. The list only ever gets shorter.
const LONG_FUNCTIONS: &[(&str, &str, usize)] = &[];

/// What must not stand in code, and what to do instead.
const FORBIDDEN: &[(&str, &str)] = &[
    ("todo!", "finish it: nothing unfinished is committed"),
    (
        "unimplemented!",
        "finish it, or return an error that says what is not supported",
    ),
    ("dbg!", "remove it, or log with tracing"),
    (
        "#[ignore",
        "a test runs always; what is wrong today is asserted as it is, with a FIXME that says why",
    ),
    (
        "unwrap_unchecked",
        "use expect with the reason why it cannot fail",
    ),
    (
        "static mut",
        "use an atomic or a mutex whose comment says what it guards",
    ),
];

/// What must not stand anywhere in a Rust file, comments and texts included.
const FORBIDDEN_ANYWHERE: &[(&str, &str)] = &[
    (
        concat!("X", "XX"),
        "say what is open as a FIXME with its reason, or do it",
    ),
    (concat!("HA", "CK:"), "say why it is done this way instead"),
    (
        concat!("/wo", "rk/"),
        "no path of one machine belongs into the project",
    ),
];

/// All rules of this module.
pub fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in tree.ending(".rs") {
        complaints.extend(door_sign(file));
        let code = code_only(&file.text);
        complaints.extend(unsafe_code(file, &code));
        complaints.extend(forbidden(file, &code));
        complaints.extend(long_functions(file, &code, LONG_FUNCTIONS));
    }
    complaints.extend(gone_functions(tree, LONG_FUNCTIONS));
    complaints
}

/// The file opens with a sentence that says what it is for.
fn door_sign(file: &File) -> Option<Complaint> {
    let sign: Vec<&str> = file
        .text
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(str::trim)
        .take_while(|line| !line.is_empty())
        .collect();
    let text = sign.join(" ");
    let is_sentence = text.split_whitespace().count() >= 3 && text.contains(['.', '?', '!', ':']);
    (!is_sentence).then(|| {
        file.complaint(
            1,
            "open the file with a `//!` sentence that says what it is for, ended by a full stop",
        )
    })
}

fn unsafe_code(file: &File, code: &str) -> Vec<Complaint> {
    if file.path.starts_with(UNSAFE_HOME) {
        return Vec::new();
    }
    let complain = |line| {
        let text = format!(
            "unsafe code lives only in {UNSAFE_HOME}; offer a safe function there and call it"
        );
        file.complaint(line, text)
    };
    lines_with_word(code, "unsafe")
        .into_iter()
        .map(complain)
        .collect()
}

fn forbidden(file: &File, code: &str) -> Vec<Complaint> {
    let complain = |word: &str, lines: Vec<usize>, instead: &str| {
        let text = format!("`{word}` is not allowed: {instead}");
        lines
            .into_iter()
            .map(|line| file.complaint(line, text.clone()))
            .collect::<Vec<_>>()
    };
    let in_code = FORBIDDEN
        .iter()
        .flat_map(|(word, instead)| complain(word, lines_with_word(code, word), instead));
    let anywhere = FORBIDDEN_ANYWHERE
        .iter()
        .flat_map(|(word, instead)| complain(word, lines_with_word(&file.text, word), instead));
    in_code.chain(anywhere).collect()
}

/// A ratchet: no function grows over the limit, and those of the list may only get shorter.
fn long_functions(file: &File, code: &str, known: &[(&str, &str, usize)]) -> Vec<Complaint> {
    let long = functions(code)
        .into_iter()
        .filter(|function| function.length > FUNCTION_MAX);
    let complaints = long.filter_map(|function| {
        let (name, length) = (&function.name, function.length);
        let allowed = known.iter().find(|(path, known, _)| *path == file.path && known == name);
        let text = match allowed {
            Some((_, _, max)) if length <= *max => return None,
            Some((_, _, max)) => format!("`{name}` grew from {max} to {length} lines; it may only get shorter"),
            None => format!(
                "`{name}` has {length} lines, more than {FUNCTION_MAX}; take a part that has a name of its own out of it"
            ),
        };
        Some(file.complaint(function.line, text))
    });
    complaints.collect()
}

/// Entries of the list that are no longer needed.
fn gone_functions(tree: &Tree, known: &[(&str, &str, usize)]) -> Vec<Complaint> {
    let is_long = |path: &str, name: &str| {
        let file = tree.get(path);
        let found = file
            .map(|file| functions(&code_only(&file.text)))
            .unwrap_or_default();
        found
            .iter()
            .any(|function| function.name == name && function.length > FUNCTION_MAX)
    };
    let gone = known.iter().filter(|(path, name, _)| !is_long(path, name));
    let complain = |(path, name, _): &(&str, &str, usize)| Complaint {
        path: path.to_string(),
        line: 0,
        text: format!(
            "`{name}` is no longer long: remove it from LONG_FUNCTIONS in tests/tidy/src/sources.rs"
        ),
    };
    gone.map(complain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(path: &str, text: &str) -> Vec<String> {
        check(&Tree::of(&[(path, text)]))
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_file_without_a_sentence_is_told_to_get_one() {
        assert_eq!(
            complaints("a.rs", "//! Says what it is for.\nfn f() {}\n"),
            [""; 0]
        );
        assert_eq!(
            complaints("a.rs", "//! Goes on\n//! in the second line.\n"),
            [""; 0]
        );
        for bad in [
            "fn f() {}\n",
            "// A comment, not a sign.\n",
            "//! Title\n",
            "\n//! Too late to be seen.\n",
        ] {
            let found = complaints("a.rs", bad);
            assert!(
                found[0].starts_with("a.rs:1: open the file with"),
                "{bad:?} {found:?}"
            );
        }
    }

    #[test]
    fn unsafe_code_has_one_home() {
        let text = "//! A file of code.\nfn f() { unsafe { g() } }\n";
        assert_eq!(complaints("sandbox/src/ffi.rs", text), [""; 0]);
        assert_eq!(complaints("engine/queue/src/a.rs", text).len(), 1);
        assert_eq!(complaints("sandbox/tests/a.rs", text).len(), 1);
        assert_eq!(
            complaints(
                "a.rs",
                "//! No unsafe code here.\n#![forbid(unsafe_code)]\n"
            ),
            [""; 0]
        );
    }

    #[test]
    fn a_forbidden_word_comes_with_its_replacement() {
        let found = complaints("a.rs", "//! A file of code.\nfn f() {\n    todo!()\n}\n");
        assert_eq!(
            found,
            ["a.rs:3: `todo!` is not allowed: finish it: nothing unfinished is committed"]
        );
        assert_eq!(
            complaints("a.rs", "//! A file of code.\n// todo! in a comment\n"),
            [""; 0]
        );
    }

    fn function_of(lines: usize) -> File {
        let text = format!(
            "//! A file of code.\nfn f() {{\n{}}}\n",
            "    g();\n".repeat(lines - 2)
        );
        File {
            path: "a.rs".into(),
            text,
        }
    }

    #[test]
    fn functions_do_not_grow_over_the_limit() {
        let check = |lines, known: &[(&str, &str, usize)]| {
            let file = function_of(lines);
            long_functions(&file, &code_only(&file.text), known).len()
        };
        assert_eq!(check(70, &[]), 0);
        assert_eq!(check(71, &[]), 1);
        assert_eq!(check(80, &[("a.rs", "f", 80)]), 0);
        assert_eq!(check(81, &[("a.rs", "f", 80)]), 1);
    }

    #[test]
    fn the_list_of_long_functions_gets_shorter() {
        let tree = Tree {
            files: vec![function_of(60)],
        };
        assert_eq!(gone_functions(&tree, &[("a.rs", "f", 80)]).len(), 1);
        let tree = Tree {
            files: vec![function_of(75)],
        };
        assert_eq!(gone_functions(&tree, &[("a.rs", "f", 80)]).len(), 0);
    }
}

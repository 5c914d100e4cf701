//! What every file of the pages must be: opened by a sentence, and without the ways in which text becomes markup.

use crate::{Complaint, File, Tree};

/// Where the pages lie.
const HOME: &str = "engine/admin/web/";

/// What turns text into markup or code; text from plugins and messages must never become either.
const FORBIDDEN: [&str; 9] = [
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "document.write",
    "createContextualFragment",
    "DOMParser",
    "srcdoc",
    "eval(",
    "new Function",
];

/// All rules of this module.
pub fn check(tree: &Tree) -> Vec<Complaint> {
    let files = tree
        .files
        .iter()
        .filter(|file| file.path.starts_with(HOME) && is_script(file));
    files.flat_map(check_file).collect()
}

fn is_script(file: &File) -> bool {
    [".ts", ".js", ".css"].iter().any(|ending| file.is(ending)) && !file.is(".d.ts")
}

fn check_file(file: &File) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let first = file.text.lines().next().unwrap_or_default();
    let is_sentence = (first.starts_with("// ") || first.starts_with("/* "))
        && first.split_whitespace().count() > 3
        && first.contains(['.', ':', ';', ',']);
    if !is_sentence {
        let text = "open the file with a comment that says what it is for, in a sentence";
        complaints.push(file.complaint(1, text));
    }
    for (idx, line) in file.text.lines().enumerate() {
        for word in FORBIDDEN.iter().filter(|word| line.contains(**word)) {
            let text = format!(
                "`{word}` is not allowed: make elements with `h`, which takes text as text"
            );
            complaints.push(file.complaint(idx + 1, text));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_say_what_they_are_and_make_no_markup_of_text() {
        let good = "// Shows a thing, and nothing else.\nconst a = 1;\n";
        let bad = "const a = 1;\nx.innerHTML = a;\n";
        let path = |name: &str| format!("{HOME}src/{name}");
        let tree = Tree::of(&[
            (&path("good.ts"), good),
            (&path("bad.ts"), bad),
            ("elsewhere.js", bad),
        ]);
        let found: Vec<_> = check(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[1].contains("bad.ts:2: `innerHTML`"), "{found:?}");
    }
}

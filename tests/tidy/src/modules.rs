//! Finds dead Rust files: those that no other file declares as a module, so that no compiler ever sees them.

use crate::scan::{code_only, lines_with_word};
use crate::{Complaint, File, Tree};

/// Files that Cargo finds by itself: the last part of the path.
const ROOT_NAMES: [&str; 4] = ["lib.rs", "main.rs", "build.rs", "mod.rs"];

/// Folders of which Cargo takes each file.
const ROOT_FOLDERS: [&str; 5] = ["tests", "examples", "benches", "bin", "fuzz_targets"];

/// Every file is a root or is declared somewhere.
pub fn check(tree: &Tree) -> Vec<Complaint> {
    let dead = tree
        .ending(".rs")
        .filter(|file| !is_root(tree, file) && !is_declared(tree, file));
    let complain = |file: &File| {
        let text = format!(
            "no file declares `mod {};`, so nothing here is compiled: declare it or delete it",
            stem(file)
        );
        file.complaint(0, text)
    };
    dead.map(complain).collect()
}

fn stem(file: &File) -> &str {
    file.path
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .trim_end_matches(".rs")
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn is_root(tree: &Tree, file: &File) -> bool {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    if ROOT_NAMES.contains(&name) {
        return true;
    }
    let folder = folder(&file.path);
    let of_cargo = ROOT_FOLDERS.contains(&folder.rsplit('/').next().unwrap_or_default());
    // tests/x.rs of a crate, not a module that is called tests.
    of_cargo && !is_module_folder(tree, folder)
}

/// Whether `folder.rs` exists, so that the folder holds its modules.
fn is_module_folder(tree: &Tree, folder: &str) -> bool {
    tree.get(&format!("{folder}.rs")).is_some() || tree.get(&format!("{folder}/mod.rs")).is_some()
}

fn is_declared(tree: &Tree, file: &File) -> bool {
    let folder = folder(&file.path);
    let parents = [
        format!("{folder}/lib.rs"),
        format!("{folder}/main.rs"),
        format!("{folder}/mod.rs"),
        format!("{folder}.rs"),
    ];
    let declaration = format!("mod {};", stem(file));
    let declares =
        |parent: &File| !lines_with_word(&code_only(&parent.text), &declaration).is_empty();
    if parents
        .iter()
        .filter_map(|path| tree.get(path))
        .any(declares)
    {
        return true;
    }
    // Declared with a path of its own, or included as text.
    let name = file.path.rsplit('/').next().unwrap_or_default();
    let (quoted, in_folder) = (format!("\"{name}\""), format!("/{name}\""));
    tree.ending(".rs").any(|other| {
        let mentions = other.text.contains(&quoted) || other.text.contains(&in_folder);
        mentions && (other.text.contains("#[path") || other.text.contains("include!("))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files))
            .into_iter()
            .map(|complaint| complaint.path)
            .collect()
    }

    #[test]
    fn declared_files_live() {
        let files = [
            ("c/src/lib.rs", "mod a;\npub mod b;\n"),
            ("c/src/a.rs", "mod inner;"),
            ("c/src/a/inner.rs", ""),
            ("c/src/b.rs", ""),
            ("c/tests/t.rs", ""),
            ("c/tests/it/main.rs", "mod support;"),
            ("c/tests/it/support.rs", ""),
            ("c/examples/e.rs", ""),
        ];
        assert_eq!(dead(&files), [""; 0]);
    }

    #[test]
    fn undeclared_files_are_dead() {
        let files = [
            ("c/src/lib.rs", "// mod a;\nmod bb;\n"),
            ("c/src/a.rs", ""),
            ("c/src/b.rs", ""),
            ("c/tests/it/main.rs", ""),
            ("c/tests/it/support.rs", ""),
        ];
        assert_eq!(
            dead(&files),
            ["c/src/a.rs", "c/src/b.rs", "c/tests/it/support.rs"]
        );
    }

    #[test]
    fn a_module_called_tests_needs_its_declaration() {
        let files = [
            ("c/src/lib.rs", "mod config;"),
            ("c/src/config.rs", "#[cfg(test)]\nmod tests;"),
            ("c/src/config/tests.rs", ""),
            ("c/src/config/lost.rs", ""),
        ];
        assert_eq!(dead(&files), ["c/src/config/lost.rs"]);
    }

    #[test]
    fn a_path_of_its_own_counts() {
        let files = [
            ("c/src/lib.rs", "#[path = \"other/x.rs\"]\nmod y;"),
            ("c/src/other/x.rs", ""),
        ];
        assert_eq!(dead(&files), [""; 0]);
    }
}

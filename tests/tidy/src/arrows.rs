//! Which crate may use which: the arrows of the design, as a list, and the manifests that must keep to it.

use crate::{Complaint, File, Tree};

/// The library everyone may use.
const FOR_ALL: &str = "stdx";

/// What a crate's arrows are.
enum Arrows {
    /// It may use these of our crates, and [`FOR_ALL`].
    To(&'static [&'static str]),
    /// It spans the others and may use all of them; nothing may use it.
    Anywhere,
}

/// Folder, and what the crate in it may use. A crate is known to the others by the name in the workspace manifest.
const ARROWS: &[(&str, Arrows)] = &[
    ("engine/stdx", Arrows::To(&[])),
    ("schemas", Arrows::To(&[])),
    ("engine/queue", Arrows::To(&[])),
    ("engine/matcher", Arrows::To(&["schemas"])),
    ("sandbox", Arrows::To(&["schemas"])),
    ("sandbox/lpeg", Arrows::To(&["sandbox"])),
    ("sandbox/json", Arrows::To(&["schemas", "sandbox"])),
    ("sandbox/library", Arrows::To(&["sandbox"])),
    ("analysis", Arrows::To(&["schemas", "sandbox"])),
    ("engine/tls", Arrows::To(&[])),
    ("engine/kafka", Arrows::To(&["sandbox"])),
    ("engine/input", Arrows::To(&["schemas", "sandbox", "tls"])),
    ("output", Arrows::To(&["schemas", "sandbox", "tls"])),
    ("output/parquet", Arrows::To(&["schemas", "sandbox"])),
    // Sees snapshots as plain data, never a Lua state or a queue.
    ("engine/admin", Arrows::To(&["schemas", "matcher", "tls"])),
    (
        "engine/host",
        Arrows::To(&[
            "schemas", "matcher", "queue", "sandbox", "lpeg", "json", "library", "analysis",
            "input", "kafka", "output", "columnar", "admin",
        ]),
    ),
    ("tests/attacks", Arrows::Anywhere),
    ("tests/bench", Arrows::Anywhere),
    ("tests/e2e", Arrows::Anywhere),
    ("tests/modules", Arrows::Anywhere),
    ("tests/s3", Arrows::Anywhere),
    ("tests/fuzz", Arrows::Anywhere),
    ("tests/fuzz/libfuzzer", Arrows::Anywhere),
    ("tests/tidy", Arrows::Anywhere),
];

/// Every manifest keeps to the arrows, and every crate has some.
pub fn check(tree: &Tree) -> Vec<Complaint> {
    let Some(root) = tree.get("Cargo.toml") else {
        return Vec::new();
    };
    let ours = our_crates(root);
    let manifests = tree.ending("/Cargo.toml");
    manifests
        .flat_map(|manifest| check_manifest(manifest, &ours))
        .collect()
}

fn check_manifest(manifest: &File, ours: &[(String, String)]) -> Vec<Complaint> {
    let folder = manifest.path.trim_end_matches("/Cargo.toml");
    let Some((_, arrows)) = ARROWS.iter().find(|(known, _)| *known == folder) else {
        let text = "this crate has no arrows; add its folder to ARROWS in tests/tidy/src/arrows.rs, \
                    with the crates it may use";
        return vec![manifest.complaint(0, text)];
    };
    let Arrows::To(allowed) = arrows else {
        return Vec::new();
    };
    let wrong = dependencies(&manifest.text).into_iter().filter_map(|(line, name)| {
        let (_, used) = ours.iter().find(|(known, _)| *known == name)?;
        let may = name == FOR_ALL || allowed.contains(&name.as_str());
        (!may || used.starts_with("tests/")).then(|| {
            let text = format!(
                "{folder} must not use {name} (in {used}): the arrows go one way. Move what is needed to a crate \
                 both may use, or pass it in from engine/host"
            );
            manifest.complaint(line, text)
        })
    });
    wrong.collect()
}

/// Name and folder of each of our crates, from the workspace's dependency list: the entries with a path.
fn our_crates(root: &File) -> Vec<(String, String)> {
    let entries = root.text.lines().filter_map(|line| {
        let (name, rest) = line.split_once('=')?;
        let (_, path) = rest.split_once("path = \"")?;
        let (path, _) = path.split_once('"')?;
        Some((name.trim().to_string(), path.to_string()))
    });
    entries.collect()
}

/// Line and name of each dependency of a manifest: normal ones, of builds, and of tests.
fn dependencies(manifest: &str) -> Vec<(usize, String)> {
    let mut inside = false;
    let mut found = Vec::new();
    for (at, line) in manifest.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') {
            inside = line.trim_end_matches(']').ends_with("dependencies");
            // The long form: [dependencies.name]
            if let Some((_, name)) = line.trim_end_matches(']').split_once("dependencies.") {
                found.push((at + 1, name.to_string()));
            }
        } else if inside && !line.starts_with('#') {
            let name = line.split(['=', '.']).next().unwrap_or_default().trim();
            if !name.is_empty() {
                found.push((at + 1, name.to_string()));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "[workspace.dependencies]\nstdx = { path = \"engine/stdx\" }\n\
                        schemas = { path = \"schemas\" }\nqueue = { path = \"engine/queue\" }\n\
                        e2e = { path = \"tests/e2e\" }\nlibc = \"0.2\"\n";

    fn complaints(folder: &str, dependencies: &str) -> Vec<String> {
        let path = format!("{folder}/Cargo.toml");
        let tree = Tree::of(&[("Cargo.toml", ROOT), (&path, dependencies)]);
        check(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_arrow_of_the_list_is_fine() {
        let manifest = "[dependencies]\nschemas.workspace = true\nstdx = { workspace = true }\nlibc = \"0.2\"\n";
        assert_eq!(complaints("sandbox", manifest), [""; 0]);
    }

    #[test]
    fn an_arrow_against_the_list_is_named_with_its_line() {
        let found = complaints(
            "schemas",
            "[dependencies]\nlibc.workspace = true\nqueue.workspace = true\n",
        );
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("schemas/Cargo.toml:3: schemas must not use queue"),
            "{}",
            found[0]
        );
        assert_eq!(
            complaints("schemas", "[dev-dependencies.queue]\nworkspace = true\n").len(),
            1
        );
        assert_eq!(
            complaints("schemas", "[build-dependencies]\nqueue.workspace = true\n").len(),
            1
        );
        assert_eq!(
            complaints("engine/host", "[dev-dependencies]\ne2e.workspace = true\n").len(),
            1
        );
    }

    #[test]
    fn crates_that_span_others_may_use_all() {
        assert_eq!(
            complaints("tests/e2e", "[dependencies]\nqueue.workspace = true\n"),
            [""; 0]
        );
    }

    #[test]
    fn a_crate_without_arrows_is_told_where_to_get_them() {
        let found = complaints("engine/new", "[dependencies]\n");
        assert!(
            found[0].contains("add its folder to ARROWS"),
            "{}",
            found[0]
        );
    }
}

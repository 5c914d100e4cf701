//! Checks what no compiler checks: the arrows between crates, door signs, manuals, dead files, long functions.
//!
//! Each check looks at a [`Tree`] of files and returns [`Complaint`]s. A complaint says what to do, not only what is
//! wrong. The rules that are lists (arrows, words, long functions) stand as data at the head of their module.

pub mod arrows;
pub mod modules;
pub mod plugins;
pub mod reference;
pub mod scan;
pub mod sources;
pub mod web;

use std::fmt;
use std::path::{Path, PathBuf};

/// Directories that hold nothing written by people.
const SKIPPED: [&str; 7] = [
    "target",
    ".git",
    "node_modules",
    "dist",
    "corpus",
    "output-data",
    "proptest-regressions",
];

/// Files larger than this are data.
const FILE_MAX: u64 = 4 * 1024 * 1024;

/// Something to put right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The file, relative to the root.
    pub path: String,
    /// The line, 0 when the file as a whole is meant.
    pub line: usize,
    /// What is wrong and what to do about it.
    pub text: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.text),
            line => write!(f, "{}:{line}: {}", self.path, self.text),
        }
    }
}

/// One file.
#[derive(Debug, Clone)]
pub struct File {
    /// Relative to the root, with `/` between the parts.
    pub path: String,
    /// What it holds; bytes that are no UTF-8 are replaced.
    pub text: String,
}

impl File {
    /// Whether the name ends with this, such as `.rs`.
    pub fn is(&self, ending: &str) -> bool {
        self.path.ends_with(ending)
    }

    /// A complaint about a line of this file, 0 for the whole.
    pub fn complaint(&self, line: usize, text: impl Into<String>) -> Complaint {
        Complaint {
            path: self.path.clone(),
            line,
            text: text.into(),
        }
    }
}

/// The files of the project.
#[derive(Debug, Default)]
pub struct Tree {
    /// All files, in the order of their paths.
    pub files: Vec<File>,
}

impl Tree {
    /// Reads everything under `root` that people write.
    ///
    /// # Panics
    /// When the disk cannot be read: a check that cannot look must not pass.
    pub fn read(root: &Path) -> Tree {
        let mut dirs = vec![PathBuf::from(root)];
        let mut files = Vec::new();
        while let Some(dir) = dirs.pop() {
            let entries = std::fs::read_dir(&dir)
                .unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
            for entry in entries {
                let entry = entry.expect("a directory that was opened can be read");
                let kind = entry.file_type().expect("an entry has a type");
                let name = entry.file_name().to_string_lossy().into_owned();
                if kind.is_dir() && !SKIPPED.contains(&name.as_str()) {
                    dirs.push(entry.path());
                } else if kind.is_file() && is_written(&name) {
                    files.extend(read_file(root, &entry.path()));
                }
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Tree { files }
    }

    /// A tree of these files, for tests of the checks.
    pub fn of(files: &[(&str, &str)]) -> Tree {
        let file = |(path, text): &(&str, &str)| File {
            path: path.to_string(),
            text: text.to_string(),
        };
        Tree {
            files: files.iter().map(file).collect(),
        }
    }

    /// Files whose name ends with this.
    pub fn ending(&self, ending: &'static str) -> impl Iterator<Item = &File> {
        self.files.iter().filter(move |file| file.is(ending))
    }

    /// The file with this path.
    pub fn get(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }
}

fn is_written(name: &str) -> bool {
    [".rs", ".toml", ".lua", ".cfg", ".md", ".ts", ".js", ".css"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

fn read_file(root: &Path, path: &Path) -> Option<File> {
    let size = std::fs::metadata(path).ok()?.len();
    if size > FILE_MAX {
        return None;
    }
    let text = std::fs::read(path).ok()?;
    let relative = path
        .strip_prefix(root)
        .ok()?
        .to_string_lossy()
        .replace('\\', "/");
    Some(File {
        path: relative,
        text: String::from_utf8_lossy(&text).into_owned(),
    })
}

/// The root of the workspace this crate lies in.
pub fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs every check.
pub fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = arrows::check(tree);
    complaints.extend(sources::check(tree));
    complaints.extend(web::check(tree));
    complaints.extend(modules::check(tree));
    complaints.extend(plugins::check(tree));
    complaints.extend(reference::check(tree));
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_read_without_what_machines_write() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let put = |path: &str| {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().expect("it has one")).expect("created");
            std::fs::write(path, "x").expect("written");
        };
        ["a/b.rs", "target/c.rs", "Cargo.toml", "a/data.bin"]
            .into_iter()
            .for_each(put);
        let paths: Vec<_> = Tree::read(dir.path())
            .files
            .into_iter()
            .map(|file| file.path)
            .collect();
        assert_eq!(paths, ["Cargo.toml", "a/b.rs"]);
    }

    #[test]
    fn a_complaint_points_at_its_place() {
        let file = File {
            path: "a.rs".into(),
            text: String::new(),
        };
        assert_eq!(file.complaint(3, "do this").to_string(), "a.rs:3: do this");
        assert_eq!(file.complaint(0, "do this").to_string(), "a.rs: do this");
    }
}

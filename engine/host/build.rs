//! Lists what the demonstration carries inside the program: plugins and modules, its configuration, schemas.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The folders below `plugins/` that hold Lua for the engine; the others are for readers and editors.
const PLUGIN_FOLDERS: [&str; 7] = [
    "input", "analysis", "output", "alert", "decoders", "encoders", "modules",
];

fn main() -> io::Result<()> {
    // Asked when it runs: the target folder may outlive the place in which it was built.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let here = Path::new(&here);
    list(
        "plugins.rs",
        &here.join("../../plugins"),
        &PLUGIN_FOLDERS,
        "lua",
    )?;
    list("demo.rs", &here.join("demo"), &["."], "cfg")?;
    list(
        "schemas.rs",
        &here.join("../../schemas/json"),
        &["."],
        "json",
    )
}

/// Writes a list of pairs to `name`: the path below `root` of each file with the ending, and its text.
fn list(name: &str, root: &Path, folders: &[&str], ending: &str) -> io::Result<()> {
    let mut text = String::from("&[\n");
    for folder in folders {
        println!("cargo::rerun-if-changed={}", root.join(folder).display());
        for path in files(&root.join(folder), ending)? {
            let short = path.strip_prefix(root).expect("it was found below");
            writeln!(text, "    ({short:?}, include_str!({path:?})),")
                .expect("a String takes any text");
        }
    }
    text.push(']');
    let out = env::var_os("OUT_DIR").expect("Cargo sets it");
    fs::write(Path::new(&out).join(name), text)
}

fn files(root: &Path, ending: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
